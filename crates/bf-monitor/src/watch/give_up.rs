//! Giving up: the time limit, and ending the job where that was asked for.

use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::duration;
use bf_contract::{Exit, ProcessEventKind};
use rustix::process::Signal;

use super::Watch;
use crate::report::Details;
use crate::sys::{self, monotonic};
use bf_parse_log::LogEnd;

/// How long a job may take to be gone after SIGKILL.
const KILL_GRACE: Duration = Duration::from_secs(5);

impl Watch {
    /// Time until the limit; zero once it has passed, `None` where there is none.
    pub(super) fn until_timeout(&self) -> Option<Duration> {
        let limit = self.settings.timeout?;
        let age = self.process.as_ref()?.age()?;
        Some(limit.saturating_sub(age))
    }

    /// Gives up where the time limit has passed.
    pub(super) fn give_up_where_due(&mut self) -> Result<Option<Exit>, Failure> {
        if self.until_timeout().is_some_and(|left| left.is_zero()) {
            let limit = self.settings.timeout.unwrap_or_default();
            let reason = format!("it has run for more than {}", duration(limit));
            return self.give_up(&reason).map(Some);
        }
        Ok(None)
    }

    /// Ends with 124. The job goes on, unless it is to be ended.
    pub(super) fn give_up(&mut self, reason: &str) -> Result<Exit, Failure> {
        self.reporter.end_bar();
        let job = self.job_in_words();
        let outcome = if self.settings.kill {
            self.reporter.say(&format!("{reason}; ending {job}"))?;
            self.end_the_job()
        } else {
            format!("{job} is left running")
        };
        let now = monotonic();
        self.read_log(now)?;
        self.keep()?;
        let end = if self.over.is_some() {
            LogEnd::WriterGone
        } else {
            LogEnd::StillWritten
        };
        let message = format!("{reason}; {outcome}");
        let details = Details {
            message: Some(message.clone()),
            exit: self.over.as_ref().map(|end| end.exit.clone()),
            ..self.details(self.summary(end))
        };
        self.reporter.event(ProcessEventKind::TimedOut, details)?;
        self.reporter.warn(&format!("timed out: {message}"))?;
        Ok(Exit::TimedOut)
    }

    /// SIGTERM to the job's group, SIGKILL to whatever of it that does not end. Says what came of it.
    fn end_the_job(&mut self) -> String {
        let job = self.job_in_words();
        for (signal, name, grace) in [
            (Signal::TERM, "SIGTERM", self.settings.kill_grace),
            (Signal::KILL, "SIGKILL", KILL_GRACE),
        ] {
            if let Err(error) = self.signal_what_is_left(signal) {
                self.ask_once();
                if self.is_ended() {
                    break;
                }
                return format!("{job} could not be ended: {error}");
            }
            self.await_end(monotonic() + grace);
            if self.is_ended() {
                return format!("{job} was ended with {name}");
            }
        }
        let left = self.group_left();
        if self.over.is_none() {
            format!("{job} does not end")
        } else if left.is_empty() {
            format!("{job} ended by itself")
        } else {
            let pids: Vec<String> = left.iter().map(|(pid, _)| pid.to_string()).collect();
            format!(
                "{job} is over, and what it started does not end (pid {})",
                pids.join(", ")
            )
        }
    }

    /// Signals the job, or what is left of its process group once the job itself is over.
    fn signal_what_is_left(&self, signal: Signal) -> std::io::Result<()> {
        match (&self.process, &self.identity) {
            (Some(process), _) if self.over.is_none() => process.signal_group(signal),
            (_, Some(identity)) if !self.group_left().is_empty() => {
                sys::signal_group_of(identity.pid, signal)
            }
            _ => Ok(()),
        }
    }

    /// Members of the job's own process group that still run.
    fn group_left(&self) -> Vec<(u32, u64)> {
        match (&self.identity, self.leads_group) {
            (Some(identity), true) => sys::group_members(identity.pid),
            _ => Vec::new(),
        }
    }

    /// Whether nothing is left of the job and its process group.
    fn is_ended(&self) -> bool {
        self.over.is_some() && self.group_left().is_empty()
    }

    /// Waits until nothing is left, at most until `deadline`.
    fn await_end(&mut self, deadline: Duration) {
        /// Nobody tells when the last member of a group is gone.
        const PAUSE: Duration = Duration::from_millis(50);
        while !self.is_ended() {
            let now = monotonic();
            if now >= deadline {
                return;
            }
            let until = if self.over.is_some() {
                now + PAUSE
            } else {
                self.ending.deadline().unwrap_or(deadline)
            };
            self.wait(until.min(deadline));
            self.ask_once();
        }
    }

    fn ask_once(&mut self) {
        if let (None, Some(process)) = (&self.over, &self.process) {
            self.over = self.ending.ask(monotonic(), process);
        }
    }
}
