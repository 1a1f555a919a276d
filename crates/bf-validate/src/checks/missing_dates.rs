//! `missing_dates`.

use std::collections::BTreeSet;

use bf_contract::{Comparison, DateRange, LedgerEntry, LedgerStatus};
use bf_warehouse::{Probe, WarehouseError};
use chrono::{Datelike, Months, NaiveDate};
use serde::Deserialize;

use super::expected::{known, name_what_is_missing, of_schedule, unanswered};
use super::{CheckKind, Context, Figure, Planning};
use crate::evidence::Sampling;
use crate::expected::{Expected, GapKind, PAUSE_DAYS, Reach};
use crate::figures::{plural, span, spans};
use crate::log_checks::reasons;
use crate::outcome::{Finding, Outcome};
use crate::suite::Calendar;

/// The expected dates without a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MissingDates {
    /// The days on which rows are expected, if no schedule says so.
    calendar: Option<Calendar>,
}

impl CheckKind for MissingDates {
    const KEY: &'static str = "missing_dates";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "expected dates without a row; `calendar: daily`, `weekdays` or `monthly` if no schedule says so";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    const ABOUT_ROWS: bool = false;
    type Measures = ();

    fn calendar(&self) -> Option<Calendar> {
        self.calendar
    }

    fn plan(&self, _: &mut Planning<'_>) {}

    fn judge(&self, at: &Context<'_>, (): &()) -> Finding {
        match known(at) {
            Ok(expected) => judge(at, expected),
            Err(finding) => *finding,
        }
    }

    fn sample(
        &self,
        at: &Context<'_>,
        finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        name_what_is_missing(at, finding, sampling)
    }
}

fn judge(at: &Context<'_>, expected: &Expected) -> Finding {
    let facts = at.facts;
    if facts.range.start >= facts.today {
        return Finding::unknown(format!("{}: {} has yet to come", at.title(), facts.range));
    }
    let has_rows: BTreeSet<NaiveDate> = facts.rows_by_date().into_keys().collect();
    let wanted: Vec<NaiveDate> = due_dates(at, expected, &has_rows);
    let nothing_planned = wanted.is_empty() && expected.is_surely_nothing(facts.range);
    let tells_nothing = wanted.is_empty() && expected.reach == Reach::default();
    if tells_nothing && !nothing_planned {
        return unanswered(
            at,
            &format!("{} expects none from {}", expected.source, facts.range),
        );
    }
    let missing: Vec<NaiveDate> = wanted
        .iter()
        .copied()
        .filter(|date| !is_there(expected, &has_rows, *date))
        .collect();
    let count = missing.len() as u64;
    let one = if expected.by_month {
        "expected month"
    } else {
        "expected date"
    };
    let dates = plural(wanted.len() as u64, one);
    let message = match (wanted.is_empty(), count) {
        (true, _) => format!(
            "none expected, as {} has no date from {} that must be there",
            expected.source, facts.range
        ),
        (_, 0) => format!("none of {dates} ({})", expected.source),
        _ => format!("{count} of {dates} without a record ({})", expected.source),
    };
    let mut finding = at.counted(count, &message);
    finding.message.push_str(&skipped_by_the_job(at, &missing));
    let left_out = expected.left_out.range(facts.range.start..=facts.range.end);
    let left_out = left_out.filter(|date| !has_rows.contains(date)).count() as u64;
    if left_out > 0 {
        finding.message.push_str(&format!(
            "; {} of the first days of a season are not expected",
            plural(left_out, "date")
        ));
    }
    let is_missing = !missing.is_empty();
    if !is_missing && expected.is_of_the_partner() {
        let why = format!(
            "no schedule is known; all {dates} of {} have records",
            expected.source
        );
        return unanswered(at, &why);
    }
    let mut concerned = Vec::new();
    beyond(at, expected, &has_rows, &mut finding, &mut concerned);
    unplayed_dates(at, expected, &has_rows, &mut finding, &mut concerned);
    if expected.unreadable > 0 {
        let rows = plural(expected.unreadable, "row");
        finding
            .message
            .push_str(&format!("; {rows} of it without a readable date"));
        finding.worsen(Outcome::Warn);
    }
    if is_missing {
        let rows = missing.iter().map(|date| {
            let groups = expected.dates.get(date).copied().unwrap_or(0);
            (
                *date,
                [("expected", groups.to_string()), ("found", "0".to_owned())],
            )
        });
        let finding = finding.beside(rows);
        finding.on(missing).probe(of_schedule(expected))
    } else if finding.outcome() == Outcome::Pass {
        finding
    } else {
        finding.and_on(concerned).probe(Probe::RowsByDate)
    }
}

/// The expected dates, or the first days of the expected months. A month that is only in part in the range is
/// expected only if the table has its rows on first days.
fn due_dates(
    at: &Context<'_>,
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
) -> Vec<NaiveDate> {
    let dates = at.facts.due(expected).map(|(date, _)| date);
    if !expected.by_month {
        return dates.collect();
    }
    let on_first_days = has_rows.iter().all(|date| date.day() == 1);
    let is_whole = |first: NaiveDate| {
        let next = first.checked_add_months(Months::new(1));
        next.and_then(|next| next.pred_opt())
            .is_some_and(|last| last <= at.facts.range.end && last < at.facts.today)
    };
    dates
        .filter(|first| on_first_days || is_whole(*first))
        .collect()
}

fn is_there(expected: &Expected, has_rows: &BTreeSet<NaiveDate>, date: NaiveDate) -> bool {
    if !expected.by_month {
        return has_rows.contains(&date);
    }
    let same_month =
        |other: &NaiveDate| (other.year(), other.month()) == (date.year(), date.month());
    has_rows.range(date..).next().is_some_and(same_month)
}

/// What the source cannot tell, and dates that have rows though the source does not have them.
fn beyond(
    at: &Context<'_>,
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
    finding: &mut Finding,
    concerned: &mut Vec<NaiveDate>,
) {
    if expected.is_calendar {
        return;
    }
    reach(expected, has_rows, finding, concerned);
    let Some(span) = expected.span() else {
        return;
    };
    if expected.is_schedule {
        let between = has_rows
            .iter()
            .filter(|date| span.contains(**date) && !expected.knows(**date));
        let between: Vec<NaiveDate> = between
            .filter(|date| !expected.unplayed.contains_key(date))
            .copied()
            .collect();
        if !between.is_empty() {
            finding.worsen(Outcome::Warn);
            finding.message.push_str(&format!(
                "; {} that it does not have",
                plural(between.len() as u64, "date")
            ));
            concerned.extend(between);
        }
        return;
    }
    // Another table, or the log, is read over the range alone, which may well begin or end on a day without rows.
    let after: Vec<NaiveDate> = has_rows
        .iter()
        .filter(|date| **date > span.end)
        .copied()
        .collect();
    let last = at
        .facts
        .range
        .end
        .min(at.facts.today.pred_opt().unwrap_or(at.facts.today));
    let begins_late = (span.start - at.facts.range.start).num_days() > PAUSE_DAYS;
    let ends_early = (last - span.end).num_days() > PAUSE_DAYS;
    if begins_late && !expected.is_of_the_log() {
        finding.worsen(Outcome::Warn);
        finding.message.push_str(&format!(
            "; it begins on {}, so what is missing before that is not known",
            span.start
        ));
    }
    if (ends_early && !expected.is_of_the_log()) || !after.is_empty() {
        finding.worsen(Outcome::Warn);
        finding.message.push_str(&format!(
            "; it ends on {}, so what is missing after that is not known",
            span.end
        ));
        concerned.extend(after);
    }
}

/// Says what a schedule cannot tell: days before its first and after its last row, and its holes.
fn reach(
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
    finding: &mut Finding,
    concerned: &mut Vec<NaiveDate>,
) {
    let reach = &expected.reach;
    let mut outside = |days: DateRange, says: String| {
        finding.worsen(Outcome::Error);
        finding.message.push_str(&format!(
            "; {says}, so nothing tells what is missing from {}",
            span(&days)
        ));
        concerned.extend(has_rows.range(days.start..=days.end));
    };
    let (first, last) = (expected.known.first(), expected.known.last());
    let (first, last) = (
        first.map_or_else(|| "nowhere".to_owned(), ToString::to_string),
        last.map_or_else(|| "nowhere".to_owned(), ToString::to_string),
    );
    if let Some(days) = reach.before {
        outside(days, format!("the schedule begins on {first}"));
    }
    if let Some(days) = reach.after {
        outside(days, format!("the schedule ends on {last}"));
    }
    for gap in &reach.gaps {
        let rows: Vec<NaiveDate> = has_rows
            .range(gap.days.start..=gap.days.end)
            .copied()
            .collect();
        let (outcome, why) = match gap.kind {
            _ if !rows.is_empty() => (
                Outcome::Error,
                format!(", and the table has records on {} of them", rows.len()),
            ),
            _ if !gap.partner.is_empty() => (
                Outcome::Error,
                format!(
                    ", and the other table has records on {} of them",
                    gap.partner.len()
                ),
            ),
            GapKind::TooLong => (
                Outcome::Error,
                format!(
                    ", {} days without a row: longer than longest_pause",
                    gap.length
                ),
            ),
            GapKind::Hole => (Outcome::Warn, String::new()),
            GapKind::Pause => continue,
        };
        finding.worsen(outcome);
        finding.message.push_str(&format!(
            "; the schedule has nothing from {}{why}",
            span(&gap.days)
        ));
        concerned.extend(if rows.is_empty() {
            gap.partner.clone()
        } else {
            rows
        });
    }
}

/// Dates that are over, on which nothing was marked as played and nothing written: postponed, or a schedule that
/// was not brought up to date.
fn unplayed_dates(
    at: &Context<'_>,
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
    finding: &mut Finding,
    concerned: &mut Vec<NaiveDate>,
) {
    let dates: Vec<NaiveDate> = expected
        .unplayed
        .range(at.facts.range.start..=at.facts.range.end)
        .map(|(date, _)| *date)
        .filter(|date| !expected.dates.contains_key(date) && !has_rows.contains(date))
        .collect();
    if dates.is_empty() {
        return;
    }
    finding.worsen(Outcome::Warn);
    finding.message.push_str(&format!(
        "; {} with something that was never marked as played, and no record ({})",
        plural(dates.len() as u64, "date"),
        spans(&dates, 4)
    ));
    concerned.extend(dates);
}

/// What the log says of missing dates that the job skipped, with its reasons. That excuses none of them: a
/// suite says which dates its table need not have.
fn skipped_by_the_job(at: &Context<'_>, missing: &[NaiveDate]) -> String {
    let ledger = at.facts.log.map(|log| &log.ledger);
    let entries = missing
        .iter()
        .filter_map(|date| ledger.and_then(|ledger| ledger.get(date)));
    let skipped: Vec<&LedgerEntry> = entries
        .filter(|entry| entry.status == LedgerStatus::Skipped)
        .collect();
    if skipped.is_empty() {
        return String::new();
    }
    let reasons = reasons(skipped.iter().copied());
    format!("; {} of them skipped by the job ({reasons})", skipped.len())
}
