//! What the lines look like that no rule reads, and the regular expressions that would read them.

use std::collections::HashMap;
use std::fmt::Write as _;

use bf_cli::text::{printable, thousands};

use crate::line::fields::{date_at, text};

/// Longest line that is looked at, and longest shape that is kept, in bytes.
const LINE: usize = 400;
const SHAPE: usize = 120;
/// What captures the date of a line.
const DATE: &str = r"(?P<date>\d{4}-\d\d-\d\d)";

/// What is known of the lines of one shape.
#[derive(Debug)]
struct Seen {
    count: u64,
    /// The number of the first one.
    first: u64,
    /// The first one itself.
    example: Vec<u8>,
}

/// The lines that no rule reads, by what they look like: a date is `DATE`, a time `TIME`, a number `N`.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    seen: HashMap<String, Seen>,
    /// Lines of further shapes.
    others: u64,
}

impl Shapes {
    const MOST: usize = 5_000;
    const SHOWN: usize = 15;

    /// Takes in a line without terminal escapes.
    pub(crate) fn add(&mut self, line: &[u8], number: u64) {
        let line = &line[..line.len().min(LINE)];
        let shape = shape(line);
        if let Some(seen) = self.seen.get_mut(&shape) {
            seen.count += 1;
        } else if self.seen.len() < Self::MOST {
            let seen = Seen {
                count: 1,
                first: number,
                example: line.to_vec(),
            };
            self.seen.insert(shape, seen);
        } else {
            self.others += 1;
        }
    }

    /// Shapes with a date or a number in them, which is where figures are: dates first, then by frequency.
    fn sorted(&self) -> Vec<(&String, &Seen)> {
        let mut shapes: Vec<_> = self
            .seen
            .iter()
            .filter(|(_, seen)| has(&seen.example, |token| token != Token::Time))
            .collect();
        shapes.sort_by_key(|(_, seen)| {
            let is_dated = has(&seen.example, |token| token == Token::Date);
            (!is_dated, std::cmp::Reverse(seen.count), seen.first)
        });
        shapes
    }

    pub(crate) fn table(&self) -> Option<String> {
        let shapes = self.sorted();
        if shapes.is_empty() {
            return None;
        }
        let mut table = format!("{:>9}  {:>9}  lines that no rule reads", "count", "first");
        for (shape, seen) in shapes.iter().take(Self::SHOWN) {
            let _ = write!(
                table,
                "\n{:>9}  {:>9}  {}",
                thousands(seen.count),
                seen.first,
                printable(shape, SHAPE)
            );
        }
        let hidden = shapes.len().saturating_sub(Self::SHOWN);
        if hidden > 0 || self.others > 0 {
            let _ = write!(table, "\n{:>22} and {hidden} other forms", "…");
        }
        Some(table)
    }

    /// The dated shapes as a person begins a dialect with.
    pub(crate) fn first_draft(&self) -> Option<String> {
        let mut draft = String::new();
        for (_, seen) in self.sorted().into_iter().take(Self::SHOWN) {
            let pattern = pattern(&seen.example).replace('\'', "''");
            if pattern.contains(DATE) {
                let _ = write!(draft, "\n  # '{}'", printable(&pattern, 4 * LINE));
            }
        }
        (!draft.is_empty()).then(|| {
            format!(
                "the dated ones as regular expressions: put each behind date_start:, success:,\n\
                 failure: or skip: of a dialect, and name what it counts: (?P<records>[\\d,]+),\n\
                 (?P<index>\\d+)/(?P<total>\\d+), (?P<error>.*){draft}"
            )
        })
    }
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Time,
    Date,
    Number,
    Other,
}

