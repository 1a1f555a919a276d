//! `bf-orchestrate resume`: continues a run with the plan that it was begun with, in the folder that it was begun in.

use std::path::{Path, PathBuf};

use bf_cli::{ConfigArgs, Context, Failure, Streams};
use bf_contract::Exit;

use crate::cli::{self, Resume};
use crate::commands::run::Call;
use crate::engine::preflight;
use crate::engine::run::Permissions;
use crate::plan::config_file;
use crate::store::runs::{self, DEFAULT_RUNS};
use crate::view::console::Console;

/// Continues a run.
///
/// # Errors
/// There is none, or it is finished (exit 2); or its state cannot be read or written (exit 3).
pub(crate) fn resume(args: &Resume, streams: Streams) -> Result<Exit, Failure> {
    let console = Console::new(cli::output(&args.output, streams));
    let mut found = runs::find_resumable(&args.runs.runs, args.run.as_deref())?;
    found.run_dir.path = absolute(&found.run_dir.path);
    // The run's own config, unless another one is named.
    let config = match &args.config.config {
        Some(config) => absolute(config),
        None => found.run_dir.config(),
    };
    let loaded = bf_config::load(&ConfigArgs {
        config: Some(config),
    })?;
    let mut plan = found.plan.clone();
    if args.config.config.is_some() || args.runs.runs.as_os_str() != DEFAULT_RUNS {
        plan.shared_flags = args.shared_flags();
    }
    let runs = absolute(&args.runs.runs);
    let metrics_file = args.metrics.path()?.as_deref().map(absolute);
    go_to(plan.folder.as_deref(), &console)?;
    if args.config.config.is_some() {
        plan.config_file = config_file(&loaded);
    }
    let siblings = preflight::check(&plan, &loaded)?;
    let call = Call {
        runs: &runs,
        permissions: Permissions {
            force: args.force,
            restart_interrupted: args.restart_interrupted,
            accept_changed_config: args.accept_changed_config,
            ..Permissions::default()
        },
        plan: &plan,
        loaded: &loaded,
        siblings: &siblings,
        console: &console,
        metrics_file,
    };
    call.see_through(|request| request.resume(found))
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
