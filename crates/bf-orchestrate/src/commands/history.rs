//! `bf-orchestrate history`: the runs of a folder.

use bf_cli::{Failure, Streams};
use bf_contract::Exit;

use crate::cli::{self, History};
use crate::store::runs::{self, DEFAULT_RUNS};
use crate::view::status::{history_line, status_of};

/// `bf-orchestrate history`.
///
/// # Errors
/// The runs cannot be listed (exit 3).
pub(crate) fn history(args: &History, streams: Streams) -> Result<Exit, Failure> {
    let mut output = cli::output(&args.output, streams);
    let runs = &args.runs.runs;
    // The default one is made by the first run; a folder that somebody names is there, or is misspelt.
    if runs != std::path::Path::new(DEFAULT_RUNS) && !runs.is_dir() {
        return Err(
            Failure::usage(format!("there is no folder {}", runs.display()))
                .hint("--runs names the folder that the runs were begun in"),
        );
    }
    let (found, unreadable) = runs::all(runs)?;
    if found.is_empty() {
        output.text(format!("no runs in {}", runs.display()))?;
    }
    for run in found.iter().take(args.most) {
        let status = status_of(run);
        output.text(history_line(&status, output.style()))?;
        output.document(&status)?;
    }
    match unreadable.into_iter().next() {
        Some(unreadable) => Err(unreadable.failure),
        None => Ok(Exit::Success),
    }
}
