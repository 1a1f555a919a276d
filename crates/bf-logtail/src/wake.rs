//! inotify, through notify: wakes the watcher when its log grows, is renamed, truncated or created.
//!
//! Only speed depends on it. Where it does not work (network file systems, no watches left) the poll finds
//! everything, only later.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A watch on a log, with a descriptor that becomes readable.
pub struct Wake {
    watcher: RecommendedWatcher,
    woken: UnixStream,
    armed: Arc<AtomicBool>,
    log: PathBuf,
    watched: Option<PathBuf>,
}

impl Wake {
    /// Watches the log, or its folder until the log is there. `None` where the system gives no watch.
    #[must_use]
    pub fn new(log: &Path) -> Option<Self> {
        let (woken, wake) = UnixStream::pair().ok()?;
        woken.set_nonblocking(true).ok()?;
        wake.set_nonblocking(true).ok()?;
        let armed = Arc::new(AtomicBool::new(true));
        let may_wake = Arc::clone(&armed);
        let handler = move |event: notify::Result<Event>| {
            let wakes = match event.map(|event| event.kind) {
                // Something opened or closed it, perhaps bf itself.
                Ok(EventKind::Access(_)) => false,
                // More of it: reported once, until the watcher asks for more.
                Ok(EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any)) => {
                    may_wake.swap(false, Ordering::SeqCst)
                }
                // Renamed, deleted, created, or events were lost.
                Ok(_) | Err(_) => true,
            };
            if wakes {
                // A full pipe wakes as well.
                let _ = (&wake).write(&[1]);
            }
        };
        let mut this = Self {
            watcher: notify::recommended_watcher(handler).ok()?,
            woken,
            armed,
            log: log.to_owned(),
            watched: None,
        };
        this.rewatch();
        Some(this)
    }

    /// Watches what is at the log's path now: the file, or the folder if there is no file. To be called
    /// after every change of the file; read the file again afterwards.
    pub fn rewatch(&mut self) {
        let folder = match self.log.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        if let Some(path) = self.watched.take() {
            // The watch of a deleted file is gone already.
            let _ = self.watcher.unwatch(&path);
        }
        for path in [self.log.clone(), folder] {
            if self
                .watcher
                .watch(&path, RecursiveMode::NonRecursive)
                .is_ok()
            {
                self.watched = Some(path);
                return;
            }
        }
    }

    /// Whether the file itself is watched, and not its folder.
    #[must_use]
    pub fn watches_the_file(&self) -> bool {
        self.watched.as_ref() == Some(&self.log)
    }

    /// Whether it wakes within `limit`.
    #[must_use]
    pub fn is_woken_within(&self, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).ok();
        let mut fds = [PollFd::new(&self.woken, PollFlags::IN)];
        poll(&mut fds, limit.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// Takes note of having been woken.
    pub fn clear(&self) {
        let _ = (&self.woken).read(&mut [0; 64]);
    }

    /// Asks to be woken by the next growth.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}
