//! `bf-orchestrate stop`: ends what is of the jobs of a run, and then the run, as interrupted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bf_cli::text::Mark;
use bf_cli::{Failure, Streams, find_sibling};
use bf_contract::{Document, Exit, ProcessEvent, ProcessEventKind, read_document};
use rustix::process::{Pid, Signal, kill_process};

use crate::cli::{self, Named};
use crate::store::journal::{Cause, Journal, Step, UnitName};
use crate::store::mark;
use crate::store::proc;
use crate::store::run_dir::RunDir;
use crate::store::runs::{self, Found};
use crate::view::console::Console;

/// How long what does not end by itself gets after each signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an orchestrator without a running job gets to end by itself, and after that.
const ORCHESTRATOR_GRACE: Duration = Duration::from_secs(1);
const ORCHESTRATOR_PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing may be found of a run without an orchestrator: what was just being started is found in a moment.
const QUIET: Duration = Duration::from_millis(300);

const PAUSE: Duration = Duration::from_millis(50);

/// Ends what is of the jobs of a run and then the run. It can be resumed.
///
/// # Errors
/// There is no such run (exit 2), or something of it does not end (exit 1).
pub(crate) fn stop(args: &Named, streams: Streams) -> Result<Exit, Failure> {
    if args.run.is_none() {
        let (all, unreadable) = runs::all(&args.runs.runs)?;
        if !all.is_empty() && unreadable.is_empty() && !all.iter().any(may_run) {
            return Err(Failure::usage(format!(
                "nothing to stop: every run in {} has finished, and none of their jobs still runs",
                args.runs.runs.display()
            ))
            .hint("bf-orchestrate history lists the runs; --runs DIR names another folder"));
        }
    }
    let found = runs::find(&args.runs.runs, args.run.as_deref(), may_run)?;
    let console = Console::new(cli::output(&args.output, streams));
    // From here on no other job is started, and none is run again.
    found.run_dir.set_stopped(true)?;
    let mut stop = Stop {
        monitor: find_sibling("bf-monitor")?,
        run_dir: found.run_dir,
        console,
        asked: BTreeMap::new(),
        signalled: BTreeMap::new(),
    };
    stop.end_jobs()?;
    if stop.asked.is_empty() {
        let run_id = &stop.run_dir.run_id;
        stop.console
            .stamp(format!("run {run_id} has no running job"));
    }
    Ok(Exit::Success)
}

/// Whether something of a run may live: a run that timed out is finished, and its job may still run.
fn may_run(run: &Found) -> bool {
    let mut units = run
        .state
        .units()
        .filter_map(|(_, unit)| unit.process.as_ref());
    run.state.finished.is_none() || units.any(proc::is_alive)
}

struct Stop {
    monitor: PathBuf,
    run_dir: RunDir,
    console: Console,
    /// The jobs that were ended, or asked to end, and since when.
    asked: BTreeMap<String, Instant>,
    /// The jobs that were signalled from here, and the last signal of each.
    signalled: BTreeMap<String, &'static str>,
}

/// A job of which something lives.
struct Living {
    unit: String,
    state: PathBuf,
    pids: Vec<u32>,
}

/// What bf-monitor said of a job that it ended.
struct Ended {
    message: String,
    is_gone: bool,
}

