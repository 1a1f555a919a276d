//! The scan of an engine that hands its rows out one by one.

mod days;
mod key;
mod oldest;
mod results;
mod tally;

use std::sync::Arc;

use self::days::Days;
use self::key::{Hashes, push};
use self::oldest::Oldest;
use self::tally::{Figures, Tally};
use super::SqliteFlavor;
use super::invalid_dates::{FIRST, LAST, Reading, is_no_day};
use crate::condition::{self, Compiled};
use crate::plan::{Plan, What};
use crate::sql::Flavor;
use crate::{Field, Ident, KeySums, Numbers, Query, Record, Selection, Sink, Unreadable};

/// The rows of the plan: the date column first, then the plan's columns.
pub(super) fn selection(plan: &Plan, how: Reading) -> Selection {
    let date = SqliteFlavor.quote(plan.table.date_column.as_str());
    // SQLite compares what is not a date as it comes, so such rows would lie in no range at all. NULL, numbers and
    // texts like 01/05/2024 or 25/12/2024 are read with every range: an index serves each part. What lies between two
    // days is for `invalid_dates`.
    let within = SqliteFlavor.within_days(&date, plan.table.date_kind(), "@start", "@end");
    let mut conditions = vec![format!("({within})"), format!("{date} IS NULL")];
    match how {
        Reading::Everything => conditions.push(is_no_day(&date)),
        Reading::ByIndex { .. } => {
            conditions.push(format!("{date} < '{FIRST}'"));
            conditions.push(format!("{date} >= '{LAST}'"));
        }
    }
    if how != (Reading::ByIndex { is_narrow: true }) {
        conditions = vec![conditions.join(" OR ")];
    }
    Selection {
        table: plan.table.name.clone(),
        columns: row(plan),
        conditions,
        params: Query::default()
            .with("start", plan.read.start)
            .with("end", plan.read.end)
            .params,
    }
}

/// The columns of a row.
fn row(plan: &Plan) -> Vec<Ident> {
    let mut row = vec![plan.table.date_column.clone()];
    row.extend(plan.columns());
    row
}

/// Counts rows as they come. A list for each kind of measure: what is done with a row is the same for all of a
/// list, and most of it is a sum over a day.
pub(super) struct Accumulator {
    plan: Arc<Plan>,
    /// Where each measure of the plan is: its position in the list of its kind.
    places: Vec<usize>,
    conditions: Vec<Option<Compiled>>,
    /// Whether the current row meets each of them. The first is met by every row.
    met: Vec<bool>,
    hashes: Hashes,
    days: Days,
    /// The conditions that a row must meet to count.
    counters: Vec<[usize; 2]>,
    /// For each day as many as there are counters.
    counts: Vec<u64>,
    /// The filter and the column of numbers.
    columns: Vec<(usize, usize)>,
    /// For each day as many as there are such columns.
    numbers: Vec<Numbers>,
    /// The filter and the column of times.
    times: Vec<(usize, usize)>,
    /// For each day as many as there are such columns.
    oldest: Vec<Oldest>,
    groups: Vec<Grouped<u64>>,
    lacking: Vec<(usize, Grouped<RowsAndGood>)>,
    surplus: Vec<(usize, usize, Vec<u64>)>,
    keys: Vec<(KeyParts, Grouped<KeySums>)>,
    unreadable: Unreadable,
}

/// Figures by the day and a key of a row.
struct Grouped<V> {
    filter: usize,
    /// The key, a position in [`Hashes`].
    key: usize,
    tally: Tally<V>,
}

impl<V: Figures> Grouped<V> {
    fn new(filter: usize, key: usize) -> Self {
        Self {
            filter,
            key,
            tally: Tally::default(),
        }
    }
}

/// The columns of a key, as positions in the row, and the one that is added up.
struct KeyParts {
    columns: Vec<usize>,
    sum: Option<usize>,
}

/// Rows, and those of them that meet a condition.
#[derive(Clone, Copy)]
struct RowsAndGood {
    rows: u64,
    good: u64,
}

