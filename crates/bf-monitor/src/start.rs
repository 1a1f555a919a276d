//! Starting a job exactly once, or joining the one that was started before.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use bf_cli::{Context, Failure};
use bf_contract::Exit;
use chrono::Utc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::args::Role;
use crate::keeper;
use crate::record::{Exited, Intent, Record, Recorded, Step, Story};
use crate::sys;
use bf_logtail::Place;

/// How long another bf-monitor may take between locking a record and starting its job.
const PATIENCE: Duration = Duration::from_secs(10);

/// A job to start.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Its working directory, absolute.
    pub cwd: PathBuf,
    /// Environment variables on top of the inherited ones.
    pub env: Vec<(OsString, OsString)>,
    /// The log, absolute.
    pub log: PathBuf,
    /// Where the job's record is.
    pub record: PathBuf,
    /// Whether the record stands for one job for ever (`--state`), and not for one after the other.
    pub once: bool,
    /// Open descriptors that the keeper is to hold, and the job not.
    pub inherit: Vec<RawFd>,
}

/// What came of it.
#[derive(Debug)]
pub enum Joined {
    /// The job was started, just now.
    Started(Intent, Recorded, Keeper),
    /// It was started earlier; its end is not recorded.
    Running(Intent, Recorded),
    /// It was started earlier, and is over.
    Ended(Intent, Recorded, Exited),
}

