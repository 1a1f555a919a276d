//! When the rows of a day were written.

use bf_warehouse::Field;

use super::super::cells::Cell;
use crate::moment;

/// When the oldest row of a day was written.
#[derive(Clone, Default)]
pub(super) struct Oldest {
    /// The smallest text: times in one form sort like texts, and are read once a day.
    text: Option<Vec<u8>>,
    /// The oldest of those that are no such text, in microseconds since 1970.
    micros: Option<i64>,
    /// Rows without a readable time.
    unknown: u64,
}

impl Oldest {
    /// Adds a row by its column of times.
    pub fn add(&mut self, field: Field<'_>) {
        match field {
            Field::Text(text) if text.first().is_some_and(u8::is_ascii_digit) => {
                self.add_text(text);
            }
            field => match moment::of_field(field) {
                Some(found) => self.add_micros(found),
                None => self.unknown += 1,
            },
        }
    }

    fn add_text(&mut self, text: &[u8]) {
        match &mut self.text {
            Some(oldest) if oldest.as_slice() <= text => {}
            oldest => *oldest = Some(text.to_vec()),
        }
    }

    fn add_micros(&mut self, micros: i64) {
        self.micros = Some(self.micros.map_or(micros, |oldest| oldest.min(micros)));
    }

    /// Adds other rows of the same day, which are settled.
    pub fn merge(&mut self, other: &Self) {
        if let Some(micros) = other.micros {
            self.add_micros(micros);
        }
        self.unknown += other.unknown;
    }

    /// Reads the text.
    pub fn settle(&mut self) {
        if let Some(text) = self.text.take() {
            match moment::of_field(Field::Text(&text)) {
                Some(found) => self.add_micros(found),
                None => self.unknown += 1,
            }
        }
    }

    /// What was found, once it is settled.
    pub fn cell(&self) -> Cell {
        Cell::Oldest {
            micros: self.micros,
            unknown: self.unknown,
        }
    }
}
