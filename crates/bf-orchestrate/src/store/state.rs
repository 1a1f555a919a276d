//! How far a run has come: its journal, folded. What is in memory and what is on the disk change by one [`apply`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bf_cli::Failure;
use bf_contract::{DateRange, Exit, PhaseAttempt, PhaseStatus, ProcessIdentity, Verdict};
use chrono::{DateTime, NaiveDate, Utc};

use crate::store::journal::{Cause, Journal, Record, Step, UnitName};

/// The decision of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub status: PhaseStatus,
    /// One line that says why.
    pub reason: String,
    /// The code of a run that ends here.
    pub exit: Exit,
    /// Whether it failed, and the plan makes a warning of that.
    pub downgraded: bool,
}

impl Judgement {
    /// Whether the next phase may start.
    pub(crate) fn opens(&self) -> bool {
        matches!(self.status, PhaseStatus::Passed | PhaseStatus::Warned)
    }

    /// Nothing is decided: the run was asked to end, and continues from here when it is resumed.
    pub(crate) fn interrupted(reason: impl Into<String>) -> Self {
        Self {
            status: PhaseStatus::Interrupted,
            reason: reason.into(),
            exit: Exit::Terminated,
            downgraded: false,
        }
    }

    /// A warning instead of a failure; anything but a failure stays what it is.
    pub(crate) fn downgrade(self) -> Self {
        if self.status != PhaseStatus::Failed || self.exit != Exit::Failed {
            return self;
        }
        Self {
            status: PhaseStatus::Warned,
            reason: format!("failed, which the plan only warns of: {}", self.reason),
            exit: Exit::Success,
            downgraded: true,
        }
    }
}

/// The steps of the current attempt at a phase, or at a window, that are done. A step's outer `None` is "not yet"; its value is
/// the tool's code.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UnitState {
    /// Attempts before this one.
    pub earlier_attempts: u32,
    /// Attempts before the first one that counts for the plan's limit: a person had it run again.
    pub uncounted_attempts: u32,
    /// The dates that this attempt is for; `None` for all of the range.
    pub only_dates: Option<Vec<NaiveDate>>,
    /// The intent to start the job is written.
    pub job_starting: bool,
    /// Whether this attempt takes up where a reboot stopped the one before.
    pub is_restart: bool,
    /// `bf-orchestrate stop` ended this attempt: unless it passes all the same, another one follows.
    pub was_stopped: bool,
    /// The process of the job is written.
    pub job_seen: bool,
    /// The process of the job.
    pub process: Option<ProcessIdentity>,
    pub job_ended: Option<Option<i32>>,
    pub log_read: Option<Option<i32>>,
    /// The code of each validator that has ended, in order.
    pub validated: Vec<Option<i32>>,
    /// How often a gate that could not be checked was looked at again.
    pub checked_again: u32,
    /// The gate has judged.
    pub gate: Option<Judgement>,
    /// Every attempt that was begun, this one the last.
    pub attempts: Vec<PhaseAttempt>,
}

/// What the journal says of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RunState {
    /// A name that no other run of any machine has.
    pub run_uuid: Option<String>,
    /// When the run was begun.
    pub began: Option<DateTime<Utc>>,
    /// Each phase that was begun.
    pub phases: BTreeMap<String, UnitState>,
    /// Each window that was begun, by its phase and its dates.
    pub windows: BTreeMap<(String, NaiveDate, NaiveDate), UnitState>,
    /// What interrupted the run; `None` if it was not, or if its orchestrator had no time to write it.
    pub interrupted_by: Option<Cause>,
    /// The verdict and exit code of a run that has finished.
    pub finished: Option<(Verdict, u8)>,
    /// Records of a newer bf, which were passed over.
    pub passed_over: u64,
}

impl RunState {
    /// What a person should know about the records that were passed over; `None` if there is none.
    pub(crate) fn passed_over_text(&self) -> Option<String> {
        (self.passed_over > 0).then(|| {
            format!(
                "{} records of the journal are of a newer bf, and were passed over",
                self.passed_over
            )
        })
    }
}

/// Folds a journal into the state of its run.
pub(crate) fn fold(records: &[Record]) -> RunState {
    let mut state = RunState::default();
    for record in records {
        apply(&mut state, record);
    }
    state
}

/// The journal of a run that goes on, and the state that it makes. Shared by the threads of the phases.
#[derive(Debug)]
pub(crate) struct Recorder(Mutex<(Journal, RunState)>);

