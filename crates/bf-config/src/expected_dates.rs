//! Where the dates that a table should have are listed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The source of the expected dates: exactly one of `table`, `csv` and `log`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExpectedDates {
    /// A schedule table, `dataset.table`.
    pub table: Option<String>,
    /// A file with one date in each line's first column; a heading in its first line is passed over.
    pub csv: Option<PathBuf>,
    /// The dates for which the log claims to have written records; needs ledger entries beside the log summary.
    pub log: bool,
    /// The table's column with the date; `game_date` if it is not given.
    pub column: Option<String>,
}
