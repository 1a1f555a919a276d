//! The steps of a phase as calls of the tools. Nothing is journalled here: a rehearsal takes the same steps.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use bf_cli::{Context, Failure};
use bf_contract::{Document, LogSummary, ProcessEvent, ValidationReport};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::console::Console;
use crate::gate::{Asked, Validated, Watched};
use crate::lock::TableLock;
use crate::plan::{Job, PhasePlan};
use crate::siblings::Siblings;
use crate::tool::{Invocation, RunningTools, ToolEnd, kept_documents};

/// The tools, and what they are all given alike.
pub struct Steps<'a> {
    /// The tools.
    pub siblings: &'a Siblings,
    /// What a person sees.
    pub console: &'a Console,
    /// The tools that are running.
    pub running: &'a RunningTools,
    /// The config file that every tool gets.
    pub config: PathBuf,
    /// The warehouse's URL.
    pub warehouse: &'a str,
    /// Whether phases may run side by side, so that each line says whose it is.
    pub names_phases: bool,
}

/// The files in which the documents of a phase are kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What bf-monitor printed.
    pub events: PathBuf,
    /// What bf-parse-log printed.
    pub log: PathBuf,
    /// What each validator printed.
    pub validations: Vec<PathBuf>,
    /// bf-monitor's own state.
    pub monitor_state: PathBuf,
}

impl Kept {
    /// The files of an attempt at `phase` whose documents are kept in `folder`.
    #[must_use]
    pub fn in_folder(folder: &Path, phase: &PhasePlan) -> Self {
        let validation = |index| match index {
            0 => folder.join("validation.ndjson"),
            index => folder.join(format!("validation-{}.ndjson", index + 1)),
        };
        Self {
            events: folder.join("process_events.ndjson"),
            log: folder.join("log.ndjson"),
            validations: (0..phase.validate.len()).map(validation).collect(),
            monitor_state: folder.join("monitor_state.json"),
        }
    }

    /// The last event of the process.
    #[must_use]
    pub fn last_event(&self) -> Option<ProcessEvent> {
        last_of(&self.events, |document| match document {
            Document::ProcessEvent(event) => Some(*event),
            _ => None,
        })
    }

    /// What the log claims, by bf-parse-log.
    #[must_use]
    pub fn log_summary(&self) -> Option<LogSummary> {
        last_of(&self.log, |document| match document {
            Document::LogSummary(summary) => Some(*summary),
            _ => None,
        })
    }

    /// What the table of one validator holds.
    #[must_use]
    pub fn validation(&self, index: usize) -> Option<ValidationReport> {
        last_of(self.validations.get(index)?, |document| match document {
            Document::ValidationReport(report) => Some(*report),
            _ => None,
        })
    }

    /// Every file that is there.
    pub fn present(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.events, &self.log]
            .into_iter()
            .chain(&self.validations)
            .filter(|path| path.exists())
    }
}

fn last_of<T>(path: &Path, pick: impl Fn(Document) -> Option<T>) -> Option<T> {
    kept_documents(path).into_iter().rev().find_map(pick)
}

