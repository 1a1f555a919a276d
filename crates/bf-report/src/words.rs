//! Statuses in words and in marks, and texts from outside made safe to show.

use bf_cli::text::thousands;
use bf_contract::{
    CheckStatus, Comparison, DayStatus, ErrorClass, Level, LogState, PhaseStatus, Threshold,
    Verdict,
};

/// How a status looks: the class of its colour, a mark that is not a colour, and its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    pub class: &'static str,
    pub mark: &'static str,
    pub words: &'static str,
}

const fn badge(class: &'static str, mark: &'static str, words: &'static str) -> Badge {
    Badge { class, mark, words }
}

/// The verdict of a report; a provisional one without a verdict is of a run that goes on.
pub(crate) fn verdict(verdict: Option<Verdict>, is_provisional: bool) -> Badge {
    match verdict {
        Some(Verdict::Unknown) if is_provisional => badge("none", "…", "Not ended yet"),
        Some(Verdict::Pass) => badge("pass", "✓", "Passed"),
        Some(Verdict::Warn) => badge("warn", "!", "Passed with warnings"),
        Some(Verdict::Fail) => badge("fail", "✕", "Failed"),
        Some(Verdict::Error | Verdict::Unknown) => badge("error", "?", "Could not be checked"),
        None => badge("none", "–", "Not judged"),
    }
}

pub(crate) fn phase(status: Option<PhaseStatus>) -> Badge {
    match status {
        Some(PhaseStatus::Passed) => badge("pass", "✓", "Passed"),
        Some(PhaseStatus::Warned) => badge("warn", "!", "Passed with warnings"),
        Some(PhaseStatus::Failed) => badge("fail", "✕", "Failed"),
        Some(PhaseStatus::CouldNotCheck) => badge("error", "?", "Could not be checked"),
        Some(PhaseStatus::NotStarted) => badge("none", "–", "Not started"),
        Some(PhaseStatus::Interrupted) => badge("error", "?", "Interrupted"),
        Some(PhaseStatus::Unknown) => badge("error", "?", "Unknown"),
        None => badge("none", "–", "Not judged"),
    }
}

pub(crate) fn check(status: CheckStatus, is_unanswered: bool) -> Badge {
    match status {
        CheckStatus::Pass => badge("pass", "✓", "Pass"),
        CheckStatus::Warn => badge("warn", "!", "Warning"),
        CheckStatus::Fail => badge("fail", "✕", "Fail"),
        CheckStatus::Error => badge("error", "?", "Could not be checked"),
        CheckStatus::Skipped if is_unanswered => badge("none", "–", "Not answered"),
        CheckStatus::Skipped => badge("none", "–", "Skipped"),
        CheckStatus::Unknown => badge("error", "?", "Unknown"),
    }
}

pub(crate) fn level(level: Level) -> &'static str {
    match level {
        Level::Critical => "CRITICAL",
        Level::Normal => "normal",
        Level::Warning => "warning",
        Level::Info => "info",
        Level::Off => "off",
        Level::Unknown => "unknown",
    }
}

/// Every status of a day, in the order of a legend: what needs a person first.
pub(crate) const DAYS: [DayStatus; 9] = [
    DayStatus::Failed,
    DayStatus::Missing,
    DayStatus::Fewer,
    DayStatus::More,
    DayStatus::Unknown,
    DayStatus::NotJudged,
    DayStatus::Skipped,
    DayStatus::NothingExpected,
    DayStatus::Ok,
];

/// The class of a day's cell, of one letter, and its words.
pub(crate) fn day(status: DayStatus) -> (&'static str, &'static str) {
    match status {
        DayStatus::Ok => ("k", "ok"),
        DayStatus::Failed => ("f", "failed"),
        DayStatus::Missing => ("m", "missing"),
        DayStatus::Fewer => ("l", "fewer than claimed"),
        DayStatus::More => ("g", "more than claimed"),
        DayStatus::Skipped => ("s", "skipped"),
        DayStatus::NothingExpected => ("n", "nothing expected"),
        DayStatus::NotJudged => ("j", "not judged"),
        DayStatus::Unknown => ("u", "unknown"),
    }
}

pub(crate) fn log_state(state: LogState) -> &'static str {
    match state {
        LogState::Running => "running",
        LogState::Completed => "completed",
        LogState::Interrupted => "interrupted",
        LogState::Refused => "refused",
        LogState::DryRun => "dry run",
        LogState::Empty => "empty",
        LogState::Unknown => "unknown",
    }
}

pub(crate) fn error_class(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Quota => "quota",
        ErrorClass::RateLimit => "rate limit",
        ErrorClass::Serialization => "serialization",
        ErrorClass::Schema => "schema",
        ErrorClass::NoData => "no data",
        ErrorClass::Timeout => "timeout",
        ErrorClass::Other => "other",
    }
}

/// A figure with at most two decimals, and with commas.
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "not a number".to_owned();
    }
    let rounded = format!("{:.2}", value.abs());
    let (whole, decimals) = rounded.split_once('.').unwrap_or((&rounded, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    let is_zero = whole == "0" && decimals.is_empty();
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    format!("{sign}{whole}{point}{decimals}")
}

pub(crate) fn threshold(threshold: Threshold) -> String {
    let op = match threshold.op {
        Comparison::AtLeast => "≥",
        Comparison::AtMost => "≤",
        Comparison::Exactly => "=",
        Comparison::Unknown => "?",
    };
    format!("{op} {}", figure(threshold.value))
}

/// A text from outside on one line, at most `limit` characters long. What is not seen, or turns the text around,
/// is written out.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(limit));
    for (at, character) in text.trim().chars().enumerate() {
        if at == limit {
            safe.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' => safe.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' => {
                safe.push_str(&character.escape_unicode().to_string());
            }
            character if character.is_control() => {
                safe.push_str(&character.escape_unicode().to_string());
            }
            character => safe.push(character),
        }
    }
    safe
}

/// A command as a shell takes it.
pub(crate) fn shell_line(words: &[String]) -> String {
    let is_plain = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c))
    };
    let quoted: Vec<String> = words
        .iter()
        .map(|word| {
            if is_plain(word) {
                word.clone()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        })
        .collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{clean, figure, shell_line};

    #[test]
    fn figures_have_commas_and_no_more_decimals_than_they_need() {
        assert_eq!(figure(11596.0), "11,596");
        assert_eq!(figure(98.5), "98.5");
        assert_eq!(figure(98.333_333), "98.33");
        assert_eq!(figure(-1234.5), "-1,234.5");
        assert_eq!(figure(-0.001), "0");
        assert_eq!(figure(f64::NAN), "not a number");
    }

    #[test]
    fn what_is_not_seen_is_written_out_and_what_is_long_is_truncated() {
        assert_eq!(
            clean("a\nb\u{1b}[31m\u{202e}c", 99),
            "a b\\u{1b}[31m\\u{202e}c"
        );
        let long = clean(&"x".repeat(40_000), 200);
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_command_can_be_copied() {
        let words = [
            "python",
            "a b.py",
            "it's",
            "--dates",
            "2024-01-01,2024-01-02",
        ];
        let words = words.map(str::to_owned);
        assert_eq!(
            shell_line(&words),
            r"python 'a b.py' 'it'\''s' --dates 2024-01-01,2024-01-02"
        );
    }
}
