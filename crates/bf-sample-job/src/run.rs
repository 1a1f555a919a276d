//! A run: everything that its parts share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;

use crate::checkpoint::Checkpoint;
use crate::cli::JobArgs;
use crate::dates::Range;
use crate::faults::RowFaultArgs;
use crate::job::{Job, PHASE_3, Stage};
use crate::log::Log;
use crate::schedule::Schedule;
use crate::store::Store;
use crate::text::percent;
use crate::words::{Figure, Words};

/// Days after opening night on which no team has played enough for phase 4.
const BOOTSTRAP_DAYS: i64 = 14;
/// Least share of the game dates that each table of phase 3 must have, in percent.
const READY: f64 = 95.0;

/// Everything a run needs to know.
pub(crate) struct Run<'a> {
    pub(crate) job: &'static Job,
    pub(crate) args: &'a JobArgs,
    /// The threads of `--parallel`.
    pub(crate) workers: Option<u16>,
    pub(crate) row_faults: &'a RowFaultArgs,
    pub(crate) log: Log,
    pub(crate) words: Words,
    pub(crate) schedule: Schedule,
    pub(crate) store: Mutex<Store>,
}

impl Run<'_> {
    /// Prints a section of the job's words.
    pub(crate) fn print(&self, section: &str, figures: &[Figure]) {
        self.words.print(&self.log, section, figures);
    }

    /// The connection to the warehouse, for this thread alone.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checkpoint of a range.
    pub(crate) fn checkpoint(&self, range: Range) -> Checkpoint {
        Checkpoint::new(&self.args.warehouse.dir, self.job.title(), range)
    }

    /// Whether the date is in the first days of a season, which phase 4 leaves out.
    pub(crate) fn is_bootstrap(&self, date: NaiveDate) -> bool {
        let start = self.schedule.season_start(date);
        let is_early = |start: NaiveDate| (date - start).num_days() < BOOTSTRAP_DAYS;
        self.job.stage == Stage::Precompute && start.is_some_and(is_early)
    }

    /// Players who played on the date.
    pub(crate) fn players_on(&self, date: NaiveDate) -> u64 {
        let sql = "SELECT count(DISTINCT player_lookup) FROM nba_analytics.player_game_summary
                   WHERE game_date = ? AND points IS NOT NULL";
        self.store().number(sql, &[date]).unwrap_or(0)
    }

    /// In phase 4: whether the tables of phase 3 are complete enough to begin.
    pub(crate) fn is_ready(&self, range: Range) -> bool {
        if self.args.dry_run || self.job.stage == Stage::Analytics {
            return true;
        }
        let Range { start, end } = range;
        self.print("preflight", &figures![start = start, end = end]);
        let dates = self.schedule.game_dates(start, end).into_iter();
        let needed: Vec<_> = dates.filter(|date| !self.is_bootstrap(*date)).collect();
        let is_ready = PHASE_3.iter().all(|table| {
            // A table that cannot be read has no dates, as in the real check.
            let there = self.store().dates(*table, range).unwrap_or_default();
            let found = needed.iter().filter(|date| there.contains(date)).count();
            needed.is_empty() || percent(found, needed.len()) >= READY
        });
        let section = match is_ready {
            true => "preflight_passed",
            false => "preflight_failed",
        };
        self.print(section, &[]);
        is_ready
    }
}
