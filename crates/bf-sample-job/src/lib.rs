//! A small backfill job for the demo and the tests.
//!
//! It fills the pipeline's tables date by date in a SQLite warehouse and prints what the real jobs
//! print, so that a monitor, a log parser and a validator have a true counterpart: a process that
//! can die, a log that can lie, a table that can be wrong. Every figure is a hash of its date, team
//! and player: the same range gives the same rows on every machine.
//!
//! - `job` the eight jobs: three of phase 3, which go by calendar days, and five of phase 4, which
//!   go by game dates and read the tables before them
//! - `start` what the command line asks for; `run` what a run knows; `range`, `parallel`, `single` its dates; `process` one
//!   date; `check` the player job's check of its own table
//! - `words` what a job prints, from `words.txt`; `log`, `checkpoint`
//! - `rows` what is written; `schedule` the games, from `schedule.csv`; `table` the columns, from
//!   `columns.csv`; `store` the SQLite warehouse; `faults` what goes wrong on request
//!
//! Like the real jobs it ends with 0 however many dates failed; see the help for the exceptions.

#[macro_use]
mod words;

mod check;
mod checkpoint;
mod cli;
mod dates;
mod faults;
mod hash;
mod job;
mod log;
mod parallel;
mod process;
mod range;
mod rows;
mod run;
mod schedule;
mod single;
mod start;
mod store;
mod table;
mod text;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;

use crate::cli::{AnalyticsArgs, Cli, Command, JobArgs, WarehouseArg};
use crate::faults::RowFaultArgs;
use crate::job::Job;
use crate::schedule::Schedule;

/// Runs the job as the command line `args` (the program's name first) asks for and returns its
/// exit code. The log goes to `out`; help and usage errors go to the standard streams.
///
/// `--die-at` ends the process.
pub fn run<I, A>(args: I, out: Box<dyn Write + Send>) -> u8
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(problem) => {
            // Nothing is left to report to when even the terminal is gone.
            let _ = problem.print();
            return u8::try_from(problem.exit_code()).unwrap_or(2);
        }
    };
    match cli.command {
        Command::Init(args) => init(&args, out),
        Command::TeamOffense(args) => analytics(&job::TEAM_OFFENSE, &args, out),
        Command::TeamDefense(args) => analytics(&job::TEAM_DEFENSE, &args, out),
        Command::PlayerSummary(args) => analytics(&job::PLAYERS, &args, out),
        Command::TeamDefenseZones(args) => precompute(&job::TEAM_ZONES, &args, out),
        Command::PlayerShotZones(args) => precompute(&job::PLAYER_ZONES, &args, out),
        Command::CompositeFactors(args) => precompute(&job::FACTORS, &args, out),
        Command::DailyCache(args) => precompute(&job::CACHE, &args, out),
        Command::FeatureStore(args) => precompute(&job::FEATURES, &args, out),
    }
}

fn analytics(job: &'static Job, args: &AnalyticsArgs, out: Box<dyn Write + Send>) -> u8 {
    let workers = args.parallel.then_some(args.workers);
    start::start(job, &args.job, workers, &args.row_faults, out)
}

fn precompute(job: &'static Job, args: &JobArgs, out: Box<dyn Write + Send>) -> u8 {
    start::start(job, args, None, &RowFaultArgs::default(), out)
}

fn init(warehouse: &WarehouseArg, mut out: Box<dyn Write + Send>) -> u8 {
    let schedule = Schedule::load();
    let (text, code) = match store::init(&warehouse.dir, &schedule) {
        Ok(()) => {
            let (games, dir) = (schedule.games().len(), warehouse.dir.display());
            let text = format!("{games} games in the schedule of sqlite:{dir}");
            (text, 0)
        }
        Err(problem) => (problem, 1),
    };
    // The exit code carries the same news.
    let _ = writeln!(out, "bf-sample-job: {text}");
    code
}
