//! What a check looks at.

use bf_contract::Comparison;
use bf_warehouse::Ident;
use serde::Deserialize;

use super::Bound;
use crate::condition::{Condition, Literal};

/// What a check looks at. The unit of its figure is in brackets.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The rows of the range (rows).
    RowCount,
    /// The distinct values of some columns (values).
    DistinctCount(ColumnList),
    /// The rows that meet a condition (rows); at most 0 unless the suite says otherwise.
    MatchingRows(Matching),
    /// The rows that have a value in a column (percent).
    Completeness(Completeness),
    /// The rows that meet a condition (percent).
    Share(Share),
    /// The average of a column.
    Average(Average),
    /// The smallest value of a column.
    Minimum(Column),
    /// The largest value of a column.
    Maximum(Column),
    /// The dates on which a column has one and the same number in all rows (dates); none unless the suite says
    /// otherwise.
    Varies(Column),
    /// The rows whose value is one of a list (percent); all of them unless the suite says otherwise.
    AcceptedValues(AcceptedValues),
    /// The rows whose value lies between two others (percent); all of them unless the suite says otherwise.
    ValueRange(ValueRange),
    /// The rows beyond the first of each primary key (rows); none unless the suite says otherwise.
    UniqueKey,
    /// The groups that have more or fewer rows than they should (groups); none unless the suite says
    /// otherwise.
    RowsPerGroup(RowsPerGroup),
    /// The expected dates without a row (dates); none unless the suite says otherwise.
    MissingDates(MissingDates),
    /// The scheduled groups that the table does not have (groups); none unless the suite says otherwise.
    MissingGroups,
    /// The groups beyond those that the schedule has on a date (groups); none unless the suite says otherwise.
    UnscheduledGroups,
    /// The rows whose key the schedule has on the same day (percent); all of them unless the suite says
    /// otherwise. On dates that the schedule knows.
    Scheduled(Scheduled),
    /// The dates with rows from before the phase began (dates); none unless the suite says otherwise.
    Freshness,
    /// The range in percent of the time before it; see [`Change`].
    Change(Change),
    /// The rows that find their partner of the same day in the partner table (percent).
    Reference(Partnered),
    /// The keys that only one of the two tables has on a day (keys); none unless the suite says otherwise.
    UnmatchedKeys(NoKeys),
    /// The keys over which the sums of the two tables agree (percent). A single one that does not is said, as a
    /// warning, also where the share is good enough.
    Sums(Sums),
    /// The one figure of a query of the suite's own.
    Sql(SqlFigure),
}

/// A kind without parameters: `row_count: {}`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Expected dates without a row.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingDates {
    /// The days on which rows are expected, if no schedule says so.
    pub calendar: Option<Calendar>,
}

/// The days on which a table has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// Every day.
    Daily,
    /// Monday to Friday.
    Weekdays,
    /// Some day of every month.
    Monthly,
}

impl Calendar {
    /// As a suite writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekdays => "weekdays",
            Self::Monthly => "monthly",
        }
    }
}

/// What a zero is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zero {
    /// A group of a day in which every number is zero has no value at all.
    Missing,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The column.
    pub column: Ident,
}

/// The average of a column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Average {
    /// The column.
    pub column: Ident,
    /// What the average of every month must reach, in percent of the whole range's.
    pub worst_month_share: Option<f64>,
}

/// Some columns.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnList {
    /// The columns.
    pub columns: Vec<Ident>,
}

/// Rows that are counted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The condition that they meet.
    pub of: Condition,
}

/// A share of rows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The condition that the rows must meet.
    pub of: Condition,
    /// The condition in its place if the table lacks a column of it.
    pub otherwise: Option<Condition>,
    /// The column that the table lacks, if the condition is the one in its place.
    #[serde(skip)]
    pub in_place_of: Option<Ident>,
    /// What every month must reach, in percent.
    pub worst_month_floor: Option<f64>,
    /// What every date must reach, in percent.
    pub worst_date_floor: Option<f64>,
    /// Months and dates with fewer rows are not held against their floor.
    #[serde(default = "few_rows")]
    pub floor_min_rows: u64,
}

impl Share {
    /// Its floors, where it has any.
    #[must_use]
    pub fn floors(&self) -> Option<Floors> {
        let floors = Floors {
            month: self.worst_month_floor,
            date: self.worst_date_floor,
            min_rows: self.floor_min_rows,
        };
        (floors.month.is_some() || floors.date.is_some()).then_some(floors)
    }
}

/// What every part of the range must reach, so that a hole cannot hide in a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floors {
    /// Every month, in percent.
    pub month: Option<f64>,
    /// Every date, in percent.
    pub date: Option<f64>,
    /// Months and dates with fewer rows are not held against it.
    pub min_rows: u64,
}

