//! A phase in windows: each is run and judged by itself, then the whole range is judged once.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bf_cli::Failure;
use bf_contract::{DateRange, Exit, PhaseStatus};

use crate::engine::context::RunContext;
use crate::engine::event::RunEvent;
use crate::engine::unit::Unit;
use crate::plan::{PhasePlan, ToolText, Windows};
use crate::store::state::{Judgement, UnitState};

/// Up to how many windows the text of bf-monitor is shown: of more of them, a line each is enough.
const FEW: usize = 31;

/// The windows that are still to be run, and how the others went.
struct Queue {
    pending: VecDeque<DateRange>,
    /// Those of `pending` whose job may run already: they are watched to their end whatever happens.
    begun: BTreeSet<DateRange2>,
    done: usize,
    bad: u32,
    failure: Option<Failure>,
}

/// A range as a key.
type DateRange2 = (chrono::NaiveDate, chrono::NaiveDate);

fn key(range: DateRange) -> DateRange2 {
    (range.start, range.end)
}

impl Queue {
    fn new(all: &[DateRange], states: &[(DateRange, UnitState)]) -> Self {
        let mut queue = Self {
            pending: VecDeque::new(),
            begun: BTreeSet::new(),
            done: 0,
            bad: 0,
            failure: None,
        };
        let mut fresh = VecDeque::new();
        for window in all {
            let state = states.iter().find(|(range, _)| range == window);
            match state.map(|(_, state)| (&state.gate, state.job_starting)) {
                Some((Some(gate), _)) => queue.close(gate),
                Some((None, true)) => {
                    queue.pending.push_back(*window);
                    queue.begun.insert(key(*window));
                }
                _ => fresh.push_back(*window),
            }
        }
        queue.pending.append(&mut fresh);
        queue
    }

    /// The next window; a new one only while `may_start`.
    fn next(&mut self, may_start: bool) -> Option<DateRange> {
        let next = *self.pending.front()?;
        if self.begun.contains(&key(next)) || may_start && self.failure.is_none() {
            self.pending.pop_front()
        } else {
            None
        }
    }

    fn close(&mut self, judgement: &Judgement) {
        self.done += 1;
        if !judgement.opens() {
            self.bad += 1;
        }
    }
}

