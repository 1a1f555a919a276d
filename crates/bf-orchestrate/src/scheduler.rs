//! Which phase runs when: each as soon as the gates that it waits for have opened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender};

use bf_cli::{Failure, Interrupt};
use bf_contract::{Exit, Phase, PhaseJob, PhaseStatus, Verdict};

use crate::gate::Judgement;
use crate::phase::{PhaseEnd, RunContext};
use crate::plan::{Job, PhasePlan};
use crate::progress::Done;

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
    let mut interrupt = None;

    std::thread::scope(|scope| {
        loop {
            if interrupt.is_none() {
                for index in ready(plans, &ends, &started) {
                    started.insert(index);
                    let sender = sender.clone();
                    let phase = &plans[index];
                    let done = done.get(&phase.name).cloned().unwrap_or_default();
                    scope.spawn(move || {
                        let end = context.run_phase(phase, &done);
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
                    let end = (*end).unwrap_or_else(|failure| broken(&plans[index], &failure));
                    if !end.judgement.opens() && first_stop.is_none() {
                        first_stop = Some((plans[index].name.clone(), end.judgement.clone()));
                    }
                    ends[index] = Some(end);
                }
                Ok(Event::Interrupted(signal)) => {
                    interrupt.get_or_insert(signal);
                    context.steps.running.terminate();
                }
                Err(_) => break,
            }
        }
    });

    let phases = phase_documents(plans, ends, interrupt);
    let (verdict, reason, exit) = verdict(&phases, first_stop, interrupt);
    RunEnd {
        phases,
        verdict,
        reason,
        exit,
        interrupt,
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
    let (verdict, reason, exit) = verdict(&judged, first_stop, None);
    RunEnd {
        phases,
        verdict,
        reason,
        exit,
        interrupt: None,
    }
}

/// The phases that may start now.
fn ready(plans: &[PhasePlan], ends: &[Option<PhaseEnd>], started: &BTreeSet<usize>) -> Vec<usize> {
    let opened = |name: &String| {
        plans.iter().zip(ends).any(|(plan, end)| {
            plan.name == *name && end.as_ref().is_some_and(|end| end.judgement.opens())
        })
    };
    (0..plans.len())
        .filter(|index| !started.contains(index))
        .filter(|&index| plans[index].needs.iter().all(opened))
        .collect()
}

/// A phase of which a step could not be taken.
fn broken(plan: &PhasePlan, failure: &Failure) -> PhaseEnd {
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
        phase: not_started(plan, judgement.status, judgement.reason.clone()),
        judgement,
    }
}

fn phase_documents(
    plans: &[PhasePlan],
    ends: Vec<Option<PhaseEnd>>,
    interrupt: Option<Interrupt>,
) -> Vec<Phase> {
    let reasons: Vec<String> = plans
        .iter()
        .map(|plan| match interrupt {
            Some(signal) => format!("the run was interrupted by {}", signal.name()),
            None => format!("{} did not pass its gate", held_by(plan, plans, &ends)),
        })
        .collect();
    plans
        .iter()
        .zip(ends)
        .zip(reasons)
        .map(|((plan, end), reason)| match end {
            Some(end) => end.phase,
            None => not_started(plan, PhaseStatus::NotStarted, reason),
        })
        .collect()
}

/// The needs of a phase that hold it back.
fn held_by(plan: &PhasePlan, plans: &[PhasePlan], ends: &[Option<PhaseEnd>]) -> String {
    let closed = |name: &&String| {
        !plans.iter().zip(ends).any(|(other, end)| {
            other.name == **name && end.as_ref().is_some_and(|end| end.judgement.opens())
        })
    };
    let names: Vec<&str> = plan
        .needs
        .iter()
        .filter(closed)
        .map(String::as_str)
        .collect();
    names.join(", ")
}

/// A phase that did not run, as the report lists it.
#[must_use]
pub fn not_started(plan: &PhasePlan, status: PhaseStatus, reason: String) -> Phase {
    Phase {
        name: plan.name.clone(),
        table: plan.table.clone(),
        range: Some(plan.range),
        status,
        reason,
        job: Some(PhaseJob {
            command: match &plan.job {
                Job::Command(job) => Some(job.command.clone()),
                Job::Attach { .. } => None,
            },
            process: None,
            exit: None,
            log: plan.job.log().display().to_string(),
            documents: Vec::new(),
        }),
        log_summary: None,
        validation: None,
        duration_seconds: None,
    }
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
    let warned: Vec<&str> = phases
        .iter()
        .filter(|phase| phase.status == PhaseStatus::Warned)
        .map(|phase| phase.name.as_str())
        .collect();
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
