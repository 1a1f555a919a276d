//! bf-validate-team-offense: checks nba_analytics.team_offense_game_summary.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_validate::run_team_offense)
}
