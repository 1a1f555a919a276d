//! The flags that every tool shares, written once so that their help cannot drift apart.

use std::ffi::OsString;
use std::path::PathBuf;

use bf_contract::parse_date;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use crate::Streams;

/// What goes to standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text when standard output is a terminal, or when it is the same file as standard error;
    /// JSON otherwise.
    #[default]
    Auto,
    /// JSON documents, one per line; text for people on standard error.
    Json,
    /// Text for people, and no JSON.
    Text,
}

impl Format {
    /// Whether documents go to standard output.
    #[must_use]
    pub fn writes_documents(self, streams: &Streams) -> bool {
        match self {
            Self::Text => false,
            Self::Json => true,
            Self::Auto => !streams.stdout.is_terminal && !streams.share_a_file(),
        }
    }

    /// The format that a call asks for which cannot be parsed: what follows `--format`, as far as the job's own
    /// command.
    pub(crate) fn of_call(args: impl Iterator<Item = OsString>) -> Self {
        let args: Vec<OsString> = args.take_while(|arg| arg != "--").collect();
        let next = args.iter().skip(1).map(Some).chain([None]);
        let value = args.iter().zip(next).find_map(|(arg, next)| {
            let arg = arg.to_str()?;
            match arg.strip_prefix("--format=") {
                Some(value) => Some(value),
                None if arg == "--format" => next?.to_str(),
                None => None,
            }
        });
        value
            .and_then(|value| Self::from_str(value, false).ok())
            .unwrap_or_default()
    }
}

/// The arguments of a tool, as far as [`main`](crate::main) must understand them.
pub trait ToolArgs: clap::Parser {
    /// What goes to standard output; `Text` for a call that never writes documents.
    fn format(&self) -> Format;
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

    /// Leave out the text for people when JSON is written
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
    /// sqlite:DIR, duckdb:FILE|DIR or `bigquery://PROJECT` [default: the config's warehouse, or sqlite:warehouse]
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

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn the_format_of_a_wrong_call_is_known_all_the_same() {
        let of = |call: &str| Format::of_call(call.split(' ').map(Into::into));
        assert_eq!(of("bf-monitor --pid x"), Format::Auto);
        assert_eq!(of("bf-monitor --format json --pid x"), Format::Json);
        assert_eq!(of("bf-monitor --pid x --format=text"), Format::Text);
        assert_eq!(of("bf-monitor --pid x --format"), Format::Auto);
        assert_eq!(of("bf-monitor --pid x -- job --format json"), Format::Auto);
    }
}
