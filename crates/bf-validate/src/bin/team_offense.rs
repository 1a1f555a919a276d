//! bf-validate-team-offense: checks nba_analytics.team_offense_game_summary; bf-validate does the work.

fn main() -> std::process::ExitCode {
    bf_cli::exec_sibling(
        "bf-validate-team-offense",
        "bf-validate",
        "--suite=built-in:team_offense",
    )
}
