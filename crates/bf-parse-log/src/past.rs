//! What is left of a file's runs once they are over: memory does not grow with their number.

use bf_contract::DateRange;
use serde::{Deserialize, Serialize};

use crate::event::Mode;
use crate::ledger::Ledger;
use crate::run::{Broken, Run};
use crate::totals::{Stretch, Stretches};

const MOST_NOTES: usize = 20;

/// What is left of the runs before the last one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    pub(crate) stretches: Stretches,
    /// Ranges of dry runs, used where nothing else ran.
    pub(crate) looked_at: Stretches,
    /// Whether the last run over a range came to its end.
    pub(crate) range_run_ended: Option<bool>,
    pub(crate) mode: Option<Mode>,
    pub(crate) job: Option<String>,
    pub(crate) fatal: u64,
    /// The longest list of dates that a run was given.
    pub(crate) longest_list: u64,
    pub(crate) unnamed_skipped: u64,
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

    /// Takes in a run that is over, or as far as it has come.
    pub(crate) fn take(&mut self, run: &Run) {
        self.fatal += u64::from(run.broken == Some(Broken::Fatal));
        if run.job.is_some() {
            self.job.clone_from(&run.job);
        }
        if run.refused.is_some() {
            self.refused_range = run.range;
            return;
        }
        for note in run.disagreements() {
            self.note(note);
        }
        if run.is_dry() {
            if let Some(stretch) = Stretch::of(run) {
                self.looked_at.add(stretch);
            }
            self.mode = self.mode.or(run.mode);
            return;
        }
        if run.is_list() {
            let listed = run.to_do.unwrap_or(0).saturating_sub(run.repeated);
            self.longest_list = self.longest_list.max(listed);
            self.unnamed_skipped += run.unnamed_skipped;
            self.mode = self.mode.or(run.mode);
            return;
        }
        self.mode = run.mode.or(self.mode);
        self.range_run_ended = Some(run.ended);
        match Stretch::of(run) {
            Some(stretch) => self.stretches.add(stretch),
            // The opening lines stand in an earlier file; the count behind `i/N` is what is left of them.
            None => self.longest_list = self.longest_list.max(run.to_do.unwrap_or(0)),
        }
    }
}
