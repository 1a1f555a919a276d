//! `run_status`: how far a run has come, live or over.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::header::{Schema, document_type};
use crate::{DateRange, PhaseStatus, ProcessEventKind, ProcessIdentity, Verdict};

document_type! {
    /// The `type` of a [`RunStatus`].
    RunStatusType = "run_status"
}

/// Whether a process watches a run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// An orchestrator is at it.
    Live,
    /// It came to its end.
    Finished,
    /// Its orchestrator was interrupted, or it waits for a person; it can be taken up.
    Interrupted,
    /// Its orchestrator went away without a word (killed, a reboot); it can be taken up.
    Abandoned,
    /// Its directory cannot be read; its other fields hold what is known.
    Unreadable,
    /// A state that only a newer bf knows.
    #[serde(other)]
    Unknown,
}

/// What is going on in a phase.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStep {
    /// Not begun.
    Waiting,
    /// Its job is being started or watched.
    Watching,
    /// Its job has finished; its log and its tables are being checked.
    Judging,
    /// Its gate has judged.
    Done,
    /// A step that only a newer bf knows.
    #[serde(other)]
    Unknown,
}

/// How far a phase has come.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseProgress {
    /// The phase's name.
    pub name: String,
    /// What is going on.
    pub step: PhaseStep,
    /// What it came to; null before its gate has judged.
    pub status: Option<PhaseStatus>,
    /// Why; null before its gate has judged.
    pub reason: Option<String>,
    /// Its job's process; null where it was not seen.
    pub process: Option<ProcessIdentity>,
    /// Whether that process is still there; null where it was not seen.
    pub process_is_alive: Option<bool>,
    /// Attempts that were begun.
    pub attempts: u64,
    /// Dates that are done, of `total_days`; absent where its log was not read yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_day: Option<u64>,
    /// Dates that there are to do; absent where not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_days: Option<u64>,
    /// Dates an hour; absent where not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_per_hour: Option<f64>,
    /// Seconds until its job is done at this rate; absent where not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
    /// When its log or its dates last moved; absent where that was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<DateTime<Utc>>,
    /// `quiet`, `stalled` or `hung`, since then; absent where it is none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<ProcessEventKind>,
    /// The window that is run now; absent where the phase has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<DateRange>,
    /// Windows that are decided, of `windows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows_done: Option<u64>,
    /// Windows of the phase; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<u64>,
}

/// How far a run has come, as `bf-orchestrate status` prints it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStatus {
    /// Always `run_status`.
    #[serde(rename = "type")]
    pub kind: RunStatusType,
    /// Always 1.
    pub schema: Schema,
    /// The run's name.
    pub run_id: String,
    /// Its directory.
    pub run_dir: String,
    /// The plan's name.
    pub plan: String,
    /// Whether a process watches it.
    pub state: RunState,
    /// When it was begun.
    pub started_at: DateTime<Utc>,
    /// When its journal was last written.
    pub updated_at: DateTime<Utc>,
    /// The verdict; null before it has finished.
    pub verdict: Option<Verdict>,
    /// The exit code; null before it has finished.
    pub exit_code: Option<u8>,
    /// Every phase of the plan, in order.
    pub phases: Vec<PhaseProgress>,
    /// The command that resumes it; absent where it is live or passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}
