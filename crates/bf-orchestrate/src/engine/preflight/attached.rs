//! Whether a pid that a run is to watch can be that of a job.

use std::fs;

use bf_cli::Failure;

/// `PF_KTHREAD` of the kernel's `sched.h`, in the flags of proc_pid_stat(5).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Refuses a pid that is no job's: a thread, a kernel thread, this process itself; and process 1, or a
/// process that does not contain `expect_cmd` in its command line. A process that has ended is no reason: its
/// log then decides.
///
/// # Errors
/// Usage (exit 2): nothing was started.
pub(crate) fn check(phase: &str, pid: u32, expect_cmd: Option<&str>) -> Result<(), Failure> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    let refuse = |what: String| Failure::usage(format!("phase {phase}: {what}"));
    let hint = "nothing was started; give the job's own pid, as pgrep -f JOB or $! prints it";
    if pid == std::process::id() {
        return Err(refuse(format!("{pid} is bf-orchestrate's own pid")).hint(hint));
    }
    let leader = read("status").as_deref().and_then(thread_group);
    if let Some(leader) = leader.filter(|leader| *leader != pid) {
        return Err(refuse(format!("{pid} is a thread of process {leader}"))
            .hint(format!("nothing was started; give {leader}")));
    }
    let Some(stat) = read("stat") else {
        return Ok(());
    };
    if is_kernel_thread(&stat) {
        return Err(refuse(format!(
            "process {pid} is a thread of the kernel, not a job"
        ))
        .hint(hint));
    }
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let shown = bf_cli::text::printable(command.trim(), 100);
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

/// The process that a task belongs to. Source: `Tgid` in proc_pid_status(5).
fn thread_group(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}

fn is_kernel_thread(stat: &str) -> bool {
    // The second field is the name in parentheses, which may hold anything; field 9 of the line is `flags`.
    let flags = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.split(' ').nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_thread_is_told_by_its_flags_and_not_by_its_name() {
        let kthreadd = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 13 0 0 20 0 1 0 3 0 0";
        let named_so = "77 (x) 1 (kworker) S 1 77 77 0 -1 4194304 92 0 0 0 0 0 0 0 20 0 1 0 9 0 0";
        assert!(is_kernel_thread(kthreadd));
        assert!(!is_kernel_thread(named_so));
    }
}
