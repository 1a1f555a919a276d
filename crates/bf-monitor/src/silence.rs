//! What it means that something does not move: quiet, stalled, hung.

use std::time::Duration;

use bf_contract::ProcessEventKind;
use serde::{Deserialize, Serialize};

use crate::sys::Total;

/// What can be seen of a job at one moment. `None` is unknown: not given, or not readable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    /// Bytes that its log came to.
    pub log: Option<u64>,
    /// Dates that it finished, by its log.
    pub counter: Option<u64>,
    /// CPU time.
    pub cpu: Option<Total>,
    /// Bytes through system calls.
    pub io: Option<Total>,
}

/// How long nothing may move before it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// No log, though the process works.
    pub quiet: Duration,
    /// No date, though something moves.
    pub stalled: Duration,
    /// Nothing at all.
    pub hung: Duration,
}

/// Since when each sign stands still, on a monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    signs: Signs,
    log_since: Duration,
    counter_since: Duration,
    cpu_since: Duration,
    io_since: Duration,
    said_quiet: bool,
    said_stalled: bool,
    said_hung: bool,
}

/// For how long each sign has stood still; `None` where it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stillness {
    /// The log.
    pub log: Option<Duration>,
    /// The counter.
    pub counter: Option<Duration>,
    /// CPU time.
    pub cpu: Option<Duration>,
    /// I/O.
    pub io: Option<Duration>,
}

impl Silence {
    /// Begins to watch; whatever stood still before is not known.
    #[must_use]
    pub fn new(now: Duration, signs: Signs) -> Self {
        Self {
            signs,
            log_since: now,
            counter_since: now,
            cpu_since: now,
            io_since: now,
            said_quiet: false,
            said_stalled: false,
            said_hung: false,
        }
    }

    /// Takes in what is seen now and returns what is to be said about it, each once until the thing moves
    /// again.
    pub fn observe(
        &mut self,
        now: Duration,
        signs: Signs,
        limits: Limits,
    ) -> Vec<ProcessEventKind> {
        let before = std::mem::replace(&mut self.signs, signs);
        let log_moved = before.log != signs.log;
        let counter_moved = before.counter != signs.counter;
        if log_moved {
            self.log_since = now;
            self.said_quiet = false;
        }
        if counter_moved {
            self.counter_since = now;
            self.said_stalled = false;
        }
        let cpu_moved = moved(before.cpu, signs.cpu);
        if cpu_moved {
            self.cpu_since = now;
        }
        let io_moved = moved(before.io, signs.io);
        if io_moved {
            self.io_since = now;
        }
        if log_moved || counter_moved || cpu_moved || io_moved {
            self.said_hung = false;
        }
        self.findings(now, limits)
    }

    fn findings(&mut self, now: Duration, limits: Limits) -> Vec<ProcessEventKind> {
        let still = self.stillness(now);
        let works = |limit: Duration| {
            let within = |still: Option<Duration>| still.is_some_and(|still| still < limit);
            within(still.cpu) || within(still.io)
        };
        let mut findings = Vec::new();

        if still.log.is_some_and(|still| still >= limits.quiet)
            && works(limits.quiet)
            && !self.said_quiet
        {
            self.said_quiet = true;
            findings.push(ProcessEventKind::Quiet);
        }
        let something_moves =
            works(limits.stalled) || still.log.is_some_and(|still| still < limits.stalled);
        if still.counter.is_some_and(|still| still >= limits.stalled)
            && something_moves
            && !self.said_stalled
        {
            self.said_stalled = true;
            findings.push(ProcessEventKind::Stalled);
        }
        // CPU at least must be readable: silence of what cannot be heard is no silence.
        let readable = [still.log, still.counter, still.cpu, still.io];
        let nothing_moves = still.cpu.is_some()
            && readable
                .into_iter()
                .flatten()
                .all(|still| still >= limits.hung);
        if nothing_moves && !self.said_hung {
            self.said_hung = true;
            findings.push(ProcessEventKind::Hung);
        }
        findings
    }

