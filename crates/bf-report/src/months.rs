//! The figures of a check by month, in words.

use bf_contract::{Check, Comparison, MonthValue, Threshold};

use crate::words::{self, figure};

/// Whether a month misses the threshold. A month without a figure misses none.
pub(crate) fn misses(value: Option<f64>, threshold: Option<Threshold>) -> bool {
    let (Some(value), Some(threshold)) = (value, threshold) else {
        return false;
    };
    match threshold.op {
        Comparison::AtLeast => value < threshold.value,
        Comparison::AtMost => value > threshold.value,
        Comparison::Exactly => value.to_bits() != threshold.value.to_bits(),
        Comparison::Unknown => false,
    }
}

/// The month whose figure is the farthest from what it should be.
pub(crate) fn worst(check: &Check) -> Option<&MonthValue> {
    let highest_is_worst = check
        .threshold
        .is_some_and(|threshold| threshold.op == Comparison::AtMost);
    let figures = check.months.iter().filter(|month| month.value.is_some());
    let by_value = |one: &&MonthValue, other: &&MonthValue| {
        let key = |month: &MonthValue| month.value.unwrap_or(f64::NAN);
        key(one).total_cmp(&key(other))
    };
    if highest_is_worst {
        figures.max_by(by_value)
    } else {
        figures.min_by(by_value)
    }
}

/// A month's figure and what it is taken over.
pub(crate) fn value(month: &MonthValue) -> String {
    let rows = bf_cli::text::thousands(month.rows);
    match month.value {
        Some(value) => format!("{} over {rows} rows", figure(value)),
        None => "no rows".to_owned(),
    }
}

/// The threshold, the worst month, and how many months miss the threshold.
pub(crate) fn summary(check: &Check) -> String {
    let mut parts = Vec::new();
    if let Some(threshold) = check.threshold {
        parts.push(format!("threshold {}", words::threshold(threshold)));
    }
    if let Some(worst) = worst(check) {
        let month = words::clean(&worst.month, 20);
        parts.push(format!("worst month {month}: {}", value(worst)));
    }
    let low = check
        .months
        .iter()
        .filter(|month| misses(month.value, check.threshold))
        .count();
    if low > 0 {
        parts.push(format!("{low} of {} months miss it", check.months.len()));
    }
    parts.join(", ")
}
