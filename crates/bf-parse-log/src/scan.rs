//! Whole lines into what they say. Knows nothing of the lines before, so that pieces of a log can be
//! scanned at the same time.

use crate::dialects::Dialects;
use crate::escapes::clean;
use crate::event::Event;
use crate::glance::is_noise;
use crate::grammar;
use crate::line_feeds::line_feeds;
use crate::split::LONGEST;

const ESC: u8 = 0x1b;

/// A line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    /// Where the line is in the scanned bytes, without its end.
    pub(crate) start: usize,
    pub(crate) length: usize,
    /// Line feeds before it in the scanned bytes.
    pub(crate) line_feeds: u64,
    pub(crate) reading: Reading,
}

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) event: Event,
    /// The rule that found it.
    pub(crate) rule: &'static str,
    /// Which dialect it is said in: 0 is the built-in one.
    pub(crate) dialect: usize,
    /// Whether the line had a logging prefix.
    pub(crate) prefixed: bool,
    /// Whether it counts only in a log without prefixes: elsewhere it is part of some message.
    pub(crate) needs_prefix: bool,
    /// Whether a message above the line owns a traceback that begins here; `None` where the scanned bytes
    /// begin too late to tell.
    pub(crate) owned: Option<bool>,
}

/// What a piece of whole lines says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) items: Vec<Item>,
    pub(crate) line_feeds: u64,
    /// Whether there are terminal escapes in it.
    pub(crate) has_escapes: bool,
    /// Whether a traceback that follows belongs to a message; `None` where no line tells.
    pub(crate) owner: Option<bool>,
}

/// Scans whole lines: `bytes` ends with a line's end.
pub(crate) fn scan(bytes: &[u8], dialects: &Dialects, scanned: &mut Scanned) {
    scanned.items.clear();
    scanned.line_feeds = 0;
    scanned.owner = None;
    // Nearly every piece of a log has nothing but line feeds, and can be gone through quickly.
    let odd = memchr::memchr3(ESC, b'\r', 0, bytes);
    scanned.has_escapes = odd.is_some_and(|at| memchr::memchr(ESC, &bytes[at..]).is_some());
    if odd.is_none() && dialects.custom().is_empty() {
        scan_quickly(bytes, dialects, scanned);
    } else {
        scan_carefully(bytes, dialects, scanned);
    }
}

fn scan_quickly(bytes: &[u8], dialects: &Dialects, scanned: &mut Scanned) {
    let mut from = 0;
    for end in line_feeds(bytes) {
        let start = from;
        from = end + 1;
        let line = &bytes[start..end];
        if is_noise(line) {
            scanned.owner = Some(false);
        } else {
            scanned.read(start, line, dialects);
        }
        scanned.line_feeds += 1;
    }
}

fn scan_carefully(bytes: &[u8], dialects: &Dialects, scanned: &mut Scanned) {
    let mut from = 0;
    for end in memchr::memchr3_iter(b'\n', b'\r', 0, bytes) {
        let start = from;
        from = end + 1;
        scanned.read(start, &bytes[start..end], dialects);
        scanned.line_feeds += u64::from(bytes[end] == b'\n');
    }
}

impl Scanned {
    fn read(&mut self, start: usize, line: &[u8], dialects: &Dialects) {
        let line = &line[..line.len().min(LONGEST)];
        let (line_feeds, items) = (self.line_feeds, &mut self.items);
        read_line(line, true, dialects, &mut self.owner, |reading| {
            items.push(Item {
                start,
                length: line.len(),
                line_feeds,
                reading,
            });
        });
    }
}

/// Reads one line in every dialect. `owner` goes from line to line.
pub(crate) fn read_line(
    line: &[u8],
    complete: bool,
    dialects: &Dialects,
    owner: &mut Option<bool>,
    mut said: impl FnMut(Reading),
) {
    if line.is_empty() {
        return;
    }
    let line = &*clean(line);
    let read = grammar::read(line, complete);
    let owned = *owner;
    if read.owns.is_some() {
        *owner = read.owns;
    }
    if let Some((event, rule)) = read.event {
        said(Reading {
            event,
            rule,
            dialect: 0,
            prefixed: read.prefixed,
            needs_prefix: read.needs_prefix,
            owned,
        });
    }
    for (at, custom) in dialects.custom().iter().enumerate() {
        if let Some((event, rule)) = custom.read(line) {
            said(Reading {
                event,
                rule,
                dialect: at + 1,
                prefixed: false,
                needs_prefix: false,
                owned: None,
            });
        }
    }
}
