//! How far a run has come, folded from its journal.

use std::collections::BTreeMap;

use bf_contract::{Exit, ProcessIdentity, Verdict};
use chrono::NaiveDate;

use crate::gate::Judgement;
use crate::journal::{Record, Step};

/// The steps of a phase's current attempt that are done. A step's outer `None` is "not yet"; its value is
/// the tool's code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Attempts before this one.
    pub earlier_attempts: u32,
    /// The dates that this attempt is for; `None` for all of the range.
    pub only_dates: Option<Vec<NaiveDate>>,
    /// The intent to start the job is written.
    pub job_starting: bool,
    /// Whether this attempt takes up where a reboot stopped the one before.
    pub is_restart: bool,
    /// The process of the job is written.
    pub job_seen: bool,
    /// The process of the job.
    pub process: Option<ProcessIdentity>,
    /// bf-monitor has ended.
    pub job_ended: Option<Option<i32>>,
    /// bf-parse-log has ended.
    pub log_read: Option<Option<i32>>,
    /// The code of each validator that has ended, in order.
    pub validated: Vec<Option<i32>>,
    /// How often a gate that could not be checked was looked at again.
    pub checked_again: u32,
    /// The gate has judged.
    pub gate: Option<Judgement>,
}

/// What the journal says of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Each phase that was begun.
    pub phases: BTreeMap<String, Done>,
    /// The signal that ended the last orchestrator, where it had the time to say so.
    pub interrupted_by: Option<String>,
    /// The verdict and exit code of a run that is over.
    pub finished: Option<(Verdict, u8)>,
}

/// Folds a journal into the state of its run.
#[must_use]
pub fn fold(records: &[Record]) -> Progress {
    let mut state = Progress::default();
    for record in records {
        apply(&mut state, &record.what);
    }
    state
}

fn apply(state: &mut Progress, step: &Step) {
    match step {
        Step::RunStarted { .. } => {}
        Step::RunResumed { .. } => state.interrupted_by = None,
        Step::JobStarting { phase } => state.phase(phase).job_starting = true,
        Step::JobSeen { phase, process } => {
            let done = state.phase(phase);
            done.job_seen = true;
            done.process.clone_from(process);
        }
        // A watch that was only interrupted is not over, nor is one whose bf-monitor was killed.
        Step::JobEnded { phase, code } if code.is_some() && !is_interruption(*code) => {
            state.phase(phase).job_ended = Some(*code);
        }
        Step::LogRead { phase, code } if !is_interruption(*code) => {
            state.phase(phase).log_read = Some(*code);
        }
        Step::Validated { phase, code } if !is_interruption(*code) => {
            state.phase(phase).validated.push(*code);
        }
        Step::JobEnded { .. } | Step::LogRead { .. } | Step::Validated { .. } => {}
        Step::CheckedAgain { phase, .. } => {
            let done = state.phase(phase);
            done.checked_again += 1;
            done.log_read = None;
            done.validated.clear();
        }
        Step::RetryPlanned {
            phase,
            only_dates,
            is_restart,
            ..
        } => {
            let done = state.phase(phase);
            *done = Done {
                earlier_attempts: done.earlier_attempts + 1,
                only_dates: only_dates.clone(),
                is_restart: *is_restart,
                ..Done::default()
            };
        }
        Step::GateClosed {
            phase,
            status,
            reason,
            code,
        } => {
            state.phase(phase).gate = Some(Judgement {
                status: *status,
                reason: reason.clone(),
                // A code that is not known cannot open a gate.
                exit: Exit::from_code(i32::from(*code)).unwrap_or(Exit::CouldNotCheck),
            });
        }
        Step::Interrupted { signal } => state.interrupted_by = Some(signal.clone()),
        Step::RunFinished { verdict, code } => state.finished = Some((*verdict, *code)),
    }
}

impl Progress {
    fn phase(&mut self, name: &str) -> &mut Done {
        self.phases.entry(name.to_owned()).or_default()
    }
}

/// Whether a tool ended because somebody asked it to, so that its step is still to be taken.
#[must_use]
pub fn is_interruption(code: Option<i32>) -> bool {
    matches!(
        code.and_then(Exit::from_code),
        Some(Exit::Interrupted | Exit::Terminated)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_was_only_interrupted_is_still_to_be_taken() {
        let phase = || "a".to_owned();
        let steps = [
            Step::JobStarting { phase: phase() },
            Step::JobEnded {
                phase: phase(),
                code: Some(143),
            },
            Step::LogRead {
                phase: phase(),
                code: Some(143),
            },
            Step::Validated {
                phase: phase(),
                code: Some(130),
            },
        ];
        let mut state = Progress::default();
        steps.iter().for_each(|step| apply(&mut state, step));
        let done = &state.phases["a"];
        assert!(done.job_starting);
        assert_eq!((done.job_ended, done.log_read), (None, None));
        assert!(done.validated.is_empty());
    }
}