impl Figures for RowsAndGood {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.good += other.good;
    }
}

impl Figures for KeySums {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum += other.sum;
    }
}

impl Accumulator {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let row = row(&plan);
        let conditions: Vec<_> = plan
            .conditions
            .iter()
            .map(|condition| Compiled::new(condition, &row))
            .collect();
        let mut new = Self {
            places: Vec::new(),
            met: vec![true; conditions.len() + 1],
            conditions,
            hashes: Hashes::default(),
            days: Days::new(plan.range),
            counters: Vec::new(),
            counts: Vec::new(),
            columns: Vec::new(),
            numbers: Vec::new(),
            times: Vec::new(),
            oldest: Vec::new(),
            groups: Vec::new(),
            lacking: Vec::new(),
            surplus: Vec::new(),
            keys: Vec::new(),
            unreadable: Unreadable::default(),
            plan: Arc::clone(&plan),
        };
        // The date column may be asked for a second time, as a column like any other.
        let position = |column: &Ident| {
            let mut others = row.iter().skip(1);
            others
                .position(|other| other == column)
                .map_or(0, |at| at + 1)
        };
        let positions = |columns: &[Ident]| columns.iter().map(position).collect::<Vec<_>>();
        for metric in &plan.metrics {
            let filter = metric.filter.map_or(0, |condition| condition + 1);
            let place = match &metric.what {
                What::Rows => push(&mut new.counters, [filter, 0]),
                What::Meets(condition) => push(&mut new.counters, [filter, condition + 1]),
                What::Numbers(column) => push(&mut new.columns, (filter, position(column))),
                What::Oldest { column, .. } => push(&mut new.times, (filter, position(column))),
                What::Groups { columns, .. } => {
                    let key = new.hashes.key(positions(columns));
                    push(&mut new.groups, Grouped::new(filter, key))
                }
                What::Lacking {
                    columns, condition, ..
                } => {
                    let key = new.hashes.key(positions(columns));
                    let grouped = Grouped::new(filter, key);
                    push(&mut new.lacking, (condition + 1, grouped))
                }
                What::Surplus(columns) => {
                    let key = new.hashes.key(positions(columns));
                    push(&mut new.surplus, (filter, key, Vec::new()))
                }
                What::Keys { columns, sum } => {
                    let columns = positions(columns);
                    let key = new.hashes.key(columns.clone());
                    let sum = sum.as_ref().map(position);
                    let parts = KeyParts { columns, sum };
                    push(&mut new.keys, (parts, Grouped::new(filter, key)))
                }
            };
            new.places.push(place);
        }
        new
    }

    fn begin_day(&mut self) {
        let days = self.days.dates().len();
        self.counts.resize(days * self.counters.len(), 0);
        self.numbers
            .resize(days * self.columns.len(), Numbers::default());
        self.oldest
            .resize(days * self.times.len(), Oldest::default());
    }

    /// Adds what another one has counted of the same plan; both have ended.
    pub(super) fn merge(&mut self, other: Self) {
        let days: Vec<u32> = other
            .days
            .dates()
            .map(|date| {
                let (day, is_new) = self.days.number(date);
                if is_new {
                    self.begin_day();
                }
                day
            })
            .collect();
        let (counters, columns, times) =
            (self.counters.len(), self.columns.len(), self.times.len());
        merge_days(
            (&mut self.counts, &other.counts),
            (&days, counters),
            |count, theirs| {
                *count += theirs;
            },
        );
        merge_days(
            (&mut self.numbers, &other.numbers),
            (&days, columns),
            Numbers::merge,
        );
        merge_days(
            (&mut self.oldest, &other.oldest),
            (&days, times),
            Oldest::merge,
        );
        for (groups, theirs) in self.groups.iter_mut().zip(other.groups) {
            groups.tally.merge(theirs.tally);
        }
        for ((_, lacking), (_, theirs)) in self.lacking.iter_mut().zip(other.lacking) {
            lacking.tally.merge(theirs.tally);
        }
        for ((.., hashes), (.., theirs)) in self.surplus.iter_mut().zip(other.surplus) {
            hashes.extend(theirs);
            // Two sorted lists: what finds sorted parts has little to do.
            hashes.sort();
        }
        for ((_, keys), (_, theirs)) in self.keys.iter_mut().zip(other.keys) {
            keys.tally.merge(theirs.tally);
        }
        self.unreadable.merge(other.unreadable);
    }
}

