//! How complete a column is: over the range, and in its worst month and date, where a hole cannot hide.

use std::collections::BTreeMap;

use bf_contract::{Comparison, Threshold, percentage};
use chrono::{Datelike, NaiveDate};

use super::rows::days_that_miss;
use super::{Facts, no_data, plain};
use crate::condition::Condition;
use crate::figures::{Unit, bound, figure, plural};
use crate::finding::{Finding, Met, Probe, meets};
use crate::needs::present;
use crate::suite::{Check, Completeness, Floors};

/// A span of time with the rows asked and those that have a value.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    asked: u64,
    good: u64,
}

impl Part {
    fn share(self) -> Option<f64> {
        percentage(self.good, self.asked)
    }
}

pub(super) fn judge(
    facts: &Facts<'_>,
    check: &Check,
    completeness: &Completeness,
    needs: &[usize],
) -> Finding {
    let condition = present(&completeness.column, completeness.numbers);
    let mut finding = share(facts, check, completeness.floors(), &condition, needs);
    let (Some(group), Some(measure)) = (&completeness.worst_group, needs.get(2)) else {
        return finding;
    };
    let cells = facts.scan.by_day(*measure, facts.range);
    let low: Vec<NaiveDate> = cells
        .filter(|(_, cell)| cell.off() > 0)
        .map(|(day, _)| day)
        .collect();
    if low.is_empty() {
        return finding;
    }
    let columns: Vec<&str> = group
        .columns
        .iter()
        .map(bf_warehouse::Ident::as_str)
        .collect();
    finding.message.push_str(&format!(
        "; one {} or more under {} in a whole month, on {}",
        columns.join(", "),
        figure(group.floor, Unit::Percent, None),
        plural(low.len() as u64, "date")
    ));
    finding.met = Met::No;
    finding.dates.extend(low);
    finding.dates.sort_unstable();
    finding.dates.dedup();
    finding.probe(Probe::Lacking(
        facts.suite.filter_of(check).cloned(),
        condition,
    ))
}

/// A share of rows, held against its floors, too.
pub(super) fn share(
    facts: &Facts<'_>,
    check: &Check,
    floors: Floors,
    condition: &Condition,
    needs: &[usize],
) -> Finding {
    let mut all = Part::default();
    let mut months: BTreeMap<(i32, u32), Part> = BTreeMap::new();
    let mut days: Vec<(NaiveDate, Part)> = Vec::new();
    let asked = facts.scan.counts(needs[0], facts.range);
    let good = facts.scan.counts(needs[1], facts.range);
    for ((day, asked), (_, good)) in asked.zip(good) {
        let month = months.entry((day.year(), day.month())).or_default();
        for part in [&mut all, month] {
            part.asked += asked;
            part.good += good;
        }
        days.push((day, Part { asked, good }));
    }
    let Some(observed) = all.share() else {
        return no_data(check, facts);
    };
    let mut finding = plain(check, observed, Unit::Percent).of(all.good, all.asked);
    let mut dates = if finding.met == Met::No {
        days_that_miss(facts, check, needs)
    } else {
        Vec::new()
    };

    let counts = |part: &Part| part.asked >= floors.min_rows;
    let worst_month = worst(months.iter().filter(|(_, part)| counts(part)));
    if let Some(((year, month), share)) = worst_month {
        let floor = floors.month.map(at_least);
        let text = figure(share, Unit::Percent, floor);
        finding
            .message
            .push_str(&format!("; worst month {year}-{month:02} {text}"));
        if let Some(floor) = floor.filter(|floor| !meets(share, *floor)) {
            finding.met = Met::No;
            finding
                .message
                .push_str(&format!(" (floor: {})", bound(floor, Unit::Percent)));
            let low_months: Vec<(i32, u32)> = months
                .iter()
                .filter(|(_, part)| counts(part))
                .filter(|(_, part)| part.share().is_some_and(|share| !meets(share, floor)))
                .map(|(month, _)| *month)
                .collect();
            dates.extend(
                days.iter()
                    .filter(|(day, _)| low_months.contains(&(day.year(), day.month())))
                    .filter(|(_, part)| part.share().is_some_and(|share| !meets(share, floor)))
                    .map(|(day, _)| *day),
            );
        }
    }
    let worst_day = worst(
        days.iter()
            .filter(|(_, part)| counts(part))
            .map(|(day, part)| (day, part)),
    );
    if let Some((day, share)) = worst_day {
        let floor = floors.date.map(at_least);
        let missed = floor.filter(|floor| !meets(share, *floor));
        let text = figure(share, Unit::Percent, floor);
        finding
            .message
            .push_str(&format!(", worst date {day} {text}"));
        if let Some(floor) = missed {
            finding.met = Met::No;
            finding
                .message
                .push_str(&format!(" (floor: {})", bound(floor, Unit::Percent)));
            dates.extend(
                days.iter()
                    .filter(|(_, part)| counts(part))
                    .filter(|(_, part)| part.share().is_some_and(|share| !meets(share, floor)))
                    .map(|(day, _)| *day),
            );
        }
    }
    if finding.met == Met::Yes {
        return finding;
    }
    dates.sort_unstable();
    dates.dedup();
    finding.on(dates).probe(Probe::Lacking(
        facts.suite.filter_of(check).cloned(),
        condition.clone(),
    ))
}

fn at_least(value: f64) -> Threshold {
    Threshold {
        op: Comparison::AtLeast,
        value,
    }
}

/// The part with the smallest share; the earliest of equals.
fn worst<'a, K: Copy + 'a>(parts: impl Iterator<Item = (&'a K, &'a Part)>) -> Option<(K, f64)> {
    parts
        .filter_map(|(key, part)| Some((*key, part.share()?)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
}