/// How complete a column is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completeness {
    /// The column.
    pub column: Ident,
    /// Only a finite number counts as a value.
    #[serde(default)]
    pub numbers: bool,
    /// What every month must reach, in percent.
    pub worst_month_floor: Option<f64>,
    /// What every date must reach, in percent.
    pub worst_date_floor: Option<f64>,
    /// Months and dates with fewer rows are not held against their floor.
    #[serde(default = "few_rows")]
    pub floor_min_rows: u64,
    /// What every group (a team) must reach in every month.
    pub worst_group: Option<WorstGroup>,
    /// The group whose values are all there or all missing: small numbers count these, and not rows.
    pub by: Option<String>,
    /// What a zero is taken for.
    pub zero: Option<Zero>,
}

impl Completeness {
    /// The groups of a day that cannot have zeros alone: those of `worst_group`, else the suite's, else the day.
    #[must_use]
    pub fn zero_groups(&self, suite: &super::Suite) -> Vec<Ident> {
        match (&self.worst_group, &suite.group) {
            (Some(group), _) => group.columns.clone(),
            (None, Some(group)) => vec![group.column.clone()],
            (None, None) => vec![suite.date_column.clone()],
        }
    }

    /// Its floors.
    #[must_use]
    pub fn floors(&self) -> Floors {
        Floors {
            month: self.worst_month_floor,
            date: self.worst_date_floor,
            min_rows: self.floor_min_rows,
        }
    }
}

/// What every group must reach in every month, so that one that is empty cannot hide among thirty.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstGroup {
    /// What makes a group.
    pub columns: Vec<Ident>,
    /// What it must reach, in percent.
    pub floor: f64,
    /// A group with fewer rows in a month is not held against it.
    #[serde(default = "thirty_rows")]
    pub min_rows: u64,
}

const fn few_rows() -> u64 {
    10
}

const fn thirty_rows() -> u64 {
    30
}

/// Values that a column may have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedValues {
    /// The column. NULL is no value and is not counted: completeness is a check of its own.
    pub column: Ident,
    /// The values.
    pub values: Vec<Literal>,
}

/// The range that a column's values lie in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueRange {
    /// The column. NULL is no value and is not counted: completeness is a check of its own.
    pub column: Ident,
    /// The smallest value allowed.
    pub min: Option<f64>,
    /// The largest value allowed.
    pub max: Option<f64>,
}

/// How many rows a group has.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsPerGroup {
    /// What makes a group, beside the day.
    pub columns: Vec<Ident>,
    /// How many rows it has, exactly.
    pub exactly: Option<u64>,
    /// How many rows it has, at least.
    pub min: Option<u64>,
    /// How many rows it has, at most.
    pub max: Option<u64>,
}

impl RowsPerGroup {
    /// The fewest and the most rows allowed.
    #[must_use]
    pub fn limits(&self) -> (u64, u64) {
        (
            self.exactly.or(self.min).unwrap_or(0),
            self.exactly.or(self.max).unwrap_or(u64::MAX),
        )
    }
}

/// The range against the time before it: under `warn_below` percent of before is a warning, under
/// `fail_below` a failure. Exactly one of `completeness` and `volume`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Compares the share of rows that have a value in this column.
    pub completeness: Option<Ident>,
    /// Compares the rows, per group where the suite has one and per date otherwise.
    #[serde(default)]
    pub volume: bool,
    /// How many days before the range it is held against.
    #[serde(default = "ninety")]
    pub days: u64,
    /// Percent of before; 95 unless the check gives a lowest figure of its own.
    pub warn_below: Option<f64>,
    /// Percent of before; 90 unless the check gives a lowest figure of its own.
    pub fail_below: Option<f64>,
}

impl Change {
    /// Fills in what is not given. `given` is the comparison of the check's own threshold: one that says how low
    /// the figure may be takes the place of both.
    pub(super) fn fill_in(&mut self, given: Option<Comparison>) {
        if matches!(given, None | Some(Comparison::AtMost)) {
            self.warn_below = self.warn_below.or(Some(95.0));
            self.fail_below = self.fail_below.or(Some(90.0));
        }
    }
}

const fn ninety() -> u64 {
    90
}

/// Columns that find their partner on the same day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partnered {
    /// The columns, named alike in both tables.
    pub columns: Vec<Ident>,
    /// What every date must reach, in percent.
    pub worst_date_floor: Option<f64>,
}

