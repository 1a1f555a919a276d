//! The tool: arguments and streams in, documents and an exit code out.

use std::io::Write as _;

use bf_cli::{Context, Failure, Output, Streams};
use bf_contract::{Exit, LogState, LogSummary};

use crate::args::Args;
use crate::report::report;
use crate::{Dialects, LogEnd, LogParser, source};

/// Reads a log and says what it claims.
///
/// # Errors
/// The config is wrong (exit 2), the log cannot be read or the output not be written (exit 3).
pub fn run(args: Args, mut streams: Streams) -> Result<Exit, Failure> {
    let end = if args.writer_gone {
        LogEnd::WriterGone
    } else {
        LogEnd::StillWritten
    };
    let mut parser =
        LogParser::new(Dialects::built_in()).of_log(args.log.display().to_string(), args.from_byte);
    let stdin = std::mem::replace(&mut streams.stdin, Box::new(std::io::empty()));
    source::read(&args.log, args.from_byte, stdin, &mut parser)?;
    let summary = parser.summary(end);

    if args.failed_dates {
        let dates: Vec<String> = summary
            .failed_dates
            .iter()
            .map(ToString::to_string)
            .collect();
        if !dates.is_empty() {
            writeln!(streams.stdout.writer, "{}", dates.join(","))
                .and_then(|()| streams.stdout.writer.flush())
                .or_could_not_check(|| "writing to standard output".to_owned())?;
        }
        return Ok(exit(&args, &summary));
    }
    let (mut output, _) = Output::new(&args.output, streams);
    if args.ledger {
        for entry in parser.ledger(end) {
            output.document(&entry)?;
        }
    }
    output.document(&summary)?;
    output.text(report(&summary, output.style()))?;
    Ok(exit(&args, &summary))
}

/// What the summary means for the exit code.
fn exit(args: &Args, summary: &LogSummary) -> Exit {
    if matches!(summary.state, LogState::Unknown | LogState::Empty) {
        return Exit::CouldNotCheck;
    }
    if !args.check {
        return Exit::Success;
    }
    let all_accounted = summary.unaccounted_days == Some(0);
    let rate_holds = args
        .min_success_rate
        .is_none_or(|least| summary.success_rate.is_some_and(|rate| rate >= least));
    if summary.completed && all_accounted && rate_holds {
        Exit::Success
    } else {
        Exit::Failed
    }
}
