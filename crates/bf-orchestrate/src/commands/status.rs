//! `bf-orchestrate status`: how far a run has come.

use std::time::Duration;

use bf_cli::{Failure, Streams};
use bf_contract::{Exit, RunState};
use chrono::Utc;

use crate::cli::{self, Status};
use crate::store::runs;
use crate::view::status::{status_of, status_text};
use crate::view::wrap::wrapped;

/// How often `--watch` shows it anew.
const EVERY: Duration = Duration::from_secs(2);

/// Shows how far a run has come, without touching it. Without a name the live one, or else the latest.
///
/// # Errors
/// There is no such run (exit 2), or it cannot be read (exit 3).
pub(crate) fn status(args: &Status, streams: Streams) -> Result<Exit, Failure> {
    let mut output = cli::output_for_people(&args.output, streams);
    let runs = &args.runs.runs;
    let found = match &args.run {
        Some(run) => runs::find(runs, Some(run), |_| true)?,
        None => runs::find(runs, None, |run| runs::is_live(&run.run_dir))
            .or_else(|_| runs::find(runs, None, |_| true))?,
    };
    let path = found.run_dir.path.clone();
    let mut found = found;
    loop {
        let status = status_of(&found);
        let text = status_text(&status, output.style(), Utc::now());
        let before = if args.watch && output.is_live() {
            // The cursor goes home, and what was there is cleared: ECMA-48.
            "\x1b[H\x1b[2J"
        } else {
            ""
        };
        let text = match found.state.passed_over_text() {
            Some(note) => format!("{text}\n  Note: {note}"),
            None => text,
        };
        let text = wrapped(&text, output.columns());
        output.text(format!("{before}{text}"))?;
        output.document(&status)?;
        if !args.watch || status.state != RunState::Live {
            return Ok(Exit::Success);
        }
        std::thread::sleep(EVERY);
        found = runs::open(&path)?;
    }
}
