//! BigQuery over REST.

use crate::{Column, Options, Query, Rows, TableName, Usage, WarehouseError};

/// A BigQuery project.
#[derive(Debug)]
pub struct BigQuery {
    project: String,
    usage: Usage,
}

impl BigQuery {
    pub(crate) fn open(
        project: String,
        _location: Option<String>,
        _maximum_bytes_billed: Option<u64>,
        _options: Options,
    ) -> Result<Self, WarehouseError> {
        Ok(Self {
            project,
            usage: Usage::default(),
        })
    }

    fn unreachable<T>(&self) -> Result<T, WarehouseError> {
        Err(WarehouseError::Unreachable(format!(
            "this build cannot speak to BigQuery (project {})",
            self.project
        )))
    }

    pub(crate) fn columns(&mut self, _table: &TableName) -> Result<Vec<Column>, WarehouseError> {
        self.unreachable()
    }

    pub(crate) fn query(
        &mut self,
        _tables: &[&TableName],
        _query: &Query,
    ) -> Result<Rows, WarehouseError> {
        self.unreachable()
    }

    pub(crate) fn estimate(
        &mut self,
        _tables: &[&TableName],
        _query: &Query,
    ) -> Result<u64, WarehouseError> {
        self.unreachable()
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage.clone()
    }
}
