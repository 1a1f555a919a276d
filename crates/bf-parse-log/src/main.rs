//! Says what a backfill's log claims.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_parse_log::run)
}
