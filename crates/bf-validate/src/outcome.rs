//! From a figure and its threshold to an outcome. This is the only way there: a check compares its figure here,
//! and whatever else it finds can only make the outcome worse.

use std::collections::BTreeMap;

use bf_contract::{CheckStatus, Comparison, DateRange, Level, MonthValue, Threshold, percentage};
use bf_warehouse::Probe;
use chrono::NaiveDate;

/// Result of a check before its level is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
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
pub(crate) enum Wrong {
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
pub(crate) struct Finding {
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
pub(crate) struct Share {
    /// Rows (or groups) that are good.
    pub good: u64,
    /// Rows (or groups) that were asked.
    pub asked: u64,
}

impl Share {
    /// In percent; `None` if nothing was asked.
    #[must_use]
    pub(crate) fn percent(self) -> Option<f64> {
        percentage(self.good.min(self.asked), self.asked)
    }

    /// Adds another part.
    pub(crate) fn add(&mut self, other: Self) {
        self.good += other.good;
        self.asked += other.asked;
    }

    /// Rows (or groups) that are not good.
    #[must_use]
    pub(crate) fn missed(self) -> u64 {
        self.asked.saturating_sub(self.good)
    }
}

/// From this many on a share is a share; below, a single row weighs more than one percent.
const SMALL: u64 = 100;

/// A single date of a table in which so many misses or more come up less often than one time in twenty is no accident.
const CHANCE: f64 = 0.05;
/// The most rows of a single date that chance is asked about; with more, it explains next to nothing.
const MOST_OF_A_DATE: u64 = 400;

/// How a share that misses its threshold is judged if only a few were asked. Never for a threshold of 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SmallShares {
    /// Of fewer than a hundred one miss, or as many as the threshold allows of so many, rounded up, is a warning.
    #[default]
    Few,
    /// The same; and as the range is a single date, what chance explains is a warning, too.
    OneDate,
    /// A miss is a miss: the verdict over a whole range of windows.
    Fail,
}

impl SmallShares {
    /// For a range of dates.
    #[must_use]
    pub(crate) fn of(range: DateRange, is_allowed: bool) -> Self {
        match (is_allowed, range.start == range.end) {
            (false, _) => Self::Fail,
            (true, true) => Self::OneDate,
            (true, false) => Self::Few,
        }
    }

    /// For a part of the range, such as its worst month: of many parts one may be as bad as it likes.
    #[must_use]
    pub(crate) fn of_part(self) -> Self {
        match self {
            Self::OneDate => Self::OneDate,
            Self::Few | Self::Fail => Self::Fail,
        }
    }

