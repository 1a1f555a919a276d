//! What a run or a dry run came to.

use bf_cli::Interrupt;
use bf_contract::{Exit, Phase, PhaseStatus, Verdict};

use crate::store::state::Judgement;

/// What a run came to.
pub(crate) struct RunEnd {
    /// Every planned phase, in the plan's order.
    pub phases: Vec<Phase>,
    /// The verdict over all of them.
    pub verdict: Verdict,
    /// One line that says why.
    pub reason: String,
    /// The exit code: that of the first phase that stopped the run.
    pub exit: Exit,
    /// The signal that ended the run early.
    pub interrupt: Option<Interrupt>,
    /// Whether a step could not be taken, so that the run can be resumed.
    pub is_broken: bool,
    /// Whether `bf-orchestrate stop` ended the run before every phase had passed.
    pub is_stopped: bool,
}

/// What a dry run came to: phases that it only names do not count against it.
pub(crate) fn of_dry_run(phases: Vec<Phase>, first_stop: Option<(String, Judgement)>) -> RunEnd {
    let judged: Vec<Phase> = phases
        .iter()
        .filter(|phase| phase.status != PhaseStatus::NotStarted)
        .cloned()
        .collect();
    // A plan of which nothing can be judged yet is ready to be run.
    let (verdict, mut reason, exit) = match judged.is_empty() && !phases.is_empty() {
        true => (Verdict::Pass, "ready to be run".to_owned(), Exit::Success),
        false => verdict(&judged, first_stop, None, false),
    };
    let not_judged: Vec<&str> = phases
        .iter()
        .filter(|phase| phase.status == PhaseStatus::NotStarted)
        .map(|phase| phase.name.as_str())
        .collect();
    if !not_judged.is_empty() {
        reason.push_str(&format!(
            "; not judged, as a dry run starts nothing: {}",
            not_judged.join(", ")
        ));
    }
    RunEnd {
        phases,
        verdict,
        reason,
        exit,
        interrupt: None,
        is_broken: false,
        is_stopped: false,
    }
}

/// Whether every phase came through its gate.
pub(crate) fn all_passed(phases: &[Phase]) -> bool {
    let passed = |phase: &Phase| matches!(phase.status, PhaseStatus::Passed | PhaseStatus::Warned);
    !phases.is_empty() && phases.iter().all(passed)
}

pub(crate) fn verdict(
    phases: &[Phase],
    first_stop: Option<(String, Judgement)>,
    interrupt: Option<Interrupt>,
    is_stopped: bool,
) -> (Verdict, String, Exit) {
    if is_stopped {
        let reason = "stopped by bf-orchestrate stop".to_owned();
        return (Verdict::Error, reason, Exit::Terminated);
    }
    if let Some(signal) = interrupt {
        let reason = format!("interrupted by {}", signal.name());
        return (Verdict::Error, reason, signal.exit());
    }
    if let Some((name, judgement)) = first_stop {
        let verdict = match judgement.status {
            PhaseStatus::Failed => Verdict::Fail,
            _ => Verdict::Error,
        };
        return (
            verdict,
            format!("{name}: {}", judgement.reason),
            judgement.exit,
        );
    }
    if !all_passed(phases) {
        let reason = "not every phase came to its gate".to_owned();
        return (Verdict::Error, reason, Exit::CouldNotCheck);
    }
    let names = |wanted: &dyn Fn(&&Phase) -> bool| -> Vec<&str> {
        let phases = phases.iter().filter(wanted);
        phases.map(|phase| phase.name.as_str()).collect()
    };
    let failed = names(&|phase| phase.downgraded);
    let warned = names(&|phase| phase.status == PhaseStatus::Warned && !phase.downgraded);
    if !failed.is_empty() {
        let mut reason = format!(
            "{} {}",
            failed.join(", "),
            "failed, which the plan only warns of"
        );
        if !warned.is_empty() {
            reason.push_str(&format!("; with warnings in {}", warned.join(", ")));
        }
        return (Verdict::Warn, reason, Exit::Success);
    }
    if warned.is_empty() {
        let reason = "every phase passed its gate".to_owned();
        (Verdict::Pass, reason, Exit::Success)
    } else {
        let reason = format!(
            "every phase passed its gate, with warnings in {}",
            warned.join(", ")
        );
        (Verdict::Warn, reason, Exit::Success)
    }
}
