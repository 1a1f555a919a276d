//! `accepted_values`.

use bf_contract::Comparison;
use bf_warehouse::{Condition, Ident, Literal, Test};
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning, shares};
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The share of rows whose value is one of a list. NULL is not a value and is not counted: completeness is a check of
/// its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptedValues {
    column: Ident,
    values: Vec<Literal>,
}

impl AcceptedValues {
    fn good(&self) -> Condition {
        Condition::test(&self.column, Test::In(self.values.clone()))
    }
}

impl CheckKind for AcceptedValues {
    const KEY: &'static str = "accepted_values";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "rows of `column` whose value is one of `values`, in percent";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtLeast, 100.0));
    type Measures = shares::Measures;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        match self.values.as_slice() {
            [] => Err("no values".to_owned()),
            _ => Ok(()),
        }
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        vec![&mut self.column]
    }

    fn plan(&self, planning: &mut Planning<'_>) -> shares::Measures {
        shares::of_values(planning, &self.column, &self.good())
    }

    fn judge(&self, at: &Context<'_>, measures: &shares::Measures) -> Finding {
        shares::plain(at, *measures, &self.good())
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, judged};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn one_other_value_is_one_too_many() {
        let check = "accepted_values: {column: x, values: [a, b]}";
        let days = |good| [("2024-01-01", vec![count(9), count(8), count(good)])];
        assert_eq!(judged(check, &days(8)).outcome(), Pass);
        assert_eq!(judged(check, &days(7)).outcome(), Fail);
    }
}
