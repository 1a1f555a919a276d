//! The dates that a table should have, and how many groups (games) each of them should have.

mod csv;

use std::collections::BTreeMap;

use bf_cli::config::Config;
use bf_contract::{DateRange, LedgerStatus};
use bf_warehouse::{ColumnKind, Ident, TableName, Warehouse, WarehouseError};
use chrono::NaiveDate;

use crate::columns::Columns;
use crate::condition::{Condition, Literal, Operator, Test};
use crate::log_input::LogInput;
use crate::scan::{self, Planner};
use crate::suite::Suite;

/// What is known of the dates that a table should have.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// The dates.
    Known(Expected),
    /// Nobody can say; with the hint how to tell.
    Unknown(String),
    /// The source that the config names did not answer.
    Failed(String),
}

/// The dates that a table should have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    /// Where they are from, for people.
    pub source: String,
    /// The dates, with the number of groups of each; 1 where the source counts none.
    pub dates: BTreeMap<NaiveDate, u64>,
    /// Whether the source counts groups.
    pub counts_groups: bool,
    /// The first and the last date that the source has, in the range it was asked about.
    pub span: Option<DateRange>,
}

impl Expected {
    fn new(source: String, dates: BTreeMap<NaiveDate, u64>, counts_groups: bool) -> Self {
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
            counts_groups,
            span,
        }
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
}

/// Asks the sources in turn: the config's; the suite's schedules; the ledger; the partner table. `read` is
/// what the caller needs to know about, `range` what is validated: a source that is silent about the range
/// is no source.
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
    if let Some(source) = &config.expected_dates {
        let given = [source.table.is_some(), source.csv.is_some(), source.log];
        if given.iter().filter(|given| **given).count() != 1 {
            return Ok(Expectation::Failed(
                "expected_dates of the config must have exactly one of table, csv and log"
                    .to_owned(),
            ));
        }
        if let Some(path) = &source.csv {
            return Ok(match csv::read(path) {
                Ok(dates) => {
                    let dates = dates.into_iter().map(|date| (date, 1)).collect();
                    Expectation::Known(Expected::new(path.display().to_string(), dates, false))
                }
                Err(failure) => Expectation::Failed(failure),
            });
        }
        if source.log {
            return Ok(match of_ledger(log) {
                Some(expected) => Expectation::Known(expected),
                None => Expectation::Failed(
                    "expected_dates: log needs ledger entries in --log-summary (bf-parse-log --ledger)"
                        .to_owned(),
                ),
            });
        }
        let table = source.table.as_deref().unwrap_or_default();
        let names = (
            table.parse::<TableName>(),
            Ident::new(source.column.as_deref().unwrap_or("game_date")),
        );
        let (table, column) = match names {
            (Ok(table), Ok(column)) => (table, column),
            (Err(error), _) | (_, Err(error)) => {
                return Ok(Expectation::Failed(format!(
                    "expected_dates of the config: {error}"
                )));
            }
        };
        return match of_table(suite, &table, &column, true, read, warehouse) {
            Ok(expected) => Ok(Expectation::Known(expected)),
            Err(error) => {
                ended(error).map(|error| Expectation::Failed(format!("expected_dates: {error}")))
            }
        };
    }
    let says_something = |expected: &Expected| expected.within(range).next().is_some();
    for table in &suite.schedules {
        match of_table(suite, table, &suite.date_column, true, read, warehouse) {
            Ok(expected) if says_something(&expected) => return Ok(Expectation::Known(expected)),
            Ok(_) => {}
            Err(error) => {
                let error = ended(error)?;
                if !is_absent(&error) {
                    return Ok(Expectation::Failed(format!("schedule {table}: {error}")));
                }
            }
        }
    }
    if let Some(expected) = of_ledger(log)
        && says_something(&expected)
    {
        return Ok(Expectation::Known(expected));
    }
    if let Some(partner) = &suite.partner {
        match of_table(
            suite,
            &partner.table,
            &partner.date_column,
            false,
            read,
            warehouse,
        ) {
            Ok(expected) if says_something(&expected) => return Ok(Expectation::Known(expected)),
            Ok(_) => {}
            Err(error) => {
                ended(error)?;
            }
        }
    }
    let hint = "no schedule is known: name one in the config (expected_dates: table or csv), or give ledger \
                entries with --log-summary";
    Ok(Expectation::Unknown(hint.to_owned()))
}

