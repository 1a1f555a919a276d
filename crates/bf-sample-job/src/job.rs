//! Which table is filled, in what manner, and what comes first in the log.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use chrono::{Local, NaiveDate};

use crate::checkpoint::Checkpoint;
use crate::cli::JobArgs;
use crate::log::Log;
use crate::processor::Processor;
use crate::schedule::Schedule;
use crate::target::{Target, target};
use crate::text::python_bool;
use crate::warehouse::Warehouse;
use crate::{parallel, sequential, specific};

/// A job that goes by calendar days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Fills `team_offense_game_summary`.
    TeamOffense,
    /// Fills `team_defense_game_summary`.
    TeamDefense,
    /// Fills `player_game_summary`.
    PlayerSummary,
}

impl Job {
    /// The job's name, which is its table's.
    pub fn name(self) -> &'static str {
        match self {
            Self::TeamOffense => "team_offense_game_summary",
            Self::TeamDefense => "team_defense_game_summary",
            Self::PlayerSummary => "player_game_summary",
        }
    }

    /// The real job's script, as its log names it.
    pub fn script(self) -> String {
        let name = self.name();
        format!("backfill_jobs/analytics/{name}/{name}_analytics_backfill.py")
    }
}

/// First and last date of a run, both included.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// First date.
    pub start: NaiveDate,
    /// Last date.
    pub end: NaiveDate,
}

impl Range {
    /// Its dates in order.
    pub fn dates(self) -> Vec<NaiveDate> {
        self.start
            .iter_days()
            .take_while(|date| *date <= self.end)
            .collect()
    }

    /// Why the job declines to start on this range, if it does.
    pub fn refusal(self) -> Option<&'static str> {
        if self.start > self.end {
            Some("Start date must be before end date")
        } else if self.end > Local::now().date_naive() {
            Some("End date cannot be in the future")
        } else {
            None
        }
    }

    /// Says what the job says of its range; false when it declines to start.
    pub fn is_accepted(self, log: &Log) -> bool {
        if let Some(reason) = self.refusal() {
            log.error(reason);
            return false;
        }
        let days = self.dates().len();
        log.info(format!(
            "Will process {days} days from {} to {}",
            self.start, self.end
        ));
        true
    }
}

/// Everything a run needs to know.
pub struct Run<'a> {
    /// The job.
    pub job: Job,
    /// Its options.
    pub args: &'a JobArgs,
    /// Its log.
    pub log: &'a Log,
    /// What processes a date.
    pub processor: Processor<'a>,
}

impl Run<'_> {
    /// The checkpoint of a range.
    pub fn checkpoint(&self, range: Range) -> Checkpoint {
        let file = format!("{}_{}_{}.json", self.job.name(), range.start, range.end);
        let default = || self.args.warehouse.dir.join("checkpoints").join(file);
        let path: PathBuf = self.args.checkpoint.clone().unwrap_or_else(default);
        Checkpoint::new(path, self.job.name(), range)
    }
}

/// Runs a job and returns its exit code.
pub fn start(job: Job, args: JobArgs, out: Box<dyn Write + Send>) -> u8 {
    thread::sleep(Duration::from_millis(args.manner.delay_start_ms));
    let manner = &args.manner;
    let log = Log::new(out, manner.log_format, manner.buffered, manner.clean_log);
    let code = open_and_run(job, &args, &log);
    log.flush();
    code
}

fn open_and_run(job: Job, args: &JobArgs, log: &Log) -> u8 {
    let target = match target(job, args) {
        Ok(target) => target,
        Err(lines) => {
            lines.iter().for_each(|line| log.error(line));
            return 1;
        }
    };
    let schedule = Schedule::build();
    let writes = match &target {
        Target::Dates(_) => !args.dry_run,
        Target::Range(range) => range.refusal().is_none() && (!args.dry_run || args.parallel),
    };
    // A run that writes nothing leaves nothing behind.
    let folder = writes.then_some(args.warehouse.dir.as_path());
    let opened = Warehouse::open(folder).and_then(|warehouse| {
        let known = args
            .usage_from_team_table
            .then(|| warehouse.known_teams())
            .transpose()?;
        let warehouse = Mutex::new(warehouse);
        Ok(Processor {
            job,
            args,
            log,
            schedule: &schedule,
            warehouse,
            known_teams: known,
        })
    });
    let processor = match opened {
        Ok(processor) => processor,
        Err(problem) => {
            log.error(format!("Cannot use warehouse: {problem}"));
            return 1;
        }
    };
    let run = Run {
        job,
        args,
        log,
        processor,
    };
    match target {
        Target::Dates(dates) => specific::run(&run, &dates),
        Target::Range(range) => {
            announce(&run, range);
            if args.parallel {
                parallel::run(&run, range)
            } else {
                sequential::run(&run, range)
            }
        }
    }
    0
}

fn announce(run: &Run<'_>, range: Range) {
    let (log, args) = (run.log, run.args);
    log.info("Day-by-day analytics backfill configuration:");
    log.info(format!("  Date range: {} to {}", range.start, range.end));
    log.info(format!("  Dry run: {}", python_bool(args.dry_run)));
    log.info(format!("  No resume: {}", python_bool(args.no_resume)));
    let (label, sequential, parallel) = match run.job {
        Job::TeamOffense => (
            "Parallel",
            "Day-by-day (sequential)",
            "Parallel (15x faster)",
        ),
        Job::TeamDefense => (
            "Parallel mode",
            "Day-by-day (fixes BigQuery size limits)",
            "PARALLEL (15x faster)",
        ),
        Job::PlayerSummary => (
            "Parallel mode",
            "Sequential (day-by-day)",
            "PARALLEL (10-20x faster)",
        ),
    };
    log.info(format!("  {label}: {}", python_bool(args.parallel)));
    if args.parallel {
        log.info(format!("  Workers: {}", args.workers));
    }
    log.info(format!(
        "  Processing strategy: {}",
        if args.parallel { parallel } else { sequential }
    ));
}
