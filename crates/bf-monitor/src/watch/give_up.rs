//! Giving up: the time limit, and ending the job where that was asked for.

use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::duration;
use bf_contract::{Exit, ProcessEventKind};
use rustix::process::Signal;

use super::Watch;
use crate::log::Writer;
use crate::report::Details;
use crate::sys::monotonic;

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
        let writer = if self.over.is_some() {
            Writer::Gone
        } else {
            Writer::Alive
        };
        let message = format!("{reason}; {outcome}");
        let details = Details {
            message: Some(message.clone()),
            exit: self.over.as_ref().map(|end| end.exit.clone()),
            ..self.details(self.summary(writer))
        };
        self.reporter.event(ProcessEventKind::TimedOut, details)?;
        self.reporter.warn(&format!("timed out: {message}"))?;
        Ok(Exit::TimedOut)
    }

    /// SIGTERM to the job's group, SIGKILL where that does not help. Says what came of it.
    fn end_the_job(&mut self) -> String {
        let job = self.job_in_words();
        for (signal, name, grace) in [
            (Signal::TERM, "SIGTERM", self.settings.kill_grace),
            (Signal::KILL, "SIGKILL", KILL_GRACE),
        ] {
            let Some(process) = &self.process else {
                break;
            };
            if let Err(error) = process.signal_group(signal) {
                self.ask_once();
                if self.over.is_some() {
                    break;
                }
                return format!("{job} could not be ended: {error}");
            }
            let deadline = monotonic() + grace;
            while self.over.is_none() && monotonic() < deadline {
                let until = self.ending.deadline().unwrap_or(deadline).min(deadline);
                self.wait(until);
                self.ask_once();
            }
            if self.over.is_some() {
                return format!("{job} was ended with {name}");
            }
        }
        if self.over.is_some() {
            format!("{job} ended by itself")
        } else {
            format!("{job} does not end")
        }
    }

    fn ask_once(&mut self) {
        if let (None, Some(process)) = (&self.over, &self.process) {
            self.over = self.ending.ask(monotonic(), process);
        }
    }
}