/// Whether the table is not there, as opposed to not answering.
#[must_use]
pub fn is_absent(error: &WarehouseError) -> bool {
    matches!(
        error,
        WarehouseError::TableMissing { .. }
            | WarehouseError::FileMissing { .. }
            | WarehouseError::ColumnMissing { .. }
    )
}

/// Passes on what ends the whole run.
fn ended(error: WarehouseError) -> Result<WarehouseError, WarehouseError> {
    match error {
        WarehouseError::Interrupted | WarehouseError::TimedOut(_) => Err(error),
        other => Ok(other),
    }
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
    Some(Expected::new(
        "the log's own dates".to_owned(),
        dates,
        false,
    ))
}

/// The dates of a table, read with the same scan as everything else.
fn of_table(
    suite: &Suite,
    table: &TableName,
    date_column: &Ident,
    is_schedule: bool,
    read: DateRange,
    warehouse: &mut Warehouse,
) -> Result<Expected, WarehouseError> {
    let columns = Columns::new(warehouse.columns(table)?);
    if columns.get(date_column).is_none() {
        return Err(WarehouseError::ColumnMissing {
            table: table.clone(),
            column: date_column.to_string(),
            nearest: columns.nearest(date_column).map(str::to_owned),
        });
    }
    let mut planner = Planner::new(
        table.clone(),
        date_column.clone(),
        columns.kind(date_column),
        read,
    );
    let group = suite.group.as_ref().map(|group| &group.column);
    let group = group.filter(|group| columns.get(group).is_some());
    let mut measure = |filter: Option<&Condition>| match group {
        Some(group) => planner.groups(filter, std::slice::from_ref(group), (0, u64::MAX)),
        None => planner.rows(filter),
    };
    let real = if is_schedule {
        games_that_count(&columns)
    } else {
        None
    };
    let all = measure(real.as_ref());
    let played = is_schedule
        .then(|| Condition::and(real.as_ref(), games_that_were_played(&columns).as_ref()))
        .flatten()
        .map(|played| measure(Some(&played)));
    let plan = planner.finish();
    let scan = scan::run(&plan, &columns, warehouse)?;
    // A schedule that never says that a game was played cannot be asked for it.
    let measure = played
        .filter(|played| scan.count(*played, read) > 0)
        .unwrap_or(all);
    let dates = scan.counts(measure, read).filter(|(_, count)| *count > 0);
    let dates = dates.map(|(date, count)| (date, if group.is_some() { count } else { 1 }));
    Ok(Expected::new(
        table.to_string(),
        dates.collect(),
        group.is_some(),
    ))
}

/// Games that were played: a postponed one stands on its old date for ever.
fn games_that_were_played(columns: &Columns) -> Option<Condition> {
    let status = Ident::new("game_status").ok()?;
    let is_number = columns.get(&status)?.kind == ColumnKind::Number;
    let final_status = Test::Compare(Operator::Equals, Literal::Number(3.0));
    is_number.then(|| Condition::test(&status, final_status))
}

/// Games that count: no All-Star games and no pre-season, which the league's ids begin with 003 and 001.
fn games_that_count(columns: &Columns) -> Option<Condition> {
    let mut parts = Vec::new();
    if let Ok(all_star) = Ident::new("is_all_star")
        && columns.get(&all_star).is_some()
    {
        parts.push(Condition::Any(vec![
            Condition::test(&all_star, Test::IsNull),
            Condition::Not(Box::new(Condition::test(&all_star, Test::IsTrue))),
        ]));
    }
    if let Ok(id) = Ident::new("game_id")
        && columns
            .get(&id)
            .is_some_and(|column| column.kind == ColumnKind::Text)
    {
        for (from, below) in [("001", "002"), ("003", "004")] {
            let compare = |operator, text: &str| {
                Condition::test(&id, Test::Compare(operator, Literal::Text(text.to_owned())))
            };
            parts.push(Condition::Any(vec![
                compare(Operator::Below, from),
                compare(Operator::AtLeast, below),
            ]));
        }
    }
    (!parts.is_empty()).then_some(Condition::All(parts))
}
