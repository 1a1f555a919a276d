//! The jobs of phase 4: each reads the tables that the jobs before it wrote, and writes one of
//! its own, game date by game date.
//!
//! A date whose upstream rows are not there fails, as it does in the real jobs: a hole in one
//! table is a hole in all that come after it.

mod announce;
mod closing;
mod job;
mod preflight;
mod range;
mod single;
mod store;
mod tables;
mod target;

use std::io::Write;
use std::thread;
use std::time::Duration;

use chrono::NaiveDate;

use crate::checkpoint::Checkpoint;
use crate::cli::PrecomputeArgs;
use crate::faults::{self, Ending, Frame, traceback};
use crate::job::Range;
use crate::log::{Level, Log, Logger};
use crate::schedule::Schedule;
use crate::seasons;
use store::Store;
use target::{Target, Wrong};

pub use job::Precompute;
pub use store::create_all as create_tables;

/// Days after opening night on which no team has played enough to say anything about.
const BOOTSTRAP_DAYS: i64 = 14;

/// How a date went, as the job sees it.
enum Outcome {
    /// So many rows.
    Success(u64),
    /// Too early in the season.
    Bootstrap,
    /// The processor gave up.
    Failed,
    /// The processor raised an exception with this message.
    Exception(String),
}

/// Everything a run needs to know.
struct Run<'a> {
    job: Precompute,
    args: &'a PrecomputeArgs,
    log: &'a Log,
    schedule: &'a Schedule,
    store: Store,
}

/// Runs a job and returns its exit code.
pub fn start(job: Precompute, args: PrecomputeArgs, out: Box<dyn Write + Send>) -> u8 {
    thread::sleep(Duration::from_millis(args.manner.delay_start_ms));
    let manner = &args.manner;
    let log = Log::new(out, manner.log_format, manner.buffered, manner.clean_log);
    let code = open_and_run(job, &args, &log);
    log.flush();
    code
}

fn open_and_run(job: Precompute, args: &PrecomputeArgs, log: &Log) -> u8 {
    let target = match target::target(job, args) {
        Ok(target) => target,
        Err(Wrong::Said(lines)) => {
            lines.iter().for_each(|line| log.error(line));
            return 1;
        }
        Err(Wrong::Uncaught(traceback)) => {
            log.plain(&traceback);
            return 1;
        }
    };
    let schedule = Schedule::build();
    let writes = match &target {
        Target::Dates(_) => !args.dry_run,
        Target::Range(range) => !args.dry_run && range.refusal().is_none(),
    };
    let store = match Store::open(&args.warehouse.dir, job, writes) {
        Ok(store) => store,
        Err(problem) => {
            log.error(format!("Cannot use warehouse: {problem}"));
            return 1;
        }
    };
    let mut run = Run {
        job,
        args,
        log,
        schedule: &schedule,
        store,
    };
    match target {
        Target::Dates(dates) => single::run(&mut run, &dates),
        Target::Range(range) => {
            if !preflight::passes(&run, range) {
                return 1;
            }
            range::run(&mut run, range);
        }
    }
    0
}

impl Run<'_> {
    /// The checkpoint of a range.
    fn checkpoint(&self, range: Range) -> Checkpoint {
        let name = self.job.name();
        let file = format!("{name}_{}_{}.json", range.start, range.end);
        let default = || self.args.warehouse.dir.join("checkpoints").join(file);
        let path = self.args.checkpoint.clone().unwrap_or_else(default);
        Checkpoint::new(path, name, range)
    }

    /// Processes one date; an exception is logged with its traceback.
    fn process(&mut self, date: NaiveDate) -> Outcome {
        if is_bootstrap(date) {
            if self.job == Precompute::TeamDefenseZones {
                let text = format!("BOOTSTRAP: Skipping {date} (early season period)");
                self.log.info(text);
            }
            return Outcome::Bootstrap;
        }
        let ending = self.args.faults.ending(date);
        match ending {
            Ending::Death => self.args.faults.die(self.log),
            Ending::Hang => faults::hang(),
            Ending::Rows | Ending::Failure | Ending::Exception => {}
        }
        thread::sleep(Duration::from_millis(self.args.manner.delay_ms));
        match ending {
            Ending::Exception => {
                let kind = "google.api_core.exceptions.TooManyRequests";
                self.exception(kind, faults::RATE_LIMIT.to_owned())
            }
            Ending::Failure => self.gave_up(&format!("No data extracted for {date}")),
            _ => match self.write(date) {
                Ok(outcome) => outcome,
                Err(problem) => self.exception("sqlite3.OperationalError", problem.to_string()),
            },
        }
    }

    fn write(&mut self, date: NaiveDate) -> rusqlite::Result<Outcome> {
        for upstream in self.job.upstream() {
            if self.store.rows_on(upstream, date)? == 0 {
                let table = upstream.name();
                return Ok(self.gave_up(&format!("No data extracted from {table} for {date}")));
            }
        }
        let rows = self
            .store
            .replace(date, &self.args.faults, &self.args.figure_faults)?;
        Ok(Outcome::Success(rows))
    }

    fn gave_up(&self, why: &str) -> Outcome {
        let text = format!("PrecomputeProcessorBase Error: {why}");
        self.log.write(Level::Error, Logger::PrecomputeBase, &text);
        Outcome::Failed
    }

    fn exception(&self, kind: &str, message: String) -> Outcome {
        let frame = Frame {
            script: &self.job.script(),
            stage: "precompute",
            function: "run_precompute_processing",
            line: 166,
            call: "self.processor.run(opts)",
        };
        let trace = traceback(&frame, kind, &message);
        let lead = if self.job.is_zones() {
            "Exception during processing"
        } else {
            "Exception"
        };
        self.log.error(format!("{lead}: {message}\n{trace}"));
        Outcome::Exception(message)
    }
}

/// Whether the date lies within the first days of a season, which phase 4 leaves out.
fn is_bootstrap(date: NaiveDate) -> bool {
    seasons::opening_night_before(date)
        .is_some_and(|opening| (date - opening).num_days() < BOOTSTRAP_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seasons::day;

    #[test]
    fn the_first_fourteen_days_of_a_season_are_left_out() {
        assert!(is_bootstrap(day(2024, 10, 22)) && is_bootstrap(day(2024, 11, 4)));
        assert!(!is_bootstrap(day(2024, 11, 5)) && !is_bootstrap(day(2024, 10, 21)));
        assert!(is_bootstrap(day(2021, 11, 1)) && !is_bootstrap(day(2021, 11, 2)));
    }
}
