//! What is left of a file's runs once they are over: memory does not grow with their number.

use std::collections::BTreeSet;

use bf_contract::DateRange;
use serde::{Deserialize, Serialize};

use crate::dialect::event::Mode;
use crate::run::coverage::{Stretch, Stretches};
use crate::run::ledger::Ledger;
use crate::run::run::{Broken, Run};

const MOST_NOTES: usize = 20;
const MOST_LISTS: usize = 64;

/// A list of dates whose run was broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct OpenList {
    run: u64,
    /// Dates that it was given.
    listed: u64,
    /// Those that it never came to, whose names are not known.
    left: u64,
}

/// What is left of the runs before the last one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    pub(crate) stretches: Stretches,
    /// Ranges of dry runs, used where nothing else ran.
    pub(crate) looked_at: Stretches,
    /// Whether the last run over a range came to its end.
    pub(crate) range_run_ended: Option<bool>,
    /// Whether the last run came to its end marker.
    #[serde(default)]
    pub(crate) last_run_ended: bool,
    /// The last run that another one cut off.
    #[serde(default)]
    pub(crate) last_unfinished: Option<u64>,
    pub(crate) mode: Option<Mode>,
    pub(crate) job: Option<String>,
    pub(crate) fatal: u64,
    /// Jobs whose last run over a range was broken off.
    #[serde(default)]
    unfinished: BTreeSet<String>,
    /// Dates that a run's lines call successful and its own summary does not count as such.
    #[serde(default)]
    pub(crate) doubtful: u64,
    /// Failures that a list's summary counts and no line names.
    #[serde(default)]
    pub(crate) unnamed_failed: u64,
    /// The longest list of dates that a run was given.
    pub(crate) longest_list: u64,
    #[serde(default)]
    open_lists: Vec<OpenList>,
    pub(crate) unnamed_skipped: u64,
    /// Failures without a date, of all runs.
    #[serde(default)]
    pub(crate) undated_failures: u64,
    /// Summaries that count more failures or fewer successes than the lines above them.
    #[serde(default)]
    pub(crate) worse_summaries: Vec<(u64, String)>,
    /// Whether the last run over a range went by game dates, as far as its lines tell.
    #[serde(default)]
    by_game: Option<bool>,
    /// The range of a run that declined to start.
    pub(crate) refused_range: Option<DateRange>,
    pub(crate) notes: Vec<String>,
}

impl Past {
    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }

    /// A run begins its dates. What another job failed at stays failed, whatever this one makes of the
    /// same dates.
    pub(crate) fn meet(&mut self, run: &Run, ledger: &mut Ledger) {
        let (Some(before), Some(now)) = (&self.job, &run.job) else {
            return;
        };
        if before != now {
            let note = format!(
                "the log holds runs of two jobs, {before} and {now}; a date that one of them failed counts as failed"
            );
            ledger.pin_failures();
            self.note(note);
        }
    }

    /// As [`Past::meet`], for a run whose lines have no name of a job: a job that goes by game dates does
    /// not try the days of another one again.
    pub(crate) fn meet_form(&mut self, run: &Run, ledger: &mut Ledger) {
        let (Some(before), Some(now)) = (self.by_game, run.by_game) else {
            return;
        };
        if before != now && (self.job.is_none() || run.job.is_none()) {
            ledger.pin_failures();
            self.note(
                "the log holds runs of two jobs; a date that one of them failed counts as failed"
                    .to_owned(),
            );
        }
    }

    /// The job that has left a range unfinished which `run` cannot have finished: another one, or the one
    /// whose dates a list goes over again.
    pub(crate) fn left_unfinished(&self, run: &Run) -> Option<&String> {
        self.unfinished
            .iter()
            .find(|job| run.is_list() || Some(*job) != run.job.as_ref())
    }

    /// Whether a range was broken off that `run` did not finish: dates that are tried again do not, nor
    /// does another job.
    pub(crate) fn leaves_unfinished(&self, run: &Run) -> bool {
        run.is_list() && self.range_run_ended == Some(false) || self.left_unfinished(run).is_some()
    }

    /// Dates of lists that were broken off, by runs before `running`, which no later list can have made good.
    pub(crate) fn left_of_lists(&self, running: Option<u64>) -> u64 {
        let before = |list: &&OpenList| Some(list.run) != running;
        self.open_lists
            .iter()
            .filter(before)
            .map(|list| list.left)
            .sum()
    }

    /// A list that was broken off is done where a later one was as long and went over the same dates, as
    /// far as the first had come.
    fn take_list(&mut self, run: &Run, ledger: &Ledger) {
        let listed = run.to_do.unwrap_or(0).saturating_sub(run.repeated);
        if run.mode == Some(Mode::Custom) {
            // Started again, a job goes on with what it had left.
            for open in &mut self.open_lists {
                open.left = open.left.saturating_sub(run.fresh);
            }
        }
        if run.ended {
            self.open_lists
                .retain(|open| open.listed > listed || ledger.has_last_word_of(open.run));
        } else if self.open_lists.len() < MOST_LISTS {
            self.open_lists.push(OpenList {
                run: run.number,
                listed,
                left: listed.saturating_sub(run.touched),
            });
        }
    }

    /// Takes in a run that has finished, or as far as it has come.
    pub(crate) fn take(&mut self, run: &Run, ledger: &Ledger) {
        self.last_run_ended = run.ended;
        self.fatal += u64::from(run.broken == Some(Broken::Fatal));
        if run.job.is_some() {
            self.job.clone_from(&run.job);
        }
        if run.refused.is_some() {
            self.refused_range = run.range;
            return;
        }
        let notes = run.disagreements();
        if run.summary_is_worse() && self.worse_summaries.len() < MOST_NOTES {
            self.worse_summaries.push((run.number, notes.join("; ")));
        }
        for note in notes {
            self.note(note);
        }
        if !run.ended {
            self.last_unfinished = Some(run.number);
        }
        self.by_game = run.by_game.or(self.by_game);
        self.undated_failures += run.undated_beyond();
        if run.is_dry() {
            if let Some(stretch) = Stretch::of(run) {
                self.looked_at.add(stretch);
            }
            self.mode = self.mode.or(run.mode);
            return;
        }
        let in_doubt = run.in_doubt();
        if run.is_list() {
            self.doubtful += in_doubt;
            self.unnamed_failed += run.unnamed_failed();
            let listed = run.to_do.unwrap_or(0).saturating_sub(run.repeated);
            self.longest_list = self.longest_list.max(listed);
            self.take_list(run, ledger);
            self.unnamed_skipped += run.unnamed_skipped;
            self.mode = self.mode.or(run.mode);
            return;
        }
        self.mode = run.mode.or(self.mode);
        self.range_run_ended = Some(run.ended);
        if let Some(job) = &run.job {
            if run.ended {
                self.unfinished.remove(job);
            } else {
                self.unfinished.insert(job.clone());
            }
        }
        // A run from the first date on says everything anew.
        let is_anew = run.ended && run.resume.is_none() && run.active;
        if is_anew {
            (self.doubtful, self.unnamed_failed) = (0, 0);
            self.worse_summaries
                .retain(|(number, _)| *number >= run.number);
        }
        self.doubtful += in_doubt;
        match Stretch::of(run) {
            Some(stretch) => self.stretches.add(stretch),
            // The opening lines stand in an earlier file; the count behind `i/N` is what is left of them.
            None => self.longest_list = self.longest_list.max(run.to_do.unwrap_or(0)),
        }
    }
}
