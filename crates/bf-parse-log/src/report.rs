//! The summary as a person reads it.

use std::fmt::Write as _;
use std::path::Path;

use bf_cli::text::{Mark, Style, percent, printable, thousands};
use bf_contract::{
    DateRange, ErrorClass, LedgerEntry, LedgerStatus, LogState, LogSummary, date_spans,
};
use chrono::NaiveDate;

const MOST_SPANS: usize = 12;

/// What stands beside the log's name: no good mark where something below has a bad one.
fn headline(summary: &LogSummary) -> Mark {
    let is_whole = summary.failed_days == 0 && summary.unaccounted_days == Some(0);
    match mark_of(summary.state) {
        Mark::Pass if !is_whole => Mark::Warn,
        mark => mark,
    }
}

/// What a state means for whoever reads it.
const fn mark_of(state: LogState) -> Mark {
    match state {
        LogState::Completed => Mark::Pass,
        LogState::Running => Mark::Info,
        LogState::DryRun => Mark::Warn,
        LogState::Interrupted | LogState::Refused => Mark::Fail,
        LogState::Empty | LogState::Unknown => Mark::Error,
    }
}

const fn words(state: LogState) -> &'static str {
    match state {
        LogState::Running => "running: no end marker yet",
        LogState::Completed => "completed",
        LogState::Interrupted => "interrupted: no end marker, and none will come",
        LogState::Refused => "refused: the job declined to start",
        LogState::DryRun => "dry run: nothing was written",
        LogState::Empty => "empty",
        LogState::Unknown => "unknown: in no known dialect",
    }
}

/// Dates as ranges, at most [`MOST_SPANS`] of them.
fn spans(dates: &[NaiveDate]) -> String {
    let spans = date_spans(dates);
    let mut text = spans
        .iter()
        .take(MOST_SPANS)
        .map(|DateRange { start, end }| {
            if start == end {
                start.to_string()
            } else {
                format!("{start}..{end}")
            }
        })
        .collect::<Vec<_>>()
        .join(", ");
    if spans.len() > MOST_SPANS {
        let _ = write!(text, ", and {} more", spans.len() - MOST_SPANS);
    }
    text
}

fn days(count: u64) -> String {
    let noun = if count == 1 { "day" } else { "days" };
    format!("{} {noun}", thousands(count))
}

/// Where the values of a page begin.
const INDENT: usize = 17;

/// Named lines below a heading.
struct Page {
    style: Style,
    /// Columns of the terminal, if there is one.
    columns: Option<usize>,
    lines: Vec<String>,
}

impl Page {
    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        let value = self.folded(&value.to_string());
        self.put(name, &value);
    }

    fn put(&mut self, name: &str, value: &str) {
        let width = INDENT - 3;
        self.lines.push(format!("  {name:<width$} {value}"));
    }

    /// Broken between words, so that each line fits beside the names.
    fn folded(&self, text: &str) -> String {
        let room = self
            .columns
            .map_or(usize::MAX, |all| all.saturating_sub(INDENT));
        if room < 20 {
            return text.to_owned();
        }
        let mut folded = String::with_capacity(text.len());
        let mut used = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > room {
                let _ = write!(folded, "\n{:INDENT$}", "");
                used = 0;
            } else if used > 0 {
                folded.push(' ');
                used += 1;
            }
            folded.push_str(word);
            used += length;
        }
        folded
    }

    fn marked(&mut self, mark: Mark, name: &str, value: &str) {
        let value = self.style.paint(mark, &self.folded(value));
        self.put(name, &value);
    }
}

