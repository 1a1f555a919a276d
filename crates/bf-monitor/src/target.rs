//! What is watched: finding it from the flags, the state file and the job record.

mod refuse;

use std::path::{Path, PathBuf};

use bf_cli::Failure;
use bf_contract::{ExitSource, ProcessIdentity};
use bf_logtail::Place;
use chrono::{DateTime, Utc};

use crate::args::{Args, Pid};
use crate::exit::ExitInfo;
use crate::launch::await_exit;
use crate::launch::record::{self, Exited, Intent, JobState, Recorded};
use crate::launch::start::{self, Shim, Spec, StartOutcome};
use crate::proc::{self, Family, Found, Process};
use crate::state::State;

/// What is watched.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) process: TargetProcess,
    /// What else is of the job.
    pub(crate) family: Family,
    /// The command, if bf-monitor started the job, now or earlier.
    pub(crate) command: Option<Vec<String>>,
    /// The job's record, if there is one.
    pub(crate) record: Option<PathBuf>,
    pub(crate) log: Option<PathBuf>,
    /// Where in the log this run begins, if the record tells.
    pub(crate) log_from: Option<Place>,
}

/// The process, as far as there is one.
#[derive(Debug)]
pub(crate) enum TargetProcess {
    /// It was started just now.
    Started(Process, Shim),
    /// It was there already.
    Attached(Process),
    Ended(EndedProcess),
}

/// A process that had ended before it could be watched.
#[derive(Debug)]
pub(crate) struct EndedProcess {
    pub(crate) identity: Option<ProcessIdentity>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) exit: ExitInfo,
    /// Its shim, if this very call started it.
    pub(crate) shim: Option<Shim>,
}

impl EndedProcess {
    fn unknown(identity: Option<ProcessIdentity>, doubt: impl Into<String>) -> Self {
        Self {
            identity,
            started_at: None,
            exit: ExitInfo::unknown(Some(doubt.into()), None),
            shim: None,
        }
    }

    fn recorded(recorded: &Recorded, exited: &Exited) -> Self {
        Self {
            identity: Some(recorded.job.clone()),
            started_at: Some(recorded.at),
            exit: exited.info(ExitSource::Record, (exited.at - recorded.at).to_std().ok()),
            shim: None,
        }
    }

    fn started_at(self, started_at: Option<DateTime<Utc>>) -> Self {
        Self { started_at, ..self }
    }
}

/// Finds what the flags ask for, and starts it where they say so.
///
/// # Errors
/// There is nothing to watch (exit 3), the call is wrong, or the state file is another's (exit 2).
pub(crate) fn find(args: &Args, state: Option<&State>) -> Result<Target, Failure> {
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
    let job_state = record
        .as_deref()
        .map_or(JobState::NotStarted, read_job_state);
    let Some(pid) = &args.pid else {
        return resume(args, state, log, record, job_state);
    };
    refuse::foreign_state(args, state, pid.number)?;
    refuse::foreign_log(args, state, log.as_deref())?;
    let process = by_pid(args, pid, state, &job_state, log.is_some())?;
    let (intent, record, family) = match (job_state, record) {
        (
            JobState::Started(intent, recorded) | JobState::Ended(intent, recorded, _),
            Some(record),
        ) if u64::from(recorded.job.pid) == pid.number
            && is_same(process.identity(), &recorded.job) =>
        {
            let family = family_of(&intent, &recorded);
            (Some(intent), Some(record), family)
        }
        _ => (None, None, attached_family(process.identity(), state)),
    };
    Ok(Target {
        process,
        family,
        command: intent.as_ref().map(|intent| intent.command.clone()),
        record,
        log_from: intent
            .filter(|intent| Some(&intent.log) == log.as_ref())
            .map(|intent| intent.from),
        log,
    })
}

impl TargetProcess {
    fn identity(&self) -> Option<&ProcessIdentity> {
        match self {
            Self::Started(process, _) | Self::Attached(process) => Some(process.identity()),
            Self::Ended(ended) => ended.identity.as_ref(),
        }
    }
}

