//! A phase as the report has it, from the documents that were attempt.

use std::collections::BTreeMap;

use bf_contract::{DateRange, Document, Phase, PhaseJob, PhaseStatus, ProcessEventKind, Window};

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
    all: &[DateRange],
    begun: &BTreeMap<NaiveDate, UnitState>,
) {
    let none = UnitState::default();
    for range in all {
        let state = begun.get(&range.start).unwrap_or(&none);
        let (status, reason) = match &state.gate {
            Some(gate) => (gate.status, gate.reason.clone()),
            None if state.job_starting => (PhaseStatus::Interrupted, "not decided yet".to_owned()),
            None => (PhaseStatus::NotStarted, "not started".to_owned()),
        };
        phase.windows.push(Window {
            range: *range,
            status,
            reason,
            attempts: state.attempts.len() as u64,
        });
        phase.attempts.extend(state.attempts.iter().cloned());
    }
    phase.attempts.sort_by_key(|attempt| attempt.started_at);
    let ends = phase.attempts.iter().filter_map(|one| one.job_ended_at);
    if let (Some(first), Some(last)) = (phase.attempts.first(), ends.max()) {
        let took = (last - first.started_at).to_std();
        phase.duration_seconds = took.ok().map(|took| took.as_secs_f64());
    }
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
