//! `validation_report`: what the table holds, check by check.

use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};

use crate::LogSummary;
use crate::header::{Schema, document_type, or_unknown};
use crate::range::DateRange;

document_type! {
    /// The `type` of a [`ValidationReport`].
    ValidationReportType = "validation_report"
}

/// How much a check counts.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Counts, sorts first and is marked.
    Critical,
    /// Counts.
    #[default]
    Normal,
    /// Its failure is only a warning.
    Warning,
    /// Shown; never counts.
    Info,
    /// Not evaluated.
    Off,
    /// A level that only a newer bf knows. It counts: nothing is passed that was not understood. Only a
    /// document may have it; a config file that names another level is refused.
    #[serde(skip_deserializing)]
    Unknown,
}

impl Level {
    /// Whether a check of this level takes part in the verdict.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Info | Self::Off)
    }

    fn of_document<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        or_unknown(deserializer, Self::Unknown)
    }
}

/// What a check came to.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Met its threshold.
    Pass,
    /// Missed it, and the level says that this is a warning.
    Warn,
    /// Missed it.
    Fail,
    /// Could not be checked.
    Error,
    /// Was not asked for; shown, never counted.
    Skipped,
    /// A status that only a newer bf knows; counts as `error`.
    #[serde(other)]
    Unknown,
}

/// The worst of the counted checks, in the order pass < warn < error < fail. Nothing counted is `error`.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well.
    Pass,
    /// Good enough to continue; worth a look.
    Warn,
    /// Something could not be checked.
    Error,
    /// Something is wrong.
    Fail,
    /// A verdict that only a newer bf knows: not a pass, and not worse than what is known to be wrong.
    #[serde(other)]
    Unknown,
}

impl Ord for Verdict {
    fn cmp(&self, other: &Self) -> Ordering {
        let badness = |verdict: Self| match verdict {
            Self::Pass => 0,
            Self::Warn => 1,
            Self::Unknown => 2,
            Self::Error => 3,
            Self::Fail => 4,
        };
        badness(*self).cmp(&badness(*other))
    }
}

impl PartialOrd for Verdict {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Verdict {
    /// The verdict over `checks`: only counted levels, only statuses that are not skipped.
    #[must_use]
    pub fn of(checks: &[Check]) -> Self {
        checks
            .iter()
            .filter(|check| check.level.counts())
            .filter_map(|check| match check.status {
                CheckStatus::Pass => Some(Self::Pass),
                CheckStatus::Warn => Some(Self::Warn),
                CheckStatus::Error | CheckStatus::Unknown => Some(Self::Error),
                CheckStatus::Fail => Some(Self::Fail),
                CheckStatus::Skipped => None,
            })
            .max()
            .unwrap_or(Self::Error)
    }
}

/// How an observation is compared with its threshold.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// Exactly.
    #[serde(rename = "==")]
    Exactly,
    /// A comparison that only a newer bf knows.
    #[serde(rename = "unknown", other)]
    Unknown,
}

/// What an observation must meet.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The comparison.
    pub op: Comparison,
    /// The figure, in the unit of the check (percent for shares).
    pub value: f64,
}

/// One check of a suite.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Its name in the suite, such as `game_count`.
    pub name: String,
    /// How much it counts.
    #[serde(deserialize_with = "Level::of_document")]
    pub level: Level,
    /// What it came to.
    pub status: CheckStatus,
    /// Whether it was asked for and could not be answered.
    #[serde(default)]
    pub unanswered: bool,
    /// What was found, in the unit of the threshold; null where nothing could be found out.
    pub observed: Option<f64>,
    /// What it must meet; null for checks without a figure.
    pub threshold: Option<Threshold>,
    /// One line for a person.
    pub message: String,
    /// Rows and dates that show why; null where there is nothing to show.
    pub evidence: Option<Evidence>,
    /// The same figure for each month of the range, in order; empty where it has no months.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<MonthValue>,
}

/// The figure of a check in one month.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonthValue {
    /// The month, `YYYY-MM`.
    pub month: String,
    /// The figure, in the unit of the check; null over no rows.
    pub value: Option<f64>,
    /// The rows that it is taken over.
    pub rows: u64,
}

