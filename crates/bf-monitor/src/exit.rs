//! How the process ended: the ladder of sources, the most certain first.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use bf_contract::{ExitSource, ProcessExit};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::launch::record::Exited;
use crate::launch::{Shim, await_exit};
use crate::proc::{Life, Process, ZombieStatus};
use crate::words::process_exit;

/// How long a parent may take to ask after its zombie before the process table is believed.
const REAP_GRACE: Duration = Duration::from_millis(100);
/// The same if the process table hides the status, or if the shim is the parent.
const LONG_GRACE: Duration = Duration::from_secs(10);
/// How long the shim may take to report an end that the kernel reported already.
const SHIM_GRACE: Duration = Duration::from_secs(1);

/// How a process ended, as far as it is known without its log. The state file keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExitInfo {
    /// When that was seen.
    pub(crate) at: DateTime<Utc>,
    /// The exit, and the source.
    pub(crate) exit: ProcessExit,
    /// The same in words, as an earlier bf-monitor put it.
    pub(crate) message: Option<String>,
    /// Seconds from its start to its end.
    pub(crate) elapsed_seconds: Option<f64>,
    /// Whether a core was dumped.
    #[serde(default)]
    pub(crate) core_dumped: bool,
    /// OOM kills that the control group counted meanwhile, if the record says.
    #[serde(default)]
    pub(crate) oom_kills: Option<u64>,
    /// Why so little is known.
    #[serde(default)]
    pub(crate) doubt: Option<String>,
}

impl Exited {
    /// How the job ended, as reported by `source`.
    pub(crate) fn info(&self, source: ExitSource, elapsed: Option<Duration>) -> ExitInfo {
        ExitInfo {
            oom_kills: self.oom_kills,
            ..ExitInfo::known(self.status(), source, elapsed)
        }
    }
}

impl ExitInfo {
    /// An end that a wait status tells.
    pub(crate) fn known(status: ExitStatus, source: ExitSource, elapsed: Option<Duration>) -> Self {
        use std::os::unix::process::ExitStatusExt;
        Self {
            exit: process_exit(status, source),
            core_dumped: status.core_dumped(),
            ..Self::unknown(None, elapsed)
        }
    }

    /// An end that was not seen.
    pub(crate) fn unknown(doubt: Option<String>, elapsed: Option<Duration>) -> Self {
        Self {
            at: Utc::now(),
            exit: ProcessExit::unknown(ExitSource::Unknown),
            message: None,
            elapsed_seconds: elapsed.map(|elapsed| elapsed.as_secs_f64()),
            core_dumped: false,
            oom_kills: None,
            doubt,
        }
    }

    /// From its start to its end.
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.elapsed_seconds?).ok()
    }
}

/// What was seen of the end so far.
#[derive(Debug)]
pub(crate) struct ExitDetector {
    shim: Option<Shim>,
    record: Option<PathBuf>,
    zombie: Option<Zombie>,
    reaped_since: Option<Duration>,
    deadline: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Zombie {
    since: Duration,
    status: Option<ExitStatus>,
}

impl ExitDetector {
    /// Nothing was seen yet.
    pub(crate) fn new(shim: Option<Shim>, record: Option<PathBuf>) -> Self {
        Self {
            shim,
            record,
            zombie: None,
            reaped_since: None,
            deadline: None,
        }
    }

    /// Asks whether the process has ended.
    pub(crate) fn ask(&mut self, now: Duration, process: &Process) -> Option<ExitInfo> {
        if let Some(end) = self.ask_shim(process) {
            return Some(end);
        }
        match process.life() {
            Life::Running => None,
            Life::Zombie => self.zombie(now, process),
            Life::Reaped => self.reaped(now, process),
        }
    }

    fn ask_shim(&mut self, process: &Process) -> Option<ExitInfo> {
        let shim = self.shim.as_mut()?;
        if !shim.has_news(Duration::ZERO) {
            return None;
        }
        match shim.read_exit() {
            Some(exited) => Some(exited.info(ExitSource::Child, process.age())),
            None => {
                // The shim was killed. The kernel will tell us.
                self.shim = None;
                None
            }
        }
    }

    fn zombie(&mut self, now: Duration, process: &Process) -> Option<ExitInfo> {
        let zombie = *self.zombie.get_or_insert_with(|| Zombie {
            since: now,
            // Read at once: if the kernel keeps no record, this is the only chance.
            status: match process.zombie_status() {
                ZombieStatus::Known(status) => Some(status),
                ZombieStatus::Hidden | ZombieStatus::None => None,
            },
        });
        let grace = if zombie.status.is_some() && self.shim.is_none() {
            REAP_GRACE
        } else {
            LONG_GRACE
        };
        if now < zombie.since + grace {
            self.deadline = Some(zombie.since + grace);
            return None;
        }
        let elapsed = process.age();
        Some(match zombie.status {
            Some(status) => ExitInfo::known(status, ExitSource::Zombie, elapsed),
            None => ExitInfo::unknown(
                Some("an unreaped zombie, and this user may not see how it ended".to_owned()),
                elapsed,
            ),
        })
    }

    fn reaped(&mut self, now: Duration, process: &Process) -> Option<ExitInfo> {
        let since = *self.reaped_since.get_or_insert(now);
        if self.shim.is_some() && now < since + SHIM_GRACE {
            self.deadline = Some(since + SHIM_GRACE);
            return None;
        }
        let elapsed = process.age();
        if let Some(status) = process.exit_status() {
            return Some(ExitInfo::known(status, ExitSource::Pidfd, elapsed));
        }
        if let Some(status) = self.zombie.and_then(|zombie| zombie.status) {
            return Some(ExitInfo::known(status, ExitSource::Zombie, elapsed));
        }
        if let Some((_, exited)) = self.record.as_deref().and_then(await_exit) {
            return Some(exited.info(ExitSource::Record, elapsed));
        }
        Some(ExitInfo::unknown(
            Some("this kernel keeps no record of how a process ended".to_owned()),
            elapsed,
        ))
    }

    /// When to ask again at the latest.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Whether it was seen as a zombie.
    pub(crate) fn saw_zombie(&self) -> bool {
        self.zombie.is_some()
    }

    /// The shim, as long as it has something to report.
    pub(crate) fn shim(&self) -> Option<&Shim> {
        self.shim.as_ref()
    }

    /// Hands the shim over, to wait for its exit.
    pub(crate) fn take_shim(&mut self) -> Option<Shim> {
        self.shim.take()
    }
}
