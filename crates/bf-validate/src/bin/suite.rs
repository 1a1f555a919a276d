//! bf-validate: checks any table, as a suite file says.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_validate::run_suite)
}
