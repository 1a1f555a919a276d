//! What a run is going to do, as a value: made from the flags, kept in the run directory.

mod documented;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bf_cli::Seconds;
use bf_contract::DateRange;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use documented::documented;

/// All phases of a run, in the order that they may start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The phases; a phase's needs stand before it.
    pub phases: Vec<PhasePlan>,
    /// The warehouse's URL.
    pub warehouse: String,
    /// What a person does after a run in which everything passed.
    pub next_steps: Vec<String>,
}

/// One backfill job and its gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhasePlan {
    /// Its name, unique in the plan.
    pub name: String,
    /// The phases whose gates it waits for.
    pub needs: Vec<String>,
    /// The table that it fills, `dataset.table`.
    pub table: String,
    /// The dates that it fills.
    pub range: DateRange,
    /// Its job.
    pub job: Job,
    /// The file name of the validator that judges its table.
    pub validator: String,
    /// How long its job may take, from the job's own start.
    pub timeout: Seconds,
}

/// Where a phase's process comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// A process that somebody else started.
    Attach {
        /// Its process id.
        pid: u32,
        /// The log that it writes.
        log: PathBuf,
    },
    /// A process that the run starts.
    Command(Command),
}

/// A job that the run starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program and its arguments, with the range filled in.
    pub command: Vec<String>,
    /// The same job taking up where it stopped, for a person to run after a crash; may be empty.
    pub restart_command: Vec<String>,
    /// Environment variables on top of the inherited ones.
    pub env: BTreeMap<String, String>,
    /// Its working directory; the current one where it is not given.
    pub cwd: Option<PathBuf>,
    /// The log that its output is appended to.
    pub log: PathBuf,
}

impl Plan {
    /// A hash of what makes a plan the same: its jobs, commands, ranges, tables and logs. Time limits,
    /// thresholds and next steps may change while a run goes on.
    #[must_use]
    pub fn identity(&self) -> String {
        let lasting = Self {
            phases: self
                .phases
                .iter()
                .map(|phase| PhasePlan {
                    timeout: Seconds::new(0),
                    ..phase.clone()
                })
                .collect(),
            warehouse: self.warehouse.clone(),
            next_steps: Vec::new(),
        };
        // A plan is made of texts, dates and numbers, which can always be written.
        let text = serde_json::to_string(&lasting).unwrap_or_default();
        Sha256::digest(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl Job {
    /// The log that the job writes.
    #[must_use]
    pub fn log(&self) -> &Path {
        match self {
            Self::Attach { log, .. } => log,
            Self::Command(command) => &command.log,
        }
    }
}

/// An argument list as a person would type it into a shell.
#[must_use]
pub fn shell_words(words: &[String]) -> String {
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./=:,+@%{}".contains(c))
    };
    let quoted = words.iter().map(|word| {
        if plain(word) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

impl Command {
    /// The command with its environment before it, as a person would type it.
    #[must_use]
    pub fn shell_line(&self) -> String {
        let mut words: Vec<String> = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}", shell_words(std::slice::from_ref(value))))
            .collect();
        words.push(shell_words(&self.command));
        words.join(" ")
    }
}
