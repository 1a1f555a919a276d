//! The summary as a person reads it.

use std::fmt::Write as _;

use bf_cli::text::{Mark, Style, percent, printable, thousands};
use bf_contract::{DateRange, LogState, LogSummary, date_spans};
use chrono::NaiveDate;

const MOST_SPANS: usize = 12;

/// What a state means for whoever reads it.
const fn mark(state: LogState) -> Mark {
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
    format!(
        "{} {}",
        thousands(count),
        if count == 1 { "day" } else { "days" }
    )
}

/// The report, without a line break at its end.
pub(crate) fn report(summary: &LogSummary, style: Style) -> String {
    let mut lines = Vec::new();
    let mark = mark(summary.state);
    lines.push(format!(
        "{} {}",
        style.mark(mark),
        style.bold(&printable(&summary.log.path, 200))
    ));
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<13}{value}"));
    line("State:", style.paint(mark, words(summary.state)));
    if let Some(job) = &summary.job {
        line("Job:", printable(job, 120));
    }
    if let Some(range) = summary.range {
        line("Range:", range.to_string());
    }
    if summary.state == LogState::Unknown || summary.state == LogState::Empty {
        return lines.join("\n");
    }
    if let Some(total) = summary.total_days {
        let share = summary
            .progress_pct
            .map_or_else(String::new, |share| format!(" ({})", percent(share)));
        line(
            "Progress:",
            format!("{}/{}{share}", thousands(summary.current_day), days(total)),
        );
    }
    let finished = summary.successful_days + summary.failed_days;
    if let Some(rate) = summary.success_rate {
        line(
            "Success rate:",
            format!(
                " {} ({} of {} finished), {} records",
                percent(rate),
                thousands(summary.successful_days),
                days(finished),
                thousands(summary.total_records)
            ),
        );
    }
    if summary.zero_record_days > 0 {
        line(
            "No records:",
            style.paint(
                Mark::Warn,
                &format!("{} of the successful", days(summary.zero_record_days)),
            ),
        );
    }
    if summary.failed_days > 0 {
        line(
            "Failed:",
            style.paint(
                Mark::Fail,
                &format!(
                    "{}: {}",
                    days(summary.failed_days),
                    spans(&summary.failed_dates)
                ),
            ),
        );
    }
    if summary.skipped_days > 0 {
        line("Skipped:", days(summary.skipped_days));
    }
    if summary.earlier_days > 0 {
        line(
            "Earlier:",
            format!(
                "{} before the point it resumed from",
                days(summary.earlier_days)
            ),
        );
    }
    if let Some(missing) = summary.unaccounted_days.filter(|days| *days > 0) {
        let text = match &summary.unaccounted_dates {
            Some(dates) if !dates.is_empty() => {
                style.paint(Mark::Fail, &format!("{}: {}", days(missing), spans(dates)))
            }
            _ if summary.state == LogState::Running => format!("{} to come", days(missing)),
            _ => style.paint(Mark::Fail, &format!("{} without a word", days(missing))),
        };
        line(
            if summary.state == LogState::Running {
                "Left:"
            } else {
                "Unaccounted:"
            },
            text,
        );
    }
    for class in &summary.error_classes {
        let name = serde_json::to_value(class.class)
            .ok()
            .and_then(|name| name.as_str().map(|name| name.replace('_', " ")))
            .unwrap_or_default();
        line(
            "Error:",
            format!(
                "{} × {name}: {}",
                thousands(class.count),
                printable(&class.example, 110)
            ),
        );
    }
    if summary.fatal_errors > 0 {
        line(
            "Fatal:",
            style.paint(
                Mark::Fail,
                &format!("the job itself broke ({})", summary.fatal_errors),
            ),
        );
    }
    if summary.runs > 1 {
        line(
            "Runs:",
            format!(
                "{} in this log; the last word on each date counts",
                summary.runs
            ),
        );
    }
    for note in &summary.notes {
        line("Note:", style.paint(Mark::Warn, &printable(note, 200)));
    }
    lines.join("\n")
}
