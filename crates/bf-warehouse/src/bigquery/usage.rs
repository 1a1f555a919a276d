//! What the queries have cost.

use std::time::Duration;

use super::job::Outcome;
use crate::{Rows, Usage};

/// The running account. A figure that BigQuery did not give for one query is unknown for all of them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Queries and descriptions of tables asked for.
    pub queries: u64,
    /// Time spent in all of it.
    pub elapsed: Duration,
    jobs: u64,
    bytes_processed: Option<u64>,
    bytes_billed: Option<u64>,
    cache_hit: Option<bool>,
    job_ids: Vec<String>,
    notes: Vec<String>,
}

impl Tally {
    /// Adds a job to the account and hands out its rows.
    pub(super) fn add(&mut self, job: Outcome) -> Rows {
        let sum = |so_far: Option<u64>, more| Some(so_far?.saturating_add(more?));
        if self.jobs == 0 {
            self.bytes_processed = job.bytes_processed;
            self.bytes_billed = job.bytes_billed;
            self.cache_hit = job.cache_hit;
        } else {
            self.bytes_processed = sum(self.bytes_processed, job.bytes_processed);
            self.bytes_billed = sum(self.bytes_billed, job.bytes_billed);
            self.cache_hit = self.cache_hit.zip(job.cache_hit).map(|(a, b)| a && b);
        }
        self.jobs += 1;
        self.queries += 1;
        self.job_ids.extend(job.job_id);
        job.rows
    }

    /// Adds what a person should know.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The account as the warehouse gives it.
    pub(super) fn usage(&self) -> Usage {
        Usage {
            queries: self.queries,
            bytes_processed: self.bytes_processed,
            bytes_billed: self.bytes_billed,
            cache_hit: self.cache_hit,
            job_ids: self.job_ids.clone(),
            elapsed: self.elapsed,
            notes: self.notes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Tally};

    fn job(billed: Option<u64>, cache_hit: bool) -> Outcome {
        Outcome {
            job_id: Some("j".to_owned()),
            bytes_processed: Some(100),
            bytes_billed: billed,
            cache_hit: Some(cache_hit),
            ..Outcome::default()
        }
    }

    #[test]
    fn what_one_query_does_not_say_is_unknown_for_all() {
        let mut tally = Tally::default();
        tally.add(job(Some(10), true));
        tally.add(job(None, true));
        tally.add(job(Some(10), false));
        let usage = tally.usage();
        assert_eq!(usage.bytes_processed, Some(300));
        assert_eq!(usage.bytes_billed, None);
        assert_eq!(usage.cache_hit, Some(false));
        assert_eq!(usage.queries, 3);
        assert_eq!(usage.job_ids.len(), 3);
    }
}
