//! What a suite says of its table and of each check, which the kinds of checks need to know.

use std::collections::BTreeMap;

use bf_cli::Failure;
use bf_contract::{Comparison, DateRange, Level, Threshold};
use bf_warehouse::{Condition, Ident, TableName};
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::calendar::{Bootstrap, DayCount, Schedule};
use super::rules::Rules;
use super::written_at::WrittenAt;

/// What a suite says of its table. Its checks are read beside it, as a check may need to know the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableSpec {
    /// Its name, which `levels:` of the config and the report use.
    pub suite: String,
    /// The heading of the report; the table's name in capitals where it is not given.
    pub title: Option<String>,
    /// The table.
    pub table: TableName,
    /// The column with the day that a row belongs to.
    pub date_column: Ident,
    /// What makes a row one of a kind.
    pub primary_key: Vec<Ident>,
    /// What a row belongs to beside its day, such as the game; what a schedule counts.
    pub group: Option<Group>,
    /// The rows that the checks are about, unless a check says otherwise; all rows where it is not given.
    pub filter: Option<Condition>,
    /// When a row was written.
    pub written_at: Option<WrittenAt>,
    /// The range that absolute floors belong to.
    pub reference_range: Option<DateRange>,
    /// The section of the config that thresholds with a `config_key` come from.
    pub config_section: Option<String>,
    /// Schedule tables that are looked for, in this order, where the config names no `expected_dates`.
    #[serde(default)]
    pub schedules: Vec<Schedule>,
    /// The first days of a season, in which the table has no rows and none are missed.
    pub bootstrap: Option<Bootstrap>,
    /// The first day that the table has data of: nothing is expected before it.
    pub data_begins: Option<NaiveDate>,
    /// The longest pause that a schedule may have, such as a summer; a longer one is a hole.
    pub longest_pause: Option<DayCount>,
    /// The smallest share of its dates that a job may complete with, in percent; the config section's, else 100.
    pub min_success_rate: Option<f64>,
    /// The time zone in which its days begin; the machine's if it is not given.
    pub timezone: Option<String>,
    /// Whether a date that failed may keep the rows of an earlier run.
    #[serde(default)]
    pub allow_rows_on_failed_dates: bool,
    /// Other names that columns have in some deployments: `{home_game: [is_home]}`.
    #[serde(default)]
    pub also_called: BTreeMap<Ident, Vec<Ident>>,
    /// The table beside this one.
    pub partner: Option<Partner>,
    /// Columns of the sample rows in the evidence, beside the date and the primary key.
    #[serde(default)]
    pub sample_columns: Vec<Ident>,
    /// The names under which the job that fills the table may appear in its log, beside the suite's and the
    /// table's.
    #[serde(default)]
    pub jobs: Vec<String>,
    /// The command that repeats dates, where the config names none for this suite; `{dates}`, `{start}` and
    /// `{end}` are filled in.
    pub rerun: Option<Vec<String>>,
    /// They are read by themselves.
    #[serde(rename = "checks")]
    _checks: IgnoredAny,
}

/// What rows belong to beside their day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// What one of them is called: `game`.
    pub name: String,
    /// The column that names it.
    pub column: Ident,
}

/// A table that stands beside the suite's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Partner {
    /// The table.
    pub table: TableName,
    /// The column with the day that a row belongs to.
    pub date_column: Ident,
    /// Whether it may be missing: then the checks that compare with it are skipped; else they could not be checked.
    #[serde(default)]
    pub optional: bool,
    /// The command that repeats its dates.
    pub rerun: Option<Vec<String>>,
}

/// What a check says, whatever its kind.
#[derive(Debug, Clone)]
pub(crate) struct CheckSpec {
    /// Its name, which `levels:` of the config and the report use.
    pub name: String,
    /// How a person calls it; the name, and the kind if the name does not say it, unless it is given.
    pub title: String,
    /// The heading that it stands under; its title unless it is given.
    pub section: String,
    /// How much it counts, unless the config says otherwise.
    pub level: Level,
    /// The rows that it is about, in place of the suite's filter.
    pub filter: Option<Condition>,
    /// About all rows, whatever the suite's filter.
    pub all_rows: bool,
    /// If the table has no such column the check is skipped; else it could not be checked.
    pub optional: bool,
    /// The threshold.
    pub bound: Option<Bound>,
}

impl CheckSpec {
    /// What its figure must meet.
    #[must_use]
    pub(crate) fn threshold(&self) -> Option<Threshold> {
        self.bound.as_ref().map(|bound| Threshold {
            op: bound.op,
            value: bound.value,
        })
    }
}

/// What a figure must meet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    /// The comparison.
    pub op: Comparison,
    /// The figure, in the unit of the check.
    pub value: f64,
    /// The key of the config section that the figure comes from, if there is one.
    pub config_key: Option<String>,
}

impl TableSpec {
    /// A schedule table that a config names: its rows are read as the suite says of that table, or of its first one.
    #[must_use]
    pub(crate) fn schedule_like(&self, table: TableName, date_column: Ident) -> Schedule {
        let same = self.schedules.iter().find(|known| known.table == table);
        let like = same.or(self.schedules.first());
        Schedule {
            rows: like.map_or_else(Rules::default, |like| like.rows.clone()),
            played: like.map_or_else(Rules::default, |like| like.played.clone()),
            table,
            date_column,
        }
    }

    /// The time zone in which its days begin.
    ///
    /// # Errors
    /// Its name is not that of a zone: usage (exit 2).
    pub(crate) fn timezone(&self) -> Result<Option<bf_cli::Zone>, Failure> {
        let zone = self.timezone.as_deref().map(str::parse);
        zone.transpose()
            .map_err(|error: String| Failure::usage(format!("timezone: {error}")))
    }

    /// What it says about how far its schedules reach.
    #[must_use]
    pub(crate) fn reach(&self) -> crate::expected::Rules {
        crate::expected::Rules {
            data_begins: self.data_begins,
            longest_pause: self.longest_pause.map(|days| days.0),
        }
    }

    /// Whether a job of this name, as a log tells it, fills the table. A version behind either name is no
    /// difference: the job `ml_feature_store` fills the table `ml_feature_store_v2`.
    #[must_use]
    pub(crate) fn is_filled_by(&self, job: &str) -> bool {
        let job = job.to_ascii_lowercase();
        let names = [self.suite.as_str(), self.table.table.as_str()];
        let mut names = names
            .into_iter()
            .chain(self.jobs.iter().map(String::as_str));
        names.any(|name| {
            let name = name.to_ascii_lowercase();
            let is_version = |rest: &str| {
                rest.is_empty()
                    || rest.strip_prefix("_v").is_some_and(|number| {
                        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                    })
            };
            name.strip_prefix(&job).is_some_and(is_version)
                || job.strip_prefix(&name).is_some_and(is_version)
        })
    }

    /// The rows that a check is about.
    #[must_use]
    pub(crate) fn filter_of<'a>(&'a self, check: &'a CheckSpec) -> Option<&'a Condition> {
        if check.all_rows {
            None
        } else {
            check.filter.as_ref().or(self.filter.as_ref())
        }
    }

    /// The heading of the report.
    #[must_use]
    pub(crate) fn heading(&self) -> String {
        self.title
            .clone()
            .unwrap_or_else(|| self.table.table.as_str().to_ascii_uppercase())
    }
}
