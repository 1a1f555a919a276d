//! One phase or one window of it, step by step: watch the job, read its log, validate its table, judge.
//!
//! Each step is in the journal before the next one begins, and the tools' documents are in the run directory before
//! that; so a resumed run continues at the step where it stopped.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bf_cli::{Context, Failure};
use bf_contract::{DateRange, Exit, PhaseStatus, ProcessEvent, ProcessEventKind, ProcessExit};
use rustix::process::Signal;

use crate::engine::context::RunContext;
use crate::engine::event::RunEvent;
use crate::engine::gate;
use crate::engine::retry::{self, Retry};
use crate::plan::{AfterReboot, Job, OnFail, OnHang, PhasePlan};
use crate::store::attempt::AttemptDir;
use crate::store::evidence;
use crate::store::journal::{Step, UnitName};
use crate::store::mark;
use crate::store::proc;
use crate::store::state::{Judgement, UnitState, is_interruption};
use crate::tools::calls::{self, JobStart, Limit, LogPart, Validated, Watched};

/// How often a job is watched again whose bf-monitor was killed, and after what pause.
const WATCH_AGAIN: u32 = 5;
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What is run and judged by itself: a phase, or a window of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit<'a> {
    /// The phase; for a window as it is run for that one.
    pub phase: &'a PhasePlan,
    pub window: Option<DateRange>,
}

impl<'a> Unit<'a> {
    /// A phase as a whole.
    pub(super) fn whole(phase: &'a PhasePlan) -> Self {
        Self {
            phase,
            window: None,
        }
    }

    pub(super) fn name(&self) -> UnitName<'a> {
        UnitName {
            phase: &self.phase.name,
            window: self.window,
        }
    }
}

