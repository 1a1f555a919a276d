//! Lines into what they report, in every dialect that is tried.

mod filter;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::OnceCell;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};

use crate::controls::controls;
use crate::dialect::Scratch;
use crate::dialect::event::{Details, Event, Reading, Span};
use crate::dialect::rules::{Line, Rules, Told};
use crate::dialects::Dialects;
use crate::line::escapes::without_escapes;
use crate::line::fields::trim_start;
use crate::line::signs::restore;
use crate::line::split::LONGEST;
use crate::line::unwrap::unwrap;
use filter::{Filter, looks_like_an_error};

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

/// Receives what a line says: the reading, the text that its pieces are of, and the line feeds before the line.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&Reading, &[u8], u64);

/// Reads lines; keeps its memory from piece to piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    filter: Filter,
    memory: Memory,
}

#[derive(Debug, Clone, Default)]
struct Memory {
    scratch: Scratch,
    /// The places of the dialects that a line is tried in.
    tried: Vec<usize>,
    /// A line without its terminal escapes.
    clean: Vec<u8>,
}

/// One way through a piece: what lines are read with, and who is told.
struct Pass<'a> {
    dialects: &'a Dialects,
    state: &'a mut State,
    sink: Sink<'a>,
    memory: &'a mut Memory,
}

impl Scanner {
    /// For the dialects at these places.
    pub(crate) fn of(dialects: &Dialects, tried: impl IntoIterator<Item = usize>) -> Self {
        Self {
            filter: Filter::of(dialects, tried.into_iter()),
            memory: Memory::default(),
        }
    }

    fn pass<'a>(
        &'a mut self,
        dialects: &'a Dialects,
        state: &'a mut State,
        sink: Sink<'a>,
    ) -> (&'a Filter, Pass<'a>) {
        state.blocks.resize(dialects.all().len(), 0);
        let pass = Pass {
            dialects,
            state,
            sink,
            memory: &mut self.memory,
        };
        (&self.filter, pass)
    }

    /// Reads whole lines: `bytes` ends with a line's end. The number of line feeds.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        dialects: &Dialects,
        state: &mut State,
        sink: Sink<'_>,
    ) -> u64 {
        let (filter, mut pass) = self.pass(dialects, state, sink);
        match filter.only_texts() {
            Some((place, finder)) if memchr::memchr(ESC, bytes).is_none() => {
                pass.jump(bytes, *place, finder)
            }
            _ => pass.walk(bytes, filter),
        }
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
        let (filter, mut pass) = self.pass(dialects, state, sink);
        pass.line(line, complete, line_feeds, filter);
    }
}

