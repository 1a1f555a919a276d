//! The command line.

use std::ffi::c_int;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::dates::DateSet;
use crate::log::Format;
use crate::warehouse;

const EXAMPLES: &str = "\
Examples:
  export BF_WAREHOUSE=sqlite:/tmp/wh
  A fresh warehouse with the schedule:
    bf-sample-job init
  Phase 1 and phase 2, healthy:
    bf-sample-job team-offense --start-date 2021-10-19 --end-date 2026-01-02 2> phase1.log
    bf-sample-job player-summary --start-date 2024-05-01 --end-date 2026-01-02 \\
      --parallel --workers 15 --no-resume 2> phase2.log
  A job that claims success over bad data:
    bf-sample-job player-summary --start-date 2024-10-22 --end-date 2025-04-13 --empty-usage all
  A job that is killed in the middle, and the run that resumes it:
    bf-sample-job team-offense --start-date 2024-01-01 --end-date 2024-01-30 --die-at 2024-01-12
    bf-sample-job team-offense --start-date 2024-01-01 --end-date 2024-01-30

The log goes to stderr.

Exit codes: 0 when the run came to its end, even when every date failed, and when the range was
refused (the real jobs do the same); 1 for a start date that is missing or none, and for a
warehouse that cannot be opened; 2 for other errors on the command line.";

/// A small backfill job with made-up data that behaves, and misbehaves, like the real ones.
#[derive(Debug, Parser)]
#[command(name = "bf-sample-job", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the warehouse: the schedule 2021-10-19..2026-01-02 and empty tables
    Init(InitArgs),
    /// Fill nba_analytics.team_offense_game_summary, two rows per game
    #[command(after_help = EXAMPLES)]
    TeamOffense(Box<JobArgs>),
    /// Fill nba_analytics.player_game_summary, one row per dressed player and game
    #[command(after_help = EXAMPLES)]
    PlayerSummary(Box<JobArgs>),
}

/// Options of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where the tables are.
    #[command(flatten)]
    pub warehouse: WarehouseArg,
}

/// Where the tables are.
#[derive(Debug, Args)]
pub struct WarehouseArg {
    /// Folder of the SQLite warehouse; it and its tables are created when they are missing
    #[arg(long = "warehouse", value_name = "sqlite:DIR", env = "BF_WAREHOUSE", default_value = "sqlite:warehouse", value_parser = warehouse::folder)]
    pub dir: PathBuf,
}

/// Options of a job.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// First date (YYYY-MM-DD); player-summary begins seven days ago without it
    #[arg(long, value_name = "DATE")]
    pub start_date: Option<String>,
    /// Last date; without it team-offense does one day and player-summary ends yesterday
    #[arg(long, value_name = "DATE")]
    pub end_date: Option<String>,
    /// Process these dates and no others, one after the other: 2024-01-05,2024-01-12
    #[arg(long, value_name = "DATES")]
    pub dates: Option<String>,
    /// Look only; as in the real jobs, --parallel takes no notice of it
    #[arg(long)]
    pub dry_run: bool,
    /// Begin at the start date, whatever the checkpoint says
    #[arg(long)]
    pub no_resume: bool,
    /// Process dates side by side
    #[arg(long)]
    pub parallel: bool,
    /// Threads of --parallel
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: u16,
    /// Where the tables are.
    #[command(flatten)]
    pub warehouse: WarehouseArg,
    /// Progress to resume from [default: DIR/checkpoints/TABLE_START_END.json]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Leave usage_rate empty for teams without a row in team_offense_game_summary
    #[arg(long)]
    pub usage_from_team_table: bool,
    /// Pace and log.
    #[command(flatten)]
    pub manner: MannerArgs,
    /// Faults.
    #[command(flatten)]
    pub faults: FaultArgs,
}

/// How the job goes about its work.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pace and log")]
pub struct MannerArgs {
    /// Milliseconds every date takes (with --parallel: about, so that dates overtake each other)
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub delay_ms: u64,
    /// Milliseconds before the first line
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub delay_start_ms: u64,
    /// Write the log in blocks of 8 KiB, as Python without -u does into a file
    #[arg(long)]
    pub buffered: bool,
    /// How a log line begins
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: Format,
    /// Leave out other loggers, warnings and the check after the run
    #[arg(long)]
    pub clean_log: bool,
}

/// What goes wrong.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Faults (DATES is a list of dates and ranges, 2024-01-05,2024-02-01..2024-02-29, or all)"
)]
pub struct FaultArgs {
    /// These dates fail; nothing is written
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub fail_dates: DateSet,
    /// These dates raise an exception (429, with a traceback); nothing is written
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub exception_dates: DateSet,
    /// Every date fails; the exit code is still 0
    #[arg(long)]
    pub all_fail: bool,
    /// One of the two teams of the date's first game is not written; the log claims both
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub half_game_dates: DateSet,
    /// Only half of the date's games are written; the log claims all
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub fewer_rows_dates: DateSet,
    /// Nothing is written (what was there stays); the log claims success
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub skip_write_dates: DateSet,
    /// The date's rows are written twice; the log claims them once
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub duplicate_dates: DateSet,
    /// usage_rate is NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_usage: DateSet,
    /// minutes_played is NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_minutes: DateSet,
    /// paint_attempts and mid_range_attempts are NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_shot_zones: DateSet,
    /// quality_score is 42, the tier poor, and no row is production ready
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub low_quality: DateSet,
    /// The date's first row has the issue missing_required
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub blocking_issue_dates: DateSet,
    /// Stop for ever at this date and print nothing more (with --parallel: one worker does)
    #[arg(long, value_name = "DATE")]
    pub hang_at: Option<NaiveDate>,
    /// End the process at this date, before it is written: by SIGKILL unless told otherwise
    #[arg(long, value_name = "DATE")]
    pub die_at: Option<NaiveDate>,
    /// Signal of --die-at
    #[arg(long, value_enum, ignore_case = true, requires = "die_at")]
    pub signal: Option<Signal>,
    /// Exit code of --die-at, instead of a signal; 0 ends a half-finished run as if all were well
    #[arg(long, value_name = "N", requires = "die_at", conflicts_with = "signal")]
    pub exit_code: Option<u8>,
}

fn some_dates(text: &str) -> Result<DateSet, String> {
    if text.is_empty() {
        Ok(DateSet::default())
    } else {
        text.parse()
    }
}

/// Signals a job may die of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Signal {
    /// SIGKILL
    Kill,
    /// SIGTERM
    Term,
    /// SIGSEGV
    Segv,
    /// SIGABRT
    Abrt,
    /// SIGINT
    Int,
    /// SIGHUP
    Hup,
}

impl Signal {
    /// The signal's number on this system.
    pub fn number(self) -> c_int {
        use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGKILL, SIGSEGV, SIGTERM};
        match self {
            Self::Kill => SIGKILL,
            Self::Term => SIGTERM,
            Self::Segv => SIGSEGV,
            Self::Abrt => SIGABRT,
            Self::Int => SIGINT,
            Self::Hup => SIGHUP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documented_arguments_of_phase_2_are_taken_unchanged() {
        let line = "job player-summary --start-date 2024-05-01 --end-date 2026-01-02 --parallel --workers 15 --no-resume";
        let cli = Cli::try_parse_from(line.split(' ')).expect("documented");
        let Command::PlayerSummary(args) = cli.command else {
            panic!("another command")
        };
        assert!(args.parallel && args.no_resume && args.workers == 15);
    }
}
