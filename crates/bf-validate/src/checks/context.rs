//! What a check is judged by: everything that was read, and the words that all kinds share.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::{DateRange, Threshold};
use bf_warehouse::{Condition, Daily, Groups, Measure, Numbers, Pairs, Scan};
use chrono::NaiveDate;

use super::planning::{FigureOf, PairsOf, ScheduleOf};
use crate::expected::{Expectation, Expected};
use crate::figures::{Unit, bound, figure, plural};
use crate::log_input::LogInput;
use crate::outcome::{Finding, Outcome, Share, SmallShares};
use crate::pairs::Partnership;
use crate::scheduled::ScheduleComparison;
use crate::suite::{CheckSpec, TableSpec};

/// Everything that was read.
pub(crate) struct Facts<'a> {
    pub suite: &'a TableSpec,
    /// The range that is validated.
    pub range: DateRange,
    /// All rows, whatever any filter.
    pub rows: Measure<u64>,
    /// What was measured.
    pub scan: &'a Scan,
    /// The dates that the table should have.
    pub expected: &'a Expectation,
    /// What the log claims.
    pub log: Option<&'a LogInput>,
    /// When the phase began, in microseconds since 1970.
    pub since: Option<i64>,
    /// The partner table.
    pub partner: &'a Partnership,
    /// The table compared with its schedule.
    pub scheduled: &'a [ScheduleComparison],
    /// The figures of the suite's own queries.
    pub figures: &'a [Result<f64, String>],
    /// The last day that can have data, so that a date to come is not missed.
    pub today: NaiveDate,
    /// How small shares are judged.
    pub small: SmallShares,
    /// The present, in microseconds since 1970.
    pub now: i64,
}

impl Facts<'_> {
    /// The rows of each date of the range that has any, whatever any filter.
    pub(crate) fn rows_by_date(&self) -> BTreeMap<NaiveDate, u64> {
        let counts = self.scan.daily(self.rows, self.range);
        counts.filter(|(_, rows)| *rows > 0).collect()
    }

    /// Expected dates that are over: there is no data of tomorrow.
    pub(super) fn due<'e>(
        &'e self,
        expected: &'e Expected,
    ) -> impl Iterator<Item = (NaiveDate, u64)> + 'e {
        let dates = expected.within(self.range);
        dates.filter(|(date, _)| *date < self.today)
    }

    /// The expected dates that are over, if something other than the log tells them.
    pub(crate) fn due_by_others_than_the_log(&self) -> Option<BTreeSet<NaiveDate>> {
        match self.expected {
            Expectation::Known(expected) if !expected.is_of_the_log() => {
                Some(self.due(expected).map(|(date, _)| date).collect())
            }
            _ => None,
        }
    }

    /// The schedule that surely has nothing in the range, if there is one.
    pub(crate) fn expects_nothing(&self) -> Option<&str> {
        match self.expected {
            Expectation::Known(expected)
                if expected.is_surely_nothing(self.range) && self.range.start < self.today =>
            {
                Some(&expected.source)
            }
            _ => None,
        }
    }

    /// The expected dates, if they are known.
    pub(crate) fn known(&self) -> Option<&Expected> {
        match self.expected {
            Expectation::Known(expected) => Some(expected),
            _ => None,
        }
    }
}

/// One check, and everything that was read.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub facts: &'a Facts<'a>,
    pub check: &'a CheckSpec,
}

