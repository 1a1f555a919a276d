//! How far a run has come, folded from its journal.

use std::collections::BTreeMap;

use bf_contract::Exit;

use crate::gate::Judgement;
use crate::journal::{Record, Step};

/// The steps of a phase that are done. A step's outer `None` is "not yet"; its value is the tool's code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The intent to start the job is written.
    pub job_starting: bool,
    /// bf-monitor has ended.
    pub job_ended: Option<Option<i32>>,
    /// bf-parse-log has ended.
    pub log_read: Option<Option<i32>>,
    /// The validator has ended.
    pub validated: Option<Option<i32>>,
    /// The gate has judged.
    pub gate: Option<Judgement>,
}

/// What the journal says of each phase that was begun.
#[must_use]
pub fn fold(records: &[Record]) -> BTreeMap<String, Done> {
    let mut phases: BTreeMap<String, Done> = BTreeMap::new();
    for record in records {
        match &record.what {
            Step::JobStarting { phase, .. } => entry(&mut phases, phase).job_starting = true,
            Step::JobEnded { phase, code } => {
                let done = entry(&mut phases, phase);
                // A watch that was only interrupted is not over.
                if !is_interruption(*code) {
                    done.job_ended = Some(*code);
                }
            }
            Step::LogRead { phase, code } => entry(&mut phases, phase).log_read = Some(*code),
            Step::Validated { phase, code } => {
                let done = entry(&mut phases, phase);
                if !is_interruption(*code) {
                    done.validated = Some(*code);
                }
            }
            Step::GateClosed {
                phase,
                status,
                reason,
                code,
            } => {
                entry(&mut phases, phase).gate = Some(Judgement {
                    status: *status,
                    reason: reason.clone(),
                    // A code that is not known cannot open a gate.
                    exit: Exit::from_code(i32::from(*code)).unwrap_or(Exit::CouldNotCheck),
                });
            }
            Step::RunStarted { .. }
            | Step::RunResumed { .. }
            | Step::JobSeen { .. }
            | Step::Interrupted { .. }
            | Step::RunFinished { .. } => {}
        }
    }
    phases
}

fn entry<'a>(phases: &'a mut BTreeMap<String, Done>, phase: &str) -> &'a mut Done {
    phases.entry(phase.to_owned()).or_default()
}

fn is_interruption(code: Option<i32>) -> bool {
    matches!(
        code.and_then(Exit::from_code),
        Some(Exit::Interrupted | Exit::Terminated)
    )
}
