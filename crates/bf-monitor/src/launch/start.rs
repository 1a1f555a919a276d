//! Starting a job exactly once, or joining the one that was started before.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant, SystemTime};

use bf_cli::{Context, Failure};
use bf_contract::Exit;
use bf_logtail::Place;
use chrono::Utc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::args::Role;
use crate::launch::record::{Exited, Intent, JobState, Record, Recorded, Step};
use crate::launch::shim;
use crate::proc::{self, Family, MARK_VARIABLE};

/// How long another bf-monitor may take between locking a record and starting its job.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the shim of an ended job may take to let go of the record.
const SHIM_PATIENCE: Duration = Duration::from_secs(1);

/// A job to start.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    /// The program and its arguments.
    pub(crate) command: Vec<OsString>,
    /// Its working directory, absolute.
    pub(crate) cwd: PathBuf,
    /// Environment variables on top of the inherited ones.
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) log: PathBuf,
    /// Where the job's record is.
    pub(crate) record: PathBuf,
    /// Whether the record is for one job only (`--state`), and not for one after the other.
    pub(crate) once: bool,
    /// Open descriptors that the shim is to hold, and the job not.
    pub(crate) inherit: Vec<RawFd>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum StartOutcome {
    /// The job was started, just now.
    Started(Intent, Recorded, Shim),
    /// It was started earlier; its end is not recorded.
    Running(Intent, Recorded),
    /// It was started earlier and has ended.
    Ended(Intent, Recorded, Exited),
}

