//! From the flags to a watch.

use bf_cli::text::{duration, printable};
use bf_cli::{Failure, Interrupts, Output, Streams};
use bf_config::Loaded;
use bf_contract::{Exit, ExitSource, ProcessEventKind};
use chrono::{DateTime, TimeDelta, Utc};

use crate::args::{Args, Role};
use bf_parse_log::Dialects;

use crate::log::Log;
use crate::report::Reporter;
use crate::settings::Settings;
use crate::state::{State, StateFile};
use crate::subject::{self, Past, Subject, Watched};
use crate::sys::Process;
use crate::watch::{Beginning, End, Watch};
use crate::{doctor, earlier, gate, keeper};

/// Runs bf-monitor.
///
/// # Errors
/// The call is wrong or nothing could be started (exit 2), or there is nothing to watch (exit 3).
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    match args.role {
        Some(Role::Keeper) => return keeper::run(&args),
        Some(Role::Gate) => return gate::run(&args),
        Some(Role::Probe) => return doctor::probe(),
        None => {}
    }
    if let Some(stray) = &args.stray {
        let hint = if stray.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("nothing was watched; a process is given with --pid {stray}")
        } else {
            "nothing was started; a log is given with --log FILE, a job behind --".to_owned()
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
    // Before anything is started, so that no signal is lost.
    let interrupts = Interrupts::install()?;
    let subject = subject::find(&args, state.as_ref())?;
    let begun = Begun {
        args: &args,
        loaded: &loaded,
        dialects: &dialects,
        output,
        interrupts,
        state_file,
        state,
    };
    begun.watch(subject)
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
                "no file"
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

/// Everything that is there before the job is.
struct Begun<'a> {
    args: &'a Args,
    loaded: &'a Loaded,
    dialects: &'a Dialects,
    output: Output,
    interrupts: Interrupts,
    state_file: Option<StateFile>,
    state: Option<State>,
}

impl Begun<'_> {
    fn watch(self, subject: Subject) -> Result<Exit, Failure> {
        let kept_log = self.state.as_ref().and_then(|state| state.log.clone());
        let (event, message) = beginning_in_words(&subject);
        let Subject {
            life,
            record,
            log,
            log_from,
            ..
        } = subject;
        let (process, keeper, over, identity, started_at) = match life {
            Watched::Started(process, keeper) => with_process(process, Some(keeper)),
            Watched::Attached(process) => with_process(process, None),
            Watched::Over(past) => with_past(past),
        };
        let mut stale = None;
        let log = log.map(|path| {
            let given = self.args.log.as_ref().unwrap_or(&path);
            let resumed = kept_log
                .as_ref()
                .filter(|kept| kept.path == path)
                .map(|kept| Log::resume(&path, kept, self.dialects));
            let log = resumed.unwrap_or_else(|| match (log_from, &process) {
                (None, Some(process)) => {
                    let (log, note) = earlier::begin(&path, given, process, self.dialects);
                    stale = note;
                    log
                }
                (from, _) => Log::new(&path, from, self.dialects),
            });
            log.shown_as(given)
        });
        let mut reporter = Reporter::new(self.output, self.args.progress);
        reporter.lines(&self.loaded.describe())?;
        if let Some(stale) = stale {
            reporter.warn(&stale)?;
        }
        let config = &self.loaded.config;
        let watch = Watch::new(Beginning {
            settings: Settings::new(self.args, &config.polling, config.hang),
            reporter,
            interrupts: self.interrupts,
            process,
            identity,
            started_at,
            over,
            keeper,
            record,
            log,
            state_file: self.state_file,
            state: self.state,
        });
        watch.run(event, &message)
    }
}

type Known = (
    Option<Process>,
    Option<crate::start::Keeper>,
    Option<End>,
    Option<bf_contract::ProcessIdentity>,
    Option<DateTime<Utc>>,
);

fn with_process(process: Process, keeper: Option<crate::start::Keeper>) -> Known {
    let identity = process.identity().clone();
    let started_at = process
        .age()
        .and_then(|age| TimeDelta::from_std(age).ok())
        .map(|age| Utc::now() - age);
    (Some(process), keeper, None, Some(identity), started_at)
}

fn with_past(past: Past) -> Known {
    let end = match (past.settled, past.status) {
        (Some(settled), _) => End {
            exit: settled.exit.clone(),
            said_before: Some(settled),
            ..End::unknown(None, past.elapsed)
        },
        (None, Some((status, source))) => End {
            oom_kills: past.oom_kills,
            ..End::known(status, source, past.elapsed)
        },
        (None, None) => End::unknown(past.doubt, past.elapsed),
    };
    (None, past.keeper, Some(end), past.identity, past.started_at)
}

/// The first event and its words.
fn beginning_in_words(subject: &Subject) -> (ProcessEventKind, String) {
    let command = |process: &Process| {
        let text = process.command_line().unwrap_or_default();
        printable(&text, 120)
    };
    match &subject.life {
        Watched::Started(process, _) => {
            let command = subject.command.as_ref().map(|words| words.join(" "));
            let text = format!(
                "started pid {}: {}",
                process.identity().pid,
                printable(&command.unwrap_or_default(), 200)
            );
            (ProcessEventKind::Started, text)
        }
        Watched::Attached(process) => {
            let since = process.age().map_or(String::new(), |age| {
                format!(", running for {}", duration(age))
            });
            let text = format!(
                "watching pid {} ({}){since}",
                process.identity().pid,
                command(process)
            );
            (ProcessEventKind::Attached, text)
        }
        Watched::Over(past) if past.started_now => (
            ProcessEventKind::Started,
            format!(
                "started a job that is over already: {}",
                printable(&subject.command.clone().unwrap_or_default().join(" "), 200)
            ),
        ),
        Watched::Over(past) => {
            let text = match (&past.doubt, &past.status) {
                (Some(doubt), _) => doubt.clone(),
                (None, Some((_, ExitSource::Record))) => {
                    "the job is over, and its record says how".to_owned()
                }
                _ => "the job is over, and that was seen".to_owned(),
            };
            (ProcessEventKind::Attached, text)
        }
    }
}
