//! The scan of an engine that hands its rows out one by one.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use bf_contract::{parse_date, percentage};
use bf_warehouse::{Field, Ident, Query, Record, Selection, Sink, SqlDialect};
use chrono::{Datelike, NaiveDate};
use foldhash::quality::FixedState;

use super::cells::{Cell, KeySums, Keys, Mix, Numbers, Total};
use super::plan::{Plan, What};
use super::strays::is_no_day;
use super::{Scan, Unreadable};
use crate::condition::{Compiled, number};
use crate::moment;

/// The rows of the plan: the date column first, then the plan's columns.
pub(super) fn selection(plan: &Plan) -> Selection {
    let dialect = SqlDialect::Sqlite;
    let date = dialect.column(&plan.date_column);
    // SQLite compares what is no date as it comes, so such rows would lie in no range at all. NULL, numbers
    // and texts like 01/05/2024 or 25/12/2024 are read with every range: an index serves each part. What
    // stands between two days is for `strays`.
    let others = if plan.reads_all_rows {
        is_no_day(&date)
    } else {
        format!("{date} < '1900' OR {date} >= '2100'")
    };
    let within = dialect.within_days(&date, plan.date_kind, "@start", "@end");
    Selection {
        table: plan.table.clone(),
        columns: row(plan),
        condition: format!("({within}) OR {date} IS NULL OR {others}"),
        params: Query::default()
            .with("start", plan.read.start)
            .with("end", plan.read.end)
            .params,
        dialect,
    }
}

/// What stands in a row.
fn row(plan: &Plan) -> Vec<Ident> {
    let mut row = vec![plan.date_column.clone()];
    row.extend(plan.columns());
    row
}

/// Keys are hashed once; the maps take the hash as it is.
type Hashed<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Rows, and those of them that meet a condition.
type RowsAndGood = (u64, u64);

/// Counts rows as they come.
pub(super) struct Accumulator {
    plan: Arc<Plan>,
    /// The columns of each key that is asked for, and its hash in the row at hand.
    keys: Vec<(Vec<usize>, Option<u64>)>,
    conditions: Vec<Option<Compiled>>,
    /// Whether the row at hand meets each of them, as far as anybody asked.
    answers: Vec<Option<bool>>,
    jobs: Vec<Job>,
    days: Days,
    /// One row of cells per day, each as wide as there are measures.
    cells: Vec<Cell>,
    unreadable: Unreadable,
}

/// What one measure needs while it counts: columns as positions in the row.
enum Job {
    Rows,
    Meets(usize),
    Numbers(usize),
    Groups {
        key: usize,
        counts: Hashed<(u32, u64), u64>,
        last: Option<((u32, u64), u64)>,
    },
    Lacking {
        key: usize,
        condition: usize,
        counts: Hashed<(u32, u64), RowsAndGood>,
        last: Option<((u32, u64), RowsAndGood)>,
    },
    Surplus {
        key: usize,
        hashes: Vec<u64>,
    },
    Oldest {
        at: usize,
        /// Of each day the smallest text: times in one form sort like texts, and are read once a day.
        texts: Vec<Option<Vec<u8>>>,
    },
    Keys {
        key: usize,
        columns: Vec<usize>,
        sum: Option<usize>,
        keys: Keys,
        last: Option<(u64, KeySums)>,
    },
}

impl Job {
    /// Adds what another one has counted, whose days have other numbers: `days` has ours.
    fn merge(&mut self, other: Self, days: &[u32]) {
        match (self, other) {
            (
                Self::Groups { counts, .. },
                Self::Groups {
                    counts: mut theirs,
                    mut last,
                    ..
                },
            ) => {
                flush(&mut theirs, &mut last);
                for ((day, key), rows) in theirs {
                    *counts.entry((days[day as usize], key)).or_default() += rows;
                }
            }
            (
                Self::Lacking { counts, .. },
                Self::Lacking {
                    counts: mut theirs,
                    mut last,
                    ..
                },
            ) => {
                add_up(&mut theirs, &mut last);
                for ((day, key), found) in theirs {
                    add_up(counts, &mut Some(((days[day as usize], key), found)));
                }
            }
            (Self::Surplus { hashes, .. }, Self::Surplus { hashes: theirs, .. }) => {
                hashes.extend(theirs);
            }
            (Self::Oldest { texts, .. }, Self::Oldest { texts: theirs, .. }) => {
                for (text, day) in theirs.into_iter().zip(days) {
                    if let Some(text) = text {
                        keep_smallest(texts, *day, &text);
                    }
                }
            }
            (
                Self::Keys { keys, .. },
                Self::Keys {
                    keys: mut theirs,
                    mut last,
                    ..
                },
            ) => {
                put_away(&mut theirs, &mut last);
                for (key, mut sums) in theirs {
                    sums.day = days[sums.day as usize];
                    put_away(keys, &mut Some((key, sums)));
                }
            }
            // Both are of one plan.
            _ => {}
        }
    }
}

