//! What is known of each date of the range that has anything: expected, claimed, there.

use std::collections::BTreeSet;

use bf_contract::{Day, DayStatus, LedgerStatus};
use chrono::NaiveDate;

use crate::checks::Facts;
use crate::expected::Expectation;

/// The dates of the range on which rows are expected, claimed or there, or that the job failed or skipped.
#[must_use]
pub(crate) fn days(facts: &Facts<'_>) -> Vec<Day> {
    let found = facts.rows_by_date();
    let expected = match facts.expected {
        Expectation::Known(expected) if !expected.is_of_the_log() && !expected.by_month => {
            Some(expected)
        }
        _ => None,
    };
    let ledger = facts.log.map(|log| &log.ledger);
    let claimed = ledger.into_iter().flat_map(|ledger| ledger.keys().copied());
    let due = expected
        .into_iter()
        .flat_map(|expected| expected.within(facts.range));
    let dates: BTreeSet<NaiveDate> = found
        .keys()
        .copied()
        .chain(claimed)
        .chain(due.map(|(date, _)| date))
        .filter(|date| facts.range.contains(*date) && *date < facts.today)
        .collect();
    dates
        .into_iter()
        .map(|date| {
            let entry = ledger.and_then(|ledger| ledger.get(&date));
            let claimed = entry.and_then(|entry| entry.records);
            let expected = expected.and_then(|expected| {
                let is_known =
                    expected.is_calendar || expected.span().is_some_and(|span| span.contains(date));
                (expected.dates.contains_key(&date) || is_known)
                    .then(|| expected.dates.contains_key(&date))
            });
            let rows = found.get(&date).copied().unwrap_or(0);
            let outcome = entry.map(|entry| entry.status);
            Day {
                date,
                expected,
                claimed,
                rows: Some(rows),
                status: status(expected, claimed, rows, outcome),
            }
        })
        .collect()
}

fn status(
    expected: Option<bool>,
    claimed: Option<u64>,
    rows: u64,
    outcome: Option<LedgerStatus>,
) -> DayStatus {
    match (outcome, claimed, expected) {
        (Some(LedgerStatus::Failed | LedgerStatus::Interrupted), ..) => DayStatus::Failed,
        (.., Some(true)) if rows == 0 => DayStatus::Missing,
        (Some(LedgerStatus::Skipped), ..) if rows == 0 => DayStatus::Skipped,
        (_, None | Some(0), Some(false)) if rows == 0 => DayStatus::NothingExpected,
        (_, Some(claimed), _) if rows < claimed => DayStatus::Fewer,
        (_, Some(claimed), _) if rows > claimed => DayStatus::More,
        (_, Some(_), _) | (_, _, Some(true)) => DayStatus::Ok,
        _ => DayStatus::NotJudged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_what_the_worst_of_its_sources_makes_it() {
        use DayStatus::{Failed, Fewer, Missing, More, NotJudged, NothingExpected, Ok, Skipped};
        for (expected, claimed, rows, outcome, wanted) in [
            (Some(true), Some(20), 20, Some(LedgerStatus::Success), Ok),
            (Some(true), Some(20), 19, Some(LedgerStatus::Success), Fewer),
            (Some(true), Some(20), 21, Some(LedgerStatus::Success), More),
            (
                Some(true),
                Some(20),
                0,
                Some(LedgerStatus::Success),
                Missing,
            ),
            (Some(true), None, 20, Some(LedgerStatus::Failed), Failed),
            (Some(false), None, 0, Some(LedgerStatus::Skipped), Skipped),
            (Some(true), None, 0, Some(LedgerStatus::Skipped), Missing),
            (
                Some(false),
                Some(0),
                0,
                Some(LedgerStatus::Success),
                NothingExpected,
            ),
            (Some(false), Some(3), 0, Some(LedgerStatus::Success), Fewer),
            (Some(false), None, 0, None, NothingExpected),
            (None, None, 3, None, NotJudged),
            (Some(false), None, 3, None, NotJudged),
        ] {
            assert_eq!(status(expected, claimed, rows, outcome), wanted);
        }
    }
}
