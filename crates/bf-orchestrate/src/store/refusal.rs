//! Who has what a run asked for, and how to see it.

use std::path::Path;

use bf_cli::Failure;
use bf_contract::HeldBy;

use crate::store::proc;
use crate::store::run_dir::RunDir;
use crate::store::runs::{self, Found};
use crate::store::table_lock::Holder;

/// A run that did not begin, or broke off.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Why, and the way out.
    pub failure: Failure,
    /// The run that has what it asked for.
    pub held_by: Option<HeldBy>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            held_by: None,
        }
    }
}

/// The refusal of a run whose orchestrator is at work.
pub(crate) fn has_an_orchestrator(run_dir: &RunDir, runs: &Path) -> Refusal {
    let held_by = held_by(&run_dir.run_id, Some(&run_dir.path));
    let name = as_an_argument(&held_by, runs);
    Refusal {
        failure: Failure::usage(format!(
            "run {} already has an orchestrator",
            run_dir.run_id
        ))
        .hint(format!(
            "nothing was started; bf-orchestrate status {name} shows how far it has come"
        )),
        held_by: Some(held_by),
    }
}

/// The refusal of a phase whose table another run has. `runs` is where this call keeps its runs.
pub(crate) fn has_the_table(phase: &str, holder: &Holder, runs: &Path) -> Refusal {
    let held_by = held_by(&holder.run_id, holder.run_dir.as_deref());
    let name = as_an_argument(&held_by, runs);
    Refusal {
        failure: Failure::usage(format!(
            "phase {phase}: {} is locked for {} by run {}",
            holder.table,
            holder.range,
            in_words(holder)
        ))
        .hint(format!(
            "nothing was started; bf-orchestrate status {name} shows how far it has come; wait for it, end its jobs with bf-orchestrate stop {name}, or go on all the same with --force"
        )),
        held_by: Some(held_by),
    }
}

/// The run, and through whom it holds the lock: its orchestrator, or the keeper of a job that outlived it.
fn in_words(holder: &Holder) -> String {
    let run = &holder.run_id;
    let pid = holder.orchestrator_pid;
    let Some(found) = holder.run_dir.as_deref().and_then(found) else {
        return format!("{run} (begun by process {pid})");
    };
    if runs::is_live(&found.run_dir) {
        return format!("{run}, whose orchestrator is at work");
    }
    let running = found.state.units().find_map(|(name, done)| {
        let process = done
            .process
            .as_ref()
            .filter(|process| proc::is_alive(process))?;
        Some((name.to_string(), process.pid))
    });
    match running {
        Some((phase, job)) => format!(
            "{run}, whose orchestrator is gone and whose job of {phase} still runs as process {job}"
        ),
        None => format!("{run}, whose orchestrator is gone and whose job is just ending"),
    }
}

fn found(run_dir: &Path) -> Option<Found> {
    runs::open(run_dir).ok()
}

fn held_by(run_id: &str, run_dir: Option<&Path>) -> HeldBy {
    HeldBy {
        run_id: run_id.to_owned(),
        run_dir: run_dir.map(|path| path.display().to_string()),
    }
}

/// The run as `status` and `stop` take it: by its id where they look in the same folder, else by its
/// directory.
fn as_an_argument(held_by: &HeldBy, runs: &Path) -> String {
    let is_here = |run_dir: &str| {
        let absolute = |path: &Path| std::fs::canonicalize(path).ok();
        absolute(Path::new(run_dir)).is_some_and(|path| path.parent() == absolute(runs).as_deref())
    };
    match &held_by.run_dir {
        Some(run_dir) if !is_here(run_dir) => run_dir.clone(),
        _ => held_by.run_id.clone(),
    }
}
