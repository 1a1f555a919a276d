//! The commands of a plan that say whether a run may begin.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bf_cli::text::{duration, printable};
use bf_cli::{Context, Failure, Interrupts};
use bf_contract::Exit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use crate::engine::event::{Listeners, RunEvent};
use crate::plan::{Plan, Preflight, shell_words};

/// How much of what a check printed is looked through for its last line, in bytes.
const LAST_WORDS: u64 = 4096;

/// Runs the checks of a plan one after the other, up to the first that does not pass.
///
/// # Errors
/// That one, as [`run`] has it.
pub(crate) fn run_all(
    plan: &Plan,
    listeners: Listeners<'_>,
    interrupts: Option<&Interrupts>,
) -> Result<(), Failure> {
    for check in &plan.preflight {
        let took = run(check, interrupts)?;
        listeners.emit(&RunEvent::PreflightPassed {
            name: &check.name,
            took,
        });
    }
    Ok(())
}

/// Runs one check, and says how long it took. With `interrupts` it gets a process group of its own, and an
/// interrupt ends it.
///
/// # Errors
/// It says no: any exit code but 0 and 3 (exit 2). It could not say: code 3, a signal, its time has passed, it
/// cannot be started (exit 3). An interrupt (130 or 143).
pub(crate) fn run(check: &Preflight, interrupts: Option<&Interrupts>) -> Result<Duration, Failure> {
    let began = Instant::now();
    let doing = || format!("preflight {}: starting {}", check.name, check.command[0]);
    let said = tempfile::tempfile().or_could_not_check(doing)?;
    let mut command = Command::new(&check.command[0]);
    command
        .args(&check.command[1..])
        .stdin(Stdio::null())
        .stdout(said.try_clone().or_could_not_check(doing)?)
        .stderr(said.try_clone().or_could_not_check(doing)?);
    if interrupts.is_some() {
        command.process_group(0);
    }
    let mut child = command.spawn().or_could_not_check(doing)?;
    let waited = wait(&mut child, check.timeout.0, interrupts);
    if !matches!(waited, Ok(Waited::Ended)) {
        end(&child, interrupts.is_some());
    }
    let status = child.wait().or_could_not_check(doing)?;
    match waited.or_could_not_check(doing)? {
        Waited::Ended => judge(check, status, last_words(said)).map(|()| began.elapsed()),
        Waited::InVain => Err(Failure::could_not_check(format!(
            "preflight {}: it did not end within {}",
            check.name,
            duration(check.timeout.0)
        ))
        .hint(nothing_started(check))),
        Waited::Interrupted(exit) => Err(Failure::new(
            exit,
            format!("preflight {}: interrupted", check.name),
        )
        .hint("nothing was started")),
    }
}

enum Waited {
    Ended,
    InVain,
    Interrupted(Exit),
}

/// Waits for the child's end, an interrupt, or the end of its time.
fn wait(
    child: &mut Child,
    limit: Duration,
    interrupts: Option<&Interrupts>,
) -> std::io::Result<Waited> {
    let began = Instant::now();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("its pid is none"))?;
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        if let Some(interrupt) = interrupts.and_then(Interrupts::pending) {
            return Ok(Waited::Interrupted(interrupt.exit()));
        }
        if child.try_wait()?.is_some() {
            return Ok(Waited::Ended);
        }
        let Some(left) = limit.checked_sub(began.elapsed()) else {
            return Ok(Waited::InVain);
        };
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = vec![PollFd::new(&ended, PollFlags::IN)];
        if let Some(interrupts) = interrupts {
            fds.push(PollFd::from_borrowed_fd(interrupts.as_fd(), PollFlags::IN));
        }
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Ends a check: nothing of it is worth waiting for.
fn end(child: &Child, leads_a_group: bool) {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return;
    };
    // It may have ended by itself meanwhile; it is not reaped yet, so the pid is still its own.
    let _ = if leads_a_group {
        kill_process_group(pid, Signal::KILL)
    } else {
        kill_process(pid, Signal::KILL)
    };
}

fn judge(check: &Preflight, status: ExitStatus, said: Option<String>) -> Result<(), Failure> {
    let name = &check.name;
    let why = said.map_or(String::new(), |said| format!(": {said}"));
    let failure = match status.code() {
        Some(0) => return Ok(()),
        Some(3) => Failure::could_not_check(format!("preflight {name}: it could not tell{why}")),
        Some(code) => Failure::usage(format!("preflight {name}: it ended with {code}{why}")),
        None => Failure::could_not_check(format!("preflight {name}: it was killed ({status})")),
    };
    Err(failure.hint(nothing_started(check)))
}

fn nothing_started(check: &Preflight) -> String {
    format!(
        "nothing was started; the check is: {}",
        printable(&shell_words(&check.command), 300)
    )
}

/// The last line that a check printed that says something.
fn last_words(mut said: File) -> Option<String> {
    let length = said.metadata().ok()?.len();
    said.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))
        .ok()?;
    let mut bytes = Vec::new();
    said.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(printable(line.trim(), 300))
}
