//! `missing_groups`.

use std::collections::BTreeMap;

use bf_contract::Comparison;
use bf_warehouse::{Groups, Ident, Measure, WarehouseError};
use chrono::NaiveDate;
use serde::Deserialize;

use super::expected::{
    counted, group_column, name_what_is_missing, needs_group, of_schedule, unanswered,
};
use super::{CheckKind, Context, Figure, Planning};
use crate::evidence::Sampling;
use crate::figures::plural;
use crate::outcome::{Finding, Outcome};
use crate::suite::TableSpec;

/// The scheduled groups that the table does not have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MissingGroups {}

impl CheckKind for MissingGroups {
    const KEY: &'static str = "missing_groups";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "scheduled groups that the table does not have";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    const ABOUT_ROWS: bool = false;
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

    fn sample(
        &self,
        at: &Context<'_>,
        finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        name_what_is_missing(at, finding, sampling)
    }
}

fn judge(at: &Context<'_>, groups: &Measure<Groups>) -> Finding {
    let facts = at.facts;
    let (expected, name) = match counted(at) {
        Ok(counted) => counted,
        Err(finding) => return *finding,
    };
    let found: BTreeMap<NaiveDate, u64> = at
        .daily(*groups)
        .map(|(date, day)| (date, day.groups))
        .collect();
    let of = |date: &NaiveDate| found.get(date).copied().unwrap_or(0);
    let (mut wanted, mut missing, mut dates) = (0, 0, Vec::new());
    let mut beside = Vec::new();
    for (date, groups) in facts.due(expected) {
        wanted += groups;
        let lacking = groups.saturating_sub(of(&date));
        if lacking > 0 {
            missing += lacking;
            dates.push(date);
            let fields = [
                ("expected", groups.to_string()),
                ("found", of(&date).to_string()),
            ];
            beside.push((date, fields));
        }
    }
    let mut unplayed: Vec<(NaiveDate, &[String])> = Vec::new();
    for (date, names) in expected.unplayed.range(facts.range.start..=facts.range.end) {
        let planned = expected.dates.get(date).copied().unwrap_or(0);
        let surplus = of(date).saturating_sub(planned);
        if surplus < names.len().max(1) as u64 {
            unplayed.push((*date, names));
        }
    }
    if wanted == 0 && unplayed.is_empty() && expected.reach.is_whole() {
        let source = &expected.source;
        return Finding::skipped(format!(
            "{}: {source} expects none from {}",
            at.title(),
            facts.range
        ));
    }
    let all = plural(wanted, name);
    if missing == 0 && expected.is_of_the_partner() {
        let why = format!(
            "no schedule is known; all {all} of {} are there",
            expected.source
        );
        return unanswered(at, &why);
    }
    let text = match missing {
        0 => format!("none of {all} ({})", expected.source),
        missing => format!(
            "{missing} of {all} on {} ({})",
            plural(dates.len() as u64, "date"),
            expected.source
        ),
    };
    let mut finding = at.counted(missing, &text).of(wanted - missing, wanted);
    let mut concerned = Vec::new();
    if !unplayed.is_empty() {
        let count: u64 = unplayed
            .iter()
            .map(|(_, names)| names.len().max(1) as u64)
            .sum();
        let names: Vec<&str> = unplayed
            .iter()
            .flat_map(|(_, names)| names.iter().map(String::as_str))
            .take(5)
            .collect();
        finding.worsen(Outcome::Warn);
        finding.message.push_str(&format!(
            "; {} never marked as played, and not in the table",
            plural(count, name)
        ));
        if !names.is_empty() {
            finding
                .message
                .push_str(&format!(" ({})", names.join(", ")));
        }
        concerned.extend(unplayed.iter().map(|(date, _)| *date));
    }
    if expected.reach.before.is_some() || expected.reach.after.is_some() {
        finding.worsen(Outcome::Error);
        finding
            .message
            .push_str("; part of the range is beyond the schedule");
    }
    if !dates.is_empty() {
        let finding = finding.beside(beside.into_iter());
        finding.on(dates).probe(of_schedule(expected))
    } else if finding.outcome() == Outcome::Pass {
        finding
    } else {
        finding.and_on(concerned)
    }
}
