//! The runs that were begun in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bf_cli::{Context, Failure};
use bf_contract::Verdict;
use chrono::{DateTime, Local, Utc};
use rustix::fs::{FlockOperation, flock};

use crate::plan::{PhasePlan, Plan, TWO_PHASES};
use crate::store::attempt::AttemptDir;
use crate::store::journal::{self, Step, VERSION, VERSION_WITH_WINDOWS};
use crate::store::run_dir::RunDir;
use crate::store::state::{RunState, fold};

/// The folder of run directories, if no flag names another one.
pub(crate) const DEFAULT_RUNS: &str = ".bf/runs";

/// A run as its directory has it.
#[derive(Debug)]
pub(crate) struct Found {
    pub run_dir: RunDir,
    /// What it was asked to do.
    pub plan: Plan,
    /// What its journal says.
    pub state: RunState,
    /// When it was begun.
    pub began: DateTime<Utc>,
    /// When its journal was last written.
    pub updated: DateTime<Utc>,
}

/// A run whose directory cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub path: PathBuf,
    /// Why it cannot be read.
    pub failure: Failure,
}

impl Unreadable {
    /// Whether it may be an unfinished run of the plan of that name, as far as a build that cannot read it
    /// can tell.
    pub(crate) fn may_be_unfinished(&self, plan_name: &str) -> bool {
        let run_dir = RunDir::open(&self.path);
        let field = |text: &str, names: &[&str]| {
            let value: serde_json::Value = serde_json::from_str(text).ok()?;
            let field = names.iter().try_fold(&value, |value, name| value.get(name));
            field?.as_str().map(str::to_owned)
        };
        let name = fs::read_to_string(run_dir.plan())
            .ok()
            .and_then(|plan| field(&plan, &["name"]));
        let last_step = fs::read_to_string(run_dir.journal())
            .ok()
            .and_then(|journal| field(journal.lines().next_back()?, &["what", "step"]));
        name.is_none_or(|name| name == plan_name) && last_step.as_deref() != Some("run_finished")
    }
}

/// Every run below `runs`, the latest first; and those that cannot be read.
///
/// # Errors
/// The folder is there and cannot be listed (exit 3).
pub(crate) fn all(runs: &Path) -> Result<(Vec<Found>, Vec<Unreadable>), Failure> {
    let doing = || format!("listing the runs in {}", runs.display());
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok((Vec::new(), Vec::new()));
        }
        entries => entries.or_could_not_check(doing)?,
    };
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = entry.or_could_not_check(doing)?.path();
        match read(&path) {
            Ok(Some(run)) => found.push(run),
            Ok(None) => {}
            Err(failure) => unreadable.push(Unreadable { path, failure }),
        }
    }
    found.sort_by(|one, other| {
        (other.began, &other.run_dir.run_id).cmp(&(one.began, &one.run_dir.run_id))
    });
    Ok((found, unreadable))
}

/// The documents of the log of a phase, from the latest run of the plan of that name in which the same dates of the
/// same table were run.
pub(crate) fn earlier_log(runs: &Path, plan: &str, phase: &PhasePlan) -> Option<PathBuf> {
    let (found, _) = all(runs).ok()?;
    found
        .iter()
        .filter(|run| run.plan.name == plan)
        .find_map(|run| {
            let mut same = run.plan.phases.iter().filter(|one| {
                one.name == phase.name
                    && one.table == phase.table
                    && one.range == phase.range
                    && one.job.is_some()
            });
            let planned = same.next()?;
            let state = run.state.phases.get(&phase.name)?;
            let folder = run
                .run_dir
                .attempt_folder(&phase.name, None, state.earlier_attempts);
            let attempt = AttemptDir::in_folder(&folder, planned);
            let log = std::path::absolute(&attempt.log).ok()?;
            (state.job_ended.is_some() && log.is_file()).then_some(log)
        })
}

/// When a run of the plan of that name last passed, in seconds since 1970.
pub(crate) fn last_success(runs: &Path, plan: &str) -> Option<i64> {
    let (found, _) = all(runs).ok()?;
    let passed = |run: &&Found| {
        run.plan.name == plan && run.state.finished.is_some_and(|(_, code)| code == 0)
    };
    found.iter().find(passed).map(|run| run.updated.timestamp())
}

/// The run that `name` means, an id or a directory; without a name the latest that `wanted` says yes to.
///
/// # Errors
/// There is none (exit 2), or it cannot be read (exit 3).
pub(crate) fn find(
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
        return open(&path);
    }
    let (found, unreadable) = all(runs)?;
    match (
        found.into_iter().find(wanted),
        unreadable.into_iter().next(),
    ) {
        (Some(run), _) => Ok(run),
        (None, Some(unreadable)) => Err(unreadable.failure),
        (None, None) => Err(
            Failure::usage(format!("there is no such run in {}", runs.display()))
                .hint("bf-orchestrate history lists the runs; --runs DIR names another folder"),
        ),
    }
}

/// The run of a directory.
///
/// # Errors
/// There is none (exit 2), or it cannot be read (exit 3).
pub(crate) fn open(path: &Path) -> Result<Found, Failure> {
    read(path)?.ok_or_else(|| {
        Failure::usage(format!("there is no run {}", path.display()))
            .hint("bf-orchestrate history lists the runs; --runs DIR names another folder")
    })
}

