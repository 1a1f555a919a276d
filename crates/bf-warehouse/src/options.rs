//! How a warehouse is opened, and what it has cost.

use std::sync::Arc;
use std::time::Duration;

/// How a warehouse is opened and how long it may take.
#[derive(Clone, Default)]
pub struct Options {
    /// All queries together may take so long; 10 minutes if it is not given.
    pub deadline: Option<Duration>,
    /// Asked while a query runs; `true` stops it (BigQuery: cancels the job) and gives
    /// [`WarehouseError::Interrupted`](crate::WarehouseError::Interrupted).
    pub interrupted: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// Labels of the BigQuery jobs, beside those that every job of bf has.
    pub labels: Vec<(String, String)>,
}

impl Options {
    /// Where no deadline is given.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(600);

    /// Whether the caller asked to stop.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.as_ref().is_some_and(|asked| asked())
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("deadline", &self.deadline)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

/// What all queries so far have cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Queries sent, those for column names included.
    pub queries: u64,
    /// Bytes that the engine says it read; `None` if it does not say.
    pub bytes_processed: Option<u64>,
    /// Bytes that the engine says it charges for; `None` where it charges nothing.
    pub bytes_billed: Option<u64>,
    /// Whether every query was answered from the engine's cache; `None` if it does not say.
    pub cache_hit: Option<bool>,
    /// The engine's names for the queries, in order.
    pub job_ids: Vec<String>,
    /// Time spent in queries.
    pub elapsed: Duration,
    /// Anything about the way of reading that a person should know.
    pub notes: Vec<String>,
}
