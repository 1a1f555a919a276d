//! Reading a log to its end, again and again, through every rotation, and handing on whole lines.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::place::{Head, Place};
use super::siblings;

/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;
/// A line longer than this is handed on in pieces, so that a log without newlines is not kept in memory.
const LONGEST_LINE: usize = 1024 * 1024;
/// Files of one log that are held open at the same time: a job that does not reopen its log goes on
/// writing to the renamed file.
const MOST_SOURCES: usize = 4;
/// Files that were let go and are remembered, so that none is read twice. They only matter as long as they
/// may look younger than the last look.
const MOST_CLOSED: usize = 64;

/// Something that happened to the file behind the log's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The log is there for the first time.
    Appeared,
    /// The path leads to another file now; the old one was read to its end.
    Rotated {
        /// Files that came and went in between and were read, too.
        between: usize,
    },
    /// The file was cut and is read from its beginning.
    Truncated {
        /// Whether a copy of the old content was found and read to its end.
        recovered: bool,
    },
    /// The file that reading stood in is gone. Nothing is known of what was written behind that place.
    Lost,
}

/// A log that is followed.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// Oldest first. The last one is the file at the path, where there is one.
    sources: Vec<Source>,
    /// Files that were read and let go of, oldest first.
    closed: Vec<Place>,
    /// When the path was last looked at.
    looked_at: SystemTime,
    /// What [`Follower::resume`] has to tell at the first look.
    untold: Vec<Change>,
}

#[derive(Debug)]
struct Source {
    file: File,
    place: Place,
    /// What stands behind `place.offset` and is no whole line yet.
    partial: Vec<u8>,
}

