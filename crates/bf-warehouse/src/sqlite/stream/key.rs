//! Keys as 64 bits. Equal keys have equal hashes; two different ones of ten million share one with a probability of
//! 3 in a million, so a duplicate is looked up in the table before it is reported.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::FixedState;

use crate::{Field, Record};

/// The hashes of the current row. Columns that several keys have are hashed once.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    /// A column's position in the row, and its hash.
    columns: Vec<(usize, u64)>,
    /// The columns of each key, as positions in `columns`.
    keys: Vec<Vec<usize>>,
    hashes: Vec<u64>,
}

impl Hashes {
    /// The number of a key of these columns, which are positions in the row.
    pub(super) fn key(&mut self, columns: Vec<usize>) -> usize {
        let columns: Vec<usize> = columns
            .into_iter()
            .map(|column| {
                let known = self.columns.iter().position(|(at, _)| *at == column);
                known.unwrap_or_else(|| push(&mut self.columns, (column, 0)))
            })
            .collect();
        let known = self.keys.iter().position(|key| *key == columns);
        known.unwrap_or_else(|| {
            self.hashes.push(0);
            push(&mut self.keys, columns)
        })
    }

    /// Reads the keys of a row.
    pub(super) fn read(&mut self, row: Record<'_>) {
        for (at, hash) in &mut self.columns {
            *hash = hash_of(row.get(*at));
        }
        for (hash, key) in self.hashes.iter_mut().zip(&self.keys) {
            *hash = key
                .iter()
                .fold(0, |hash, column| join(hash, self.columns[*column].1));
        }
    }

    /// The hash of the row's key with this number.
    #[inline]
    pub(super) fn of(&self, key: usize) -> u64 {
        self.hashes[key]
    }
}

fn hash_of(field: Field<'_>) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    match field {
        Field::Null => 0_u8.hash(&mut hasher),
        Field::Int(number) => (1_u8, number).hash(&mut hasher),
        #[allow(clippy::cast_possible_truncation)] // checked just before
        Field::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            (1_u8, number as i64).hash(&mut hasher);
        }
        Field::Float(number) => (2_u8, number.to_bits()).hash(&mut hasher),
        Field::Text(bytes) => (3_u8, bytes).hash(&mut hasher),
        Field::Blob(bytes) => (4_u8, bytes).hash(&mut hasher),
    }
    hasher.finish()
}

/// One hash of two, in order: the product of both, its halves folded into one.
fn join(hash: u64, next: u64) -> u64 {
    let product =
        u128::from(hash ^ 0x9E37_79B9_7F4A_7C15) * u128::from(next ^ 0xD1B5_4A32_D192_ED03);
    #[allow(clippy::cast_possible_truncation)] // the lower half
    let low = product as u64;
    low ^ (product >> 64) as u64
}

/// Adds an item to a list and returns its position.
pub(super) fn push<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}
