//! The scan of an engine that hands its rows out one by one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use bf_contract::parse_date;
use bf_warehouse::{Field, Ident, Query, Record, SqlDialect};
use chrono::{Datelike, NaiveDate};

use super::cells::{Cell, Keys, Mix, Numbers, Total};
use super::plan::{Plan, What};
use super::strays::is_no_day;
use super::{Scan, Unreadable};
use crate::condition::{Compiled, number};
use crate::moment;

/// The rows of the plan: the date column first, then the plan's columns.
pub(super) fn query(plan: &Plan) -> Query {
    let dialect = SqlDialect::Sqlite;
    let date = dialect.column(&plan.date_column);
    let mut names = vec![date.clone()];
    names.extend(plan.columns().iter().map(|column| dialect.column(column)));
    // SQLite compares what is no date as it comes, so such rows would lie in no range at all. NULL, numbers
    // and texts like 01/05/2024 or 25/12/2024 are read with every range: an index serves each part. What
    // stands between two days is for `strays`.
    let others = if plan.reads_all_rows {
        is_no_day(&date)
    } else {
        format!("{date} < '1900' OR {date} >= '2100'")
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE ({}) OR {date} IS NULL OR {others}",
        names.join(", "),
        dialect.table(&plan.table),
        dialect.within_days(&date, plan.date_kind, "@start", "@end"),
    );
    Query::new(sql)
        .with("start", plan.read.start)
        .with("end", plan.read.end)
}

/// Keys are hashed once; the maps take the hash as it is.
type Hashed<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Counts rows as they come.
pub(super) struct Accumulator<'a> {
    plan: &'a Plan,
    conditions: Vec<Option<Compiled>>,
    answers: Vec<bool>,
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
        at: Vec<usize>,
        counts: Hashed<(u32, u64), u64>,
        last: Option<((u32, u64), u64)>,
    },
    Surplus {
        at: Vec<usize>,
        hashes: Vec<u64>,
    },
    Oldest {
        at: usize,
        /// Of each day the smallest text: times in one form sort like texts, and are read once a day.
        texts: Vec<Option<Vec<u8>>>,
    },
    Keys {
        at: Vec<usize>,
        sum: Option<usize>,
        keys: Keys,
    },
}