impl RunContext<'_> {
    /// Runs a unit from wherever it stopped to its decision, with all the attempts that the plan allows. True if it
    /// was decided already.
    ///
    /// # Errors
    /// A step could not be taken: a tool that does not start, a journal that cannot be written (exit 3).
    pub(super) fn run_unit(&self, unit: Unit<'_>) -> Result<(Judgement, bool), Failure> {
        loop {
            let state = self.recorder.unit(unit.name());
            if let Some(judgement) = state.gate {
                return Ok((judgement, true));
            }
            let attempt = self.attempt_dir(unit, state.earlier_attempts)?;
            let (judgement, retry) = self.attempt(unit, &attempt)?;
            match retry {
                Some(retry) => {
                    if !self.plan_retry(unit, retry)? {
                        return Ok((stopped(), false));
                    }
                }
                None => return Ok((self.close_gate(unit, judgement)?, false)),
            }
        }
    }

    /// One attempt, and what the next one is for where there is to be one.
    fn attempt(
        &self,
        unit: Unit<'_>,
        attempt: &AttemptDir,
    ) -> Result<(Judgement, Option<Retry>), Failure> {
        let state = self.recorder.unit(unit.name());
        let job = match &unit.phase.job {
            Some(job) => Some(retry::for_attempt(unit.phase, job, &state, attempt)?),
            None => None,
        };
        let watched = match &job {
            None | Some(Job::AlreadyDone { .. }) => None,
            Some(job) => match self.watch(unit, job, attempt)? {
                Some(watched) => Some(watched),
                None => return Ok(self.after_reboot(unit)),
            },
        };
        let was_cut_off = |watched: &Watched| has_ended(watched) && !ended_well(watched);
        if watched.as_ref().is_some_and(was_cut_off) {
            if self.run_dir.is_stopped() {
                return Ok((stopped(), None));
            }
            if let Some(again) = self.after_stop(unit, &state) {
                return Ok((stopped(), Some(again)));
            }
        }
        if let Some(open) = watched
            .as_ref()
            .and_then(|watched| self.still_open(unit, watched))
        {
            return Ok((open, None));
        }
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
            let state = self.recorder.unit(unit.name());
            // What was found before the run was resumed is old already: no need to wait.
            let is_old = state.validated.len() == unit.phase.validate.len();
            let Some(validated) = self.check(unit, job.as_ref(), watched.as_ref(), attempt)? else {
                return Ok((
                    Judgement::interrupted("interrupted while its log was read"),
                    None,
                ));
            };
            let judgement = gate::judge(watched.as_ref(), &validated);
            let data = gate::judge_tables(&validated);
            if data.status == PhaseStatus::CouldNotCheck
                && judgement.status == PhaseStatus::CouldNotCheck
                && state.checked_again < unit.phase.check_again.limit
            {
                if self.check_again(unit, state.checked_again, &data, is_old)? {
                    let reason =
                        format!("interrupted before it was checked again: {}", data.reason);
                    return Ok((Judgement::interrupted(reason), None));
                }
                continue;
            }
            if !judgement.opens() && job.is_some() && self.run_dir.is_stopped() {
                return Ok((stopped(), None));
            }
            // A job that may still run is never started a second time.
            let may_retry = watched.as_ref().is_some_and(has_ended);
            let retry = may_retry.then(|| {
                retry::decide(unit.phase, &state, &judgement, || {
                    retry::dates_to_repeat(unit.phase, attempt, &judgement)
                })
            });
            let retry = retry.flatten().or_else(|| {
                let failed = may_retry && !judgement.opens();
                failed.then(|| self.after_stop(unit, &state)).flatten()
            });
            if retry.is_some()
                && let Some(living) = self.living_in_words(unit)
            {
                let reason = format!(
                    "{}; not run again, as something of its job still runs: {living}",
                    judgement.reason
                );
                return Ok((gate::could_not_check(reason), None));
            }
            return Ok((judgement, retry));
        }
    }

    /// Judges the tables of a unit that has no job of its own; decides nothing.
    ///
    /// # Errors
    /// As [`RunContext::run_unit`].
    pub(super) fn judge_only(&self, unit: Unit<'_>) -> Result<Judgement, Failure> {
        let attempt = self.attempt_dir(unit, self.recorder.unit(unit.name()).earlier_attempts)?;
        Ok(self.attempt(unit, &attempt)?.0)
    }

    /// Watches the job of an attempt to its end, or takes the end that is known already. `None` where the job
    /// belongs to an earlier boot, and its end was not seen.
    fn watch(
        &self,
        unit: Unit<'_>,
        job: &Job,
        attempt: &AttemptDir,
    ) -> Result<Option<Watched>, Failure> {
        let state = self.recorder.unit(unit.name());
        if let Some(code) = state.job_ended {
            return Ok(Some(Watched {
                code,
                last: attempt.last_event(),
                said: None,
            }));
        }
        // What a resumed run does not know any more may live all the same.
        // bf-monitor joins the job that its record names, also if the journal lost its last line.
        let has_record =
            std::fs::metadata(attempt.monitor_record()).is_ok_and(|file| file.len() > 0);
        let is_unknown = !(has_record || state.job_starting && state.job_seen);
        if is_unknown
            && job.command().is_some()
            && let Some(living) = self.living_in_words(unit)
        {
            return Err(Failure::could_not_check(format!(
                "{}: not started, as something of an earlier attempt still runs: {living}",
                unit.name()
            ))
            .hint("wait for it, or end it with bf-orchestrate stop; then bf-orchestrate resume"));
        }
        if !state.job_starting {
            self.recorder.record(Step::JobStarting {
                phase: unit.phase.name.clone(),
                window: unit.window,
            })?;
        }
        let known = evidence::known_job(job, attempt, &state)?;
        let (job, attempt) = known
            .as_ref()
            .map_or((job, attempt), |(job, attempt)| (job, attempt));
        let mut watched = self.watch_once(unit, job, attempt)?;
        for _ in 0..WATCH_AGAIN {
            // A bf-monitor that was killed says nothing of the job: its state continues the watch.
            if watched.code.is_some() || self.tools.running.pause(WATCH_AGAIN_AFTER) {
                break;
            }
            self.listeners
                .emit(&RunEvent::WatchingAgain { unit: unit.name() });
            watched = self.watch_once(unit, job, attempt)?;
        }
        let process = watched
            .last
            .as_ref()
            .and_then(|event| event.process.as_ref());
        let is_of_another_boot = process
            .or(state.process.as_ref())
            .is_some_and(proc::is_over_for);
        let ended = gate::judge_process(&watched);
        let is_known = ended.opens() || ended.status == PhaseStatus::Failed;
        if job.command().is_some() && is_of_another_boot && (!is_known || was_cut_off(&watched)) {
            return Ok(None);
        }
        if !lives_on(&watched) {
            self.recorder.record(Step::JobEnded {
                phase: unit.phase.name.clone(),
                window: unit.window,
                code: watched.code,
            })?;
        }
        Ok(Some(watched))
    }

    fn watch_once(
        &self,
        unit: Unit<'_>,
        job: &Job,
        attempt: &AttemptDir,
    ) -> Result<Watched, Failure> {
        let lock = self.locks.get(&unit.phase.name);
        let after = self.earlier_monitor_state(unit)?;
        let after = after.as_deref();
        let mark = mark::of_attempt(
            &self.run_uuid(),
            unit.name(),
            self.recorder.unit(unit.name()).earlier_attempts,
        );
        let given = JobStart {
            after,
            mark: &mark,
            lock,
        };
        let mut is_seen = self.recorder.unit(unit.name()).job_seen;
        let is_hung = Cell::new(false);
        let mut on_event = |event: &ProcessEvent| {
            self.listeners.emit(&RunEvent::Process {
                unit: unit.name(),
                event,
            });
            match event.event {
                ProcessEventKind::Hung => is_hung.set(true),
                ProcessEventKind::Progress => is_hung.set(false),
                _ => {}
            }
            let is_first = matches!(
                event.event,
                ProcessEventKind::Started | ProcessEventKind::Attached
            ) && !std::mem::replace(&mut is_seen, true);
            if is_first {
                self.recorder.record(Step::JobSeen {
                    phase: unit.phase.name.clone(),
                    window: unit.window,
                    process: event.process.clone(),
                })?;
                self.listeners.emit(&RunEvent::JobSeen {
                    unit: unit.name(),
                    event,
                });
            }
            Ok(())
        };
        let watch = |limit, on_event: &mut dyn FnMut(&ProcessEvent) -> Result<(), Failure>| {
            self.tools
                .watch(unit.phase, job, attempt, given, limit, on_event)
        };
        let mut watched = watch(Limit::OfThePlan, &mut on_event)?;
        let gave_up = watched.code == Some(i32::from(Exit::TimedOut.code()));
        let is_left = watched
            .last
            .as_ref()
            .is_some_and(|event| event.exit.is_none());
        let ends_hung = job.command().is_some() && unit.phase.on_hang == OnHang::Kill;
        if gave_up && is_left && is_hung.get() && ends_hung {
            // Its time is not over, but it hangs: that ends its time.
            watched = watch(Limit::IsOver, &mut on_event)?;
        }
        self.listeners
            .emit(&RunEvent::NotWatched { unit: unit.name() });
        Ok(watched)
    }

    /// bf-monitor's state of the attempt before this one, if there was one: its log is continued.
    fn earlier_monitor_state(&self, unit: Unit<'_>) -> Result<Option<PathBuf>, Failure> {
        let attempts = self.recorder.unit(unit.name()).earlier_attempts;
        let Some(before) = attempts.checked_sub(1) else {
            return Ok(None);
        };
        let state = self.attempt_dir(unit, before)?.monitor_state;
        Ok(state.exists().then_some(state))
    }

    /// Where in the log each attempt after the first begins.
    fn attempts_at(&self, unit: Unit<'_>) -> Result<Vec<u64>, Failure> {
        let attempts = 1..=self.recorder.unit(unit.name()).earlier_attempts;
        let mut offsets = Vec::new();
        for earlier in attempts {
            offsets.extend(self.attempt_dir(unit, earlier)?.begins_at());
        }
        Ok(offsets)
    }

    /// A name that no other run has.
    fn run_uuid(&self) -> String {
        let (uuid, _) = self.recorder.origin();
        uuid.unwrap_or_else(|| self.run_dir.run_id.clone())
    }

    /// What lives of any attempt at a unit; `None` if nothing does.
    fn living_in_words(&self, unit: Unit<'_>) -> Option<String> {
        let living = mark::living(&mark::of_unit(&self.run_uuid(), unit.name()));
        (!living.is_empty()).then(|| mark::in_words(&living))
    }

    /// Why nothing is judged yet, although bf-monitor has ended: something of the job still runs, or bf-monitor was
    /// killed more often than it is started again. The watch continues when the run is resumed.
    fn still_open(&self, unit: Unit<'_>, watched: &Watched) -> Option<Judgement> {
        let event = watched.last.as_ref();
        let reason = if is_lost(watched) {
            let process = event.and_then(|event| event.process.as_ref());
            let job = match (process, self.living_in_words(unit)) {
                (Some(process), _) => format!("its job (process {}) may still run", process.pid),
                (None, Some(living)) => format!("its job still runs: {living}"),
                (None, None) => "its job may still run".to_owned(),
            };
            format!("bf-monitor was killed again and again while it watched the job; {job}")
        } else if lives_on(watched) {
            let message = event.and_then(|event| event.message.clone());
            message.unwrap_or_else(|| "something of its job still runs".to_owned())
        } else {
            return None;
        };
        Some(Judgement {
            exit: Exit::CouldNotCheck,
            ..Judgement::interrupted(reason)
        })
    }

    /// Waits, and wakes up if the run is about to end or its jobs were stopped: then true.
    fn pause(&self, time: Duration) -> bool {
        const SLICE: Duration = Duration::from_millis(100);
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.run_dir.is_stopped() || self.tools.running.pause(left.min(SLICE)) {
                return true;
            }
            if left <= SLICE {
                return false;
            }
        }
    }

    /// What follows for a job that ran when the machine went down.
    fn after_reboot(&self, unit: Unit<'_>) -> (Judgement, Option<Retry>) {
        let reason = "the machine was restarted while its job ran".to_owned();
        let judgement = Judgement {
            exit: Exit::CouldNotCheck,
            ..Judgement::interrupted(reason.clone())
        };
        let restart = self.restart_interrupted || unit.phase.after_reboot == AfterReboot::Restart;
        let only_dates = self.recorder.unit(unit.name()).only_dates;
        let retry = restart.then_some(Retry {
            reason,
            only_dates,
            is_restart: true,
        });
        (judgement, retry)
    }

    /// The attempt that follows one that `bf-orchestrate stop` ended.
    fn after_stop(&self, unit: Unit<'_>, state: &UnitState) -> Option<Retry> {
        let is_startable = unit
            .phase
            .job
            .as_ref()
            .is_some_and(|job| job.command().is_some());
        (state.was_stopped && is_startable).then(|| Retry {
            reason: stopped().reason,
            only_dates: state.only_dates.clone(),
            is_restart: true,
        })
    }

    /// Reads the log and has the tables validated, as far as that is not done. `None` where the run is about to
    /// end before the log was read.
    fn check(
        &self,
        unit: Unit<'_>,
        job: Option<&Job>,
        watched: Option<&Watched>,
        attempt: &AttemptDir,
    ) -> Result<Option<Vec<Validated>>, Failure> {
        let state = self.recorder.unit(unit.name());
        if let Some(job) = job
            && state.log_read.is_none()
        {
            let is_over = watched.is_none_or(has_ended);
            // Every attempt appends to the log of the first; a date's latest outcome counts.
            let first = self.attempt_dir(unit, 0)?.last_event();
            let from_byte = first
                .and_then(|event| event.log_summary)
                .map_or(0, |summary| summary.log.from_byte);
            let code = if watched.is_some() && self.tools.take_monitor_log(attempt)? {
                Some(i32::from(Exit::Success.code()))
            } else {
                let attempts_at = self.attempts_at(unit)?;
                let part = LogPart {
                    from_byte,
                    attempts_at: &attempts_at,
                    is_over,
                };
                let log = job.log();
                self.tools.read_log(unit.phase, log, part, attempt)?.code
            };
            if is_interruption(code) {
                return Ok(None);
            }
            self.recorder.record(Step::LogRead {
                phase: unit.phase.name.clone(),
                window: unit.window,
                code,
            })?;
        }
        if let Some(earlier) = &unit.phase.earlier_log
            && !attempt.log.exists()
        {
            // One that is gone meanwhile leaves the table to be judged alone.
            let _ = std::fs::copy(earlier, &attempt.log);
        }
        let since = watched
            .and_then(|watched| watched.last.as_ref())
            .and_then(|event| event.started_at);
        let mut validated = Vec::new();
        for index in 0..unit.phase.validate.len() {
            validated.push(match state.validated.get(index) {
                Some(&code) => Validated {
                    code,
                    report: attempt.validation(index),
                    said: attempt.validator_failure(index),
                    asked: Some(calls::asked(unit.phase, index, attempt)),
                },
                None => {
                    let validated = self.tools.validate(unit.phase, index, since, attempt)?;
                    self.recorder.record(Step::Validated {
                        phase: unit.phase.name.clone(),
                        window: unit.window,
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
        unit: Unit<'_>,
        checked_again: u32,
        data: &Judgement,
        at_once: bool,
    ) -> Result<bool, Failure> {
        let again = unit.phase.check_again;
        let wait = if at_once {
            Duration::ZERO
        } else {
            again.backoff.0
        };
        self.listeners.emit(&RunEvent::CheckingAgain {
            unit: unit.name(),
            reason: &data.reason,
            wait,
            number: checked_again + 1,
            limit: again.limit,
        });
        if self.pause(wait) {
            return Ok(true);
        }
        self.recorder.record(Step::CheckedAgain {
            phase: unit.phase.name.clone(),
            window: unit.window,
            reason: data.reason.clone(),
        })?;
        Ok(false)
    }

    /// Waits, and makes ready to run the job again. False if the run's jobs were stopped meanwhile: nothing is
    /// decided then.
    fn plan_retry(&self, unit: Unit<'_>, retry: Retry) -> Result<bool, Failure> {
        let retries = &unit.phase.retries;
        let backoff = retries.backoff.filter(|_| !retry.is_restart);
        let wait = backoff.map_or(Duration::ZERO, |time| time.0);
        let state = self.recorder.unit(unit.name());
        self.listeners.emit(&RunEvent::Retrying {
            unit: unit.name(),
            reason: &retry.reason,
            dates: retry.only_dates.as_ref().map(Vec::len),
            wait,
            number: state.earlier_attempts + 1 - state.uncounted_attempts,
            limit: retries.limit,
        });
        // A run that is about to end still writes what is to be done next.
        let _ = self.pause(wait);
        if self.run_dir.is_stopped() {
            return Ok(false);
        }
        self.recorder.record(Step::RetryPlanned {
            phase: unit.phase.name.clone(),
            window: unit.window,
            reason: retry.reason,
            only_dates: retry.only_dates,
            is_restart: retry.is_restart,
        })?;
        Ok(true)
    }

    /// Records the decision.
    ///
    /// # Errors
    /// It could not be written (exit 3).
    pub(super) fn close_gate(
        &self,
        unit: Unit<'_>,
        judgement: Judgement,
    ) -> Result<Judgement, Failure> {
        let judgement = match unit.phase.on_fail {
            OnFail::Warn => judgement.downgrade(),
            OnFail::Block | OnFail::Continue => judgement,
        };
        if judgement.status != PhaseStatus::Interrupted {
            self.recorder.record(Step::GateClosed {
                phase: unit.phase.name.clone(),
                window: unit.window,
                status: judgement.status,
                reason: judgement.reason.clone(),
                code: judgement.exit.code(),
                downgraded: judgement.downgraded,
            })?;
        }
        Ok(judgement)
    }

    /// Where the documents of the latest attempt are kept, without making a place for them.
    pub(super) fn latest_attempt(&self, unit: Unit<'_>) -> AttemptDir {
        let state = self.recorder.unit(unit.name());
        let name = unit.name();
        let folder = self
            .run_dir
            .attempt_folder(name.phase, name.window, state.earlier_attempts);
        AttemptDir::in_folder(&folder, unit.phase)
    }

    /// Where the documents of an attempt are kept.
    fn attempt_dir(&self, unit: Unit<'_>, earlier: u32) -> Result<AttemptDir, Failure> {
        let name = unit.name();
        let folder = self
            .run_dir
            .attempt_folder(name.phase, name.window, earlier);
        std::fs::create_dir_all(&folder)
            .or_could_not_check(|| format!("creating {}", folder.display()))?;
        Ok(AttemptDir::in_folder(&folder, unit.phase))
    }
}

/// A unit of which `bf-orchestrate stop` ended the job, or what would have followed it.
fn stopped() -> Judgement {
    Judgement::interrupted("stopped by bf-orchestrate stop")
}

/// Whether the job exited with 0.
fn ended_well(watched: &Watched) -> bool {
    let exit = watched.last.as_ref().and_then(|event| event.exit.as_ref());
    exit.is_some_and(ProcessExit::is_clean)
}

/// Whether something of the job lives, and its log did not complete.
fn lives_on(watched: &Watched) -> bool {
    let is_open = watched.code == Some(i32::from(Exit::CouldNotCheck.code()));
    let alive = watched.last.as_ref().map(|event| &event.alive);
    is_open && alive.is_some_and(|alive| !alive.is_empty())
}

/// Whether bf-monitor was killed before it saw the job end.
fn is_lost(watched: &Watched) -> bool {
    watched.code.is_none() && !has_ended(watched)
}

/// Whether the job has ended, and nothing of it lives on.
fn has_ended(watched: &Watched) -> bool {
    watched.last.as_ref().is_some_and(|event| {
        let is_end = event.event == ProcessEventKind::Exited || was_ended(event);
        is_end && event.alive.is_empty()
    })
}

/// Whether bf-monitor ended the job when its time was over.
fn was_ended(event: &ProcessEvent) -> bool {
    event.event == ProcessEventKind::TimedOut && event.exit.is_some()
}

/// Whether the job ended as a machine that goes down ends what runs on it: asked first, then killed.
fn was_cut_off(watched: &Watched) -> bool {
    let exit = watched.last.as_ref().and_then(|event| event.exit.as_ref());
    let by = exit.and_then(|exit| exit.signal);
    [Signal::HUP, Signal::INT, Signal::TERM, Signal::KILL]
        .iter()
        .any(|signal| by == Some(signal.as_raw()))
}
