//! The command line.

use std::path::PathBuf;

use bf_cli::metrics::MetricsArgs;
use bf_cli::{
    ConfigArgs, Failure, Format, Output, OutputArgs, Streams, ToolArgs, WarehouseArgs, Zone,
    last_days, parse_range,
};
use bf_contract::{DateRange, parse_date};
use clap::{Parser, Subcommand};

use crate::engine::run::Permissions;
use crate::plan::TwoPhases;
use crate::store::runs::DEFAULT_RUNS;

const EXAMPLES: &str = "\
Examples:
  Watch a running phase 1, and start phase 2 once process, log and data agree:
    nohup bf-orchestrate --phase1-pid 3022978 \\
      --phase1-log logs/team_offense_backfill_phase1.log \\
      --phase1-dates \"2021-10-19 2026-01-02\" \\
      --phase2-dates \"2024-05-01 2026-01-02\" > orchestrate.log 2>&1 &

  Check the same beforehand; nothing is started and nothing is waited for:
    bf-orchestrate --phase1-pid 3022978 ... --dry-run

  After a crash, a reboot or Ctrl-C, continue the run where it stopped:
    bf-orchestrate resume

  Any number of phases; preflight: in the plan lists commands that must exit 0 before anything is started:
    bf-orchestrate check plan.yaml && bf-orchestrate run plan.yaml
    bf-orchestrate run plan.yaml --last 7d          other dates than the plan's
    bf-orchestrate run plan.yaml --from revenue     the phases before are judged again, and not run
    bf-orchestrate status --watch                   how far it has come

  A pid from a file may be another program's by now:
    bf-orchestrate --phase1-pid \"$(cat job.pid)\" --expect-cmd team_offense ...

Exit codes:
  0 every phase passed its gate    1 a job or its data failed    2 usage or configuration
  3 something could not be checked    124 timed out or hung    130/143 interrupted";

/// Monitor, validate, start the next phase, monitor, validate, report
///
/// Watches phase 1 until its process has ended, compares its log and its table with the thresholds, and starts
/// phase 2 only if all three agree. Prints one run_report document on standard output where that is not a
/// terminal.
#[derive(Debug, Parser)]
#[command(
    name = "bf-orchestrate",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct Args {
    /// What else to do than to run the documented two phases.
    #[command(subcommand)]
    pub action: Option<Action>,

    /// The two phases.
    #[command(flatten)]
    pub documented: Documented,

    /// How they are run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What the tool does beside running the documented two phases.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run a plan of any number of phases
    Run(RunPlan),
    /// Continue a run where it stopped: jobs that still run are watched again, results are kept
    Resume(Resume),
    /// Check everything that a plan needs; start nothing but its preflight commands
    Check(CheckPlan),
    /// Print the plan that the documented flags make, as a file for `run`
    Plan(PrintPlan),
    /// Show how far a run has come
    Status(Status),
    /// List the runs
    History(History),
    /// Remove the directories of runs that finished long ago
    Prune(Prune),
    /// End the jobs of a run: TERM, then KILL
    Stop(Named),
}

/// The documented two phases.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Documented {
    /// The process id of the running phase 1 job
    #[arg(
        long,
        value_name = "PID",
        value_parser = parse_pid,
        allow_negative_numbers = true
    )]
    pub phase1_pid: Option<u32>,

    /// The log that phase 1 writes
    #[arg(long, value_name = "FILE")]
    pub phase1_log: Option<PathBuf>,

    /// The dates that phase 1 fills, both included
    #[arg(long, value_name = "\"START END\"", allow_hyphen_values = true)]
    pub phase1_dates: Option<String>,

    /// The dates that phase 2 fills; without them the run ends after phase 1's gate
    #[arg(long, value_name = "\"START END\"", allow_hyphen_values = true)]
    pub phase2_dates: Option<String>,

    /// Refuse a phase 1 process whose command line does not contain this
    #[arg(long, value_name = "SUBSTRING")]
    pub expect_cmd: Option<String>,

    /// Where today is, for dates such as yesterday: UTC, -05:00 or America/New_York [default: the machine's]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<Zone>,

    /// What was given without a flag, to be told how it is meant.
    #[arg(hide = true)]
    pub stray: Vec<String>,
}

impl Documented {
    /// The two phases that the flags name.
    ///
    /// # Errors
    /// A flag that they need is missing, or something has no flag: usage (exit 2).
    pub(crate) fn phases(&self) -> Result<TwoPhases, Failure> {
        self.refuse_stray()?;
        let (Some(pid), Some(log), Some(range)) =
            (self.phase1_pid, &self.phase1_log, &self.phase1_dates)
        else {
            return Err(
                Failure::usage("--phase1-pid, --phase1-log and --phase1-dates are needed")
                    .hint("bf-orchestrate run PLAN runs a plan; see bf-orchestrate --help"),
            );
        };
        let today = today(self.timezone.as_ref());
        let dates = |flag: &str, text: &String| {
            parse_range(text, today).map_err(|failure| Failure {
                message: format!("{flag}: {}", failure.message),
                ..failure
            })
        };
        let phase2 = self.phase2_dates.as_ref();
        Ok(TwoPhases {
            pid,
            log: log.clone(),
            expect_cmd: self.expect_cmd.clone(),
            phase1: dates("--phase1-dates", range)?,
            phase2: phase2
                .map(|text| dates("--phase2-dates", text))
                .transpose()?,
        })
    }

