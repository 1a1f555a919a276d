//! One file of a log, read from where reading stopped.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::place::{FileId, Place, SAMPLE, Sample, before, fill};

/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;
/// A line longer than this is handed out in pieces, so that a log without newlines is not kept in memory.
const LONGEST_LINE: usize = 1024 * 1024;

/// An open file of a log.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    /// As far as whole lines were handed out; the head covers what follows that, too.
    place: Place,
    /// The last bytes that were handed out, which `place.tail` is of.
    recent: Vec<u8>,
    /// What follows `place.offset` and is not a whole line yet.
    partial: Vec<u8>,
}

/// What reading on came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// Everything that is there was handed out.
    ToTheEnd,
    /// The file no longer holds what was read of it. Nothing of what is there instead was handed out.
    Truncated,
}

impl Source {
    /// A file from its first byte.
    ///
    /// # Errors
    /// The file cannot be asked.
    pub(crate) fn at_start(file: File) -> io::Result<Self> {
        let FileId { dev, ino, born } = FileId::of(&file.metadata()?);
        Ok(Self {
            file,
            place: Place {
                dev,
                ino,
                born,
                ..Place::default()
            },
            recent: Vec::new(),
            partial: Vec::new(),
        })
    }

    /// A file from a saved place of it, or of another one that it is a copy of. Whether it still fits
    /// is found out by reading on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn at_place(file: File, place: &Place) -> io::Result<Self> {
        let mut source = Self::at_start(file)?;
        let FileId { dev, ino, born } = source.id();
        source.place = Place {
            dev,
            ino,
            born,
            ..*place
        };
        if place.fits(&source.file)? {
            source.recent = before(&source.file, place.offset)?;
            source.place.tail = Sample::of(&source.recent);
        }
        Ok(source)
    }

    /// Which file it is.
    #[must_use]
    pub(crate) fn id(&self) -> FileId {
        self.place.id()
    }

    /// How far it was read, as far as whole lines were handed out.
    #[must_use]
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The open file.
    #[must_use]
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Whether it no longer has a name.
    #[must_use]
    pub(crate) fn is_deleted(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// Whether it is longer than what was read of it.
    #[must_use]
    pub(crate) fn has_more(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.len() > self.reached())
    }

    /// The offset that was read up to.
    #[must_use]
    pub(crate) fn reached(&self) -> u64 {
        self.place.offset + self.partial.len() as u64
    }

    /// Whether the file still holds what was read of it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn is_as_read(&self) -> io::Result<bool> {
        let last = &self.partial[self.partial.len().saturating_sub(SAMPLE)..];
        let mut bytes = vec![0; last.len()];
        let read = fill(&self.file, &mut bytes, self.reached() - last.len() as u64)?;
        Ok(&bytes[..read] == last && self.place.fits(&self.file)?)
    }

    /// Whether it begins with what a shorter or longer copy holds, by the first and last bytes of that.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn may_begin_with(&self, copy: &File) -> io::Result<bool> {
        let length = copy.metadata()?.len();
        let last = length.saturating_sub(BLOCK as u64);
        let begins_alike = length < self.place.head.bytes.into() || self.place.begins(copy)?;
        Ok(begins_alike && is_beginning_of(copy, &self.file, last)?)
    }

    /// Reads to the end. Each block is handed out only once the file was found to be the same after it was
    /// read: a log can be truncated between any two system calls.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read_on(&mut self, sink: &mut impl FnMut(&[u8])) -> io::Result<Read> {
        let mut block = Vec::new();
        loop {
            let at = self.reached();
            // Nothing new is the usual case: no block is needed for it.
            let read = if self.file.metadata()?.len() > at {
                block.resize(BLOCK, 0);
                fill(&self.file, &mut block, at)?
            } else {
                0
            };
            if !self.is_as_read()? {
                return Ok(Read::Truncated);
            }
            if read == 0 {
                return Ok(Read::ToTheEnd);
            }
            self.take(&block[..read], sink);
        }
    }

    /// Hands out the whole lines of what was read and keeps the rest.
    fn take(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) {
        // The head covers everything that was read, up to its size.
        if u64::from(self.place.head.bytes) == self.reached() {
            self.place.head = self.place.head.and(bytes);
        }
        let Some(last) = memchr::memrchr(b'\n', bytes) else {
            self.partial.extend_from_slice(bytes);
            if self.partial.len() > LONGEST_LINE {
                self.emit_partial(sink);
            }
            return;
        };
        let (whole, rest) = bytes.split_at(last + 1);
        self.emit_partial(sink);
        self.emit(whole, sink);
        self.partial.extend_from_slice(rest);
    }

    /// Hands out what is not a whole line yet. What comes next, in whichever file, continues it.
    pub(crate) fn emit_partial(&mut self, sink: &mut impl FnMut(&[u8])) {
        let partial = std::mem::take(&mut self.partial);
        self.emit(&partial, sink);
    }

    /// Hands out an unfinished last line as a line: what comes next is in another file.
    pub(crate) fn end_line(&mut self, sink: &mut impl FnMut(&[u8])) {
        self.emit_partial(sink);
        if self.recent.last().is_some_and(|&last| last != b'\n') {
            sink(b"\n");
        }
    }

    fn emit(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) {
        if bytes.is_empty() {
            return;
        }
        sink(bytes);
        self.place.offset += bytes.len() as u64;
        let last = &bytes[bytes.len().saturating_sub(SAMPLE)..];
        let kept = self.recent.len().min(SAMPLE - last.len());
        self.recent.drain(..self.recent.len() - kept);
        self.recent.extend_from_slice(last);
        self.place.tail = Sample::of(&self.recent);
    }

    /// Goes back to the beginning of a file that was truncated. A writer that does not append leaves a hole before
    /// what it writes next: that is passed over.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        let offset = rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(0)).unwrap_or(0);
        self.partial.clear();
        self.recent = before(&self.file, offset)?;
        // The hole is all zeros, wherever in it one passes.
        self.place.head = Sample::of(&self.recent);
        self.place.tail = Sample::of(&self.recent);
        self.place.offset = offset;
        Ok(())
    }
}

/// Whether `shorter` is, as far as it goes, what `longer` begins with; both are the same up to `from`.
///
/// # Errors
/// One of them cannot be read.
pub(crate) fn is_beginning_of(shorter: &File, longer: &File, from: u64) -> io::Result<bool> {
    let (mut one, mut other) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut at = from;
    loop {
        let read = fill(shorter, &mut one, at)?;
        if read == 0 {
            return Ok(longer.metadata()?.len() >= at);
        }
        if fill(longer, &mut other[..read], at)? < read || one[..read] != other[..read] {
            return Ok(false);
        }
        at += read as u64;
    }
}
