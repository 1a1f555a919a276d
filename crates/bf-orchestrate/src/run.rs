//! A run from its first line to its report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bf_cli::text::{Mark, Style};
use bf_cli::{Context, Failure, Interrupts};
use bf_config::Loaded;
use bf_contract::{Exit, PhaseStatus, RunReport, Verdict};
use chrono::{DateTime, Utc};

use crate::args::RunOptions;
use crate::console::Console;
use crate::held::{self, Refusal};
use crate::journal::{Journal, Step, VERSION};
use crate::lock::{self, Asked, TableLock};
use crate::notify::Notifier;
use crate::observer::Observer;
use crate::phase::RunContext;
use crate::plan::Plan;
use crate::plan::documented_name;
use crate::preflight;
use crate::progress::{Progress, fold};
use crate::report;
use crate::run_dir::{RunDir, write_atomically};
use crate::runs::{self, Claim, Found, Unreadable};
use crate::scheduler::{Event, RunEnd, run_all};
use crate::siblings::Siblings;
use crate::steps::Steps;
use crate::tool::RunningTools;

/// What a run needs from outside.
pub struct Request<'a> {
    /// Where run directories are kept.
    pub runs: &'a Path,
    /// How the run is begun.
    pub options: RunOptions,
    /// The plan.
    pub plan: &'a Plan,
    /// The config.
    pub loaded: &'a Loaded,
    /// The tools.
    pub siblings: &'a Siblings,
    /// What a person sees.
    pub console: &'a Console,
    /// Where machines read the run's metrics.
    pub metrics_file: Option<&'a Path>,
    /// Whether jobs that a reboot interrupted are run again whatever the plan says.
    pub restart_interrupted: bool,
}

