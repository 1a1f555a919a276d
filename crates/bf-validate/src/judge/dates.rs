//! Dates and groups that should be there.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::{DateRange, LedgerEntry, LedgerStatus, Level};
use chrono::{Datelike, Months, NaiveDate};

use super::{Facts, threshold};
use crate::expected::{Expectation, Expected, GapKind, PAUSE_DAYS};
use crate::figures::{float, plural, span, spans};
use crate::log_checks::reasons;
use crate::outcome::{Finding, Outcome, Probe};
use crate::suite::Check;

pub(super) fn missing_dates(facts: &Facts<'_>, check: &Check) -> Finding {
    let expected = match known(facts, check) {
        Ok(expected) => expected,
        Err(finding) => return *finding,
    };
    if facts.range.start >= facts.today {
        return Finding::unknown(format!("{}: {} has yet to come", check.title, facts.range));
    }
    let has_rows = dates_with_rows(facts);
    let wanted: Vec<NaiveDate> = due_dates(facts, expected, &has_rows);
    let nothing_planned = wanted.is_empty() && expected.is_surely_nothing(facts.range);
    let tells_nothing = wanted.is_empty() && expected.reach == crate::expected::Reach::default();
    if tells_nothing && !nothing_planned {
        return unanswered(
            check,
            &format!("{} expects none from {}", expected.source, facts.range),
        );
    }
    let missing: Vec<NaiveDate> = wanted
        .iter()
        .copied()
        .filter(|date| !is_there(expected, &has_rows, *date))
        .collect();
    let threshold = threshold(check);
    let count = missing.len() as u64;
    let one = if expected.by_month {
        "expected month"
    } else {
        "expected date"
    };
    let dates = plural(wanted.len() as u64, one);
    let message = match (wanted.is_empty(), count) {
        (true, _) => format!(
            "{}: none expected, as {} has no date from {} that must be there",
            check.title, expected.source, facts.range
        ),
        (_, 0) => format!("{}: none of {dates} ({})", check.title, expected.source),
        _ => format!(
            "{}: {count} of {dates} without a record ({})",
            check.title, expected.source
        ),
    };
    let mut finding = Finding::compared(float(count), threshold, message);
    finding
        .message
        .push_str(&skipped_by_the_job(facts, &missing));
    let left_out = expected.left_out.range(facts.range.start..=facts.range.end);
    let left_out = left_out.filter(|date| !has_rows.contains(date)).count() as u64;
    if left_out > 0 {
        finding.message.push_str(&format!(
            "; {} of the first days of a season are not expected",
            plural(left_out, "date")
        ));
    }
    let is_missing = !missing.is_empty();
    let mut concerned = Vec::new();
    beyond(facts, expected, &has_rows, &mut finding, &mut concerned);
    unplayed_dates(facts, expected, &has_rows, &mut finding, &mut concerned);
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

fn dates_with_rows(facts: &Facts<'_>) -> BTreeSet<NaiveDate> {
    facts
        .scan
        .counts(facts.planned.rows, facts.range)
        .filter(|(_, rows)| *rows > 0)
        .map(|(date, _)| date)
        .collect()
}

/// The expected dates, or the first days of the expected months. A month that is only in part in the range is
/// expected only if the table has its rows on first days.
fn due_dates(
    facts: &Facts<'_>,
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
) -> Vec<NaiveDate> {
    let dates = due(facts, expected).map(|(date, _)| date);
    if !expected.by_month {
        return dates.collect();
    }
    let on_first_days = has_rows.iter().all(|date| date.day() == 1);
    let is_whole = |first: NaiveDate| {
        let next = first.checked_add_months(Months::new(1));
        next.and_then(|next| next.pred_opt())
            .is_some_and(|last| last <= facts.range.end && last < facts.today)
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
    facts: &Facts<'_>,
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
    let last = facts
        .range
        .end
        .min(facts.today.pred_opt().unwrap_or(facts.today));
    let begins_late = (span.start - facts.range.start).num_days() > PAUSE_DAYS;
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
    facts: &Facts<'_>,
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
    finding: &mut Finding,
    concerned: &mut Vec<NaiveDate>,
) {
    let dates: Vec<NaiveDate> = expected
        .unplayed
        .range(facts.range.start..=facts.range.end)
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
fn skipped_by_the_job(facts: &Facts<'_>, missing: &[NaiveDate]) -> String {
    let ledger = facts.log.map(|log| &log.ledger);
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

pub(super) fn missing_groups(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Finding {
    let (expected, name) = match counted(facts, check) {
        Ok(counted) => counted,
        Err(finding) => return *finding,
    };
    let found: BTreeMap<NaiveDate, u64> = facts.scan.counts(needs[0], facts.range).collect();
    let of = |date: &NaiveDate| found.get(date).copied().unwrap_or(0);
    let (mut wanted, mut missing, mut dates) = (0, 0, Vec::new());
    let mut beside = Vec::new();
    for (date, groups) in due(facts, expected) {
        wanted += groups;
        let lacking = groups.saturating_sub(of(&date));
        if lacking > 0 {
            missing += lacking;
            dates.push(date);
            let fields = [
                ("expected", groups.to_string()),
                ("found", of(&date).to_string()),
            ];
            beside.push((date, fields));
        }
    }
    let mut unplayed: Vec<(NaiveDate, &[String])> = Vec::new();
    for (date, names) in expected.unplayed.range(facts.range.start..=facts.range.end) {
        let planned = expected.dates.get(date).copied().unwrap_or(0);
        let surplus = of(date).saturating_sub(planned);
        if surplus < names.len().max(1) as u64 {
            unplayed.push((*date, names));
        }
    }
    if wanted == 0 && unplayed.is_empty() && expected.reach.is_whole() {
        let source = &expected.source;
        return Finding::skipped(format!(
            "{}: {source} expects none from {}",
            check.title, facts.range
        ));
    }
    let threshold = threshold(check);
    let all = plural(wanted, name);
    let message = if missing == 0 {
        format!("{}: none of {all} ({})", check.title, expected.source)
    } else {
        format!(
            "{}: {missing} of {all} on {} ({})",
            check.title,
            plural(dates.len() as u64, "date"),
            expected.source
        )
    };
    let mut finding =
        Finding::compared(float(missing), threshold, message).of(wanted - missing, wanted);
    let mut concerned = Vec::new();
    if !unplayed.is_empty() {
        let count: u64 = unplayed
            .iter()
            .map(|(_, names)| names.len().max(1) as u64)
            .sum();
        let names: Vec<&str> = unplayed
            .iter()
            .flat_map(|(_, names)| names.iter().map(String::as_str))
            .take(5)
            .collect();
        finding.worsen(Outcome::Warn);
        finding.message.push_str(&format!(
            "; {} never marked as played, and not in the table",
            plural(count, name)
        ));
        if !names.is_empty() {
            finding
                .message
                .push_str(&format!(" ({})", names.join(", ")));
        }
        concerned.extend(unplayed.iter().map(|(date, _)| *date));
    }
    if expected.reach.before.is_some() || expected.reach.after.is_some() {
        finding.worsen(Outcome::Error);
        finding
            .message
            .push_str("; part of the range is beyond the schedule");
    }
    if !dates.is_empty() {
        let finding = finding.beside(beside.into_iter());
        finding.on(dates).probe(of_schedule(expected))
    } else if finding.outcome() == Outcome::Pass {
        finding
    } else {
        finding.and_on(concerned)
    }
}

/// Groups beyond those of the schedule, from its first date to its last: what lies beyond, or in a hole, is rather
/// what it does not know, and [`missing_dates`] says so.
pub(super) fn unscheduled_groups(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Finding {
    let (expected, name) = match counted(facts, check) {
        Ok(counted) => counted,
        Err(finding) => return *finding,
    };
    if !expected.is_schedule {
        return unanswered(
            check,
            &format!(
                "{} does not say how many {name}s were planned",
                expected.source
            ),
        );
    }
    let found: BTreeMap<NaiveDate, u64> = facts.scan.counts(needs[0], facts.range).collect();
    let known = expected.span();
    let surplus: Vec<(NaiveDate, u64)> = found
        .into_iter()
        .filter(|(date, _)| known.is_some_and(|known| known.contains(*date)))
        .filter(|(date, _)| !expected.left_out.contains(date))
        .filter(|(date, _)| !expected.reach.is_in_a_hole(*date))
        .filter_map(|(date, groups)| {
            let planned = expected.dates.get(&date).copied().unwrap_or(0);
            let unplayed = expected.unplayed.get(&date);
            let unplayed = unplayed.map_or(0, |names| names.len().max(1) as u64);
            let more = groups.saturating_sub(planned + unplayed);
            (more > 0).then_some((date, more))
        })
        .collect();
    let count: u64 = surplus.iter().map(|(_, more)| more).sum();
    let threshold = threshold(check);
    let message = if count == 0 {
        format!("{}: none ({})", check.title, expected.source)
    } else {
        format!(
            "{}: {} more than {} has, on {}",
            check.title,
            plural(count, name),
            expected.source,
            plural(surplus.len() as u64, "date")
        )
    };
    let finding = Finding::compared(float(count), threshold, message);
    if count == 0 {
        return finding;
    }
    let rows = surplus.iter().map(|(date, more)| {
        let planned = expected.dates.get(date).copied().unwrap_or(0);
        let fields = [("planned", planned.to_string()), ("more", more.to_string())];
        (*date, fields)
    });
    let finding = finding.beside(rows);
    finding
        .on(surplus.into_iter().map(|(date, _)| date).collect())
        .probe(Probe::RowsByDate)
}

/// How what is missing is looked up: in the schedule, as the table does not have it.
fn of_schedule(expected: &Expected) -> Probe {
    expected
        .schedule
        .as_ref()
        .map_or(Probe::RowsByDate, |schedule| Probe::OfSchedule {
            table: schedule.table.clone(),
            date_column: schedule.date_column.clone(),
            date_kind: schedule.columns.kind(&schedule.date_column),
        })
}

/// Expected dates that are over: there is no data of tomorrow.
pub(crate) fn due<'a>(
    facts: &'a Facts<'_>,
    expected: &'a Expected,
) -> impl Iterator<Item = (NaiveDate, u64)> + 'a {
    expected
        .within(facts.range)
        .filter(|(date, _)| *date < facts.today)
}

fn known<'a>(facts: &'a Facts<'_>, check: &Check) -> Result<&'a Expected, Box<Finding>> {
    match facts.expected {
        Expectation::Known(expected) => Ok(expected),
        Expectation::Unknown(hint) => Err(Box::new(unanswered(check, hint))),
        Expectation::Failed(reason) => Err(Box::new(Finding::unknown(format!(
            "{}: {reason}",
            check.title
        )))),
    }
}

/// The expected dates, if they say how many groups each has, and the suite's word for a group.
fn counted<'a>(
    facts: &'a Facts<'_>,
    check: &Check,
) -> Result<(&'a Expected, &'a str), Box<Finding>> {
    let expected = known(facts, check)?;
    let group = facts.suite.group.as_ref();
    let name = group.map_or("group", |group| group.name.as_str());
    if expected.counts_groups {
        return Ok((expected, name));
    }
    let why = format!(
        "{} does not say how many {name}s a date has",
        expected.source
    );
    Err(Box::new(unanswered(check, &why)))
}

/// Nothing can answer it: an error if the suite calls the check critical.
pub(super) fn unanswered(check: &Check, why: &str) -> Finding {
    let text = format!("{}: {why}", check.title);
    match check.level {
        Level::Critical => Finding::unknown(text),
        _ => Finding::unanswered(text),
    }
}
