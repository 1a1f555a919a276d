//! The files that rotation leaves beside a log: `x.log.1`, `x.log-20260103`, `x.log.2026-01-03`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// File systems keep times more coarsely than the clock does.
const COARSE: Duration = Duration::from_secs(1);

/// A file beside the log.
#[derive(Debug)]
pub struct Sibling {
    /// Its path.
    pub path: PathBuf,
    /// Device and inode.
    pub file: (u64, u64),
    /// When it was created, or last written to where the file system does not know.
    created: SystemTime,
}

impl Sibling {
    /// Whether it did not exist yet at `moment`.
    #[must_use]
    pub fn created_since(&self, moment: SystemTime) -> bool {
        self.created + COARSE >= moment
    }
}

/// The rotated files beside a log, oldest first. Compressed ones are not among them.
#[must_use]
pub fn of(log: &Path) -> Vec<Sibling> {
    let (Some(directory), Some(name)) = (log.parent(), log.file_name()) else {
        return Vec::new();
    };
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut siblings: Vec<Sibling> = entries
        .flatten()
        .filter(|entry| is_rotated(&entry.file_name(), name))
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some(Sibling {
                path: entry.path(),
                file: (metadata.dev(), metadata.ino()),
                created: metadata.created().or_else(|_| metadata.modified()).ok()?,
            })
        })
        .collect();
    siblings.sort_by_key(|sibling| sibling.created);
    siblings
}

/// Whether `name` is the log's name and a number or date behind it.
fn is_rotated(name: &OsStr, log: &OsStr) -> bool {
    let Some(rest) = name.as_bytes().strip_prefix(log.as_bytes()) else {
        return false;
    };
    matches!(rest, [b'.' | b'-' | b'_', ..])
        && rest.len() > 1
        && rest[1..]
            .iter()
            .all(|byte| byte.is_ascii_digit() || b"-_.:T".contains(byte))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::is_rotated;

    #[test]
    fn numbers_and_dates_are_rotated_files_and_other_endings_are_not() {
        for name in ["x.log.1", "x.log.12", "x.log-20260103", "x.log.2026-01-03"] {
            assert!(is_rotated(OsStr::new(name), OsStr::new("x.log")), "{name}");
        }
        for name in [
            "x.log",
            "x.log.gz",
            "x.log.1.gz",
            "x.log.job",
            "y.log.1",
            "x.log.",
        ] {
            assert!(!is_rotated(OsStr::new(name), OsStr::new("x.log")), "{name}");
        }
    }
}
