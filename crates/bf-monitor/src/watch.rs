//! The loop: sleeps until something happens, and looks.

mod ending;
mod followed;
mod give_up;
mod leftovers;
mod settle;
mod standstill;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use bf_cli::{Failure, Interrupt, Interrupts};
use bf_contract::{Exit, LogSummary, ProcessEventKind, ProcessIdentity};
use chrono::{DateTime, Utc};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use bf_logtail::Change;
use bf_parse_log::LogEnd;

use crate::log::Log;
use crate::rate::Rate;
use crate::report::{Details, Reporter};
use crate::settings::Settings;
use crate::silence::Silence;
use crate::state::{State, StateFile};
use crate::sys::{self, Cgroup, Process, Usage, monotonic};

pub use ending::End;
use ending::Ending;
use followed::Followed;

/// A job that is watched until it and its log are finished.
pub struct Watch {
    settings: Settings,
    reporter: Reporter,
    interrupts: Interrupts,
    /// `None` where the process was over before it could be watched.
    process: Option<Process>,
    identity: Option<ProcessIdentity>,
    /// Whether the process group of that pid is the job's own.
    leads_group: bool,
    started_at: Option<DateTime<Utc>>,
    ending: Ending,
    record: Option<PathBuf>,
    over: Option<End>,
    cgroup: Option<Cgroup>,
    log: Option<Followed>,
    state_file: Option<StateFile>,
    rate: Rate,
    silence: Option<Silence>,
    usage: Usage,
    /// Whether the job was stopped at the last look.
    was_stopped: bool,
    looks: u32,
    next_look: Duration,
    said: Said,
}

/// What was said already and is not said again.
#[derive(Debug, Default)]
struct Said {
    slow: bool,
    stopped: bool,
    leftovers: bool,
    state_is_lost: bool,
}

/// What a watch begins with.
pub struct Beginning {
    /// How to watch.
    pub settings: Settings,
    /// Where it is said.
    pub reporter: Reporter,
    /// The signals.
    pub interrupts: Interrupts,
    /// The process, where it is still there.
    pub process: Option<Process>,
    /// Who it is.
    pub identity: Option<ProcessIdentity>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// Its end, where that is over.
    pub over: Option<End>,
    /// Its keeper, where this bf-monitor started it.
    pub keeper: Option<crate::start::Keeper>,
    /// Its record.
    pub record: Option<PathBuf>,
    /// Its log.
    pub log: Option<Log>,
    /// Where to keep what is known.
    pub state_file: Option<StateFile>,
    /// What was kept.
    pub state: Option<State>,
}

impl Watch {
    /// Sets everything up; nothing is looked at yet.
    #[must_use]
    pub fn new(beginning: Beginning) -> Self {
        let Beginning {
            settings,
            mut reporter,
            interrupts,
            process,
            identity,
            started_at,
            over,
            keeper,
            record,
            log,
            state_file,
            state,
        } = beginning;
        reporter.set_process(identity.clone(), started_at);
        let same_boot = |state: &State| state.boot_id == sys::boot_id();
        let (rate, silence) = state
            .filter(same_boot)
            .map_or((Rate::default(), None), |state| (state.rate, state.silence));
        Self {
            cgroup: process
                .as_ref()
                .and_then(|process| Cgroup::of(process.identity().pid)),
            leads_group: keeper.is_some() || process.as_ref().is_some_and(Process::leads_its_group),
            ending: Ending::new(keeper, record.clone()),
            record,
            log: log.map(Followed::new),
            settings,
            reporter,
            interrupts,
            process,
            identity,
            started_at,
            over,
            state_file,
            rate,
            silence,
            usage: Usage::default(),
            was_stopped: false,
            looks: 0,
            next_look: monotonic(),
            said: Said::default(),
        }
    }

    /// Watches until the job and its log are finished, or until it is time to give up.
    ///
    /// # Errors
    /// Whoever reads the events went away (exit 3).
    pub fn run(mut self, begins_with: ProcessEventKind, message: &str) -> Result<Exit, Failure> {
        let outcome = self.watch(begins_with, message);
        // A reader that goes away must not take along what the kernel tells only once.
        if outcome.is_err() && self.refuse_what_never_began().is_ok() {
            let _ = self.keep();
        }
        outcome
    }