impl Accumulator {
    pub fn new(plan: Arc<Plan>) -> Self {
        let row = row(&plan);
        // The date column may be asked for a second time, as a column like any other.
        let position = |column: &Ident| {
            row.iter()
                .skip(1)
                .position(|other| other == column)
                .map_or(0, |at| at + 1)
        };
        let mut keys: Vec<(Vec<usize>, Option<u64>)> = Vec::new();
        let mut key = |columns: &[Ident]| {
            let columns: Vec<usize> = columns.iter().map(position).collect();
            let known = keys.iter().position(|(other, _)| *other == columns);
            known.unwrap_or_else(|| {
                keys.push((columns, None));
                keys.len() - 1
            })
        };
        let jobs: Vec<Job> = plan
            .measures
            .iter()
            .map(|measure| match &measure.what {
                What::Rows => Job::Rows,
                What::Meets(condition) => Job::Meets(*condition),
                What::Numbers(column) => Job::Numbers(position(column)),
                What::Groups { columns, .. } => Job::Groups {
                    key: key(columns),
                    counts: Hashed::default(),
                    last: None,
                },
                What::Lacking {
                    columns, condition, ..
                } => Job::Lacking {
                    key: key(columns),
                    condition: *condition,
                    counts: Hashed::default(),
                    last: None,
                },
                What::Surplus(columns) => Job::Surplus {
                    key: key(columns),
                    hashes: Vec::new(),
                },
                What::Oldest { column, .. } => Job::Oldest {
                    at: position(column),
                    texts: Vec::new(),
                },
                What::Keys { columns, sum } => Job::Keys {
                    key: key(columns),
                    columns: columns.iter().map(position).collect(),
                    sum: sum.as_ref().map(position),
                    keys: Keys::default(),
                    last: None,
                },
            })
            .collect();
        let conditions = plan.conditions.iter();
        Self {
            keys,
            conditions: conditions
                .map(|condition| Compiled::new(condition, &row))
                .collect(),
            answers: vec![None; plan.conditions.len()],
            plan,
            jobs,
            days: Days::default(),
            cells: Vec::new(),
            unreadable: Unreadable::default(),
        }
    }

    /// Adds what another one has counted of the same plan.
    pub fn merge(&mut self, mut other: Self) {
        let width = self.plan.measures.len();
        let days: Vec<u32> = (0_usize..)
            .zip(&other.days.dates)
            .map(|(theirs, date)| {
                let (day, is_new) = self.days.number(*date);
                let first = theirs * width;
                let theirs = other.cells[first..first + width]
                    .iter_mut()
                    .map(std::mem::take);
                if is_new {
                    self.cells.extend(theirs);
                } else {
                    let ours = &mut self.cells[day as usize * width..];
                    ours.iter_mut()
                        .zip(theirs)
                        .for_each(|(cell, theirs)| cell.merge(theirs));
                }
                day
            })
            .collect();
        for (job, theirs) in self.jobs.iter_mut().zip(other.jobs) {
            job.merge(theirs, &days);
        }
        self.unreadable.merge(other.unreadable);
    }

