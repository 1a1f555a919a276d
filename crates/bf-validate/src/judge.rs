//! From counters to findings. Pure: everything that was read is in [`Facts`].

mod change;
mod completeness;
mod dates;
mod floor;
mod freshness;
mod rows;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::{DateRange, Threshold};
use chrono::NaiveDate;

use crate::columns::Columns;
use crate::expected::Expectation;
use crate::figures::{Unit, bound, figure, plural};
use crate::log_input::LogInput;
use crate::needs::{Needs, Planned};
use crate::outcome::{Finding, Outcome, Share, SmallShares};
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
    /// How small shares are judged.
    pub small: SmallShares,
    /// The present, in microseconds since 1970.
    pub now: i64,
}

impl Facts<'_> {
    /// The rows of the range, whatever any filter.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.scan.count(self.planned.rows, self.range)
    }

    /// The rows of each date of the range that has any, whatever any filter.
    #[must_use]
    pub fn rows_by_date(&self) -> BTreeMap<NaiveDate, u64> {
        let counts = self.scan.counts(self.planned.rows, self.range);
        counts.filter(|(_, rows)| *rows > 0).collect()
    }

    /// The expected dates that are over, if something other than the log tells them.
    #[must_use]
    pub fn due_by_others_than_the_log(&self) -> Option<BTreeSet<NaiveDate>> {
        match self.expected {
            Expectation::Known(expected) if !expected.is_of_the_log() => {
                Some(dates::due(self, expected).map(|(date, _)| date).collect())
            }
            _ => None,
        }
    }

    /// The schedule that surely has nothing in the range, if there is one.
    #[must_use]
    pub fn expects_nothing(&self) -> Option<&str> {
        match self.expected {
            Expectation::Known(expected)
                if expected.is_surely_nothing(self.range) && self.range.start < self.today =>
            {
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
        Kind::MissingDates(_) | Kind::MissingGroups | Kind::Sql(_)
    );
    if is_about_rows && facts.rows() == 0 && !asks_for_none(check) {
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
        Kind::Share(share) => {
            let mut finding = match share.floors() {
                Some(floors) => completeness::share(facts, check, floors, &share.of, (needs, None)),
                None => rows::share(facts, check, &share.of, needs),
            };
            if let Some(lacking) = &share.in_place_of {
                let columns = share.of.columns().into_iter().map(ToString::to_string);
                finding.message.push_str(&format!(
                    "; by {}, as the table has no {lacking}",
                    columns.collect::<Vec<_>>().join(", ")
                ));
            }
            finding
        }
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
        Kind::MissingDates(_) => dates::missing_dates(facts, check),
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

/// Whether a count of rows is asked to be none.
fn asks_for_none(check: &Check) -> bool {
    let bound = check
        .bound
        .as_ref()
        .filter(|_| check.kind == Kind::RowCount);
    bound.is_some_and(|bound| bound.value == 0.0 && bound.op != bf_contract::Comparison::AtLeast)
}

/// Nothing to judge by is never good.
fn no_data(check: &Check, facts: &Facts<'_>) -> Finding {
    Finding::no(format!("{}: no data from {}", check.title, facts.range))
        .without_figure(threshold(check))
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

/// A share of rows, compared with the check's threshold.
fn share_of(facts: &Facts<'_>, check: &Check, share: Share, groups: Option<Share>) -> Finding {
    let threshold = threshold(check);
    let shown = figure(share.percent().unwrap_or(0.0), Unit::Percent, threshold);
    let message = match threshold {
        Some(threshold) => format!(
            "{}: {shown} (threshold: {})",
            check.title,
            bound(threshold, Unit::Percent)
        ),
        None => format!("{}: {shown}", check.title),
    };
    let mut finding = Finding::share(share, groups, threshold, facts.small, message);
    if finding.outcome() == Outcome::Warn {
        finding.message.push_str(&format!(
            "; {} of {} only, too few to fail",
            share.missed(),
            plural(share.asked, "record")
        ));
    }
    finding
}

/// A finding that is a figure compared with the check's threshold.
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
    Finding::compared(observed, threshold, message)
}