/// The shim of a job that was started just now: tells how the job ended.
#[derive(Debug)]
pub(crate) struct Shim {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// Starts a job, or joins it where its record says that it was started before.
///
/// # Errors
/// Nothing was started: exit 2 where the call is wrong (no such program, a record of another job, a log
/// that cannot be written), exit 3 where the start went wrong or that is not known.
pub(crate) fn start_or_join(spec: &Spec) -> Result<StartOutcome, Failure> {
    if !spec.record.exists() {
        // The usual first call: what is wrong with it is found before anything is made.
        find_program(spec)?;
        make_folder_of_log(spec)?;
    }
    let waiting_since = Instant::now();
    loop {
        let (record, locked) = Record::open(&spec.record)
            .or_usage(|| format!("opening the job record {}", spec.record.display()))
            .map_err(|failure| {
                failure
                    .hint("nothing was started; give a state file in a folder that can be written")
            })?;
        let job_state = record
            .job_state()
            .or_could_not_check(|| format!("reading the job record {}", spec.record.display()))?;
        match job_state {
            JobState::Started(intent, recorded) if spec.once => {
                same_job(spec, &intent)?;
                return Ok(StartOutcome::Running(intent, recorded));
            }
            JobState::Ended(intent, recorded, exited) if spec.once => {
                same_job(spec, &intent)?;
                return Ok(StartOutcome::Ended(intent, recorded, exited));
            }
            JobState::Started(_, recorded) if !locked || is_alive(&recorded) => {
                let pid = recorded.job.pid;
                return Err(Failure::usage(format!(
                    "{} is the log of a job that still runs (pid {pid})",
                    spec.log.display()
                ))
                .hint(format!(
                    "nothing was started; watch it with --pid {pid}, or give another --log"
                )));
            }
            JobState::Started(intent, recorded) | JobState::Ended(intent, recorded, _) => {
                let left = what_lives_on(&intent, &recorded);
                if locked && left.is_empty() {
                    return start(spec, record);
                }
                // A shim that just recorded the end is about to let go of the record.
                if waiting_since.elapsed() > SHIM_PATIENCE && !left.is_empty() {
                    return Err(Failure::usage(format!(
                        "{} is the log of a job of which something still runs (pid {})",
                        spec.log.display(),
                        left.join(", ")
                    ))
                    .hint("nothing was started; wait until it has ended, or give another --log"));
                }
            }
            JobState::NotStarted if locked => return start(spec, record),
            JobState::NotStarted => {}
        }
        if waiting_since.elapsed() > PATIENCE {
            return Err(Failure::could_not_check(format!(
                "timed out waiting for the bf-monitor that locks {}",
                spec.record.display()
            ))
            .hint("nothing was started; find it with fuser, and try again once it is gone"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The pids of what lives on of a job whose own process has ended.
fn what_lives_on(intent: &Intent, recorded: &Recorded) -> Vec<String> {
    if recorded.job.boot_id != proc::boot_id() {
        return Vec::new();
    }
    let family = Family::of_started(&recorded.job, &recorded.shim, &intent.mark);
    let living = family.living().unwrap_or_default();
    living.iter().map(|member| member.pid.to_string()).collect()
}

/// Whether the recorded job may still live.
fn is_alive(recorded: &Recorded) -> bool {
    recorded.job.boot_id == proc::boot_id()
        && match proc::Process::find(u64::from(recorded.job.pid)) {
            proc::Found::Process(process) => {
                process.identity().start_ticks == recorded.job.start_ticks
                    && process.life() == proc::Life::Running
            }
            proc::Found::CannotTell(_) => true,
            proc::Found::Gone | proc::Found::ThreadOf(_) => false,
        }
}

/// Refuses a record of another job.
fn same_job(spec: &Spec, intent: &Intent) -> Result<(), Failure> {
    let command = texts(&spec.command);
    let difference = if intent.command != command {
        format!(
            "it started `{}`, and this is `{}`",
            intent.command.join(" "),
            command.join(" ")
        )
    } else if intent.log != spec.log {
        format!(
            "its log is {}, and this is {}",
            intent.log.display(),
            spec.log.display()
        )
    } else if intent.cwd != spec.cwd {
        format!(
            "it ran in {}, and this is {}",
            intent.cwd.display(),
            spec.cwd.display()
        )
    } else {
        return Ok(());
    };
    Err(Failure::usage(format!(
        "the state file belongs to another job: {difference} ({})",
        spec.record.display()
    ))
    .hint("nothing was started; give each job a state file of its own"))
}

fn texts(command: &[OsString]) -> Vec<String> {
    command
        .iter()
        .map(|text| text.to_string_lossy().into_owned())
        .collect()
}

/// Starts the job. The record is locked and says that none was started.
fn start(spec: &Spec, record: Record) -> Result<StartOutcome, Failure> {
    let existed = spec.log.exists();
    let prepared = prepare(spec).and_then(|log| Ok((intend(spec, &record, &log)?, log)));
    let outcome = prepared.and_then(|(intent, log)| {
        match spawn_shim(spec, &record, log, &intent.mark)? {
            Some((recorded, shim)) => Ok(StartOutcome::Started(intent, recorded, shim)),
            // Its stub may have written more than the shim lived to report.
            None => match record.job_state() {
                Ok(JobState::Started(intent, recorded)) => {
                    Ok(StartOutcome::Running(intent, recorded))
                }
                _ => Err(was_not_started(Some("its shim was killed"))),
            },
        }
    });
    if outcome.is_err()
        && record
            .job_state()
            .is_ok_and(|job_state| job_state == JobState::NotStarted)
    {
        // Nothing is left behind of what did not happen.
        record.remove();
        if !existed && std::fs::metadata(&spec.log).is_ok_and(|log| log.len() == 0) {
            let _ = std::fs::remove_file(&spec.log);
        }
    }
    outcome
}

/// Looks for the program and opens the log, the folders above it made. An unfinished last line of an
/// earlier run is closed off, so that it does not swallow the first one of this run.
fn prepare(spec: &Spec) -> Result<File, Failure> {
    find_program(spec)?;
    make_folder_of_log(spec)?;
    let opening = || format!("opening the log {}", spec.log.display());
    if std::fs::metadata(&spec.log).is_ok_and(|log| !log.is_file()) {
        return Err(
            Failure::usage(format!("the log {} is not a file", spec.log.display()))
                .hint("nothing was started; give --log FILE"),
        );
    }
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o644)
        .open(&spec.log)
        .or_usage(opening)?;
    refuse_shared(spec, &log)?;
    let size = log.metadata().or_usage(opening)?.len();
    let mut last = [b'\n'];
    if size > 0 && log.read_at(&mut last, size - 1).is_ok() && last != [b'\n'] {
        (&log).write_all(b"\n").or_usage(opening)?;
    }
    Ok(log)
}

/// Refuses a log that a job of another bf-monitor writes: nothing would tell whose its lines are. The lock belongs to
/// the open file, which the job inherits: it is held until the last process of the job has let go of its output.
fn refuse_shared(spec: &Spec, log: &File) -> Result<(), Failure> {
    match flock(log, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::AGAIN) => {}
        // Some file systems have no locks.
        Ok(()) | Err(_) => return Ok(()),
    }
    let file = log.metadata().map(|file| (file.dev(), file.ino()));
    let writers = file.map_or_else(
        |_| Vec::new(),
        |file| proc::log_writers(file, &[std::process::id()]),
    );
    let writers: Vec<String> = writers.iter().map(u32::to_string).collect();
    let whose = if writers.is_empty() {
        String::new()
    } else {
        format!(" (pid {})", writers.join(", "))
    };
    Err(Failure::usage(format!(
        "the log {} is written by another job{whose}",
        spec.log.display()
    ))
    .hint("nothing was started; give each job a log of its own, or wait until that one has ended"))
}

fn make_folder_of_log(spec: &Spec) -> Result<(), Failure> {
    match spec.log.parent() {
        Some(folder) => std::fs::create_dir_all(folder)
            .or_usage(|| format!("making the folder of the log {}", spec.log.display())),
        None => Ok(()),
    }
}

/// Records what is to be started.
fn intend(spec: &Spec, record: &Record, log: &File) -> Result<Intent, Failure> {
    let recording = || format!("writing the job record {}", record.path().display());
    let intent = Intent {
        at: Utc::now(),
        boot_id: proc::boot_id(),
        command: texts(&spec.command),
        cwd: spec.cwd.clone(),
        log: spec.log.clone(),
        from: Place::end_of(log).or_usage(recording)?,
        mark: new_mark(),
    };
    record
        .clear()
        .and_then(|()| record.append(&Step::Intended(intent.clone())))
        .or_usage(recording)
        .map_err(|failure| failure.hint("nothing was started"))?;
    Ok(intent)
}

/// A mark that no other job of this machine has.
fn new_mark() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |now| now.as_nanos());
    format!("{nanoseconds:x}-{:x}", std::process::id())
}

/// The marks of the jobs that bf-monitor itself is a part of, and this one.
fn marks(mark: &str) -> OsString {
    let mut marks = std::env::var_os(MARK_VARIABLE).unwrap_or_default();
    if !marks.is_empty() {
        marks.push(",");
    }
    marks.push(mark);
    marks
}

/// Makes sure that the program is there, where execvp(3) will look for it.
fn find_program(spec: &Spec) -> Result<(), Failure> {
    if !spec.cwd.is_dir() {
        return Err(Failure::usage(format!(
            "the working directory {} is not there",
            spec.cwd.display()
        ))
        .hint("nothing was started; fix --cwd"));
    }
    let program = spec
        .command
        .first()
        .map_or(OsStr::new(""), OsString::as_os_str);
    let is_program = |path: &Path| {
        path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    };
    let has_folder = program.as_encoded_bytes().contains(&b'/');
    let found = if has_folder {
        is_program(&spec.cwd.join(program))
    } else {
        let given = spec.env.iter().rev().find(|(name, _)| name == "PATH");
        let path = given
            .map(|(_, path)| path.clone())
            .or_else(|| std::env::var_os("PATH"))
            .unwrap_or_else(|| OsString::from("/bin:/usr/bin"));
        !program.is_empty()
            && std::env::split_paths(&path)
                .any(|folder| is_program(&spec.cwd.join(folder).join(program)))
    };
    if found {
        return Ok(());
    }
    let name = program.to_string_lossy();
    let problem = if has_folder && spec.cwd.join(program).exists() {
        "is not an executable file"
    } else {
        "was not found"
    };
    Err(
        Failure::usage(format!("the program {name} {problem}")).hint(if has_folder {
            format!(
                "nothing was started; a relative path is looked for in {}",
                spec.cwd.display()
            )
        } else {
            "nothing was started; it was looked for in PATH".to_owned()
        }),
    )
}

/// The failure of a start that came to no job.
pub(crate) fn was_not_started(reason: Option<&str>) -> Failure {
    let reason = reason.unwrap_or("its program could not be executed");
    Failure::usage(format!("the job was not started: {reason}"))
        .hint("nothing runs; once the cause is gone, give the same command again")
}

/// Starts the shim and waits until it says that the job runs. `None` if it was killed before.
fn spawn_shim(
    spec: &Spec,
    record: &Record,
    log: File,
    mark: &str,
) -> Result<Option<(Recorded, Shim)>, Failure> {
    let starting = || "starting the job's shim".to_owned();
    let mut command = shim::self_command();
    command.arg(Role::Shim.flag());
    command.arg("--cwd").arg(&spec.cwd);
    for number in &spec.inherit {
        command.arg("--inherit-fd").arg(number.to_string());
    }
    command.arg("--").args(&spec.command);
    // Through the environment and not as arguments: the process list is for everybody.
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    command.env(MARK_VARIABLE, marks(mark));
    command
        .stdin(Stdio::from(
            record.hand_down().or_could_not_check(starting)?,
        ))
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log));
    let mut child = command.spawn().or_could_not_check(starting)?;
    let lines = child.stdout.take().map(BufReader::new);
    let Some(lines) = lines else {
        return Err(Failure::could_not_check("the shim has no pipe"));
    };
    let mut shim = Shim { child, lines };
    match shim.next_step() {
        Some(Step::Recorded(recorded)) => Ok(Some((recorded, shim))),
        Some(Step::NotStarted { reason, .. }) => {
            let _ = shim.child.wait();
            Err(Failure::new(
                Exit::Usage,
                format!("starting {}: {reason}", spec.command[0].to_string_lossy()),
            )
            .hint("nothing was started"))
        }
        _ => {
            let _ = shim.child.wait();
            Ok(None)
        }
    }
}

