//! A run from its first line to its report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use bf_cli::{Context, Failure, Interrupts, write_atomically};
use bf_config::Loaded;
use bf_contract::{Exit, PhaseStatus, RunReport, Verdict};
use chrono::{DateTime, Utc};

use crate::engine::context::RunContext;
use crate::engine::event::{Listeners, RunEvent};
use crate::engine::outcome::RunEnd;
use crate::engine::preflight;
use crate::engine::reopen;
use crate::engine::report;
use crate::engine::scheduler::{Event, run_all};
use crate::engine::slots::Slots;
use crate::plan::{Plan, TWO_PHASES};
use crate::store::journal::{Cause, Journal, Step, VERSION, VERSION_WITH_WINDOWS};
use crate::store::mark;
use crate::store::proc;
use crate::store::refusal::{self, Refusal};
use crate::store::run_dir::RunDir;
use crate::store::runs::{self, Claim, Found, Unreadable};
use crate::store::state::{Recorder, RunState, fold};
use crate::store::table_lock::{self, Asked, TableLock};
use crate::tools::calls::{Printed, Tools};
use crate::tools::locate::Siblings;
use crate::tools::process::RunningTools;

/// How a run is begun.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Permissions {
    /// Continue although another run holds the lock of a table.
    pub force: bool,
    /// Resume an unfinished run although its plan has changed.
    pub accept_changed_plan: bool,
    /// Resume an unfinished run although the file of a suite has changed.
    pub accept_changed_config: bool,
    /// Run the jobs again that a reboot interrupted, whatever the plan says.
    pub restart_interrupted: bool,
}

/// What a run needs from outside.
pub(crate) struct Request<'a> {
    /// Where run directories are kept.
    pub runs: &'a Path,
    /// What the caller permits.
    pub permissions: Permissions,
    pub plan: &'a Plan,
    pub loaded: &'a Loaded,
    pub siblings: &'a Siblings,
    /// Everyone who hears of the run.
    pub listeners: Listeners<'a>,
    /// Whether the tools write with colours.
    pub color: bool,
}

/// What a run came to.
pub(crate) struct Ended {
    pub report: RunReport,
    pub exit: Exit,
    /// Whether it is finished, and need not be resumed.
    pub is_finished: bool,
}

