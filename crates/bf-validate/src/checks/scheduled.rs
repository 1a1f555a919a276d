//! `scheduled`.

use std::collections::BTreeSet;

use bf_contract::{Comparison, Level, percentage};
use bf_warehouse::{Condition, Ident, Literal, Probe, Test};
use chrono::NaiveDate;
use serde::Deserialize;

use super::expected::unanswered;
use super::planning::{ScheduleOf, not_empty};
use super::{CheckKind, Context, Figure, Planning};
use crate::expected::{Expectation, Expected};
use crate::figures::{Unit, plural};
use crate::outcome::Finding;
use crate::scheduled::{IdComparison, KeysToFind, ScheduleComparison};
use crate::suite::TableSpec;

/// The share of rows whose key the schedule has on the same day, on dates that the schedule knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Scheduled(KeysToFind);

/// The most wrong ids that are looked for in the table.
const MOST_SHOWN: usize = 100;

impl CheckKind for Scheduled {
    const KEY: &'static str = "scheduled";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "rows whose key the schedule has on the same day, in percent; `id_form` for ids that the \
                               schedule writes otherwise";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtLeast, 100.0));
    type Measures = ScheduleOf;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        not_empty(&self.0.columns)?;
        let names = self.0.schedule_columns.as_ref();
        let is_off = |names: &Vec<Vec<Ident>>| {
            names.len() != self.0.columns.len() || names.iter().any(Vec::is_empty)
        };
        if names.is_some_and(is_off) {
            return Err("schedule_columns must have names for each of the columns".to_owned());
        }
        Ok(())
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        let condition = self.0.of.iter_mut().flat_map(Condition::columns_mut);
        condition.chain(&mut self.0.columns).collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> ScheduleOf {
        planning.schedule(&self.0)
    }

    fn judge(&self, at: &Context<'_>, of: &ScheduleOf) -> Finding {
        let not_answered = |reason: &str| {
            if at.check.optional && at.check.level != Level::Critical {
                return Finding::skipped(format!("{}: {reason}", at.title()));
            }
            unanswered(at, reason)
        };
        let expected = match at.facts.expected {
            Expectation::Known(expected) => expected,
            Expectation::Unknown(hint) => return not_answered(hint),
            Expectation::Failed(reason) => {
                return Finding::unknown(format!("{}: {reason}", at.title()));
            }
        };
        let (Some(schedule), Some(found)) = (&expected.schedule, at.schedule(*of)) else {
            return not_answered(&format!(
                "{} is no schedule with rows of its own",
                expected.source
            ));
        };
        let (pairs, ours, theirs) = match found {
            ScheduleComparison::Pairs(pairs, ours, theirs) => (pairs, ours, theirs),
            ScheduleComparison::Ids(found) => return judge_ids(found, at, expected),
            ScheduleComparison::Unanswered(reason) => return not_answered(reason),
            ScheduleComparison::Failed(reason) => {
                return Finding::unknown(format!("{}: {reason}", at.title()));
            }
        };
        // A date that the schedule does not have at all is rather one that it does not know yet.
        let known = || pairs.days.iter().filter(|(date, _)| expected.knows(**date));
        let (rows, unmatched) = known().fold((0, 0), |(rows, unmatched), (_, day)| {
            (rows + day.rows, unmatched + day.unmatched_rows)
        });
        let Some(observed) = percentage(rows - unmatched.min(rows), rows) else {
            return not_answered(&format!("{} has none of its dates", expected.source));
        };
        let mut finding = at.plain(observed, Unit::Percent).of(rows - unmatched, rows);
        if unmatched == 0 {
            return finding;
        }
        let dates = known().filter(|(_, day)| day.unmatched_rows > 0);
        let dates: Vec<NaiveDate> = dates.map(|(date, _)| *date).collect();
        finding.message.push_str(&format!(
            "; {} not as in {} on {}",
            plural(unmatched, "record"),
            expected.source,
            plural(dates.len() as u64, "date")
        ));
        finding.on(dates).probe(Probe::Unscheduled {
            filter: Condition::and(at.facts.suite.filter_of(at.check), self.0.of.as_ref()),
            columns: ours.clone(),
            table: schedule.table.clone(),
            date_column: schedule.date_column.clone(),
            date_kind: schedule.columns.kind(&schedule.date_column),
            schedule_columns: theirs.clone(),
            either_side: self.0.either_side,
        })
    }
}

/// Judges the ids of dates that the schedule knows.
fn judge_ids(found: &IdComparison, at: &Context<'_>, expected: &Expected) -> Finding {
    let known = found
        .asked
        .iter()
        .filter(|(date, _)| expected.knows(**date));
    let asked: u64 = known.map(|(_, ids)| ids).sum();
    let wrong = found.wrong.iter().filter(|(date, _)| expected.knows(*date));
    let wrong: Vec<&(NaiveDate, String)> = wrong.collect();
    let off = wrong.len() as u64;
    let Some(observed) = bf_contract::percentage(asked - off, asked) else {
        let title = &at.check.title;
        return Finding::unanswered(format!(
            "{title}: {} has none of its dates",
            expected.source
        ));
    };
    let mut finding = at.plain(observed, Unit::Percent).of(asked - off, asked);
    let Some((_, first)) = wrong.first() else {
        return finding;
    };
    let dates: BTreeSet<NaiveDate> = wrong.iter().map(|(date, _)| *date).collect();
    finding.message.push_str(&format!(
        "; {} not as {} has its games, on {}, such as {}",
        plural(off, found.column.as_str()),
        expected.source,
        plural(dates.len() as u64, "date"),
        bf_cli::text::printable(first, 60)
    ));
    let ids = wrong.iter().take(MOST_SHOWN);
    let ids = ids.map(|(_, id)| Literal::Text(id.clone())).collect();
    finding
        .on(dates.into_iter().collect())
        .probe(Probe::Matching(
            None,
            Condition::test(&found.column, Test::In(ids)),
        ))
}
