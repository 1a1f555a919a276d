//! How complete a column is: over the range, and in its worst month and date, where a hole cannot hide.

use std::collections::BTreeMap;

use bf_contract::{Comparison, MonthValue, Threshold};
use chrono::{Datelike, NaiveDate};

use super::rows::{days_that_miss, shares_by_day};
use super::{Facts, no_data, share_of};
use crate::condition::{Condition, Literal, Operator, Test};
use crate::figures::{Unit, bound, figure, plural};
use crate::needs::present;
use crate::outcome::{Finding, Outcome, Probe, Share, meets, of_share};
use crate::suite::{Check, Completeness, Floors};

pub(super) fn judge(
    facts: &Facts<'_>,
    check: &Check,
    completeness: &Completeness,
    needs: &[usize],
) -> Finding {
    let condition = present(&completeness.column, completeness.numbers);
    let mut needs = needs.iter().copied();
    let asked_and_good: Vec<usize> = needs.by_ref().take(2).collect();
    let groups = completeness.by.as_ref().map(|_| {
        let places: Vec<usize> = needs.by_ref().take(2).collect();
        let count = |at: usize| {
            let groups = places
                .get(at)
                .map(|place| facts.scan.count(*place, facts.range));
            groups.unwrap_or(0)
        };
        Share {
            asked: count(0),
            good: count(1),
        }
    });
    let mut finding = share(
        facts,
        check,
        completeness.floors(),
        &condition,
        (&asked_and_good, groups),
    );
    let off_days = |measure: Option<usize>| -> Vec<NaiveDate> {
        let cells = measure.map(|measure| facts.scan.by_day(measure, facts.range));
        let off = cells
            .into_iter()
            .flatten()
            .filter(|(_, cell)| cell.off() > 0);
        off.map(|(day, _)| day).collect()
    };
    let filter = || facts.suite.filter_of(check).cloned();
    if let Some(group) = &completeness.worst_group {
        let low = off_days(needs.next());
        if !low.is_empty() {
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
            finding.worsen(Outcome::Fail);
            finding = finding
                .and_on(low)
                .probe(Probe::Lacking(filter(), condition));
        }
    }
    if completeness.zero.is_some() {
        let zeros = off_days(needs.next());
        if !zeros.is_empty() {
            let columns = completeness.zero_groups(facts.suite);
            let columns: Vec<&str> = columns.iter().map(bf_warehouse::Ident::as_str).collect();
            finding.message.push_str(&format!(
                "; one {} or more with nothing but zeros, on {}",
                columns.join(", "),
                plural(zeros.len() as u64, "date")
            ));
            let is_worse = finding.outcome() != Outcome::Fail;
            finding.worsen(Outcome::Fail);
            finding = finding.and_on(zeros);
            if is_worse {
                finding = finding.probe(Probe::Matching(filter(), is_zero(&completeness.column)));
            }
        }
    }
    finding
}

/// Whether a column holds a zero.
pub(crate) fn is_zero(column: &bf_warehouse::Ident) -> Condition {
    Condition::test(
        column,
        Test::Compare(Operator::Equals, Literal::Number(0.0)),
    )
}

/// A share of rows, compared with its floors, too. `groups` is what small numbers count, if that is not the rows.
pub(super) fn share(
    facts: &Facts<'_>,
    check: &Check,
    floors: Floors,
    condition: &Condition,
    (needs, groups): (&[usize], Option<Share>),
) -> Finding {
    let days: Vec<(NaiveDate, Share)> = shares_by_day(facts, needs).collect();
    let mut all = Share::default();
    let mut months: BTreeMap<(i32, u32), Share> = BTreeMap::new();
    for (day, share) in &days {
        all.add(*share);
        months
            .entry((day.year(), day.month()))
            .or_default()
            .add(*share);
    }
    if all.asked == 0 {
        return no_data(check, facts);
    }
    let mut finding = share_of(facts, check, all, groups);
    let values = months.iter().map(|((year, month), share)| MonthValue {
        month: format!("{year}-{month:02}"),
        value: share.percent(),
        rows: share.asked,
    });
    finding.months = values.collect();
    let mut dates = if finding.outcome() == Outcome::Pass {
        Vec::new()
    } else {
        days_that_miss(facts, check, needs)
    };
    let counts = |share: &Share| share.asked >= floors.min_rows;
    let is_low =
        |share: Share, floor: Threshold| share.percent().is_some_and(|share| !meets(share, floor));
    let worst_month = worst(months.iter().filter(|(_, share)| counts(share)));
    if let Some(((year, month), share)) = worst_month {
        let floor = floors.month.map(at_least);
        let text = figure(share.percent().unwrap_or(0.0), Unit::Percent, floor);
        finding
            .message
            .push_str(&format!("; worst month {year}-{month:02} {text}"));
        if let Some(floor) = floor.filter(|floor| is_low(share, *floor)) {
            finding.worsen(of_share(share, groups, Some(floor), facts.small));
            finding
                .message
                .push_str(&format!(" (floor: {})", bound(floor, Unit::Percent)));
            let low_months: Vec<(i32, u32)> = months
                .iter()
                .filter(|(_, share)| counts(share) && is_low(**share, floor))
                .map(|(month, _)| *month)
                .collect();
            dates.extend(
                days.iter()
                    .filter(|(day, _)| low_months.contains(&(day.year(), day.month())))
                    .filter(|(_, share)| is_low(*share, floor))
                    .map(|(day, _)| *day),
            );
        }
    }
    let worst_day = worst(
        days.iter()
            .filter(|(_, share)| counts(share))
            .map(|(day, share)| (day, share)),
    );
    if let Some((day, share)) = worst_day {
        let floor = floors.date.map(at_least);
        let missed = floor.filter(|floor| is_low(share, *floor));
        let text = figure(share.percent().unwrap_or(0.0), Unit::Percent, floor);
        finding
            .message
            .push_str(&format!(", worst date {day} {text}"));
        if let Some(floor) = missed {
            finding
                .message
                .push_str(&format!(" (floor: {})", bound(floor, Unit::Percent)));
            for (day, share) in days
                .iter()
                .filter(|(_, share)| counts(share) && is_low(*share, floor))
            {
                finding.worsen(of_share(*share, None, Some(floor), facts.small));
                dates.push(*day);
            }
        }
    }
    if finding.outcome() == Outcome::Pass {
        return finding;
    }
    finding.and_on(dates).probe(Probe::Lacking(
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
fn worst<'a, K: Copy + 'a>(parts: impl Iterator<Item = (&'a K, &'a Share)>) -> Option<(K, Share)> {
    parts
        .filter_map(|(key, share)| Some((*key, *share, share.percent()?)))
        .min_by(|(.., a), (.., b)| a.total_cmp(b))
        .map(|(key, share, _)| (key, share))
}
