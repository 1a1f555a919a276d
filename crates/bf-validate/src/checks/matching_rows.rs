//! `matching_rows`.

use bf_contract::Comparison;
use bf_warehouse::{Condition, Ident, Measure, Probe, Test};
use chrono::NaiveDate;
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning};
use crate::figures::plural;
use crate::outcome::{Finding, Outcome};

/// The rows that meet a condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchingRows {
    of: Condition,
}

/// What is measured.
pub(crate) struct Measures {
    rows: Measure<u64>,
    matching: Measure<u64>,
    /// For each comparison with a number: the rows with a value, and those of which it is true or false.
    compared: Vec<(Measure<u64>, Measure<u64>)>,
}

impl CheckKind for MatchingRows {
    const KEY: &'static str = "matching_rows";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "rows that meet `of`; at most 0 unless given";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = Measures;

    fn columns(&mut self) -> Vec<&mut Ident> {
        self.of.columns_mut()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        let rows = planning.rows();
        let matching = planning.meets(&self.of);
        let not = |condition: &Condition| Condition::Not(Box::new(condition.clone()));
        let compared = self.of.number_comparisons().into_iter();
        let compared = compared.map(|(column, comparison)| {
            let has_value = not(&Condition::test(column, Test::IsNull));
            let is_decided = Condition::Any(vec![comparison.clone(), not(comparison)]);
            (planning.meets(&has_value), planning.meets(&is_decided))
        });
        Measures {
            compared: compared.collect(),
            rows,
            matching,
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let asked = at.sum(measures.rows);
        if asked == 0 {
            return at.no_data();
        }
        let undecided: u64 = measures
            .compared
            .iter()
            .map(|(values, decided)| at.sum(*values).saturating_sub(at.sum(*decided)))
            .sum();
        if undecided > 0 {
            let mut finding = self.count(at, measures, asked);
            finding.worsen(Outcome::Error);
            finding.message.push_str(&format!(
                "; {} that cannot be compared with a number",
                plural(undecided, "value")
            ));
            return finding;
        }
        self.count(at, measures, asked)
    }
}

impl MatchingRows {
    fn count(&self, at: &Context<'_>, measures: &Measures, asked: u64) -> Finding {
        let dates = at.daily(measures.matching).filter(|(_, count)| *count > 0);
        let dates: Vec<(NaiveDate, u64)> = dates.collect();
        let matching = dates.iter().map(|(_, count)| count).sum();
        if matching == 0 {
            return at.counted(0, "none").of(0, asked);
        }
        let text = format!(
            "{} on {}",
            plural(matching, "record"),
            plural(dates.len() as u64, "date")
        );
        at.counted(matching, &text)
            .of(matching, asked)
            .on(dates.into_iter().map(|(date, _)| date).collect())
            .probe(Probe::Matching(at.filter(), self.of.clone()))
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, judged};
    use crate::outcome::Outcome::{Error, Fail, Pass};

    const OF: &str = "matching_rows: {of: {column: x, equals: a}}";

    #[test]
    fn a_value_that_no_number_compares_with_is_no_pass() {
        let check = "matching_rows: {of: {column: x, below: 0}}";
        let day = |decided| {
            [(
                "2024-01-01",
                vec![count(3), count(0), count(3), count(decided)],
            )]
        };
        assert_eq!(judged(check, &day(3)).outcome(), Pass);
        assert_eq!(judged(check, &day(2)).outcome(), Error);
    }

    #[test]
    fn one_row_that_matches_fails_on_its_date() {
        let days = [
            ("2024-01-01", vec![count(3), count(0)]),
            ("2024-01-02", vec![count(4), count(1)]),
        ];
        let finding = judged(OF, &days);
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-01-02")]);
        assert_eq!(judged(&format!("{OF}, at_most: 1"), &days).outcome(), Pass);
        assert_eq!(judged(OF, &days[..1]).outcome(), Pass);
    }
}
