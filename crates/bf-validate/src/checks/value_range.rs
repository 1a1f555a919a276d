//! `value_range`.

use bf_contract::Comparison;
use bf_warehouse::{Condition, Ident, Literal, Operator, Test};
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning, shares};
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The share of rows whose value lies between two others. NULL is not a value and is not counted: completeness is a
/// check of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueRange {
    column: Ident,
    min: Option<f64>,
    max: Option<f64>,
}

impl ValueRange {
    fn good(&self) -> Condition {
        let limit = |operator, value: Option<f64>| {
            let test = Test::Compare(operator, Literal::Number(value?));
            Some(Condition::test(&self.column, test))
        };
        let both = [
            limit(Operator::AtLeast, self.min),
            limit(Operator::AtMost, self.max),
        ];
        Condition::All(both.into_iter().flatten().collect())
    }
}

impl CheckKind for ValueRange {
    const KEY: &'static str = "value_range";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "rows of `column` between `min` and `max`, in percent";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtLeast, 100.0));
    type Measures = shares::Measures;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        match (self.min, self.max) {
            (None, None) => Err("value_range needs min, max or both".to_owned()),
            (Some(min), Some(max)) if min > max => Err("min is above max".to_owned()),
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
    use crate::checks::testing::{count, date, judged};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn one_value_outside_is_one_too_many_on_its_date() {
        let check = "value_range: {column: x, min: 1, max: 9}";
        let day = |day, good| (day, vec![count(9), count(8), count(good)]);
        let days = [day("2024-01-01", 8), day("2024-01-02", 7)];
        assert_eq!(judged(check, &days).outcome(), Fail);
        assert_eq!(judged(check, &days).dates, [date("2024-01-02")]);
        assert_eq!(judged(check, &days[..1]).outcome(), Pass);
    }
}
