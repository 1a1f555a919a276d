//! Reading a log to its end, again and again, through every rotation, and handing on whole lines.

mod copies;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::place::{FileId, Place, SAMPLE};
use crate::siblings::{SavedSibling, SiblingStatus, Siblings, UNREAD};
use crate::source::{Read, Source, is_beginning_of};

/// Files of one log that are held open at the same time: a job that does not reopen its log continues
/// to write to the renamed file.
const MAX_SOURCES: usize = 16;
/// Looks at a path that is being rotated right now, before that is left to the next time.
const MAX_TRIES: usize = 100;

/// What is at the log's path.
enum AtPath {
    /// The newest file still.
    Same,
    /// Another one.
    Other(Source),
    /// Nothing.
    Nothing,
}

/// Something that happened to the file at the log's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The log is there for the first time.
    Appeared,
    /// The path leads to another file now, or to none; the old one was read to its end.
    Rotated {
        /// Files that came and went in between and were read, too.
        between: usize,
    },
    /// The file was truncated and is read from its beginning.
    Truncated {
        /// Whether a copy of the old content was found and read to its end.
        recovered: bool,
    },
    /// The file that was read is gone. Nothing is known of what was written to it after that place.
    Lost,
}

/// A log that is followed.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// Oldest first. The last one is the file at the path, if there is one.
    sources: Vec<Opened>,
    siblings: Siblings,
    /// A saved place whose file was not found.
    lost: Option<Place>,
    /// Counts the passes.
    passes: u64,
}

#[derive(Debug)]
struct Opened {
    source: Source,
    /// The pass in which it had grown last.
    grew_at: u64,
}

