//! Rows of one table that are judged while they are read.

use crate::{Ident, Param, Query, Record, SqlDialect, TableName};

/// Some columns of those rows of a table that meet a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The table.
    pub table: TableName,
    /// The columns, in the order of a row's fields.
    pub columns: Vec<Ident>,
    /// The condition, as SQL of the engine that is asked.
    pub condition: String,
    /// The condition's parameters by name, without the `@`.
    pub params: Vec<(String, Param)>,
    /// The engine that is asked.
    pub dialect: SqlDialect,
}

impl Selection {
    /// The selection as a query that returns its rows.
    #[must_use]
    pub fn query(&self) -> Query {
        self.query_of(&self.column_list())
    }

    pub(crate) fn column_list(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| self.dialect.column(column))
            .collect();
        columns.join(", ")
    }

    /// A query of something else over the same rows; ` AND …` may follow it.
    pub(crate) fn query_of(&self, what: &str) -> Query {
        Query {
            sql: format!(
                "SELECT {what} FROM {} WHERE ({})",
                self.dialect.table(&self.table),
                self.condition
            ),
            params: self.params.clone(),
        }
    }
}

/// What is given rows while they are read.
pub trait Sink: Send + 'static {
    /// Takes one row.
    fn take(&mut self, row: Record<'_>);

    /// There are no more rows. Called where the rows were taken, beside what else goes on.
    fn end(&mut self) {}
}
