//! From a figure and its threshold to an outcome. This is the only way there: a check compares its figure here,
//! and whatever else it finds can only make the outcome worse.

use std::collections::BTreeMap;

use bf_contract::{CheckStatus, Comparison, Level, MonthValue, Threshold, percentage};
use chrono::NaiveDate;

/// Result of a check before its level is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The threshold is met.
    Pass,
    /// It is met or nearly met, and a person should look.
    Warn,
    /// It is missed.
    Fail,
    /// It could not be checked.
    Error,
    /// It was not asked for.
    Skipped,
    /// Requested but could not be answered; reported, not counted.
    Unanswered,
}

impl Outcome {
    /// How bad it is: of two findings of one check the worse one counts.
    const fn rank(self) -> u8 {
        match self {
            Self::Skipped => 0,
            Self::Unanswered => 1,
            Self::Pass => 2,
            Self::Warn => 3,
            Self::Error => 4,
            Self::Fail => 5,
        }
    }
}

/// The table that is wrong, as far as a check can tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wrong {
    /// The suite's own.
    #[default]
    Own,
    /// Its partner.
    Partner,
    /// Either of the two.
    Either,
}

/// The most rows that are kept of what is wrong date by date.
const MOST_ROWS: usize = 100;

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    outcome: Outcome,
    observed: Option<f64>,
    threshold: Option<Threshold>,
    /// One line for a person.
    pub message: String,
    /// Rows that meet the condition, of a share.
    pub numerator: Option<u64>,
    /// Rows that were asked, of a share.
    pub denominator: Option<u64>,
    /// The dates concerned.
    pub dates: Vec<NaiveDate>,
    /// How the rows concerned are found.
    pub probe: Option<Probe>,
    /// The table that is wrong.
    pub wrong: Wrong,
    /// The same figure for each month.
    pub months: Vec<MonthValue>,
    /// What is wrong on each date, if that is not a row of the table.
    pub rows: Vec<BTreeMap<String, Option<String>>>,
}

/// The share of what was asked that is good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Rows (or groups) that are good.
    pub good: u64,
    /// Rows (or groups) that were asked.
    pub asked: u64,
}

impl Share {
    /// In percent; `None` if nothing was asked.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        percentage(self.good.min(self.asked), self.asked)
    }

    /// Adds another part.
    pub fn add(&mut self, other: Self) {
        self.good += other.good;
        self.asked += other.asked;
    }

    /// Rows (or groups) that are not good.
    #[must_use]
    pub fn missed(self) -> u64 {
        self.asked.saturating_sub(self.good)
    }
}

/// From this many on a share is a share; below, a single row weighs more than one percent.
const SMALL: u64 = 100;

/// Whether a share that misses its threshold does so by no more than chance: fewer than 100 were asked, and no more
/// are bad than one, or than the threshold allows of so many, rounded up. Never for a threshold of 100.
#[must_use]
pub fn is_small_miss(share: Share, threshold: Threshold) -> bool {
    if threshold.op != Comparison::AtLeast || threshold.value >= 100.0 || share.asked >= SMALL {
        return false;
    }
    #[allow(clippy::cast_precision_loss)] // fewer than a hundred
    let allowed = (share.asked as f64 * (100.0 - threshold.value) / 100.0 - 1e-9).ceil();
    #[allow(clippy::cast_precision_loss)] // fewer than a hundred
    let missed = share.missed() as f64;
    share.asked > 0 && missed <= allowed.max(1.0)
}

/// Whether small shares are judged with the allowance of [`is_small_miss`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SmallShares {
    /// A small miss is a warning.
    #[default]
    Warn,
    /// A miss is a miss: the verdict over a whole range of windows.
    Fail,
}

/// The outcome of a share. `counted` is what the allowance for small numbers counts, if it is not the rows of the
/// share itself.
#[must_use]
pub fn of_share(
    share: Share,
    counted: Option<Share>,
    threshold: Option<Threshold>,
    small: SmallShares,
) -> Outcome {
    let (Some(percent), Some(threshold)) = (share.percent(), threshold) else {
        return if share.asked == 0 {
            Outcome::Fail
        } else {
            Outcome::Pass
        };
    };
    if meets(percent, threshold) {
        Outcome::Pass
    } else if small == SmallShares::Warn && is_small_miss(counted.unwrap_or(share), threshold) {
        Outcome::Warn
    } else {
        Outcome::Fail
    }
}

