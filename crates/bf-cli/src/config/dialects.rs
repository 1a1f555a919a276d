//! Log dialects that a config adds to the built-in ones.

use serde::{Deserialize, Serialize};

/// A dialect as regular expressions, one for each event that its lines can tell. Every expression is
/// optional; the named captures `date`, `index`, `total`, `records` and `error` are read where they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// Its name, as it appears in `log_summary.dialect`.
    pub name: String,
    /// A run begins.
    pub run_start: Option<String>,
    /// A date begins.
    pub date_start: Option<String>,
    /// A date succeeded.
    pub success: Option<String>,
    /// A date failed.
    pub failure: Option<String>,
    /// A date was left out.
    pub skip: Option<String>,
    /// How far the run has come.
    pub progress: Option<String>,
    /// The run is over.
    pub end: Option<String>,
}
