//! What does not move, slows down or is stopped, and what is reported of it.

use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::duration;
use bf_contract::{Exit, LogSummary, ProcessEventKind};
use bf_parse_log::LogEnd;

use super::Watch;
use crate::args::OnHang;
use crate::proc::{self, Total};
use crate::report::Details;
use crate::stall::{Activity, IdleTimes, Sign, StallDetector};

/// Dates that a log in a known dialect has an outcome of.
pub(super) fn finished(summary: &LogSummary) -> Option<u64> {
    summary.dialect.as_ref()?;
    Some(summary.successful_days + summary.failed_days + summary.skipped_days)
}

impl Watch {
    /// What can be seen of the job now.
    pub(super) fn activity(&mut self, summary: Option<&LogSummary>) -> Activity {
        if let (Some(process), None) = (&self.job.process, &self.job.ended) {
            self.pace.usage = proc::usage(process.identity().pid);
            self.job.family.see(&self.pace.usage.descendants);
        }
        let known = |sum: u64| Total {
            sum,
            complete: true,
        };
        [
            self.log.as_ref().map(|log| known(log.bytes())),
            summary.and_then(finished).map(known),
            self.pace.usage.cpu_ticks,
            self.pace.usage.io_bytes,
        ]
    }

    /// What is to be reported of a job that is stopped, once until it continues. One that continues by the next pass
    /// is not reported.
    pub(super) fn newly_stopped(&mut self) -> Option<String> {
        let is_stopped = self.pace.usage.is_stopped && self.job.ended.is_none();
        let stays_stopped = std::mem::replace(&mut self.pace.was_stopped, is_stopped) && is_stopped;
        let was_said = std::mem::replace(&mut self.said.stopped, stays_stopped);
        let pid = self.job.identity.as_ref()?.pid;
        (stays_stopped && !was_said).then(|| {
            format!(
                "{} is stopped by a signal and does nothing; kill -CONT {pid} lets it continue",
                self.job.name()
            )
        })
    }

    /// What is to be reported of a rate that has fallen, once until it recovers.
    pub(super) fn newly_slow(&mut self) -> Option<String> {
        let slow = self.pace.rate.slowed_down();
        let was_slow = std::mem::replace(&mut self.said.slow, slow.is_some());
        let (recent, median) = slow.filter(|_| !was_slow)?;
        Some(format!(
            "a date takes {} now, more than three times the {} that it took before",
            duration(recent),
            duration(median)
        ))
    }

    /// Reports what is quiet, stalled or hung.
    pub(super) fn report_stalls(
        &mut self,
        now: Duration,
        activity: Activity,
    ) -> Result<Option<Exit>, Failure> {
        if self.job.ended.is_some() || self.job.process.is_none() {
            return Ok(None);
        }
        let limits = self.settings.limits(self.pace.rate.median_gap());
        let stall = &mut self.pace.stall;
        let stall = stall.get_or_insert_with(|| StallDetector::new(now, activity));
        let findings = stall.observe(now, activity, limits);
        let idle = stall.idle_times(now);
        for finding in findings {
            let message = stall_in_words(finding, idle, self.pace.usage.is_stopped);
            self.reporter.warn(&message)?;
            let details = Details {
                message: Some(message),
                ..self.details(self.summary(LogEnd::StillWritten))
            };
            self.reporter.event(finding, details)?;
            if finding == ProcessEventKind::Hung && self.settings.on_hang == OnHang::Exit {
                return self.give_up("it hangs").map(Some);
            }
        }
        Ok(None)
    }
}

/// What does not move, in words.
fn stall_in_words(finding: ProcessEventKind, idle: IdleTimes, is_stopped: bool) -> String {
    let of = |sign: Sign| idle[sign as usize];
    let mut parts = Vec::new();
    for (what, sign) in [
        ("no new log", Sign::Log),
        ("no date done", Sign::Dates),
        ("no CPU time", Sign::Cpu),
        ("no I/O", Sign::Io),
    ] {
        if let Some(idle) = of(sign).filter(|idle| !idle.is_zero()) {
            parts.push(format!("{what} for {}", duration(idle)));
        }
    }
    let unknown: Vec<&str> = [("CPU time", Sign::Cpu), ("I/O", Sign::Io)]
        .into_iter()
        .filter_map(|(what, sign)| of(sign).is_none().then_some(what))
        .collect();
    if !unknown.is_empty() {
        parts.push(format!("{} cannot be read", unknown.join(" and ")));
    }
    let meaning = match finding {
        ProcessEventKind::Quiet => "quiet: it works and writes no log (buffered output?)",
        ProcessEventKind::Stalled => "stalled: something moves, and no date gets done",
        _ if is_stopped => "hung: it is stopped by a signal, and nothing moves",
        _ => "hung: nothing moves that can be read",
    };
    format!("{meaning}: {}", parts.join(", "))
}
