//! What is watched: finding it from the flags, the state file and the job record.

mod refuse;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use bf_cli::Failure;
use bf_contract::{ExitSource, ProcessIdentity};
use chrono::{DateTime, Utc};

use crate::args::{Args, Pid};
use crate::record::{self, Exited, Intent, Record, Recorded, Story};
use crate::start::{self, Joined, Keeper, Spec};
use crate::state::{Ended, State};
use crate::sys::{self, Found, Process};
use bf_logtail::Place;

/// How long a keeper may take to write down an end that was seen already.
const RECORD_PATIENCE: Duration = Duration::from_secs(5);

/// What is watched.
#[derive(Debug)]
pub struct Subject {
    /// The process.
    pub life: Watched,
    /// The command, where bf-monitor started the job, now or earlier.
    pub command: Option<Vec<String>>,
    /// The job's record, where there is one.
    pub record: Option<PathBuf>,
    /// The log, absolute.
    pub log: Option<PathBuf>,
    /// Where in the log this run begins, where the record tells.
    pub log_from: Option<Place>,
}

/// The process, as far as there is one.
#[derive(Debug)]
pub enum Watched {
    /// It was started just now.
    Started(Process, Keeper),
    /// It was there already.
    Attached(Process),
    /// It is over; what is known of it.
    Over(Past),
}

/// A process that was over before it could be watched.
#[derive(Debug, Default)]
pub struct Past {
    /// Who it was.
    pub identity: Option<ProcessIdentity>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// From its start to its end.
    pub elapsed: Option<Duration>,
    /// Its end, and who says so.
    pub status: Option<(ExitStatus, ExitSource)>,
    /// Kills for want of memory meanwhile.
    pub oom_kills: Option<u64>,
    /// Its end as an earlier bf-monitor settled it.
    pub settled: Option<Ended>,
    /// Why so little is known.
    pub doubt: Option<String>,
    /// Whether it was started by this very call.
    pub started_now: bool,
    /// Its keeper, where it is still at work.
    pub keeper: Option<Keeper>,
}

/// Finds what the flags ask for, and starts it where they say so.
///
/// # Errors
/// There is nothing to watch (exit 3), the call is wrong, or the state file is another's (exit 2).
pub fn find(args: &Args, state: Option<&State>) -> Result<Subject, Failure> {
    let log = match &args.log {
        Some(log) => Some(absolute(log)?),
        None => state
            .and_then(|state| state.log.as_ref())
            .map(|kept| kept.path.clone()),
    };
    if !args.command.is_empty() {
        return start_job(args, log);
    }
    let record = args
        .state
        .as_deref()
        .or(log.as_deref())
        .map(record::path_beside);
    let story = record.as_deref().map_or(Story::NotStarted, read_story);
    let Some(pid) = &args.pid else {
        return take_up(args, state, log, record, story);
    };
    refuse::foreign_state(args, state, pid.number)?;
    refuse::foreign_log(args, state, log.as_deref())?;
    let life = by_pid(args, pid, state, &story, log.is_some())?;
    let (intent, record) = match (story, record) {
        (Story::Started(intent, recorded) | Story::Ended(intent, recorded, _), Some(record))
            if u64::from(recorded.job.pid) == pid.number
                && is_same(life.identity(), &recorded.job) =>
        {
            (Some(intent), Some(record))
        }
        _ => (None, None),
    };
    Ok(Subject {
        life,
        command: intent.as_ref().map(|intent| intent.command.clone()),
        record,
        log_from: intent
            .filter(|intent| Some(&intent.log) == log.as_ref())
            .map(|intent| intent.from),
        log,
    })
}

impl Watched {
    fn identity(&self) -> Option<&ProcessIdentity> {
        match self {
            Self::Started(process, _) | Self::Attached(process) => Some(process.identity()),
            Self::Over(past) => past.identity.as_ref(),
        }
    }
}

/// Starts the job of the command line, or joins it.
fn start_job(args: &Args, log: Option<PathBuf>) -> Result<Subject, Failure> {
    let Some(log) = log else {
        return Err(Failure::usage("a started job needs a log")
            .hint("give --log FILE: the job's output is appended to it"));
    };
    let here = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the current folder cannot be found: {error}")))?;
    let base = match &args.state {
        Some(state) => absolute(state)?,
        None => log.clone(),
    };
    let spec = Spec {
        command: args.command.clone(),
        cwd: match &args.cwd {
            Some(cwd) => absolute(cwd)?,
            None => here,
        },
        env: args.env.clone(),
        log: log.clone(),
        record: record::path_beside(&base),
        once: args.state.is_some(),
        inherit: args.inherit_fd.clone(),
    };
    let (life, intent) = match start::start_or_join(&spec)? {
        Joined::Started(intent, recorded, keeper) => (started(recorded, keeper), intent),
        Joined::Running(intent, recorded) => (joined(&spec.record, recorded), intent),
        Joined::Ended(intent, recorded, exited) => {
            (Watched::Over(recorded_past(&recorded, &exited)), intent)
        }
    };
    Ok(Subject {
        life,
        command: Some(intent.command),
        record: Some(spec.record),
        log: Some(log),
        log_from: Some(intent.from),
    })
}

