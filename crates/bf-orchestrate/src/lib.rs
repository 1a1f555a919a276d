//! `bf-orchestrate`: composes the other tools, and starts the next phase only when process, log and data
//! agree.
//!
//! It links none of the tools: it starts them as processes and reads their documents, so that any of them
//! can be replaced by a script that prints the same JSON. It compares no figures itself.

#![deny(missing_docs)]

mod args;
mod boot;
mod check;
mod console;
mod document;
mod dry_run;
mod gate;
mod inspect;
mod journal;
mod lock;
mod metrics;
mod notify;
mod observer;
mod phase;
mod plan;
mod preflight;
mod program;
mod progress;
mod report;
mod run;
mod run_dir;
mod runs;
mod scheduler;
mod siblings;
mod steps;
mod stop;
mod tool;

use std::path::PathBuf;

use args::{Action, Common, Resume, RunOptions};
use bf_cli::config::Loaded;
use bf_cli::{ConfigArgs, Failure, Streams, config};
use bf_contract::Exit;
use console::Console;
use plan::Plan;
use run::Request;

pub use args::Args;

/// Runs the tool.
///
/// # Errors
/// A wrong call, config or plan (exit 2), or a run whose state cannot be read or written (exit 3).
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    match args.action {
        None => {
            let (common, documented) = (&args.common, &args.documented);
            let console = Console::new(common.output_of(streams));
            let loaded = config::load(&common.config)?;
            let mut plan = plan::documented(documented, &loaded.config, common.warehouse_flag())?;
            plan.config_file = config_file(&loaded);
            run_plan(common, args.options, &plan, &loaded, &console)
        }
        Some(Action::Run(args)) => {
            let console = Console::new(args.common.output_of(streams));
            let loaded = config::load(&args.common.config)?;
            let warehouse = args.common.warehouse_flag();
            let mut plan = plan::load(&args.plan, &loaded.config, warehouse)?;
            plan.config_file = config_file(&loaded);
            run_plan(&args.common, args.options, &plan, &loaded, &console)
        }
        Some(Action::Resume(args)) => resume(&args, streams),
        Some(Action::Plan(args)) => {
            let loaded = config::load(&args.common.config)?;
            let warehouse = args.common.warehouse_flag();
            let plan = plan::documented(&args.documented, &loaded.config, warehouse)?;
            inspect::print_plan(&plan, streams.stdout)
        }
        Some(Action::Check(args)) => {
            let console = Console::new(args.common.output_of(streams));
            let loaded = config::load(&args.common.config)?;
            let warehouse = args.common.warehouse_flag();
            let mut plan = plan::load(&args.plan, &loaded.config, warehouse)?;
            plan.config_file = config_file(&loaded);
            let siblings = preflight::check(&plan, &loaded)?;
            check::check(&plan, &loaded, &siblings, &console)
        }
        Some(Action::Status(args)) => {
            let output = args.common.output_of(streams);
            inspect::status(&args, output)
        }
        Some(Action::History(args)) => {
            let output = args.common.output_of(streams);
            inspect::history(&args, output)
        }
        Some(Action::Stop(args)) => {
            let output = args.common.output_of(streams);
            stop::stop(&args, output)
        }
    }
}

/// The config's file, as it is found from anywhere.
fn config_file(loaded: &Loaded) -> Option<PathBuf> {
    let path = loaded.path.as_deref()?;
    Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

/// Looks whether everything that the plan needs is there, then rehearses or runs it.
fn run_plan(
    common: &Common,
    options: RunOptions,
    plan: &Plan,
    loaded: &Loaded,
    console: &Console,
) -> Result<Exit, Failure> {
    let outcome = preflight::check(plan, loaded).and_then(|siblings| {
        if options.dry_run {
            return dry_run::rehearse(plan, loaded, &siblings, console);
        }
        let request = Request {
            runs: &common.runs,
            options,
            plan,
            loaded,
            siblings: &siblings,
            console,
            metrics_file: common.metrics_file.as_deref(),
            restart_interrupted: false,
        };
        request.start()
    });
    say_refusal(plan, outcome, console)
}

/// Takes up a run with the plan that it was begun with.
fn resume(args: &Resume, streams: Streams) -> Result<Exit, Failure> {
    let common = &args.common;
    let console = Console::new(common.output_of(streams));
    let found = runs::find(&common.runs, args.run.as_deref(), |run| {
        run.state.finished.is_none()
    })?;
    if let Some((_, code)) = found.state.finished {
        return Err(Failure::usage(format!(
            "run {} is finished (exit code {code})",
            found.run_dir.run_id
        ))
        .hint("give the command again to start a new run"));
    }
    // The run's own config, unless another one is named.
    let loaded = match &common.config.config {
        Some(_) => config::load(&common.config)?,
        None => config::load(&ConfigArgs {
            config: Some(found.run_dir.config()),
        })?,
    };
    let mut plan = found.plan.clone();
    if common.config.config.is_some() {
        plan.config_file = config_file(&loaded);
    }
    let outcome = preflight::check(&plan, &loaded).and_then(|siblings| {
        let request = Request {
            runs: &common.runs,
            options: RunOptions {
                force: args.force,
                ..RunOptions::default()
            },
            plan: &plan,
            loaded: &loaded,
            siblings: &siblings,
            console: &console,
            metrics_file: common.metrics_file.as_deref(),
            restart_interrupted: args.restart_interrupted,
        };
        request.take_up(found)
    });
    say_refusal(&plan, outcome, &console)
}

/// Whoever reads the report hears of a run that was refused or broke off, as well.
fn say_refusal(
    plan: &Plan,
    outcome: Result<Exit, Failure>,
    console: &Console,
) -> Result<Exit, Failure> {
    if let Err(failure) = &outcome {
        // The failure itself is said in any case.
        let _ = console.report(&report::refused(plan, failure));
    }
    outcome
}