impl Follower {
    /// Follows a log from its first byte; it need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            sources: Vec::new(),
            closed: Vec::new(),
            looked_at: SystemTime::now(),
            untold: Vec::new(),
        }
    }

    /// Goes on from places that were kept, oldest first. A file that was renamed meanwhile is looked for
    /// beside the log.
    #[must_use]
    pub fn resume(path: &Path, places: &[Place], closed: &[Place], looked_at: SystemTime) -> Self {
        let mut follower = Self {
            looked_at,
            closed: closed.to_vec(),
            ..Self::new(path)
        };
        for (at, place) in places.iter().enumerate() {
            let found = open_at(path, place).or_else(|| {
                siblings::of(path)
                    .into_iter()
                    .find_map(|sibling| open_at(&sibling.path, place))
            });
            match found {
                Some(source) => follower.sources.push(source),
                None if at + 1 == places.len() => follower.untold.push(Change::Lost),
                None => {}
            }
        }
        follower
    }

    /// Where reading stands, oldest first: as far as whole lines were handed on.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        self.sources.iter().map(|source| source.place).collect()
    }

    /// The files that were read and let go of, oldest first.
    #[must_use]
    pub fn closed(&self) -> &[Place] {
        &self.closed
    }

    /// When the path was last looked at.
    #[must_use]
    pub fn looked_at(&self) -> SystemTime {
        self.looked_at
    }

    /// Whether anything was ever read or opened.
    #[must_use]
    pub fn has_appeared(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The open file behind the path, or the last one that was.
    #[must_use]
    pub fn current(&self) -> Option<&File> {
        self.sources.last().map(|source| &source.file)
    }

    /// Whether the newest file is longer than what was read of it.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.sources.last().is_some_and(|source| {
            let read = source.place.offset + source.partial.len() as u64;
            source
                .file
                .metadata()
                .is_ok_and(|metadata| metadata.len() > read)
        })
    }

    /// Hands every whole line that is new to `sink`, in order, and says what happened to the file.
    ///
    /// # Errors
    /// The log cannot be read. A log that is not there (any more) is no error.
    pub fn catch_up(&mut self, sink: &mut impl FnMut(&[u8])) -> io::Result<Vec<Change>> {
        let looking_at = SystemTime::now();
        let mut changes = std::mem::take(&mut self.untold);
        self.read_sources(sink, &mut changes)?;
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound) => return Ok(changes),
            Err(error) => return Err(error),
        };
        let known = self.sources.last().map(|source| source.place);
        if known.is_none_or(|place| !place.is_in(&metadata)) {
            self.open_next(sink, &mut changes)?;
        }
        self.looked_at = looking_at;
        Ok(changes)
    }

    /// Reads every open file to its end.
    fn read_sources(
        &mut self,
        sink: &mut impl FnMut(&[u8]),
        changes: &mut Vec<Change>,
    ) -> io::Result<()> {
        let newest = self.sources.len().saturating_sub(1);
        for (at, source) in self.sources.iter_mut().enumerate() {
            if at == newest && source.was_cut()? {
                let recovered = recover(&self.path, self.looked_at, source, sink);
                changes.push(Change::Truncated { recovered });
                source.begin_again();
            }
            source.read_to_end(sink)?;
        }
        Ok(())
    }

    /// Opens the file that is at the path now, after the files that came and went before it.
    fn open_next(
        &mut self,
        sink: &mut impl FnMut(&[u8]),
        changes: &mut Vec<Change>,
    ) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // Renamed again, just now: the next look finds out.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let next = Source::at_start(file)?;
        let replaced = !self.sources.is_empty();
        // The old file may have got its last lines between reading it and looking at the path.
        for source in &mut self.sources {
            source.read_to_end(sink)?;
        }
        let mut between = 0;
        if replaced {
            for path in self.passed_by(&next) {
                let Ok(mut source) = File::open(path).and_then(Source::at_start) else {
                    continue;
                };
                source.read_to_end(sink)?;
                self.sources.push(source);
                between += 1;
            }
        }
        self.sources.push(next);
        while self.sources.len() > MOST_SOURCES {
            let mut oldest = self.sources.remove(0);
            oldest.close_off(sink);
            self.closed.push(oldest.place);
        }
        let surplus = self.closed.len().saturating_sub(MOST_CLOSED);
        self.closed.drain(..surplus);
        if let Some(source) = self.sources.last_mut() {
            source.read_to_end(sink)?;
        }
        changes.push(if replaced {
            Change::Rotated { between }
        } else {
            Change::Appeared
        });
        Ok(())
    }

    /// Files beside the log that were created since the last look and are neither the old one, nor a copy
    /// of it, nor the next one: the log was rotated more than once meanwhile.
    fn passed_by(&self, next: &Source) -> Vec<PathBuf> {
        let known = |file: (u64, u64)| {
            file == next.place.file()
                || self
                    .sources
                    .iter()
                    .any(|source| source.place.file() == file)
        };
        siblings::of(&self.path)
            .into_iter()
            .filter(|sibling| sibling.created_since(self.looked_at) && !known(sibling.file))
            .filter(|sibling| {
                !self
                    .sources
                    .iter()
                    .any(|source| source.place.head.is_head_of_path(&sibling.path))
            })
            // An inode is given again: the same number is the same file only where that begins the same way.
            .filter(|sibling| {
                !self.closed.iter().any(|place| {
                    place.file() == sibling.file && place.head.is_head_of_path(&sibling.path)
                })
            })
            .map(|sibling| sibling.path)
            .collect()
    }

    /// Hands on what stands behind the last newline. Only once the writer is gone.
    pub fn finish(&mut self, sink: &mut impl FnMut(&[u8])) {
        if let Some((last, older)) = self.sources.split_last_mut() {
            for source in older {
                source.close_off(sink);
            }
            last.hand_on_partial(sink);
        }
    }
}

/// Opens the file at `path` at a kept place; `None` where it is another file or was cut since.
fn open_at(path: &Path, place: &Place) -> Option<Source> {
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let is_it = place.is_in(&metadata)
        && metadata.len() >= place.offset
        && place.head.is_head_of(&file).ok()?;
    is_it.then_some(Source {
        file,
        place: *place,
        partial: Vec::new(),
    })
}

