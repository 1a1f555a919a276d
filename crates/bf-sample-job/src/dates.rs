//! Dates, ranges and sets of dates.

use std::str::FromStr;

use chrono::{Local, NaiveDate};

/// A date as the command line writes it.
pub(crate) fn parse(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// First and last date of a run, both included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start: NaiveDate,
    pub(crate) end: NaiveDate,
}

impl Range {
    /// Its dates in order.
    pub(crate) fn dates(self) -> Vec<NaiveDate> {
        let days = self.start.iter_days();
        days.take_while(|date| *date <= self.end).collect()
    }

    /// Why the job declines to start on this range, if it does.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        if self.start > self.end {
            Some("Start date must be before end date")
        } else if self.end > Local::now().date_naive() {
            Some("End date cannot be in the future")
        } else {
            None
        }
    }
}

/// What a command line asks for: these dates in this order, or all of a range.
pub(crate) enum Target {
    Dates(Vec<NaiveDate>),
    Range(Range),
}

/// Dates that a fault applies to: `all`, or dates and ranges, `2024-01-05,2024-02-01..2024-02-29`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DateSet(Vec<(NaiveDate, NaiveDate)>);

impl DateSet {
    /// Whether the date is one of them.
    pub(crate) fn contains(&self, date: NaiveDate) -> bool {
        let mut spans = self.0.iter();
        spans.any(|(from, to)| (*from..=*to).contains(&date))
    }
}

impl FromStr for DateSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => return Ok(Self::default()),
            "all" => return Ok(Self(vec![(NaiveDate::MIN, NaiveDate::MAX)])),
            _ => {}
        }
        let spans = text.split(',').map(|part| match part.split_once("..") {
            Some((from, to)) => match (one(from)?, one(to)?) {
                (from, to) if from <= to => Ok((from, to)),
                _ => Err(format!("{} ends before it begins", part.trim())),
            },
            None => one(part).map(|date| (date, date)),
        });
        spans.collect::<Result<_, _>>().map(Self)
    }
}

fn one(text: &str) -> Result<NaiveDate, String> {
    let text = text.trim();
    parse(text).ok_or_else(|| {
        format!(
            "{text:?} is not a date like 2024-01-05, a range like 2024-01-05..2024-02-01, or 'all'"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_ranges_and_all_are_understood_and_a_wrong_date_is_named() {
        let set: DateSet = "2024-01-05, 2024-02-01..2024-02-29".parse().unwrap();
        let contains = |text| set.contains(parse(text).unwrap());
        assert!(contains("2024-01-05") && contains("2024-02-01") && contains("2024-02-29"));
        assert!(!contains("2024-01-06") && !contains("2024-03-01"));
        let all: DateSet = "all".parse().unwrap();
        assert!(all.contains(parse("1999-01-01").unwrap()));
        for wrong in ["2024-13-01", "2024-02-01..2024-01-01", "2024-01-05,,"] {
            assert!(wrong.parse::<DateSet>().is_err(), "{wrong:?}");
        }
        let error = "2024-13-01".parse::<DateSet>().unwrap_err();
        assert!(error.contains("2024-13-01"), "{error}");
    }
}
