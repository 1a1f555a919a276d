//! One phase, step by step: watch the job, read its log, validate its table, judge.
//!
//! Each step is in the journal before the next one begins, and the tools' documents are in the run
//! directory before that; so a run that is taken up goes on at the step where it stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::{Mark, duration, printable};
use bf_contract::{Exit, Phase, PhaseStatus, ProcessEvent, ProcessEventKind};
use chrono::NaiveDate;
use rustix::process::Signal;

use crate::boot;
use crate::document;
use crate::gate::{self, Judgement, Validated, Watched};
use crate::journal::{Journal, Step};
use crate::lock::TableLock;
use crate::observer::Observer;
use crate::plan::{AfterReboot, Job, OnFail, PhasePlan, Plan, RetryOn};
use crate::progress::{Done, is_interruption};
use crate::report::phase_words;
use crate::run_dir::RunDir;
use crate::steps::{self, Kept, Steps};

/// How often a watch is taken up again whose bf-monitor was killed, and after what pause.
const WATCH_AGAIN: u32 = 5;
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(500);

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
    /// Who else hears of the run.
    pub observer: &'a Observer<'a>,
    /// The locks of the phases' tables, where this process holds them.
    pub locks: &'a BTreeMap<String, TableLock>,
    /// Whether jobs that a reboot interrupted are run again whatever the plan says.
    pub restart_interrupted: bool,
}

/// What a phase came to, and the code of a run that ends here.
pub struct PhaseEnd {
    /// The phase, for the report.
    pub phase: Phase,
    /// What the gate said.
    pub judgement: Judgement,
}

