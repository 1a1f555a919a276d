//! The flags of the validators.

use std::path::PathBuf;

use bf_cli::metrics::MetricsArgs;
use bf_cli::{ConfigArgs, Failure, Format, OutputArgs, RangeArgs, ToolArgs, WarehouseArgs};
use chrono::{DateTime, Utc};
use clap::{Args, Parser};

/// Flags of every validator.
#[derive(Debug, Clone, Default, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub range: RangeArgs,

    /// Documents of bf-parse-log or bf-monitor: the job must have completed, and its claims must hold; -
    /// reads standard input
    #[arg(long, value_name = "FILE")]
    pub log_summary: Option<PathBuf>,

    /// When the job began (2026-01-02T10:00:00Z): every record it claims must have been written since
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Show the SQL, and what the engine thinks it would read, without running it
    #[arg(long)]
    pub explain: bool,

    /// A warning is a failure, too (exit 1), and so is a check that could not be answered
    #[arg(long)]
    pub strict: bool,

    /// Judge a share of fewer than 100 records as strictly as any other: for the verdict over a whole range of
    /// windows
    #[arg(long)]
    pub no_small_numbers: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub metrics: MetricsArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub warehouse: WarehouseArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// Exit codes, which the help of every validator ends with.
macro_rules! exit_codes {
    () => {
        "Exit codes:\n  \
         0  pass, or warnings only (--strict makes those a 1, and what was asked and not answered)\n  \
         1  the data or the log is bad\n  \
         2  usage or configuration error; nothing was read\n  \
         3  something could not be checked: no warehouse, no table, no column, no permission"
    };
}

/// Checks nba_analytics.team_offense_game_summary over a range of dates.
#[derive(Debug, Parser)]
#[command(name = "bf-validate-team-offense", version, after_help = concat!(
    "Examples:\n  \
     bf-validate-team-offense 2021-10-19 2026-01-02\n  \
     bf-validate-team-offense --last 7d\n  \
     bf-parse-log --ledger logs/team_offense.log | bf-validate-team-offense 2021-10-19 2026-01-02 --log-summary -\n  \
     bf-validate-team-offense 2024-01-01 2024-01-07 --warehouse sqlite:warehouse | jq .verdict\n\n",
    exit_codes!()
))]
pub struct TeamOffenseArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: ValidateArgs,
}

/// Checks nba_analytics.player_game_summary over a range of dates.
#[derive(Debug, Parser)]
#[command(name = "bf-validate-player-summary", version, after_help = concat!(
    "Examples:\n  \
     bf-validate-player-summary 2024-05-01 2026-01-02\n  \
     bf-parse-log --ledger logs/player.log | bf-validate-player-summary 2024-05-01 2026-01-02 --log-summary -\n  \
     bf-validate-player-summary 2024-05-01 2026-01-02 --explain --warehouse bigquery://PROJECT\n\n",
    exit_codes!()
))]
pub struct PlayerSummaryArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: ValidateArgs,
}

/// Checks any table over a range of dates, as a suite file says.
#[derive(Debug, Parser)]
#[command(name = "bf-validate", version, after_help = concat!(
    "Examples:\n  \
     bf-validate --suite config/suites/player_daily_cache.yaml 2024-10-22 2025-04-13\n  \
     bf-validate --suite config/suites/team_offense.yaml 2024-01-01 2024-01-07 --explain\n  \
     bf-validate --draft shop.orders --warehouse sqlite:warehouse > orders.yaml\n\n",
    exit_codes!()
))]
pub struct SuiteArgs {
    /// The suite: table, date column, primary key and checks, as YAML
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,

    /// Look at a table and print a suite to start from
    #[arg(long, value_name = "DATASET.TABLE", conflicts_with = "suite")]
    pub draft: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: ValidateArgs,
}

impl ValidateArgs {
    /// When the job began, as `--since` says.
    ///
    /// # Errors
    /// The text is no time: usage (exit 2).
    pub fn since(&self) -> Result<Option<DateTime<Utc>>, Failure> {
        let Some(text) = &self.since else {
            return Ok(None);
        };
        let micros = bf_warehouse::moment::of_text(text).and_then(DateTime::from_timestamp_micros);
        micros.map(Some).ok_or_else(|| {
            Failure::usage(format!("--since {text:?} is not a time"))
                .hint("expected 2026-01-02T10:00:00Z")
        })
    }
}

impl ValidateArgs {
    /// What goes to standard output: an explanation is for a person, also one that is piped into a pager.
    fn format(&self) -> Format {
        match self.output.format {
            Format::Auto if self.explain => Format::Text,
            format => format,
        }
    }
}

impl ToolArgs for TeamOffenseArgs {
    fn format(&self) -> Format {
        self.common.format()
    }
}

impl ToolArgs for PlayerSummaryArgs {
    fn format(&self) -> Format {
        self.common.format()
    }
}

impl ToolArgs for SuiteArgs {
    fn format(&self) -> Format {
        self.common.format()
    }
}
