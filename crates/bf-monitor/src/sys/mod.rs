//! What the operating system knows of processes.
//!
//! Everything that is Linux's own lies in [`linux`]; any other system gets what sysinfo can tell, which is
//! whether a process is there, and nothing of how it ended.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(not(target_os = "linux"))]
pub use portable::*;

/// What there is under a pid.
#[derive(Debug)]
pub enum Found {
    /// A process, running or a zombie.
    Process(Process),
    /// No process.
    Gone,
    /// The number belongs to a thread of the process with this pid.
    ThreadOf(u32),
    /// The system does not say; with the reason.
    CannotTell(String),
}

/// Where in its life a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs, or could.
    Running,
    /// It is over, and its parent has not asked how it ended.
    Zombie,
    /// It is over and gone.
    Reaped,
}

/// How a zombie ended, as its entry of the process table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZombieStatus {
    /// It ended so.
    Known(std::process::ExitStatus),
    /// This user may not see it.
    Hidden,
    /// There is no such zombie.
    None,
}

/// A figure that only grows, summed over a process and its live descendants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Total {
    /// The sum over the processes that could be read.
    pub sum: u64,
    /// Whether every process could be read. Where not, standing still is not known.
    pub complete: bool,
}

/// What a process and its live descendants have used since they started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in clock ticks, of processes that were waited for, too; `None` where unreadable.
    pub cpu_ticks: Option<Total>,
    /// Bytes read and written through system calls; `None` where unreadable.
    pub io_bytes: Option<Total>,
    /// Whether the process itself is stopped by a signal, or by a debugger.
    pub is_stopped: bool,
    /// The live descendants, as pid and start time in clock ticks after boot.
    pub descendants: Vec<(u32, u64)>,
}
