//! The flags that every tool shares, written once so that their help cannot drift apart.

use std::path::PathBuf;

use bf_contract::parse_date;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};

/// What goes to standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text when a person looks at standard output, or when it is the same file as standard error;
    /// JSON otherwise.
    #[default]
    Auto,
    /// JSON documents, one per line; text for people on standard error.
    Json,
    /// Text for people, and no JSON.
    Text,
}

/// Whether text for people is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// Where a terminal takes it and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always, emoji included.
    Always,
    /// Never; plain text.
    Never,
}

/// Flags of every tool that writes documents.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,

    /// Drop the text for people where JSON is written
    #[arg(long, short)]
    pub quiet: bool,

    /// Colour and emoji in the text for people
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// The config file of a tool that reads one.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// Thresholds and settings [default: ./config/backfill_thresholds.yaml,
    /// ./scripts/config/backfill_thresholds.yaml, or built in]
    #[arg(long, env = "BF_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The warehouse of a tool that looks into one.
#[derive(Debug, Clone, Default, Args)]
pub struct WarehouseArgs {
    /// sqlite:DIR or `bigquery://PROJECT` [default: the config's warehouse, or sqlite:warehouse]
    #[arg(
        long,
        env = "BF_WAREHOUSE",
        hide_env_values = true,
        value_name = "URL",
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub warehouse: Option<String>,
}

/// Reads a date given as an argument; for clap's `value_parser`.
///
/// # Errors
/// The text is not a date of the form `YYYY-MM-DD`.
pub fn parse_date_arg(text: &str) -> Result<NaiveDate, String> {
    parse_date(text).map_err(|error| error.to_string())
}
