//! Lines into what they report, in every dialect that is tried.

use aho_corasick::AhoCorasick;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::controls::controls;
use crate::dialect::event::{Event, Span};
use crate::dialect::rules::{Scratch, Told, finder};
use crate::dialects::Dialects;
use crate::glance::is_noise;
use crate::grammar;
use crate::line::escapes::clean;
use crate::line::prefix::{Level, prefix};
use crate::line::signs::restore;
use crate::line::split::LONGEST;
use crate::line::unwrap::unwrap;

const ESC: u8 = 0x1b;

/// What a line says besides its event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The last date of a batch.
    pub(crate) until: Option<NaiveDate>,
    /// The model, table or file of the date.
    pub(crate) unit: Span,
    /// Who wrote the line, in a job with several workers.
    pub(crate) worker: Span,
    /// The job that the line is of.
    pub(crate) job: Span,
    /// Whether the date is the one that began last.
    pub(crate) from_start: bool,
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

/// The rule that found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleName {
    /// Of the built-in grammar.
    BuiltIn(&'static str),
    /// The rule at this place of its dialect.
    At(u16),
}

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) event: Event,
    pub(crate) rule: RuleName,
    /// Which dialect it is said in: 0 is the built-in one.
    pub(crate) dialect: usize,
    /// Whether the line had a logging prefix.
    pub(crate) prefixed: bool,
    /// Whether it counts only in a log without prefixes: elsewhere it is part of some message.
    pub(crate) needs_prefix: bool,
    /// Whether a message above the line owns a traceback that begins here.
    pub(crate) owned: bool,
    /// Whether a figure of it was left out, as it is too large.
    pub(crate) too_large: bool,
    pub(crate) details: Details,
    /// When it was written, as a number that grows.
    pub(crate) time: Option<u64>,
}

/// What is known from the lines before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Whether a message owns a traceback that would follow now.
    owner: bool,
    /// The block of the log that each dialect is in.
    #[serde(default)]
    blocks: Vec<u8>,
}

/// Words of a level that no line of a healthy job has.
const ERRORS: [&[u8]; 4] = [b"ERROR", b"CRITICAL", b"FATAL", b"Traceback (most"];
/// Where in a line its level stands.
const LEVEL_WITHIN: usize = 80;

/// Whether a line looks like an error by its level.
fn looks_like_an_error(line: &[u8]) -> bool {
    let head = &line[..line.len().min(LEVEL_WITHIN)];
    ERRORS
        .iter()
        .any(|word| memchr::memmem::find(head, word).is_some())
}

/// Which dialects are tried, and how most lines are known to report nothing in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    built_in: bool,
    /// The places of the others that read no line without one of the texts of `finder`.
    by_text: Vec<usize>,
    finder: Option<AhoCorasick>,
    /// The places of those that every line is tried in.
    every: Vec<usize>,
}

impl Filter {
    /// For these dialects; 0 is the built-in one.
    pub(crate) fn of(dialects: &Dialects, tried: impl Iterator<Item = usize>) -> Self {
        let mut filter = Self::default();
        let mut texts = Vec::new();
        for place in tried {
            let Some(at) = place.checked_sub(1) else {
                filter.built_in = true;
                continue;
            };
            match dialects.custom().get(at).and_then(|rules| rules.needles()) {
                Some(needles) => {
                    texts.extend_from_slice(needles);
                    filter.by_text.push(at);
                }
                None => filter.every.push(at),
            }
        }
        if !filter.by_text.is_empty() {
            texts.extend(ERRORS.map(<[u8]>::to_vec));
        }
        texts.sort();
        texts.dedup();
        filter.finder = finder(&texts).filter(|_| !texts.is_empty());
        if filter.finder.is_none() {
            filter.every.append(&mut filter.by_text);
        }
        filter
    }
}

/// Reads lines; keeps its memory from piece to piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    filter: Filter,
    scratch: Scratch,
}

/// Hears what a line says: the reading, the text that its pieces are of, and the line feeds before the line.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&Reading, &[u8], u64);

impl Scanner {
    pub(crate) fn of(filter: Filter) -> Self {
        Self {
            filter,
            scratch: Scratch::default(),
        }
    }

