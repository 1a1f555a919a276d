//! The command line.

use bf_cli::{ConfigArgs, Format, OutputArgs, ToolArgs};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  Test every channel of the config:
    bf-notify --test

  The same without sending a message:
    bf-notify --check

  From cron: the verdict of a tool, also that it was killed; the exit code is the tool's own:
    bf-validate-team-offense 2024-01-01 2024-01-31 --format json | bf-notify

  As bf-orchestrate does for every event:
    bf-notify --config config/backfill_thresholds.yaml < notification.json

The channels are in the config under notify. Their URLs and tokens are secrets: they come from the
environment (url_env, headers_env) and are never shown.

Exit codes:
  0 every channel that wants the event took it    2 usage or configuration; nothing was sent
  3 a channel did not take it, or standard input is empty or truncated    130/143 interrupted
  what the documents on standard input say, if that is worse: a table that failed is a 1";

/// Report what a run does to people: webhooks, Healthchecks pings, any command
///
/// Reads any documents of bf on standard input, makes a message of them and delivers it to every channel of the
/// config that wants it, all at the same time. What fails for a moment is repeated, within the channel's deadline.
#[derive(Debug, Parser)]
#[command(name = "bf-notify", version, after_help = EXAMPLES)]
pub struct Args {
    /// Send a test notification to every channel, once; standard input is not read
    #[arg(long)]
    pub test: bool,

    /// Check config, environment, programs and hosts; connect, but send nothing
    #[arg(long, conflicts_with = "test")]
    pub check: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

impl ToolArgs for Args {
    fn format(&self) -> Format {
        self.output.format
    }
}
