//! Small pieces of text as Python prints them.

use chrono::NaiveDate;

/// `True` or `False`.
pub(crate) fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// `1960` as `1,960`.
pub(crate) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `part` of `whole` in percent; 0 of 0 is 0.
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    ratio(part as f64, whole as f64) * 100.0
}

/// `part / whole`, 0 when there is no whole.
pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The first `limit` dates with `separator` between them.
pub(crate) fn list(dates: &[NaiveDate], limit: usize, separator: &str) -> String {
    let shown: Vec<String> = dates.iter().take(limit).map(NaiveDate::to_string).collect();
    shown.join(separator)
}
