//! A check judged on a literal scan.

use bf_contract::DateRange;
use bf_warehouse::{Cell, Column, ColumnKind, Columns, Numbers, Scan, Total};
use chrono::NaiveDate;

use super::{Facts, plan};
use crate::expected::Expectation;
use crate::outcome::{Finding, SmallShares};
use crate::pairs::Partnership;
use crate::suite::Suite;

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(crate) fn count(rows: u64) -> Cell {
    Cell::Count(rows)
}

pub(crate) fn groups(groups: u64, off: u64) -> Cell {
    Cell::Groups { groups, off }
}

pub(crate) fn numbers(list: &[f64]) -> Cell {
    let mut numbers = Numbers::default();
    list.iter().for_each(|number| numbers.add(*number));
    Cell::Numbers(numbers)
}

/// Judges a check of the days that a scan found; of each the rows first, if the check does not begin with them.
pub(crate) fn judged(check: &str, days: &[(&str, Vec<Cell>)]) -> Finding {
    judged_with(check, days, &[])
}

/// The same, with figures of the whole range for the last measures.
pub(crate) fn judged_with(check: &str, days: &[(&str, Vec<Cell>)], totals: &[Total]) -> Finding {
    let first = days.first().map_or("2024-01-01", |(day, _)| day);
    let last = days.last().map_or("2024-01-01", |(day, _)| day);
    judged_in(check, days, totals, (first, last))
}

/// Judges a check over a part of the days that a scan found.
pub(crate) fn judged_over(
    check: &str,
    days: &[(String, Vec<Cell>)],
    range: (&str, &str),
) -> Finding {
    let days: Vec<_> = days
        .iter()
        .map(|(day, cells)| (day.as_str(), cells.clone()))
        .collect();
    judged_in(check, &days, &[], range)
}

fn judged_in(
    check: &str,
    days: &[(&str, Vec<Cell>)],
    totals: &[Total],
    (start, end): (&str, &str),
) -> Finding {
    let text = format!(
        "suite: a\ntable: b.c\ndate_column: day\nprimary_key: [x]\nwritten_at: at\n\
         checks:\n  - {{name: it, {check}}}\n"
    );
    let suite = Suite::parse(&text, "a test").expect("a suite");
    let columns = ["day", "x", "team", "game", "at"].map(|name| Column {
        name: name.to_owned(),
        kind: ColumnKind::Other,
        data_type: String::new(),
    });
    let range = DateRange {
        start: date(start),
        end: date(end),
    };
    let planned = plan(&suite, &Columns::new(columns.to_vec()), range);
    let metrics = planned.plan.metrics.len();
    let mut all = vec![Total::None; metrics - totals.len()];
    all.extend_from_slice(totals);
    let scan = Scan {
        days: days.iter().map(|(day, _)| date(day)).collect(),
        cells: days
            .iter()
            .map(|(_, cells)| {
                assert!(cells.len() <= metrics, "one cell for each measure");
                cells.clone()
            })
            .collect(),
        totals: all,
        ..Scan::default()
    };
    let expected = Expectation::Unknown("no schedule is known".to_owned());
    let facts = Facts {
        suite: &suite,
        range,
        rows: planned.rows,
        scan: &scan,
        expected: &expected,
        log: None,
        since: None,
        partner: &Partnership::Absent("no partner".to_owned()),
        scheduled: &[],
        figures: &[],
        today: date("2025-01-01"),
        small: SmallShares::of(range, true),
        now: 0,
    };
    planned.judged(&suite.checks[0], 0, &facts)
}
