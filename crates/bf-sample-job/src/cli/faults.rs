//! Faults on the command line.

use std::ffi::c_int;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use crate::dates::DateSet;

/// What goes wrong in any job.
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
    /// Only half of the date's games (in phase 4: of its rows) are written; the log claims all
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub fewer_rows_dates: DateSet,
    /// Nothing is written (what was there stays); the log claims success
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub skip_write_dates: DateSet,
    /// The date's rows are written twice; the log claims them once
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub duplicate_dates: DateSet,
    /// Quality is poor, and no row is production ready
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub low_quality: DateSet,
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

/// What goes wrong in the rows that are about games.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Faults in the rows")]
pub struct GameFaultArgs {
    /// One of the two teams of the date's first game is not written; the log claims both
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub half_game_dates: DateSet,
    /// usage_rate is NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_usage: DateSet,
    /// minutes_played is NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_minutes: DateSet,
    /// paint_attempts and mid_range_attempts are NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_shot_zones: DateSet,
    /// The date's first row has the issue missing_required
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub blocking_issue_dates: DateSet,
}

/// What goes wrong in the rows of phase 4.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Faults in the rows")]
pub struct FigureFaultArgs {
    /// The figure that the next job lives on is NULL
    #[arg(long, value_name = "DATES", default_value = "", hide_default_value = true, value_parser = some_dates)]
    pub empty_figures: DateSet,
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
