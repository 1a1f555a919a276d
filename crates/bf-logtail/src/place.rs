//! A place in a file that is found again after the file was renamed, and not after it was truncated.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// Bytes that a [`Sample`] covers at most.
pub(crate) const SAMPLE: usize = 1_024;

/// Which file it is, whatever its name. An inode number is given again after a deletion, the time of birth
/// with it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId {
    /// The device.
    pub dev: u64,
    /// The inode.
    pub ino: u64,
    /// Nanoseconds since 1970 at which it was created; null where the file system does not know.
    #[serde(default)]
    pub born: Option<u64>,
}

impl FileId {
    /// That of a file.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
            born: metadata.created().ok().and_then(nanoseconds),
        }
    }

    /// Whether both are of one file; a birth that is not known of both is not compared.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let births_fit = match (self.born, other.born) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        (self.dev, self.ino) == (other.dev, other.ino) && births_fit
    }
}

/// Nanoseconds since 1970.
pub(crate) fn nanoseconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// A place in a file: everything before it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file's device.
    pub dev: u64,
    /// The file's inode.
    pub ino: u64,
    /// Nanoseconds since 1970 at which the file was created; null where unknown.
    #[serde(default)]
    pub born: Option<u64>,
    /// The offset in bytes at which reading continues.
    pub offset: u64,
    /// How the file begins.
    pub head: Sample,
    /// The bytes right before the offset.
    #[serde(default)]
    pub tail: Sample,
}

impl Place {
    /// The end of a file as it is now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn end_of(file: &File) -> io::Result<Self> {
        Self::at(file, file.metadata()?.len())
    }

    /// A place at `offset` of a file as it is now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn at(file: &File, offset: u64) -> io::Result<Self> {
        let FileId { dev, ino, born } = FileId::of(&file.metadata()?);
        Ok(Self {
            dev,
            ino,
            born,
            offset,
            head: Sample::of(&read_at(file, 0, offset.min(SAMPLE as u64))?),
            tail: Sample::of(&before(file, offset)?),
        })
    }

    /// Which file it is in.
    #[must_use]
    pub fn id(&self) -> FileId {
        FileId {
            dev: self.dev,
            ino: self.ino,
            born: self.born,
        }
    }

    /// Whether `file` begins as this one does.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn begins(&self, file: &File) -> io::Result<bool> {
        self.head.is_at(file, 0)
    }

    /// Whether `file` still holds what was read up to this place: the file itself, or a copy of it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn fits(&self, file: &File) -> io::Result<bool> {
        let from = self.offset.checked_sub(self.tail.bytes.into());
        Ok(file.metadata()?.len() >= self.offset
            && self.head.is_at(file, 0)?
            && from.map_or(Ok(false), |from| self.tail.is_at(file, from))?)
    }
}

/// A checksum over a few bytes of a file, to know them again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// How many bytes; none where nothing was read yet, and that fits every file.
    pub bytes: u16,
    checksum: u32,
}

impl Sample {
    /// Of these bytes, [`SAMPLE`] at most.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::default().and(bytes)
    }

    /// The same with these bytes after it, as far as there is room.
    #[must_use]
    pub(crate) fn and(self, bytes: &[u8]) -> Self {
        let room = SAMPLE.saturating_sub(self.bytes.into());
        let more = &bytes[..bytes.len().min(room)];
        let mut hasher = crc32fast::Hasher::new_with_initial_len(self.checksum, self.bytes.into());
        hasher.update(more);
        Self {
            bytes: self
                .bytes
                .saturating_add(u16::try_from(more.len()).unwrap_or(u16::MAX)),
            checksum: hasher.finalize(),
        }
    }

    /// Whether these bytes stand at `offset`.
    fn is_at(self, file: &File, offset: u64) -> io::Result<bool> {
        Ok(Self::of(&read_at(file, offset, self.bytes.into())?) == self)
    }
}

/// The bytes right before `offset`, [`SAMPLE`] at most.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn before(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let length = offset.min(SAMPLE as u64);
    read_at(file, offset - length, length)
}

/// `length` bytes from `offset` on; fewer where the file ends.
fn read_at(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = fill(file, &mut bytes, offset)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads until `block` is full or the file ends, and returns how much that was.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn fill(file: &File, block: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < block.len() {
        match file.read_at(&mut block[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Place, Sample};

    #[test]
    fn a_sample_grows_as_if_it_had_been_taken_at_once() {
        assert_eq!(Sample::of(b"ab").and(b"cd"), Sample::of(b"abcd"));
        let long = [7; 3_000];
        assert_eq!(Sample::of(&long).bytes, 1_024);
        assert_eq!(Sample::of(&long[..1_000]).and(&long), Sample::of(&long));
    }

    #[test]
    fn a_place_fits_its_file_and_a_longer_copy_and_nothing_that_differs_at_either_end() {
        let file = |text: &str| {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(text.as_bytes()).expect("text");
            file
        };
        let head = "h".repeat(2_000);
        let original = file(&format!("{head}one\n"));
        let place = Place::end_of(&original).expect("a place");
        assert!(place.fits(&original).expect("readable"));
        for (text, fits) in [
            (format!("{head}one\ntwo\n"), true),
            (format!("{head}two\ntwo\n"), false),
            (format!("x{}one\n", &head[1..]), false),
            (head.clone(), false),
        ] {
            assert_eq!(place.fits(&file(&text)).expect("readable"), fits);
        }
        let nothing = Place::end_of(&file("")).expect("a place");
        assert!(nothing.fits(&original).expect("readable"));
    }
}
