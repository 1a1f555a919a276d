//! What is validated.

use bf_contract::{DateRange, Level, Provenance};
use chrono::NaiveDate;

use crate::log_input::LogInput;
use crate::outcome::SmallShares;
use crate::suite::Suite;

/// What is validated, and against what.
pub(crate) struct Run<'a> {
    /// The suite, with the config's thresholds and levels.
    pub suite: &'a Suite,
    /// The config.
    pub config: &'a bf_config::Config,
    /// The range.
    pub range: DateRange,
    /// What the log claims.
    pub log: Option<&'a LogInput>,
    /// When the phase began, in microseconds since 1970.
    pub since: Option<i64>,
    /// The day on which nothing can be complete yet.
    pub today: NaiveDate,
    /// The present, in microseconds since 1970.
    pub now: i64,
    /// How small shares are judged.
    pub small: SmallShares,
    /// What the report is made by and from.
    pub provenance: Provenance,
}

impl Run<'_> {
    /// The level of a check that no suite lists: the config's, else its own.
    pub(crate) fn level(&self, name: &str, own: Level) -> Level {
        let levels = self.config.levels.get(&self.suite.suite);
        let configured = levels.and_then(|levels| levels.get(name));
        configured.copied().unwrap_or(own)
    }
}