    /// Whether a share misses its threshold by no more than is a warning. `groups` is what comes and goes as a whole,
    /// if that is not the rows of the share.
    fn is_small_miss(self, share: Share, groups: Option<Share>, threshold: Threshold) -> bool {
        let counted = groups.unwrap_or(share);
        if self == Self::Fail
            || threshold.op != Comparison::AtLeast
            || threshold.value >= 100.0
            || counted.asked == 0
        {
            return false;
        }
        #[allow(clippy::cast_precision_loss)] // counts of one date
        let (asked, missed) = (counted.asked as f64, counted.missed() as f64);
        let rate = 1.0 - threshold.value / 100.0;
        let allowed = (asked * rate - 1e-9).ceil().max(1.0);
        if counted.asked < SMALL && missed <= allowed {
            return true;
        }
        self == Self::OneDate
            && groups.is_none()
            && share.asked < MOST_OF_A_DATE
            && at_least_by_chance(share.asked, share.missed(), rate) >= CHANCE
    }
}

/// How likely it is that of `asked` rows `missed` or more are bad, if each is with this probability.
fn at_least_by_chance(asked: u64, missed: u64, rate: f64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // counts of one date
    let (asked, missed) = (asked as f64, missed as f64);
    let (mut one, mut fewer, mut count) = ((1.0 - rate).powf(asked), 0.0, 0.0);
    while count < missed {
        fewer += one;
        one *= (asked - count) / (count + 1.0) * rate / (1.0 - rate);
        count += 1.0;
    }
    1.0 - fewer
}

/// The outcome of a share. `counted` is what the allowance for small numbers counts, if it is not the rows of the
/// share itself.
#[must_use]
pub(crate) fn of_share(
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
    } else if small.is_small_miss(share, counted, threshold) {
        Outcome::Warn
    } else {
        Outcome::Fail
    }
}

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
    pub(crate) fn compared(
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
    pub(crate) fn share(
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
    pub(crate) fn yes(message: impl Into<String>) -> Self {
        Self::new(Outcome::Pass, message)
    }

    /// A question that is answered with no, or that has no data to be answered with.
    #[must_use]
    pub(crate) fn no(message: impl Into<String>) -> Self {
        Self::new(Outcome::Fail, message)
    }

    /// It could not be checked.
    #[must_use]
    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self::new(Outcome::Error, message)
    }

    /// It was not asked for.
    #[must_use]
    pub(crate) fn skipped(message: impl Into<String>) -> Self {
        Self::new(Outcome::Skipped, message)
    }

    /// Requested but could not be answered.
    #[must_use]
    pub(crate) fn unanswered(message: impl Into<String>) -> Self {
        Self::new(Outcome::Unanswered, message)
    }

    /// Makes the outcome worse, never better.
    pub(crate) fn worsen(&mut self, outcome: Outcome) {
        if outcome.rank() > self.outcome.rank() {
            self.outcome = outcome;
        }
    }

    /// The same with an outcome that may be worse.
    #[must_use]
    pub(crate) fn at_best(mut self, outcome: Outcome) -> Self {
        self.worsen(outcome);
        self
    }

    /// The outcome.
    #[must_use]
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The figure, in the unit of the threshold.
    #[must_use]
    pub(crate) fn observed(&self) -> Option<f64> {
        self.observed
    }

    /// What the figure must meet.
    #[must_use]
    pub(crate) fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// Adds the threshold of a figure that is not there: that is no pass.
    #[must_use]
    pub(crate) fn without_figure(mut self, threshold: Option<Threshold>) -> Self {
        self.threshold = threshold;
        self.at_best(Outcome::Fail)
    }

    /// Adds numerator and denominator.
    #[must_use]
    pub(crate) fn of(mut self, numerator: u64, denominator: u64) -> Self {
        self.numerator = Some(numerator);
        self.denominator = Some(denominator);
        self
    }

    /// Adds the dates concerned.
    #[must_use]
    pub(crate) fn on(mut self, dates: Vec<NaiveDate>) -> Self {
        self.dates = dates;
        self
    }

    /// Adds further dates concerned.
    #[must_use]
    pub(crate) fn and_on(mut self, dates: Vec<NaiveDate>) -> Self {
        self.dates.extend(dates);
        self.dates.sort_unstable();
        self.dates.dedup();
        self
    }

    /// Adds what is wrong on each date: a field and its text.
    #[must_use]
    pub(crate) fn beside<const N: usize>(
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
    pub(crate) fn probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// The status under a level.
    #[must_use]
    pub(crate) fn status(&self, level: Level) -> CheckStatus {
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
pub(crate) fn meets(observed: f64, threshold: Threshold) -> bool {
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
                of(SmallShares::Few),
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
    fn on_a_single_date_what_chance_explains_is_a_warning_and_a_whole_team_is_not() {
        for (missed, asked, percent, outcome) in [
            (2, 20, 99.0, Outcome::Fail),
            (2, 41, 99.0, Outcome::Warn),
            (3, 21, 95.0, Outcome::Warn),
            (5, 21, 95.0, Outcome::Fail),
            (2, 164, 99.0, Outcome::Warn),
            (4, 184, 99.0, Outcome::Warn),
            (9, 143, 95.0, Outcome::Warn),
            (10, 200, 99.0, Outcome::Fail),
            (10, 20, 95.0, Outcome::Fail),
            (1, 300, 100.0, Outcome::Fail),
            (21, 400, 95.0, Outcome::Fail),
        ] {
            let share = Share {
                good: asked - missed,
                asked,
            };
            let found = of_share(
                share,
                None,
                threshold(AtLeast, percent),
                SmallShares::OneDate,
            );
            assert_eq!(found, outcome, "{missed} of {asked}, {percent}");
        }
        assert_eq!(SmallShares::Few.of_part(), SmallShares::Fail);
    }

    #[test]
    fn values_that_come_and_go_by_game_are_counted_by_game() {
        let rows = Share {
            good: 20,
            asked: 120,
        };
        let games = Share { good: 1, asked: 6 };
        let of = |games| of_share(rows, games, threshold(AtLeast, 40.0), SmallShares::Few);
        assert_eq!(of(None), Outcome::Fail);
        assert_eq!(of(Some(games)), Outcome::Fail);
        assert_eq!(of(Some(Share { good: 2, asked: 6 })), Outcome::Warn);
    }
}
