//! The lines of a run before its first date.

use bf_contract::DateRange;

use super::{Message, Rule, too_large};
use crate::dialect::event::{Event, Mode, Opened, Opening, Span};
use crate::line::fields::{count_at, date_at, is_too_large, trim};

/// A range written `A to B` at the beginning of `bytes`.
pub(super) fn range_at(bytes: &[u8]) -> Option<DateRange> {
    let start = date_at(bytes)?;
    let end = date_at(bytes.get(10..)?.strip_prefix(b" to ")?)?;
    DateRange::new(start, end).ok()
}

/// A range behind ` from `.
fn range_after_from(bytes: &[u8]) -> Option<DateRange> {
    let at = memchr::memmem::rfind(bytes, b" from ")?;
    range_at(&bytes[at + 6..])
}

fn opened(opening: Opening, what: Opened, rule: &'static str) -> Option<Rule> {
    Some((Event::Opening(opening, what), rule))
}

/// Lines that begin with an ASCII character.
pub(super) fn read(message: &Message<'_>, first: u8) -> Option<Rule> {
    match first {
        b'D' => date_lines(message),
        b'S' => starting(message),
        b'W' => will_process(message),
        b'P' => processing(message).or_else(|| phase(message)),
        b'R' => resuming(message).or_else(|| {
            let rest = message.after(b"Remaining Days: ")?;
            opened(
                Opening::RemainingDays,
                Opened {
                    mode: Some(Mode::Upcoming),
                    to_do: number(message, rest),
                    too_large: is_too_large(rest),
                    ..Opened::default()
                },
                "remaining-days",
            )
        }),
        b'N' => no(message),
        b'T' => {
            let rest = message.after(b"Total Days: ")?;
            opened(
                Opening::TotalDays,
                Opened {
                    mode: Some(Mode::Upcoming),
                    range_total: number(message, rest),
                    too_large: is_too_large(rest),
                    ..Opened::default()
                },
                "total-days",
            )
        }
        b'M' => {
            let rest = message.after(b"Mode: ")?;
            let dry_run = rest.starts_with(b"DRY RUN");
            (dry_run || rest.starts_with(b"PRODUCTION")).then_some(())?;
            opened(
                Opening::RunMode,
                Opened {
                    dry_run: Some(dry_run),
                    ..Opened::default()
                },
                "run-mode",
            )
        }
        b'U' => title(message),
        b'E' => message.after(b"Execution order: ").and_then(|_| {
            opened(
                Opening::ExecutionOrder,
                Opened::default(),
                "execution-order",
            )
        }),
        b'V' => {
            let rest = message.after(b"Verifying Phase 3 data exists for ")?;
            opened(
                Opening::Preflight,
                Opened {
                    range: range_at(rest),
                    ..Opened::default()
                },
                "preflight",
            )
        }
        b'C' => checkpoint(message),
        b'(' => off_days(message),
        b'F' => schedule(message),
        b'-' => {
            message.after(b"--no-resume specified")?;
            opened(Opening::ResumeFlag, Opened::default(), "no-resume")
        }
        _ => None,
    }
}

/// Lines that begin with an emoji.
pub(super) fn with_emoji(message: &Message<'_>) -> Option<Rule> {
    const ROCKET: &[u8] = "🚀 ".as_bytes();
    const FOLDER: &[u8] = "📂 ".as_bytes();
    const CHART: &[u8] = "📊 ".as_bytes();
    const AGAIN: &[u8] = "🔄 ".as_bytes();
    if let Some(rest) = message.after(ROCKET) {
        rest.starts_with(b"PARALLEL BACKFILL MODE").then_some(())?;
        return opened(
            Opening::ParallelBanner,
            Opened {
                mode: Some(Mode::Parallel),
                ..Opened::default()
            },
            "parallel-banner",
        );
    }
    if let Some(rest) = message.after(FOLDER) {
        let behind = Message {
            text: rest,
            ..*message
        };
        return resuming(&behind);
    }
    if let Some(rest) = message.after(CHART) {
        return rest
            .starts_with(b"Checkpoint Summary")
            .then_some((Event::CheckpointSummary, "checkpoint-summary"));
    }
    let rest = message.after(AGAIN)?;
    rest.starts_with(b"--no-resume").then_some(())?;
    opened(Opening::ResumeFlag, Opened::default(), "no-resume")
}