/// Rows that the schedule must have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// The rows that are held against it; all where it is not given.
    pub of: Option<Condition>,
    /// The columns of a key. The first names what is scheduled (a game): where the schedule has none of its
    /// values, it calls them otherwise, and nothing can be held against it.
    pub columns: Vec<Ident>,
    /// For each of them the names that the schedule may have for it; the same if it is not given.
    pub schedule_columns: Option<Vec<Vec<Ident>>>,
    /// Whether the last two columns may also be the other way round: a row of either side of a game.
    #[serde(default)]
    pub either_side: bool,
}

impl Scheduled {
    /// For each column the names that the schedule may have for it.
    pub fn names(&self) -> impl Iterator<Item = &[Ident]> {
        (0..self.columns.len()).map(|at| match &self.schedule_columns {
            Some(names) => names[at].as_slice(),
            None => std::slice::from_ref(&self.columns[at]),
        })
    }
}

/// Columns whose values both tables must have on the same day.
pub type NoKeys = ColumnList;

/// Sums that must agree.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// What the sums are made over, named alike in both tables.
    pub columns: Vec<Ident>,
    /// What is added up here.
    pub column: Ident,
    /// What it must come to there.
    pub partner_column: Ident,
    /// What every date must reach, in percent.
    pub worst_date_floor: Option<f64>,
}

/// A query of the suite's own for what the other kinds cannot say; `@start` and `@end` are the range. It
/// must return one row with one number.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlFigure {
    /// For SQLite.
    pub sqlite: Option<String>,
    /// For BigQuery.
    pub bigquery: Option<String>,
    /// For DuckDB.
    pub duckdb: Option<String>,
}

impl SqlFigure {
    /// The query for an engine, by its name.
    #[must_use]
    pub fn for_engine(&self, engine: &str) -> Option<&str> {
        let sql = match engine {
            "sqlite" => &self.sqlite,
            "bigquery" => &self.bigquery,
            "duckdb" => &self.duckdb,
            _ => &None,
        };
        sql.as_deref()
    }
}

impl Kind {
    /// The threshold of a check that gives none.
    #[must_use]
    pub fn default_bound(&self) -> Option<Bound> {
        let (op, value) = match self {
            Self::MatchingRows(_)
            | Self::UniqueKey
            | Self::RowsPerGroup(_)
            | Self::Varies(_)
            | Self::MissingDates(_)
            | Self::MissingGroups
            | Self::UnscheduledGroups
            | Self::Freshness
            | Self::UnmatchedKeys(_) => (Comparison::AtMost, 0.0),
            Self::AcceptedValues(_) | Self::ValueRange(_) | Self::Scheduled(_) => {
                (Comparison::AtLeast, 100.0)
            }
            Self::Change(change) => (Comparison::AtLeast, change.fail_below.unwrap_or(90.0)),
            _ => return None,
        };
        Some(Bound {
            op,
            value,
            config_key: None,
        })
    }

