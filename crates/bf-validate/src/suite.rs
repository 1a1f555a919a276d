//! A suite: the checks of one table, as data.

mod builtin;
mod calendar;
mod check;
mod levels;
mod misspelt;
mod resolve;
mod rules;
mod written_at;

use std::collections::BTreeMap;
use std::path::Path;

use bf_cli::Failure;
use bf_config::{Config, load_yaml, parse_yaml};
use bf_contract::{Comparison, DateRange, Level};
use bf_warehouse::{Ident, TableName};
use chrono::NaiveDate;
use serde::Deserialize;

use crate::checks::{Calendar, Kind};
use crate::condition::Condition;

pub(crate) use levels::verify as verify_levels;

pub(crate) use builtin::{Builtin, min_success_rate};
pub(crate) use calendar::{Bootstrap, DayCount, Schedule};
pub(crate) use rules::Rules;
pub(crate) use written_at::WrittenAt;

/// The checks of the date column, which every table gets where there is something to say.
pub(crate) const DATE_CHECKS: [&str; 2] = ["readable_dates", "plain_dates"];

/// The checks of one table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
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
    /// The checks.
    pub checks: Vec<Check>,
    /// The file that it was read from, and what that says; none if it is built in.
    #[serde(skip)]
    source: Option<(String, String)>,
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

/// One check.
#[derive(Debug, Clone)]
pub(crate) struct Check {
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
    /// What it checks.
    pub(crate) kind: Box<dyn Kind>,
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

/// Where a check is in the text of its suite, the `nth` of that name: ` at line 3 column 5`.
fn place(text: &str, check: &str, nth: usize) -> String {
    let is_it = |line: &str| {
        let at = line.find("name:")?;
        let value = line[at + 5..].split([',', '}', '#']).next()?;
        let value = value.trim().trim_matches(['"', '\'']);
        (value == check).then_some(at + 1)
    };
    let lines = text.lines().enumerate();
    let found: Vec<(usize, usize)> = lines
        .filter_map(|(number, line)| Some((number + 1, is_it(line)?)))
        .collect();
    let found = found.get(nth).or(found.last());
    found.map_or_else(String::new, |(line, column)| {
        format!(" at line {line} column {column}")
    })
}

impl Suite {
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

    /// Reads a suite from a file.
    ///
    /// # Errors
    /// The file cannot be read or is no suite: usage (exit 2), with the line.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let suite = load_yaml::<Self>(path)?;
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let origin = path.display().to_string();
        let mut suite = suite.verified(&origin, &text)?;
        suite.source = Some((origin, text));
        Ok(suite)
    }

    /// Reads a suite from text; `name` says in an error where the text is from.
    ///
    /// # Errors
    /// The text is no suite: usage (exit 2), with the line.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        parse_yaml::<Self>(text, name)?.verified(name, text)
    }

    /// What no type can say.
    fn verified(self, origin: &str, text: &str) -> Result<Self, Failure> {
        let refuse_at = |reason: String, place: String| {
            Err(Failure::usage(format!("{origin}: {reason}{place}"))
                .hint("nothing was started; fix that line"))
        };
        let refuse = |reason: String| Err(Failure::usage(format!("{origin}: {reason}")));
        if self.checks.is_empty() {
            return refuse("a suite without checks would pass everything".to_owned());
        }
        if self.primary_key.is_empty() {
            return refuse("primary_key is empty".to_owned());
        }
        if let Some(range) = self.reference_range
            && range.end < range.start
        {
            return refuse(format!("reference_range {range} ends before it starts"));
        }
        if let Some(reason) = self.bootstrap.as_ref().and_then(Bootstrap::flaw) {
            return refuse(reason);
        }
        if let Some(rate) = self.min_success_rate
            && !(0.0..=100.0).contains(&rate)
        {
            return refuse(format!(
                "min_success_rate: {rate} is not a percentage (0 to 100)"
            ));
        }
        if let Err(failure) = self.timezone() {
            return refuse(failure.message);
        }
        for (at, check) in self.checks.iter().enumerate() {
            if self.checks[..at]
                .iter()
                .any(|other| other.name == check.name)
            {
                let place = place(text, &check.name, 1);
                return refuse_at(format!("duplicate check name {}", check.name), place);
            }
            if Self::reserved_names().any(|name| name == check.name) {
                let reason = format!(
                    "the check name {} is reserved for a check that bf adds by itself; give yours another name",
                    check.name
                );
                return refuse_at(reason, place(text, &check.name, 0));
            }
            let flaw = check.kind.verify(&self);
            if let Err(reason) = flaw.and_then(|()| check.verify_threshold()) {
                let reason = format!("check {}: {reason}", check.name);
                return refuse_at(reason, place(text, &check.name, 0));
            }
        }
        Ok(self)
    }

    /// The suite with the config's thresholds and levels in place of its own.
    ///
    /// # Errors
    /// The config sets the level of a check that the suite does not have, or a `config_key` is not in its
    /// section: usage (exit 2).
    pub(crate) fn configured(mut self, config: &Config) -> Result<Self, Failure> {
        let numbers = match &self.config_section {
            Some(section) => builtin::numbers(config, section).ok_or_else(|| {
                Failure::usage(format!(
                    "suite {}: the config has no section {section}",
                    self.suite
                ))
            })?,
            None => Vec::new(),
        };
        for check in &mut self.checks {
            if let Some(bound) = &mut check.bound
                && let Some(key) = &bound.config_key
            {
                let found = numbers
                    .iter()
                    .find(|(name, _)| name == key)
                    .map(|(_, value)| *value);
                bound.value = found.ok_or_else(|| {
                    Failure::usage(format!(
                        "suite {}: check {}: no key {key} in the config's section",
                        self.suite, check.name
                    ))
                })?;
            }
        }
        if let Some(levels) = config.levels.get(&self.suite) {
            self.knows(levels)?;
            for check in &mut self.checks {
                if let Some(level) = levels.get(&check.name) {
                    check.level = *level;
                }
            }
        }
        Ok(self)
    }

    /// Refuses levels of checks that the suite does not have.
    pub(crate) fn knows(&self, levels: &BTreeMap<String, Level>) -> Result<(), Failure> {
        let own = self.checks.iter().map(|check| check.name.as_str());
        let known: Vec<&str> = own.chain(Self::reserved_names()).collect();
        match levels.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Failure::usage(format!(
                "config: levels: suite {} has no check {name}",
                self.suite
            ))
            .hint(format!("its checks: {}", known.join(", ")))),
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

    /// The calendar that says when it has rows, if a check names one.
    #[must_use]
    pub(crate) fn calendar(&self) -> Option<Calendar> {
        let mut kinds = self.checks.iter().map(|check| &check.kind);
        kinds.find_map(|kind| kind.calendar())
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

    /// The names of the checks that no suite lists.
    fn reserved_names<'a>() -> impl Iterator<Item = &'a str> {
        crate::log_checks::NAMES.into_iter().chain(DATE_CHECKS)
    }

    /// The rows that a check is about.
    #[must_use]
    pub(crate) fn filter_of<'a>(&'a self, check: &'a Check) -> Option<&'a Condition> {
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
