//! The runs that were begun in a folder.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use bf_cli::{Context, Failure};
use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};

use crate::journal::{self, Step, VERSION};
use crate::plan::Plan;
use crate::progress::{Progress, fold};
use crate::run_dir::RunDir;

/// A run as its directory has it.
#[derive(Debug)]
pub struct Found {
    /// Its directory.
    pub run_dir: RunDir,
    /// What it was asked to do.
    pub plan: Plan,
    /// What its journal says.
    pub state: Progress,
    /// When it was begun.
    pub began: DateTime<Utc>,
    /// When its journal was last written.
    pub updated: DateTime<Utc>,
}

/// Every run below `runs`, the latest first; and, for those that cannot be read, why.
///
/// # Errors
/// The folder is there and cannot be listed (exit 3).
pub fn all(runs: &Path) -> Result<(Vec<Found>, Vec<Failure>), Failure> {
    let doing = || format!("listing the runs in {}", runs.display());
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok((Vec::new(), Vec::new()));
        }
        entries => entries.or_could_not_check(doing)?,
    };
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for entry in entries {
        match read(&entry.or_could_not_check(doing)?.path()) {
            Ok(Some(run)) => found.push(run),
            Ok(None) => {}
            Err(failure) => unreadable.push(failure),
        }
    }
    found.sort_by(|one, other| {
        (other.began, &other.run_dir.run_id).cmp(&(one.began, &one.run_dir.run_id))
    });
    Ok((found, unreadable))
}

/// The run that `name` means, an id or a directory; without a name the latest that `wanted` says yes to.
///
/// # Errors
/// There is none (exit 2), or it cannot be read (exit 3).
pub fn find(
    runs: &Path,
    name: Option<&str>,
    wanted: impl Fn(&Found) -> bool,
) -> Result<Found, Failure> {
    if let Some(name) = name {
        let path = if name.contains('/') {
            Path::new(name).to_owned()
        } else {
            runs.join(name)
        };
        return read(&path)?.ok_or_else(|| {
            Failure::usage(format!("there is no run {}", path.display()))
                .hint("bf-orchestrate history lists the runs; --runs DIR names another folder")
        });
    }
    let (found, unreadable) = all(runs)?;
    match (
        found.into_iter().find(wanted),
        unreadable.into_iter().next(),
    ) {
        (Some(run), _) => Ok(run),
        (None, Some(failure)) => Err(failure),
        (None, None) => Err(
            Failure::usage(format!("there is no such run in {}", runs.display()))
                .hint("bf-orchestrate history lists the runs; --runs DIR names another folder"),
        ),
    }
}

/// Reads a run; `None` where the folder is none, or one that was never begun.
fn read(path: &Path) -> Result<Option<Found>, Failure> {
    let run_dir = RunDir::open(path);
    if !run_dir.journal().is_file() {
        return Ok(None);
    }
    let records = journal::read(&run_dir.journal())?;
    let Some(first) = records.first() else {
        return Ok(None);
    };
    let began = first.time;
    match &first.what {
        Step::RunStarted { version, .. } if *version == VERSION => {}
        Step::RunStarted { version, .. } => {
            return Err(Failure::could_not_check(format!(
                "run {} was begun by another version of bf (journal {version}, not {VERSION})",
                path.display()
            ))
            .hint("finish it with the bf that began it, or move its directory away"));
        }
        _ => {
            return Err(Failure::could_not_check(format!(
                "the journal of run {} has no beginning",
                path.display()
            )));
        }
    }
    let doing = || format!("reading the plan {}", run_dir.plan().display());
    let plan = fs::read(run_dir.plan()).or_could_not_check(doing)?;
    let plan = serde_json::from_slice(&plan).or_could_not_check(doing)?;
    Ok(Some(Found {
        state: fold(&records),
        updated: records.last().map_or(began, |record| record.time),
        run_dir,
        plan,
        began,
    }))
}

/// The right to orchestrate a run, held as long as the value lives.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

/// Claims a run for this process. `None` where another orchestrator has it.
///
/// # Errors
/// The lock file cannot be made (exit 3).
pub fn claim(run_dir: &RunDir) -> Result<Option<Claim>, Failure> {
    let path = run_dir.path.join("orchestrator.lock");
    let doing = || format!("locking {}", path.display());
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .or_could_not_check(doing)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Claim { _lock: lock })),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).or_could_not_check(doing),
    }
}

/// Whether an orchestrator has the run now.
#[must_use]
pub fn is_live(run_dir: &RunDir) -> bool {
    matches!(claim(run_dir), Ok(None))
}
