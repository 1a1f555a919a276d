//! `scheduled`.

use bf_contract::{Comparison, Level, percentage};
use bf_warehouse::{Condition, Ident, Probe};
use chrono::NaiveDate;
use serde::Deserialize;

use super::expected::unanswered;
use super::plan::ScheduleOf;
use super::{CheckKind, Context, Figure, Planning};
use crate::expected::Expectation;
use crate::figures::{Unit, plural};
use crate::outcome::Finding;
use crate::scheduled::{IdForm, ScheduleComparison};
use crate::suite::Suite;

/// The share of rows whose key the schedule has on the same day, on dates that the schedule knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scheduled {
    /// The rows that are compared with it; all if it is not given.
    pub of: Option<Condition>,
    /// The columns of a key. The first names what is scheduled (a game): if the schedule has none of its values, it
    /// calls them otherwise.
    pub columns: Vec<Ident>,
    /// For each of them the names that the schedule may have for it; the same if it is not given.
    pub schedule_columns: Option<Vec<Vec<Ident>>>,
    /// Whether the last two columns may also be the other way round: a row of either side of a game.
    #[serde(default)]
    pub either_side: bool,
    /// How ids are made that the schedule writes otherwise: `"{date}_{away_team_tricode}_{home_team_tricode}"`.
    pub id_form: Option<IdForm>,
}

impl Scheduled {
    /// For each column the names that the schedule may have for it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[Ident]> {
        (0..self.columns.len()).map(|at| match &self.schedule_columns {
            Some(names) => names[at].as_slice(),
            None => std::slice::from_ref(&self.columns[at]),
        })
    }
}

impl CheckKind for Scheduled {
    const KEY: &'static str = "scheduled";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "rows whose key the schedule has on the same day, in percent; `id_form` for ids that the \
                               schedule writes otherwise";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtLeast, 100.0));
    type Measures = ScheduleOf;

    fn verify(&self, _: &Suite) -> Result<(), String> {
        super::plan::not_empty(&self.columns)?;
        let names = self.schedule_columns.as_ref();
        let is_off = |names: &Vec<Vec<Ident>>| {
            names.len() != self.columns.len() || names.iter().any(Vec::is_empty)
        };
        if names.is_some_and(is_off) {
            return Err("schedule_columns must have names for each of the columns".to_owned());
        }
        Ok(())
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        let condition = self.of.iter_mut().flat_map(Condition::columns_mut);
        condition.chain(&mut self.columns).collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> ScheduleOf {
        planning.schedule(self)
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
            ScheduleComparison::Ids(found) => return found.judge(at, expected),
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
            filter: Condition::and(at.facts.suite.filter_of(at.check), self.of.as_ref()),
            columns: ours.clone(),
            table: schedule.table.clone(),
            date_column: schedule.date_column.clone(),
            date_kind: schedule.columns.kind(&schedule.date_column),
            schedule_columns: theirs.clone(),
            either_side: self.either_side,
        })
    }
}