    /// For how long each sign has stood still.
    #[must_use]
    pub fn stillness(&self, now: Duration) -> Stillness {
        let since = |moment: Duration| now.saturating_sub(moment);
        let readable = |total: Option<Total>| total.is_some_and(|total| total.complete);
        Stillness {
            log: self.signs.log.map(|_| since(self.log_since)),
            counter: self.signs.counter.map(|_| since(self.counter_since)),
            cpu: readable(self.signs.cpu).then(|| since(self.cpu_since)),
            io: readable(self.signs.io).then(|| since(self.io_since)),
        }
    }
}

/// Whether a sum changed. It falls, too, when a descendant ends that nobody waits for.
fn moved(before: Option<Total>, now: Option<Total>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => before.sum != now.sum,
        (None, None) => false,
        // It became readable, or stopped to be: nothing is known of the time before.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bf_contract::ProcessEventKind::{Hung, Quiet, Stalled};

    use super::{Limits, Signs, Silence};
    use crate::sys::Total;

    const LIMITS: Limits = Limits {
        quiet: Duration::from_secs(300),
        stalled: Duration::from_secs(1_800),
        hung: Duration::from_secs(3_600),
    };

    fn total(sum: u64) -> Option<Total> {
        Some(Total {
            sum,
            complete: true,
        })
    }

    fn signs(log: u64, counter: u64, cpu: u64, io: u64) -> Signs {
        Signs {
            log: Some(log),
            counter: Some(counter),
            cpu: total(cpu),
            io: total(io),
        }
    }

    /// Everything that is said in two hours, with the minute.
    fn two_hours(of: impl Fn(u64) -> Signs) -> Vec<(u64, bf_contract::ProcessEventKind)> {
        let mut silence = Silence::new(Duration::ZERO, of(0));
        let mut said = Vec::new();
        for minute in 1..=120 {
            let now = Duration::from_secs(60 * minute);
            for finding in silence.observe(now, of(minute), LIMITS) {
                said.push((minute, finding));
            }
        }
        said
    }

    #[test]
    fn a_job_that_gets_on_is_not_spoken_of() {
        assert_eq!(
            two_hours(|minute| signs(minute, minute, minute, minute)),
            []
        );
    }

    #[test]
    fn a_sleeping_process_is_hung_and_nothing_else() {
        assert_eq!(two_hours(|_| signs(10, 1, 5, 5)), [(60, Hung)]);
    }

    #[test]
    fn a_spinning_process_is_quiet_and_then_stalled_and_never_hung() {
        assert_eq!(
            two_hours(|minute| signs(10, 1, minute, 5)),
            [(5, Quiet), (30, Stalled)]
        );
    }

    #[test]
    fn a_retry_loop_is_stalled_though_its_log_grows() {
        assert_eq!(two_hours(|minute| signs(minute, 1, 5, 5)), [(30, Stalled)]);
    }

    #[test]
    fn a_spinning_process_without_a_log_is_not_spoken_of() {
        let of = |minute| Signs {
            cpu: total(minute),
            ..Signs::default()
        };
        assert_eq!(two_hours(of), []);
    }

    #[test]
    fn where_the_cpu_cannot_be_read_nothing_is_called_hung() {
        let of = |_| Signs {
            cpu: None,
            ..signs(10, 1, 0, 5)
        };
        assert_eq!(two_hours(of), []);
        let partly = |_| Signs {
            cpu: Some(Total {
                sum: 5,
                complete: false,
            }),
            ..signs(10, 1, 0, 5)
        };
        assert_eq!(two_hours(partly), []);
    }

    #[test]
    fn io_that_cannot_be_read_leaves_hung_to_the_others() {
        let of = |_| Signs {
            io: None,
            ..signs(10, 1, 5, 0)
        };
        assert_eq!(two_hours(of), [(60, Hung)]);
    }

    #[test]
    fn a_job_that_hangs_again_is_said_again() {
        let of = |minute| {
            let cpu = if minute < 61 { 1 } else { 2 };
            Signs {
                log: None,
                counter: None,
                ..signs(0, 0, cpu, 5)
            }
        };
        let mut silence = Silence::new(Duration::ZERO, of(0));
        let mut said = Vec::new();
        for minute in 1..=180 {
            let now = Duration::from_secs(60 * minute);
            said.extend(
                silence
                    .observe(now, of(minute), LIMITS)
                    .into_iter()
                    .map(|finding| (minute, finding)),
            );
        }
        assert_eq!(said, [(60, Hung), (121, Hung)]);
    }
}
