//! What an exit and a log come to together: the table of the documentation, as a function.

use bf_contract::{Exit, ExitSource, LogState, ProcessExit};

/// Judges how a job ended. `log` is the state of its log, `None` where none was given.
///
/// Where the exit is unknown and the log says that the job completed, the log becomes the source of what
/// is known. An unknown exit alone is never a success.
#[must_use]
pub fn judge(exit: ProcessExit, log: Option<LogState>) -> (ProcessExit, Exit) {
    if exit.is_failure() {
        return (exit, Exit::Failed);
    }
    if exit.is_clean() {
        let verdict = match log {
            None | Some(LogState::Completed) => Exit::Success,
            Some(
                LogState::Running | LogState::Interrupted | LogState::Refused | LogState::DryRun,
            ) => Exit::Failed,
            Some(LogState::Empty | LogState::Unknown) => Exit::CouldNotCheck,
        };
        return (exit, verdict);
    }
    match log {
        Some(LogState::Completed) => (ProcessExit::unknown(ExitSource::Log), Exit::Success),
        _ => (
            ProcessExit::unknown(ExitSource::Unknown),
            Exit::CouldNotCheck,
        ),
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::{Exit, ExitSource, LogState, ProcessExit};

    use super::judge;

    const EVERY_LOG: [Option<LogState>; 8] = [
        None,
        Some(LogState::Running),
        Some(LogState::Completed),
        Some(LogState::Interrupted),
        Some(LogState::Refused),
        Some(LogState::DryRun),
        Some(LogState::Empty),
        Some(LogState::Unknown),
    ];

    fn code(code: i32) -> ProcessExit {
        ProcessExit {
            code: Some(code),
            ..ProcessExit::unknown(ExitSource::Pidfd)
        }
    }

    #[test]
    fn a_failed_process_is_a_failure_whatever_its_log_says() {
        let killed = ProcessExit {
            signal: Some(9),
            ..ProcessExit::unknown(ExitSource::Pidfd)
        };
        for log in EVERY_LOG {
            assert_eq!(judge(code(7), log).1, Exit::Failed);
            assert_eq!(judge(killed.clone(), log).1, Exit::Failed);
        }
    }

    #[test]
    fn a_clean_exit_is_as_good_as_its_log() {
        let expected = [
            Exit::Success,
            Exit::Failed,
            Exit::Success,
            Exit::Failed,
            Exit::Failed,
            Exit::Failed,
            Exit::CouldNotCheck,
            Exit::CouldNotCheck,
        ];
        for (log, expected) in EVERY_LOG.into_iter().zip(expected) {
            let (exit, verdict) = judge(code(0), log);
            assert_eq!(
                (verdict, exit.source),
                (expected, ExitSource::Pidfd),
                "{log:?}"
            );
        }
    }

    #[test]
    fn an_unknown_exit_is_good_only_where_the_log_completed() {
        for log in EVERY_LOG {
            let (exit, verdict) = judge(ProcessExit::unknown(ExitSource::Unknown), log);
            if log == Some(LogState::Completed) {
                assert_eq!((verdict, exit.source), (Exit::Success, ExitSource::Log));
            } else {
                assert_eq!(
                    (verdict, exit.source),
                    (Exit::CouldNotCheck, ExitSource::Unknown)
                );
            }
        }
    }
}
