//! What a log claims: bf-parse-log's parser, behind the few calls that are needed here.

use bf_cli::Failure;
use bf_config::Dialect;
use bf_contract::LogSummary;
use bf_parse_log::{LogEnd, LogParser};
use serde::{Deserialize, Serialize};

/// Whether more can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The job still runs.
    Alive,
    /// The job is over.
    Gone,
}

/// The dialects that a log may be in.
#[derive(Debug, Clone)]
pub struct Dialects(bf_parse_log::Dialects);

/// A parser as it is kept in a state file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot(bf_parse_log::Snapshot);

/// A parser that is fed whole lines, whichever file they stood in.
#[derive(Debug)]
pub struct Claims {
    parser: LogParser,
}

impl Dialects {
    /// The built-in dialects and those of the config.
    ///
    /// # Errors
    /// A dialect of the config is none (exit 2).
    pub fn new(configured: &[Dialect]) -> Result<Self, Failure> {
        bf_parse_log::Dialects::with(configured).map(Self)
    }

    /// The same, of which only the named one counts.
    ///
    /// # Errors
    /// There is none of that name (exit 2).
    pub fn only(self, name: &str) -> Result<Self, Failure> {
        self.0.only(name).map(Self)
    }
}

impl Claims {
    /// A parser that has read nothing yet.
    #[must_use]
    pub fn new(dialects: &Dialects) -> Self {
        Self {
            parser: LogParser::new(dialects.0.clone()),
        }
    }

    /// A parser that goes on where it was left.
    #[must_use]
    pub fn restore(snapshot: &Snapshot, dialects: &Dialects) -> Self {
        Self {
            parser: LogParser::restore(dialects.0.clone(), snapshot.0.clone()),
        }
    }

    /// Begins anew, in the same dialects.
    pub fn forget(&mut self) {
        self.parser = LogParser::new(self.parser.dialects().clone());
    }

    /// What the parser knows, to be kept.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.parser.snapshot())
    }

    /// Takes in the next lines.
    pub fn feed(&mut self, lines: &[u8]) {
        self.parser.feed(lines);
    }

    /// Bytes taken in so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parser.bytes()
    }

    /// What the log claims so far.
    #[must_use]
    pub fn summary(&self, writer: Writer) -> LogSummary {
        self.parser.summary(match writer {
            Writer::Alive => LogEnd::StillWritten,
            Writer::Gone => LogEnd::WriterGone,
        })
    }
}
