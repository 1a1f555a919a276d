//! `bf-orchestrate status`: how far a run has come.

use bf_cli::{Failure, Streams};
use bf_contract::Exit;

use crate::cli::{self, Named};
use crate::store::runs;
use crate::view::status::{status_of, status_text};

/// Shows how far a run has come, without touching it.
///
/// # Errors
/// There is no such run (exit 2), or it cannot be read (exit 3).
pub(crate) fn status(args: &Named, streams: Streams) -> Result<Exit, Failure> {
    let mut output = cli::output(&args.output, streams);
    let found = runs::find(&args.runs.runs, args.run.as_deref(), |_| true)?;
    let status = status_of(&found);
    output.text(status_text(&status, output.style()))?;
    output.document(&status)?;
    Ok(Exit::Success)
}
