//! How far runs have come: what `status` and `history` show.

use std::fmt::Write as _;

use bf_cli::text::{Mark, Style, printable};
use bf_contract::{
    PhaseProgress, PhaseStatus, PhaseStep, RunState, RunStatus, RunStatusType, Schema, Verdict,
};

use crate::store::boot;
use crate::store::runs::{self, Found};
use crate::store::state::UnitState;
use crate::view::text::status_words;

/// What the journal and the processes say of a run now.
pub(crate) fn status_of(found: &Found) -> RunStatus {
    let finished = found.state.finished;
    let state = match finished {
        Some(_) => RunState::Finished,
        None if runs::is_live(&found.run_dir) => RunState::Live,
        None if found.state.interrupted_by.is_some() => RunState::Interrupted,
        None => RunState::Abandoned,
    };
    let phases = found.plan.phases.iter().map(|phase| {
        let done = found.state.phases.get(&phase.name);
        phase_progress(&phase.name, done)
    });
    RunStatus {
        kind: RunStatusType,
        schema: Schema,
        run_id: found.run_dir.run_id.clone(),
        run_dir: found.run_dir.path.display().to_string(),
        plan: found.plan.name.clone(),
        state,
        started_at: found.began,
        updated_at: found.updated,
        verdict: finished.map(|(verdict, _)| verdict),
        exit_code: finished.map(|(_, code)| code),
        phases: phases.collect(),
    }
}

fn phase_progress(name: &str, done: Option<&UnitState>) -> PhaseProgress {
    let Some(done) = done else {
        return PhaseProgress {
            name: name.to_owned(),
            step: PhaseStep::Waiting,
            status: None,
            reason: None,
            process: None,
            process_is_alive: None,
            attempts: 0,
        };
    };
    let step = match (&done.gate, done.job_ended, done.job_starting) {
        (Some(_), ..) => PhaseStep::Done,
        (None, Some(_), _) => PhaseStep::Judging,
        (None, None, true) => PhaseStep::Watching,
        (None, None, false) if done.log_read.is_some() => PhaseStep::Judging,
        (None, None, false) => PhaseStep::Waiting,
    };
    PhaseProgress {
        name: name.to_owned(),
        step,
        status: done.gate.as_ref().map(|gate| gate.status),
        reason: done.gate.as_ref().map(|gate| gate.reason.clone()),
        process: done.process.clone(),
        process_is_alive: done.process.as_ref().map(boot::is_alive),
        attempts: u64::from(done.earlier_attempts) + 1,
    }
}

pub(crate) fn status_text(status: &RunStatus, style: Style) -> String {
    let mut text = format!(
        "{}\n  Plan:      {}\n  State:     {}\n  Started:   {}\n  Updated:   {}\n  Directory: {}",
        style.bold(&format!("Run {}", status.run_id)),
        status.plan,
        state_words(status, style),
        local(status.started_at),
        local(status.updated_at),
        status.run_dir,
    );
    for phase in &status.phases {
        let _ = write!(text, "\n  {}: {}", phase.name, phase_words(phase, style));
        if let (Some(process), Some(is_alive)) = (&phase.process, phase.process_is_alive) {
            let _ = write!(
                text,
                " (process {}, {})",
                process.pid,
                if is_alive { "running" } else { "over" }
            );
        }
        if let Some(reason) = phase.reason.as_ref().filter(|reason| !reason.is_empty()) {
            let _ = write!(text, "\n    {}", printable(reason, 300));
        }
    }
    if matches!(status.state, RunState::Abandoned | RunState::Interrupted) {
        let _ = write!(
            text,
            "\nResume it with: bf-orchestrate resume {}",
            status.run_id
        );
    }
    text
}

pub(crate) fn history_line(status: &RunStatus, style: Style) -> String {
    let phases: Vec<String> = status
        .phases
        .iter()
        .map(|phase| format!("{} {}", phase.name, phase_words(phase, style)))
        .collect();
    format!(
        "{}  {}  {}  {}",
        local(status.started_at),
        status.run_id,
        state_words(status, style),
        phases.join(", ")
    )
}

fn phase_words(phase: &PhaseProgress, style: Style) -> String {
    match (phase.status, phase.step) {
        (Some(status), _) => {
            let (mark, words) = status_words(status);
            style.paint(mark, &words.to_lowercase())
        }
        (None, PhaseStep::Waiting) => "waiting".to_owned(),
        (None, PhaseStep::Watching) => "its job is watched".to_owned(),
        (None, _) => "its gate is judging".to_owned(),
    }
}

fn state_words(status: &RunStatus, style: Style) -> String {
    match (status.state, status.verdict) {
        (RunState::Finished, Some(Verdict::Pass)) => style.paint(Mark::Pass, "passed"),
        (RunState::Finished, Some(Verdict::Warn)) => {
            style.paint(Mark::Warn, "passed with warnings")
        }
        (RunState::Finished, Some(Verdict::Fail)) => style.paint(Mark::Fail, "failed"),
        (RunState::Finished, _) => style.paint(
            Mark::Error,
            status_words(PhaseStatus::CouldNotCheck)
                .1
                .to_lowercase()
                .as_str(),
        ),
        (RunState::Live, _) => style.paint(Mark::Info, "live"),
        (RunState::Interrupted, _) => style.paint(Mark::Warn, "interrupted"),
        (RunState::Abandoned, _) => style.paint(Mark::Warn, "abandoned"),
        (RunState::Unreadable | RunState::Unknown, _) => style.paint(Mark::Error, "unreadable"),
    }
}

fn local(time: chrono::DateTime<chrono::Utc>) -> String {
    time.with_timezone(&chrono::Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}
