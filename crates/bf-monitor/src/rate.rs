//! How fast dates get done, from what was seen of the counter.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far back the rate looks.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// Movements of the counter that the window must hold before the rate is trusted.
const TRUSTED_MOVES: usize = 3;
/// Finished dates that the window must hold before the rate is trusted.
const TRUSTED_DAYS: u64 = 5;
/// Gaps that are remembered for the median.
const MOST_GAPS: usize = 512;
/// Gaps that a median needs.
const MEDIAN_GAPS: usize = 10;
/// The last gaps that are compared with the median of all.
const RECENT_GAPS: usize = 5;
/// A recent gap of so many medians is worth a word.
const SLOW_FACTOR: u32 = 3;
/// An end that comes so many times faster than the median gap allows is worth a word.
const FAST_FACTOR: u32 = 10;
/// Dates that such an end must have skipped over.
const FAST_DAYS: u64 = 20;

/// The counter over time. Times are those of a monotonic clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rate {
    /// When the counter was seen to move, and where to, oldest first.
    moves: VecDeque<(Duration, u64)>,
    /// The newest observation, moved or not.
    newest: Option<(Duration, u64)>,
    /// The one before that.
    #[serde(default)]
    second: Option<(Duration, u64)>,
    /// Time per date between two movements, oldest first.
    gaps: VecDeque<Duration>,
}

impl Rate {
    /// Notes the counter.
    pub(crate) fn observe(&mut self, at: Duration, finished: u64) {
        self.second = self.newest;
        let Some((_, before)) = self.newest.replace((at, finished)) else {
            self.moves.push_back((at, finished));
            return;
        };
        if finished < before {
            // A later run of the same log began: what was measured belongs to the earlier one.
            *self = Self::default();
            self.observe(at, finished);
            return;
        }
        if finished > before {
            if let Some(&(last_move, last_count)) = self.moves.back() {
                let days = u32::try_from(finished - last_count).unwrap_or(u32::MAX);
                let gap = at.saturating_sub(last_move) / days.max(1);
                // The first movement after the beginning gives no gap: when its date began is not known.
                if self.moves.len() > 1 || !self.gaps.is_empty() {
                    self.gaps.push_back(gap);
                }
            }
            self.moves.push_back((at, finished));
            while self.gaps.len() > MOST_GAPS {
                self.gaps.pop_front();
            }
        }
        while self.moves.len() > TRUSTED_MOVES + 1
            && self
                .moves
                .front()
                .is_some_and(|&(first, _)| at.saturating_sub(first) > WINDOW)
        {
            self.moves.pop_front();
        }
    }

    /// Finished dates an hour over the last while; `None` until it can be trusted.
    pub(crate) fn days_per_hour(&self) -> Option<f64> {
        let &(from, first) = self.moves.front()?;
        let &(_, last) = self.moves.back()?;
        let (now, _) = self.newest?;
        let days = last.saturating_sub(first);
        let span = now.saturating_sub(from);
        if self.moves.len() <= TRUSTED_MOVES || days < TRUSTED_DAYS || span.is_zero() {
            return None;
        }
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        Some(days as f64 * 3600.0 / span.as_secs_f64())
    }

    /// Seconds until `remaining` dates are done at that rate; `None` until it can be trusted.
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    pub(crate) fn eta_seconds(&self, remaining: u64) -> Option<f64> {
        let rate = self.days_per_hour()?;
        (rate > 0.0).then(|| (remaining as f64 * 3600.0 / rate).round())
    }

    /// The median time per date of this run; `None` until there are enough of them.
    pub(crate) fn median_gap(&self) -> Option<Duration> {
        if self.gaps.len() < MEDIAN_GAPS {
            return None;
        }
        let mut gaps: Vec<Duration> = self.gaps.iter().copied().collect();
        let middle = gaps.len() / 2;
        Some(*gaps.select_nth_unstable(middle).1)
    }

