//! A part of a file, looked at where it lies in the page cache: to copy it first costs as much as all that is
//! done with it.
//!
//! What is cut off a file while it is looked at cannot be had any more. Then the kernel sends SIGBUS (mmap(2)),
//! and the program ends as it does for any log that it could not read to its end.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::{Deref, Range};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use bf_cli::text::printable;
use bf_contract::Exit;
use memmap2::{Mmap, MmapOptions};
use signal_hook::consts::SIGBUS;
use signal_hook::low_level;

/// The last words of a program whose log was cut.
static WAS_CUT: OnceLock<Vec<u8>> = OnceLock::new();

/// Some bytes of a file.
pub(crate) enum Window {
    Mapped(Mmap),
    /// From a file system that maps nothing.
    Copied(Vec<u8>),
}

impl Window {
    /// Says what happens where `path` is cut while there are windows on it: one line, and the exit code of what
    /// could not be checked.
    ///
    /// # Errors
    /// The signal cannot be caught.
    pub(crate) fn prepare(path: &Path) -> io::Result<()> {
        let words = format!(
            "bf-parse-log: reading {}: the log was cut while it was read\n\
             hint: read it again; what it said before may be in a rotated copy beside it\n",
            printable(&path.display().to_string(), usize::MAX)
        );
        if WAS_CUT.set(words.into_bytes()).is_err() {
            return Ok(());
        }
        // SAFETY: the action only writes and ends the program, which a signal handler may (signal-safety(7)).
        unsafe { low_level::register(SIGBUS, end) }.map(drop)
    }

    /// A window on these bytes of `file`.
    ///
    /// # Errors
    /// The file cannot be read, or does not have them.
    pub(crate) fn of(file: &File, bytes: Range<u64>) -> io::Result<Self> {
        let length = usize::try_from(bytes.end - bytes.start)
            .map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
        let mut options = MmapOptions::new();
        options.offset(bytes.start).len(length).populate();
        // SAFETY: logs grow at their end, behind every window; one that is cut ends the program (`prepare`).
        // No other part of the program writes to it.
        if let Ok(map) = unsafe { options.map(file) } {
            return Ok(Self::Mapped(map));
        }
        let mut copy = vec![0; length];
        file.read_exact_at(&mut copy, bytes.start)?;
        Ok(Self::Copied(copy))
    }
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Copied(copy) => copy,
        }
    }
}

fn end() {
    if let Some(words) = WAS_CUT.get() {
        // Nothing can be done where nobody hears it.
        let _ = rustix::io::write(rustix::stdio::stderr(), words);
    }
    low_level::exit(i32::from(Exit::CouldNotCheck.code()));
}
