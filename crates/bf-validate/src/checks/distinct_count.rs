//! `distinct_count`.

use bf_warehouse::{Groups, Ident, Measure};
use serde::Deserialize;

use super::planning::not_empty;
use super::{CheckKind, Context, Figure, Planning, reference_range};
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The distinct values of some columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DistinctCount {
    columns: Vec<Ident>,
}

impl CheckKind for DistinctCount {
    const KEY: &'static str = "distinct_count";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "distinct values of `columns`";
    type Measures = Measure<Groups>;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        not_empty(&self.columns)
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        self.columns.iter_mut().collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measure<Groups> {
        planning.groups(&self.columns)
    }

    fn judge(&self, at: &Context<'_>, groups: &Measure<Groups>) -> Finding {
        let Some(distinct) = at.facts.scan.distinct(*groups) else {
            return at.not_counted();
        };
        if distinct == 0 {
            return at.no_data();
        }
        let group = at.facts.suite.group.as_ref();
        let is_groups = group.is_some_and(|group| self.columns == [group.column.clone()]);
        reference_range::counted(at, distinct, is_groups)
    }
}
