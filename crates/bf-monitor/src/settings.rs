//! How to watch: the flags over the config.

use std::time::Duration;

use bf_config::{Hang, Polling};

use crate::args::{Args, OnHang};
use crate::silence::Limits;

/// How to watch.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Between two looks.
    pub interval: Duration,
    /// Progress is said to people every so many looks.
    pub said_every: u32,
    /// Lines of the log that are shown when the job did not end well.
    pub tail_lines: usize,
    /// Give up so long after the process's own start.
    pub timeout: Option<Duration>,
    /// What to do with a job that hangs.
    pub on_hang: OnHang,
    /// Whether giving up ends the job.
    pub kill: bool,
    /// Between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
    hang: Hang,
}

impl Settings {
    /// The flags, and the config where a flag is not given.
    #[must_use]
    pub fn new(args: &Args, polling: &Polling, hang: Hang) -> Self {
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
            kill: args.kill_on_timeout,
            kill_grace: args.kill_grace.0,
            hang,
        }
    }

    /// How long nothing may move, for a run whose median time per date is `median_gap`.
    #[must_use]
    pub fn limits(&self, median_gap: Option<Duration>) -> Limits {
        const MINUTE: Duration = Duration::from_secs(60);
        let Hang {
            quiet,
            stalled,
            hung,
        } = self.hang;
        let usual = Hang::default();
        Limits {
            quiet: quiet.or_auto(median_gap, 5, MINUTE, usual.quiet),
            stalled: stalled.or_auto(median_gap, 10, 5 * MINUTE, usual.stalled),
            hung: hung.or_auto(median_gap, 20, 10 * MINUTE, usual.hung),
        }
    }
}
