//! Rows without a valid date lie in no range, and no query of one would find them. They are looked for beside the scan,
//! without reading the table a second time.

use bf_contract::parse_date;

use super::{Sqlite, SqliteFlavor};
use crate::sql::Flavor;
use crate::{Plan, Query, Scan, WarehouseError};

/// Whether a text begins like no day of any calendar. SQLite's date() makes another text of what is none.
pub(super) fn is_no_day(text: &str) -> String {
    format!("substr({text}, 1, 10) IS NOT date(substr({text}, 1, 10))")
}

/// Texts of days lie between these two. Neither can be read as a number: SQLite would compare a column of numbers
/// with it as a number, and find a row on both sides.
pub(super) const FIRST: &str = "1900-";
/// See [`FIRST`].
pub(super) const LAST: &str = "2100-";

/// The most days that are looked at; the rest of 200 years is left.
const MOST_DAYS: u32 = 80_000;

/// How the rows of a plan are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// No index helps: the table is read from end to end, and rows without a valid date with the others.
    Everything,
    /// The index of the date column finds the rows of the range, and has what lies between two days.
    ByIndex {
        /// The range is a small part of the table, so that each condition is asked by itself.
        is_narrow: bool,
    },
}

impl Reading {
    /// Finds out how.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn of(plan: &Plan, engine: &mut Sqlite) -> Result<Self, WarehouseError> {
        if !has_index(plan, engine)? {
            return Ok(Self::Everything);
        }
        let is_narrow = is_narrow(plan, engine)?;
        Ok(Self::ByIndex { is_narrow })
    }
}

fn has_index(plan: &Plan, engine: &mut Sqlite) -> Result<bool, WarehouseError> {
    let sql = "SELECT COUNT(*) FROM pragma_index_list(@table, @dataset) AS list, \
               pragma_index_info(list.name, @dataset) AS part \
               WHERE part.seqno = 0 AND lower(part.name) = lower(@column) AND NOT list.partial";
    let query = Query::new(sql)
        .with("table", plan.table.name.table.as_str())
        .with("dataset", plan.table.name.dataset.as_str())
        .with("column", plan.table.date_column.as_str());
    let found = engine.query(&[&plan.table.name], &query)?;
    let count = found.rows.first().and_then(|row| row.first()?.as_count());
    Ok(count.is_some_and(|count| count > 0))
}

/// Longer ranges are read from end to end without a question.
const LONG_DAYS: i64 = 400;
/// A range that is this part of the table's days is found by an index sooner than by reading everything.
const NARROW_PART: i64 = 16;

/// Whether the plan's days are so few of the table's that an index finds them sooner. SQLite itself has no
/// figures to tell by.
fn is_narrow(plan: &Plan, engine: &mut Sqlite) -> Result<bool, WarehouseError> {
    let days = (plan.read.end - plan.read.start).num_days() + 1;
    if days > LONG_DAYS {
        return Ok(false);
    }
    let date = SqliteFlavor.quote(plan.table.date_column.as_str());
    let table = SqliteFlavor.table(&plan.table.name);
    let end = |which: &str| {
        format!(
            "(SELECT {which}({date}) FROM {table} WHERE {date} >= '{FIRST}' AND {date} < '{LAST}')"
        )
    };
    let query = Query::new(format!("SELECT {}, {}", end("MIN"), end("MAX")));
    let found = engine.query(&[&plan.table.name], &query)?;
    let ends = found.rows.first().into_iter().flatten();
    let ends = ends.map(|value| parse_date(value.as_text()?.get(..10)?).ok());
    Ok(match ends.collect::<Vec<_>>().as_slice() {
        [Some(first), Some(last)] => days * NARROW_PART <= (*last - *first).num_days(),
        _ => false,
    })
}

/// Adds the rows that the scan could not see to those that it found unreadable.
///
/// # Errors
/// The file cannot be read.
pub(super) fn add(
    plan: &Plan,
    how: Reading,
    scan: &mut Scan,
    engine: &mut Sqlite,
) -> Result<(), WarehouseError> {
    if how == Reading::Everything {
        return Ok(());
    }
    let found = engine.query(&[&plan.table.name], &between_the_days(plan))?;
    for row in &found.rows {
        if let [text, rows] = row.as_slice() {
            scan.unreadable
                .add(&text.to_string(), rows.as_count().unwrap_or(1));
        }
    }
    Ok(())
}

/// Jumps from day to day through the index, one step a day, and returns what begins like no day, with its
/// rows. What [`super::stream::selection`] reads anyway is stepped over: the range in one step.
fn between_the_days(plan: &Plan) -> Query {
    let table = SqliteFlavor.table(&plan.table.name);
    let date = SqliteFlavor.quote(plan.table.date_column.as_str());
    let is_no_day = is_no_day("day");
    let within = SqliteFlavor.within_days("day", plan.table.date_kind(), "@start", "@end");
    let sql = format!(
        "WITH RECURSIVE days(day, step) AS (\
         SELECT (SELECT MIN({date}) FROM {table} WHERE {date} >= '{FIRST}'), 1 UNION ALL \
         SELECT (SELECT MIN({date}) FROM {table} WHERE {date} > CASE WHEN {within} THEN @end || '~' \
         WHEN {is_no_day} THEN day ELSE substr(day, 1, 10) || '~' END), step + 1 \
         FROM days WHERE day < '{LAST}' AND step < {MOST_DAYS}) \
         SELECT day, (SELECT COUNT(*) FROM {table} WHERE {date} = day) FROM days \
         WHERE day < '{LAST}' AND {is_no_day} AND NOT ({within})"
    );
    Query::new(sql)
        .with("start", plan.read.start)
        .with("end", plan.read.end)
}
