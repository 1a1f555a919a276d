//! Watches a process and its log until both are finished.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_monitor::run)
}
