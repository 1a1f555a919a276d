//! What a scan of a table found: whole-number counters and sums, day by day. All arithmetic comes later.

use std::collections::BTreeSet;

use bf_contract::DateRange;
use chrono::NaiveDate;

use crate::measure::Measure;
use crate::moment::Moment;

/// How many unreadable dates are kept to be shown.
const EXAMPLES: usize = 3;

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// The days that have rows, sorted.
    pub days: Vec<NaiveDate>,
    /// For each day, one cell per metric of the plan.
    pub cells: Vec<Vec<Cell>>,
    /// One per metric, over the plan's range alone.
    pub totals: Vec<Total>,
    /// Rows of the range whose date is not a valid one, and a few of those dates.
    pub unreadable: Unreadable,
}

/// Rows without a valid date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unreadable {
    /// How many.
    pub rows: u64,
    /// A few of the values of the date column.
    pub examples: Vec<String>,
    /// Rows whose date has a time after the day. They count on that day.
    pub with_time: u64,
    /// The days of those rows.
    pub timed_days: BTreeSet<NaiveDate>,
    /// Why rows without a date could not be counted, if they could not.
    pub unknown: Option<String>,
}

impl Unreadable {
    /// Adds what was found elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        for text in other.examples {
            self.add(&text, 0);
        }
        self.with_time += other.with_time;
        self.timed_days.extend(other.timed_days);
    }

    /// Adds rows with the same text in their date column.
    pub(crate) fn add(&mut self, text: &str, rows: u64) {
        self.rows += rows;
        let is_new = !self.examples.iter().any(|known| known == text);
        if is_new && self.examples.len() < EXAMPLES {
            self.examples.push(text.to_owned());
        }
    }
}

/// What a measure has of one day.
pub trait Daily: Copy {
    /// The figures in a cell.
    #[doc(hidden)]
    fn of(cell: &Cell) -> Option<Self>;
}

impl Daily for u64 {
    fn of(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Count(count) => Some(*count),
            _ => None,
        }
    }
}

impl Daily for Numbers {
    fn of(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Numbers(numbers) => Some(*numbers),
            _ => None,
        }
    }
}

impl Daily for Groups {
    fn of(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Groups { groups, off } => Some(Self {
                groups: *groups,
                off: *off,
            }),
            _ => None,
        }
    }
}

impl Daily for WriteTimes {
    fn of(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Written(times) => Some(*times),
            _ => None,
        }
    }
}

/// Groups of a day, and those of them with a number of rows outside the limits, or that lack values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Groups {
    /// Distinct groups.
    pub groups: u64,
    /// Those outside the limits.
    pub off: u64,
}

/// Rows beyond the first of each key, over the whole range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surplus(pub u64);

impl Scan {
    /// What a measure has of each day of `range` that has rows, in order.
    pub fn daily<T: Daily>(
        &self,
        measure: Measure<T>,
        range: DateRange,
    ) -> impl Iterator<Item = (NaiveDate, T)> {
        let days = self.by_day(measure.position(), range);
        days.filter_map(|(day, cell)| Some((day, T::of(cell)?)))
    }

    /// The rows of all days of `range`.
    #[must_use]
    pub fn sum(&self, measure: Measure<u64>, range: DateRange) -> u64 {
        self.daily(measure, range).map(|(_, count)| count).sum()
    }

    /// The distinct groups of the plan's range.
    #[must_use]
    pub fn distinct(&self, measure: Measure<Groups>) -> Option<u64> {
        match self.totals.get(measure.position()) {
            Some(Total::Distinct(distinct)) => Some(*distinct),
            _ => None,
        }
    }

    /// The rows beyond the first of each key in the plan's range.
    #[must_use]
    pub fn surplus(&self, measure: Measure<Surplus>) -> Option<Surplus> {
        match self.totals.get(measure.position()) {
            Some(Total::Surplus(surplus)) => Some(Surplus(*surplus)),
            _ => None,
        }
    }

    fn by_day(
        &self,
        position: usize,
        range: DateRange,
    ) -> impl Iterator<Item = (NaiveDate, &Cell)> {
        self.days
            .iter()
            .zip(&self.cells)
            .filter(move |(day, _)| range.contains(**day))
            .filter_map(move |(day, cells)| Some((*day, cells.get(position)?)))
    }
}

