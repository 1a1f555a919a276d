//! The warehouse: one of two engines.

use crate::bigquery::BigQuery;
use crate::sqlite::Sqlite;
use crate::{
    Column, Field, Options, Query, Record, Rows, Selection, Sink, SqlDialect, TableName, Usage,
    WarehouseError, WarehouseUrl,
};

/// A warehouse, opened for reading.
#[derive(Debug)]
pub enum Warehouse {
    /// A folder of SQLite files.
    Sqlite(Box<Sqlite>),
    /// A BigQuery project.
    BigQuery(Box<BigQuery>),
}

impl Warehouse {
    /// Opens the warehouse of `url`. Neither engine reads a table yet: SQLite opens a dataset's file when a
    /// table of it is first asked for, BigQuery looks for credentials with the first query.
    ///
    /// # Errors
    /// [`WarehouseError::Url`] for a text that is no URL of a warehouse; what the engine needs at once is
    /// not there.
    pub fn open(url: &str, options: Options) -> Result<Self, WarehouseError> {
        Ok(match url.parse()? {
            WarehouseUrl::Sqlite(folder) => Self::Sqlite(Box::new(Sqlite::open(folder, options)?)),
            WarehouseUrl::BigQuery {
                project,
                location,
                maximum_bytes_billed,
            } => Self::BigQuery(Box::new(BigQuery::open(
                project,
                location,
                maximum_bytes_billed,
                options,
            )?)),
        })
    }

    /// Which engine it is; its `name()` is the `kind` of a report's engine.
    #[must_use]
    pub fn dialect(&self) -> SqlDialect {
        match self {
            Self::Sqlite(_) => SqlDialect::Sqlite,
            Self::BigQuery(_) => SqlDialect::BigQuery,
        }
    }

    /// The columns of a table, in order.
    ///
    /// # Errors
    /// [`WarehouseError::TableMissing`], [`WarehouseError::FileMissing`], or the engine did not answer.
    pub fn columns(&mut self, table: &TableName) -> Result<Vec<Column>, WarehouseError> {
        match self {
            Self::Sqlite(engine) => engine.columns(table),
            Self::BigQuery(engine) => engine.columns(table),
        }
    }

    /// Runs one SELECT and returns all its rows. `tables` are those that the SQL names: SQLite opens their
    /// files, BigQuery takes its default dataset from the first.
    ///
    /// # Errors
    /// The engine did not answer.
    pub fn query(&mut self, tables: &[&TableName], query: &Query) -> Result<Rows, WarehouseError> {
        match self {
            Self::Sqlite(engine) => engine.query(tables, query),
            Self::BigQuery(engine) => engine.query(tables, query),
        }
    }

    /// Runs one SELECT that a person wrote: it may name any table of the warehouse, not only of the dataset of
    /// `table`. SQLite opens the datasets whose names stand in it; BigQuery knows them all.
    ///
    /// # Errors
    /// The engine did not answer, or a dataset that is named cannot be read.
    pub fn query_any(&mut self, table: &TableName, query: &Query) -> Result<Rows, WarehouseError> {
        match self {
            Self::Sqlite(engine) => engine.query_any(table, query),
            Self::BigQuery(engine) => engine.query(&[table], query),
        }
    }

    /// Hands the rows of `selection` out while they are read, in order, to one sink that `new` makes or to two, the
    /// second of which goes on where the first ends. SQLite keeps no row, so that a table of any size can be read;
    /// BigQuery collects them first.
    ///
    /// # Errors
    /// The engine did not answer, or broke off in the middle.
    pub fn scan<S: Sink>(
        &mut self,
        selection: &Selection,
        new: &dyn Fn() -> S,
    ) -> Result<Vec<S>, WarehouseError> {
        match self {
            Self::Sqlite(engine) => engine.scan(selection, new),
            Self::BigQuery(engine) => {
                let rows = engine.query(&[&selection.table], &selection.query())?;
                let mut sink = new();
                rows.rows.iter().for_each(|row| {
                    Record::hand_out(row.iter().map(Field::from), &mut |row| sink.take(row));
                });
                sink.end();
                Ok(vec![sink])
            }
        }
    }

    /// What the query would read, in bytes, without running it; `None` where the engine cannot say.
    ///
    /// # Errors
    /// The engine did not answer, or refuses the query.
    pub fn estimate(
        &mut self,
        tables: &[&TableName],
        query: &Query,
    ) -> Result<Option<u64>, WarehouseError> {
        match self {
            Self::Sqlite(engine) => engine.estimate(tables, query).map(|()| None),
            Self::BigQuery(engine) => engine.estimate(tables, query).map(Some),
        }
    }

    /// What a person types into the engine's console before a query over `tables`; empty where nothing is
    /// needed.
    #[must_use]
    pub fn console_prelude(&self, tables: &[&TableName]) -> String {
        match self {
            Self::Sqlite(engine) => engine.console_prelude(tables),
            Self::BigQuery(_) => String::new(),
        }
    }

    /// Checks that what was read still stands: a file that was read as immutable must not have changed.
    ///
    /// # Errors
    /// [`WarehouseError::Changed`].
    pub fn verify_unchanged(&self) -> Result<(), WarehouseError> {
        match self {
            Self::Sqlite(engine) => engine.verify_unchanged(),
            Self::BigQuery(_) => Ok(()),
        }
    }

    /// What all queries so far have cost.
    #[must_use]
    pub fn usage(&self) -> Usage {
        match self {
            Self::Sqlite(engine) => engine.usage(),
            Self::BigQuery(engine) => engine.usage(),
        }
    }
}
