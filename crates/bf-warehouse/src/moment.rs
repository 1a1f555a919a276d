//! Points in time as tables and logs write them.

use crate::Field;
use chrono::{DateTime, FixedOffset, NaiveDateTime};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A time as it is written, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// With its zone, or a number, which counts in UTC.
    Zoned(i64),
    /// Without a zone, read as UTC.
    Local(i64),
    /// A day without a time, its first moment read as UTC.
    Day(i64),
}

impl Moment {
    /// Read as UTC if it names no zone.
    #[must_use]
    pub const fn as_utc(self) -> i64 {
        match self {
            Self::Zoned(micros) | Self::Local(micros) | Self::Day(micros) => micros,
        }
    }

    /// The first and the last moment that it can mean. `zone` is that of times that do not name their own; without
    /// one it may be any, from UTC+14 to UTC-12.
    #[must_use]
    pub fn bounds(self, zone: Option<FixedOffset>) -> (i64, i64) {
        let shift = |micros: i64, length: i64| match zone {
            Some(zone) => {
                let start = micros - i64::from(zone.local_minus_utc()) * SECOND;
                (start, start + length)
            }
            None => (micros - 14 * HOUR, micros + length + 12 * HOUR),
        };
        match self {
            Self::Zoned(micros) => (micros, micros),
            Self::Local(micros) => shift(micros, 0),
            Self::Day(micros) => shift(micros, DAY - 1),
        }
    }
}

/// The moment that a field holds; `None` if it holds no time. A number counts seconds if that gives a year up to
/// 5000, else milliseconds or microseconds; a small one with a fraction is a Julian day.
#[must_use]
pub fn of_field(field: Field<'_>) -> Option<Moment> {
    match field {
        Field::Null => None,
        Field::Int(number) => of_number(number).map(Moment::Zoned),
        Field::Float(number) => of_float(number).map(Moment::Zoned),
        Field::Text(bytes) | Field::Blob(bytes) => read(std::str::from_utf8(bytes).ok()?),
    }
}

fn of_number(number: i64) -> Option<i64> {
    const YEAR_5000_SECONDS: i64 = 95_617_584_000;
    match number {
        ..=0 => None,
        seconds if seconds < YEAR_5000_SECONDS => Some(seconds * SECOND),
        millis if millis < YEAR_5000_SECONDS * 1_000 => Some(millis * 1_000),
        micros => Some(micros),
    }
}

#[allow(clippy::cast_possible_truncation)] // the cast saturates
fn of_float(number: f64) -> Option<i64> {
    // 1900 to 2200. As seconds these would be two days of January 1970, when nothing was written.
    const JULIAN_DAYS: std::ops::Range<f64> = 2_415_020.0..2_524_593.0;
    const JULIAN_EPOCH: f64 = 2_440_587.5;
    if JULIAN_DAYS.contains(&number) {
        return Some(((number - JULIAN_EPOCH) * 86_400_000.0).round() as i64 * 1_000);
    }
    number
        .is_finite()
        .then(|| of_number((number * 1e6) as i64 / SECOND))
        .flatten()
}

/// Microseconds since 1970 (UTC) of a text; one without a zone is taken for UTC.
#[must_use]
pub fn of_text(text: &str) -> Option<i64> {
    read(text).map(Moment::as_utc)
}

/// The moment of a text such as `2026-01-02T10:00:00.123Z` or `2026-01-02 10:00:00+00`; `None` if it is no time.
#[must_use]
pub fn read(text: &str) -> Option<Moment> {
    // RFC 3339 is what most programs write, so it is tried first.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Moment::Zoned(time.timestamp_micros()));
    }
    let text = text.trim();
    let plain = text.trim_end_matches(" UTC").trim_end_matches('Z');
    for format in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
        if let Ok(time) = DateTime::parse_from_str(plain, format) {
            return Some(Moment::Zoned(time.timestamp_micros()));
        }
    }
    for format in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(plain, format) {
            let micros = time.and_utc().timestamp_micros();
            let is_utc = plain.len() < text.len();
            return Some(if is_utc {
                Moment::Zoned(micros)
            } else {
                Moment::Local(micros)
            });
        }
    }
    let date = bf_contract::parse_date(text).ok()?;
    Some(Moment::Day(
        date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros(),
    ))
}

#[cfg(test)]
mod tests {
    use crate::Field;

    use super::*;

    #[test]
    fn the_same_moment_is_read_from_every_form() {
        let wanted = of_text("2026-01-02T10:00:00Z");
        assert!(wanted.is_some());
        for text in [
            "2026-01-02 10:00:00",
            "2026-01-02T10:00:00.000000",
            "2026-01-02 10:00:00+00",
            "2026-01-02 10:00:00+00:00",
            "2026-01-02 12:00:00.000+02:00",
            "2026-01-02 10:00:00 UTC",
            "2026-01-02 10:00",
        ] {
            assert_eq!(of_text(text), wanted, "{text}");
        }
        assert_eq!(of_text("yesterday"), None);
        let micros = wanted.expect("a time");
        assert_eq!(read("2026-01-02 10:00:00"), Some(Moment::Local(micros)));
        assert_eq!(read("2026-01-02 10:00:00 UTC"), Some(Moment::Zoned(micros)));
        assert_eq!(read("2026-01-02 10:00:00+00"), Some(Moment::Zoned(micros)));
        assert_eq!(read("2026-01-02"), Some(Moment::Day(micros - 10 * HOUR)));
    }

    #[test]
    fn a_number_is_seconds_or_a_julian_day() {
        let micros = of_text("2026-01-02T12:00:00Z").map(Moment::Zoned);
        assert_eq!(of_field(Field::Float(2_461_043.0)), micros);
        assert_eq!(of_field(Field::Int(1_767_355_200)), micros);
        assert_eq!(of_field(Field::Int(1_767_355_200_000)), micros);
        assert_eq!(of_field(Field::Float(1_767_355_200.0)), micros);
        assert_eq!(of_field(Field::Int(0)), None);
    }

    #[test]
    fn a_time_without_a_zone_may_be_anywhere_on_earth() {
        let (first, last) = Moment::Local(0).bounds(None);
        assert_eq!((first / HOUR, last / HOUR), (-14, 12));
        let zone = FixedOffset::east_opt(7_200);
        assert_eq!(Moment::Local(0).bounds(zone), (-2 * HOUR, -2 * HOUR));
        assert_eq!(Moment::Zoned(5).bounds(zone), (5, 5));
        assert_eq!(
            Moment::Day(0).bounds(FixedOffset::east_opt(0)),
            (0, DAY - 1)
        );
    }
}
