//! The watched job: its process, what else is of it, and how it ended.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bf_cli::Failure;
use bf_cli::text::printable;
use bf_contract::{AliveProcess, ProcessExit, ProcessIdentity};
use chrono::{DateTime, TimeDelta, Utc};
use rustix::process::Signal;

use crate::exit::{ExitDetector, ExitInfo};
use crate::launch::record::{self, JobState};
use crate::launch::start;
use crate::proc::{self, Cgroup, Family, Member, Process};
use crate::target::{Target, TargetProcess};
use crate::words::{exit_in_words, source_in_words};

/// A job, from the moment that it is watched.
pub(crate) struct Job {
    /// Who its process is; `None` if that is not known any more.
    pub(crate) identity: Option<ProcessIdentity>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    /// The process; `None` if it had ended before it could be watched.
    pub(crate) process: Option<Process>,
    /// What else is of the job.
    pub(crate) family: Family,
    /// How the process ends.
    pub(crate) detector: ExitDetector,
    pub(crate) ended: Option<ExitInfo>,
    record: Option<PathBuf>,
    cgroup: Option<Cgroup>,
}

impl Job {
    /// The job of a target.
    pub(crate) fn new(target: Target) -> Self {
        let (process, shim, ended, identity, started_at) = match target.process {
            TargetProcess::Started(process, shim) => (Some(process), Some(shim), None, None, None),
            TargetProcess::Attached(process) => (Some(process), None, None, None, None),
            TargetProcess::Ended(ended) => (
                None,
                ended.shim,
                Some(ended.exit),
                ended.identity,
                ended.started_at,
            ),
        };
        let age = process.as_ref().and_then(Process::age);
        let since = age.and_then(|age| TimeDelta::from_std(age).ok());
        let of_process = process.as_ref().map(|process| process.identity().clone());
        Self {
            cgroup: of_process
                .as_ref()
                .and_then(|identity| Cgroup::of(identity.pid)),
            identity: of_process.or(identity),
            started_at: since.map(|since| Utc::now() - since).or(started_at),
            process,
            family: target.family,
            detector: ExitDetector::new(shim, target.record.clone()),
            ended,
            record: target.record,
        }
    }

    /// Asks whether its process has ended, as long as that is not known.
    pub(crate) fn ask(&mut self, now: Duration) {
        if let (None, Some(process)) = (&self.ended, &self.process) {
            self.ended = self.detector.ask(now, process);
        }
    }

    /// From the process's own start until now, or to its end.
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        match &self.ended {
            Some(end) => end.elapsed(),
            None => self.process.as_ref()?.age(),
        }
    }

    /// How long ago the process started, also if it has ended since.
    pub(crate) fn age(&self) -> Option<Duration> {
        let of_process = self.process.as_ref().and_then(Process::age);
        of_process.or_else(|| (Utc::now() - self.started_at?).to_std().ok())
    }

    /// What to call it.
    pub(crate) fn name(&self) -> String {
        match &self.identity {
            Some(identity) => format!("the job (pid {})", identity.pid),
            None => "the job".to_owned(),
        }
    }

    /// How its process ended, in words. `exit`: as it was judged.
    pub(crate) fn end_in_words(&self, end: &ExitInfo, exit: &ProcessExit) -> String {
        if let Some(message) = &end.message {
            return message.clone();
        }
        let oom_kills = end
            .oom_kills
            .or_else(|| self.cgroup.as_ref().and_then(Cgroup::oom_kills));
        let words = exit_in_words(exit, end.core_dumped, oom_kills);
        let job = self.name();
        match &end.doubt {
            Some(doubt) => format!("{job}: {words} ({doubt})"),
            None => format!("{job}: {words}, {}", source_in_words(exit.source)),
        }
    }

    /// The end as the state file keeps it.
    pub(crate) fn saved_end(&self) -> Option<ExitInfo> {
        let end = self.ended.as_ref()?;
        Some(ExitInfo {
            message: Some(self.end_in_words(end, &end.exit)),
            ..end.clone()
        })
    }

    /// If the stub was told to go and the program then could not be executed, no job ran: whatever ended was not the
    /// job. The record says so.
    ///
    /// # Errors
    /// That is what happened (exit 2).
    pub(crate) fn refuse_if_never_executed(&self) -> Result<(), Failure> {
        let Some(record) = &self.record else {
            return Ok(());
        };
        let Ok(bytes) = std::fs::read(record) else {
            return Ok(());
        };
        match record::read(&bytes) {
            JobState::NotStarted => {
                let reason = record::not_started_because(&bytes);
                Err(start::was_not_started(reason.as_deref()))
            }
            _ => Ok(()),
        }
    }

    /// Remembers the descendants, if nothing else tells of them once the process has ended.
    pub(crate) fn see_descendants(&mut self) {
        if let (true, None, Some(process)) =
            (self.family.has_to_be_seen(), &self.ended, &self.process)
        {
            let usage = proc::usage(process.identity().pid);
            self.family.see(&usage.descendants);
        }
    }

    /// What lives on of it, beside its own process.
    ///
    /// # Errors
    /// `/proc` cannot be read: nothing is known.
    pub(crate) fn living(&self) -> io::Result<Vec<Member>> {
        self.family.living()
    }

    /// Sends a signal to all of it that has not got it yet.
    ///
    /// # Errors
    /// Its process is another user's.
    pub(crate) fn signal(&self, signal: Signal, got_it: &mut HashSet<u32>) -> io::Result<()> {
        if let (None, Some(process)) = (&self.ended, &self.process)
            && got_it.insert(process.identity().pid)
        {
            process.signal(signal)?;
        }
        for member in self.living().unwrap_or_default() {
            if got_it.insert(member.pid) {
                // Another user's process stays, and is reported as living on.
                let _ = member.signal(signal);
            }
        }
        Ok(())
    }
}

/// Processes as a document names them.
pub(crate) fn alive(members: &[Member]) -> Vec<AliveProcess> {
    let of = |member: &Member| AliveProcess {
        pid: member.pid,
        command: proc::command_line(member.pid).map(|command| printable(&command, 120)),
    };
    members.iter().map(of).collect()
}

/// `pid 7 (sleep 100), pid 8`.
pub(crate) fn in_words(alive: &[AliveProcess]) -> String {
    const MOST: usize = 5;
    let mut words: Vec<String> = alive
        .iter()
        .take(MOST)
        .map(|process| match &process.command {
            Some(command) => format!("pid {} ({})", process.pid, printable(command, 60)),
            None => format!("pid {}", process.pid),
        })
        .collect();
    if alive.len() > MOST {
        words.push(format!("{} more", alive.len() - MOST));
    }
    words.join(", ")
}
