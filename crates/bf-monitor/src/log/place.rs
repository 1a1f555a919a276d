//! A place in a file that is found again after the file was renamed, and not after it was cut.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Bytes at the beginning of a file that tell it from another.
const HEAD: usize = 1_024;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file's device.
    pub dev: u64,
    /// The file's inode.
    pub ino: u64,
    /// The offset in bytes that reading goes on at.
    pub offset: u64,
    /// How the file begins.
    pub head: Head,
}

impl Place {
    /// Device and inode.
    #[must_use]
    pub fn file(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }

    /// Whether `metadata` is that of the same file.
    #[must_use]
    pub fn is_in(&self, metadata: &Metadata) -> bool {
        self.file() == (metadata.dev(), metadata.ino())
    }
}

/// How a file begins: a checksum over its first bytes, as many as there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    bytes: u16,
    checksum: u32,
}

impl Head {
    /// Whether it covers nothing yet, so that it fits every file.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bytes == 0
    }

    /// Takes in more of the beginning, up to the first kilobyte.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn grow(&mut self, file: &File) -> io::Result<()> {
        if usize::from(self.bytes) >= HEAD {
            return Ok(());
        }
        let (block, read) = first_bytes(file)?;
        self.bytes = u16::try_from(read).unwrap_or(0);
        self.checksum = crc32fast::hash(&block[..read]);
        Ok(())
    }

    /// Whether `file` begins so.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_head_of(self, file: &File) -> io::Result<bool> {
        let length = usize::from(self.bytes);
        let (block, read) = first_bytes(file)?;
        Ok(read >= length && crc32fast::hash(&block[..length]) == self.checksum)
    }

    /// The same for a path; a head that covers nothing, and a file that cannot be read, are none.
    #[must_use]
    pub fn is_head_of_path(self, path: &Path) -> bool {
        !self.is_empty()
            && File::open(path)
                .and_then(|file| self.is_head_of(&file))
                .unwrap_or(false)
    }
}

fn first_bytes(file: &File) -> io::Result<([u8; HEAD], usize)> {
    let mut block = [0; HEAD];
    let mut read = 0;
    while read < HEAD {
        match file.read_at(&mut block[read..], read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((block, read))
}