/// What one measure found on one day.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Cell {
    /// Nothing is kept by day.
    #[default]
    None,
    /// Rows.
    Count(u64),
    /// Numbers of a column.
    Numbers(Numbers),
    /// Groups, and those with a number of rows outside the limits.
    Groups {
        /// Distinct groups.
        groups: u64,
        /// Those outside the limits.
        off: u64,
    },
    /// When the rows were written.
    Written(WriteTimes),
}

impl Cell {
    /// The count of a [`Cell::Count`], the groups of a [`Cell::Groups`], else 0.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Count(count) => *count,
            Self::Groups { groups, .. } => *groups,
            _ => 0,
        }
    }

    /// A day without groups.
    pub const NO_GROUPS: Self = Self::Groups { groups: 0, off: 0 };

    /// Counts one more group of a [`Cell::Groups`].
    pub fn add_group(&mut self, is_off: bool) {
        if let Self::Groups { groups, off } = self {
            *groups += 1;
            *off += u64::from(is_off);
        }
    }

    /// The groups outside the limits of a [`Cell::Groups`], else 0.
    #[must_use]
    pub fn off(&self) -> u64 {
        match self {
            Self::Groups { off, .. } => *off,
            _ => 0,
        }
    }
}

/// When rows were written: the oldest and the newest of each way to say so, in microseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteTimes {
    /// Times with their zone.
    pub zoned: Option<(i64, i64)>,
    /// Times without a zone, read as UTC.
    pub local: Option<(i64, i64)>,
    /// Days without a time, read as UTC.
    pub days: Option<(i64, i64)>,
    /// Rows without a readable time.
    pub unknown: u64,
}

impl WriteTimes {
    /// Adds one row.
    pub fn add(&mut self, moment: Moment) {
        let (place, micros) = match moment {
            Moment::Zoned(micros) => (&mut self.zoned, micros),
            Moment::Local(micros) => (&mut self.local, micros),
            Moment::Day(micros) => (&mut self.days, micros),
        };
        *place = Some(place.map_or((micros, micros), |(oldest, newest)| {
            (oldest.min(micros), newest.max(micros))
        }));
    }

    /// Adds other rows.
    pub fn merge(&mut self, other: &Self) {
        self.unknown += other.unknown;
        other.oldest().for_each(|moment| self.add(moment));
        other.newest().for_each(|moment| self.add(moment));
    }

    /// The oldest of each kind.
    pub fn oldest(&self) -> impl Iterator<Item = Moment> + use<> {
        self.each(|(oldest, _)| oldest)
    }

    /// The newest of each kind.
    pub fn newest(&self) -> impl Iterator<Item = Moment> + use<> {
        self.each(|(_, newest)| newest)
    }

    fn each(&self, of: fn((i64, i64)) -> i64) -> impl Iterator<Item = Moment> + use<> {
        let zoned = self.zoned.map(of).map(Moment::Zoned);
        let local = self.local.map(of).map(Moment::Local);
        let days = self.days.map(of).map(Moment::Day);
        [zoned, local, days].into_iter().flatten()
    }
}

/// Finite numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest; `None` if there is none.
    pub min: Option<f64>,
    /// The largest; `None` if there is none.
    pub max: Option<f64>,
}

impl Numbers {
    /// Adds one number.
    pub fn add(&mut self, number: f64) {
        self.count += 1;
        self.sum += number;
        self.min = Some(self.min.map_or(number, |least| least.min(number)));
        self.max = Some(self.max.map_or(number, |most| most.max(number)));
    }

    /// Adds other numbers.
    pub fn merge(&mut self, other: &Self) {
        let pick = |a: Option<f64>, b: Option<f64>, of: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(of(a, b)),
            (one, other) => one.or(other),
        };
        self.count += other.count;
        self.sum += other.sum;
        self.min = pick(self.min, other.min, f64::min);
        self.max = pick(self.max, other.max, f64::max);
    }
}

/// What one measure found over the whole range.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Total {
    /// Nothing beyond the days.
    #[default]
    None,
    /// Distinct values.
    Distinct(u64),
    /// Rows beyond the first of each key.
    Surplus(u64),
    /// For each key of each day its rows and sum; only where rows are counted here.
    Keys(Keys),
}

/// The keys of all days: a day, in days since the year 1, and the hash of a key; each once, in order.
pub type Keys = Vec<((i32, u64), KeySums)>;

/// What one key of one day has.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct KeySums {
    /// A part of the key is NULL: such a key equals no other, as in SQL.
    pub lacks_a_part: bool,
    /// The rows.
    pub rows: u64,
    /// The sum of a column.
    pub sum: f64,
}
