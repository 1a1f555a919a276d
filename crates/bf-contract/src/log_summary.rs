//! `log_summary` and `ledger_entry`: what the log claims, in total and date by date.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::header::{Schema, document_type};
use crate::range::DateRange;

document_type! {
    /// The `type` of a [`LogSummary`].
    LogSummaryType = "log_summary"
}
document_type! {
    /// The `type` of a [`LedgerEntry`].
    LedgerEntryType = "ledger_entry"
}

/// How far a job has come, by its own log.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogState {
    /// No end marker yet.
    Running,
    /// The end marker was printed.
    Completed,
    /// No end marker, and none will come: a later run starts in the same file, or the process is gone.
    Interrupted,
    /// The job declined to start, bad arguments included.
    Refused,
    /// The job only looked; it wrote nothing.
    DryRun,
    /// The log has no bytes, or nothing but white space.
    Empty,
    /// The log is in no known dialect; also a state that only a newer bf knows.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What a log claims, as `bf-parse-log` prints it.
///
/// `successful + failed + skipped + earlier + unaccounted = total` whenever the range is known.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LogSummary {
    /// Always `log_summary`.
    #[serde(rename = "type")]
    pub kind: LogSummaryType,
    /// Always 1.
    pub schema: Schema,
    /// `state == completed`.
    pub completed: bool,
    /// The exit code of the tool that wrote it; absent in a summary that a document holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Days before the resume point plus finished days: the 150 of `150/1537`.
    pub current_day: u64,
    /// The days that the job has to do over its whole range: calendar days, or game dates where the job
    /// says so. Null when unknown or refused.
    pub total_days: Option<u64>,
    /// Dates whose last word is success.
    pub successful_days: u64,
    /// Dates whose last word is failure.
    pub failed_days: u64,
    /// successful / (successful + failed) × 100; null where nothing finished.
    pub success_rate: Option<f64>,
    /// Records written, summed over the successful dates.
    pub total_records: u64,
    /// Errors that belong to no date: the job itself broke. A failed date is not one of them.
    pub fatal_errors: u64,
    /// `current_day` / `total_days` × 100; null when the total is unknown.
    pub progress_pct: Option<f64>,
    /// How far the job has come.
    pub state: LogState,
    /// The dialect that the log was read in; null when none fits.
    pub dialect: Option<String>,
    /// The job's name, where the log tells it.
    pub job: Option<String>,
    /// The range of the job, where the log tells it.
    pub range: Option<DateRange>,
    /// Dates that the job says it skipped.
    pub skipped_days: u64,
    /// Days of the range before an announced resume point that have no entry in this file.
    pub earlier_days: u64,
    /// Days of the total that nothing is known of: still to come while the job runs, lost once it has finished.
    /// Null when the total is unknown.
    pub unaccounted_days: Option<u64>,
    /// Successful dates that wrote no record.
    pub zero_record_days: u64,
    /// All dates whose last word is failure, sorted.
    pub failed_dates: Vec<NaiveDate>,
    /// The dates behind `unaccounted_days`, sorted; null while the job runs or where they cannot be named.
    pub unaccounted_dates: Option<Vec<NaiveDate>>,
    /// Failures by class, most frequent first.
    #[serde(default)]
    pub error_classes: Vec<ErrorClassCount>,
    /// The runs that stand in the file.
    pub runs: u64,
    /// The file that was read.
    pub log: LogFile,
    /// Dates on which the log and the job's own checkpoint differ, where one was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checkpoint_disagreements: Vec<CheckpointDisagreement>,
    /// What the log contradicts, or what in it could not be read. Never resolved in favour of success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Where the log contradicts itself, or leaves something open; for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl LogSummary {
    /// Whether a doubt says that dates failed that the counts do not hold.
    #[must_use]
    pub fn has_failure_in_doubt(&self) -> bool {
        self.doubts.iter().any(|doubt| doubt.kind.is_failure())
    }
}