fn number(message: &Message<'_>, bytes: &[u8]) -> Option<u64> {
    let (value, taken) = count_at(bytes)?;
    message.number_is_whole(&bytes[taken..]).then_some(value)
}

fn date_lines(message: &Message<'_>) -> Option<Rule> {
    if let Some(rest) = message
        .after(b"Date range: ")
        .or_else(|| message.after(b"Date Range: "))
    {
        return range_at(rest).map(|range| (Event::Range(range), "date-range"));
    }
    if let Some(rest) = message.after(b"Dry run: ") {
        return opened(
            Opening::DryRunFlag,
            Opened {
                dry_run: Some(rest.starts_with(b"True")),
                ..Opened::default()
            },
            "dry-run-flag",
        );
    }
    if message.text.starts_with(b"Day-by-day ") && message.text.ends_with(b"configuration:") {
        return opened(Opening::Configuration, Opened::default(), "configuration");
    }
    if message.text.starts_with(b"DRY RUN MODE") {
        return Some((Event::DryRunMode, "dry-run-mode"));
    }
    // Printed for each date by a job that only looks at what the date would need.
    message
        .after(b"Dependencies: {")
        .map(|_| (Event::DryRunMode, "dependencies"))
}

fn starting(message: &Message<'_>) -> Option<Rule> {
    message.after(b"Starting ")?;
    let at = memchr::memmem::find(message.text, b"backfill from ")?;
    let game_dates =
        message.text.starts_with(b"Starting backfill") || message.text.starts_with(b"Starting ML ");
    opened(
        Opening::Starting,
        Opened {
            range: range_at(&message.text[at + 14..]),
            mode: Some(if game_dates {
                Mode::GameDates
            } else {
                Mode::DayByDay
            }),
            ..Opened::default()
        },
        "starting",
    )
}

fn will_process(message: &Message<'_>) -> Option<Rule> {
    let rest = message.after(b"Will process ")?;
    let Some((_, taken)) = count_at(rest) else {
        return too_large(rest);
    };
    rest[taken..].starts_with(b" days from ").then_some(())?;
    opened(
        Opening::WillProcess,
        Opened {
            range: range_after_from(rest),
            ..Opened::default()
        },
        "will-process",
    )
}

/// `Processing N …` that announces dates; a date that begins is a rule of its own.
fn processing(message: &Message<'_>) -> Option<Rule> {
    let rest = message.after(b"Processing ")?;
    let announce = |mode, to_do, range_total| {
        opened(
            Opening::DaysAnnounced,
            Opened {
                mode: Some(mode),
                to_do: Some(to_do),
                range_total,
                ..Opened::default()
            },
            "dates-announced",
        )
    };
    let Some((count, taken)) = count_at(rest) else {
        return whole_range(message, rest).or_else(|| too_large(rest));
    };
    let rest = &rest[taken..];
    if rest.starts_with(b" specific dates") {
        return opened(
            Opening::SpecificDates,
            Opened {
                mode: Some(Mode::SpecificDates),
                to_do: Some(count),
                ..Opened::default()
            },
            "specific-dates",
        );
    }
    if let Some(rest) = rest.strip_prefix(b" game dates") {
        if rest.starts_with(b" with ") {
            return announce(Mode::Parallel, count, None);
        }
        let rest = rest.strip_prefix(b" (of ")?;
        let Some((total, _)) = count_at(rest) else {
            return too_large(rest);
        };
        return announce(Mode::GameDates, count, Some(total));
    }
    let rest = rest.strip_prefix(b" days")?;
    if rest.starts_with(b" with ") {
        return announce(Mode::Parallel, count, None);
    }
    if rest.starts_with(b" individually") {
        return announce(Mode::DayByDay, count, None);
    }
    let rest = rest.strip_prefix(b" (of ")?;
    let Some((total, _)) = count_at(rest) else {
        return too_large(rest);
    };
    announce(Mode::DayByDay, count, Some(total))
}

/// `Processing player game context for A to B`: no dates of their own will follow.
fn whole_range(message: &Message<'_>, rest: &[u8]) -> Option<Rule> {
    let at = memchr::memmem::find(rest, b" game context for ")?;
    let range = range_at(&rest[at + 18..])?;
    debug_assert!(message.text.len() >= rest.len());
    opened(
        Opening::WholeRange,
        Opened {
            mode: Some(Mode::WholeRange),
            range: Some(range),
            ..Opened::default()
        },
        "whole-range",
    )
}