/// Reads on in the copy of the old content that copy-truncate rotation leaves beside the log, and then in
/// the copies that came after it. Only files younger than the last look count: an older one may begin in
/// the same way and is another run.
fn recover(path: &Path, looked_at: SystemTime, cut: &Source, sink: &mut impl FnMut(&[u8])) -> bool {
    if cut.place.head.is_empty() {
        return true; // nothing was ever read of it
    }
    let mut recovered = false;
    let young = siblings::of(path)
        .into_iter()
        .filter(|sibling| sibling.created_since(looked_at) && sibling.file != cut.place.file());
    for sibling in young {
        let Ok(mut source) = File::open(&sibling.path).and_then(Source::at_start) else {
            continue;
        };
        if !recovered {
            let is_copy = cut.place.head.is_head_of(&source.file).unwrap_or(false)
                && source
                    .file
                    .metadata()
                    .is_ok_and(|metadata| metadata.len() >= cut.place.offset);
            if !is_copy {
                continue;
            }
            source.place.offset = cut.place.offset;
            recovered = true;
        }
        if source.read_to_end(sink).is_err() {
            return false;
        }
        source.close_off(sink);
    }
    recovered
}

impl Source {
    fn at_start(file: File) -> io::Result<Self> {
        let metadata: Metadata = file.metadata()?;
        Ok(Self {
            place: Place {
                dev: metadata.dev(),
                ino: metadata.ino(),
                offset: 0,
                head: Head::default(),
            },
            file,
            partial: Vec::new(),
        })
    }

    /// Whether the file is shorter than what was read of it, or begins in another way.
    fn was_cut(&self) -> io::Result<bool> {
        let read = self.place.offset + self.partial.len() as u64;
        Ok(self.file.metadata()?.len() < read || !self.place.head.is_head_of(&self.file)?)
    }

    /// Goes back to the beginning. A writer that does not append leaves a hole before what it writes next:
    /// that is passed over.
    fn begin_again(&mut self) {
        self.partial.clear();
        self.place.head = Head::default();
        self.place.offset =
            rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(0)).unwrap_or(0);
    }

    fn read_to_end(&mut self, sink: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let mut block = Vec::new();
        loop {
            let at = self.place.offset + self.partial.len() as u64;
            if block.is_empty() {
                // Nothing new is the usual case: no block is needed for it.
                if self.file.metadata()?.len() <= at {
                    break;
                }
                block.resize(BLOCK, 0);
            }
            let read = match self.file.read_at(&mut block, at) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.take(&block[..read], sink);
        }
        self.place.head.grow(&self.file)
    }

    /// Hands on the whole lines of what was read and keeps the rest.
    fn take(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) {
        let Some(last) = memchr::memrchr(b'\n', bytes) else {
            self.partial.extend_from_slice(bytes);
            if self.partial.len() > LONGEST_LINE {
                self.hand_on_partial(sink);
            }
            return;
        };
        let (whole, rest) = bytes.split_at(last + 1);
        if self.partial.is_empty() {
            sink(whole);
        } else {
            self.partial.extend_from_slice(whole);
            sink(&self.partial);
        }
        self.place.offset += if self.partial.is_empty() {
            whole.len() as u64
        } else {
            self.partial.len() as u64
        };
        self.partial.clear();
        self.partial.extend_from_slice(rest);
    }

    /// Hands on an unfinished last line as a line: what comes next stands in another file.
    fn close_off(&mut self, sink: &mut impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            self.hand_on_partial(sink);
            sink(b"\n");
        }
    }

    fn hand_on_partial(&mut self, sink: &mut impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            sink(&self.partial);
            self.place.offset += self.partial.len() as u64;
            self.partial.clear();
        }
    }
}
