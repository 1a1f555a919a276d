//! The documents of one attempt, as the tools printed them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use bf_contract::{Document, LogSummary, ProcessEvent, ValidationReport, read_document};
use serde_json::Value;

use crate::plan::PhasePlan;

/// The files in which the documents of an attempt are kept.
#[derive(Debug, Clone)]
pub(crate) struct AttemptDir {
    pub events: PathBuf,
    /// What bf-monitor saved of the log, else what bf-parse-log printed.
    pub log: PathBuf,
    /// What each validator printed.
    pub validations: Vec<PathBuf>,
    pub monitor_state: PathBuf,
    /// What bf-monitor read of the log, in all of its files.
    pub monitor_log: PathBuf,
    folder: PathBuf,
}

impl AttemptDir {
    /// The files of an attempt at `phase` whose documents are kept in `folder`.
    pub(crate) fn in_folder(folder: &Path, phase: &PhasePlan) -> Self {
        let validation = |index| match index {
            0 => folder.join("validation.ndjson"),
            index => folder.join(format!("validation-{}.ndjson", index + 1)),
        };
        Self {
            events: folder.join("process_events.ndjson"),
            log: folder.join("log.ndjson"),
            validations: (0..phase.validate.len()).map(validation).collect(),
            monitor_state: folder.join("monitor_state.json"),
            monitor_log: folder.join("monitor_log.ndjson"),
            folder: folder.to_owned(),
        }
    }

    /// The record of the job that bf-monitor keeps beside its state.
    pub(crate) fn monitor_record(&self) -> PathBuf {
        let mut path = self.monitor_state.clone().into_os_string();
        path.push(".job");
        path.into()
    }

    /// The same attempt for a bf-monitor that only watches its process.
    pub(crate) fn attached(&self) -> Self {
        Self {
            monitor_state: self.folder.join("monitor_state_attached.json"),
            ..self.clone()
        }
    }

    /// The calls of an attempt that makes several.
    pub(crate) fn retry_script(&self) -> PathBuf {
        self.folder.join("calls.sh")
    }

    /// The last event of the process.
    pub(crate) fn last_event(&self) -> Option<ProcessEvent> {
        last_of(&self.events, |document| match document {
            Document::ProcessEvent(event) => Some(*event),
            _ => None,
        })
    }

    /// What the log claims.
    pub(crate) fn log_summary(&self) -> Option<LogSummary> {
        last_of(&self.log, |document| match document {
            Document::LogSummary(summary) => Some(*summary),
            _ => None,
        })
    }

    /// What one validator reported of its table; the worst of what it reported, if that is more than one report.
    pub(crate) fn validation(&self, index: usize) -> Option<ValidationReport> {
        let reports = documents(self.validations.get(index)?).into_iter();
        let reports = reports.filter_map(|document| match document {
            Document::ValidationReport(report) => Some(*report),
            _ => None,
        });
        reports.max_by_key(|report| report.verdict)
    }

    /// Why a validator could not do its work, if it reported a failure.
    pub(crate) fn validator_failure(&self, index: usize) -> Option<String> {
        last_of(self.validations.get(index)?, |document| match document {
            Document::Failure(failure) => Some(failure.message),
            _ => None,
        })
    }

    /// Where in the log bf-monitor began this attempt, as its record has it.
    pub(crate) fn begins_at(&self) -> Option<u64> {
        let file = File::open(self.monitor_record()).ok()?;
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        let steps = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        steps
            .filter(|step| step["step"] == "intended")
            .filter_map(|step| step["from"]["offset"].as_u64())
            .last()
    }

    /// Every file that is there.
    pub(crate) fn present(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.events, &self.log]
            .into_iter()
            .chain(&self.validations)
            .filter(|path| path.exists())
    }
}

fn last_of<T>(path: &Path, pick: impl Fn(Document) -> Option<T>) -> Option<T> {
    documents(path).into_iter().rev().find_map(pick)
}

/// Reads back the documents that a tool printed. A torn last line is left out; a file that is not there has none.
pub(crate) fn documents(path: &Path) -> Vec<Document> {
    let Ok(file) = File::open(path) else {
        return Vec::new();
    };
    BufReader::new(file)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| read_document(&line).ok())
        .collect()
}
