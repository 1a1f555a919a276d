//! The job record: what was decided about a job, step by step, in one file that is only appended to.
//!
//! Each step is one JSON line, written whole and synced before what it stands for is done. The starter, the
//! keeper and the gate hold an exclusive lock on the file for as long as they live, so whoever gets the
//! lock knows that none of them does.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use bf_contract::ProcessIdentity;
use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use bf_logtail::Place;

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A job is about to be prepared. Begins a new attempt.
    Intended(Intent),
    /// The job's process is there and waits at the gate.
    Recorded(Recorded),
    /// The gate is open: from here on the job counts as started.
    Released {
        /// When.
        at: DateTime<Utc>,
    },
    /// The program could not be executed. No job runs.
    NotStarted {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// The job is over.
    Exited(Exited),
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When.
    pub at: DateTime<Utc>,
    /// The boot that it happens in.
    pub boot_id: Option<String>,
    /// The program and its arguments, as they were given.
    pub command: Vec<String>,
    /// The job's working directory, absolute.
    pub cwd: PathBuf,
    /// The log that its output is appended to, absolute.
    pub log: PathBuf,
    /// Where in that log this run begins.
    pub from: Place,
}

/// Who the job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// When.
    pub at: DateTime<Utc>,
    /// The job's process. It keeps its pid and start time when it becomes the program.
    pub job: ProcessIdentity,
    /// Its parent, which waits for it.
    pub keeper: ProcessIdentity,
}

/// How the job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// When.
    pub at: DateTime<Utc>,
    /// The wait status, as wait(2) gave it.
    pub wait_status: i32,
    /// Kills for want of memory that the job's control group counted meanwhile; null where unknown.
    pub oom_kills: Option<u64>,
}

impl Exited {
    /// The wait status.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        std::os::unix::process::ExitStatusExt::from_raw(self.wait_status)
    }
}

/// What the steps of the last attempt come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Story {
    /// Nothing was ever released: whoever holds the lock may start the job.
    NotStarted,
    /// The job was started, and its end is not recorded.
    Started(Intent, Recorded),
    /// The job is over.
    Ended(Intent, Recorded, Exited),
}

/// Reads the steps of a record. A line that is torn or not known is passed over: it was never synced, or
/// is of a later version.
#[must_use]
pub fn read(bytes: &[u8]) -> Story {
    let steps = bytes
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Step>(line).ok());
    let (mut intent, mut recorded, mut released, mut exited) = (None, None, false, None);
    for step in steps {
        match step {
            Step::Intended(step) => {
                intent = Some(step);
                (recorded, released, exited) = (None, false, None);
            }
            Step::Recorded(step) => recorded = Some(step),
            Step::Released { .. } => released = true,
            Step::NotStarted { .. } => released = false,
            Step::Exited(step) => exited = Some(step),
        }
    }
    match (intent, recorded, released, exited) {
        (Some(intent), Some(recorded), true, None) => Story::Started(intent, recorded),
        (Some(intent), Some(recorded), true, Some(exited)) => {
            Story::Ended(intent, recorded, exited)
        }
        _ => Story::NotStarted,
    }
}

/// Writes one step and waits until it is on the disk. A torn line before it is closed off.
///
/// # Errors
/// The line could not be written whole or synced: what it stands for must not be done.
pub fn append(file: &File, step: &Step) -> io::Result<()> {
    let mut line = vec![b'\n'];
    serde_json::to_writer(&mut line, step)?;
    line.push(b'\n');
    let mut writer = file;
    writer.write_all(&line)?;
    file.sync_all()
}

/// The record's path: beside the state file, or beside the log where there is none.
#[must_use]
pub fn path_beside(base: &Path) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(".job");
    PathBuf::from(name)
}

/// A record that is open, and locked or not.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    file: File,
}

