//! The journal of a run: one JSON line a step, written before the step is taken.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use bf_cli::{Context, Failure};
use bf_contract::{DateRange, PhaseStatus, ProcessIdentity, Verdict};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The form of the journal of a plan without windows, which every bf reads.
pub(crate) const VERSION: u32 = 1;

/// The form of the journal of a plan with windows, which an older bf would take for phases.
pub(crate) const VERSION_WITH_WINDOWS: u32 = 2;

/// What is run and judged by itself: a phase, or a window of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnitName<'a> {
    pub phase: &'a str,
    /// The window of it.
    pub window: Option<DateRange>,
}

impl std::fmt::Display for UnitName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.window {
            Some(window) if window.start == window.end => {
                write!(f, "{} {}", self.phase, window.start)
            }
            Some(window) => write!(f, "{} {window}", self.phase),
            None => f.write_str(self.phase),
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(crate) enum Step {
    /// The run begins. Always the first line.
    RunStarted {
        version: u32,
        run_id: String,
        /// The hash of what makes the plan the same: see [`crate::plan::Plan::identity`].
        plan_hash: String,
        /// A name that no other run of any machine has; absent in a journal of an older bf.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_uuid: Option<String>,
    },
    /// The run is resumed after its orchestrator went away.
    RunResumed {
        /// The process id of the new orchestrator.
        orchestrator_pid: u32,
    },
    /// The job of a phase is about to be started or attached to: the intent.
    JobStarting {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
    },
    /// The job's process is known: the identity.
    JobSeen {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        process: Option<ProcessIdentity>,
    },
    /// bf-monitor has ended; its documents are in the run directory.
    JobEnded {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        /// bf-monitor's exit code; null where it was killed.
        code: Option<i32>,
    },
    LogRead {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        /// bf-parse-log's exit code; null where it was killed.
        code: Option<i32>,
    },
    /// One validator has ended; they run in the plan's order.
    Validated {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        /// The validator's exit code; null where it was killed.
        code: Option<i32>,
    },
    /// The gate could not be checked; log and table are looked at again after a while.
    CheckedAgain {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        /// Why it could not be checked.
        reason: String,
    },
    /// The job is run again; the steps of this phase begin anew.
    RetryPlanned {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        reason: String,
        /// The dates that it is for; null for all of the range.
        only_dates: Option<Vec<chrono::NaiveDate>>,
        /// Whether it takes up where a reboot stopped it (its `restart_command`).
        is_restart: bool,
    },
    /// A run that had finished is resumed, and what did not pass is judged anew.
    Reopened {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        /// Whether its job is run again.
        run_again: bool,
        /// Whether its job is watched again: its end is not known.
        watch_again: bool,
        /// The dates that it is run for; null for all of the range.
        only_dates: Option<Vec<chrono::NaiveDate>>,
    },
    /// The gate has judged.
    GateClosed {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<DateRange>,
        /// What the phase came to.
        status: PhaseStatus,
        reason: String,
        /// The exit code that a run ends with that stops here.
        code: u8,
        /// Whether it failed, and the plan makes a warning of that.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        downgraded: bool,
    },
    /// The run is not finished, and nothing more is done until it is resumed; running jobs were left alive.
    Interrupted {
        #[serde(default)]
        cause: Cause,
        /// The signal's name, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
    },
    /// The run has finished. Always the last line.
    RunFinished {
        /// The verdict over all phases.
        verdict: Verdict,
        code: u8,
    },
    /// A step that only a newer bf knows: it is passed over, and mentioned.
    #[serde(other)]
    Unknown,
}

impl Step {
    /// Whether a step that is lost could make something happen twice, or a run end twice.
    fn is_intent(&self) -> bool {
        !matches!(
            self,
            Self::JobSeen { .. }
                | Self::JobEnded { .. }
                | Self::LogRead { .. }
                | Self::Validated { .. }
                | Self::CheckedAgain { .. }
                | Self::GateClosed { .. }
        )
    }
}

/// Why a run was interrupted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// A signal asked the orchestrator to end.
    #[default]
    Signal,
    /// A step could not be taken: a full disk, a tool that does not start.
    StepFailed,
    /// The machine was restarted while a job ran.
    Reboot,
    /// `bf-orchestrate stop` ended its jobs.
    Stopped,
    /// The end of a job is not known: the machine was restarted, or the watch was lost.
    Waiting,
    /// A cause that a newer bf writes.
    #[serde(other)]
    Unknown,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written.
    pub time: DateTime<Utc>,
    /// What happened, or is about to.
    pub what: Step,
}

/// A journal that is open for writing.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    seq: u64,
    /// The bytes of the lines that are whole.
    whole_bytes: u64,
    path: String,
}

