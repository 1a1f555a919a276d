//! The bf-orchestrate binary.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_orchestrate::run)
}