/// The keeper of a job that was started just now: tells how the job ended.
#[derive(Debug)]
pub struct Keeper {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// Starts a job, or joins it where its record says that it was started before.
///
/// # Errors
/// Nothing was started: exit 2 where the call is wrong (no such program, a record of another job, a log
/// that cannot be written), exit 3 where the start went wrong or nobody can say.
pub fn start_or_join(spec: &Spec) -> Result<Joined, Failure> {
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
        let story = record
            .story()
            .or_could_not_check(|| format!("reading the job record {}", spec.record.display()))?;
        match story {
            Story::Started(intent, recorded) if spec.once => {
                same_job(spec, &intent)?;
                return Ok(Joined::Running(intent, recorded));
            }
            Story::Ended(intent, recorded, exited) if spec.once => {
                same_job(spec, &intent)?;
                return Ok(Joined::Ended(intent, recorded, exited));
            }
            Story::Started(_, recorded) if !locked || is_alive(&recorded) => {
                let pid = recorded.job.pid;
                return Err(Failure::usage(format!(
                    "{} is the log of a job that still runs (pid {pid})",
                    spec.log.display()
                ))
                .hint(format!(
                    "nothing was started; watch it with --pid {pid}, or give another --log"
                )));
            }
            _ if locked => return start(spec, record),
            _ => {}
        }
        if waiting_since.elapsed() > PATIENCE {
            return Err(Failure::could_not_check(format!(
                "another bf-monitor has locked {} and starts no job",
                spec.record.display()
            ))
            .hint("nothing was started; find it with fuser, and try again once it is gone"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the recorded job may still live.
fn is_alive(recorded: &Recorded) -> bool {
    recorded.job.boot_id == sys::boot_id()
        && match sys::Process::find(u64::from(recorded.job.pid)) {
            sys::Found::Process(process) => {
                process.identity().start_ticks == recorded.job.start_ticks
                    && process.life() == sys::Life::Running
            }
            sys::Found::CannotTell(_) => true,
            sys::Found::Gone | sys::Found::ThreadOf(_) => false,
        }
}

/// Refuses a record that stands for another job.
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
fn start(spec: &Spec, record: Record) -> Result<Joined, Failure> {
    let existed = spec.log.exists();
    let prepared = prepare(spec).and_then(|log| Ok((intend(spec, &record, &log)?, log)));
    let outcome = prepared.and_then(|(intent, log)| {
        let (recorded, keeper) = spawn_keeper(spec, &record, log)?;
        Ok(Joined::Started(intent, recorded, keeper))
    });
    if outcome.is_err() && record.story().is_ok_and(|story| story == Story::NotStarted) {
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
    let size = log.metadata().or_usage(opening)?.len();
    let mut last = [b'\n'];
    if size > 0 && log.read_at(&mut last, size - 1).is_ok() && last != [b'\n'] {
        (&log).write_all(b"\n").or_usage(opening)?;
    }
    Ok(log)
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
        boot_id: sys::boot_id(),
        command: texts(&spec.command),
        cwd: spec.cwd.clone(),
        log: spec.log.clone(),
        from: Place::end_of(log).or_usage(recording)?,
    };
    record
        .clear()
        .and_then(|()| record.append(&Step::Intended(intent.clone())))
        .or_usage(recording)
        .map_err(|failure| failure.hint("nothing was started"))?;
    Ok(intent)
}

/// Makes sure that the program is there, where execvp(3) will look for it.
fn find_program(spec: &Spec) -> Result<(), Failure> {
    if !spec.cwd.is_dir() {
        return Err(Failure::usage(format!(
            "the working directory {} is not there",
            spec.cwd.display()
        ))
        .hint("nothing was started; mend --cwd"));
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

/// Starts the keeper and waits until it says that the job runs.
fn spawn_keeper(spec: &Spec, record: &Record, log: File) -> Result<(Recorded, Keeper), Failure> {
    let starting = || "starting the job's keeper".to_owned();
    let mut command = keeper::ourselves();
    command.arg(Role::Keeper.flag());
    command.arg("--cwd").arg(&spec.cwd);
    for number in &spec.inherit {
        command.arg("--inherit-fd").arg(number.to_string());
    }
    command.arg("--").args(&spec.command);
    // Through the environment and not as arguments: the process list is for everybody.
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    command
        .stdin(Stdio::from(
            record.hand_down().or_could_not_check(starting)?,
        ))
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log));
    let mut child = command.spawn().or_could_not_check(starting)?;
    let lines = child.stdout.take().map(BufReader::new);
    let Some(lines) = lines else {
        return Err(Failure::could_not_check("the keeper has no pipe"));
    };
    let mut keeper = Keeper { child, lines };
    match keeper.next_step() {
        Some(Step::Recorded(recorded)) => Ok((recorded, keeper)),
        Some(Step::NotStarted { reason, .. }) => {
            let _ = keeper.child.wait();
            Err(Failure::new(
                Exit::Usage,
                format!("starting {}: {reason}", spec.command[0].to_string_lossy()),
            )
            .hint("nothing was started"))
        }
        _ => {
            let _ = keeper.child.wait();
            Err(Failure::could_not_check("the keeper ended before it said whether the job runs")
                .hint("give the same command again: its state file knows whether the job was started"))
        }
    }
}

impl Keeper {
    /// The next thing that the keeper says; `None` once it is gone. Blocks.
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

    /// The job's end, once the descriptor is readable; `None` where the keeper went without telling it.
    pub fn read_exit(&mut self) -> Option<Exited> {
        match self.next_step()? {
            Step::Exited(exited) => Some(exited),
            _ => None,
        }
    }

    /// Whether there is something to read, within `limit`.
    #[must_use]
    pub fn has_news(&self, limit: Duration) -> bool {
        let mut fds = [PollFd::new(self.lines.get_ref(), PollFlags::IN)];
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        !self.lines.buffer().is_empty() || poll(&mut fds, Some(&limit)).is_ok_and(|ready| ready > 0)
    }

    /// Waits until the keeper has synced its record and is gone, at most `limit`.
    pub fn see_off(mut self, limit: Duration) {
        let since = Instant::now();
        while self.has_news(limit.saturating_sub(since.elapsed())) {
            if self.next_step().is_none() {
                let _ = self.child.wait();
                return;
            }
        }
    }
}

impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.lines.get_ref().as_fd()
    }
}

/// Makes a path absolute without asking whether it is there.
///
/// # Errors
/// The current folder is gone.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}
