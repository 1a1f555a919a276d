//! bf-validate: checks any table, as a suite file says.

fn main() -> std::process::ExitCode {
    bf_validate::main(std::env::args_os().collect())
}