pub use bf_warehouse::Probe;

impl Finding {
    fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            outcome,
            observed: None,
            threshold: None,
            message: message.into(),
            numerator: None,
            denominator: None,
            dates: Vec::new(),
            probe: None,
            wrong: Wrong::Own,
            months: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// A figure, compared with its threshold.
    #[must_use]
    pub fn compared(
        observed: f64,
        threshold: Option<Threshold>,
        message: impl Into<String>,
    ) -> Self {
        let is_met = threshold.is_none_or(|threshold| meets(observed, threshold));
        let outcome = if is_met { Outcome::Pass } else { Outcome::Fail };
        Self {
            observed: Some(observed),
            threshold,
            ..Self::new(outcome, message)
        }
    }

    /// A share, compared with its threshold.
    #[must_use]
    pub fn share(
        share: Share,
        counted: Option<Share>,
        threshold: Option<Threshold>,
        small: SmallShares,
        message: impl Into<String>,
    ) -> Self {
        Self {
            observed: share.percent(),
            threshold,
            ..Self::new(of_share(share, counted, threshold, small), message)
        }
        .of(share.good, share.asked)
    }

    /// A question without a figure that is answered with yes.
    #[must_use]
    pub fn yes(message: impl Into<String>) -> Self {
        Self::new(Outcome::Pass, message)
    }

    /// A question that is answered with no, or that has no data to be answered with.
    #[must_use]
    pub fn no(message: impl Into<String>) -> Self {
        Self::new(Outcome::Fail, message)
    }

