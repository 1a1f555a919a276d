//! One number of a column: what `average`, `minimum` and `maximum` share.

use bf_contract::{Comparison, Threshold};
use bf_warehouse::{Condition, Ident, Literal, Measure, Numbers, Operator, Probe, Test};
use chrono::NaiveDate;
use serde::Deserialize;

use super::{Context, Planning};
use crate::figures::{Unit, float, plural};
use crate::outcome::{Finding, Outcome, meets};

/// One column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneColumn {
    pub(super) column: Ident,
}

/// What is measured.
#[derive(Clone, Copy)]
pub(crate) struct Measures {
    pub(super) rows: Measure<u64>,
    pub(super) numbers: Measure<Numbers>,
}

pub(super) fn plan(planning: &mut Planning<'_>, column: &Ident) -> Measures {
    Measures {
        rows: planning.rows(),
        numbers: planning.numbers(column),
    }
}

/// Nine decimals: engines add floats up in different orders.
fn rounded(value: f64) -> f64 {
    let scaled = (value * 1e9).round() / 1e9;
    if scaled.is_finite() { scaled } else { value }
}

pub(super) fn average_of(numbers: &Numbers) -> Option<f64> {
    (numbers.count > 0).then(|| rounded(numbers.sum / float(numbers.count)))
}

/// Judges one of a column's numbers.
pub(super) fn judge(
    at: &Context<'_>,
    column: &Ident,
    measures: Measures,
    pick: impl Fn(&Numbers) -> Option<f64>,
) -> Finding {
    let rows = at.sum(measures.rows);
    let all = at.numbers(measures.numbers);
    let Some(observed) = pick(&all) else {
        let mut finding = at.no_data();
        if rows > 0 {
            finding.message = format!(
                "{}: no data: none of {} has a number in {column}",
                at.title(),
                plural(rows, "record")
            );
            finding = finding.of(0, rows);
        }
        return finding;
    };
    let mut finding = at.plain(observed, Unit::Number);
    if all.count < rows {
        let without = plural(rows - all.count, "record");
        finding
            .message
            .push_str(&format!("; {without} without a number"));
    }
    let Some(threshold) = at
        .threshold()
        .filter(|_| finding.outcome() == Outcome::Fail)
    else {
        return finding;
    };
    let days: Vec<_> = at.daily(measures.numbers).collect();
    let low = days_to_blame(&days, threshold, &pick);
    let operator = match threshold.op {
        Comparison::AtLeast => Operator::Below,
        Comparison::AtMost => Operator::Above,
        Comparison::Exactly | Comparison::Unknown => Operator::Differs,
    };
    finding
        .on(low)
        .probe(rows_that_are(at, column, operator, threshold.value))
}

/// The days whose own figure misses the threshold. If they fall into two groups, far apart, and without the worse
/// group the threshold is met, the others are healthy and low by chance.
fn days_to_blame(
    days: &[(NaiveDate, Numbers)],
    threshold: Threshold,
    pick: &impl Fn(&Numbers) -> Option<f64>,
) -> Vec<NaiveDate> {
    let figures = days
        .iter()
        .filter_map(|(day, numbers)| Some((*day, pick(numbers)?)));
    let off = |value: f64| (value - threshold.value).abs();
    let mut low: Vec<(NaiveDate, f64)> = figures
        .filter(|(_, value)| !meets(*value, threshold))
        .map(|(day, value)| (day, off(value)))
        .collect();
    low.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let gaps = low.windows(2).map(|pair| pair[0].1 - pair[1].1);
    let widest = gaps.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    if let Some((at, gap)) = widest
        && gap >= low[0].1 / 3.0
    {
        let worse = &low[..=at];
        let mut rest = Numbers::default();
        let is_worse = |day: NaiveDate| worse.iter().any(|(worse, _)| *worse == day);
        for (_, numbers) in days.iter().filter(|(day, _)| !is_worse(*day)) {
            rest.merge(numbers);
        }
        if pick(&rest).is_some_and(|value| meets(value, threshold)) {
            low.truncate(at + 1);
        }
    }
    let mut dates: Vec<NaiveDate> = low.into_iter().map(|(day, _)| day).collect();
    dates.sort_unstable();
    dates
}

/// The rows whose number compares so with another.
pub(super) fn rows_that_are(
    at: &Context<'_>,
    column: &Ident,
    operator: Operator,
    value: f64,
) -> Probe {
    let test = Test::Compare(operator, Literal::Number(value));
    Probe::Matching(at.filter(), Condition::test(column, test))
}