    /// Reads whole lines: `bytes` ends with a line's end. The number of line feeds.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        dialects: &Dialects,
        state: &mut State,
        sink: Sink<'_>,
    ) -> u64 {
        let is_plain = memchr::memchr3(ESC, b'\r', 0, bytes).is_none();
        if !self.filter.built_in
            && (is_plain || memchr::memchr(ESC, bytes).is_none())
            && self.filter.every.is_empty()
            && let Some(finder) = &self.filter.finder
        {
            let finder = finder.clone();
            return self.jump(bytes, &finder, dialects, state, sink);
        }
        if is_plain {
            return self.walk(bytes, dialects, state, sink);
        }
        let mut line_feeds = 0;
        let mut from = 0;
        for end in memchr::memchr3_iter(b'\n', b'\r', 0, bytes) {
            self.line(&bytes[from..end], true, line_feeds, dialects, state, sink);
            from = end + 1;
            line_feeds += u64::from(bytes[end] == b'\n');
        }
        line_feeds
    }

    /// From one text that a rule needs to the next: the lines between them report nothing.
    fn jump(
        &mut self,
        bytes: &[u8],
        finder: &AhoCorasick,
        dialects: &Dialects,
        state: &mut State,
        sink: Sink<'_>,
    ) -> u64 {
        let mut line_feeds = 0;
        let mut from = 0;
        while let Some(found) = finder.find(&bytes[from..]) {
            let at = from + found.start();
            let between = &bytes[from..at];
            let start =
                memchr::memrchr3(b'\n', b'\r', 0, between).map_or(from, |end| from + end + 1);
            let end =
                memchr::memchr3(b'\n', b'\r', 0, &bytes[at..]).map_or(bytes.len(), |end| at + end);
            line_feeds += memchr::memchr_iter(b'\n', between).count() as u64;
            self.line(&bytes[start..end], true, line_feeds, dialects, state, sink);
            line_feeds += u64::from(bytes.get(end) == Some(&b'\n'));
            from = bytes.len().min(end + 1);
        }
        line_feeds + memchr::memchr_iter(b'\n', &bytes[from..]).count() as u64
    }

    /// Line by line: nearly every piece of a log has no control characters but line feeds and tabs.
    fn walk(
        &mut self,
        bytes: &[u8],
        dialects: &Dialects,
        state: &mut State,
        sink: Sink<'_>,
    ) -> u64 {
        let filter = std::mem::take(&mut self.filter);
        // The place of the next text that another dialect needs.
        let find = |from: usize| {
            let finder = filter.finder.as_ref()?;
            Some(from + finder.find(&bytes[from..])?.start())
        };
        let mut next = find(0);
        let mut line_feeds = 0;
        let mut from = 0;
        for at in controls(bytes) {
            if bytes[at] != b'\n' {
                continue;
            }
            let line = &bytes[from..at];
            let has_text = next.is_some_and(|next| next < at);
            let is_noise = !filter.built_in || is_noise(line);
            if is_noise {
                state.owner = false;
            }
            if !is_noise || has_text || !filter.every.is_empty() {
                let line = &line[..line.len().min(LONGEST)];
                let by_text: &[usize] = if has_text { &filter.by_text } else { &[] };
                let tried = (!is_noise, [by_text, &filter.every]);
                self.clean_line(line, true, line_feeds, dialects, tried, state, sink);
            }
            from = at + 1;
            line_feeds += 1;
            if next.is_some_and(|next| next < from) {
                next = find(from);
            }
        }
        self.filter = filter;
        line_feeds
    }

    /// Reads one line in every dialect that is tried.
    pub(crate) fn line(
        &mut self,
        line: &[u8],
        complete: bool,
        line_feeds: u64,
        dialects: &Dialects,
        state: &mut State,
        sink: Sink<'_>,
    ) {
        let line = clean(&line[..line.len().min(LONGEST)]);
        let filter = std::mem::take(&mut self.filter);
        let is_noise = !filter.built_in || (complete && is_noise(&line));
        let has_text = filter
            .finder
            .as_ref()
            .is_some_and(|finder| finder.is_match(&*line));
        if is_noise && !line.is_empty() {
            state.owner = false;
        }
        if !is_noise || has_text || !filter.every.is_empty() {
            let by_text: &[usize] = if has_text { &filter.by_text } else { &[] };
            let tried = (!is_noise, [by_text, filter.every.as_slice()]);
            self.clean_line(&line, complete, line_feeds, dialects, tried, state, sink);
        }
        self.filter = filter;
    }

    /// As [`Scanner::line`], for a line without terminal escapes.
    #[allow(clippy::too_many_arguments)]
    fn clean_line(
        &mut self,
        line: &[u8],
        complete: bool,
        line_feeds: u64,
        dialects: &Dialects,
        (built_in, custom): (bool, [&[usize]; 2]),
        state: &mut State,
        sink: Sink<'_>,
    ) {
        if line.is_empty() {
            return;
        }
        let time = time_of(line);
        let owned = state.owner;
        let mut inner = None;
        if built_in {
            let mut read = grammar::read(line, complete);
            let mut text: &[u8] = line;
            if read.event.is_none() && line[0] == b'{' {
                inner = unwrap(line);
                if let Some(inside) = &inner {
                    read = grammar::read(inside, complete);
                    text = inside;
                }
            }
            let whole;
            if read.event.is_none() || matches!(read.event, Some((Event::Error { .. }, _))) {
                whole = with_sign(text);
                if let Some(whole) = &whole {
                    read = grammar::read(whole, complete);
                    text = whole;
                }
            }
            state.owner = read.owns.unwrap_or(state.owner);
            if let Some((event, rule)) = read.event {
                let reading = Reading {
                    event,
                    rule: RuleName::BuiltIn(rule),
                    dialect: 0,
                    prefixed: read.prefixed,
                    needs_prefix: read.needs_prefix,
                    owned,
                    too_large: event.lost_a_figure(),
                    details: Details::default(),
                    time,
                };
                sink(&reading, text, line_feeds);
            }
        }
        if custom.iter().all(|places| places.is_empty()) {
            return;
        }
        state.blocks.resize(dialects.custom().len(), 0);
        let mut is_unwrapped = inner.is_some();
        for at in custom.into_iter().flatten() {
            let Some(rules) = dialects.custom().get(*at) else {
                continue;
            };
            let block = state.blocks[*at];
            let mut text: &[u8] = line;
            let mut told = rules.read(line, block, &mut self.scratch);
            if told.is_none() {
                if !is_unwrapped {
                    inner = unwrap(line);
                    is_unwrapped = true;
                }
                if let Some(inside) = &inner {
                    told = rules.read(inside, block, &mut self.scratch);
                    text = inside;
                }
            }
            if let Some(Told {
                event,
                rule,
                too_large,
                details,
                block,
                prefixed,
                ..
            }) = told
            {
                state.blocks[*at] = block.unwrap_or(state.blocks[*at]);
                let reading = Reading {
                    event,
                    rule: RuleName::At(rule),
                    dialect: at + 1,
                    prefixed: prefixed == Some(true),
                    needs_prefix: prefixed == Some(false),
                    owned: false,
                    too_large,
                    details,
                    time,
                };
                sink(&reading, text, line_feeds);
            } else if looks_like_an_error(line) {
                let reading = Reading {
                    event: Event::UnreadError(Span::of(line, line)),
                    rule: RuleName::BuiltIn("error-without-rule"),
                    dialect: at + 1,
                    prefixed: false,
                    needs_prefix: false,
                    owned: false,
                    too_large: false,
                    details: Details::default(),
                    time: None,
                };
                sink(&reading, line, line_feeds);
            }
        }
    }
}

