//! `bf-orchestrate prune`: removes the directories of old runs.

use bf_cli::{Context, Failure, Streams};
use bf_contract::Exit;
use chrono::Utc;

use crate::cli::{self, Prune};
use crate::store::proc;
use crate::store::runs::{self, Found};

/// Removes the directories of runs that finished longer ago than is kept. One that is not finished, that is live or
/// whose job still runs stays; so does one that cannot be read.
///
/// # Errors
/// The runs cannot be listed, or a directory not be removed (exit 3).
pub(crate) fn prune(args: &Prune, streams: Streams) -> Result<Exit, Failure> {
    let mut output = cli::output_for_people(&args.output, streams);
    let (found, unreadable) = runs::all(&args.runs.runs)?;
    let keep = chrono::TimeDelta::from_std(args.keep).unwrap_or(chrono::TimeDelta::MAX);
    let is_old = |run: &&Found| {
        let mut processes = run
            .state
            .units()
            .filter_map(|(_, unit)| unit.process.as_ref());
        let age = Utc::now() - run.updated;
        run.state.finished.is_some()
            && age > keep
            && !processes.any(proc::is_alive)
            && !runs::is_live(&run.run_dir)
    };
    let old: Vec<&Found> = found.iter().filter(is_old).collect();
    for run in &old {
        let path = &run.run_dir.path;
        let verb = match args.dry_run {
            true => "would remove",
            false => "removed",
        };
        if !args.dry_run {
            std::fs::remove_dir_all(path)
                .or_could_not_check(|| format!("removing {}", path.display()))?;
        }
        output.text(format!("{verb} {}", path.display()))?;
    }
    let kept = found.len() - old.len() + unreadable.len();
    output.text(format!(
        "{} runs, {kept} kept",
        found.len() + unreadable.len()
    ))?;
    Ok(Exit::Success)
}
