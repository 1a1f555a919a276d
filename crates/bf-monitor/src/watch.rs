//! The loop: sleeps until something happens, and looks at the job, its log and the clock.

mod ending;
mod give_up;
mod stalls;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use bf_cli::{Failure, Interrupt, Interrupts};
use bf_contract::{Exit, LogSummary, ProcessEventKind};
use bf_logtail::Change;
use bf_parse_log::LogEnd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::job::Job;
use crate::log::LogWatch;
use crate::proc::{self, Life, Process, Usage, monotonic};
use crate::rate::Rate;
use crate::report::{Details, Reporter};
use crate::settings::Settings;
use crate::stall::StallDetector;
use crate::state::{State, StateFile};

/// Between two looks at the descendants of a process that another one started; nothing is woken for them.
const SEE_AGAIN: Duration = Duration::from_secs(1);

/// A job that is watched until it and its log are finished.
pub(crate) struct Watch {
    settings: Settings,
    reporter: Reporter,
    interrupts: Interrupts,
    job: Job,
    log: Option<LogWatch>,
    pace: Pace,
    state_file: Option<StateFile>,
    passes: u32,
    next_pass: Duration,
    see_at: Duration,
    said: Said,
}

/// How fast the job gets on.
#[derive(Default)]
struct Pace {
    rate: Rate,
    stall: Option<StallDetector>,
    usage: Usage,
    /// Whether the job was stopped at the last pass.
    was_stopped: bool,
}

/// What was reported already and is not repeated, and since when the rest of the job is waited for.
#[derive(Debug, Default)]
struct Said {
    slow: bool,
    stopped: bool,
    rest: bool,
    unreadable: Option<String>,
    state_is_lost: bool,
    ended_since: Option<Duration>,
}

impl Watch {
    /// Sets everything up; nothing is read yet.
    pub(crate) fn new(
        settings: Settings,
        reporter: Reporter,
        interrupts: Interrupts,
        job: Job,
        log: Option<LogWatch>,
    ) -> Self {
        Self {
            settings,
            reporter,
            interrupts,
            job,
            log,
            pace: Pace::default(),
            state_file: None,
            passes: 0,
            next_pass: monotonic(),
            see_at: Duration::ZERO,
            said: Said::default(),
        }
    }

    /// Keeps a state file, and continues from what it held.
    pub(crate) fn with_state(mut self, file: Option<StateFile>, state: Option<State>) -> Self {
        self.state_file = file;
        if let Some(state) = state.filter(|state| state.boot_id == proc::boot_id()) {
            self.pace.rate = state.rate;
            self.pace.stall = state.stall;
        }
        self
    }

    /// Watches until the job and its log are finished, or until it is time to give up.
    ///
    /// # Errors
    /// The reader of the events went away (exit 3).
    pub(crate) fn run(mut self, first: ProcessEventKind, message: &str) -> Result<Exit, Failure> {
        self.reporter
            .set_process(self.job.identity.clone(), self.job.started_at);
        let outcome = self.watch(first, message);
        // A reader that goes away must not take along what the kernel tells only once.
        if outcome.is_err() && self.job.refuse_if_never_executed().is_ok() {
            let _ = self.save();
        }
        outcome
    }

    fn watch(&mut self, first: ProcessEventKind, message: &str) -> Result<Exit, Failure> {
        // A job that was started now was started, however soon it ended.
        if self.job.ended.is_none() || first == ProcessEventKind::Started {
            let details = Details {
                message: Some(message.to_owned()),
                ..self.details(None)
            };
            self.reporter.event(first, details)?;
        }
        self.reporter.say(message)?;
        self.warn_of_another_log()?;
        loop {
            if let Some(interrupt) = self.interrupts.pending() {
                return self.interrupted(interrupt);
            }
            let now = monotonic();
            self.job.ask(now);
            if self.job.ended.is_some() {
                if let Some(alive) = self.what_lives_on(now)? {
                    return self.settle(&alive);
                }
                self.save()?; // the kernel cannot be asked again
            } else if now >= self.see_at {
                self.job.see_descendants();
                self.see_at = now + SEE_AGAIN;
            }
            if let Some(exit) = self.give_up_if_due()? {
                return Ok(exit);
            }
            self.read_log_if_due(now)?;
            if now >= self.next_pass {
                if let Some(exit) = self.pass(now)? {
                    return Ok(exit);
                }
                continue; // what was seen may have changed what there is to wait for
            }
            self.wait(self.wake_up_at(now));
        }
    }

