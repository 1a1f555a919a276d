//! The tool: arguments and streams in, documents and an exit code out.

use std::io::{Read, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use bf_cli::text::{clock, percent, thousands};
use bf_cli::{Context, Failure, Output, Streams, ToolArgs};
use bf_contract::{Exit, LedgerEntry, LogState, LogSummary};
use chrono::Local;

use crate::args::Args;
use crate::check::Checks;
use crate::checkpoint::Checkpoint;
use crate::dialects::SHIPPED;
use crate::explain::{RuleCounts, Trace};
use crate::follow::{FollowedLog, Happened};
use crate::given::hold_against;
use crate::report::{how_to_write_a_dialect, report};
use crate::shapes::Shapes;
use crate::{Dialects, LogEnd, LogParser, source};

/// How long a log that has its end marker must be quiet before it has finished.
const SETTLED: Duration = Duration::from_secs(1);
/// How often the progress of a followed log is said at most.
const SAID_AGAIN: Duration = Duration::from_secs(1);
/// How long to sleep at most where no change is told.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Reads a log and says what it claims.
///
/// # Errors
/// The config is wrong (exit 2), the log cannot be read or the output not be written (exit 3).
pub fn run(mut args: Args, mut streams: Streams) -> Result<Exit, Failure> {
    let config = bf_config::load(&args.config)?;
    let mut dialects = Dialects::with(&config.config.dialects)?;
    if let Some(name) = &args.dialect {
        dialects = dialects.only(name)?;
    }
    if args.dialects || args.print_dialect.is_some() {
        return print_dialects(&args, &dialects, streams);
    }
    // Read first: without it the question cannot be answered, and a large log takes its time.
    let checkpoint = args
        .checkpoint
        .as_deref()
        .map(Checkpoint::read)
        .transpose()?;
    let end = if args.writer_gone {
        LogEnd::WriterGone
    } else {
        LogEnd::StillWritten
    };
    let from = args.from_byte;
    let attempts: Vec<u64> = args
        .attempts_at
        .iter()
        .filter_map(|offset| offset.checked_sub(from))
        .collect();
    let mut parser = LogParser::new(dialects)
        .of_log(args.path().display().to_string(), from)
        .with_attempts_at(&attempts)
        .of_job(args.job.clone());
    let checks = Checks {
        min_success_rate: args.min_success_rate,
        config: &config.config,
        has_checkpoint: checkpoint.is_some(),
    };
    args.output.format = args.format();
    let stdin = std::mem::replace(&mut streams.stdin, Box::new(std::io::empty()));

    if args.failed_dates {
        source::read(args.path(), args.from_byte, stdin, &mut parser)?;
        turn_around(&args, &mut parser)?;
        let mut summary = summarize(&args, &parser, end);
        if let Some(checkpoint) = &checkpoint {
            checkpoint.apply(&mut summary, &parser.ledger(end));
        }
        return print_failed_dates(&summary, &checks, &mut streams)
            .map(|()| checks.exit(&args, &summary));
    }
    let is_view = args.explain && !args.check;
    let (mut output, _) = if is_view {
        Output::view(&args.output, streams)
    } else {
        Output::new(&args.output, streams)
    };
    if config.path.is_some() {
        output.text(output.style().dim(&config.describe()))?;
    }
    if args.log.is_none() && output.is_live() {
        output.text("reading standard input (bf-parse-log LOG reads a file)")?;
    }
    if args.follow {
        if let Some(exit) = follow(&args, &mut parser, &mut output)? {
            return Ok(exit);
        }
    } else if args.explain {
        explain(&args, stdin, &mut parser, &mut output)?;
    } else {
        source::read(args.path(), args.from_byte, stdin, &mut parser)?;
        turn_around(&args, &mut parser)?;
    }

    let mut summary = summarize(&args, &parser, end);
    let ledger = parser.ledger(end);
    if let Some(checkpoint) = &checkpoint {
        checkpoint.apply(&mut summary, &ledger);
    }
    let exit = checks.exit(&args, &summary);
    summary.exit_code = Some(exit.code());
    say(&args, &summary, &ledger, &mut output)?;
    Ok(exit)
}

/// What the log claims, held against the dates that the job was given where they are known.
fn summarize(args: &Args, parser: &LogParser, end: LogEnd) -> LogSummary {
    let mut summary = parser.summary(end);
    if !args.dates.is_empty() {
        let given = args.dates.iter().copied().collect();
        let lacks_only_an_end = parser.lacks_only_an_end();
        hold_against(&mut summary, &parser.ledger(end), &given, lacks_only_an_end);
    }
    summary
}

/// Prints the list of dialects, or one that bf ships.
fn print_dialects(args: &Args, dialects: &Dialects, mut streams: Streams) -> Result<Exit, Failure> {
    let stdout = &mut streams.stdout.writer;
    let text = match &args.print_dialect {
        None => dialects.list(),
        Some(name) => {
            let shipped = SHIPPED.iter().find(|(of, _)| of == name);
            let (_, text) = shipped.ok_or_else(|| {
                let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
                Failure::usage(format!("bf ships no dialect {name:?}"))
                    .hint(format!("it ships {}", names.join(", ")))
            })?;
            as_entry(text)
        }
    };
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .or_could_not_check(|| "writing to standard output".to_owned())?;
    Ok(Exit::Success)
}

/// A file of a dialect as the entry of a config.
fn as_entry(text: &str) -> String {
    let mut entry = "dialects:\n".to_owned();
    // The path of its schema leads there from its own folder only.
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("# yaml-language-server:"));
    for (at, line) in lines.enumerate() {
        let lead = if at == 0 { "  - " } else { "    " };
        if line.is_empty() {
            entry.push('\n');
        } else {
            entry.push_str(&format!("{lead}{line}\n"));
        }
    }
    entry
}

