//! The names of checks that no suite lists: bf adds them.

/// Whether the log says that the job completed, and accounts for every date.
pub(crate) const COMPLETED: &str = "log_completed";
/// The share of its dates that the job completed.
pub(crate) const SUCCESS_RATE: &str = "success_rate";
/// The records that the log claims, held against those of the table.
pub(crate) const RECONCILIATION: &str = "reconciliation";
/// Dates that failed in the log and have records.
pub(crate) const FAILED_DATES: &str = "failed_dates";
/// Dates that the job left out.
pub(crate) const SKIPPED_DATES: &str = "skipped_dates";
/// How the job's process ended.
pub(crate) const PROCESS_ENDED: &str = "process_ended";
/// Rows whose date cannot be read.
pub(crate) const READABLE_DATES: &str = "readable_dates";
/// Dates with a time, which no `= DATE` finds.
pub(crate) const PLAIN_DATES: &str = "plain_dates";

/// All of them.
pub(crate) const RESERVED: [&str; 8] = [
    COMPLETED,
    SUCCESS_RATE,
    RECONCILIATION,
    FAILED_DATES,
    SKIPPED_DATES,
    PROCESS_ENDED,
    READABLE_DATES,
    PLAIN_DATES,
];
