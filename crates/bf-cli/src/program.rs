//! The one place that touches the process: its arguments, its streams, its exit code.

use std::any::Any;
use std::ffi::OsString;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use bf_contract::{Exit, FailureReport};
use clap::error::ErrorKind;

use crate::text::printable;
use crate::{Failure, Format, Streams, ToolArgs, VERSION};

/// Runs a tool: parses its arguments, gives it its streams, reports a failure, and turns what it came to into the
/// process's exit code.
pub fn main<A: ToolArgs>(run: fn(A, Streams) -> Result<Exit, Failure>) -> ExitCode {
    main_with(std::env::args_os().collect(), run)
}

/// [`main`] with arguments of the caller's; the first is the program.
pub fn main_with<A: ToolArgs>(
    mut args: Vec<OsString>,
    run: fn(A, Streams) -> Result<Exit, Failure>,
) -> ExitCode {
    let name = A::command().get_name().to_owned();
    // The help shows the name of the tool, whatever file it was started from.
    if let Some(program) = args.first_mut() {
        *program = name.clone().into();
    }
    let streams = Streams::real();
    let parsed = A::command()
        .version(VERSION)
        .try_get_matches_from(&args)
        .and_then(|matches| A::from_arg_matches(&matches));
    let (documents, outcome) = match parsed {
        Ok(parsed) => (
            parsed.format().writes_documents(&streams),
            run_guarded(run, parsed, streams),
        ),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp
                    | ErrorKind::DisplayVersion
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            ) =>
        {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
            let _ = error.print();
            return exit.into();
        }
        Err(error) => (
            Format::of_call(args.into_iter()).writes_documents(&streams),
            Err(usage_failure(&name, &error)),
        ),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => report(&name, documents, &failure),
    }
}

/// Reports a failure to programs and to people, and gives the exit code.
pub(crate) fn report(name: &str, writes_documents: bool, failure: &Failure) -> ExitCode {
    if failure.is_silent() {
        return failure.exit.into();
    }
    if writes_documents && !failure.is_reported {
        print_document(&failure.document(name));
    }
    // Nothing is left that could report that standard error is gone, too.
    let mut stderr = std::io::stderr().lock();
    // Names of files and lines of logs are part of it.
    let safe = |text: &str| printable(text, usize::MAX);
    let _ = writeln!(stderr, "{name}: {}", safe(&failure.message));
    if let Some(hint) = &failure.hint {
        let _ = writeln!(stderr, "hint: {}", safe(hint));
    }
    failure.exit.into()
}

/// Writes a failure where a program reads it. A reader that went away gets the exit code.
fn print_document(document: &FailureReport) {
    if let Ok(mut line) = serde_json::to_vec(document) {
        line.push(b'\n');
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
    }
}

/// Runs the tool and catches a panic: a defect of ours is "could not check", never a verdict.
fn run_guarded<A>(
    run: fn(A, Streams) -> Result<Exit, Failure>,
    args: A,
    streams: Streams,
) -> Result<Exit, Failure> {
    panic::set_hook(Box::new(|_| {}));
    let run = |args, streams| {
        // So that a test can see how every tool ends after a defect.
        #[cfg(debug_assertions)]
        assert!(std::env::var_os("BF_TEST_PANIC").is_none(), "asked for");
        run(args, streams)
    };
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(args, streams)));
    let _ = panic::take_hook();
    outcome.unwrap_or_else(|payload| {
        Err(Failure::could_not_check(format!(
            "internal error: {}",
            panic_message(payload.as_ref())
        ))
        .hint("this is a defect of bf, not of your data; nothing was checked"))
    })
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
        .replace('\n', " ")
}

/// Makes one line and a hint of clap's paragraph.
fn usage_failure(name: &str, error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let (mut lines, mut tip) = (Vec::new(), None);
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if let Some(found) = line.strip_prefix("tip: ") {
            tip.get_or_insert_with(|| found.to_owned());
        } else if !line.is_empty() {
            lines.push(line.strip_prefix("error: ").unwrap_or(line));
        }
    }
    let message = lines.join(" ");
    let help = format!("see {name} --help");
    Failure::usage(message).hint(match tip {
        Some(tip) => format!("{tip}; {help}"),
        None => help,
    })
}
