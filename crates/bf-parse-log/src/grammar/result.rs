//! A date begins, succeeds, fails, is left out or only looked at.

use chrono::NaiveDate;

use super::{Message, Rule, too_large};
use crate::dialect::event::{Event, Mode, Span, Word};
use crate::line::fields::{date_at, fraction_at, number_at, trim, trim_start};

const CHECK: &[u8] = "✓ ".as_bytes();
const CROSS: &[u8] = "✗ ".as_bytes();
const SKIPPED: &[u8] = "⏭".as_bytes();
const GREEN: &[u8] = "✅ ".as_bytes();
const RED: &[u8] = "❌ ".as_bytes();
const WARNING: &[u8] = "⚠".as_bytes();
/// Makes an emoji of the sign before it.
const EMOJI_FORM: &[u8] = "\u{fe0f}".as_bytes();

/// Messages that begin with a sign.
pub(super) fn read(message: &Message<'_>) -> Option<Rule> {
    if let Some(rest) = message.after(CHECK) {
        return success(message, rest);
    }
    if let Some(rest) = message.after(CROSS) {
        return failure(message, rest);
    }
    if let Some(rest) = message.after(SKIPPED) {
        return skip(
            message,
            trim_start(rest.strip_prefix(EMOJI_FORM).unwrap_or(rest)),
        );
    }
    if let Some(rest) = message.after(GREEN) {
        return processed(message, rest);
    }
    if let Some(rest) = message.after(RED) {
        return exception_or_refusal(message, rest);
    }
    let rest = message.after(WARNING)?;
    let rest = rest.strip_prefix(EMOJI_FORM).unwrap_or(rest);
    warned(message, trim_start(rest))
}

/// Messages that begin with an ASCII character.
pub(super) fn read_ascii(message: &Message<'_>, first: u8) -> Option<Rule> {
    match first {
        b'P' => begin(message),
        b'E' => exception(message, b"Exception"),
        b'U' => exception(message, b"Unexpected exception"),
        b'1' | b'2' => word(message),
        _ => None,
    }
}

/// `Processing day 3/12: D`, `Processing date …`, `Processing game date …`.
fn begin(message: &Message<'_>) -> Option<Rule> {
    let rest = message.after(b"Processing ")?;
    message.indented_by(0).then_some(())?;
    let (mode, rest) = if let Some(rest) = rest.strip_prefix(b"day ") {
        (Mode::DayByDay, rest)
    } else if let Some(rest) = rest.strip_prefix(b"date ") {
        (Mode::SpecificDates, rest)
    } else {
        (Mode::GameDates, rest.strip_prefix(b"game date ")?)
    };
    let Some((index, total, rest)) = fraction_at(rest) else {
        return too_large(rest);
    };
    let date = date_at(rest.strip_prefix(b": ")?)?;
    Some((
        Event::Begin {
            date,
            index,
            total: Some(total),
            mode,
        },
        "date-start",
    ))
}

/// `D: rest`.
fn dated(bytes: &[u8]) -> Option<(NaiveDate, &[u8])> {
    let date = date_at(bytes)?;
    Some((date, bytes.get(10..)?.strip_prefix(b": ")?))
}

fn success(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    message.indented_by(2).then_some(())?;
    if rest.starts_with(b"Dry run") {
        return Some((Event::Looked { date: None }, "dry-run"));
    }
    let (date, figures, rule) = if let Some(figures) = rest.strip_prefix(b"Success: ") {
        (None, figures, "success")
    } else {
        let (date, figures) = dated(rest)?;
        (Some(date), figures, "dated-success")
    };
    let Some((records, taken)) = number_at(figures) else {
        return too_large(figures);
    };
    message.number_is_whole(&figures[taken..]).then_some(())?;
    Some((
        Event::Success {
            date,
            records: Some(records),
        },
        rule,
    ))
}

fn failure(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    message.indented_by(2).then_some(())?;
    let span = |bytes: &[u8]| Span::of(message.line, trim(bytes));
    if let Some(rest) = rest.strip_prefix(b"Failed: ") {
        let date = date_at(rest).filter(|_| trim(rest).len() == 10);
        return Some((
            Event::Failure {
                date,
                reason: if date.is_some() {
                    Span::default()
                } else {
                    span(rest)
                },
            },
            "failure",
        ));
    }
    if let Some(rest) = rest.strip_prefix(b"Exception: ") {
        return Some((
            Event::Failure {
                date: None,
                reason: span(rest),
            },
            "failure-exception",
        ));
    }
    let (date, reason) = dated(rest)?;
    Some((
        Event::Failure {
            date: Some(date),
            reason: span(reason),
        },
        "dated-failure",
    ))
}