/// Reads a file whose newest line comes first once more, from its end, if it then is in order.
fn turn_around(args: &Args, parser: &mut LogParser) -> Result<(), Failure> {
    let is_plain_file =
        args.path() != Path::new("-") && args.from_byte == 0 && args.path().is_file();
    let falls = |parser: &LogParser| {
        let doubts = parser.summary(LogEnd::StillWritten).doubts;
        doubts.iter().any(|doubt| doubt.kind.stops_check())
    };
    if !is_plain_file || !parser.is_falling() {
        return Ok(());
    }
    let mut turned =
        LogParser::new(parser.dialects().clone()).of_log(args.path().display().to_string(), 0);
    source::read_backwards(args.path(), &mut turned)?;
    if !falls(&turned) {
        turned.note("the newest line comes first in this log; it was read from its end");
        *parser = turned;
    }
    Ok(())
}

fn say(
    args: &Args,
    summary: &LogSummary,
    ledger: &[LedgerEntry],
    output: &mut Output,
) -> Result<(), Failure> {
    if args.ledger {
        for entry in ledger {
            output.document(entry)?;
        }
        if !output.writes_documents() {
            output.text(crate::report::ledger(ledger, output.style()))?;
        }
    }
    output.document(summary)?;
    output.text(report(summary, output.style(), output.columns()))?;
    if summary.state == LogState::Unknown {
        output.text(how_to_write_a_dialect(args.path()))?;
    }
    Ok(())
}

fn print_failed_dates(
    summary: &LogSummary,
    checks: &Checks<'_>,
    streams: &mut Streams,
) -> Result<(), Failure> {
    if matches!(summary.state, LogState::Unknown | LogState::Empty) {
        // No output would read like no failure.
        return Err(Failure::could_not_check(format!(
            "{}: nothing in it is in a known dialect",
            summary.log.path
        ))
        .hint("look at it with --explain"));
    }
    let dates: Vec<String> = summary
        .failed_dates
        .iter()
        .map(ToString::to_string)
        .collect();
    if !dates.is_empty() {
        let stdout = &mut streams.stdout.writer;
        writeln!(stdout, "{}", dates.join(","))
            .and_then(|()| stdout.flush())
            .or_could_not_check(|| "writing to standard output".to_owned())?;
    }
    match checks.what_the_list_may_lack(summary) {
        Some(lack) => Err(Failure::could_not_check(format!(
            "{}: the list of failed dates may not be complete: {lack}",
            summary.log.path
        ))
        .hint("bf-parse-log --ledger shows what is known of each date")),
        None if dates.is_empty() && summary.state == LogState::Running => {
            // An empty list must not read like the end of a good run.
            let rest = match summary.unaccounted_days {
                Some(days) => format!("{days} of its dates have no outcome yet"),
                None => "how many of its dates have no outcome yet is not known".to_owned(),
            };
            let line = format!("{}: the run has not finished: {rest}", summary.log.path);
            writeln!(streams.stderr.writer, "bf-parse-log: {line}")
                .or_could_not_check(|| "writing to standard error".to_owned())
        }
        None => Ok(()),
    }
}

