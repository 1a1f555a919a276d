//! Whether a job is run again, for what, and by which command.

use std::collections::BTreeSet;
use std::path::Path;

use bf_cli::{Failure, write_atomically};
use bf_contract::{DateRange, PhaseStatus, date_spans};
use chrono::NaiveDate;

use crate::plan::{Job, PhasePlan, RetryOn, shell_words};
use crate::store::attempt::AttemptDir;
use crate::store::state::{Judgement, UnitState};

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
///
/// Dates that failed are run again also if the gate passed without them: the plan asks for them.
pub(crate) fn decide(
    phase: &PhasePlan,
    state: &UnitState,
    judgement: &Judgement,
    failed_dates: impl FnOnce() -> Vec<NaiveDate>,
) -> Option<Retry> {
    let is_startable = phase
        .job
        .as_ref()
        .is_some_and(|job| job.command().is_some());
    let counted = state.earlier_attempts - state.uncounted_attempts;
    if !is_startable || counted >= phase.retries.limit {
        return None;
    }
    let failed = judgement.status == PhaseStatus::Failed;
    let only_dates = match phase.retries.on {
        RetryOn::Failure if failed => None,
        RetryOn::FailedDates if failed || judgement.opens() => {
            let dates = failed_dates();
            if dates.is_empty() {
                return None;
            }
            Some(dates)
        }
        _ => return None,
    };
    let reason = match (failed, &only_dates) {
        (false, Some(dates)) => format!("passed, but {} failed", count(dates.len())),
        _ => judgement.reason.clone(),
    };
    Some(Retry {
        reason,
        only_dates,
        is_restart: false,
    })
}

fn count(dates: usize) -> String {
    match dates {
        1 => "1 date".to_owned(),
        dates => format!("{dates} dates"),
    }
}

/// The job as this attempt runs it: from its own checkpoint after a reboot, or for some dates only. Several calls
/// become one script in the attempt's directory.
///
/// # Errors
/// The script cannot be written (exit 3).
pub(crate) fn for_attempt(
    phase: &PhasePlan,
    job: &Job,
    state: &UnitState,
    attempt: &AttemptDir,
) -> Result<Job, Failure> {
    let mut job = job.clone();
    let Job::Command(command) = &mut job else {
        return Ok(job);
    };
    if state.is_restart && !command.restart_command.is_empty() {
        command.command.clone_from(&command.restart_command);
    }
    if let Some(dates) = &state.only_dates {
        let calls = match phase.retries.command.is_empty() {
            false => calls_for(&phase.retries.command, dates),
            true => with_dates(&command.command, dates),
        };
        command.command = match <[Vec<String>; 1]>::try_from(calls) {
            Ok([call]) => call,
            Err(calls) => {
                let script = attempt.retry_script();
                write_atomically(&script, script_of(&calls).as_bytes())?;
                vec!["/bin/sh".to_owned(), absolute(&script)]
            }
        };
    }
    Ok(job)
}

/// The most dates that one argument holds: Linux takes no argument of 128 KiB (`MAX_ARG_STRLEN` of execve(2)), and a
/// date takes eleven bytes.
const DATES_PER_CALL: usize = 8_000;

/// The job's own command with `--dates` and the dates.
fn with_dates(command: &[String], dates: &[NaiveDate]) -> Vec<Vec<String>> {
    let call = |dates: &[NaiveDate]| {
        let mut words = command.to_vec();
        words.extend(["--dates".to_owned(), list(dates)]);
        words
    };
    dates.chunks(DATES_PER_CALL).map(call).collect()
}

/// The calls of `retries.command`: one with all the dates, one a date, or one a span, as its placeholders say.
fn calls_for(template: &[String], dates: &[NaiveDate]) -> Vec<Vec<String>> {
    let names = |placeholder: &str| template.iter().any(|word| word.contains(placeholder));
    let fill = |values: &[(&str, String)]| -> Vec<String> {
        let fill_word = |word: &String| {
            values.iter().fold(word.clone(), |word, (name, value)| {
                word.replace(name, value)
            })
        };
        template.iter().map(fill_word).collect()
    };
    if names("{dates}") {
        let calls = dates.chunks(DATES_PER_CALL);
        calls
            .map(|dates| fill(&[("{dates}", list(dates))]))
            .collect()
    } else if names("{date}") {
        let each = dates.iter();
        each.map(|date| fill(&[("{date}", date.to_string())]))
            .collect()
    } else {
        let spans = date_spans(dates);
        let call = |span: &DateRange| {
            fill(&[
                ("{start}", span.start.to_string()),
                ("{end}", span.end.to_string()),
            ])
        };
        spans.iter().map(call).collect()
    }
}

fn list(dates: &[NaiveDate]) -> String {
    let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
    dates.join(",")
}

/// A script that makes every call and ends with the last code that was not 0.
fn script_of(calls: &[Vec<String>]) -> String {
    let mut script = String::from("# The calls of this attempt, one after the other.\ncode=0\n");
    for call in calls {
        script.push_str(&shell_words(call));
        script.push_str(" || code=$?\n");
    }
    script.push_str("exit $code\n");
    script
}

fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

