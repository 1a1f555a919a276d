//! Rows whose date is no date lie in no range, and would be seen by no query of one. They are looked for
//! beside the scan: without reading the table a second time.

use bf_contract::parse_date;
use bf_warehouse::{Query, SqlDialect, Warehouse, WarehouseError};

use super::plan::Plan;
use super::{Scan, Unreadable};

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

/// Finds out how the rows can be looked for, before the scan: a table that is read from end to end anyway
/// hands them out with the others.
///
/// # Errors
/// The warehouse did not answer.
pub fn prepare(plan: &mut Plan, warehouse: &mut Warehouse) -> Result<(), WarehouseError> {
    if warehouse.dialect() == SqlDialect::Sqlite {
        plan.reads_all_rows = !has_index(plan, warehouse)?;
    }
    Ok(())
}

fn has_index(plan: &Plan, warehouse: &mut Warehouse) -> Result<bool, WarehouseError> {
    let sql = "SELECT COUNT(*) FROM pragma_index_list(@table, @dataset) AS list, \
               pragma_index_info(list.name, @dataset) AS part \
               WHERE part.seqno = 0 AND lower(part.name) = lower(@column) AND NOT list.partial";
    let query = Query::new(sql)
        .with("table", plan.table.table.as_str())
        .with("dataset", plan.table.dataset.as_str())
        .with("column", plan.date_column.as_str());
    let found = warehouse.query(&[&plan.table], &query)?;
    let count = found.rows.first().and_then(|row| row.first()?.as_count());
    Ok(count.is_some_and(|count| count > 0))
}

/// Longer ranges are read from end to end without a question.
const LONG_DAYS: i64 = 400;
/// A range that is this part of the table's days is found by an index sooner than by reading everything.
const NARROW_PART: i64 = 16;

/// Whether the plan's days are so few of the table's that an index finds them sooner. SQLite itself has no
/// figures to tell by.
///
/// # Errors
/// The warehouse did not answer.
pub(super) fn is_narrow(plan: &Plan, warehouse: &mut Warehouse) -> Result<bool, WarehouseError> {
    let days = (plan.read.end - plan.read.start).num_days() + 1;
    if plan.reads_all_rows || days > LONG_DAYS || !has_index(plan, warehouse)? {
        return Ok(false);
    }
    let dialect = SqlDialect::Sqlite;
    let (date, table) = (
        dialect.column(&plan.date_column),
        dialect.table(&plan.table),
    );
    let end = |which: &str| {
        format!(
            "(SELECT {which}({date}) FROM {table} WHERE {date} >= '{FIRST}' AND {date} < '{LAST}')"
        )
    };
    let query = Query::new(format!("SELECT {}, {}", end("MIN"), end("MAX")));
    let found = warehouse.query(&[&plan.table], &query)?;
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
/// The warehouse did not answer. A BigQuery table that refuses the question is no error: then that is said.
pub fn look(plan: &Plan, scan: &mut Scan, warehouse: &mut Warehouse) -> Result<(), WarehouseError> {
    match warehouse.dialect() {
        SqlDialect::Sqlite if plan.reads_all_rows => Ok(()),
        SqlDialect::Sqlite => {
            let found = warehouse.query(&[&plan.table], &between_the_days(plan))?;
            for row in &found.rows {
                if let [text, rows] = row.as_slice() {
                    scan.unreadable
                        .add(&text.to_string(), rows.as_count().unwrap_or(1));
                }
            }
            Ok(())
        }
        SqlDialect::BigQuery => {
            match warehouse.query(&[&plan.table], &without_a_date(plan)) {
                Ok(found) => {
                    let count = found.rows.first().and_then(|row| row.first()?.as_count());
                    if let Some(rows @ 1..) = count {
                        scan.unreadable.add("NULL", rows);
                    }
                }
                Err(error) if error.ends_the_run() => {
                    return Err(error);
                }
                Err(error) => scan.unreadable.unknown = Some(error.to_string()),
            }
            Ok(())
        }
    }
}

/// The query of [`look`] for BigQuery, which reads the one partition of such rows.
fn without_a_date(plan: &Plan) -> Query {
    let dialect = SqlDialect::BigQuery;
    Query::new(format!(
        "SELECT COUNT(*) AS records FROM {} WHERE {} IS NULL",
        dialect.table(&plan.table),
        dialect.column(&plan.date_column)
    ))
}

/// Jumps from day to day through the index, one step a day, and returns what begins like no day, with its
/// rows. What [`super::stream::selection`] reads anyway is stepped over: the range in one step.
fn between_the_days(plan: &Plan) -> Query {
    let dialect = SqlDialect::Sqlite;
    let table = dialect.table(&plan.table);
    let date = dialect.column(&plan.date_column);
    let is_no_day = is_no_day("day");
    let within = dialect.within_days("day", plan.date_kind, "@start", "@end");
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

impl Unreadable {
    /// Adds what was found elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        for text in other.examples {
            self.add(&text, 0);
        }
        self.with_time += other.with_time;
        self.timed_days.extend(other.timed_days);
    }

    /// Adds rows with the same text in their date column.
    pub(super) fn add(&mut self, text: &str, rows: u64) {
        self.rows += rows;
        let is_new = !self.examples.iter().any(|known| known == text);
        if is_new && self.examples.len() < super::EXAMPLES {
            self.examples.push(text.to_owned());
        }
    }
}
