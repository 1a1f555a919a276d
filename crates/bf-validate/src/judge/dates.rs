//! Dates and groups that should be there.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::{DateRange, LedgerEntry, LedgerStatus, Level};
use chrono::NaiveDate;

use super::{Facts, threshold};
use crate::expected::{Expectation, Expected, PAUSE_DAYS};
use crate::figures::{float, plural};
use crate::finding::{Finding, Met, Probe, met};
use crate::log_checks::reasons;
use crate::suite::Check;

pub(super) fn missing_dates(facts: &Facts<'_>, check: &Check) -> Finding {
    let expected = match known(facts, check) {
        Ok(expected) => expected,
        Err(finding) => return *finding,
    };
    let has_rows: BTreeSet<NaiveDate> = facts
        .scan
        .counts(facts.planned.rows, facts.range)
        .filter(|(_, rows)| *rows > 0)
        .map(|(date, _)| date)
        .collect();
    let wanted: Vec<NaiveDate> = due(facts, expected).map(|(date, _)| date).collect();
    let nothing_planned = wanted.is_empty() && expected.is_surely_nothing(facts.range);
    if wanted.is_empty() && !nothing_planned {
        return unanswered(
            check,
            &format!("{} expects none from {}", expected.source, facts.range),
        );
    }
    let missing: Vec<NaiveDate> = wanted
        .iter()
        .copied()
        .filter(|date| !has_rows.contains(date))
        .collect();
    let threshold = threshold(check);
    let count = missing.len() as u64;
    let dates = plural(wanted.len() as u64, "expected date");
    let mut message = match (nothing_planned, count) {
        (true, _) => format!(
            "{}: none, as {} has no date from {} that must be there",
            check.title, expected.source, facts.range
        ),
        (_, 0) => format!("{}: none of {dates} ({})", check.title, expected.source),
        _ => format!(
            "{}: {count} of {dates} without a record ({})",
            check.title, expected.source
        ),
    };
    message.push_str(&skipped_by_the_job(facts, &missing));
    let left_out = expected.left_out.range(facts.range.start..=facts.range.end);
    let left_out = left_out.filter(|date| !has_rows.contains(date)).count() as u64;
    if left_out > 0 {
        message.push_str(&format!(
            "; {} of the first days of a season are not asked for",
            plural(left_out, "date")
        ));
    }
    let odd = Odd::of(expected, &has_rows);
    let open = open_ends(facts, expected, !odd.after.is_empty());
    message.push_str(&odd.remark());
    message.push_str(&open.1);
    let odd = odd.dates();
    let unplayed = unplayed(facts, expected, &has_rows);
    if !unplayed.is_empty() {
        let dates = plural(unplayed.len() as u64, "date");
        message.push_str(&format!(
            "; {dates} with something that was never marked as played, and no record"
        ));
    }
    if expected.unreadable > 0 {
        let rows = plural(expected.unreadable, "row");
        message.push_str(&format!("; {rows} of it without a readable date"));
    }
    let odd = [odd, unplayed].concat();
    let mut met = met(float(count), threshold);
    if met == Met::Yes && (open.0 || expected.unreadable > 0 || !odd.is_empty()) {
        met = Met::Barely;
    }
    let finding = Finding::new(met, message).figure(float(count), threshold);
    match (missing.is_empty(), met) {
        (true, Met::Barely) => finding.on(odd).probe(Probe::RowsByDate),
        (true, _) => finding,
        (false, _) => finding.on(missing).probe(Probe::RowsByDate),
    }
}

/// Dates of the range that are over, on which nothing was marked as played and nothing written: postponed, or a
/// schedule that was not brought up to date.
fn unplayed(
    facts: &Facts<'_>,
    expected: &Expected,
    has_rows: &BTreeSet<NaiveDate>,
) -> Vec<NaiveDate> {
    let dates = expected.unplayed.range(facts.range.start..=facts.range.end);
    let last = expected.span.map(|span| span.end);
    dates
        .copied()
        .filter(|date| Some(*date) < last && *date < facts.today && !has_rows.contains(date))
        .collect()
}

/// Dates that have rows, though the source does not have them: what is missing there is not known either.
#[derive(Default)]
struct Odd {
    before: Vec<NaiveDate>,
    between: Vec<NaiveDate>,
    after: Vec<NaiveDate>,
}

