//! Which line and which rule gave each figure.

use std::fmt::Write as _;

use bf_cli::text::{printable, thousands};

use crate::dialect::event::{Crash, Event, Reading, Span};
use crate::line::fields::text;

/// A line that says something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace<'a> {
    /// Its number in the log, from 1.
    pub(crate) line: u64,
    /// The dialect that it is said in.
    pub(crate) dialect: &'a str,
    pub(crate) rule: &'a str,
    pub(crate) reading: &'a Reading,
    /// The line without terminal escapes.
    pub(crate) text: &'a [u8],
}

impl std::fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>8}  {:<10} {:<26} {}\n{:>20} {}",
            self.line,
            printable(self.dialect, 10),
            self.rule,
            words(&self.reading.event, self.text),
            "|",
            printable(&text(self.text, 160), 160),
        )
    }
}

/// What an event says, in words.
fn words(event: &Event, line: &[u8]) -> String {
    let said = |span: &Span| printable(&text(span.in_line(line), 80), 80);
    let dated = |date: &Option<chrono::NaiveDate>| {
        date.map_or_else(|| "the current date".to_owned(), |date| date.to_string())
    };
    match event {
        Event::Opening(_, what) => {
            let mut words = "opens a run".to_owned();
            if let Some(range) = what.range {
                let _ = write!(words, "; range {range}");
            }
            if let Some(total) = what.range_total {
                let _ = write!(words, "; {total} dates in it");
            }
            if let Some(to_do) = what.to_do {
                let _ = write!(words, "; {to_do} to do");
            }
            if let Some(resume) = what.resume {
                let _ = write!(words, "; resumes from {resume}");
            }
            if what.dry_run {
                words.push_str("; as a dry run");
            }
            words
        }
        Event::Checkpoint { job, .. } => format!("job {}", said(job)),
        Event::Refused(reason) => format!("refused: {}", said(reason)),
        Event::Begin { date, .. } => format!("{date} begins"),
        Event::BeganQuietly(date) => format!("{date} begins (another logger)"),
        Event::Success { date, records } => format!(
            "{} succeeded{}",
            dated(date),
            records.map_or_else(String::new, |records| format!(
                ", {} records",
                thousands(records)
            ))
        ),
        Event::Failure { date, reason } => format!("{} failed: {}", dated(date), said(reason)),
        Event::Skip { date, reason } => format!("{} skipped: {}", dated(date), said(reason)),
        Event::Looked { date } => format!("{} was only looked at", dated(date)),
        Event::DryRunMode => "a dry run".to_owned(),
        Event::Error { .. } => "an error, the reason if a date fails next".to_owned(),
        Event::Progress { done, total } => format!("{done} of {total}, by its own count"),
        Event::Crash(Crash::Traceback) => "a traceback".to_owned(),
        Event::Crash(Crash::Stopped) => "stopped".to_owned(),
        Event::Crash(Crash::BadArgument) => "an argument that is no date".to_owned(),
        Event::Critical(what) => format!("the job itself broke: {}", said(what)),
        Event::Usage(_) => "the program's usage".to_owned(),
        Event::UnreadableBegin => "a date that cannot be read begins".to_owned(),
        Event::Fatal(what) => format!("the job itself broke: {}", said(what)),
        Event::OwnValidation(what) => format!("the job's own validation: {}", said(what)),
        Event::Ended { .. } => "the run has ended".to_owned(),
        Event::Claimed(counts) => {
            let count =
                |at: usize| counts[at].map_or_else(|| "?".to_owned(), |count| count.to_string());
            format!(
                "claims {} successful, {} failed, {} skipped",
                count(0),
                count(1),
                count(2)
            )
        }
        Event::About { .. } => "something of the run".to_owned(),
        Event::UnreadError(_) => "looks like an error, and no rule reads it".to_owned(),
        Event::FailedDates(list) => format!("names failed dates: {}", said(list)),
        Event::Block => "a block begins".to_owned(),
        Event::TooLarge => "a figure too large to be a count".to_owned(),
    }
}

/// How often a rule found something, and where.
#[derive(Debug)]
struct RuleCount {
    rule: String,
    dialect: String,
    count: u64,
    first: u64,
    last: u64,
}

/// How often each rule found something, in the order of their first lines.
#[derive(Debug, Default)]
pub(crate) struct RuleCounts(Vec<RuleCount>);

impl RuleCounts {
    pub(crate) fn add(&mut self, trace: &Trace<'_>) {
        let rule = trace.rule;
        let found = self
            .0
            .iter_mut()
            .find(|found| found.rule == rule && found.dialect == trace.dialect);
        match found {
            Some(found) => {
                found.count += 1;
                found.last = trace.line;
            }
            None => self.0.push(RuleCount {
                rule: rule.to_owned(),
                dialect: trace.dialect.to_owned(),
                count: 1,
                first: trace.line,
                last: trace.line,
            }),
        }
    }

    pub(crate) fn table(&self) -> String {
        if self.0.is_empty() {
            return "no rule found anything".to_owned();
        }
        let mut table = format!("{:<28} {:<10} {:>9}  lines", "rule", "dialect", "count");
        for found in &self.0 {
            let dialect = printable(&found.dialect, 10);
            let lines = if found.first == found.last {
                found.first.to_string()
            } else {
                format!("{} to {}", found.first, found.last)
            };
            let (rule, count) = (&found.rule, thousands(found.count));
            let _ = write!(table, "\n{rule:<28} {dialect:<10} {count:>9}  {lines}");
        }
        table
    }
}