impl Record {
    /// Opens the record, makes it where it is not there, and tries to lock it. The lock belongs to the open
    /// file: every process that inherits it holds it.
    ///
    /// # Errors
    /// The file cannot be made or opened for writing.
    pub fn open(path: &Path) -> io::Result<(Self, bool)> {
        loop {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .read(true)
                .open(path)?;
            let locked = match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => true,
                Err(rustix::io::Errno::AGAIN) => false,
                Err(error) => return Err(error.into()),
            };
            let record = Self {
                path: path.to_owned(),
                file,
            };
            // A starter that failed takes its record away: then the lock is on a file that nobody finds.
            if !locked || record.is_at_its_path() {
                return Ok((record, locked));
            }
        }
    }

    fn is_at_its_path(&self) -> bool {
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), std::fs::metadata(&self.path)) {
            (Ok(open), Ok(named)) => identity(open) == identity(named),
            _ => false,
        }
    }

    /// What it says now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn story(&self) -> io::Result<Story> {
        let mut bytes = Vec::new();
        let mut reader = &self.file;
        reader.rewind()?;
        reader.read_to_end(&mut bytes)?;
        Ok(read(&bytes))
    }

    /// Empties it, so that it tells of one job only.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Writes a step, and makes sure that the file itself is found after a crash.
    ///
    /// # Errors
    /// It could not be written or synced.
    pub fn append(&self, step: &Step) -> io::Result<()> {
        append(&self.file, step)?;
        sync_folder(&self.path)
    }

    /// Takes the record away.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// A descriptor of the open file, to hand down with its lock.
    ///
    /// # Errors
    /// No descriptors are left.
    pub fn hand_down(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Syncs the folder of a file, so that its name is there after a crash.
///
/// # Errors
/// The folder cannot be synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use bf_contract::ProcessIdentity;
    use chrono::Utc;

    use super::{Exited, Intent, Recorded, Step, Story, read};
    use bf_logtail::Place;

    fn intended(program: &str) -> Step {
        Step::Intended(Intent {
            at: Utc::now(),
            boot_id: None,
            command: vec![program.to_owned()],
            cwd: PathBuf::from("/"),
            log: PathBuf::from("/x.log"),
            from: Place {
                dev: 1,
                ino: 2,
                offset: 3,
                ..Place::default()
            },
        })
    }

    fn recorded(pid: u32) -> Step {
        let identity = |pid| ProcessIdentity {
            pid,
            start_ticks: Some(1),
            boot_id: None,
            pidfd_inode: None,
        };
        Step::Recorded(Recorded {
            at: Utc::now(),
            job: identity(pid),
            keeper: identity(1),
        })
    }

    fn exited(code: i32) -> Step {
        Step::Exited(Exited {
            at: Utc::now(),
            wait_status: code << 8,
            oom_kills: None,
        })
    }

    fn story(steps: &[Step]) -> Story {
        let lines: Vec<String> = steps
            .iter()
            .map(|step| serde_json::to_string(step).expect("steps are JSON"))
            .collect();
        read(lines.join("\n").as_bytes())
    }

    #[test]
    fn a_job_counts_as_started_once_the_gate_is_open_and_not_before() {
        let released = Step::Released { at: Utc::now() };
        let steps = [intended("a"), recorded(7), released, exited(0)];
        assert_eq!(story(&[]), Story::NotStarted);
        assert_eq!(story(&steps[..1]), Story::NotStarted);
        assert_eq!(story(&steps[..2]), Story::NotStarted);
        assert!(matches!(story(&steps[..3]), Story::Started(_, recorded) if recorded.job.pid == 7));
        assert!(
            matches!(story(&steps), Story::Ended(_, _, exited) if exited.status().code() == Some(0))
        );
    }

    #[test]
    fn a_second_attempt_forgets_the_first() {
        let steps = [intended("a"), recorded(7), intended("a"), recorded(8)];
        assert_eq!(story(&steps), Story::NotStarted);
        let released = Step::Released { at: Utc::now() };
        let steps = [&steps[..], &[released]].concat();
        assert!(matches!(story(&steps), Story::Started(_, recorded) if recorded.job.pid == 8));
    }

    #[test]
    fn a_program_that_could_not_be_executed_was_not_started() {
        let steps = [
            intended("a"),
            recorded(7),
            Step::Released { at: Utc::now() },
            Step::NotStarted {
                at: Utc::now(),
                reason: "Exec format error".to_owned(),
            },
        ];
        assert_eq!(story(&steps), Story::NotStarted);
    }

    #[test]
    fn a_torn_last_line_is_passed_over() {
        let mut bytes = Vec::new();
        for step in [intended("a"), recorded(7)] {
            bytes.extend(serde_json::to_vec(&step).expect("steps are JSON"));
            bytes.push(b'\n');
        }
        let released = serde_json::to_vec(&Step::Released { at: Utc::now() }).expect("JSON");
        bytes.extend(&released[..released.len() / 2]);
        assert_eq!(read(&bytes), Story::NotStarted);
    }
}