impl Stop {
    fn end_jobs(&mut self) -> Result<(), Failure> {
        let (mut quiet_since, mut has_told_orchestrator) = (Instant::now(), false);
        loop {
            let found = runs::open(&self.run_dir.path)?;
            let living = living(&found);
            self.say_what_ended(&living);
            if !living.is_empty() {
                self.end_all(living)?;
                quiet_since = Instant::now();
            }
            let quiet_for = quiet_since.elapsed();
            if runs::is_live(&self.run_dir) {
                if quiet_for > ORCHESTRATOR_PATIENCE {
                    return Err(does_not_end("its orchestrator"));
                }
                if quiet_for > ORCHESTRATOR_GRACE && !has_told_orchestrator {
                    has_told_orchestrator = true;
                    if let Some(pid) = runs::orchestrator(&self.run_dir) {
                        send(pid, Signal::TERM);
                    }
                }
            } else if quiet_for > QUIET && self.close(&found)? {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Has bf-monitor end each job that was not asked to end before; what it cannot end is signalled from here.
    fn end_all(&mut self, living: Vec<Living>) -> Result<(), Failure> {
        let (new, known): (Vec<Living>, Vec<Living>) = living
            .into_iter()
            .partition(|job| !self.asked.contains_key(&job.unit));
        for job in &new {
            let pids: Vec<String> = job.pids.iter().map(u32::to_string).collect();
            let pids = pids.join(", ");
            self.console
                .stamp(format!("{}: ending pid {pids} (SIGTERM)", job.unit));
        }
        let (monitor, run_dir) = (self.monitor.as_path(), &self.run_dir);
        let ended: Vec<Option<Ended>> = std::thread::scope(|scope| {
            let calls = new
                .iter()
                .map(|job| scope.spawn(|| end(monitor, run_dir, job)));
            let calls: Vec<_> = calls.collect();
            calls
                .into_iter()
                .map(|call| call.join().ok().flatten())
                .collect()
        });
        for (job, ended) in new.iter().zip(ended) {
            self.asked.insert(job.unit.clone(), Instant::now());
            match ended {
                Some(ended) => {
                    let mark = if ended.is_gone {
                        Mark::Pass
                    } else {
                        Mark::Fail
                    };
                    self.console
                        .mark(mark, &format!("{}: {}", job.unit, ended.message));
                }
                None => self.signal(job, Signal::TERM, "SIGTERM"),
            }
        }
        for job in known {
            let waited = self.asked.get(&job.unit).map_or(PATIENCE, Instant::elapsed);
            if waited > 2 * PATIENCE {
                return Err(does_not_end(&format!("pid {}", job.pids[0])));
            }
            if waited > PATIENCE {
                self.signal(&job, Signal::KILL, "SIGKILL");
            }
        }
        Ok(())
    }

    fn signal(&mut self, job: &Living, signal: Signal, name: &'static str) {
        job.pids.iter().for_each(|&pid| send(pid, signal));
        self.signalled.insert(job.unit.clone(), name);
    }

    /// Says of jobs that were signalled from here that nothing of them is left.
    fn say_what_ended(&mut self, living: &[Living]) {
        let is_gone = |unit: &String| !living.iter().any(|job| job.unit == *unit);
        let gone: Vec<String> = self
            .signalled
            .keys()
            .filter(|unit| is_gone(unit))
            .cloned()
            .collect();
        for unit in gone {
            if let Some(signal) = self.signalled.remove(&unit) {
                let text = format!("{unit}: its job was ended with {signal}");
                self.console.mark(Mark::Pass, &text);
            }
        }
    }

    /// Closes a run whose orchestrator is gone. False if another one has it.
    fn close(&self, found: &Found) -> Result<bool, Failure> {
        if found.state.finished.is_some() || found.state.interrupted_by == Some(Cause::Stopped) {
            return Ok(true);
        }
        let Some(_claim) = runs::claim(&self.run_dir)? else {
            return Ok(false);
        };
        let (mut journal, _) = Journal::reopen(&self.run_dir.journal())?;
        journal.write(Step::Interrupted {
            cause: Cause::Stopped,
            signal: None,
        })?;
        Ok(true)
    }
}

fn does_not_end(what: &str) -> Failure {
    Failure::new(Exit::Failed, format!("{what} does not end"))
        .hint("nothing more is started; bf-orchestrate stop tries it again")
}

/// The jobs of a run of which something lives: by the mark that they carry, and by the journal.
fn living(found: &Found) -> Vec<Living> {
    let uuid = found.state.run_uuid.as_deref();
    let uuid = uuid.unwrap_or(&found.run_dir.run_id);
    let marked = mark::living(&mark::of_run(uuid));
    let job = |(name, state): (UnitName<'_>, &crate::store::state::UnitState)| {
        let prefix = mark::of_unit(uuid, name);
        let of_job = marked.iter().filter(|one| one.mark.starts_with(&prefix));
        let mut pids: Vec<u32> = of_job.map(|one| one.pid).collect();
        let process = state.process.as_ref().filter(|one| proc::is_alive(one));
        pids.extend(
            process
                .map(|process| process.pid)
                .filter(|pid| !pids.contains(pid)),
        );
        let attempts = state.earlier_attempts;
        let folder = found
            .run_dir
            .attempt_folder(name.phase, name.window, attempts);
        (!pids.is_empty()).then(|| Living {
            unit: name.to_string(),
            state: folder.join("monitor_state.json"),
            pids,
        })
    };
    found.state.units().filter_map(job).collect()
}

/// Has bf-monitor, which knows what is of the job, give up on it at once. `None` if it does not know the job.
fn end(monitor: &Path, run_dir: &RunDir, job: &Living) -> Option<Ended> {
    let output = Command::new(monitor)
        .args(["--format", "json", "--quiet", "--end"])
        .arg("--config")
        .arg(run_dir.config())
        .arg("--state")
        .arg(&job.state)
        .stdin(Stdio::null())
        .output();
    let stdout = output.ok()?.stdout;
    let text = String::from_utf8_lossy(&stdout);
    let last = text
        .lines()
        .rev()
        .find_map(|line| match read_document(line) {
            Ok(Document::ProcessEvent(event)) => Some(*event),
            _ => None,
        });
    let is_end = |event: &ProcessEvent| {
        matches!(
            event.event,
            ProcessEventKind::TimedOut | ProcessEventKind::Exited
        )
    };
    last.filter(is_end).map(|event| Ended {
        is_gone: event.exit.is_some() && event.alive.is_empty(),
        message: event.message.unwrap_or_default(),
    })
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, signal);
    }
}
