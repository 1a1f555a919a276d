//! The parser: bytes in, what the log claims out.

use bf_contract::{LedgerEntry, LogFile, LogSummary};
use serde::{Deserialize, Serialize};

use crate::Dialects;
use crate::dialects::Only;
use crate::explain::Trace;
use crate::line::escapes::clean;
use crate::line::split::Splitter;
use crate::run::history::History;
use crate::scan::{Reading, Scanned, read_line, scan};
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
    dialects: Dialects,
    known: Snapshot,
    /// Kept for its memory.
    scanned: Scanned,
    /// Where bf started another attempt of the job, in bytes, the last one first.
    attempts: Vec<u64>,
}

/// Everything a [`LogParser`] knows, to be kept in a file: another process goes on with
/// [`LogParser::restore`] where this one stopped, also in a log that has been rotated since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    splitter: Splitter,
    /// Whether a message owns a traceback that would follow now.
    owner: Option<bool>,
    /// What was read in the built-in dialects.
    built_in: History,
    /// What was read in each dialect of the config, by its name.
    custom: Vec<(String, History)>,
    /// Whether nothing but white space was seen.
    blank: bool,
    path: String,
    from_byte: u64,
    /// What others have to say of the reading.
    notes: Vec<String>,
}

impl Snapshot {
    fn new(dialects: &Dialects) -> Self {
        Self {
            splitter: Splitter::new(),
            owner: None,
            built_in: History::default(),
            custom: dialects
                .names()
                .map(|name| (name.to_owned(), History::default()))
                .collect(),
            blank: true,
            path: String::new(),
            from_byte: 0,
            notes: Vec::new(),
        }
    }

    /// The histories know what their dialects promise; a snapshot does not keep it.
    fn promise(&mut self, dialects: &Dialects) {
        for ((_, history), custom) in self.custom.iter_mut().zip(dialects.custom()) {
            history.promises = custom.promises();
        }
    }

    fn take(&mut self, reading: &Reading, line: &[u8], number: u64) {
        let history = match reading.dialect.checked_sub(1) {
            None => &mut self.built_in,
            Some(at) => match self.custom.get_mut(at) {
                Some((_, history)) => history,
                None => return,
            },
        };
        history.take(reading, line, number);
    }

    /// The dialect that has understood most of the log: the one with the most dates that came to an end.
    /// The built-in ones come first where others understood no more. Where one was named, that one.
    fn best(&self, dialects: &Dialects) -> (Option<&str>, &History) {
        match dialects.counts() {
            Some(Only::BuiltIn) => return (None, &self.built_in),
            Some(Only::Custom(at)) => {
                if let Some((name, history)) = self.custom.get(at) {
                    return (Some(name), history);
                }
            }
            None => {}
        }
        let score = |history: &History| (history.ledger.finished(), history.run.is_some());
        let mut best: (Option<&str>, &History) = (None, &self.built_in);
        for (name, history) in &self.custom {
            if score(history) > score(best.1) {
                best = (Some(name), history);
            }
        }
        best
    }
}

/// A piece of a log, cut where lines end, with what the whole lines in it say.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// Behind the first end of a line, and behind the last one; `None` where no line ends in the piece.
    whole: Option<(usize, usize)>,
    pub(crate) scanned: Scanned,
}

impl Cut {
    /// Cuts and scans. Needs to know nothing of the pieces before.
    pub(crate) fn fill(&mut self, piece: &[u8], dialects: &Dialects) {
        let first = memchr::memchr3(b'\n', b'\r', 0, piece);
        let last = memchr::memrchr3(b'\n', b'\r', 0, piece);
        self.whole = first.zip(last).map(|(first, last)| (first + 1, last + 1));
        let (from, to) = self.whole.unwrap_or_default();
        scan(&piece[from..to], dialects, &mut self.scanned);
    }
}

