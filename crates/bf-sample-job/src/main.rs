//! `bf-sample-job`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(bf_sample_job::run(
        std::env::args_os(),
        Box::new(std::io::stderr()),
    ))
}
