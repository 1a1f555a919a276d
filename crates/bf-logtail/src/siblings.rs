//! The files that rotation leaves beside a log: `x.log.1`, `x.log-20260103`, `x.log.2026-01-03`.
//!
//! Each is known by what it is and not by its name or time: those that were there before, and those that were
//! read, are never read again, however often they are renamed.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::place::{FileId, nanoseconds};

/// A file that was not seen so many times in a row is gone, and was not just being renamed.
const GONE: u8 = 3;

/// Tries at files that are being renamed right now, before they are taken as they come.
const MAX_TRIES: usize = 100;

/// What is known of a file beside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiblingStatus {
    /// It was read, or is of the time before.
    Settled,
    /// It appeared while the log stayed the same file: it may be, or become, a copy of that.
    Candidate,
    /// It was not there in the last pass.
    Fresh,
}

/// The files beside a log that may hold what was not read yet.
pub(crate) const UNREAD: [SiblingStatus; 2] = [SiblingStatus::Candidate, SiblingStatus::Fresh];

/// A file beside the log, as it is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSibling {
    id: FileId,
    #[serde(rename = "standing")]
    status: SiblingStatus,
    same: u64,
}

#[derive(Debug)]
struct Sibling {
    id: FileId,
    path: PathBuf,
    status: SiblingStatus,
    /// Up to which byte it was seen to be what the log holds.
    same: u64,
    /// How old it is among the others: oldest first.
    age: Age,
    /// Times in a row that it was not seen.
    missed: u8,
}

/// Time of birth, or of the last change where that is unknown, in nanoseconds; files of one tick by the number
/// of the rotation, where a higher one is older.
type Age = (u64, Reverse<u64>);

/// The files beside a log.
#[derive(Debug, Default)]
pub(crate) struct Siblings {
    log: PathBuf,
    known: Vec<Sibling>,
}

impl Siblings {
    /// Those that are there now, all of the time before.
    #[must_use]
    pub(crate) fn of_before(log: &Path) -> Self {
        Self::with(log, |_| (SiblingStatus::Settled, 0))
    }

    /// Those that are there now; the ones born after `file` are fresh.
    #[must_use]
    pub(crate) fn since(log: &Path, file: &FileId) -> Self {
        Self::with(log, |found| match (found.born, file.born) {
            (Some(found), Some(file)) if found > file => (SiblingStatus::Fresh, 0),
            _ => (SiblingStatus::Settled, 0),
        })
    }

    /// Those that are there now; the ones that were not saved are fresh.
    #[must_use]
    pub(crate) fn with_saved(log: &Path, saved: &[SavedSibling]) -> Self {
        Self::with(log, |found| {
            saved
                .iter()
                .find(|saved| saved.id.is(found))
                .map_or((SiblingStatus::Fresh, 0), |saved| {
                    (saved.status, saved.same)
                })
        })
    }

    fn with(log: &Path, known: impl Fn(&FileId) -> (SiblingStatus, u64)) -> Self {
        let mut siblings = Self {
            log: log.to_owned(),
            known: Vec::new(),
        };
        siblings.refresh();
        for sibling in &mut siblings.known {
            (sibling.status, sibling.same) = known(&sibling.id);
        }
        siblings
    }

    /// What is to be saved: a fresh one is fresh again next time.
    #[must_use]
    pub(crate) fn save(&self) -> Vec<SavedSibling> {
        let known = self.known.iter();
        known
            .filter(|sibling| sibling.status != SiblingStatus::Fresh)
            .map(|sibling| SavedSibling {
                id: sibling.id,
                status: sibling.status,
                same: sibling.same,
            })
            .collect()
    }

    /// Looks at what is there now. What is new is fresh.
    pub(crate) fn refresh(&mut self) {
        let Ok(found) = scan(&self.log) else {
            return; // a folder that cannot be read does not tell what is in it
        };
        for sibling in &mut self.known {
            sibling.missed = sibling.missed.saturating_add(1);
        }
        for (id, path, age) in found {
            match self.known.iter_mut().find(|sibling| sibling.id.is(&id)) {
                Some(sibling) => {
                    sibling.path = path;
                    sibling.missed = 0;
                }
                None => self.known.push(Sibling {
                    id,
                    path,
                    status: SiblingStatus::Fresh,
                    same: 0,
                    age,
                    missed: 0,
                }),
            }
        }
        self.known.retain(|sibling| sibling.missed < GONE);
        self.known.sort_by_key(|sibling| sibling.age);
    }

    /// The files in one of these statuses that are there, oldest first.
    #[must_use]
    pub(crate) fn all(&self, statuses: &[SiblingStatus]) -> Vec<FileId> {
        let known = self.known.iter();
        known
            .filter(|sibling| sibling.missed == 0 && statuses.contains(&sibling.status))
            .map(|sibling| sibling.id)
            .collect()
    }

