//! How much a validator shows of what it found.

use serde::{Deserialize, Serialize};

/// The limits of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Rows shown for a check that failed; 0 shows none and asks for none.
    pub sample_rows: u32,
    /// The columns that a row is shown with; those of the suite where none are given.
    pub columns: Option<Vec<String>>,
    /// Characters shown of a value.
    pub value_characters: u32,
    /// Ranges of dates shown to a person; the documents have all of them.
    pub date_ranges: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            sample_rows: 5,
            columns: None,
            value_characters: 40,
            date_ranges: 8,
        }
    }
}
