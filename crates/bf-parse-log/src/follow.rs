//! A log that is still being written: new bytes as they come, over rotation and truncation.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bf_cli::{Context, Failure, Interrupt, Interrupts};
use notify::Watcher as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::LogParser;

const PIECE: usize = 256 * 1024;
/// Bytes before the current position that must still be there when the file is looked at again.
const FINGERPRINT: usize = 256;

/// What happened to the file since it was looked at before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    /// It is not there yet.
    Missing,
    /// Nothing.
    Nothing,
    /// It has grown.
    Grown,
    /// Another file took its place; that one is read from its beginning.
    Rotated,
    /// It was cut or written anew; it is read from its beginning.
    Truncated,
}

/// A log being read to its end again and again.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    file: Option<File>,
    position: u64,
    fingerprint: Vec<u8>,
}

fn same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

impl Tail {
    pub(crate) fn new(path: &Path, from_byte: u64) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            position: from_byte,
            fingerprint: Vec::new(),
        }
    }

    /// Takes in what is new.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub(crate) fn pump(&mut self, parser: &mut LogParser) -> io::Result<Happened> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Happened::Missing),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &mut self.file else {
            return Ok(Happened::Missing);
        };
        let mut happened = Happened::Nothing;
        if was_rewritten(file, self.position, &self.fingerprint)? {
            self.position = 0;
            self.fingerprint.clear();
            parser.next_file();
            happened = Happened::Truncated;
        }
        file.seek(SeekFrom::Start(self.position))?;
        let grown = drain(file, parser, &mut self.position, &mut self.fingerprint)?;
        if grown && happened == Happened::Nothing {
            happened = Happened::Grown;
        }
        // Looked for after the old file was read to its end, so that none of its lines is lost.
        let replaced = match std::fs::metadata(&self.path) {
            Ok(now) => !same_file(&now, &file.metadata()?),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if replaced {
            drain(file, parser, &mut self.position, &mut self.fingerprint)?;
            parser.next_file();
            self.file = None;
            self.position = 0;
            self.fingerprint.clear();
            self.pump(parser)?;
            happened = Happened::Rotated;
        }
        Ok(happened)
    }
}

/// Whether the file no longer has what was read of it.
fn was_rewritten(file: &File, position: u64, fingerprint: &[u8]) -> io::Result<bool> {
    if file.metadata()?.len() < position {
        return Ok(true);
    }
    let mut now = vec![0; fingerprint.len()];
    match file.read_exact_at(&mut now, position - fingerprint.len() as u64) {
        Ok(()) => Ok(now != fingerprint),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(true),
        Err(error) => Err(error),
    }
}

/// Reads to the end; whether there was anything.
fn drain(
    file: &mut File,
    parser: &mut LogParser,
    position: &mut u64,
    fingerprint: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut piece = vec![0; PIECE];
    let mut grown = false;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(grown),
            Ok(length) => {
                let piece = &piece[..length];
                parser.feed(piece);
                *position += length as u64;
                fingerprint.extend_from_slice(&piece[length.saturating_sub(FINGERPRINT)..]);
                let surplus = fingerprint.len().saturating_sub(FINGERPRINT);
                fingerprint.drain(..surplus);
                grown = true;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sleeps until the log changes or somebody wants the tool to end.
pub(crate) struct Wakeup {
    interrupts: Interrupts,
    changed: UnixStream,
    /// Kept alive: it writes to the other end of `changed`. `None` where the system cannot watch files.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Wakeup {
    /// Watches the folder of `path`, so that a file that takes its place is seen, too.
    ///
    /// # Errors
    /// The process has no descriptors left.
    pub(crate) fn install(path: &Path) -> Result<Self, Failure> {
        let doing = || format!("watching {}", path.display());
        let interrupts = Interrupts::install()?;
        let (changed, ring) = UnixStream::pair().or_could_not_check(doing)?;
        changed.set_nonblocking(true).or_could_not_check(doing)?;
        ring.set_nonblocking(true).or_could_not_check(doing)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let watcher = notify::recommended_watcher(move |_| {
            // A full pipe means that the bell rings already.
            let _ = io::Write::write(&mut &ring, &[1]);
        })
        .and_then(|mut watcher| {
            watcher.watch(folder, notify::RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        Ok(Self {
            interrupts,
            changed,
            // Without it, the time limit of every wait is what is left.
            _watcher: watcher.ok(),
        })
    }

    /// Sleeps until something happens, at most `limit`: some file systems tell of no change.
    pub(crate) fn wait(&self, limit: Duration) -> Option<Interrupt> {
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        let mut fds = [
            PollFd::new(&self.interrupts, PollFlags::IN),
            PollFd::new(&self.changed, PollFlags::IN),
        ];
        if self.interrupts.pending().is_none() {
            // An error is an early return; the caller's loop asks again.
            let _ = poll(&mut fds, Some(&limit));
        }
        while matches!(io::Read::read(&mut &self.changed, &mut [0; 256]), Ok(1..)) {}
        self.interrupts.pending()
    }
}

#[cfg(test)]
mod tests {
    use super::{Happened, Tail};
    use crate::{Dialects, LogEnd, LogParser};
    use std::fs::OpenOptions;
    use std::io::Write;

    fn day(index: u32) -> String {
        format!(
            "INFO:__main__:Processing day {index}/9: 2024-01-0{index}\nINFO:__main__:  ✓ Success: 16 records\n"
        )
    }

    fn append(path: &std::path::Path, text: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("a log");
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn no_line_is_lost_or_read_twice_over_rotation_and_truncation() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.log");
        let mut parser = LogParser::new(Dialects::built_in());
        let mut tail = Tail::new(&path, 0);
        let mut pump = |parser: &mut LogParser| tail.pump(parser).expect("readable");

        assert_eq!(pump(&mut parser), Happened::Missing);
        append(&path, &day(1));
        assert_eq!(pump(&mut parser), Happened::Grown);
        assert_eq!(pump(&mut parser), Happened::Nothing);

        // Renamed, written on under the new name, and replaced.
        append(&path, &day(2));
        std::fs::rename(&path, folder.path().join("x.log.1")).expect("renamed");
        append(&folder.path().join("x.log.1"), &day(3));
        append(&path, &day(4));
        assert_eq!(pump(&mut parser), Happened::Rotated);

        // Cut while somebody else holds it open.
        std::fs::write(&path, "").expect("cut");
        append(&path, &day(5));
        assert_eq!(pump(&mut parser), Happened::Truncated);
        // Written anew, and longer than before.
        std::fs::write(&path, format!("{}{}", day(6), day(7))).expect("written anew");
        assert_eq!(pump(&mut parser), Happened::Truncated);

        let summary = parser.summary(LogEnd::StillWritten);
        assert_eq!(summary.successful_days, 7);
        assert!(
            parser
                .ledger(LogEnd::StillWritten)
                .iter()
                .all(|entry| entry.attempts == 1)
        );
    }
}
