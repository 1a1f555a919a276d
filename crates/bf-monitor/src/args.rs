//! The flags of bf-monitor.

use std::ffi::OsString;
use std::path::PathBuf;

use bf_cli::{ConfigArgs, Context, Failure, Format, OutputArgs, Seconds, ToolArgs};
use clap::{Parser, ValueEnum};

/// Watch a process and its log until both are finished, and report how it ended
///
/// Watches a process that it did not start (--pid), or starts one (-- CMD). Events go to standard output
/// as JSON, one per line; progress for people goes to standard error. The job is never ended unless
/// --kill-on-timeout asks for it.
#[derive(Debug, Clone, Parser)]
#[command(name = "bf-monitor", version, after_help = EXAMPLES)]
pub struct Args {
    /// The process to watch; of any user
    #[arg(
        long,
        value_name = "PID",
        value_parser = parse_pid,
        allow_negative_numbers = true,
        conflicts_with = "command"
    )]
    pub pid: Option<Pid>,

    /// The job's log; a started job's output is appended to it
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Read the log in this dialect alone: built-in, or one of the config's [default: whichever
    /// understands most of it]
    #[arg(long, value_name = "NAME")]
    pub dialect: Option<String>,

    /// State file; a later bf-monitor with the same file resumes this job instead of starting another
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// The state file of an earlier attempt of the same job; its log is continued, and a new attempt begins
    #[arg(long, value_name = "FILE", requires = "log")]
    pub after: Option<PathBuf>,

    /// Write the log's dates and summary to this file once the job has finished, as bf-parse-log --ledger
    /// prints them; every file of a rotated log counts
    #[arg(long, value_name = "FILE", requires = "log")]
    pub save_ledger: Option<PathBuf>,

    /// What was given without a flag, to be told how it is meant.
    #[arg(hide = true)]
    pub stray: Option<String>,

    /// The job to start: a program and its arguments
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<OsString>,

    /// Stop watching this long after the process started (exit 124); the job keeps running
    #[arg(long, value_name = "DURATION", help_heading = "Watching")]
    pub timeout: Option<Seconds>,

    /// How often to check [default: the config's polling.interval_seconds, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = parse_interval, help_heading = "Watching")]
    pub interval: Option<Seconds>,

    /// Report once and exit: 124 if the job still runs, else as ever
    #[arg(long, help_heading = "Watching")]
    pub once: bool,

    /// What the exit code is about
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHAT",
        help_heading = "Watching"
    )]
    pub judge: Judge,

    /// Successful dates that the log needs, in percent [default: the config's for the log's job, or 100]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, help_heading = "Watching")]
    pub min_success_rate: Option<f64>,

    /// Refuse a process whose command line does not contain this
    #[arg(
        long,
        value_name = "SUBSTRING",
        requires = "pid",
        help_heading = "Watching"
    )]
    pub expect_cmd: Option<String>,

    /// What to do when the job appears to hang
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHAT",
        help_heading = "Watching"
    )]
    pub on_hang: OnHang,

    /// At --timeout, and at --on-hang exit: SIGTERM to all processes of the job, SIGKILL after --kill-grace
    #[arg(long, help_heading = "Watching")]
    pub kill_on_timeout: bool,

    /// End the job of --state or --pid now, as at --timeout with --kill-on-timeout (exit 124)
    #[arg(long, conflicts_with_all = ["timeout", "command", "once"], help_heading = "Watching")]
    pub end: bool,

    /// How long the job may take to end after SIGTERM
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10s",
        help_heading = "Watching"
    )]
    pub kill_grace: Seconds,

    /// An environment variable of the started job, on top of the inherited ones; repeatable
    #[arg(
        long,
        value_name = "NAME=VALUE",
        value_parser = parse_variable,
        requires = "command",
        help_heading = "Starting"
    )]
    pub env: Vec<(OsString, OsString)>,

    /// An open descriptor with more of them, each ended by a zero byte: no other user reads these
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(i32).range(3..),
        requires = "command",
        help_heading = "Starting"
    )]
    pub env_fd: Option<i32>,

    /// The working directory of the started job
    #[arg(
        long,
        value_name = "DIR",
        requires = "command",
        help_heading = "Starting"
    )]
    pub cwd: Option<PathBuf>,

    /// An open descriptor that is held as long as the started job runs, and not handed to it; repeatable
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(i32).range(3..),
        requires = "command",
        help_heading = "Starting"
    )]
    pub inherit_fd: Vec<i32>,

    /// Check which exit-status sources work on this machine, then exit
    #[arg(long, conflicts_with_all = ["pid", "log", "state", "command", "once"])]
    pub doctor: bool,

    /// How progress is shown to people
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "Output"
    )]
    pub progress: Progress,

    /// The config file.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// What goes where.
    #[command(flatten)]
    pub output: OutputArgs,

    /// What this process is, if it is not bf-monitor itself.
    #[arg(long, value_enum, hide = true)]
    pub role: Option<Role>,
}

