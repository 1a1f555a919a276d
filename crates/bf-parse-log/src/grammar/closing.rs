//! The lines of a run after its last date, its progress, and its refusals.

use super::{Message, Rule};
use crate::bytes::{count_at, fraction_at};
use crate::event::{Claim, Event, Mode, Span};
use crate::prefix::Level;

pub(super) fn read(message: &Message<'_>, first: u8) -> Option<Rule> {
    match first {
        b'P' => progress(message).or_else(|| parallel_or_phase(message)),
        b'D' => day_by_day(message),
        b'S' => successful(message)
            .or_else(|| specific(message))
            .or_else(|| refused(message)),
        b'F' => claim(message, &[b"Failed days: ", b"Failed: "], Claim::Failed),
        b'B' => backfill(message),
        b'E' | b'I' | b'-' => refused(message),
        _ => None,
    }
}

/// `Progress: 10/12 days (…)`, `PROGRESS: 10/20 (…)`.
fn progress(message: &Message<'_>) -> Option<Rule> {
    let rest = message
        .after(b"Progress: ")
        .or_else(|| message.after(b"PROGRESS: "))?;
    let (done, total, _) = fraction_at(rest)?;
    Some((Event::Progress { done, total }, "progress"))
}

fn parallel_or_phase(message: &Message<'_>) -> Option<Rule> {
    if message.text.starts_with(b"PARALLEL BACKFILL COMPLETE") {
        return Some((Event::End(Some(Mode::Parallel)), "parallel-end"));
    }
    if message.text.starts_with(b"Processor returned False") {
        return Some((
            Event::Critical(Span::of(message.line, message.text)),
            "processor-failed",
        ));
    }
    message
        .text
        .starts_with(b"PHASE 4 BACKFILL SUMMARY")
        .then_some((Event::End(None), "phase-4-end"))
}

fn day_by_day(message: &Message<'_>) -> Option<Rule> {
    if message.text.starts_with(b"DAY-BY-DAY BACKFILL SUMMARY") {
        return Some((Event::End(Some(Mode::DayByDay)), "day-by-day-end"));
    }
    // The figure behind `Days Processed: 4/6` is the successful ones.
    if let Some(rest) = message.after(b"Days Processed: ") {
        let (successful, _, _) = fraction_at(rest)?;
        return Some((Event::Claim(Claim::Successful, successful), "claim"));
    }
    claim(message, &[b"Days Failed: "], Claim::Failed)
}

fn claim(message: &Message<'_>, leads: &[&[u8]], claim: Claim) -> Option<Rule> {
    let rest = leads.iter().find_map(|lead| message.after(lead))?;
    let (figure, taken) = count_at(rest)?;
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

fn specific(message: &Message<'_>) -> Option<Rule> {
    if message
        .text
        .starts_with(b"SPECIFIC DATES PROCESSING SUMMARY")
    {
        return Some((Event::End(Some(Mode::SpecificDates)), "specific-dates-end"));
    }
    // `Summary: 3 success, 1 skipped, 0 failed`
    let rest = message.after(b"Summary: ")?;
    let (successful, taken) = count_at(rest)?;
    let rest = rest[taken..].strip_prefix(b" success, ")?;
    let (skipped, taken) = count_at(rest)?;
    let rest = rest[taken..].strip_prefix(b" skipped, ")?;
    let (failed, taken) = count_at(rest)?;
    rest[taken..].starts_with(b" failed").then_some((
        Event::EndCounts {
            successful,
            skipped,
            failed,
        },
        "counts-end",
    ))
}

fn backfill(message: &Message<'_>) -> Option<Rule> {
    if message.text.starts_with(b"BACKFILL COMPLETE") {
        return Some((Event::End(Some(Mode::Upcoming)), "upcoming-end"));
    }
    if message.text.starts_with(b"BACKFILL SUCCESSFUL") {
        return Some((Event::End(Some(Mode::WholeRange)), "whole-range-end"));
    }
    message
        .text
        .starts_with(b"Backfill failed with exception: ")
        .then(|| {
            (
                Event::Critical(Span::of(message.line, message.text)),
                "backfill-failed",
            )
        })
}

/// What a job says that declines to start.
fn refused(message: &Message<'_>) -> Option<Rule> {
    const WORDS: [&[u8]; 7] = [
        b"Start date must be before end date",
        b"End date cannot be in the future",
        b"End date must be >= start date",
        b"Invalid start date format",
        b"Invalid end date format",
        b"Invalid date format",
        b"--start-date is required",
    ];
    (message.level >= Some(Level::Warning)
        && WORDS.iter().any(|words| message.text.starts_with(words)))
    .then(|| {
        (
            Event::Refused(Span::of(message.line, message.text)),
            "refused",
        )
    })
}