impl Journal {
    /// Begins a journal that must not be there yet.
    ///
    /// # Errors
    /// The file exists already or cannot be created: nothing was started (exit 2).
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(path)
            .or_usage(|| format!("creating the journal {}", path.display()))?;
        Ok(Self {
            file,
            seq: 0,
            whole_bytes: 0,
            path: path.display().to_string(),
        })
    }

    /// Opens a journal to go on with it. A torn last line, which a crash in the middle of a write leaves,
    /// is cut off: its step was not taken.
    ///
    /// # Errors
    /// The file cannot be read, or a line other than the last is damaged (exit 3).
    pub(crate) fn reopen(path: &Path) -> Result<(Self, Vec<Record>), Failure> {
        let doing = || format!("opening the journal {}", path.display());
        let (records, whole_bytes) = read_whole(path)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .or_could_not_check(doing)?;
        file.set_len(whole_bytes).or_could_not_check(doing)?;
        file.seek(SeekFrom::End(0)).or_could_not_check(doing)?;
        let journal = Self {
            file,
            seq: records.last().map_or(0, |record| record.seq),
            whole_bytes,
            path: path.display().to_string(),
        };
        Ok((journal, records))
    }

    /// Writes one step. What is about to be started, and how the run ended, is on the disk when this returns, and with
    /// it every step before; the others outlive a kill, and are found out again after a power cut.
    ///
    /// # Errors
    /// The line could not be written or synced (a full disk, say). The step must then not be taken (exit 3).
    pub(crate) fn write(&mut self, what: Step) -> Result<Record, Failure> {
        let doing = || format!("writing the journal {}", self.path);
        let is_intent = what.is_intent();
        let record = Record {
            seq: self.seq + 1,
            time: Utc::now(),
            what,
        };
        let mut line = serde_json::to_vec(&record).or_could_not_check(doing)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| match is_intent {
            true => self.file.sync_data(),
            false => Ok(()),
        });
        if let Err(error) = written {
            // Half a line must not become the beginning of the next one.
            let _ = self.file.set_len(self.whole_bytes);
            let _ = self.file.seek(SeekFrom::End(0));
            return Err(error).or_could_not_check(doing).map_err(|failure| {
                failure.hint("the step was not taken; make room, then run bf-orchestrate resume")
            });
        }
        self.whole_bytes += line.len() as u64;
        self.seq += 1;
        Ok(record)
    }
}

/// Reads the journal of a run, live or over.
///
/// # Errors
/// The file cannot be read, or a line other than the last is damaged (exit 3).
pub(crate) fn read(path: &Path) -> Result<Vec<Record>, Failure> {
    read_whole(path).map(|(records, _)| records)
}

/// The records, and how many bytes of the file they take up.
fn read_whole(path: &Path) -> Result<(Vec<Record>, u64), Failure> {
    let doing = || format!("reading the journal {}", path.display());
    let mut reader = BufReader::new(File::open(path).or_could_not_check(doing)?);
    let (mut records, mut whole_bytes) = (Vec::new(), 0u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes = reader
            .read_until(b'\n', &mut line)
            .or_could_not_check(doing)?;
        if !line.ends_with(b"\n") {
            return Ok((records, whole_bytes));
        }
        let record: Record = serde_json::from_slice(&line).map_err(|error| {
            Failure::could_not_check(format!(
                "{}: line {} is damaged: {error}",
                doing(),
                records.len() + 1
            ))
            .hint("a journal of another version of bf, or a file that was edited; start a new run")
        })?;
        records.push(record);
        whole_bytes += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(phase: &str) -> Step {
        Step::JobStarting {
            phase: phase.to_owned(),
            window: None,
        }
    }

    #[test]
    fn what_was_written_is_read_back_in_order() -> Result<(), Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.ndjson");
        let mut journal = Journal::create(&path)?;
        journal.write(step("a"))?;
        journal.write(step("b"))?;
        let records = read(&path)?;
        assert_eq!(records.len(), 2);
        assert_eq!((records[1].seq, &records[1].what), (2, &step("b")));
        Ok(())
    }

    #[test]
    fn a_torn_last_line_is_a_step_that_was_not_taken() -> Result<(), Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.ndjson");
        Journal::create(&path)?.write(step("a"))?;
        let mut torn = std::fs::read(&path).expect("written");
        torn.extend_from_slice(br#"{"seq":2,"time":"2026-01-0"#);
        std::fs::write(&path, torn).expect("writable");

        let (mut journal, records) = Journal::reopen(&path)?;
        assert_eq!(records.len(), 1);
        journal.write(step("b"))?;
        let records = read(&path)?;
        assert_eq!((records[1].seq, &records[1].what), (2, &step("b")));
        Ok(())
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_not_guessed_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.ndjson");
        std::fs::write(&path, "{}\n{}\n").expect("writable");
        let failure = read(&path).expect_err("damaged");
        assert!(failure.message.contains("line 1 is damaged"), "{failure}");
    }

    #[test]
    fn a_journal_is_never_begun_over_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.ndjson");
        Journal::create(&path).expect("the first");
        assert_eq!(
            Journal::create(&path).expect_err("the second").exit,
            bf_contract::Exit::Usage
        );
    }
}
