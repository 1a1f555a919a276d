//! What is done again when a run that has finished without a pass is resumed.

use bf_cli::Failure;
use bf_contract::{DateRange, PhaseStatus, ProcessEventKind};

use crate::engine::retry;
use crate::plan::{PhasePlan, Plan, RetryOn};
use crate::store::attempt::AttemptDir;
use crate::store::journal::{Step, UnitName};
use crate::store::proc;
use crate::store::run_dir::RunDir;
use crate::store::state::{Judgement, Recorder, RunState, UnitState};

/// Records what is done again: every phase and window whose gate did not open.
///
/// # Errors
/// It could not be recorded (exit 3).
pub(crate) fn reopen(
    plan: &Plan,
    run_dir: &RunDir,
    state: &RunState,
    recorder: &Recorder,
) -> Result<(), Failure> {
    for phase in &plan.phases {
        let windows = state
            .windows_of(&phase.name)
            .map(|(window, unit)| (Some(window), unit));
        let whole = state.phases.get(&phase.name).map(|unit| (None, unit));
        for (window, unit) in windows.chain(whole) {
            if let Some(gate) = unit.gate.as_ref().filter(|gate| !gate.opens()) {
                recorder.record(again(phase, window, unit, gate, run_dir)?)?;
            }
        }
    }
    Ok(())
}

/// Has every gate judge again that has opened, before anything is started that waits for it: the table may have been
/// written by another run since.
///
/// # Errors
/// It could not be recorded (exit 3).
pub(crate) fn check_gates_again(
    plan: &Plan,
    run_dir: &RunDir,
    state: &RunState,
    recorder: &Recorder,
) -> Result<(), Failure> {
    for phase in &plan.phases {
        let has_opened = |unit: &UnitState| unit.gate.as_ref().is_some_and(Judgement::opens);
        let mut waiting = plan
            .phases
            .iter()
            .filter(|one| one.needs.contains(&phase.name));
        if state.phases.get(&phase.name).is_some_and(has_opened)
            && waiting.any(|one| !is_begun(one, run_dir, state))
        {
            recorder.record(Step::Reopened {
                phase: phase.name.clone(),
                window: None,
                run_again: false,
                watch_again: false,
                only_dates: None,
            })?;
        }
    }
    Ok(())
}

/// Whether a job of the phase may have been started: bf-monitor has a record of it, or it was seen.
fn is_begun(phase: &PhasePlan, run_dir: &RunDir, state: &RunState) -> bool {
    let mut units = state.units().filter(|(unit, _)| unit.phase == phase.name);
    units.any(|(unit, state)| {
        let folder = run_dir.attempt_folder(unit.phase, unit.window, state.earlier_attempts);
        let attempt = AttemptDir::in_folder(&folder, phase);
        let is_recorded = state.job_starting && attempt.monitor_record().exists();
        state.job_seen || state.gate.is_some() || state.earlier_attempts > 0 || is_recorded
    })
}

/// How one of them is done again. A job that may still run is only watched again; one that has ended is run again if
/// it failed; anything else is only judged again.
fn again(
    phase: &PhasePlan,
    window: Option<DateRange>,
    unit: &UnitState,
    gate: &Judgement,
    run_dir: &RunDir,
) -> Result<Step, Failure> {
    let planned = match (&phase.windows, window) {
        (Some(windows), Some(window)) => windows
            .phase(phase, window)
            .map_err(Failure::could_not_check)?,
        _ => phase.clone(),
    };
    let name = UnitName {
        phase: &phase.name,
        window,
    };
    let folder = run_dir.attempt_folder(name.phase, name.window, unit.earlier_attempts);
    let attempt = AttemptDir::in_folder(&folder, &planned);
    let is_whole_of_windows = phase.windows.is_some() && window.is_none();
    let is_startable = !is_whole_of_windows
        && planned
            .job
            .as_ref()
            .is_some_and(|job| job.command().is_some());
    let is_alive = unit.process.as_ref().is_some_and(proc::is_alive);
    let end_was_seen = attempt
        .last_event()
        .is_some_and(|event| event.event == ProcessEventKind::Exited || event.exit.is_some());
    let run_again = is_startable
        && !is_alive
        && (gate.status == PhaseStatus::NotStarted
            || gate.status == PhaseStatus::Failed && end_was_seen);
    let only_dates = match planned.retries.on {
        RetryOn::FailedDates if run_again => {
            Some(retry::dates_to_repeat(&planned, &attempt, gate)).filter(|dates| !dates.is_empty())
        }
        _ => None,
    };
    Ok(Step::Reopened {
        phase: phase.name.clone(),
        window,
        run_again,
        watch_again: is_alive || !end_was_seen,
        only_dates,
    })
}
