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
mod held;
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

use std::path::{Path, PathBuf};

use args::{Action, Common, Resume, RunOptions};
use bf_cli::{ConfigArgs, Context, Failure, Streams};
use bf_config::Loaded;
use bf_contract::Exit;
use console::Console;
use held::Refusal;
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
            let loaded = bf_config::load(&common.config)?;
            let mut plan = plan::documented(documented, &loaded.config, common.warehouse_flag())?;
            plan.config_file = config_file(&loaded);
            run_plan(common, args.options, &plan, &loaded, &console)
        }
        Some(Action::Run(args)) => {
            let console = Console::new(args.common.output_of(streams));
            let loaded = bf_config::load(&args.common.config)?;
            let warehouse = args.common.warehouse_flag();
            let mut plan = plan::load(&args.plan, &loaded.config, warehouse)?;
            plan.config_file = config_file(&loaded);
            run_plan(&args.common, args.options, &plan, &loaded, &console)
        }
        Some(Action::Resume(args)) => resume(&args, streams),
        Some(Action::Plan(args)) => {
            let loaded = bf_config::load(&args.common.config)?;
            let warehouse = args.common.warehouse_flag();
            let plan = plan::documented(&args.documented, &loaded.config, warehouse)?;
            inspect::print_plan(&plan, streams.stdout)
        }
        Some(Action::Check(args)) => {
            let console = Console::new(args.common.output_of(streams));
            let loaded = bf_config::load(&args.common.config)?;
            let warehouse = args.common.warehouse_flag();
            let mut plan = plan::load(&args.plan, &loaded.config, warehouse)?;
            plan.config_file = config_file(&loaded);
            let siblings = preflight::check(&plan, &loaded)?;
            preflight::check_attached(&plan)?;
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
    let run = || -> Result<Exit, Refusal> {
        let metrics_file = metrics_file(common)?;
        let siblings = preflight::check(plan, loaded)?;
        if options.dry_run {
            return Ok(dry_run::rehearse(plan, loaded, &siblings, console)?);
        }
        let request = Request {
            runs: &common.runs,
            options,
            plan,
            loaded,
            siblings: &siblings,
            console,
            metrics_file: metrics_file.as_deref(),
            restart_interrupted: false,
        };
        request.start()
    };
    say_refusal(plan, run(), console)
}

/// Takes up a run with the plan that it was begun with, in the folder that it was begun in.
fn resume(args: &Resume, streams: Streams) -> Result<Exit, Failure> {
    let common = &args.common;
    let console = Console::new(common.output_of(streams));
    let mut found = runs::find_unfinished(&common.runs, args.run.as_deref())?;
    found.run_dir.path = absolute(&found.run_dir.path);
    // The run's own config, unless another one is named.
    let loaded = match &common.config.config {
        Some(config) => bf_config::load(&ConfigArgs {
            config: Some(absolute(config)),
        })?,
        None => bf_config::load(&ConfigArgs {
            config: Some(found.run_dir.config()),
        })?,
    };
    let mut plan = found.plan.clone();
    let runs = absolute(&common.runs);
    let metrics_file = metrics_file(common)?.as_deref().map(absolute);
    go_to(plan.folder.as_deref(), &console)?;
    if common.config.config.is_some() {
        plan.config_file = config_file(&loaded);
    }
    let run = || -> Result<Exit, Refusal> {
        let siblings = preflight::check(&plan, &loaded)?;
        let request = Request {
            runs: &runs,
            options: RunOptions {
                force: args.force,
                ..RunOptions::default()
            },
            plan: &plan,
            loaded: &loaded,
            siblings: &siblings,
            console: &console,
            metrics_file: metrics_file.as_deref(),
            restart_interrupted: args.restart_interrupted,
        };
        request.take_up(found)
    };
    say_refusal(&plan, run(), &console)
}

/// Where the metrics go: the file itself where it is a link, as it is replaced whole each time.
///
/// # Errors
/// It is there and is no regular file, or a link to nothing: usage (exit 2).
fn metrics_file(common: &Common) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = &common.metrics_file else {
        return Ok(None);
    };
    let refuse = |what: &str| {
        Failure::usage(format!("--metrics-file {}: {what}", path.display()))
            .hint("nothing was started; give a regular file, or one that is not there yet")
    };
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(Some(path.clone())),
        Ok(metadata) if metadata.is_file() => Ok(Some(path.clone())),
        Ok(metadata) if metadata.is_symlink() => match std::fs::canonicalize(path) {
            Ok(target) if target.is_file() => Ok(Some(target)),
            Ok(_) => Err(refuse("it leads to what is no regular file")),
            Err(_) => Err(refuse("it is a link to nothing")),
        },
        Ok(metadata) if metadata.is_dir() => Err(refuse("it is a folder")),
        Ok(_) => Err(refuse("it is no regular file")),
    }
}

fn absolute(path: &Path) -> PathBuf {
    // What is there is named without the `..` that led to it.
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

/// Goes to the folder that a run was begun in: its relative paths and its jobs belong there.
fn go_to(folder: Option<&Path>, console: &Console) -> Result<(), Failure> {
    let Some(folder) =
        folder.filter(|folder| std::env::current_dir().ok().as_deref() != Some(folder))
    else {
        return Ok(());
    };
    std::env::set_current_dir(folder).or_could_not_check(|| {
        format!(
            "going to the folder that the run was begun in, {}",
            folder.display()
        )
    })?;
    console.say(format!(
        "Working in {}, where the run was begun",
        folder.display()
    ));
    Ok(())
}

/// Whoever reads the report hears of a run that was refused or broke off, as well.
fn say_refusal(
    plan: &Plan,
    outcome: Result<Exit, Refusal>,
    console: &Console,
) -> Result<Exit, Failure> {
    outcome.map_err(|refusal| {
        // The failure itself is said in any case.
        let _ = console.report(&report::refused(plan, &refusal));
        refusal.failure
    })
}
