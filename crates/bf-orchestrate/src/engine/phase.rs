//! One phase, step by step: watch the job, read its log, validate its table, judge.
//!
//! Each step is in the journal before the next one begins, and the tools' documents are in the run directory before
//! that; so a resumed run continues at the step where it stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bf_cli::Failure;
use bf_contract::{Exit, Phase, PhaseStatus, ProcessEventKind};
use rustix::process::Signal;

use crate::engine::document;
use crate::engine::event::{Listeners, RunEvent};
use crate::engine::gate;
use crate::engine::retry::{self, Retry};
use crate::plan::{AfterReboot, Job, OnFail, PhasePlan, Plan};
use crate::store::attempt::AttemptDir;
use crate::store::boot;
use crate::store::journal::Step;
use crate::store::run_dir::RunDir;
use crate::store::state::{Judgement, Recorder, is_interruption};
use crate::store::table_lock::TableLock;
use crate::tools::calls::{self, Tools, Validated, Watched};

/// How often a job is watched again whose bf-monitor was killed, and after what pause.
const WATCH_AGAIN: u32 = 5;
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What all phases of a run share.
pub(crate) struct RunContext<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The run directory.
    pub run_dir: &'a RunDir,
    /// The journal and its state.
    pub recorder: &'a Recorder,
    /// The tools.
    pub tools: Tools<'a>,
    /// Everyone who hears of the run.
    pub listeners: Listeners<'a>,
    /// The locks of the phases' tables, where this process holds them.
    pub locks: &'a BTreeMap<String, TableLock>,
    /// Whether jobs that a reboot interrupted are run again whatever the plan says.
    pub restart_interrupted: bool,
}

/// What a phase came to, and the code of a run that ends here.
pub(crate) struct PhaseEnd {
    /// The phase, for the report.
    pub phase: Phase,
    /// What the gate decided.
    pub judgement: Judgement,
}

