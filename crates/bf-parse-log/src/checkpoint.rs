//! The job's own checkpoint beside its log: where the two disagree.

use std::collections::BTreeSet;
use std::path::Path;

use bf_cli::{Context, Failure};
use bf_contract::{
    CheckpointDisagreement, DateRange, LedgerEntry, LedgerStatus, LogSummary, parse_date,
};
use chrono::NaiveDate;
use serde::Deserialize;

/// What a job keeps to resume from. Source: the files that these jobs write to their checkpoint folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    job: String,
    range: DateRange,
    successful: BTreeSet<NaiveDate>,
    failed: BTreeSet<NaiveDate>,
    skipped: BTreeSet<NaiveDate>,
}

#[derive(Deserialize)]
struct File {
    job_name: String,
    start_date: String,
    end_date: String,
    successful_dates: Vec<String>,
    failed_dates: Vec<String>,
    #[serde(default)]
    skipped_dates: Vec<String>,
}

impl Checkpoint {
    /// Reads a checkpoint file.
    ///
    /// # Errors
    /// It cannot be read or is no checkpoint: could not check (exit 3).
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let doing = || format!("reading the checkpoint {}", path.display());
        let text = std::fs::read_to_string(path).or_could_not_check(doing)?;
        Self::parse(&text).or_could_not_check(doing)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let date = |text: &String| parse_date(text).map_err(|error| error.to_string());
        let dates = |list: &[String]| list.iter().map(date).collect::<Result<BTreeSet<_>, _>>();
        Ok(Self {
            range: DateRange::new(date(&file.start_date)?, date(&file.end_date)?)
                .map_err(|error| error.to_string())?,
            successful: dates(&file.successful_dates)?,
            failed: dates(&file.failed_dates)?,
            skipped: dates(&file.skipped_dates)?,
            job: file.job_name,
        })
    }

    /// The checkpoint's word on a date. In both lists it failed: of two doubtful readings the worse one.
    fn status(&self, date: NaiveDate) -> Option<LedgerStatus> {
        if self.failed.contains(&date) {
            Some(LedgerStatus::Failed)
        } else if self.successful.contains(&date) {
            Some(LedgerStatus::Success)
        } else if self.skipped.contains(&date) {
            Some(LedgerStatus::Skipped)
        } else {
            None
        }
    }

    /// Adds to `summary` where the log and the checkpoint differ.
    pub(crate) fn apply(&self, summary: &mut LogSummary, ledger: &[LedgerEntry]) {
        let (notes, differ) = self.compare(summary, ledger);
        summary.notes.extend(notes);
        summary.checkpoint_disagreements = differ;
    }

    /// Holds the log against the checkpoint: notes about the whole, and every date on which they differ.
    pub(crate) fn compare(
        &self,
        summary: &LogSummary,
        ledger: &[LedgerEntry],
    ) -> (Vec<String>, Vec<CheckpointDisagreement>) {
        let mut notes = Vec::new();
        if let Some(job) = summary.job.as_ref().filter(|job| **job != self.job) {
            notes.push(format!(
                "the checkpoint is of the job {}, the log of {job}",
                self.job
            ));
        }
        if let Some(range) = summary.range.filter(|range| *range != self.range) {
            notes.push(format!(
                "the checkpoint is of {}, the log of {range}",
                self.range
            ));
        }
        let by_calendar = summary.total_days == Some(self.range.days());
        let mut differ = Vec::new();
        let mut known = BTreeSet::new();
        for entry in ledger {
            known.insert(entry.date);
            let checkpoint = self.status(entry.date);
            let log = Some(entry.status).filter(|status| {
                // A date in the middle of its work, or only looked at, is in no list.
                !matches!(
                    status,
                    LedgerStatus::InProgress | LedgerStatus::Interrupted | LedgerStatus::DryRun
                )
            });
            if log != checkpoint {
                differ.push(CheckpointDisagreement {
                    date: entry.date,
                    log: Some(entry.status),
                    checkpoint,
                });
            }
        }
        // Days that the log does not speak of. The first of them lie before the point that the run resumed
        // from: the checkpoint must have them, since the run left them out because of it.
        let mut earlier = summary.earlier_days;
        let mut left_out = 0;
        for date in self.range.iter().filter(|date| !known.contains(date)) {
            let checkpoint = self.status(date);
            let is_done = matches!(
                checkpoint,
                Some(LedgerStatus::Success | LedgerStatus::Skipped)
            );
            if earlier > 0 && (is_done || by_calendar) {
                earlier -= 1;
                if is_done {
                    continue;
                }
                left_out += 1;
            } else if checkpoint.is_none() {
                continue;
            }
            differ.push(CheckpointDisagreement {
                date,
                log: None,
                checkpoint,
            });
        }
        left_out += earlier;
        if left_out > 0 {
            notes.push(format!(
                "the run resumed behind {} days that are not in this log; {left_out} of them are not done in the checkpoint either",
                summary.earlier_days
            ));
        }
        differ.sort_by_key(|disagreement| disagreement.date);
        (notes, differ)
    }
}

#[cfg(test)]
mod tests {
    use super::Checkpoint;

    #[test]
    fn a_checkpoint_is_json_with_lists_of_dates() {
        let text = r#"{"job_name": "x", "start_date": "2024-01-01", "end_date": "2024-01-03",
            "successful_dates": ["2024-01-01"], "failed_dates": [], "stats": {"processed": 1}}"#;
        assert!(Checkpoint::parse(text).is_ok());
        for wrong in [
            "",
            "[]",
            "{\"job_name\": \"x\"}",
            &text.replace("2024-01-03", "2023-01-03"),
            &text.replace("2024-01-01\"]", "someday\"]"),
        ] {
            assert!(Checkpoint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
