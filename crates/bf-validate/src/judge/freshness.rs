//! Rows of an older run that stand in for this one.

use std::collections::BTreeSet;

use bf_contract::LedgerStatus;
use chrono::{DateTime, NaiveDate};

use super::{Facts, threshold};
use crate::figures::{float, plural};
use crate::finding::{Finding, Met, met};
use crate::scan::Cell;
use crate::suite::Check;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Clocks of the job and of the engine may differ by so much.
const CLOCK_SKEW: i64 = 60 * SECOND;

/// A run is taken to last no longer than this where nobody says when it began.
const RUN: i64 = DAY;

/// Rows that are older than the bulk by more than this are no accident of a long run.
const SURELY_OLDER: i64 = 7 * DAY;

/// Fewer dates say nothing about what the bulk is.
const FEWEST_DATES: usize = 10;

/// The oldest row of each date, and the dates with rows that do not say when they were written.
struct Written {
    oldest: Vec<(NaiveDate, i64)>,
    unknown: Vec<NaiveDate>,
}

pub(super) fn judge(facts: &Facts<'_>, check: &Check, needs: &[usize]) -> Finding {
    let mut written = Written {
        oldest: Vec::new(),
        unknown: Vec::new(),
    };
    for (day, cell) in facts.scan.by_day(needs[0], facts.range) {
        if let Cell::Oldest { micros, unknown } = cell {
            if *unknown > 0 {
                written.unknown.push(day);
            }
            if let Some(micros) = micros {
                written.oldest.push((day, *micros));
            }
        }
    }
    match facts.since {
        Some(since) => since_began(facts, check, &written, since),
        None => against_the_bulk(check, &written),
    }
}

/// Every date that this run claims must have been written since it began.
fn since_began(facts: &Facts<'_>, check: &Check, written: &Written, since: i64) -> Finding {
    let claimed = claimed_dates(facts);
    let is_asked = |day: &NaiveDate| claimed.as_ref().is_none_or(|claimed| claimed.contains(day));
    let mut stale: Vec<NaiveDate> = written
        .oldest
        .iter()
        .filter(|(_, micros)| *micros < since - CLOCK_SKEW)
        .map(|(day, _)| *day)
        .chain(written.unknown.iter().copied())
        .filter(is_asked)
        .collect();
    stale.sort_unstable();
    stale.dedup();
    let threshold = threshold(check);
    let count = stale.len() as u64;
    if stale.is_empty() {
        return Finding::new(
            Met::Yes,
            format!("{}: none (all written since {})", check.title, clock(since)),
        )
        .figure(0.0, threshold);
    }
    let mut finding = Finding::new(
        met(float(count), threshold),
        format!(
            "{}: {} written before the phase began at {}",
            check.title,
            plural(count, "date"),
            clock(since)
        ),
    )
    .figure(float(count), threshold)
    .on(stale);
    // Without a ledger nobody can say which dates an earlier run was to keep.
    let kept = facts
        .log
        .map_or(0, |log| log.summary.earlier_days + log.summary.skipped_days);
    if finding.met == Met::No && claimed.is_none() && count <= kept {
        finding.met = Met::Barely;
        finding.message.push_str(&format!(
            "; the log says that {kept} were done before or skipped"
        ));
    }
    finding
}

/// The dates that the last run of the log says it wrote; `None` where no ledger says.
fn claimed_dates(facts: &Facts<'_>) -> Option<BTreeSet<NaiveDate>> {
    let log = facts.log.filter(|log| !log.ledger.is_empty())?;
    let last_run = log.ledger.values().map(|entry| entry.run).max()?;
    Some(
        log.ledger
            .values()
            .filter(|entry| entry.status == LedgerStatus::Success && entry.run == last_run)
            .map(|entry| entry.date)
            .collect(),
    )
}

/// Nobody says when the run began: then most dates were written within a day, and a few long before.
fn against_the_bulk(check: &Check, written: &Written) -> Finding {
    let threshold = threshold(check);
    let content = |why: &str| {
        Finding::new(Met::Yes, format!("{}: {why}", check.title)).figure(0.0, threshold)
    };
    let unsure =
        "the start of the run is not known (--since), and the times of writing do not tell";
    let Some((from, to, size)) = bulk(&written.oldest) else {
        return Finding::skipped(format!("{}: {unsure}", check.title));
    };
    if written.oldest.len() < FEWEST_DATES || size * 10 < written.oldest.len() * 6 {
        return Finding::skipped(format!("{}: {unsure}", check.title));
    }
    let older = |by: i64| -> Vec<NaiveDate> {
        let old = written
            .oldest
            .iter()
            .filter(|(_, micros)| *micros < from - by);
        old.map(|(day, _)| *day).collect()
    };
    let old = older(RUN);
    if old.is_empty() {
        return content("none (all dates were written within a day of each other, or later)");
    }
    let all: Vec<NaiveDate> = written.oldest.iter().map(|(day, _)| *day).collect();
    // A run that was resumed, or a range of two runs; a few dates alone are neither.
    let is_part = old.len() * 10 >= all.len();
    if is_part && (all.starts_with(&old) || all.ends_with(&old)) {
        return content("none that stand between newer ones (one end of the range is older)");
    }
    let surely = older(SURELY_OLDER);
    let (met, dates) = if surely.is_empty() {
        (Met::Barely, old)
    } else {
        (Met::No, surely)
    };
    let oldest = written
        .oldest
        .iter()
        .map(|(_, micros)| *micros)
        .min()
        .unwrap_or(from);
    let count = dates.len() as u64;
    Finding::new(
        met,
        format!(
            "{}: {} written from {} on, long before the other {} ({} to {})",
            check.title,
            plural(count, "date"),
            clock(oldest),
            all.len() - dates.len(),
            clock(from),
            clock(to)
        ),
    )
    .figure(float(count), threshold)
    .on(dates)
}

/// The day-long window in which most dates were written: its first and last time, and how many dates.
fn bulk(oldest: &[(NaiveDate, i64)]) -> Option<(i64, i64, usize)> {
    let mut times: Vec<i64> = oldest.iter().map(|(_, micros)| *micros).collect();
    times.sort_unstable();
    let mut best: Option<(i64, i64, usize)> = None;
    let mut first = 0;
    for last in 0..times.len() {
        while times[last] - times[first] > RUN {
            first += 1;
        }
        let size = last - first + 1;
        if best.is_none_or(|(_, _, most)| size >= most) {
            best = Some((times[first], times[last], size));
        }
    }
    best
}

fn clock(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(
        || micros.to_string(),
        |time| time.format("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