impl RunContext<'_> {
    /// Runs a phase from wherever it stopped to its gate, with all the attempts that the plan allows.
    ///
    /// # Errors
    /// A step could not be taken: a tool that does not start, a journal that cannot be written (exit 3).
    pub fn run_phase(&self, phase: &PhasePlan) -> Result<PhaseEnd, Failure> {
        loop {
            let state = self.recorder.phase(&phase.name);
            let attempt = self.attempt_dir(phase, state.earlier_attempts)?;
            let was_judged = state.gate.is_some();
            let judgement = match state.gate {
                Some(judgement) => judgement,
                None => {
                    let (judgement, retry) = self.attempt(phase, &attempt)?;
                    if let Some(retry) = retry {
                        self.plan_retry(phase, retry)?;
                        continue;
                    }
                    self.close_gate(phase, judgement)?
                }
            };
            let document = document::of_phase(phase, &attempt, self.run_dir, &judgement);
            if !was_judged {
                self.listeners.emit(&RunEvent::PhaseEnded(&document));
            }
            return Ok(PhaseEnd {
                phase: document,
                judgement,
            });
        }
    }

    /// One attempt, and what the next one is for where there is to be one.
    fn attempt(
        &self,
        phase: &PhasePlan,
        attempt: &AttemptDir,
    ) -> Result<(Judgement, Option<Retry>), Failure> {
        let state = self.recorder.phase(&phase.name);
        let job = phase
            .job
            .as_ref()
            .map(|job| retry::for_attempt(job, &state));
        let watched = match &job {
            None | Some(Job::AlreadyDone { .. }) => None,
            Some(job) => match self.watch(phase, job, attempt)? {
                Some(watched) => Some(watched),
                None => return Ok(self.after_reboot(phase)),
            },
        };
        if let Some(ended) = watched.as_ref().map(gate::judge_process)
            && matches!(
                ended.status,
                PhaseStatus::Interrupted | PhaseStatus::NotStarted
            )
        {
            // Nothing ran, or its end is not known yet: there is nothing to validate.
            return Ok((ended, None));
        }
        loop {
            let state = self.recorder.phase(&phase.name);
            // What was found before the run was resumed is old already: no need to wait.
            let is_old = state.validated.len() == phase.validate.len();
            let Some(validated) = self.check(phase, job.as_ref(), watched.as_ref(), attempt)?
            else {
                return Ok((
                    Judgement::interrupted("interrupted while its log was read"),
                    None,
                ));
            };
            let judgement = gate::judge(watched.as_ref(), &validated);
            let data = gate::judge_tables(&validated);
            if data.status == PhaseStatus::CouldNotCheck
                && judgement.status == PhaseStatus::CouldNotCheck
                && state.checked_again < phase.check_again.limit
            {
                if self.check_again(phase, state.checked_again, &data, is_old)? {
                    let reason =
                        format!("interrupted before it was checked again: {}", data.reason);
                    return Ok((Judgement::interrupted(reason), None));
                }
                continue;
            }
            // A job that may still run is never started a second time.
            let may_retry = watched.as_ref().is_some_and(has_ended) && !self.run_dir.is_stopped();
            let retry = may_retry.then(|| {
                retry::decide(phase, &state, &judgement, || {
                    retry::dates_to_repeat(phase, attempt)
                })
            });
            return Ok((judgement, retry.flatten()));
        }
    }

    /// Watches the job of an attempt to its end, or takes the end that is known already. `None` where the job
    /// belongs to a boot that is over, and its end was not seen.
    fn watch(
        &self,
        phase: &PhasePlan,
        job: &Job,
        attempt: &AttemptDir,
    ) -> Result<Option<Watched>, Failure> {
        let state = self.recorder.phase(&phase.name);
        if let Some(code) = state.job_ended {
            return Ok(Some(Watched {
                code,
                last: attempt.last_event(),
                said: None,
            }));
        }
        if !state.job_starting {
            self.recorder.record(Step::JobStarting {
                phase: phase.name.clone(),
            })?;
        }
        let mut watched = self.watch_once(phase, job, attempt)?;
        for _ in 0..WATCH_AGAIN {
            // A bf-monitor that was killed says nothing of the job: its state continues the watch.
            if watched.code.is_some() || self.tools.running.pause(WATCH_AGAIN_AFTER) {
                break;
            }
            self.listeners
                .emit(&RunEvent::WatchingAgain { phase: &phase.name });
            watched = self.watch_once(phase, job, attempt)?;
        }
        let process = watched
            .last
            .as_ref()
            .and_then(|event| event.process.as_ref());
        let is_of_another_boot = process
            .or(state.process.as_ref())
            .is_some_and(boot::is_over_for);
        let ended = gate::judge_process(&watched);
        let is_known = ended.opens() || ended.status == PhaseStatus::Failed;
        if job.command().is_some() && is_of_another_boot && (!is_known || was_cut_off(&watched)) {
            return Ok(None);
        }
        self.recorder.record(Step::JobEnded {
            phase: phase.name.clone(),
            code: watched.code,
        })?;
        Ok(Some(watched))
    }

    fn watch_once(
        &self,
        phase: &PhasePlan,
        job: &Job,
        attempt: &AttemptDir,
    ) -> Result<Watched, Failure> {
        let name = phase.name.as_str();
        let lock = self.locks.get(name);
        let mut is_seen = self.recorder.phase(name).job_seen;
        let watched = self.tools.watch(phase, job, attempt, lock, |event| {
            self.listeners
                .emit(&RunEvent::Process { phase: name, event });
            let is_first = matches!(
                event.event,
                ProcessEventKind::Started | ProcessEventKind::Attached
            ) && !std::mem::replace(&mut is_seen, true);
            if is_first {
                self.recorder.record(Step::JobSeen {
                    phase: name.to_owned(),
                    process: event.process.clone(),
                })?;
                self.listeners
                    .emit(&RunEvent::JobSeen { phase: name, event });
            }
            Ok(())
        });
        self.listeners.emit(&RunEvent::NotWatched { phase: name });
        watched
    }

    /// What follows for a job that ran when the machine went down.
    fn after_reboot(&self, phase: &PhasePlan) -> (Judgement, Option<Retry>) {
        let reason = "the machine was restarted while its job ran".to_owned();
        let judgement = Judgement {
            exit: Exit::CouldNotCheck,
            ..Judgement::interrupted(reason.clone())
        };
        let restart = self.restart_interrupted || phase.after_reboot == AfterReboot::Restart;
        let retry = restart.then_some(Retry {
            reason,
            only_dates: None,
            is_restart: true,
        });
        (judgement, retry)
    }

    /// Reads the log and has the tables validated, as far as that is not done. `None` where the run is about to
    /// end before the log was read.
    fn check(
        &self,
        phase: &PhasePlan,
        job: Option<&Job>,
        watched: Option<&Watched>,
        attempt: &AttemptDir,
    ) -> Result<Option<Vec<Validated>>, Failure> {
        let state = self.recorder.phase(&phase.name);
        if let Some(job) = job
            && state.log_read.is_none()
        {
            let is_over = watched.is_none_or(has_ended);
            // Every attempt appends to the log of the first; a date's latest outcome counts.
            let first = self.attempt_dir(phase, 0)?.last_event();
            let from_byte = first
                .and_then(|event| event.log_summary)
                .map_or(0, |summary| summary.log.from_byte);
            let code = self
                .tools
                .read_log(phase, job.log(), from_byte, is_over, attempt)?
                .code;
            if is_interruption(code) {
                return Ok(None);
            }
            self.recorder.record(Step::LogRead {
                phase: phase.name.clone(),
                code,
            })?;
        }
        let since = watched
            .and_then(|watched| watched.last.as_ref())
            .and_then(|event| event.started_at);
        let mut validated = Vec::new();
        for index in 0..phase.validate.len() {
            validated.push(match state.validated.get(index) {
                Some(&code) => Validated {
                    code,
                    report: attempt.validation(index),
                    said: None,
                    asked: Some(calls::asked(phase, index, attempt)),
                },
                None => {
                    let validated = self.tools.validate(phase, index, since, attempt)?;
                    self.recorder.record(Step::Validated {
                        phase: phase.name.clone(),
                        code: validated.code,
                    })?;
                    validated
                }
            });
        }
        Ok(Some(validated))
    }

    /// Waits, and makes ready to check log and tables again. True where the run is about to end.
    fn check_again(
        &self,
        phase: &PhasePlan,
        checked_again: u32,
        data: &Judgement,
        at_once: bool,
    ) -> Result<bool, Failure> {
        let again = phase.check_again;
        let wait = if at_once {
            Duration::ZERO
        } else {
            again.backoff.0
        };
        self.listeners.emit(&RunEvent::CheckingAgain {
            phase: &phase.name,
            reason: &data.reason,
            wait,
            number: checked_again + 1,
            limit: again.limit,
        });
        if self.tools.running.pause(wait) {
            return Ok(true);
        }
        self.recorder.record(Step::CheckedAgain {
            phase: phase.name.clone(),
            reason: data.reason.clone(),
        })?;
        Ok(false)
    }

    fn plan_retry(&self, phase: &PhasePlan, retry: Retry) -> Result<(), Failure> {
        let wait = phase.retries.backoff.map_or(Duration::ZERO, |time| time.0);
        self.listeners.emit(&RunEvent::Retrying {
            phase: &phase.name,
            reason: &retry.reason,
            dates: retry.only_dates.as_ref().map(Vec::len),
            wait,
            number: self.recorder.phase(&phase.name).earlier_attempts + 1,
            limit: phase.retries.limit,
        });
        // A run that is about to end still writes what is to be done next.
        let _ = self.tools.running.pause(wait);
        self.recorder.record(Step::RetryPlanned {
            phase: phase.name.clone(),
            reason: retry.reason,
            only_dates: retry.only_dates,
            is_restart: retry.is_restart,
        })
    }

    fn close_gate(&self, phase: &PhasePlan, judgement: Judgement) -> Result<Judgement, Failure> {
        let judgement = match phase.on_fail {
            OnFail::Warn => judgement.downgrade(),
            OnFail::Block | OnFail::Continue => judgement,
        };
        if judgement.status != PhaseStatus::Interrupted {
            self.recorder.record(Step::GateClosed {
                phase: phase.name.clone(),
                status: judgement.status,
                reason: judgement.reason.clone(),
                code: judgement.exit.code(),
                downgraded: judgement.downgraded,
            })?;
        }
        Ok(judgement)
    }

    /// Where the documents of the latest attempt are kept, without making a place for them.
    pub fn latest_attempt(&self, phase: &PhasePlan) -> AttemptDir {
        let state = self.recorder.phase(&phase.name);
        let folder = attempt_folder(phase, state.earlier_attempts);
        AttemptDir::in_folder(&self.run_dir.path.join(folder), phase)
    }

    /// Where the documents of an attempt are kept.
    fn attempt_dir(&self, phase: &PhasePlan, earlier: u32) -> Result<AttemptDir, Failure> {
        let folder = attempt_folder(phase, earlier);
        Ok(AttemptDir::in_folder(&self.run_dir.folder(&folder)?, phase))
    }
}

fn attempt_folder(phase: &PhasePlan, earlier_attempts: u32) -> PathBuf {
    match earlier_attempts {
        0 => PathBuf::from(&phase.name),
        earlier => PathBuf::from(&phase.name).join(format!("attempt-{}", earlier + 1)),
    }
}

fn has_ended(watched: &Watched) -> bool {
    watched
        .last
        .as_ref()
        .is_some_and(|event| event.event == ProcessEventKind::Exited)
}

/// Whether the job ended as a machine that goes down ends what runs on it: asked first, then killed.
fn was_cut_off(watched: &Watched) -> bool {
    let exit = watched.last.as_ref().and_then(|event| event.exit.as_ref());
    let by = exit.and_then(|exit| exit.signal);
    [Signal::HUP, Signal::INT, Signal::TERM, Signal::KILL]
        .iter()
        .any(|signal| by == Some(signal.as_raw()))
}