    /// Opens a file, wherever it is now: a rotation renames all of them. `None` if it is gone.
    pub(crate) fn open(&mut self, id: &FileId) -> Option<File> {
        for again in 0..MAX_TRIES {
            if again > 0 {
                self.refresh();
            }
            let mut known = self.known.iter();
            let sibling = known.find(|sibling| sibling.id.is(id) && sibling.missed == 0)?;
            let Ok(file) = File::open(&sibling.path) else {
                continue;
            };
            let is_it = file
                .metadata()
                .is_ok_and(|metadata| FileId::of(&metadata).is(id));
            if is_it {
                return Some(file);
            }
        }
        None
    }

    /// Up to which byte a file was seen to be what the log holds; 0 if it was not.
    #[must_use]
    pub(crate) fn same(&self, id: &FileId) -> u64 {
        let mut known = self.known.iter();
        known
            .find(|sibling| sibling.id.is(id))
            .map_or(0, |sibling| sibling.same)
    }

    /// Notes that.
    pub(crate) fn set_same(&mut self, id: &FileId, same: u64) {
        for sibling in &mut self.known {
            if sibling.id.is(id) {
                sibling.same = same;
            }
        }
    }

    /// Forgets that of all: the log holds something else now.
    pub(crate) fn clear_same(&mut self) {
        for sibling in &mut self.known {
            sibling.same = 0;
        }
    }

    /// Never to be read again.
    pub(crate) fn settle(&mut self, id: &FileId) {
        for sibling in &mut self.known {
            if sibling.id.is(id) {
                sibling.status = SiblingStatus::Settled;
            }
        }
    }

    /// Moves all in one status to another.
    pub(crate) fn reclassify(&mut self, from: SiblingStatus, to: SiblingStatus) {
        for sibling in &mut self.known {
            if sibling.status == from {
                sibling.status = to;
            }
        }
    }
}

type Found = (FileId, PathBuf, Age);

/// The rotated files beside a log. Compressed ones are not among them.
fn scan(log: &Path) -> io::Result<Vec<Found>> {
    let mut tries = 0;
    loop {
        let (found, was_disturbed) = scan_once(log)?;
        tries += 1;
        if !was_disturbed || tries == MAX_TRIES {
            return Ok(found);
        }
    }
}

/// The same, and whether a file was renamed between reading its name and asking after it.
fn scan_once(log: &Path) -> io::Result<(Vec<Found>, bool)> {
    let (mut found, mut was_disturbed) = (Vec::new(), false);
    let Some(name) = log.file_name() else {
        return Ok((found, was_disturbed));
    };
    let directory = match log.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !is_rotated(&entry.file_name(), name) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else {
            was_disturbed = true;
            continue;
        };
        was_disturbed |= entry.ino() != metadata.ino();
        if !metadata.is_file() {
            continue;
        }
        let id = FileId::of(&metadata);
        let changed = || metadata.modified().ok().and_then(nanoseconds);
        let time = id.born.or_else(changed).unwrap_or_default();
        let number = rotation_number(&entry.file_name());
        found.push((id, entry.path(), (time, Reverse(number))));
    }
    Ok((found, was_disturbed))
}

/// The number at the end of a rotated file's name; 0 for a date, where a higher one is younger.
fn rotation_number(name: &OsStr) -> u64 {
    const LONGEST: usize = 5;
    let bytes = name.as_bytes();
    let digits = bytes
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits > LONGEST {
        return 0;
    }
    std::str::from_utf8(&bytes[bytes.len() - digits..])
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// Whether `name` is the log's name and a number or date after it.
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

    use super::{SiblingStatus, Siblings, is_rotated, rotation_number};

    fn names(siblings: &Siblings, status: SiblingStatus) -> Vec<String> {
        let of = |known: &&super::Sibling| known.status == status;
        let name = |known: &super::Sibling| known.path.file_name().expect("a name").to_owned();
        let known = siblings.known.iter().filter(of).map(name);
        known
            .map(|name| name.into_string().expect("text"))
            .collect()
    }

    #[test]
    fn a_file_is_known_by_what_it_is_through_every_renaming() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("x.log.1"), "old\n").expect("a file");
        let mut siblings = Siblings::of_before(&path("x.log"));
        std::fs::rename(path("x.log.1"), path("x.log.2")).expect("renamed");
        std::fs::write(path("x.log.1"), "new\n").expect("a file");
        siblings.refresh();
        assert_eq!(names(&siblings, SiblingStatus::Fresh), ["x.log.1"]);
        assert_eq!(names(&siblings, SiblingStatus::Settled), ["x.log.2"]);

        let again = Siblings::with_saved(&path("x.log"), &siblings.save());
        assert_eq!(names(&again, SiblingStatus::Fresh), ["x.log.1"]);
        siblings.reclassify(SiblingStatus::Fresh, SiblingStatus::Settled);
        let again = Siblings::with_saved(&path("x.log"), &siblings.save());
        assert_eq!(names(&again, SiblingStatus::Fresh), Vec::<String>::new());
    }

    #[test]
    fn of_two_rotated_files_the_higher_number_is_older_and_the_later_date_is_younger() {
        assert_eq!(rotation_number(OsStr::new("x.log.12")), 12);
        assert_eq!(rotation_number(OsStr::new("x.log-20260103")), 0);
    }

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
