//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::faults::{FaultArgs, RowFaultArgs};
use crate::log::Format;
use crate::store;

const EXAMPLES: &str = "\
Examples:
  export BF_WAREHOUSE=sqlite:/tmp/wh
  A fresh warehouse with the schedule:
    bf-sample-job init
  Phase 1 and phase 2, healthy:
    bf-sample-job team-offense --start-date 2021-10-19 --end-date 2026-01-02 2> phase1.log
    bf-sample-job player-summary --start-date 2024-05-01 --end-date 2026-01-02 \\
      --parallel --workers 15 --no-resume 2> phase2.log
  Phase 4, which reads what the jobs before it wrote:
    bf-sample-job team-defense-zones --start-date 2024-11-05 --end-date 2025-01-31
  A job that claims success over bad data:
    bf-sample-job player-summary --start-date 2024-10-22 --end-date 2025-04-13 --empty-usage all
  A job that is killed in the middle, and the run that resumes it:
    bf-sample-job team-offense --start-date 2024-01-01 --end-date 2024-01-30 --die-at 2024-01-12
    bf-sample-job team-offense --start-date 2024-01-01 --end-date 2024-01-30

The log goes to stderr.

Exit codes: 0 when the run finished, even when every date failed, and when the range was refused
(the real jobs do the same); 1 for a start date that is missing or not valid, for a warehouse that
cannot be opened, and in phase 4 for tables that are not ready; 2 for other errors on the command
line.";

/// A small backfill job with made-up data that behaves, and misbehaves, like the real ones
#[derive(Debug, Parser)]
#[command(name = "bf-sample-job", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create the warehouse: the schedule 2021-10-19..2026-01-02 and empty tables
    Init(WarehouseArg),
    /// Fill nba_analytics.team_offense_game_summary, two rows per game
    TeamOffense(Box<AnalyticsArgs>),
    /// Fill nba_analytics.player_game_summary, one row per dressed player and game
    PlayerSummary(Box<AnalyticsArgs>),
    /// Fill nba_analytics.team_defense_game_summary, two rows per game
    TeamDefense(Box<AnalyticsArgs>),
    /// Fill nba_precompute.team_defense_zone_analysis from the team defense table (phase 4, 1/5)
    TeamDefenseZones(Box<JobArgs>),
    /// Fill nba_precompute.player_shot_zone_analysis from the player table (phase 4, 2/5)
    PlayerShotZones(Box<JobArgs>),
    /// Fill nba_precompute.player_composite_factors from both zone analyses (phase 4, 3/5)
    CompositeFactors(Box<JobArgs>),
    /// Fill nba_precompute.player_daily_cache from the factors (phase 4, 4/5)
    DailyCache(Box<JobArgs>),
    /// Fill nba_predictions.ml_feature_store_v2 from all of them (phase 4, 5/5)
    FeatureStore(Box<JobArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct WarehouseArg {
    /// Folder of the SQLite warehouse; it and its tables are created when they are missing
    #[arg(long = "warehouse", value_name = "sqlite:DIR", env = "BF_WAREHOUSE", default_value = "sqlite:warehouse", value_parser = store::folder)]
    pub(crate) dir: PathBuf,
}

/// Options of every job. Dates are text here, because the real jobs answer a wrong one with log
/// lines and exit code 1.
#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    /// First date (YYYY-MM-DD); player-summary and phase 4 begin seven days ago without it
    #[arg(long, value_name = "DATE")]
    pub(crate) start_date: Option<String>,
    /// Last date; without it the team jobs do one day, the others end yesterday
    #[arg(long, value_name = "DATE")]
    pub(crate) end_date: Option<String>,
    /// Process these dates and no others, one after the other: 2024-01-05,2024-01-12
    #[arg(long, value_name = "DATES")]
    pub(crate) dates: Option<String>,
    /// Check only what the dates need; --parallel ignores it, as the real jobs do
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Begin at the start date, whatever the checkpoint says
    #[arg(long)]
    pub(crate) no_resume: bool,
    #[command(flatten)]
    pub(crate) warehouse: WarehouseArg,
    /// Milliseconds every date takes (with --parallel: about, so that dates overtake each other)
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) delay_ms: u64,
    /// Prefix of a log line
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: Format,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
}

/// Options of a job that goes by calendar days.
#[derive(Debug, Args)]
pub(crate) struct AnalyticsArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Process dates side by side
    #[arg(long)]
    pub(crate) parallel: bool,
    /// Threads of --parallel
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: u16,
    #[command(flatten)]
    pub(crate) row_faults: RowFaultArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_documented_arguments_of_phase_2_are_taken_unchanged() {
        Cli::command().debug_assert();
        let line = "job player-summary --start-date 2024-05-01 --end-date 2026-01-02 --parallel --workers 15 --no-resume";
        let cli = Cli::try_parse_from(line.split(' ')).expect("documented");
        let Command::PlayerSummary(args) = cli.command else {
            panic!("another command")
        };
        assert!(args.parallel && args.job.no_resume && args.workers == 15);
    }
}