    /// What was counted, with the days in order.
    pub fn finish(mut self) -> Scan {
        let width = self.plan.measures.len();
        let mut totals = Vec::with_capacity(width);
        for (at, (measure, job)) in self.plan.measures.iter().zip(self.jobs).enumerate() {
            totals.push(match job {
                Job::Groups {
                    mut counts,
                    mut last,
                    ..
                } => {
                    flush(&mut counts, &mut last);
                    let What::Groups { min, max, .. } = measure.what else {
                        continue;
                    };
                    let mut distinct: Vec<u64> = Vec::new();
                    for ((day, key), rows) in counts {
                        if let Some(Cell::Groups { groups, off }) =
                            self.cells.get_mut(day as usize * width + at)
                        {
                            *groups += 1;
                            *off += u64::from(rows < min || rows > max);
                        }
                        if self.plan.range.contains(self.days.dates[day as usize]) {
                            distinct.push(key);
                        }
                    }
                    distinct.sort_unstable();
                    distinct.dedup();
                    Total::Distinct(distinct.len() as u64)
                }
                Job::Lacking {
                    mut counts,
                    mut last,
                    ..
                } => {
                    add_up(&mut counts, &mut last);
                    let What::Lacking {
                        floor, min_rows, ..
                    } = measure.what
                    else {
                        continue;
                    };
                    let month = |day: u32| {
                        let date = self.days.dates[day as usize];
                        (date.year(), date.month())
                    };
                    let mut months: HashMap<((i32, u32), u64), RowsAndGood, FixedState> =
                        HashMap::default();
                    for ((day, key), (rows, good)) in &counts {
                        let all = months.entry((month(*day), *key)).or_default();
                        *all = (all.0 + rows, all.1 + good);
                    }
                    for ((day, key), (rows, good)) in counts {
                        let (all, all_good) = months[&(month(day), key)];
                        let is_low = all >= min_rows
                            && percentage(all_good, all).is_some_and(|share| share < floor);
                        if let Some(Cell::Groups { groups, off }) =
                            self.cells.get_mut(day as usize * width + at)
                        {
                            *groups += 1;
                            *off += u64::from(is_low && good < rows);
                        }
                    }
                    Total::None
                }
                Job::Surplus { mut hashes, .. } => {
                    let all = hashes.len();
                    hashes.sort_unstable();
                    hashes.dedup();
                    Total::Surplus((all - hashes.len()) as u64)
                }
                Job::Keys {
                    mut keys, mut last, ..
                } => {
                    put_away(&mut keys, &mut last);
                    Total::Keys(keys)
                }
                Job::Oldest { texts, .. } => {
                    for (day, text) in texts.into_iter().enumerate() {
                        let cell = self.cells.get_mut(day * width + at);
                        if let (Some(text), Some(Cell::Oldest { micros, unknown })) = (text, cell) {
                            match moment::of_field(Field::Text(&text)) {
                                Some(found) => {
                                    *micros = Some(micros.map_or(found, |old| old.min(found)));
                                }
                                None => *unknown += 1,
                            }
                        }
                    }
                    Total::None
                }
                Job::Rows | Job::Meets(_) | Job::Numbers(_) => Total::None,
            });
        }
        let mut order: Vec<usize> = (0..self.days.dates.len()).collect();
        order.sort_unstable_by_key(|day| self.days.dates[*day]);
        let mut place = vec![0_u32; order.len()];
        for (at, day) in order.iter().enumerate() {
            place[*day] = u32::try_from(at).unwrap_or(u32::MAX);
        }
        for total in &mut totals {
            if let Total::Keys(keys) = total {
                for key in keys.values_mut() {
                    key.day = place[key.day as usize];
                }
            }
        }
        let mut rows: Vec<Vec<Cell>> = self
            .cells
            .chunks(width.max(1))
            .map(<[Cell]>::to_vec)
            .collect();
        rows.resize(order.len(), Vec::new());
        Scan {
            days: order.iter().map(|day| self.days.dates[*day]).collect(),
            cells: order
                .iter()
                .map(|day| std::mem::take(&mut rows[*day]))
                .collect(),
            totals,
            unreadable: self.unreadable,
        }
    }
}

