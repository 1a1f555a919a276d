//! `bf-orchestrate`: composes the other tools, and starts the next phase only when process, log and data agree.
//!
//! It links none of the tools: it starts them as processes and reads their documents, so that any of them can be
//! replaced by a script that prints the same JSON. It compares no figures itself.
//!
//! The rooms, and what each of them uses (arrows point down, without a circle):
//!
//! - [`cli`] the flags; [`commands`] one file per verb
//! - [`view`] everyone who hears of a run: console, text, metrics, notifications, `documents.ndjson`
//! - [`engine`] the run: preflight, scheduler, phase, gate, and the [`engine::event::RunEvent`]s that it emits
//! - [`tools`] the sibling programs as typed calls
//! - [`store`] what a run leaves on disk: run directory, journal, state, attempts, table locks
//! - [`plan`] what is to be done
//!
//! The life of a run: a verb resolves a plan, `engine::preflight` checks that everything is there, `engine::run`
//! makes or resumes a run directory, locks the tables and hands the phases to the scheduler. Each phase goes
//! through its steps, job, log, tables, gate; a step is in the journal before the next one begins. What the phases
//! came to is the run_report.

mod cli;
mod commands;
mod engine;
mod plan;
mod store;
mod tools;
mod view;

use bf_cli::{Failure, Streams};
use bf_contract::Exit;
use cli::Action;

pub use cli::Args;

/// Runs the tool.
///
/// # Errors
/// A wrong call, config or plan (exit 2), or a run whose state cannot be read or written (exit 3).
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    match args.action {
        None => commands::run::two_phases(&args.documented, &args.run, streams),
        Some(Action::Run(args)) => commands::run::plan(&args, streams),
        Some(Action::Resume(args)) => commands::resume::resume(&args, streams),
        Some(Action::Check(args)) => commands::check::check(&args, streams),
        Some(Action::Plan(args)) => commands::plan::print(&args, streams),
        Some(Action::Status(args)) => commands::status::status(&args, streams),
        Some(Action::History(args)) => commands::history::history(&args, streams),
        Some(Action::Prune(args)) => commands::prune::prune(&args, streams),
        Some(Action::Stop(args)) => commands::stop::stop(&args, streams),
    }
}
