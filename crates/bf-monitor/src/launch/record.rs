//! The job record: what was decided about a job, step by step, in one file that is only appended to.
//!
//! Each step is one JSON line, written whole and synced before what it announces is done. The starter, the
//! shim and the stub hold an exclusive lock on the file for as long as they live, so whoever gets the
//! lock knows that none of them does.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use bf_contract::ProcessIdentity;
use bf_logtail::Place;
use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// How long a shim may take to write down an end that was seen already.
const RECORD_PATIENCE: Duration = Duration::from_secs(5);

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(crate) enum Step {
    /// A job is about to be prepared. Begins a new attempt.
    Intended(Intent),
    /// The job's process is there and waits to become it.
    Recorded(Recorded),
    /// The stub may go: from here on the job counts as started.
    Released { at: DateTime<Utc> },
    /// The program could not be executed. No job runs.
    NotStarted { at: DateTime<Utc>, reason: String },
    /// The job has ended.
    Exited(Exited),
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) at: DateTime<Utc>,
    /// The boot that it happens in.
    pub(crate) boot_id: Option<String>,
    /// The program and its arguments, as they were given.
    pub(crate) command: Vec<String>,
    /// The job's working directory, absolute.
    pub(crate) cwd: PathBuf,
    /// The log that its output is appended to, absolute.
    pub(crate) log: PathBuf,
    /// Where in that log this run begins.
    pub(crate) from: Place,
    /// The mark that every process of the job carries in its environment; empty in records of an earlier version.
    #[serde(default)]
    pub(crate) mark: String,
}

/// Who the job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) at: DateTime<Utc>,
    /// The job's process. It keeps its pid and start time when it becomes the program.
    pub(crate) job: ProcessIdentity,
    /// Its parent, which waits for it.
    #[serde(rename = "keeper")]
    pub(crate) shim: ProcessIdentity,
}

/// How the job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exited {
    pub(crate) at: DateTime<Utc>,
    /// The wait status, as wait(2) gave it.
    pub(crate) wait_status: i32,
    /// Kills for want of memory that the job's control group counted meanwhile; null where unknown.
    pub(crate) oom_kills: Option<u64>,
}

impl Exited {
    /// The wait status.
    pub(crate) fn status(&self) -> ExitStatus {
        std::os::unix::process::ExitStatusExt::from_raw(self.wait_status)
    }
}

/// What the steps of the last attempt come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Nothing was ever released: whoever holds the lock may start the job.
    NotStarted,
    /// The job was started, and its end is not recorded.
    Started(Intent, Recorded),
    /// The job has ended.
    Ended(Intent, Recorded, Exited),
}

/// Reads the steps of a record. A line that is torn or not known is passed over: it was never synced, or
/// is of a later version.
pub(crate) fn read(bytes: &[u8]) -> JobState {
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
        (Some(intent), Some(recorded), true, None) => JobState::Started(intent, recorded),
        (Some(intent), Some(recorded), true, Some(exited)) => {
            JobState::Ended(intent, recorded, exited)
        }
        _ => JobState::NotStarted,
    }
}

/// Why the last attempt came to no job, if that is written down.
pub(crate) fn not_started_because(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split(|&byte| byte == b'\n').rev();
    let mut steps = lines.filter_map(|line| serde_json::from_slice::<Step>(line).ok());
    match steps.next()? {
        Step::NotStarted { reason, .. } => Some(reason),
        _ => None,
    }
}

/// Writes one step and waits until it is on the disk. A torn line before it is closed off.
///
/// # Errors
/// The line could not be written whole or synced: what it announces must not be done.
pub(crate) fn append(file: &File, step: &Step) -> io::Result<()> {
    let mut line = vec![b'\n'];
    serde_json::to_writer(&mut line, step)?;
    line.push(b'\n');
    let mut writer = file;
    writer.write_all(&line)?;
    file.sync_all()
}

/// The record's path: beside the state file, or beside the log if there is none.
pub(crate) fn path_beside(base: &Path) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(".job");
    PathBuf::from(name)
}

/// A record that is open, and locked or not.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    file: File,
}

impl Record {
    /// Opens the record, makes it if it is not there, and tries to lock it. The lock belongs to the open
    /// file: every process that inherits it holds it.
    ///
    /// # Errors
    /// The file cannot be made or opened for writing.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, bool)> {
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
            // A starter that failed takes its record away: then the lock is on a file without a name.
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
    pub(crate) fn job_state(&self) -> io::Result<JobState> {
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
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Writes a step, and makes sure that the file itself is found after a crash.
    ///
    /// # Errors
    /// It could not be written or synced.
    pub(crate) fn append(&self, step: &Step) -> io::Result<()> {
        append(&self.file, step)?;
        sync_folder(&self.path)
    }

    /// Takes the record away.
    pub(crate) fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// A descriptor of the open file, to hand down with its lock.
    ///
    /// # Errors
    /// No descriptors are left.
    pub(crate) fn hand_down(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Waits for the shim's last line, as long as there is a shim.
pub(crate) fn await_exit(record: &Path) -> Option<(Recorded, Exited)> {
    let since = Instant::now();
    loop {
        // First the lock, then the state: once no process holds it, nothing is added any more.
        let (open, unlocked) = Record::open(record).ok()?;
        if let JobState::Ended(_, recorded, exited) = open.job_state().ok()? {
            return Some((recorded, exited));
        }
        if unlocked || since.elapsed() > RECORD_PATIENCE {
            return None;
        }
        drop(open);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Syncs the folder of a file, so that its name is there after a crash.
///
/// # Errors
/// The folder cannot be synced.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
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

    use super::{Exited, Intent, JobState, Recorded, Step, read};
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
            mark: String::new(),
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
            shim: identity(1),
        })
    }

    fn exited(code: i32) -> Step {
        Step::Exited(Exited {
            at: Utc::now(),
            wait_status: code << 8,
            oom_kills: None,
        })
    }

    fn job_state(steps: &[Step]) -> JobState {
        let lines: Vec<String> = steps
            .iter()
            .map(|step| serde_json::to_string(step).expect("steps are JSON"))
            .collect();
        read(lines.join("\n").as_bytes())
    }

    #[test]
    fn a_job_counts_as_started_once_it_is_released_and_not_before() {
        let released = Step::Released { at: Utc::now() };
        let steps = [intended("a"), recorded(7), released, exited(0)];
        assert_eq!(job_state(&[]), JobState::NotStarted);
        assert_eq!(job_state(&steps[..1]), JobState::NotStarted);
        assert_eq!(job_state(&steps[..2]), JobState::NotStarted);
        assert!(
            matches!(job_state(&steps[..3]), JobState::Started(_, recorded) if recorded.job.pid == 7)
        );
        assert!(
            matches!(job_state(&steps), JobState::Ended(_, _, exited) if exited.status().code() == Some(0))
        );
    }

    #[test]
    fn a_second_attempt_forgets_the_first() {
        let steps = [intended("a"), recorded(7), intended("a"), recorded(8)];
        assert_eq!(job_state(&steps), JobState::NotStarted);
        let released = Step::Released { at: Utc::now() };
        let steps = [&steps[..], &[released]].concat();
        assert!(
            matches!(job_state(&steps), JobState::Started(_, recorded) if recorded.job.pid == 8)
        );
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
        assert_eq!(job_state(&steps), JobState::NotStarted);
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
        assert_eq!(read(&bytes), JobState::NotStarted);
    }
}