const EXAMPLES: &str = "\
Examples:
  bf-monitor --pid 3022978 --log logs/team_offense.log
  bf-monitor --pid 3022978 --expect-cmd team_offense --timeout 12h
  bf-monitor --log logs/pgs.log --state run/pgs.state --env PYTHONPATH=. -- .venv/bin/python job.py
  bf-monitor --state run/pgs.state          resume the job of that state file

Exit codes:
  0    it exited with 0 and its log, if one is given, is complete: every date accounted for, the rate reached;
       or its end was not seen and the log says all of that
  1    it failed, was killed, or its log is not complete or shows too many failed dates
  2    wrong call; nothing was started
  3    how it ended is not known, its log cannot be read or is in doubt, or something of the job still runs
  124  timed out, hung with --on-hang exit, or --once and it still runs
  130, 143  interrupted; the job keeps running";

/// What the exit code is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Judge {
    /// The process and its log.
    #[default]
    All,
    /// The process alone; the log is judged elsewhere.
    Process,
}

/// What to do with a job that hangs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OnHang {
    /// Report it and continue to watch.
    #[default]
    Report,
    /// Report it and exit with 124.
    Exit,
}

/// How progress is shown to people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A live bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// Lines.
    Plain,
    /// Nothing; warnings and the end are still shown.
    None,
}

/// The other processes that this program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// The job's parent.
    Shim,
    /// The process that becomes the job.
    ExecStub,
    /// Exits with 7, for --doctor.
    Probe,
}

impl Role {
    /// The argument that makes a process this.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Shim => "--role=shim",
            Self::ExecStub => "--role=exec-stub",
            Self::Probe => "--role=probe",
        }
    }
}

/// A pid as it was given. One that no system has is still a number, and no process has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pid {
    /// The number, the largest there is where it is larger than that.
    pub number: u64,
    digits: String,
}

impl std::fmt::Display for Pid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.digits)
    }
}

fn parse_pid(text: &str) -> Result<Pid, String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a pid is a positive whole number".to_owned());
    }
    match digits.parse::<u64>() {
        Ok(0) => Err("0 is not a pid".to_owned()),
        Ok(pid) if pid == u64::from(std::process::id()) => {
            Err("that is bf-monitor's own pid".to_owned())
        }
        number => Ok(Pid {
            number: number.unwrap_or(u64::MAX),
            digits: digits.to_owned(),
        }),
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a percentage is a number from 0 to 100".to_owned()),
    }
}

fn parse_interval(text: &str) -> Result<Seconds, String> {
    let interval: Seconds = text.parse()?;
    if interval.0.is_zero() {
        return Err("the interval must be above 0".to_owned());
    }
    Ok(interval)
}

impl Args {
    /// The environment of the started job on top of the inherited one.
    ///
    /// # Errors
    /// The descriptor of `--env-fd` cannot be read, or holds something else (exit 2).
    pub(crate) fn environment(&self) -> Result<Vec<(OsString, OsString)>, Failure> {
        let mut variables = self.env.clone();
        if let Some(number) = self.env_fd {
            let doing = || format!("reading the environment from descriptor {number}");
            let bytes = std::fs::read(format!("/proc/self/fd/{number}")).or_usage(doing)?;
            // It is handed on as an environment, and as nothing else.
            crate::proc::keep_from_children(number).or_usage(doing)?;
            for variable in bytes
                .split(|byte| *byte == 0)
                .filter(|text| !text.is_empty())
            {
                let text = std::str::from_utf8(variable).or_usage(doing)?;
                let parsed = parse_variable(text);
                variables
                    .push(parsed.map_err(|why| Failure::usage(format!("{}: {why}", doing())))?);
            }
        }
        Ok(variables)
    }
}

fn parse_variable(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl ToolArgs for Args {
    fn format(&self) -> Format {
        match self.role {
            // The keeper of a job and its like: no program reads them.
            Some(_) => Format::Text,
            None => self.output.format,
        }
    }
}
