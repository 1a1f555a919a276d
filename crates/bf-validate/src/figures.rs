//! Figures as people read them: rounded, but never so far that the text contradicts the verdict.

use bf_cli::text::thousands;
use bf_contract::{Comparison, DateRange, Threshold, date_spans};
use chrono::NaiveDate;

use crate::outcome::meets;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A share in percent.
    Percent,
    /// Whole things.
    Count,
    /// Anything else.
    Number,
}

/// The most decimals that a figure is shown with; beyond them an f64 has no more to say.
const MOST_DECIMALS: usize = 12;

/// A figure with one decimal, or as many as it takes that the text lies on the same side of the threshold as
/// the figure, and that neither 99.99 % reads as all nor 0.01 % as none.
#[must_use]
pub(crate) fn figure(value: f64, unit: Unit, threshold: Option<Threshold>) -> String {
    if unit == Unit::Count && value.fract() == 0.0 {
        return whole(value);
    }
    let mut decimals = 1;
    loop {
        let text = format!("{value:.decimals$}");
        let shown: f64 = text.parse().unwrap_or(value);
        let same_side =
            threshold.is_none_or(|threshold| meets(shown, threshold) == meets(value, threshold));
        #[allow(clippy::float_cmp)] // the exact ends are meant
        let honest_end = unit != Unit::Percent
            || ((shown == 100.0) == (value == 100.0) && (shown == 0.0) == (value == 0.0));
        if (same_side && honest_end) || decimals == MOST_DECIMALS {
            return with_unit(&text, unit);
        }
        decimals += 1;
    }
}

/// A threshold: `5,600+`, `95.0%+`, `at most 0`, `exactly 2`.
#[must_use]
pub(crate) fn bound(threshold: Threshold, unit: Unit) -> String {
    let value = threshold.value;
    let number = if unit == Unit::Count && value.fract() == 0.0 {
        whole(value)
    } else {
        let short = format!("{value:.1}");
        #[allow(clippy::float_cmp)] // the text must say the very same number
        let exact = short.parse::<f64>().is_ok_and(|shown| shown == value);
        with_unit(&if exact { short } else { format!("{value}") }, unit)
    };
    match threshold.op {
        Comparison::AtLeast => format!("{number}+"),
        Comparison::AtMost => format!("at most {number}"),
        Comparison::Exactly => format!("exactly {number}"),
        Comparison::Unknown => number,
    }
}

fn with_unit(text: &str, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{text}%"),
        Unit::Count | Unit::Number => text.to_owned(),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // callers pass whole numbers
fn whole(value: f64) -> String {
    if value < 0.0 {
        format!("-{}", thousands((-value) as u64))
    } else {
        thousands(value as u64)
    }
}

/// A count as a figure. Counts stay far below 2^53.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// `7 dates`, `1 date`.
#[must_use]
pub(crate) fn plural(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else if let Some(stem) = one.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        format!("{} {stem}ies", thousands(count))
    } else if ["s", "x", "z", "ch", "sh"]
        .iter()
        .any(|end| one.ends_with(end))
    {
        format!("{} {one}es", thousands(count))
    } else {
        format!("{} {one}s", thousands(count))
    }
}

/// Sorted dates as ranges, at most `limit` of them: `2024-01-05 to 2024-01-07, 2024-02-01, and 3 more`.
#[must_use]
pub(crate) fn spans(dates: &[NaiveDate], limit: usize) -> String {
    let spans = date_spans(dates);
    let shown: Vec<String> = spans.iter().take(limit).map(span).collect();
    let mut text = shown.join(", ");
    if spans.len() > limit {
        let rest = spans.len() - limit;
        let kind = if rest == 1 { "range" } else { "ranges" };
        text.push_str(&format!(", and {rest} more {kind}"));
    }
    text
}

/// One range: `2024-01-05 to 2024-01-07`, or the date alone.
#[must_use]
pub(crate) fn span(span: &DateRange) -> String {
    if span.start == span.end {
        span.start.to_string()
    } else {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::{Comparison, Threshold};

    use super::{Unit, bound, figure, plural};

    fn at_least(value: f64) -> Option<Threshold> {
        Some(Threshold {
            op: Comparison::AtLeast,
            value,
        })
    }

    #[test]
    fn a_figure_below_its_threshold_never_reads_as_if_it_met_it() {
        assert_eq!(figure(94.96, Unit::Percent, at_least(95.0)), "94.96%");
        assert_eq!(
            figure(94.999_996, Unit::Percent, at_least(95.0)),
            "94.999996%"
        );
        assert_eq!(figure(95.0, Unit::Percent, at_least(95.0)), "95.0%");
        assert_eq!(figure(74.96, Unit::Number, at_least(75.0)), "74.96");
    }

    #[test]
    fn a_figure_above_its_threshold_never_reads_as_if_it_missed_it() {
        assert_eq!(figure(95.26, Unit::Percent, at_least(95.25)), "95.3%");
        assert_eq!(figure(95.24, Unit::Percent, at_least(95.23)), "95.24%");
    }

    #[test]
    fn nearly_all_is_not_all_and_nearly_none_is_not_none() {
        assert_eq!(figure(99.998, Unit::Percent, at_least(99.0)), "99.998%");
        assert_eq!(figure(0.004, Unit::Percent, None), "0.004%");
        assert_eq!(figure(100.0, Unit::Percent, at_least(99.0)), "100.0%");
    }

    #[test]
    fn words_are_in_the_plural_as_people_write_them() {
        for (one, many) in [
            ("survey", "20 surveys"),
            ("query", "20 queries"),
            ("game", "20 games"),
            ("batch", "20 batches"),
            ("day", "20 days"),
            ("class", "20 classes"),
        ] {
            assert_eq!(plural(20, one), many);
        }
        assert_eq!(plural(1, "survey"), "1 survey");
    }

    #[test]
    fn counts_and_thresholds_are_written_as_people_write_them() {
        assert_eq!(figure(5798.0, Unit::Count, at_least(5600.0)), "5,798");
        assert_eq!(
            bound(at_least(5600.0).expect("some"), Unit::Count),
            "5,600+"
        );
        assert_eq!(
            bound(at_least(99.25).expect("some"), Unit::Percent),
            "99.25%+"
        );
        let none = Threshold {
            op: Comparison::AtMost,
            value: 0.0,
        };
        assert_eq!(bound(none, Unit::Count), "at most 0");
    }
}
