//! `bf-orchestrate`: composes the other tools, and starts the next phase only when process, log and data
//! agree.
//!
//! It links none of the tools: it starts them as processes and reads their documents, so that any of them
//! can be replaced by a script that prints the same JSON. It compares no figures itself.

#![deny(missing_docs)]

mod args;
mod console;
mod dry_run;
mod gate;
mod journal;
mod phase;
mod plan;
mod preflight;
mod program;
mod progress;
mod report;
mod run;
mod run_dir;
mod scheduler;
mod siblings;
mod steps;
mod tool;

use bf_cli::{Failure, Output, Streams, config};
use bf_contract::Exit;

pub use args::Args;

/// Runs the tool.
///
/// # Errors
/// A wrong call, config or plan (exit 2), or a run whose state cannot be written (exit 3).
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    let (output, _) = Output::new(&args.output, streams);
    let loaded = config::load(&args.config)?;
    let plan = plan::documented(&args, &loaded.config)?;
    let console = console::Console::new(output);
    let siblings = match preflight::check(&plan) {
        Ok(siblings) => siblings,
        Err(failure) => {
            console.report(&report::refused(&plan, &failure))?;
            return Err(failure);
        }
    };
    if args.dry_run {
        return dry_run::rehearse(&plan, &loaded, &siblings, &console);
    }
    run::start(&args, &plan, &loaded, &siblings, &console)
}
