//! A range of dates as people give it: two dates, `yesterday`, `-7d`, or `--last 7d`.

use bf_contract::{DateRange, DateRangeError, parse_date};
use chrono::{DateTime, Days, NaiveDate, Utc};
use clap::Args;

use crate::{Failure, Zone};

/// The way out of a range that cannot be read.
const HINT: &str =
    "give two dates (2021-10-19 2026-01-02), days such as yesterday or -7d, or --last 7d";

/// No range of days is longer: about 270 years.
const MOST_DAYS: u64 = 100_000;

/// Flags of every tool that takes a range of dates.
#[derive(Debug, Clone, Default, Args)]
pub struct RangeArgs {
    /// First date of the range: YYYY-MM-DD, today, yesterday, or -7d (seven days before today)
    #[arg(value_name = "START", allow_hyphen_values = true, value_parser = not_a_flag)]
    pub start: Option<String>,

    /// Last date of the range, included
    #[arg(value_name = "END", allow_hyphen_values = true, value_parser = not_a_flag)]
    pub end: Option<String>,

    /// The first date, as a flag
    #[arg(
        long,
        value_name = "DATE",
        conflicts_with = "start",
        allow_hyphen_values = true
    )]
    pub start_date: Option<String>,

    /// The last date, as a flag
    #[arg(
        long,
        value_name = "DATE",
        conflicts_with = "end",
        allow_hyphen_values = true
    )]
    pub end_date: Option<String>,

    /// The full days that end yesterday, in place of two dates: 7d
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["start", "end", "start_date", "end_date"])]
    pub last: Option<String>,

    /// Where today is: UTC, -05:00 or America/New_York [default: the suite's, or the machine's]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<Zone>,
}

impl RangeArgs {
    /// The range at `now`. `default` is the zone that counts when no flag names one: the suite's.
    ///
    /// # Errors
    /// Other than two dates, a day that no calendar has, or the end before the start: usage (exit 2).
    pub fn resolve(
        &self,
        now: DateTime<Utc>,
        default: Option<&Zone>,
    ) -> Result<DateRange, Failure> {
        let local = Zone::local();
        let today = self
            .timezone
            .as_ref()
            .or(default)
            .unwrap_or(&local)
            .today(now);
        if let Some(days) = &self.last {
            return last_days(days, today);
        }
        let start = self.start.as_deref().or(self.start_date.as_deref());
        let end = self.end.as_deref().or(self.end_date.as_deref());
        match (start, end) {
            (Some(start), Some(end)) => between(start, end, today),
            (Some(text), None) | (None, Some(text)) => {
                // A range in one argument is the commonest slip, and has an answer of its own.
                let day = parse_day(text, today)?;
                Err(Failure::usage(format!("only one date is given: {day}")).hint(HINT))
            }
            (None, None) => Err(Failure::usage("no dates are given").hint(HINT)),
        }
    }

    /// Whether the range depends on the day on which it is asked for, so that its dates are worth a line.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        let given = [&self.start, &self.end, &self.start_date, &self.end_date];
        self.last.is_some()
            || given
                .into_iter()
                .flatten()
                .any(|text| parse_date(text).is_err())
    }
}

/// Reads a range written as one text: `2021-10-19 2026-01-02`, `-7d yesterday`, or `last 7d`.
///
/// # Errors
/// Other than two days, a day that no calendar has, or the end before the start: usage (exit 2).
pub fn parse_range(text: &str, today: NaiveDate) -> Result<DateRange, Failure> {
    match *text.split_whitespace().collect::<Vec<_>>() {
        ["last", days] => last_days(days, today),
        [start, end] => between(start, end, today),
        _ => {
            Err(Failure::usage(DateRangeError::NotTwoDates(text.to_owned()).to_string()).hint(HINT))
        }
    }
}