fn skip(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    message.indented_by(2).then_some(())?;
    let (date, reason, rule) = if let Some(reason) = rest.strip_prefix(b"Skipped: ") {
        (None, reason, "skip")
    } else {
        let (date, reason) = dated(rest)?;
        (Some(date), reason, "dated-skip")
    };
    Some((
        Event::Skip {
            date,
            reason: Span::of(message.line, trim(reason)),
        },
        rule,
    ))
}

/// `✅ D: Processed 200 players (3 failed)`.
fn processed(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    message.indented_by(0).then_some(())?;
    let (date, rest) = dated(rest)?;
    let figures = rest.strip_prefix(b"Processed ")?;
    let Some((records, taken)) = number_at(figures) else {
        return too_large(figures);
    };
    message.number_is_whole(&figures[taken..]).then_some(())?;
    Some((
        Event::Success {
            date: Some(date),
            records: Some(records),
        },
        "processed",
    ))
}

/// `❌ D: Exception - message`, or a pre-flight check that did not let the job start.
fn exception_or_refusal(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    message.indented_by(0).then_some(())?;
    if rest.starts_with(b"PRE-FLIGHT CHECK FAILED") || rest.starts_with(b"Pre-flight check failed")
    {
        return Some((
            Event::Refused(Span::of(message.line, message.text)),
            "preflight-failed",
        ));
    }
    let (date, rest) = dated(rest)?;
    let reason = rest.strip_prefix(b"Exception - ")?;
    Some((
        Event::Failure {
            date: Some(date),
            reason: Span::of(message.line, trim(reason)),
        },
        "exception",
    ))
}

/// `⚠️  D: Processing failed - message`, and a dry run that found something missing.
fn warned(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    if rest.starts_with(b"Dry run: ") {
        return message
            .indented_by(2)
            .then_some((Event::Looked { date: None }, "dry-run"));
    }
    message.indented_by(0).then_some(())?;
    let (date, rest) = dated(rest)?;
    let rest = rest.strip_prefix(b"Processing failed")?;
    let reason = rest.strip_prefix(b" - ").unwrap_or_default();
    let reason = if reason.is_empty() {
        Span::default()
    } else {
        Span::of(message.line, trim(reason))
    };
    Some((
        Event::Failure {
            date: Some(date),
            reason,
        },
        "processing-failed",
    ))
}

/// `Exception processing D: message` and its relatives, which the job prints with a traceback. All of
/// them mean a failed date.
fn exception(message: &Message<'_>, lead: &[u8]) -> Option<Rule> {
    let rest = message.after(lead)?;
    let span = |bytes: &[u8]| Span::of(message.line, trim(bytes));
    if let Some(rest) = rest.strip_prefix(b" processing ") {
        let (date, reason) = dated(rest)?;
        return Some((
            Event::Failure {
                date: Some(date),
                reason: span(reason),
            },
            "exception-processing",
        ));
    }
    let reason = rest
        .strip_prefix(b" during processing: ")
        .or_else(|| rest.strip_prefix(b": "))?;
    // Only the job logs these, and at this level: a plain `Exception: …` is the last line of a traceback.
    message.level.is_some().then_some(())?;
    Some((
        Event::Failure {
            date: None,
            reason: span(reason),
        },
        "exception-during-processing",
    ))
}

/// `D: success` and its relatives.
fn word(message: &Message<'_>) -> Option<Rule> {
    message.indented_by(0).then_some(())?;
    let (date, rest) = dated(message.text)?;
    let word = match trim(rest) {
        b"success" => Word::Success,
        b"failed" | b"exception" => Word::Failed,
        b"skipped_bootstrap" => Word::Skipped,
        b"dry_run_complete" => Word::Looked,
        _ => return None,
    };
    let of_job = !message.exact;
    Some((Event::Word { date, word, of_job }, "status-word"))
}
