//! bf-validate-player-summary: checks nba_analytics.player_game_summary.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_validate::run_player_summary)
}
