//! The log of a job: followed, parsed, and shown.

mod tail;

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bf_contract::LogSummary;
use bf_logtail::{Change, Follower, Place, SavedSibling};
use bf_parse_log::{Dialects, LogEnd, LogParser, Snapshot};
use serde::{Deserialize, Serialize};

/// A log that is read as far as it goes, and what it claims so far.
pub struct Log {
    path: PathBuf,
    shown: String,
    follower: Follower,
    parser: LogParser,
    from_byte: u64,
}

/// A log's place and claims, as they are kept in a state file. Both are of the same moment, so that going
/// on from them reads no line twice and leaves none out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The log's path, absolute.
    pub path: PathBuf,
    /// The byte that this run began at.
    pub from_byte: u64,
    /// The open files, oldest first.
    pub places: Vec<Place>,
    /// The files beside the log, and which of them were read; null in files of an earlier version.
    #[serde(default)]
    pub siblings: Option<Vec<SavedSibling>>,
    /// The parser.
    pub claims: Snapshot,
}

impl Log {
    /// A log that is read from its first byte, or from `from` where that is given.
    #[must_use]
    pub fn new(path: &Path, from: Option<Place>, dialects: &Dialects) -> Self {
        Self {
            path: path.to_owned(),
            shown: path.to_string_lossy().into_owned(),
            follower: match from {
                Some(place) => Follower::resume(path, &[place], None),
                None => Follower::new(path),
            },
            parser: LogParser::new(dialects.clone()),
            from_byte: from.map_or(0, |place| place.offset),
        }
    }

    /// Takes up a log where it was left.
    #[must_use]
    pub fn resume(path: &Path, kept: &Kept, dialects: &Dialects) -> Self {
        Self {
            path: path.to_owned(),
            shown: path.to_string_lossy().into_owned(),
            follower: Follower::resume(path, &kept.places, kept.siblings.as_deref()),
            parser: LogParser::restore(dialects.clone(), kept.claims.clone()),
            from_byte: kept.from_byte,
        }
    }

    /// Forgets what was read so far: it is another run's.
    pub fn forget(&mut self) {
        self.parser = LogParser::new(self.parser.dialects().clone());
        self.from_byte = self
            .follower
            .places()
            .last()
            .map_or(0, |place| place.offset);
    }

    /// Shows the path as it was given.
    #[must_use]
    pub fn shown_as(mut self, given: &Path) -> Self {
        self.shown = given.to_string_lossy().into_owned();
        self
    }

    /// What is to be kept of it.
    #[must_use]
    pub fn keep(&self) -> Kept {
        Kept {
            path: self.path.clone(),
            from_byte: self.from_byte,
            places: self.follower.places(),
            siblings: Some(self.follower.save_siblings()),
            claims: self.parser.snapshot(),
        }
    }

    /// Reads what is new.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub fn catch_up(&mut self) -> io::Result<Vec<Change>> {
        let parser = &mut self.parser;
        self.follower.catch_up(&mut |bytes| parser.feed(bytes))
    }

    /// Reads the last, unfinished line, too. Only once the writer is gone and all else was read.
    pub fn finish(&mut self) {
        let parser = &mut self.parser;
        self.follower.finish(&mut |bytes| parser.feed(bytes));
    }

    /// What the log claims so far.
    #[must_use]
    pub fn summary(&self, end: LogEnd) -> LogSummary {
        let mut summary = self.parser.summary(end);
        summary.log.path.clone_from(&self.shown);
        summary.log.from_byte = self.from_byte;
        summary
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parser.bytes()
    }

    /// Whether the log was ever there.
    #[must_use]
    pub fn has_appeared(&self) -> bool {
        self.follower.has_appeared()
    }

    /// The log's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path as it was given.
    #[must_use]
    pub fn shown_path(&self) -> &str {
        &self.shown
    }

    /// Device and inode of what is at the path now.
    #[must_use]
    pub fn file_at_path(&self) -> Option<(u64, u64)> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }

    /// Whether the open file is what is at the path.
    #[must_use]
    pub fn is_at_its_path(&self) -> bool {
        let open = self.file();
        open.is_some() && open == self.file_at_path()
    }

    /// Whether there is something to read that was not there at the last reading.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.follower.has_more()
    }

    /// Device and inode of the open file.
    #[must_use]
    pub fn file(&self) -> Option<(u64, u64)> {
        let metadata = self.follower.current()?.metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    }

    /// The last lines, safe to show.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        self.follower
            .current()
            .map(|file| tail::last_lines(file, count))
            .unwrap_or_default()
    }
}