impl Odd {
    fn of(expected: &Expected, has_rows: &BTreeSet<NaiveDate>) -> Self {
        let mut odd = Self::default();
        let Some(span) = expected.span else {
            return odd;
        };
        for date in has_rows.iter().copied() {
            if date > span.end {
                odd.after.push(date);
            } else if !expected.is_schedule {
                // What was written elsewhere, or by one run, need not be all that there is.
            } else if date < span.start {
                odd.before.push(date);
            } else if !expected.knows(date) {
                odd.between.push(date);
            }
        }
        odd
    }

    fn remark(&self) -> String {
        if self.between.is_empty() {
            return String::new();
        }
        format!(
            "; {} that it does not have",
            plural(self.between.len() as u64, "date")
        )
    }

    fn dates(self) -> Vec<NaiveDate> {
        [self.before, self.between, self.after].concat()
    }
}

/// Whether the range goes beyond what the source has, and the words for it: what is missing there is not known,
/// whether or not the table has rows there. Days to come are no part of the range.
fn open_ends(facts: &Facts<'_>, expected: &Expected, has_rows_after: bool) -> (bool, String) {
    let (Some(span), Some(yesterday)) = (expected.span, facts.today.pred_opt()) else {
        return (false, String::new());
    };
    let range = DateRange {
        start: facts.range.start,
        end: facts.range.end.min(yesterday),
    };
    let (to_the_start, to_the_end) = expected.reaches(range);
    let mut remark = String::new();
    // Another table is read over the range alone, which may well begin or end on a day without a game; what one
    // run wrote need not begin with the range.
    let pause = if expected.is_schedule { 0 } else { PAUSE_DAYS };
    let begins_late =
        !to_the_start && !expected.is_of_the_log() && (span.start - range.start).num_days() > pause;
    if begins_late {
        remark.push_str(&format!(
            "; it begins on {}, so what is missing before that is not known",
            span.start
        ));
    }
    let ends_early =
        !to_the_end && !expected.is_of_the_log() && (range.end - span.end).num_days() > pause;
    if ends_early || has_rows_after {
        remark.push_str(&format!(
            "; it ends on {}, so what is missing after that is not known",
            span.end
        ));
    }
    (!remark.is_empty(), remark)
}

/// What the log says of missing dates that the job left out, with its reasons. That excuses none of them: a
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
    let (mut wanted, mut missing, mut dates) = (0, 0, Vec::new());
    for (date, groups) in due(facts, expected) {
        wanted += groups;
        let lacking = groups.saturating_sub(found.get(&date).copied().unwrap_or(0));
        if lacking > 0 {
            missing += lacking;
            dates.push(date);
        }
    }
    if wanted == 0 {
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
    let finding = Finding::new(met(float(missing), threshold), message)
        .figure(float(missing), threshold)
        .of(wanted - missing, wanted);
    if dates.is_empty() {
        return finding;
    }
    finding.on(dates).probe(Probe::RowsByDate)
}

/// Groups beyond those of the schedule, from its first date to its last: what lies beyond is rather what it does not
/// know yet, and [`missing_dates`] says so.
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
    let span = expected.span;
    let surplus: Vec<(NaiveDate, u64)> = found
        .into_iter()
        .filter(|(date, _)| span.is_some_and(|span| span.contains(*date)))
        .filter(|(date, _)| !expected.left_out.contains(date) && !expected.unplayed.contains(date))
        .filter_map(|(date, groups)| {
            let planned = expected.dates.get(&date).copied().unwrap_or(0);
            let more = groups.saturating_sub(planned);
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
    let finding =
        Finding::new(met(float(count), threshold), message).figure(float(count), threshold);
    if count == 0 {
        return finding;
    }
    finding
        .on(surplus.into_iter().map(|(date, _)| date).collect())
        .probe(Probe::RowsByDate)
}

/// Expected dates that are over: nobody has data of tomorrow.
fn due<'a>(
    facts: &'a Facts<'_>,
    expected: &'a Expected,
) -> impl Iterator<Item = (NaiveDate, u64)> + 'a {
    let range = DateRange {
        start: facts.range.start,
        end: facts.range.end,
    };
    expected
        .within(range)
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

/// The expected dates, where they say how many groups each has, and the suite's word for a group.
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

/// Nobody can say: an error where the suite calls the check critical.
pub(super) fn unanswered(check: &Check, why: &str) -> Finding {
    let text = format!("{}: {why}", check.title);
    match check.level {
        Level::Critical => Finding::unknown(text),
        _ => Finding::unanswered(text),
    }
}
