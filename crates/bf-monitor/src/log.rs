//! The log of a job: when it is read, what it claims, and what is wrong with it.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bf_contract::{LedgerEntry, LogSummary};
use bf_logtail::{Change, Follower, Place, SavedSibling, Tail};
use bf_parse_log::{Dialects, LogEnd, LogParser, Snapshot};
use serde::{Deserialize, Deserializer, Serialize};

use crate::proc::monotonic;
use crate::tail;

/// Before a log that stays empty is reported, however often it is read.
const LEAST_EMPTY: Duration = Duration::from_secs(2);

/// A log that is read as far as it goes, and what it claims so far.
pub(crate) struct LogWatch {
    path: PathBuf,
    shown: String,
    tail: Tail,
    parser: LogParser,
    from_byte: u64,
    began: Duration,
    grew_at: Duration,
    problem: Option<String>,
    said_problem: bool,
    said_nothing_there: bool,
}

/// A log's place and claims, as the state file keeps them. Both are of the same moment, so that continuing from
/// them reads no line twice and leaves none out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedLog {
    /// The log's path, absolute.
    pub(crate) path: PathBuf,
    /// The byte that this run began at.
    pub(crate) from_byte: u64,
    /// The open files, oldest first.
    pub(crate) places: Vec<Place>,
    /// The files beside the log, and which of them were read; null in files of an earlier version.
    #[serde(default)]
    pub(crate) siblings: Option<Vec<SavedSibling>>,
    /// The parser; `None` if a bf-parse-log of another version saved it.
    #[serde(deserialize_with = "snapshot")]
    pub(crate) claims: Option<Snapshot>,
}

/// A parser's memory, if this version can read it: else the log is read again.
fn snapshot<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Snapshot>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

impl LogWatch {
    /// A log that is read from its first byte, or from `from` if that is given.
    pub(crate) fn new(path: &Path, from: Option<Place>, dialects: &Dialects) -> Self {
        let follower = match from {
            Some(place) => Follower::resume(path, &[place], None),
            None => Follower::new(path),
        };
        let from_byte = from.map_or(0, |place| place.offset);
        Self::with(path, follower, LogParser::new(dialects.clone()), from_byte)
    }

    /// Continues a log from where it was left.
    pub(crate) fn resume(path: &Path, saved: &SavedLog, dialects: &Dialects) -> Self {
        let Some(claims) = &saved.claims else {
            let follower =
                Follower::from_byte(path, saved.from_byte).unwrap_or_else(|_| Follower::new(path)); // it cannot be read, which is reported soon
            let parser = LogParser::new(dialects.clone());
            return Self::with(path, follower, parser, saved.from_byte);
        };
        let follower = Follower::resume(path, &saved.places, saved.siblings.as_deref());
        let parser = LogParser::restore(dialects.clone(), claims.clone());
        Self::with(path, follower, parser, saved.from_byte)
    }

    fn with(path: &Path, follower: Follower, parser: LogParser, from_byte: u64) -> Self {
        let now = monotonic();
        Self {
            path: path.to_owned(),
            shown: path.to_string_lossy().into_owned(),
            tail: Tail::new(path, follower),
            parser,
            from_byte,
            began: now,
            grew_at: now,
            problem: None,
            said_problem: false,
            said_nothing_there: false,
        }
    }

    /// Forgets what was read so far: it is another run's.
    pub(crate) fn forget(&mut self) {
        self.parser = LogParser::new(self.parser.dialects().clone());
        let places = self.tail.follower().places();
        self.from_byte = places.last().map_or(0, |place| place.offset);
    }

    /// bf starts another attempt of the job here: whatever run is in the log has ended.
    pub(crate) fn begin_attempt(&mut self) {
        self.parser.begin_attempt();
    }

    /// Shows the path as it was given.
    pub(crate) fn shown_as(mut self, given: &Path) -> Self {
        self.shown = given.to_string_lossy().into_owned();
        self
    }

