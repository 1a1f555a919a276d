//! Warehouses behind one interface.
//!
//! [`open`] makes an [`Engine`] of a URL. It is asked for measures ([`Plan`] to [`Scan`]), comparisons ([`Side`] to
//! [`Pairs`]) and rows ([`SampleRequest`] to [`Sample`]), and never for SQL: how an engine is asked is in its folder.
//! Names that go into SQL are checked by [`TableName`] and [`Ident`] first.
//!
//! Nothing here is async towards the caller.

#[cfg(feature = "bigquery")]
mod bigquery;
mod columns;
mod condition;
mod duckdb;
mod engine;
mod error;
mod measure;
pub mod moment;
mod name;
mod options;
mod pairs;
mod plan;
mod probe;
mod record;
mod scan;
mod sql;
mod sqlite;
mod value;

#[cfg(feature = "bigquery")]
pub use bigquery::{BigQuery, Endpoint, Identity, Pace, Settings};
pub use columns::{Columns, DatedTable};
pub use condition::{Condition, Literal, Operator, Test};
pub use duckdb::DuckDb;
pub use engine::{Engine, Estimate, Profiling, Question, Request};
pub use error::{Denial, WarehouseError};
pub use measure::Measure;
pub use name::{Ident, NameError, TableName, nearest};
pub use options::{Options, Usage};
pub use pairs::{PairDay, Pairs, Side};
pub use plan::{Metric, Plan, Planner, What};
pub use probe::{Listed, Listing, Probe, Sample, SampleRequest};
pub use record::{Field, Record};
pub use scan::{
    Cell, Daily, Groups, KeySums, Keys, Numbers, Scan, Surplus, Total, Unreadable, WriteTimes,
};
pub use sqlite::{Selection, Sink, Sqlite};
pub use value::{Column, ColumnKind, Param, Query, Rows, Value};

/// Makes an engine of what follows the scheme in a URL.
type Open = fn(&str, Options) -> Result<Box<dyn Engine>, WarehouseError>;

/// The engines: what their URLs begin with, a URL for people, and how they are opened.
const ENGINES: &[(&str, &str, Open)] = &[
    (
        "sqlite:",
        "sqlite:DIR (a folder with DATASET.db files)",
        sqlite::open,
    ),
    ("bigquery:", "bigquery://PROJECT", bigquery::open),
    (
        "duckdb:",
        "duckdb:FILE or duckdb:DIR (DIR/DATASET/TABLE.parquet)",
        duckdb::open,
    ),
];

/// Opens the warehouse of a URL. No table is read yet: SQLite opens a dataset's file when a table of it is first asked
/// for, BigQuery looks for credentials with the first query, DuckDB starts its program then.
///
/// # Errors
/// [`WarehouseError::Url`]: the text is not the URL of a warehouse. Or the engine lacks what it needs at once.
pub fn open(url: &str, options: Options) -> Result<Box<dyn Engine>, WarehouseError> {
    let found = ENGINES
        .iter()
        .find_map(|(scheme, _, open)| Some((url.strip_prefix(scheme)?, open)));
    let (rest, open) = found.ok_or_else(|| {
        let known: Vec<&str> = ENGINES.iter().map(|(_, example, _)| *example).collect();
        WarehouseError::Url {
            url: url.to_owned(),
            reason: format!("expected {}", known.join(", ")),
        }
    })?;
    open(rest, options)
}

/// The folder or file of a URL: with or without the slashes of an empty host.
fn path(url: &str, scheme: &str) -> Result<std::path::PathBuf, WarehouseError> {
    let path = url.strip_prefix("//").unwrap_or(url);
    if path.is_empty() {
        return Err(WarehouseError::Url {
            url: format!("{scheme}:{url}"),
            reason: "the path is missing".to_owned(),
        });
    }
    Ok(path.into())
}

/// Without the feature, the engine is known and cannot be used.
#[cfg(not(feature = "bigquery"))]
mod bigquery {
    use crate::{Engine, Options, WarehouseError};

    pub(crate) fn open(rest: &str, _: Options) -> Result<Box<dyn Engine>, WarehouseError> {
        Err(WarehouseError::Url {
            url: format!("bigquery:{rest}"),
            reason: "this bf was built without BigQuery (cargo feature bigquery)".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, open, path};

    #[test]
    fn a_folder_is_named_with_or_without_slashes() {
        for url in ["/data/wh", "///data/wh"] {
            assert_eq!(path(url, "sqlite"), Ok("/data/wh".into()));
        }
        assert_eq!(path("wh", "sqlite"), Ok("wh".into()));
    }

    #[test]
    fn what_no_engine_knows_is_refused_with_those_that_there_are() {
        for url in [
            "",
            "warehouse",
            "sqlite:",
            "postgres://x",
            "bigquery://",
            "duckdb:",
        ] {
            let Err(error) = open(url, Options::default()) else {
                panic!("{url} was opened");
            };
            assert!(
                matches!(error, super::WarehouseError::Url { .. }),
                "{url}: {error}"
            );
        }
    }
}
