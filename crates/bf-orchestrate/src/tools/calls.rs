//! The tools as typed calls. Nothing is journalled here: a dry run makes the same calls.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bf_cli::{Context, Failure};
use bf_contract::{DateRange, DeliveryStatus, Document, LogFile, ProcessEvent, ValidationReport};
use chrono::{DateTime, SecondsFormat, Utc};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::plan::{Job, OnHang, OnTimeout, PhasePlan, ToolText};
use crate::store::attempt::AttemptDir;
use crate::store::mark::VARIABLE;
use crate::store::table_lock::TableLock;
use crate::tools::locate::Siblings;
use crate::tools::process::{Invocation, RunningTools, ToolEnd};

/// How long a tool may take that only reads a file, or only says what it would do.
const QUICK: Duration = Duration::from_secs(300);

/// How long a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// As the plan says.
    OfThePlan,
    /// No longer: it is ended.
    IsOver,
}

/// What a job is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobStart<'a> {
    /// bf-monitor's state of the attempt before: its log is continued.
    pub after: Option<&'a Path>,
    /// What the job carries, to be known by.
    pub mark: &'a str,
    /// The lock of its table, which what waits for the job inherits.
    pub lock: Option<&'a TableLock>,
}

/// Which part of a log is a job's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogPart<'a> {
    pub from_byte: u64,
    /// Where other attempts begin: a run ends there.
    pub attempts_at: &'a [u64],
    /// Whether nothing writes it any more, so that a date without an end is lost and not under way.
    pub is_over: bool,
}

impl LogPart<'_> {
    /// All of a log.
    pub(crate) fn whole(is_over: bool) -> Self {
        Self {
            from_byte: 0,
            attempts_at: &[],
            is_over,
        }
    }
}

/// What a tool prints while it runs.
pub(crate) enum Printed<'a> {
    /// A line of its documents, with its line end.
    Document(&'a [u8]),
    /// A line for people, of a tool that works for this phase.
    Text(Option<&'a str>, &'a str),
}

/// The tools, and what they are all given alike.
pub(crate) struct Tools<'a> {
    pub siblings: &'a Siblings,
    /// Who hears what they print.
    pub on_print: &'a (dyn Fn(Printed<'_>) + Sync),
    /// Whether their text has colours.
    pub color: bool,
    /// The tools that are running.
    pub running: &'a RunningTools,
    /// The config file that every tool gets.
    pub config: PathBuf,
    pub warehouse: &'a str,
}

/// What bf-monitor said of the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// Its exit code; `None` where a signal killed it.
    pub code: Option<i32>,
    pub last: Option<ProcessEvent>,
    /// The last line that it wrote for people.
    pub said: Option<String>,
}

/// What the validator said of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Validated {
    /// Its exit code; `None` where a signal killed it.
    pub code: Option<i32>,
    pub report: Option<ValidationReport>,
    /// The last line that it wrote for people.
    pub said: Option<String>,
    /// What it was asked to judge.
    pub asked: Option<Asked>,
}

/// What a validator is asked to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub range: DateRange,
    /// The table, where the phase or the suite names it.
    pub table: Option<String>,
    /// The suite, where it is a file.
    pub suite: Option<String>,
    /// Whether the table is to be held against the phase's log.
    pub has_log: bool,
    /// That log as it was read; `None` where it could not be.
    pub log: Option<LogFile>,
}

