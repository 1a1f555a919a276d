//! How to watch: the flags over the config.

use std::path::PathBuf;
use std::time::Duration;

use bf_config::{Config, Hang};

use crate::args::{Args, Judge, OnHang};
use crate::stall::Limits;

/// How to watch.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) interval: Duration,
    /// Progress is reported to people every so many passes.
    pub(crate) said_every: u32,
    /// Lines of the log that are shown when the job did not end well.
    pub(crate) tail_lines: usize,
    /// Give up so long after the process's own start.
    pub(crate) timeout: Option<Duration>,
    /// What to do with a job that hangs.
    pub(crate) on_hang: OnHang,
    /// Whether giving up ends the job.
    pub(crate) kill: bool,
    /// Whether to give up at once.
    pub(crate) end: bool,
    /// Between SIGTERM and SIGKILL.
    pub(crate) kill_grace: Duration,
    /// Whether to report once and exit.
    pub(crate) once: bool,
    /// What the exit code is about.
    pub(crate) judge: Judge,
    /// Successful dates that the log needs, in percent, if given.
    pub(crate) min_success_rate: Option<f64>,
    /// Where the dates and the summary of the log go.
    pub(crate) save_ledger: Option<PathBuf>,
    pub(crate) config: Config,
}

impl Settings {
    /// The flags, and the config where a flag is not given.
    pub(crate) fn new(args: &Args, config: &Config) -> Self {
        let polling = &config.polling;
        let configured = Duration::try_from_secs_f64(polling.interval_seconds);
        Self {
            interval: args.interval.map_or_else(
                || configured.unwrap_or(Duration::from_secs(60)),
                |interval| interval.0,
            ),
            said_every: polling.progress_update_interval.get(),
            tail_lines: polling.log_tail_lines,
            timeout: args.timeout.map(|timeout| timeout.0),
            on_hang: args.on_hang,
            kill: args.kill_on_timeout || args.end,
            end: args.end,
            kill_grace: args.kill_grace.0,
            once: args.once,
            judge: args.judge,
            min_success_rate: args.min_success_rate,
            save_ledger: args.save_ledger.clone(),
            config: config.clone(),
        }
    }

    /// How long nothing may move, for a run whose median time per date is `median_gap`.
    pub(crate) fn limits(&self, median_gap: Option<Duration>) -> Limits {
        const MINUTE: Duration = Duration::from_secs(60);
        let Hang {
            quiet,
            stalled,
            hung,
        } = self.config.hang;
        let usual = Hang::default();
        Limits {
            quiet: quiet.or_auto(median_gap, 5, MINUTE, usual.quiet),
            stalled: stalled.or_auto(median_gap, 10, 5 * MINUTE, usual.stalled),
            hung: hung.or_auto(median_gap, 20, 10 * MINUTE, usual.hung),
        }
    }
}
