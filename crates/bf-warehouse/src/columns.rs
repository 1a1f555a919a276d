//! The columns of a table, looked up as both engines do: without regard to case.

use crate::{Column, ColumnKind, Ident, TableName, WarehouseError, nearest};

/// The columns of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Of the columns that the warehouse names.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self(columns)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
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

    /// Checks that the table has all of these columns.
    ///
    /// # Errors
    /// [`WarehouseError::ColumnMissing`] with the first that it lacks.
    pub fn require<'a>(
        &self,
        table: &TableName,
        names: impl IntoIterator<Item = &'a Ident>,
    ) -> Result<(), WarehouseError> {
        let missing = names.into_iter().find(|name| self.get(name).is_none());
        missing.map_or(Ok(()), |name| {
            Err(WarehouseError::ColumnMissing {
                table: table.clone(),
                column: name.to_string(),
                nearest: self.nearest(name).map(str::to_owned),
            })
        })
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

/// A table whose rows belong to days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedTable {
    /// The table.
    pub name: TableName,
    /// The column with the day.
    pub date_column: Ident,
    /// Its columns.
    pub columns: Columns,
}

impl DatedTable {
    /// A table with these columns, one of which has the day.
    ///
    /// # Errors
    /// [`WarehouseError::ColumnMissing`]: the column with the day is not one of them.
    pub fn new(
        name: &TableName,
        date_column: &Ident,
        columns: Columns,
    ) -> Result<Self, WarehouseError> {
        columns.require(name, [date_column])?;
        Ok(Self {
            name: name.clone(),
            date_column: date_column.clone(),
            columns,
        })
    }

    /// What the date column holds.
    #[must_use]
    pub fn date_kind(&self) -> ColumnKind {
        self.columns.kind(&self.date_column)
    }
}
