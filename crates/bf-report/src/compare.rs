//! What changed between two reports.

use std::collections::BTreeMap;

use bf_contract::{CheckStatus, DateRange, DayStatus, date_spans};
use chrono::NaiveDate;

use crate::days::days_of;
use crate::model::Report;

/// A check that is bad in one of two reports.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckChange {
    pub phase: String,
    pub check: String,
    pub kind: ChangeKind,
    pub message: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChangeKind {
    New,
    StillFailing,
    Resolved,
}

impl ChangeKind {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::StillFailing => "still failing",
            Self::Resolved => "resolved",
        }
    }
}

/// A figure that is another one now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FigureChange {
    pub phase: String,
    pub check: String,
    pub before: f64,
    pub now: f64,
}

/// Dates that have another status now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DayChange {
    pub phase: String,
    /// `None` if the date was not in the other report.
    pub before: Option<DayStatus>,
    pub now: Option<DayStatus>,
    pub count: usize,
    pub spans: Vec<DateRange>,
}

/// Everything that changed since another report.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Comparison {
    /// What the other report is.
    pub other: String,
    pub checks: Vec<CheckChange>,
    pub figures: Vec<FigureChange>,
    pub days: Vec<DayChange>,
}

struct Found {
    is_bad: bool,
    message: String,
    observed: Option<f64>,
}

/// Compares two reports, check by check and date by date.
pub(crate) fn compare(before: &Report, now: &Report, other: String) -> Comparison {
    let mut comparison = Comparison {
        other,
        ..Comparison::default()
    };
    let (old, new) = (checks(before), checks(now));
    for ((phase, check), found) in &new {
        let earlier = old.get(&(phase.clone(), check.clone()));
        let kind = match (earlier.is_some_and(|earlier| earlier.is_bad), found.is_bad) {
            (false, true) => Some(ChangeKind::New),
            (true, true) => Some(ChangeKind::StillFailing),
            (true, false) => Some(ChangeKind::Resolved),
            (false, false) => None,
        };
        comparison.checks.extend(kind.map(|kind| CheckChange {
            phase: phase.clone(),
            check: check.clone(),
            kind,
            message: found.message.clone(),
        }));
        if let (Some(before), Some(now)) =
            (earlier.and_then(|earlier| earlier.observed), found.observed)
            && before.to_bits() != now.to_bits()
        {
            comparison.figures.push(FigureChange {
                phase: phase.clone(),
                check: check.clone(),
                before,
                now,
            });
        }
    }
    comparison.checks.sort_by_key(|change| change.kind);
    comparison.days = day_changes(before, now);
    comparison
}

fn checks(report: &Report) -> BTreeMap<(String, String), Found> {
    let mut checks = BTreeMap::new();
    for phase in &report.phases {
        for validation in &phase.validations {
            for check in &validation.checks {
                let is_bad = check.level.counts()
                    && !matches!(check.status, CheckStatus::Pass | CheckStatus::Skipped);
                let found = Found {
                    is_bad,
                    message: check.message.clone(),
                    observed: check.observed,
                };
                let name = format!("{}.{}", validation.suite, check.name);
                checks.insert((phase.name.clone(), name), found);
            }
        }
    }
    checks
}

fn day_changes(before: &Report, now: &Report) -> Vec<DayChange> {
    let mut changes: BTreeMap<_, Vec<NaiveDate>> = BTreeMap::new();
    let order = |status: Option<DayStatus>| status.map(|status| crate::words::day(status).1);
    for phase in &now.phases {
        let Some(earlier) = before.phases.iter().find(|other| other.name == phase.name) else {
            continue;
        };
        let old = statuses(earlier);
        let new = statuses(phase);
        let dates = old.keys().chain(new.keys()).copied();
        let dates: std::collections::BTreeSet<NaiveDate> = dates.collect();
        for date in dates {
            let (old, new) = (old.get(&date).copied(), new.get(&date).copied());
            if old != new {
                let key = (phase.name.clone(), order(old), order(new));
                let entry = changes.entry(key).or_default();
                entry.push(date);
            }
        }
    }
    changes
        .into_iter()
        .map(|((phase, before, now), dates)| DayChange {
            phase,
            before: before.and_then(of_words),
            now: now.and_then(of_words),
            count: dates.len(),
            spans: date_spans(&dates),
        })
        .collect()
}

fn of_words(words: &str) -> Option<DayStatus> {
    crate::words::DAYS
        .into_iter()
        .find(|status| crate::words::day(*status).1 == words)
}

fn statuses(phase: &crate::model::PhaseReport) -> BTreeMap<NaiveDate, DayStatus> {
    days_of(phase)
        .iter()
        .map(|day| (day.date, day.status))
        .collect()
}
