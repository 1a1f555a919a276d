//! One writer a table: two runs over the same table and overlapping dates are refused.
//!
//! A lock is a file with flock(2) on it, so that it goes away with whoever holds it, and never by guessing
//! from a pid. The file says whose it is and for which dates. It is in the warehouse's own folder, where everyone who
//! writes there finds it, whatever their environment; for a warehouse that is not a folder, and for one that cannot be
//! written, in the state folder of the user: then it holds for this user on this machine. The keeper of a job inherits it: a killed
//! orchestrator does not free a table that its job still writes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use bf_cli::{Context, Failure};
use bf_contract::DateRange;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::plan::{PhasePlan, Plan};
use crate::store::run_dir::RunDir;

/// Whose a lock is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub run_id: String,
    /// The run's directory, absolute; `None` in a lock of a build that did not write it down.
    #[serde(default)]
    pub run_dir: Option<PathBuf>,
    /// The process id of its orchestrator, which the job may outlive.
    pub orchestrator_pid: u32,
    /// The warehouse, in its canonical form.
    pub warehouse: String,
    pub table: String,
    pub range: DateRange,
}

/// A lock that this process holds as long as the value lives, and whoever inherits it after that.
#[derive(Debug)]
pub(crate) struct TableLock {
    file: File,
}

impl TableLock {
    /// The open file, for a child to inherit.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Holder {
    fn is_same_run(&self, other: &Self) -> bool {
        self.run_id == other.run_id && (self.run_dir == other.run_dir || other.run_dir.is_none())
    }
}

/// What came of asking for a lock.
#[derive(Debug)]
pub(crate) enum Asked {
    Held(TableLock),
    /// Another run has it.
    Refused(Holder),
}

/// Asks for the lock of a phase's table and dates. What this very run holds already, through a job that outlived
/// its orchestrator or for another of its phases, is no obstacle.
///
/// # Errors
/// The lock files cannot be made or read: nothing was started (exit 2).
pub(crate) fn ask(
    folder: &Path,
    plan: &Plan,
    phase: &PhasePlan,
    run_dir: &RunDir,
) -> Result<Asked, Failure> {
    let me = Holder {
        run_id: run_dir.run_id.clone(),
        run_dir: fs::canonicalize(&run_dir.path).ok(),
        orchestrator_pid: std::process::id(),
        warehouse: canonical(&plan.warehouse),
        table: phase.table.clone(),
        range: phase.range,
    };
    let doing = || format!("locking {} in {}", phase.table, folder.display());
    let place = folder.join(key(&me));
    fs::create_dir_all(&place).or_usage(doing)?;
    // Only one process at a time looks at the holders of a table.
    let guard = open(&place.join("guard")).or_usage(doing)?;
    flock(&guard, FlockOperation::LockExclusive).or_usage(doing)?;

    for entry in fs::read_dir(&place).or_usage(doing)? {
        let path = entry.or_usage(doing)?.path();
        if path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        match holder(&path).or_usage(doing)? {
            None => fs::remove_file(&path).or_usage(doing)?,
            Some(other) if !me.is_same_run(&other) && overlap(other.range, me.range) => {
                return Ok(Asked::Refused(other));
            }
            Some(_) => {}
        }
    }

    // A file of its own: an earlier one may still be held by a job of this run.
    let stem = format!("{}.{}", me.run_id, phase.name);
    let mut path = place.join(format!("{stem}.lock"));
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = place.join(format!("{stem}.{number}.lock"));
    }
    let mut file = open(&path).or_usage(doing)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).or_usage(doing)?;
    let text = serde_json::to_string(&me).or_usage(doing)?;
    file.set_len(0).or_usage(doing)?;
    file.write_all(text.as_bytes()).or_usage(doing)?;
    Ok(Asked::Held(TableLock { file }))
}

/// Where the locks of a warehouse are, and a warning if that is not the place where everyone finds them.
pub(crate) fn folder_of(warehouse: &str) -> (PathBuf, Option<String>) {
    let Some(place) = place_of(warehouse).filter(|place| place.is_dir()) else {
        return (folder(), None);
    };
    let locks = place.join(".bf-locks");
    let can_write = fs::create_dir_all(&locks)
        .and_then(|()| open(&locks.join("guard")))
        .is_ok();
    if can_write {
        return (locks, None);
    }
    let instead = folder();
    let warning = format!(
        "{} cannot be written: the table locks are in {}, where only runs of this user on this machine find them",
        locks.display(),
        instead.display()
    );
    (instead, Some(warning))
}

/// The folder of a warehouse that is one, or is a file in one.
fn place_of(warehouse: &str) -> Option<PathBuf> {
    let base = warehouse.split('?').next().unwrap_or(warehouse);
    let (engine, path) = base.split_once(':')?;
    let path = Path::new(path);
    match engine {
        "sqlite" => Some(path.to_owned()),
        "duckdb" if path.is_dir() => Some(path.to_owned()),
        "duckdb" => path
            .parent()
            .map(|parent| match parent.as_os_str().is_empty() {
                true => PathBuf::from("."),
                false => parent.to_owned(),
            }),
        _ => None,
    }
}

/// Where locks are: `$XDG_STATE_HOME/bf/locks`, else `~/.local/state/bf/locks`, else, where there is no home
/// (cron, some services), a folder of this user's below the temporary one.
fn folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(state) = set("XDG_STATE_HOME") {
        return PathBuf::from(state).join("bf/locks");
    }
    if let Some(home) = set("HOME") {
        return PathBuf::from(home).join(".local/state/bf/locks");
    }
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("bf-state-{user}/locks"))
}

