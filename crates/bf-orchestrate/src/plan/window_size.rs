//! Windows: a range in parts, at the borders of the calendar.

use bf_contract::DateRange;
use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// How large a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum WindowSize {
    Day,
    /// From Monday to Sunday.
    Week,
    Month,
    Quarter,
    Year,
    /// So many days, from the range's start on.
    Days(u32),
}

impl TryFrom<String> for WindowSize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let days = text
            .strip_suffix('d')
            .and_then(|days| days.parse::<u32>().ok());
        match (text.as_str(), days) {
            ("day", _) | (_, Some(1)) => Ok(Self::Day),
            ("week", _) => Ok(Self::Week),
            ("month", _) => Ok(Self::Month),
            ("quarter", _) => Ok(Self::Quarter),
            ("year", _) => Ok(Self::Year),
            (_, Some(days)) if days > 0 => Ok(Self::Days(days)),
            _ => Err(format!(
                "{text:?} is not a window: give day, week, month, quarter, year, or a number of days as 30d"
            )),
        }
    }
}

impl From<WindowSize> for String {
    fn from(size: WindowSize) -> Self {
        size.to_string()
    }
}

impl std::fmt::Display for WindowSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day => f.write_str("day"),
            Self::Week => f.write_str("week"),
            Self::Month => f.write_str("month"),
            Self::Quarter => f.write_str("quarter"),
            Self::Year => f.write_str("year"),
            Self::Days(days) => write!(f, "{days}d"),
        }
    }
}

impl WindowSize {
    /// The window that `date` is in; `None` for windows that are counted from the range's start.
    fn around(self, date: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let first_of = |month| NaiveDate::from_ymd_opt(date.year(), month, 1);
        let months = |first: NaiveDate, count| {
            let next = first.checked_add_months(Months::new(count))?;
            Some((first, next.pred_opt()?))
        };
        match self {
            Self::Day => Some((date, date)),
            Self::Week => {
                let monday = u64::from(date.weekday().num_days_from_monday());
                let monday = date.checked_sub_days(Days::new(monday))?;
                Some((monday, monday.checked_add_days(Days::new(6))?))
            }
            Self::Month => months(first_of(date.month())?, 1),
            Self::Quarter => months(first_of((date.month0() / 3) * 3 + 1)?, 3),
            Self::Year => months(first_of(1)?, 12),
            Self::Days(_) => None,
        }
    }

    /// The last day of the window that begins with `start`.
    fn end(self, start: NaiveDate) -> NaiveDate {
        let end = match self {
            Self::Days(days) => start.checked_add_days(Days::new(u64::from(days) - 1)),
            _ => self.around(start).map(|(_, end)| end),
        };
        // A calendar ends far after every range.
        end.unwrap_or(NaiveDate::MAX)
    }

    /// Whether one window is more than all of the range.
    pub(crate) fn is_larger_than(self, range: DateRange) -> bool {
        match self.around(range.start) {
            Some((start, end)) => end >= range.end && (start, end) != (range.start, range.end),
            None => self.end(range.start) > range.end,
        }
    }

    /// The range in windows: the first and the last are only as long as the range goes.
    pub(crate) fn cut(self, range: DateRange) -> Vec<DateRange> {
        let mut windows = Vec::new();
        let mut start = range.start;
        loop {
            let end = self.end(start).min(range.end);
            windows.push(DateRange { start, end });
            match end.succ_opt().filter(|next| *next <= range.end) {
                Some(next) => start = next,
                None => return windows,
            }
        }
    }

    /// The next larger window of the calendar.
    pub(crate) fn larger(self) -> Option<Self> {
        match self {
            Self::Day => Some(Self::Week),
            Self::Week => Some(Self::Month),
            Self::Month => Some(Self::Quarter),
            Self::Quarter => Some(Self::Year),
            Self::Year => None,
            Self::Days(days) if days < 31 => Some(Self::Month),
            Self::Days(days) if days < 366 => Some(Self::Year),
            Self::Days(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> DateRange {
        text.parse().expect("a range")
    }

    fn size(text: &str) -> WindowSize {
        WindowSize::try_from(text.to_owned()).expect(text)
    }

    fn cut(text: &str, dates: &str) -> Vec<String> {
        let windows = size(text).cut(range(dates));
        windows
            .iter()
            .map(|window| format!("{} {}", window.start, window.end))
            .collect()
    }

    #[test]
    fn windows_end_at_the_borders_of_the_calendar() {
        assert_eq!(
            cut("month", "2024-01-15 2024-03-02"),
            [
                "2024-01-15 2024-01-31",
                "2024-02-01 2024-02-29",
                "2024-03-01 2024-03-02"
            ]
        );
        // 2024-01-01 is a Monday.
        assert_eq!(
            cut("week", "2024-01-03 2024-01-15"),
            [
                "2024-01-03 2024-01-07",
                "2024-01-08 2024-01-14",
                "2024-01-15 2024-01-15"
            ]
        );
        assert_eq!(
            cut("quarter", "2023-12-31 2024-04-01"),
            [
                "2023-12-31 2023-12-31",
                "2024-01-01 2024-03-31",
                "2024-04-01 2024-04-01"
            ]
        );
        assert_eq!(
            cut("year", "2023-06-01 2024-02-29"),
            ["2023-06-01 2023-12-31", "2024-01-01 2024-02-29"]
        );
        assert_eq!(cut("day", "2024-02-28 2024-03-01").len(), 3);
        assert_eq!(
            cut("30d", "2024-01-01 2024-02-29"),
            ["2024-01-01 2024-01-30", "2024-01-31 2024-02-29"]
        );
    }

    #[test]
    fn windows_cover_the_range_once_and_in_order() {
        let range = range("2021-10-19 2026-01-02");
        for text in [
            "day", "week", "month", "quarter", "year", "1d", "2d", "400d",
        ] {
            let windows = size(text).cut(range);
            assert_eq!(
                windows.first().map(|one| one.start),
                Some(range.start),
                "{text}"
            );
            assert_eq!(windows.last().map(|one| one.end), Some(range.end), "{text}");
            for pair in windows.windows(2) {
                assert_eq!(pair[0].end.succ_opt(), Some(pair[1].start), "{text}");
            }
        }
    }

    #[test]
    fn a_window_that_is_larger_than_the_range_is_seen() {
        let january = range("2024-01-01 2024-01-31");
        assert!(!size("month").is_larger_than(january));
        assert!(!size("week").is_larger_than(january));
        assert!(!size("31d").is_larger_than(january));
        assert!(size("32d").is_larger_than(january));
        assert!(size("quarter").is_larger_than(january));
        assert!(size("month").is_larger_than(range("2024-01-02 2024-01-31")));
        assert!(!size("month").is_larger_than(range("2024-01-31 2024-02-01")));
        assert!(!size("day").is_larger_than(range("2024-01-31 2024-01-31")));
    }

    #[test]
    fn what_is_not_a_window_is_refused() {
        for text in ["", "d", "0d", "months", "-1d", "30"] {
            assert!(WindowSize::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["day", "week", "month", "quarter", "year", "30d"] {
            assert_eq!(size(text).to_string(), text);
        }
    }
}
