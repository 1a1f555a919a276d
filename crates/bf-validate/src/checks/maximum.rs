//! `maximum`.

use bf_warehouse::Ident;
use serde::Deserialize;

use super::number::{self, Measures, OneColumn};
use super::{CheckKind, Context, Figure, Planning};
use crate::outcome::Finding;

/// The largest value of a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Maximum(OneColumn);

impl CheckKind for Maximum {
    const KEY: &'static str = "maximum";
    const FIGURE: Figure = Figure::Number;
    const DOC: &'static str = "the largest value of `column`";
    type Measures = Measures;

    fn columns(&mut self) -> Vec<&mut Ident> {
        vec![&mut self.0.column]
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        number::plan(planning, &self.0.column)
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        number::judge(at, &self.0.column, *measures, |numbers| numbers.max)
    }
}
