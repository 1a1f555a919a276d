//! Which phase runs when: each as soon as the gates that it waits for have opened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender};

use bf_cli::{Failure, Interrupt};
use bf_contract::{Exit, Phase, PhaseStatus, Verdict};

use crate::document::{self, not_run};
use crate::gate::Judgement;
use crate::phase::{PhaseEnd, RunContext};
use crate::plan::{OnFail, PhasePlan, Plan};
use crate::progress::Done;
use crate::report;

/// What the scheduler waits for.
pub enum Event {
    /// A phase has come to its end, or one of its steps could not be taken.
    PhaseEnded(usize, Box<Result<PhaseEnd, Failure>>),
    /// A signal asked the run to end.
    Interrupted(Interrupt),
}

/// What a run came to.
pub struct RunEnd {
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
    /// Whether a step could not be taken, so that the run stands still and can be taken up.
    pub is_broken: bool,
}

/// Runs every phase whose needs are met, until none is left or a signal arrives.
pub fn run_all(
    context: &RunContext<'_>,
    done: &BTreeMap<String, Done>,
    (sender, receiver): (&Sender<Event>, &Receiver<Event>),
) -> RunEnd {
    let plans = &context.plan.phases;
    let mut ends: Vec<Option<PhaseEnd>> = plans.iter().map(|_| None).collect();
    let mut started = BTreeSet::new();
    let mut first_stop: Option<(String, Judgement)> = None;
    let (mut interrupt, mut is_broken) = (None, false);

    std::thread::scope(|scope| {
        loop {
            if interrupt.is_none() && !is_broken && !context.run_dir.is_stopped() {
                for index in ready(context.plan, &ends, &started) {
                    started.insert(index);
                    let sender = sender.clone();
                    let phase = &plans[index];
                    let done = done.get(&phase.name).cloned().unwrap_or_default();
                    scope.spawn(move || {
                        let end = context.run_phase(phase, done);
                        // The receiver outlives every phase.
                        let _ = sender.send(Event::PhaseEnded(index, Box::new(end)));
                    });
                }
            }
            let running = started.iter().any(|&index| ends[index].is_none());
            if !running {
                break;
            }
            match receiver.recv() {
                Ok(Event::PhaseEnded(index, end)) => {
                    let end = (*end).unwrap_or_else(|failure| {
                        is_broken = true;
                        broken(context, &plans[index], &failure)
                    });
                    if !end.judgement.opens() && first_stop.is_none() {
                        first_stop = Some((plans[index].name.clone(), end.judgement.clone()));
                    }
                    ends[index] = Some(end);
                }
                Ok(Event::Interrupted(signal)) => {
                    interrupt.get_or_insert(signal);
                    context.steps.running.stop();
                }
                Err(_) => break,
            }
        }
    });

    let phases = phase_documents(plans, ends, interrupt, is_broken);
    let (verdict, reason, exit) = verdict(&phases, first_stop, interrupt);
    RunEnd {
        phases,
        verdict,
        reason,
        exit,
        interrupt,
        is_broken,
    }
}

/// What a rehearsal came to: phases that it only names do not count against it.
#[must_use]
pub fn rehearsed(phases: Vec<Phase>, first_stop: Option<(String, Judgement)>) -> RunEnd {
    let judged: Vec<Phase> = phases
        .iter()
        .filter(|phase| phase.status != PhaseStatus::NotStarted)
        .cloned()
        .collect();
    let (verdict, mut reason, exit) = verdict(&judged, first_stop, None);
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
    }
}

/// The phases that may start now: as many as the plan lets run at a time.
fn ready(plan: &Plan, ends: &[Option<PhaseEnd>], started: &BTreeSet<usize>) -> Vec<usize> {
    let plans = &plan.phases;
    let running = started
        .iter()
        .filter(|&&index| ends[index].is_none())
        .count();
    (0..plans.len())
        .filter(|index| !started.contains(index))
        .filter(|&index| {
            plans[index]
                .needs
                .iter()
                .all(|name| lets_pass(name, plans, ends))
        })
        .take(plan.concurrency.saturating_sub(running))
        .collect()
}

/// Whether the phase of that name lets the ones start that need it.
fn lets_pass(name: &str, plans: &[PhasePlan], ends: &[Option<PhaseEnd>]) -> bool {
    plans.iter().zip(ends).any(|(plan, end)| {
        plan.name == name
            && end.as_ref().is_some_and(|end| {
                let is_failure = end.judgement.status == PhaseStatus::Failed
                    && end.judgement.exit == Exit::Failed;
                end.judgement.opens() || is_failure && plan.on_fail == OnFail::Continue
            })
    })
}

/// A phase of which a step could not be taken.
fn broken(context: &RunContext<'_>, plan: &PhasePlan, failure: &Failure) -> PhaseEnd {
    let judgement = Judgement {
        status: PhaseStatus::CouldNotCheck,
        reason: failure.message.clone(),
        exit: if failure.exit.is_success() {
            Exit::CouldNotCheck
        } else {
            failure.exit
        },
    };
    PhaseEnd {
        // Its job may be running all the same, and is named.
        phase: document::of_phase(
            plan,
            &context.latest_kept(plan),
            context.run_dir,
            &judgement,
        ),
        judgement,
    }
}

fn phase_documents(
    plans: &[PhasePlan],
    ends: Vec<Option<PhaseEnd>>,
    interrupt: Option<Interrupt>,
    is_broken: bool,
) -> Vec<Phase> {
    let reasons: Vec<String> = plans
        .iter()
        .map(|plan| match interrupt {
            Some(signal) => format!("the run was interrupted by {}", signal.name()),
            None => match held_by(plan, plans, &ends) {
                names if !names.is_empty() => format!("{names} did not pass its gate"),
                _ if is_broken => "the run broke off before it was started".to_owned(),
                _ => "the run was stopped before it was started".to_owned(),
            },
        })
        .collect();
    plans
        .iter()
        .zip(ends)
        .zip(reasons)
        .map(|((plan, end), reason)| match end {
            Some(end) => end.phase,
            None => not_run(plan, PhaseStatus::NotStarted, reason),
        })
        .collect()
}

/// The needs of a phase that hold it back.
fn held_by(plan: &PhasePlan, plans: &[PhasePlan], ends: &[Option<PhaseEnd>]) -> String {
    let names: Vec<&str> = plan
        .needs
        .iter()
        .map(String::as_str)
        .filter(|name| !lets_pass(name, plans, ends))
        .collect();
    names.join(", ")
}

fn verdict(
    phases: &[Phase],
    first_stop: Option<(String, Judgement)>,
    interrupt: Option<Interrupt>,
) -> (Verdict, String, Exit) {
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
    let passed = |phase: &Phase| matches!(phase.status, PhaseStatus::Passed | PhaseStatus::Warned);
    if phases.is_empty() || !phases.iter().all(passed) {
        let reason = "not every phase came to its gate".to_owned();
        return (Verdict::Error, reason, Exit::CouldNotCheck);
    }
    let names = |wanted: &dyn Fn(&&Phase) -> bool| -> Vec<&str> {
        let phases = phases.iter().filter(wanted);
        phases.map(|phase| phase.name.as_str()).collect()
    };
    let failed = names(&|phase| report::only_warned(phase));
    let warned = names(&|phase| phase.status == PhaseStatus::Warned && !report::only_warned(phase));
    if !failed.is_empty() {
        let mut reason = format!("{} {}", failed.join(", "), crate::gate::ONLY_WARNED);
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