/// What makes a log doubtful.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// A failure whose date cannot be read: some date failed, and no count holds it.
    UndatedFailure,
    /// A summary of the job that does not agree with its lines: more failures, or fewer successes.
    SummaryDisagrees,
    /// Lines of two jobs that run at the same time: a line may be of either.
    TwoJobs,
    /// Timestamps or counters that fall: the lines are not in the order in which they were written.
    FallingOrder,
    /// A figure, such as a number of records, that cannot be read.
    UnreadableFigure,
    /// A date that cannot be read, on a line that is not a failure.
    UnreadableDate,
    /// Lines of another dialect, later in the log.
    OtherDialect,
    /// Lines that look like errors and that no rule of the dialect reads.
    UnreadErrors,
    /// The job checked what it wrote, and reports that this is not as it should be.
    OwnValidationFailed,
    /// A doubt that only a newer bf knows.
    #[serde(other)]
    Unknown,
}

impl DoubtKind {
    /// Whether something failed for certain.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::UndatedFailure | Self::SummaryDisagrees)
    }

    /// Whether it leaves open whose a line is, or when it was written: then nothing else decides. What neither
    /// fails nor stops a check is a warning.
    #[must_use]
    pub const fn stops_check(self) -> bool {
        matches!(
            self,
            Self::TwoJobs
                | Self::FallingOrder
                | Self::OtherDialect
                | Self::UnreadableDate
                | Self::Unknown
        )
    }
}

/// Something that makes a log doubtful.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What it is.
    pub kind: DoubtKind,
    /// How many lines show it.
    pub lines: u64,
    /// The first of these lines, counted from 1; absent where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_line: Option<u64>,
    /// The dates concerned, sorted; empty where they cannot be read.
    #[serde(default)]
    pub dates: Vec<NaiveDate>,
    /// One line for a person.
    pub message: String,
}

/// A date on which a log and a checkpoint differ.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointDisagreement {
    /// The date.
    pub date: NaiveDate,
    /// The log's last word on it; null where the log does not speak of it.
    pub log: Option<LedgerStatus>,
    /// The list of the checkpoint that it is in; null where it is in none.
    pub checkpoint: Option<LedgerStatus>,
}

/// The file behind a [`LogSummary`].
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// The path as it was given, `-` for standard input.
    pub path: String,
    /// Bytes read.
    pub bytes: u64,
    /// Lines read; an unfinished last line counts.
    pub lines: u64,
    /// The offset in bytes that reading began at.
    #[serde(default)]
    pub from_byte: u64,
}

/// The classes that failures are counted in.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A quota is used up.
    Quota,
    /// Too many calls in a time (HTTP 429).
    RateLimit,
    /// A transaction had to give way to another.
    Serialization,
    /// The row does not fit the table.
    Schema,
    /// There was nothing to work on.
    NoData,
    /// Something took too long.
    Timeout,
    /// Anything else; also a class that only a newer bf knows.
    #[serde(other)]
    Other,
}

/// How many failures of one class there were.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorClassCount {
    /// The class.
    pub class: ErrorClass,
    /// Failures of this class over all attempts.
    pub count: u64,
    /// The first message of this class.
    pub example: String,
}

/// What is known of one date.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerStatus {
    /// The job says that it wrote the date.
    Success,
    /// The job says that it failed.
    Failed,
    /// The job says that it left the date out.
    Skipped,
    /// The job began the date and said nothing more of it yet.
    InProgress,
    /// The job began the date and its run ended without a word.
    Interrupted,
    /// The job only looked at the date.
    DryRun,
    /// A status that only a newer bf knows; never a success.
    #[serde(other)]
    Unknown,
}

/// The last word of a log on one date.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Always `ledger_entry`.
    #[serde(rename = "type")]
    pub kind: LedgerEntryType,
    /// Always 1.
    pub schema: Schema,
    /// The date.
    pub date: NaiveDate,
    /// The model, table or file of the date, for a job that has several a date; absent for any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The last word on it.
    pub status: LedgerStatus,
    /// Records that the job claims to have written; null where it does not say.
    pub records: Option<u64>,
    /// How often the date was begun, in all runs of the file.
    pub attempts: u64,
    /// Which run of the file has the last word, counted from 1.
    pub run: u64,
    /// The error, or why it was skipped; null where nothing was said.
    pub reason: Option<String>,
}

/// `part` of `whole` in percent; null over a whole of zero.
///
/// Multiplies before it divides, so that 959 of 1000 is 95.9 and not 95.89999….
#[must_use]
#[allow(clippy::cast_precision_loss)] // exact up to 2^53 / 100
pub fn percentage(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}
