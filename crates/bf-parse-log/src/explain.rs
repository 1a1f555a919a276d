//! Which line and which rule gave each figure, and what the lines look like that no rule reads.

use std::collections::HashMap;
use std::fmt::Write as _;

use bf_cli::text::{printable, thousands};

use crate::bytes::{date_at, text};
use crate::event::{Crash, Event, Span, Word};
use crate::scan::Reading;

/// A line that says something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace<'a> {
    /// Its number in the log, from 1.
    pub(crate) line: u64,
    /// The dialect of the config that it is said in; `None` for the built-in ones.
    pub(crate) dialect: Option<&'a str>,
    pub(crate) reading: &'a Reading,
    /// The line as it stands in the log.
    pub(crate) text: &'a [u8],
}

impl std::fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>8}  {:<10} {:<26} {}\n{:>20} {}",
            self.line,
            printable(self.dialect.unwrap_or("built-in"), 10),
            self.reading.rule,
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
            if what.dry_run == Some(true) {
                words.push_str("; as a dry run");
            }
            words
        }
        Event::Range(range) => format!("range {range}"),
        Event::Schedule {
            game_dates,
            off_days,
        } => match (game_dates, off_days) {
            (Some(dates), _) => format!("{dates} game dates"),
            (None, Some(days)) => format!("{days} days without games"),
            (None, None) => String::new(),
        },
        Event::Checkpoint { job, .. } => format!("job {}", said(job)),
        Event::Job(job) => format!("job {}", said(job)),
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
        Event::Word { date, word, .. } => format!(
            "{date} {}",
            match word {
                Word::Success => "succeeded",
                Word::Failed => "failed",
                Word::Skipped => "skipped",
                Word::Looked => "was only looked at",
            }
        ),
        Event::Error { .. } => "an error, the reason if a date fails next".to_owned(),
        Event::Progress { done, total } => format!("{done} of {total}, by its own count"),
        Event::End(_) => "the run is over".to_owned(),
        Event::EndCounts {
            successful,
            skipped,
            failed,
        }
        | Event::Claims {
            successful,
            skipped,
            failed,
        } => format!("claims {successful} successful, {skipped} skipped, {failed} failed"),
        Event::Claim(claim, figure) => format!("claims {figure} {claim:?}").to_lowercase(),
        Event::CheckpointSummary => {
            "figures of the checkpoint follow, which are always 0".to_owned()
        }
        Event::Crash(Crash::Traceback) => "a traceback".to_owned(),
        Event::Crash(Crash::Stopped) => "stopped".to_owned(),
        Event::Crash(Crash::BadArgument) => "an argument that is no date".to_owned(),
        Event::Critical(what) => format!("the job itself broke: {}", said(what)),
        Event::Usage(_) => "the program's usage".to_owned(),
    }
}

/// How often a rule found something, and where.
#[derive(Debug)]
struct RuleCount {
    rule: &'static str,
    dialect: Option<String>,
    count: u64,
    first: u64,
    last: u64,
}

/// How often each rule found something, in the order of their first lines.
#[derive(Debug, Default)]
pub(crate) struct RuleCounts(Vec<RuleCount>);

impl RuleCounts {
    pub(crate) fn add(&mut self, trace: &Trace<'_>) {
        let rule = trace.reading.rule;
        let found = self
            .0
            .iter_mut()
            .find(|found| found.rule == rule && found.dialect.as_deref() == trace.dialect);
        match found {
            Some(found) => {
                found.count += 1;
                found.last = trace.line;
            }
            None => self.0.push(RuleCount {
                rule,
                dialect: trace.dialect.map(str::to_owned),
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
            let dialect = printable(found.dialect.as_deref().unwrap_or("built-in"), 10);
            let lines = if found.first == found.last {
                found.first.to_string()
            } else {
                format!("{} to {}", found.first, found.last)
            };
            let (rule, count) = (found.rule, thousands(found.count));
            let _ = write!(table, "\n{rule:<28} {dialect:<10} {count:>9}  {lines}");
        }
        table
    }
}

/// The lines that no rule reads, by what they look like: a date is `DATE`, a number is `N`.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    counts: HashMap<String, (u64, u64)>,
    /// Lines of further shapes.
    others: u64,
}

impl Shapes {
    const MOST: usize = 5_000;
    const SHOWN: usize = 15;

    pub(crate) fn add(&mut self, line: &[u8], number: u64) {
        let shape = shape(line);
        if let Some((count, _)) = self.counts.get_mut(&shape) {
            *count += 1;
        } else if self.counts.len() < Self::MOST {
            self.counts.insert(shape, (1, number));
        } else {
            self.others += 1;
        }
    }

    /// The most frequent shapes that have a date or a number in them, which is where figures are.
    pub(crate) fn table(&self) -> Option<String> {
        let mut shapes: Vec<_> = self
            .counts
            .iter()
            .filter(|(shape, _)| shape.contains("DATE") || shape.contains('N'))
            .collect();
        shapes.sort_by_key(|(shape, (count, first))| {
            (!shape.contains("DATE"), std::cmp::Reverse(*count), *first)
        });
        if shapes.is_empty() {
            return None;
        }
        let mut table = format!("{:>9}  {:>9}  lines that no rule reads", "count", "first");
        for (shape, (count, first)) in shapes.iter().take(Self::SHOWN) {
            let _ = write!(
                table,
                "\n{:>9}  {first:>9}  {}",
                thousands(*count),
                printable(shape, 120)
            );
        }
        let hidden = shapes.len().saturating_sub(Self::SHOWN);
        if hidden > 0 || self.others > 0 {
            let _ = write!(table, "\n{:>22} and {hidden} other forms", "…");
        }
        Some(table)
    }
}

fn shape(line: &[u8]) -> String {
    let mut shape = Vec::with_capacity(line.len().min(120));
    let mut rest = &line[..line.len().min(400)];
    while let [byte, behind @ ..] = rest {
        if shape.len() >= 120 {
            break;
        }
        if date_at(rest).is_some() {
            shape.extend_from_slice(b"DATE");
            rest = &rest[10..];
        } else if byte.is_ascii_digit() {
            shape.push(b'N');
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest = &rest[digits..];
        } else {
            shape.push(*byte);
            rest = behind;
        }
    }
    text(&shape, 120)
}

#[cfg(test)]
mod tests {
    use super::{Shapes, shape};

    #[test]
    fn lines_that_differ_in_figures_have_one_shape() {
        assert_eq!(
            shape(b"2024-01-05 wrote 16 rows in 0.5s"),
            "DATE wrote N rows in N.Ns"
        );
        let mut shapes = Shapes::default();
        shapes.add(b"2024-01-05 wrote 16 rows", 1);
        shapes.add(b"no figures", 2);
        shapes.add(b"2024-01-06 wrote 0 rows", 3);
        let table = shapes.table().expect("one shape with figures");
        assert!(
            table.contains("DATE wrote N rows") && !table.contains("no figures"),
            "{table}"
        );
    }
}
