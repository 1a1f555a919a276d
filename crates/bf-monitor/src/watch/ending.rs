//! Learning that a process is over, and how it ended: the ladder of sources, the most certain first.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use bf_contract::{ExitSource, ProcessExit};

use crate::start::Keeper;
use crate::state::Ended;
use crate::subject::await_exit;
use crate::sys::{Life, Process, ZombieStatus};
use crate::words::process_exit;

/// How long a parent may take to ask after its zombie before the process table is believed.
const REAP_GRACE: Duration = Duration::from_millis(100);
/// The same where the process table hides the status, or where the keeper is the parent.
const LONG_GRACE: Duration = Duration::from_secs(10);
/// How long the keeper may take to tell an end that the kernel told already.
const KEEPER_GRACE: Duration = Duration::from_secs(1);

/// How a process ended, by itself.
#[derive(Debug, Clone)]
pub struct End {
    /// The exit, and who says so.
    pub exit: ProcessExit,
    /// Whether a core was dumped.
    pub core_dumped: bool,
    /// Kills for want of memory meanwhile, where the record says.
    pub oom_kills: Option<u64>,
    /// Why so little is known.
    pub doubt: Option<String>,
    /// From its start to its end.
    pub elapsed: Option<Duration>,
    /// The same as an earlier bf-monitor kept it.
    pub said_before: Option<Ended>,
}

impl End {
    /// An end that a wait status tells.
    #[must_use]
    pub fn known(status: ExitStatus, source: ExitSource, elapsed: Option<Duration>) -> Self {
        use std::os::unix::process::ExitStatusExt;
        Self {
            exit: process_exit(status, source),
            core_dumped: status.core_dumped(),
            oom_kills: None,
            doubt: None,
            elapsed,
            said_before: None,
        }
    }

    /// An end that nobody saw.
    #[must_use]
    pub fn unknown(doubt: Option<String>, elapsed: Option<Duration>) -> Self {
        Self {
            exit: ProcessExit::unknown(ExitSource::Unknown),
            core_dumped: false,
            oom_kills: None,
            doubt,
            elapsed,
            said_before: None,
        }
    }
}

/// What was seen of the end so far.
#[derive(Debug)]
pub struct Ending {
    keeper: Option<Keeper>,
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

impl Ending {
    /// Nothing was seen yet.
    #[must_use]
    pub fn new(keeper: Option<Keeper>, record: Option<PathBuf>) -> Self {
        Self {
            keeper,
            record,
            zombie: None,
            reaped_since: None,
            deadline: None,
        }
    }

    /// Asks whether it is over.
    pub fn ask(&mut self, now: Duration, process: &Process) -> Option<End> {
        if let Some(end) = self.ask_keeper(process) {
            return Some(end);
        }
        match process.life() {
            Life::Running => None,
            Life::Zombie => self.zombie(now, process),
            Life::Reaped => self.reaped(now, process),
        }
    }

    fn ask_keeper(&mut self, process: &Process) -> Option<End> {
        let keeper = self.keeper.as_mut()?;
        if !keeper.has_news(Duration::ZERO) {
            return None;
        }
        match keeper.read_exit() {
            Some(exited) => Some(End {
                oom_kills: exited.oom_kills,
                ..End::known(exited.status(), ExitSource::Child, process.age())
            }),
            None => {
                // The keeper was killed. The kernel will tell us.
                self.keeper = None;
                None
            }
        }
    }

    fn zombie(&mut self, now: Duration, process: &Process) -> Option<End> {
        let zombie = *self.zombie.get_or_insert_with(|| Zombie {
            since: now,
            // Read at once: where the kernel keeps no record, this is the only chance.
            status: match process.zombie_status() {
                ZombieStatus::Known(status) => Some(status),
                ZombieStatus::Hidden | ZombieStatus::None => None,
            },
        });
        let grace = if zombie.status.is_some() && self.keeper.is_none() {
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
            Some(status) => End::known(status, ExitSource::Zombie, elapsed),
            None => End::unknown(
                Some(
                    "it is a zombie that its parent does not ask after, and this user may not see how it ended"
                        .to_owned(),
                ),
                elapsed,
            ),
        })
    }

    fn reaped(&mut self, now: Duration, process: &Process) -> Option<End> {
        let since = *self.reaped_since.get_or_insert(now);
        if self.keeper.is_some() && now < since + KEEPER_GRACE {
            self.deadline = Some(since + KEEPER_GRACE);
            return None;
        }
        let elapsed = process.age();
        if let Some(status) = process.exit_status() {
            return Some(End::known(status, ExitSource::Pidfd, elapsed));
        }
        if let Some(status) = self.zombie.and_then(|zombie| zombie.status) {
            return Some(End::known(status, ExitSource::Zombie, elapsed));
        }
        if let Some((_, exited)) = self.record.as_deref().and_then(await_exit) {
            return Some(End {
                oom_kills: exited.oom_kills,
                ..End::known(exited.status(), ExitSource::Record, elapsed)
            });
        }
        Some(End::unknown(
            Some("this kernel keeps no record of how a process ended".to_owned()),
            elapsed,
        ))
    }

    /// When to ask again at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Whether it was seen as a zombie.
    #[must_use]
    pub fn saw_zombie(&self) -> bool {
        self.zombie.is_some()
    }

    /// The keeper, where it has something to tell yet.
    #[must_use]
    pub fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }

    /// Hands the keeper over, to be seen off.
    pub fn take_keeper(&mut self) -> Option<Keeper> {
        self.keeper.take()
    }
}
