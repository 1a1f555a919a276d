//! `matching_rows`.

use bf_contract::Comparison;
use bf_warehouse::{Condition, Ident, Measure, Probe};
use chrono::NaiveDate;
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning};
use crate::figures::plural;
use crate::outcome::Finding;

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
        Measures {
            rows: planning.rows(),
            matching: planning.meets(&self.of),
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let asked = at.sum(measures.rows);
        if asked == 0 {
            return at.no_data();
        }
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
    use crate::outcome::Outcome::{Fail, Pass};

    const OF: &str = "matching_rows: {of: {column: x, equals: 1}}";

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
