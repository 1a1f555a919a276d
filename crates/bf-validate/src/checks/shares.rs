//! Shares of rows, over the range and in its worst month and date, where a hole cannot hide.

use std::collections::BTreeMap;

use bf_contract::{Comparison, MonthValue, Threshold};
use bf_warehouse::{Condition, Ident, Measure, Probe, Test};
use chrono::{Datelike, NaiveDate};

use super::{Context, Planning};
use crate::figures::{Unit, bound, figure};
use crate::outcome::{Finding, Outcome, Share, SmallShares, meets, of_share};

/// What is measured of a share.
#[derive(Clone, Copy)]
pub(crate) struct Measures {
    pub(super) asked: Measure<u64>,
    pub(super) good: Measure<u64>,
}

/// What every part of the range must reach.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floors {
    /// Every month, in percent.
    pub month: Option<f64>,
    /// Every date, in percent.
    pub date: Option<f64>,
    /// Months and dates with fewer rows are left alone.
    pub min_rows: u64,
}

/// Months and dates with fewer rows say nothing.
pub(super) const fn few_rows() -> u64 {
    10
}

/// The floors of a kind with their keys.
pub(super) fn floors(month: Option<f64>, date: Option<f64>) -> Vec<(&'static str, Option<f64>)> {
    vec![("worst_month_floor", month), ("worst_date_floor", date)]
}

pub(super) fn at_least(value: f64) -> Threshold {
    Threshold {
        op: Comparison::AtLeast,
        value,
    }
}

fn by_day(at: &Context<'_>, measures: Measures) -> impl Iterator<Item = (NaiveDate, Share)> {
    let both = at.daily(measures.asked).zip(at.daily(measures.good));
    both.map(|((day, asked), (_, good))| (day, Share { good, asked }))
}

/// The days that are to blame for a share that misses its threshold. One that misses it by no more than chance
/// explains is healthy, unless the rest without the others misses it, too.
fn days_that_miss(at: &Context<'_>, measures: Measures) -> Vec<NaiveDate> {
    let Some(threshold) = at.threshold() else {
        return Vec::new();
    };
    let is_low = |share: Share| {
        share
            .percent()
            .is_some_and(|share| !meets(share, threshold))
    };
    let (low, rest): (Vec<_>, Vec<_>) = by_day(at, measures).partition(|(_, share)| is_low(*share));
    let (small, bad): (Vec<_>, Vec<_>) = low.iter().copied().partition(|(_, share)| {
        let (share, threshold) = as_at_least(*share, threshold);
        of_share(share, None, Some(threshold), SmallShares::OneDate) == Outcome::Warn
    });
    let mut without = Share::default();
    rest.iter()
        .chain(&small)
        .for_each(|(_, share)| without.add(*share));
    let named = if bad.is_empty() || is_low(without) {
        low
    } else {
        bad
    };
    named.into_iter().map(|(day, _)| day).collect()
}

/// A share that may be at most so large, as what it leaves, which must be at least so large.
fn as_at_least(share: Share, threshold: Threshold) -> (Share, Threshold) {
    if threshold.op != Comparison::AtMost {
        return (share, threshold);
    }
    let left = Share {
        good: share.missed(),
        asked: share.asked,
    };
    (left, at_least(100.0 - threshold.value))
}

/// Plans the share of good values among those that a column has.
pub(super) fn of_values(planning: &mut Planning<'_>, column: &Ident, good: &Condition) -> Measures {
    let is_null = Condition::test(column, Test::IsNull);
    Measures {
        asked: planning.meets(&Condition::Not(Box::new(is_null))),
        good: planning.meets(good),
    }
}

/// A share over the range alone.
pub(super) fn plain(at: &Context<'_>, measures: Measures, condition: &Condition) -> Finding {
    let share = Share {
        asked: at.sum(measures.asked),
        good: at.sum(measures.good),
    };
    if share.asked == 0 {
        return at.no_data();
    }
    let finding = at.share(share, None);
    if finding.outcome() == Outcome::Pass {
        return finding;
    }
    finding
        .on(days_that_miss(at, measures))
        .probe(Probe::Lacking(at.filter(), condition.clone()))
}