/// The line with the sign that an encoding lost, if its message begins with one.
fn with_sign(line: &[u8]) -> Option<Vec<u8>> {
    let prefix = prefix(line);
    let body = &line[prefix.body..];
    let text = body.trim_ascii_start();
    if !matches!(text.first(), Some(b'\\' | b'?' | 0xc2 | 0xc3 | 0xef)) {
        return None;
    }
    let whole = restore(text, prefix.level >= Some(Level::Error))?;
    let before = line.len() - text.len();
    Some([&line[..before], &whole].concat())
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

    use super::{Reading, Scanner, State};
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
        fn every_way_through_a_piece_finds_the_same(
            lines in prop::collection::vec(line(), 0..20),
            only in prop::option::of(prop::sample::select(vec!["dbt", "publishing", "json_lines"])),
        ) {
            let mut bytes = lines.join(&b'\n');
            bytes.push(b'\n');
            let mut dialects = Dialects::built_in();
            if let Some(name) = only {
                dialects = dialects.only(name).expect("a shipped dialect");
            }
            let mut scanner = dialects.scanner();
            let found = |scanner: &mut Scanner, bytes: &[u8]| {
                let mut found: Vec<(Reading, u64)> = Vec::new();
                let line_feeds = scanner.scan(bytes, &dialects, &mut State::default(), &mut |reading, _, at| {
                    found.push((*reading, at));
                });
                (found, line_feeds)
            };
            let quick = found(&mut scanner, &bytes);
            // A carriage return at the very end makes every line be tried.
            bytes.push(b'\r');
            prop_assert_eq!(found(&mut scanner, &bytes), quick);
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