impl Sink for Accumulator {
    /// Counts one row.
    fn take(&mut self, row: Record<'_>) {
        let Some((day, is_new)) = self.days.of(row.get(0), &mut self.unreadable) else {
            return;
        };
        let width = self.plan.measures.len();
        if is_new {
            self.cells.extend(
                self.plan
                    .measures
                    .iter()
                    .map(|measure| empty(&measure.what)),
            );
        }
        self.answers.fill(None);
        let (answers, conditions) = (&mut self.answers, &self.conditions);
        let mut holds = |condition: usize| {
            *answers[condition].get_or_insert_with(|| {
                let condition = conditions[condition].as_ref();
                condition.is_some_and(|condition| condition.holds(row))
            })
        };
        let in_range = self.plan.range.contains(self.days.dates[day as usize]);
        let first = day as usize * width;
        let sets = &mut self.keys;
        sets.iter_mut().for_each(|(_, known)| *known = None);
        let mut hashed = |key: usize| {
            let (columns, known) = &mut sets[key];
            *known.get_or_insert_with(|| hash(row, columns))
        };
        let cells = &mut self.cells[first..first + width];
        for ((measure, job), cell) in self.plan.measures.iter().zip(&mut self.jobs).zip(cells) {
            if measure.filter.is_some_and(|filter| !holds(filter)) {
                continue;
            }
            match (job, cell) {
                (Job::Rows, Cell::Count(count)) => *count += 1,
                (Job::Meets(condition), Cell::Count(count)) => {
                    *count += u64::from(holds(*condition));
                }
                (Job::Numbers(at), Cell::Numbers(numbers)) => {
                    if let Some(found) = number(row.get(*at)) {
                        numbers.add(found);
                    }
                }
                (Job::Groups { key, counts, last }, _) => {
                    let key = (day, hashed(*key));
                    match last {
                        Some((known, count)) if *known == key => *count += 1,
                        _ => {
                            flush(counts, last);
                            *last = Some((key, 1));
                        }
                    }
                }
                (
                    Job::Lacking {
                        key,
                        condition,
                        counts,
                        last,
                    },
                    _,
                ) if in_range => {
                    let key = (day, hashed(*key));
                    let is_good = u64::from(holds(*condition));
                    match last {
                        Some((known, (rows, good))) if *known == key => {
                            *rows += 1;
                            *good += is_good;
                        }
                        _ => {
                            add_up(counts, last);
                            *last = Some((key, (1, is_good)));
                        }
                    }
                }
                (Job::Surplus { key, hashes }, _) if in_range => hashes.push(hashed(*key)),
                (Job::Oldest { at, texts }, Cell::Oldest { micros, unknown }) => match row.get(*at)
                {
                    Field::Text(text) if text.first().is_some_and(u8::is_ascii_digit) => {
                        keep_smallest(texts, day, text);
                    }
                    field => match moment::of_field(field) {
                        Some(found) => *micros = Some(micros.map_or(found, |old| old.min(found))),
                        None => *unknown += 1,
                    },
                },
                (
                    Job::Keys {
                        key,
                        columns,
                        sum,
                        keys,
                        last,
                    },
                    _,
                ) if in_range => {
                    let date = self.days.dates[day as usize];
                    let key = dated(hashed(*key), date);
                    let added = sum.and_then(|at| number(row.get(at))).unwrap_or(0.0);
                    match last {
                        Some((known, sums)) if *known == key => {
                            sums.rows += 1;
                            sums.sum += added;
                        }
                        _ => {
                            put_away(keys, last);
                            let sums = KeySums {
                                day,
                                lacks_a_part: columns.iter().any(|at| row.get(*at) == Field::Null),
                                rows: 1,
                                sum: added,
                            };
                            *last = Some((key, sums));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn empty(what: &What) -> Cell {
    match what {
        What::Rows | What::Meets(_) => Cell::Count(0),
        What::Numbers(_) => Cell::Numbers(Numbers::default()),
        What::Groups { .. } | What::Lacking { .. } => Cell::Groups { groups: 0, off: 0 },
        What::Oldest { .. } => Cell::Oldest {
            micros: None,
            unknown: 0,
        },
        What::Surplus(_) | What::Keys { .. } => Cell::None,
    }
}

fn keep_smallest(texts: &mut Vec<Option<Vec<u8>>>, day: u32, text: &[u8]) {
    let day = day as usize;
    texts.resize(texts.len().max(day + 1), None);
    match &mut texts[day] {
        Some(oldest) if oldest.as_slice() <= text => {}
        oldest => *oldest = Some(text.to_vec()),
    }
}

fn flush(counts: &mut Hashed<(u32, u64), u64>, last: &mut Option<((u32, u64), u64)>) {
    if let Some((key, count)) = last.take() {
        *counts.entry(key).or_default() += count;
    }
}

fn add_up(
    counts: &mut Hashed<(u32, u64), RowsAndGood>,
    last: &mut Option<((u32, u64), RowsAndGood)>,
) {
    if let Some((key, (rows, good))) = last.take() {
        let all = counts.entry(key).or_default();
        *all = (all.0 + rows, all.1 + good);
    }
}

fn put_away(keys: &mut Keys, last: &mut Option<(u64, KeySums)>) {
    if let Some((key, sums)) = last.take() {
        keys.entry(key)
            .and_modify(|known| {
                known.rows += sums.rows;
                known.sum += sums.sum;
            })
            .or_insert(sums);
    }
}

/// A key as 64 bits. Equal keys have equal hashes; two different ones of ten million share one with a
/// probability of 3 in a million, so a duplicate is looked up in the table before it is reported.
pub fn hash(row: Record<'_>, at: &[usize]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    for at in at {
        match row.get(*at) {
            Field::Null => 0_u8.hash(&mut hasher),
            Field::Int(number) => (1_u8, number).hash(&mut hasher),
            #[allow(clippy::cast_possible_truncation)] // checked just before
            Field::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                (1_u8, number as i64).hash(&mut hasher);
            }
            Field::Float(number) => (2_u8, number.to_bits()).hash(&mut hasher),
            Field::Text(bytes) => (3_u8, bytes).hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// The key of one day: the same key on another day is another.
fn dated(key: u64, date: NaiveDate) -> u64 {
    let day = u64::from(date.num_days_from_ce().unsigned_abs());
    key ^ day.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The days seen so far, in the order of their first row.
#[derive(Default)]
struct Days {
    dates: Vec<NaiveDate>,
    known: HashMap<NaiveDate, u32, FixedState>,
    /// Rows of a day mostly follow each other, so the last one is asked first.
    last: Option<([u8; 10], u32)>,
}

impl Days {
    /// The day of a date column's field, and whether it is seen for the first time.
    fn of(&mut self, field: Field<'_>, unreadable: &mut Unreadable) -> Option<(u32, bool)> {
        let bytes = match field {
            Field::Text(bytes) => bytes,
            Field::Null | Field::Int(_) | Field::Float(_) => b"",
        };
        let head = bytes.first_chunk::<10>();
        let has_time = bytes.len() > 10;
        if has_time && !(matches!(bytes[10], b' ' | b'T') && bytes.len() > 11) {
            note(unreadable, field);
            return None;
        }
        if let (Some(head), Some((last, day))) = (head, self.last)
            && *head == last
        {
            if has_time {
                unreadable.with_time += 1;
                unreadable.timed_days.insert(self.dates[day as usize]);
            }
            return Some((day, false));
        }
        let date = head
            .and_then(|head| std::str::from_utf8(head).ok())
            .and_then(|text| parse_date(text).ok());
        let (Some(head), Some(date)) = (head, date) else {
            note(unreadable, field);
            return None;
        };
        if has_time {
            unreadable.with_time += 1;
            unreadable.timed_days.insert(date);
        }
        let (day, is_new) = self.number(date);
        self.last = Some((*head, day));
        Some((day, is_new))
    }

    /// The number of a day, and whether it is seen for the first time.
    fn number(&mut self, date: NaiveDate) -> (u32, bool) {
        let next = u32::try_from(self.dates.len()).unwrap_or(u32::MAX);
        let day = *self.known.entry(date).or_insert(next);
        let is_new = day == next;
        if is_new {
            self.dates.push(date);
        }
        (day, is_new)
    }
}

fn note(unreadable: &mut Unreadable, field: Field<'_>) {
    let text = match field {
        Field::Null => "NULL".to_owned(),
        Field::Int(number) => number.to_string(),
        Field::Float(number) => number.to_string(),
        Field::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    unreadable.add(&text, 1);
}
