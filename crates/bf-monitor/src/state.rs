//! The state file: what a second bf-monitor needs to continue where the first one was killed.

use std::io::Write;
use std::path::{Path, PathBuf};

use bf_cli::{Context, Failure};
use bf_contract::ProcessIdentity;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::exit::ExitInfo;
use crate::launch::record;
use crate::log::SavedLog;
use crate::proc::Family;
use crate::rate::Rate;
use crate::stall::StallDetector;

/// The version that is written; a later one is refused.
const VERSION: u32 = 1;

/// What is kept. Every save replaces the file as a whole, so that it is always of one moment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The version of this file.
    pub(crate) version: u32,
    /// When it was written.
    pub(crate) saved_at: DateTime<Utc>,
    /// The boot that the monotonic times in it belong to.
    pub(crate) boot_id: Option<String>,
    pub(crate) process: Option<ProcessIdentity>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    /// The log's place and claims.
    pub(crate) log: Option<SavedLog>,
    /// How fast dates got done.
    pub(crate) rate: Rate,
    /// Since when each sign has not moved; null in files of an earlier version.
    #[serde(default)]
    pub(crate) stall: Option<StallDetector>,
    /// What else is of the job; null in files of an earlier version.
    #[serde(default)]
    pub(crate) family: Option<Family>,
    /// How it ended, once that is settled.
    pub(crate) ended: Option<ExitInfo>,
}

/// The file that a [`State`] is kept in.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// Reads the state, if there is one, and makes sure that it can be written.
    ///
    /// # Errors
    /// It cannot be read or written, or is no state file of this version: exit 2, before anything starts.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<State>), Failure> {
        let file = Self {
            path: path.to_owned(),
        };
        let state = file.read()?;
        tempfile::NamedTempFile::new_in(file.folder())
            // The name of a temporary file is of no interest.
            .map_err(|error| std::io::Error::from(error.kind()))
            .or_usage(|| format!("writing the state file {}", path.display()))
            .map_err(|failure| {
                failure.hint(
                    "nothing was started; give --state a file in a folder that can be written",
                )
            })?;
        Ok((file, state))
    }

    /// The state of an earlier attempt, which is read only.
    ///
    /// # Errors
    /// It is not there, cannot be read or is not a state file of this version: exit 2, before anything starts.
    pub(crate) fn read_only(path: &Path) -> Result<State, Failure> {
        let file = Self {
            path: path.to_owned(),
        };
        file.read()?.ok_or_else(|| {
            Failure::usage(format!("no state file {}", path.display()))
                .hint("nothing was started; leave --after out if there was no earlier attempt")
        })
    }

    fn read(&self) -> Result<Option<State>, Failure> {
        match std::fs::read(&self.path) {
            Ok(bytes) => self.parse(&bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error)
                .or_usage(|| format!("reading the state file {}", self.path.display()))
                .map_err(|failure| failure.hint("nothing was started; give a state file")),
        }
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
    pub(crate) fn save(&self, mut state: State) -> std::io::Result<()> {
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
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
