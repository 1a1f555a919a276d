//! The check engine, the suites and the validators.
//!
//! A suite lists the checks that a table must pass. Each kind of check, a file in `checks`, plans what it measures; the
//! scan counts all of it in one pass; the kind judges pure figures, and `outcome` alone turns a figure and its threshold
//! into an outcome. `evidence` finds the rows behind what failed; `report` and `text` show it to machines and people.

mod args;
mod checks;
mod cli;
mod days;
mod draft;
mod evidence;
mod expected;
mod explain;
mod figures;
mod log_checks;
mod log_input;
mod metrics;
mod outcome;
mod pairs;
mod report;
mod request;
mod rerun;
mod run;
mod scheduled;
mod suite;
mod text;
#[cfg(test)]
#[path = "../../../tests/support/yaml_schema.rs"]
mod yaml_schema;

use std::ffi::OsString;
use std::process::ExitCode;

use bf_cli::{Failure, Streams};
use bf_contract::Exit;

pub use args::{PlayerSummaryArgs, SuiteArgs, TeamOffenseArgs, ValidateArgs};
use suite::{Builtin, Suite};

/// The program `bf-validate`, and the two named validators: they hand their built-in suite on as the first argument
/// and keep their own name, help and flags.
pub fn main(mut args: Vec<OsString>) -> ExitCode {
    let first = args.get(1).and_then(|first| first.to_str());
    match first.and_then(|first| first.strip_prefix("--suite=built-in:")) {
        Some("team_offense") => {
            args.remove(1);
            bf_cli::main_with(args, run_team_offense)
        }
        Some("player_game_summary") => {
            args.remove(1);
            bf_cli::main_with(args, run_player_summary)
        }
        _ => bf_cli::main_with(args, run_suite),
    }
}

/// Validates `nba_analytics.team_offense_game_summary`.
///
/// # Errors
/// Usage, or something that stands in the way of any verdict.
pub fn run_team_offense(args: TeamOffenseArgs, streams: Streams) -> Result<Exit, Failure> {
    cli::validate(Builtin::TeamOffense.suite()?, &args.common, streams)
}

/// Validates `nba_analytics.player_game_summary`.
///
/// # Errors
/// Usage, or something that stands in the way of any verdict.
pub fn run_player_summary(args: PlayerSummaryArgs, streams: Streams) -> Result<Exit, Failure> {
    cli::validate(Builtin::PlayerGameSummary.suite()?, &args.common, streams)
}

/// Validates any table, as a suite file says.
///
/// # Errors
/// Usage, or something that stands in the way of any verdict.
pub fn run_suite(args: SuiteArgs, streams: Streams) -> Result<Exit, Failure> {
    match (&args.suite, &args.draft) {
        (Some(suite), _) => cli::validate(Suite::load(suite)?, &args.common, streams),
        (None, Some(table)) => cli::draft(table, &args.common, streams),
        (None, None) => Err(Failure::usage("no suite is given").hint(
            "give --suite FILE START END, or --draft DATASET.TABLE for a suite to start from",
        )),
    }
}
