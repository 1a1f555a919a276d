//! `rows_per_group`.

use bf_contract::Comparison;
use bf_warehouse::{Groups, Ident, Measure, Probe};
use serde::Deserialize;

use super::planning::not_empty;
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::{Unit, figure, float, plural};
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The groups of a day that have more or fewer rows than they should.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowsPerGroup {
    /// What makes a group, beside the day.
    columns: Vec<Ident>,
    exactly: Option<u64>,
    min: Option<u64>,
    max: Option<u64>,
}

impl RowsPerGroup {
    /// The fewest and the most rows allowed.
    fn limits(&self) -> (u64, u64) {
        (
            self.exactly.or(self.min).unwrap_or(0),
            self.exactly.or(self.max).unwrap_or(u64::MAX),
        )
    }
}

/// What is measured.
pub(crate) struct Measures {
    rows: Measure<u64>,
    groups: Measure<Groups>,
}

impl CheckKind for RowsPerGroup {
    const KEY: &'static str = "rows_per_group";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "groups of `columns` with other than `exactly`, `min`, `max` rows";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = Measures;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        not_empty(&self.columns)?;
        let (min, max) = self.limits();
        let both = self.exactly.is_some() && (self.min.is_some() || self.max.is_some());
        if both || min > max || (min, max) == (0, u64::MAX) {
            return Err("rows_per_group needs exactly, or min and/or max".to_owned());
        }
        Ok(())
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        self.columns.iter_mut().collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        Measures {
            rows: planning.rows(),
            groups: planning.groups_within(&self.columns, self.limits()),
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let rows = at.sum(measures.rows);
        let mut all = Groups::default();
        for (_, day) in at.daily(measures.groups) {
            all.groups += day.groups;
            all.off += day.off;
        }
        let Groups { groups, off } = all;
        if groups == 0 {
            return at.no_data();
        }
        let name = match &at.facts.suite.group {
            Some(group) if self.columns == [group.column.clone()] => group.name.as_str(),
            _ => "group",
        };
        let limit = match (self.exactly, self.min, self.max) {
            (Some(exactly), _, _) => format!("exactly {exactly}"),
            (None, Some(min), Some(max)) => format!("{min} to {max}"),
            (None, Some(min), None) => format!("at least {min}"),
            (None, None, Some(max)) => format!("at most {max}"),
            (None, None, None) => "any number".to_owned(),
        };
        let rows = figure(float(rows), Unit::Count, None);
        let groups_text = plural(groups, name);
        let text = match off {
            0 => format!("{rows} ({groups_text}, {limit} each)"),
            off => format!(
                "{rows}, but {} of {groups_text} without {limit} each",
                figure(float(off), Unit::Count, None)
            ),
        };
        let finding = at.counted(off, &text).of(groups - off, groups);
        if off == 0 {
            return finding;
        }
        let (min, max) = self.limits();
        finding
            .on(at.days_off(measures.groups))
            .probe(Probe::Groups {
                filter: at.filter(),
                columns: self.columns.clone(),
                min,
                max,
            })
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, groups, judged};
    use crate::outcome::Outcome::Fail;

    #[test]
    fn groups_with_other_numbers_of_rows_are_counted_on_their_dates() {
        let days = [
            ("2024-01-01", vec![count(4), groups(2, 0)]),
            ("2024-01-02", vec![count(3), groups(2, 1)]),
        ];
        let finding = judged("rows_per_group: {columns: [game], exactly: 2}", &days);
        assert_eq!((finding.outcome(), finding.observed()), (Fail, Some(1.0)));
        assert_eq!(finding.dates, [date("2024-01-02")]);
    }
}