/// The holder of a lock file, or `None` if no process holds it any more.
fn holder(path: &Path) -> std::io::Result<Option<Holder>> {
    let mut file = open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(None),
        Err(Errno::WOULDBLOCK) => {}
        Err(error) => return Err(error.into()),
    }
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())))
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn overlap(one: DateRange, other: DateRange) -> bool {
    one.start <= other.end && other.start <= one.end
}

/// A warehouse's URL so that two ways to write the same one are the same text.
fn canonical(url: &str) -> String {
    let base = url.split('?').next().unwrap_or(url);
    let local = base
        .split_once(':')
        .filter(|(engine, _)| matches!(*engine, "sqlite" | "duckdb"));
    match local {
        Some((engine, folder)) => {
            let path = Path::new(folder);
            let path = fs::canonicalize(path)
                .or_else(|_| std::path::absolute(path))
                .unwrap_or_else(|_| path.to_owned());
            format!("{engine}:{}", path.display())
        }
        None => base.trim_end_matches('/').to_owned(),
    }
}

/// The folder's name for a table: readable, and the same for everyone who means the same table.
fn key(holder: &Holder) -> String {
    // As the engines do it: BigQuery tells names in another case apart, the others do not.
    let table = match holder.warehouse.starts_with("bigquery:") {
        true => holder.table.clone(),
        false => holder.table.to_lowercase(),
    };
    let hash = Sha256::digest(format!("{}\0{table}", holder.warehouse).as_bytes());
    let hash: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let table: String = table
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    format!("{table}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{phase, plan};

    fn run(name: &str) -> RunDir {
        RunDir::open(&Path::new("/runs").join(name))
    }

    fn range(text: &str) -> DateRange {
        text.parse().expect("a range")
    }

    #[test]
    fn a_second_run_over_overlapping_dates_is_refused_and_told_whose_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = phase("a", range("2024-01-01 2024-01-31"));
        let other = phase("b", range("2024-01-31 2024-02-29"));
        let plan = plan(vec![one.clone(), other.clone()]);
        let held = ask(folder.path(), &plan, &one, &run("run-1")).expect("a lock");
        assert!(matches!(held, Asked::Held(_)));
        match ask(folder.path(), &plan, &other, &run("run-2")).expect("an answer") {
            Asked::Refused(holder) => assert_eq!(holder.run_id, "run-1"),
            asked => panic!("{asked:?}"),
        }
    }

    #[test]
    fn dates_beside_each_other_do_not_hinder() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = phase("a", range("2024-01-01 2024-01-31"));
        let other = phase("b", range("2024-02-01 2024-02-29"));
        let plan = plan(vec![one.clone(), other.clone()]);
        let _held = ask(folder.path(), &plan, &one, &run("run-1")).expect("a lock");
        let asked = ask(folder.path(), &plan, &other, &run("run-2")).expect("an answer");
        assert!(matches!(asked, Asked::Held(_)));
    }

    #[test]
    fn a_lock_goes_away_with_its_last_holder_and_not_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = phase("a", range("2024-01-01 2024-01-31"));
        let plan = plan(vec![one.clone()]);
        let ask = |name: &str| ask(folder.path(), &plan, &one, &run(name)).expect("an answer");
        let Asked::Held(lock) = ask("run-1") else {
            panic!("the first has no rival");
        };
        let inherited = lock.file().try_clone().expect("a descriptor");
        drop(lock);
        assert!(matches!(ask("run-2"), Asked::Refused(_)));
        // The run itself is not hindered, and holds a lock of its own from then on.
        let again = ask("run-1");
        assert!(matches!(again, Asked::Held(_)));
        drop(inherited);
        assert!(matches!(ask("run-2"), Asked::Refused(_)));
        drop(again);
        assert!(matches!(ask("run-2"), Asked::Held(_)));
    }

    #[test]
    fn a_table_in_another_case_is_the_same_one_but_for_bigquery() {
        let holder = |warehouse: &str, table: &str| Holder {
            run_id: "run-1".to_owned(),
            run_dir: None,
            orchestrator_pid: 1,
            warehouse: warehouse.to_owned(),
            table: table.to_owned(),
            range: range("2024-01-01 2024-01-31"),
        };
        let same = |warehouse: &str| {
            key(&holder(warehouse, "shop.ORDERS")) == key(&holder(warehouse, "shop.orders"))
        };
        assert!(same("sqlite:/w") && same("duckdb:/w/shop.duckdb"));
        assert!(!same("bigquery://p"));
    }

    #[test]
    fn locks_are_in_the_folder_of_the_warehouse_whoever_asks() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let locks = path.join(".bf-locks");
        let sqlite = format!("sqlite:{}", path.display());
        assert_eq!(folder_of(&sqlite), (locks.clone(), None));
        let duckdb = format!("duckdb:{}/shop.duckdb", path.display());
        assert_eq!(folder_of(&duckdb), (locks, None));
        assert!(!folder_of("bigquery://p").0.starts_with(path));
    }

    #[test]
    fn two_ways_to_write_a_warehouse_are_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let plain = format!("sqlite:{}", folder.path().display());
        let roundabout = format!("sqlite:{}/./", folder.path().display());
        assert_eq!(canonical(&plain), canonical(&roundabout));
        assert_eq!(
            canonical("bigquery://p?location=US"),
            canonical("bigquery://p")
        );
    }
}
