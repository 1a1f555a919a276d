//! The dates that a table should have, and how many groups (games) each of them should have.

mod csv;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use bf_config::{Config, ExpectedDates};
use bf_contract::{DateRange, LedgerStatus};
use bf_warehouse::{Ident, TableName, Warehouse, WarehouseError};
use chrono::{Days, NaiveDate};

use crate::log_input::LogInput;
use crate::scheduled::ScheduleTable;
use crate::suite::{Bootstrap, Schedule, Suite};

/// How far around a range in which a schedule has nothing it is looked for dates, to tell a summer from a
/// schedule that ends before: longer than any pause between two seasons.
const LONGEST_PAUSE: Days = Days::new(400);

/// Longer than any pause within a season: around the All-Star break there are 7 days from one game to the next.
pub const PAUSE_DAYS: i64 = 8;
/// No summer between two seasons is shorter, in days.
const SUMMER_DAYS: i64 = 60;

/// What is known of the dates that a table should have.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// The dates.
    Known(Expected),
    /// Nobody can say; with the hint how to tell.
    Unknown(String),
    /// A source that is configured, or that is there, did not answer.
    Failed(String),
}

impl Expectation {
    /// Whether something other than the log itself says which dates the table should have.
    #[must_use]
    pub fn is_of_others_than_the_log(&self) -> bool {
        matches!(self, Self::Known(expected) if !expected.is_of_the_log())
    }
}

/// How the dates of the log's own entries are called.
const LOG: &str = "the log's own dates";

/// The dates that a table should have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    /// Where they are from, for people.
    pub source: String,
    /// The dates, with the number of groups of each; 1 where the source counts none.
    pub dates: BTreeMap<NaiveDate, u64>,
    /// Dates of the source that the table need not have: the first days of a season.
    pub left_out: BTreeSet<NaiveDate>,
    /// Whether the source counts groups.
    pub counts_groups: bool,
    /// Whether the source says what was planned, as opposed to what was written.
    pub is_schedule: bool,
    /// The schedule's own rows, where it is a table.
    pub schedule: Option<Box<ScheduleTable>>,
    /// Dates on which a schedule has something that was never marked as played.
    pub unplayed: BTreeSet<NaiveDate>,
    /// Rows of a schedule whose date is no date.
    pub unreadable: u64,
    /// The first and the last date that the source has, in the range it was asked about.
    pub span: Option<DateRange>,
}

impl Expected {
    fn new(source: String, dates: BTreeMap<NaiveDate, u64>) -> Self {
        let span =
            dates
                .first_key_value()
                .zip(dates.last_key_value())
                .map(|((start, _), (end, _))| DateRange {
                    start: *start,
                    end: *end,
                });
        Self {
            source,
            dates,
            span,
            ..Self::default()
        }
    }

    fn schedule(source: String, dates: BTreeMap<NaiveDate, u64>, counts_groups: bool) -> Self {
        Self {
            counts_groups,
            is_schedule: true,
            ..Self::new(source, dates)
        }
    }

    /// Whether nothing but the log's own entries stands behind it.
    #[must_use]
    pub fn is_of_the_log(&self) -> bool {
        self.source == LOG
    }

    /// The dates of a range, with their groups.
    pub fn within(&self, range: DateRange) -> impl Iterator<Item = (NaiveDate, u64)> {
        self.dates
            .range(range.start..=range.end)
            .map(|(date, groups)| (*date, *groups))
    }

    /// The groups of a range.
    #[must_use]
    pub fn groups(&self, range: DateRange) -> u64 {
        self.within(range).map(|(_, groups)| groups).sum()
    }

    /// Whether the source has the date.
    #[must_use]
    pub fn knows(&self, date: NaiveDate) -> bool {
        self.dates.contains_key(&date) || self.left_out.contains(&date)
    }

