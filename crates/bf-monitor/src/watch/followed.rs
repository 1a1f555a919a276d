//! The log while it is watched: when to read it, and what is wrong with it.

use std::time::Duration;

use bf_logtail::{Change, Wake};

use crate::log::Log;
use crate::sys::monotonic;

/// Between two readings of a log that is being written to.
const PAUSE: Duration = Duration::from_secs(1);
/// Before a log that stays empty is worth a word, however often it is looked at.
const LEAST_EMPTY: Duration = Duration::from_secs(2);

/// A log with its watch.
pub struct Followed {
    /// The log.
    pub log: Log,
    began: Duration,
    wake: Option<Wake>,
    woken: bool,
    due_at: Option<Duration>,
    grew_at: Option<Duration>,
    problem: Option<String>,
    said_problem: bool,
    warned: bool,
}

impl Followed {
    /// Begins to watch a log.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self {
            began: monotonic(),
            wake: Wake::new(log.path()),
            log,
            woken: false,
            due_at: None,
            grew_at: None,
            problem: None,
            said_problem: false,
            warned: false,
        }
    }

    /// The descriptor's owner, to wait for.
    #[must_use]
    pub fn wake(&self) -> Option<&Wake> {
        self.wake.as_ref()
    }

    /// Takes note of a wake-up.
    pub fn woken(&mut self) {
        if let Some(wake) = &self.wake {
            wake.clear();
        }
        self.woken = true;
    }

    /// Whether it is time to read.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.woken || self.due_at.is_some_and(|due| now >= due)
    }

    /// When to read again although nothing woke us.
    #[must_use]
    pub fn due_at(&self) -> Option<Duration> {
        self.due_at
    }

    /// Reads what is new. A busy log wakes us once, and then is read once a second until it is silent.
    pub fn read(&mut self, now: Duration) -> Vec<Change> {
        let before = self.log.bytes();
        let mut changes = self.read_once();
        self.woken = false;
        if let Some(wake) = &mut self.wake
            && (!changes.is_empty() || wake.watches_the_file() != self.log.is_at_its_path())
        {
            wake.rewatch();
            // What happened before the new watch was in place was not told.
            changes.extend(self.read_once());
        }
        self.grew_at.get_or_insert(now);
        if self.log.bytes() > before {
            self.grew_at = Some(now);
            self.due_at = Some(now + PAUSE);
        } else {
            self.due_at = None;
            if let Some(wake) = &self.wake {
                wake.arm();
                if self.log.has_more() {
                    self.due_at = Some(now); // it grew while nobody was to be woken
                }
            }
        }
        changes
    }

    fn read_once(&mut self) -> Vec<Change> {
        match self.log.catch_up() {
            Ok(changes) => {
                self.problem = None;
                changes
            }
            Err(error) => {
                self.problem = Some(error.to_string());
                Vec::new()
            }
        }
    }

    /// For how long nothing new was read.
    #[must_use]
    pub fn silent_for(&self, now: Duration) -> Duration {
        self.grew_at
            .map_or(Duration::ZERO, |grew| now.saturating_sub(grew))
    }

    /// Reads until nothing more comes. Only once the writer is gone.
    pub fn read_to_the_end(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        loop {
            let before = self.log.bytes();
            let new = self.read_once();
            let is_end = new.is_empty() && self.log.bytes() == before;
            changes.extend(new);
            if is_end {
                break;
            }
        }
        self.log.finish();
        changes
    }

    /// Why the log cannot be read, as of the last reading.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The same, once.
    pub fn new_problem(&mut self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        if std::mem::replace(&mut self.said_problem, true) {
            return None;
        }
        Some(format!(
            "reading the log {}: {problem}",
            self.log.path().display()
        ))
    }

    /// A warning, once, where there was nothing to read for a whole `interval`.
    pub fn warning_while_nothing_is_there(
        &mut self,
        now: Duration,
        interval: Duration,
    ) -> Option<String> {
        let is_early = now < self.began + interval.max(LEAST_EMPTY);
        if is_early || self.warned || self.problem.is_some() || self.log.bytes() > 0 {
            return None;
        }
        self.warned = true;
        let path = self.log.path().display();
        Some(if self.log.has_appeared() {
            format!("nothing of this run is in the log {path} yet; waiting for it")
        } else {
            format!("the log {path} is not there yet; waiting for it")
        })
    }
}
