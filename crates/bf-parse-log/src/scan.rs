//! Whole lines into what they say. Knows nothing of the lines before, so that pieces of a log can be
//! scanned at the same time.

use chrono::NaiveDate;

use crate::controls::controls;
use crate::dialect::event::{Event, Span};
use crate::dialects::Dialects;
use crate::glance::is_noise;
use crate::grammar;
use crate::line::escapes::clean;
use crate::line::split::LONGEST;

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

/// What a line says besides its event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The last date of a batch.
    pub(crate) until: Option<NaiveDate>,
    /// The model, table or file of the date.
    pub(crate) unit: Span,
    /// Who wrote the line, in a job with several workers.
    pub(crate) worker: Span,
    /// The counter `i/N` of an outcome.
    pub(crate) index: Option<u64>,
    pub(crate) total: Option<u64>,
    /// A date that is there and cannot be read.
    pub(crate) has_bad_date: bool,
    pub(crate) bad_date: Span,
    /// A figure that is there and cannot be read.
    pub(crate) has_bad_figure: bool,
    pub(crate) bad_figure: Span,
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
    /// Whether a figure of it was left out, as it is too large.
    pub(crate) too_large: bool,
    pub(crate) details: Details,
    /// When it was written, as a number that grows.
    pub(crate) time: Option<u64>,
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
    let quickly = dialects.custom().is_empty() && scan_quickly(bytes, dialects, scanned);
    if !quickly {
        scan_carefully(bytes, dialects, scanned);
    }
}

/// Nearly every piece of a log has no control characters but line feeds and tabs, and can be gone through
/// in one go. False at the first other one.
fn scan_quickly(bytes: &[u8], dialects: &Dialects, scanned: &mut Scanned) -> bool {
    scanned.begin(false);
    let mut from = 0;
    for at in controls(bytes) {
        match bytes[at] {
            b'\n' => {}
            b'\r' | 0 | ESC => return false,
            _ => continue,
        }
        let line = &bytes[from..at];
        if is_noise(line) {
            scanned.owner = Some(false);
        } else {
            scanned.read(from, line, dialects);
        }
        from = at + 1;
        scanned.line_feeds += 1;
    }
    true
}

fn scan_carefully(bytes: &[u8], dialects: &Dialects, scanned: &mut Scanned) {
    scanned.begin(memchr::memchr(ESC, bytes).is_some());
    let mut from = 0;
    for end in memchr::memchr3_iter(b'\n', b'\r', 0, bytes) {
        let start = from;
        from = end + 1;
        scanned.read(start, &bytes[start..end], dialects);
        scanned.line_feeds += u64::from(bytes[end] == b'\n');
    }
}

impl Scanned {
    fn begin(&mut self, has_escapes: bool) {
        self.items.clear();
        self.line_feeds = 0;
        self.owner = None;
        self.has_escapes = has_escapes;
    }

    fn read(&mut self, start: usize, line: &[u8], dialects: &Dialects) {
        let line = &line[..line.len().min(LONGEST)];
        let (line_feeds, items) = (self.line_feeds, &mut self.items);
        let read = if self.has_escapes {
            read_line
        } else {
            read_clean_line
        };
        read(line, true, dialects, &mut self.owner, &mut |reading| {
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
    said: &mut dyn FnMut(Reading),
) {
    read_clean_line(&clean(line), complete, dialects, owner, said);
}

/// As [`read_line`], for a line without terminal escapes.
fn read_clean_line(
    line: &[u8],
    complete: bool,
    dialects: &Dialects,
    owner: &mut Option<bool>,
    said: &mut dyn FnMut(Reading),
) {
    if line.is_empty() {
        return;
    }
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
            too_large: event.lost_a_figure(),
            details: Details::default(),
            time: time_of(line),
        });
    }
    for (at, custom) in dialects.custom().iter().enumerate() {
        if let Some(told) = custom.read(line) {
            said(Reading {
                event: told.event,
                rule: told.rule,
                dialect: at + 1,
                prefixed: false,
                needs_prefix: false,
                owned: None,
                too_large: told.too_large,
                details: told.details,
                time: time_of(line),
            });
        }
    }
}