impl Pass<'_> {
    /// From one text that a rule needs to the next: the lines between them report nothing.
    fn jump(&mut self, bytes: &[u8], place: usize, finder: &AhoCorasick) -> u64 {
        let mut line_feeds = 0;
        let mut from = 0;
        self.memory.tried = vec![place];
        while let Some(found) = finder.find(&bytes[from..]) {
            let at = from + found.start();
            let between = &bytes[from..at];
            let start =
                memchr::memrchr3(b'\n', b'\r', 0, between).map_or(from, |end| from + end + 1);
            let end =
                memchr::memchr3(b'\n', b'\r', 0, &bytes[at..]).map_or(bytes.len(), |end| at + end);
            line_feeds += memchr::memchr_iter(b'\n', between).count() as u64;
            self.state.owner = false;
            let line = &bytes[start..end.min(start + LONGEST)];
            self.read(&Line::of(line, true), line_feeds);
            line_feeds += u64::from(bytes.get(end) == Some(&b'\n'));
            from = bytes.len().min(end + 1);
        }
        line_feeds + memchr::memchr_iter(b'\n', &bytes[from..]).count() as u64
    }

    /// Line by line: nearly every piece of a log has no control characters but line feeds and tabs.
    fn walk(&mut self, bytes: &[u8], filter: &Filter) -> u64 {
        let mut places = filter.places(bytes);
        let mut line_feeds = 0;
        let mut from = 0;
        let mut has_escapes = false;
        for at in controls(bytes) {
            let end = bytes[at];
            if !matches!(end, b'\n' | b'\r' | 0) {
                has_escapes |= end == ESC;
                continue;
            }
            let line = &bytes[from..at];
            if has_escapes {
                self.line(line, true, line_feeds, filter);
                has_escapes = false;
            } else if !line.is_empty() {
                let is_noise = filter.is_noise(line);
                let has_text = places.are_before(at);
                if is_noise {
                    self.state.owner = false;
                }
                if !is_noise || has_text || filter.tries_every_line() {
                    let has_text = |of: usize, _: &_| places.is_before(of, at);
                    filter.tried(is_noise, has_text, &mut self.memory.tried);
                    let line = &line[..line.len().min(LONGEST)];
                    self.read(&Line::of(line, true), line_feeds);
                }
            }
            from = at + 1;
            line_feeds += u64::from(end == b'\n');
            places.pass(from);
        }
        line_feeds
    }

    /// Reads a line that may have terminal escapes.
    fn line(&mut self, line: &[u8], complete: bool, line_feeds: u64, filter: &Filter) {
        let line = &line[..line.len().min(LONGEST)];
        let mut clean = std::mem::take(&mut self.memory.clean);
        let line = without_escapes(line, &mut clean);
        if !line.is_empty() {
            let is_noise = filter.is_noise(line) && (complete || !filter.knows_beginnings());
            if is_noise {
                self.state.owner = false;
            }
            let has_text = |_: usize, finder: &AhoCorasick| finder.is_match(line);
            filter.tried(is_noise, has_text, &mut self.memory.tried);
            self.read(&Line::of(line, complete), line_feeds);
        }
        self.memory.clean = clean;
    }

    /// Reads a line without terminal escapes in each dialect that is tried.
    fn read(&mut self, line: &Line<'_>, line_feeds: u64) {
        let owned = self.state.owner;
        let inside: OnceCell<Option<Cow<'_, [u8]>>> = OnceCell::new();
        for at in &self.memory.tried {
            let Some(rules) = self.dialects.all().get(*at) else {
                continue;
            };
            let block = self.state.blocks[*at];
            let scratch = &mut self.memory.scratch;
            let mut told = rules.read(line, block, scratch);
            // What looks like any error may be an outcome inside of what a collector wrote.
            let is_vague = |told: &Option<Told>| {
                told.as_ref()
                    .is_none_or(|told| matches!(told.event, Some(Event::Error { .. })))
            };
            let inner;
            let mut read = line;
            if is_vague(&told)
                && rules.may_be_wrapped(line)
                && let Some(found) = inside.get_or_init(|| unwrap(line.bytes))
            {
                inner = Line::of(found, line.complete);
                let again = rules.read(&inner, block, scratch);
                if told.is_none() || again.is_some() {
                    told = again;
                    read = &inner;
                }
            }
            let whole;
            let restored;
            if rules.reads_messages()
                && is_vague(&told)
                && let Some(found) = with_sign(read)
            {
                whole = found;
                restored = Line::of(&whole, line.complete);
                told = rules.read(&restored, block, scratch).or(told);
                read = &restored;
            }
            if rules.reads_crashes {
                let owns = told
                    .as_ref()
                    .map_or_else(|| Rules::owns(read), |told| told.owns);
                self.state.owner = owns.unwrap_or(self.state.owner);
            }
            let reading = match told {
                Some(told) => {
                    self.state.blocks[*at] = told.block.unwrap_or(block);
                    reading(&told, *at, owned, time_of(line.bytes))
                }
                None if !rules.reads_errors && looks_like_an_error(line.bytes) => {
                    read = line;
                    Some(unread_error(line.bytes, *at))
                }
                None => None,
            };
            if let Some(reading) = reading {
                (self.sink)(&reading, read.bytes, line_feeds);
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