/// The first token of a line that is not empty, and its length.
fn token(line: &[u8]) -> (Token, usize) {
    const LENGTH: usize = "YYYY-MM-DD".len();
    if date_at(line).is_some() {
        let behind = &line[LENGTH..];
        let is_time = matches!(behind.first(), Some(b' ' | b'T'))
            && behind
                .get(1..3)
                .is_some_and(|hour| hour.iter().all(u8::is_ascii_digit))
            && behind.get(3) == Some(&b':');
        if !is_time {
            return (Token::Date, LENGTH);
        }
        let rest = behind[1..].iter().take_while(|byte| is_of_time(**byte));
        return (Token::Time, LENGTH + 1 + rest.count());
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
fn tokens(mut line: &[u8]) -> impl Iterator<Item = (Token, &[u8])> {
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

fn has(line: &[u8], wanted: impl Fn(Token) -> bool) -> bool {
    tokens(line).any(|(token, _)| token != Token::Other && wanted(token))
}

fn shape(line: &[u8]) -> String {
    let mut shape = Vec::with_capacity(line.len().min(SHAPE));
    for (token, piece) in tokens(line) {
        if shape.len() >= SHAPE {
            break;
        }
        shape.extend_from_slice(match token {
            Token::Time => b"TIME",
            Token::Date => b"DATE",
            Token::Number => b"N",
            Token::Other => piece,
        });
    }
    text(&shape, SHAPE)
}

/// A regular expression for the lines that look like `line`, its first date captured. Ends behind what a
/// shape shows.
fn pattern(line: &[u8]) -> String {
    let mut pattern = "^".to_owned();
    let mut literal = Vec::new();
    let mut is_dated = false;
    let mut shown = 0;
    let flush = |literal: &mut Vec<u8>, pattern: &mut String| {
        pattern.push_str(&regex::escape(&String::from_utf8_lossy(literal)));
        literal.clear();
    };
    for (token, piece) in tokens(line) {
        if shown >= SHAPE {
            break;
        }
        shown += if token == Token::Other { 1 } else { 4 };
        if token == Token::Other {
            literal.extend_from_slice(piece);
            continue;
        }
        flush(&mut literal, &mut pattern);
        pattern.push_str(match token {
            Token::Time => r"\d{4}-\d\d-\d\d[ T][\d:,.+Z]+",
            Token::Date if !is_dated => DATE,
            Token::Date => r"\d{4}-\d\d-\d\d",
            Token::Number | Token::Other => r"[\d,]+",
        });
        is_dated |= token == Token::Date;
    }
    flush(&mut literal, &mut pattern);
    // Cut in the middle of a character, or none at all.
    pattern
        .trim_end_matches('\u{fffd}')
        .replace('\u{fffd}', ".")
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::{Shapes, pattern, shape};

    #[test]
    fn lines_that_differ_in_figures_have_one_shape() {
        assert_eq!(
            shape(b"2024-01-05 wrote 16 rows in 0.5s"),
            "DATE wrote N rows in N.Ns"
        );
        assert_eq!(
            shape(b"[2026-01-03T13:45:12.345+0000] INFO - ds=2024-01-05"),
            "[TIME] INFO - ds=DATE"
        );
        assert_eq!(shape(b"1,204 rows, 12,34"), "N rows, N,N");
        let mut shapes = Shapes::default();
        shapes.add(b"2024-01-05 wrote 16 rows", 1);
        shapes.add(b"INFO no figures", 2);
        shapes.add(b"2026-01-03 13:45:12,345 - only a time", 3);
        shapes.add(b"2024-01-06 wrote 0 rows", 4);
        let table = shapes.table().expect("one shape with figures");
        assert!(
            table.contains("DATE wrote N rows")
                && !table.contains("no figures")
                && !table.contains("only a time"),
            "{table}"
        );
    }

    #[test]
    fn a_pattern_finds_the_lines_of_its_shape() {
        for (line, another) in [
            (
                "2024-01-05 wrote 16 rows (ok)",
                "2024-02-11 wrote 1 rows (ok)",
            ),
            (
                r#"{"time": "2026-01-03T13:45:12Z", "day": "2024-01-05", "n": 3}"#,
                r#"{"time": "2026-02-03T03:00:12.5Z", "day": "2024-02-11", "n": 1234}"#,
            ),
            (
                "2026-01-03 13:45:12,345 - ✓ 2024-01-05 (of 2024-01-09)",
                "2026-01-04 13:45:12,001 - ✓ 2024-02-11 (of 2024-02-19)",
            ),
        ] {
            let found = Regex::new(&pattern(line.as_bytes())).expect("a regular expression");
            let captures = found.captures(another.as_bytes()).expect(another);
            assert_eq!(&captures["date"], b"2024-02-11", "{line}");
            assert!(!found.is_match(b"2024-01-05 and nothing else"));
        }
        for odd in [&b"\xff\xfe 2024-01-05 \xe2\x9c"[..], &[b'('; 500], b""] {
            assert!(Regex::new(&pattern(odd)).is_ok(), "{odd:?}");
        }
    }
}