    fn refuse_stray(&self) -> Result<(), Failure> {
        let Some(stray) = self.stray.first() else {
            return Ok(());
        };
        let failure = Failure::usage(format!("unexpected argument '{stray}' found"));
        if parse_date(stray).is_ok() || ["today", "yesterday"].contains(&stray.as_str()) {
            let mut given = [&self.phase1_dates, &self.phase2_dates]
                .into_iter()
                .flatten()
                .filter(|text| !text.contains(char::is_whitespace));
            let first = given.next().map_or("START", String::as_str);
            return Err(failure.hint(format!(
                "both dates are one argument, in quotes: --phase1-dates \"{first} {stray}\""
            )));
        }
        let is_plan = [".yaml", ".yml"].iter().any(|end| stray.ends_with(end));
        Err(match is_plan || std::path::Path::new(stray).is_file() {
            true => failure.hint(format!("a plan is run by: bf-orchestrate run {stray}")),
            false => failure.hint("see bf-orchestrate --help"),
        })
    }
}

/// What day it is in a zone, or on this machine.
fn today(zone: Option<&Zone>) -> chrono::NaiveDate {
    let local = Zone::local();
    zone.unwrap_or(&local).today(chrono::Utc::now())
}

fn parse_pid(text: &str) -> Result<u32, String> {
    let digits = text.trim();
    let wanted = "a pid is a positive whole number, as `pgrep -f JOB` or `$!` prints it";
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wanted.to_owned());
    }
    match digits.parse::<u32>() {
        Ok(0) => Err(format!("0 is no pid; {wanted}")),
        Ok(pid) => Ok(pid),
        Err(_) => Err(format!("no system has a pid that large; {wanted}")),
    }
}

/// How a run is started.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Check everything, start nothing, wait for nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Continue although another run holds the lock of a table
    #[arg(long)]
    pub force: bool,

    /// Resume an unfinished run although its jobs, ranges, tables or logs were different
    #[arg(long)]
    pub accept_changed_plan: bool,

    /// Resume an unfinished run although the file of a suite has changed since
    #[arg(long)]
    pub accept_changed_config: bool,

    /// Where run directories are.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// Where metrics go.
    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// The warehouse.
    #[command(flatten)]
    pub warehouse: WarehouseArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl RunArgs {
    /// The flags that were given and that another command about the same run needs as well.
    pub(crate) fn shared_flags(&self) -> Vec<String> {
        shared_flags(&self.config, &self.runs)
    }

    /// The flags of a new run that is run in the same way.
    pub(crate) fn run_flags(&self) -> Vec<String> {
        let mut words = self.shared_flags();
        if let Some(warehouse) = &self.warehouse.warehouse {
            words.extend(["--warehouse".to_owned(), warehouse.clone()]);
        }
        if let Some(path) = &self.metrics.metrics_file {
            words.extend(["--metrics-file".to_owned(), path.display().to_string()]);
        }
        words
    }

    /// What the flags permit.
    pub(crate) fn permissions(&self) -> Permissions {
        Permissions {
            force: self.force,
            accept_changed_plan: self.accept_changed_plan,
            accept_changed_config: self.accept_changed_config,
            restart_interrupted: false,
        }
    }
}

/// Where run directories are.
#[derive(Debug, Clone, clap::Args)]
pub struct RunsArgs {
    /// The folder of the run directories
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS)]
    pub runs: PathBuf,
}

/// `bf-orchestrate run`.
#[derive(Debug, clap::Args)]
pub struct RunPlan {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// The phase to start from: those before it are judged again by their tables, and not run
    #[arg(long, value_name = "PHASE")]
    pub from: Option<String>,

    /// The dates.
    #[command(flatten)]
    pub dates: PlanDates,

    /// How it is run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The dates of a plan, in place of its own.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PlanDates {
    /// The dates of every phase, in place of the plan's: two dates, or days such as yesterday and -7d
    #[arg(long, value_name = "\"START END\"", allow_hyphen_values = true)]
    pub range: Option<String>,

    /// The full days that end yesterday, in place of the plan's dates: 7d
    #[arg(long, value_name = "DAYS", conflicts_with = "range")]
    pub last: Option<String>,

    /// Where today is: UTC, -05:00 or America/New_York [default: the machine's]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<Zone>,
}

