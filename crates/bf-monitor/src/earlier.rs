//! Whether what a log holds already is of the process that is watched, or of an earlier run.
//!
//! An old run's happy end must never be taken for that of a process that has said nothing. Times decide where
//! they can be compared; where they cannot, a run that has ended counts as an earlier one, and one that is not
//! over can do no harm: its end would still have to be written.

use std::fs::{File, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bf_contract::LogState;

use bf_logtail::Place;
use bf_parse_log::{Dialects, LogEnd};

use crate::log::LogWatch;
use crate::proc::{self, Process};

/// Start times of processes are in ticks of 10 ms, those of files in the kernel's, which are no longer.
const DOUBT: Duration = Duration::from_millis(20);

/// When a log was last written to, as seen from a process's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Before,
    Since,
    /// Too close to tell, or by a clock that is not this machine's.
    Unclear,
}

/// A log to follow from where the run of `process` begins, and what is to be said of that.
pub(crate) fn begin(
    path: &Path,
    shown: &Path,
    process: &Process,
    dialects: &Dialects,
) -> (LogWatch, Option<String>) {
    let mut log = LogWatch::new(path, None, dialects);
    let Some((file, metadata)) = File::open(path)
        .and_then(|file| file.metadata().map(|metadata| (file, metadata)))
        .ok()
        .filter(|(_, metadata)| metadata.len() > 0)
    else {
        return (log, None);
    };
    let shown = shown.display();
    match written(&file, &metadata, process) {
        Written::Since => (log, None),
        Written::Before => match Place::end_of(&file) {
            Ok(end) => {
                let note = format!(
                    "the log {shown} was last written to before the process started; what it holds is of an earlier run and is not read"
                );
                (LogWatch::new(path, Some(end), dialects), Some(note))
            }
            Err(_) => (log, None), // it cannot be read at all, which is said soon enough
        },
        Written::Unclear => {
            log.read(proc::monotonic());
            let is_readable = log.problem().is_none();
            let is_over = is_readable && is_over(log.summary(LogEnd::StillWritten).state);
            let note = is_over.then(|| {
                log.forget();
                format!(
                    "the log {shown} holds a run that has ended, and its timestamp does not tell whether this process wrote it; assuming an earlier run, it is not read"
                )
            });
            (log, note)
        }
    }
}

fn written(file: &File, metadata: &Metadata, process: &Process) -> Written {
    // The two clocks cannot be read at once: the start lies between what the one and the other reading make of it.
    let before = SystemTime::now();
    let age = process.age();
    let after = SystemTime::now();
    let start = |now: SystemTime| now.checked_sub(age?);
    match (metadata.modified(), start(before), start(after)) {
        (Ok(modified), Some(earliest), Some(latest)) if proc::has_local_timestamps(file) => {
            compare(modified, (earliest, latest), after)
        }
        _ => Written::Unclear,
    }
}

/// `started`: the earliest and the latest moment that the process may have started at.
fn compare(modified: SystemTime, started: (SystemTime, SystemTime), now: SystemTime) -> Written {
    if modified + DOUBT < started.0 {
        Written::Before
    } else if modified > started.1 + DOUBT && modified <= now + DOUBT {
        Written::Since
    } else {
        // mtime in the future: not our clock.
        Written::Unclear
    }
}

/// Whether the last run of a log has ended.
fn is_over(state: LogState) -> bool {
    match state {
        LogState::Completed | LogState::Interrupted | LogState::Refused | LogState::DryRun => true,
        LogState::Running | LogState::Empty | LogState::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Written, compare};

    #[test]
    fn a_log_is_of_this_run_only_where_its_time_leaves_no_doubt() {
        let moment = |milliseconds: u64| {
            SystemTime::UNIX_EPOCH
                + Duration::from_secs(1_700_000_000)
                + Duration::from_millis(milliseconds)
        };
        let (started, now) = ((moment(10_000), moment(10_005)), moment(60_000));
        for (modified, expected) in [
            (0, Written::Before),
            (9_970, Written::Before),
            (9_990, Written::Unclear),
            (10_020, Written::Unclear),
            (10_030, Written::Since),
            (60_000, Written::Since),
            (120_000, Written::Unclear),
        ] {
            assert_eq!(
                compare(moment(modified), started, now),
                expected,
                "{modified}"
            );
        }
    }
}
