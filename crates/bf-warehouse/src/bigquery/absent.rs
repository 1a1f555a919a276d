//! BigQuery in a build without the cargo feature `bigquery`: no value of this type exists.

use crate::{Column, Options, Query, Rows, TableName, Usage, WarehouseError};

/// An engine that this build does not have.
#[derive(Debug)]
pub enum BigQuery {}

impl BigQuery {
    pub(crate) fn open(
        project: String,
        _location: Option<String>,
        _maximum_bytes_billed: Option<u64>,
        _options: Options,
    ) -> Result<Self, WarehouseError> {
        Err(WarehouseError::Url {
            url: format!("bigquery://{project}"),
            reason: "this build of bf has no BigQuery (built without the cargo feature bigquery)"
                .to_owned(),
        })
    }

    pub(crate) fn columns(&mut self, _table: &TableName) -> Result<Vec<Column>, WarehouseError> {
        match *self {}
    }

    pub(crate) fn query(
        &mut self,
        _tables: &[&TableName],
        _query: &Query,
    ) -> Result<Rows, WarehouseError> {
        match *self {}
    }

    pub(crate) fn estimate(
        &mut self,
        _tables: &[&TableName],
        _query: &Query,
    ) -> Result<u64, WarehouseError> {
        match *self {}
    }

    pub(crate) fn usage(&self) -> Usage {
        match *self {}
    }
}
