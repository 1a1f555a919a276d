//! `bf-report`: documents in, a page out.
//!
//! ```text
//! input ──> model ──> html, markdown, junit, annotations
//!             ^ compare (two models)
//! ```
//!
//! Links bf-contract and bf-cli only: it reads what any tool, or any script in a tool's place, has printed.

mod annotations;
mod args;
mod compare;
mod days;
mod draw;
mod html;
mod input;
mod junit;
mod markdown;
mod model;
mod months;
mod words;
mod write;

use std::io::Read;

use bf_cli::{Failure, Output, Streams};
use bf_contract::Exit;

pub use args::Args;
use model::Report;

/// Writes the reports that are asked for.
///
/// # Errors
/// There is nothing to report, it cannot be read, or a report cannot be written: exit 3, or what the documents on standard
/// input say, if that is worse.
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    let mut output_args = args.output.clone();
    if args.prints_a_form() {
        output_args.format = bf_cli::Format::Text;
    }
    let (mut output, mut stdin) = Output::new(&output_args, streams);
    let input = input::read(&args.input, &mut stdin)?;
    // In a pipe, sh knows the code of the last command only.
    let exit = if args.input.as_os_str() == "-" {
        input.exit.exit()
    } else {
        Exit::Success
    };
    match write(&args, &Report::of(input), &mut stdin, &mut output) {
        Err(failure) if !failure.exit.is_success() => Err(Failure {
            exit: exit.worse(failure.exit),
            ..failure
        }),
        // A reader that went away hides no bad table.
        Err(failure) if exit.is_success() => Err(failure),
        _ => Ok(exit),
    }
}

/// Writes each form that is asked for.
fn write(
    args: &Args,
    report: &Report,
    stdin: &mut dyn Read,
    output: &mut Output,
) -> Result<(), Failure> {
    let comparison = match &args.compare {
        Some(other) => {
            let before = Report::of(input::read(other, stdin)?);
            let name = other.display().to_string();
            Some(compare::compare(&before, report, name))
        }
        None => None,
    };
    let comparison = comparison.as_ref();
    let mut written = Vec::new();
    if let Some(path) = &args.html {
        write::whole(path, html::page(report, comparison).as_bytes())?;
        written.push(path);
    }
    if let Some(path) = &args.junit {
        write::whole(path, junit::report(report, comparison)?.as_bytes())?;
        written.push(path);
    }
    let markdown = || markdown::report(report, comparison);
    if let Some(path) = args.markdown.as_ref().filter(|_| !args.prints_markdown()) {
        write::whole(path, markdown().as_bytes())?;
        written.push(path);
    }
    if args.prints_markdown() {
        output.text(markdown().trim_end())?;
    }
    if args.annotations {
        for line in annotations::lines(report) {
            output.text(line)?;
        }
    }
    if !args.prints_a_form() {
        for path in written {
            output.text(format!("written: {}", path.display()))?;
        }
    }
    Ok(())
}
