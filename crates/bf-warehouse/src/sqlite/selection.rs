//! Rows of one table that are judged while they are read.

use super::flavor::SqliteFlavor;
use crate::sql::Flavor;
use crate::{Ident, Param, Query, Record, TableName};

/// Some columns of those rows of a table that meet one of some conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The table.
    pub table: TableName,
    /// The columns, in the order of a row's fields.
    pub columns: Vec<Ident>,
    /// The conditions, as SQL of the engine that is asked; no row meets two. Where there are several, an index serves
    /// each and few rows meet any.
    pub conditions: Vec<String>,
    /// The conditions' parameters by name, without the `@`.
    pub params: Vec<(String, Param)>,
}

impl Selection {
    /// The selection as a query that returns its rows.
    #[must_use]
    pub fn query(&self) -> Query {
        self.query_of(&self.column_list(), &self.conditions.join(" OR "))
    }

    pub(crate) fn column_list(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| SqliteFlavor.quote(column.as_str()))
            .collect();
        columns.join(", ")
    }

    /// A query of something else over the rows that meet `condition`.
    pub(crate) fn query_of(&self, what: &str, condition: &str) -> Query {
        Query {
            sql: format!(
                "SELECT {what} FROM {} WHERE {condition}",
                SqliteFlavor.table(&self.table),
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
