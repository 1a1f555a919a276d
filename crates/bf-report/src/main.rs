//! Turns documents into a page.

fn main() -> std::process::ExitCode {
    bf_cli::main(bf_report::run)
}