    /// It could not be checked.
    #[must_use]
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Outcome::Error, message)
    }

    /// It was not asked for.
    #[must_use]
    pub fn skipped(message: impl Into<String>) -> Self {
        Self::new(Outcome::Skipped, message)
    }

    /// Requested but could not be answered.
    #[must_use]
    pub fn unanswered(message: impl Into<String>) -> Self {
        Self::new(Outcome::Unanswered, message)
    }

    /// Makes the outcome worse, never better.
    pub fn worsen(&mut self, outcome: Outcome) {
        if outcome.rank() > self.outcome.rank() {
            self.outcome = outcome;
        }
    }

    /// The same with an outcome that may be worse.
    #[must_use]
    pub fn at_best(mut self, outcome: Outcome) -> Self {
        self.worsen(outcome);
        self
    }

    /// The outcome.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The figure, in the unit of the threshold.
    #[must_use]
    pub fn observed(&self) -> Option<f64> {
        self.observed
    }

    /// What the figure must meet.
    #[must_use]
    pub fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// Adds the threshold of a figure that is not there: that is no pass.
    #[must_use]
    pub fn without_figure(mut self, threshold: Option<Threshold>) -> Self {
        self.threshold = threshold;
        self.at_best(Outcome::Fail)
    }

    /// Adds numerator and denominator.
    #[must_use]
    pub fn of(mut self, numerator: u64, denominator: u64) -> Self {
        self.numerator = Some(numerator);
        self.denominator = Some(denominator);
        self
    }

    /// Adds the dates concerned.
    #[must_use]
    pub fn on(mut self, dates: Vec<NaiveDate>) -> Self {
        self.dates = dates;
        self
    }

    /// Adds further dates concerned.
    #[must_use]
    pub fn and_on(mut self, dates: Vec<NaiveDate>) -> Self {
        self.dates.extend(dates);
        self.dates.sort_unstable();
        self.dates.dedup();
        self
    }

    /// Adds what is wrong on each date: a field and its text.
    #[must_use]
    pub fn beside<const N: usize>(
        mut self,
        rows: impl Iterator<Item = (NaiveDate, [(&'static str, String); N])>,
    ) -> Self {
        let rows = rows.take(MOST_ROWS).map(|(date, fields)| {
            let fields = fields
                .into_iter()
                .map(|(name, text)| (name.to_owned(), Some(text)));
            fields
                .chain([("date".to_owned(), Some(date.to_string()))])
                .collect()
        });
        self.rows = rows.collect();
        self
    }

    /// Adds the way to its rows.
    #[must_use]
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// The status under a level.
    #[must_use]
    pub fn status(&self, level: Level) -> CheckStatus {
        match (self.outcome, level) {
            (_, Level::Off) | (Outcome::Skipped | Outcome::Unanswered, _) => CheckStatus::Skipped,
            (Outcome::Pass, _) => CheckStatus::Pass,
            (Outcome::Error, _) => CheckStatus::Error,
            (Outcome::Warn, _) | (Outcome::Fail, Level::Warning) => CheckStatus::Warn,
            (Outcome::Fail, _) => CheckStatus::Fail,
        }
    }
}

/// Whether a figure meets its threshold. NaN meets none.
#[must_use]
pub fn meets(observed: f64, threshold: Threshold) -> bool {
    match threshold.op {
        Comparison::AtLeast => observed >= threshold.value,
        Comparison::AtMost => observed <= threshold.value,
        #[allow(clippy::float_cmp)] // exactly is meant
        Comparison::Exactly => observed == threshold.value,
        Comparison::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::Comparison::{AtLeast, AtMost, Exactly};

    use super::*;

    fn threshold(op: Comparison, value: f64) -> Option<Threshold> {
        Some(Threshold { op, value })
    }

    #[test]
    fn a_figure_that_misses_its_threshold_fails_whatever_is_found_beside_it() {
        for (observed, op, value, outcome) in [
            (250.0, AtMost, 110.0, Outcome::Fail),
            (250.0, Exactly, 100.0, Outcome::Fail),
            (250.0, AtLeast, 99.0, Outcome::Pass),
            (f64::NAN, AtLeast, 0.0, Outcome::Fail),
            (0.0, Exactly, 0.0, Outcome::Pass),
        ] {
            let mut finding = Finding::compared(observed, threshold(op, value), "a figure");
            assert_eq!(finding.outcome(), outcome, "{observed} {op:?} {value}");
            finding.worsen(Outcome::Pass);
            finding.worsen(Outcome::Skipped);
            assert_eq!(finding.outcome(), outcome, "never better");
            finding.worsen(Outcome::Fail);
            assert_eq!(finding.outcome(), Outcome::Fail, "always worse");
        }
    }

    #[test]
    fn one_row_of_a_game_is_a_warning_and_two_of_them_are_not() {
        for (good, asked, percent, outcome) in [
            (19, 20, 99.0, Outcome::Warn),
            (18, 20, 99.0, Outcome::Fail),
            (20, 20, 99.0, Outcome::Pass),
            (19, 20, 100.0, Outcome::Fail),
            (0, 1, 40.0, Outcome::Warn),
            (0, 3, 40.0, Outcome::Fail),
            (97, 99, 99.0, Outcome::Fail),
            (94, 99, 95.0, Outcome::Warn),
            (98, 100, 99.0, Outcome::Fail),
            (0, 0, 40.0, Outcome::Fail),
        ] {
            let share = Share { good, asked };
            let of = |small| of_share(share, None, threshold(AtLeast, percent), small);
            assert_eq!(
                of(SmallShares::Warn),
                outcome,
                "{good} of {asked}, {percent}"
            );
            let strict = if outcome == Outcome::Warn {
                Outcome::Fail
            } else {
                outcome
            };
            assert_eq!(
                of(SmallShares::Fail),
                strict,
                "over a whole range of windows"
            );
        }
    }

    #[test]
    fn values_that_come_and_go_by_game_are_counted_by_game() {
        let rows = Share {
            good: 20,
            asked: 120,
        };
        let games = Share { good: 1, asked: 6 };
        let of = |games| of_share(rows, games, threshold(AtLeast, 40.0), SmallShares::Warn);
        assert_eq!(of(None), Outcome::Fail);
        assert_eq!(of(Some(games)), Outcome::Fail);
        assert_eq!(of(Some(Share { good: 2, asked: 6 })), Outcome::Warn);
    }
}
