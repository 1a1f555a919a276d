//! `bf-orchestrate history`: the runs of a folder.

use bf_cli::{Failure, Streams};
use bf_contract::{Exit, RunState};
use chrono::Utc;

use crate::cli::{self, History};
use crate::store::runs::{self, DEFAULT_RUNS};
use crate::view::status::{history_table, status_of, status_of_unreadable};

/// Lists the runs: those that are live first, then the latest, then those that cannot be read.
///
/// # Errors
/// The runs cannot be listed, or one of them not be read (exit 3).
pub(crate) fn history(args: &History, streams: Streams) -> Result<Exit, Failure> {
    let mut output = cli::output_for_people(&args.output, streams);
    let runs = &args.runs.runs;
    // The default one is made by the first run; a folder that was given is there, or is misspelt.
    if runs != std::path::Path::new(DEFAULT_RUNS) && !runs.is_dir() {
        return Err(
            Failure::usage(format!("there is no folder {}", runs.display()))
                .hint("--runs names the folder that the runs were begun in"),
        );
    }
    let (found, unreadable) = runs::all(runs)?;
    let mut all: Vec<_> = found.iter().map(status_of).collect();
    all.sort_by_key(|run| run.state != RunState::Live);
    all.truncate(args.most);
    all.extend(unreadable.iter().map(status_of_unreadable));
    let text = match all.is_empty() {
        true => format!("no runs in {}", runs.display()),
        false => history_table(&all, output.style(), Utc::now()),
    };
    output.text(text)?;
    for run in &all {
        output.document(run)?;
    }
    match unreadable.into_iter().next() {
        Some(unreadable) => Err(unreadable.failure),
        None => Ok(Exit::Success),
    }
}
