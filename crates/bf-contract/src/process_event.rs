//! `process_event`: the stream of things that happen to a watched process.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::LogSummary;
use crate::header::{Schema, document_type};

document_type! {
    /// The `type` of a [`ProcessEvent`].
    ProcessEventType = "process_event"
}

/// What happened.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessEventKind {
    /// bf-monitor started the job.
    Started,
    /// bf-monitor began to watch a process that it did not start.
    Attached,
    /// How far the job has come.
    Progress,
    /// No log, but the process works.
    Quiet,
    /// Something moves, but no date gets done.
    Stalled,
    /// Nothing moves that can be read.
    Hung,
    /// The log was renamed or replaced; the new file is read from its beginning.
    LogRotated,
    /// The log was cut; it is read from its beginning.
    LogTruncated,
    /// The process has ended. The last event.
    Exited,
    /// The time limit has passed. The last event.
    TimedOut,
    /// The process can no longer be watched. The last event.
    Lost,
    /// An event that only a newer bf knows; readers pass over it.
    #[serde(other)]
    Unknown,
}

/// Where the knowledge of an exit comes from, most certain first.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitSource {
    /// wait(2) of a child.
    Child,
    /// The kernel, asked through a pidfd.
    Pidfd,
    /// The process table's entry of the zombie.
    Zombie,
    /// The record that bf-monitor's keeper wrote.
    Record,
    /// Only the log says that the job has finished.
    Log,
    /// No source knows; also a source that only a newer bf knows.
    #[serde(other)]
    Unknown,
}

/// How a process ended.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessExit {
    /// The exit code; null when a signal ended it or when unknown.
    pub code: Option<i32>,
    /// The signal that ended it; null when it exited by itself or when unknown.
    pub signal: Option<i32>,
    /// The signal's name, such as `SIGKILL`.
    pub signal_name: Option<String>,
    /// Where this is known from.
    pub source: ExitSource,
}

impl ProcessExit {
    /// An exit that was not seen.
    #[must_use]
    pub const fn unknown(source: ExitSource) -> Self {
        Self {
            code: None,
            signal: None,
            signal_name: None,
            source,
        }
    }

    /// Whether the process is known to have failed: a code other than 0, or a signal.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.signal.is_some() || self.code.is_some_and(|code| code != 0)
    }

    /// Whether the process is known to have exited with 0.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.signal.is_none() && self.code == Some(0)
    }
}

/// What makes a process this one and no other, also after its pid was given to another.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: u32,
    /// Clock ticks after boot at which it started (`/proc/PID/stat`, field 22); null where unknown.
    pub start_ticks: Option<u64>,
    /// The boot that it belongs to (`/proc/sys/kernel/random/boot_id`); null where unknown.
    pub boot_id: Option<String>,
    /// The inode of its pidfd, unique over one boot (Linux ≥ 6.9); null where unknown.
    pub pidfd_inode: Option<u64>,
}

/// A process of the job that lives on after the job's own process has ended.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliveProcess {
    /// The process id.
    pub pid: u32,
    /// Its command line; null where it cannot be read.
    pub command: Option<String>,
}

/// Something that happened to a watched process.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessEvent {
    /// Always `process_event`.
    #[serde(rename = "type")]
    pub kind: ProcessEventType,
    /// Always 1.
    pub schema: Schema,
    /// What happened.
    pub event: ProcessEventKind,
    /// When it was seen.
    pub time: DateTime<Utc>,
    /// The process; null where there is none (only its log is read).
    pub process: Option<ProcessIdentity>,
    /// When the process started; null where unknown.
    pub started_at: Option<DateTime<Utc>>,
    /// Seconds since the process's own start; null where unknown.
    pub elapsed_seconds: Option<f64>,
    /// One line for a person; null where the event says it all.
    pub message: Option<String>,
    /// How the process ended; an object in `exited`, null before.
    pub exit: Option<ProcessExit>,
    /// The exit code of the tool that wrote it, in its last event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// What of the job lives on, in `exited`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alive: Vec<AliveProcess>,
    /// What the log claims; in `progress` and `exited` when there is a log.
    pub log_summary: Option<LogSummary>,
    /// Finished dates an hour over the last while; null until it can be trusted.
    pub days_per_hour: Option<f64>,
    /// Seconds until the last date, at that rate; null until it can be trusted.
    pub eta_seconds: Option<f64>,
}
