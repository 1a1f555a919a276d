//! The lines of a run after its last date, its progress, and its refusals.

use super::{Message, Rule, too_large};
use crate::dialect::event::{Claim, Event, Mode, Span};
use crate::line::fields::{count_at, fraction_at};
use crate::line::prefix::Level;

pub(super) fn read(message: &Message<'_>, first: u8) -> Option<Rule> {
    match first {
        b'P' => progress(message)
            .or_else(|| end(message))
            .or_else(|| broke(message, b"Processor returned False", "processor-failed")),
        b'D' => end(message).or_else(|| days(message)),
        b'S' => successful(message)
            .or_else(|| end(message))
            .or_else(|| counts(message))
            .or_else(|| refused(message)),
        b'F' => claim(message, &[b"Failed days: ", b"Failed: "], Claim::Failed)
            .or_else(|| failed_dates(message, b"Failed dates: ")),
        b'p' => failed_dates(message, b"python "),
        b'B' => end(message).or_else(|| {
            broke(
                message,
                b"Backfill failed with exception: ",
                "backfill-failed",
            )
        }),
        b'E' | b'I' | b'-' => refused(message),
        _ => None,
    }
}

/// `Progress: 10/12 days (…)`, `PROGRESS: 10/20 (…)`.
fn progress(message: &Message<'_>) -> Option<Rule> {
    let rest = message
        .after(b"Progress: ")
        .or_else(|| message.after(b"PROGRESS: "))?;
    let Some((done, total, _)) = fraction_at(rest) else {
        return too_large(rest);
    };
    Some((Event::Progress { done, total }, "progress"))
}

/// What a run prints when its last date is done. The whole message, so that one which only begins like it
/// ends nothing.
fn end(message: &Message<'_>) -> Option<Rule> {
    let (mode, rule) = match message.text.trim_ascii_end() {
        b"PARALLEL BACKFILL COMPLETE" => (Some(Mode::Parallel), "parallel-end"),
        b"DAY-BY-DAY BACKFILL SUMMARY:" => (Some(Mode::DayByDay), "day-by-day-end"),
        b"SPECIFIC DATES PROCESSING SUMMARY:" => (Some(Mode::SpecificDates), "specific-dates-end"),
        b"BACKFILL COMPLETE" => (Some(Mode::Upcoming), "upcoming-end"),
        b"BACKFILL SUCCESSFUL" => (Some(Mode::WholeRange), "whole-range-end"),
        // `PHASE 4 BACKFILL SUMMARY - SomeProcessor (FINAL):`
        text if text.starts_with(b"PHASE 4 BACKFILL SUMMARY - ") && text.ends_with(b":") => {
            (None, "phase-4-end")
        }
        _ => return None,
    };
    Some((Event::End(mode), rule))
}

/// What a job says when the whole of it broke.
fn broke(message: &Message<'_>, words: &[u8], rule: &'static str) -> Option<Rule> {
    message
        .text
        .starts_with(words)
        .then(|| (Event::Critical(Span::of(message.line, message.text)), rule))
}

/// `Failed dates: 2024-01-05, 2024-01-07`, and `python job.py --dates 2024-01-05,2024-01-07`.
fn failed_dates(message: &Message<'_>, lead: &[u8]) -> Option<Rule> {
    let rest = message.after(lead)?;
    let list = if lead == b"python " {
        let at = memchr::memmem::find(rest, b" --dates ")?;
        &rest[at + 9..]
    } else {
        rest
    };
    crate::line::fields::date_at(list)?;
    Some((
        Event::FailedDates(Span::of(message.line, list)),
        "failed-dates",
    ))
}

fn days(message: &Message<'_>) -> Option<Rule> {
    // The figure behind `Days Processed: 4/6` is the successful ones.
    if let Some(rest) = message.after(b"Days Processed: ") {
        let Some((successful, _, _)) = fraction_at(rest) else {
            return too_large(rest);
        };
        return Some((Event::Claim(Claim::Successful, successful), "claim"));
    }
    claim(message, &[b"Days Failed: "], Claim::Failed)
}

fn claim(message: &Message<'_>, leads: &[&[u8]], claim: Claim) -> Option<Rule> {
    let rest = leads.iter().find_map(|lead| message.after(lead))?;
    let Some((figure, taken)) = count_at(rest) else {
        return too_large(rest);
    };
    message
        .number_is_whole(&rest[taken..])
        .then_some((Event::Claim(claim, figure), "claim"))
}

/// `Successful: 13, Skipped: 3, Failed: 2`, or one figure a line.
fn successful(message: &Message<'_>) -> Option<Rule> {
    if let Some(rest) = message.after(b"Successful: ")
        && let Some((successful, taken)) = count_at(rest)
        && let Some(rest) = rest[taken..].strip_prefix(b", Skipped: ")
        && let Some((skipped, taken)) = count_at(rest)
        && let Some(rest) = rest[taken..].strip_prefix(b", Failed: ")
        && let Some((failed, taken)) = count_at(rest)
    {
        return message.number_is_whole(&rest[taken..]).then_some((
            Event::Claims {
                successful,
                skipped,
                failed,
            },
            "claims",
        ));
    }
    claim(
        message,
        &[b"Successful days: ", b"Successful: "],
        Claim::Successful,
    )
    .or_else(|| {
        claim(
            message,
            &[b"Skipped (bootstrap): ", b"Skipped: "],
            Claim::Skipped,
        )
    })
}

/// `Summary: 3 success, 1 skipped, 0 failed`.
fn counts(message: &Message<'_>) -> Option<Rule> {
    let rest = message.after(b"Summary: ")?;
    let Some((successful, taken)) = count_at(rest) else {
        return too_large(rest);
    };
    let rest = rest[taken..].strip_prefix(b" success, ")?;
    let Some((skipped, taken)) = count_at(rest) else {
        return too_large(rest);
    };
    let rest = rest[taken..].strip_prefix(b" skipped, ")?;
    let Some((failed, taken)) = count_at(rest) else {
        return too_large(rest);
    };
    rest[taken..].starts_with(b" failed").then_some((
        Event::EndCounts {
            successful,
            skipped,
            failed,
        },
        "counts-end",
    ))
}

/// What a job says that declines to start. Without a level it must be the whole message.
fn refused(message: &Message<'_>) -> Option<Rule> {
    const SENTENCES: [&[u8]; 3] = [
        b"Start date must be before end date",
        b"End date cannot be in the future",
        b"End date must be >= start date",
    ];
    const BEGINNINGS: [&[u8]; 4] = [
        b"Invalid start date format",
        b"Invalid end date format",
        b"Invalid date format",
        b"--start-date is required",
    ];
    let is_whole = message.level.is_none() && message.complete && message.indent == 0;
    let fits = |words: &&[u8]| message.text.starts_with(words);
    let is_refusal = if is_whole {
        SENTENCES.contains(&message.text.trim_ascii_end())
            || BEGINNINGS[..3]
                .iter()
                .any(|words| fits(words) && message.text[words.len()..].starts_with(b": "))
    } else {
        message.level >= Some(Level::Warning) && SENTENCES.iter().chain(&BEGINNINGS).any(fits)
    };
    is_refusal.then(|| {
        (
            Event::Refused(Span::of(message.line, message.text)),
            "refused",
        )
    })
}
