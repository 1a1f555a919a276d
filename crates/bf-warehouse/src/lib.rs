//! SQLite and BigQuery behind one small interface.
//!
//! A [`Warehouse`] is opened from a URL and answers four questions: which columns a table has, what a query
//! returns, what it would cost, and what all of it has cost so far. What differs between the engines' SQL is
//! in [`SqlDialect`]; names that go into SQL are checked by [`TableName`] and [`Ident`] first.
//!
//! Nothing here is async towards the caller. The SQLite path touches neither a runtime nor a network stack.

#![deny(missing_docs)]

#[cfg(feature = "bigquery")]
mod bigquery;
#[cfg(not(feature = "bigquery"))]
#[path = "bigquery/absent.rs"]
mod bigquery;
mod dialect;
mod error;
mod name;
mod options;
mod record;
mod selection;
mod sqlite;
mod url;
mod value;
mod warehouse;

pub use bigquery::BigQuery;
#[cfg(feature = "bigquery")]
pub use bigquery::{Endpoint, Identity, Pace, Settings};
pub use dialect::SqlDialect;
pub use error::WarehouseError;
pub use name::{Ident, NameError, TableName, nearest};
pub use options::{Options, Usage};
pub use record::{Field, Record};
pub use selection::{Selection, Sink};
pub use url::WarehouseUrl;
pub use value::{Column, ColumnKind, Param, Query, Rows, Value};
pub use warehouse::Warehouse;
