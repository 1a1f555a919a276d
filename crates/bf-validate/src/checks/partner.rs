//! What the kinds share that compare the table with its partner, date by date.

use bf_contract::percentage;
use bf_warehouse::{PairDay, Pairs};
use chrono::NaiveDate;

use super::shares::at_least;
use crate::figures::{Unit, bound, figure};
use crate::outcome::{Finding, Outcome, meets};
use crate::suite::TableSpec;

/// The floor of a date is for dates that have at least so many of what is compared.
const FEWEST_OF_A_DATE: u64 = 2;

pub(super) fn needs_partner(suite: &TableSpec) -> Result<(), String> {
    match suite.partner {
        Some(_) => Ok(()),
        None => Err("needs the suite's partner".to_owned()),
    }
}

/// Names the worst date, and fails where it lies below the floor of a date. `of` says of a date how much was
/// asked and how much of that is bad.
pub(super) fn worst_date(
    finding: &mut Finding,
    pairs: &Pairs,
    of: impl Fn(&PairDay) -> (u64, u64),
    floor: Option<f64>,
) {
    let shares = pairs.days.iter().filter_map(|(date, day)| {
        let (asked, bad) = of(day);
        let share = percentage(asked - bad.min(asked), asked)?;
        (asked >= FEWEST_OF_A_DATE).then_some((*date, share))
    });
    let Some((date, share)) = shares.min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
        return;
    };
    let floor = floor.map(at_least);
    let text = figure(share, Unit::Percent, floor);
    finding
        .message
        .push_str(&format!("; worst date {date} {text}"));
    if let Some(floor) = floor.filter(|floor| !meets(share, *floor)) {
        finding.worsen(Outcome::Fail);
        finding
            .message
            .push_str(&format!(" (floor: {})", bound(floor, Unit::Percent)));
    }
}

/// The date with most of something, where there are several: `; most on 2024-12-05 (12)`.
pub(super) fn most(pairs: &Pairs, of: impl Fn(&PairDay) -> u64) -> String {
    let counts = pairs.days.iter().map(|(date, day)| (*date, of(day)));
    let counts: Vec<(NaiveDate, u64)> = counts.filter(|(_, count)| *count > 0).collect();
    let most = counts
        .iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .filter(|_| counts.len() > 1);
    most.map_or_else(String::new, |(date, count)| {
        format!("; most on {date} ({count})")
    })
}
