//! The progress file that a run resumes from, in the real jobs' form.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{Days, Local, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::dates::Range;
use crate::log::Log;

/// The part of the real program that logs about the file.
const LOGGER: &str = "shared.backfill.checkpoint";

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
pub(crate) struct Checkpoint {
    path: PathBuf,
    state: State,
}

impl Checkpoint {
    /// No progress yet; the file is `checkpoints/JOB_START_END.json` in the warehouse's folder.
    pub(crate) fn new(warehouse: &Path, job: &str, range: Range) -> Self {
        let Range { start, end } = range;
        let file = format!("{job}_{start}_{end}.json");
        let total_days = range.dates().len();
        let state = State {
            job_name: job.to_owned(),
            start_date: start,
            end_date: end,
            created_at: now(),
            last_updated: now(),
            last_successful_date: None,
            successful_dates: Vec::new(),
            failed_dates: Vec::new(),
            skipped_dates: Vec::new(),
            stats: Counts {
                total_days,
                ..Counts::default()
            },
        };
        let path = warehouse.join("checkpoints").join(file);
        Self { path, state }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a file from before.
    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Loads the progress of an earlier run and returns the date to continue with: `None` without
    /// progress, and when nothing is left (a finished range starts over, as in the real jobs).
    pub(crate) fn resume(&mut self, log: &Log) -> Option<NaiveDate> {
        let read =
            fs::read(&self.path).and_then(|bytes| Ok(serde_json::from_slice::<State>(&bytes)?));
        match read {
            Ok(state) => {
                let path = self.path.display();
                let loaded = format!("Loaded valid checkpoint from {path}");
                log.write("INFO", LOGGER, &loaded);
                self.state = state;
            }
            Err(problem) => {
                let failed = format!("Failed to load checkpoint: {problem}. Starting fresh.");
                log.write("WARNING", LOGGER, &failed);
            }
        }
        let next = self.state.last_successful_date? + Days::new(1);
        let is_left = next <= self.state.end_date && next > self.state.start_date;
        is_left.then_some(next)
    }

    /// Removes the file of an earlier run.
    pub(crate) fn clear(&self, log: &Log) {
        if fs::remove_file(&self.path).is_ok() {
            let cleared = format!("Cleared checkpoint: {}", self.path.display());
            log.write("INFO", LOGGER, &cleared);
        }
    }

    /// Records a date that succeeded.
    pub(crate) fn complete(&mut self, date: NaiveDate, log: &Log) {
        let state = &mut self.state;
        add(&mut state.successful_dates, date);
        state.failed_dates.retain(|failed| *failed != date);
        state.last_successful_date = state.last_successful_date.max(Some(date));
        self.save(log);
    }

    /// Records a date that failed.
    pub(crate) fn failed(&mut self, date: NaiveDate, log: &Log) {
        add(&mut self.state.failed_dates, date);
        self.save(log);
    }

    /// Records a date that was left out.
    pub(crate) fn skipped(&mut self, date: NaiveDate, log: &Log) {
        add(&mut self.state.skipped_dates, date);
        self.save(log);
    }

    /// The progress so far, as the jobs of phase 4 print it.
    pub(crate) fn status(&self) -> String {
        let (rule, state) = ("=".repeat(60), &self.state);
        let lines = [
            format!("\n{rule}\nCHECKPOINT STATUS: {}\n{rule}", state.job_name),
            format!("  Date range: {} to {}", state.start_date, state.end_date),
            format!("  Total days: {}", state.stats.total_days),
            format!("  Processed:  {}", state.stats.processed),
            format!("    - Successful: {}", state.stats.successful),
            format!("    - Failed:     {}", state.stats.failed),
            format!("    - Skipped:    {}", state.stats.skipped),
            format!("  Checkpoint file: {}\n{rule}\n", self.path.display()),
        ];
        lines.join("\n")
    }

    fn save(&mut self, log: &Log) {
        let state = &mut self.state;
        state.last_updated = now();
        let stats = &mut state.stats;
        stats.successful = state.successful_dates.len();
        stats.failed = state.failed_dates.len();
        stats.skipped = state.skipped_dates.len();
        stats.processed = stats.successful + stats.failed + stats.skipped;
        if let Err(problem) = replace(&self.path, &self.state) {
            let failed = format!("Failed to save checkpoint: {problem}");
            log.write("ERROR", LOGGER, &failed);
        }
    }
}

fn add(dates: &mut Vec<NaiveDate>, date: NaiveDate) {
    if !dates.contains(&date) {
        dates.push(date);
    }
}

/// Writes beside the file and renames, so that a killed job leaves a whole file.
fn replace(path: &Path, state: &State) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("tmp");
    fs::write(&beside, serde_json::to_vec_pretty(state)?)?;
    fs::rename(&beside, path)
}

fn now() -> String {
    Local::now().format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}
