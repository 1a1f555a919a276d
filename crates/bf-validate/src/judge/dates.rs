//! Dates and groups that should be there.

use std::collections::BTreeMap;

use bf_contract::DateRange;
use chrono::NaiveDate;

use super::{Facts, threshold};
use crate::expected::{Expectation, Expected};
use crate::figures::{float, plural};
use crate::finding::{Finding, Met, Probe, met};
use crate::suite::Check;

pub(super) fn missing_dates(facts: &Facts<'_>, check: &Check) -> Finding {
    let expected = match known(facts, check) {
        Ok(expected) => expected,
        Err(finding) => return *finding,
    };
    let has_rows: BTreeMap<NaiveDate, u64> =
        facts.scan.counts(facts.planned.rows, facts.range).collect();
    let wanted: Vec<NaiveDate> = due(facts, expected).map(|(date, _)| date).collect();
    if wanted.is_empty() {
        return Finding::skipped(format!(
            "{}: {} expects none from {}",
            check.title, expected.source, facts.range
        ));
    }
    let missing: Vec<NaiveDate> = wanted
        .iter()
        .copied()
        .filter(|date| has_rows.get(date).is_none_or(|rows| *rows == 0))
        .collect();
    let threshold = threshold(check);
    let count = missing.len() as u64;
    let mut message = if missing.is_empty() {
        format!(
            "{}: none of {} ({})",
            check.title,
            plural(wanted.len() as u64, "expected date"),
            expected.source
        )
    } else {
        format!(
            "{}: {count} of {} without a record ({})",
            check.title,
            plural(wanted.len() as u64, "expected date"),
            expected.source
        )
    };
    let unexpected = has_rows
        .iter()
        .filter(|(date, rows)| **rows > 0 && !expected.dates.contains_key(date))
        .count() as u64;
    if unexpected > 0 {
        message.push_str(&format!(
            "; {} that it does not expect",
            plural(unexpected, "date")
        ));
    }
    // Data beyond the source's last date says that the source is old, not that nothing is missing there.
    let outdated: Vec<NaiveDate> = has_rows
        .iter()
        .filter(|(date, rows)| **rows > 0 && expected.span.is_some_and(|span| **date > span.end))
        .map(|(date, _)| *date)
        .collect();
    let mut met = met(float(count), threshold);
    if let (Some(span), false) = (expected.span, outdated.is_empty()) {
        message.push_str(&format!(
            "; it ends on {}, so what is missing after that is not known",
            span.end
        ));
        if met == Met::Yes {
            met = Met::Barely;
        }
    }
    let finding = Finding::new(met, message).figure(float(count), threshold);
    match (missing.is_empty(), met) {
        (true, Met::Barely) => finding.on(outdated),
        (true, _) => finding,
        (false, _) => finding.on(missing).probe(Probe::RowsByDate),
    }
}

pub(super) fn missing_groups(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Finding {
    let expected = match known(facts, check) {
        Ok(expected) => expected,
        Err(finding) => return *finding,
    };
    let name = facts
        .suite
        .group
        .as_ref()
        .map_or("group", |group| group.name.as_str());
    if !expected.counts_groups {
        return Finding::skipped(format!(
            "{}: {} does not say how many {name}s a date has",
            check.title, expected.source
        ));
    }
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
        return Finding::skipped(format!(
            "{}: {} expects none from {}",
            check.title, expected.source, facts.range
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
        Expectation::Unknown(hint) => Err(Box::new(Finding::skipped(format!(
            "{}: {hint}",
            check.title
        )))),
        Expectation::Failed(reason) => Err(Box::new(Finding::unknown(format!(
            "{}: {reason}",
            check.title
        )))),
    }
}
