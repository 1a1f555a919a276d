//! What a check found, before its level decides how much that counts.

use bf_contract::{CheckStatus, Comparison, Level, Threshold};
use bf_warehouse::{ColumnKind, Ident, TableName};
use chrono::NaiveDate;

use crate::condition::Condition;

/// Whether a check is content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It is.
    Yes,
    /// It is, but somebody should look.
    Barely,
    /// It is not.
    No,
    /// It could not be checked.
    Unknown,
    /// It was not asked for.
    Skipped,
    /// It was asked for, and nobody can say: as good as skipped, but never passed over in silence.
    Unanswered,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whether it is content.
    pub met: Met,
    /// The figure, in the unit of the threshold.
    pub observed: Option<f64>,
    /// What the figure must meet.
    pub threshold: Option<Threshold>,
    /// One line for a person.
    pub message: String,
    /// Rows that meet the condition, of a share.
    pub numerator: Option<u64>,
    /// Rows that were asked, of a share.
    pub denominator: Option<u64>,
    /// The dates concerned.
    pub dates: Vec<NaiveDate>,
    /// How the rows concerned are found.
    pub probe: Option<Probe>,
}

/// How the rows behind a finding are found.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// Rows that meet a condition.
    Matching(Option<Condition>, Condition),
    /// Rows that do not surely meet a condition.
    Lacking(Option<Condition>, Condition),
    /// Rows whose key stands there more than once.
    Duplicates(Option<Condition>, Vec<Ident>),
    /// Groups with too few or too many rows.
    Groups {
        /// The rows that are counted.
        filter: Option<Condition>,
        /// What makes a group.
        columns: Vec<Ident>,
        /// The fewest rows.
        min: u64,
        /// The most rows.
        max: u64,
    },
    /// The rows of each date, counted.
    RowsByDate,
    /// Keys without a partner on their day.
    Unmatched {
        /// The rows of the suite's table that are compared.
        filter: Option<Condition>,
        /// The key.
        columns: Vec<Ident>,
        /// Keys of this table that the partner lacks, else the other way round.
        here: bool,
    },
    /// Rows whose key the schedule does not have on their day.
    Unscheduled {
        /// The rows that are held against it.
        filter: Option<Condition>,
        /// The key.
        columns: Vec<Ident>,
        /// The schedule.
        table: TableName,
        /// Its column with the day.
        date_column: Ident,
        /// What that column holds.
        date_kind: ColumnKind,
        /// How it calls the columns of the key.
        schedule_columns: Vec<Ident>,
    },
}

impl Finding {
    /// A finding without a figure.
    #[must_use]
    pub fn new(met: Met, message: impl Into<String>) -> Self {
        Self {
            met,
            observed: None,
            threshold: None,
            message: message.into(),
            numerator: None,
            denominator: None,
            dates: Vec::new(),
            probe: None,
        }
    }

    /// It could not be checked.
    #[must_use]
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Met::Unknown, message)
    }

    /// It was not asked for.
    #[must_use]
    pub fn skipped(message: impl Into<String>) -> Self {
        Self::new(Met::Skipped, message)
    }

    /// It was asked for, and nobody can say.
    #[must_use]
    pub fn unanswered(message: impl Into<String>) -> Self {
        Self::new(Met::Unanswered, message)
    }

    /// Adds a figure and its threshold.
    #[must_use]
    pub fn figure(mut self, observed: f64, threshold: Option<Threshold>) -> Self {
        self.observed = Some(observed);
        self.threshold = threshold;
        self
    }

    /// Adds numerator and denominator.
    #[must_use]
    pub fn of(mut self, numerator: u64, denominator: u64) -> Self {
        self.numerator = Some(numerator);
        self.denominator = Some(denominator);
        self
    }

    /// Adds the dates concerned.
    #[must_use]
    pub fn on(mut self, dates: Vec<NaiveDate>) -> Self {
        self.dates = dates;
        self
    }

    /// Adds the way to its rows.
    #[must_use]
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// The status under a level.
    #[must_use]
    pub fn status(&self, level: Level) -> CheckStatus {
        match (self.met, level) {
            (_, Level::Off) | (Met::Skipped | Met::Unanswered, _) => CheckStatus::Skipped,
            (Met::Yes, _) => CheckStatus::Pass,
            (Met::Unknown, _) => CheckStatus::Error,
            (Met::Barely, _) | (Met::No, Level::Warning) => CheckStatus::Warn,
            (Met::No, _) => CheckStatus::Fail,
        }
    }
}

/// Whether a figure meets its threshold. NaN meets none.
#[must_use]
pub fn meets(observed: f64, threshold: Threshold) -> bool {
    match threshold.op {
        Comparison::AtLeast => observed >= threshold.value,
        Comparison::AtMost => observed <= threshold.value,
        #[allow(clippy::float_cmp)] // exactly is meant
        Comparison::Exactly => observed == threshold.value,
        Comparison::Unknown => false,
    }
}

/// `Yes` or `No`.
#[must_use]
pub fn met(observed: f64, threshold: Option<Threshold>) -> Met {
    if threshold.is_none_or(|threshold| meets(observed, threshold)) {
        Met::Yes
    } else {
        Met::No
    }
}
