//! A range of dates, both ends included, and the one way to read a date.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// A range of calendar days; `start` and `end` both belong to it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateRange {
    /// The first day.
    pub start: NaiveDate,
    /// The last day, never before `start` in a range made by [`DateRange::new`].
    pub end: NaiveDate,
}

/// Why two texts are not a range of dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateRangeError {
    /// The text is no date, or a date that no calendar has.
    NotADate(String),
    /// The start lies after the end.
    Reversed(NaiveDate, NaiveDate),
    /// A range written as one text has other than two dates in it.
    NotTwoDates(String),
}

impl std::fmt::Display for DateRangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotADate(text) => write!(f, "{text:?} is not a date (expected YYYY-MM-DD)"),
            Self::Reversed(start, end) => {
                write!(f, "the range {start} to {end} ends before it starts")
            }
            Self::NotTwoDates(text) => write!(
                f,
                "{text:?} is not a range (expected two dates with a space between them: \"2021-10-19 2026-01-02\")"
            ),
        }
    }
}

impl std::error::Error for DateRangeError {}

/// Reads a date of exactly the form `YYYY-MM-DD`.
///
/// # Errors
/// Any other form, and a day that the calendar does not have.
pub fn parse_date(text: &str) -> Result<NaiveDate, DateRangeError> {
    date_of(text).ok_or_else(|| DateRangeError::NotADate(text.to_owned()))
}

/// chrono reads its format anew for each text, and a scan asks this for each day of a table.
fn date_of(text: &str) -> Option<NaiveDate> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0, |number, digit| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            (digit < 10).then_some(number * 10 + digit)
        })
    };
    let year = i32::try_from(number(&[a, b, c, d])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[e, f])?, number(&[g, h])?)
}

impl DateRange {
    /// A range of two days, in order.
    ///
    /// # Errors
    /// [`DateRangeError::Reversed`] where `end` lies before `start`.
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self, DateRangeError> {
        if end < start {
            return Err(DateRangeError::Reversed(start, end));
        }
        Ok(Self { start, end })
    }

    /// The number of calendar days in it, at least 1.
    #[must_use]
    pub fn days(&self) -> u64 {
        u64::try_from((self.end - self.start).num_days()).map_or(0, |days| days + 1)
    }

    /// Whether `date` belongs to it.
    #[must_use]
    pub fn contains(&self, date: NaiveDate) -> bool {
        self.start <= date && date <= self.end
    }

    /// Every day of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let end = self.end;
        self.start.iter_days().take_while(move |date| *date <= end)
    }
}

impl std::fmt::Display for DateRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.start, self.end)
    }
}

/// Reads `"2021-10-19 2026-01-02"`, as the orchestrator's flags take it.
impl std::str::FromStr for DateRange {
    type Err = DateRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dates: Vec<&str> = text.split_whitespace().collect();
        let [start, end] = dates[..] else {
            return Err(DateRangeError::NotTwoDates(text.to_owned()));
        };
        Self::new(parse_date(start)?, parse_date(end)?)
    }
}

/// Joins sorted dates that follow each other into ranges, for people to read.
#[must_use]
pub fn date_spans(sorted: &[NaiveDate]) -> Vec<DateRange> {
    let mut spans: Vec<DateRange> = Vec::new();
    for &date in sorted {
        match spans.last_mut() {
            Some(span) if date <= span.end => {}
            Some(span) if span.end.checked_add_days(Days::new(1)) == Some(date) => span.end = date,
            _ => spans.push(DateRange {
                start: date,
                end: date,
            }),
        }
    }
    spans
}
