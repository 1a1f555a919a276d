//! A log that is still being written: its bytes as they come, over rotation and truncation.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use bf_cli::{Context, Failure, Interrupt, Interrupts};
use bf_logtail::{Change, Follower, Tail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::LogParser;

/// What happened to the log since it was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    /// It is not there yet.
    Missing,
    /// Nothing.
    Nothing,
    /// It has grown.
    Grown,
    /// Another file took its place.
    Rotated,
    /// It was truncated, and is read from its beginning.
    Truncated,
}

/// A log that is read to its end again and again.
pub(crate) struct FollowedLog {
    interrupts: Interrupts,
    tail: Tail,
    began: Instant,
}

impl FollowedLog {
    /// Follows the log at `path` from this byte on; it need not exist yet.
    ///
    /// # Errors
    /// It is there and cannot be read, or the process has no descriptors left.
    pub(crate) fn open(path: &Path, from_byte: u64) -> Result<Self, Failure> {
        let follower = Follower::from_byte(path, from_byte)
            .or_could_not_check(|| format!("reading {}", path.display()))?;
        Ok(Self {
            interrupts: Interrupts::install()?,
            tail: Tail::new(path, follower),
            began: Instant::now(),
        })
    }

    /// Takes in what is new.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub(crate) fn pump(&mut self, parser: &mut LogParser) -> io::Result<Happened> {
        let before = parser.bytes();
        let mut feed = |bytes: &[u8]| parser.feed(bytes);
        let changes = self.tail.read(self.began.elapsed(), &mut feed)?;
        // An unfinished line counts as far as it can be understood; its rest continues it.
        self.tail.follower_mut().emit_partial_line(&mut feed);
        let happened = changes.iter().rev().find_map(|change| match change {
            Change::Appeared => None,
            Change::Rotated { .. } | Change::Lost => Some(Happened::Rotated),
            Change::Truncated { .. } => Some(Happened::Truncated),
        });
        Ok(match happened {
            Some(happened) => happened,
            None if parser.bytes() > before => Happened::Grown,
            None if !self.tail.follower().has_appeared() => Happened::Missing,
            None => Happened::Nothing,
        })
    }

    /// Sleeps until the log changes or the tool is asked to end, at most `limit`: some file systems report no
    /// change.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<Interrupt> {
        let until_due = self
            .tail
            .due_at()
            .map(|due| due.saturating_sub(self.began.elapsed()));
        let limit = until_due.map_or(limit, |due| due.min(limit));
        let mut fds = vec![PollFd::new(&self.interrupts, PollFlags::IN)];
        if let Some(wake) = self.tail.wake_fd() {
            fds.push(PollFd::from_borrowed_fd(wake, PollFlags::IN));
        }
        let mut is_woken = false;
        if self.interrupts.pending().is_none() {
            // An error is an early return; the caller's loop asks again.
            let ready = poll(&mut fds, Timespec::try_from(limit).ok().as_ref()).unwrap_or(0);
            is_woken = ready > 0 && fds.get(1).is_some_and(|wake| !wake.revents().is_empty());
        }
        if is_woken {
            self.tail.set_woken();
        }
        self.interrupts.pending()
    }
}

#[cfg(test)]
mod tests {
    use super::{FollowedLog, Happened};
    use crate::{Dialects, LogEnd, LogParser};
    use std::fs::OpenOptions;
    use std::io::Write;

    fn day(index: u32) -> String {
        format!(
            "INFO:__main__:Processing day {index}/9: 2024-01-0{index}\nINFO:__main__:  ✓ Success: 16 records\n"
        )
    }

    fn append(path: &std::path::Path, text: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("a log");
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn no_line_is_lost_or_read_twice_over_rotation_and_truncation() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.log");
        let mut parser = LogParser::new(Dialects::built_in());
        let mut log = FollowedLog::open(&path, 0).expect("a follower");
        let mut pump = |parser: &mut LogParser| log.pump(parser).expect("readable");

        assert_eq!(pump(&mut parser), Happened::Missing);
        append(&path, &day(1));
        assert_eq!(pump(&mut parser), Happened::Grown);
        assert_eq!(pump(&mut parser), Happened::Nothing);

        // Renamed, written on under the new name, and replaced.
        append(&path, &day(2));
        std::fs::rename(&path, folder.path().join("x.log.1")).expect("renamed");
        append(&folder.path().join("x.log.1"), &day(3));
        append(&path, &day(4));
        assert_eq!(pump(&mut parser), Happened::Rotated);

        // Truncated while another process has it open.
        std::fs::write(&path, "").expect("cut");
        append(&path, &day(5));
        assert_eq!(pump(&mut parser), Happened::Truncated);
        // Written anew, and longer than before.
        std::fs::write(&path, format!("{}{}", day(6), day(7))).expect("written anew");
        assert_eq!(pump(&mut parser), Happened::Truncated);

        let summary = parser.summary(LogEnd::StillWritten);
        assert_eq!(summary.successful_days, 7);
        assert!(
            parser
                .ledger(LogEnd::StillWritten)
                .iter()
                .all(|entry| entry.attempts == 1)
        );
    }
}