impl Follower {
    /// Follows a log from its first byte; it need not exist yet. The rotated files that are beside it are of
    /// the time before.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            sources: Vec::new(),
            siblings: Siblings::of_before(path),
            lost: None,
            passes: 0,
        }
    }

    /// Follows a log from this byte of the file that is there now; from the first byte of one that is shorter.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub fn from_byte(path: &Path, from_byte: u64) -> io::Result<Self> {
        if from_byte == 0 {
            return Ok(Self::new(path));
        }
        match File::open(path) {
            Ok(file) => Ok(Self::resume(path, &[Place::at(&file, from_byte)?], None)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::new(path)),
            Err(error) => Err(error),
        }
    }

    /// Continues from saved places, oldest first. A file that was renamed meanwhile is looked for
    /// beside the log. If it was not saved which files were beside the log, and the newest file was renamed,
    /// those that are younger than that have come since.
    #[must_use]
    pub fn resume(path: &Path, places: &[Place], kept: Option<&[SavedSibling]>) -> Self {
        let has_gone = |place: &&Place| {
            id_at(path).is_ok_and(|found| found.is_none_or(|found| !found.is(&place.id())))
        };
        let siblings = match (kept, places.last().filter(has_gone)) {
            (Some(kept), _) => Siblings::with_saved(path, kept),
            (None, Some(renamed)) => Siblings::since(path, &renamed.id()),
            (None, None) => Siblings::of_before(path),
        };
        let mut follower = Self {
            path: path.to_owned(),
            sources: Vec::new(),
            siblings,
            lost: None,
            passes: 0,
        };
        for (at, place) in places.iter().enumerate() {
            match follower.find(place) {
                Some(source) => {
                    follower.siblings.settle(&source.id());
                    follower.push(source);
                }
                None if at + 1 == places.len() => follower.lost = Some(*place),
                None => {}
            }
        }
        follower
    }

    /// Opens the file of a saved place, wherever it is now.
    fn find(&mut self, place: &Place) -> Option<Source> {
        let id = place.id();
        let at_path = File::open(&self.path).ok().filter(|file| {
            file.metadata()
                .is_ok_and(|metadata| FileId::of(&metadata).is(&id))
        });
        let file = at_path.or_else(|| self.siblings.open(&id))?;
        Source::at_place(file, place).ok()
    }

    fn push(&mut self, source: Source) {
        self.sources.push(Opened {
            source,
            grew_at: self.passes,
        });
    }

    /// How far each file was read, oldest first: as far as whole lines were handed out.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let sources = self.sources.iter().map(|opened| &opened.source);
        sources.map(Source::place).chain(self.lost).collect()
    }

    /// The files beside the log, and which of them were read.
    #[must_use]
    pub fn save_siblings(&self) -> Vec<SavedSibling> {
        self.siblings.save()
    }

    /// Whether anything was ever read or opened.
    #[must_use]
    pub fn has_appeared(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The open file of the path, or the last one that was.
    #[must_use]
    pub fn current(&self) -> Option<&File> {
        self.newest().map(Source::file)
    }

    fn newest(&self) -> Option<&Source> {
        self.sources.last().map(|opened| &opened.source)
    }

    /// Device and inode of the open file.
    #[must_use]
    pub fn file_id(&self) -> Option<FileId> {
        self.newest().map(Source::id)
    }

    /// Whether the open file is the one at the log's path.
    #[must_use]
    pub fn is_at_its_path(&self) -> bool {
        let at_path = id_at(&self.path).ok().flatten();
        matches!((self.file_id(), at_path), (Some(open), Some(found)) if open.is(&found))
    }

    /// Whether one of the files is longer than what was read of it.
    #[must_use]
    pub fn has_more(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|opened| opened.source.has_more())
    }

    /// Hands out every whole line that is new, in order, to `sink`, and reports what happened to the file.
    ///
    /// # Errors
    /// The log cannot be read. A log that is not there (any more) is no error.
    pub fn catch_up(&mut self, sink: &mut impl FnMut(&[u8])) -> io::Result<Vec<Change>> {
        self.passes += 1;
        let mut changes = Vec::new();
        let at_path = self.check_path();
        let is_same = matches!(at_path, Ok(AtPath::Same));
        self.read_sources(is_same, sink, &mut changes)?;
        match at_path? {
            // As long as the path leads to the same file, what appears beside it can only be copies of it.
            AtPath::Same => self
                .siblings
                .reclassify(SiblingStatus::Fresh, SiblingStatus::Candidate),
            AtPath::Other(next) => self.switch_to(Some(next), sink, &mut changes)?,
            AtPath::Nothing => self.switch_to(None, sink, &mut changes)?,
        }
        Ok(changes)
    }

    /// Finds out what is at the path and what is beside it, as of one moment: nothing was rotated between the
    /// two.
    fn check_path(&mut self) -> io::Result<AtPath> {
        let mut tries = 0;
        loop {
            let at_path = self.open_path()?;
            self.siblings.refresh();
            for opened in &self.sources {
                self.siblings.settle(&opened.source.id());
            }
            let id = match &at_path {
                AtPath::Same => self.newest().map(Source::id),
                AtPath::Other(next) => Some(next.id()),
                AtPath::Nothing => None,
            };
            let is_still_there = match (id_at(&self.path)?, id) {
                (Some(found), Some(id)) => found.is(&id),
                (None, None) => true,
                _ => false,
            };
            tries += 1;
            if is_still_there || tries == MAX_TRIES {
                return Ok(at_path);
            }
        }
    }

    fn open_path(&self) -> io::Result<AtPath> {
        let is_newest = |id: &FileId| self.newest().is_some_and(|newest| newest.id().is(id));
        // Opening a file wakes whoever watches it, ourselves for one: not without need.
        match id_at(&self.path)? {
            None => return Ok(AtPath::Nothing),
            Some(id) if is_newest(&id) => return Ok(AtPath::Same),
            Some(_) => {}
        }
        match File::open(&self.path) {
            Ok(file) => {
                let next = Source::at_start(file)?;
                Ok(if is_newest(&next.id()) {
                    AtPath::Same
                } else {
                    AtPath::Other(next)
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(AtPath::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Reads every open file to its end. `is_same`: the newest one is at the path.
    fn read_sources(
        &mut self,
        is_same: bool,
        sink: &mut impl FnMut(&[u8]),
        changes: &mut Vec<Change>,
    ) -> io::Result<()> {
        let newest = self.sources.len().saturating_sub(1);
        for at in 0..self.sources.len() {
            let before = self.sources[at].source.reached();
            let has_grown_again = is_same && at == newest && self.has_grown_again()?;
            if has_grown_again || self.sources[at].source.read_on(sink)? == Read::Truncated {
                let recovered = self.restart(at, sink)?;
                changes.push(Change::Truncated { recovered });
            } else if is_same && at == newest && before < SAMPLE as u64 {
                // So little had been read that a truncation right before may not have been seen.
                self.read_skipped_copies(at, true, sink)?;
            }
            let opened = &mut self.sources[at];
            if opened.source.reached() != before {
                opened.grew_at = self.passes;
            }
        }
        Ok(())
    }

    /// Goes on to the file that is at the path now, after the files that came and went before it.
    fn switch_to(
        &mut self,
        next: Option<Source>,
        sink: &mut impl FnMut(&[u8]),
        changes: &mut Vec<Change>,
    ) -> io::Result<()> {
        if let Some(place) = self.lost.take_if(|_| next.is_some()) {
            // Deleted while it was not watched, perhaps after it was copied.
            let recovered = self.read_copy_of_lost(&place, sink)?;
            changes.push(if recovered {
                Change::Rotated { between: 0 }
            } else {
                Change::Lost
            });
        }
        // The old files may have got their last lines between reading them and now.
        for opened in &mut self.sources {
            opened.source.read_on(sink)?;
        }
        let replaced = !self.sources.is_empty();
        let mut between = 0;
        for id in self.siblings.all(&[SiblingStatus::Fresh]) {
            let is_younger = |next: &Source| match (id.born, next.id().born) {
                (Some(born), Some(next)) => born > next,
                _ => false,
            };
            if next.as_ref().is_some_and(is_younger) {
                continue; // a copy of what is there now
            }
            let Some(file) = self.siblings.open(&id) else {
                continue;
            };
            let mut source = Source::at_start(file)?;
            self.siblings.settle(&id);
            if self.is_copy_of_deleted(&source)? {
                continue;
            }
            source.read_on(sink)?;
            self.push(source);
            between += 1;
        }
        let has_next = next.is_some();
        if let Some(mut next) = next {
            self.siblings
                .reclassify(SiblingStatus::Candidate, SiblingStatus::Settled);
            self.siblings
                .reclassify(SiblingStatus::Fresh, SiblingStatus::Candidate);
            next.read_on(sink)?;
            self.push(next);
        }
        self.close_idle(sink);
        match between + usize::from(has_next) {
            0 => {}
            _ if !replaced => changes.push(Change::Appeared),
            opened => changes.push(Change::Rotated {
                between: opened - 1,
            }),
        }
        Ok(())
    }

    /// Reads on in the copy of a file that is gone.
    fn read_copy_of_lost(
        &mut self,
        place: &Place,
        sink: &mut impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        for id in self.siblings.all(&UNREAD) {
            let Some(file) = self.siblings.open(&id) else {
                continue;
            };
            if place.fits(&file)? {
                let mut copy = Source::at_place(file, place)?;
                copy.read_on(sink)?;
                copy.end_line(sink);
                self.siblings.settle(&id);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a file is the copy that was made of one of the open ones before that was deleted.
    fn is_copy_of_deleted(&self, copy: &Source) -> io::Result<bool> {
        for Opened { source, .. } in &self.sources {
            if source.is_deleted()
                && source.file().metadata()?.len() == copy.file().metadata()?.len()
                && is_beginning_of(copy.file(), source.file(), 0)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets go of the files that have been silent for longest, if there are too many.
    fn close_idle(&mut self, sink: &mut impl FnMut(&[u8])) {
        while self.sources.len() > MAX_SOURCES {
            let older = &self.sources[..self.sources.len() - 1];
            let silent = older
                .iter()
                .enumerate()
                .min_by_key(|(_, opened)| opened.grew_at);
            let Some((at, _)) = silent else {
                return;
            };
            self.sources.remove(at).source.end_line(sink);
        }
    }

    /// Hands out what follows the last newline so far; what comes next continues that line.
    pub fn emit_partial_line(&mut self, sink: &mut impl FnMut(&[u8])) {
        if let Some(last) = self.sources.last_mut() {
            last.source.emit_partial(sink);
        }
    }

    /// Hands out what follows the last newline. Only once the writer is gone.
    pub fn finish(&mut self, sink: &mut impl FnMut(&[u8])) {
        if let Some((last, older)) = self.sources.split_last_mut() {
            for opened in older {
                opened.source.end_line(sink);
            }
            last.source.emit_partial(sink);
        }
    }
}

/// Which file is at a path; `None` if there is none.
fn id_at(path: &Path) -> io::Result<Option<FileId>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(FileId::of(&metadata))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