impl Request<'_> {
    /// Resumes the unfinished run of this very plan if there is one, else begins a new run; and sees it through.
    ///
    /// # Errors
    /// The run is refused before anything is started (exit 2), or its state cannot be read or written
    /// (exit 3).
    pub(crate) fn start(&self) -> Result<Ended, Refusal> {
        match self.unfinished()? {
            Some(found) => self.resume(found),
            None => self.begin(),
        }
    }

    /// Continues a run where it stopped.
    ///
    /// # Errors
    /// As [`Request::start`].
    pub(crate) fn resume(&self, found: Found) -> Result<Ended, Refusal> {
        self.refuse_to_forget_a_job(&found)?;
        let mut plan = self.plan.clone();
        for phase in &mut plan.phases {
            let was_begun = found
                .state
                .units()
                .any(|(unit, state)| unit.phase == phase.name && state.job_starting);
            let begun = found
                .plan
                .phases
                .iter()
                .find(|begun| begun.name == phase.name);
            let Some(begun) = begun.filter(|begun| {
                was_begun && (begun.job != phase.job || begun.windows != phase.windows)
            }) else {
                continue;
            };
            // There is one job of it, and it is the one that was started.
            self.warn(&format!(
                "{}: already started under the previous plan; keeping that job",
                phase.name
            ));
            phase.job.clone_from(&begun.job);
            phase.windows.clone_from(&begun.windows);
            phase.table.clone_from(&begun.table);
            phase.range = begun.range;
        }
        let request = Request {
            plan: &plan,
            ..*self
        };
        request.continue_run(found)
    }

    /// Refuses a plan without a phase whose job still runs: it would run on unwatched, beside whatever follows.
    fn refuse_to_forget_a_job(&self, found: &Found) -> Result<(), Failure> {
        for (unit, state) in found.state.units() {
            if self
                .plan
                .phases
                .iter()
                .any(|phase| phase.name == unit.phase)
            {
                continue;
            }
            let process = state.process.as_ref().filter(|one| proc::is_alive(one));
            let uuid = found
                .state
                .run_uuid
                .as_deref()
                .unwrap_or(&found.run_dir.run_id);
            let marked = mark::living(&mark::of_unit(uuid, unit));
            let living = match (process, marked.is_empty()) {
                (_, false) => mark::in_words(&marked),
                (Some(process), true) => format!("pid {}", process.pid),
                (None, true) => continue,
            };
            let run_id = &found.run_dir.run_id;
            return Err(Failure::usage(format!(
                "the plan has no phase {} any more, and its job of run {run_id} still runs: {living}",
                unit.phase
            ))
            .hint(format!(
                "nothing was started; wait for it with bf-orchestrate resume {run_id}, or end it with bf-orchestrate stop {run_id}"
            )));
        }
        Ok(())
    }

    /// Refuses an unfinished run whose suites have changed: half of it was judged by others. A run that has failed is
    /// resumed with the suites as they are now.
    fn refuse_changed_suites(&self, run_dir: &RunDir, has_failed: bool) -> Result<(), Failure> {
        let changed = run_dir.changed_suites(self.plan);
        if changed.is_empty() {
            return Ok(());
        }
        let changed = changed.join(", ");
        if has_failed || self.permissions.accept_changed_config {
            self.warn(&format!("changed since the run was begun: {changed}"));
            return Ok(());
        }
        let run_id = &run_dir.run_id;
        Err(Failure::usage(format!(
            "run {run_id} is not finished, and a suite has changed since it was begun: {changed}"
        ))
        .hint(format!(
            "nothing was started; --accept-changed-config resumes it with the suite as it is now; the earlier one is in {}",
            run_dir.suites().display()
        )))
    }

    fn continue_run(&self, found: Found) -> Result<Ended, Refusal> {
        let began = Instant::now();
        let interrupts = Interrupts::install()?;
        let run_dir = found.run_dir;
        let claim = self.claim(&run_dir)?;
        let locks = self.lock_tables(&run_dir)?;
        // The journal is read again under the claim: its last orchestrator may have written meanwhile.
        let (journal, records) = Journal::reopen(&run_dir.journal())?;
        let state = fold(&records);
        let has_failed = state.finished.is_some_and(|(_, code)| code != 0);
        if state.finished.is_some() && !has_failed {
            let ended = format!("run {} finished just now", run_dir.run_id);
            return Err(Failure::usage(ended)
                .hint("nothing was started; the same command again starts a new run")
                .into());
        }
        if state.units().next().is_none() {
            preflight::commands::run_all(self.plan, self.listeners, Some(&interrupts))?;
        }
        self.refuse_changed_suites(&run_dir, has_failed)?;
        run_dir.write_plan(self.plan, self.loaded)?;
        run_dir.set_stopped(false)?;
        self.started(&run_dir, Some(&state));
        if let Some(note) = state.passed_over_text() {
            self.listeners.emit(&RunEvent::Warning(&note));
        }
        let held = Held {
            _claim: claim,
            locks,
        };
        let before = state.clone();
        let recorder = Recorder::new(journal, state);
        if has_failed {
            reopen::reopen(self.plan, &run_dir, &before, &recorder)?;
        }
        reopen::check_gates_again(self.plan, &run_dir, &before, &recorder)?;
        recorder.record(Step::RunResumed {
            orchestrator_pid: std::process::id(),
        })?;
        Ok(self.see_through(began, interrupts, &run_dir, &held, &recorder)?)
    }

    fn begin(&self) -> Result<Ended, Refusal> {
        let began = Instant::now();
        preflight::check_attached(self.plan)?;
        let interrupts = Interrupts::install()?;
        let run_dir = RunDir::create(self.runs)?;
        let may_begin = || -> Result<_, Refusal> {
            let locks = self.lock_tables(&run_dir)?;
            if let Some(other) = self.unfinished()? {
                // It was begun after the first look.
                return Err(refusal::has_an_orchestrator(&other.run_dir, self.runs));
            }
            preflight::commands::run_all(self.plan, self.listeners, Some(&interrupts))?;
            Ok(locks)
        };
        let locks = may_begin().inspect_err(|_| {
            // Nothing is in it yet; a refused run leaves no trace.
            let _ = fs::remove_dir(&run_dir.path);
        })?;
        let claim = self.claim(&run_dir)?;
        run_dir.write_plan(self.plan, self.loaded)?;
        let recorder = Recorder::new(Journal::create(&run_dir.journal())?, RunState::default());
        recorder.record(Step::RunStarted {
            version: match self.plan.phases.iter().any(|one| one.windows.is_some()) {
                true => VERSION_WITH_WINDOWS,
                false => VERSION,
            },
            run_id: run_dir.run_id.clone(),
            plan_hash: self.plan.identity(),
            run_uuid: Some(run_dir.uuid()),
        })?;
        self.started(&run_dir, None);
        let held = Held {
            _claim: claim,
            locks,
        };
        Ok(self.see_through(began, interrupts, &run_dir, &held, &recorder)?)
    }

    fn see_through(
        &self,
        began: Instant,
        interrupts: Interrupts,
        run_dir: &RunDir,
        held: &Held,
        recorder: &Recorder,
    ) -> Result<Ended, Failure> {
        let (run_uuid, first_began) = recorder.origin();
        let running = RunningTools::default();
        let on_print = |printed: Printed<'_>| {
            self.listeners.emit(&match printed {
                Printed::Document(line) => RunEvent::Document(line),
                Printed::Text(phase, line) => RunEvent::Text { phase, line },
            });
        };
        let (sender, receiver) = channel();
        let freed = sender.clone();
        let on_free = move || {
            // The receiver outlives every phase.
            let _ = freed.send(Event::SlotFreed);
        };
        let slots = Slots::new(self.plan.concurrency, &on_free);
        let plan = run_dir.with_kept_suites(self.plan);
        let context = RunContext {
            slots: &slots,
            plan: &plan,
            run_dir,
            recorder,
            tools: Tools {
                siblings: self.siblings,
                on_print: &on_print,
                color: self.color,
                running: &running,
                config: run_dir.config(),
                warehouse: &self.plan.warehouse,
            },
            listeners: self.listeners,
            locks: &held.locks,
            restart_interrupted: self.permissions.restart_interrupted,
        };
        forward_interrupts(interrupts, sender.clone());
        let end = run_all(&context, &sender, &receiver);

        let mut exit = end.exit;
        let closing = closing_step(&end);
        let is_finished = matches!(closing, Step::RunFinished { .. });
        let took = since(first_began.unwrap_or_else(Utc::now), began.elapsed());
        let mut report = report::of_run(self.plan, run_dir, end, took);
        report.run_uuid = run_uuid.or(report.run_uuid);
        report.started_at = first_began;
        if let Err(failure) = keep(run_dir, &report, recorder, closing) {
            // A result that could not be kept is still reported, but it is not a pass.
            self.warn(&failure.message);
            if exit.is_success() {
                exit = failure.exit;
                report.verdict = Verdict::Error;
                report.exit_code = Some(exit.code());
                report.reason = failure.message;
            }
        }
        Ok(Ended {
            report,
            exit,
            is_finished,
        })
    }

    fn started(&self, run_dir: &RunDir, resumed: Option<&RunState>) {
        self.listeners.emit(&RunEvent::RunStarted {
            run_dir,
            plan: self.plan,
            loaded: self.loaded,
            resumed,
        });
    }

    fn warn(&self, text: &str) {
        self.listeners.emit(&RunEvent::Warning(text));
    }

    /// The latest unfinished run that this plan resumes.
    fn unfinished(&self) -> Result<Option<Found>, Failure> {
        let (found, unreadable) = runs::all(self.runs)?;
        for run in &unreadable {
            self.pass_by(run)?;
        }
        // One that was stopped is only resumed by that name: to run its plan is to begin anew.
        let is_stopped = |run: &Found| run.state.interrupted_by == Some(Cause::Stopped);
        let mut candidates = found.into_iter().filter(|run| {
            run.state.finished.is_none() && run.plan.name == self.plan.name && !is_stopped(run)
        });
        let is_documented = self.plan.name == TWO_PHASES;
        // Other flags are another command, not a changed plan.
        let Some(run) = candidates.find(|run| !is_documented || run.plan.has_flags_of(self.plan))
        else {
            return Ok(None);
        };
        let differences = run.plan.differences(self.plan);
        if differences.is_empty() || self.permissions.accept_changed_plan {
            return Ok(Some(run));
        }
        let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
        Err(Failure::usage(format!(
            "run {} of this plan is not finished, and the plan has changed: {}",
            run.run_dir.run_id,
            differences.join("; ")
        ))
        .hint("--accept-changed-plan resumes it with the new plan; bf-orchestrate resume with the old one"))
    }

    /// Leaves a run alone that cannot be read, unless it may be an unfinished one of this plan: then it cannot
    /// say what has been started already.
    fn pass_by(&self, run: &Unreadable) -> Result<(), Failure> {
        let failure = &run.failure;
        if run.may_be_unfinished(&self.plan.name) && !self.permissions.force {
            return Err(Failure::could_not_check(format!(
                "{failure}: what it has started is not known"
            ))
            .hint(format!(
                "nothing was started; finish it with the bf that began it, or move {} away; --force starts a new run all the same",
                run.path.display()
            )));
        }
        self.warn(&format!("{failure}; it is left alone"));
        Ok(())
    }

    /// Locks the table of every phase.
    fn lock_tables(&self, run_dir: &RunDir) -> Result<BTreeMap<String, TableLock>, Refusal> {
        let (folder, warning) = table_lock::folder_of(&self.plan.warehouse);
        if let Some(warning) = warning {
            self.warn(&warning);
        }
        let mut locks = BTreeMap::new();
        for phase in self.plan.phases.iter().filter(|phase| phase.job.is_some()) {
            match table_lock::ask(&folder, self.plan, phase, run_dir)? {
                Asked::Held(lock) => {
                    locks.insert(phase.name.clone(), lock);
                }
                Asked::Refused(holder) => {
                    let refusal = refusal::has_the_table(&phase.name, &holder, self.runs);
                    if !self.permissions.force {
                        return Err(refusal);
                    }
                    let whose = refusal.failure.message;
                    self.warn(&format!("{whose}; continuing without the lock (--force)"));
                }
            }
        }
        Ok(locks)
    }

    /// Claims a run for this process.
    fn claim(&self, run_dir: &RunDir) -> Result<Claim, Refusal> {
        let claim = runs::claim(run_dir)?;
        let mut claim = claim.ok_or_else(|| refusal::has_an_orchestrator(run_dir, self.runs))?;
        claim.sign()?;
        Ok(claim)
    }
}