    /// Whether nothing is surely to be there: the schedule goes on before and after the range, and has
    /// nothing in it that the table must have.
    #[must_use]
    pub fn is_surely_nothing(&self, range: DateRange) -> bool {
        let says_something = self.left_out.range(range.start..=range.end).next();
        let known = || self.dates.keys().chain(&self.left_out).copied();
        let before = known().filter(|date| *date < range.start).max();
        let after = known().filter(|date| *date > range.end).min();
        // What is longer than any pause and shorter than any summer may well be a hole in the schedule.
        let surrounds = before.zip(after).is_some_and(|(before, after)| {
            let days = (after - before).num_days();
            !(PAUSE_DAYS..SUMMER_DAYS).contains(&days)
        });
        self.is_schedule
            && self.within(range).next().is_none()
            && (surrounds || says_something.is_some())
    }

    /// Whether the source goes as far back as the range, and as far on.
    #[must_use]
    pub fn reaches(&self, range: DateRange) -> (bool, bool) {
        self.span.map_or((false, false), |span| {
            (span.start <= range.start, span.end >= range.end)
        })
    }

    fn is_silent(&self, range: DateRange) -> bool {
        self.within(range).next().is_none()
    }

    /// Leaves out the first days of each season.
    fn without(mut self, bootstrap: Option<&Bootstrap>) -> Self {
        if let Some(bootstrap) = bootstrap {
            let all = self.dates.keys();
            self.left_out = all.copied().filter(|date| bootstrap.has(*date)).collect();
            self.dates.retain(|date, _| !bootstrap.has(*date));
        }
        self
    }
}

/// Asks the sources in turn: the config's; the suite's schedules; the ledger; the partner table. `read` is
/// what the caller needs to know about, `range` what is validated: a source that is silent about the range
/// is no source, unless it is a schedule and all others are silent, too.
///
/// # Errors
/// Somebody asked to stop, or the deadline passed.
pub fn find(
    suite: &Suite,
    config: &Config,
    log: Option<&LogInput>,
    read: DateRange,
    range: DateRange,
    warehouse: &mut Warehouse,
) -> Result<Expectation, WarehouseError> {
    let found = match &config.expected_dates {
        Some(source) => configured(suite, source, log, (read, range), warehouse),
        None => first_that_speaks(suite, log, (read, range), warehouse),
    };
    match found {
        Ok(Some(expected)) => Ok(Expectation::Known(
            expected.without(suite.bootstrap.as_ref()),
        )),
        Ok(None) => Ok(Expectation::Unknown(
            "no schedule is known: name one in the config (expected_dates: table or csv), or give ledger \
             entries with --log-summary"
                .to_owned(),
        )),
        Err(Trouble::Ended(error)) => Err(error),
        Err(Trouble::Failed(reason)) => Ok(Expectation::Failed(reason)),
    }
}

/// Why a source says nothing.
enum Trouble {
    /// The whole run ends.
    Ended(WarehouseError),
    /// The source did not answer.
    Failed(String),
}

impl Trouble {
    fn of(source: &str, error: WarehouseError) -> Self {
        match error {
            error if error.ends_the_run() => Self::Ended(error),
            other => {
                let hint = other
                    .hint()
                    .map_or_else(String::new, |hint| format!(" ({hint})"));
                Self::Failed(format!("{source}: {other}{hint}"))
            }
        }
    }
}

