//! The one scan of a table: whole-number counters and sums, day by day. All arithmetic comes later.
//!
//! A [`Plan`] says what is to be measured. SQLite hands its rows out one by one and they are counted here
//! ([`stream`]), which needs no sorting and keeps one set of counters a day; BigQuery counts and returns one
//! row a day ([`grouped`]). Both give the same [`Scan`].

mod cells;
mod grouped;
mod plan;
pub mod strays;
mod stream;

use std::collections::BTreeSet;
use std::sync::Arc;

use bf_contract::DateRange;
use bf_warehouse::{Query, SqlDialect, Warehouse, WarehouseError};
use chrono::NaiveDate;

pub use cells::{Cell, KeySums, Keys, Numbers, Total, WriteTimes};
pub use plan::{Measure, Plan, Planner, What};

use crate::columns::Columns;

/// How many unreadable dates are kept to be shown.
const EXAMPLES: usize = 3;

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// The days that have rows, sorted.
    pub days: Vec<NaiveDate>,
    /// For each day, one cell per measure of the plan.
    pub cells: Vec<Vec<Cell>>,
    /// One per measure, over the plan's range alone.
    pub totals: Vec<Total>,
    /// Rows of the range whose date is no date, and a few of those dates.
    pub unreadable: Unreadable,
}

/// Rows whose date is no date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unreadable {
    /// How many.
    pub rows: u64,
    /// A few of what stands in the date column.
    pub examples: Vec<String>,
    /// Rows whose date has a time behind the day. They count on that day.
    pub with_time: u64,
    /// The days of those rows.
    pub timed_days: BTreeSet<NaiveDate>,
    /// Why rows without a date could not be counted, where they could not.
    pub unknown: Option<String>,
}

impl Scan {
    /// The days of `range` with the cell of one measure.
    pub fn by_day(
        &self,
        measure: usize,
        range: DateRange,
    ) -> impl Iterator<Item = (NaiveDate, &Cell)> {
        self.days
            .iter()
            .zip(&self.cells)
            .filter(move |(day, _)| range.contains(**day))
            .filter_map(move |(day, cells)| Some((*day, cells.get(measure)?)))
    }

    /// The counts of one measure, day by day.
    pub fn counts(
        &self,
        measure: usize,
        range: DateRange,
    ) -> impl Iterator<Item = (NaiveDate, u64)> {
        self.by_day(measure, range)
            .map(|(day, cell)| (day, cell.count()))
    }

    /// The sum of one measure's counts.
    #[must_use]
    pub fn count(&self, measure: usize, range: DateRange) -> u64 {
        self.counts(measure, range).map(|(_, count)| count).sum()
    }
}

/// The query of the scan.
#[must_use]
pub fn query(plan: &Plan, columns: &Columns, dialect: SqlDialect) -> Query {
    match dialect {
        SqlDialect::Sqlite => stream::selection(plan, false).query(),
        SqlDialect::BigQuery => grouped::query(plan, columns),
    }
}

/// Runs the scan.
///
/// # Errors
/// The warehouse did not answer.
pub fn run(
    plan: &Plan,
    columns: &Columns,
    warehouse: &mut Warehouse,
) -> Result<Scan, WarehouseError> {
    match warehouse.dialect() {
        SqlDialect::Sqlite => {
            let shared = Arc::new(plan.clone());
            let new = || stream::Accumulator::new(Arc::clone(&shared));
            let is_narrow = strays::is_narrow(plan, warehouse)?;
            let parts = warehouse.scan(&stream::selection(plan, is_narrow), &new)?;
            let whole = parts.into_iter().reduce(|mut whole, part| {
                whole.merge(part);
                whole
            });
            Ok(whole.unwrap_or_else(new).finish())
        }
        SqlDialect::BigQuery => {
            let rows = warehouse.query(&[&plan.table], &grouped::query(plan, columns))?;
            grouped::read(plan, &rows)
        }
    }
}
