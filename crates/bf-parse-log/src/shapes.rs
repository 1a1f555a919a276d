//! What the lines look like that no rule reads, and the regular expressions that would read them.

use std::collections::HashMap;
use std::fmt::Write as _;

use bf_cli::text::{printable, thousands};

use crate::draft::draft;
use crate::line::fields::text;
use crate::line::tokens::{Token, tokens};

/// Longest line that is read, and what is shown of a shape, in bytes.
const LINE: usize = 400;
const SHOWN: usize = 120;

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
    /// The last line.
    last: Vec<u8>,
}

impl Shapes {
    const MOST: usize = 5_000;
    const SHOWN: usize = 15;

    /// Takes in a line without terminal escapes.
    pub(crate) fn add(&mut self, line: &[u8], number: u64) {
        if line.is_empty() {
            return;
        }
        let line = &line[..line.len().min(LINE)];
        let shape = shape(line);
        line.clone_into(&mut self.last);
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
            let is_dated = has(&seen.example, |token| {
                matches!(token, Token::Date | Token::Compact)
            });
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
                printable(shape, SHOWN)
            );
        }
        let hidden = shapes.len().saturating_sub(Self::SHOWN);
        if hidden > 0 || self.others > 0 {
            let _ = write!(table, "\n{:>22} and {hidden} other forms", "…");
        }
        Some(table)
    }

    /// A dialect that reads the shapes, as far as their words tell what they report. `of_unknown`: the log is in
    /// no known dialect; of any other only what looks like a failure is drafted.
    pub(crate) fn first_draft(&self, of_unknown: bool) -> Option<String> {
        let mut shapes: Vec<&Seen> = self.seen.values().collect();
        shapes.sort_by_key(|seen| seen.first);
        let shapes = shapes
            .iter()
            .map(|seen| (seen.example.as_slice(), seen.count));
        draft(shapes.collect(), &self.last, of_unknown)
    }
}

fn has(line: &[u8], wanted: impl Fn(Token) -> bool) -> bool {
    tokens(line).any(|(token, _)| token != Token::Other && wanted(token))
}

fn shape(line: &[u8]) -> String {
    let mut shape = Vec::with_capacity(line.len());
    for (token, piece) in tokens(line) {
        shape.extend_from_slice(match token {
            Token::Time => b"TIME",
            Token::Date | Token::Compact => b"DATE",
            Token::Number => b"N",
            Token::Other => piece,
        });
    }
    text(&shape, LINE)
}

#[cfg(test)]
mod tests {
    use super::{Shapes, shape};

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
}