/// Why a check came to what it did.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Rows that meet the condition; null where the check is no share.
    pub numerator: Option<u64>,
    /// Rows that were asked; null where the check is no share.
    pub denominator: Option<u64>,
    /// All dates concerned, sorted.
    pub dates: Vec<NaiveDate>,
    /// The same dates as ranges, for people.
    pub spans: Vec<DateSpan>,
    /// A few of the rows concerned, column by column, values as text.
    #[serde(default)]
    pub rows: Vec<std::collections::BTreeMap<String, Option<String>>>,
    /// A query to look further, ready for the engine's console.
    pub query: Option<String>,
}

/// What is known of one date of the range.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayStatus {
    /// As expected and as claimed.
    Ok,
    /// The log says that it failed.
    Failed,
    /// Expected, and without rows.
    Missing,
    /// Fewer rows than the log claims.
    Fewer,
    /// More rows than the log claims.
    More,
    /// The log says that it was skipped.
    Skipped,
    /// Nothing is expected on it, and there are no rows.
    NothingExpected,
    /// Nothing says what it should be.
    NotJudged,
    /// A status that only a newer bf knows.
    #[serde(other)]
    Unknown,
}

/// One date of the range: what should be there, what the log claims, and what is there.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The date.
    pub date: NaiveDate,
    /// Whether the table should have rows on it; null where nothing says so.
    pub expected: Option<bool>,
    /// Records that the log claims; null where it does not say.
    pub claimed: Option<u64>,
    /// Rows in the table; null where they were not counted.
    pub rows: Option<u64>,
    /// What it comes to.
    pub status: DayStatus,
}

/// What a report was made by and from, so that it can be made again.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of bf.
    pub version: String,
    /// The commit that bf was built from; null where the build does not know it.
    pub commit: Option<String>,
    /// A hash of the suite as it was judged; null where there is none.
    pub suite_hash: Option<String>,
    /// A hash of the config file; null for the built-in one.
    pub config_hash: Option<String>,
    /// The warehouse's URL, without secrets; null where unknown.
    #[serde(default)]
    pub warehouse: Option<String>,
    /// The state of the warehouse that every query read; null where the engine has no name for it.
    pub snapshot: Option<String>,
}

/// Dates that follow each other, both ends included.
pub type DateSpan = DateRange;

/// What the check cost.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// `sqlite` or `bigquery`.
    pub kind: String,
    /// Queries sent.
    pub queries: u64,
    /// Bytes that the engine says it read; null where it does not say.
    pub bytes_processed: Option<u64>,
    /// Bytes that the engine says it charges for; null where it charges nothing.
    pub bytes_billed: Option<u64>,
    /// Whether the engine answered every query from its cache; null where it does not say.
    #[serde(default)]
    pub cache_hit: Option<bool>,
    /// Seconds spent in queries.
    pub elapsed_seconds: f64,
    /// The engine's names for the queries, where it has any.
    pub job_ids: Vec<String>,
    /// Anything about the way of reading that a person should know (an immutable snapshot, say).
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What to run again.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerun {
    /// All dates to repeat, sorted.
    pub dates: Vec<NaiveDate>,
    /// The command with the dates filled in; null where the config names none.
    pub command: Option<Vec<String>>,
    /// What to run again before: the same of the partner table, where it is that one which may be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Box<Rerun>>,
}

/// What the table holds, as a validator prints it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// Always `validation_report`.
    #[serde(rename = "type")]
    pub kind: ValidationReportType,
    /// Always 1.
    pub schema: Schema,
    /// The suite's name, such as `team_offense`.
    pub suite: String,
    /// The table, `dataset.table`.
    pub table: String,
    /// The table, as `dataset.table`, that is not there, for which nothing could be checked; null where every
    /// table that is needed is there, or that is not known.
    #[serde(default)]
    pub missing_table: Option<String>,
    /// The range that was validated.
    pub range: DateRange,
    /// The worst of the counted checks.
    pub verdict: Verdict,
    /// The exit code of the tool that wrote it; absent in documents of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Every check of the suite, critical ones first.
    pub checks: Vec<Check>,
    /// The log summary that the table was held against; null where none was given.
    pub log_summary: Option<LogSummary>,
    /// What the checks cost.
    pub engine: Engine,
    /// What to run again; null where there is nothing to repeat.
    pub rerun: Option<Rerun>,
    /// Every date of the range, in order; empty where the table could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// What it was made by and from; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

impl ValidationReport {
    /// The checks that would count and could not be answered: the verdict is not about them.
    pub fn unanswered(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| {
            check.unanswered && check.status == CheckStatus::Skipped && check.level.counts()
        })
    }
}
