//! `unique_key`.

use bf_contract::Comparison;
use bf_warehouse::{Condition, Ident, Measure, Probe, Surplus, Test, WarehouseError};
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning};
use crate::evidence::Sampling;
use crate::figures::plural;
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The rows beyond the first of each primary key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UniqueKey {}

/// What is measured.
pub(crate) struct Measures {
    rows: Measure<u64>,
    surplus: Measure<Surplus>,
    /// Rows with NULL in a column of the key.
    without: Measure<u64>,
}

impl CheckKind for UniqueKey {
    const KEY: &'static str = "unique_key";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "rows beyond the first of each primary key";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = Measures;

    fn columns_of_suite(&self, suite: &TableSpec) -> Vec<Ident> {
        suite.primary_key.clone()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        Measures {
            rows: planning.rows(),
            without: planning.meets(&without_key(&planning.suite.primary_key)),
            surplus: planning.surplus(&planning.suite.primary_key),
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let rows = at.sum(measures.rows);
        let Some(Surplus(surplus)) = at.facts.scan.surplus(measures.surplus) else {
            return at.not_counted();
        };
        if rows == 0 {
            return at.no_data();
        }
        let key = &at.facts.suite.primary_key;
        let without = at.sum(measures.without);
        if without > 0 {
            let dates = at.daily(measures.without).filter(|(_, rows)| *rows > 0);
            let text = format!("{} without a whole key", plural(without, "record"));
            return at
                .counted(without + surplus, &text)
                .of(rows - without, rows)
                .on(dates.map(|(date, _)| date).collect())
                .probe(Probe::Matching(at.filter(), without_key(key)));
        }
        let names: Vec<&str> = key.iter().map(Ident::as_str).collect();
        let names = names.join(", ");
        if surplus == 0 {
            let text = format!("none ({names} is unique)");
            return at.counted(0, &text).of(rows, rows);
        }
        let text = format!(
            "{} more than there are keys ({names})",
            plural(surplus, "record")
        );
        at.counted(surplus, &text)
            .of(rows - surplus, rows)
            .probe(Probe::Duplicates(at.filter(), key.clone()))
    }

    /// Equal hashes are not yet equal keys: the table decides. No rows have no duplicates either, and that stays no data.
    fn sample(
        &self,
        at: &Context<'_>,
        mut finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        let has_duplicates = finding.observed().is_some_and(|surplus| surplus > 0.0);
        // Rows without a key are counted one by one, and have their dates already.
        if !has_duplicates || !finding.dates.is_empty() {
            return Ok(finding);
        }
        finding.dates = sampling.dates_of(&finding)?;
        Ok(match finding.dates.is_empty() {
            true => at.counted(0, "none"),
            false => finding,
        })
    }
}

fn without_key(key: &[Ident]) -> Condition {
    let is_null = |column| Condition::test(column, Test::IsNull);
    Condition::Any(key.iter().map(is_null).collect())
}

#[cfg(test)]
mod tests {
    use bf_warehouse::{Cell, Total};

    use crate::checks::testing::{count, date, judged_with};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn a_row_beyond_the_keys_fails() {
        let days = [("2024-01-01", vec![count(9), count(0), Cell::None])];
        let judged = |surplus| judged_with("unique_key: {}", &days, &[Total::Surplus(surplus)]);
        assert_eq!(judged(0).outcome(), Pass);
        assert_eq!((judged(2).outcome(), judged(2).numerator), (Fail, Some(7)));
    }

    #[test]
    fn a_row_without_its_key_fails_on_its_date() {
        let days = [("2024-01-01", vec![count(9), count(1), Cell::None])];
        let finding = judged_with("unique_key: {}", &days, &[Total::Surplus(0)]);
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-01-01")]);
    }
}