    /// The recent time per date and the median, where dates take more than three times as long as usual.
    pub(crate) fn slowed_down(&self) -> Option<(Duration, Duration)> {
        let median = self.median_gap()?;
        if self.gaps.len() < MEDIAN_GAPS + RECENT_GAPS || median.is_zero() {
            return None;
        }
        let recent = self.gaps.iter().rev().take(RECENT_GAPS).sum::<Duration>()
            / u32::try_from(RECENT_GAPS).unwrap_or(1);
        (recent > median * SLOW_FACTOR).then_some((recent, median))
    }

    /// Whether the run ended much faster than its dates allow: the dates since the last look or the one before
    /// it, which may have come in the middle of the haste, and the time that they took. Ask before the last
    /// count is observed.
    pub(crate) fn ended_too_fast(&self, at: Duration, finished: u64) -> Option<(u64, Duration)> {
        let median = self.median_gap()?;
        let since = |(seen, before): (Duration, u64)| {
            let days = finished.saturating_sub(before);
            let took = at.saturating_sub(seen);
            let due = median.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
            (days >= FAST_DAYS && took < due / FAST_FACTOR).then_some((days, took))
        };
        let mut looks = [self.newest, self.second].into_iter().flatten();
        looks.find_map(since)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Rate;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    /// One date a minute, for so many minutes.
    fn steady(dates: u64) -> Rate {
        let mut rate = Rate::default();
        for minute in 0..=dates {
            rate.observe(minutes(minute), minute);
        }
        rate
    }

    #[test]
    fn no_rate_is_told_before_there_is_something_to_measure() {
        let mut rate = steady(2);
        assert_eq!(rate.days_per_hour(), None);
        assert_eq!(rate.eta_seconds(100), None);
        rate.observe(minutes(3), 1_000);
        assert_eq!(
            steady(2).days_per_hour(),
            None,
            "one jump is no rate, however large"
        );
    }

    #[test]
    fn a_steady_run_has_its_rate_and_its_end() {
        let rate = steady(20);
        assert_eq!(rate.days_per_hour(), Some(60.0));
        assert_eq!(rate.eta_seconds(60), Some(3600.0));
    }

    #[test]
    fn a_rate_falls_while_nothing_gets_done() {
        let mut rate = steady(20);
        rate.observe(minutes(40), 20);
        let fallen = rate.days_per_hour().expect("still in the window");
        assert!(fallen < 40.0, "{fallen}");
    }

    #[test]
    fn the_rate_forgets_what_lies_behind_the_window() {
        let mut rate = steady(60);
        for step in 1..=60 {
            rate.observe(minutes(60) + Duration::from_secs(step * 30), 60 + step);
        }
        let now = rate.days_per_hour().expect("trusted");
        assert!((now - 120.0).abs() < 5.0, "{now}");
    }

    #[test]
    fn a_slow_stretch_is_told_against_the_median() {
        let mut rate = steady(20);
        assert_eq!(rate.slowed_down(), None);
        for step in 1..=5 {
            rate.observe(minutes(20 + step * 5), 20 + step);
        }
        assert_eq!(rate.slowed_down(), Some((minutes(5), minutes(1))));
    }

    #[test]
    fn an_end_that_comes_too_fast_is_told() {
        let rate = steady(20);
        assert_eq!(
            rate.ended_too_fast(minutes(21), 1_020),
            Some((1_000, minutes(1)))
        );
        assert_eq!(rate.ended_too_fast(minutes(21), 21), None);
        assert_eq!(rate.ended_too_fast(minutes(60), 60), None);

        let mut seen_in_between = steady(20);
        seen_in_between.observe(minutes(21), 1_000);
        assert_eq!(
            seen_in_between.ended_too_fast(minutes(21), 1_001),
            Some((981, minutes(1)))
        );
    }

    #[test]
    fn a_new_run_in_the_same_log_starts_the_measuring_anew() {
        let mut rate = steady(20);
        rate.observe(minutes(21), 1);
        assert_eq!(rate.days_per_hour(), None);
        assert_eq!(rate.median_gap(), None);
    }
}
