//! Ending the jobs of a run: TERM, then KILL.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bf_cli::text::Mark;
use bf_cli::{Failure, Streams};
use bf_contract::{Exit, ProcessIdentity};
use rustix::process::{Pid, Signal, getpgid, getpgrp, kill_process, kill_process_group};

use crate::cli::{self, Named};
use crate::store::boot;
use crate::store::journal::UnitName;
use crate::store::runs::{self, Found};
use crate::store::state::UnitState;
use crate::tools::locate;
use crate::view::console::Console;

/// How long a job gets to end by itself after TERM.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether a job has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// `bf-orchestrate stop`: ends every job of the run that is still running. Its orchestrator, where it has
/// one, sees them end, starts nothing more, and closes the run.
///
/// # Errors
/// There is no such run (exit 2), or a job would not end (exit 1).
pub(crate) fn stop(args: &Named, streams: Streams) -> Result<Exit, Failure> {
    // A run that timed out is over, and its job may still run.
    let may_run = |run: &Found| {
        let mut processes = run
            .state
            .units()
            .filter_map(|(_, unit)| unit.process.as_ref());
        run.state.finished.is_none() || processes.any(boot::is_alive)
    };
    if args.run.is_none() {
        let (all, unreadable) = runs::all(&args.runs.runs)?;
        if !all.is_empty() && unreadable.is_empty() && !all.iter().any(may_run) {
            return Err(Failure::usage(format!(
                "nothing to stop: every run in {} is over, and none of their jobs still runs",
                args.runs.runs.display()
            ))
            .hint("bf-orchestrate history lists the runs; --runs DIR names another folder"));
        }
    }
    let found = runs::find(&args.runs.runs, args.run.as_deref(), may_run)?;
    let console = Console::new(cli::output(&args.output, streams));
    // No other job is started from here on, and none is run again.
    found.run_dir.set_stopped(true)?;
    let run_dir = found.run_dir.path.clone();
    let mut ended = BTreeSet::new();
    let began = Instant::now();
    let mut found = found;
    loop {
        end_all(&found, &console, &mut ended)?;
        // A job that is just being started is known in a moment.
        let is_starting = found.state.units().any(|(_, done)| {
            done.job_starting
                && done.process.is_none()
                && done.job_ended.is_none()
                && done.gate.is_none()
        });
        if !is_starting || !runs::is_live(&found.run_dir) || began.elapsed() > PATIENCE {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
        found = runs::open(&run_dir)?;
    }
    if ended.is_empty() {
        console.stamp(format!("run {} has no running job", found.run_dir.run_id));
    }
    Ok(Exit::Success)
}

/// Ends the jobs of a run that are known and running.
fn end_all(found: &Found, console: &Console, ended: &mut BTreeSet<u32>) -> Result<(), Failure> {
    for (unit, state) in found.state.units() {
        let process = state.process.as_ref();
        let Some(process) = process.filter(|process| boot::is_alive(process)) else {
            end_what_lives_on(found, unit, state);
            continue;
        };
        console.stamp(format!(
            "{}: asking process {} to end (SIGTERM)",
            unit, process.pid
        ));
        end(process, console)?;
        end_what_lives_on(found, unit, state);
        console.mark(
            Mark::Pass,
            &format!("{}: process {} has ended", unit, process.pid),
        );
        ended.insert(process.pid);
    }
    Ok(())
}

/// Ends what a job left behind, in whatever session it runs: bf-monitor knows what is of the job, and gives up on it
/// at once. If nothing is left, nothing happens.
fn end_what_lives_on(found: &Found, unit: UnitName<'_>, state: &UnitState) {
    let attempt = state.earlier_attempts;
    let folder = found
        .run_dir
        .attempt_folder(unit.phase, unit.window, attempt);
    let file = folder.join("monitor_state.json");
    let Ok(monitor) = locate::find("bf-monitor") else {
        return;
    };
    if state.process.is_some() && file.exists() {
        // It says nothing that is not said by the run's own bf-monitor.
        let _ = Command::new(monitor)
            .args(["--quiet", "--timeout", "0.001", "--kill-on-timeout"])
            .arg("--state")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn end(process: &ProcessIdentity, console: &Console) -> Result<(), Failure> {
    for signal in [Signal::TERM, Signal::KILL] {
        if signal == Signal::KILL {
            console.mark(
                Mark::Warn,
                &format!(
                    "process {} is still there: killing it (SIGKILL)",
                    process.pid
                ),
            );
        }
        send(process, signal)?;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if !boot::is_alive(process) {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
    Err(Failure::new(
        Exit::Failed,
        format!("process {} does not end, not even by SIGKILL", process.pid),
    ))
}

/// Signals the job's process group where the job leads one, so that its workers end with it.
fn send(process: &ProcessIdentity, signal: Signal) -> Result<(), Failure> {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    let leads_a_group = getpgid(Some(pid)).is_ok_and(|group| group == pid && group != getpgrp());
    let sent = if leads_a_group {
        kill_process_group(pid, signal)
    } else {
        kill_process(pid, signal)
    };
    match sent {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            format!("signalling process {}: {error}", process.pid),
        )),
    }
}
