//! What stands still, slows down or is stopped, and what is said of it.

use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::duration;
use bf_contract::{Exit, LogSummary, ProcessEventKind};

use super::Watch;
use crate::args::OnHang;
use crate::report::Details;
use crate::silence::{Signs, Silence, Stillness};
use crate::sys;
use bf_parse_log::LogEnd;

impl Watch {
    /// What can be seen of the job now.
    pub(super) fn signs(&mut self, summary: Option<&LogSummary>) -> Signs {
        if let (Some(process), None) = (&self.process, &self.over) {
            self.usage = sys::usage(process.identity().pid);
        }
        Signs {
            log: self.log.as_ref().map(|log| log.log.bytes()),
            counter: summary
                .filter(|summary| summary.dialect.is_some())
                .map(|summary| {
                    summary.successful_days + summary.failed_days + summary.skipped_days
                }),
            cpu: self.usage.cpu_ticks,
            io: self.usage.io_bytes,
        }
    }

    /// What is to be said of a job that is stopped, once until it goes on. One that goes on by the next look
    /// is not spoken of.
    pub(super) fn newly_stopped(&mut self) -> Option<String> {
        let is_stopped = self.usage.is_stopped && self.over.is_none();
        let stays_stopped = std::mem::replace(&mut self.was_stopped, is_stopped) && is_stopped;
        let was_said = std::mem::replace(&mut self.said.stopped, stays_stopped);
        let pid = self.identity.as_ref()?.pid;
        (stays_stopped && !was_said).then(|| {
            format!(
                "{} is stopped by a signal and does nothing; kill -CONT {pid} lets it go on",
                self.job_in_words()
            )
        })
    }

    /// What is to be said of a rate that has fallen, once until it recovers.
    pub(super) fn newly_slow(&mut self) -> Option<String> {
        let slow = self.rate.slowed_down();
        let was_slow = std::mem::replace(&mut self.said.slow, slow.is_some());
        let (recent, median) = slow.filter(|_| !was_slow)?;
        Some(format!(
            "a date takes {} of late, more than three times the {} that it took before",
            duration(recent),
            duration(median)
        ))
    }

    /// Says what is quiet, stalled or hung.
    pub(super) fn say_what_stands_still(
        &mut self,
        now: Duration,
        signs: Signs,
    ) -> Result<Option<Exit>, Failure> {
        if self.over.is_some() || self.process.is_none() {
            return Ok(None);
        }
        let limits = self.settings.limits(self.rate.median_gap());
        let silence = self.silence.get_or_insert_with(|| Silence::new(now, signs));
        let findings = silence.observe(now, signs, limits);
        let still = silence.stillness(now);
        for finding in findings {
            let message = stillness_in_words(finding, still, self.usage.is_stopped);
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

/// What stands still, in words.
fn stillness_in_words(finding: ProcessEventKind, still: Stillness, is_stopped: bool) -> String {
    let mut parts = Vec::new();
    for (what, still) in [
        ("no new log", still.log),
        ("no date done", still.counter),
        ("no CPU time", still.cpu),
        ("no I/O", still.io),
    ] {
        if let Some(still) = still.filter(|still| !still.is_zero()) {
            parts.push(format!("{what} for {}", duration(still)));
        }
    }
    let unknown: Vec<&str> = [("CPU time", still.cpu), ("I/O", still.io)]
        .into_iter()
        .filter_map(|(what, still)| still.is_none().then_some(what))
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
