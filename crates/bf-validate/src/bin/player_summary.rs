//! bf-validate-player-summary: checks nba_analytics.player_game_summary; bf-validate does the work.

fn main() -> std::process::ExitCode {
    bf_cli::exec_sibling(
        "bf-validate-player-summary",
        "bf-validate",
        "--suite=built-in:player_game_summary",
    )
}