/// What this process holds as long as the run goes on.
struct Held {
    _claim: Claim,
    locks: BTreeMap<String, TableLock>,
}

/// How long a run has lasted that was begun at `first_began`, by a clock that may have been set; at least
/// `at_least`, which this orchestrator measured itself.
fn since(first_began: DateTime<Utc>, at_least: Duration) -> Duration {
    let lasted = (Utc::now() - first_began).to_std();
    lasted.map_or(at_least, |lasted| lasted.max(at_least))
}

/// Keeps the report, and then closes the journal.
fn keep(
    run_dir: &RunDir,
    document: &RunReport,
    recorder: &Recorder,
    closing: Step,
) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(document)
        .or_could_not_check(|| "writing the report as JSON".to_owned())?;
    write_atomically(&run_dir.report(), &bytes)?;
    recorder.record(closing)
}

/// The last line of the journal: a run that waits for a person, or until it is resumed, is not finished.
fn closing_step(end: &RunEnd) -> Step {
    let waits = end
        .phases
        .iter()
        .any(|phase| phase.status == PhaseStatus::Interrupted);
    let interrupted = |cause| Step::Interrupted {
        cause,
        signal: end.interrupt.map(|signal| signal.name().to_owned()),
    };
    match end.interrupt {
        _ if end.is_stopped => interrupted(Cause::Stopped),
        Some(_) => interrupted(Cause::Signal),
        None if end.is_broken => interrupted(Cause::StepFailed),
        None if waits => interrupted(Cause::Waiting),
        None => Step::RunFinished {
            verdict: end.verdict,
            code: end.exit.code(),
        },
    }
}

/// Hands signals on to the scheduler, which waits for them beside the phases.
fn forward_interrupts(interrupts: Interrupts, sender: Sender<Event>) {
    std::thread::spawn(move || {
        loop {
            if let Some(signal) = interrupts.wait(Duration::from_secs(3600)) {
                let _ = sender.send(Event::Interrupted(signal));
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_taken_up_has_lasted_since_its_first_beginning() {
        let measured = Duration::from_secs(13);
        let an_hour_ago = Utc::now() - chrono::TimeDelta::hours(1);
        assert!(since(an_hour_ago, measured) >= Duration::from_secs(3600));
        // A clock that was set back does not shorten what was measured.
        let to_come = Utc::now() + chrono::TimeDelta::hours(1);
        assert_eq!(since(to_come, measured), measured);
    }
}
