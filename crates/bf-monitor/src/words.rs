//! How an exit is put in words.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use bf_contract::{ExitSource, ProcessExit};

/// An exit as the contract says it.
pub(crate) fn process_exit(status: ExitStatus, source: ExitSource) -> ProcessExit {
    ProcessExit {
        code: status.code(),
        signal: status.signal(),
        signal_name: status.signal().map(signal_name),
        source,
    }
}

/// The name of a signal, such as `SIGKILL`; `SIGRTMIN+2` for those that have none of their own.
pub(crate) fn signal_name(signal: i32) -> String {
    // Linux numbers of the real-time signals; the C library keeps the first two for itself.
    const FIRST_REAL_TIME: i32 = 34;
    match signal_hook::low_level::signal_name(signal) {
        Some(name) => name.to_owned(),
        None if signal == FIRST_REAL_TIME => "SIGRTMIN".to_owned(),
        None if signal > FIRST_REAL_TIME => format!("SIGRTMIN+{}", signal - FIRST_REAL_TIME),
        None => format!("signal {signal}"),
    }
}

/// An exit in words. `oom_kills` is what the job's control group counted meanwhile: it does not say whom
/// it hit, so it is reported as a count, not as the cause.
pub(crate) fn exit_in_words(
    exit: &ProcessExit,
    core_dumped: bool,
    oom_kills: Option<u64>,
) -> String {
    let mut text = match (exit.code, exit.signal) {
        (_, Some(signal)) => format!("killed by {} ({signal})", signal_name(signal)),
        (Some(code), None) => format!("exited with code {code}"),
        (None, None) if exit.source == ExitSource::Log => {
            "its end was not seen; the log says that it completed".to_owned()
        }
        (None, None) => "it has ended; exit status unknown".to_owned(),
    };
    if core_dumped {
        text.push_str(", core dumped");
    }
    match oom_kills {
        Some(1) => text.push_str("; the cgroup counted 1 OOM kill"),
        Some(kills @ 2..) => text.push_str(&format!("; the cgroup counted {kills} OOM kills")),
        _ => {}
    }
    text
}

/// Where the knowledge of an exit comes from, in words.
pub(crate) const fn source_in_words(source: ExitSource) -> &'static str {
    match source {
        ExitSource::Child => "as its parent reports",
        ExitSource::Pidfd => "as the kernel recorded it",
        ExitSource::Zombie => "as the process table says",
        ExitSource::Record => "as the job's record says",
        ExitSource::Log => "as the log says",
        ExitSource::Unknown => "which was not seen",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use bf_contract::{ExitSource, ProcessExit};

    use super::{exit_in_words, process_exit, signal_name};

    #[test]
    fn a_kill_names_its_signal_and_what_was_counted_meanwhile() {
        let exit = process_exit(ExitStatus::from_raw(9), ExitSource::Pidfd);
        assert_eq!(
            exit_in_words(&exit, false, Some(0)),
            "killed by SIGKILL (9)"
        );
        assert_eq!(
            exit_in_words(&exit, false, Some(1)),
            "killed by SIGKILL (9); the cgroup counted 1 OOM kill"
        );
        let fault = process_exit(ExitStatus::from_raw(11 | 0x80), ExitSource::Pidfd);
        assert_eq!(fault.signal, Some(11));
        assert_eq!(
            exit_in_words(&fault, true, None),
            "killed by SIGSEGV (11), core dumped"
        );
    }

    #[test]
    fn a_code_above_127_is_a_code_and_no_signal() {
        let exit = process_exit(ExitStatus::from_raw(137 << 8), ExitSource::Child);
        assert_eq!((exit.code, exit.signal), (Some(137), None));
    }

    #[test]
    fn an_unknown_exit_is_said_as_that() {
        let exit = ProcessExit::unknown(ExitSource::Unknown);
        assert!(exit_in_words(&exit, false, None).contains("unknown"));
    }

    #[test]
    fn a_real_time_signal_has_a_name() {
        assert_eq!(signal_name(34), "SIGRTMIN");
        assert_eq!(signal_name(36), "SIGRTMIN+2");
    }
}