/// A date may begin with a minus sign, as in `-7d`; a misspelt flag in its place is named as that.
fn not_a_flag(text: &str) -> Result<String, String> {
    match text.strip_prefix('-') {
        Some(rest) if !rest.starts_with(|first: char| first.is_ascii_digit()) => {
            Err(format!("unexpected argument '{text}' found"))
        }
        _ if text.ends_with(".yaml") || text.ends_with(".yml") => {
            Err(format!("a suite is given with --suite {text}"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Reads one day: `YYYY-MM-DD`, `today`, `yesterday`, or `-7d`, seven days before today.
///
/// # Errors
/// Anything else, and a day that no calendar has: usage (exit 2).
pub fn parse_day(text: &str, today: NaiveDate) -> Result<NaiveDate, Failure> {
    let ago = match text {
        "today" => 0,
        "yesterday" => 1,
        _ => match text.strip_prefix('-') {
            // A misspelt flag in the place of a date.
            Some(rest) if rest.starts_with(|first: char| !first.is_ascii_digit()) => {
                return Err(
                    Failure::usage(format!("unexpected argument '{text}' found"))
                        .hint("see --help"),
                );
            }
            Some(rest) => days(rest)?,
            None => {
                return parse_date(text)
                    .map_err(|error| Failure::usage(error.to_string()).hint(HINT));
            }
        },
    };
    before(today, ago, text)
}

/// The full days that end yesterday: `7d` is the seven days before `today`.
///
/// # Errors
/// Not a number of days above 0: usage (exit 2).
pub fn last_days(text: &str, today: NaiveDate) -> Result<DateRange, Failure> {
    let count = days(text)?;
    if count == 0 {
        return Err(Failure::usage(format!(
            "the last {text} are no days: a range needs at least one"
        ))
        .hint("give --last 1d for yesterday"));
    }
    Ok(DateRange {
        start: before(today, count, text)?,
        end: before(today, 1, text)?,
    })
}

fn between(start: &str, end: &str, today: NaiveDate) -> Result<DateRange, Failure> {
    DateRange::new(parse_day(start, today)?, parse_day(end, today)?)
        .map_err(|error| Failure::usage(error.to_string()).hint("give the earlier date first"))
}

/// A number of days: `7d`, or `2w`.
fn days(text: &str) -> Result<u64, Failure> {
    let (number, unit) = match text.as_bytes().last() {
        Some(b'd') => (&text[..text.len() - 1], 1),
        Some(b'w') => (&text[..text.len() - 1], 7),
        _ => ("", 0),
    };
    Some(number)
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|number| number.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(unit))
        .filter(|days| *days <= MOST_DAYS)
        .ok_or_else(|| {
            Failure::usage(format!("{text:?} is not a number of days (expected 7d)")).hint(HINT)
        })
}

fn before(today: NaiveDate, days: u64, text: &str) -> Result<NaiveDate, Failure> {
    today
        .checked_sub_days(Days::new(days))
        .ok_or_else(|| Failure::usage(format!("{text:?} is before all dates")).hint(HINT))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use clap::Parser;

    use super::{RangeArgs, last_days, parse_day, parse_range};

    #[derive(Parser)]
    struct Tool {
        #[command(flatten)]
        range: RangeArgs,
        #[arg(long)]
        strict: bool,
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn now() -> DateTime<Utc> {
        "2024-03-01T03:00:00Z".parse().expect("a time")
    }

    /// The range of these arguments, or the message of the refusal.
    fn range(args: &[&str]) -> Result<String, String> {
        let tool = Tool::try_parse_from([&["tool"], args].concat()).map_err(|e| e.to_string())?;
        let zone = "UTC".parse().expect("a zone");
        tool.range
            .resolve(now(), Some(&zone))
            .map(|range| format!("{} {}", range.start, range.end))
            .map_err(|failure| failure.message)
    }

    #[test]
    fn a_range_is_two_days_in_any_of_their_forms() {
        for (args, expected) in [
            (&["2021-10-19", "2026-01-02"][..], "2021-10-19 2026-01-02"),
            (&["-7d", "yesterday"], "2024-02-23 2024-02-29"),
            (&["yesterday", "today"], "2024-02-29 2024-03-01"),
            (&["-1d", "-0d"], "2024-02-29 2024-03-01"),
            (&["-1w", "today", "--strict"], "2024-02-23 2024-03-01"),
            (&["--last", "7d"], "2024-02-23 2024-02-29"),
            (&["--last", "1d"], "2024-02-29 2024-02-29"),
            (
                &["--last=1d", "--timezone", "-05:00"],
                "2024-02-28 2024-02-28",
            ),
            (
                &["--timezone=-05:00", "today", "today"],
                "2024-02-29 2024-02-29",
            ),
            (
                &["--start-date", "-2d", "--end-date", "2024-03-01"],
                "2024-02-28 2024-03-01",
            ),
            (
                &["--start-date=yesterday", "--end-date=today"],
                "2024-02-29 2024-03-01",
            ),
        ] {
            assert_eq!(range(args).as_deref(), Ok(expected), "{args:?}");
        }
    }

    #[test]
    fn what_is_not_a_range_is_refused_with_its_reason() {
        for (args, complaint) in [
            (&[][..], "no dates are given"),
            (&["yesterday"], "only one date is given: 2024-02-29"),
            (&["2024-01-01 2024-01-02"], "is not a date"),
            (&["today", "yesterday"], "ends before it starts"),
            (&["--last", "0d"], "at least one"),
            (&["--last", "7"], "is not a number of days"),
            (&["--last", "-7d"], "is not a number of days"),
            (&["--last", "999999d"], "is not a number of days"),
            (&["--last", "7d", "today", "today"], "cannot be used with"),
            (
                &["--strct", "today", "today"],
                "unexpected argument '--strct'",
            ),
            (
                &["today", "today", "--strct"],
                "unexpected argument '--strct'",
            ),
            (&["tomorrow", "today"], "is not a date"),
            (&["2024-02-30", "today"], "is not a date"),
            (&["-7x", "today"], "is not a number of days"),
            (
                &["--timezone", "Mars", "today", "today"],
                "is not a time zone",
            ),
        ] {
            let error = range(args).expect_err(&format!("{args:?}"));
            assert!(error.contains(complaint), "{args:?}: {error}");
        }
    }

    #[test]
    fn a_range_in_one_text_has_the_same_forms() {
        let today = day("2024-03-01");
        for (text, expected) in [
            ("2021-10-19 2026-01-02", ["2021-10-19", "2026-01-02"]),
            (" -7d  yesterday ", ["2024-02-23", "2024-02-29"]),
            ("last 2w", ["2024-02-16", "2024-02-29"]),
        ] {
            let range = parse_range(text, today).expect(text);
            assert_eq!([range.start, range.end], expected.map(day), "{text}");
        }
        for text in ["", "today", "a b c", "last", "last 0d"] {
            assert!(parse_range(text, today).is_err(), "{text}");
        }
        assert!(last_days("1d", NaiveDate::MIN).is_err());
        assert_eq!(parse_day("-0d", today).ok(), Some(today));
    }
}
