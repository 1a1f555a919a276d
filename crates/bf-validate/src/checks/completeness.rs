//! `completeness`.

use bf_warehouse::{
    Condition, Groups, Ident, Literal, Measure, Operator, Probe, Test, WarehouseError,
};
use serde::Deserialize;

use super::shares::{Floors, few_rows};
use super::{CheckKind, Context, Figure, Planning, shares};
use crate::evidence::Sampling;
use crate::figures::{Unit, figure, plural};
use crate::outcome::{Finding, Outcome, Share};
use crate::suite::TableSpec;

/// The share of rows that have a value in a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Completeness {
    column: Ident,
    /// Only a finite number counts as a value.
    #[serde(default)]
    numbers: bool,
    worst_month_floor: Option<f64>,
    worst_date_floor: Option<f64>,
    #[serde(default = "few_rows")]
    floor_min_rows: u64,
    /// What every group (a team) must reach in every month.
    worst_group: Option<WorstGroup>,
    /// The group whose values are all there or all missing: small numbers count these, and not rows.
    by: Option<String>,
    /// What a zero is taken for.
    zero: Option<Zero>,
}

/// What every group must reach in every month, so that one that is empty cannot hide among thirty.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorstGroup {
    columns: Vec<Ident>,
    /// In percent.
    floor: f64,
    /// A group with fewer rows in a month is left alone.
    #[serde(default = "thirty_rows")]
    min_rows: u64,
}

/// What a zero is taken for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Zero {
    /// A group of a day in which every number is zero has no value at all.
    Missing,
}

const fn thirty_rows() -> u64 {
    30
}

/// A range of so many days has too few rows of a group for a floor by month: then a group of a day without any value is
/// taken for missing.
const SHORT_DAYS: i64 = 7;

/// What is measured.
pub(crate) struct Measures {
    share: shares::Measures,
    /// All groups, and those with a value.
    by: Option<(Measure<Groups>, Measure<Groups>)>,
    worst_group: Option<Measure<Groups>>,
    /// Groups of a day without a value.
    empty: Option<Measure<Groups>>,
}

/// Whether a column holds a value.
pub(super) fn present(column: &Ident, numbers: bool) -> Condition {
    let test = if numbers {
        Test::IsNumber
    } else {
        Test::IsPresent
    };
    Condition::test(column, test)
}

impl Completeness {
    /// The groups of a day that cannot be without a value: those of `worst_group`, else the suite's, else the day.
    fn groups_of_a_day(&self, suite: &TableSpec) -> Vec<Ident> {
        match (&self.worst_group, &suite.group) {
            (Some(group), _) => group.columns.clone(),
            (None, Some(group)) => vec![group.column.clone()],
            (None, None) => vec![suite.date_column.clone()],
        }
    }

    fn is(&self, operator: Operator) -> Condition {
        let zero = Test::Compare(operator, Literal::Number(0.0));
        Condition::test(&self.column, zero)
    }

    /// Plans the groups of a day without a value: in a short range those that are NULL throughout, too.
    fn plan_empty(&self, planning: &mut Planning<'_>) -> Option<Measure<Groups>> {
        let days = (planning.range.end - planning.range.start).num_days() + 1;
        let is_short = days <= SHORT_DAYS;
        let groups = self.groups_of_a_day(planning.suite);
        let number = present(&self.column, true);
        let not_zero = self.is(Operator::Differs);
        match (self.zero, is_short && self.worst_group.is_some()) {
            (Some(Zero::Missing), true) => Some(planning.empty_groups(groups, None, &not_zero)),
            (Some(Zero::Missing), false) => {
                Some(planning.empty_groups(groups, Some(&number), &not_zero))
            }
            (None, true) => {
                let value = present(&self.column, self.numbers);
                Some(planning.empty_groups(groups, None, &value))
            }
            (None, false) => None,
        }
    }
}