/// The digits of `YYYY-MM-DD HH:MM:SS` at the beginning of a line as one number.
fn time_of(line: &[u8]) -> Option<u64> {
    const LENGTH: usize = "YYYY-MM-DD HH:MM:SS".len();
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let text = line.get(..LENGTH)?;
    let separated = text[4] == b'-' && text[7] == b'-' && text[13] == b':' && text[16] == b':';
    separated.then_some(())?;
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let (count, value) = digits.fold((0, 0), |(count, value), byte| {
        (count + 1, value * 10 + u64::from(byte - b'0'))
    });
    (count == 14).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Scanned, scan_carefully, scan_quickly};
    use crate::Dialects;
    use crate::glance::is_noise;
    use crate::grammar;

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let lead = prop::sample::select(vec![
            "INFO:__main__:",
            "INFO:__main_:",
            "INFO:root:",
            "INFO::",
            "INFO: ",
            "INFO:analytics_base:",
            "DEBUG:x.y:",
            "WARNING:a very long name of no logger ",
            "ERROR:x:",
            "WARNING:__main__:",
            "2026-01-03 13:45:12,345 - INFO - ",
            "2026-01-03 13:45:12,345 - WARNING - ",
            "2026-01-03 13:45:12,345 - DEBUG - ",
            "2026-01-03 13:45:12,34x - INFO - ",
            "2026-01-03 13:45:12,345 - ERROR - ",
            "2026-01-03 13:45:12,345 - x.y - INFO - ",
            "2026-01-03T13:45:12,345 - INFO - ",
            "",
        ]);
        let body = prop::sample::select(vec![
            "ANALYTICS_STEP Starting analytics processor for 2024-01-05",
            "Found 27 game dates out of 28 calendar days (skipping 1 off-days)",
            "  ✓ Success: 16 records",
            "  ✗ 2024-01-05: Processing failed",
            "✅ 2024-01-05: Processed 200 players (3 failed)",
            "Processing day 3/12: 2024-01-05",
            "Processing 12 days individually",
            "Starting backfill from 2024-01-01 to 2024-01-05",
            "Will process 12 days from 2024-01-01 to 2024-01-05",
            "Upcoming Player Game Context Backfill",
            "Unexpected exception processing 2024-01-05: x",
            "Exception processing 2024-01-05: x",
            "End date cannot be in the future",
            "Invalid start date format: x",
            "--start-date is required for range processing",
            "No game dates found in the specified range!",
            "Phase 4 precompute backfill: 2024-01-01 to 2024-01-05",
            "PHASE 4 BACKFILL SUMMARY - X",
            "SPECIFIC DATES PROCESSING SUMMARY:",
            "Summary: 1 success, 2 skipped, 3 failed",
            "DAY-BY-DAY BACKFILL SUMMARY:",
            "BACKFILL COMPLETE",
            "Backfill failed with exception: x",
            "2024-01-05: success",
            "Total Days: 12",
            "Remaining Days: 12",
            "Mode: PRODUCTION",
            "Verifying Phase 3 data exists for 2024-01-01 to 2024-01-05...",
            "Execution order: 2/5",
            "Checkpoint: /tmp/x_2024-01-01_2024-01-05.json",
            "(Skipping 3 off-days in calendar range)",
            "Dependencies: {'a': 1}",
            "Dry run: True",
            "RESUMING from checkpoint: 2024-01-05",
            "Resuming from 2024-01-05",
            "Failed days: 3",
            "Query job finished: 31337 bytes billed, cache hit False, slot ms 5",
            "Calculated ratings for 475 players; 4786 possessions in all of them",
            "x",
            "",
        ]);
        (lead, body, prop::option::of(any::<prop::sample::Index>())).prop_map(
            |(lead, body, cut)| {
                let mut line = format!("{lead}{body}").into_bytes();
                if let Some(cut) = cut {
                    line.truncate(cut.index(line.len() + 1));
                }
                line
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_is_called_noise_says_nothing(line in line()) {
            if is_noise(&line) {
                let read = grammar::read(&line, true);
                prop_assert_eq!(read.event, None);
                prop_assert_eq!(read.owns, Some(false));
            }
        }

        #[test]
        fn the_quick_way_finds_what_the_careful_one_finds(lines in prop::collection::vec(line(), 0..20)) {
            let mut bytes = lines.join(&b'\n');
            bytes.push(b'\n');
            let dialects = Dialects::built_in();
            let (mut quick, mut careful) = (Scanned::default(), Scanned::default());
            prop_assert!(scan_quickly(&bytes, &dialects, &mut quick));
            scan_carefully(&bytes, &dialects, &mut careful);
            prop_assert_eq!(quick, careful);
        }
    }

    #[test]
    fn chatter_is_noise() {
        for line in [
            "INFO:google.cloud.bigquery:Load job loaded 222 rows into a table of analytics",
            "DEBUG:urllib3.connectionpool:https://bigquery.googleapis.com:443 POST /bigquery",
            "WARNING:shared.registry.reader:Player lookup 'x' is not in the registry",
            "2026-01-03 13:45:12,345 - INFO - Load job loaded 222 rows into a table",
            "2026-01-03 13:45:12,345 - WARNING - Quality tier gold for game 0022300039",
        ] {
            assert!(is_noise(line.as_bytes()), "{line}");
        }
    }
}
