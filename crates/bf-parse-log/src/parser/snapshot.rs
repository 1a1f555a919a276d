//! What a parser knows, and which of its dialects has understood most.

use bf_contract::{Doubt, DoubtKind};
use serde::{Deserialize, Serialize};

use crate::Dialects;
use crate::dialect::event::{Event, Reading};
use crate::lanes::Lanes;
use crate::line::split::Splitter;
use crate::run::history::History;
use crate::scan::State;
use crate::unknown_prefix::UnknownPrefix;

/// Everything that a [`LogParser`](crate::LogParser) knows, to be written to a file: another process resumes with
/// [`LogParser::restore`](crate::LogParser::restore) where this one stopped, also in a log that has been rotated since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) splitter: Splitter,
    #[serde(default)]
    pub(super) state: State,
    /// What was read in the first dialect, as older versions wrote it.
    #[serde(default, skip_serializing)]
    built_in: Option<History>,
    /// What was read in each dialect, by its name.
    pub(super) custom: Vec<(String, Lanes)>,
    /// Whether nothing but white space was seen.
    pub(super) blank: bool,
    pub(super) path: String,
    pub(super) from_byte: u64,
    /// What others have to say of the reading.
    pub(super) notes: Vec<String>,
    /// The byte after which a first line was read, and the dialect that was decided on.
    #[serde(default)]
    pub(super) first_match: Option<u64>,
    #[serde(default)]
    pub(super) decided: Option<usize>,
    /// For each dialect the failures that another one reads and it does not: how many, and the first line.
    #[serde(default)]
    pub(super) unread: Vec<(u64, u64)>,
    /// The first known line after a prefix that is not known.
    #[serde(default)]
    pub(super) unknown_prefix: Option<UnknownPrefix>,
    /// The line that is read now, and the dialects that read it.
    #[serde(skip)]
    pub(super) readers: Readers,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Readers {
    line: u64,
    pub(super) of: Vec<usize>,
    is_failure: bool,
}

impl Snapshot {
    pub(super) fn new(dialects: &Dialects) -> Self {
        Self {
            splitter: Splitter::new(),
            state: State::default(),
            built_in: None,
            custom: dialects
                .all()
                .iter()
                .map(|rules| (rules.name.clone(), Lanes::default()))
                .collect(),
            blank: true,
            path: String::new(),
            from_byte: 0,
            notes: Vec::new(),
            first_match: None,
            decided: None,
            unread: vec![(0, 0); dialects.all().len()],
            unknown_prefix: None,
            readers: Readers::default(),
        }
    }

    /// Looks for a known line after a prefix that is not known, as long as nothing else was read.
    pub(super) fn seek_prefix(&mut self, bytes: &[u8], number: u64, dialects: &Dialects) {
        if !self.is_unknown() {
            self.unknown_prefix = None;
        } else if self.unknown_prefix.is_none() {
            self.unknown_prefix = UnknownPrefix::find(bytes, number, dialects);
        }
    }

    /// Whether no dialect has read anything of a run.
    pub(super) fn is_unknown(&self) -> bool {
        !self.custom.iter().any(|(_, lanes)| lanes.has_run())
    }

    /// The histories know what their dialects promise; a snapshot does not keep it.
    pub(super) fn promise(&mut self, dialects: &Dialects) {
        for ((_, lanes), rules) in self.custom.iter_mut().zip(dialects.all()) {
            lanes.promise(rules.promises);
        }
    }

    pub(super) fn take(&mut self, reading: &Reading, line: &[u8], number: u64) {
        if self.decided.is_none() && !matches!(reading.event, Event::UnreadError(_)) {
            self.compare(reading, number);
        }
        if let Some((_, lanes)) = self.custom.get_mut(reading.dialect) {
            lanes.take(reading, line, number);
        }
    }

    /// Notes which dialects read a line.
    pub(super) fn compare(&mut self, reading: &Reading, number: u64) {
        let bytes = self.splitter.bytes();
        self.first_match.get_or_insert(bytes);
        if self.readers.line != number {
            self.count_readers();
            self.readers.line = number;
        }
        self.readers.of.push(reading.dialect);
        self.readers.is_failure |= matches!(reading.event, Event::Failure { date: Some(_), .. });
    }

    /// A failure that one dialect reads is missing in every dialect that does not.
    pub(super) fn count_readers(&mut self) {
        if self.readers.is_failure {
            let line = self.readers.line;
            for (place, (lines, first)) in self.unread.iter_mut().enumerate() {
                if !self.readers.of.contains(&place) {
                    *first = if *lines == 0 { line } else { *first };
                    *lines += 1;
                }
            }
        }
        self.readers.of.clear();
        self.readers.is_failure = false;
    }

    pub(super) fn history(&self, place: usize, job: Option<&str>) -> &History {
        let (_, lanes) = &self.custom[place.min(self.custom.len() - 1)];
        lanes.pick(job)
    }

    /// The dialect that has understood most of the log: the one with the most dates that came to an end. The
    /// family's comes first if others understood no more, then those of the config.
    pub(super) fn best(&self, dialects: &Dialects, job: Option<&str>) -> usize {
        if let Some(place) = self.decided {
            return place;
        }
        let tried = dialects.tried();
        let mut best = tried.first().copied().unwrap_or_default();
        for place in tried {
            if self.history(place, job).score() > self.history(best, job).score() {
                best = place;
            }
        }
        best
    }

    /// The same for other dialects, which are found by their names.
    pub(super) fn for_dialects(mut self, dialects: &Dialects) -> Self {
        let mut before = std::mem::take(&mut self.custom);
        let decided = self.decided.and_then(|place| before.get(place));
        let decided = decided.map(|(name, _)| name.clone());
        let first = self.built_in.take();
        self.custom = dialects
            .all()
            .iter()
            .map(|rules| {
                let lanes = before
                    .iter()
                    .position(|(other, _)| *other == rules.name)
                    .map(|at| before.swap_remove(at).1)
                    .unwrap_or_default();
                (rules.name.clone(), lanes)
            })
            .collect();
        if let (Some(history), Some((_, lanes))) = (first, self.custom.first_mut()) {
            *lanes = Lanes::of(history);
        }
        self.unread.resize(dialects.all().len(), (0, 0));
        self.decided = decided.and_then(|name| {
            let mut all = dialects.all().iter();
            all.position(|rules| rules.name == name)
        });
        self
    }

    /// Failures that are in the log in another dialect than the one that counts.
    pub(super) fn other_dialect(&self, place: usize) -> Option<Doubt> {
        let (lines, first) = self.unread.get(place).copied()?;
        (lines > 0).then(|| Doubt {
            kind: DoubtKind::OtherDialect,
            lines,
            first_line: Some(first),
            dates: Vec::new(),
            message: format!(
                "{lines} lines report dates in another dialect than the rest of the log, the first is line {first}; \
                 --dialect names the one that counts"
            ),
        })
    }
}
