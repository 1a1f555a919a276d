//! The dates that a table should have, and how many groups (games) each of them should have.

mod csv;
mod reach;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use bf_config::{Config, ExpectedDates};
use bf_contract::{DateRange, LedgerStatus};
use bf_warehouse::{DatedTable, Engine, Ident, Listing, Plan, TableName, WarehouseError};
use chrono::{Datelike, Days, NaiveDate, Weekday};

use crate::log_input::LogInput;
use crate::scheduled::{ScheduleKeys, ScheduleRequest, ScheduleTable};
use crate::suite::{Bootstrap, Calendar, Schedule, TableSpec};

pub(crate) use reach::{GapKind, PAUSE_DAYS, Reach, Rules};

/// How far around a range a schedule is looked at for its next rows: longer than any pause between two seasons.
const LONGEST_PAUSE: Days = Days::new(400);

/// The most days of a pause on which the partner's rows are named.
const PARTNER_DAYS: u32 = 400;

/// What is known of the dates that a table should have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expectation {
    /// The dates.
    Known(Expected),
    /// Nothing tells; with the hint how to tell.
    Unknown(String),
    /// A source that is configured, or that is there, did not answer.
    Failed(String),
}

impl Expectation {
    /// The schedule that was read, if it is a table.
    #[must_use]
    pub(crate) fn schedule(&self) -> Option<&ScheduleTable> {
        match self {
            Self::Known(expected) => expected.schedule.as_deref(),
            Self::Unknown(_) | Self::Failed(_) => None,
        }
    }
}

/// How the dates of the log's own entries are called.
const LOG: &str = "the log's own dates";

/// The dates that a table should have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Expected {
    /// Where they are from, for people.
    pub source: String,
    /// The dates, with the number of groups of each; 1 if the source counts none.
    pub dates: BTreeMap<NaiveDate, u64>,
    /// Dates of the source that the table need not have: the first days of a season.
    pub left_out: BTreeSet<NaiveDate>,
    /// Whether the source counts groups.
    pub counts_groups: bool,
    /// Whether the source says what was planned, as opposed to what was written.
    pub is_schedule: bool,
    /// Whether it is a calendar, which tells of every day.
    pub is_calendar: bool,
    /// Whether it is a list that a person wrote, whose pauses are meant.
    pub is_list: bool,
    /// Whether it expects something in each month, on any day of it.
    pub by_month: bool,
    /// The schedule's own rows, if it is a table.
    pub schedule: Option<Box<ScheduleTable>>,
    /// The groups of a schedule that were never marked as played and were not played on another date either.
    pub unplayed: BTreeMap<NaiveDate, Vec<String>>,
    /// Rows of a schedule whose date is not a valid date.
    pub unreadable: u64,
    /// All days on which a schedule has rows, whatever their state, around the range; empty if none is known.
    pub known: BTreeSet<NaiveDate>,
    /// What a schedule cannot tell of the range.
    pub reach: Reach,
}

impl Expected {
    fn new(source: String, dates: BTreeMap<NaiveDate, u64>) -> Self {
        Self {
            source,
            dates,
            ..Self::default()
        }
    }

    fn schedule(source: String, dates: BTreeMap<NaiveDate, u64>, counts_groups: bool) -> Self {
        Self {
            counts_groups,
            is_schedule: true,
            known: dates.keys().copied().collect(),
            ..Self::new(source, dates)
        }
    }

    /// Whether nothing but the log's own entries is the source.
    #[must_use]
    pub(crate) fn is_of_the_log(&self) -> bool {
        self.source == LOG
    }

    /// Whether it is the table beside the suite's own: a date that both lack is in neither.
    #[must_use]
    pub(crate) fn is_of_the_partner(&self) -> bool {
        !self.is_schedule && !self.is_of_the_log()
    }

    /// The first and the last day that the source has rows on, in the range it was asked about.
    #[must_use]
    pub(crate) fn span(&self) -> Option<DateRange> {
        let known = self.known.first().copied().zip(self.known.last().copied());
        let dated = || {
            self.dates
                .keys()
                .next()
                .copied()
                .zip(self.dates.keys().next_back().copied())
        };
        known
            .or_else(dated)
            .map(|(start, end)| DateRange { start, end })
    }

    /// The dates of a range, with their groups.
    pub(crate) fn within(&self, range: DateRange) -> impl Iterator<Item = (NaiveDate, u64)> {
        self.dates
            .range(range.start..=range.end)
            .map(|(date, groups)| (*date, *groups))
    }

    /// The groups of a range.
    #[must_use]
    pub(crate) fn groups(&self, range: DateRange) -> u64 {
        self.within(range).map(|(_, groups)| groups).sum()
    }

    /// Whether the source expects something on the date, or has it among the days that need not be there.
    #[must_use]
    pub(crate) fn knows(&self, date: NaiveDate) -> bool {
        self.dates.contains_key(&date) || self.left_out.contains(&date)
    }

    /// Whether nothing is surely to be there: the schedule tells of the whole range, and has nothing in it that
    /// the table must have.
    #[must_use]
    pub(crate) fn is_surely_nothing(&self, range: DateRange) -> bool {
        self.is_schedule && self.is_empty_in(range) && self.reach.is_whole()
    }

