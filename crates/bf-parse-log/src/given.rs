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

/// Counts the dates that the log should speak of and does not. `lacks_only_an_end`: the last run says one
/// word for each date and never that it has finished; it has finished once it has said all of them.
pub(crate) fn hold_against(
    summary: &mut LogSummary,
    ledger: &[LedgerEntry],
    given: &BTreeSet<NaiveDate>,
    lacks_only_an_end: bool,
) {
    if matches!(
        summary.state,
        LogState::Unknown | LogState::Empty | LogState::Refused | LogState::DryRun
    ) {
        return;
    }
    let dates_of = |fits: &dyn Fn(&LedgerEntry) -> bool| -> BTreeSet<NaiveDate> {
        let fitting = ledger.iter().filter(|entry| fits(entry));
        fitting.map(|entry| entry.date).collect()
    };
    let known = dates_of(&|_| true);
    let pending = dates_of(&|entry| !is_finished(entry.status));
    let skipped = dates_of(&|entry| entry.status == LedgerStatus::Skipped);
    let mut strangers: BTreeSet<NaiveDate> = given.difference(&known).copied().collect();
    // A job that only counts what it left out left out these.
    let unnamed = summary.skipped_days.saturating_sub(skipped.len() as u64);
    if strangers.len() as u64 <= unnamed {
        strangers.clear();
    }
    let missing: BTreeSet<NaiveDate> = strangers.union(&pending).copied().collect();
    // What the log announces may be these very dates.
    let left = summary
        .unaccounted_days
        .unwrap_or_default()
        .max(missing.len() as u64);
    let total = summary.current_day + left;
    summary.total_days = Some(total);
    summary.unaccounted_days = Some(left);
    summary.progress_pct = percentage(summary.current_day, total);

    let said = dates_of(&|entry| entry.run == summary.runs && is_finished(entry.status));
    if lacks_only_an_end && left == 0 && said.is_superset(given) {
        summary.state = LogState::Completed;
        summary.completed = true;
        summary.notes.retain(|note| note != NO_END);
    }
    summary.unaccounted_dates = (summary.state != LogState::Running)
        .then(|| missing.into_iter().collect::<Vec<_>>())
        .filter(|dates| dates.len() as u64 == left);
    if !strangers.is_empty() {
        let count = strangers.len();
        let dates = if count == 1 {
            "date that the job was given does"
        } else {
            "dates that the job was given do"
        };
        summary
            .notes
            .push(format!("{count} {dates} not occur in the log"));
    }
}
