//! Checks that count rows.

use std::collections::BTreeMap;

use bf_contract::MonthValue;
use bf_warehouse::Ident;
use chrono::{Datelike, NaiveDate};

use super::{Facts, against, floor, no_data, plain, share_of, threshold};
use crate::condition::{Condition, Operator, Test};
use crate::figures::{Unit, figure, float, plural};
use crate::outcome::{Finding, Outcome, Probe, Share, meets};
use crate::scan::{Cell, Numbers, Total};
use crate::suite::{Average, Check, ColumnList, RowsPerGroup};

pub(super) fn row_count(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Finding {
    let rows = facts.scan.count(needs[0], facts.range);
    counted(facts, check, rows, false)
}

pub(super) fn distinct_count(
    facts: &Facts<'_>,
    check: &Check,
    list: &ColumnList,
    needs: &[usize],
) -> Finding {
    let Some(Total::Distinct(distinct)) = facts.scan.totals.get(needs[0]) else {
        return Finding::unknown(format!("{}: the scan did not count it", check.title));
    };
    let is_groups = facts
        .suite
        .group
        .as_ref()
        .is_some_and(|group| list.columns == [group.column.clone()]);
    counted(facts, check, *distinct, is_groups)
}

/// A count against a floor that may belong to another range.
fn counted(facts: &Facts<'_>, check: &Check, count: u64, is_groups: bool) -> Finding {
    if count == 0 && !super::asks_for_none(check) {
        return no_data(check, facts);
    }
    let (threshold, remark) = match floor::of(facts, check, is_groups) {
        Ok(found) => found,
        Err(reason) => {
            let text = format!(
                "{}: {count}, and what the range should have is not known: {reason}",
                check.title
            );
            return Finding::unknown(text);
        }
    };
    let mut finding = against(check, float(count), Unit::Count, threshold, &remark);
    if finding.outcome() == Outcome::Fail {
        finding.probe = Some(Probe::RowsByDate);
    }
    finding
}

pub(super) fn matching(
    facts: &Facts<'_>,
    check: &Check,
    condition: &Condition,
    needs: &[usize],
) -> Finding {
    let asked = facts.scan.count(needs[0], facts.range);
    if asked == 0 {
        return no_data(check, facts);
    }
    let dates: Vec<(NaiveDate, u64)> = facts
        .scan
        .counts(needs[1], facts.range)
        .filter(|(_, count)| *count > 0)
        .collect();
    let matching = dates.iter().map(|(_, count)| count).sum();
    let filter = facts.suite.filter_of(check).cloned();
    let rows = plural(matching, "record");
    let mut finding = plain(check, float(matching), Unit::Count).of(matching, asked);
    if matching == 0 {
        finding.message = format!("{}: none", check.title);
        return finding;
    }
    finding.message = format!(
        "{}: {rows} on {}",
        check.title,
        plural(dates.len() as u64, "date")
    );
    finding
        .on(dates.into_iter().map(|(date, _)| date).collect())
        .probe(Probe::Matching(filter, condition.clone()))
}

pub(super) fn share(
    facts: &Facts<'_>,
    check: &Check,
    condition: &Condition,
    needs: &[usize],
) -> Finding {
    let share = Share {
        asked: facts.scan.count(needs[0], facts.range),
        good: facts.scan.count(needs[1], facts.range),
    };
    if share.asked == 0 {
        return no_data(check, facts);
    }
    let finding = share_of(facts, check, share, None);
    if finding.outcome() == Outcome::Pass {
        return finding;
    }
    let low = days_that_miss(facts, check, needs);
    finding.on(low).probe(Probe::Lacking(
        facts.suite.filter_of(check).cloned(),
        condition.clone(),
    ))
}

/// The days whose own share misses the threshold.
pub(super) fn days_that_miss(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Vec<NaiveDate> {
    let Some(threshold) = threshold(check) else {
        return Vec::new();
    };
    shares_by_day(facts, needs)
        .filter_map(|(day, share)| Some((day, share.percent()?)))
        .filter(|(_, share)| !meets(*share, threshold))
        .map(|(day, _)| day)
        .collect()
}

/// The share of each day, of the measures of what was asked and what is good.
pub(super) fn shares_by_day(
    facts: &Facts<'_>,
    needs: &[usize],
) -> impl Iterator<Item = (NaiveDate, Share)> {
    let asked = facts.scan.counts(needs[0], facts.range);
    let good = facts.scan.counts(needs[1], facts.range);
    asked
        .zip(good)
        .map(|((day, asked), (_, good))| (day, Share { good, asked }))
}

/// Which number of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Average,
    Minimum,
    Maximum,
}

pub(super) fn number(
    facts: &Facts<'_>,
    check: &Check,
    column: &Ident,
    needs: &[usize],
    of: Of,
) -> Finding {
    let rows = facts.scan.count(needs[0], facts.range);
    let days: Vec<(NaiveDate, Numbers)> = facts
        .scan
        .by_day(needs[1], facts.range)
        .filter_map(|(day, cell)| match cell {
            Cell::Numbers(numbers) => Some((day, *numbers)),
            _ => None,
        })
        .collect();
    let mut all = Numbers::default();
    days.iter().for_each(|(_, numbers)| all.merge(numbers));
    let pick = |numbers: &Numbers| match of {
        Of::Average => (numbers.count > 0).then(|| rounded(numbers.sum / float(numbers.count))),
        Of::Minimum => numbers.min,
        Of::Maximum => numbers.max,
    };
    let Some(observed) = pick(&all) else {
        let mut finding = no_data(check, facts);
        if rows > 0 {
            finding.message = format!(
                "{}: no data: none of {} has a number in {column}",
                check.title,
                plural(rows, "record")
            );
            finding = finding.of(0, rows);
        }
        return finding;
    };
    let mut finding = plain(check, observed, Unit::Number);
    if all.count < rows {
        let without = rows - all.count;
        finding
            .message
            .push_str(&format!("; {} without a number", plural(without, "record")));
    }
    let threshold = threshold(check).filter(|_| finding.outcome() == Outcome::Fail);
    let Some(threshold) = threshold else {
        return finding;
    };
    let low = days
        .iter()
        .filter_map(|(day, numbers)| Some((*day, pick(numbers)?)));
    let low = low
        .filter(|(_, value)| !meets(*value, threshold))
        .map(|(day, _)| day)
        .collect();
    let operator = match threshold.op {
        bf_contract::Comparison::AtLeast => Operator::Below,
        bf_contract::Comparison::AtMost => Operator::Above,
        bf_contract::Comparison::Exactly | bf_contract::Comparison::Unknown => Operator::Differs,
    };
    let literal = crate::condition::Literal::Number(threshold.value);
    finding.on(low).probe(Probe::Matching(
        facts.suite.filter_of(check).cloned(),
        Condition::test(column, Test::Compare(operator, literal)),
    ))
}

/// A month with fewer numbers may lie anywhere by chance.
const FEWEST_OF_A_MONTH: u64 = 30;

/// Fails an average whose worst month lies far below it.
pub(super) fn hold_months(
    facts: &Facts<'_>,
    check: &Check,
    wanted: &Average,
    needs: &[usize],
    mut finding: Finding,
) -> Finding {
    let mut months: BTreeMap<(i32, u32), (Numbers, Vec<NaiveDate>)> = BTreeMap::new();
    for (day, cell) in facts.scan.by_day(needs[1], facts.range) {
        if let Cell::Numbers(numbers) = cell {
            let month = months.entry((day.year(), day.month())).or_default();
            month.0.merge(numbers);
            month.1.push(day);
        }
    }
    let values = months
        .iter()
        .map(|((year, month), (numbers, _))| MonthValue {
            month: format!("{year}-{month:02}"),
            value: (numbers.count > 0).then(|| rounded(numbers.sum / float(numbers.count))),
            rows: numbers.count,
        });
    finding.months = values.collect();
    let (Some(share), Some(average)) = (wanted.worst_month_share, finding.observed()) else {
        return finding;
    };
    let averages = months
        .into_iter()
        .filter(|(_, (numbers, _))| numbers.count >= FEWEST_OF_A_MONTH)
        .map(|(month, (numbers, days))| (numbers.sum / float(numbers.count), month, days));
    let floor = average * share / 100.0;
    let mut low: Vec<(f64, (i32, u32), Vec<NaiveDate>)> =
        averages.filter(|(value, ..)| *value < floor).collect();
    low.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some((worst, (year, month), _)) = low.first() else {
        return finding;
    };
    finding.message.push_str(&format!(
        "; worst month {year}-{month:02} {} (floor: {} of the average)",
        figure(*worst, Unit::Number, None),
        figure(share, Unit::Percent, None)
    ));
    finding.worsen(Outcome::Fail);
    finding = finding.and_on(low.into_iter().flat_map(|(.., days)| days).collect());
    let literal = crate::condition::Literal::Number(floor);
    finding.probe(Probe::Matching(
        facts.suite.filter_of(check).cloned(),
        Condition::test(&wanted.column, Test::Compare(Operator::Below, literal)),
    ))
}

/// A day with fewer numbers may have the same one by chance.
const FEWEST_NUMBERS: u64 = 10;

pub(super) fn varies(facts: &Facts<'_>, check: &Check, column: &Ident, needs: &[usize]) -> Finding {
    let (mut asked, mut stuck) = (0, Vec::new());
    for (day, cell) in facts.scan.by_day(needs[1], facts.range) {
        let Cell::Numbers(numbers) = cell else {
            continue;
        };
        if numbers.count >= FEWEST_NUMBERS {
            asked += 1;
            if numbers.min == numbers.max {
                stuck.push(day);
            }
        }
    }
    let threshold = threshold(check);
    let count = stuck.len() as u64;
    let message = if stuck.is_empty() {
        format!("{}: none", check.title)
    } else {
        format!(
            "{}: {} with the same {column} in every record",
            check.title,
            plural(count, "date")
        )
    };
    Finding::compared(float(count), threshold, message)
        .of(asked - count, asked)
        .on(stuck)
}

/// Nine decimals: engines add floats up in different orders.
fn rounded(value: f64) -> f64 {
    let scaled = (value * 1e9).round() / 1e9;
    if scaled.is_finite() { scaled } else { value }
}

pub(super) fn unique_key(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Finding {
    let rows = facts.scan.count(needs[0], facts.range);
    let Some(Total::Surplus(surplus)) = facts.scan.totals.get(needs[1]) else {
        return Finding::unknown(format!("{}: the scan did not count it", check.title));
    };
    if rows == 0 {
        return no_data(check, facts);
    }
    let key = facts
        .suite
        .primary_key
        .iter()
        .map(Ident::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let mut finding = plain(check, float(*surplus), Unit::Count).of(rows - surplus, rows);
    if *surplus == 0 {
        finding.message = format!("{}: none ({key} is unique)", check.title);
        return finding;
    }
    finding.message = format!(
        "{}: {} more than there are keys ({key})",
        check.title,
        plural(*surplus, "record")
    );
    finding.probe(Probe::Duplicates(
        facts.suite.filter_of(check).cloned(),
        facts.suite.primary_key.clone(),
    ))
}

pub(super) fn per_group(
    facts: &Facts<'_>,
    check: &Check,
    wanted: &RowsPerGroup,
    needs: &[usize],
) -> Finding {
    let rows = facts.scan.count(needs[0], facts.range);
    let days: Vec<(NaiveDate, &Cell)> = facts.scan.by_day(needs[1], facts.range).collect();
    let groups: u64 = days.iter().map(|(_, cell)| cell.count()).sum();
    let off: u64 = days.iter().map(|(_, cell)| cell.off()).sum();
    if groups == 0 {
        return no_data(check, facts);
    }
    let name = match &facts.suite.group {
        Some(group) if wanted.columns == [group.column.clone()] => group.name.as_str(),
        _ => "group",
    };
    let limit = match (wanted.exactly, wanted.min, wanted.max) {
        (Some(exactly), _, _) => format!("exactly {exactly}"),
        (None, Some(min), Some(max)) => format!("{min} to {max}"),
        (None, Some(min), None) => format!("at least {min}"),
        (None, None, Some(max)) => format!("at most {max}"),
        (None, None, None) => "any number".to_owned(),
    };
    let threshold = threshold(check);
    let rows_text = figure(float(rows), Unit::Count, None);
    let groups_text = plural(groups, name);
    let message = if off == 0 {
        format!("{}: {rows_text} ({groups_text}, {limit} each)", check.title)
    } else {
        format!(
            "{}: {rows_text}, but {} of {groups_text} without {limit} each",
            check.title,
            figure(float(off), Unit::Count, None)
        )
    };
    let (min, max) = wanted.limits();
    let finding = Finding::compared(float(off), threshold, message).of(groups - off, groups);
    if off == 0 {
        return finding;
    }
    let dates = days
        .iter()
        .filter(|(_, cell)| cell.off() > 0)
        .map(|(day, _)| *day);
    finding.on(dates.collect()).probe(Probe::Groups {
        filter: facts.suite.filter_of(check).cloned(),
        columns: wanted.columns.clone(),
        min,
        max,
    })
}
