//! `sql`.

use bf_warehouse::Engine;
use serde::Deserialize;

use super::plan::FigureOf;
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::Unit;
use crate::outcome::Finding;
use crate::suite::Suite;

/// The one figure of a query of the suite's own for what the other kinds cannot say; `@start` and `@end` are the range.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sql {
    sqlite: Option<String>,
    bigquery: Option<String>,
    duckdb: Option<String>,
}

impl Sql {
    /// The query for an engine.
    pub(crate) fn for_engine(&self, engine: &dyn Engine) -> Option<&str> {
        let all = [
            ("sqlite", &self.sqlite),
            ("bigquery", &self.bigquery),
            ("duckdb", &self.duckdb),
        ];
        let of_engine = all.iter().find(|(name, _)| *name == engine.name());
        of_engine.and_then(|(_, sql)| sql.as_deref())
    }
}

impl CheckKind for Sql {
    const KEY: &'static str = "sql";
    const FIGURE: Figure = Figure::Number;
    const DOC: &'static str = "the one figure of a query of your own";
    const ABOUT_ROWS: bool = false;
    type Measures = FigureOf;

    fn verify(&self, _: &Suite) -> Result<(), String> {
        if [&self.sqlite, &self.bigquery, &self.duckdb]
            .iter()
            .all(|sql| sql.is_none())
        {
            return Err("sql needs a query for sqlite, bigquery or duckdb".to_owned());
        }
        Ok(())
    }

    fn plan(&self, planning: &mut Planning<'_>) -> FigureOf {
        planning.query(self)
    }

    fn judge(&self, at: &Context<'_>, figure: &FigureOf) -> Finding {
        match at.figure(*figure) {
            Ok(observed) => at.plain(observed, Unit::Number),
            Err(reason) => Finding::unknown(format!("{}: {reason}", at.title())),
        }
    }
}
