//! Dates and ranges as people type them.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use bf_contract::{DateRange, DateRangeError, date_spans, parse_date, percentage};

#[test]
fn both_ends_belong_to_a_range() {
    let range: DateRange = "2021-10-19 2026-01-02".parse().expect("a range");
    assert_eq!(range.days(), 1537);
    assert!(range.contains(range.start) && range.contains(range.end));
    assert_eq!(range.iter().count(), 1537);
}

#[test]
fn a_range_of_one_day_has_one_day() {
    let range: DateRange = "2024-02-29 2024-02-29".parse().expect("a range");
    assert_eq!(range.days(), 1);
}

#[test]
fn a_reversed_range_is_refused() {
    let error = "2026-01-02 2021-10-19".parse::<DateRange>();
    assert!(matches!(error, Err(DateRangeError::Reversed(..))));
}

#[test]
fn one_date_or_a_comma_is_no_range() {
    for text in ["2021-10-19", "2021-10-19,2026-01-02", "", "a b c"] {
        let error = text.parse::<DateRange>();
        assert!(
            matches!(error, Err(DateRangeError::NotTwoDates(_))),
            "{text}"
        );
    }
}

#[test]
fn only_days_that_the_calendar_has_are_dates() {
    for text in [
        "2023-02-29",
        "2024-13-01",
        "24-01-01",
        "2024-1-1",
        "2024-01-01'",
        "+024-01-01",
        "2024/01/01",
    ] {
        assert!(parse_date(text).is_err(), "{text}");
    }
}

#[test]
fn dates_in_a_row_become_one_span() {
    let dates = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-04"]
        .map(|text| parse_date(text).expect("a date"));
    let spans: Vec<String> = date_spans(&dates).iter().map(ToString::to_string).collect();
    assert_eq!(
        spans,
        ["2024-01-01 to 2024-01-02", "2024-01-04 to 2024-01-04"]
    );
}

#[test]
fn a_share_is_not_cut_and_nothing_has_no_share() {
    assert_eq!(percentage(959, 1000), Some(95.9));
    assert_eq!(percentage(0, 0), None);
}
