//! The command line.

use std::path::{Path, PathBuf};

use bf_cli::{ConfigArgs, Format, OutputArgs, ToolArgs, parse_date_arg};
use chrono::NaiveDate;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  bf-parse-log logs/team_offense.log            a short report (JSON when piped)
  bf-parse-log logs/team_offense.log.1.gz       a rotated, compressed log
  ssh host cat x.log | bf-parse-log - | jq .failed_dates
  bf-parse-log --check --min-success-rate 95 x.log && start-the-next-job
  job.py --dates \"$(bf-parse-log --failed-dates x.log)\"
  bf-parse-log --ledger x.log | jq -c 'select(.status == \"failed\")'
  bf-parse-log --follow logs/team_offense.log   until the run has finished
  bf-parse-log --explain logs/new_job.log | less
  bf-parse-log --check --dates 2024-01-05,2024-01-07 retry.log
  bf-parse-log --checkpoint /tmp/backfill_checkpoints/x.json x.log

A job in a form of its own: --explain drafts a dialect for its lines; put it under `dialects:` in the
config. --print-dialect NAME prints one to copy (--dialects lists them).

Exit codes:
  0  the log was read, whatever it says: running, refused and all-failed, too
  1  with --check only: not completed, dates without an outcome or in doubt, a success rate below
     the threshold, days before the resume point that nothing shows, or a checkpoint that differs
  2  wrong arguments or a wrong config
  3  could not check: the log cannot be read, is empty, or is in no known dialect; with --check and
     --failed-dates also: two jobs write to it, its lines are out of order, or a failure may hide";

/// Says what a backfill's log claims: state, progress, every failed date.
#[derive(Debug, Clone, Parser)]
#[command(name = "bf-parse-log", version, after_help = EXAMPLES)]
pub struct Args {
    /// The log, plain or gzip [default: -, standard input]
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,

    /// One ledger_entry per date before the log_summary
    #[arg(long, conflicts_with = "failed_dates")]
    pub ledger: bool,

    /// Nothing but the failed dates, all of them, as a job's --dates takes them
    #[arg(long)]
    pub failed_dates: bool,

    /// Exit 1 unless the log says completed, every date has an outcome, and enough of them succeeded
    #[arg(long)]
    pub check: bool,

    /// With --check: exit 1 when fewer of the finished dates succeeded, in percent [default: the section
    /// of the log's job in the config, else 100]
    #[arg(long, value_name = "PERCENT", requires = "check", value_parser = percent, allow_negative_numbers = true)]
    pub min_success_rate: Option<f64>,

    /// The process has ended: a run without its end marker was interrupted
    #[arg(long)]
    pub writer_gone: bool,

    /// Read on while the log grows, over rotation, until its run has finished
    #[arg(long, conflicts_with_all = ["failed_dates", "explain", "writer_gone"])]
    pub follow: bool,

    /// Show which line and which rule gave each figure, and the lines that no rule reads
    #[arg(long, conflicts_with = "failed_dates")]
    pub explain: bool,

    /// Compare the log with the dates that the job was given (its own --dates): those without an outcome
    /// are unaccounted for, and a job without an end marker has ended with the last of them
    #[arg(long, value_name = "DATES", value_delimiter = ',', value_parser = parse_date_arg)]
    pub dates: Vec<NaiveDate>,

    /// Compare the log with the job's own checkpoint file
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,

    /// Read the log in this dialect alone: built-in for all that bf ships, or one of --dialects [default:
    /// whichever understands most of it]
    #[arg(long, value_name = "NAME")]
    pub dialect: Option<String>,

    /// List the dialects
    #[arg(long, conflicts_with_all = ["print_dialect", "log"])]
    pub dialects: bool,

    /// Print a dialect that bf ships, to copy and edit
    #[arg(long, value_name = "NAME", conflicts_with = "log")]
    pub print_dialect: Option<String>,

    /// Pick one of several jobs in a log whose lines name their job [default: the one that wrote last]
    #[arg(long, value_name = "NAME")]
    pub job: Option<String>,

    /// Byte offsets at which another attempt of the job was started: a run ends there
    #[arg(long, value_name = "BYTES", value_delimiter = ',')]
    pub attempts_at: Vec<u64>,

    /// Begin at this offset, in bytes of the uncompressed log
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from_byte: u64,

    /// The config file, for its dialects
    #[command(flatten)]
    pub config: ConfigArgs,

    /// What goes where
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Args {
    /// The log to read; `-` is standard input.
    pub(crate) fn path(&self) -> &Path {
        self.log.as_deref().unwrap_or(Path::new("-"))
    }
}

fn percent(text: &str) -> Result<f64, String> {
    text.trim_end_matches('%')
        .parse()
        .ok()
        .filter(|value| (0.0..=100.0).contains(value))
        .ok_or_else(|| format!("{text:?} is not a share (expected 0 to 100)"))
}

impl ToolArgs for Args {
    fn format(&self) -> Format {
        match self.output.format {
            // A list for a command line, whatever the format is.
            _ if self.failed_dates => Format::Text,
            // An explanation is for a person, also one that is piped into a pager.
            Format::Auto if self.explain => Format::Text,
            format => format,
        }
    }
}