    fn watch(&mut self, begins_with: ProcessEventKind, message: &str) -> Result<Exit, Failure> {
        // A job that was started now was started, however soon it ended.
        if self.over.is_none() || begins_with == ProcessEventKind::Started {
            let details = Details {
                message: Some(message.to_owned()),
                ..self.details(None)
            };
            self.reporter.event(begins_with, details)?;
        }
        self.reporter.say(message)?;
        self.warn_of_another_log()?;
        loop {
            if let Some(interrupt) = self.interrupts.pending() {
                return self.interrupted(interrupt);
            }
            let now = monotonic();
            if self.over.is_none()
                && let Some(process) = &self.process
            {
                self.over = self.ending.ask(now, process);
            }
            if self.over.is_some() {
                if self.is_all_over(now)? {
                    return self.settle();
                }
                self.keep()?; // nobody can ask the kernel again
            }
            if self.over.is_none()
                && let Some(exit) = self.give_up_where_due()?
            {
                return Ok(exit);
            }
            self.read_log_where_due(now)?;
            if now >= self.next_look {
                if let Some(exit) = self.look(now)? {
                    return Ok(exit);
                }
                continue; // what was seen may have changed what there is to wait for
            }
            self.wait(self.wake_up_at(now));
        }
    }

    /// Looks at everything, says what is to be said, and keeps what is known.
    fn look(&mut self, now: Duration) -> Result<Option<Exit>, Failure> {
        self.read_log(now)?;
        if let Some(log) = &mut self.log
            && let Some(warning) = log.warning_while_nothing_is_there(now, self.settings.interval)
        {
            self.reporter.warn(&warning)?;
        }
        let summary = self.summary(LogEnd::StillWritten);
        let signs = self.signs(summary.as_ref());
        if let Some(finished) = signs.counter {
            self.rate.observe(now, finished);
        }
        let details = self.details(summary);
        self.reporter.move_bar(&details);
        let has_begun = self.looks > 0 || details.days().is_some();
        if has_begun && self.looks.is_multiple_of(self.settings.said_every) {
            self.reporter.progress(&details)?;
        }
        let notes: Vec<String> = [self.newly_stopped(), self.newly_slow()]
            .into_iter()
            .flatten()
            .collect();
        let details = Details {
            message: Some(notes.join("; ")).filter(|notes| !notes.is_empty()),
            ..details
        };
        self.reporter.event(ProcessEventKind::Progress, details)?;
        for note in notes {
            self.reporter.warn(&note)?;
        }
        let gave_up = self.say_what_stands_still(now, signs)?;
        if gave_up.is_some() {
            return Ok(gave_up);
        }
        self.keep()?;
        self.looks = self.looks.wrapping_add(1);
        // Looks keep to the beat; one that came late does not make the next ones late, nor many.
        while self.next_look <= now {
            self.next_look += self.settings.interval;
        }
        Ok(None)
    }

    /// Reads the log where it was woken for that, or where a pause is over.
    fn read_log_where_due(&mut self, now: Duration) -> Result<(), Failure> {
        if self.log.as_ref().is_some_and(|log| log.is_due(now)) {
            self.read_log(now)?;
            let summary = self.summary(LogEnd::StillWritten);
            let details = self.details(summary);
            self.reporter.move_bar(&details);
        }
        Ok(())
    }