/// Where a person is shown what each line says.
pub(crate) type Observer<'a> = Option<&'a mut dyn FnMut(&Trace<'_>)>;

impl LogParser {
    /// A parser that has read nothing yet.
    #[must_use]
    pub fn new(dialects: Dialects) -> Self {
        let mut known = Snapshot::new(&dialects);
        known.promise(&dialects);
        Self {
            known,
            dialects,
            scanned: Scanned::default(),
            attempts: Vec::new(),
        }
    }

    /// Says where the bytes come from, for [`LogSummary::log`].
    #[must_use]
    pub fn of_log(mut self, path: impl Into<String>, from_byte: u64) -> Self {
        self.known.path = path.into();
        self.known.from_byte = from_byte;
        self
    }

    /// Says where, in bytes from where reading begins, bf itself started an attempt of the job: a run ends
    /// there, whatever the lines say.
    #[must_use]
    pub fn with_attempts_at(mut self, offsets: &[u64]) -> Self {
        self.attempts = offsets.to_vec();
        self.attempts.sort_unstable_by(|one, other| other.cmp(one));
        self
    }

    /// The dialects that it reads.
    #[must_use]
    pub fn dialects(&self) -> &Dialects {
        &self.dialects
    }

    /// Takes in the next bytes of the log.
    pub fn feed(&mut self, piece: &[u8]) {
        self.feed_observed(piece, None);
    }

    /// bf starts another attempt of the job here: the run that is going on ends.
    pub fn begin_attempt(&mut self) {
        self.next_file();
        let custom = self.known.custom.iter_mut().map(|(_, history)| history);
        for history in custom.chain([&mut self.known.built_in]) {
            history.begin_attempt();
        }
    }

    /// As [`LogParser::feed`]; `observer` sees every line that says something.
    pub(crate) fn feed_observed(&mut self, piece: &[u8], mut observer: Observer<'_>) {
        let mut piece = piece;
        while let Some(offset) = self.attempts.last().copied() {
            let Some(before) = offset.checked_sub(self.bytes()) else {
                self.attempts.pop();
                continue;
            };
            let Some((first, rest)) = usize::try_from(before)
                .ok()
                .and_then(|before| piece.split_at_checked(before))
            else {
                break;
            };
            match &mut observer {
                Some(observer) => self.feed_piece(first, Some(&mut **observer)),
                None => self.feed_piece(first, None),
            }
            self.attempts.pop();
            self.begin_attempt();
            piece = rest;
        }
        self.feed_piece(piece, observer);
    }

    fn feed_piece(&mut self, piece: &[u8], observer: Observer<'_>) {
        let mut cut = Cut {
            whole: None,
            scanned: std::mem::take(&mut self.scanned),
        };
        cut.fill(piece, &self.dialects);
        self.absorb(piece, &cut, observer);
        self.scanned = cut.scanned;
    }

    /// Takes in the next bytes of the log, which were cut and scanned before.
    pub(crate) fn absorb(&mut self, piece: &[u8], cut: &Cut, mut observer: Observer<'_>) {
        let known = &mut self.known;
        known.blank = known.blank
            && piece
                .iter()
                .all(|byte| byte.is_ascii_whitespace() || *byte == 0);
        let Some((from, to)) = cut.whole else {
            known.splitter.feed(piece, |_, _| {});
            return;
        };
        // The line that began in the piece before.
        let mut splitter = std::mem::take(&mut known.splitter);
        splitter.feed(&piece[..from], |line, number| {
            let mut owner = known.owner;
            let mut said = Vec::new();
            read_line(line, true, &self.dialects, &mut owner, &mut |reading| {
                said.push(reading);
            });
            known.owner = owner;
            for reading in &said {
                let line = clean(line);
                observe(&self.dialects, &mut observer, number, reading, &line);
                known.take(reading, &line, number);
            }
        });
        let whole = &piece[from..to];
        for item in &cut.scanned.items {
            let line = &whole[item.start..item.start + item.length];
            let mut reading = item.reading;
            reading.owned = reading.owned.or(known.owner);
            let number = splitter.line_feeds() + item.line_feeds + 1;
            if observer.is_some() {
                observe(
                    &self.dialects,
                    &mut observer,
                    number,
                    &reading,
                    &clean(line),
                );
            }
            if cut.scanned.has_escapes {
                known.take(&reading, &clean(line), number);
            } else {
                known.take(&reading, line, number);
            }
        }
        known.owner = cut.scanned.owner.or(known.owner);
        splitter.pass(to - from, cut.scanned.line_feeds, whole.last().copied());
        splitter.feed(&piece[to..], |_, _| {});
        known.splitter = splitter;
    }

    /// Bytes taken in so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.known.splitter.bytes()
    }

    /// What the log claims so far. An unfinished last line counts as far as it can be understood.
    #[must_use]
    pub fn summary(&self, end: LogEnd) -> LogSummary {
        let known = &self.known;
        let log = LogFile {
            path: known.path.clone(),
            bytes: known.splitter.bytes(),
            lines: known.splitter.lines(),
            from_byte: known.from_byte,
        };
        self.with_last_line(|known| {
            let (name, history) = known.best(&self.dialects);
            let mut summary = summary::summary(history, name, known.blank, end, log);
            if summary.state == bf_contract::LogState::Unknown {
                summary
                    .notes
                    .push(summary::what_was_looked_for(&self.dialects));
            }
            summary.notes.extend(known.notes.iter().cloned());
            summary
        })
    }

    /// What the log says of each date so far, sorted.
    #[must_use]
    pub fn ledger(&self, end: LogEnd) -> Vec<LedgerEntry> {
        self.with_last_line(|known| summary::ledger(known.best(&self.dialects).1, end))
    }

    /// Whether its lines come from the newest to the oldest.
    pub(crate) fn is_falling(&self) -> bool {
        self.summary(LogEnd::StillWritten)
            .doubts
            .iter()
            .any(|doubt| doubt.kind == bf_contract::DoubtKind::FallingOrder)
    }

    /// Whether the last run says one word for each date and never that it is over, and nothing before it was
    /// left unfinished.
    pub(crate) fn lacks_only_an_end(&self) -> bool {
        self.with_last_line(|known| known.best(&self.dialects).1.lacks_only_an_end())
    }

    fn with_last_line<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        let rest = self.known.splitter.unfinished();
        if rest.is_empty() {
            return look(&self.known);
        }
        let mut known = self.known.clone();
        let mut owner = known.owner;
        let number = known.splitter.line_feeds() + 1;
        read_line(rest, false, &self.dialects, &mut owner, &mut |reading| {
            known.take(&reading, &clean(rest), number);
        });
        look(&known)
    }

    /// What the parser knows, to go on from later.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.known.clone()
    }

    /// Goes on from `snapshot`. Dialects of the config are taken up by their names; one that is new knows
    /// nothing of what was read before.
    #[must_use]
    pub fn restore(dialects: Dialects, mut snapshot: Snapshot) -> Self {
        let mut before = std::mem::take(&mut snapshot.custom);
        snapshot.custom = dialects
            .names()
            .map(|name| {
                let history = before
                    .iter()
                    .position(|(other, _)| other == name)
                    .map(|at| before.swap_remove(at).1)
                    .unwrap_or_default();
                (name.to_owned(), history)
            })
            .collect();
        snapshot.promise(&dialects);
        Self {
            known: snapshot,
            dialects,
            scanned: Scanned::default(),
            attempts: Vec::new(),
        }
    }

    /// Adds to [`LogSummary::notes`] what the bytes alone do not tell.
    pub fn note(&mut self, note: impl Into<String>) {
        self.known.notes.push(note.into());
    }

    /// The log was rotated or cut: what follows is the beginning of another file. The ledger and the runs
    /// stay; the last line of the old file ends where that file ended.
    pub fn next_file(&mut self) {
        if !self.known.splitter.unfinished().is_empty() {
            let known = &mut self.known;
            let number = known.splitter.line_feeds() + 1;
            let rest = known.splitter.take_unfinished();
            let mut owner = known.owner;
            let mut said = Vec::new();
            read_line(&rest, false, &self.dialects, &mut owner, &mut |reading| {
                said.push(reading);
            });
            known.owner = owner;
            for reading in &said {
                known.take(reading, &clean(&rest), number);
            }
        }
    }
}

fn observe(
    dialects: &Dialects,
    observer: &mut Observer<'_>,
    number: u64,
    reading: &Reading,
    line: &[u8],
) {
    if let Some(observer) = observer {
        let dialect = reading
            .dialect
            .checked_sub(1)
            .and_then(|at| dialects.names().nth(at));
        observer(&Trace {
            line: number,
            dialect,
            reading,
            text: line,
        });
    }
}
