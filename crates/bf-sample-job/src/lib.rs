//! A real, small backfill job for the demo and the tests.
//!
//! It recomputes one of the pipeline's tables date by date into a SQLite warehouse, from made-up
//! box scores or (in phase 4) from the tables before it, and prints what the real jobs print, so that a monitor, a log parser and a validator have a true counterpart: a process
//! that can die or hang, a log that can lie, a table that can be wrong. The data is made up
//! but never random: the same range gives the same rows on every machine.
//!
//! Like the real jobs it ends with 0 however many dates failed; see [`cli::Cli`] for the
//! exceptions.

pub mod boxscore;
mod checkpoint;
pub mod cli;
pub mod dates;
pub mod dice;
mod faults;
mod job;
pub mod league;
mod log;
mod parallel;
mod post_check;
mod precompute;
mod processor;
mod report;
pub mod rows;
pub mod schedule;
pub mod seasons;
mod sequential;
mod specific;
pub mod tables;
mod target;
mod text;
mod warehouse;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use clap::Parser;

use crate::cli::{Cli, Command};
pub use crate::job::Job;
pub use crate::precompute::Precompute;
use crate::schedule::Schedule;

/// Runs the job as the command line `args` (the program's name first) says and returns its
/// exit code. The log goes to `out`; help and usage errors go where clap puts them.
///
/// `--hang-at` never returns and `--die-at` ends the process.
pub fn run<I, A>(args: I, out: Box<dyn Write + Send>) -> u8
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(problem) => {
            // Nothing is left to be told to when even the terminal is gone.
            let _ = problem.print();
            return problem.exit_code() as u8;
        }
    };
    match cli.command {
        Command::Init(args) => init(&args.warehouse.dir, out),
        Command::TeamOffense(args) => job::start(Job::TeamOffense, *args, out),
        Command::PlayerSummary(args) => job::start(Job::PlayerSummary, *args, out),
        Command::TeamDefense(args) => job::start(Job::TeamDefense, *args, out),
        Command::TeamDefenseZones(args) => {
            precompute::start(Precompute::TeamDefenseZones, *args, out)
        }
        Command::PlayerShotZones(args) => {
            precompute::start(Precompute::PlayerShotZones, *args, out)
        }
        Command::CompositeFactors(args) => {
            precompute::start(Precompute::CompositeFactors, *args, out)
        }
        Command::DailyCache(args) => precompute::start(Precompute::DailyCache, *args, out),
        Command::FeatureStore(args) => precompute::start(Precompute::FeatureStore, *args, out),
    }
}

fn init(dir: &Path, mut out: Box<dyn Write + Send>) -> u8 {
    let schedule = Schedule::build();
    let (text, code) = match warehouse::init(dir, &schedule) {
        Ok(()) => {
            let games = schedule.games().len();
            (
                format!("{games} games in the schedule of sqlite:{}", dir.display()),
                0,
            )
        }
        Err(problem) => (problem, 1),
    };
    // The exit code says it too.
    let _ = writeln!(out, "bf-sample-job: {text}");
    code
}
