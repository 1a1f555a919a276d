//! The tables: their columns, and the rows that go into them.

use chrono::NaiveDate;
use rusqlite::types::Value;

use crate::hash::{Hash, part};

/// The columns of the real tables, one a line: dataset, table, column, type in BigQuery, and for
/// the tables of phase 4 the figures of a sample row: `1..9`, `one|of|these` or `=constant`.
const COLUMNS: &str = include_str!("columns.csv");

/// A table with the column of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) dataset: &'static str,
    pub(crate) name: &'static str,
    pub(crate) date_column: &'static str,
}

/// A column as `columns.csv` has it.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// The type, `INT64` or `STRING NOT NULL`.
    kind: &'static str,
    sample: &'static str,
}

/// Some columns of a row with their values; the others are NULL.
pub(crate) type Row = Vec<(&'static str, Value)>;

/// A row's value of a column.
pub(crate) fn cell<'a>(row: &'a Row, column: &str) -> Option<&'a Value> {
    let mut cells = row.iter();
    cells
        .find(|(name, _)| *name == column)
        .map(|(_, value)| value)
}

/// A text as a value.
pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

impl Table {
    /// The table `dataset.name`, whose rows belong to the day in `date_column`.
    pub(crate) const fn new(
        dataset: &'static str,
        name: &'static str,
        date_column: &'static str,
    ) -> Self {
        Self {
            dataset,
            name,
            date_column,
        }
    }

    /// `dataset.name`.
    pub(crate) fn full_name(self) -> String {
        format!("{}.{}", self.dataset, self.name)
    }
}

/// The tables of a dataset with their columns, in the order of the file.
pub(crate) fn tables_of(dataset: &str) -> Vec<(&'static str, Vec<Column>)> {
    let mut tables: Vec<(&str, Vec<Column>)> = Vec::new();
    for line in COLUMNS.lines().skip(1) {
        let fields: Vec<&'static str> = line.splitn(5, ',').collect();
        let [of, table, name, kind, sample] = fields[..] else {
            continue;
        };
        if of == dataset {
            let column = Column { name, kind, sample };
            match tables.last_mut().filter(|(last, _)| *last == table) {
                Some((_, columns)) => columns.push(column),
                None => tables.push((table, vec![column])),
            }
        }
    }
    tables
}

/// The statements that create what is missing of a dataset. No table has a key: a job that writes
/// twice must be able to leave duplicates. The one index is what the date partition is in BigQuery.
pub(crate) fn create(dataset: &str) -> String {
    let mut sql = String::new();
    for (table, columns) in tables_of(dataset) {
        let written: Vec<String> = columns.iter().map(Column::in_sqlite).collect();
        let written = written.join(", ");
        let day = columns
            .iter()
            .find(|column| column.kind.starts_with("DATE"));
        let day = day.map_or("rowid", |column| column.name);
        sql += &format!(
            "CREATE TABLE IF NOT EXISTS {dataset}.{table} ({written});
             CREATE INDEX IF NOT EXISTS {dataset}.{table}_by_date ON {table} ({day});"
        );
    }
    sql
}

impl Column {
    fn in_sqlite(&self) -> String {
        let (kind, required) = match self.kind.strip_suffix(" NOT NULL") {
            Some(kind) => (kind, " NOT NULL"),
            None => (self.kind, ""),
        };
        let kind = match kind {
            "INT64" | "BOOL" => "INTEGER",
            kind if kind.starts_with("NUMERIC") || kind == "FLOAT64" => "REAL",
            _ => "TEXT",
        };
        format!("{} {kind}{required}", self.name)
    }

    /// The column's value in a sample row; `None` where the file gives no figures.
    fn sample(&self, hash: &mut Hash) -> Option<Value> {
        let sample = self.sample;
        if sample.is_empty() {
            return None;
        }
        if let Some(constant) = sample.strip_prefix('=') {
            let number = constant.parse().map(Value::Integer);
            return Some(number.unwrap_or_else(|_| text(constant)));
        }
        if let Some((low, high)) = sample.split_once("..") {
            let bound = |text: &str| text.parse().unwrap_or_default();
            let (low, high): (i64, i64) = (bound(low), bound(high));
            return Some(match self.kind {
                "INT64" => Value::Integer(hash.between(low, high)),
                _ => Value::Real(hash.between(10 * low, 10 * high) as f64 / 10.0),
            });
        }
        let values: Vec<&str> = sample.split('|').collect();
        let chosen = hash.between(0, values.len() as i64 - 1) as usize;
        values.get(chosen).map(|value| text(*value))
    }
}

/// The sample row of a table for these keys: the figures of `columns.csv` for this date.
pub(crate) fn sample_row(columns: &[Column], date: NaiveDate, keys: &Row) -> Row {
    let mut parts = vec![part(&date.to_string())];
    parts.extend(keys.iter().filter_map(|(_, value)| match value {
        Value::Text(key) => Some(part(key)),
        _ => None,
    }));
    let mut hash = Hash::of(&parts);
    let mut row = keys.clone();
    for column in columns {
        if let Some(value) = column.sample(&mut hash) {
            row.push((column.name, value));
        }
    }
    row
}
