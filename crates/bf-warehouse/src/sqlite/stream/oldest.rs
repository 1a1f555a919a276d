//! When the rows of a day were written.

use crate::{Cell, Field, WriteTimes, moment};

/// When the rows of a day were written.
#[derive(Clone, Default)]
pub(super) struct Oldest {
    /// For each form of text the smallest and the largest: times in one form sort like texts, and are read once a
    /// day.
    texts: Vec<(Form, Vec<u8>, Vec<u8>)>,
    times: WriteTimes,
}

/// How a time is written: its length, the sign between date and time, and its zone.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Form {
    length: usize,
    between: u8,
    zone: [u8; 8],
}

impl Form {
    fn of(text: &[u8]) -> Self {
        let time = text.get(11..).unwrap_or_default();
        let begins = time
            .iter()
            .rposition(|byte| matches!(byte, b'+' | b'-' | b'Z' | b'z' | b' '));
        let zone = begins.map_or(&[][..], |begins| &time[begins..]);
        let mut form = Self {
            length: text.len(),
            between: text.get(10).copied().unwrap_or_default(),
            zone: [0; 8],
        };
        let length = zone.len().min(form.zone.len());
        form.zone[..length].copy_from_slice(&zone[..length]);
        form
    }
}

impl Oldest {
    /// Adds a row by its column of times.
    pub(super) fn add(&mut self, field: Field<'_>) {
        match field {
            Field::Text(text) if text.first().is_some_and(u8::is_ascii_digit) => {
                self.add_text(text);
            }
            field => match moment::of_field(field) {
                Some(found) => self.times.add(found),
                None => self.times.unknown += 1,
            },
        }
    }

    fn add_text(&mut self, text: &[u8]) {
        let form = Form::of(text);
        match self.texts.iter_mut().find(|(known, ..)| *known == form) {
            Some((_, oldest, _)) if oldest.as_slice() > text => {
                oldest.clear();
                oldest.extend_from_slice(text);
            }
            Some((_, _, newest)) if newest.as_slice() < text => {
                newest.clear();
                newest.extend_from_slice(text);
            }
            Some(_) => {}
            None => self.texts.push((form, text.to_vec(), text.to_vec())),
        }
    }

    /// Adds other rows of the same day, which are settled.
    pub(super) fn merge(&mut self, other: &Self) {
        self.times.merge(&other.times);
    }

    /// Reads the texts.
    pub(super) fn settle(&mut self) {
        for (_, oldest, newest) in std::mem::take(&mut self.texts) {
            for text in [oldest, newest] {
                match moment::of_field(Field::Text(&text)) {
                    Some(found) => self.times.add(found),
                    None => self.times.unknown += 1,
                }
            }
        }
    }

    /// What was found, once it is settled.
    pub(super) fn cell(&self) -> Cell {
        Cell::Written(self.times)
    }
}
