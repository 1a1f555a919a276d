//! How far a schedule can tell: from its first to its last row, whatever the state of those rows, and not in the
//! holes between them.

use std::collections::BTreeSet;

use bf_contract::DateRange;
use chrono::NaiveDate;

/// Longer than any pause within a season: around the All-Star break there are 7 days from one game to the next.
pub(crate) const PAUSE_DAYS: i64 = 8;
/// No summer between two seasons is shorter, in days.
const SUMMER_DAYS: i64 = 60;

/// What a suite says about its data and its schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Before this day nothing is expected.
    pub data_begins: Option<NaiveDate>,
    /// A pause that is longer is a hole, in days.
    pub longest_pause: Option<i64>,
}

/// What a schedule cannot tell of a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Days of the range before its first row.
    pub before: Option<DateRange>,
    /// Days of the range after its last row.
    pub after: Option<DateRange>,
    /// Its pauses that the range lies in or covers, in order.
    pub gaps: Vec<Gap>,
}

/// Days in a row without a row of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The days, as far as they are in the range.
    pub days: DateRange,
    /// From the row before it to the row after it, in days.
    pub length: i64,
    /// What it is taken for.
    pub kind: GapKind,
    /// Days of it on which the partner table has rows.
    pub partner: Vec<NaiveDate>,
}

/// What a pause of a schedule is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GapKind {
    /// The time between two seasons: nothing is expected.
    Pause,
    /// Longer than a pause within a season and shorter than a summer: the schedule may lack rows.
    Hole,
    /// Longer than any pause that the suite allows.
    TooLong,
}

impl Reach {
    /// Of a schedule with rows on these days, over a range that ends before `today`.
    #[must_use]
    pub(crate) fn of(
        days: &BTreeSet<NaiveDate>,
        range: DateRange,
        today: NaiveDate,
        rules: Rules,
    ) -> Self {
        let yesterday = today.pred_opt().unwrap_or(today);
        // A range that lies before the data begins as a whole is rather a slip.
        let begins = rules.data_begins.filter(|day| *day <= range.end);
        let start = begins.map_or(range.start, |day| day.max(range.start));
        let asked = DateRange {
            start,
            end: range.end.min(yesterday),
        };
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Self {
                before: within(asked, asked),
                ..Self::default()
            };
        };
        let before = first.pred_opt().map(|end| DateRange {
            start: NaiveDate::MIN,
            end,
        });
        let after = last.succ_opt().map(|start| DateRange {
            start,
            end: NaiveDate::MAX,
        });
        let mut gaps = Vec::new();
        let pairs = days.iter().zip(days.iter().skip(1));
        for (one, next) in pairs.filter(|(one, next)| (**next - **one).num_days() >= PAUSE_DAYS) {
            let length = (*next - *one).num_days();
            let between = one.succ_opt().zip(next.pred_opt());
            let between = between.map(|(start, end)| DateRange { start, end });
            let Some(days) = between.and_then(|between| within(between, asked)) else {
                continue;
            };
            let kind = match length {
                PAUSE_DAYS..SUMMER_DAYS => GapKind::Hole,
                _ if rules.longest_pause.is_some_and(|most| length > most) => GapKind::TooLong,
                _ => GapKind::Pause,
            };
            gaps.push(Gap {
                days,
                length,
                kind,
                partner: Vec::new(),
            });
        }
        Self {
            before: before.and_then(|before| within(before, asked)),
            after: after.and_then(|after| within(after, asked)),
            gaps,
        }
    }

    /// The hole of the schedule that a day lies in; what lies there need not be in the schedule.
    #[must_use]
    pub(crate) fn is_in_a_hole(&self, day: NaiveDate) -> bool {
        let mut holes = self.gaps.iter().filter(|gap| gap.kind == GapKind::Hole);
        holes.any(|gap| gap.days.contains(day))
    }

    /// Whether the schedule tells of every day of the range, though it may have nothing on them.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.before.is_none()
            && self.after.is_none()
            && self
                .gaps
                .iter()
                .all(|gap| gap.kind == GapKind::Pause && gap.partner.is_empty())
    }
}

/// What two ranges share.
fn within(one: DateRange, other: DateRange) -> Option<DateRange> {
    let (start, end) = (one.start.max(other.start), one.end.min(other.end));
    (start <= end).then_some(DateRange { start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn range(start: &str, end: &str) -> DateRange {
        DateRange {
            start: day(start),
            end: day(end),
        }
    }

    /// Every day from June 2024 on, but for a summer, a hole of nine days and what follows the new year.
    fn days() -> BTreeSet<NaiveDate> {
        let off = [
            range("2024-06-18", "2024-10-21"),
            range("2024-11-10", "2024-11-18"),
        ];
        let all = day("2024-06-01")
            .iter_days()
            .take_while(|date| *date <= day("2024-12-31"));
        all.filter(|date| !off.iter().any(|off| off.contains(*date)))
            .collect()
    }

    fn reach(asked: DateRange) -> Reach {
        let rules = Rules {
            data_begins: None,
            longest_pause: Some(140),
        };
        Reach::of(&days(), asked, day("2025-02-01"), rules)
    }

    #[test]
    fn what_lies_before_the_first_or_after_the_last_row_is_not_known() {
        let found = reach(range("2024-05-20", "2025-03-31"));
        assert_eq!(found.before, Some(range("2024-05-20", "2024-05-31")));
        assert_eq!(
            found.after,
            Some(range("2025-01-01", "2025-01-31")),
            "no day to come"
        );
        let found = reach(range("2024-12-01", "2024-12-31"));
        assert_eq!(found, Reach::default());
        assert!(found.is_whole());
    }

    #[test]
    fn nothing_is_asked_before_the_data_begins() {
        let rules = Rules {
            data_begins: Some(day("2024-06-01")),
            longest_pause: None,
        };
        let asked = range("2024-01-01", "2024-06-10");
        let found = Reach::of(&days(), asked, day("2025-02-01"), rules);
        assert_eq!(found, Reach::default());
        let late = Rules {
            data_begins: Some(day("2024-05-20")),
            longest_pause: None,
        };
        let found = Reach::of(&days(), asked, day("2025-02-01"), late);
        assert_eq!(found.before, Some(range("2024-05-20", "2024-05-31")));
    }

    #[test]
    fn a_summer_is_a_pause_and_nine_days_in_november_are_a_hole() {
        let found = reach(range("2024-06-01", "2024-12-31"));
        let kinds: Vec<_> = found
            .gaps
            .iter()
            .map(|gap| (gap.kind, gap.length))
            .collect();
        assert_eq!(kinds, [(GapKind::Pause, 127), (GapKind::Hole, 10)]);
        assert!(found.is_in_a_hole(day("2024-11-12")) && !found.is_in_a_hole(day("2024-07-12")));
        assert!(!found.is_whole());
        assert!(reach(range("2024-07-01", "2024-08-31")).is_whole());
        let rules = Rules {
            data_begins: None,
            longest_pause: Some(100),
        };
        let found = Reach::of(
            &days(),
            range("2024-07-01", "2024-08-31"),
            day("2025-02-01"),
            rules,
        );
        assert_eq!(found.gaps[0].kind, GapKind::TooLong);
    }

    #[test]
    fn a_schedule_without_rows_tells_nothing() {
        let asked = range("2024-06-01", "2024-06-30");
        let found = Reach::of(&BTreeSet::new(), asked, day("2025-02-01"), Rules::default());
        assert_eq!(found.before, Some(asked));
    }
}
