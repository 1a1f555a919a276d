//! A stream of bytes into lines, whatever pieces it comes in.
//!
//! A line ends at a line feed, at a carriage return (Windows line ends, progress bars) or at a NUL (the
//! hole that a log has when it was cut while the job held it open). Only the first [`LONGEST`] bytes of a
//! line are looked at: no message of a job is longer, and a line without an end costs no memory.

use serde::{Deserialize, Serialize};

/// What is read of one line, in bytes.
pub(crate) const LONGEST: usize = 16 * 1024;

/// Where lines end; holds the unfinished last one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Splitter {
    /// The unfinished line, at most [`LONGEST`] bytes of it.
    rest: Vec<u8>,
    /// Line feeds seen.
    line_feeds: u64,
    /// Bytes seen.
    bytes: u64,
    /// Whether the last byte was a line feed, or there was none.
    at_line_start: bool,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self {
            at_line_start: true,
            ..Self::default()
        }
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines seen; an unfinished last one counts.
    pub(crate) const fn lines(&self) -> u64 {
        self.line_feeds + if self.at_line_start { 0 } else { 1 }
    }

    pub(crate) const fn line_feeds(&self) -> u64 {
        self.line_feeds
    }

    /// Passes over whole lines that were read elsewhere; `last` is their last byte.
    pub(crate) fn pass(&mut self, bytes: usize, line_feeds: u64, last: Option<u8>) {
        self.bytes += bytes as u64;
        self.line_feeds += line_feeds;
        if let Some(last) = last {
            self.at_line_start = last == b'\n';
        }
    }

    /// Ends the unfinished last line here.
    pub(crate) fn take_unfinished(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.rest)
    }

    /// The unfinished last line; empty where there is none.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.rest
    }

    /// Takes in the next piece and hands out every line that it finishes, without its end and never empty,
    /// with its number from 1.
    pub(crate) fn feed(&mut self, piece: &[u8], mut line: impl FnMut(&[u8], u64)) {
        let mut from = 0;
        for end in memchr::memchr3_iter(b'\n', b'\r', 0, piece) {
            let part = &piece[from..end];
            from = end + 1;
            let number = self.line_feeds + 1;
            self.line_feeds += u64::from(piece[end] == b'\n');
            if self.rest.is_empty() {
                if !part.is_empty() {
                    line(&part[..part.len().min(LONGEST)], number);
                }
            } else {
                self.keep(part);
                line(&self.rest, number);
                self.rest.clear();
            }
        }
        self.keep(&piece[from..]);
        self.bytes += piece.len() as u64;
        if let Some(last) = piece.last() {
            self.at_line_start = *last == b'\n';
        }
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LONGEST.saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&part[..part.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Splitter};

    fn lines(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Splitter) {
        let mut splitter = Splitter::new();
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.feed(piece, |line, _| lines.push(line.to_vec()));
        }
        (lines, splitter)
    }

    #[test]
    fn lines_end_at_line_feeds_carriage_returns_and_holes() {
        let (found, splitter) = lines(&[b"a\r\nb\rc\0\0\0d\n\ne"]);
        assert_eq!(found, [b"a", b"b", b"c", b"d"]);
        assert_eq!(splitter.unfinished(), b"e");
        assert_eq!(splitter.lines(), 4);
    }

    #[test]
    fn a_line_without_an_end_keeps_only_its_beginning() {
        let megabyte = vec![b'x'; 1 << 20];
        let (found, splitter) = lines(&[b"INFO:", &megabyte, &megabyte, b"\nend"]);
        assert_eq!(found[0].len(), LONGEST);
        assert_eq!(splitter.unfinished(), b"end");
        assert_eq!(splitter.bytes(), 5 + (2 << 20) + 4);
    }
}
