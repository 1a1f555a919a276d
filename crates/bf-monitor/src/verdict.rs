//! What an exit and a log come to together: the table of the documentation, as a function.

use bf_contract::{Exit, ExitSource, LogState, LogSummary, ProcessExit};

use crate::args::Judge;

/// What a log comes to, for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogOutcome {
    /// Completed, every date accounted for, nothing in doubt, the rate reached.
    Good,
    /// The same, of a job that does not say how many dates it has.
    GoodWithoutTotal,
    /// Completed, and dates are unaccounted for.
    Unaccounted,
    /// Completed, and something failed that the counts do not hold.
    FailureInDoubt,
    /// Completed, and more dates failed than the rate allows.
    BelowRate,
    /// Whose lines they are, or when they were written, is in doubt.
    InDoubt,
    /// A known dialect without its end, refused, a dry run.
    NotCompleted,
    /// Empty, or in no known dialect.
    Unreadable,
}

impl LogOutcome {
    /// What a summary comes to, if at least `min_success_rate` percent of the finished dates are to be successful.
    pub(crate) fn of(summary: &LogSummary, min_success_rate: f64) -> Self {
        let is_completed = summary.state == LogState::Completed;
        if matches!(summary.state, LogState::Empty | LogState::Unknown) {
            Self::Unreadable
        } else if is_completed && summary.has_failure_in_doubt() {
            Self::FailureInDoubt
        } else if summary.doubts.iter().any(|doubt| doubt.kind.stops_check()) {
            Self::InDoubt
        } else if !is_completed {
            Self::NotCompleted
        } else if !reaches(summary, min_success_rate) {
            Self::BelowRate
        } else {
            match summary.unaccounted_days {
                Some(0) => Self::Good,
                Some(_) => Self::Unaccounted,
                None => Self::GoodWithoutTotal,
            }
        }
    }

    /// Whether the log has its end, and it is the job's.
    pub(crate) const fn is_completed(self) -> bool {
        !matches!(self, Self::InDoubt | Self::NotCompleted | Self::Unreadable)
    }
}

/// Whether enough of the finished dates are successful. If nothing finished, there was nothing to do, or all of it
/// was done before.
fn reaches(summary: &LogSummary, min_success_rate: f64) -> bool {
    let all_failed = summary.failed_days > 0 && summary.successful_days == 0;
    match summary.success_rate {
        Some(rate) => rate >= min_success_rate && !all_failed,
        None => {
            summary.total_days == Some(0) || summary.skipped_days > 0 || summary.earlier_days > 0
        }
    }
}