fn phase(message: &Message<'_>) -> Option<Rule> {
    if message.text.starts_with(b"PHASE 3 PRE-FLIGHT CHECK") {
        return opened(Opening::Configuration, Opened::default(), "preflight-title");
    }
    if message.text.starts_with(b"PARALLEL PROCESSING STARTED") {
        return opened(
            Opening::ParallelStarted,
            Opened {
                mode: Some(Mode::Parallel),
                ..Opened::default()
            },
            "parallel-started",
        );
    }
    if let Some(rest) = message.after(b"Processor: ") {
        return Some((Event::Job(Span::of(message.line, trim(rest))), "processor"));
    }
    let rest = message.after(b"Phase 4 ")?;
    if let Some(range) = rest.strip_prefix(b"precompute backfill: ") {
        return opened(
            Opening::RangeTitle,
            Opened {
                range: range_at(range),
                ..Opened::default()
            },
            "phase-4-range",
        );
    }
    rest.ends_with(b"backfill configuration:").then_some(())?;
    opened(Opening::RangeTitle, Opened::default(), "configuration")
}

/// `Found checkpoint - resuming from D`, `Resuming from D`, `RESUMING from checkpoint: D`.
fn resuming(message: &Message<'_>) -> Option<Rule> {
    let rest = message
        .after(b"Found checkpoint - resuming from ")
        .or_else(|| message.after(b"Resuming from "))
        .or_else(|| message.after(b"RESUMING from checkpoint: "))?;
    opened(
        Opening::Resuming,
        Opened {
            resume: Some(date_at(rest)?),
            ..Opened::default()
        },
        "resuming",
    )
}

fn no(message: &Message<'_>) -> Option<Rule> {
    if message.text.starts_with(b"No resume: ") {
        return opened(Opening::ResumeFlag, Opened::default(), "resume-flag");
    }
    message
        .text
        .starts_with(b"No game dates found in the specified range")
        .then(|| {
            (
                Event::Refused(Span::of(message.line, message.text)),
                "no-game-dates",
            )
        })
}

/// `Upcoming Player Game Context Backfill`.
fn title(message: &Message<'_>) -> Option<Rule> {
    let text = trim(message.text);
    (text.starts_with(b"Upcoming ") && text.ends_with(b" Backfill") && text.len() < 80)
        .then_some(())?;
    opened(
        Opening::Title,
        Opened {
            mode: Some(Mode::Upcoming),
            job: Some(Span::of(message.line, &text[..text.len() - 9])),
            ..Opened::default()
        },
        "title",
    )
}

/// `Checkpoint: /dir/<job>_<start>_<end>.json`.
fn checkpoint(message: &Message<'_>) -> Option<Rule> {
    let path = trim(message.after(b"Checkpoint: ")?);
    let name = match memchr::memrchr(b'/', path) {
        Some(slash) => &path[slash + 1..],
        None => path,
    };
    let stem = name.strip_suffix(b".json")?;
    let job = stem.len().checked_sub("_YYYY-MM-DD_YYYY-MM-DD".len())?;
    let (job, dates) = stem.split_at(job);
    let start = date_at(dates.get(1..11)?)?;
    let end = date_at(dates.get(12..)?)?;
    Some((
        Event::Checkpoint {
            job: Span::of(message.line, job),
            range: DateRange::new(start, end).ok(),
        },
        "checkpoint-path",
    ))
}

/// `(Skipping 3 off-days in the calendar range)`.
fn off_days(message: &Message<'_>) -> Option<Rule> {
    let rest = message.after(b"(Skipping ")?;
    let Some((off_days, taken)) = count_at(rest) else {
        return too_large(rest);
    };
    rest[taken..].starts_with(b" off-days in ").then_some((
        Event::Schedule {
            game_dates: None,
            off_days: Some(off_days),
        },
        "off-days",
    ))
}

/// `Found 27 game dates out of 28 calendar days (skipping 1 off-days)`.
pub(super) fn schedule(message: &Message<'_>) -> Option<Rule> {
    let rest = message.after(b"Found ")?;
    let Some((game_dates, taken)) = count_at(rest) else {
        return too_large(rest).filter(|_| rest.ends_with(b" off-days)"));
    };
    let fits = rest[taken..].starts_with(b" game dates out of ") && rest.ends_with(b" off-days)");
    fits.then_some((
        Event::Schedule {
            game_dates: Some(game_dates),
            off_days: None,
        },
        "schedule",
    ))
}