    fn read_log(&mut self, now: Duration) -> Result<(), Failure> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let changes = log.read(now);
        if let Some(warning) = log.new_problem() {
            self.reporter.warn(&warning)?;
        }
        for change in changes {
            self.say_change(change)?;
        }
        Ok(())
    }

    fn say_change(&mut self, change: Change) -> Result<(), Failure> {
        let (event, message) = match change {
            Change::Appeared => return Ok(()),
            Change::Rotated { between: 0 } => (
                ProcessEventKind::LogRotated,
                "the log was rotated; the old file was read to its end".to_owned(),
            ),
            Change::Rotated { between } => (
                ProcessEventKind::LogRotated,
                format!(
                    "the log was rotated {} times; every file was read to its end",
                    between + 1
                ),
            ),
            Change::Truncated { recovered: true } => (
                ProcessEventKind::LogTruncated,
                "the log was cut; what it held was read to its end".to_owned(),
            ),
            Change::Truncated { recovered: false } => (
                ProcessEventKind::LogTruncated,
                "the log was cut; what was written to it since the last look may be lost"
                    .to_owned(),
            ),
            Change::Lost => (
                ProcessEventKind::LogRotated,
                "the file that the log was in is gone; what was written to it unread is lost"
                    .to_owned(),
            ),
        };
        self.reporter.warn(&message)?;
        let details = Details {
            message: Some(message),
            ..self.details(None)
        };
        self.reporter.event(event, details)
    }

    fn summary(&self, end: LogEnd) -> Option<LogSummary> {
        self.log.as_ref().map(|log| log.log.summary(end))
    }

    /// The parts of an event that are known at any time.
    fn details(&self, summary: Option<LogSummary>) -> Details {
        let remaining = summary
            .as_ref()
            .and_then(|summary| summary.total_days?.checked_sub(summary.current_day));
        Details {
            elapsed: self.elapsed(),
            days_per_hour: summary.as_ref().and_then(|_| self.rate.days_per_hour()),
            eta_seconds: remaining.and_then(|remaining| self.rate.eta_seconds(remaining)),
            log_summary: summary,
            ..Details::default()
        }
    }

    /// From the process's own start until now, or to its end.
    fn elapsed(&self) -> Option<Duration> {
        match &self.over {
            Some(end) => end.elapsed,
            None => self.process.as_ref()?.age(),
        }
    }

    /// Keeps what is known. A state file that cannot be written any more is said once: the watching does
    /// not depend on it.
    fn keep(&mut self) -> Result<(), Failure> {
        let Some(file) = &self.state_file else {
            return Ok(());
        };
        let saved = file.save(State {
            boot_id: sys::boot_id(),
            process: self.identity.clone(),
            started_at: self.started_at,
            log: self.log.as_ref().map(|log| log.log.keep()),
            rate: self.rate.clone(),
            silence: self.silence.clone(),
            ended: self.over.as_ref().map(|end| self.ended(end)),
            ..State::default()
        });
        let path = file.path().display().to_string();
        match saved {
            Ok(()) => self.said.state_is_lost = false,
            Err(error) => {
                if !std::mem::replace(&mut self.said.state_is_lost, true) {
                    self.reporter
                        .warn(&format!("the state file {path} cannot be written: {error}"))?;
                }
            }
        }
        Ok(())
    }

    /// Warns where the process writes to another file than the one that is read.
    fn warn_of_another_log(&mut self) -> Result<(), Failure> {
        let (Some(process), Some(log)) = (&self.process, &self.log) else {
            return Ok(());
        };
        let pid = process.identity().pid;
        let Some(warning) = leftovers::another_log(pid, &log.log) else {
            return Ok(());
        };
        self.reporter.warn(&warning)
    }

    /// When to wake up where nothing happens before.
    fn wake_up_at(&self, now: Duration) -> Duration {
        let timeout = self.until_timeout().map(|left| now + left);
        [
            Some(self.next_look),
            self.ending.deadline(),
            self.log.as_ref().and_then(Followed::due_at),
            timeout.filter(|_| self.over.is_none()),
            self.over.as_ref().map(|_| now + leftovers::PAUSE),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(self.next_look)
    }

    /// Sleeps until `until`, or until the process, its keeper, its log or a signal has news.
    fn wait(&mut self, until: Duration) {
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(4);
        fds.push(PollFd::new(&self.interrupts, PollFlags::IN));
        let log_at = fds.len();
        let wake = self.log.as_ref().and_then(Followed::wake);
        if let Some(wake) = wake {
            fds.push(PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN));
        }
        if self.over.is_none() {
            // A zombie's pidfd stays readable; only the hang-up at its reaping is still news.
            let news = if self.ending.saw_zombie() {
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            if let Some(pidfd) = self.process.as_ref().and_then(Process::pidfd) {
                fds.push(PollFd::from_borrowed_fd(pidfd, news));
            }
            if let Some(keeper) = self.ending.keeper() {
                let keeper: BorrowedFd<'_> = keeper.as_fd();
                fds.push(PollFd::from_borrowed_fd(keeper, PollFlags::IN));
            }
        }
        let limit = until.saturating_sub(monotonic());
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        // An error (EINTR) is an early return; the loop looks again.
        let ready = poll(&mut fds, Some(&limit)).unwrap_or(0);
        let log_woke = ready > 0 && wake.is_some() && !fds[log_at].revents().is_empty();
        if log_woke && let Some(log) = &mut self.log {
            log.woken();
        }
    }

    /// Ends because a signal says so; the job goes on.
    fn interrupted(&mut self, interrupt: Interrupt) -> Result<Exit, Failure> {
        self.reporter.end_bar();
        let now = monotonic();
        self.read_log(now)?;
        self.keep()?;
        let job = self.job_in_words();
        let log = self.log.as_ref().map_or_else(String::new, |log| {
            format!(" --log {}", log.log.shown_path())
        });
        let again = match (&self.state_file, &self.identity) {
            (Some(file), _) => format!("bf-monitor --state {}", file.path().display()),
            (None, Some(identity)) => format!("bf-monitor --pid {}{log}", identity.pid),
            (None, None) => format!("bf-monitor --pid PID{log}"),
        };
        let message = format!(
            "interrupted by {}; {job} is left as it is; watch it again with: {again}",
            interrupt.name()
        );
        let details = Details {
            message: Some(message.clone()),
            ..self.details(self.summary(LogEnd::StillWritten))
        };
        self.reporter.event(ProcessEventKind::Lost, details)?;
        self.reporter.say(&message)?;
        Ok(interrupt.exit())
    }

    fn job_in_words(&self) -> String {
        match &self.identity {
            Some(identity) => format!("the job (pid {})", identity.pid),
            None => "the job".to_owned(),
        }
    }
}
