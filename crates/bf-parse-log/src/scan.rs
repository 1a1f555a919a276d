//! Lines into what they report, in every dialect that is tried.

use std::borrow::Cow;
use std::cell::OnceCell;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};

use crate::controls::controls;
use crate::dialect::Scratch;
use crate::dialect::event::{Details, Event, Reading, Span};
use crate::dialect::prefilter::Beginnings;
use crate::dialect::rules::{Line, Rules, Told, finder};
use crate::dialects::Dialects;
use crate::line::escapes::clean;
use crate::line::fields::trim_start;
use crate::line::quick::quick;
use crate::line::signs::restore;
use crate::line::split::LONGEST;
use crate::line::unwrap::unwrap;

const ESC: u8 = 0x1b;

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
struct Filter {
    /// The places of those that know a line by how its message begins.
    by_beginning: Vec<usize>,
    beginnings: Option<Box<Beginnings>>,
    /// The places of those that read no line without one of the texts of `finder`.
    by_text: Vec<usize>,
    finder: Option<AhoCorasick>,
    /// The places of those that every line is tried in.
    every: Vec<usize>,
}

impl Filter {
    /// For the dialects at these places.
    fn of(dialects: &Dialects, tried: impl Iterator<Item = usize>) -> Self {
        let mut filter = Self::default();
        let mut texts = Vec::new();
        for place in tried {
            let Some(rules) = dialects.all().get(place) else {
                continue;
            };
            match (rules.beginnings(), rules.needles()) {
                (Some(beginnings), _) => {
                    match &mut filter.beginnings {
                        Some(all) => all.join(beginnings),
                        None => filter.beginnings = Some(Box::new(beginnings.clone())),
                    }
                    filter.by_beginning.push(place);
                }
                (None, Some(needles)) => {
                    texts.extend_from_slice(needles);
                    filter.by_text.push(place);
                }
                (None, None) => filter.every.push(place),
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

    /// Whether the dialects that know a line by its beginning report nothing of it.
    #[inline]
    fn is_noise(&self, line: &[u8]) -> bool {
        let Some(beginnings) = &self.beginnings else {
            return true;
        };
        quick(line)
            .is_some_and(|(of_job, body)| !beginnings.may_have(of_job, trim_start(&line[body..])))
    }

    /// The dialects that a line is tried in.
    fn tried(&self, is_noise: bool, has_text: bool) -> [&[usize]; 3] {
        let by_beginning: &[usize] = if is_noise { &[] } else { &self.by_beginning };
        let by_text: &[usize] = if has_text { &self.by_text } else { &[] };
        [by_beginning, by_text, &self.every]
    }

    /// Only lines with one of the texts are read at all.
    fn is_by_text_alone(&self) -> bool {
        self.by_beginning.is_empty() && self.every.is_empty()
    }
}

/// Reads lines; keeps its memory from piece to piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    filter: Filter,
    scratch: Scratch,
}

/// Receives what a line says: the reading, the text that its pieces are of, and the line feeds before the line.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&Reading, &[u8], u64);

impl Scanner {
    /// For the dialects at these places.
    pub(crate) fn of(dialects: &Dialects, tried: impl IntoIterator<Item = usize>) -> Self {
        Self {
            filter: Filter::of(dialects, tried.into_iter()),
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
        if self.filter.is_by_text_alone()
            && (is_plain || memchr::memchr(ESC, bytes).is_none())
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
            let is_noise = filter.is_noise(line);
            if is_noise {
                state.owner = false;
            }
            if !is_noise || has_text || !filter.every.is_empty() {
                let line = Line::of(&line[..line.len().min(LONGEST)], true);
                let tried = filter.tried(is_noise, has_text);
                self.clean_line(&line, line_feeds, dialects, tried, state, sink);
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
        let is_noise = filter.beginnings.is_none() || (complete && filter.is_noise(&line));
        let has_text = filter
            .finder
            .as_ref()
            .is_some_and(|finder| finder.is_match(&*line));
        if is_noise && !line.is_empty() {
            state.owner = false;
        }
        if !is_noise || has_text || !filter.every.is_empty() {
            let tried = filter.tried(is_noise, has_text);
            self.clean_line(
                &Line::of(&line, complete),
                line_feeds,
                dialects,
                tried,
                state,
                sink,
            );
        }
        self.filter = filter;
    }

    /// As [`Scanner::line`], for a line without terminal escapes.
    fn clean_line(
        &mut self,
        line: &Line<'_>,
        line_feeds: u64,
        dialects: &Dialects,
        tried: [&[usize]; 3],
        state: &mut State,
        sink: Sink<'_>,
    ) {
        if line.bytes.is_empty() {
            return;
        }
        let owned = state.owner;
        let inside: OnceCell<Option<Cow<'_, [u8]>>> = OnceCell::new();
        state.blocks.resize(dialects.all().len(), 0);
        for at in tried.into_iter().flatten() {
            let Some(rules) = dialects.all().get(*at) else {
                continue;
            };
            let block = state.blocks[*at];
            let mut told = rules.read(line, block, &mut self.scratch);
            // What looks like any error may be an outcome inside of what a collector wrote.
            let is_vague = |told: Option<Told>| {
                told.is_none_or(|told| matches!(told.event, Some(Event::Error { .. })))
            };
            let inner;
            let mut read = line;
            if is_vague(told)
                && rules.may_be_wrapped(line)
                && let Some(found) = inside.get_or_init(|| unwrap(line.bytes))
            {
                inner = Line::of(found, line.complete);
                let again = rules.read(&inner, block, &mut self.scratch);
                if told.is_none() || again.is_some() {
                    told = again;
                    read = &inner;
                }
            }
            let whole;
            let restored;
            if rules.reads_messages()
                && is_vague(told)
                && let Some(found) = with_sign(read)
            {
                whole = found;
                restored = Line::of(&whole, line.complete);
                told = rules.read(&restored, block, &mut self.scratch).or(told);
                read = &restored;
            }
            if rules.reads_crashes {
                let owns = told.map_or_else(|| Rules::owns(read), |told| told.owns);
                state.owner = owns.unwrap_or(state.owner);
            }
            let reading = match told {
                Some(told) => {
                    state.blocks[*at] = told.block.unwrap_or(block);
                    reading(&told, *at, owned, time_of(line.bytes))
                }
                None if !rules.reads_errors && looks_like_an_error(line.bytes) => {
                    read = line;
                    Some(unread_error(line.bytes, *at))
                }
                None => None,
            };
            if let Some(reading) = reading {
                sink(&reading, read.bytes, line_feeds);
            }
        }
    }
}

fn reading(told: &Told, dialect: usize, owned: bool, time: Option<u64>) -> Option<Reading> {
    Some(Reading {
        event: told.event?,
        rule: Some(told.rule),
        dialect,
        prefixed: told.prefixed,
        needs_prefix: told.needs_prefix,
        owned,
        too_large: told.too_large,
        details: told.details,
        time,
    })
}

fn unread_error(line: &[u8], dialect: usize) -> Reading {
    Reading {
        event: Event::UnreadError(Span::of(line, line)),
        rule: None,
        dialect,
        prefixed: false,
        needs_prefix: false,
        owned: false,
        too_large: false,
        details: Details::default(),
        time: None,
    }
}

/// The line with the sign that an encoding lost, if its message begins with one.
fn with_sign(line: &Line<'_>) -> Option<Vec<u8>> {
    let body = &line.bytes[line.prefix().body..];
    let text = trim_start(body);
    let whole = restore(text)?;
    let before = line.bytes.len() - text.len();
    Some([&line.bytes[..before], &whole].concat())
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
    use proptest::test_runner::RngSeed;

    use super::{Filter, Reading, Scanner, State};
    use crate::Dialects;
    use crate::dialect::Scratch;
    use crate::dialect::rules::{Line, Rules};

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
            rng_seed: RngSeed::Fixed(crate::require::seed()),
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_is_called_noise_says_nothing(line in line()) {
            let dialects = Dialects::built_in();
            let filter = Filter::of(&dialects, std::iter::once(0));
            if filter.is_noise(&line) {
                let line = Line::of(&line, true);
                let rules = &dialects.all()[0];
                for block in 0..3 {
                    prop_assert_eq!(rules.read(&line, block, &mut Scratch::default()), None);
                }
                prop_assert_eq!(Rules::owns(&line), Some(false));
            }
        }

        #[test]
        fn every_way_through_a_piece_finds_the_same(
            lines in prop::collection::vec(line(), 0..20),
            only in prop::option::of(prop::sample::select(vec!["family", "dbt", "publishing", "json_lines"])),
        ) {
            let mut bytes = lines.join(&b'\n');
            bytes.push(b'\n');
            let mut dialects = Dialects::built_in();
            if let Some(name) = only {
                dialects = dialects.only(name).expect("a shipped dialect");
            }
            let mut scanner = Scanner::of(&dialects, dialects.tried());
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
        let filter = Filter::of(&Dialects::built_in(), std::iter::once(0));
        for line in [
            "INFO:google.cloud.bigquery:Load job loaded 222 rows into a table of analytics",
            "DEBUG:urllib3.connectionpool:https://bigquery.googleapis.com:443 POST /bigquery",
            "WARNING:shared.registry.reader:Player lookup 'x' is not in the registry",
            "2026-01-03 13:45:12,345 - INFO - Load job loaded 222 rows into a table",
            "2026-01-03 13:45:12,345 - WARNING - Quality tier gold for game 0022300039",
        ] {
            assert!(filter.is_noise(line.as_bytes()), "{line}");
        }
    }
}
