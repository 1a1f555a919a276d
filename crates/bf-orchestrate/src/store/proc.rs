//! Which boot this is, and what a pid means now. Linux: proc(5).

use std::fs;

use bf_contract::ProcessIdentity;

/// `PF_KTHREAD` of the kernel's `sched.h`, in the flags of proc_pid_stat(5).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What is read of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub has_ended: bool,
    pub is_kernel_thread: bool,
    /// In clock ticks after boot: with the pid it is this process and no other.
    pub start_ticks: u64,
}

impl Stat {
    /// The entry of a process; `None` if there is none.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        // The second field is the name in parentheses, which may hold anything; the state, field 3, follows it.
        let (_, rest) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            has_ended: matches!(fields.first(), Some(&"Z" | &"X")),
            is_kernel_thread: number(9)? & KERNEL_THREAD != 0,
            start_ticks: number(22)?,
        })
    }
}

/// The pids of all processes.
pub(crate) fn pids() -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let names = processes.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.to_str()?.parse().ok())
        .collect()
}

/// The command line of a process; empty if it has none or cannot be read.
pub(crate) fn command_of(pid: u32) -> String {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command)
        .replace('\0', " ")
        .trim()
        .to_owned()
}

/// The process that a task belongs to. Source: `Tgid` in proc_pid_status(5).
pub(crate) fn leader_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}

/// Whether `process` belongs to a boot that is known to be over.
pub(crate) fn is_over_for(process: &ProcessIdentity) -> bool {
    let now = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    match (&process.boot_id, now) {
        (Some(then), Some(now)) => then != now.trim(),
        _ => false,
    }
}

/// Whether that very process is still there, and no other that was given its pid.
pub(crate) fn is_alive(process: &ProcessIdentity) -> bool {
    let is_it = |stat: Stat| !stat.has_ended && Some(stat.start_ticks) == process.start_ticks;
    !is_over_for(process) && Stat::of(process.pid).is_some_and(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_after_its_name_which_may_hold_anything() {
        let stat = |line| Stat::parse(line).expect("a stat line");
        let kthreadd = stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 13 0 0 20 0 1 0 3 0 0");
        assert!(kthreadd.is_kernel_thread && !kthreadd.has_ended);
        let named_so =
            stat("77 (x) Z (kworker) Z 1 77 77 0 -1 4194304 92 0 0 0 0 0 0 0 20 0 1 0 9 0 0");
        assert!(!named_so.is_kernel_thread && named_so.has_ended);
        assert_eq!((kthreadd.start_ticks, named_so.start_ticks), (3, 9));
        assert_eq!(Stat::parse("77 (x"), None);
    }
}