/// Judges how a job ended. `log` is `None` if none was given; `lives_on`: something of the job lives, after its
/// process ended.
///
/// If the exit is unknown and the log says how the job came out, the log becomes the source. An unknown exit alone
/// is never a success.
pub(crate) fn judge(
    exit: ProcessExit,
    log: Option<LogOutcome>,
    lives_on: bool,
    scope: Judge,
) -> (ProcessExit, Exit) {
    let is_completed = log.is_some_and(LogOutcome::is_completed);
    if lives_on && !is_completed {
        return (exit, Exit::CouldNotCheck);
    }
    if exit.is_failure() {
        return (exit, Exit::Failed);
    }
    if exit.is_clean() {
        let verdict = match log {
            _ if scope == Judge::Process => Exit::Success,
            None => Exit::Success,
            Some(LogOutcome::Good | LogOutcome::GoodWithoutTotal) => Exit::Success,
            Some(
                LogOutcome::Unaccounted
                | LogOutcome::FailureInDoubt
                | LogOutcome::BelowRate
                | LogOutcome::NotCompleted,
            ) => Exit::Failed,
            Some(LogOutcome::InDoubt | LogOutcome::Unreadable) => Exit::CouldNotCheck,
        };
        return (exit, verdict);
    }
    let from_log = ProcessExit::unknown(ExitSource::Log);
    match log {
        _ if scope == Judge::Process && is_completed => (from_log, Exit::Success),
        Some(LogOutcome::Good) => (from_log, Exit::Success),
        Some(LogOutcome::BelowRate) if scope == Judge::All => (from_log, Exit::Failed),
        _ => (
            ProcessExit::unknown(ExitSource::Unknown),
            Exit::CouldNotCheck,
        ),
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::{Doubt, DoubtKind, Exit, ExitSource, LogState, LogSummary, ProcessExit};

    use super::{LogOutcome, judge};
    use crate::args::Judge;

    const EVERY_LOG: [Option<LogOutcome>; 9] = [
        None,
        Some(LogOutcome::Good),
        Some(LogOutcome::GoodWithoutTotal),
        Some(LogOutcome::Unaccounted),
        Some(LogOutcome::FailureInDoubt),
        Some(LogOutcome::BelowRate),
        Some(LogOutcome::InDoubt),
        Some(LogOutcome::NotCompleted),
        Some(LogOutcome::Unreadable),
    ];

    fn code(code: i32) -> ProcessExit {
        ProcessExit {
            code: Some(code),
            ..ProcessExit::unknown(ExitSource::Pidfd)
        }
    }

    fn killed() -> ProcessExit {
        ProcessExit {
            signal: Some(9),
            ..ProcessExit::unknown(ExitSource::Pidfd)
        }
    }

    fn unknown() -> ProcessExit {
        ProcessExit::unknown(ExitSource::Unknown)
    }

    /// The codes of every log in order, nothing living on.
    fn codes(exit: &ProcessExit, scope: Judge) -> [u8; 9] {
        EVERY_LOG.map(|log| judge(exit.clone(), log, false, scope).1.code())
    }

    #[test]
    fn a_failed_process_is_a_failure_whatever_its_log_says() {
        for exit in [code(7), killed()] {
            assert_eq!(codes(&exit, Judge::All), [1; 9]);
            assert_eq!(codes(&exit, Judge::Process), [1; 9]);
        }
    }

    #[test]
    fn a_clean_exit_is_as_good_as_its_log() {
        assert_eq!(codes(&code(0), Judge::All), [0, 0, 0, 1, 1, 1, 3, 1, 3]);
        for log in EVERY_LOG {
            let (exit, _) = judge(code(0), log, false, Judge::All);
            assert_eq!(exit.source, ExitSource::Pidfd, "{log:?}");
        }
    }

    #[test]
    fn an_unknown_exit_is_good_only_if_the_log_leaves_nothing_open() {
        assert_eq!(codes(&unknown(), Judge::All), [3, 0, 3, 3, 3, 1, 3, 3, 3]);
        for log in EVERY_LOG {
            let (exit, verdict) = judge(unknown(), log, false, Judge::All);
            let is_from_log = verdict != Exit::CouldNotCheck;
            assert_eq!(exit.source == ExitSource::Log, is_from_log, "{log:?}");
        }
    }

    #[test]
    fn the_process_alone_is_judged_by_its_exit_and_else_by_the_end_of_its_log() {
        assert_eq!(codes(&code(0), Judge::Process), [0; 9]);
        assert_eq!(
            codes(&unknown(), Judge::Process),
            [3, 0, 0, 0, 0, 0, 3, 3, 3]
        );
    }

    #[test]
    fn a_job_of_which_something_lives_on_is_judged_only_once_its_log_completed() {
        for log in EVERY_LOG {
            for exit in [code(0), code(7), killed(), unknown()] {
                let alone = judge(exit.clone(), log, false, Judge::All).1;
                let expected = match log {
                    Some(log) if log.is_completed() => alone,
                    _ => Exit::CouldNotCheck,
                };
                assert_eq!(judge(exit.clone(), log, true, Judge::All).1, expected);
            }
        }
    }

    fn completed() -> LogSummary {
        LogSummary {
            completed: true,
            state: LogState::Completed,
            total_days: Some(4),
            successful_days: 4,
            success_rate: Some(100.0),
            unaccounted_days: Some(0),
            ..LogSummary::default()
        }
    }

    fn doubt(kind: DoubtKind) -> Vec<Doubt> {
        vec![Doubt {
            kind,
            lines: 1,
            first_line: None,
            dates: Vec::new(),
            message: String::new(),
        }]
    }

    #[test]
    fn a_log_comes_to_the_worst_that_it_says() {
        let with = |change: fn(&mut LogSummary)| {
            let mut summary = completed();
            change(&mut summary);
            LogOutcome::of(&summary, 95.0)
        };
        assert_eq!(with(|_| {}), LogOutcome::Good);
        assert_eq!(
            with(|log| log.unaccounted_days = None),
            LogOutcome::GoodWithoutTotal
        );
        assert_eq!(
            with(|log| log.unaccounted_days = Some(1)),
            LogOutcome::Unaccounted
        );
        assert_eq!(with(|log| log.success_rate = Some(95.0)), LogOutcome::Good);
        assert_eq!(
            with(|log| log.success_rate = Some(94.9)),
            LogOutcome::BelowRate
        );
        let outcome_of = |kind| {
            let summary = LogSummary {
                doubts: doubt(kind),
                ..completed()
            };
            LogOutcome::of(&summary, 95.0)
        };
        assert_eq!(
            outcome_of(DoubtKind::UndatedFailure),
            LogOutcome::FailureInDoubt
        );
        assert_eq!(
            outcome_of(DoubtKind::SummaryDisagrees),
            LogOutcome::FailureInDoubt
        );
        assert_eq!(outcome_of(DoubtKind::TwoJobs), LogOutcome::InDoubt);
        assert_eq!(outcome_of(DoubtKind::FallingOrder), LogOutcome::InDoubt);
        assert_eq!(outcome_of(DoubtKind::UnreadErrors), LogOutcome::Good);
        for (state, expected) in [
            (LogState::Running, LogOutcome::NotCompleted),
            (LogState::Interrupted, LogOutcome::NotCompleted),
            (LogState::Refused, LogOutcome::NotCompleted),
            (LogState::DryRun, LogOutcome::NotCompleted),
            (LogState::Empty, LogOutcome::Unreadable),
            (LogState::Unknown, LogOutcome::Unreadable),
        ] {
            let summary = LogSummary {
                state,
                ..completed()
            };
            assert_eq!(LogOutcome::of(&summary, 95.0), expected);
        }
    }

    #[test]
    fn a_run_that_had_nothing_to_do_reaches_every_rate() {
        let nothing = LogSummary {
            total_days: Some(0),
            successful_days: 0,
            success_rate: None,
            ..completed()
        };
        assert_eq!(LogOutcome::of(&nothing, 100.0), LogOutcome::Good);
    }
}
