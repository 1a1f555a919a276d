//! Whether a pid that a run is to watch can be that of a job.

use bf_cli::Failure;

use crate::store::proc::{self, Stat};

/// Refuses a pid that is no job's: a thread, a kernel thread, this process itself; and process 1, or a
/// process that does not contain `expect_cmd` in its command line. A process that has ended is no reason: its
/// log then decides.
///
/// # Errors
/// Usage (exit 2): nothing was started.
pub(crate) fn check(phase: &str, pid: u32, expect_cmd: Option<&str>) -> Result<(), Failure> {
    let refuse = |what: String| Failure::usage(format!("phase {phase}: {what}"));
    let hint = "nothing was started; give the job's own pid, as pgrep -f JOB or $! prints it";
    if pid == std::process::id() {
        return Err(refuse(format!("{pid} is bf-orchestrate's own pid")).hint(hint));
    }
    if let Some(leader) = proc::leader_of(pid).filter(|leader| *leader != pid) {
        return Err(refuse(format!("{pid} is a thread of process {leader}"))
            .hint(format!("nothing was started; give {leader}")));
    }
    let Some(stat) = Stat::of(pid) else {
        return Ok(());
    };
    if stat.is_kernel_thread {
        return Err(refuse(format!(
            "process {pid} is a thread of the kernel, not a job"
        ))
        .hint(hint));
    }
    let command = proc::command_of(pid);
    let shown = bf_cli::text::printable(&command, 100);
    match expect_cmd {
        // What has ended has no command line any more.
        Some(expected) if !command.is_empty() && !command.contains(expected) => Err(refuse(format!(
            "process {pid} is `{shown}`, which does not contain {expected:?}"
        ))
        .hint("nothing was started; the pid may have been given to another program since")),
        None if pid == 1 => Err(refuse(format!(
            "process 1 is `{shown}`, which every system begins with, and hardly a job"
        ))
        .hint("nothing was started; where a container begins with the job itself, say so by --expect-cmd SUBSTRING (expect_cmd in a plan)")),
        _ => Ok(()),
    }
}
