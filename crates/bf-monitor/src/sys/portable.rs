//! Any other system, through sysinfo: whether a process is there, and nothing of how it ended.

use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use bf_contract::ProcessIdentity;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::{Found, Life, Usage, ZombieStatus};

/// A process, told from another of the same pid by the second that it started in.
#[derive(Debug)]
pub struct Process {
    identity: ProcessIdentity,
}

/// What sysinfo tells of a process.
struct Seen {
    started: u64,
    is_over: bool,
    command: String,
}

fn look(pid: u32) -> Option<Seen> {
    let pid = sysinfo::Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing().with_cmd(sysinfo::UpdateKind::Always),
    );
    let process = system.process(pid)?;
    let words: Vec<_> = process
        .cmd()
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    Some(Seen {
        started: process.start_time(),
        is_over: process.status() == sysinfo::ProcessStatus::Zombie,
        command: words.join(" "),
    })
}

impl Process {
    /// Looks for a process. The start "ticks" are seconds since 1970 here.
    #[must_use]
    pub fn find(pid: u64) -> Found {
        let Ok(pid) = u32::try_from(pid) else {
            return Found::Gone;
        };
        match look(pid) {
            None => Found::Gone,
            Some(seen) => Found::Process(Self {
                identity: ProcessIdentity {
                    pid,
                    start_ticks: Some(seen.started),
                    boot_id: boot_id(),
                    pidfd_inode: None,
                },
            }),
        }
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &ProcessIdentity {
        &self.identity
    }

    /// There is no such descriptor here: the process is looked at once a poll.
    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Where in its life it is.
    #[must_use]
    pub fn life(&self) -> Life {
        match look(self.identity.pid) {
            Some(seen) if Some(seen.started) == self.identity.start_ticks => {
                if seen.is_over {
                    Life::Zombie
                } else {
                    Life::Running
                }
            }
            _ => Life::Reaped,
        }
    }

    /// Never known.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        None
    }

    /// Never known.
    #[must_use]
    pub fn zombie_status(&self) -> ZombieStatus {
        ZombieStatus::Hidden
    }

    /// How long ago it started, to the second.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(self.identity.start_ticks?);
        SystemTime::now().duration_since(started).ok()
    }

    /// Its command line.
    #[must_use]
    pub fn command_line(&self) -> Option<String> {
        look(self.identity.pid)
            .map(|seen| seen.command)
            .filter(|command| !command.is_empty())
    }

    /// The name of its program, which is not told here.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        None
    }

    /// Not known here.
    #[must_use]
    pub fn is_kernel_thread(&self) -> bool {
        false
    }

    /// Whether it leads its process group.
    #[must_use]
    pub fn leads_its_group(&self) -> bool {
        let pid = i32::try_from(self.identity.pid)
            .ok()
            .and_then(Pid::from_raw);
        pid.is_some_and(|pid| rustix::process::getpgid(Some(pid)).is_ok_and(|group| group == pid))
    }

    /// Sends a signal to its process group where it leads one, else to itself.
    ///
    /// # Errors
    /// It is over, or another user's.
    pub fn signal_group(&self, signal: Signal) -> std::io::Result<()> {
        let pid = i32::try_from(self.identity.pid)
            .ok()
            .and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|_| self.life() != Life::Reaped) else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        if self.leads_its_group() {
            return Ok(kill_process_group(pid, signal)?);
        }
        Ok(kill_process(pid, signal)?)
    }
}

/// Control groups are Linux's.
#[derive(Debug, Clone)]
pub struct Cgroup;

impl Cgroup {
    /// None here.
    #[must_use]
    pub fn of(_pid: u32) -> Option<Self> {
        None
    }

    /// Unknown here.
    #[must_use]
    pub fn oom_kills(&self) -> Option<u64> {
        None
    }
}

/// A file that a process has open.
#[derive(Debug)]
pub struct OpenFile {
    /// The number of the descriptor.
    pub descriptor: u32,
    /// Device and inode.
    pub file: (u64, u64),
    /// Whether it is a regular file.
    pub is_regular: bool,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is open for writing.
    pub writable: bool,
}

/// Not known here.
#[must_use]
pub fn open_files(_pid: u32) -> Option<Vec<OpenFile>> {
    None
}

/// Whether the process with this pid and start time still runs.
#[must_use]
pub fn is_running(pid: u32, start_ticks: u64) -> bool {
    look(pid).is_some_and(|seen| seen.started == start_ticks && !seen.is_over)
}

/// Not known here.
#[must_use]
pub fn group_members(_group: u32) -> Vec<(u32, u64)> {
    Vec::new()
}

/// Never called here, where no member is known.
///
/// # Errors
/// Always.
pub fn signal_group_of(_leader: u32, _signal: Signal) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Not known here, so that nothing is ever called hung.
#[must_use]
pub fn usage(_pid: u32) -> Usage {
    Usage::default()
}

/// Nothing is seen here.
#[must_use]
pub fn may_see_everything() -> bool {
    false
}

/// The second that this boot began in stands for its id.
#[must_use]
pub fn boot_id() -> Option<String> {
    System::boot_time().ok().map(|second| second.to_string())
}

/// Time on a clock that nobody sets.
#[must_use]
pub fn monotonic() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Not possible here without unsafe code.
///
/// # Errors
/// Always.
pub fn keep_from_children(_number: RawFd) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOTSUP)
}

/// Not known here.
#[must_use]
pub fn keeps_our_time(_file: &std::fs::File) -> bool {
    false
}
