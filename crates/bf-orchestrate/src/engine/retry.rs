//! Whether a job is run again, for what, and by which command.

use std::collections::BTreeSet;

use bf_contract::PhaseStatus;
use chrono::NaiveDate;

use crate::plan::{Job, PhasePlan, RetryOn};
use crate::store::attempt::AttemptDir;
use crate::store::state::{Judgement, PhaseState};

/// Why, and for which dates, a job is run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retry {
    pub reason: String,
    /// `None` for all of the range.
    pub only_dates: Option<Vec<NaiveDate>>,
    /// Whether it continues after a reboot, by its `restart_command`.
    pub is_restart: bool,
}

/// Whether the plan has a job run again whose gate judged so. `failed_dates` are those that log and table name.
pub(crate) fn decide(
    phase: &PhasePlan,
    state: &PhaseState,
    judgement: &Judgement,
    failed_dates: impl FnOnce() -> Vec<NaiveDate>,
) -> Option<Retry> {
    let is_startable = phase
        .job
        .as_ref()
        .is_some_and(|job| job.command().is_some());
    if judgement.status != PhaseStatus::Failed
        || !is_startable
        || state.earlier_attempts >= phase.retries.limit
    {
        return None;
    }
    let only_dates = match phase.retries.on {
        RetryOn::Failure => None,
        RetryOn::FailedDates => {
            let dates = failed_dates();
            if dates.is_empty() {
                return None;
            }
            Some(dates)
        }
    };
    Some(Retry {
        reason: judgement.reason.clone(),
        only_dates,
        is_restart: false,
    })
}

/// The job as this attempt runs it: from its own checkpoint after a reboot, or for some dates only.
pub(crate) fn for_attempt(job: &Job, state: &PhaseState) -> Job {
    let mut job = job.clone();
    let Job::Command(command) = &mut job else {
        return job;
    };
    if state.is_restart && !command.restart_command.is_empty() {
        command.command.clone_from(&command.restart_command);
    }
    if let Some(dates) = &state.only_dates {
        let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
        command
            .command
            .extend(["--dates".to_owned(), dates.join(",")]);
    }
    job
}

/// Every date of the range that the log or a table says is to be repeated.
pub(crate) fn dates_to_repeat(phase: &PhasePlan, attempt: &AttemptDir) -> Vec<NaiveDate> {
    let mut dates = BTreeSet::new();
    if let Some(summary) = attempt.log_summary() {
        dates.extend(summary.failed_dates);
        dates.extend(summary.unaccounted_dates.unwrap_or_default());
    }
    for index in 0..phase.validate.len() {
        let rerun = attempt.validation(index).and_then(|report| report.rerun);
        dates.extend(rerun.map(|rerun| rerun.dates).unwrap_or_default());
    }
    dates
        .into_iter()
        .filter(|date| phase.range.contains(*date))
        .collect()
}

#[cfg(test)]
mod tests {
    use bf_contract::Exit;

    use super::*;
    use crate::plan::tests::{command, phase};

    fn failed() -> Judgement {
        Judgement {
            status: PhaseStatus::Failed,
            reason: "2 dates failed".to_owned(),
            exit: Exit::Failed,
            downgraded: false,
        }
    }

    fn planned(limit: u32, on: RetryOn) -> PhasePlan {
        let mut phase = phase("a", "2024-01-01 2024-01-31".parse().expect("a range"));
        phase.job = Some(Job::Command(command(&["load"])));
        phase.retries.limit = limit;
        phase.retries.on = on;
        phase
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_failed_job_is_run_again_until_its_limit() {
        let phase = planned(2, RetryOn::Failure);
        let after = |earlier_attempts| {
            let state = PhaseState {
                earlier_attempts,
                ..PhaseState::default()
            };
            decide(&phase, &state, &failed(), Vec::new)
        };
        assert_eq!(after(0).map(|retry| retry.only_dates), Some(None));
        assert!(after(1).is_some());
        assert_eq!(after(2), None);
    }

    #[test]
    fn only_a_failure_is_run_again() {
        let phase = planned(2, RetryOn::Failure);
        for status in [
            PhaseStatus::Passed,
            PhaseStatus::Warned,
            PhaseStatus::CouldNotCheck,
            PhaseStatus::NotStarted,
            PhaseStatus::Interrupted,
        ] {
            let judgement = Judgement { status, ..failed() };
            let retry = decide(&phase, &PhaseState::default(), &judgement, Vec::new);
            assert_eq!(retry, None, "{status:?}");
        }
    }

    #[test]
    fn a_retry_of_failed_dates_names_them_and_needs_some() {
        let phase = planned(1, RetryOn::FailedDates);
        let state = PhaseState::default();
        assert_eq!(decide(&phase, &state, &failed(), Vec::new), None);
        let dates = vec![date("2024-01-03")];
        let retry = decide(&phase, &state, &failed(), || dates.clone());
        assert_eq!(retry.and_then(|retry| retry.only_dates), Some(dates));
    }

    #[test]
    fn a_job_that_was_only_attached_is_never_started() {
        let mut phase = planned(3, RetryOn::Failure);
        phase.job = Some(Job::Attach {
            pid: 7,
            log: "a.log".into(),
            expect_cmd: None,
        });
        let retry = decide(&phase, &PhaseState::default(), &failed(), Vec::new);
        assert_eq!(retry, None);
    }

    #[test]
    fn an_attempt_runs_what_it_is_for() {
        let mut job = command(&["load", "--all"]);
        job.restart_command = vec!["load".to_owned(), "--resume".to_owned()];
        let job = Job::Command(job);
        let words = |state: &PhaseState| match for_attempt(&job, state) {
            Job::Command(command) => command.command.join(" "),
            _ => panic!("it is a command"),
        };
        assert_eq!(words(&PhaseState::default()), "load --all");
        assert_eq!(
            words(&PhaseState {
                is_restart: true,
                ..PhaseState::default()
            }),
            "load --resume"
        );
        assert_eq!(
            words(&PhaseState {
                only_dates: Some(vec![date("2024-01-03"), date("2024-01-05")]),
                ..PhaseState::default()
            }),
            "load --all --dates 2024-01-03,2024-01-05"
        );
    }
}