/// A share that its parts must reach, too. `groups` is what small numbers count, if that is not the rows.
pub(super) fn with_floors(
    at: &Context<'_>,
    measures: Measures,
    floors: Floors,
    condition: &Condition,
    groups: Option<Share>,
) -> Finding {
    let days: Vec<(NaiveDate, Share)> = by_day(at, measures).collect();
    let mut all = Share::default();
    let mut months: BTreeMap<(i32, u32), Share> = BTreeMap::new();
    for (day, share) in &days {
        all.add(*share);
        let month = months.entry((day.year(), day.month()));
        month.or_default().add(*share);
    }
    if all.asked == 0 {
        return at.no_data();
    }
    let mut finding = at.share(all, groups);
    let values = months.iter().map(|((year, month), share)| MonthValue {
        month: format!("{year}-{month:02}"),
        value: share.percent(),
        rows: share.asked,
    });
    finding.months = values.collect();
    let mut dates = match finding.outcome() {
        Outcome::Pass => Vec::new(),
        _ => days_that_miss(at, measures),
    };
    let small = at.facts.small.of_part();
    let counts = |share: &Share| share.asked >= floors.min_rows;
    let is_low =
        |share: Share, floor: Threshold| share.percent().is_some_and(|share| !meets(share, floor));
    let name = |finding: &mut Finding, part: &str, share: Share, floor: Option<Threshold>| {
        let text = figure(share.percent().unwrap_or(0.0), Unit::Percent, floor);
        finding.message.push_str(&format!("{part} {text}"));
        let missed = floor.filter(|floor| is_low(share, *floor));
        if let Some(floor) = missed {
            let floor = bound(floor, Unit::Percent);
            finding.message.push_str(&format!(" (floor: {floor})"));
        }
        missed
    };
    if let Some(((year, month), share)) = worst(months.iter().filter(|(_, share)| counts(share))) {
        let part = format!("; worst month {year}-{month:02}");
        if let Some(floor) = name(&mut finding, &part, share, floors.month.map(at_least)) {
            finding.worsen(of_share(share, groups, Some(floor), small));
            let is_in_a_low_month = |day: &NaiveDate| {
                let month = months.get(&(day.year(), day.month()));
                month.is_some_and(|share| counts(share) && is_low(*share, floor))
            };
            let low = days
                .iter()
                .filter(|(day, share)| is_in_a_low_month(day) && is_low(*share, floor));
            dates.extend(low.map(|(day, _)| *day));
        }
    }
    let judged = days.iter().filter(|(_, share)| counts(share));
    if let Some((day, share)) = worst(judged.clone().map(|(day, share)| (day, share))) {
        let part = format!(", worst date {day}");
        if let Some(floor) = name(&mut finding, &part, share, floors.date.map(at_least)) {
            for (day, share) in judged.filter(|(_, share)| is_low(*share, floor)) {
                finding.worsen(of_share(*share, None, Some(floor), small));
                dates.push(*day);
            }
        }
    }
    if finding.outcome() == Outcome::Pass {
        return finding;
    }
    finding
        .and_on(dates)
        .probe(Probe::Lacking(at.filter(), condition.clone()))
}

/// The part with the smallest share; the earliest of equals.
fn worst<'a, K: Copy + 'a>(parts: impl Iterator<Item = (&'a K, &'a Share)>) -> Option<(K, Share)> {
    parts
        .filter_map(|(key, share)| Some((*key, *share, share.percent()?)))
        .min_by(|(.., a), (.., b)| a.total_cmp(b))
        .map(|(key, share, _)| (key, share))
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, judged};
    use crate::outcome::Outcome::Fail;

    #[test]
    fn a_day_that_is_low_by_chance_is_not_named_beside_one_that_is_empty() {
        let check = "share: {of: {column: x, equals: 1}}, at_least: 98";
        let day = |day, good| (day, vec![count(44), count(good)]);
        let days = [
            day("2024-01-01", 44),
            day("2024-01-02", 42),
            day("2024-01-03", 0),
            day("2024-01-04", 44),
            day("2024-01-05", 44),
        ];
        let finding = judged(check, &days);
        assert_eq!(finding.outcome(), Fail);
        assert_eq!(finding.dates, [date("2024-01-03")]);
        let most = "share: {of: {column: x, equals: 1}}, at_most: 2";
        let day = |day, good| (day, vec![count(44), count(good)]);
        let days = [
            day("2024-01-01", 0),
            day("2024-01-02", 1),
            day("2024-01-03", 44),
            day("2024-01-04", 0),
        ];
        assert_eq!(judged(most, &days).dates, [date("2024-01-03")]);
    }

    #[test]
    fn days_that_are_all_a_little_low_are_all_named() {
        let check = "share: {of: {column: x, equals: 1}}, at_least: 98";
        let day = |day, good| (day, vec![count(44), count(good)]);
        let days = [
            day("2024-01-01", 42),
            day("2024-01-02", 43),
            day("2024-01-03", 36),
            day("2024-01-04", 43),
        ];
        assert_eq!(judged(check, &days).dates.len(), 4);
    }
}