impl<'a> Context<'a> {
    /// How a person calls the check.
    pub(super) fn title(&self) -> &'a str {
        &self.check.title
    }

    /// The rows that the check is about.
    pub(super) fn filter(&self) -> Option<Condition> {
        self.facts.suite.filter_of(self.check).cloned()
    }

    /// The check's threshold.
    pub(super) fn threshold(&self) -> Option<Threshold> {
        self.check.threshold()
    }

    /// What a measure has of each day of the range.
    pub(super) fn daily<T: Daily + 'a>(
        &self,
        measure: Measure<T>,
    ) -> impl Iterator<Item = (NaiveDate, T)> + 'a {
        self.facts.scan.daily(measure, self.facts.range)
    }

    /// The rows of the range.
    pub(super) fn sum(&self, measure: Measure<u64>) -> u64 {
        self.facts.scan.sum(measure, self.facts.range)
    }

    /// The days of the range with groups outside the limits.
    pub(super) fn days_off(&self, measure: Measure<Groups>) -> Vec<NaiveDate> {
        let off = self.daily(measure).filter(|(_, groups)| groups.off > 0);
        off.map(|(day, _)| day).collect()
    }

    /// The numbers of the range.
    pub(super) fn numbers(&self, measure: Measure<Numbers>) -> Numbers {
        let mut all = Numbers::default();
        self.daily(measure)
            .for_each(|(_, numbers)| all.merge(&numbers));
        all
    }

    /// The figure of a query of the suite's own.
    pub(super) fn figure(&self, of: FigureOf) -> Result<f64, &'a str> {
        match self.facts.figures.get(of.0) {
            Some(figure) => figure.as_ref().copied().map_err(String::as_str),
            None => Err("its query was not run"),
        }
    }

    /// The comparison with the schedule, if it was made.
    pub(super) fn schedule(&self, of: ScheduleOf) -> Option<&'a ScheduleComparison> {
        self.facts.scheduled.get(of.0)
    }

    /// The comparison with the partner.
    pub(super) fn pairs(&self, of: PairsOf) -> Result<&'a Pairs, Box<Finding>> {
        let title = self.title();
        Err(Box::new(match self.facts.partner {
            Partnership::Absent(reason) => Finding::skipped(format!("{title}: {reason}")),
            Partnership::Failed(reason) => Finding::unknown(format!("{title}: {reason}")),
            Partnership::Read(found) => return Ok(&found[of.0]),
        }))
    }

    /// Nothing to judge by is never good.
    pub(super) fn no_data(&self) -> Finding {
        let text = format!("{}: no data from {}", self.title(), self.facts.range);
        Finding::no(text).without_figure(self.threshold())
    }

    /// A figure that is none.
    pub(super) fn not_counted(&self) -> Finding {
        Finding::unknown(format!("{}: the scan did not count it", self.title()))
    }

    /// A figure, compared with the check's threshold.
    pub(crate) fn plain(&self, observed: f64, unit: Unit) -> Finding {
        self.against(observed, unit, self.threshold(), "")
    }

    /// A figure compared with a threshold, with a remark after it.
    pub(super) fn against(
        &self,
        observed: f64,
        unit: Unit,
        threshold: Option<Threshold>,
        remark: &str,
    ) -> Finding {
        let message = self.figure_text(observed, unit, threshold);
        Finding::compared(observed, threshold, format!("{message}{remark}"))
    }

    /// A count that should be none or few, with a message of its own.
    pub(super) fn counted(&self, count: u64, message: &str) -> Finding {
        let message = format!("{}: {message}", self.title());
        Finding::compared(crate::figures::float(count), self.threshold(), message)
    }

    /// A share of rows, compared with the check's threshold. `groups` is what small numbers count, if that is not the
    /// rows.
    pub(super) fn share(&self, share: Share, groups: Option<Share>) -> Finding {
        let threshold = self.threshold();
        let percent = share.percent().unwrap_or(0.0);
        let message = self.figure_text(percent, Unit::Percent, threshold);
        let mut finding = Finding::share(share, groups, threshold, self.facts.small, message);
        if finding.outcome() == Outcome::Warn {
            finding.message.push_str(&format!(
                "; {} of {} only, too few to fail",
                share.missed(),
                plural(share.asked, "record")
            ));
        }
        finding
    }

    fn figure_text(&self, value: f64, unit: Unit, threshold: Option<Threshold>) -> String {
        let shown = figure(value, unit, threshold);
        match threshold {
            Some(threshold) => format!(
                "{}: {shown} (threshold: {})",
                self.title(),
                bound(threshold, unit)
            ),
            None => format!("{}: {shown}", self.title()),
        }
    }
}
