//! The dates, times and numbers of a line.

use crate::line::fields::{date_at, loose_date};

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Time,
    Date,
    /// A date without dashes.
    Compact,
    Number,
    Other,
}

/// The first token of a line that is not empty, and its length.
fn token(line: &[u8]) -> (Token, usize) {
    const LENGTH: usize = "YYYY-MM-DD".len();
    if date_at(line).is_some() {
        let behind = &line[LENGTH..];
        // `2026-01-03 13:45`, `2026-01-03T13:45`, and Airflow's `2026-01-03, 13:45`.
        let gap = match behind {
            [b',', b' ', ..] => 2,
            [b' ' | b'T', ..] => 1,
            _ => 0,
        };
        let is_time = gap > 0
            && behind
                .get(gap..gap + 2)
                .is_some_and(|hour| hour.iter().all(u8::is_ascii_digit))
            && behind.get(gap + 2) == Some(&b':');
        if !is_time {
            return (Token::Date, LENGTH);
        }
        let rest = behind[gap..].iter().take_while(|byte| is_of_time(**byte));
        return (Token::Time, LENGTH + gap + rest.count());
    }
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 8 && line.starts_with(b"20") && loose_date(&line[..8]).is_some() {
        return (Token::Compact, 8);
    }
    match number(line) {
        0 => (Token::Other, 1),
        length => (Token::Number, length),
    }
}

/// The length of a number, with commas before every three digits if there are any.
fn number(line: &[u8]) -> usize {
    let digits = |from: usize| {
        line[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut length = digits(0);
    while length > 0 && line.get(length) == Some(&b',') && digits(length + 1) == 3 {
        length += 4;
    }
    length
}

/// Keep in step with the pattern of a time.
const fn is_of_time(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b':' | b',' | b'.' | b'+' | b'Z')
}

/// The tokens of a line.
pub(crate) fn tokens(mut line: &[u8]) -> impl Iterator<Item = (Token, &[u8])> {
    std::iter::from_fn(move || {
        if line.is_empty() {
            return None;
        }
        let (token, length) = token(line);
        let (piece, behind) = line.split_at(length);
        line = behind;
        Some((token, piece))
    })
}
