//! The range against the time before it.

use bf_contract::{DateRange, percentage};
use chrono::Days;

use super::{Facts, no_data, threshold};
use crate::figures::{Unit, figure, float};
use crate::outcome::{Finding, Outcome};
use crate::suite::{Change, Check};

/// Fewer dates or rows before the range are no history to compare with.
const FEWEST_DATES: usize = 5;
const FEWEST_ROWS: u64 = 50;

pub(super) fn judge(facts: &Facts<'_>, check: &Check, change: &Change, needs: &[usize]) -> Finding {
    let Some(before) = before(facts.range, change.days) else {
        return Finding::skipped(format!("{}: nothing lies before the range", check.title));
    };
    let days = facts
        .scan
        .counts(needs[0], before)
        .filter(|(_, rows)| *rows > 0)
        .count();
    let rows_before = facts.scan.count(needs[0], before);
    if days < FEWEST_DATES || rows_before < FEWEST_ROWS {
        return Finding::skipped(format!(
            "{}: no history to compare with ({} rows in the {} days before)",
            check.title, rows_before, change.days
        ));
    }
    let figures = match &change.completeness {
        Some(_) => (
            completeness(facts, needs, facts.range),
            completeness(facts, needs, before),
        ),
        None => (
            volume(facts, needs, facts.range),
            volume(facts, needs, before),
        ),
    };
    let (Some(now), Some(then)) = figures else {
        return no_data(check, facts);
    };
    if then <= 0.0 {
        return Finding::skipped(format!("{}: there was nothing before either", check.title));
    }
    let ratio = 100.0 * now / then;
    let threshold = threshold(check);
    let unit = if change.completeness.is_some() {
        Unit::Percent
    } else {
        Unit::Number
    };
    let message = format!(
        "{}: {} of before ({} now, {} in the {} days before)",
        check.title,
        figure(ratio, Unit::Percent, threshold),
        figure(now, unit, None),
        figure(then, unit, None),
        change.days
    );
    let mut finding = Finding::compared(ratio, threshold, message);
    let is_below = |limit: Option<f64>| limit.is_some_and(|limit| ratio < limit);
    if is_below(change.fail_below) {
        finding.worsen(Outcome::Fail);
    } else if is_below(change.warn_below) {
        finding.worsen(Outcome::Warn);
    }
    finding
}

fn before(range: DateRange, days: u64) -> Option<DateRange> {
    Some(DateRange {
        start: range.start.checked_sub_days(Days::new(days))?,
        end: range.start.checked_sub_days(Days::new(1))?,
    })
}

fn completeness(facts: &Facts<'_>, needs: &[usize], range: DateRange) -> Option<f64> {
    percentage(
        facts.scan.count(needs[1], range),
        facts.scan.count(needs[0], range),
    )
}

/// Rows per group, or per date that has rows: a short range must not look small.
fn volume(facts: &Facts<'_>, needs: &[usize], range: DateRange) -> Option<f64> {
    let rows = facts.scan.count(needs[0], range);
    let per = match needs.get(1) {
        Some(groups) => facts.scan.count(*groups, range),
        None => facts
            .scan
            .counts(needs[0], range)
            .filter(|(_, rows)| *rows > 0)
            .count() as u64,
    };
    (per > 0).then(|| float(rows) / float(per))
}