impl Shim {
    /// The next thing that the shim says; `None` once it is gone. Blocks.
    fn next_step(&mut self) -> Option<Step> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.lines.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) => {
                    if let Ok(step) = serde_json::from_str(&line) {
                        return Some(step);
                    }
                }
            }
        }
    }

    /// The job's end, once the descriptor is readable; `None` where the shim went without telling it.
    pub(crate) fn read_exit(&mut self) -> Option<Exited> {
        match self.next_step()? {
            Step::Exited(exited) => Some(exited),
            _ => None,
        }
    }

    /// Whether there is something to read, within `limit`.
    pub(crate) fn has_news(&self, limit: Duration) -> bool {
        let mut fds = [PollFd::new(self.lines.get_ref(), PollFlags::IN)];
        let limit = Timespec::try_from(limit).ok();
        !self.lines.buffer().is_empty()
            || poll(&mut fds, limit.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// Waits until the shim has synced its record, at most `limit`. It may live on, as what the job left behind does.
    pub(crate) fn wait_for_exit(mut self, limit: Duration) {
        let since = Instant::now();
        while self.has_news(limit.saturating_sub(since.elapsed())) {
            if self.next_step().is_none() {
                return;
            }
        }
    }
}

impl AsFd for Shim {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.lines.get_ref().as_fd()
    }
}

/// Makes a path absolute without asking whether it is there.
///
/// # Errors
/// The current folder is gone.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}