/// Shows what each line says while the log is read, then which rule said how much.
fn explain(
    args: &Args,
    stdin: Box<dyn Read + Send>,
    parser: &mut LogParser,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut counts = RuleCounts::default();
    let mut shapes = Shapes::default();
    let mut unwritten = Ok(());
    let mut show = |trace: &Trace<'_>| {
        counts.add(trace);
        if unwritten.is_ok() {
            unwritten = output.text(trace);
        }
    };
    source::explain(
        args.path(),
        args.from_byte,
        stdin,
        parser,
        &mut show,
        &mut shapes,
    )?;
    unwritten?;
    output.text(format!("\n{}", counts.table()))?;
    if let Some(table) = shapes.table() {
        output.text(format!("\n{table}"))?;
    }
    let of_unknown = parser.summary(LogEnd::StillWritten).state == LogState::Unknown;
    if let Some(draft) = shapes.first_draft(of_unknown) {
        output.text(format!("\n{draft}"))?;
    }
    output.text("")
}

/// Reads on until the run has finished. An exit code if the tool was ended before.
fn follow(
    args: &Args,
    parser: &mut LogParser,
    output: &mut Output,
) -> Result<Option<Exit>, Failure> {
    if args.path() == Path::new("-") {
        return Err(Failure::usage("--follow needs a file, not standard input")
            .hint("a pipe is read to its end in any case; leave --follow out"));
    }
    let reading = || format!("reading {}", args.path().display());
    let mut log = FollowedLog::open(args.path(), args.from_byte)?;
    let began = Local::now();
    let mut last_said: Option<(Instant, LogSummary)> = None;
    let mut is_missed = false;
    loop {
        let happened = log.pump(parser).or_could_not_check(reading)?;
        match happened {
            Happened::Missing if !is_missed => {
                is_missed = true;
                output.text(format!("waiting for {}", args.path().display()))?;
            }
            Happened::Rotated => output.text("the log was rotated; going on with the new file")?,
            Happened::Truncated => output.text("the log was cut; going on from its beginning")?,
            _ => {}
        }
        let summary = summarize(args, parser, LogEnd::StillWritten);
        let is_over = matches!(
            summary.state,
            LogState::Completed | LogState::Interrupted | LogState::Refused | LogState::DryRun
        );
        if is_over && happened == Happened::Nothing {
            return Ok(None);
        }
        let is_due = last_said.as_ref().is_none_or(|(when, said)| {
            when.elapsed() >= SAID_AGAIN && said.current_day != summary.current_day
        });
        if is_due && summary.total_days.is_some() && !is_over {
            output.document(&summary)?;
            output.text(progress(&summary, began))?;
            last_said = Some((Instant::now(), summary));
        }
        if let Some(interrupt) = log.wait(if is_over { SETTLED } else { LOOK_AGAIN }) {
            let mut summary = summarize(args, parser, LogEnd::StillWritten);
            summary.exit_code = Some(interrupt.exit().code());
            say(args, &summary, &parser.ledger(LogEnd::StillWritten), output)?;
            return Ok(Some(interrupt.exit()));
        }
    }
}

fn progress(summary: &LogSummary, began: chrono::DateTime<Local>) -> String {
    let total = summary.total_days.unwrap_or_default();
    format!(
        "{} {}/{} days ({}), {} failed, {} records",
        clock(Local::now(), began),
        thousands(summary.current_day),
        thousands(total),
        percent(summary.progress_pct.unwrap_or_default()),
        thousands(summary.failed_days),
        thousands(summary.total_records),
    )
}
