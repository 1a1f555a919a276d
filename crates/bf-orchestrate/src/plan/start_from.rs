//! A plan that starts in the middle: the phases before are judged again, and not run.

use std::path::PathBuf;

use bf_cli::Failure;

use super::model::{PhasePlan, Plan, Retries};

/// Makes the phases before `name` gates only. `earlier_log` finds the documents of a phase's log in an earlier run.
///
/// # Errors
/// There is no phase of that name: usage (exit 2).
pub(crate) fn start_from(
    plan: &mut Plan,
    name: &str,
    earlier_log: impl Fn(&PhasePlan) -> Option<PathBuf>,
) -> Result<(), Failure> {
    let Some(at) = plan.phases.iter().position(|phase| phase.name == name) else {
        let names: Vec<&str> = plan
            .phases
            .iter()
            .map(|phase| phase.name.as_str())
            .collect();
        return Err(
            Failure::usage(format!("--from {name}: the plan has no such phase")).hint(format!(
                "nothing was started; its phases are {}",
                names.join(", ")
            )),
        );
    };
    for phase in &mut plan.phases[..at] {
        phase.earlier_log = phase.job.as_ref().and_then(|_| earlier_log(phase));
        phase.job = None;
        phase.windows = None;
        phase.retries = Retries::default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{phase, plan};

    #[test]
    fn what_comes_before_is_judged_and_not_run() {
        let range = "2024-01-01 2024-01-31".parse().expect("a range");
        let mut plan = plan(vec![
            phase("a", range),
            phase("b", range),
            phase("c", range),
        ]);
        let log = |phase: &PhasePlan| Some(PathBuf::from(&phase.name));
        start_from(&mut plan, "c", log).expect("a phase");
        let jobs: Vec<bool> = plan.phases.iter().map(|one| one.job.is_some()).collect();
        assert_eq!(jobs, [false, false, true]);
        assert_eq!(plan.phases[1].earlier_log, Some(PathBuf::from("b")));
        assert_eq!(plan.phases[2].earlier_log, None);
    }

    #[test]
    fn a_phase_that_is_not_there_is_refused_with_those_that_are() {
        let range = "2024-01-01 2024-01-31".parse().expect("a range");
        let mut plan = plan(vec![phase("a", range)]);
        let refused = start_from(&mut plan, "z", |_| None).expect_err("no such phase");
        assert!(
            refused
                .hint
                .is_some_and(|hint| hint.ends_with("phases are a"))
        );
    }
}