impl PlanDates {
    /// The dates that the flags name.
    ///
    /// # Errors
    /// They are not a range: usage (exit 2).
    pub(crate) fn resolve(
        &self,
        suite_zone: impl FnOnce() -> Option<Zone>,
    ) -> Result<Option<DateRange>, Failure> {
        let named = |flag: &str, result: Result<DateRange, Failure>| {
            result.map(Some).map_err(|failure| Failure {
                message: format!("{flag}: {}", failure.message),
                ..failure
            })
        };
        let zone = || self.timezone.clone().or_else(suite_zone);
        match (&self.range, &self.last) {
            (Some(text), _) => named("--range", parse_range(text, today(zone().as_ref()))),
            (None, Some(days)) => named("--last", last_days(days, today(zone().as_ref()))),
            (None, None) => Ok(None),
        }
    }
}

/// `bf-orchestrate plan`.
#[derive(Debug, clap::Args)]
pub struct PrintPlan {
    /// The two phases.
    #[command(flatten)]
    pub documented: Documented,

    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// The warehouse.
    #[command(flatten)]
    pub warehouse: WarehouseArgs,
}

/// `bf-orchestrate check`.
#[derive(Debug, clap::Args)]
pub struct CheckPlan {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// The dates.
    #[command(flatten)]
    pub dates: PlanDates,

    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// The warehouse.
    #[command(flatten)]
    pub warehouse: WarehouseArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `bf-orchestrate resume`.
#[derive(Debug, clap::Args)]
pub struct Resume {
    /// The run's id or directory [default: the latest that is not finished]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// Continue although another run holds the lock of a table
    #[arg(long)]
    pub force: bool,

    /// Run the restart_command of jobs that a reboot interrupted
    #[arg(long)]
    pub restart_interrupted: bool,

    /// Resume it although the file of a suite has changed since
    #[arg(long)]
    pub accept_changed_config: bool,

    /// Where run directories are.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// Where metrics go.
    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// The config, if not the run's own.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Resume {
    /// The flags that were given and that another command about the same run needs as well.
    pub(crate) fn shared_flags(&self) -> Vec<String> {
        shared_flags(&self.config, &self.runs)
    }
}

/// `bf-orchestrate status`.
#[derive(Debug, clap::Args)]
pub struct Status {
    /// The run's id or directory [default: the live one, or the latest]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// Show it anew every two seconds, until the run has ended
    #[arg(long)]
    pub watch: bool,

    /// Where run directories are.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `bf-orchestrate prune`.
#[derive(Debug, clap::Args)]
pub struct Prune {
    /// How long a run is kept after it finished: 30d, 12h
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub keep: std::time::Duration,

    /// Name what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Where run directories are.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Reads days, or any other duration.
fn parse_age(text: &str) -> Result<std::time::Duration, String> {
    if let Some(days) = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u64>().ok())
    {
        return Ok(std::time::Duration::from_secs(
            days.saturating_mul(24 * 3600),
        ));
    }
    match text.parse::<bf_cli::Seconds>() {
        Ok(age) => Ok(age.0),
        Err(error) => Err(format!("{error}; or give days: 30d")),
    }
}

/// An action on one run.
#[derive(Debug, clap::Args)]
pub struct Named {
    /// The run's id or directory [default: the latest]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// Where run directories are.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `bf-orchestrate history`.
#[derive(Debug, clap::Args)]
pub struct History {
    /// How many runs, the latest first
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub most: usize,

    /// Where run directories are.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The output of a verb that only shows something: text, unless documents are asked for.
pub(crate) fn output_for_people(args: &OutputArgs, streams: Streams) -> Output {
    Output::view(args, streams).0
}

fn for_people(args: &OutputArgs) -> OutputArgs {
    OutputArgs {
        format: match args.format {
            Format::Auto => Format::Text,
            format => format,
        },
        ..args.clone()
    }
}

/// The output that the flags ask for.
pub(crate) fn output(args: &OutputArgs, streams: Streams) -> Output {
    Output::new(args, streams).0
}

impl ToolArgs for Args {
    fn format(&self) -> Format {
        match &self.action {
            None => self.run.output.format,
            Some(Action::Run(args)) => args.run.output.format,
            Some(Action::Check(args)) => args.output.format,
            Some(Action::Resume(args)) => args.output.format,
            Some(Action::Stop(args)) => args.output.format,
            Some(Action::Status(args)) => for_people(&args.output).format,
            Some(Action::History(args)) => for_people(&args.output).format,
            Some(Action::Prune(args)) => for_people(&args.output).format,
            // A plan is a file for `run`.
            Some(Action::Plan(_)) => Format::Text,
        }
    }
}

fn shared_flags(config: &ConfigArgs, runs: &RunsArgs) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(config) = &config.config {
        words.extend(["--config".to_owned(), config.display().to_string()]);
    }
    if runs.runs.as_os_str() != DEFAULT_RUNS {
        words.extend(["--runs".to_owned(), runs.runs.display().to_string()]);
    }
    words
}