/// Every date of the range that is to be repeated: after a failure all that the log or a table names, after a pass
/// those that the log calls failed.
pub(crate) fn dates_to_repeat(
    phase: &PhasePlan,
    attempt: &AttemptDir,
    judgement: &Judgement,
) -> Vec<NaiveDate> {
    let mut dates = BTreeSet::new();
    if let Some(summary) = attempt.log_summary() {
        dates.extend(summary.failed_dates);
        if !judgement.opens() {
            dates.extend(summary.unaccounted_dates.unwrap_or_default());
        }
    }
    if !judgement.opens() {
        for index in 0..phase.validate.len() {
            let rerun = attempt.validation(index).and_then(|report| report.rerun);
            dates.extend(rerun.map(|rerun| rerun.dates).unwrap_or_default());
        }
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
            let state = UnitState {
                earlier_attempts,
                ..UnitState::default()
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
            let retry = decide(&phase, &UnitState::default(), &judgement, Vec::new);
            assert_eq!(retry, None, "{status:?}");
        }
    }

    #[test]
    fn a_retry_of_failed_dates_names_them_and_needs_some() {
        let phase = planned(1, RetryOn::FailedDates);
        let state = UnitState::default();
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
        let retry = decide(&phase, &UnitState::default(), &failed(), Vec::new);
        assert_eq!(retry, None);
    }

    #[test]
    fn failed_dates_are_run_again_also_where_the_gate_passed() {
        let passed = Judgement {
            status: PhaseStatus::Passed,
            exit: Exit::Success,
            ..failed()
        };
        let state = UnitState::default();
        let dates = vec![date("2024-01-03")];
        let phase = planned(1, RetryOn::FailedDates);
        let retry = decide(&phase, &state, &passed, || dates.clone()).expect("a retry");
        assert_eq!(retry.reason, "passed, but 1 date failed");
        assert_eq!(decide(&phase, &state, &passed, Vec::new), None);
        let phase = planned(1, RetryOn::Failure);
        assert_eq!(decide(&phase, &state, &passed, || dates.clone()), None);
    }

    #[test]
    fn attempts_that_a_person_asked_for_do_not_count() {
        let phase = planned(1, RetryOn::Failure);
        let state = UnitState {
            earlier_attempts: 2,
            uncounted_attempts: 2,
            ..UnitState::default()
        };
        assert!(decide(&phase, &state, &failed(), Vec::new).is_some());
    }

    fn words(phase: &PhasePlan, state: &UnitState) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let attempt = AttemptDir::in_folder(folder.path(), phase);
        let job = phase.job.as_ref().expect("a job");
        match for_attempt(phase, job, state, &attempt).expect("a job") {
            Job::Command(command) if command.command[0] == "/bin/sh" => {
                std::fs::read_to_string(attempt.retry_script()).expect("a script")
            }
            Job::Command(command) => command.command.join(" "),
            _ => panic!("it is a command"),
        }
    }

    fn for_dates(dates: &[&str]) -> UnitState {
        UnitState {
            only_dates: Some(dates.iter().map(|text| date(text)).collect()),
            ..UnitState::default()
        }
    }

    #[test]
    fn an_attempt_runs_what_it_is_for() {
        let mut phase = planned(1, RetryOn::FailedDates);
        let mut job = command(&["load", "--all"]);
        job.restart_command = vec!["load".to_owned(), "--resume".to_owned()];
        phase.job = Some(Job::Command(job));
        assert_eq!(words(&phase, &UnitState::default()), "load --all");
        let restart = UnitState {
            is_restart: true,
            ..UnitState::default()
        };
        assert_eq!(words(&phase, &restart), "load --resume");
        assert_eq!(
            words(&phase, &for_dates(&["2024-01-03", "2024-01-05"])),
            "load --all --dates 2024-01-03,2024-01-05"
        );
    }

    #[test]
    fn the_command_of_a_retry_gets_lists_dates_or_spans() {
        let mut phase = planned(1, RetryOn::FailedDates);
        let dates = ["2024-01-03", "2024-01-04", "2024-01-09"];
        let mut with = |template: &[&str], dates: &[&str]| {
            phase.retries.command = template.iter().map(|word| (*word).to_owned()).collect();
            words(&phase, &for_dates(dates))
        };
        assert_eq!(
            with(&["load", "--only={dates}"], &dates),
            "load --only=2024-01-03,2024-01-04,2024-01-09"
        );
        assert_eq!(with(&["load", "{date}"], &dates[..1]), "load 2024-01-03");
        let script = with(&["load", "{date}"], &dates);
        assert_eq!(script.matches("load 2024-01-0").count(), 3, "{script}");
        let script = with(&["load", "{start}", "{end}"], &dates);
        assert!(
            script.contains("load 2024-01-03 2024-01-04 || code=$?"),
            "{script}"
        );
        assert!(
            script.contains("load 2024-01-09 2024-01-09 || code=$?"),
            "{script}"
        );
        assert!(script.ends_with("exit $code\n"), "{script}");
    }

    #[test]
    fn a_list_that_no_system_takes_becomes_several_calls() {
        let first = date("1990-01-01");
        let dates: Vec<NaiveDate> = first.iter_days().take(11_900).collect();
        let calls = with_dates(&["load".to_owned()], &dates);
        assert_eq!(calls.len(), 2);
        assert!(calls.iter().flatten().all(|word| word.len() < 128 * 1024));
        let given: usize = calls.iter().map(|call| call[2].split(',').count()).sum();
        assert_eq!(given, 11_900);
    }
}
