//! One process, held by a pidfd so that its pid can never come to mean another one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitStatus;
use std::time::Duration;

use bf_contract::ProcessIdentity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal, test_kill_process,
};

use super::stat::{Stat, boot_id, elapsed_since_boot, ticks_per_second};
use super::{Found, Life, ZombieStatus};

/// `PIDFS_MAGIC`, the file system of pidfds since Linux 6.9, where an inode number is one process of this
/// boot. Before, all pidfds share one inode. Source: include/uapi/linux/magic.h.
const PIDFS_MAGIC: u64 = 0x5049_4446;

/// A process that was there when it was looked for.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    /// `None` on kernels before 5.3 and where a sandbox forbids it: then `/proc` is asked.
    pidfd: Option<OwnedFd>,
    identity: ProcessIdentity,
}

impl Process {
    /// Looks for a process. The pidfd is opened first, then the start time is read, then the pidfd is
    /// asked whether the process is still there: so the start time cannot be another's.
    pub(crate) fn find(pid: u64) -> Found {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Found::Gone;
        };
        let number = pid.as_raw_nonzero().get().unsigned_abs();
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Some(pidfd),
            Err(Errno::SRCH) => return Found::Gone,
            // EINVAL, and from 6.15 on ENOENT: a thread that does not lead its process.
            Err(Errno::INVAL | Errno::NOENT) => {
                return thread_group(number).map_or(Found::Gone, Found::ThreadOf);
            }
            Err(Errno::NOSYS | Errno::PERM) => None,
            Err(error) => return Found::CannotTell(error.to_string()),
        };
        let stat = Stat::of(number);
        let mut process = Self {
            pid,
            identity: ProcessIdentity {
                pid: number,
                start_ticks: stat.as_ref().ok().map(|stat| stat.start_ticks),
                boot_id: boot_id(),
                pidfd_inode: pidfd.as_ref().and_then(inode),
            },
            pidfd,
        };
        if process.pidfd.is_none() {
            match (stat, test_kill_process(pid)) {
                (Err(_), Err(Errno::SRCH)) => return Found::Gone,
                // It exists and belongs to another user.
                (Ok(_), _) | (Err(_), Ok(()) | Err(Errno::PERM)) => {}
                (Err(_), Err(error)) => return Found::CannotTell(error.to_string()),
            }
            return Found::Process(process);
        }
        if process.life() == Life::Reaped {
            if process.exit_status().is_none() {
                return Found::Gone;
            }
            // It ended while we looked, and the kernel still says how; only the start time may be wrong.
            process.identity.start_ticks = None;
        }
        Found::Process(process)
    }

    /// Who it is.
    pub(crate) fn identity(&self) -> &ProcessIdentity {
        &self.identity
    }

    /// A descriptor that becomes readable when the process ends, and hangs up when it was reaped.
    pub(crate) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Where in its life it is, now.
    pub(crate) fn life(&self) -> Life {
        let Some(pidfd) = &self.pidfd else {
            return self.life_in_proc();
        };
        let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
        // An error (EINTR, no memory) is no news of the process.
        if poll(&mut fds, Some(&Timespec::default())).is_err() {
            return Life::Running;
        }
        let seen = fds[0].revents();
        if seen.contains(PollFlags::HUP) {
            Life::Reaped
        } else if seen.contains(PollFlags::IN) {
            // Before Linux 6.9 there is no hang-up: there /proc says whether the zombie is gone.
            match self.identity.pidfd_inode {
                Some(_) => Life::Zombie,
                None => match self.life_in_proc() {
                    Life::Reaped => Life::Reaped,
                    _ => Life::Zombie,
                },
            }
        } else {
            Life::Running
        }
    }

    fn life_in_proc(&self) -> Life {
        match Stat::of(self.identity.pid) {
            Ok(stat)
                if self
                    .identity
                    .start_ticks
                    .is_some_and(|start| start != stat.start_ticks) =>
            {
                Life::Reaped
            }
            Ok(stat) if stat.has_ended() => Life::Zombie,
            Ok(_) => Life::Running,
            Err(_) => match test_kill_process(self.pid) {
                Err(Errno::SRCH) => Life::Reaped,
                _ => Life::Running,
            },
        }
    }

    /// How it ended, from the kernel's record; `None` before the reap and on kernels before 6.15.
    pub(crate) fn exit_status(&self) -> Option<ExitStatus> {
        super::ioctl::exit_status(self.pidfd()?).ok().flatten()
    }

    /// How it ended, from the process table, while it is a zombie.
    pub(crate) fn zombie_status(&self) -> ZombieStatus {
        match Stat::of(self.identity.pid) {
            Ok(stat)
                if stat.state == b'Z' && Some(stat.start_ticks) == self.identity.start_ticks =>
            {
                stat.zombie_exit()
                    .map_or(ZombieStatus::Hidden, ZombieStatus::Known)
            }
            _ => ZombieStatus::None,
        }
    }

    /// How long ago it started; `None` where its start time is unknown.
    pub(crate) fn age(&self) -> Option<Duration> {
        age(&self.identity)
    }

    /// The name of its program; `None` where it may not be seen.
    pub(crate) fn name(&self) -> Option<String> {
        let bytes = std::fs::read(format!("/proc/{}/comm", self.identity.pid)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Whether it is a thread of the kernel's own.
    pub(crate) fn is_kernel_thread(&self) -> bool {
        Stat::of(self.identity.pid).is_ok_and(|stat| stat.is_kernel_thread)
    }

    /// Its command line, arguments separated by spaces; `None` if it has none or may not be seen.
    pub(crate) fn command_line(&self) -> Option<String> {
        command_line(self.identity.pid)
    }

    /// Sends it a signal. The pidfd makes sure that it is still the same process.
    ///
    /// # Errors
    /// It has ended, or is another user's.
    pub(crate) fn signal(&self, signal: Signal) -> std::io::Result<()> {
        match &self.pidfd {
            Some(pidfd) => Ok(pidfd_send_signal(pidfd, signal)?),
            None => Ok(kill_process(self.pid, signal)?),
        }
    }
}

/// The command line of a process, arguments separated by spaces; `None` if it has none or may not be seen.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches('\0').replace('\0', " ");
    (!text.is_empty()).then_some(text)
}

/// How long ago a process of this boot started.
fn age(identity: &ProcessIdentity) -> Option<Duration> {
    let ticks = identity.start_ticks?;
    let hertz = ticks_per_second();
    let started = Duration::from_secs(ticks / hertz)
        + Duration::from_nanos(ticks % hertz * (1_000_000_000 / hertz));
    Some(elapsed_since_boot().saturating_sub(started))
}

/// The inode of a pidfd, if it is unique.
fn inode(pidfd: &OwnedFd) -> Option<u64> {
    let kind = rustix::fs::fstatfs(pidfd).ok()?.f_type;
    let is_pidfs = u64::try_from(kind).is_ok_and(|kind| kind == PIDFS_MAGIC);
    if !is_pidfs {
        return None;
    }
    Some(rustix::fs::fstat(pidfd).ok()?.st_ino)
}

/// The process that a thread belongs to.
fn thread_group(thread: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let leader = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    leader
        .trim()
        .parse()
        .ok()
        .filter(|&leader| leader != thread)
}