/// Starts the job of the command line, or joins it.
fn start_job(args: &Args, log: Option<PathBuf>) -> Result<Target, Failure> {
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
        env: args.environment()?,
        log: log.clone(),
        record: record::path_beside(&base),
        once: args.state.is_some(),
        inherit: args.inherit_fd.clone(),
    };
    let outcome = start::start_or_join(&spec)?;
    let (process, intent, family) = match outcome {
        StartOutcome::Started(intent, recorded, shim) => {
            let family = family_of(&intent, &recorded);
            (started(recorded, shim), intent, family)
        }
        StartOutcome::Running(intent, recorded) => {
            let family = family_of(&intent, &recorded);
            (joined(&spec.record, recorded), intent, family)
        }
        StartOutcome::Ended(intent, recorded, exited) => {
            let ended = EndedProcess::recorded(&recorded, &exited);
            let family = family_of(&intent, &recorded);
            (TargetProcess::Ended(ended), intent, family)
        }
    };
    Ok(Target {
        process,
        family,
        command: Some(intent.command),
        record: Some(spec.record),
        log: Some(log),
        log_from: Some(intent.from),
    })
}

fn family_of(intent: &Intent, recorded: &Recorded) -> Family {
    Family::of_started(&recorded.job, &recorded.shim, &intent.mark)
}

/// The family of a process that is watched only: as an earlier bf-monitor saw it, if there was one.
fn attached_family(identity: Option<&ProcessIdentity>, state: Option<&State>) -> Family {
    let Some(identity) = identity else {
        return Family::default();
    };
    let saved = state.filter(|state| {
        let process = state.process.as_ref();
        process.is_some_and(|process| is_same(Some(identity), process))
    });
    match saved.and_then(|state| state.family.clone()) {
        Some(family) => family,
        None => Family::of_attached(identity),
    }
}

/// A job that was started just now; a very short one has ended already.
fn started(recorded: Recorded, mut shim: Shim) -> TargetProcess {
    match find_same(&recorded.job) {
        Some(process) => TargetProcess::Started(process, shim),
        None => {
            let exit = match shim.read_exit() {
                Some(exited) => {
                    let elapsed = (exited.at - recorded.at).to_std().ok();
                    exited.info(ExitSource::Child, elapsed)
                }
                None => ExitInfo::unknown(None, None),
            };
            TargetProcess::Ended(EndedProcess {
                identity: Some(recorded.job),
                started_at: Some(recorded.at),
                exit,
                shim: Some(shim),
            })
        }
    }
}

/// A job that was started earlier and whose end is not recorded.
fn joined(record: &Path, recorded: Recorded) -> TargetProcess {
    let gone = |doubt: &str| {
        let ended = EndedProcess::unknown(Some(recorded.job.clone()), doubt);
        TargetProcess::Ended(ended.started_at(Some(recorded.at)))
    };
    if recorded.job.boot_id != proc::boot_id() {
        return gone(
            "its record is from before the last reboot: this machine was restarted while it ran",
        );
    }
    if let Some(process) = find_same(&recorded.job) {
        return TargetProcess::Attached(process);
    }
    match await_exit(record) {
        Some((recorded, exited)) => {
            TargetProcess::Ended(EndedProcess::recorded(&recorded, &exited))
        }
        None => gone("it is gone, and its shim died before it could record the end"),
    }
}

