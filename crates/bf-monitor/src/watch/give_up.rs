//! Giving up: the timeout, and ending the job if that was asked for.

use std::collections::HashSet;
use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::duration;
use bf_contract::{Exit, ProcessEventKind};
use bf_parse_log::LogEnd;
use rustix::process::Signal;

use super::Watch;
use crate::job;
use crate::proc::{Member, monotonic};
use crate::report::Details;

/// How long a job may take to be gone after SIGKILL.
const KILL_GRACE: Duration = Duration::from_secs(5);
/// Between two looks at what is left of a job that is being ended.
const PAUSE: Duration = Duration::from_millis(50);

impl Watch {
    /// Time until the timeout; zero once it has passed, `None` if there is none.
    pub(super) fn until_timeout(&self) -> Option<Duration> {
        let limit = self.settings.timeout?;
        Some(limit.saturating_sub(self.job.age()?))
    }

    /// Gives up if the timeout has passed.
    pub(super) fn give_up_if_due(&mut self) -> Result<Option<Exit>, Failure> {
        if self.settings.end {
            return self.give_up("asked to end it").map(Some);
        }
        if self.until_timeout().is_some_and(|left| left.is_zero()) {
            let limit = self.settings.timeout.unwrap_or_default();
            let reason = format!("it has run for more than {}", duration(limit));
            return self.give_up(&reason).map(Some);
        }
        Ok(None)
    }

    /// Ends with 124. The job keeps running, unless it is to be ended.
    pub(super) fn give_up(&mut self, reason: &str) -> Result<Exit, Failure> {
        self.reporter.end_bar();
        let name = self.job.name();
        let outcome = if self.settings.kill {
            self.reporter.say(&format!("{reason}; ending {name}"))?;
            self.end_the_job()
        } else {
            format!("{name} is left running")
        };
        self.read_log(monotonic())?;
        self.save()?;
        let left = self.left();
        let end = if self.job.ended.is_some() && left.is_empty() {
            LogEnd::WriterGone
        } else {
            LogEnd::StillWritten
        };
        let message = format!("{reason}; {outcome}");
        let details = Details {
            message: Some(message.clone()),
            exit: self.job.ended.as_ref().map(|end| end.exit.clone()),
            exit_code: Some(Exit::TimedOut.code()),
            alive: job::alive(&left),
            ..self.details(self.summary(end))
        };
        self.reporter.event(ProcessEventKind::TimedOut, details)?;
        self.reporter.warn(&format!("timed out: {message}"))?;
        Ok(Exit::TimedOut)
    }

    /// What lives of the job beside its own process; nothing if that cannot be found out.
    fn left(&self) -> Vec<Member> {
        self.job.living().unwrap_or_default()
    }

    /// SIGTERM to everything of the job, SIGKILL to whatever of it does not end. Says what came of it.
    fn end_the_job(&mut self) -> String {
        let name = self.job.name();
        for (signal, called, grace) in [
            (Signal::TERM, "SIGTERM", self.settings.kill_grace),
            (Signal::KILL, "SIGKILL", KILL_GRACE),
        ] {
            match self.signal_until(signal, monotonic() + grace) {
                Ok(true) => return format!("{name} was ended with {called}"),
                Ok(false) => {}
                Err(error) => return format!("{name} could not be ended: {error}"),
            }
        }
        let left = job::alive(&self.left());
        if self.job.ended.is_none() {
            format!("{name} does not end")
        } else if left.is_empty() {
            format!("{name} has ended")
        } else {
            format!(
                "{name} has ended, and what it started does not end ({})",
                job::in_words(&left)
            )
        }
    }

    /// Signals whatever lives of the job, what it starts meanwhile included, until nothing is left or `deadline`.
    fn signal_until(&mut self, signal: Signal, deadline: Duration) -> std::io::Result<bool> {
        let mut got_it = HashSet::new();
        loop {
            if signal == Signal::KILL {
                got_it.clear(); // more than once does no harm, and a pid may be another member's by now
            }
            let sent = self.job.signal(signal, &mut got_it);
            self.job.ask(monotonic());
            let is_waited_for = self.job.family.is_waited_for();
            if self.job.ended.is_some() && self.left().is_empty() && !is_waited_for {
                return Ok(true);
            }
            if self.job.ended.is_none() {
                sent?;
            }
            let now = monotonic();
            if now >= deadline {
                return Ok(false);
            }
            self.wait((now + PAUSE).min(deadline));
            self.job.ask(monotonic());
        }
    }
}
