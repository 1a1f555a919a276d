//! `run_report`: what an orchestrated run came to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::header::{Schema, document_type};
use crate::range::DateRange;
use crate::{LogSummary, ProcessExit, ProcessIdentity, ValidationReport, Verdict};

document_type! {
    /// The `type` of a [`RunReport`].
    RunReportType = "run_report"
}

/// What a phase came to.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStatus {
    /// Process, log and data agree that all is well.
    Passed,
    /// The same, with warnings.
    Warned,
    /// The process, the log or the data says that something is wrong.
    Failed,
    /// One of the three could not be checked.
    CouldNotCheck,
    /// Never started: an earlier phase did not pass, or it was not asked for.
    NotStarted,
    /// bf-orchestrate or the job was interrupted before the gate.
    Interrupted,
    /// A status that only a newer bf knows; never a pass.
    #[serde(other)]
    Unknown,
}

/// The job of a phase.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseJob {
    /// The command, for a phase that the orchestrator starts; null for one it attaches to.
    pub command: Option<Vec<String>>,
    /// The process; null where it was never seen.
    pub process: Option<ProcessIdentity>,
    /// How it ended; null where it has not, or was never started.
    pub exit: Option<ProcessExit>,
    /// The path of its log.
    pub log: String,
    /// The documents of the process, the log and the validation, as the tools printed them; paths in the
    /// run directory.
    pub documents: Vec<String>,
}

/// One attempt at a phase, or at a window of it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseAttempt {
    /// Counted from 1 over the whole phase.
    pub number: u64,
    /// The window that it was for; absent where the phase has no windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<DateRange>,
    /// When its job was started, or first watched.
    pub started_at: DateTime<Utc>,
    /// When its job had ended and the validation began; null where that was not reached.
    pub job_ended_at: Option<DateTime<Utc>>,
    /// When its verdict was known; null where that was not reached.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it came to.
    pub status: PhaseStatus,
    /// One line that says why.
    pub reason: String,
}

/// A part of a phase's range that is run and judged by itself.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its dates.
    pub range: DateRange,
    /// What it came to.
    pub status: PhaseStatus,
    /// One line that says why.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u64,
    /// Seconds from the start of its first attempt to the end of its last job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// What its log claims, if it was read; without notes if the window passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_summary: Option<Box<LogSummary>>,
    /// What its table holds, if it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Box<ValidationReport>>,
}

impl Window {
    /// Whether it passed, with warnings or without.
    #[must_use]
    pub fn passed(&self) -> bool {
        matches!(self.status, PhaseStatus::Passed | PhaseStatus::Warned)
    }

    /// Whether it was begun and did not pass.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        !self.passed() && self.status != PhaseStatus::NotStarted
    }
}

/// One backfill job and its gate.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// The phase's name.
    pub name: String,
    /// The table that it fills, `dataset.table`.
    pub table: String,
    /// The range; null for a phase that was planned without one.
    pub range: Option<DateRange>,
    /// What it came to.
    pub status: PhaseStatus,
    /// One line that says why.
    pub reason: String,
    /// Its job; null where none was planned.
    pub job: Option<PhaseJob>,
    /// What its log claims; null where it was not read.
    pub log_summary: Option<LogSummary>,
    /// What its table holds; null where it was not validated.
    pub validation: Option<ValidationReport>,
    /// What the phase's other validators say, in the plan's order.
    #[serde(default)]
    pub further_validations: Vec<ValidationReport>,
    /// Seconds from the job's own start to its end; null where unknown.
    pub duration_seconds: Option<f64>,
    /// Whether the plan counts its failure as a warning, and it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub downgraded: bool,
    /// Every attempt at it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<PhaseAttempt>,
    /// Its windows, in order; empty where it is run as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
}

/// What a run came to, as `bf-orchestrate` prints it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Always `run_report`.
    #[serde(rename = "type")]
    pub kind: RunReportType,
    /// Always 1.
    pub schema: Schema,
    /// The run's name, which is also the name of its directory.
    pub run_id: String,
    /// A name that no other run of any machine has: a UUID; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_uuid: Option<String>,
    /// The plan's name; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// When the run began; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// Where the run's state and the tools' documents are.
    pub run_dir: Option<String>,
    /// Whether this was a rehearsal that started nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether a later run may say otherwise: a job was still running when it was judged, or a rehearsal names
    /// phases that it does not start.
    #[serde(default)]
    pub provisional: bool,
    /// The verdict over all phases.
    pub verdict: Verdict,
    /// The exit code of the tool that wrote it; absent in documents of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// One line that says why.
    pub reason: String,
    /// Every planned phase, in order.
    pub phases: Vec<Phase>,
    /// Seconds from the run's beginning to this report, whoever took it up in between.
    pub total_seconds: f64,
    /// What a person does next.
    pub next_steps: Vec<String>,
    /// The run that this one was refused for; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<HeldBy>,
}

/// A run that has what another one asked for: a table's dates, or the very same run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBy {
    /// Its name.
    pub run_id: String,
    /// Its directory; null where that is not known.
    pub run_dir: Option<String>,
}