impl Sink for Accumulator {
    fn take(&mut self, row: Record<'_>) {
        let Some((day, is_new)) = self.days.of(row.get(0), &mut self.unreadable) else {
            return;
        };
        if is_new {
            self.begin_day();
        }
        let met = self.met.as_mut_slice();
        for (met, condition) in met[1..].iter_mut().zip(&self.conditions) {
            *met = condition
                .as_ref()
                .is_some_and(|condition| condition.holds(row));
        }
        self.hashes.read(row);
        let counts = day_of(&mut self.counts, day, self.counters.len());
        for (count, [filter, condition]) in counts.iter_mut().zip(&self.counters) {
            *count += u64::from(met[*filter] & met[*condition]);
        }
        let numbers = day_of(&mut self.numbers, day, self.columns.len());
        for (numbers, (filter, at)) in numbers.iter_mut().zip(&self.columns) {
            if met[*filter]
                && let Some(found) = condition::number(row.get(*at))
            {
                numbers.add(found);
            }
        }
        let oldest = day_of(&mut self.oldest, day, self.times.len());
        for (oldest, (filter, at)) in oldest.iter_mut().zip(&self.times) {
            if met[*filter] {
                oldest.add(row.get(*at));
            }
        }
        let number = self.days.in_era(day);
        for groups in self.groups.iter_mut().filter(|groups| met[groups.filter]) {
            groups.tally.add((number, self.hashes.of(groups.key)), 1);
        }
        if !self.days.in_range(day) {
            return;
        }
        for (condition, groups) in &mut self.lacking {
            if met[groups.filter] {
                let good = u64::from(met[*condition]);
                let key = (number, self.hashes.of(groups.key));
                groups.tally.add(key, RowsAndGood { rows: 1, good });
            }
        }
        for (filter, key, hashes) in &mut self.surplus {
            if met[*filter] {
                hashes.push(self.hashes.of(*key));
            }
        }
        for (parts, keys) in &mut self.keys {
            if met[keys.filter] {
                let key = (number, self.hashes.of(keys.key));
                let sum = parts.sum.and_then(|at| condition::number(row.get(at)));
                let sums = KeySums {
                    lacks_a_part: parts.columns.iter().any(|at| row.get(*at) == Field::Null),
                    rows: 1,
                    sum: sum.unwrap_or(0.0),
                };
                keys.tally.add(key, sums);
            }
        }
    }

    fn end(&mut self) {
        self.oldest.iter_mut().for_each(Oldest::settle);
        self.groups
            .iter_mut()
            .for_each(|groups| groups.tally.settle());
        self.lacking
            .iter_mut()
            .for_each(|(_, groups)| groups.tally.settle());
        self.surplus
            .iter_mut()
            .for_each(|(.., hashes)| hashes.sort_unstable());
        self.keys
            .iter_mut()
            .for_each(|(_, keys)| keys.tally.settle());
    }
}

/// Adds a list with `width` items a day to another, which has the days under other numbers.
fn merge_days<T>(
    (ours, theirs): (&mut [T], &[T]),
    (days, width): (&[u32], usize),
    add: impl Fn(&mut T, &T),
) {
    for (day, theirs) in days.iter().zip(theirs.chunks(width.max(1))) {
        let ours = day_of(ours, *day, width);
        ours.iter_mut()
            .zip(theirs)
            .for_each(|(ours, theirs)| add(ours, theirs));
    }
}

/// What a list with so many items a day has of one.
fn day_of<T>(list: &mut [T], day: u32, width: usize) -> &mut [T] {
    &mut list[day as usize * width..][..width]
}