    /// Looks at everything, reports it, and saves what is known.
    fn pass(&mut self, now: Duration) -> Result<Option<Exit>, Failure> {
        self.read_log(now)?;
        if let Some(log) = &mut self.log
            && let Some(warning) = log.warning_while_nothing_is_there(now, self.settings.interval)
        {
            self.reporter.warn(&warning)?;
        }
        let summary = self.summary(LogEnd::StillWritten);
        let activity = self.activity(summary.as_ref());
        if let Some(finished) = summary.as_ref().and_then(stalls::finished) {
            self.pace.rate.observe(now, finished);
        }
        let details = self.details(summary);
        self.reporter.move_bar(&details);
        let has_begun = self.passes > 0 || details.days().is_some() || self.settings.once;
        if has_begun && self.passes.is_multiple_of(self.settings.said_every) {
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
        if let Some(exit) = self.report_stalls(now, activity)? {
            return Ok(Some(exit));
        }
        self.save()?;
        if self.settings.once && self.is_running() {
            self.reporter.end_bar();
            let line = format!("{} is still running", self.job.name());
            self.reporter.say(&line)?;
            return Ok(Some(Exit::TimedOut));
        }
        self.passes = self.passes.wrapping_add(1);
        // Passes keep to the beat; one that came late does not make the next ones late, nor many.
        while self.next_pass <= now {
            self.next_pass += self.settings.interval;
        }
        Ok(None)
    }

    /// Whether the process runs for certain: not a zombie of which the end is about to be known.
    fn is_running(&self) -> bool {
        let process = self.job.process.as_ref();
        self.job.ended.is_none() && process.is_some_and(|process| process.life() == Life::Running)
    }

    /// Reads the log if it woke us, or if a pause has passed.
    fn read_log_if_due(&mut self, now: Duration) -> Result<(), Failure> {
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
            self.report_change(change)?;
        }
        Ok(())
    }

    fn report_change(&mut self, change: Change) -> Result<(), Failure> {
        let Some((event, message)) = change_in_words(change) else {
            return Ok(());
        };
        self.reporter.warn(&message)?;
        let details = Details {
            message: Some(message),
            ..self.details(None)
        };
        self.reporter.event(event, details)
    }

    fn summary(&self, end: LogEnd) -> Option<LogSummary> {
        self.log.as_ref().map(|log| log.summary(end))
    }

    /// The parts of an event that are known at any time.
    fn details(&self, summary: Option<LogSummary>) -> Details {
        let remaining = summary
            .as_ref()
            .and_then(|summary| summary.total_days?.checked_sub(summary.current_day))
            .filter(|remaining| *remaining > 0);
        let rate = &self.pace.rate;
        Details {
            elapsed: self.job.elapsed(),
            days_per_hour: summary.as_ref().and_then(|_| rate.days_per_hour()),
            eta_seconds: remaining.and_then(|remaining| rate.eta_seconds(remaining)),
            log_summary: summary,
            ..Details::default()
        }
    }

