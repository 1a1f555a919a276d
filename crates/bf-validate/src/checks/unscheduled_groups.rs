//! `unscheduled_groups`.

use bf_contract::Comparison;
use bf_warehouse::{Groups, Ident, Measure, Probe};
use chrono::NaiveDate;
use serde::Deserialize;

use super::expected::{counted, group_column, needs_group, unanswered};
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::plural;
use crate::outcome::Finding;
use crate::suite::TableSpec;

/// The groups beyond those that the schedule has on a date.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnscheduledGroups {}

impl CheckKind for UnscheduledGroups {
    const KEY: &'static str = "unscheduled_groups";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "groups that no schedule has on that date";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = Option<Measure<Groups>>;

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        needs_group(suite)
    }

    fn columns_of_suite(&self, suite: &TableSpec) -> Vec<Ident> {
        group_column(suite)
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Option<Measure<Groups>> {
        planning.groups_of_suite()
    }

    fn judge(&self, at: &Context<'_>, groups: &Option<Measure<Groups>>) -> Finding {
        match groups {
            Some(groups) => judge(at, groups),
            None => at.not_counted(),
        }
    }
}

/// From the schedule's first date to its last: what lies beyond, or in a hole, is rather what it does not know, and
/// `missing_dates` says so.
fn judge(at: &Context<'_>, groups: &Measure<Groups>) -> Finding {
    let (expected, name) = match counted(at) {
        Ok(counted) => counted,
        Err(finding) => return *finding,
    };
    if !expected.is_schedule {
        let why = format!(
            "{} does not say how many {name}s were planned",
            expected.source
        );
        return unanswered(at, &why);
    }
    let known = expected.span();
    let surplus: Vec<(NaiveDate, u64)> = at
        .daily(*groups)
        .map(|(date, day)| (date, day.groups))
        .filter(|(date, _)| known.is_some_and(|known| known.contains(*date)))
        .filter(|(date, _)| !expected.left_out.contains(date))
        .filter(|(date, _)| !expected.reach.is_in_a_hole(*date))
        .filter_map(|(date, groups)| {
            let planned = expected.dates.get(&date).copied().unwrap_or(0);
            let unplayed = expected.unplayed.get(&date);
            let unplayed = unplayed.map_or(0, |names| names.len().max(1) as u64);
            let more = groups.saturating_sub(planned + unplayed);
            (more > 0).then_some((date, more))
        })
        .collect();
    let count: u64 = surplus.iter().map(|(_, more)| more).sum();
    let text = match count {
        0 => format!("none ({})", expected.source),
        count => format!(
            "{} more than {} has, on {}",
            plural(count, name),
            expected.source,
            plural(surplus.len() as u64, "date")
        ),
    };
    let finding = at.counted(count, &text);
    if count == 0 {
        return finding;
    }
    let rows = surplus.iter().map(|(date, more)| {
        let planned = expected.dates.get(date).copied().unwrap_or(0);
        let fields = [("planned", planned.to_string()), ("more", more.to_string())];
        (*date, fields)
    });
    let finding = finding.beside(rows);
    finding
        .on(surplus.into_iter().map(|(date, _)| date).collect())
        .probe(Probe::RowsByDate)
}
