//! A log with its watch: when to read it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use crate::{Change, Follower, Wake};

/// Between two passes over a log that is being written to.
const PAUSE: Duration = Duration::from_secs(1);

/// A log that is followed, and the watch that tells when it has changed. Times are those of any clock that the
/// caller keeps to.
pub struct Tail {
    follower: Follower,
    wake: Option<Wake>,
    is_woken: bool,
    due_at: Option<Duration>,
}

impl Tail {
    /// Watches the log at `path`, which `follower` reads.
    #[must_use]
    pub fn new(path: &Path, follower: Follower) -> Self {
        Self {
            follower,
            wake: Wake::new(path),
            is_woken: false,
            due_at: None,
        }
    }

    /// The follower.
    #[must_use]
    pub fn follower(&self) -> &Follower {
        &self.follower
    }

    /// The follower, to read the end.
    pub fn follower_mut(&mut self) -> &mut Follower {
        &mut self.follower
    }

    /// A descriptor that becomes readable when there is something to read; `None` if the system gives no watch.
    #[must_use]
    pub fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        self.wake.as_ref().map(AsFd::as_fd)
    }

    /// Notes that the descriptor became readable.
    pub fn set_woken(&mut self) {
        if let Some(wake) = &self.wake {
            wake.clear();
        }
        self.is_woken = true;
    }

    /// Whether it is time to read.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.is_woken || self.due_at.is_some_and(|due| now >= due)
    }

    /// When to read again, even if the descriptor stays silent.
    #[must_use]
    pub fn due_at(&self) -> Option<Duration> {
        self.due_at
    }

    /// Hands out every whole line that is new to `sink`. A busy log wakes once and is then read once a second, until
    /// a pass finds nothing new.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub fn read(&mut self, now: Duration, sink: &mut impl FnMut(&[u8])) -> io::Result<Vec<Change>> {
        self.is_woken = false;
        let mut bytes = 0;
        let mut count = |lines: &[u8]| {
            bytes += lines.len();
            sink(lines);
        };
        let mut changes = self.follower.catch_up(&mut count)?;
        if let Some(wake) = &mut self.wake
            && (!changes.is_empty() || wake.watches_the_file() != self.follower.is_at_its_path())
        {
            wake.rewatch();
            // What happened before the new watch was in place was not reported.
            changes.extend(self.follower.catch_up(&mut count)?);
        }
        self.due_at = None;
        if bytes > 0 {
            self.due_at = Some(now + PAUSE);
        } else if let Some(wake) = &self.wake {
            wake.arm();
            if self.follower.has_more() {
                self.due_at = Some(now); // it grew before the watch was armed
            }
        }
        Ok(changes)
    }
}