impl Recorder {
    /// Goes on with a journal whose records made `state`.
    pub(crate) fn new(journal: Journal, state: RunState) -> Self {
        Self(Mutex::new((journal, state)))
    }

    /// Writes a step to the disk, and then takes it.
    ///
    /// # Errors
    /// It could not be written, and was not taken (exit 3).
    pub(crate) fn record(&self, step: Step) -> Result<(), Failure> {
        let mut both = self.lock();
        let record = both.0.write(step)?;
        apply(&mut both.1, &record);
        Ok(())
    }

    /// The run's own name, and when it was begun.
    pub(crate) fn origin(&self) -> (Option<String>, Option<DateTime<Utc>>) {
        let both = self.lock();
        (both.1.run_uuid.clone(), both.1.began)
    }

    /// How far a phase or a window has come.
    pub(crate) fn unit(&self, name: UnitName<'_>) -> UnitState {
        self.lock().1.unit(name).cloned().unwrap_or_default()
    }

    /// How far the windows of a phase have come that were begun, in order.
    pub(crate) fn windows_of(&self, phase: &str) -> Vec<(DateRange, UnitState)> {
        let both = self.lock();
        let windows = both.1.windows_of(phase);
        windows
            .map(|(window, state)| (window, state.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, (Journal, RunState)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a step: the only place where a record changes the state.
fn apply(state: &mut RunState, record: &Record) {
    match &record.what {
        Step::RunStarted { run_uuid, .. } => {
            state.run_uuid.clone_from(run_uuid);
            state.began = Some(record.time);
        }
        Step::RunResumed { .. } => {
            if state.interrupted_by.take() == Some(Cause::Stopped) {
                let units = state.phases.values_mut().chain(state.windows.values_mut());
                for unit in units.filter(|unit| unit.gate.is_none()) {
                    unit.was_stopped = unit.job_starting;
                }
            }
        }
        Step::JobStarting { phase, window } => {
            let unit = state.unit_mut(phase, *window);
            unit.job_starting = true;
            unit.begin_attempt(record.time, *window);
        }
        Step::JobSeen {
            phase,
            window,
            process,
        } => {
            let done = state.unit_mut(phase, *window);
            done.job_seen = true;
            done.process.clone_from(process);
        }
        // A watch that was only interrupted is not over, nor is one whose bf-monitor was killed.
        Step::JobEnded {
            phase,
            window,
            code,
        } if code.is_some() && !is_interruption(*code) => {
            let phase = state.unit_mut(phase, *window);
            phase.job_ended = Some(*code);
            phase.attempt(|attempt| attempt.job_ended_at = Some(record.time));
        }
        Step::LogRead {
            phase,
            window,
            code,
        } if !is_interruption(*code) => {
            state.unit_mut(phase, *window).log_read = Some(*code);
        }
        Step::Validated {
            phase,
            window,
            code,
        } if !is_interruption(*code) => {
            state.unit_mut(phase, *window).validated.push(*code);
        }
        Step::JobEnded { .. } | Step::LogRead { .. } | Step::Validated { .. } => {}
        Step::CheckedAgain { phase, window, .. } => {
            let done = state.unit_mut(phase, *window);
            done.checked_again += 1;
            done.log_read = None;
            done.validated.clear();
        }
        Step::RetryPlanned {
            phase,
            window,
            reason,
            only_dates,
            is_restart,
        } => {
            let done = state.unit_mut(phase, *window);
            let status = match is_restart {
                true => PhaseStatus::Interrupted,
                false => PhaseStatus::Failed,
            };
            done.end_attempt(record.time, status, reason);
            *done = UnitState {
                earlier_attempts: done.earlier_attempts + 1,
                // An attempt that was cut off is none that failed.
                uncounted_attempts: done.uncounted_attempts + u32::from(*is_restart),
                only_dates: only_dates.clone(),
                is_restart: *is_restart,
                attempts: std::mem::take(&mut done.attempts),
                ..UnitState::default()
            };
        }
        Step::Reopened {
            phase,
            window,
            run_again,
            watch_again,
            only_dates,
        } => {
            state.finished = None;
            let done = state.unit_mut(phase, *window);
            if *run_again {
                *done = UnitState {
                    earlier_attempts: done.earlier_attempts + 1,
                    uncounted_attempts: done.earlier_attempts + 1,
                    only_dates: only_dates.clone(),
                    attempts: std::mem::take(&mut done.attempts),
                    ..UnitState::default()
                };
            } else {
                done.gate = None;
                done.log_read = None;
                done.validated.clear();
                done.checked_again = 0;
                if *watch_again {
                    done.job_ended = None;
                }
            }
        }
        Step::GateClosed {
            phase,
            window,
            status,
            reason,
            code,
            downgraded,
        } => {
            let phase = state.unit_mut(phase, *window);
            phase.end_attempt(record.time, *status, reason);
            phase.gate = Some(Judgement {
                status: *status,
                reason: reason.clone(),
                downgraded: *downgraded,
                // A code that is not known cannot open a gate.
                exit: Exit::from_code(i32::from(*code)).unwrap_or(Exit::CouldNotCheck),
            });
        }
        Step::Interrupted { cause, .. } => state.interrupted_by = Some(*cause),
        Step::RunFinished { verdict, code } => state.finished = Some((*verdict, *code)),
        Step::Unknown => state.passed_over += 1,
    }
}

impl UnitState {
    /// An attempt of which only the intent was written is the same one, when it is begun again.
    fn begin_attempt(&mut self, time: DateTime<Utc>, window: Option<DateRange>) {
        let number = u64::from(self.earlier_attempts) + 1;
        if self
            .attempts
            .last()
            .is_some_and(|last| last.number == number)
        {
            return;
        }
        self.attempts.push(PhaseAttempt {
            number,
            window,
            started_at: time,
            job_ended_at: None,
            ended_at: None,
            status: PhaseStatus::Interrupted,
            reason: String::new(),
        });
    }

    fn attempt(&mut self, change: impl FnOnce(&mut PhaseAttempt)) {
        if let Some(attempt) = self.attempts.last_mut() {
            change(attempt);
        }
    }

    fn end_attempt(&mut self, time: DateTime<Utc>, status: PhaseStatus, reason: &str) {
        self.attempt(|attempt| {
            attempt.ended_at = Some(time);
            attempt.status = status;
            attempt.reason = reason.to_owned();
        });
    }
}

impl RunState {
    fn unit_mut(&mut self, phase: &str, window: Option<DateRange>) -> &mut UnitState {
        let phase = phase.to_owned();
        match window {
            None => self.phases.entry(phase).or_default(),
            Some(window) => {
                let key = (phase, window.start, window.end);
                self.windows.entry(key).or_default()
            }
        }
    }

    /// How far a phase or a window has come; `None` if it was not begun.
    pub(crate) fn unit(&self, name: UnitName<'_>) -> Option<&UnitState> {
        match name.window {
            None => self.phases.get(name.phase),
            Some(window) => {
                let key = (name.phase.to_owned(), window.start, window.end);
                self.windows.get(&key)
            }
        }
    }

    /// The windows of a phase that were begun, in order.
    pub(crate) fn windows_of(&self, phase: &str) -> impl Iterator<Item = (DateRange, &UnitState)> {
        let first = (phase.to_owned(), NaiveDate::MIN, NaiveDate::MIN);
        self.windows
            .range(first..)
            .take_while(move |((name, ..), _)| name == phase)
            .map(|((_, start, end), state)| {
                let (start, end) = (*start, *end);
                (DateRange { start, end }, state)
            })
    }

    /// Every phase and window that was begun.
    pub(crate) fn units(&self) -> impl Iterator<Item = (UnitName<'_>, &UnitState)> {
        let phases = self.phases.iter().map(|(phase, state)| {
            let window = None;
            (UnitName { phase, window }, state)
        });
        let windows = self.windows.iter().map(|((phase, start, end), state)| {
            let (start, end) = (*start, *end);
            let window = Some(DateRange { start, end });
            (UnitName { phase, window }, state)
        });
        phases.chain(windows)
    }
}

/// Whether a tool ended because it was asked to, so that its step is still to be taken.
pub(crate) fn is_interruption(code: Option<i32>) -> bool {
    matches!(
        code.and_then(Exit::from_code),
        Some(Exit::Interrupted | Exit::Terminated)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_of(steps: Vec<Step>) -> RunState {
        let mut state = RunState::default();
        for (at, what) in steps.into_iter().enumerate() {
            let record = Record {
                seq: at as u64 + 1,
                time: Utc::now(),
                what,
            };
            apply(&mut state, &record);
        }
        state
    }

    fn phase() -> String {
        "a".to_owned()
    }

    #[test]
    fn a_step_that_was_only_interrupted_is_still_to_be_taken() {
        let state = state_of(vec![
            Step::JobStarting {
                phase: phase(),
                window: None,
            },
            Step::JobEnded {
                phase: phase(),
                window: None,
                code: Some(143),
            },
            Step::LogRead {
                phase: phase(),
                window: None,
                code: Some(143),
            },
            Step::Validated {
                phase: phase(),
                window: None,
                code: Some(130),
            },
        ]);
        let done = &state.phases["a"];
        assert!(done.job_starting);
        assert_eq!((done.job_ended, done.log_read), (None, None));
        assert!(done.validated.is_empty());
    }

    #[test]
    fn a_retry_begins_anew_and_keeps_what_the_attempts_before_came_to() {
        let ended = |code| Step::JobEnded {
            phase: phase(),
            window: None,
            code: Some(code),
        };
        let dates = vec!["2024-01-03".parse().expect("a date")];
        let state = state_of(vec![
            Step::JobStarting {
                phase: phase(),
                window: None,
            },
            ended(1),
            Step::LogRead {
                phase: phase(),
                window: None,
                code: Some(0),
            },
            Step::RetryPlanned {
                phase: phase(),
                window: None,
                reason: "1 date failed".to_owned(),
                only_dates: Some(dates.clone()),
                is_restart: false,
            },
            Step::JobStarting {
                phase: phase(),
                window: None,
            },
            ended(0),
            Step::GateClosed {
                phase: phase(),
                window: None,
                status: PhaseStatus::Passed,
                reason: "all checks passed".to_owned(),
                code: 0,
                downgraded: false,
            },
        ]);
        let done = &state.phases["a"];
        assert_eq!((done.earlier_attempts, done.log_read), (1, None));
        assert_eq!(done.only_dates, Some(dates));
        assert!(done.gate.as_ref().is_some_and(Judgement::opens));
        let attempts: Vec<_> = done
            .attempts
            .iter()
            .map(|one| (one.number, one.status, one.reason.as_str()))
            .collect();
        assert_eq!(
            attempts,
            [
                (1, PhaseStatus::Failed, "1 date failed"),
                (2, PhaseStatus::Passed, "all checks passed")
            ]
        );
        assert!(done.attempts.iter().all(|one| one.job_ended_at.is_some()));
    }

    #[test]
    fn a_failure_becomes_a_warning_and_nothing_else_does() {
        let failed = Judgement {
            status: PhaseStatus::Failed,
            reason: "bad".to_owned(),
            exit: Exit::Failed,
            downgraded: false,
        };
        let warned = failed.clone().downgrade();
        assert_eq!(
            (warned.status, warned.downgraded),
            (PhaseStatus::Warned, true)
        );
        assert!(warned.opens());
        let timed_out = Judgement {
            exit: Exit::TimedOut,
            ..failed
        };
        assert_eq!(timed_out.clone().downgrade(), timed_out);
        let unknown = Judgement::interrupted("asked to end");
        assert_eq!(unknown.clone().downgrade(), unknown);
    }

    #[test]
    fn each_window_of_a_phase_is_a_unit_of_its_own() {
        let window = |text: &str| Some(text.parse::<DateRange>().expect("a range"));
        let closed = |text| Step::GateClosed {
            phase: phase(),
            window: window(text),
            status: PhaseStatus::Passed,
            reason: String::new(),
            code: 0,
            downgraded: false,
        };
        let state = state_of(vec![
            closed("2024-02-01 2024-02-29"),
            closed("2024-01-01 2024-01-31"),
            Step::JobStarting {
                phase: "b".to_owned(),
                window: window("2024-01-01 2024-01-31"),
            },
        ]);
        let starts: Vec<String> = state
            .windows_of("a")
            .map(|(window, _)| window.start.to_string())
            .collect();
        assert_eq!(starts, ["2024-01-01", "2024-02-01"]);
        assert!(state.phases.is_empty());
        assert_eq!(state.units().count(), 3);
    }

    #[test]
    fn a_finished_run_that_is_resumed_runs_again_what_failed_and_counts_anew() {
        let state = state_of(vec![
            Step::JobStarting {
                phase: phase(),
                window: None,
            },
            Step::GateClosed {
                phase: phase(),
                window: None,
                status: PhaseStatus::Failed,
                reason: "bad".to_owned(),
                code: 1,
                downgraded: false,
            },
            Step::RunFinished {
                verdict: Verdict::Fail,
                code: 1,
            },
            Step::Reopened {
                phase: phase(),
                window: None,
                run_again: true,
                watch_again: false,
                only_dates: None,
            },
        ]);
        assert_eq!(state.finished, None);
        let done = &state.phases["a"];
        assert_eq!((done.earlier_attempts, done.uncounted_attempts), (1, 1));
        assert!(done.gate.is_none() && !done.job_starting);
        assert_eq!(done.attempts.len(), 1);
    }
}
