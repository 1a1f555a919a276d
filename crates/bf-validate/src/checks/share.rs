//! `share`.

use bf_warehouse::{Columns, Condition, Ident};
use serde::Deserialize;

use super::shares::{Floors, Measures, few_rows};
use super::{CheckKind, Context, Figure, Planning, shares};
use crate::outcome::Finding;

/// The share of rows that meet a condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    of: Condition,
    /// The condition in its place if the table lacks a column of it.
    otherwise: Option<Condition>,
    /// The column that the table lacks, if the condition is the one in its place.
    #[serde(skip)]
    in_place_of: Option<Ident>,
    worst_month_floor: Option<f64>,
    worst_date_floor: Option<f64>,
    #[serde(default = "few_rows")]
    floor_min_rows: u64,
}

impl CheckKind for Share {
    const KEY: &'static str = "share";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str =
        "rows that meet `of`, in percent; `otherwise` if a column is missing; the same floors";
    type Measures = Measures;

    fn resolve(&mut self, columns: &Columns) {
        let named = self.of.columns().into_iter();
        let lacking = named.into_iter().find(|name| columns.get(name).is_none());
        let lacking = lacking.cloned();
        if let (Some(otherwise), Some(lacking)) = (self.otherwise.take(), lacking) {
            self.of = otherwise;
            self.in_place_of = Some(lacking);
        }
    }

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        shares::floors(self.worst_month_floor, self.worst_date_floor)
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        let otherwise = self.otherwise.iter_mut().flat_map(Condition::columns_mut);
        otherwise.chain(self.of.columns_mut()).collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        Measures {
            asked: planning.rows(),
            good: planning.meets(&self.of),
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let floors = Floors {
            month: self.worst_month_floor,
            date: self.worst_date_floor,
            min_rows: self.floor_min_rows,
        };
        let mut finding = if floors.month.is_some() || floors.date.is_some() {
            shares::with_floors(at, *measures, floors, &self.of, None)
        } else {
            shares::plain(at, *measures, &self.of)
        };
        if let Some(lacking) = &self.in_place_of {
            let columns = self.of.columns().into_iter().map(ToString::to_string);
            finding.message.push_str(&format!(
                "; by {}, as the table has no {lacking}",
                columns.collect::<Vec<_>>().join(", ")
            ));
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, judged};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn every_threshold_is_applied() {
        let days = [
            ("2024-01-01", vec![count(200), count(150)]),
            ("2024-01-02", vec![count(200), count(150)]),
        ];
        for (threshold, outcome) in [
            ("at_least: 75", Pass),
            ("at_least: 75.1", Fail),
            ("at_most: 75", Pass),
            ("at_most: 74.9", Fail),
            ("exactly: 75", Pass),
            ("exactly: 76", Fail),
        ] {
            let check = format!("share: {{of: {{column: x, equals: 1}}}}, {threshold}");
            assert_eq!(judged(&check, &days).outcome(), outcome, "{threshold}");
        }
    }
}
