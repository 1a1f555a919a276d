//! `sql`.

use serde::Deserialize;

use super::planning::{FigureOf, Query};
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::Unit;
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The one figure of a query of the suite's own for what the other kinds cannot say; `@start` and `@end` are the range.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Sql(Query);

impl CheckKind for Sql {
    const KEY: &'static str = "sql";
    const FIGURE: Figure = Figure::Number;
    const DOC: &'static str = "the one figure of a query of your own";
    const ABOUT_ROWS: bool = false;
    type Measures = FigureOf;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        if self.0.is_empty() {
            return Err("sql needs a query for sqlite, bigquery or duckdb".to_owned());
        }
        Ok(())
    }

    fn plan(&self, planning: &mut Planning<'_>) -> FigureOf {
        planning.query(&self.0)
    }

    fn judge(&self, at: &Context<'_>, figure: &FigureOf) -> Finding {
        match at.figure(*figure) {
            Ok(observed) => at.plain(observed, Unit::Number),
            Err(reason) => Finding::unknown(format!("{}: {reason}", at.title())),
        }
    }
}