impl Request<'_> {
    /// Takes up the unfinished run of this very plan where there is one, else begins a new run; and sees it
    /// through.
    ///
    /// # Errors
    /// The run is refused before anything is started (exit 2), or its state cannot be read or written
    /// (exit 3).
    pub fn start(&self) -> Result<Exit, Refusal> {
        match self.unfinished()? {
            Some(found) => self.take_up(found),
            None => self.begin(),
        }
    }

    /// Goes on with a run where it stopped.
    ///
    /// # Errors
    /// As [`Request::start`].
    pub fn take_up(&self, found: Found) -> Result<Exit, Refusal> {
        let mut plan = self.plan.clone();
        for phase in &mut plan.phases {
            let was_begun = found
                .state
                .phases
                .get(&phase.name)
                .is_some_and(|done| done.job_starting);
            let begun = found
                .plan
                .phases
                .iter()
                .find(|begun| begun.name == phase.name);
            let Some(begun) = begun.filter(|begun| was_begun && begun.job != phase.job) else {
                continue;
            };
            // There is one job of it, and it is the one that was started.
            self.console.mark(
                Mark::Warn,
                &format!(
                    "{}: its job was started by the plan as it was, and stays so",
                    phase.name
                ),
            );
            phase.job.clone_from(&begun.job);
            phase.table.clone_from(&begun.table);
            phase.range = begun.range;
        }
        let request = Request {
            plan: &plan,
            options: self.options.clone(),
            ..*self
        };
        request.go_on(found)
    }

    fn go_on(&self, found: Found) -> Result<Exit, Refusal> {
        let began = Instant::now();
        let interrupts = Interrupts::install()?;
        let run_dir = found.run_dir;
        let claim = self.claim(&run_dir)?;
        let locks = self.lock_tables(&run_dir)?;
        // The journal is read again under the claim: its last orchestrator may have written meanwhile.
        let (mut journal, records) = Journal::reopen(&run_dir.journal())?;
        let state = fold(&records);
        if state.finished.is_some() {
            let ended = format!("run {} has ended in this very moment", run_dir.run_id);
            return Err(Failure::usage(ended)
                .hint("nothing was started; the same command again starts a new run")
                .into());
        }
        if state.phases.is_empty() {
            preflight::commands::run_all(self.plan, self.console, Some(&interrupts))?;
        }
        write_plan(&run_dir, self.plan, self.loaded)?;
        run_dir.set_stopped(false)?;
        journal.write(Step::RunResumed {
            orchestrator_pid: std::process::id(),
        })?;
        self.say_heading(&run_dir);
        self.console
            .say(report::taken_up(&run_dir, self.plan, &state));
        let ended = self.see_through(began, interrupts, run_dir, (claim, locks), journal, state)?;
        Ok(ended)
    }

    fn begin(&self) -> Result<Exit, Refusal> {
        let began = Instant::now();
        preflight::check_attached(self.plan)?;
        let interrupts = Interrupts::install()?;
        let run_dir = RunDir::create(self.runs)?;
        let may_begin = || -> Result<_, Refusal> {
            let locks = self.lock_tables(&run_dir)?;
            if let Some(other) = self.unfinished()? {
                // It was begun after the first look.
                return Err(held::has_an_orchestrator(&other.run_dir, self.runs));
            }
            preflight::commands::run_all(self.plan, self.console, Some(&interrupts))?;
            Ok(locks)
        };
        let locks = may_begin().inspect_err(|_| {
            // Nothing is in it yet; a refused run leaves no trace.
            let _ = fs::remove_dir(&run_dir.path);
        })?;
        let claim = self.claim(&run_dir)?;
        write_plan(&run_dir, self.plan, self.loaded)?;
        let mut journal = Journal::create(&run_dir.journal())?;
        journal.write(Step::RunStarted {
            version: VERSION,
            run_id: run_dir.run_id.clone(),
            plan_hash: self.plan.identity(),
        })?;
        self.say_heading(&run_dir);
        let state = Progress::default();
        let ended = self.see_through(began, interrupts, run_dir, (claim, locks), journal, state)?;
        Ok(ended)
    }

    fn see_through(
        &self,
        began: Instant,
        interrupts: Interrupts,
        run_dir: RunDir,
        (_claim, locks): (Claim, BTreeMap<String, TableLock>),
        journal: Journal,
        state: Progress,
    ) -> Result<Exit, Failure> {
        // A run that has just begun has written that, and nothing else.
        let is_taken_up = journal.records() > 1;
        let first_began = runs::open(&run_dir.path).map_or_else(|_| Utc::now(), |run| run.began);
        let journal = Mutex::new(journal);
        let running = RunningTools::default();
        let last_success = self.last_success();
        let notifier = self
            .siblings
            .notify
            .as_deref()
            .map(|program| {
                let config = self.plan.config_file.clone();
                let config = config.unwrap_or_else(|| run_dir.config());
                Notifier::start(program, &config, run_dir.path.join("notify.log"))
            })
            .transpose()?;
        let observer = Observer::new(
            self.console,
            &run_dir,
            notifier,
            self.metrics_file.map(Path::to_owned),
            (self.plan, last_success),
        );
        let heading = report::heading(self.plan, self.loaded, Some(&run_dir), Style::default());
        observer.run_started(is_taken_up, heading);
        let context = RunContext {
            plan: self.plan,
            run_dir: &run_dir,
            journal: &journal,
            steps: Steps {
                siblings: self.siblings,
                console: self.console,
                running: &running,
                config: run_dir.config(),
                warehouse: &self.plan.warehouse,
                names_phases: self.plan.runs_side_by_side(),
            },
            observer: &observer,
            locks: &locks,
            restart_interrupted: self.restart_interrupted,
        };
        let (sender, receiver) = channel();
        forward_interrupts(interrupts, sender.clone());
        let end = run_all(&context, &state.phases, (&sender, &receiver));

        let mut exit = end.exit;
        let closing = closing_step(&end);
        let is_finished = matches!(closing, Step::RunFinished { .. });
        let mut document = report::document(
            self.plan,
            &run_dir,
            end,
            since(first_began, began.elapsed()),
        );
        if let Err(failure) = keep(&run_dir, &document, &journal, closing) {
            // A result that could not be kept is still told, but it is no pass.
            self.console.mark(Mark::Error, &failure.message);
            if exit.is_success() {
                exit = failure.exit;
                document.verdict = Verdict::Error;
                document.reason = failure.message;
            }
        }
        let told = self.console.finish(&document, exit);
        observer.run_ended(&document, exit.code(), is_finished);
        told
    }

    /// When a run of this plan last passed, in seconds since 1970.
    fn last_success(&self) -> Option<i64> {
        self.metrics_file?;
        let (found, _) = runs::all(self.runs).ok()?;
        found
            .iter()
            .find(|run| {
                run.plan.name == self.plan.name
                    && run.state.finished.is_some_and(|(_, code)| code == 0)
            })
            .map(|run| run.updated.timestamp())
    }

    /// The latest unfinished run that this plan takes up.
    fn unfinished(&self) -> Result<Option<Found>, Failure> {
        let (found, unreadable) = runs::all(self.runs)?;
        for run in &unreadable {
            self.pass_by(run)?;
        }
        let mut candidates = found
            .into_iter()
            .filter(|run| run.state.finished.is_none() && run.plan.name == self.plan.name);
        let is_documented = self.plan.name == documented_name();
        // Other flags are another command, not a changed plan.
        let Some(run) = candidates.find(|run| !is_documented || run.plan.has_flags_of(self.plan))
        else {
            return Ok(None);
        };
        let differences = run.plan.differences(self.plan);
        if differences.is_empty() || self.options.accept_changed_plan {
            return Ok(Some(run));
        }
        let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
        Err(Failure::usage(format!(
            "run {} of this plan is not finished, and the plan has changed: {}",
            run.run_dir.run_id,
            differences.join("; ")
        ))
        .hint("--accept-changed-plan takes it up with the new plan; bf-orchestrate resume with the old one"))
    }

    /// Leaves a run alone that cannot be read, unless it may be an unfinished one of this plan: then nobody can
    /// say what has been started already.
    fn pass_by(&self, run: &Unreadable) -> Result<(), Failure> {
        let failure = &run.failure;
        if run.may_be_unfinished(&self.plan.name) && !self.options.force {
            return Err(Failure::could_not_check(format!(
                "{failure}: what it has started is not known"
            ))
            .hint(format!(
                "nothing was started; finish it with the bf that began it, or move {} away; --force starts a new run all the same",
                run.path.display()
            )));
        }
        self.console
            .mark(Mark::Warn, &format!("{failure}; it is left alone"));
        Ok(())
    }

    /// Locks the table of every phase.
    fn lock_tables(&self, run_dir: &RunDir) -> Result<BTreeMap<String, TableLock>, Refusal> {
        let folder = lock::folder();
        let mut locks = BTreeMap::new();
        for phase in self.plan.phases.iter().filter(|phase| phase.job.is_some()) {
            match lock::ask(&folder, self.plan, phase, run_dir)? {
                Asked::Held(lock) => {
                    locks.insert(phase.name.clone(), lock);
                }
                Asked::Refused(holder) => {
                    let refusal = held::has_the_table(&phase.name, &holder, self.runs);
                    if !self.options.force {
                        return Err(refusal);
                    }
                    let whose = refusal.failure.message;
                    self.console.mark(
                        Mark::Warn,
                        &format!("{whose}; going on without the lock (--force)"),
                    );
                }
            }
        }
        Ok(locks)
    }

    /// Claims a run for this process.
    fn claim(&self, run_dir: &RunDir) -> Result<Claim, Refusal> {
        runs::claim(run_dir)?.ok_or_else(|| held::has_an_orchestrator(run_dir, self.runs))
    }

    fn say_heading(&self, run_dir: &RunDir) {
        self.console.say(report::heading(
            self.plan,
            self.loaded,
            Some(run_dir),
            self.console.style(),
        ));
    }
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
    journal: &Mutex<Journal>,
    closing: Step,
) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(document)
        .or_could_not_check(|| "writing the report as JSON".to_owned())?;
    write_atomically(&run_dir.report(), &bytes)?;
    journal
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write(closing)
}

