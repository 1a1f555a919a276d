//! A log that is copied and then truncated: what it held before is in the copies.

use std::fs::File;
use std::io;

use super::{Follower, MAX_TRIES, Opened};
use crate::place::{FileId, Place};
use crate::siblings::{SiblingStatus, UNREAD};
use crate::source::{Read, Source, is_beginning_of};

/// Whether a copy continues where reading stopped. What is written between copying and truncating is lost;
/// if that was read, the copy is shorter, and what came after it is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyMatch {
    Continues,
    Ends,
}

impl Follower {
    /// Looks at the files beside the newest one that may be copies of it, before more is read. Returns whether
    /// that was truncated and has grown again to look like what was read of it: then a copy continues in another way.
    pub(super) fn has_grown_again(&mut self) -> io::Result<bool> {
        let Some(Opened { source: newest, .. }) = self.sources.last() else {
            return Ok(false);
        };
        for id in self.siblings.all(&UNREAD) {
            let Some(copy) = self.siblings.open(&id) else {
                continue;
            };
            let length = copy.metadata()?.len();
            if length <= self.siblings.same(&id) {
                continue;
            }
            if newest.may_begin_with(&copy)? && newest.is_as_read()? {
                self.siblings.set_same(&id, length);
            } else if length > newest.reached() && newest.place().fits(&copy)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a truncated file from its beginning, after the copies of what it held before. Returns whether
    /// there was one that continues where reading stopped.
    pub(super) fn restart(&mut self, at: usize, sink: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        let nothing_was_read = self.sources[at].source.reached() == 0;
        let mut recovered = false;
        for again in 0..MAX_TRIES {
            self.siblings.refresh();
            let place = self.sources[at].source.place();
            let found = self.read_copies(&place, at, sink)?;
            recovered |= again == 0 && found == Some(CopyMatch::Continues);
            if found.is_none() {
                // Its copy is not to be found; those of what came after may be.
                self.siblings
                    .reclassify(SiblingStatus::Candidate, SiblingStatus::Settled);
                self.read_copies_between(at, sink)?;
                self.settle_what_is_no_copy_of(at);
                self.sources[at].source.emit_partial(sink); // what comes may continue it
            }
            self.siblings.clear_same();
            let source = &mut self.sources[at].source;
            source.restart()?;
            if source.read_on(sink)? == Read::ToTheEnd {
                self.siblings.refresh();
                self.read_skipped_copies(at, false, sink)?;
                break;
            }
        }
        Ok(recovered || nothing_was_read)
    }

    /// Reads on in the copy that holds what was read up to `place`, then in the copies that came after it.
    fn read_copies(
        &mut self,
        place: &Place,
        at: usize,
        sink: &mut impl FnMut(&[u8]),
    ) -> io::Result<Option<CopyMatch>> {
        let candidates = self.siblings.all(&UNREAD);
        let Some((number, file, matched)) = self.find_copy(&candidates, place, at)? else {
            return Ok(None);
        };
        // An older one that this does not begin with is of a time that was passed over; the others are copies
        // that were made in between.
        for older in &candidates[..number] {
            if let Some(other) = self.siblings.open(older)
                && !is_beginning_of(&other, &file, 0)?
            {
                self.read_copy(older, other, sink)?;
            }
            self.siblings.settle(older);
        }
        // The next copy, or the file itself, continues the same line.
        if matched == CopyMatch::Continues {
            let mut copy = Source::at_place(file, place)?;
            copy.read_on(sink)?;
            copy.emit_partial(sink);
        } else {
            self.sources[at].source.emit_partial(sink);
        }
        self.siblings.settle(&candidates[number]);
        self.read_copies_between(at, sink)?;
        Ok(Some(matched))
    }

    /// The copy of what was read up to `place`: one that continues after that, else one that was seen to be as
    /// the file was, else one that begins as it did.
    fn find_copy(
        &mut self,
        candidates: &[FileId],
        place: &Place,
        at: usize,
    ) -> io::Result<Option<(usize, File, CopyMatch)>> {
        let reached = self.sources[at].source.reached();
        let (mut seen, mut alike) = (None, None);
        for (number, id) in candidates.iter().enumerate() {
            let Some(file) = self.siblings.open(id) else {
                continue;
            };
            if place.fits(&file)? {
                return Ok(Some((number, file, CopyMatch::Continues)));
            }
            let length = file.metadata()?.len();
            if length == 0 || length > reached {
                continue;
            }
            if self.siblings.same(id) == length {
                seen = Some((number, file, CopyMatch::Ends));
            } else if alike.is_none() && place.begins(&file)? {
                alike = Some((number, file, CopyMatch::Ends));
            }
        }
        Ok(seen.or(alike))
    }

    /// Reads the copies that hold something else than the file does now: it was copied and truncated more than once.
    /// A copy of what it holds now may still be in the making, and is left alone.
    fn read_copies_between(&mut self, at: usize, sink: &mut impl FnMut(&[u8])) -> io::Result<()> {
        for id in self.siblings.all(&UNREAD) {
            let Some(file) = self.siblings.open(&id) else {
                continue;
            };
            if !is_beginning_of(&file, self.sources[at].source.file(), 0)? {
                self.read_copy(&id, file, sink)?;
            }
        }
        Ok(())
    }

    /// The file may have been truncated again after its copies were read and before it was read: as long as it
    /// still is as it was read, a copy that it does not begin with is of a time before that. `seen`: only those
    /// that were seen to be as the file was.
    pub(super) fn read_skipped_copies(
        &mut self,
        at: usize,
        seen: bool,
        sink: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        for id in self.siblings.all(&UNREAD) {
            if seen && self.siblings.same(&id) == 0 {
                continue;
            }
            let Some(file) = self.siblings.open(&id) else {
                continue;
            };
            let source = &self.sources[at].source;
            if !is_beginning_of(&file, source.file(), 0)? && source.is_as_read()? {
                self.read_copy(&id, file, sink)?;
            }
        }
        Ok(())
    }

    fn read_copy(
        &mut self,
        id: &FileId,
        file: File,
        sink: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let mut copy = Source::at_start(file)?;
        copy.read_on(sink)?;
        copy.emit_partial(sink);
        self.siblings.settle(id);
        Ok(())
    }

    /// Settles what cannot be a copy of what a file holds now.
    fn settle_what_is_no_copy_of(&mut self, at: usize) {
        for id in self.siblings.all(&UNREAD) {
            let copy = self.siblings.open(&id);
            let file = self.sources[at].source.file();
            let may_be_copy =
                copy.is_some_and(|copy| is_beginning_of(&copy, file, 0).unwrap_or(false));
            if !may_be_copy {
                self.siblings.settle(&id);
            }
        }
    }
}