impl Steps<'_> {
    /// Watches the job until it is over; starts it first where the plan says so. Every event is handed to
    /// `on_event` when it is kept. The job's keeper inherits `lock`.
    ///
    /// # Errors
    /// bf-monitor could not be started, or its documents not be kept (exit 3).
    pub fn watch(
        &self,
        phase: &PhasePlan,
        job: &Job,
        kept: &Kept,
        lock: Option<&TableLock>,
        mut on_event: impl FnMut(&ProcessEvent) -> Result<(), Failure>,
    ) -> Result<Watched, Failure> {
        let mut args = self.shared_args();
        args.extend(dialect_args(phase));
        args.extend(["--log".into(), job.log().into()]);
        args.extend(["--state".into(), kept.monitor_state.clone().into()]);
        args.extend(timeout_args(phase.timeout.0.as_secs_f64()));
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
            Job::Command(job) => {
                for (name, value) in &job.env {
                    args.extend(["--env".into(), format!("{name}={value}").into()]);
                }
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
        let bar = self.console.bar(&phase.name);
        let mut last = None;
        let inherit = lock.map(TableLock::file);
        let end = self.run_tool(
            &self.siblings.monitor,
            args,
            &kept.events,
            Some(phase),
            inherit,
            |document| {
                let Document::ProcessEvent(event) = document else {
                    return Ok(());
                };
                if let Some(bar) = &bar {
                    bar.update(&event);
                }
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

    /// Looks at a process without waiting for it: a time limit that has always passed.
    ///
    /// # Errors
    /// bf-monitor could not be started, or its documents not be kept (exit 3).
    pub fn glance(
        &self,
        phase: &PhasePlan,
        pid: u32,
        log: &Path,
        kept: &Kept,
    ) -> Result<Watched, Failure> {
        let mut args = self.shared_args();
        args.extend(dialect_args(phase));
        args.extend(["--log".into(), log.into()]);
        args.extend(["--pid".into(), pid.to_string().into()]);
        args.extend(timeout_args(0.001));
        args.push("--quiet".into());
        let end = self.run_tool(
            &self.siblings.monitor,
            args,
            &kept.events,
            Some(phase),
            None,
            |_| Ok(()),
        )?;
        Ok(Watched {
            code: end.code,
            last: kept.last_event(),
            said: end.said,
        })
    }

    /// Reads the log of a job, date by date, from `from_byte` on. `is_over` says that nobody writes it any
    /// more, so that a date without an end is lost and not under way.
    ///
    /// # Errors
    /// bf-parse-log could not be started, or its documents not be kept (exit 3).
    pub fn read_log(
        &self,
        phase: &PhasePlan,
        log: &Path,
        from_byte: u64,
        is_over: bool,
        kept: &Kept,
    ) -> Result<ToolEnd, Failure> {
        let mut args = self.shared_args();
        args.extend(dialect_args(phase));
        args.push("--ledger".into());
        if is_over {
            args.push("--writer-gone".into());
        }
        if from_byte > 0 {
            args.extend(["--from-byte".into(), from_byte.to_string().into()]);
        }
        args.push(log.into());
        start_anew(&kept.log)?;
        self.run_tool(
            &self.siblings.parse_log,
            args,
            &kept.log,
            Some(phase),
            None,
            |_| Ok(()),
        )
    }

    /// Has one validator of the phase hold its table against the thresholds, and against the log where the
    /// phase has one. `since` is when the job began, where that is known: rows that it claims are no older.
    ///
    /// # Errors
    /// The validator could not be started, or its documents not be kept (exit 3).
    pub fn validate(
        &self,
        phase: &PhasePlan,
        index: usize,
        since: Option<DateTime<Utc>>,
        kept: &Kept,
    ) -> Result<Validated, Failure> {
        let (program, mut args) = self.validator_call(phase, index)?;
        // Only the first validator judges the phase's own table; the log speaks of no other.
        if phase.job.is_some() && index == 0 {
            args.extend(["--log-summary".into(), kept.log.clone().into()]);
            if let Some(since) = since {
                let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
                args.extend(["--since".into(), since.into()]);
            }
        }
        let keep_in = &kept.validations[index];
        start_anew(keep_in)?;
        let end = self.run_tool(program, args, keep_in, Some(phase), None, |_| Ok(()))?;
        Ok(Validated {
            code: end.code,
            report: kept.validation(index),
            said: end.said,
            asked: Some(asked(phase, index, kept)),
        })
    }

    /// Has a validator say what it would ask, without asking it.
    ///
    /// # Errors
    /// As [`Steps::validate`].
    pub fn explain(
        &self,
        phase: &PhasePlan,
        index: usize,
        kept: &Kept,
    ) -> Result<ToolEnd, Failure> {
        let (program, mut args) = self.validator_call(phase, index)?;
        args.push("--explain".into());
        self.run_tool(
            program,
            args,
            &kept.validations[index],
            Some(phase),
            None,
            |_| Ok(()),
        )
    }

    /// Has bf-notify look whether its channels can be reached, without telling them anything.
    ///
    /// # Errors
    /// bf-notify could not be started, or its documents not be kept (exit 3).
    pub fn check_notifier(
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
        self.run_tool(program, args, keep_in, None, None, |_| Ok(()))
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
        Ok((program, args))
    }

    fn run_tool(
        &self,
        program: &Path,
        args: Vec<OsString>,
        keep_in: &Path,
        phase: Option<&PhasePlan>,
        inherit: Option<&File>,
        on_document: impl FnMut(Document) -> Result<(), Failure>,
    ) -> Result<ToolEnd, Failure> {
        Invocation {
            program: program.to_owned(),
            args,
            keep_in: keep_in.to_owned(),
        }
        .run(self.running, inherit, on_document, |line| {
            // The heading says it once for all of them; a tool may have dimmed it.
            let is_known = line.trim_start_matches("\x1b[2m").starts_with("config: ");
            match phase.filter(|_| self.names_phases) {
                _ if is_known => {}
                Some(phase) => self.console.say_of(&phase.name, line),
                None => self.console.say(line),
            }
        })
    }

    /// The flags that every tool of the run gets alike.
    fn shared_args(&self) -> Vec<OsString> {
        self.args_with(&self.config)
    }

    fn args_with(&self, config: &Path) -> Vec<OsString> {
        let color = if self.console.style().color {
            "always"
        } else {
            "never"
        };
        ["--format", "json", "--color", color, "--config"]
            .map(OsString::from)
            .into_iter()
            .chain([config.into()])
            .collect()
    }
}

/// The dialect that the plan names for the phase's log.
fn dialect_args(phase: &PhasePlan) -> Vec<OsString> {
    match &phase.dialect {
        Some(dialect) => vec!["--dialect".into(), dialect.into()],
        None => Vec::new(),
    }
}

fn timeout_args(seconds: f64) -> [OsString; 2] {
    ["--timeout".into(), seconds.to_string().into()]
}

/// What a validator of a phase is asked to judge; the first one of a phase with a job judges its own table, by
/// the log that is kept.
#[must_use]
pub fn asked(phase: &PhasePlan, index: usize, kept: &Kept) -> Asked {
    let has_log = phase.job.is_some() && index == 0;
    Asked {
        range: phase.range,
        table: has_log.then(|| phase.table.clone()),
        has_log,
        log: has_log
            .then(|| kept.log_summary())
            .flatten()
            .map(|summary| summary.log),
    }
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
