//! The command line.

mod faults;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::log::Format;
use crate::warehouse;

pub use faults::{FaultArgs, FigureFaultArgs, GameFaultArgs, Signal};

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

Exit codes: 0 when the run came to its end, even when every date failed, and when the range was
refused (the real jobs do the same); 1 for a start date that is missing or none, for a warehouse
that cannot be opened, and in phase 4 for tables that are not ready; 2 for other errors on the
command line.";

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
    /// Fill nba_analytics.team_defense_game_summary, two rows per game
    #[command(after_help = EXAMPLES)]
    TeamDefense(Box<JobArgs>),
    /// Fill nba_precompute.team_defense_zone_analysis from the team defense table (phase 4, 1/5)
    #[command(after_help = EXAMPLES)]
    TeamDefenseZones(Box<PrecomputeArgs>),
    /// Fill nba_precompute.player_shot_zone_analysis from the player table (phase 4, 2/5)
    #[command(after_help = EXAMPLES)]
    PlayerShotZones(Box<PrecomputeArgs>),
    /// Fill nba_precompute.player_composite_factors from both zone analyses (phase 4, 3/5)
    #[command(after_help = EXAMPLES)]
    CompositeFactors(Box<PrecomputeArgs>),
    /// Fill nba_precompute.player_daily_cache from the factors (phase 4, 4/5)
    #[command(after_help = EXAMPLES)]
    DailyCache(Box<PrecomputeArgs>),
    /// Fill nba_predictions.ml_feature_store_v2 from all of them (phase 4, 5/5)
    #[command(after_help = EXAMPLES)]
    FeatureStore(Box<PrecomputeArgs>),
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

/// Options of a job that goes by calendar days.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// First date (YYYY-MM-DD); player-summary begins seven days ago without it
    #[arg(long, value_name = "DATE")]
    pub start_date: Option<String>,
    /// Last date; without it the team jobs do one day and player-summary ends yesterday
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
    /// Faults in the rows.
    #[command(flatten)]
    pub game_faults: GameFaultArgs,
}

/// Options of a job of phase 4, which goes by game dates and has no parallel mode.
#[derive(Debug, Args)]
pub struct PrecomputeArgs {
    /// First date (YYYY-MM-DD); seven days ago without it
    #[arg(long, value_name = "DATE")]
    pub start_date: Option<String>,
    /// Last date; yesterday without it
    #[arg(long, value_name = "DATE")]
    pub end_date: Option<String>,
    /// Process these dates and no others: 2024-11-12,2024-11-14
    #[arg(long, value_name = "DATES")]
    pub dates: Option<String>,
    /// Look only at what the dates need
    #[arg(long)]
    pub dry_run: bool,
    /// Begin at the start date, whatever the checkpoint says
    #[arg(long)]
    pub no_resume: bool,
    /// Begin even where the tables of phase 3 have holes
    #[arg(long)]
    pub skip_preflight: bool,
    /// Where the tables are.
    #[command(flatten)]
    pub warehouse: WarehouseArg,
    /// Progress to resume from [default: DIR/checkpoints/JOB_START_END.json]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Pace and log.
    #[command(flatten)]
    pub manner: MannerArgs,
    /// Faults.
    #[command(flatten)]
    pub faults: FaultArgs,
    /// Faults in the rows.
    #[command(flatten)]
    pub figure_faults: FigureFaultArgs,
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
