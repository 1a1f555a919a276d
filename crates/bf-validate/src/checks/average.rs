//! `average`.

use std::collections::BTreeMap;

use bf_contract::MonthValue;
use bf_warehouse::{Ident, Numbers, Operator};
use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::number::{self, Measures, average_of, rows_that_are};
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::{Unit, figure};
use crate::outcome::{Finding, Outcome};

/// The average of a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Average {
    column: Ident,
    /// What the average of every month must reach, in percent of the whole range's.
    worst_month_share: Option<f64>,
}

/// A month with fewer numbers may lie anywhere by chance.
const FEWEST_OF_A_MONTH: u64 = 30;

impl CheckKind for Average {
    const KEY: &'static str = "average";
    const FIGURE: Figure = Figure::Number;
    const DOC: &'static str = "the average of `column`; `worst_month_share`";
    type Measures = Measures;

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![("worst_month_share", self.worst_month_share)]
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        vec![&mut self.column]
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        number::plan(planning, &self.column)
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let mut finding = number::judge(at, &self.column, *measures, average_of);
        let mut months: BTreeMap<(i32, u32), (Numbers, Vec<NaiveDate>)> = BTreeMap::new();
        for (day, numbers) in at.daily(measures.numbers) {
            let month = months.entry((day.year(), day.month())).or_default();
            month.0.merge(&numbers);
            month.1.push(day);
        }
        let values = months
            .iter()
            .map(|((year, month), (numbers, _))| MonthValue {
                month: format!("{year}-{month:02}"),
                value: average_of(numbers),
                rows: numbers.count,
            });
        finding.months = values.collect();
        let (Some(share), Some(average)) = (self.worst_month_share, finding.observed()) else {
            return finding;
        };
        let floor = average * share / 100.0;
        let mut low: Vec<(f64, (i32, u32), Vec<NaiveDate>)> = months
            .into_iter()
            .filter(|(_, (numbers, _))| numbers.count >= FEWEST_OF_A_MONTH)
            .filter_map(|(month, (numbers, days))| Some((average_of(&numbers)?, month, days)))
            .filter(|(value, ..)| *value < floor)
            .collect();
        low.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some((worst, (year, month), _)) = low.first() else {
            return finding;
        };
        finding.message.push_str(&format!(
            "; worst month {year}-{month:02} {} (floor: {} of the average)",
            figure(*worst, Unit::Number, None),
            figure(share, Unit::Percent, None)
        ));
        finding.worsen(Outcome::Fail);
        finding
            .and_on(low.into_iter().flat_map(|(.., days)| days).collect())
            .probe(rows_that_are(at, &self.column, Operator::Below, floor))
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, judged, numbers};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn a_month_far_below_the_average_fails() {
        let (much, little) = (vec![20.0; 300], vec![1.0; 40]);
        let days = [
            ("2024-01-01", vec![count(300), numbers(&much)]),
            ("2024-02-01", vec![count(40), numbers(&little)]),
        ];
        assert_eq!(
            judged("average: {column: x}, at_least: 10", &days).outcome(),
            Pass
        );
        let finding = judged(
            "average: {column: x, worst_month_share: 60}, at_least: 10",
            &days,
        );
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-02-01")]);
    }

    #[test]
    fn no_number_is_no_average() {
        let days = [("2024-01-01", vec![count(3), numbers(&[])])];
        assert_eq!(
            judged("average: {column: x}, at_least: 0", &days).outcome(),
            Fail
        );
    }
}
