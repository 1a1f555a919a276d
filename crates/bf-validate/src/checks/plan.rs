//! A suite's checks: what all of them need, and each judged by what that came to.

use bf_contract::{DateRange, Level};
use bf_warehouse::{Columns, Condition, DatedTable, Ident, Measure, Plan, Planner};

use super::context::{Context, Facts};
use super::kind::Judge;
use super::planning::{Planning, Query};
use crate::outcome::Finding;
use crate::pairs::PairRequest;
use crate::scheduled::ScheduleRequest;
use crate::suite::{Check, Suite};

/// What a check is judged by, or why it is not.
pub(crate) enum Needs {
    /// The kind, with what is measured for it.
    Measured(Box<dyn Judge>),
    /// The table lacks a column.
    Missing {
        column: Ident,
        nearest: Option<String>,
    },
    /// The check is switched off.
    Off,
}

/// The plan of a suite.
pub(crate) struct Planned {
    /// What is measured.
    pub plan: Plan,
    /// All rows, whatever any filter.
    pub rows: Measure<u64>,
    /// What each check is judged by, in the suite's order.
    pub needs: Vec<Needs>,
    pub pairs: Vec<PairRequest>,
    pub scheduled: Vec<ScheduleRequest>,
    pub queries: Vec<Query>,
}

impl Planned {
    /// What a check is judged by, if it is.
    pub(crate) fn judge(&self, at: usize) -> Option<&dyn Judge> {
        match &self.needs[at] {
            Needs::Measured(judge) => Some(judge.as_ref()),
            _ => None,
        }
    }

    /// Judges a check of the suite, which is the one at this position.
    pub(crate) fn judged(&self, check: &Check, at: usize, facts: &Facts<'_>) -> Finding {
        let context = Context { facts, check };
        let title = &check.title;
        let judge = match &self.needs[at] {
            Needs::Measured(judge) => judge,
            Needs::Off => return Finding::skipped(format!("{title}: switched off")),
            Needs::Missing { column, nearest } => {
                let hint = nearest
                    .as_ref()
                    .map_or_else(String::new, |name| format!("; did you mean {name}?"));
                let text = format!(
                    "{title}: {} has no column {column}{hint}",
                    facts.suite.table
                );
                return if check.optional {
                    Finding::skipped(text)
                } else {
                    Finding::unknown(text)
                };
            }
        };
        let threshold = check.threshold().map(|found| (found.op, found.value));
        let wants_nothing = check.kind.wants_nothing(threshold);
        let has_rows = facts.scan.sum(facts.rows, facts.range) > 0;
        if has_rows || !check.kind.is_about_rows() || wants_nothing {
            return judge.judge(&context);
        }
        match facts.expects_nothing() {
            Some(source) => Finding::skipped(format!(
                "{title}: {source} expects no records from {}",
                facts.range
            )),
            None => context.no_data(),
        }
    }
}

/// Plans a suite.
pub(crate) fn plan(suite: &Suite, columns: &Columns, range: DateRange) -> Planned {
    let table = DatedTable {
        name: suite.table.clone(),
        date_column: suite.date_column.clone(),
        columns: columns.clone(),
    };
    let mut planner = Planner::new(table, range);
    let rows = planner.rows(None);
    let (mut pairs, mut scheduled, mut queries) = (Vec::new(), Vec::new(), Vec::new());
    let mut needs = Vec::new();
    for check in &suite.checks {
        if check.level == Level::Off {
            needs.push(Needs::Off);
            continue;
        }
        if let Some(column) = missing(suite, check, columns) {
            needs.push(Needs::Missing {
                nearest: columns.nearest(&column).map(str::to_owned),
                column,
            });
            continue;
        }
        let judge = check.kind.plan(&mut Planning {
            suite,
            columns,
            range,
            filter: suite.filter_of(check),
            planner: &mut planner,
            pairs: &mut pairs,
            scheduled: &mut scheduled,
            queries: &mut queries,
        });
        needs.push(Needs::Measured(judge));
    }
    Planned {
        plan: planner.finish(),
        rows,
        needs,
        pairs,
        scheduled,
        queries,
    }
}

/// The first column that a check needs and the table lacks.
fn missing(suite: &Suite, check: &Check, columns: &Columns) -> Option<Ident> {
    let filter = suite.filter_of(check);
    let filtered = filter.map(Condition::columns).unwrap_or_default();
    let mut kind = check.kind.clone();
    let of_suite = kind.columns_of_suite(suite);
    let own = kind.columns();
    let mut all = filtered
        .into_iter()
        .chain(own.into_iter().map(|column| &*column))
        .chain(&of_suite);
    all.find(|column| columns.get(column).is_none()).cloned()
}
