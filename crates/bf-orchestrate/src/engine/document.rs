//! A phase as the report has it, from the documents that were attempt.

use std::collections::BTreeMap;

use bf_contract::{
    DateRange, Document, Phase, PhaseAttempt, PhaseJob, PhaseStatus, ProcessEventKind, Window,
};

use chrono::NaiveDate;

use crate::plan::{Job, PhasePlan};
use crate::store::attempt::{self, AttemptDir};
use crate::store::run_dir::RunDir;
use crate::store::state::{Judgement, UnitState};

/// A phase that was judged.
pub(crate) fn of_phase(
    phase: &PhasePlan,
    attempt: &AttemptDir,
    run_dir: &RunDir,
    judgement: &Judgement,
) -> Phase {
    let mut document = not_run(phase, judgement.status, judgement.reason.clone());
    document.downgraded = judgement.downgraded;
    let mut summary = None;
    for event in attempt::documents(&attempt.events) {
        let (Document::ProcessEvent(event), Some(job)) = (event, &mut document.job) else {
            continue;
        };
        job.process = event.process.or(job.process.take());
        if event.event == ProcessEventKind::Exited {
            job.exit = event.exit;
            document.duration_seconds = event.elapsed_seconds;
        }
        summary = event.log_summary.or(summary);
    }
    if let Some(job) = &mut document.job {
        job.documents = attempt
            .present()
            .map(|path| run_dir.relative(path))
            .collect();
    }
    document.log_summary = attempt.log_summary().or(summary);
    let mut reports = (0..phase.validate.len()).filter_map(|index| attempt.validation(index));
    document.validation = reports.next();
    document.further_validations = reports.collect();
    document
}

/// Adds every window of a phase, and the attempts at those that were begun.
pub(crate) fn add_windows(
    phase: &mut Phase,
    (planned, run_dir): (&PhasePlan, &RunDir),
    all: &[DateRange],
    begun: &BTreeMap<NaiveDate, UnitState>,
) {
    for range in all {
        let mut window = Window {
            range: *range,
            status: PhaseStatus::NotStarted,
            reason: "not started".to_owned(),
            attempts: 0,
            duration_seconds: None,
            log_summary: None,
            validation: None,
        };
        if let Some(state) = begun.get(&range.start) {
            add_state(&mut window, (planned, run_dir), state);
            phase.attempts.extend(state.attempts.iter().cloned());
        }
        phase.windows.push(window);
    }
    phase.attempts.sort_by_key(|attempt| attempt.started_at);
    phase.duration_seconds = took(&phase.attempts);
}

/// What a window came to, and what its tools said of it.
fn add_state(window: &mut Window, (planned, run_dir): (&PhasePlan, &RunDir), state: &UnitState) {
    window.attempts = state.attempts.len() as u64;
    window.duration_seconds = took(&state.attempts);
    match &state.gate {
        Some(gate) => (window.status, window.reason) = (gate.status, gate.reason.clone()),
        None if state.job_starting => {
            (window.status, window.reason) =
                (PhaseStatus::Interrupted, "not decided yet".to_owned());
        }
        None => return,
    }
    let name = &planned.name;
    let folder = run_dir.attempt_folder(name, Some(window.range), state.earlier_attempts);
    let attempt = AttemptDir::in_folder(&folder, planned);
    window.log_summary = attempt.log_summary().map(Box::new);
    if window.is_bad() {
        let reports = (0..planned.validate.len()).filter_map(|at| attempt.validation(at));
        window.validation = reports.max_by_key(|report| report.verdict).map(Box::new);
    } else if let Some(summary) = &mut window.log_summary {
        // There may be thousands of windows that passed.
        summary.notes.clear();
    }
}

/// From the start of the first attempt to the end of the last job, in seconds.
fn took(attempts: &[PhaseAttempt]) -> Option<f64> {
    let ends = attempts.iter().filter_map(|one| one.job_ended_at);
    let took = (ends.max()? - attempts.first()?.started_at).to_std();
    took.ok().map(|took| took.as_secs_f64())
}

/// A phase that did not run, or of which nothing more is known.
pub(crate) fn not_run(phase: &PhasePlan, status: PhaseStatus, reason: String) -> Phase {
    Phase {
        name: phase.name.clone(),
        table: phase.table.clone(),
        range: Some(phase.range),
        status,
        reason,
        job: phase.job.as_ref().map(job_document),
        log_summary: None,
        validation: None,
        further_validations: Vec::new(),
        duration_seconds: None,
        downgraded: false,
        attempts: Vec::new(),
        windows: Vec::new(),
    }
}

fn job_document(job: &Job) -> PhaseJob {
    PhaseJob {
        command: job.command().map(|job| job.command.clone()),
        process: None,
        exit: None,
        log: job.log().display().to_string(),
        documents: Vec::new(),
    }
}
