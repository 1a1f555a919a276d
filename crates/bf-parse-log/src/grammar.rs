//! The built-in dialects: what each line of the known backfill jobs says.
//!
//! Every rule is anchored at the beginning of a message. A message that merely holds the words of another
//! (another logger's, a line of source code in a traceback, a retry hint) says nothing.

mod closing;
mod opening;
mod plain;
mod result;

use crate::dialect::event::Event;
use crate::line::fields::is_too_large;
use crate::line::prefix::{Level, Origin, Prefix, indent, prefix};

/// A line, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What it says, and the name of the rule that found it.
    pub(crate) event: Option<(Event, &'static str)>,
    /// Whether the line had a logging prefix.
    pub(crate) prefixed: bool,
    /// Whether a job event of this kind must carry a prefix in a log whose other events do.
    pub(crate) needs_prefix: bool,
    /// Whether a traceback under this line belongs to it; `None` leaves it to the line above.
    pub(crate) owns: Option<bool>,
}

/// A message of the job, ready for the rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// The whole line, which spans refer to.
    pub(crate) line: &'a [u8],
    /// The message without its indentation.
    pub(crate) text: &'a [u8],
    /// Blanks before the text.
    pub(crate) indent: usize,
    /// Whether the indentation must be exactly the job's own, because nothing else tells who wrote it.
    pub(crate) exact: bool,
    /// Whether the line is finished; figures at the end of an unfinished one may be cut.
    pub(crate) complete: bool,
    pub(crate) level: Option<Level>,
}

impl<'a> Message<'a> {
    /// What stands behind `lead`, if the text begins with it.
    pub(crate) fn after(&self, lead: &[u8]) -> Option<&'a [u8]> {
        self.text.strip_prefix(lead)
    }

    /// Whether the message is indented as the job indents it.
    pub(crate) fn indented_by(&self, blanks: usize) -> bool {
        !self.exact || self.indent == blanks
    }

    /// Whether the line goes on behind a number with a word, or is known to end there.
    pub(crate) fn number_is_whole(&self, behind: &[u8]) -> bool {
        match behind.first() {
            Some(byte) => {
                matches!(byte, b' ' | b'\t' | b')' | b'|') || (*byte == b',' && behind.len() > 1)
            }
            None => self.complete,
        }
    }
}

type Rule = (Event, &'static str);

/// What is left to say of a line whose figure could not be read: that it is too large, if it is.
pub(crate) fn too_large(figure: &[u8]) -> Option<Rule> {
    is_too_large(figure).then_some((Event::TooLarge, "too-large"))
}

/// Reads one line, without its line break. `complete` is false for a last line that has none yet.
pub(crate) fn read(line: &[u8], complete: bool) -> Reading {
    let Prefix {
        origin,
        level,
        body,
    } = prefix(line);
    let body = &line[body..];
    let (indent, text) = indent(body);
    let message = Message {
        line,
        text,
        indent,
        exact: matches!(origin, Origin::Unnamed | Origin::Plain),
        complete,
        level,
    };
    match origin {
        Origin::Plain => {
            let plain = plain::read(&message);
            let event = plain.or_else(|| job(&message)).or_else(|| other(&message));
            // The one line that the jobs always print behind a line break inside a message.
            let comes_plain = matches!(event, Some((Event::CheckpointSummary, _)));
            Reading {
                event,
                prefixed: false,
                needs_prefix: plain.is_none() && !comes_plain,
                owns: plain::owns(&message).or_else(|| goes_on(event)),
            }
        }
        Origin::Other => Reading {
            event: other(&message),
            prefixed: true,
            needs_prefix: false,
            owns: Some(owns(&message)),
        },
        Origin::Job | Origin::Unnamed => Reading {
            event: job(&message)
                .or_else(|| {
                    (origin == Origin::Unnamed)
                        .then(|| other(&message))
                        .flatten()
                })
                .or_else(|| error_of_job(&message)),
            prefixed: true,
            needs_prefix: false,
            owns: Some(owns(&message)),
        },
    }
}

/// What the job itself says.
fn job(message: &Message<'_>) -> Option<Rule> {
    let first = *message.text.first()?;
    if first >= 0x80 {
        return result::read(message).or_else(|| opening::with_emoji(message));
    }
    result::read_ascii(message, first)
        .or_else(|| opening::read(message, first))
        .or_else(|| closing::read(message, first))
}

/// What other loggers say that matters: which date they begin, which game dates there are, what went wrong.
fn other(message: &Message<'_>) -> Option<Rule> {
    if let Some(rest) = message.after(b"ANALYTICS_STEP Starting analytics processor for ") {
        return crate::line::fields::date_at(rest)
            .filter(|_| rest.len() == 10)
            .map(|date| (Event::BeganQuietly(date), "processor-start"));
    }
    if let Some(event) = opening::schedule(message) {
        return Some(event);
    }
    (message.level >= Some(Level::Error)).then(|| {
        (
            Event::Error {
                date: crate::line::fields::find_date(message.text),
                text: crate::dialect::event::Span::of(message.line, message.text),
            },
            "error-message",
        )
    })
}

fn error_of_job(message: &Message<'_>) -> Option<Rule> {
    let text = crate::dialect::event::Span::of(message.line, message.text);
    match message.level? {
        Level::Critical => Some((Event::Critical(text), "critical")),
        Level::Error => Some((
            Event::Error {
                date: crate::line::fields::find_date(message.text),
                text,
            },
            "error-message",
        )),
        _ => None,
    }
}

/// Where no line has a prefix, a date that begins ends the message above it.
fn goes_on(event: Option<Rule>) -> Option<bool> {
    matches!(
        event,
        Some((Event::Begin { .. } | Event::BeganQuietly(_), _))
    )
    .then_some(false)
}

/// A message that reports an error may have a traceback under it; a verdict on a date has none.
fn owns(message: &Message<'_>) -> bool {
    let verdict = [&b"\xE2\x9C\x97"[..], b"\xE2\x9D\x8C", b"\xE2\x9A\xA0"]
        .iter()
        .any(|symbol| message.text.starts_with(symbol));
    message.level >= Some(Level::Error) && !verdict
}
