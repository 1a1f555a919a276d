//! Processes and files that are not what was asked for: refused before anything is watched.

use std::path::Path;

use bf_cli::Failure;
use bf_contract::ExitSource;

use super::is_same;
use crate::args::Args;
use crate::launch::record::{self, JobState};
use crate::proc::{self, Process};
use crate::state::State;
use crate::words;

/// Refuses a state file that is of another process or of another boot: what it says of the log would be
/// taken for that of this process.
pub(crate) fn foreign_state(args: &Args, state: Option<&State>, pid: u64) -> Result<(), Failure> {
    let (Some(path), Some(state)) = (&args.state, state) else {
        return Ok(());
    };
    let Some(process) = &state.process else {
        return Ok(());
    };
    let path = path.display();
    let problem = if u64::from(process.pid) != pid {
        format!(
            "the state file {path} is of process {}, not of {pid}",
            process.pid
        )
    } else if state.boot_id != proc::boot_id() && state.ended.is_none() {
        format!(
            "the state file {path} is of an earlier boot: its process {pid} ended with that, and how is not known"
        )
    } else {
        return Ok(());
    };
    Err(Failure::usage(problem)
        .hint("nothing was changed; give --state another file, or move this one away"))
}

/// Refuses a state file that was kept of another log.
pub(crate) fn foreign_log(
    args: &Args,
    state: Option<&State>,
    log: Option<&Path>,
) -> Result<(), Failure> {
    let kept = state.and_then(|state| Some(&state.log.as_ref()?.path));
    match (&args.state, kept, log) {
        (Some(path), Some(kept), Some(log)) if kept != log => Err(Failure::usage(format!(
            "the state file {} is of the log {}, not of {}",
            path.display(),
            kept.display(),
            log.display()
        ))
        .hint("nothing was changed; give --state another file, or move this one away")),
        _ => Ok(()),
    }
}

/// Refuses a process that is some other program.
pub(crate) fn unexpected(args: &Args, process: &Process) -> Result<(), Failure> {
    let Some(expected) = &args.expect_cmd else {
        return Ok(());
    };
    let pid = process.identity().pid;
    let hint = "nothing was watched; the pid may have been given to another program since";
    match process.command_line() {
        Some(command) if command.contains(expected.as_str()) => Ok(()),
        Some(command) => Err(Failure::usage(format!(
            "process {pid} is `{}`, which does not contain {expected:?}",
            bf_cli::text::printable(&command, 200)
        ))
        .hint(hint)),
        None => Err(Failure::could_not_check(format!(
            "process {pid} shows no command line, so it cannot be told whether it contains {expected:?}"
        ))
        .hint("leave --expect-cmd out to watch it all the same")),
    }
}

/// Refuses a process that got the pid of a job that the record beside the log tells of: whoever asks for that
/// pid and that log may mean either.
pub(crate) fn reused(args: &Args, process: &Process, job_state: &JobState) -> Result<(), Failure> {
    let (JobState::Started(intent, recorded) | JobState::Ended(intent, recorded, _)) = job_state
    else {
        return Ok(());
    };
    let pid = process.identity().pid;
    let base = args.state.as_deref().unwrap_or(&intent.log);
    let is_other = recorded.job.pid == pid
        && recorded.job.boot_id == process.identity().boot_id
        && !is_same(Some(process.identity()), &recorded.job);
    if !is_other || args.expect_cmd.is_some() {
        return Ok(());
    }
    let end = match job_state {
        JobState::Ended(_, _, exited) => {
            let exit = words::process_exit(exited.status(), ExitSource::Record);
            format!(
                "it has ended: {}",
                words::exit_in_words(&exit, false, exited.oom_kills)
            )
        }
        _ => "it is gone, and how it ended is not recorded".to_owned(),
    };
    Err(Failure::could_not_check(format!(
        "the pid {pid} was given to another process since the job that {} tells of; {end}",
        record::path_beside(base).display()
    ))
    .hint("nothing was watched; to watch the process that has the pid now, give --expect-cmd with a part of its command line"))
}

/// Refuses a thread of the kernel's own, which is not a job and never ends.
pub(crate) fn kernel_thread(process: &Process) -> Result<(), Failure> {
    if !process.is_kernel_thread() {
        return Ok(());
    }
    let name = process.name().unwrap_or_default();
    Err(Failure::usage(format!(
        "process {} is a thread of the kernel ({})",
        process.identity().pid,
        bf_cli::text::printable(&name, 60)
    ))
    .hint("nothing was watched; give --pid the job's own pid"))
}