/// The report, without a line break at its end, for a terminal of so many columns.
#[must_use]
pub fn report(summary: &LogSummary, style: Style, columns: Option<usize>) -> String {
    let mark = mark_of(summary.state);
    let mut page = Page {
        style,
        columns,
        lines: vec![format!(
            "{} {}",
            style.mark(headline(summary)),
            style.bold(&printable(&summary.log.path, 200))
        )],
    };
    page.marked(mark, "State:", words(summary.state));
    if let Some(job) = &summary.job {
        page.line("Job:", printable(job, 120));
    }
    if let Some(range) = summary.range {
        page.line("Range:", range);
    }
    if !matches!(summary.state, LogState::Unknown | LogState::Empty) {
        progress(&mut page, summary);
        trouble(&mut page, summary);
    }
    for doubt in &summary.doubts {
        let mark = if doubt.kind.is_failure() || doubt.kind.stops_check() {
            Mark::Fail
        } else {
            Mark::Warn
        };
        page.marked(mark, "Doubt:", &printable(&doubt.message, 400));
    }
    for note in &summary.notes {
        page.marked(Mark::Warn, "Note:", &printable(note, 400));
    }
    page.lines.join("\n")
}

/// How far the job has come, and with what success.
fn progress(page: &mut Page, summary: &LogSummary) {
    if let Some(total) = summary.total_days {
        let share = summary
            .progress_pct
            .map_or_else(String::new, |share| format!(" ({})", percent(share)));
        page.line(
            "Progress:",
            format!("{}/{}{share}", thousands(summary.current_day), days(total)),
        );
    }
    if let Some(rate) = summary.success_rate {
        page.line(
            "Success rate:",
            format!(
                "{} ({} of {} finished), {} records",
                percent(rate),
                thousands(summary.successful_days),
                days(summary.successful_days + summary.failed_days),
                thousands(summary.total_records)
            ),
        );
    }
    if summary.skipped_days > 0 {
        page.line("Skipped:", days(summary.skipped_days));
    }
    if summary.earlier_days > 0 {
        let earlier = days(summary.earlier_days);
        page.line(
            "Earlier:",
            format!("{earlier} before the point it resumed from"),
        );
    }
    if summary.runs > 1 {
        page.line(
            "Runs:",
            format!(
                "{} in this log; the last word on each date counts",
                summary.runs
            ),
        );
    }
}

/// What is worth a look.
fn trouble(page: &mut Page, summary: &LogSummary) {
    if summary.zero_record_days > 0 {
        let text = format!(
            "{} succeeded with no record",
            days(summary.zero_record_days)
        );
        page.marked(Mark::Warn, "Empty:", &text);
    }
    if summary.failed_days > 0 {
        let text = format!(
            "{}: {}",
            days(summary.failed_days),
            spans(&summary.failed_dates)
        );
        page.marked(Mark::Fail, "Failed:", &text);
    }
    match (summary.unaccounted_days, &summary.unaccounted_dates) {
        (None, _) if summary.completed => {
            let text = "not known: the log does not say what it had to do";
            page.marked(Mark::Warn, "Unaccounted:", text);
        }
        (None | Some(0), _) => {}
        (Some(left), _) if summary.state == LogState::Running => {
            page.line("Left:", days(left));
        }
        (Some(missing), Some(dates)) => {
            let text = format!("{}: {}", days(missing), spans(dates));
            page.marked(Mark::Fail, "Unaccounted:", &text);
        }
        (Some(missing), None) => {
            let text = format!("{} without a word", days(missing));
            page.marked(Mark::Fail, "Unaccounted:", &text);
        }
    }
    for class in &summary.error_classes {
        page.line(
            "Error:",
            format!(
                "{} × {}: {}",
                thousands(class.count),
                class_words(class.class),
                printable(&class.example, 110)
            ),
        );
    }
    if summary.fatal_errors > 0 {
        let text = format!("the job itself broke ({} times)", summary.fatal_errors);
        page.marked(Mark::Fail, "Fatal:", &text);
    }
    for differ in checkpoint_lines(summary) {
        page.marked(Mark::Warn, "Checkpoint:", &differ);
    }
}

const fn class_words(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Quota => "quota",
        ErrorClass::RateLimit => "rate limit",
        ErrorClass::Serialization => "serialization",
        ErrorClass::Schema => "schema",
        ErrorClass::NoData => "no data",
        ErrorClass::Timeout => "timeout",
        ErrorClass::Other => "other",
    }
}

