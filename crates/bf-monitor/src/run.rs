//! From the flags to a watch.

use bf_cli::text::{duration, printable};
use bf_cli::{Failure, Interrupts, Output, Streams};
use bf_contract::{Exit, ExitSource, ProcessEventKind};
use bf_parse_log::Dialects;

use crate::args::{Args, Role};
use crate::job::Job;
use crate::launch::{exec_stub, shim, start};
use crate::log::LogWatch;
use crate::proc::monotonic;
use crate::report::Reporter;
use crate::settings::Settings;
use crate::state::{State, StateFile};
use crate::target::{self, Target, TargetProcess};
use crate::watch::Watch;
use crate::{doctor, earlier};

/// Runs bf-monitor.
///
/// # Errors
/// The call is wrong or nothing could be started (exit 2), or there is nothing to watch (exit 3).
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    match args.role {
        Some(Role::Shim) => return shim::run(&args),
        Some(Role::ExecStub) => return exec_stub::run(&args),
        Some(Role::Probe) => return doctor::probe(),
        None => {}
    }
    if let Some(stray) = &args.stray {
        let hint = if stray.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("nothing was watched; a process is given with --pid {stray}")
        } else {
            "nothing was started; a log is given with --log FILE, a job after --".to_owned()
        };
        return Err(Failure::usage(format!("unexpected argument {stray:?}")).hint(hint));
    }
    let (output, _stdin) = Output::new(&args.output, streams);
    if args.doctor {
        return doctor::run(output);
    }
    let loaded = bf_config::load(&args.config)?;
    let mut dialects = Dialects::with(&loaded.config.dialects)?;
    if let Some(name) = &args.dialect {
        dialects = dialects.only(name)?;
    }
    refuse_unreadable_log(&args)?;
    let (state_file, state) = match &args.state {
        Some(path) => {
            let (file, state) = StateFile::open(path)?;
            (Some(file), state)
        }
        None => (None, None),
    };
    let earlier = earlier_attempt(&args, &dialects, state.as_ref())?;
    // Before anything is started, so that no signal is lost.
    let interrupts = Interrupts::install()?;
    let target = target::find(&args, state.as_ref())?;
    let (first, message) = beginning_in_words(&target);

    let mut reporter = Reporter::new(output, args.progress);
    reporter.lines(&loaded.describe())?;
    let (log, note) = match earlier {
        Some(log) => (Some(log), None),
        None => begin_log(&args, &dialects, state.as_ref(), &target),
    };
    if let Some(note) = note {
        reporter.warn(&note)?;
    }
    let settings = Settings::new(&args, &loaded.config);
    Watch::new(settings, reporter, interrupts, Job::new(target), log)
        .with_state(state_file, state)
        .run(first, &message)
}

/// The log as the bf-monitor of an earlier attempt left it, read to where the next attempt begins. `None` without
/// --after, if that attempt had another log, and if this attempt's own state has the log already.
fn earlier_attempt(
    args: &Args,
    dialects: &Dialects,
    state: Option<&State>,
) -> Result<Option<LogWatch>, Failure> {
    let (Some(after), Some(given)) = (&args.after, &args.log) else {
        return Ok(None);
    };
    if state.is_some_and(|state| state.log.is_some()) {
        return Ok(None);
    }
    let path = start::absolute(given)
        .map_err(|error| Failure::usage(format!("the path {}: {error}", given.display())))?;
    let saved = StateFile::read_only(after)?.log;
    let Some(saved) = saved.filter(|log| log.path == path) else {
        return Ok(None);
    };
    let mut log = LogWatch::resume(&path, &saved, dialects).shown_as(given);
    log.read(monotonic());
    log.begin_attempt();
    Ok(Some(log))
}

/// The log, from where the run begins; and what is to be reported of that.
fn begin_log(
    args: &Args,
    dialects: &Dialects,
    state: Option<&State>,
    target: &Target,
) -> (Option<LogWatch>, Option<String>) {
    let Some(path) = &target.log else {
        return (None, None);
    };
    let given = args.log.as_ref().unwrap_or(path);
    let saved = state
        .and_then(|state| state.log.as_ref())
        .filter(|saved| saved.path == *path);
    let process = match &target.process {
        TargetProcess::Started(process, _) | TargetProcess::Attached(process) => Some(process),
        TargetProcess::Ended(_) => None,
    };
    let (log, note) = match (saved, target.log_from, process) {
        (Some(saved), _, _) => (LogWatch::resume(path, saved, dialects), None),
        (None, None, Some(process)) => earlier::begin(path, given, process, dialects),
        (None, from, _) => (LogWatch::new(path, from, dialects), None),
    };
    (Some(log.shown_as(given)), note)
}

/// Refuses a log that can never be read: better now than after hours.
fn refuse_unreadable_log(args: &Args) -> Result<(), Failure> {
    let Some(path) = &args.log else {
        return Ok(());
    };
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let what = if metadata.is_dir() {
                "a folder"
            } else {
                "not a file"
            };
            Err(
                Failure::usage(format!("the log {} is {what}", path.display()))
                    .hint("nothing was started; give --log FILE"),
            )
        }
        Ok(_) if args.command.is_empty() => std::fs::File::open(path).map(drop).map_err(|error| {
            Failure::could_not_check(format!(
                "reading the log {}: {}",
                path.display(),
                error.kind()
            ))
        }),
        _ => Ok(()),
    }
}

/// The first event and its words.
fn beginning_in_words(target: &Target) -> (ProcessEventKind, String) {
    let command = printable(&target.command.clone().unwrap_or_default().join(" "), 200);
    match &target.process {
        TargetProcess::Started(process, _) => {
            let text = format!("started pid {}: {command}", process.identity().pid);
            (ProcessEventKind::Started, text)
        }
        TargetProcess::Attached(process) => {
            let since = process.age().map_or(String::new(), |age| {
                format!(", running for {}", duration(age))
            });
            let text = format!(
                "watching pid {} ({}){since}",
                process.identity().pid,
                printable(&process.command_line().unwrap_or_default(), 120)
            );
            (ProcessEventKind::Attached, text)
        }
        TargetProcess::Ended(ended) if ended.shim.is_some() => (
            ProcessEventKind::Started,
            format!("started a job that has ended already: {command}"),
        ),
        TargetProcess::Ended(ended) => {
            let text = match (&ended.exit.doubt, ended.exit.exit.source) {
                (Some(doubt), _) if ended.exit.message.is_none() => doubt.clone(),
                (_, ExitSource::Record) => "the job has ended, and its record says how".to_owned(),
                _ => "the job has ended, and that was seen".to_owned(),
            };
            (ProcessEventKind::Attached, text)
        }
    }
}
