//! The parser: bytes in, what the log claims out.

use bf_contract::{LedgerEntry, LogFile, LogSummary};
use serde::{Deserialize, Serialize};

use crate::grammar;
use crate::history::History;
use crate::split::Splitter;
use crate::summary;

/// Whether more of the log is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEnd {
    /// The job may write on, as far as anybody knows: a run without its end marker is running.
    StillWritten,
    /// The job is gone: a run without its end marker was interrupted.
    WriterGone,
}

/// Reads a log piece by piece, in memory that depends on the dates in it and not on its size. Where the
/// pieces are cut makes no difference, down to the middle of a character.
///
/// ```
/// use bf_parse_log::{Dialects, LogEnd, LogParser};
///
/// let mut parser = LogParser::new(Dialects::built_in());
/// parser.feed(b"INFO:__main__:Processing day 1/2: 2024-01-01\nINFO:__main__:  \xE2\x9C\x93 Succ");
/// parser.feed(b"ess: 16 records\n");
/// let summary = parser.summary(LogEnd::StillWritten);
/// assert_eq!((summary.successful_days, summary.total_records), (1, 16));
/// ```
#[derive(Debug, Clone)]
pub struct LogParser {
    splitter: Splitter,
    history: History,
    /// Whether nothing but white space was seen.
    blank: bool,
    path: String,
    from_byte: u64,
}

/// Everything a [`LogParser`] knows, to be kept in a file: another process goes on with
/// [`LogParser::restore`] where this one stopped, also in a log that has been rotated since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    splitter: Splitter,
    history: History,
    blank: bool,
    path: String,
    from_byte: u64,
}

/// The dialects that a log may be in: the built-in ones, and those of a config.
#[derive(Debug, Clone, Default)]
pub struct Dialects {}

impl Dialects {
    /// The built-in dialects alone.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }
}

impl LogParser {
    /// A parser that has read nothing yet.
    #[must_use]
    pub fn new(_dialects: Dialects) -> Self {
        Self {
            splitter: Splitter::new(),
            history: History::default(),
            blank: true,
            path: String::new(),
            from_byte: 0,
        }
    }

    /// Says where the bytes come from, for [`LogSummary::log`].
    #[must_use]
    pub fn of_log(mut self, path: impl Into<String>, from_byte: u64) -> Self {
        self.path = path.into();
        self.from_byte = from_byte;
        self
    }

    /// Takes in the next bytes of the log.
    pub fn feed(&mut self, piece: &[u8]) {
        self.blank = self.blank
            && piece
                .iter()
                .all(|byte| byte.is_ascii_whitespace() || *byte == 0);
        let history = &mut self.history;
        self.splitter.feed(piece, |line, _| {
            history.take(&grammar::read(line, true), line);
        });
    }

    /// Bytes taken in so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.splitter.bytes()
    }

    /// What the log claims so far. An unfinished last line counts as far as it can be understood.
    #[must_use]
    pub fn summary(&self, end: LogEnd) -> LogSummary {
        let log = LogFile {
            path: self.path.clone(),
            bytes: self.splitter.bytes(),
            lines: self.splitter.lines(),
            from_byte: self.from_byte,
        };
        self.with_last_line(|history| summary::summary(history, self.blank, end, log))
    }

    /// What the log says of each date so far, sorted.
    #[must_use]
    pub fn ledger(&self, end: LogEnd) -> Vec<LedgerEntry> {
        self.with_last_line(|history| summary::ledger(history, end))
    }

    fn with_last_line<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        let rest = self.splitter.unfinished();
        if rest.is_empty() {
            return look(&self.history);
        }
        let mut history = self.history.clone();
        history.take(&grammar::read(rest, false), rest);
        look(&history)
    }

    /// What the parser knows, to go on from later.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            splitter: self.splitter.clone(),
            history: self.history.clone(),
            blank: self.blank,
            path: self.path.clone(),
            from_byte: self.from_byte,
        }
    }

    /// Goes on from `snapshot`.
    #[must_use]
    pub fn restore(_dialects: Dialects, snapshot: Snapshot) -> Self {
        let Snapshot {
            splitter,
            history,
            blank,
            path,
            from_byte,
        } = snapshot;
        Self {
            splitter,
            history,
            blank,
            path,
            from_byte,
        }
    }

    /// Adds to [`LogSummary::notes`] what the bytes alone do not tell.
    pub fn note(&mut self, note: impl Into<String>) {
        self.history.past.note(note.into());
    }

    /// The log was rotated or cut: what follows is the beginning of another file. The ledger and the runs
    /// stay; the line that was being written when the old file ended does not.
    pub fn next_file(&mut self) {
        // Nothing of the old line belongs to the first line of the new file.
        self.feed(b"\n");
    }
}
