//! The state file: what a second bf-monitor needs to take up where the first one was killed.

use std::io::Write;
use std::path::{Path, PathBuf};

use bf_cli::{Context, Failure};
use bf_contract::{ProcessExit, ProcessIdentity};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::log::Kept;
use crate::rate::Rate;
use crate::record;
use crate::silence::Silence;

/// The version that is written; a later one is refused.
const VERSION: u32 = 1;

/// What is kept. Every save replaces the file as a whole, so that it is always of one moment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The version of this file.
    pub version: u32,
    /// When it was written.
    pub saved_at: DateTime<Utc>,
    /// The boot that the monotonic times in it belong to.
    pub boot_id: Option<String>,
    /// The watched process.
    pub process: Option<ProcessIdentity>,
    /// When that started.
    pub started_at: Option<DateTime<Utc>>,
    /// The log's place and claims.
    pub log: Option<Kept>,
    /// How fast dates got done.
    pub rate: Rate,
    /// Since when what stands still.
    pub silence: Option<Silence>,
    /// How it ended, once that is settled.
    pub ended: Option<Ended>,
}

/// How a watched process ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// When it was seen.
    pub at: DateTime<Utc>,
    /// What was known of the process alone, before the log was asked.
    pub exit: ProcessExit,
    /// The same in words.
    pub message: String,
    /// Seconds from its start to its end.
    pub elapsed_seconds: Option<f64>,
}

/// The file that a [`State`] is kept in.
#[derive(Debug, Clone)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// Reads the state, where there is one, and makes sure that it can be written.
    ///
    /// # Errors
    /// It cannot be read or written, or is no state file of this version: exit 2, before anything starts.
    pub fn open(path: &Path) -> Result<(Self, Option<State>), Failure> {
        let file = Self {
            path: path.to_owned(),
        };
        let state = match std::fs::read(path) {
            Ok(bytes) => Some(file.parse(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error)
                    .or_usage(|| format!("reading the state file {}", path.display()))
                    .map_err(|failure| failure.hint("nothing was started; give --state a file"));
            }
        };
        tempfile::NamedTempFile::new_in(file.folder())
            // The name of a temporary file is nobody's concern.
            .map_err(|error| std::io::Error::from(error.kind()))
            .or_usage(|| format!("writing the state file {}", path.display()))
            .map_err(|failure| {
                failure.hint(
                    "nothing was started; give --state a file in a folder that can be written",
                )
            })?;
        Ok((file, state))
    }

    fn parse(&self, bytes: &[u8]) -> Result<State, Failure> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let reading = || format!("reading the state file {}", self.path.display());
        let hint = "nothing was started; give --state another file, or move this one away";
        let head: Head = serde_json::from_slice(bytes)
            .or_usage(reading)
            .map_err(|failure| failure.hint(hint))?;
        if head.version != VERSION {
            return Err(Failure::usage(format!(
                "the state file {} is of version {}, and this bf-monitor reads version {VERSION}",
                self.path.display(),
                head.version
            ))
            .hint(hint));
        }
        serde_json::from_slice(bytes)
            .or_usage(reading)
            .map_err(|failure| failure.hint(hint))
    }

    /// Replaces the file: written beside it, synced, renamed over it.
    ///
    /// # Errors
    /// It could not be written; the old one is untouched.
    pub fn save(&self, mut state: State) -> std::io::Result<()> {
        state.version = VERSION;
        state.saved_at = Utc::now();
        let mut file = tempfile::NamedTempFile::new_in(self.folder())?;
        serde_json::to_writer(&mut file, &state)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        record::sync_folder(&self.path)
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