/// The source that the config names. It has the only word.
fn configured(
    suite: &Suite,
    source: &ExpectedDates,
    log: Option<&LogInput>,
    ranges: (DateRange, DateRange),
    warehouse: &mut Warehouse,
) -> Result<Option<Expected>, Trouble> {
    let failed = |reason: &str| Err(Trouble::Failed(reason.to_owned()));
    let given = [source.table.is_some(), source.csv.is_some(), source.log];
    if given.iter().filter(|given| **given).count() != 1 {
        return failed("expected_dates of the config must have exactly one of table, csv and log");
    }
    if let Some(path) = &source.csv {
        let dates = csv::read(path).map_err(Trouble::Failed)?;
        let dates = dates.into_iter().map(|date| (date, 1)).collect();
        return Ok(Some(Expected::schedule(
            path.display().to_string(),
            dates,
            false,
        )));
    }
    if source.log {
        let found = of_ledger(log).ok_or_else(|| {
            Trouble::Failed(
                "expected_dates: log needs ledger entries in --log-summary (bf-parse-log --ledger)"
                    .to_owned(),
            )
        })?;
        return Ok(Some(found));
    }
    let table = source.table.as_deref().unwrap_or_default();
    let column = source.column.as_deref().unwrap_or("game_date");
    match (table.parse::<TableName>(), Ident::new(column)) {
        (Ok(table), Ok(date_column)) => {
            let schedule = suite.schedule_like(table, date_column);
            scheduled(suite, &schedule, ranges, warehouse)
                .map(Some)
                .map_err(|error| Trouble::of("expected_dates", error))
        }
        (Err(error), _) | (_, Err(error)) => {
            failed(&format!("expected_dates of the config: {error}"))
        }
    }
}

fn first_that_speaks(
    suite: &Suite,
    log: Option<&LogInput>,
    (read, range): (DateRange, DateRange),
    warehouse: &mut Warehouse,
) -> Result<Option<Expected>, Trouble> {
    let mut silent = None;
    for schedule in &suite.schedules {
        match scheduled(suite, schedule, (read, range), warehouse) {
            Ok(expected) if !expected.is_silent(range) => return Ok(Some(expected)),
            Ok(expected) => {
                silent = silent.or_else(|| expected.is_surely_nothing(range).then_some(expected));
            }
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(Trouble::of("schedule", error)),
        }
    }
    if let Some(expected) = of_ledger(log).filter(|expected| !expected.is_silent(range)) {
        return Ok(Some(expected));
    }
    if let Some(partner) = &suite.partner {
        let source = table::Source {
            table: &partner.table,
            date_column: &partner.date_column,
            rules: None,
        };
        match table::read(suite, source, read, warehouse) {
            Ok(expected) if !expected.is_silent(range) => return Ok(Some(expected)),
            Ok(_) => {}
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(Trouble::of("the other table's dates", error)),
        }
    }
    Ok(silent)
}

/// The dates of a schedule. Where it has none in the range, or none at an end of it, it is asked further, for
/// what lies around: a summer and the end of a schedule look alike from within.
fn scheduled(
    suite: &Suite,
    schedule: &Schedule,
    (read, range): (DateRange, DateRange),
    warehouse: &mut Warehouse,
) -> Result<Expected, WarehouseError> {
    let source = table::Source {
        table: &schedule.table,
        date_column: &schedule.date_column,
        rules: Some(schedule),
    };
    let expected = table::read(suite, source, read, warehouse)?;
    let is_clear = expected.is_surely_nothing(range)
        || (!expected.is_silent(range) && expected.reaches(range) == (true, true));
    if is_clear {
        return Ok(expected);
    }
    let around = DateRange {
        start: read
            .start
            .checked_sub_days(LONGEST_PAUSE)
            .unwrap_or(read.start),
        end: read.end.checked_add_days(LONGEST_PAUSE).unwrap_or(read.end),
    };
    table::read(suite, source, around, warehouse)
}

/// The dates that the log says it wrote records for.
fn of_ledger(log: Option<&LogInput>) -> Option<Expected> {
    let log = log.filter(|log| !log.ledger.is_empty())?;
    let dates = log
        .ledger
        .values()
        .filter(|entry| entry.status == LedgerStatus::Success)
        .filter(|entry| entry.records.is_some_and(|records| records > 0))
        .map(|entry| (entry.date, 1))
        .collect();
    Some(Expected::new(LOG.to_owned(), dates))
}
