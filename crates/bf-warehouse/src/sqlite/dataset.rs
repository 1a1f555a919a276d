//! One dataset: a database file, attached read-only under the dataset's name.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::Connection;

use super::second_reader::{self, Candidate};
use crate::{Ident, WarehouseError};

/// The first bytes of every SQLite database. Source: "Database File Format", the database header.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The bytes of the header up to and with its text encoding, a number of four bytes.
const HEADER_BYTES: usize = 60;

/// An attached dataset.
#[derive(Debug)]
pub(super) struct Dataset {
    /// The name it is attached under.
    pub name: Ident,
    path: PathBuf,
    /// Size and time of the last write, for a file that is read without locks.
    frozen: Option<(u64, SystemTime)>,
    /// A second connection to it with the same snapshot, if it is large and nothing was being written to it.
    pub second_reader: Option<Connection>,
}

impl Dataset {
    /// Attaches `FOLDER/NAME.db`. A plain ATTACH would create the file, so it is looked for first.
    pub(super) fn attach(
        connection: &Connection,
        folder: &Path,
        name: &Ident,
        connect: &dyn Fn() -> rusqlite::Result<Connection>,
    ) -> Result<Self, WarehouseError> {
        let path = folder.join(format!("{name}.db"));
        let unreadable = |reason: String| WarehouseError::FileUnreadable {
            path: path.clone(),
            reason,
        };
        look(folder, &path)?;
        let attach = |options: &str| -> rusqlite::Result<Option<Connection>> {
            let uri = format!("file:{}?{options}", escaped(&path));
            let second = Candidate::open(&path, &uri, name, connect);
            second_reader::attach(connection, &uri, name)?;
            second_reader::look(connection, name).inspect_err(|_| {
                let _ = connection.execute(&format!("DETACH \"{name}\""), []);
            })?;
            Ok(second.and_then(Candidate::join))
        };
        let mut frozen = None;
        let attached = attach("mode=ro").or_else(|error| {
            let has_wal =
                fs::metadata(with_suffix(&path, "-wal")).is_ok_and(|metadata| metadata.len() > 0);
            // Which of the two it is depends on the user's rights to the file itself.
            let has_no_place = matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly)
            );
            if has_no_place && has_wal {
                let reason = "its WAL file holds rows that can only be read where the folder can be written to";
                return Err(unreadable(reason.to_owned()));
            }
            // A job that died in a transaction left half of it in the file, and the way back beside it.
            let is_half_written = fs::metadata(with_suffix(&path, "-journal"))
                .is_ok_and(|metadata| metadata.len() > 0);
            if has_no_place && is_half_written {
                return Err(unreadable(format!(
                    "a transaction broke off and must be rolled back first, by: sqlite3 {} 'SELECT 1 FROM sqlite_master'",
                    path.display()
                )));
            }
            if !has_no_place {
                return Err(unreadable(message(&error)));
            }
            // A WAL database in a folder that cannot be written to has no place for its shared memory;
            // without a WAL file the database file alone is all there is.
            frozen = stamp(&path);
            attach("immutable=1").map_err(|error| unreadable(message(&error)))
        });
        let second_reader = attached?;
        Ok(Self {
            name: name.clone(),
            path,
            frozen,
            second_reader,
        })
    }

    /// What a person should know about the way this dataset is read.
    pub(super) fn note(&self) -> Option<String> {
        self.frozen.map(|_| {
            format!(
                "{} was read as an immutable file: its folder cannot be written to and it has no WAL file",
                self.path.display()
            )
        })
    }

    /// See `Engine::verify_unchanged`.
    pub(super) fn verify_unchanged(&self) -> Result<(), WarehouseError> {
        if self.frozen.is_none() || self.frozen == stamp(&self.path) {
            return Ok(());
        }
        Err(WarehouseError::Changed {
            path: self.path.clone(),
        })
    }
}

/// Looks at the file before SQLite does, for errors that say what is wrong.
fn look(folder: &Path, path: &Path) -> Result<(), WarehouseError> {
    let unreadable = |reason: &str| WarehouseError::FileUnreadable {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    if folder.is_file() {
        return Err(WarehouseError::FileUnreadable {
            path: folder.to_owned(),
            reason: "a warehouse is a folder with one file per dataset, and this is a file"
                .to_owned(),
        });
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(WarehouseError::FileMissing {
                path: path.to_owned(),
            });
        }
        Err(error) => {
            let text = error.to_string();
            return Err(unreadable(text.split(" (os error").next().unwrap_or(&text)));
        }
    };
    let mut header = [0; HEADER_BYTES];
    match file.read_exact(&mut header) {
        Ok(()) if !header.starts_with(MAGIC) => Err(unreadable("not a SQLite database")),
        // Databases of two encodings cannot be read by one connection, and nearly all are UTF-8.
        Ok(()) if matches!(header[HEADER_BYTES - 1], 2 | 3) => Err(unreadable(&format!(
            "its text is stored as UTF-16; convert it to UTF-8 with: sqlite3 {path} .dump | sqlite3 NEW.db, \
             then put NEW.db in its place",
            path = path.display()
        ))),
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(unreadable("not a SQLite database (it is too short)"))
        }
        Err(error) => {
            let text = error.to_string();
            Err(unreadable(text.split(" (os error").next().unwrap_or(&text)))
        }
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The path as part of a `file:` URI. Source: "Uniform Resource Identifiers", the URI path: `?`, `#` and
/// `%` must be escaped, and `//` in front would be an authority.
fn escaped(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt;

    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = String::new();
    for &byte in absolute.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// SQLite's own words, in one line.
pub(super) fn message(error: &rusqlite::Error) -> String {
    let text = match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            message.clone().unwrap_or_else(|| failure.to_string())
        }
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    text.replace('\n', " ")
}
