//! Figures, times and marks as people read them.

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, Local};

use crate::ColorChoice;

/// How text for people looks: plain, or with colour and emoji if the terminal takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Colour, and weight.
    pub color: bool,
    /// Emoji and other marks outside ASCII.
    pub emoji: bool,
}

/// What a line reports of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is good.
    Pass,
    /// It needs attention.
    Warn,
    /// It is bad.
    Fail,
    /// It could not be checked.
    Error,
    /// It was not asked for.
    Skipped,
    /// For information.
    Info,
}

impl Style {
    /// Decides from the flag, the terminal and the environment (`NO_COLOR`, `TERM`, the locale).
    #[must_use]
    pub fn detect(choice: ColorChoice, is_terminal: bool) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let wanted = match choice {
            ColorChoice::Never => false,
            ColorChoice::Always => true,
            ColorChoice::Auto => {
                is_terminal
                    && set("NO_COLOR").is_none()
                    && set("TERM").is_some_and(|term| term != "dumb")
            }
        };
        let locale = set("LC_ALL")
            .or_else(|| set("LC_CTYPE"))
            .or_else(|| set("LANG"));
        let unicode = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        Self {
            color: wanted,
            emoji: wanted && (unicode || choice == ColorChoice::Always),
        }
    }

    /// The mark before a line: an emoji, or a word of four letters.
    #[must_use]
    pub fn mark(self, mark: Mark) -> &'static str {
        match (mark, self.emoji) {
            (Mark::Pass, true) => "✅",
            (Mark::Warn, true) => "⚠️ ",
            (Mark::Fail, true) => "❌",
            (Mark::Error, true) => "❓",
            (Mark::Skipped, true) => "⏭️ ",
            (Mark::Info, true) => "ℹ️ ",
            (Mark::Pass, false) => "PASS",
            (Mark::Warn, false) => "WARN",
            (Mark::Fail, false) => "FAIL",
            (Mark::Error, false) => "????",
            (Mark::Skipped, false) => "skip",
            (Mark::Info, false) => "info",
        }
    }

    /// The small sign after a line, as the documented reports have it; empty in plain text.
    #[must_use]
    pub fn tick(self, mark: Mark) -> &'static str {
        match (mark, self.emoji) {
            (Mark::Pass, true) => " ✓",
            (Mark::Fail, true) => " ✗",
            (Mark::Warn, true) => " ⚠",
            _ => "",
        }
    }

    /// `emoji` with a space after it if emoji are shown, else nothing.
    #[must_use]
    pub fn emoji(self, emoji: &str) -> String {
        if self.emoji {
            format!("{emoji} ")
        } else {
            String::new()
        }
    }

    /// `text` in the colour of `mark`.
    #[must_use]
    pub fn paint(self, mark: Mark, text: &str) -> String {
        let code = match mark {
            Mark::Pass => "32",
            Mark::Warn => "33",
            Mark::Fail => "31",
            Mark::Error => "35",
            Mark::Skipped => "2",
            Mark::Info => "36",
        };
        self.wrap(code, text)
    }

    /// `text` in bold.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// `text` in grey.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A heading between two rules, with an empty line before it.
    #[must_use]
    pub fn section(self, title: &str) -> String {
        let rule = if self.emoji { "═" } else { "=" }.repeat(56);
        format!(
            "\n{}\n{}\n{}",
            self.paint(Mark::Info, &rule),
            self.bold(&format!("  {title}")),
            self.paint(Mark::Info, &rule)
        )
    }
}

/// A whole number with commas: `11,596`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent with one decimal: `98.0%`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{share:.1}%")
}

/// A duration as people write it: `8h 33m 5s`, `33m 5s`, `5s`; tenths below ten seconds.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 10 {
        return format!("{:.1}s", duration.as_secs_f64());
    }
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::new();
    if hours > 0 {
        let _ = write!(text, "{hours}h ");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m ");
    }
    let _ = write!(text, "{rest}s");
    text
}

/// The clock before a line. Shows the date, too, on any day other than the one that `began` lies in, so
/// that a run over midnight can still be read in the morning.
#[must_use]
pub fn clock(now: DateTime<Local>, began: DateTime<Local>) -> String {
    if now.date_naive() == began.date_naive() {
        now.format("[%H:%M:%S]").to_string()
    } else {
        now.format("[%Y-%m-%d %H:%M:%S]").to_string()
    }
}

/// Makes a text from outside safe to show: control characters, terminal escapes among them, are written
/// as `\xNN`, and more than `limit` characters are truncated with `…`.
#[must_use]
pub fn printable(text: &str, limit: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(limit));
    for (at, character) in text.chars().enumerate() {
        if at == limit {
            safe.push('…');
            break;
        }
        if character.is_control() {
            let _ = write!(safe, "\\x{:02x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// A text with `(URL)` in place of each URL: a webhook's URL is all that it takes to write to it.
#[must_use]
pub fn without_urls(text: &str) -> String {
    let ends_a_word = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    text.split_inclusive(ends_a_word)
        .map(|word| {
            let end = word.trim_end_matches(ends_a_word).len();
            if word[..end].contains("://") {
                format!("(URL){}", &word[end..])
            } else {
                word.to_owned()
            }
        })
        .collect()
}
