//! Tells people what a run does.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_notify::run)
}
