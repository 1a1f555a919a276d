//! What a summary means for an exit code.

use bf_config::Config;
use bf_contract::{Exit, LogState, LogSummary};

use crate::args::Args;

/// The success rate, in percent, that `job` must reach where nothing else is given: the threshold of its
/// section in the config, else every date.
#[must_use]
pub fn min_success_rate(config: &Config, job: Option<&str>) -> f64 {
    config.min_success_rate(job)
}

/// What --check compares a summary with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checks<'a> {
    pub(crate) min_success_rate: Option<f64>,
    pub(crate) config: &'a Config,
    /// Whether the days before a resume point were compared with the job's checkpoint.
    pub(crate) has_checkpoint: bool,
}

impl Checks<'_> {
    /// The exit code for what was read.
    pub(crate) fn exit(&self, args: &Args, summary: &LogSummary) -> Exit {
        if matches!(summary.state, LogState::Unknown | LogState::Empty) {
            return Exit::CouldNotCheck;
        }
        if !args.check {
            return Exit::Success;
        }
        if summary.has_failure_in_doubt() {
            return Exit::Failed;
        }
        if summary.doubts.iter().any(|doubt| doubt.kind.stops_check()) {
            return Exit::CouldNotCheck;
        }
        if self.holds(summary) {
            Exit::Success
        } else {
            Exit::Failed
        }
    }

    fn holds(&self, summary: &LogSummary) -> bool {
        let least = self
            .min_success_rate
            .unwrap_or_else(|| min_success_rate(self.config, summary.job.as_deref()));
        // Nothing announced and nothing done has no rate.
        let had_nothing_to_do = summary.total_days == Some(0);
        let only_skipped =
            summary.successful_days + summary.failed_days == 0 && summary.skipped_days > 0;
        let reaches_rate = had_nothing_to_do
            || (only_skipped && self.min_success_rate.is_none())
            || summary.success_rate.is_some_and(|rate| rate >= least);
        let all_failed = summary.failed_days > 0 && summary.successful_days == 0;
        summary.completed
            && summary.unaccounted_days == Some(0)
            && reaches_rate
            && !all_failed
            && (summary.earlier_days == 0 || self.has_checkpoint)
            && summary.checkpoint_disagreements.is_empty()
    }

    /// Why a failed date may be missing in the list of them.
    pub(crate) fn what_the_list_may_lack(&self, summary: &LogSummary) -> Option<String> {
        let doubt = summary
            .doubts
            .iter()
            .find(|doubt| doubt.kind.is_failure() || doubt.kind.stops_check());
        if let Some(doubt) = doubt {
            return Some(doubt.message.clone());
        }
        if !summary.failed_dates.is_empty() || summary.state == LogState::Running {
            return None;
        }
        let days = |count: u64| {
            if count == 1 {
                "1 day".to_owned()
            } else {
                format!("{count} days")
            }
        };
        let has_ended = summary.completed || summary.state == LogState::Interrupted;
        match summary.unaccounted_days {
            Some(missing) if missing > 0 && has_ended => {
                Some(format!("{} without an outcome", days(missing)))
            }
            None if summary.state == LogState::Interrupted => {
                Some("the run broke off, and how many days it left out is not known".to_owned())
            }
            _ if summary.earlier_days > 0 && !self.has_checkpoint => Some(format!(
                "{} before the resume point are not in this log; give the job's --checkpoint",
                days(summary.earlier_days)
            )),
            _ => None,
        }
    }
}