impl RunContext<'_> {
    /// Runs the windows of a phase that are not decided yet, and then judges its whole range. True if the phase was
    /// decided already.
    ///
    /// # Errors
    /// As [`RunContext::run_unit`].
    pub(super) fn run_windows(
        &self,
        phase: &PhasePlan,
        windows: &Windows,
    ) -> Result<(Judgement, bool), Failure> {
        let whole = Unit::whole(phase);
        if let Some(judgement) = self.recorder.unit(whole.name()).gate {
            return Ok((judgement, true));
        }
        let all = windows.size.cut(phase.range);
        let queue = Queue::new(&all, &self.recorder.windows_of(&phase.name));
        let workers = windows.concurrency.min(queue.pending.len());
        let queue = Mutex::new(queue);
        std::thread::scope(|scope| {
            // The phase has a place of its own; every further worker needs another one.
            for _ in 1..workers {
                if !self.slots.take() {
                    break;
                }
                scope.spawn(|| {
                    self.work_through(phase, windows, all.len(), &queue);
                    self.slots.give_back();
                });
            }
            self.work_through(phase, windows, all.len(), &queue);
        });
        let queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = queue.failure {
            return Err(failure);
        }
        let decided: Vec<(DateRange, Judgement)> = self
            .recorder
            .windows_of(&phase.name)
            .into_iter()
            .filter_map(|(window, state)| Some((window, state.gate?)))
            .filter(|(window, _)| all.contains(window))
            .collect();
        if decided.len() < all.len() && queue.bad < windows.stop_after {
            let reason = format!(
                "interrupted after {} of {} windows",
                decided.len(),
                all.len()
            );
            return Ok((Judgement::interrupted(reason), false));
        }
        let whole_range = if decided.len() == all.len() {
            // The windows were compared with their logs; the whole range has none.
            let gate_only = PhasePlan {
                job: None,
                windows: None,
                follows_windows: true,
                ..phase.clone()
            };
            let judgement = self.judge_only(Unit::whole(&gate_only))?;
            if judgement.status == PhaseStatus::Interrupted {
                return Ok((judgement, false));
            }
            Some(judgement)
        } else {
            None
        };
        let judgement = combine(&decided, all.len(), whole_range);
        Ok((self.close_gate(whole, judgement)?, false))
    }

    /// Runs one window after the other until there is none that may be run.
    fn work_through(&self, phase: &PhasePlan, windows: &Windows, of: usize, queue: &Mutex<Queue>) {
        loop {
            let may_start = !self.tools.running.is_stopping() && !self.run_dir.is_stopped();
            let mut open = lock(queue);
            let may_start = may_start && open.bad < windows.stop_after;
            let Some(window) = open.next(may_start) else {
                return;
            };
            drop(open);
            let run = || -> Result<Judgement, Failure> {
                let mut planned = windows
                    .phase(phase, window)
                    .map_err(Failure::could_not_check)?;
                planned.text = match of <= FEW {
                    true => ToolText::WatchOnly,
                    false => ToolText::None,
                };
                let unit = Unit {
                    phase: &planned,
                    window: Some(window),
                };
                let (judgement, _) = self.run_unit(unit)?;
                Ok(judgement)
            };
            let judgement = run();
            let mut open = lock(queue);
            match judgement {
                Ok(judgement) if judgement.status == PhaseStatus::Interrupted => return,
                Ok(judgement) => {
                    open.close(&judgement);
                    let done = open.done;
                    drop(open);
                    self.listeners.emit(&RunEvent::WindowEnded {
                        phase: &phase.name,
                        window,
                        judgement: &judgement,
                        done,
                        of,
                    });
                }
                Err(failure) => {
                    open.failure.get_or_insert(failure);
                    return;
                }
            }
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the windows that were decided, of `of`, and the verdict over the whole range make together. A window that
/// did not pass is not lifted by the whole range: its process or its log failed.
fn combine(
    decided: &[(DateRange, Judgement)],
    of: usize,
    whole_range: Option<Judgement>,
) -> Judgement {
    let bad: Vec<&(DateRange, Judgement)> =
        decided.iter().filter(|(_, one)| !one.opens()).collect();
    let worst = bad
        .iter()
        .find(|(_, one)| one.status == PhaseStatus::Failed)
        .or(bad.first());
    if let Some((window, judgement)) = worst {
        let mut reason = format!("window {window}: {}", judgement.reason);
        if of > 1 {
            reason.push_str(&format!(" ({} of {of} windows did not pass", bad.len()));
            let missing = of - decided.len();
            if missing > 0 {
                reason.push_str(&format!(", {missing} were not started"));
            }
            reason.push(')');
        }
        return Judgement {
            reason,
            ..judgement.clone()
        };
    }
    let Some(mut judgement) = whole_range else {
        return Judgement {
            status: PhaseStatus::CouldNotCheck,
            reason: "the whole range was not judged".to_owned(),
            exit: Exit::CouldNotCheck,
            downgraded: false,
        };
    };
    let warned = decided
        .iter()
        .filter(|(_, one)| one.status == PhaseStatus::Warned)
        .count();
    if warned > 0 && judgement.opens() {
        judgement.status = PhaseStatus::Warned;
        judgement
            .reason
            .push_str(&format!("; with warnings in {warned} of {of} windows"));
    }
    judgement
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: PhaseStatus, exit: Exit) -> Judgement {
        Judgement {
            status,
            reason: format!("{status:?}"),
            exit,
            downgraded: false,
        }
    }

    fn passed() -> Judgement {
        judged(PhaseStatus::Passed, Exit::Success)
    }

    fn failed() -> Judgement {
        judged(PhaseStatus::Failed, Exit::Failed)
    }

    fn months(judgements: &[Judgement]) -> Vec<(DateRange, Judgement)> {
        let windows =
            crate::plan::WindowSize::Month.cut("2024-01-01 2024-12-31".parse().expect("a range"));
        windows
            .into_iter()
            .zip(judgements.iter().cloned())
            .collect()
    }

    #[test]
    fn the_verdict_over_the_whole_range_opens_the_gate() {
        let windows = months(&[passed(), passed()]);
        assert_eq!(combine(&windows, 2, Some(passed())), passed());
        assert_eq!(combine(&windows, 2, Some(failed())), failed());
        assert_eq!(
            combine(&windows, 2, None).status,
            PhaseStatus::CouldNotCheck
        );
    }

    #[test]
    fn no_verdict_lifts_a_window_that_did_not_pass() {
        let unknown = judged(PhaseStatus::CouldNotCheck, Exit::CouldNotCheck);
        let windows = months(&[unknown.clone(), failed(), passed()]);
        let judgement = combine(&windows, 3, Some(passed()));
        assert_eq!(
            (judgement.status, judgement.exit),
            (PhaseStatus::Failed, Exit::Failed)
        );
        assert!(
            judgement.reason.contains("2 of 3 windows did not pass"),
            "{}",
            judgement.reason
        );
        let windows = months(&[unknown, passed()]);
        let judgement = combine(&windows, 2, Some(passed()));
        assert_eq!(judgement.exit, Exit::CouldNotCheck);
    }

    #[test]
    fn windows_that_were_not_started_are_counted() {
        let judgement = combine(&months(&[failed()]), 12, None);
        assert!(
            judgement.reason.contains("11 were not started"),
            "{}",
            judgement.reason
        );
    }

    #[test]
    fn a_warning_of_a_window_is_not_lost() {
        let warned = judged(PhaseStatus::Warned, Exit::Success);
        let judgement = combine(&months(&[passed(), warned]), 2, Some(passed()));
        assert_eq!(judgement.status, PhaseStatus::Warned);
        assert!(judgement.opens());
    }

    #[test]
    fn what_was_begun_goes_first_and_is_watched_whatever_happened() {
        let all: Vec<DateRange> = months(&vec![passed(); 3])
            .into_iter()
            .map(|one| one.0)
            .collect();
        let begun = UnitState {
            job_starting: true,
            ..UnitState::default()
        };
        let closed = UnitState {
            gate: Some(failed()),
            ..UnitState::default()
        };
        let mut queue = Queue::new(&all, &[(all[0], closed), (all[2], begun)]);
        assert_eq!((queue.done, queue.bad), (1, 1));
        assert_eq!(queue.next(false), Some(all[2]));
        assert_eq!(queue.next(false), None);
        assert_eq!(queue.next(true), Some(all[1]));
        assert_eq!(queue.next(true), None);
    }
}
