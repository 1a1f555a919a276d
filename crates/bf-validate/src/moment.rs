//! Points in time as tables and logs write them.

use bf_warehouse::Field;
use chrono::{DateTime, NaiveDateTime};

/// Microseconds since 1970 (UTC) of a field; `None` where it holds no time.
///
/// A text without an offset is taken for UTC, as BigQuery does. A number counts seconds where that gives a
/// year up to 5000, else milliseconds or microseconds.
#[must_use]
pub fn of_field(field: Field<'_>) -> Option<i64> {
    match field {
        Field::Null => None,
        Field::Int(number) => of_number(number),
        #[allow(clippy::cast_possible_truncation)] // the cast saturates
        Field::Float(number) => number
            .is_finite()
            .then(|| of_number((number * 1e6) as i64 / 1_000_000))
            .flatten(),
        Field::Text(bytes) | Field::Blob(bytes) => of_text(std::str::from_utf8(bytes).ok()?),
    }
}

fn of_number(number: i64) -> Option<i64> {
    const YEAR_5000_SECONDS: i64 = 95_617_584_000;
    match number {
        ..=0 => None,
        seconds if seconds < YEAR_5000_SECONDS => Some(seconds * 1_000_000),
        millis if millis < YEAR_5000_SECONDS * 1_000 => Some(millis * 1_000),
        micros => Some(micros),
    }
}

/// Microseconds since 1970 (UTC) of a text such as `2026-01-02T10:00:00.123Z` or `2026-01-02 10:00:00+00`;
/// `None` where it is no time.
#[must_use]
pub fn of_text(text: &str) -> Option<i64> {
    // RFC 3339 is what everything in reach writes, so it is tried first.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let text = text.trim().trim_end_matches(" UTC").trim_end_matches('Z');
    for format in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Some(time.timestamp_micros());
        }
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    let date = bf_contract::parse_date(text).ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::of_text;

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
        ] {
            assert_eq!(of_text(text), wanted, "{text}");
        }
        assert_eq!(of_text("yesterday"), None);
    }
}