    /// Its key in a suite.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::RowCount => "row_count",
            Self::DistinctCount(_) => "distinct_count",
            Self::MatchingRows(_) => "matching_rows",
            Self::Completeness(_) => "completeness",
            Self::Share(_) => "share",
            Self::Average(_) => "average",
            Self::Minimum(_) => "minimum",
            Self::Maximum(_) => "maximum",
            Self::Varies(_) => "varies",
            Self::AcceptedValues(_) => "accepted_values",
            Self::ValueRange(_) => "value_range",
            Self::UniqueKey => "unique_key",
            Self::RowsPerGroup(_) => "rows_per_group",
            Self::MissingDates(_) => "missing_dates",
            Self::MissingGroups => "missing_groups",
            Self::UnscheduledGroups => "unscheduled_groups",
            Self::Scheduled(_) => "scheduled",
            Self::Freshness => "freshness",
            Self::Change(_) => "change",
            Self::Reference(_) => "reference",
            Self::UnmatchedKeys(_) => "unmatched_keys",
            Self::Sums(_) => "sums",
            Self::Sql(_) => "sql",
        }
    }

    /// Whether the check cannot be judged without a threshold.
    #[must_use]
    pub fn needs_bound(&self) -> bool {
        self.default_bound().is_none()
    }

    /// Whether the figure is a share in percent.
    #[must_use]
    pub fn is_percent(&self) -> bool {
        matches!(
            self,
            Self::Completeness(_)
                | Self::Share(_)
                | Self::AcceptedValues(_)
                | Self::ValueRange(_)
                | Self::Change(_)
                | Self::Scheduled(_)
                | Self::Reference(_)
                | Self::Sums(_)
        )
    }

    /// Whether the figure counts something.
    fn is_count(&self) -> bool {
        !self.is_percent()
            && !matches!(
                self,
                Self::Average(_) | Self::Minimum(_) | Self::Maximum(_) | Self::Sql(_)
            )
    }

    /// The floors of its parts that are percentages, with their keys.
    fn percentages(&self) -> Vec<(&'static str, Option<f64>)> {
        let (month, date) = ("worst_month_floor", "worst_date_floor");
        match self {
            Self::Share(of) => vec![(month, of.worst_month_floor), (date, of.worst_date_floor)],
            Self::Completeness(of) => vec![
                (month, of.worst_month_floor),
                (date, of.worst_date_floor),
                (
                    "the floor of worst_group",
                    of.worst_group.as_ref().map(|group| group.floor),
                ),
            ],
            Self::Average(of) => vec![("worst_month_share", of.worst_month_share)],
            Self::Change(of) => vec![("warn_below", of.warn_below), ("fail_below", of.fail_below)],
            Self::Reference(of) => vec![(date, of.worst_date_floor)],
            Self::Sums(of) => vec![(date, of.worst_date_floor)],
            _ => Vec::new(),
        }
    }

    /// Refuses a threshold or a floor that no share can be held against.
    pub(super) fn verify_percentages(&self, bound: Option<&Bound>) -> Result<(), String> {
        for (key, value) in self.percentages() {
            if let Some(value) = value {
                percentage(key, value, true)?;
            }
        }
        if let Some(bound) = bound.filter(|_| self.is_count())
            && bound.op != Comparison::AtLeast
            && bound.value < 0.0
        {
            return Err(format!("a count is never {}", bound.value));
        }
        let Some(bound) = bound.filter(|_| self.is_percent()) else {
            return Ok(());
        };
        match bound.op {
            Comparison::AtLeast => percentage("at_least", bound.value, true),
            // More than before is more than 100 % of it.
            Comparison::AtMost if matches!(self, Self::Change(_)) && bound.value >= 0.0 => Ok(()),
            Comparison::AtMost => percentage("at_most", bound.value, false),
            Comparison::Exactly | Comparison::Unknown => percentage("exactly", bound.value, false),
        }
    }

    /// What no type can say.
    pub(super) fn verify(&self) -> Result<(), String> {
        match self {
            Self::DistinctCount(list) if list.columns.is_empty() => Err("no columns".to_owned()),
            Self::RowsPerGroup(groups) if groups.columns.is_empty() => Err("no columns".to_owned()),
            Self::RowsPerGroup(groups) => {
                let (min, max) = groups.limits();
                let both =
                    groups.exactly.is_some() && (groups.min.is_some() || groups.max.is_some());
                if both || min > max || (min == 0 && max == u64::MAX) {
                    return Err("rows_per_group needs exactly, or min and/or max".to_owned());
                }
                Ok(())
            }
            Self::AcceptedValues(accepted) if accepted.values.is_empty() => {
                Err("no values".to_owned())
            }
            Self::ValueRange(range) => match (range.min, range.max) {
                (None, None) => Err("value_range needs min, max or both".to_owned()),
                (Some(min), Some(max)) if min > max => Err("min is above max".to_owned()),
                _ => Ok(()),
            },
            Self::Change(change) => {
                if change.completeness.is_some() == change.volume {
                    return Err("change needs either completeness or volume".to_owned());
                }
                if change.days == 0 || change.days > 3_660 {
                    return Err("change looks back 1 to 3660 days".to_owned());
                }
                Ok(())
            }
            Self::Scheduled(keys) if keys.columns.is_empty() => Err("no columns".to_owned()),
            Self::Scheduled(Scheduled {
                columns,
                schedule_columns: Some(names),
                ..
            }) if names.len() != columns.len() || names.iter().any(Vec::is_empty) => {
                Err("schedule_columns must have names for each of the columns".to_owned())
            }
            Self::Reference(keys) if keys.columns.is_empty() => Err("no columns".to_owned()),
            Self::UnmatchedKeys(keys) if keys.columns.is_empty() => Err("no columns".to_owned()),
            Self::Sums(sums) if sums.columns.is_empty() => Err("no columns".to_owned()),
            Self::Sql(figure) if *figure == SqlFigure::default() => {
                Err("sql needs a query for sqlite, bigquery or duckdb".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Refuses what is no percentage; as a floor also what was surely meant as a fraction of 1.
fn percentage(key: &str, value: f64, is_floor: bool) -> Result<(), String> {
    if !(0.0..=100.0).contains(&value) {
        return Err(format!("{key}: {value} is no percentage (0 to 100)"));
    }
    if is_floor && value > 0.0 && value < 1.0 {
        return Err(format!(
            "{key}: {value} would be under one percent; shares are given in percent (0.99 is 99)"
        ));
    }
    Ok(())
}
