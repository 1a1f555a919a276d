//! The parser: bytes in, what the log claims out.

mod snapshot;

use bf_contract::{DoubtKind, LedgerEntry, LogFile, LogState, LogSummary};

use crate::Dialects;
use crate::dialect::event::{Event, Reading};
use crate::explain::Trace;
use crate::log_end::LogEnd;
use crate::scan::{Scanner, State};
use crate::summary;
use crate::unknown_prefix::UnknownPrefix;
pub use snapshot::Snapshot;

/// Bytes after the first line that any dialect reads, within which it is decided which one the log is in.
const DECIDED_WITHIN: u64 = 4 * 1024 * 1024;

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
    scanner: Scanner,
    /// Where bf started another attempt of the job, in bytes, the last one first.
    attempts: Vec<u64>,
    /// The job whose lines count, if one was asked for.
    job: Option<String>,
}

/// Where a person is shown what each line says.
pub(crate) type Observer<'a> = Option<&'a mut dyn FnMut(&Trace<'_>)>;

impl LogParser {
    /// A parser that has read nothing yet.
    #[must_use]
    pub fn new(dialects: Dialects) -> Self {
        let known = Snapshot::new(&dialects);
        Self::of(dialects, known)
    }

    fn of(dialects: Dialects, mut known: Snapshot) -> Self {
        known.promise(&dialects);
        let scanner = match known.decided {
            Some(place) => Scanner::of(&dialects, [place]),
            None => Scanner::of(&dialects, dialects.tried()),
        };
        Self {
            known,
            scanner,
            dialects,
            attempts: Vec::new(),
            job: None,
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

    /// Picks one of several jobs in a log whose lines name their job.
    #[must_use]
    pub fn of_job(mut self, job: Option<String>) -> Self {
        self.job = job;
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
        for (_, lanes) in &mut self.known.custom {
            lanes.begin_attempt();
        }
    }

    /// As [`LogParser::feed`]; `observer` sees every line that says something.
    pub(crate) fn feed_observed(&mut self, piece: &[u8], mut observer: Observer<'_>) {
        let mut piece = piece;
        while let Some(offset) = self.attempts.last().copied() {
            let before = offset.checked_sub(self.bytes());
            let Some(before) = before.and_then(|before| usize::try_from(before).ok()) else {
                self.attempts.pop();
                continue;
            };
            let Some((first, rest)) = piece.split_at_checked(before) else {
                break;
            };
            self.feed_piece(first, &mut observer);
            self.attempts.pop();
            self.begin_attempt();
            piece = rest;
        }
        self.feed_piece(piece, &mut observer);
    }

    fn feed_piece(&mut self, piece: &[u8], observer: &mut Observer<'_>) {
        let Self {
            dialects,
            known,
            scanner,
            ..
        } = self;
        known.blank = known.blank
            && piece
                .iter()
                .all(|byte| byte.is_ascii_whitespace() || *byte == 0);
        let first = memchr::memchr3(b'\n', b'\r', 0, piece);
        let last = memchr::memrchr3(b'\n', b'\r', 0, piece);
        let Some((from, to)) = first.zip(last).map(|(first, last)| (first + 1, last + 1)) else {
            known.splitter.feed(piece, |_, _| {});
            return;
        };
        let mut state = std::mem::take(&mut known.state);
        let mut has_read = false;
        let mut take = |known: &mut Snapshot, reading: &Reading, text: &[u8], number| {
            // Of a line that no rule reads nothing is shown but its count.
            let is_read = !matches!(reading.event, Event::UnreadError(_));
            has_read |= is_read;
            if !is_read {
                known.take(reading, text, number);
                return;
            }
            observe(dialects, observer, number, reading, text);
            known.take(reading, text, number);
        };
        // The line that began in the piece before.
        let mut splitter = std::mem::take(&mut known.splitter);
        splitter.feed(&piece[..from], |line, number| {
            scanner.line(
                line,
                true,
                0,
                dialects,
                &mut state,
                &mut |reading, text, _| {
                    take(known, reading, text, number);
                },
            );
            known.seek_prefix(line, number, dialects);
        });
        let whole = &piece[from..to];
        let before = splitter.line_feeds() + 1;
        let line_feeds = scanner.scan(whole, dialects, &mut state, &mut |reading, text, feeds| {
            take(known, reading, text, before + feeds);
        });
        if splitter.bytes() < DECIDED_WITHIN {
            known.seek_prefix(whole, before, dialects);
        }
        splitter.pass(to - from, line_feeds, whole.last().copied());
        splitter.feed(&piece[to..], |_, _| {});
        known.splitter = splitter;
        known.state = state;
        known.count_readers();
        self.decide(whole, has_read, before);
    }

    /// Once enough was read, one dialect is left. Later lines of another one are a doubt.
    fn decide(&mut self, piece: &[u8], has_read: bool, number: u64) {
        let known = &mut self.known;
        match (known.decided, known.first_match) {
            (None, Some(first)) if known.splitter.bytes() > first + DECIDED_WITHIN => {
                known.count_readers();
                let place = known.best(&self.dialects, self.job.as_deref());
                known.decided = Some(place);
                self.scanner = Scanner::of(&self.dialects, [place]);
            }
            (Some(place), _) if !has_read && piece.len() > 32 * 1024 => {
                let others = self.dialects.tried().into_iter().filter(|at| *at != place);
                let mut scanner = Scanner::of(&self.dialects, others);
                let mut found = (0, 0);
                scanner.scan(
                    piece,
                    &self.dialects,
                    &mut State::default(),
                    &mut |reading, _, feeds| {
                        let is_outcome = matches!(
                            reading.event,
                            Event::Failure { date: Some(_), .. }
                                | Event::Success { date: Some(_), .. }
                        );
                        if is_outcome {
                            found.1 = if found.0 == 0 {
                                number + feeds
                            } else {
                                found.1
                            };
                            found.0 += 1;
                        }
                    },
                );
                if let Some((lines, first)) = known.unread.get_mut(place) {
                    *first = if *lines == 0 { found.1 } else { *first };
                    *lines += found.0;
                }
            }
            _ => {}
        }
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
        let job = self.job.as_deref();
        self.with_last_line(|known| {
            let place = known.best(&self.dialects, job);
            let rules = self.dialects.all().get(place);
            let history = known.history(place, job);
            let name = self.dialects.name(place);
            let mut summary = summary::summary(history, name, known.blank, end, log);
            if let Some(rules) = rules
                && summary.job.is_none()
            {
                summary.job.clone_from(&rules.job);
            }
            if summary.state == LogState::Unknown {
                let prefix = known.unknown_prefix.as_ref().map(UnknownPrefix::note);
                summary.notes.extend(prefix);
                summary
                    .notes
                    .push(summary::what_was_looked_for(&self.dialects));
            }
            if let Some((_, lanes)) = known.custom.get(place)
                && lanes.names().count() > 1
            {
                let names: Vec<&str> = lanes.names().collect();
                summary.notes.push(format!(
                    "the log holds the jobs {}; --job picks one",
                    names.join(", ")
                ));
            }
            if self.dialects.named().is_none() {
                summary.doubts.extend(known.other_dialect(place));
            }
            summary.notes.extend(known.notes.iter().cloned());
            summary
        })
    }

    /// What the log says of each date so far, sorted.
    #[must_use]
    pub fn ledger(&self, end: LogEnd) -> Vec<LedgerEntry> {
        let job = self.job.as_deref();
        self.with_last_line(|known| {
            let place = known.best(&self.dialects, job);
            summary::ledger(known.history(place, job), end)
        })
    }

    /// Whether its lines come from the newest to the oldest.
    pub(crate) fn is_falling(&self) -> bool {
        self.summary(LogEnd::StillWritten)
            .doubts
            .iter()
            .any(|doubt| doubt.kind == DoubtKind::FallingOrder)
    }

    /// Whether the last run says one word for each date and never that it has finished, and nothing before it was
    /// left unfinished.
    pub(crate) fn lacks_only_an_end(&self) -> bool {
        let job = self.job.as_deref();
        self.with_last_line(|known| {
            let place = known.best(&self.dialects, job);
            known.history(place, job).lacks_only_an_end()
        })
    }

    fn with_last_line<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        if self.known.splitter.unfinished().is_empty() && self.known.readers.of.is_empty() {
            return look(&self.known);
        }
        let mut known = self.known.clone();
        known.count_readers();
        if !self.known.splitter.unfinished().is_empty() {
            let rest = known.splitter.unfinished().to_vec();
            Self::read_rest(
                &mut known,
                &mut self.scanner.clone(),
                &self.dialects,
                &rest,
                false,
            );
        }
        look(&known)
    }

    /// Reads a last line that has no end.
    fn read_rest(
        known: &mut Snapshot,
        scanner: &mut Scanner,
        dialects: &Dialects,
        rest: &[u8],
        complete: bool,
    ) {
        let number = known.splitter.line_feeds() + 1;
        let mut state = std::mem::take(&mut known.state);
        scanner.line(
            rest,
            complete,
            0,
            dialects,
            &mut state,
            &mut |reading, text, _| {
                known.take(reading, text, number);
            },
        );
        known.state = state;
        known.count_readers();
    }

    /// What the parser knows, to resume from later.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.known.clone()
    }

    /// Resumes from `snapshot`. Dialects are found again by their names; one that is new knows nothing of what
    /// was read before.
    #[must_use]
    pub fn restore(dialects: Dialects, snapshot: Snapshot) -> Self {
        let known = snapshot.for_dialects(&dialects);
        Self::of(dialects, known)
    }

    /// Adds to [`LogSummary::notes`] what the bytes alone do not tell.
    pub fn note(&mut self, note: impl Into<String>) {
        self.known.notes.push(note.into());
    }

    /// The log was rotated or truncated: what follows is the beginning of another file. The ledger and the
    /// runs stay; the last line of the old file ends where that file ended.
    pub fn next_file(&mut self) {
        if !self.known.splitter.unfinished().is_empty() {
            let rest = self.known.splitter.take_unfinished();
            Self::read_rest(
                &mut self.known,
                &mut self.scanner,
                &self.dialects,
                &rest,
                false,
            );
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
        let rules = dialects.all().get(reading.dialect);
        let rule = match reading.rule {
            None => "error without a rule",
            Some(at) => rules.map_or("?", |rules| rules.rule(at)),
        };
        observer(&Trace {
            line: number,
            dialect: rules.map_or("?", |rules| rules.name.as_str()),
            rule,
            reading,
            text: line,
        });
    }
}
