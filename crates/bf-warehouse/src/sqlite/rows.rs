//! A table read from end to end, by two connections if it is large: each reads one half of it, in a thread of
//! its own, and judges its rows while it reads.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};

use super::{SqliteFlavor, bind};
use crate::sql::Flavor;
use crate::{Field, Record, Selection, Sink};

/// Tables with fewer rows are read by one connection: starting a thread would take as long.
const LEAST_ROWS: i64 = 4096;

/// The name of the aggregate that hands rows out.
const HAND_OUT: &str = "bf_hand_out";

/// Reads the rows of `selection`, in order, into one sink or two that `new` makes.
///
/// # Errors
/// SQLite broke off: what the sinks have seen counts for nothing.
pub(super) fn read<S: Sink>(
    connection: &Connection,
    second_reader: Option<&mut Connection>,
    selection: &Selection,
    new: &dyn Fn() -> S,
) -> rusqlite::Result<Vec<S>> {
    // Several conditions pick few rows, which an index finds.
    let split = match (second_reader, selection.conditions.as_slice()) {
        (Some(other), [condition]) => {
            middle(connection, selection).map(|middle| (other, middle, condition))
        }
        _ => None,
    };
    let Some((other, middle, condition)) = split else {
        let whole = read_rows(connection, selection, &selection.conditions, None, new())?;
        return Ok(vec![whole]);
    };
    let part = |side| [format!("({condition}) AND rowid {side} @bf_middle")];
    let (left, right) = (part("<"), part(">="));
    let (first, second) = (new(), new());
    thread::scope(|scope| {
        let second = scope.spawn(move || read_rows(other, selection, &right, Some(middle), second));
        let first = read_rows(connection, selection, &left, Some(middle), first);
        let second = second
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(vec![first?, second?])
    })
}

/// Reads the rows that meet any of some conditions, one condition after the other.
fn read_rows<S: Sink>(
    connection: &Connection,
    selection: &Selection,
    conditions: &[String],
    middle: Option<i64>,
    mut sink: S,
) -> rusqlite::Result<S> {
    for condition in conditions {
        sink = read_part(connection, selection, condition, middle, sink)?;
    }
    sink.end();
    Ok(sink)
}

/// The row in the middle of the table by its number, if it has such numbers and enough rows: a view has
/// none, and in a table with a column of that name `rowid` is that column.
fn middle(connection: &Connection, selection: &Selection) -> Option<i64> {
    let table = &selection.table;
    let has_own: bool = connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1, ?2) WHERE lower(name) = 'rowid')",
            [table.table.as_str(), table.dataset.as_str()],
            |row| row.get(0),
        )
        .ok()?;
    let name = SqliteFlavor.table(table);
    let ends = format!("SELECT (SELECT MIN(rowid) FROM {name}), (SELECT MAX(rowid) FROM {name})");
    let (first, last): (i64, i64) = connection
        .query_row(&ends, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .ok()
        .filter(|_| !has_own)?;
    let rows = last.checked_sub(first)?;
    (rows >= LEAST_ROWS).then_some(first + rows / 2 + 1)
}

/// Reads some of the rows. An aggregate is handed a row's fields where they lie; asking a cursor for them, one by
/// one, takes half as long again.
fn read_part<S: Sink>(
    connection: &Connection,
    selection: &Selection,
    condition: &str,
    middle: Option<i64>,
    sink: S,
) -> rusqlite::Result<S> {
    let sink = Arc::new(Mutex::new(Some(sink)));
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let hand_out = HandOut(Arc::clone(&sink));
    connection.create_aggregate_function(HAND_OUT, -1, flags, hand_out)?;
    let columns = selection.column_list();
    let mut query = selection.query_of(&format!("{HAND_OUT}({columns})"), condition);
    if let Some(middle) = middle {
        query = query.with("bf_middle", middle);
    }
    let mut statement = connection.prepare(&query.sql)?;
    bind(&mut statement, &query)?;
    statement.raw_query().next()?;
    drop(statement);
    connection.remove_function(HAND_OUT, -1)?;
    let sink = sink.lock().unwrap_or_else(PoisonError::into_inner).take();
    sink.ok_or(rusqlite::Error::UnwindingPanic)
}

/// Hands every row of the one group out to a sink, which waits in the slot before and after.
struct HandOut<S>(Arc<Mutex<Option<S>>>);

impl<S> HandOut<S> {
    fn put(&self, sink: Option<S>) -> Option<S> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut slot, sink)
    }
}

impl<S: Sink> Aggregate<AssertUnwindSafe<Option<S>>, bool> for HandOut<S> {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<AssertUnwindSafe<Option<S>>> {
        Ok(AssertUnwindSafe(self.put(None)))
    }

    fn step(
        &self,
        fields: &mut Context<'_>,
        sink: &mut AssertUnwindSafe<Option<S>>,
    ) -> rusqlite::Result<()> {
        if let Some(sink) = &mut sink.0 {
            let fields = (0..fields.len()).map(|at| Field::from(fields.get_raw(at)));
            Record::hand_out(fields, &mut |row| sink.take(row));
        }
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        sink: Option<AssertUnwindSafe<Option<S>>>,
    ) -> rusqlite::Result<bool> {
        if let Some(AssertUnwindSafe(sink)) = sink {
            self.put(sink);
        }
        Ok(true)
    }
}