impl RunContext<'_> {
    /// Runs a phase from wherever it stopped to its gate, with all the attempts that the plan allows.
    ///
    /// # Errors
    /// A step could not be taken: a tool that does not start, a journal that cannot be written (exit 3).
    pub fn run_phase(&self, phase: &PhasePlan, mut done: Done) -> Result<PhaseEnd, Failure> {
        loop {
            let kept = self.kept(phase, done.earlier_attempts)?;
            let was_judged = done.gate.is_some();
            let judgement = match done.gate.take() {
                Some(judgement) => judgement,
                None => {
                    let (judgement, retry) = self.attempt(phase, &mut done, &kept)?;
                    if let Some(retry) = retry {
                        done = self.plan_retry(phase, &done, retry)?;
                        continue;
                    }
                    self.close_gate(phase, judgement)?
                }
            };
            let document = document::of_phase(phase, &kept, self.run_dir, &judgement);
            if !was_judged {
                let (mark, words) = phase_words(&document);
                let said = format!(
                    "{}: {}: {}",
                    phase.name,
                    words.to_lowercase(),
                    judgement.reason
                );
                self.steps.console.mark(mark, &printable(&said, 400));
                self.observer.phase_ended(&document);
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
        done: &mut Done,
        kept: &Kept,
    ) -> Result<(Judgement, Option<Retry>), Failure> {
        let job = phase.job.as_ref().map(|job| for_attempt(job, done));
        let watched = match &job {
            None | Some(Job::AlreadyDone { .. }) => None,
            Some(job) => match self.watch(phase, job, done, kept)? {
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
            // Nothing ran, or nobody knows yet how it will end: there is nothing to validate.
            return Ok((ended, None));
        }
        loop {
            // What was found before the run was taken up is old already: no need to wait.
            let is_old = done.validated.len() == phase.validate.len();
            let Some(validated) = self.look(phase, job.as_ref(), watched.as_ref(), done, kept)?
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
                && done.checked_again < phase.check_again.limit
            {
                if self.check_again(phase, done, &data, is_old)? {
                    let reason = format!("interrupted before it was looked again: {}", data.reason);
                    return Ok((Judgement::interrupted(reason), None));
                }
                continue;
            }
            let retry = self.retry(phase, done, watched.as_ref(), &judgement, kept);
            return Ok((judgement, retry));
        }
    }

    /// Watches the job of an attempt to its end, or takes the end that is known already. `None` where the
    /// job belongs to a boot that is over, and nobody saw how it ended.
    fn watch(
        &self,
        phase: &PhasePlan,
        job: &Job,
        done: &Done,
        kept: &Kept,
    ) -> Result<Option<Watched>, Failure> {
        if let Some(code) = done.job_ended {
            return Ok(Some(Watched {
                code,
                last: kept.last_event(),
                said: None,
            }));
        }
        if !done.job_starting {
            self.write(Step::JobStarting {
                phase: phase.name.clone(),
            })?;
        }
        let mut is_seen = done.job_seen;
        let lock = self.locks.get(&phase.name);
        let mut on_event = |event: &ProcessEvent| {
            self.observer.process_event(&phase.name, event);
            let is_first = matches!(
                event.event,
                ProcessEventKind::Started | ProcessEventKind::Attached
            ) && !std::mem::replace(&mut is_seen, true);
            if is_first {
                self.write(Step::JobSeen {
                    phase: phase.name.clone(),
                    process: event.process.clone(),
                })?;
                self.observer.phase_started(&phase.name, event);
            }
            Ok(())
        };
        let mut watched = self.steps.watch(phase, job, kept, lock, &mut on_event)?;
        for _ in 0..WATCH_AGAIN {
            // A bf-monitor that was killed says nothing of the job: its state takes the watch up again.
            if watched.code.is_some() || self.steps.running.pause(WATCH_AGAIN_AFTER) {
                break;
            }
            self.steps.console.mark(
                Mark::Warn,
                &format!("{}: bf-monitor was killed; watching again", phase.name),
            );
            watched = self.steps.watch(phase, job, kept, lock, &mut on_event)?;
        }
        let process = watched
            .last
            .as_ref()
            .and_then(|event| event.process.as_ref());
        let is_of_another_boot = process
            .or(done.process.as_ref())
            .is_some_and(boot::is_over_for);
        let ended = gate::judge_process(&watched);
        let is_known = ended.opens() || ended.status == PhaseStatus::Failed;
        if job.command().is_some() && is_of_another_boot && (!is_known || was_cut_off(&watched)) {
            return Ok(None);
        }
        self.write(Step::JobEnded {
            phase: phase.name.clone(),
            code: watched.code,
        })?;
        Ok(Some(watched))
    }

    /// What follows for a job that ran when the machine went down.
    fn after_reboot(&self, phase: &PhasePlan) -> (Judgement, Option<Retry>) {
        let reason = "the machine was restarted while its job ran".to_owned();
        let judgement = Judgement {
            status: PhaseStatus::Interrupted,
            reason: reason.clone(),
            exit: Exit::CouldNotCheck,
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
    fn look(
        &self,
        phase: &PhasePlan,
        job: Option<&Job>,
        watched: Option<&Watched>,
        done: &mut Done,
        kept: &Kept,
    ) -> Result<Option<Vec<Validated>>, Failure> {
        if let Some(job) = job
            && done.log_read.is_none()
        {
            let is_over = watched.is_none_or(has_ended);
            // Every attempt appends to the log of the first; a date's last word counts.
            let first = self.kept(phase, 0)?.last_event();
            let from_byte = first
                .and_then(|event| event.log_summary)
                .map_or(0, |summary| summary.log.from_byte);
            let code = self
                .steps
                .read_log(phase, job.log(), from_byte, is_over, kept)?
                .code;
            if is_interruption(code) {
                return Ok(None);
            }
            self.write(Step::LogRead {
                phase: phase.name.clone(),
                code,
            })?;
            done.log_read = Some(code);
        }
        let since = watched
            .and_then(|watched| watched.last.as_ref())
            .and_then(|event| event.started_at);
        let mut validated = Vec::new();
        for index in 0..phase.validate.len() {
            validated.push(match done.validated.get(index) {
                Some(&code) => Validated {
                    code,
                    report: kept.validation(index),
                    said: None,
                    asked: Some(steps::asked(phase, index, kept)),
                },
                None => {
                    let validated = self.steps.validate(phase, index, since, kept)?;
                    self.write(Step::Validated {
                        phase: phase.name.clone(),
                        code: validated.code,
                    })?;
                    done.validated.push(validated.code);
                    validated
                }
            });
        }
        Ok(Some(validated))
    }

    /// Waits, and makes ready to look at log and tables again. True where the run is about to end.
    fn check_again(
        &self,
        phase: &PhasePlan,
        done: &mut Done,
        data: &Judgement,
        at_once: bool,
    ) -> Result<bool, Failure> {
        let again = phase.check_again;
        let backoff = if at_once {
            Duration::ZERO
        } else {
            again.backoff.0
        };
        self.steps.console.mark(
            Mark::Error,
            &format!(
                "{}: {}; looking again in {} ({} of {})",
                phase.name,
                data.reason,
                duration(backoff),
                done.checked_again + 1,
                again.limit
            ),
        );
        self.observer.could_not_check(&phase.name, &data.reason);
        if self.steps.running.pause(backoff) {
            return Ok(true);
        }
        self.write(Step::CheckedAgain {
            phase: phase.name.clone(),
            reason: data.reason.clone(),
        })?;
        done.checked_again += 1;
        done.log_read = None;
        done.validated.clear();
        Ok(false)
    }

    /// Whether the job is to be run again after this judgement, and what for.
    fn retry(
        &self,
        phase: &PhasePlan,
        done: &Done,
        watched: Option<&Watched>,
        judgement: &Judgement,
        kept: &Kept,
    ) -> Option<Retry> {
        let is_startable = phase
            .job
            .as_ref()
            .is_some_and(|job| job.command().is_some());
        // A job that may still run is never started a second time.
        let is_over = watched.is_some_and(has_ended);
        if judgement.status != PhaseStatus::Failed
            || !is_startable
            || !is_over
            || self.run_dir.is_stopped()
            || done.earlier_attempts >= phase.retries.limit
        {
            return None;
        }
        let only_dates = match phase.retries.on {
            RetryOn::Failure => None,
            RetryOn::FailedDates => Some(dates_to_repeat(phase, kept)).filter(|d| !d.is_empty()),
        };
        if phase.retries.on == RetryOn::FailedDates && only_dates.is_none() {
            return None;
        }
        Some(Retry {
            reason: judgement.reason.clone(),
            only_dates,
            is_restart: false,
        })
    }

    fn plan_retry(&self, phase: &PhasePlan, done: &Done, retry: Retry) -> Result<Done, Failure> {
        let backoff = phase.retries.backoff.map_or(Duration::ZERO, |time| time.0);
        let what = match &retry.only_dates {
            Some(dates) => format!("{} dates", dates.len()),
            None => "all dates".to_owned(),
        };
        self.steps.console.mark(
            Mark::Warn,
            &format!(
                "{}: {}; running it again for {what} in {} ({} of {})",
                phase.name,
                retry.reason,
                duration(backoff),
                done.earlier_attempts + 1,
                phase.retries.limit
            ),
        );
        // A run that is about to end still writes what is to be done next.
        let _ = self.steps.running.pause(backoff);
        self.write(Step::RetryPlanned {
            phase: phase.name.clone(),
            reason: retry.reason,
            only_dates: retry.only_dates.clone(),
            is_restart: retry.is_restart,
        })?;
        Ok(Done {
            earlier_attempts: done.earlier_attempts + 1,
            only_dates: retry.only_dates,
            is_restart: retry.is_restart,
            ..Done::default()
        })
    }

    fn close_gate(&self, phase: &PhasePlan, judgement: Judgement) -> Result<Judgement, Failure> {
        let judgement = match phase.on_fail {
            OnFail::Warn
                if judgement.status == PhaseStatus::Failed && judgement.exit == Exit::Failed =>
            {
                Judgement {
                    status: PhaseStatus::Warned,
                    reason: format!("{}: {}", gate::ONLY_WARNED, judgement.reason),
                    exit: Exit::Success,
                }
            }
            _ => judgement,
        };
        if judgement.status != PhaseStatus::Interrupted {
            self.write(Step::GateClosed {
                phase: phase.name.clone(),
                status: judgement.status,
                reason: judgement.reason.clone(),
                code: judgement.exit.code(),
            })?;
        }
        Ok(judgement)
    }

    /// Where the documents of the latest attempt are kept, without making a place for them.
    #[must_use]
    pub fn latest_kept(&self, phase: &PhasePlan) -> Kept {
        let mut folder = PathBuf::from(&phase.name);
        for earlier_attempts in 1.. {
            let next = attempt_folder(phase, earlier_attempts);
            if !self.run_dir.path.join(&next).is_dir() {
                break;
            }
            folder = next;
        }
        Kept::in_folder(&self.run_dir.path.join(folder), phase)
    }

    /// Where the documents of an attempt are kept.
    fn kept(&self, phase: &PhasePlan, earlier_attempts: u32) -> Result<Kept, Failure> {
        let folder = attempt_folder(phase, earlier_attempts);
        Ok(Kept::in_folder(&self.run_dir.folder(&folder)?, phase))
    }

    fn write(&self, step: Step) -> Result<(), Failure> {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(step)
    }
}

fn attempt_folder(phase: &PhasePlan, earlier_attempts: u32) -> PathBuf {
    match earlier_attempts {
        0 => PathBuf::from(&phase.name),
        earlier => PathBuf::from(&phase.name).join(format!("attempt-{}", earlier + 1)),
    }
}

/// Why, and for which dates, a job is run again.
struct Retry {
    reason: String,
    only_dates: Option<Vec<NaiveDate>>,
    is_restart: bool,
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

/// The job as this attempt runs it: from its own checkpoint after a reboot, or for some dates only.
fn for_attempt(job: &Job, done: &Done) -> Job {
    let mut job = job.clone();
    let Job::Command(command) = &mut job else {
        return job;
    };
    if done.is_restart && !command.restart_command.is_empty() {
        command.command.clone_from(&command.restart_command);
    }
    if let Some(dates) = &done.only_dates {
        let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
        command
            .command
            .extend(["--dates".to_owned(), dates.join(",")]);
    }
    job
}

/// Every date that the log or the table says is to be repeated.
fn dates_to_repeat(phase: &PhasePlan, kept: &Kept) -> Vec<NaiveDate> {
    let mut dates = BTreeSet::new();
    if let Some(summary) = kept.log_summary() {
        dates.extend(summary.failed_dates);
        dates.extend(summary.unaccounted_dates.unwrap_or_default());
    }
    for index in 0..phase.validate.len() {
        let rerun = kept.validation(index).and_then(|report| report.rerun);
        dates.extend(rerun.map(|rerun| rerun.dates).unwrap_or_default());
    }
    dates
        .into_iter()
        .filter(|date| phase.range.contains(*date))
        .collect()
}