/// A job that was started just now; a very short one is over already.
fn started(recorded: Recorded, mut keeper: Keeper) -> Watched {
    match find_same(&recorded.job) {
        Some(process) => Watched::Started(process, keeper),
        None => {
            let exited = keeper.read_exit();
            Watched::Over(Past {
                status: exited
                    .as_ref()
                    .map(|exited| (exited.status(), ExitSource::Child)),
                oom_kills: exited.as_ref().and_then(|exited| exited.oom_kills),
                elapsed: exited
                    .as_ref()
                    .and_then(|exited| (exited.at - recorded.at).to_std().ok()),
                started_at: Some(recorded.at),
                identity: Some(recorded.job),
                started_now: true,
                keeper: Some(keeper),
                ..Past::default()
            })
        }
    }
}

/// A job that was started earlier and whose end is not recorded.
fn joined(record: &Path, recorded: Recorded) -> Watched {
    if recorded.job.boot_id != sys::boot_id() {
        return Watched::Over(Past {
            started_at: Some(recorded.at),
            identity: Some(recorded.job),
            doubt: Some(
                "its record is of an earlier boot: this machine was restarted while it ran"
                    .to_owned(),
            ),
            ..Past::default()
        });
    }
    if let Some(process) = find_same(&recorded.job) {
        return Watched::Attached(process);
    }
    match await_exit(record) {
        Some((recorded, exited)) => Watched::Over(recorded_past(&recorded, &exited)),
        None => Watched::Over(Past {
            started_at: Some(recorded.at),
            identity: Some(recorded.job),
            doubt: Some(
                "it is gone, and its keeper died before it could record the end".to_owned(),
            ),
            ..Past::default()
        }),
    }
}

fn recorded_past(recorded: &Recorded, exited: &Exited) -> Past {
    Past {
        identity: Some(recorded.job.clone()),
        started_at: Some(recorded.at),
        elapsed: (exited.at - recorded.at).to_std().ok(),
        status: Some((exited.status(), ExitSource::Record)),
        oom_kills: exited.oom_kills,
        ..Past::default()
    }
}