/// The process of a state file, where neither a pid nor a command is given.
fn resume(
    args: &Args,
    state: Option<&State>,
    log: Option<PathBuf>,
    record: Option<PathBuf>,
    job_state: JobState,
) -> Result<Target, Failure> {
    let Some(path) = &args.state else {
        return Err(Failure::usage("nothing to watch")
            .hint("give --pid PID, or the job to start after --; see bf-monitor --help"));
    };
    refuse::foreign_log(args, state, log.as_deref())?;
    let record = record.unwrap_or_else(|| record::path_beside(path));
    let (process, intent, family) = match job_state {
        JobState::Started(intent, recorded) => {
            let family = family_of(&intent, &recorded);
            (joined(&record, recorded), Some(intent), family)
        }
        JobState::Ended(intent, recorded, exited) => {
            let ended = EndedProcess::recorded(&recorded, &exited);
            let family = family_of(&intent, &recorded);
            (TargetProcess::Ended(ended), Some(intent), family)
        }
        JobState::NotStarted => {
            let saved = state.and_then(|state| Some((state, state.process.as_ref()?)));
            let Some((state, process)) = saved else {
                return Err(Failure::usage(format!(
                    "the state file {} contains no job",
                    path.display()
                ))
                .hint("give --pid PID, or the job to start after --"));
            };
            refuse::foreign_state(args, Some(state), u64::from(process.pid))?;
            let family = attached_family(Some(process), Some(state));
            (saved_process(state, process), None, family)
        }
    };
    Ok(Target {
        process,
        family,
        command: intent.as_ref().map(|intent| intent.command.clone()),
        log_from: intent.as_ref().map(|intent| intent.from),
        record: intent.is_some().then_some(record),
        log: log.or_else(|| intent.map(|intent: Intent| intent.log)),
    })
}

/// The process of a state file.
fn saved_process(state: &State, process: &ProcessIdentity) -> TargetProcess {
    if let Some(ended) = &state.ended {
        return TargetProcess::Ended(EndedProcess {
            identity: Some(process.clone()),
            started_at: state.started_at,
            exit: ended.clone(),
            shim: None,
        });
    }
    match find_same(process) {
        Some(process) => TargetProcess::Attached(process),
        None => {
            let ended =
                EndedProcess::unknown(Some(process.clone()), "it ended while it was not watched");
            TargetProcess::Ended(ended.started_at(state.started_at))
        }
    }
}

/// The process of a pid, and who that was by the state file.
fn by_pid(
    args: &Args,
    pid: &Pid,
    state: Option<&State>,
    job_state: &JobState,
    has_log: bool,
) -> Result<TargetProcess, Failure> {
    let saved = state.and_then(|state| Some((state, state.process.as_ref()?)));
    if let Some((state, process)) = saved {
        return Ok(match saved_process(state, process) {
            TargetProcess::Ended(ended) if ended.exit.message.is_none() => {
                TargetProcess::Ended(with_record(ended, pid.number, job_state))
            }
            process => process,
        });
    }
    match Process::find(pid.number) {
        Found::Process(process) => {
            refuse::kernel_thread(&process)?;
            refuse::unexpected(args, &process)?;
            refuse::reused(args, &process, job_state)?;
            Ok(TargetProcess::Attached(process))
        }
        Found::ThreadOf(leader) => Err(Failure::usage(format!(
            "{pid} is a thread of process {leader}"
        ))
        .hint(format!("give --pid {leader}"))),
        Found::CannotTell(reason) => Err(Failure::could_not_check(format!(
            "looking for process {pid}: {reason}"
        ))),
        Found::Gone => {
            let gone = EndedProcess::unknown(None, format!("there is no process {pid} any more"));
            let ended = with_record(gone, pid.number, job_state);
            let is_known = ended.exit.exit.source != ExitSource::Unknown;
            if !is_known && !has_log {
                return Err(Failure::could_not_check(format!(
                    "no process {pid} (it may have ended: give --log to read what it said)"
                )));
            }
            Ok(TargetProcess::Ended(ended))
        }
    }
}

/// Adds what a job record knows, if it is of this pid and this boot.
fn with_record(ended: EndedProcess, pid: u64, job_state: &JobState) -> EndedProcess {
    match job_state {
        JobState::Ended(_, recorded, exited)
            if u64::from(recorded.job.pid) == pid
                && recorded.job.boot_id == proc::boot_id()
                && ended
                    .identity
                    .as_ref()
                    .is_none_or(|identity| is_same(Some(identity), &recorded.job)) =>
        {
            EndedProcess::recorded(recorded, exited)
        }
        _ => ended,
    }
}

/// The process of an identity, if it is still that one.
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

fn read_job_state(path: &Path) -> JobState {
    std::fs::read(path).map_or(JobState::NotStarted, |bytes| record::read(&bytes))
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
