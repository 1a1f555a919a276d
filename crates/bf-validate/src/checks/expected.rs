//! What the kinds share that compare the table with the dates that it should have.

use bf_contract::Level;
use bf_warehouse::{Ident, Probe, WarehouseError};

use super::context::Context;
use crate::evidence::Sampling;
use crate::expected::{Expectation, Expected};
use crate::outcome::Finding;
use crate::suite::TableSpec;

pub(super) fn needs_group(suite: &TableSpec) -> Result<(), String> {
    match suite.group {
        Some(_) => Ok(()),
        None => Err("needs the suite's group".to_owned()),
    }
}

pub(super) fn group_column(suite: &TableSpec) -> Vec<Ident> {
    let group = suite.group.iter();
    group.map(|group| group.column.clone()).collect()
}

/// Names the groups that the schedule has and the table lacks.
pub(super) fn name_what_is_missing(
    at: &Context<'_>,
    mut finding: Finding,
    sampling: &mut Sampling<'_>,
) -> Result<Finding, WarehouseError> {
    let schedule = at.facts.known().and_then(|known| known.schedule.as_ref());
    let (Some(Probe::OfSchedule { .. }), Some(schedule), Some(group)) =
        (&finding.probe, schedule, &at.facts.suite.group)
    else {
        return Ok(finding);
    };
    let names = sampling.missing_names(&group.column, schedule, &finding.dates)?;
    if names.is_empty() {
        return Ok(finding);
    }
    let list = |names: &[&str]| bf_cli::text::printable(&names.join(", "), 200);
    let all: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
    let more = if all.len() > 5 { " …" } else { "" };
    let first = list(&all[..all.len().min(5)]);
    finding
        .message
        .push_str(&format!("; missing: {first}{more}"));
    for row in &mut finding.rows {
        let date = row.get("date").cloned().flatten();
        let of_date = names
            .iter()
            .filter(|(day, _)| Some(day.to_string()) == date);
        let missing: Vec<&str> = of_date.map(|(_, name)| name.as_str()).collect();
        if !missing.is_empty() {
            row.insert(group.column.to_string(), Some(list(&missing)));
        }
    }
    Ok(finding)
}

/// How what is missing is looked up: in the schedule, as the table does not have it.
pub(super) fn of_schedule(expected: &Expected) -> Probe {
    expected
        .schedule
        .as_ref()
        .map_or(Probe::RowsByDate, |schedule| Probe::OfSchedule {
            table: schedule.table.clone(),
            date_column: schedule.date_column.clone(),
            date_kind: schedule.columns.kind(&schedule.date_column),
        })
}

pub(super) fn known<'a>(at: &Context<'a>) -> Result<&'a Expected, Box<Finding>> {
    match at.facts.expected {
        Expectation::Known(expected) => Ok(expected),
        Expectation::Unknown(hint) => Err(Box::new(unanswered(at, hint))),
        Expectation::Failed(reason) => Err(Box::new(Finding::unknown(format!(
            "{}: {reason}",
            at.title()
        )))),
    }
}

/// The expected dates, if they say how many groups each has, and the suite's word for a group.
pub(super) fn counted<'a>(at: &Context<'a>) -> Result<(&'a Expected, &'a str), Box<Finding>> {
    let expected = known(at)?;
    let group = at.facts.suite.group.as_ref();
    let name = group.map_or("group", |group| group.name.as_str());
    if expected.counts_groups {
        return Ok((expected, name));
    }
    let why = format!(
        "{} does not say how many {name}s a date has",
        expected.source
    );
    Err(Box::new(unanswered(at, &why)))
}

/// Nothing can answer it: an error if the suite calls the check critical.
pub(super) fn unanswered(at: &Context<'_>, why: &str) -> Finding {
    let text = format!("{}: {why}", at.title());
    match at.check.level {
        Level::Critical => Finding::unknown(text),
        _ => Finding::unanswered(text),
    }
}
