//! The days of a scan, numbered in the order of their first row.

use std::collections::HashMap;

use bf_contract::{DateRange, parse_date};
use chrono::{Datelike, NaiveDate};
use foldhash::quality::FixedState;

use crate::{Field, Unreadable};

/// The days seen so far.
pub(super) struct Days {
    /// The range of the plan.
    range: DateRange,
    /// The days.
    dates: Vec<Day>,
    known: HashMap<NaiveDate, u32, FixedState>,
    /// Rows of a day mostly follow each other, so the last one is asked first.
    last: Option<([u8; 10], u32)>,
}

struct Day {
    date: NaiveDate,
    in_range: bool,
    in_era: i32,
}

impl Days {
    pub(super) fn new(range: DateRange) -> Self {
        Self {
            range,
            dates: Vec::new(),
            known: HashMap::default(),
            last: None,
        }
    }

    /// All of them, in order of their numbers.
    pub(super) fn dates(&self) -> impl ExactSizeIterator<Item = NaiveDate> {
        self.dates.iter().map(|day| day.date)
    }

    /// The day with this number.
    pub(super) fn date(&self, day: u32) -> NaiveDate {
        self.dates[day as usize].date
    }

    /// Whether the day with this number lies in the range.
    #[inline]
    pub(super) fn in_range(&self, day: u32) -> bool {
        self.dates[day as usize].in_range
    }

    /// The day with this number, in days since the year 1.
    #[inline]
    pub(super) fn in_era(&self, day: u32) -> i32 {
        self.dates[day as usize].in_era
    }

    /// The number of a day, and whether it is seen for the first time.
    pub(super) fn number(&mut self, date: NaiveDate) -> (u32, bool) {
        let next = u32::try_from(self.dates.len()).unwrap_or(u32::MAX);
        let day = *self.known.entry(date).or_insert(next);
        let is_new = day == next;
        if is_new {
            self.dates.push(Day {
                date,
                in_range: self.range.contains(date),
                in_era: date.num_days_from_ce(),
            });
        }
        (day, is_new)
    }

    /// The day of a date column's field, and whether it is seen for the first time.
    #[inline]
    pub(super) fn of(
        &mut self,
        field: Field<'_>,
        unreadable: &mut Unreadable,
    ) -> Option<(u32, bool)> {
        if let (Field::Text(bytes), Some((last, day))) = (field, self.last)
            && bytes == last
        {
            return Some((day, false));
        }
        self.look_up(field, unreadable)
    }

    fn look_up(&mut self, field: Field<'_>, unreadable: &mut Unreadable) -> Option<(u32, bool)> {
        let bytes = match field {
            Field::Text(bytes) => bytes,
            Field::Null | Field::Int(_) | Field::Float(_) | Field::Blob(_) => b"",
        };
        let has_time = bytes.len() > 10;
        let is_well_formed = !has_time || (matches!(bytes[10], b' ' | b'T') && bytes.len() > 11);
        let head = bytes.first_chunk::<10>().filter(|_| is_well_formed);
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
}

fn note(unreadable: &mut Unreadable, field: Field<'_>) {
    let text = match field {
        Field::Null => "NULL".to_owned(),
        Field::Int(number) => number.to_string(),
        Field::Float(number) => number.to_string(),
        Field::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Field::Blob(bytes) => format!("{} as BLOB", String::from_utf8_lossy(bytes)),
    };
    unreadable.add(&text, 1);
}
