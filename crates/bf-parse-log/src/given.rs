//! A log held against the dates that its job was given.

use std::collections::BTreeSet;

use bf_contract::{LedgerEntry, LedgerStatus, LogState, LogSummary, percentage};
use chrono::NaiveDate;

use crate::summary::NO_END;

const fn is_finished(status: LedgerStatus) -> bool {
    matches!(
        status,
        LedgerStatus::Success | LedgerStatus::Failed | LedgerStatus::Skipped
    )
}

/// Counts the dates that the log should speak of and does not. A job that says one word for each date and
/// never that it is over is over once its last run has said all of them.
pub(crate) fn hold_against(
    summary: &mut LogSummary,
    ledger: &[LedgerEntry],
    given: &BTreeSet<NaiveDate>,
) {
    if matches!(
        summary.state,
        LogState::Unknown | LogState::Empty | LogState::Refused | LogState::DryRun
    ) {
        return;
    }
    let announces_nothing = summary.total_days.is_none();
    let known: BTreeSet<NaiveDate> = ledger.iter().map(|entry| entry.date).collect();
    let strangers = given.difference(&known).count() as u64;
    let pending = ledger
        .iter()
        .filter(|entry| !is_finished(entry.status))
        .map(|entry| entry.date);
    let missing: BTreeSet<NaiveDate> = given.difference(&known).copied().chain(pending).collect();
    // What the log announces may be these very dates.
    let left = summary
        .unaccounted_days
        .unwrap_or_default()
        .max(missing.len() as u64);
    let total = summary.current_day + left;
    summary.total_days = Some(total);
    summary.unaccounted_days = Some(left);
    summary.progress_pct = percentage(summary.current_day, total);

    let is_said = |entry: &&LedgerEntry| entry.run == summary.runs && is_finished(entry.status);
    let said: BTreeSet<NaiveDate> = ledger
        .iter()
        .filter(is_said)
        .map(|entry| entry.date)
        .collect();
    let only_lacks_an_end = matches!(summary.state, LogState::Running | LogState::Interrupted)
        && announces_nothing
        && summary.fatal_errors == 0;
    if only_lacks_an_end && left == 0 && said.is_superset(given) {
        summary.state = LogState::Completed;
        summary.completed = true;
        summary.notes.retain(|note| note != NO_END);
    }
    summary.unaccounted_dates = (summary.state != LogState::Running)
        .then(|| missing.into_iter().collect::<Vec<_>>())
        .filter(|dates| dates.len() as u64 == left);
    if strangers > 0 {
        let dates = if strangers == 1 {
            "date that the job was given does"
        } else {
            "dates that the job was given do"
        };
        summary
            .notes
            .push(format!("{strangers} {dates} not occur in the log"));
    }
}
