//! The progress file a run resumes from, in the real jobs' form.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{Days, Local, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::job::Range;
use crate::log::{Level, Log, Logger};

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    job_name: String,
    start_date: NaiveDate,
    end_date: NaiveDate,
    created_at: String,
    last_updated: String,
    last_successful_date: Option<NaiveDate>,
    successful_dates: Vec<NaiveDate>,
    failed_dates: Vec<NaiveDate>,
    #[serde(default)]
    skipped_dates: Vec<NaiveDate>,
    stats: Counts,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Counts {
    total_days: usize,
    processed: usize,
    successful: usize,
    failed: usize,
    skipped: usize,
}

/// Progress of one job over one range.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    state: State,
}

impl Checkpoint {
    /// No progress yet, to be kept in `path`.
    pub fn new(path: PathBuf, job: &str, range: Range) -> Self {
        let now = now();
        let state = State {
            job_name: job.to_owned(),
            start_date: range.start,
            end_date: range.end,
            created_at: now.clone(),
            last_updated: now,
            last_successful_date: None,
            successful_dates: Vec::new(),
            failed_dates: Vec::new(),
            skipped_dates: Vec::new(),
            stats: Counts {
                total_days: range.dates().len(),
                ..Counts::default()
            },
        };
        Self { path, state }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a file from before.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Takes up the progress of an earlier run and returns the date to go on with: `None`
    /// without progress, and when nothing is left (a finished range starts over, as the real
    /// jobs do).
    pub fn resume(&mut self, log: &Log) -> Option<NaiveDate> {
        let read =
            fs::read(&self.path).and_then(|bytes| Ok(serde_json::from_slice::<State>(&bytes)?));
        match read {
            Ok(state) => {
                let loaded = format!("Loaded valid checkpoint from {}", self.path.display());
                log.write(Level::Info, Logger::Checkpoint, &loaded);
                self.state = state;
            }
            Err(problem) => {
                let failed = format!("Failed to load checkpoint: {problem}. Starting fresh.");
                log.write(Level::Warning, Logger::Checkpoint, &failed);
            }
        }
        let next = self.state.last_successful_date? + Days::new(1);
        (next <= self.state.end_date).then_some(next)
    }

    /// Forgets the file of an earlier run.
    pub fn clear(&self, log: &Log) {
        if fs::remove_file(&self.path).is_ok() {
            let cleared = format!("Cleared checkpoint: {}", self.path.display());
            log.write(Level::Info, Logger::Checkpoint, &cleared);
        }
    }

    /// Notes a date that went well, and writes the file.
    pub fn complete(&mut self, date: NaiveDate, log: &Log) {
        let state = &mut self.state;
        if !state.successful_dates.contains(&date) {
            state.successful_dates.push(date);
        }
        state.failed_dates.retain(|failed| *failed != date);
        state.last_successful_date = state.last_successful_date.max(Some(date));
        self.save(log);
    }

    /// Notes a date that failed, and writes the file.
    pub fn failed(&mut self, date: NaiveDate, log: &Log) {
        if !self.state.failed_dates.contains(&date) {
            self.state.failed_dates.push(date);
        }
        self.save(log);
    }

    /// Notes a date that was left out, and writes the file.
    pub fn skipped(&mut self, date: NaiveDate, log: &Log) {
        if !self.state.skipped_dates.contains(&date) {
            self.state.skipped_dates.push(date);
        }
        self.save(log);
    }

    /// How far it has come, as the jobs of phase 4 print it.
    pub fn status(&self) -> String {
        let State {
            job_name,
            start_date,
            end_date,
            stats,
            ..
        } = &self.state;
        let rule = "=".repeat(60);
        let Counts {
            total_days,
            processed,
            successful,
            failed,
            skipped,
        } = stats;
        format!(
            "\n{rule}\nCHECKPOINT STATUS: {job_name}\n{rule}\n  Date range: {start_date} to {end_date}\n  \
             Total days: {total_days}\n  Processed:  {processed}\n    - Successful: {successful}\n    \
             - Failed:     {failed}\n    - Skipped:    {skipped}\n  Checkpoint file: {}\n{rule}\n",
            self.path.display()
        )
    }

    fn save(&mut self, log: &Log) {
        let state = &mut self.state;
        state.last_updated = now();
        state.stats.successful = state.successful_dates.len();
        state.stats.failed = state.failed_dates.len();
        state.stats.skipped = state.skipped_dates.len();
        state.stats.processed = state.stats.successful + state.stats.failed + state.stats.skipped;
        if let Err(problem) = replace(&self.path, &self.state) {
            let failed = format!("Failed to save checkpoint: {problem}");
            log.write(Level::Error, Logger::Checkpoint, &failed);
        }
    }
}

/// Writes beside the file and renames, so that a killed job leaves a whole file.
fn replace(path: &Path, state: &State) -> io::Result<()> {
    let json = serde_json::to_vec_pretty(state)?;
    let beside = path.with_extension("tmp");
    if let Err(problem) = fs::write(&beside, &json) {
        let Some(dir) = path
            .parent()
            .filter(|_| problem.kind() == io::ErrorKind::NotFound)
        else {
            return Err(problem);
        };
        fs::create_dir_all(dir)?;
        fs::write(&beside, &json)?;
    }
    fs::rename(&beside, path)
}

fn now() -> String {
    Local::now().format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}
