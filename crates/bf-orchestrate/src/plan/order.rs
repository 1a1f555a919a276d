//! The graph of a plan: every phase after the ones that it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::model::{Job, PhasePlan};

/// Brings phases into an order in which each one's needs come before it, and otherwise keeps theirs.
///
/// # Errors
/// Two phases of one name, an unknown name in `needs`, a cycle, a log that two phases share: one line that
/// names them.
pub(crate) fn in_order(phases: Vec<PhasePlan>) -> Result<Vec<PhasePlan>, String> {
    if phases.is_empty() {
        return Err("it has no phases".to_owned());
    }
    let mut names = BTreeSet::new();
    let mut logs: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for phase in &phases {
        if !names.insert(phase.name.as_str()) {
            return Err(format!("there are two phases {}", phase.name));
        }
        if let Some(log) = phase.job.as_ref().map(Job::log)
            && let Some(other) = logs.insert(real_path(log), &phase.name)
        {
            return Err(format!(
                "phases {other} and {} share the log {}",
                phase.name,
                log.display()
            ));
        }
    }
    for phase in &phases {
        if let Some(unknown) = phase
            .needs
            .iter()
            .find(|name| !names.contains(name.as_str()))
        {
            return Err(format!(
                "phase {} needs {unknown}, which is not one of its phases",
                phase.name
            ));
        }
    }

    let mut waiting = phases;
    let mut ordered: Vec<PhasePlan> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_next = |phase: &PhasePlan| {
            phase
                .needs
                .iter()
                .all(|need| ordered.iter().any(|done| done.name == *need))
        };
        let Some(at) = waiting.iter().position(is_next) else {
            let names: Vec<&str> = waiting.iter().map(|phase| phase.name.as_str()).collect();
            return Err(format!(
                "these phases wait for each other in a cycle: {}",
                names.join(", ")
            ));
        };
        ordered.push(waiting.remove(at));
    }
    refuse_two_writers(&ordered)?;
    Ok(ordered)
}

/// Two jobs never write the same dates of a table side by side.
fn refuse_two_writers(ordered: &[PhasePlan]) -> Result<(), String> {
    // Of each phase everything that has finished before it begins; what it needs comes before it.
    let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for phase in ordered {
        let mut over: BTreeSet<&str> = phase.needs.iter().map(String::as_str).collect();
        for need in &phase.needs {
            over.extend(before.get(need.as_str()).into_iter().flatten());
        }
        before.insert(&phase.name, over);
    }
    let writes =
        |phase: &PhasePlan| matches!(phase.job, Some(Job::Attach { .. } | Job::Command(_)));
    for (at, later) in ordered
        .iter()
        .enumerate()
        .filter(|(_, phase)| writes(phase))
    {
        let over = before.get(later.name.as_str());
        let rival = ordered[..at]
            .iter()
            .filter(|phase| writes(phase))
            .find(|earlier| {
                earlier.table == later.table
                    && earlier.range.start <= later.range.end
                    && later.range.start <= earlier.range.end
                    && !over.is_some_and(|over| over.contains(earlier.name.as_str()))
            });
        if let Some(rival) = rival {
            return Err(format!(
                "phases {} and {} write the same dates of {}, and neither needs the other",
                rival.name, later.name, later.table
            ));
        }
    }
    Ok(())
}

/// A path so that two ways to name the same file are one.
fn real_path(path: &Path) -> PathBuf {
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::phase;

    fn named(name: &str, needs: &[&str]) -> PhasePlan {
        PhasePlan {
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            ..phase(name, "2024-01-01 2024-01-31".parse().expect("a range"))
        }
    }

    #[test]
    fn a_phase_comes_after_what_it_needs() {
        let phases = vec![named("c", &["a", "b"]), named("a", &[]), named("b", &["a"])];
        let ordered = in_order(phases).expect("no cycle");
        let names: Vec<&str> = ordered.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_no_plan_is_refused_by_name() {
        let cycle = in_order(vec![
            named("a", &["b"]),
            named("b", &["a"]),
            named("c", &[]),
        ]);
        assert!(cycle.is_err_and(|error| error.contains("cycle: a, b")));
        let unknown = in_order(vec![named("a", &["z"])]);
        assert!(unknown.is_err_and(|error| error.contains("needs z")));
        let twice = in_order(vec![named("a", &[]), named("a", &[])]);
        assert!(twice.is_err_and(|error| error.contains("two phases a")));
        assert!(in_order(Vec::new()).is_err());
    }

    #[test]
    fn two_jobs_never_write_the_same_dates_side_by_side() {
        let job = |name: &str, needs: &[&str]| PhasePlan {
            job: Some(Job::Attach {
                pid: 2,
                log: PathBuf::from(format!("logs/{name}.log")),
                expect_cmd: None,
            }),
            ..named(name, needs)
        };
        let both = in_order(vec![job("a", &[]), job("b", &[])]);
        assert!(both.is_err_and(|error| error.contains("a and b write the same dates of d.t")));
        let through_another = vec![job("a", &[]), named("gate", &["a"]), job("b", &["gate"])];
        assert!(in_order(through_another).is_ok());
    }

    #[test]
    fn two_phases_never_write_one_log() {
        let mut other = named("b", &[]);
        other.job.clone_from(&named("a", &[]).job);
        let shared = in_order(vec![named("a", &[]), other]);
        assert!(shared.is_err_and(|error| error.contains("share the log")));
    }
}