impl<'a> Accumulator<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let mut row = vec![plan.date_column.clone()];
        row.extend(plan.columns());
        // The date column may be asked for a second time, as a column like any other.
        let position = |column: &Ident| {
            row.iter()
                .skip(1)
                .position(|other| other == column)
                .map_or(0, |at| at + 1)
        };
        let positions = |columns: &[Ident]| columns.iter().map(position).collect::<Vec<_>>();
        let jobs = plan.measures.iter().map(|measure| match &measure.what {
            What::Rows => Job::Rows,
            What::Meets(condition) => Job::Meets(*condition),
            What::Numbers(column) => Job::Numbers(position(column)),
            What::Groups { columns, .. } => Job::Groups {
                at: positions(columns),
                counts: Hashed::default(),
                last: None,
            },
            What::Surplus(columns) => Job::Surplus {
                at: positions(columns),
                hashes: Vec::new(),
            },
            What::Oldest { column, .. } => Job::Oldest {
                at: position(column),
                texts: Vec::new(),
            },
            What::Keys { columns, sum } => Job::Keys {
                at: positions(columns),
                sum: sum.as_ref().map(position),
                keys: Keys::default(),
            },
        });
        Self {
            plan,
            conditions: plan
                .conditions
                .iter()
                .map(|condition| Compiled::new(condition, &row))
                .collect(),
            answers: vec![false; plan.conditions.len()],
            jobs: jobs.collect(),
            days: Days::default(),
            cells: Vec::new(),
            unreadable: Unreadable::default(),
        }
    }

    /// Counts one row.
    pub fn add(&mut self, row: Record<'_>) {
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
        for (answer, condition) in self.answers.iter_mut().zip(&self.conditions) {
            *answer = condition
                .as_ref()
                .is_some_and(|condition| condition.holds(row));
        }
        let in_range = self.plan.range.contains(self.days.dates[day as usize]);
        let first = day as usize * width;
        let cells = &mut self.cells[first..first + width];
        for ((measure, job), cell) in self.plan.measures.iter().zip(&mut self.jobs).zip(cells) {
            if measure.filter.is_some_and(|filter| !self.answers[filter]) {
                continue;
            }
            match (job, cell) {
                (Job::Rows, Cell::Count(count)) => *count += 1,
                (Job::Meets(condition), Cell::Count(count)) => {
                    *count += u64::from(self.answers[*condition]);
                }
                (Job::Numbers(at), Cell::Numbers(numbers)) => {
                    if let Some(found) = number(row.get(*at)) {
                        numbers.add(found);
                    }
                }
                (Job::Groups { at, counts, last }, _) => {
                    let key = (day, hash(row, at));
                    match last {
                        Some((known, count)) if *known == key => *count += 1,
                        _ => {
                            flush(counts, last);
                            *last = Some((key, 1));
                        }
                    }
                }
                (Job::Surplus { at, hashes }, _) if in_range => hashes.push(hash(row, at)),
                (Job::Oldest { at, texts }, Cell::Oldest { micros, unknown }) => match row.get(*at)
                {
                    Field::Text(text) if text.first().is_some_and(u8::is_ascii_digit) => {
                        texts.resize(texts.len().max(day as usize + 1), None);
                        match &mut texts[day as usize] {
                            Some(oldest) if oldest.as_slice() <= text => {}
                            oldest => *oldest = Some(text.to_vec()),
                        }
                    }
                    field => match moment::of_field(field) {
                        Some(found) => *micros = Some(micros.map_or(found, |old| old.min(found))),
                        None => *unknown += 1,
                    },
                },
                (Job::Keys { at, sum, keys }, _) if in_range => {
                    let date = self.days.dates[day as usize];
                    let entry = keys.entry(dated(hash(row, at), date)).or_default();
                    entry.day = day;
                    entry.lacks_a_part = at.iter().any(|at| row.get(*at) == Field::Null);
                    entry.rows += 1;
                    entry.sum += sum.and_then(|at| number(row.get(at))).unwrap_or(0.0);
                }
                _ => {}
            }
        }
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
                Job::Surplus { mut hashes, .. } => {
                    let all = hashes.len();
                    hashes.sort_unstable();
                    hashes.dedup();
                    Total::Surplus((all - hashes.len()) as u64)
                }
                Job::Keys { keys, .. } => Total::Keys(keys),
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

fn empty(what: &What) -> Cell {
    match what {
        What::Rows | What::Meets(_) => Cell::Count(0),
        What::Numbers(_) => Cell::Numbers(Numbers::default()),
        What::Groups { .. } => Cell::Groups { groups: 0, off: 0 },
        What::Oldest { .. } => Cell::Oldest {
            micros: None,
            unknown: 0,
        },
        What::Surplus(_) | What::Keys { .. } => Cell::None,
    }
}

fn flush(counts: &mut Hashed<(u32, u64), u64>, last: &mut Option<((u32, u64), u64)>) {
    if let Some((key, count)) = last.take() {
        *counts.entry(key).or_default() += count;
    }
}

/// A key as 64 bits. Equal keys have equal hashes; two different ones of ten million share one with a
/// probability of 3 in a million, so a duplicate is looked up in the table before it is reported.
pub fn hash(row: Record<'_>, at: &[usize]) -> u64 {
    let mut hasher = DefaultHasher::new();
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
    known: HashMap<NaiveDate, u32>,
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
        let next = u32::try_from(self.dates.len()).unwrap_or(u32::MAX);
        let day = *self.known.entry(date).or_insert(next);
        let is_new = day == next;
        if is_new {
            self.dates.push(date);
        }
        self.last = Some((*head, day));
        Some((day, is_new))
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
