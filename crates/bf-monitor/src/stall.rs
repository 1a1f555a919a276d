//! What it means that something does not move: quiet, stalled, hung.

use std::time::Duration;

use bf_contract::ProcessEventKind;
use serde::{Deserialize, Serialize};

use crate::proc::Total;

/// What moves while a job works: the index into [`Activity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Bytes of its log.
    Log,
    /// Dates that it finished, by its log.
    Dates,
    Cpu,
    /// Bytes through system calls.
    Io,
}

/// All signs, in the order of [`Activity`].
pub(crate) const SIGNS: [Sign; 4] = [Sign::Log, Sign::Dates, Sign::Cpu, Sign::Io];

/// What can be seen of a job at one moment. `None` is unknown: not given, or not readable.
pub(crate) type Activity = [Option<Total>; 4];

/// For how long each sign has stood still; `None` if it cannot be read.
pub(crate) type IdleTimes = [Option<Duration>; 4];

/// How long nothing may move before it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// No log, though the process works.
    pub(crate) quiet: Duration,
    /// No date, though something moves.
    pub(crate) stalled: Duration,
    pub(crate) hung: Duration,
}

/// Since when each sign has not moved, on a monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StallDetector {
    activity: Activity,
    since: [Duration; 4],
    said_quiet: bool,
    said_stalled: bool,
    /// The idle time at which a hang is reported next, once it was reported.
    hung_again_at: Option<Duration>,
}

impl StallDetector {
    /// Begins to watch; whatever stood still before is not known.
    pub(crate) fn new(now: Duration, activity: Activity) -> Self {
        Self {
            activity,
            since: [now; 4],
            said_quiet: false,
            said_stalled: false,
            hung_again_at: None,
        }
    }

    /// Takes in what is seen now and returns what is to be reported: quiet and stalled once until the sign moves
    /// again, hung with growing pauses.
    pub(crate) fn observe(
        &mut self,
        now: Duration,
        activity: Activity,
        limits: Limits,
    ) -> Vec<ProcessEventKind> {
        for sign in SIGNS {
            let at = sign as usize;
            if has_moved(self.activity[at], activity[at]) {
                self.since[at] = now;
                self.hung_again_at = None;
                self.said_quiet &= sign != Sign::Log;
                self.said_stalled &= sign != Sign::Dates;
            }
        }
        self.activity = activity;
        self.findings(self.idle_times(now), limits)
    }

    fn findings(&mut self, idle: IdleTimes, limits: Limits) -> Vec<ProcessEventKind> {
        let of = |sign: Sign| idle[sign as usize];
        let is_below =
            |sign: Sign, limit: Duration| of(sign).is_some_and(|idle_for| idle_for < limit);
        let works = |limit| is_below(Sign::Cpu, limit) || is_below(Sign::Io, limit);
        let mut findings = Vec::new();

        let is_quiet = of(Sign::Log).is_some_and(|idle| idle >= limits.quiet);
        if is_quiet && works(limits.quiet) && !self.said_quiet {
            self.said_quiet = true;
            findings.push(ProcessEventKind::Quiet);
        }
        let is_stalled = of(Sign::Dates).is_some_and(|idle| idle >= limits.stalled);
        let something_moves = works(limits.stalled) || is_below(Sign::Log, limits.stalled);
        if is_stalled && something_moves && !self.said_stalled {
            self.said_stalled = true;
            findings.push(ProcessEventKind::Stalled);
        }
        // Never a hang if the CPU time is unreadable.
        let idle_for = idle
            .into_iter()
            .flatten()
            .min()
            .filter(|_| of(Sign::Cpu).is_some());
        if let Some(idle_for) = idle_for
            && idle_for >= self.hung_again_at.unwrap_or(limits.hung)
        {
            self.hung_again_at = Some(idle_for.saturating_mul(2));
            findings.push(ProcessEventKind::Hung);
        }
        findings
    }

    /// For how long each sign has stood still.
    pub(crate) fn idle_times(&self, now: Duration) -> IdleTimes {
        SIGNS.map(|sign| {
            let at = sign as usize;
            let is_readable = self.activity[at].is_some_and(|total| total.complete);
            is_readable.then(|| now.saturating_sub(self.since[at]))
        })
    }
}

/// Whether a sum changed. It falls, too, when a descendant ends that its parent does not wait for.
fn has_moved(before: Option<Total>, now: Option<Total>) -> bool {
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

    use bf_contract::ProcessEventKind::{self, Hung, Quiet, Stalled};

    use super::{Activity, Limits, StallDetector};
    use crate::proc::Total;

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

    fn activity(log: u64, dates: u64, cpu: u64, io: u64) -> Activity {
        [total(log), total(dates), total(cpu), total(io)]
    }

    /// Everything that is reported in these hours, with the minute.
    fn reported(hours: u64, of: impl Fn(u64) -> Activity) -> Vec<(u64, ProcessEventKind)> {
        let mut detector = StallDetector::new(Duration::ZERO, of(0));
        let mut reported = Vec::new();
        for minute in 1..=60 * hours {
            let now = Duration::from_secs(60 * minute);
            for finding in detector.observe(now, of(minute), LIMITS) {
                reported.push((minute, finding));
            }
        }
        reported
    }

    #[test]
    fn a_job_that_gets_on_is_not_reported() {
        let found = reported(2, |minute| activity(minute, minute, minute, minute));
        assert_eq!(found, []);
    }

    #[test]
    fn a_sleeping_process_is_hung_and_that_is_repeated_with_growing_pauses() {
        let found = reported(9, |_| activity(10, 1, 5, 5));
        assert_eq!(found, [(60, Hung), (120, Hung), (240, Hung), (480, Hung)]);
    }

    #[test]
    fn a_spinning_process_is_quiet_and_then_stalled_and_never_hung() {
        let found = reported(2, |minute| activity(10, 1, minute, 5));
        assert_eq!(found, [(5, Quiet), (30, Stalled)]);
    }

    #[test]
    fn a_retry_loop_is_stalled_though_its_log_grows() {
        let found = reported(2, |minute| activity(minute, 1, 5, 5));
        assert_eq!(found, [(30, Stalled)]);
    }

    #[test]
    fn a_spinning_process_without_a_log_is_not_reported() {
        assert_eq!(reported(2, |minute| [None, None, total(minute), None]), []);
    }

    #[test]
    fn if_the_cpu_time_cannot_be_read_nothing_is_called_hung() {
        assert_eq!(reported(2, |_| [total(10), total(1), None, total(5)]), []);
        let partly = Some(Total {
            sum: 5,
            complete: false,
        });
        assert_eq!(reported(2, |_| [total(10), total(1), partly, total(5)]), []);
    }

    #[test]
    fn io_that_cannot_be_read_leaves_hung_to_the_others() {
        let found = reported(1, |_| [total(10), total(1), total(5), None]);
        assert_eq!(found, [(60, Hung)]);
    }

    #[test]
    fn a_job_that_hangs_again_is_reported_again_after_the_first_limit() {
        let found = reported(3, |minute| {
            let cpu = if minute < 61 { 1 } else { 2 };
            [None, None, total(cpu), total(5)]
        });
        assert_eq!(found, [(60, Hung), (121, Hung)]);
    }
}
