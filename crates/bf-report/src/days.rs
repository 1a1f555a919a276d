//! The dates of a phase, each with its status.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::{DateRange, Day, DayStatus, LedgerStatus, date_spans};
use chrono::NaiveDate;

use crate::model::PhaseReport;
use crate::words::{self, DAYS};

/// A page with more dates than these is a list, not a picture: nine phases of five years have 16,500.
const MOST: usize = 20_000;

/// Every date of the phase's range, in order; empty if the range is not known or too long to be shown.
pub(crate) fn days_of(phase: &PhaseReport) -> Vec<Day> {
    if let Some(first) = phase
        .validations
        .first()
        .filter(|first| !first.days.is_empty())
    {
        return first.days.clone();
    }
    let Some(range) = phase.range else {
        return Vec::new();
    };
    let ledger: BTreeMap<NaiveDate, _> = phase
        .ledger
        .iter()
        .map(|entry| (entry.date, entry))
        .collect();
    let failed: BTreeSet<NaiveDate> = phase
        .log
        .iter()
        .flat_map(|log| log.failed_dates.iter().copied())
        .collect();
    dates(range)
        .map(|date| {
            let entry = ledger.get(&date);
            let status = match entry.map(|entry| entry.status) {
                _ if failed.contains(&date) => DayStatus::Failed,
                Some(LedgerStatus::Failed) => DayStatus::Failed,
                Some(LedgerStatus::Skipped) => DayStatus::Skipped,
                // A log claims; only a table shows.
                _ => DayStatus::NotJudged,
            };
            Day {
                date,
                expected: None,
                claimed: entry.and_then(|entry| entry.records),
                rows: None,
                status,
            }
        })
        .collect()
}

fn dates(range: DateRange) -> impl Iterator<Item = NaiveDate> {
    let days = usize::try_from((range.end - range.start).num_days() + 1).unwrap_or(0);
    let shown = if days > MOST { 0 } else { days };
    range.start.iter_days().take(shown)
}

/// How many dates have a status, and which.
#[derive(Debug, PartialEq)]
pub(crate) struct DayCount {
    pub status: DayStatus,
    pub count: usize,
    pub spans: Vec<DateRange>,
}

/// The dates by status, in the order of a legend; without those that no date has.
pub(crate) fn counts(days: &[Day]) -> Vec<DayCount> {
    DAYS.into_iter()
        .filter_map(|status| {
            let mut dates: Vec<NaiveDate> = days
                .iter()
                .filter(|day| day.status == status)
                .map(|day| day.date)
                .collect();
            dates.sort_unstable();
            (!dates.is_empty()).then(|| DayCount {
                status,
                count: dates.len(),
                spans: date_spans(&dates),
            })
        })
        .collect()
}

/// Whether a status needs a person.
pub(crate) fn is_bad(status: DayStatus) -> bool {
    matches!(
        status,
        DayStatus::Failed
            | DayStatus::Missing
            | DayStatus::Fewer
            | DayStatus::More
            | DayStatus::Unknown
    )
}

/// What is known of a date, on one line.
pub(crate) fn title(day: &Day) -> String {
    let mut title = format!("{}: {}", day.date, words::day(day.status).1);
    if let Some(claimed) = day.claimed {
        title.push_str(&format!(", claimed {claimed}"));
    }
    if let Some(rows) = day.rows {
        title.push_str(&format!(", found {rows}"));
    }
    match day.expected {
        Some(true) if day.status != DayStatus::Ok => title.push_str(", expected"),
        Some(false) if day.status != DayStatus::NothingExpected => {
            title.push_str(", not expected");
        }
        _ => {}
    }
    title
}

/// At most `most` spans, and how many more there are.
pub(crate) fn spans(spans: &[DateRange], most: usize) -> String {
    let one = |span: &DateRange| {
        if span.start == span.end {
            span.start.to_string()
        } else {
            span.to_string()
        }
    };
    let shown: Vec<String> = spans.iter().take(most).map(one).collect();
    match spans.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::{DayStatus, LogSummary};

    use super::{counts, days_of, title};
    use crate::model::PhaseReport;

    #[test]
    fn without_a_validation_a_date_is_failed_or_not_judged() {
        let phase = PhaseReport {
            range: "2024-01-01 2024-01-04".parse().ok(),
            log: Some(LogSummary {
                failed_dates: vec!["2024-01-02".parse().expect("a date")],
                ..LogSummary::default()
            }),
            ..PhaseReport::default()
        };
        let days = days_of(&phase);
        assert_eq!(days.len(), 4);
        assert_eq!(title(&days[1]), "2024-01-02: failed");
        let counts = counts(&days);
        assert_eq!((counts[0].status, counts[0].count), (DayStatus::Failed, 1));
        assert_eq!(
            (counts[1].status, counts[1].spans.len()),
            (DayStatus::NotJudged, 2)
        );
    }

    #[test]
    fn a_range_that_is_too_long_is_not_drawn() {
        let phase = PhaseReport {
            range: "0001-01-01 9999-12-31".parse().ok(),
            ..PhaseReport::default()
        };
        assert!(days_of(&phase).is_empty());
    }
}