    /// Saves what is known. A state file that can no longer be written is reported once: the watching does not
    /// depend on it.
    fn save(&mut self) -> Result<(), Failure> {
        let Some(file) = &self.state_file else {
            return Ok(());
        };
        let saved = file.save(State {
            boot_id: proc::boot_id(),
            process: self.job.identity.clone(),
            started_at: self.job.started_at,
            family: Some(self.job.family.clone()),
            log: self.log.as_ref().map(LogWatch::save),
            rate: self.pace.rate.clone(),
            stall: self.pace.stall.clone(),
            ended: self.job.saved_end(),
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

    /// Warns if the process writes to another file than the one that is read.
    fn warn_of_another_log(&mut self) -> Result<(), Failure> {
        let (Some(process), Some(log)) = (&self.job.process, &self.log) else {
            return Ok(());
        };
        match another_log(process.identity().pid, log) {
            Some(warning) => self.reporter.warn(&warning),
            None => Ok(()),
        }
    }

    /// When to wake up if nothing happens before.
    fn wake_up_at(&self, now: Duration) -> Duration {
        let timeout = self.until_timeout().map(|left| now + left);
        [
            Some(self.next_pass),
            self.job.detector.deadline(),
            self.log.as_ref().and_then(LogWatch::due_at),
            timeout,
            self.look_for_the_rest_at(now),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(self.next_pass)
    }

    /// Sleeps until `until`, or until the process, its shim, its log or a signal has news.
    fn wait(&mut self, until: Duration) {
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(4);
        fds.push(PollFd::new(&self.interrupts, PollFlags::IN));
        let log_at = fds.len();
        let wake = self.log.as_ref().and_then(LogWatch::wake_fd);
        if let Some(wake) = wake {
            fds.push(PollFd::from_borrowed_fd(wake, PollFlags::IN));
        }
        if self.job.ended.is_none() {
            // A zombie's pidfd stays readable; only the hang-up at its reaping is still news.
            let news = if self.job.detector.saw_zombie() {
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            if let Some(pidfd) = self.job.process.as_ref().and_then(Process::pidfd) {
                fds.push(PollFd::from_borrowed_fd(pidfd, news));
            }
            if let Some(shim) = self.job.detector.shim() {
                let shim: BorrowedFd<'_> = shim.as_fd();
                fds.push(PollFd::from_borrowed_fd(shim, PollFlags::IN));
            }
        }
        let limit = Timespec::try_from(until.saturating_sub(monotonic())).ok();
        // An error (EINTR) is an early return; the loop looks again.
        let ready = poll(&mut fds, limit.as_ref()).unwrap_or(0);
        let log_woke = ready > 0 && wake.is_some() && !fds[log_at].revents().is_empty();
        if log_woke && let Some(log) = &mut self.log {
            log.set_woken();
        }
    }

    /// Ends because of a signal; the job keeps running.
    fn interrupted(&mut self, interrupt: Interrupt) -> Result<Exit, Failure> {
        self.reporter.end_bar();
        self.read_log(monotonic())?;
        self.save()?;
        let log = self
            .log
            .as_ref()
            .map_or_else(String::new, |log| format!(" --log {}", log.shown_path()));
        let again = match (&self.state_file, &self.job.identity) {
            (Some(file), _) => format!("bf-monitor --state {}", file.path().display()),
            (None, Some(identity)) => format!("bf-monitor --pid {}{log}", identity.pid),
            (None, None) => format!("bf-monitor --pid PID{log}"),
        };
        let message = format!(
            "interrupted by {}; {} is left as it is; watch it again with: {again}",
            interrupt.name(),
            self.job.name()
        );
        let details = Details {
            message: Some(message.clone()),
            exit_code: Some(interrupt.exit().code()),
            ..self.details(self.summary(LogEnd::StillWritten))
        };
        self.reporter.event(ProcessEventKind::Lost, details)?;
        self.reporter.say(&message)?;
        Ok(interrupt.exit())
    }
}

fn change_in_words(change: Change) -> Option<(ProcessEventKind, String)> {
    let (event, message) = match change {
        Change::Appeared => return None,
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
            "the log was truncated; what it held was read to its end".to_owned(),
        ),
        Change::Truncated { recovered: false } => (
            ProcessEventKind::LogTruncated,
            "the log was truncated; what was written to it since the last pass may be lost"
                .to_owned(),
        ),
        Change::Lost => (
            ProcessEventKind::LogRotated,
            "the file that the log was in is gone; what was written to it unread is lost"
                .to_owned(),
        ),
    };
    Some((event, message))
}

/// What is wrong if a process does not have the given log open and its output goes to another file.
fn another_log(pid: u32, log: &LogWatch) -> Option<String> {
    let files = proc::open_files(pid)?;
    let given = log.file_at_path();
    if given.is_some_and(|given| files.iter().any(|open| open.file == given)) {
        return None;
    }
    let stdout = files.iter().find(|open| open.descriptor == 1)?;
    stdout.is_regular.then(|| {
        format!(
            "the output of process {pid} goes to {}, and the log that is read is {}",
            stdout.path.display(),
            log.path().display()
        )
    })
}
