//! `minimum`.

use bf_warehouse::Ident;
use serde::Deserialize;

use super::number::{self, Measures, OneColumn};
use super::{CheckKind, Context, Figure, Planning};
use crate::outcome::Finding;

/// The smallest value of a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Minimum(OneColumn);

impl CheckKind for Minimum {
    const KEY: &'static str = "minimum";
    const FIGURE: Figure = Figure::Number;
    const DOC: &'static str = "the smallest value of `column`";
    type Measures = Measures;

    fn columns(&mut self) -> Vec<&mut Ident> {
        vec![&mut self.0.column]
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        number::plan(planning, &self.0.column)
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        number::judge(at, &self.0.column, *measures, |numbers| numbers.min)
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, judged, numbers};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn the_least_and_the_most_are_of_the_whole_range() {
        let days = [
            ("2024-01-01", vec![count(2), numbers(&[1.0, 9.0])]),
            ("2024-01-02", vec![count(2), numbers(&[-3.0, 4.0])]),
        ];
        let finding = judged("minimum: {column: x}, at_least: 0", &days);
        assert_eq!((finding.outcome(), finding.observed()), (Fail, Some(-3.0)));
        assert_eq!(finding.dates, [date("2024-01-02")]);
        let finding = judged("maximum: {column: x}, at_most: 9", &days);
        assert_eq!((finding.outcome(), finding.observed()), (Pass, Some(9.0)));
    }
}