impl Tools<'_> {
    /// Watches the job until it has ended; starts it first where the plan says so. Every event is handed to
    /// `on_event` when it is kept.
    ///
    /// # Errors
    /// bf-monitor could not be started, or its documents not be kept (exit 3).
    #[allow(clippy::too_many_arguments)] // each of another kind, so that none can be taken for another
    pub(crate) fn watch(
        &self,
        phase: &PhasePlan,
        job: &Job,
        attempt: &AttemptDir,
        given: JobStart<'_>,
        limit: Limit,
        on_event: &mut dyn FnMut(&ProcessEvent) -> Result<(), Failure>,
    ) -> Result<Watched, Failure> {
        let JobStart { after, mark, lock } = given;
        let mut environment_file = None;
        let mut args = self.shared_args();
        args.extend(dialect_args(phase));
        args.extend(["--log".into(), job.log().into()]);
        args.extend(["--state".into(), attempt.monitor_state.clone().into()]);
        args.extend(["--save-ledger".into(), attempt.monitor_log.clone().into()]);
        if let Some(after) = after {
            args.extend(["--after".into(), after.into()]);
        }
        // The log is judged once, by the validators.
        args.extend(["--judge".into(), "process".into()]);
        if limit == Limit::OfThePlan {
            let seconds = phase.timeout.0.as_secs_f64().to_string();
            args.extend(["--timeout".into(), seconds.into()]);
        }
        if job.command().is_some() {
            if phase.on_timeout == OnTimeout::Kill && limit == Limit::OfThePlan {
                args.push("--kill-on-timeout".into());
            }
            if phase.on_hang == OnHang::Kill {
                args.extend(["--on-hang".into(), "exit".into()]);
            }
        }
        match job {
            Job::Attach {
                pid, expect_cmd, ..
            } => {
                args.extend(["--pid".into(), pid.to_string().into()]);
                if let Some(expected) = expect_cmd {
                    args.extend(["--expect-cmd".into(), expected.into()]);
                }
            }
            Job::AlreadyDone { .. } => {}
            Job::Command(_) if limit == Limit::IsOver => args.push("--end".into()),
            Job::Command(job) => {
                let variables = job
                    .env
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()));
                let file = environment(variables.chain([(VARIABLE, mark)]))?;
                let number = file.as_raw_fd().to_string();
                args.extend(["--env-fd".into(), number.into()]);
                environment_file = Some(file);
                if let Some(cwd) = &job.cwd {
                    args.extend(["--cwd".into(), cwd.into()]);
                }
                if let Some(lock) = lock {
                    let number = lock.file().as_raw_fd();
                    args.extend(["--inherit-fd".into(), number.to_string().into()]);
                }
                args.push("--".into());
                args.extend(job.command.iter().map(OsString::from));
            }
        }
        let mut last = None;
        let inherit: Vec<&File> = lock
            .map(TableLock::file)
            .into_iter()
            .chain(&environment_file)
            .collect();
        let end = self.run_tool(
            Call {
                program: &self.siblings.monitor,
                args,
                keep_in: &attempt.events,
                phase: Some(phase),
                inherit: &inherit,
                limit: None,
            },
            |document| {
                let Document::ProcessEvent(event) = document else {
                    return Ok(());
                };
                on_event(&event)?;
                last = Some(*event);
                Ok(())
            },
        )?;
        Ok(Watched {
            code: end.code,
            last,
            said: end.said,
        })
    }

    /// Reports on a process without waiting for it.
    ///
    /// # Errors
    /// bf-monitor could not be started, or its documents not be kept (exit 3).
    pub(crate) fn glance(
        &self,
        phase: &PhasePlan,
        pid: u32,
        log: &Path,
        attempt: &AttemptDir,
    ) -> Result<Watched, Failure> {
        let mut args = self.shared_args();
        args.extend(dialect_args(phase));
        args.extend(["--log".into(), log.into()]);
        args.extend(["--pid".into(), pid.to_string().into()]);
        args.push("--once".into());
        args.push("--quiet".into());
        let end = self.run_tool(
            Call {
                program: &self.siblings.monitor,
                args,
                keep_in: &attempt.events,
                phase: Some(phase),
                inherit: &[],
                limit: Some(QUICK),
            },
            |_| Ok(()),
        )?;
        Ok(Watched {
            code: end.code,
            last: attempt.last_event(),
            said: end.said,
        })
    }

    /// Reads the log of a job, date by date.
    ///
    /// # Errors
    /// bf-parse-log could not be started, or its documents not be kept (exit 3).
    pub(crate) fn read_log(
        &self,
        phase: &PhasePlan,
        log: &Path,
        part: LogPart<'_>,
        attempt: &AttemptDir,
    ) -> Result<ToolEnd, Failure> {
        let mut args = self.shared_args();
        args.extend(dialect_args(phase));
        args.push("--ledger".into());
        if part.is_over {
            args.push("--writer-gone".into());
        }
        args.extend(["--from-byte".into(), part.from_byte.to_string().into()]);
        if !part.attempts_at.is_empty() {
            let offsets: Vec<String> = part.attempts_at.iter().map(u64::to_string).collect();
            args.extend(["--attempts-at".into(), offsets.join(",").into()]);
        }
        args.push(log.into());
        start_anew(&attempt.log)?;
        self.run_tool(
            Call {
                program: &self.siblings.parse_log,
                args,
                keep_in: &attempt.log,
                phase: Some(phase),
                inherit: &[],
                limit: Some(phase.validate_timeout.0),
            },
            |_| Ok(()),
        )
    }

    /// Takes what bf-monitor read of the log: it followed every rotation, and the file that is left may be a part of
    /// the log. False if it saved nothing.
    ///
    /// # Errors
    /// The documents could not be kept (exit 3).
    pub(crate) fn take_monitor_log(&self, attempt: &AttemptDir) -> Result<bool, Failure> {
        match fs::copy(&attempt.monitor_log, &attempt.log) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            copied => copied
                .map(|_| true)
                .or_could_not_check(|| format!("writing {}", attempt.log.display())),
        }
    }

    /// Has one validator of the phase hold its table against the thresholds, and against the log where the
    /// phase has one. `since` is when the job began, where that is known: rows that it claims are no older.
    ///
    /// # Errors
    /// The validator could not be started, or its documents not be kept (exit 3).
    pub(crate) fn validate(
        &self,
        phase: &PhasePlan,
        index: usize,
        since: Option<DateTime<Utc>>,
        attempt: &AttemptDir,
    ) -> Result<Validated, Failure> {
        let (program, mut args) = self.validator_call(phase, index)?;
        // Only the first validator judges the phase's own table; the log speaks of no other.
        if has_log(phase, index, attempt) {
            args.extend(["--log-summary".into(), attempt.log.clone().into()]);
            if let Some(since) = since {
                let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
                args.extend(["--since".into(), since.into()]);
            }
        }
        let keep_in = &attempt.validations[index];
        start_anew(keep_in)?;
        let end = self.run_tool(
            Call {
                program,
                args,
                keep_in,
                phase: Some(phase),
                inherit: &[],
                limit: Some(phase.validate_timeout.0),
            },
            |_| Ok(()),
        )?;
        Ok(Validated {
            code: end.code,
            report: attempt.validation(index),
            said: end.said,
            asked: Some(asked(phase, index, attempt)),
        })
    }

    /// Has a validator say what it would ask, without asking it.
    ///
    /// # Errors
    /// As [`Tools::validate`].
    pub(crate) fn explain(
        &self,
        phase: &PhasePlan,
        index: usize,
        attempt: &AttemptDir,
    ) -> Result<ToolEnd, Failure> {
        let (program, mut args) = self.validator_call(phase, index)?;
        args.push("--explain".into());
        self.run_tool(
            Call {
                program,
                args,
                keep_in: &attempt.validations[index],
                phase: Some(phase),
                inherit: &[],
                limit: Some(QUICK),
            },
            |_| Ok(()),
        )
    }

    /// Has bf-notify look whether its channels can be reached, without telling them anything.
    ///
    /// # Errors
    /// bf-notify could not be started, or its documents not be kept (exit 3).
    pub(crate) fn check_notifier(
        &self,
        config: Option<&Path>,
        keep_in: &Path,
    ) -> Result<ToolEnd, Failure> {
        let Some(program) = &self.siblings.notify else {
            return Ok(ToolEnd {
                code: Some(0),
                said: None,
            });
        };
        let mut args = self.args_with(config.unwrap_or(&self.config));
        args.push("--check".into());
        let mut unreachable = None;
        let call = Call {
            program,
            args,
            keep_in,
            phase: None,
            inherit: &[],
            limit: Some(QUICK),
        };
        let end = self.run_tool(call, |document| {
            if let Document::Delivery(delivery) = document
                && delivery.status != DeliveryStatus::Reachable
            {
                let reason = delivery.reason.unwrap_or_default();
                unreachable = Some(format!("{}: not reachable: {reason}", delivery.channel));
            }
            Ok(())
        })?;
        Ok(ToolEnd {
            said: end.said.or(unreachable),
            ..end
        })
    }

    /// A validator and what it is always given.
    fn validator_call(
        &self,
        phase: &PhasePlan,
        index: usize,
    ) -> Result<(&Path, Vec<OsString>), Failure> {
        let validator = &phase.validate[index];
        let program = self.siblings.validator(&validator.program).ok_or_else(|| {
            Failure::could_not_check(format!("no validator {} was found", validator.program))
        })?;
        let mut args = vec![
            phase.range.start.to_string().into(),
            phase.range.end.to_string().into(),
        ];
        args.extend(self.shared_args());
        args.extend(["--warehouse".into(), self.warehouse.into()]);
        if let Some(suite) = &validator.suite {
            args.extend(["--suite".into(), suite.into()]);
        }
        if phase.follows_windows {
            args.push("--no-small-numbers".into());
        }
        Ok((program, args))
    }

    fn run_tool(
        &self,
        call: Call<'_>,
        on_document: impl FnMut(Document) -> Result<(), Failure>,
    ) -> Result<ToolEnd, Failure> {
        let is_shown = call.phase.is_none_or(|phase| match phase.text {
            ToolText::All => true,
            ToolText::WatchOnly => call.program == self.siblings.monitor,
            ToolText::None => false,
        });
        let name = call.phase.map(|phase| phase.name.as_str());
        Invocation {
            program: call.program.to_owned(),
            args: call.args,
            keep_in: call.keep_in.to_owned(),
            limit: call.limit,
        }
        .run(
            self.running,
            call.inherit,
            |line| (self.on_print)(Printed::Document(line)),
            on_document,
            |line| {
                // The heading says it once for all of them; a tool may have dimmed it.
                let is_known = line.trim_start_matches("\x1b[2m").starts_with("config: ");
                if is_shown && !is_known {
                    (self.on_print)(Printed::Text(name, line));
                }
            },
        )
    }

    /// The flags that every tool of the run gets alike.
    fn shared_args(&self) -> Vec<OsString> {
        self.args_with(&self.config)
    }

    fn args_with(&self, config: &Path) -> Vec<OsString> {
        let color = if self.color { "always" } else { "never" };
        ["--format", "json", "--color", color, "--config"]
            .map(OsString::from)
            .into_iter()
            .chain([config.into()])
            .collect()
    }
}

