//! One phase, step by step: watch the job, read its log, validate its table, judge.
//!
//! Each step is in the journal before the next one begins, and the tools' documents are in the run
//! directory before that; so a run that is taken up goes on at the step where it stopped.

use std::sync::{Mutex, PoisonError};

use bf_cli::Failure;
use bf_contract::{Document, Phase, PhaseJob, PhaseStatus, ProcessEventKind};

use crate::gate::{self, Judgement, Validated, Watched};
use crate::journal::{Journal, Step};
use crate::plan::{Job, PhasePlan, Plan};
use crate::progress::Done;
use crate::run_dir::RunDir;
use crate::steps::{Kept, Steps};
use crate::tool::kept_documents;

/// What all phases of a run share.
pub struct RunContext<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The run directory.
    pub run_dir: &'a RunDir,
    /// The journal.
    pub journal: &'a Mutex<Journal>,
    /// The tools.
    pub steps: Steps<'a>,
}

/// What a phase came to, and the code of a run that ends here.
pub struct PhaseEnd {
    /// The phase, for the report.
    pub phase: Phase,
    /// What the gate said.
    pub judgement: Judgement,
}

impl RunContext<'_> {
    /// Runs a phase from wherever it stopped to its gate.
    ///
    /// # Errors
    /// A step could not be taken: a tool that does not start, a journal that cannot be written (exit 3).
    pub fn run_phase(&self, phase: &PhasePlan, done: &Done) -> Result<PhaseEnd, Failure> {
        let kept = Kept::in_folder(&self.run_dir.phase(&phase.name)?);
        let judgement = match &done.gate {
            Some(judgement) => judgement.clone(),
            None => self.judge(phase, done, &kept)?,
        };
        Ok(PhaseEnd {
            phase: document(phase, &kept, self.run_dir, &judgement),
            judgement,
        })
    }

    fn judge(&self, phase: &PhasePlan, done: &Done, kept: &Kept) -> Result<Judgement, Failure> {
        let name = || phase.name.clone();
        let watched = match done.job_ended {
            Some(code) => Watched {
                code,
                last: kept.last_event(),
                said: None,
            },
            None => self.watch(phase, kept)?,
        };
        let ended = gate::judge_process(&watched);
        let judgement = match ended.status {
            // Nothing ran, or nobody knows yet how it will end: there is nothing to validate.
            PhaseStatus::Interrupted | PhaseStatus::NotStarted => ended,
            _ => {
                if done.log_read.is_none() {
                    let code = self.steps.read_log(phase, kept, &watched)?.code;
                    self.write(Step::LogRead {
                        phase: name(),
                        code,
                    })?;
                }
                let validated = match done.validated {
                    Some(code) => Validated {
                        code,
                        report: kept.validation(),
                        said: None,
                    },
                    None => {
                        let validated = self.steps.validate(phase, kept)?;
                        self.write(Step::Validated {
                            phase: name(),
                            code: validated.code,
                        })?;
                        validated
                    }
                };
                gate::judge(&watched, &validated)
            }
        };
        if judgement.status != PhaseStatus::Interrupted {
            self.write(Step::GateClosed {
                phase: name(),
                status: judgement.status,
                reason: judgement.reason.clone(),
                code: judgement.exit.code(),
            })?;
        }
        Ok(judgement)
    }

    fn watch(&self, phase: &PhasePlan, kept: &Kept) -> Result<Watched, Failure> {
        self.write(Step::JobStarting {
            phase: phase.name.clone(),
            attempt: 1,
        })?;
        let watched = self.steps.watch(phase, kept, |process| {
            self.write(Step::JobSeen {
                phase: phase.name.clone(),
                process,
            })
        })?;
        self.write(Step::JobEnded {
            phase: phase.name.clone(),
            code: watched.code,
        })?;
        Ok(watched)
    }

    fn write(&self, step: Step) -> Result<(), Failure> {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(step)
    }
}

/// The phase as the report has it, from the documents that were kept.
#[must_use]
pub fn document(phase: &PhasePlan, kept: &Kept, run_dir: &RunDir, judgement: &Judgement) -> Phase {
    let (mut process, mut exit, mut duration, mut summary) = (None, None, None, None);
    for document in kept_documents(&kept.events) {
        let Document::ProcessEvent(event) = document else {
            continue;
        };
        process = event.process.or(process);
        if event.event == ProcessEventKind::Exited {
            exit = event.exit;
            duration = event.elapsed_seconds;
        }
        summary = event.log_summary.or(summary);
    }
    let documents = [&kept.events, &kept.log, &kept.validation]
        .into_iter()
        .filter(|path| path.exists())
        .map(|path| run_dir.relative(path))
        .collect();
    Phase {
        name: phase.name.clone(),
        table: phase.table.clone(),
        range: Some(phase.range),
        status: judgement.status,
        reason: judgement.reason.clone(),
        job: Some(PhaseJob {
            command: match &phase.job {
                Job::Command(job) => Some(job.command.clone()),
                Job::Attach { .. } => None,
            },
            process,
            exit,
            log: phase.job.log().display().to_string(),
            documents,
        }),
        log_summary: kept.log_summary().or(summary),
        validation: kept.validation(),
        duration_seconds: duration,
    }
}
