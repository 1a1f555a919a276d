//! Which phase runs when: each as soon as the gates that it waits for have opened.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use bf_cli::{Failure, Interrupt};
use bf_contract::{Exit, Phase, PhaseStatus};

use crate::engine::context::RunContext;
use crate::engine::document::not_run;
use crate::engine::event::RunEvent;
use crate::engine::outcome::{RunEnd, all_passed, verdict};
use crate::engine::phase::PhaseEnd;
use crate::plan::{OnFail, PhasePlan, Plan};
use crate::store::state::Judgement;

/// The longest time without a sign of life of the run.
const BEAT: Duration = Duration::from_secs(5);

/// What the scheduler waits for.
pub(crate) enum Event {
    /// A phase has ended, or one of its steps could not be taken.
    PhaseEnded(usize, Box<Result<PhaseEnd, Failure>>),
    /// A place for a job was given back.
    SlotFreed,
    /// A signal asked the run to end.
    Interrupted(Interrupt),
}

/// Runs every phase whose needs are met, until none is left or a signal arrives.
pub(crate) fn run_all(
    context: &RunContext<'_>,
    sender: &Sender<Event>,
    receiver: &Receiver<Event>,
) -> RunEnd {
    let plans = &context.plan.phases;
    let mut ends: Vec<Option<PhaseEnd>> = plans.iter().map(|_| None).collect();
    let mut started = BTreeSet::new();
    let mut first_stop: Option<(String, Judgement)> = None;
    let (mut interrupt, mut is_broken) = (None, false);

    std::thread::scope(|scope| {
        loop {
            if interrupt.is_none() && !is_broken && !context.run_dir.is_stopped() {
                let free = context.slots.free();
                for index in ready(context.plan, &judged(&ends), &started, free) {
                    // Windows may have taken it meanwhile.
                    if !context.slots.take() {
                        break;
                    }
                    started.insert(index);
                    let sender = sender.clone();
                    let phase = &plans[index];
                    scope.spawn(move || {
                        let end = context.run_phase(phase);
                        // The receiver outlives every phase.
                        let _ = sender.send(Event::PhaseEnded(index, Box::new(end)));
                    });
                }
            }
            let running = started.iter().any(|&index| ends[index].is_none());
            if !running {
                break;
            }
            match receiver.recv_timeout(BEAT) {
                Ok(Event::PhaseEnded(index, end)) => {
                    context.slots.give_back();
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
                    context.tools.running.stop();
                }
                Ok(Event::SlotFreed) => {}
                Err(RecvTimeoutError::Timeout) => context.listeners.emit(&RunEvent::Alive),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });

    let phases = phase_documents(plans, ends, interrupt, is_broken);
    let is_stopped = context.run_dir.is_stopped() && !all_passed(&phases);
    let (verdict, reason, exit) = verdict(&phases, first_stop, interrupt, is_stopped);
    RunEnd {
        phases,
        verdict,
        reason,
        exit,
        interrupt,
        is_broken,
        is_stopped,
    }
}

/// The decision of each phase's gate, so far.
fn judged(ends: &[Option<PhaseEnd>]) -> Vec<Option<&Judgement>> {
    ends.iter()
        .map(|end| end.as_ref().map(|end| &end.judgement))
        .collect()
}

/// The phases that may start now, at most as many as there are places.
fn ready(
    plan: &Plan,
    judged: &[Option<&Judgement>],
    started: &BTreeSet<usize>,
    free: usize,
) -> Vec<usize> {
    let plans = &plan.phases;
    (0..plans.len())
        .filter(|index| !started.contains(index))
        .filter(|&index| {
            plans[index]
                .needs
                .iter()
                .all(|name| lets_pass(name, plans, judged))
        })
        .take(free)
        .collect()
}

/// Whether the phase of that name lets the ones start that need it.
fn lets_pass(name: &str, plans: &[PhasePlan], judged: &[Option<&Judgement>]) -> bool {
    plans.iter().zip(judged).any(|(plan, judgement)| {
        plan.name == name
            && judgement.is_some_and(|judgement| {
                let is_failure =
                    judgement.status == PhaseStatus::Failed && judgement.exit == Exit::Failed;
                judgement.opens() || is_failure && plan.on_fail == OnFail::Continue
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
        downgraded: false,
    };
    PhaseEnd {
        // Its job may be running all the same, and is named.
        phase: context.document(plan, &judgement),
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
            None => match held_by(plan, plans, &judged(&ends)) {
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
fn held_by(plan: &PhasePlan, plans: &[PhasePlan], judged: &[Option<&Judgement>]) -> String {
    let names: Vec<&str> = plan
        .needs
        .iter()
        .map(String::as_str)
        .filter(|name| !lets_pass(name, plans, judged))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{phase, plan};

    fn named(name: &str, needs: &[&str]) -> PhasePlan {
        PhasePlan {
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            ..phase(name, "2024-01-01 2024-01-31".parse().expect("a range"))
        }
    }

    fn judgement(status: PhaseStatus, exit: Exit) -> Judgement {
        Judgement {
            status,
            reason: String::new(),
            exit,
            downgraded: false,
        }
    }

    fn ready_of(plan: &Plan, judged: &[Option<&Judgement>], started: &[usize]) -> Vec<usize> {
        ready(plan, judged, &started.iter().copied().collect(), 9)
    }

    #[test]
    fn a_phase_starts_only_after_the_gates_that_it_needs() {
        let plan = plan(vec![named("a", &[]), named("b", &["a"])]);
        let passed = judgement(PhaseStatus::Passed, Exit::Success);
        let warned = judgement(PhaseStatus::Warned, Exit::Success);
        assert_eq!(ready_of(&plan, &[None, None], &[]), [0]);
        assert!(ready_of(&plan, &[None, None], &[0]).is_empty());
        assert_eq!(ready_of(&plan, &[Some(&passed), None], &[0]), [1]);
        assert_eq!(ready_of(&plan, &[Some(&warned), None], &[0]), [1]);
    }

    #[test]
    fn only_a_plain_failure_is_passed_over_by_continue() {
        let mut plan = plan(vec![named("a", &[]), named("b", &["a"])]);
        let failed = judgement(PhaseStatus::Failed, Exit::Failed);
        let timed_out = judgement(PhaseStatus::Failed, Exit::TimedOut);
        let unknown = judgement(PhaseStatus::CouldNotCheck, Exit::CouldNotCheck);
        let interrupted = Judgement::interrupted("");
        assert!(ready_of(&plan, &[Some(&failed), None], &[0]).is_empty());
        plan.phases[0].on_fail = OnFail::Continue;
        assert_eq!(ready_of(&plan, &[Some(&failed), None], &[0]), [1]);
        for held in [&timed_out, &unknown, &interrupted] {
            assert!(ready_of(&plan, &[Some(held), None], &[0]).is_empty());
        }
    }

    #[test]
    fn no_more_phases_start_than_there_are_places() {
        let plan = plan(vec![named("a", &[]), named("b", &[]), named("c", &[])]);
        let ready = |started: &[usize], free| {
            ready(&plan, &[None; 3], &started.iter().copied().collect(), free)
        };
        assert_eq!(ready(&[], 2), [0, 1]);
        assert!(ready(&[0, 1], 0).is_empty());
        assert_eq!(ready(&[0, 1], 1), [2]);
    }
}
