//! The run_report: what a run came to, and what a person does next.

use std::path::Path;
use std::time::Duration;

use bf_contract::{
    Exit, PhaseStatus, Rerun, RunReport, RunReportType, Schema, Verdict, date_spans,
};

use crate::engine::document::not_run;
use crate::engine::outcome::RunEnd;
use crate::plan::{Job, PhasePlan, Plan, shell_words};
use crate::store::proc;
use crate::store::refusal::Refusal;
use crate::store::run_dir::RunDir;
use crate::store::runs::DEFAULT_RUNS;

/// Of how many windows the dates to repeat are named.
const MOST_REPEATS: usize = 5;

/// The report of a run that came to its end.
pub(crate) fn of_run(plan: &Plan, run_dir: &RunDir, end: RunEnd, took: Duration) -> RunReport {
    let next_steps = next_steps(plan, run_dir, &end);
    RunReport {
        kind: RunReportType,
        schema: Schema,
        run_id: run_dir.run_id.clone(),
        run_uuid: Some(run_dir.uuid()),
        plan: Some(plan.name.clone()),
        started_at: None,
        run_dir: Some(run_dir.path.display().to_string()),
        dry_run: false,
        provisional: false,
        verdict: end.verdict,
        exit_code: Some(end.exit.code()),
        reason: end.reason,
        phases: end.phases,
        total_seconds: took.as_secs_f64(),
        next_steps,
        held_by: None,
    }
}

/// The report of a run that was refused before anything was watched, or that broke off.
pub(crate) fn of_refusal(plan: &Plan, refusal: &Refusal) -> RunReport {
    let failure = &refusal.failure;
    let (status, reason) = match (&refusal.held_by, failure.exit) {
        (Some(held_by), _) => (
            PhaseStatus::NotStarted,
            format!("not started by this call: run {} has it", held_by.run_id),
        ),
        (None, Exit::CouldNotCheck) => (PhaseStatus::CouldNotCheck, failure.message.clone()),
        (None, _) => (PhaseStatus::NotStarted, "nothing was started".to_owned()),
    };
    let phases = plan
        .phases
        .iter()
        .map(|phase| not_run(phase, status, reason.clone()))
        .collect();
    RunReport {
        kind: RunReportType,
        schema: Schema,
        run_id: String::new(),
        run_uuid: None,
        plan: Some(plan.name.clone()),
        started_at: None,
        run_dir: None,
        dry_run: false,
        provisional: false,
        verdict: Verdict::Error,
        exit_code: Some(failure.exit.code()),
        reason: failure.message.clone(),
        phases,
        total_seconds: 0.0,
        next_steps: failure.hint.iter().cloned().collect(),
        held_by: refusal.held_by.clone(),
    }
}

/// What a person does next: the plan's steps after a pass, the way out after anything else.
fn next_steps(plan: &Plan, run_dir: &RunDir, end: &RunEnd) -> Vec<String> {
    if matches!(end.verdict, Verdict::Pass | Verdict::Warn) {
        return plan.next_steps.clone();
    }
    let run = resume_words(plan, run_dir);
    if end.is_stopped {
        return vec![
            format!("continue it: bf-orchestrate resume {run}"),
            "or give the same command again, which starts a new run".to_owned(),
        ];
    }
    let mut steps = Vec::new();
    for phase in &end.phases {
        let process = phase.job.as_ref().and_then(|job| job.process.as_ref());
        if let Some(process) = process.filter(|process| proc::is_alive(process))
            && phase.status != PhaseStatus::Interrupted
        {
            // Nothing is to be repeated while the job still writes.
            steps.push(format!(
                "the job of {} still runs as process {}: wait for it, or end it with bf-orchestrate stop",
                phase.name, process.pid
            ));
            continue;
        }
        match phase.status {
            PhaseStatus::Failed | PhaseStatus::CouldNotCheck | PhaseStatus::Unknown => {
                let windows = phase.windows.iter().filter_map(|one| one.validation.as_deref());
                let reports = phase.validation.iter().chain(windows);
                let reruns: Vec<&Rerun> =
                    reports.filter_map(|report| report.rerun.as_ref()).collect();
                let repeats = reruns.iter().take(MOST_REPEATS);
                steps.extend(repeats.map(|rerun| repeat(&phase.name, rerun)));
                if reruns.len() > MOST_REPEATS {
                    let more = reruns.len() - MOST_REPEATS;
                    steps.push(format!("and the dates of {more} more windows, which the report names"));
                }
                if !reruns.is_empty() {
                    let planned = plan
                        .phases
                        .iter()
                        .find(|planned| planned.name == phase.name);
                    steps.extend(planned.map(|planned| after_repeating(plan, planned)));
                }
            }
            PhaseStatus::Interrupted => steps.push(match process {
                Some(process) if proc::is_alive(process) => format!(
                    "the job of {} goes on as process {}: resume it with bf-orchestrate resume {run}",
                    phase.name, process.pid
                ),
                Some(process) if proc::is_over_for(process) => format!(
                    "the machine was restarted while the job of {} ran: bf-orchestrate resume {run} --restart-interrupted runs {}",
                    phase.name,
                    restart_command(plan, &phase.name)
                ),
                _ => format!(
                    "{} was interrupted: resume it with bf-orchestrate resume {run}",
                    phase.name
                ),
            }),
            PhaseStatus::Passed | PhaseStatus::Warned | PhaseStatus::NotStarted => {}
        }
    }
    if end.is_broken || steps.is_empty() && end.interrupt.is_some() {
        steps.push(format!("resume the run with bf-orchestrate resume {run}"));
    }
    if end.interrupt.is_none() && !end.is_broken {
        steps.extend(after_failure(plan, end, &run));
    }
    if steps.is_empty() {
        steps.push("look into the run directory for what each tool said".to_owned());
    }
    steps
}

