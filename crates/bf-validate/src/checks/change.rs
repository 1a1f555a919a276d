//! `change`: the range compared with the time before it.

use bf_contract::{Comparison, DateRange, percentage};
use bf_warehouse::{Groups, Ident, Measure, Scan};
use chrono::Days;
use serde::Deserialize;

use super::completeness::present;
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::{Unit, figure, float};
use crate::outcome::{Finding, Outcome};
use crate::suite::TableSpec;

/// Fewer dates or rows before the range are no history to compare with.
const FEWEST_DATES: usize = 5;
const FEWEST_ROWS: u64 = 50;

/// The range in percent of the time before it: under `warn_below` is a warning, under `fail_below` a failure. Exactly
/// one of `completeness` and `volume`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Compares the share of rows that have a value in this column.
    completeness: Option<Ident>,
    /// Compares the rows, per group if the suite has one and per date otherwise.
    #[serde(default)]
    volume: bool,
    /// How many days before the range it is compared with.
    #[serde(default = "ninety")]
    days: u64,
    /// 95 unless the check gives a lowest figure of its own.
    warn_below: Option<f64>,
    /// 90 unless the check gives a lowest figure of its own.
    fail_below: Option<f64>,
}

const fn ninety() -> u64 {
    90
}

/// What is measured.
pub(crate) struct Measures {
    rows: Measure<u64>,
    of: Of,
}

enum Of {
    /// The rows with a value.
    Present(Measure<u64>),
    Groups(Measure<Groups>),
    Dates,
}

impl Measures {
    /// The figure of a range that is compared. Rows are counted per group, or per date that has any: a short range must
    /// not look small.
    fn figure(&self, scan: &Scan, range: DateRange) -> Option<f64> {
        let rows = scan.sum(self.rows, range);
        let per = match self.of {
            Of::Present(present) => return percentage(scan.sum(present, range), rows),
            Of::Groups(groups) => scan.daily(groups, range).map(|(_, day)| day.groups).sum(),
            Of::Dates => {
                let dates = scan.daily(self.rows, range);
                dates.filter(|(_, rows)| *rows > 0).count() as u64
            }
        };
        (per > 0).then(|| float(rows) / float(per))
    }
}

impl CheckKind for Change {
    const KEY: &'static str = "change";
    const FIGURE: Figure = Figure::Ratio;
    const DOC: &'static str = "the range in percent of the time before it";
    type Measures = Measures;

    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        if self.completeness.is_some() == self.volume {
            return Err("change needs either completeness or volume".to_owned());
        }
        if self.days == 0 || self.days > 3_660 {
            return Err("change looks back 1 to 3660 days".to_owned());
        }
        Ok(())
    }

    /// A threshold that says how low the figure may be takes the place of both.
    fn complete(&mut self, given: Option<Comparison>) {
        if matches!(given, None | Some(Comparison::AtMost)) {
            self.warn_below = self.warn_below.or(Some(95.0));
            self.fail_below = self.fail_below.or(Some(90.0));
        }
    }

    fn default_threshold(&self) -> Option<(Comparison, f64)> {
        Some((Comparison::AtLeast, self.fail_below.unwrap_or(90.0)))
    }

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            ("warn_below", self.warn_below),
            ("fail_below", self.fail_below),
        ]
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        self.completeness.iter_mut().collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measures {
        planning.look_back(self.days);
        match &self.completeness {
            Some(column) => Measures {
                rows: planning.rows(),
                of: Of::Present(planning.meets(&present(column, true))),
            },
            None => Measures {
                rows: planning.all_rows(),
                of: planning.groups_of_suite().map_or(Of::Dates, Of::Groups),
            },
        }
    }

    fn judge(&self, at: &Context<'_>, measures: &Measures) -> Finding {
        let Some(before) = before(at.facts.range, self.days) else {
            return Finding::skipped(format!("{}: nothing lies before the range", at.title()));
        };
        let scan = at.facts.scan;
        let days = scan.daily(measures.rows, before);
        let days = days.filter(|(_, rows)| *rows > 0).count();
        let rows_before = scan.sum(measures.rows, before);
        if days < FEWEST_DATES || rows_before < FEWEST_ROWS {
            return Finding::skipped(format!(
                "{}: no history to compare with ({} rows in the {} days before)",
                at.title(),
                rows_before,
                self.days
            ));
        }
        let of = |range| measures.figure(scan, range);
        let figures = (of(at.facts.range), of(before));
        let (Some(now), Some(then)) = figures else {
            return at.no_data();
        };
        if then <= 0.0 {
            return Finding::skipped(format!("{}: there was nothing before either", at.title()));
        }
        let ratio = 100.0 * now / then;
        let threshold = at.threshold();
        let unit = if self.completeness.is_some() {
            Unit::Percent
        } else {
            Unit::Number
        };
        let message = format!(
            "{}: {} of before ({} now, {} in the {} days before)",
            at.title(),
            figure(ratio, Unit::Percent, threshold),
            figure(now, unit, None),
            figure(then, unit, None),
            self.days
        );
        let mut finding = Finding::compared(ratio, threshold, message);
        let is_below = |limit: Option<f64>| limit.is_some_and(|limit| ratio < limit);
        if is_below(self.fail_below) {
            finding.worsen(Outcome::Fail);
        } else if is_below(self.warn_below) {
            finding.worsen(Outcome::Warn);
        }
        finding
    }
}

fn before(range: DateRange, days: u64) -> Option<DateRange> {
    Some(DateRange {
        start: range.start.checked_sub_days(Days::new(days))?,
        end: range.start.checked_sub_days(Days::new(1))?,
    })
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, judged_over};
    use crate::outcome::Outcome::{Fail, Pass, Skipped};

    #[test]
    fn every_threshold_of_a_change_is_applied() {
        let before: Vec<String> = (1..=10).map(|day| format!("2024-01-{day:02}")).collect();
        let day = |date: &str, rows| (date.to_owned(), vec![count(rows)]);
        let mut days: Vec<_> = before.iter().map(|date| day(date, 10)).collect();
        days.push(day("2024-01-11", 25));
        for (check, outcome) in [
            ("change: {volume: true}", Pass),
            ("change: {volume: true}, at_most: 110", Fail),
            ("change: {volume: true}, exactly: 100", Fail),
            (
                "change: {volume: true, fail_below: 90}, at_least: 100",
                Pass,
            ),
        ] {
            let of = |range| judged_over(check, &days, range).outcome();
            assert_eq!(of(("2024-01-11", "2024-01-11")), outcome, "{check}");
            assert_eq!(of(("2024-01-01", "2024-01-11")), Skipped, "no history");
        }
    }
}