impl CheckKind for Completeness {
    const KEY: &'static str = "completeness";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "rows with a value in `column`, in percent; `worst_month_floor`, `worst_date_floor`, \
                               `worst_group`, `by`, `zero: missing`";
    type Measures = Measures;

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        match (&self.by, &suite.group) {
            (Some(by), Some(group)) if group.name != *by => Err(format!(
                "by: {by} is not the suite's group (did you mean {}?)",
                group.name
            )),
            (Some(_), None) => Err("by needs the suite's group".to_owned()),
            _ => Ok(()),
        }
    }

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        let mut floors = shares::floors(self.worst_month_floor, self.worst_date_floor);
        let group = self.worst_group.as_ref();
        floors.push(("the floor of worst_group", group.map(|group| group.floor)));
        floors
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        let groups = self.worst_group.iter_mut();
        let groups = groups.flat_map(|group| &mut group.columns);
        groups.chain([&mut self.column]).collect()
    }

    fn columns_of_suite(&self, suite: &TableSpec) -> Vec<Ident> {
        let group = suite.group.iter().filter(|_| self.by.is_some());
        group.map(|group| group.column.clone()).collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        let present = present(&self.column, self.numbers);
        let share = shares::Measures {
            asked: planning.rows(),
            good: planning.meets(&present),
        };
        let group = planning.suite.group.as_ref().filter(|_| self.by.is_some());
        let by = group.map(|group| {
            let columns = std::slice::from_ref(&group.column);
            let all = planning.groups(columns);
            (all, planning.groups_that_meet(columns, &present))
        });
        let worst_group = self.worst_group.as_ref().map(|group| {
            let of = (&*group.columns, group.floor, group.min_rows);
            planning.lacking(of, &present)
        });
        Measures {
            share,
            by,
            worst_group,
            empty: self.plan_empty(planning),
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let condition = present(&self.column, self.numbers);
        let groups = measures.by.map(|(all, good)| {
            let count = |groups| {
                at.daily(groups)
                    .map(|(_, day): (_, Groups)| day.groups)
                    .sum()
            };
            Share {
                asked: count(all),
                good: count(good),
            }
        });
        let floors = Floors {
            month: self.worst_month_floor,
            date: self.worst_date_floor,
            min_rows: self.floor_min_rows,
        };
        let mut finding = shares::with_floors(at, measures.share, floors, &condition, groups);
        let names = |columns: &[Ident]| -> String {
            let names: Vec<&str> = columns.iter().map(Ident::as_str).collect();
            names.join(", ")
        };
        if let (Some(group), Some(measure)) = (&self.worst_group, measures.worst_group) {
            let low = at.days_off(measure);
            if !low.is_empty() {
                finding.message.push_str(&format!(
                    "; one {} or more under {} in a whole month, on {}",
                    names(&group.columns),
                    figure(group.floor, Unit::Percent, None),
                    plural(low.len() as u64, "date")
                ));
                finding.worsen(Outcome::Fail);
                finding = finding
                    .and_on(low)
                    .probe(Probe::Lacking(at.filter(), condition.clone()));
            }
        }
        let empty = measures.empty.map(|empty| at.days_off(empty));
        let empty = empty.unwrap_or_default();
        if !empty.is_empty() {
            finding.message.push_str(&format!(
                "; one {} or more with {}, on {}",
                names(&self.groups_of_a_day(at.facts.suite)),
                match self.zero {
                    Some(_) => "nothing but zeros or no value",
                    None => "no value",
                },
                plural(empty.len() as u64, "date")
            ));
            let is_worse = finding.outcome() != Outcome::Fail;
            finding.worsen(Outcome::Fail);
            finding = finding.and_on(empty);
            if is_worse {
                let not_zero = self.is(Operator::Differs);
                let value = if self.zero.is_some() {
                    not_zero
                } else {
                    condition
                };
                finding = finding.probe(Probe::Lacking(at.filter(), value));
            }
        }
        finding
    }

    /// Names the group that lacks values on most dates.
    fn sample(
        &self,
        _: &Context<'_>,
        mut finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        let (Some(group), Some(Probe::Lacking(filter, condition))) =
            (&self.worst_group, &finding.probe)
        else {
            return Ok(finding);
        };
        if let Some((name, dates)) =
            sampling.most_lacking(&group.columns, (filter.as_ref(), condition), &finding.dates)?
        {
            let dates = plural(dates, "date");
            finding
                .message
                .push_str(&format!("; most often {name}, on {dates}"));
        }
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, groups, judged};
    use crate::outcome::Outcome::{Fail, Pass, Warn};

    #[test]
    fn a_date_without_values_fails_though_the_range_is_good_enough() {
        let check = "completeness: {column: x, worst_date_floor: 50}, at_least: 90";
        let good = ("2024-01-01", vec![count(400), count(400)]);
        let days = [good.clone(), ("2024-01-02", vec![count(20), count(0)])];
        let finding = judged(check, &days);
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-01-02")]);
        assert_eq!(judged(check, &[good]).outcome(), Pass);
    }

    #[test]
    fn one_row_of_a_small_date_is_a_warning_and_no_floor_of_a_long_range_is() {
        let check = "completeness: {column: x, worst_date_floor: 50}, at_least: 99";
        let days = [("2024-01-01", vec![count(20), count(19)])];
        assert_eq!(judged(check, &days).outcome(), Warn);
        let days = [
            ("2024-01-01", vec![count(4000), count(4000)]),
            ("2024-01-02", vec![count(11), count(5)]),
        ];
        assert_eq!(judged(check, &days).outcome(), Fail);
    }

    #[test]
    fn a_group_without_a_value_fails_however_good_the_share_is() {
        let check =
            "completeness: {column: x, worst_group: {columns: [team], floor: 50}}, at_least: 90";
        let day = |off| {
            (
                "2024-01-01",
                vec![count(400), count(396), groups(30, 0), groups(30, off)],
            )
        };
        assert_eq!(judged(check, &[day(0)]).outcome(), Pass);
        assert_eq!(judged(check, &[day(1)]).outcome(), Fail);
    }
}