/// What repeats the dates of a phase that are wrong.
fn repeat(phase: &str, rerun: &Rerun) -> String {
    match &rerun.command {
        Some(command) => format!(
            "repeat {} of {phase}: {}",
            match rerun.dates.len() {
                1 => "1 date".to_owned(),
                dates => format!("{dates} dates"),
            },
            shell_words(command)
        ),
        None => format!(
            "repeat {} of {phase}: {}",
            if rerun.dates.len() == 1 {
                "the date"
            } else {
                "the dates"
            },
            spans_text(&rerun.dates, usize::MAX)
        ),
    }
}

/// The run as `resume` takes it, with the flags that it needs.
pub(crate) fn resume_words(plan: &Plan, run_dir: &RunDir) -> String {
    let runs = run_dir.path.parent();
    let is_default = runs == Some(Path::new(DEFAULT_RUNS))
        || runs.is_some_and(|runs| std::path::absolute(DEFAULT_RUNS).is_ok_and(|own| own == runs));
    let has_runs = plan.shared_flags.iter().any(|word| word == "--runs");
    let run = match is_default || has_runs {
        true => run_dir.run_id.clone(),
        false => run_dir.path.display().to_string(),
    };
    let mut words = vec![run];
    words.extend(plan.shared_flags.iter().cloned());
    shell_words(&words)
}

/// The two ways to continue after a failure, once its cause is gone.
fn after_failure(plan: &Plan, end: &RunEnd, run: &str) -> Vec<String> {
    let stopped = end.phases.iter().find(|phase| {
        matches!(
            phase.status,
            PhaseStatus::Failed | PhaseStatus::CouldNotCheck
        )
    });
    let Some(stopped) = stopped else {
        return Vec::new();
    };
    let mut steps = vec![format!(
        "once the cause is gone, run again what failed: bf-orchestrate resume {run}"
    )];
    let is_first = plan
        .phases
        .first()
        .is_some_and(|one| one.name == stopped.name);
    if !is_first && plan.run_command.get(1).is_some_and(|word| word == "run") {
        let mut words = plan.run_command.clone();
        words.extend(["--from".to_owned(), stopped.name.clone()]);
        steps.push(format!(
            "or start a new run there, which judges the phases before again and does not run them: {}",
            shell_words(&words)
        ));
    }
    steps
}

/// What a job that a reboot cut off is run again by.
fn restart_command(plan: &Plan, phase: &str) -> String {
    let phase = plan.phases.iter().find(|planned| planned.name == phase);
    let command = phase.and_then(|phase| phase.job.as_ref()?.command());
    command.map_or_else(
        || "it again".to_owned(),
        |command| match command.restart_command.as_slice() {
            [] => command.shell_line(),
            words => shell_words(words),
        },
    )
}

/// What follows once the dates of a phase were repeated by hand. A job that the run starts would be started
/// again, for all its dates, by the same command.
fn after_repeating(plan: &Plan, phase: &PhasePlan) -> String {
    match (&phase.job, phase.validate.first()) {
        (Some(Job::Command(_)), Some(validator)) => {
            let mut words = vec![validator.program.clone()];
            if let Some(suite) = &validator.suite {
                words.extend(["--suite".to_owned(), suite.display().to_string()]);
            }
            words.extend([phase.range.start.to_string(), phase.range.end.to_string()]);
            words.extend(["--warehouse".to_owned(), plan.warehouse.clone()]);
            // A validator takes no --runs.
            let mut flags = plan.shared_flags.chunks(2);
            words.extend(
                flags
                    .find(|flag| flag[0] == "--config")
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            format!("then check {} again: {}", phase.table, shell_words(&words))
        }
        _ => "then give the same command again: it starts a new run and judges anew".to_owned(),
    }
}

/// Dates as ranges, at most `limit` of them.
pub(crate) fn spans_text(dates: &[chrono::NaiveDate], limit: usize) -> String {
    let spans = date_spans(dates);
    let mut words: Vec<String> = spans
        .iter()
        .take(limit)
        .map(|span| {
            if span.start == span.end {
                span.start.to_string()
            } else {
                span.to_string()
            }
        })
        .collect();
    if spans.len() > limit {
        words.push(format!("and {} more ranges", spans.len() - limit));
    }
    words.join(", ")
}
