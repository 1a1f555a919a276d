//! `distinct_count`.

use std::collections::BTreeMap;

use bf_warehouse::{Condition, Groups, Ident, Literal, Measure, Probe, Test, WarehouseError};
use chrono::NaiveDate;
use serde::Deserialize;

use super::planning::not_empty;
use super::{CheckKind, Context, Figure, Planning, reference_range};
use crate::evidence::Sampling;
use crate::figures::plural;
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The distinct values of some columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DistinctCount {
    columns: Vec<Ident>,
}

/// The most values that are looked for in the table.
const MOST_NAMED: usize = 100;

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

    /// Names the values that are too many: those that are on the fewest dates.
    fn sample(
        &self,
        at: &Context<'_>,
        finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        let (Some(observed), Some(threshold), [column]) =
            (finding.observed(), finding.threshold(), &*self.columns)
        else {
            return Ok(finding);
        };
        if observed <= threshold.value || !sampling.limits.shows(column.as_str()) {
            return Ok(finding);
        }
        let mut dates: BTreeMap<String, Vec<NaiveDate>> = BTreeMap::new();
        for (date, value) in sampling.values(at.filter().as_ref(), column)? {
            dates.entry(value).or_default().push(date);
        }
        let mut rarest: Vec<_> = dates.into_iter().collect();
        rarest.sort_by_key(|(_, dates)| dates.len());
        let mut surplus = observed - threshold.value;
        rarest.retain(|_| {
            surplus -= 1.0;
            surplus >= 0.0
        });
        let names: Vec<&str> = rarest.iter().map(|(name, _)| name.as_str()).collect();
        let Some(first) = names.first() else {
            return Ok(finding);
        };
        let mut finding = finding;
        finding.message.push_str(&format!(
            "; the rarest: {}, on {}",
            bf_cli::text::printable(first, 60),
            plural(rarest[0].1.len() as u64, "date")
        ));
        let values = names.iter().map(|name| Literal::Text((*name).to_owned()));
        let is_one = Condition::test(column, Test::In(values.take(MOST_NAMED).collect()));
        let dates = rarest.iter().flat_map(|(_, dates)| dates).copied();
        Ok(finding
            .and_on(dates.collect())
            .probe(Probe::Matching(at.filter(), is_one)))
    }
}

#[cfg(test)]
mod tests {
    use bf_warehouse::Total;

    use crate::checks::testing::{count, groups, judged_with};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn the_values_of_the_range_are_counted_once() {
        let days = [
            ("2024-01-01", vec![count(44), groups(4, 0)]),
            ("2024-01-02", vec![count(44), groups(5, 0)]),
        ];
        let of = |check: &str| judged_with(check, &days, &[Total::Distinct(5)]).outcome();
        assert_eq!(of("distinct_count: {columns: [x]}, exactly: 5"), Pass);
        assert_eq!(of("distinct_count: {columns: [x]}, at_most: 4"), Fail);
        assert_eq!(of("distinct_count: {columns: [x]}, at_least: 6"), Fail);
    }
}
