//! From what was counted to what a scan found: the days in order, a cell for each measure, and the totals.

use std::collections::{HashMap, HashSet};

use bf_contract::percentage;
use chrono::{Datelike, NaiveDate};
use foldhash::quality::FixedState;

use super::tally::{DayKey, Figures};
use super::{Accumulator, RowsAndGood};
use crate::plan::What;
use crate::{Cell, Scan, Total};

impl Accumulator {
    /// What was counted. It has ended, and so has what was merged into it.
    pub(in crate::sqlite) fn finish(self) -> Scan {
        let plan = self.plan;
        let mut order: Vec<u32> = (0..).take(self.days.dates().len()).collect();
        order.sort_unstable_by_key(|day| self.days.date(*day));
        let days: Vec<NaiveDate> = order.iter().map(|day| self.days.date(*day)).collect();
        let mut cells = vec![vec![Cell::None; plan.metrics.len()]; order.len()];
        let mut totals = vec![Total::None; plan.metrics.len()];
        // Each kind's list is taken in the order in which it was made.
        let mut groups = self.groups.into_iter();
        let mut lacking = self.lacking.into_iter();
        let mut surplus = self.surplus.into_iter();
        let mut keys = self.keys.into_iter();
        for (at, metric) in plan.metrics.iter().enumerate() {
            let of_day = |day: u32, width: usize| day as usize * width + self.places[at];
            let by_day = cells.iter_mut().map(|cells| &mut cells[at]).zip(&order);
            match &metric.what {
                What::Rows | What::Meets(_) => {
                    let width = self.counters.len();
                    by_day.for_each(|(cell, day)| {
                        *cell = Cell::Count(self.counts[of_day(*day, width)]);
                    });
                }
                What::Numbers(_) => {
                    let width = self.columns.len();
                    by_day.for_each(|(cell, day)| {
                        *cell = Cell::Numbers(self.numbers[of_day(*day, width)]);
                    });
                }
                What::Oldest { .. } => {
                    let width = self.times.len();
                    by_day.for_each(|(cell, day)| {
                        *cell = self.oldest[of_day(*day, width)].cell();
                    });
                }
                What::Groups { min, max, .. } => {
                    let found = groups.next().map(|groups| groups.tally.into_list());
                    let found = found.unwrap_or_default();
                    let mut distinct: Vec<u64> = Vec::with_capacity(found.len());
                    by_day.for_each(|(cell, _)| *cell = Cell::NO_GROUPS);
                    for (day, key, rows) in places(&found, &days) {
                        cells[day][at].add_group(rows < *min || rows > *max);
                        if plan.range.contains(days[day]) {
                            distinct.push(key);
                        }
                    }
                    distinct.sort_unstable();
                    distinct.dedup();
                    totals[at] = Total::Distinct(distinct.len() as u64);
                }
                What::Lacking {
                    by_day: each_day,
                    floor,
                    min_rows,
                    ..
                } => {
                    let found = lacking.next().map(|(_, groups)| groups.tally.into_list());
                    let found = found.unwrap_or_default();
                    by_day.for_each(|(cell, _)| *cell = Cell::NO_GROUPS);
                    let month = |day: usize| match each_day {
                        true => days[day].num_days_from_ce(),
                        false => {
                            days[day].year() * 12 + i32::try_from(days[day].month0()).unwrap_or(0)
                        }
                    };
                    let mut months: HashMap<_, RowsAndGood, FixedState> = HashMap::default();
                    for (day, key, figures) in places(&found, &days) {
                        let all = months.entry((month(day), key));
                        all.and_modify(|all| all.add(figures)).or_insert(figures);
                    }
                    let is_low = |all: &RowsAndGood| {
                        percentage(all.good, all.rows).is_some_and(|share| share < *floor)
                    };
                    // A group that is low in one month is low in its short months, too.
                    let judged = months
                        .iter()
                        .filter(|(_, all)| all.rows >= *min_rows && is_low(all));
                    let low: HashSet<u64, FixedState> = judged.map(|((_, key), _)| *key).collect();
                    for (day, key, figures) in places(&found, &days) {
                        let all = months[&(month(day), key)];
                        let counts = all.rows >= *min_rows || (!each_day && low.contains(&key));
                        let is_off = counts && is_low(&all) && figures.good < figures.rows;
                        cells[day][at].add_group(is_off);
                    }
                }
                What::Surplus(_) => {
                    let mut hashes = surplus.next().map_or_else(Vec::new, |(.., hashes)| hashes);
                    let all = hashes.len();
                    hashes.dedup();
                    totals[at] = Total::Surplus((all - hashes.len()) as u64);
                }
                What::Keys { .. } => {
                    let found = keys.next().map(|(_, keys)| keys.tally.into_list());
                    totals[at] = Total::Keys(found.unwrap_or_default());
                }
            }
        }
        Scan {
            days,
            cells,
            totals,
            unreadable: self.unreadable,
        }
    }
}

/// The keys of a tally with the places of their days; both are in order, and every day is there.
fn places<V: Figures>(
    list: &[(DayKey, V)],
    days: &[NaiveDate],
) -> impl Iterator<Item = (usize, u64, V)> {
    let mut place = 0;
    let mut number = days.first().map(NaiveDate::num_days_from_ce);
    list.iter().map(move |((day, key), figures)| {
        while number.is_some_and(|number| number < *day) {
            place += 1;
            number = days.get(place).map(NaiveDate::num_days_from_ce);
        }
        (place, *key, *figures)
    })
}