    /// What the state file keeps of it.
    pub(crate) fn save(&self) -> SavedLog {
        let follower = self.tail.follower();
        SavedLog {
            path: self.path.clone(),
            from_byte: self.from_byte,
            places: follower.places(),
            siblings: Some(follower.save_siblings()),
            claims: Some(self.parser.snapshot()),
        }
    }

    /// Reads what is new, and returns what happened to the file.
    pub(crate) fn read(&mut self, now: Duration) -> Vec<Change> {
        let (before, parser) = (self.parser.bytes(), &mut self.parser);
        let read = self.tail.read(now, &mut |lines| parser.feed(lines));
        if self.parser.bytes() > before {
            self.grew_at = now;
        }
        self.changes(read)
    }

    /// Reads until nothing more comes, an unfinished last line included. Only once the writer is gone.
    pub(crate) fn read_to_the_end(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        loop {
            let (before, parser) = (self.parser.bytes(), &mut self.parser);
            let mut feed = |lines: &[u8]| parser.feed(lines);
            let follower = self.tail.follower_mut();
            let read = follower.catch_up(&mut feed);
            let new = self.changes(read);
            let is_end = new.is_empty() && self.parser.bytes() == before;
            changes.extend(new);
            if is_end {
                break;
            }
        }
        let parser = &mut self.parser;
        let follower = self.tail.follower_mut();
        follower.finish(&mut |bytes| parser.feed(bytes));
        changes
    }

    fn changes(&mut self, read: io::Result<Vec<Change>>) -> Vec<Change> {
        match read {
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

    /// A descriptor that becomes readable when there is something to read.
    pub(crate) fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        self.tail.wake_fd()
    }

    /// Notes that it became readable.
    pub(crate) fn set_woken(&mut self) {
        self.tail.set_woken();
    }

    /// Whether it is time to read.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.tail.is_due(now)
    }

    /// When to read again, even if the descriptor stays silent.
    pub(crate) fn due_at(&self) -> Option<Duration> {
        self.tail.due_at()
    }

    /// For how long nothing new was read.
    pub(crate) fn silent_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.grew_at)
    }

    /// What the log claims so far.
    pub(crate) fn summary(&self, end: LogEnd) -> LogSummary {
        let mut summary = self.parser.summary(end);
        summary.log.path.clone_from(&self.shown);
        summary.log.from_byte = self.from_byte;
        summary
    }

    /// What it claims of each date.
    pub(crate) fn ledger(&self, end: LogEnd) -> Vec<LedgerEntry> {
        self.parser.ledger(end)
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.parser.bytes()
    }

    /// The log's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path as it was given.
    pub(crate) fn shown_path(&self) -> &str {
        &self.shown
    }

    /// Device and inode of what is at the path now.
    pub(crate) fn file_at_path(&self) -> Option<(u64, u64)> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }

    /// Device and inode of the open file.
    pub(crate) fn file(&self) -> Option<(u64, u64)> {
        let id = self.tail.follower().file_id()?;
        Some((id.dev, id.ino))
    }

    /// The last lines, safe to show.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let file = self.tail.follower().current();
        file.map(|file| tail::last_lines(file, count))
            .unwrap_or_default()
    }

    /// Why the log cannot be read, as of the last reading.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The same, once.
    pub(crate) fn new_problem(&mut self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        if std::mem::replace(&mut self.said_problem, true) {
            return None;
        }
        Some(format!(
            "reading the log {}: {problem}",
            self.path.display()
        ))
    }

    /// A warning, once, if there was nothing to read for a whole `interval`.
    pub(crate) fn warning_while_nothing_is_there(
        &mut self,
        now: Duration,
        interval: Duration,
    ) -> Option<String> {
        let is_early = now < self.began + interval.max(LEAST_EMPTY);
        if is_early || self.said_nothing_there || self.problem.is_some() || self.bytes() > 0 {
            return None;
        }
        self.said_nothing_there = true;
        let path = self.path.display();
        Some(if self.tail.follower().has_appeared() {
            format!("the log {path} has nothing of this run yet; waiting for it")
        } else {
            format!("the log {path} does not exist yet; waiting for it")
        })
    }
}
