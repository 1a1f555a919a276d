//! The columns of a table, looked up as both engines do: without regard to case.

use bf_warehouse::{Column, ColumnKind, Ident, nearest};

/// The columns of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Of the columns that the warehouse names.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self(columns)
    }

    /// The column of that name.
    #[must_use]
    pub fn get(&self, name: &Ident) -> Option<&Column> {
        self.0
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name.as_str()))
    }

    /// What the column holds; `Other` for one that is not there.
    #[must_use]
    pub fn kind(&self, name: &Ident) -> ColumnKind {
        self.get(name)
            .map_or(ColumnKind::Other, |column| column.kind)
    }

    /// The column that is most like `name`, for "did you mean".
    #[must_use]
    pub fn nearest(&self, name: &Ident) -> Option<&str> {
        nearest(
            name.as_str(),
            self.0.iter().map(|column| column.name.as_str()),
        )
    }
}