    fn is_empty_in(&self, range: DateRange) -> bool {
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

/// What is asked of the sources.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The suite.
    pub suite: &'a TableSpec,
    /// The calendar that one of its checks names.
    pub calendar: Option<Calendar>,
    /// The config.
    pub config: &'a Config,
    /// What the log claims.
    pub log: Option<&'a LogInput>,
    /// All that is to be known.
    pub read: DateRange,
    /// What is validated.
    pub range: DateRange,
    /// The keys that are compared with a schedule's.
    pub(crate) scheduled: &'a [ScheduleRequest],
    /// The day on which nothing can be complete yet.
    pub today: NaiveDate,
}

/// Asks the sources in turn: the suite's calendar; the config's; the suite's schedules; the ledger; the partner
/// table. A schedule that has nothing in the range is still a source for how far it reaches.
///
/// # Errors
/// The run was interrupted, or the deadline passed.
pub(crate) fn find(
    asked: Question<'_>,
    warehouse: &mut dyn Engine,
) -> Result<Expectation, WarehouseError> {
    let found = match (asked.calendar, &asked.config.expected_dates) {
        (Some(calendar), _) => Ok(Some(of_calendar(calendar, asked))),
        (None, Some(source)) => configured(asked, source, warehouse),
        (None, None) => first_nonempty_source(asked, warehouse),
    };
    let found = found.and_then(|found| match found {
        Some(expected) => with_reach(expected, asked, warehouse).map(Some),
        None => Ok(None),
    });
    match found {
        Ok(Some(mut expected)) => {
            if let Some(begins) = asked.suite.data_begins {
                expected.dates.retain(|date, _| *date >= begins);
            }
            Ok(Expectation::Known(
                expected.without(asked.suite.bootstrap.as_ref()),
            ))
        }
        Ok(None) => Ok(Expectation::Unknown(
            "no schedule is known: name one in the config (expected_dates: table or csv), give the check a \
             calendar, or give ledger entries with --log-summary"
                .to_owned(),
        )),
        Err(SourceError::Abort(error)) => Err(error),
        Err(SourceError::Unavailable(reason)) => Ok(Expectation::Failed(reason)),
    }
}

/// What is read of the first schedule that exists, if a schedule is what is asked first.
pub(crate) fn first_schedule(
    asked: Question<'_>,
    warehouse: &mut dyn Engine,
) -> Option<(Plan, Vec<ScheduleKeys>)> {
    if asked.calendar.is_some() || asked.config.expected_dates.is_some() {
        return None;
    }
    asked.suite.schedules.iter().find_map(|schedule| {
        let columns = warehouse.columns(&schedule.table).ok()?;
        let table = DatedTable::new(&schedule.table, &schedule.date_column, columns).ok()?;
        let planned = table::plan(asked, table, Some(schedule), asked.read);
        Some((planned.plan, planned.keys))
    })
}

/// Why a source does not answer.
enum SourceError {
    /// The whole run ends.
    Abort(WarehouseError),
    /// The source did not answer.
    Unavailable(String),
}

impl SourceError {
    fn of(source: &str, error: WarehouseError) -> Self {
        if error.ends_the_run() {
            return Self::Abort(error);
        }
        let hint = error
            .hint()
            .map_or_else(String::new, |hint| format!(" ({hint})"));
        Self::Unavailable(format!("{source}: {error}{hint}"))
    }
}

/// The days of a calendar.
fn of_calendar(calendar: Calendar, asked: Question<'_>) -> Expected {
    let is_due = |date: &NaiveDate| match calendar {
        Calendar::Daily => true,
        Calendar::Weekdays => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        Calendar::Monthly => date.day() == 1,
    };
    let begins = asked.suite.data_begins.unwrap_or(asked.read.start);
    let first = begins.max(asked.read.start);
    // Days to come can be left out of a range without an end.
    let last = asked.read.end.min(asked.today);
    let days = first.iter_days().take_while(|date| *date <= last);
    let dates = days.filter(is_due).map(|date| (date, 1)).collect();
    let mut expected = Expected::schedule(format!("calendar: {}", calendar.word()), dates, false);
    expected.by_month = calendar == Calendar::Monthly;
    expected.is_calendar = true;
    expected
}

/// The source that the config names. It overrides all other sources.
fn configured(
    asked: Question<'_>,
    source: &ExpectedDates,
    warehouse: &mut dyn Engine,
) -> Result<Option<Expected>, SourceError> {
    let failed = |reason: &str| Err(SourceError::Unavailable(reason.to_owned()));
    let given = [source.table.is_some(), source.csv.is_some(), source.log];
    if given.iter().filter(|given| **given).count() != 1 {
        return failed("expected_dates of the config must have exactly one of table, csv and log");
    }
    if let Some(path) = &source.csv {
        let dates = csv::read(path).map_err(SourceError::Unavailable)?;
        let dates = dates.into_iter().map(|date| (date, 1)).collect();
        return Ok(Some(Expected {
            is_list: true,
            ..Expected::schedule(path.display().to_string(), dates, false)
        }));
    }
    if source.log {
        let found = of_ledger(asked.log).ok_or_else(|| {
            SourceError::Unavailable(
                "expected_dates: log needs ledger entries in --log-summary (bf-parse-log --ledger)"
                    .to_owned(),
            )
        })?;
        return Ok(Some(found));
    }
    let table = source.table.as_deref().unwrap_or_default();
    let column = source.column.as_deref().unwrap_or("game_date");
    match (table.parse::<TableName>(), Ident::new(column)) {
        (Ok(table), Ok(column)) => {
            let schedule = asked.suite.schedule_like(table, column);
            scheduled(asked, &schedule, warehouse)
                .map(Some)
                .map_err(|error| SourceError::of("expected_dates", error))
        }
        (Err(error), _) | (_, Err(error)) => {
            failed(&format!("expected_dates of the config: {error}"))
        }
    }
}

fn first_nonempty_source(
    asked: Question<'_>,
    warehouse: &mut dyn Engine,
) -> Result<Option<Expected>, SourceError> {
    let mut silent: Option<Expected> = None;
    for schedule in &asked.suite.schedules {
        match scheduled(asked, schedule, warehouse) {
            Ok(expected) if !expected.is_empty_in(asked.range) => return Ok(Some(expected)),
            Ok(expected) => {
                silent = silent.or_else(|| (!expected.known.is_empty()).then_some(expected));
            }
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(SourceError::of("schedule", error)),
        }
    }
    // A schedule that has nothing in the range is asked how far it reaches, whatever else has dates there.
    let reach_of = silent.as_ref().map(|silent| silent.known.clone());
    let with_known = |mut expected: Expected| {
        if let Some(known) = &reach_of {
            expected.known = known.clone();
        }
        expected
    };
    if let Some(expected) = of_ledger(asked.log).filter(|found| !found.is_empty_in(asked.range)) {
        return Ok(Some(with_known(expected)));
    }
    if let Some(partner) = &asked.suite.partner {
        let source = (&partner.table, &partner.date_column);
        match table::read(asked, source, None, asked.read, warehouse) {
            Ok(expected) if !expected.is_empty_in(asked.range) => {
                return Ok(Some(with_known(expected)));
            }
            Ok(_) => {}
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(SourceError::of("the other table's dates", error)),
        }
    }
    Ok(silent)
}

/// The dates of a schedule. If it does not reach to an end of the range, or does not say of any of its rows that it
/// was played, it is asked further, for what lies around.
fn scheduled(
    asked: Question<'_>,
    schedule: &Schedule,
    warehouse: &mut dyn Engine,
) -> Result<Expected, WarehouseError> {
    let source = (&schedule.table, &schedule.date_column);
    let expected = table::read(asked, source, Some(schedule), asked.read, warehouse)?;
    let reaches = expected
        .span()
        .is_some_and(|span| span.start <= asked.range.start && span.end >= asked.range.end);
    if reaches
        && expected
            .schedule
            .as_ref()
            .is_some_and(|schedule| schedule.marks_played)
    {
        return Ok(expected);
    }
    let around = DateRange {
        start: asked
            .read
            .start
            .checked_sub_days(LONGEST_PAUSE)
            .unwrap_or(asked.read.start),
        end: asked
            .read
            .end
            .checked_add_days(LONGEST_PAUSE)
            .unwrap_or(asked.read.end),
    };
    table::read(asked, source, Some(schedule), around, warehouse)
}

/// Adds what a schedule cannot tell of the range. In its pauses the partner is asked, too.
fn with_reach(
    mut expected: Expected,
    asked: Question<'_>,
    warehouse: &mut dyn Engine,
) -> Result<Expected, SourceError> {
    if expected.known.is_empty() || expected.is_calendar {
        return Ok(expected);
    }
    expected.reach = Reach::of(
        &expected.known,
        asked.range,
        asked.today,
        asked.suite.reach(),
    );
    if expected.is_list {
        expected.reach.gaps.clear();
    }
    let Some(partner) = asked
        .suite
        .partner
        .as_ref()
        .filter(|_| !expected.reach.gaps.is_empty())
    else {
        return Ok(expected);
    };
    let spans: Vec<DateRange> = expected.reach.gaps.iter().map(|gap| gap.days).collect();
    let columns = match warehouse.columns(&partner.table) {
        Ok(columns) => columns,
        Err(error) if error.is_absent() => return Ok(expected),
        Err(error) => return Err(SourceError::of("the other table's dates", error)),
    };
    let Ok(table) = DatedTable::new(&partner.table, &partner.date_column, columns) else {
        return Ok(expected);
    };
    let listing = Listing {
        table: &table,
        spans: &spans,
        filter: None,
        values: &[],
        limit: PARTNER_DAYS,
    };
    let days = warehouse
        .list(&listing)
        .map_err(|error| SourceError::of("the other table's dates", error))?;
    for (day, _) in days {
        let mut gaps = expected.reach.gaps.iter_mut();
        if let Some(gap) = gaps.find(|gap| gap.days.contains(day)) {
            gap.partner.push(day);
        }
    }
    Ok(expected)
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