/// The run to resume: the one that `name` means, or the latest that is not finished, or else the latest of all if it
/// did not pass.
///
/// # Errors
/// There is none, or it passed (exit 2), which says how it ended; or it cannot be read (exit 3).
pub(crate) fn find_resumable(runs: &Path, name: Option<&str>) -> Result<Found, Failure> {
    let passed = |run: &Found| run.state.finished.is_some_and(|(_, code)| code == 0);
    if name.is_some() {
        let run = find(runs, name, |_| true)?;
        return match passed(&run) {
            true => Err(is_finished(&run, "run ")),
            false => Ok(run),
        };
    }
    let (found, unreadable) = all(runs)?;
    let unfinished = found.iter().position(|run| run.state.finished.is_none());
    if unfinished.is_none()
        && unreadable.is_empty()
        && let Some(latest) = found.first().filter(|run| passed(run))
    {
        return Err(is_finished(latest, "the latest run, "));
    }
    let wanted = unfinished.or((unreadable.is_empty()).then_some(0));
    match wanted.and_then(|at| found.into_iter().nth(at)) {
        Some(run) => Ok(run),
        None => find(runs, None, |_| false),
    }
}

fn is_finished(run: &Found, which: &str) -> Failure {
    let run_id = &run.run_dir.run_id;
    let (verdict, code) = run.state.finished.unwrap_or((Verdict::Error, 0));
    let how = match verdict {
        Verdict::Pass => "passed",
        Verdict::Warn => "passed with warnings",
        Verdict::Fail => "failed",
        Verdict::Error | Verdict::Unknown => "could not be checked",
    };
    let again = if run.plan.name == TWO_PHASES {
        "bf-orchestrate --phase1-pid …"
    } else {
        "bf-orchestrate run PLAN"
    };
    Failure::usage(format!(
        "nothing to resume: {which}{run_id}, is finished: it {how} (exit code {code}) on {}",
        run.updated.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S")
    ))
    .hint(format!(
        "the command that began it ({again}) starts a new one; bf-orchestrate status {run_id} shows this one"
    ))
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
        Step::RunStarted { version, .. } if [VERSION, VERSION_WITH_WINDOWS].contains(version) => {}
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

/// How often a claim is tried again, 10 ms apart: `status` holds it for a moment to see whether an orchestrator does.
const LOOKERS_GO_AWAY: u32 = 10;

/// The right to orchestrate a run, held as long as the value lives.
#[derive(Debug)]
pub(crate) struct Claim {
    lock: File,
}

impl Claim {
    /// Writes down who orchestrates the run, for `stop`.
    ///
    /// # Errors
    /// It cannot be written (exit 3).
    pub(crate) fn sign(&mut self) -> Result<(), Failure> {
        let text = std::process::id().to_string();
        let written = self
            .lock
            .set_len(0)
            .and_then(|()| self.lock.write_all(text.as_bytes()));
        written.or_could_not_check(|| "writing orchestrator.lock".to_owned())
    }
}

/// The process that orchestrates a run that is live, if it has written itself down.
pub(crate) fn orchestrator(run_dir: &RunDir) -> Option<u32> {
    fs::read_to_string(lock_path(run_dir)).ok()?.parse().ok()
}

fn lock_path(run_dir: &RunDir) -> PathBuf {
    run_dir.path.join("orchestrator.lock")
}

/// Claims a run for this process. `None` where another orchestrator has it.
///
/// # Errors
/// The lock file cannot be made (exit 3).
pub(crate) fn claim(run_dir: &RunDir) -> Result<Option<Claim>, Failure> {
    for _ in 0..LOOKERS_GO_AWAY {
        if let Some(claim) = try_claim(run_dir)? {
            return Ok(Some(claim));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    try_claim(run_dir)
}

fn try_claim(run_dir: &RunDir) -> Result<Option<Claim>, Failure> {
    let path = lock_path(run_dir);
    let doing = || format!("locking {}", path.display());
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .or_could_not_check(doing)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Claim { lock })),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).or_could_not_check(doing),
    }
}

/// Whether an orchestrator has the run now.
pub(crate) fn is_live(run_dir: &RunDir) -> bool {
    matches!(try_claim(run_dir), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run directory as the first build wrote it must be readable for ever.
    #[test]
    fn a_run_of_the_first_build_is_still_read() {
        let runs = tempfile::tempdir().expect("a folder");
        let run = runs.path().join("20261124T113618Z-12731");
        fs::create_dir(&run).expect("a folder");
        let golden = [
            ("plan.json", include_str!("golden/plan-1.json")),
            ("journal.ndjson", include_str!("golden/journal-1.ndjson")),
        ];
        for (file, text) in golden {
            fs::write(run.join(file), text).expect("writable");
        }
        let found = open(&run).expect("it is read");
        assert_eq!(found.plan.phases.len(), 2);
        assert_eq!((found.plan.preflight.len(), &found.plan.folder), (0, &None));
        assert_eq!(found.state.finished, Some((Verdict::Pass, 0)));
        for phase in &found.plan.phases {
            let gate = found.state.phases[&phase.name].gate.as_ref();
            assert!(
                gate.is_some_and(crate::store::state::Judgement::opens),
                "{}",
                phase.name
            );
        }
        let finished = find_resumable(runs.path(), None).expect_err("nothing is left to do");
        assert!(
            finished.message.contains("it passed (exit code 0)"),
            "{finished}"
        );
    }
}