/// A call of a tool.
struct Call<'a> {
    program: &'a Path,
    args: Vec<OsString>,
    keep_in: &'a Path,
    phase: Option<&'a PhasePlan>,
    inherit: &'a [&'a File],
    limit: Option<Duration>,
}

/// The environment of a job as a file without a name: what is an argument, every user of the machine reads.
fn environment<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Result<File, Failure> {
    let doing = || "writing the environment of the job".to_owned();
    let file = memfd_create("bf-env", MemfdFlags::CLOEXEC).or_could_not_check(doing)?;
    let mut file = File::from(file);
    for (name, value) in variables {
        file.write_all(format!("{name}={value}\0").as_bytes())
            .or_could_not_check(doing)?;
    }
    Ok(file)
}

/// The dialect that the plan names for the phase's log.
fn dialect_args(phase: &PhasePlan) -> Vec<OsString> {
    match &phase.dialect {
        Some(dialect) => vec!["--dialect".into(), dialect.into()],
        None => Vec::new(),
    }
}

/// What a validator of a phase is asked to judge; the first one of a phase with a job judges its own table, by
/// the log that is attempt.
pub(crate) fn asked(phase: &PhasePlan, index: usize, attempt: &AttemptDir) -> Asked {
    let has_log = has_log(phase, index, attempt);
    let suite = phase.validate.get(index).and_then(|one| one.suite.as_ref());
    let suite = suite.and_then(|path| fs::read_to_string(path).ok());
    let of_suite = |key: &str| top_level(suite.as_deref()?, key);
    Asked {
        range: phase.range,
        table: match has_log {
            true => Some(phase.table.clone()),
            false => of_suite("table"),
        },
        suite: of_suite("suite"),
        has_log,
        log: has_log
            .then(|| attempt.log_summary())
            .flatten()
            .map(|summary| summary.log),
    }
}

/// The text of a key at the top of a YAML file; `None` if it is not plain there.
fn top_level(text: &str, key: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let value = value.split(" #").next()?.trim();
    let value = value.trim_matches(['"', '\'']);
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!value.is_empty() && value.chars().all(is_plain)).then(|| value.to_owned())
}

/// Whether a validator is given a log: the first one, of a phase that has one, or has one of an earlier run.
fn has_log(phase: &PhasePlan, index: usize, attempt: &AttemptDir) -> bool {
    index == 0 && (phase.job.is_some() || phase.earlier_log.is_some() && attempt.log.exists())
}

/// Removes the documents that an interrupted step left half written.
fn start_anew(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).or_could_not_check(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
