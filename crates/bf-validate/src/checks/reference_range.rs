//! Absolute thresholds of counts, and the range that they belong to.

use bf_contract::{Comparison, DateRange, Threshold};
use bf_warehouse::Probe;

use super::Context;
use crate::expected::{Expectation, Expected};
use crate::figures::{Unit, float, plural};
use crate::outcome::{Finding, Outcome};

/// How far a source may begin after, and end before, the range that the floor belongs to.
const SLACK_DAYS: i64 = 31;

/// A count, compared with a floor that may belong to another range.
pub(super) fn counted(at: &Context<'_>, count: u64, is_groups: bool) -> Finding {
    let (threshold, remark) = match of(at, is_groups) {
        Ok(found) => found,
        Err(reason) => {
            return Finding::unknown(format!(
                "{}: {count}, and what the range should have is not known: {reason}",
                at.title()
            ));
        }
    };
    let mut finding = at.against(float(count), Unit::Count, threshold, &remark);
    if finding.outcome() == Outcome::Fail {
        finding.probe = Some(Probe::RowsByDate);
    }
    finding
}

/// The floor of a count for the range that is validated, and a remark that says how it came about.
///
/// A floor such as 5,600 games belongs to the suite's `reference_range`. A range that does not cover that is
/// asked for its share, weighed by scheduled groups; a small one may lie a little lower by chance alone.
/// Where only dates are known and not how many groups each has, their share says something about a long
/// range only; a short one is asked for one group a date. Where nothing is known the floor stays.
///
/// # Errors
/// The source of the expected dates did not answer, so that the share is not known.
fn of(at: &Context<'_>, is_groups: bool) -> Result<(Option<Threshold>, String), String> {
    let (facts, threshold) = (at.facts, at.threshold());
    let (Some(floor), Some(reference)) = (threshold, facts.suite.reference_range) else {
        return Ok((threshold, String::new()));
    };
    let covers = facts.range.start <= reference.start && facts.range.end >= reference.end;
    if covers || floor.op != Comparison::AtLeast {
        return Ok((threshold, String::new()));
    }
    let expected = match facts.expected {
        Expectation::Known(expected) => expected,
        Expectation::Failed(reason) => return Err(reason.clone()),
        Expectation::Unknown(_) => {
            let remark = format!(
                "; the expected dates are unknown, so the floor of the whole range {reference} stays"
            );
            return Ok((threshold, remark));
        }
    };
    let (value, remark) = share(expected, facts.range, reference, floor.value, is_groups);
    Ok((Some(Threshold { value, ..floor }), remark))
}

fn share(
    expected: &Expected,
    range: DateRange,
    reference: DateRange,
    floor: f64,
    is_groups: bool,
) -> (f64, String) {
    let (part, whole) = (expected.groups(range), expected.groups(reference));
    let knows_reference = expected.span().is_some_and(|span| {
        (span.start - reference.start).num_days() <= SLACK_DAYS
            && (reference.end - span.end).num_days() <= SLACK_DAYS
    });
    let weighs = expected.counts_groups || part * 2 >= whole;
    if knows_reference && weighs && whole > 0 {
        let chance = (0.5 / float(part.max(1)).sqrt()).min(0.2);
        let mut value = floor * float(part) / float(whole) * (1.0 - chance);
        if is_groups && expected.counts_groups {
            value = value.min(float(part));
        }
        let what = if expected.counts_groups {
            "scheduled"
        } else {
            "expected dates"
        };
        let remark = format!("; the range's share of {floor}: {part} of {whole} {what}");
        return (value.ceil(), remark);
    }
    let dates = expected.within(range).count() as u64;
    let remark = format!(
        "; at least one on each of {}, as the floor of {floor} belongs to {reference}",
        plural(dates, "expected date")
    );
    (float(dates).min(floor), remark)
}
