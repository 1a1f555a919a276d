//! `average`.

use std::collections::BTreeMap;

use bf_contract::MonthValue;
use bf_warehouse::{Ident, Numbers, Operator, Probe};
use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::completeness::present;
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

/// What a month has.
#[derive(Default)]
struct Month {
    rows: u64,
    numbers: Numbers,
    days: Vec<NaiveDate>,
}

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
        let mut months: BTreeMap<(i32, u32), Month> = BTreeMap::new();
        for (day, rows) in at.daily(measures.rows) {
            let month = months.entry((day.year(), day.month())).or_default();
            month.rows += rows;
            month.days.push(day);
        }
        for (day, numbers) in at.daily(measures.numbers) {
            let month = months.entry((day.year(), day.month())).or_default();
            month.numbers.merge(&numbers);
        }
        let values = months.iter().map(|((year, number), month)| MonthValue {
            month: format!("{year}-{number:02}"),
            value: average_of(&month.numbers),
            rows: month.numbers.count,
        });
        finding.months = values.collect();
        let (Some(share), Some(average)) = (self.worst_month_share, finding.observed()) else {
            return finding;
        };
        let floor = average * share / 100.0;
        // A month with rows and without one number has no average at all, which is worse than any.
        let mut low: Vec<(f64, (i32, u32), Vec<NaiveDate>)> = months
            .into_iter()
            .filter_map(|(month, of)| match average_of(&of.numbers) {
                Some(value) if of.numbers.count >= FEWEST_OF_A_MONTH => {
                    (value < floor).then_some((value, month, of.days))
                }
                None if of.rows >= FEWEST_OF_A_MONTH => Some((f64::NEG_INFINITY, month, of.days)),
                _ => None,
            })
            .collect();
        low.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some((worst, (year, month), _)) = low.first() else {
            return finding;
        };
        finding.message.push_str(&format!(
            "; worst month {year}-{month:02} {} (floor: {} of the average)",
            if worst.is_finite() {
                figure(*worst, Unit::Number, None)
            } else {
                "no data".to_owned()
            },
            figure(share, Unit::Percent, None)
        ));
        finding.worsen(Outcome::Fail);
        let probe = if worst.is_finite() {
            rows_that_are(at, &self.column, Operator::Below, floor)
        } else {
            Probe::Lacking(at.filter(), present(&self.column, true))
        };
        finding
            .and_on(low.into_iter().flat_map(|(.., days)| days).collect())
            .probe(probe)
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
    fn a_month_without_one_number_is_below_every_average() {
        let days = [
            ("2024-01-01", vec![count(300), numbers(&vec![20.0; 300])]),
            ("2024-02-01", vec![count(40), numbers(&[])]),
        ];
        let check = "average: {column: x, worst_month_share: 60}, at_least: 10";
        let finding = judged(check, &days);
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-02-01")]);
    }

    #[test]
    fn a_day_that_is_low_by_chance_is_not_named_beside_those_without_any_amount() {
        let day = |day, value: f64| (day, vec![count(10), numbers(&[value; 10])]);
        let days = [
            day("2024-01-01", 102.0),
            day("2024-01-02", 0.0),
            day("2024-01-03", 86.0),
            day("2024-01-04", 101.0),
            day("2024-01-05", 1.0),
        ];
        let finding = judged("average: {column: x}, at_least: 90", &days);
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-01-02"), date("2024-01-05")]);
        let all_low = [day("2024-01-01", 80.0), day("2024-01-02", 50.0)];
        let finding = judged("average: {column: x}, at_least: 90", &all_low);
        assert_eq!(finding.dates.len(), 2, "the rest is too low, too");
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
