//! The table held against the rows of its schedule, key by key within each date: as many games as planned may be
//! other games, or the right ones with their teams the wrong way round.

use bf_contract::{DateRange, Level};
use bf_warehouse::{Ident, SqlDialect, TableName, Warehouse, WarehouseError};

use crate::columns::Columns;
use crate::condition::Condition;
use crate::expected::Expectation;
use crate::needs::{Needs, Planned};
use crate::pairs::{Pairs, Side, decode, joined, keys as kept, pair};
use crate::scan::{Planner, Scan};
use crate::suite::{Kind, Scheduled, Suite};

/// A schedule that is a table, as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleTable {
    /// The table.
    pub table: TableName,
    /// The column with the day.
    pub date_column: Ident,
    /// Its columns.
    pub columns: Columns,
    /// Its rows that count.
    pub filter: Option<Condition>,
    /// What the checks ask of it.
    pub asked: Vec<Asked>,
    /// What was read.
    pub scan: Scan,
}

/// What one check asks of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    check: String,
    columns: Result<Vec<Ident>, Ident>,
    /// The measures of the keys, and of their first column alone.
    measures: Vec<usize>,
}

impl Asked {
    /// Plans what the checks of a suite ask of a schedule, whose rows that count meet `filter`.
    #[must_use]
    pub fn plan(
        suite: &Suite,
        columns: &Columns,
        is_schedule: bool,
        filter: Option<&Condition>,
        planner: &mut Planner,
    ) -> Vec<Self> {
        let asking = suite
            .checks
            .iter()
            .filter(|check| check.level != Level::Off);
        asking
            .filter(|_| is_schedule)
            .filter_map(|check| match &check.kind {
                Kind::Scheduled(keys) => Some((check, names_of(keys, columns))),
                _ => None,
            })
            .map(|(check, columns)| {
                let measures = columns.iter().flat_map(|columns| {
                    [columns.as_slice(), &columns[..1]]
                        .map(|columns| planner.keys(filter, columns, None))
                });
                Self {
                    check: check.name.clone(),
                    measures: measures.collect(),
                    columns: columns.clone(),
                }
            })
            .collect()
    }
}

/// How the schedule calls the columns of a key.
///
/// # Errors
/// The one that it does not have.
pub fn names_of(keys: &Scheduled, columns: &Columns) -> Result<Vec<Ident>, Ident> {
    keys.names()
        .map(|names| {
            let known = names.iter().find(|name| columns.get(name).is_some());
            known.cloned().ok_or_else(|| names[0].clone())
        })
        .collect()
}

/// A check's rows, held against the schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Day by day.
    Pairs(Pairs),
    /// The schedule does not say; with the reason.
    Unanswered(String),
    /// The warehouse did not answer.
    Failed(String),
}

/// Holds the table against its schedule for every check that asks.
///
/// # Errors
/// Somebody asked to stop, or the deadline passed.
pub fn hold(
    suite: &Suite,
    columns: &Columns,
    (planned, scan): (&Planned, &Scan),
    expected: &Expectation,
    warehouse: &mut Warehouse,
) -> Result<Vec<(String, Held)>, WarehouseError> {
    let Expectation::Known(expected) = expected else {
        return Ok(Vec::new());
    };
    let Some(schedule) = &expected.schedule else {
        return Ok(Vec::new());
    };
    let mut held = Vec::new();
    // Whether the schedule calls its games as the table does, which is asked once.
    let mut named: Vec<((&Ident, &Ident), Pairs)> = Vec::new();
    for (check, needs) in suite.checks.iter().zip(&planned.needs) {
        let asked = schedule
            .asked
            .iter()
            .find(|asked| asked.check == check.name);
        let (Kind::Scheduled(keys), Needs::Measures(ours), Some(asked)) =
            (&check.kind, needs, asked)
        else {
            continue;
        };
        let rows = Condition::and(suite.filter_of(check), keys.of.as_ref());
        let here = |keys, filter| Side {
            table: &suite.table,
            date_column: &suite.date_column,
            columns,
            filter,
            keys,
            sum: None,
        };
        let found = match &asked.columns {
            Err(missing) => Held::Unanswered(format!("{} has no column {missing}", schedule.table)),
            Ok(theirs) => {
                let range = planned.plan.range;
                let mut compare = |at: usize, here: Side<'_>, theirs: &[Ident]| {
                    let places = (ours[at], asked.measures[at]);
                    schedule.compare(scan, places, &here, theirs, range, warehouse)
                };
                let first = (&keys.columns[0], &theirs[0]);
                let known = named.iter().find(|(columns, _)| *columns == first);
                let ids = known.map_or_else(
                    || compare(1, here(&keys.columns[..1], None), &theirs[..1]),
                    |(_, ids)| Ok(ids.clone()),
                );
                let pairs = ids.and_then(|ids| {
                    let is_all = keys.columns.len() == 1 && rows.is_none();
                    named.push((first, ids.clone()));
                    if ids.days.values().all(|day| day.both == 0) {
                        Ok(Err(first.0))
                    } else if is_all {
                        Ok(Ok(ids))
                    } else {
                        compare(0, here(&keys.columns, rows.as_ref()), theirs).map(Ok)
                    }
                });
                match pairs {
                    Ok(Ok(pairs)) => Held::Pairs(pairs),
                    Ok(Err(id)) => Held::Unanswered(format!(
                        "no {id} of the range is in {}, which calls them otherwise",
                        schedule.table
                    )),
                    Err(error) if error.ends_the_run() => {
                        return Err(error);
                    }
                    Err(error) => Held::Failed(error.to_string()),
                }
            }
        };
        held.push((check.name.clone(), found));
    }
    Ok(held)
}

impl ScheduleTable {
    /// Compares keys that were read with the scans, or, where an engine counts by itself, in a query of their own.
    fn compare(
        &self,
        scan: &Scan,
        (ours, theirs): (usize, usize),
        here: &Side<'_>,
        keys: &[Ident],
        range: DateRange,
        warehouse: &mut Warehouse,
    ) -> Result<Pairs, WarehouseError> {
        match warehouse.dialect() {
            SqlDialect::Sqlite => Ok(pair(kept(scan, ours), kept(&self.scan, theirs), false)),
            SqlDialect::BigQuery => {
                let there = Side {
                    table: &self.table,
                    date_column: &self.date_column,
                    columns: &self.columns,
                    filter: self.filter.as_ref(),
                    keys,
                    sum: None,
                };
                let query = joined(here, &there, range);
                decode(&warehouse.query(&[here.table, &self.table], &query)?)
            }
        }
    }
}
