//! What Linux knows of processes: pidfds, `/proc` and control groups.

mod cgroup;
mod clock;
mod family;
mod files;
mod ioctl;
mod process;
mod stat;
mod usage;

pub(crate) use cgroup::Cgroup;
pub(crate) use clock::has_local_timestamps;
pub(crate) use family::{Family, MARK_VARIABLE, Member};
pub(crate) use files::{log_writers, open_files};
pub(crate) use ioctl::keep_from_children;
pub(crate) use process::{Process, command_line};
pub(crate) use stat::{boot_id, can_trace_all, monotonic};
pub(crate) use usage::usage;

/// What there is under a pid.
#[derive(Debug)]
pub(crate) enum Found {
    /// A process, running or a zombie.
    Process(Process),
    Gone,
    /// The number belongs to a thread of the process with this pid.
    ThreadOf(u32),
    /// The system does not say; with the reason.
    CannotTell(String),
}

/// Where in its life a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It runs, or could.
    Running,
    /// It has ended, and its parent has not asked how.
    Zombie,
    /// It has ended and is gone.
    Reaped,
}

/// How a zombie ended, as its entry of the process table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZombieStatus {
    Known(std::process::ExitStatus),
    /// This user may not see it.
    Hidden,
    /// There is no such zombie.
    None,
}

/// A figure that only grows, summed over a process and its live descendants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Total {
    /// The sum over the processes that could be read.
    pub(crate) sum: u64,
    /// Whether every process could be read. If not, it is not known whether it moves.
    pub(crate) complete: bool,
}

/// What a process and its live descendants have used since they started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time in clock ticks, of processes that were waited for, too; `None` where unreadable.
    pub(crate) cpu_ticks: Option<Total>,
    /// Bytes read and written through system calls; `None` where unreadable.
    pub(crate) io_bytes: Option<Total>,
    /// Whether the process itself is stopped by a signal, or by a debugger.
    pub(crate) is_stopped: bool,
    /// The live descendants, as pid and start time in clock ticks after boot.
    pub(crate) descendants: Vec<(u32, u64)>,
}