/// The last line of the journal: a run that waits for a person, or for someone to take it up, is not over.
fn closing_step(end: &RunEnd) -> Step {
    let waits = end
        .phases
        .iter()
        .any(|phase| phase.status == PhaseStatus::Interrupted);
    match end.interrupt {
        Some(signal) => Step::Interrupted {
            signal: signal.name().to_owned(),
        },
        None if end.is_broken => Step::Interrupted {
            signal: "a step that could not be taken".to_owned(),
        },
        None if waits => Step::Interrupted {
            signal: "reboot".to_owned(),
        },
        None => Step::RunFinished {
            verdict: end.verdict,
            code: end.exit.code(),
        },
    }
}

/// Keeps what the run was asked to do beside what it did.
///
/// # Errors
/// The files cannot be written (exit 3).
pub fn write_plan(run_dir: &RunDir, plan: &Plan, loaded: &Loaded) -> Result<(), Failure> {
    let plan = serde_json::to_vec_pretty(plan)
        .or_could_not_check(|| "writing the plan as JSON".to_owned())?;
    write_atomically(&run_dir.plan(), &plan)?;
    let config = if loaded.path.is_some() {
        loaded.text.as_str()
    } else {
        "# the built-in thresholds\n"
    };
    write_atomically(&run_dir.config(), config.as_bytes())
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
