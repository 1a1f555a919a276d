//! The command line.

use std::path::PathBuf;

use bf_cli::{ConfigArgs, OutputArgs, WarehouseArgs};
use bf_contract::DateRange;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  Watch a running phase 1, and start phase 2 once process, log and data agree:
    nohup bf-orchestrate --phase1-pid 3022978 \\
      --phase1-log logs/team_offense_backfill_phase1.log \\
      --phase1-dates \"2021-10-19 2026-01-02\" \\
      --phase2-dates \"2024-05-01 2026-01-02\" > orchestrate.log 2>&1 &

  The same, looked at beforehand; nothing is started and nothing is waited for:
    bf-orchestrate --phase1-pid 3022978 ... --dry-run

Exit codes:
  0 every phase passed its gate    1 a job or its data failed    2 usage or configuration
  3 something could not be checked    124 timed out or hung    130/143 interrupted";

/// Monitor, validate, start the next phase, monitor, validate, report
///
/// Watches phase 1 until its process is over, holds its log and its table against the thresholds, and starts
/// phase 2 only if all three agree. Prints one run_report document on standard output where that is not a
/// terminal.
#[derive(Debug, Parser)]
#[command(
    name = "bf-orchestrate",
    version,
    after_help = EXAMPLES,

)]
pub struct Args {
    /// The process id of the running phase 1 job
    #[arg(long, value_name = "PID", required = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub phase1_pid: Option<u32>,

    /// The log that phase 1 writes
    #[arg(long, value_name = "FILE", required = true)]
    pub phase1_log: Option<PathBuf>,

    /// The dates that phase 1 fills, both included
    #[arg(long, value_name = "\"START END\"", required = true)]
    pub phase1_dates: Option<DateRange>,

    /// The dates that phase 2 fills; without them the run ends after phase 1's gate
    #[arg(long, value_name = "\"START END\"")]
    pub phase2_dates: Option<DateRange>,

    /// Look at everything, start nothing, wait for nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Where run directories are kept
    #[arg(long, value_name = "DIR", default_value = ".bf/runs", global = true)]
    pub runs: PathBuf,

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