/// Waits for the keeper's last line, as long as there is a keeper.
#[must_use]
pub fn await_exit(record: &Path) -> Option<(Recorded, Exited)> {
    let since = Instant::now();
    loop {
        // First the lock, then the story: once nobody holds it, nothing is added any more.
        let (open, unlocked) = Record::open(record).ok()?;
        if let Story::Ended(_, recorded, exited) = open.story().ok()? {
            return Some((recorded, exited));
        }
        if unlocked || since.elapsed() > RECORD_PATIENCE {
            return None;
        }
        drop(open);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process of a state file, where neither a pid nor a command is given.
fn take_up(
    args: &Args,
    state: Option<&State>,
    log: Option<PathBuf>,
    record: Option<PathBuf>,
    story: Story,
) -> Result<Subject, Failure> {
    let Some(path) = &args.state else {
        return Err(Failure::usage("nothing to watch")
            .hint("give --pid PID, or the job to start behind --; see bf-monitor --help"));
    };
    refuse::foreign_log(args, state, log.as_deref())?;
    let record = record.unwrap_or_else(|| record::path_beside(path));
    let (life, intent) = match story {
        Story::Started(intent, recorded) => (joined(&record, recorded), Some(intent)),
        Story::Ended(intent, recorded, exited) => (
            Watched::Over(recorded_past(&recorded, &exited)),
            Some(intent),
        ),
        Story::NotStarted => {
            let kept = state.and_then(|state| Some((state, state.process.as_ref()?)));
            let Some((state, process)) = kept else {
                return Err(Failure::usage(format!(
                    "the state file {} tells of no job",
                    path.display()
                ))
                .hint("give --pid PID, or the job to start behind --"));
            };
            refuse::foreign_state(args, Some(state), u64::from(process.pid))?;
            (kept_process(state, process), None)
        }
    };
    Ok(Subject {
        life,
        command: intent.as_ref().map(|intent| intent.command.clone()),
        log_from: intent.as_ref().map(|intent| intent.from),
        record: intent.is_some().then_some(record),
        log: log.or_else(|| intent.map(|intent: Intent| intent.log)),
    })
}

/// The process of a state file.
fn kept_process(state: &State, process: &ProcessIdentity) -> Watched {
    if let Some(ended) = &state.ended {
        return Watched::Over(Past {
            identity: Some(process.clone()),
            started_at: state.started_at,
            elapsed: ended
                .elapsed_seconds
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            settled: Some(ended.clone()),
            ..Past::default()
        });
    }
    match find_same(process) {
        Some(process) => Watched::Attached(process),
        None => Watched::Over(Past {
            identity: Some(process.clone()),
            started_at: state.started_at,
            doubt: Some("it ended while nobody watched".to_owned()),
            ..Past::default()
        }),
    }
}

/// The process of a pid, with the state file's word on who that was.
fn by_pid(
    args: &Args,
    pid: &Pid,
    state: Option<&State>,
    story: &Story,
    has_log: bool,
) -> Result<Watched, Failure> {
    let kept = state.and_then(|state| Some((state, state.process.as_ref()?)));
    if let Some((state, process)) = kept {
        return Ok(match kept_process(state, process) {
            Watched::Over(past) if past.settled.is_none() => {
                Watched::Over(with_record(past, pid.number, story))
            }
            life => life,
        });
    }
    match Process::find(pid.number) {
        Found::Process(process) => {
            refuse::kernel_thread(&process)?;
            refuse::unexpected(args, &process)?;
            refuse::reused(args, &process, story)?;
            Ok(Watched::Attached(process))
        }
        Found::ThreadOf(leader) => Err(Failure::usage(format!(
            "{pid} is a thread of process {leader}"
        ))
        .hint(format!("give --pid {leader}"))),
        Found::CannotTell(reason) => Err(Failure::could_not_check(format!(
            "looking for process {pid}: {reason}"
        ))),
        Found::Gone => {
            let past = with_record(
                Past {
                    doubt: Some(format!("there is no process {pid} any more")),
                    ..Past::default()
                },
                pid.number,
                story,
            );
            if past.status.is_none() && !has_log {
                return Err(Failure::could_not_check(format!(
                    "no process {pid} (it may have ended: give --log to read what it said)"
                )));
            }
            Ok(Watched::Over(past))
        }
    }
}

/// Adds what a job record knows, where it is of this pid and this boot.
fn with_record(past: Past, pid: u64, story: &Story) -> Past {
    match story {
        Story::Ended(_, recorded, exited)
            if u64::from(recorded.job.pid) == pid
                && recorded.job.boot_id == sys::boot_id()
                && past
                    .identity
                    .as_ref()
                    .is_none_or(|identity| is_same(Some(identity), &recorded.job)) =>
        {
            recorded_past(recorded, exited)
        }
        _ => past,
    }
}

/// The process of an identity, where it is still that one.
fn find_same(identity: &ProcessIdentity) -> Option<Process> {
    match Process::find(u64::from(identity.pid)) {
        Found::Process(process) if is_same(Some(process.identity()), identity) => Some(process),
        _ => None,
    }
}

/// Whether two identities are of one process. What is unknown of either is not compared, the rest must fit,
/// and a pid alone is no identity: the start time or the pidfd must be known of both.
fn is_same(found: Option<&ProcessIdentity>, known: &ProcessIdentity) -> bool {
    let Some(found) = found else {
        return false;
    };
    let marks = [
        (found.start_ticks, known.start_ticks),
        (found.pidfd_inode, known.pidfd_inode),
    ];
    let mut compared = marks
        .into_iter()
        .filter_map(|(found, known)| Some(found? == known?))
        .peekable();
    found.pid == known.pid
        && found.boot_id == known.boot_id
        && compared.peek().is_some()
        && compared.all(|fits| fits)
}

fn read_story(path: &Path) -> Story {
    std::fs::read(path).map_or(Story::NotStarted, |bytes| record::read(&bytes))
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    start::absolute(path)
        .map_err(|error| Failure::usage(format!("the path {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use bf_contract::ProcessIdentity;

    use super::is_same;

    fn process(start_ticks: Option<u64>, pidfd_inode: Option<u64>) -> ProcessIdentity {
        ProcessIdentity {
            pid: 7,
            start_ticks,
            boot_id: Some("this".to_owned()),
            pidfd_inode,
        }
    }

    #[test]
    fn a_pid_alone_is_no_identity() {
        let whole = process(Some(1), Some(2));
        for (other, same) in [
            (process(Some(1), Some(2)), true),
            (process(Some(1), None), true),
            (process(None, Some(2)), true),
            (process(None, None), false),
            (process(Some(9), Some(2)), false),
            (process(Some(1), Some(9)), false),
        ] {
            assert_eq!(is_same(Some(&whole), &other), same, "{other:?}");
            assert_eq!(is_same(Some(&other), &whole), same, "{other:?}");
        }
        let elsewhere = ProcessIdentity {
            boot_id: Some("another".to_owned()),
            ..whole.clone()
        };
        assert!(!is_same(Some(&whole), &elsewhere));
        assert!(!is_same(None, &whole));
    }
}
