//! From counters to findings. Pure: everything that was read is in [`Facts`].

mod change;
mod completeness;
mod dates;
mod floor;
mod freshness;
mod rows;
mod tables;

use bf_contract::{DateRange, Threshold};
use chrono::NaiveDate;

use crate::columns::Columns;
use crate::expected::Expectation;
use crate::figures::{Unit, bound, figure};
use crate::finding::{Finding, met};
use crate::log_input::LogInput;
use crate::needs::{Needs, Planned};
use crate::pairs::Partnership;
use crate::scan::Scan;
use crate::scheduled::Held;
use crate::suite::{Check, Kind, Suite};

/// Everything that was read.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// The range that is validated.
    pub range: DateRange,
    /// The table's columns.
    pub columns: &'a Columns,
    /// What was measured.
    pub planned: &'a Planned,
    /// What it came to.
    pub scan: &'a Scan,
    /// The dates that the table should have.
    pub expected: &'a Expectation,
    /// What the log claims.
    pub log: Option<&'a LogInput>,
    /// When the phase began, in microseconds since 1970.
    pub since: Option<i64>,
    /// The partner table.
    pub partner: &'a Partnership,
    /// The table against its schedule, by check.
    pub scheduled: &'a [(String, Held)],
    /// The figures of the suite's own queries, by check.
    pub figures: &'a [(String, Result<f64, String>)],
    /// The last day that can have data, so that a date to come is not missed.
    pub today: NaiveDate,
}

impl Facts<'_> {
    /// The rows of the range, whatever any filter.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.scan.count(self.planned.rows, self.range)
    }

    /// The schedule that surely has nothing in the range, where there is one.
    #[must_use]
    pub fn expects_nothing(&self) -> Option<&str> {
        match self.expected {
            Expectation::Known(expected) if expected.is_surely_nothing(self.range) => {
                Some(&expected.source)
            }
            _ => None,
        }
    }
}

/// What a check found. `at` is its position in the suite.
#[must_use]
pub fn judge(facts: &Facts<'_>, at: usize) -> Finding {
    let check = &facts.suite.checks[at];
    let needs = match &facts.planned.needs[at] {
        Needs::Measures(measures) => measures.as_slice(),
        Needs::Off => return Finding::skipped(format!("{}: switched off", check.title)),
        Needs::Missing { column, nearest } => {
            let hint = nearest
                .as_ref()
                .map_or_else(String::new, |name| format!("; did you mean {name}?"));
            let text = format!(
                "{}: {} has no column {column}{hint}",
                check.title, facts.suite.table
            );
            if check.optional {
                return Finding::skipped(text);
            }
            return Finding::unknown(text);
        }
    };
    let is_about_rows = !matches!(
        check.kind,
        Kind::MissingDates | Kind::MissingGroups | Kind::Sql(_)
    );
    if is_about_rows && facts.rows() == 0 {
        return match facts.expects_nothing() {
            Some(source) => Finding::skipped(format!(
                "{}: {source} expects no records from {}",
                check.title, facts.range
            )),
            None => no_data(check, facts),
        };
    }
    match &check.kind {
        Kind::RowCount => rows::row_count(facts, check, needs),
        Kind::DistinctCount(list) => rows::distinct_count(facts, check, list, needs),
        Kind::MatchingRows(matching) => rows::matching(facts, check, &matching.of, needs),
        Kind::Share(share) => match share.floors() {
            Some(floors) => completeness::share(facts, check, floors, &share.of, needs),
            None => rows::share(facts, check, &share.of, needs),
        },
        Kind::AcceptedValues(_) | Kind::ValueRange(_) => {
            let (_, good) = crate::needs::asked_and_good(&check.kind);
            rows::share(facts, check, &good, needs)
        }
        Kind::Completeness(completeness) => completeness::judge(facts, check, completeness, needs),
        Kind::Average(of) => {
            let finding = rows::number(facts, check, &of.column, needs, rows::Of::Average);
            rows::hold_months(facts, check, of, needs, finding)
        }
        Kind::Minimum(of) => rows::number(facts, check, &of.column, needs, rows::Of::Minimum),
        Kind::Maximum(of) => rows::number(facts, check, &of.column, needs, rows::Of::Maximum),
        Kind::Varies(of) => rows::varies(facts, check, &of.column, needs),
        Kind::UniqueKey => rows::unique_key(facts, check, needs),
        Kind::RowsPerGroup(groups) => rows::per_group(facts, check, groups, needs),
        Kind::MissingDates => dates::missing_dates(facts, check),
        Kind::MissingGroups => dates::missing_groups(facts, check, needs),
        Kind::UnscheduledGroups => dates::unscheduled_groups(facts, check, needs),
        Kind::Scheduled(keys) => tables::scheduled(facts, check, keys),
        Kind::Freshness => freshness::judge(facts, check, needs),
        Kind::Change(change) => change::judge(facts, check, change, needs),
        Kind::Reference(keys) => tables::reference(facts, check, keys),
        Kind::UnmatchedKeys(keys) => tables::unmatched(facts, check, &keys.columns),
        Kind::Sums(sums) => tables::sums(facts, check, sums),
        Kind::Sql(_) => own_query(facts, check),
    }
}

/// Nothing to judge by is never good.
fn no_data(check: &Check, facts: &Facts<'_>) -> Finding {
    let mut finding = Finding::new(
        crate::finding::Met::No,
        format!("{}: no data from {}", check.title, facts.range),
    );
    finding.threshold = threshold(check);
    finding
}

fn own_query(facts: &Facts<'_>, check: &Check) -> Finding {
    let found = facts.figures.iter().find(|(name, _)| *name == check.name);
    match found.map(|(_, figure)| figure) {
        Some(Ok(observed)) => plain(check, *observed, Unit::Number),
        Some(Err(reason)) => Finding::unknown(format!("{}: {reason}", check.title)),
        None => Finding::unknown(format!("{}: its query was not run", check.title)),
    }
}

/// The check's threshold as the report has it.
fn threshold(check: &Check) -> Option<Threshold> {
    check.bound.as_ref().map(|bound| Threshold {
        op: bound.op,
        value: bound.value,
    })
}

/// A finding that is a figure held against the check's threshold.
fn plain(check: &Check, observed: f64, unit: Unit) -> Finding {
    against(check, observed, unit, threshold(check), "")
}

/// A finding that is a figure held against a threshold, with a remark behind it.
fn against(
    check: &Check,
    observed: f64,
    unit: Unit,
    threshold: Option<Threshold>,
    remark: &str,
) -> Finding {
    let shown = figure(observed, unit, threshold);
    let message = match threshold {
        Some(threshold) => {
            format!(
                "{}: {shown} (threshold: {}){remark}",
                check.title,
                bound(threshold, unit)
            )
        }
        None => format!("{}: {shown}{remark}", check.title),
    };
    Finding::new(met(observed, threshold), message).figure(observed, threshold)
}