/// What the log and the checkpoint say of the same dates, put together.
fn checkpoint_lines(summary: &LogSummary) -> Vec<String> {
    let word = |status: Option<LedgerStatus>| match status {
        Some(LedgerStatus::Success) => "successful",
        Some(LedgerStatus::Failed) => "failed",
        Some(LedgerStatus::Skipped) => "skipped",
        Some(LedgerStatus::InProgress) => "in progress",
        Some(LedgerStatus::Interrupted) => "interrupted",
        Some(LedgerStatus::DryRun) => "dry run",
        Some(LedgerStatus::Unknown) => "unknown",
        None => "not there",
    };
    let mut groups: Vec<((&str, &str), Vec<NaiveDate>)> = Vec::new();
    for differ in &summary.checkpoint_disagreements {
        let pair = (word(differ.log), word(differ.checkpoint));
        match groups.iter_mut().find(|(other, _)| *other == pair) {
            Some((_, dates)) => dates.push(differ.date),
            None => groups.push((pair, vec![differ.date])),
        }
    }
    groups
        .into_iter()
        .map(|((log, checkpoint), dates)| {
            format!("log {log}, checkpoint {checkpoint}: {}", spans(&dates))
        })
        .collect()
}

/// One line for each date, for a person.
pub(crate) fn ledger(entries: &[LedgerEntry], style: Style) -> String {
    entries
        .iter()
        .map(|entry| {
            let (mark, word) = match entry.status {
                LedgerStatus::Success => (Mark::Pass, "success"),
                LedgerStatus::Failed => (Mark::Fail, "failed"),
                LedgerStatus::Skipped => (Mark::Skipped, "skipped"),
                LedgerStatus::InProgress => (Mark::Info, "in progress"),
                LedgerStatus::Interrupted => (Mark::Fail, "interrupted"),
                LedgerStatus::DryRun => (Mark::Warn, "dry run"),
                LedgerStatus::Unknown => (Mark::Error, "unknown"),
            };
            let records = entry.records.map_or_else(String::new, |records| {
                format!("{} records", thousands(records))
            });
            let reason = entry.reason.as_deref().unwrap_or_default();
            format!(
                "  {}  {} run {} attempt {}  {records}{}",
                entry.date,
                style.paint(mark, &format!("{word:<11}")),
                entry.run,
                entry.attempts,
                printable(reason, 120)
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The way out for a log in no known dialect.
pub(crate) fn how_to_write_a_dialect(log: &Path) -> String {
    format!(
        "hint: describe this job's lines under `dialects:` in a config (examples: config/dialects/*.yaml), \
         and see what they find with bf-parse-log --config FILE --explain {}",
        printable(&log.display().to_string(), 200)
    )
}

#[cfg(test)]
mod tests {
    use super::{INDENT, Page, Style};
    use bf_cli::text::Mark;

    fn page(columns: Option<usize>, value: &str) -> Vec<String> {
        let mut page = Page {
            style: Style::detect(bf_cli::ColorChoice::Never, false),
            columns,
            lines: Vec::new(),
        };
        page.marked(Mark::Fail, "Failed:", value);
        let text = page.lines.join("\n");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_long_value_is_broken_between_words_and_stays_beside_its_name() {
        let dates = "46 days: 2021-10-30, 2021-11-02..2021-11-03, 2021-11-10, and 25 more";
        let lines = page(Some(50), dates);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 50));
        assert!(lines[1].starts_with(&" ".repeat(INDENT)));
        let words: Vec<_> = lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .collect();
        assert_eq!(words[1..].join(" "), dates);
        for no_room in [None, Some(0), Some(20)] {
            assert_eq!(page(no_room, dates).len(), 1, "{no_room:?}");
        }
        let url = format!("see {}", "x".repeat(80));
        assert_eq!(page(Some(50), &url).len(), 2, "no word is cut");
    }
}
