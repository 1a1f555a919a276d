//! `freshness`: rows of an older run that stay in place of this one's.

use std::collections::BTreeSet;

use bf_contract::{Comparison, LedgerStatus};
use bf_warehouse::moment::Moment;
use bf_warehouse::{Ident, Measure, WriteTimes};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning};
use crate::figures::plural;
use crate::outcome::{Finding, Outcome};
use crate::suite::TableSpec;

/// The dates with rows from before the phase began.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Freshness {}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Clocks of the job and of the engine may differ by so much.
const CLOCK_SKEW: i64 = 60 * SECOND;

/// A run is taken to last no longer than this if nothing says when it began.
const RUN: i64 = DAY;

/// Rows that are older than the bulk by more than this are no accident of a long run.
const SURELY_OLDER: i64 = 7 * DAY;

/// Fewer dates say nothing about what the bulk is.
const FEWEST_DATES: usize = 10;

impl CheckKind for Freshness {
    const KEY: &'static str = "freshness";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "dates with rows from before the job began";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = Option<Measure<WriteTimes>>;

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        match suite.written_at {
            Some(_) => Ok(()),
            None => Err("needs the suite's written_at".to_owned()),
        }
    }

    fn columns_of_suite(&self, suite: &TableSpec) -> Vec<Ident> {
        let written = suite.written_at.iter();
        written.map(|written| written.column.clone()).collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Option<Measure<WriteTimes>> {
        let written = planning.suite.written_at.as_ref()?;
        Some(planning.written(&written.column))
    }

    fn judge(&self, at: &Context<'_>, times: &Option<Measure<WriteTimes>>) -> Finding {
        let Some(times) = times else {
            return at.not_counted();
        };
        let written: Vec<(NaiveDate, WriteTimes)> = at.daily(*times).collect();
        match at.facts.since {
            Some(since) => since_began(at, &written, since),
            None => against_the_bulk(at, &written),
        }
    }
}

/// The zone of times that do not name their own.
fn zone(at: &Context<'_>) -> Option<FixedOffset> {
    at.facts.suite.written_at.as_ref()?.zone
}

/// What the write times of a date prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Fresh,
    Stale,
    /// A time without a zone, or one that has yet to come.
    Unclear,
    /// A date on which the phase began.
    SameDay,
    /// Rows without a readable time.
    Undated,
}

/// Whether the rows of a date were written since `since`, all of them.
fn proof(times: &WriteTimes, since: i64, now: i64, zone: Option<FixedOffset>) -> Proof {
    let limit = since - CLOCK_SKEW;
    let mut found = Proof::Fresh;
    for oldest in times.oldest() {
        let (first, last) = oldest.bounds(zone);
        if last < limit {
            return Proof::Stale;
        }
        if first < limit {
            let day = DateTime::from_timestamp_micros(since).map(|time| time.date_naive());
            let written =
                DateTime::from_timestamp_micros(oldest.as_utc()).map(|time| time.date_naive());
            let is_same_day = matches!(oldest, Moment::Day(_)) && day == written;
            let next = if is_same_day {
                Proof::SameDay
            } else {
                Proof::Unclear
            };
            if found != Proof::Unclear {
                found = next;
            }
        }
    }
    if is_to_come(times, now, zone) {
        found = Proof::Unclear;
    }
    if times.unknown > 0 {
        Proof::Undated
    } else {
        found
    }
}

/// Whether a row is from the future: that is no proof of anything.
fn is_to_come(times: &WriteTimes, now: i64, zone: Option<FixedOffset>) -> bool {
    times
        .newest()
        .any(|newest| newest.bounds(zone).0 > now + CLOCK_SKEW)
}

/// Every date that this run claims must have been written since it began.
fn since_began(at: &Context<'_>, written: &[(NaiveDate, WriteTimes)], since: i64) -> Finding {
    let claimed = claimed_dates(at);
    let (facts, zone) = (at.facts, zone(at));
    let proven = |proof_of: Proof| -> Vec<NaiveDate> {
        let asked = written
            .iter()
            .filter(|(day, _)| claimed.as_ref().is_none_or(|claimed| claimed.contains(day)));
        let found = asked.filter(|(_, times)| proof(times, since, facts.now, zone) == proof_of);
        found.map(|(day, _)| *day).collect()
    };
    let (mut stale, undated) = (proven(Proof::Stale), proven(Proof::Undated));
    let (unclear, same_day) = (proven(Proof::Unclear), proven(Proof::SameDay));
    // Without a ledger nothing tells which dates an earlier run was to keep.
    let kept = facts
        .log
        .map_or(0, |log| log.summary.earlier_days + log.summary.skipped_days);
    let is_kept = claimed.is_none() && !stale.is_empty() && stale.len() as u64 <= kept;
    let counted = if is_kept { 0 } else { stale.len() } + undated.len();
    let dates = |dates: &[NaiveDate]| plural(dates.len() as u64, "date");
    let mut parts = Vec::new();
    if !stale.is_empty() {
        parts.push(format!(
            "{} written before the phase began at {}",
            dates(&stale),
            clock(since)
        ));
    }
    if is_kept {
        parts.push(format!(
            "the log says that {kept} were done before or skipped"
        ));
    }
    if !undated.is_empty() {
        parts.push(format!(
            "{} with records that have no readable time of writing",
            dates(&undated)
        ));
    }
    if !unclear.is_empty() {
        let is_future = written
            .iter()
            .any(|(_, times)| is_to_come(times, facts.now, zone));
        let why = if is_future {
            "a time that has yet to come proves nothing".to_owned()
        } else {
            format!(
                "their times have no zone: give the suite written_at: {{column: {}, zone: UTC}}",
                facts
                    .suite
                    .written_at
                    .as_ref()
                    .map_or("…", |written| written.column.as_str())
            )
        };
        parts.push(format!(
            "{} written before or after {}: {why}",
            dates(&unclear),
            clock(since)
        ));
    }
    if !same_day.is_empty() {
        parts.push(format!(
            "{} written on the day on which the phase began, as far as a date without a time tells",
            dates(&same_day)
        ));
    }
    let said = if parts.is_empty() {
        format!("none (all written since {})", clock(since))
    } else {
        parts.join("; ")
    };
    let mut finding = at.counted(counted as u64, &said);
    if is_kept || !same_day.is_empty() {
        finding.worsen(Outcome::Warn);
    }
    if !unclear.is_empty() {
        finding.worsen(Outcome::Error);
    }
    stale.extend(undated);
    if stale.is_empty() {
        stale = unclear;
    }
    finding.and_on(stale)
}

/// The dates that the last run of the log says it wrote; `None` if no ledger says.
fn claimed_dates(at: &Context<'_>) -> Option<BTreeSet<NaiveDate>> {
    let log = at.facts.log.filter(|log| !log.ledger.is_empty())?;
    let last_run = log.ledger.values().map(|entry| entry.run).max()?;
    Some(
        log.ledger
            .values()
            .filter(|entry| entry.status == LedgerStatus::Success && entry.run == last_run)
            .map(|entry| entry.date)
            .collect(),
    )
}

/// Nothing says when the run began: then most dates were written within a day, and a few long before.
fn against_the_bulk(at: &Context<'_>, written: &[(NaiveDate, WriteTimes)]) -> Finding {
    let (facts, zone) = (at.facts, zone(at));
    let of = |is: &dyn Fn(&WriteTimes) -> bool| -> Vec<NaiveDate> {
        written
            .iter()
            .filter(|(_, times)| is(times))
            .map(|(day, _)| *day)
            .collect()
    };
    let undated = of(&|times| times.unknown > 0);
    let is_never_written = written
        .iter()
        .all(|(_, times)| times.oldest().next().is_none());
    if is_never_written {
        return Finding::unanswered(format!(
            "{}: no record has a readable time of writing",
            at.title()
        ))
        .on(undated);
    }
    let mut finding = bulk_finding(at, written, &undated);
    let to_come = of(&|times| is_to_come(times, facts.now, zone));
    if !to_come.is_empty() {
        finding.worsen(Outcome::Error);
        let count = plural(to_come.len() as u64, "date");
        finding.message.push_str(&format!(
            "; {count} with a time of writing that has yet to come"
        ));
        if finding.dates.is_empty() {
            finding = finding.and_on(to_come);
        }
    }
    finding
}

/// The dates that are long before the others, and those with rows that have no readable time: what is not dated is no
/// proof.
fn bulk_finding(
    at: &Context<'_>,
    written: &[(NaiveDate, WriteTimes)],
    undated: &[NaiveDate],
) -> Finding {
    let also = match undated.len() as u64 {
        0 => String::new(),
        count => format!(
            "; {} with records that have no readable time of writing",
            plural(count, "date")
        ),
    };
    let found = |stale: &[NaiveDate], why: &str| {
        let all: BTreeSet<NaiveDate> = stale.iter().chain(undated).copied().collect();
        at.counted(all.len() as u64, &format!("{why}{also}"))
            .on(all.into_iter().collect())
    };
    let none = |why: &str| found(&[], why);
    let unsure = || {
        if !undated.is_empty() {
            return none("the start of the run is not known (--since)");
        }
        Finding::skipped(format!(
            "{}: the start of the run is not known (--since), and the times of writing do not tell",
            at.title()
        ))
    };
    let oldest: Vec<(NaiveDate, i64)> = written
        .iter()
        .filter_map(|(day, times)| Some((*day, times.oldest().map(Moment::as_utc).min()?)))
        .collect();
    let Some((from, to, size)) = bulk(&oldest) else {
        return unsure();
    };
    if oldest.len() < FEWEST_DATES || size * 10 < oldest.len() * 6 {
        return unsure();
    }
    let older = |by: i64| -> Vec<NaiveDate> {
        let old = oldest.iter().filter(|(_, micros)| *micros < from - by);
        old.map(|(day, _)| *day).collect()
    };
    let old = older(RUN);
    if old.is_empty() {
        return none("none (all dates were written within a day of each other, or later)");
    }
    let all: Vec<NaiveDate> = oldest.iter().map(|(day, _)| *day).collect();
    // A run that was resumed, or a range of two runs; a few dates alone are neither.
    let is_part = old.len() * 10 >= all.len();
    if is_part && (all.starts_with(&old) || all.ends_with(&old)) {
        return none("none between newer ones (older rows are only at one end of the range)");
    }
    let surely = older(SURELY_OLDER);
    let (counted, dates) = if surely.is_empty() {
        (&[][..], old)
    } else {
        (surely.as_slice(), surely.clone())
    };
    let first = oldest
        .iter()
        .map(|(_, micros)| *micros)
        .min()
        .unwrap_or(from);
    let why = format!(
        "{} written from {} on, long before the other {} ({} to {})",
        plural(dates.len() as u64, "date"),
        clock(first),
        all.len() - dates.len(),
        clock(from),
        clock(to)
    );
    let least = if counted.is_empty() {
        Outcome::Warn
    } else {
        Outcome::Pass
    };
    found(counted, &why).at_best(least).and_on(dates)
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

#[cfg(test)]
mod tests {
    use super::*;
    use bf_warehouse::moment::read;

    const SINCE: &str = "2026-01-02T10:00:00Z";

    fn micros(text: &str) -> i64 {
        read(text).expect("a time").as_utc()
    }

    fn proven(written: &[&str], zone: Option<i32>) -> Proof {
        let mut times = WriteTimes::default();
        written
            .iter()
            .for_each(|text| times.add(read(text).expect("a time")));
        let zone = zone.and_then(|hours| FixedOffset::east_opt(hours * 3_600));
        proof(&times, micros(SINCE), micros("2026-01-05T00:00:00Z"), zone)
    }

    #[test]
    fn a_time_with_a_zone_proves_what_it_says() {
        assert_eq!(proven(&["2026-01-02T10:00:01Z"], None), Proof::Fresh);
        assert_eq!(
            proven(&["2026-01-02T09:59:30Z"], None),
            Proof::Fresh,
            "clocks differ"
        );
        assert_eq!(proven(&["2026-01-02T09:00:00Z"], None), Proof::Stale);
        assert_eq!(proven(&["2026-01-02T11:00:00+02:00"], None), Proof::Stale);
        let mixed = ["2026-01-02T12:00:00Z", "2026-01-01T12:00:00Z"];
        assert_eq!(proven(&mixed, None), Proof::Stale, "the oldest row counts");
    }

    #[test]
    fn a_time_without_a_zone_is_fresh_only_if_it_is_so_everywhere() {
        assert_eq!(proven(&["2026-01-03 00:30:00"], None), Proof::Fresh);
        assert_eq!(proven(&["2026-01-01 20:00:00"], None), Proof::Stale);
        assert_eq!(proven(&["2026-01-02 11:00:00"], None), Proof::Unclear);
        assert_eq!(proven(&["2026-01-02 11:00:00"], Some(0)), Proof::Fresh);
        assert_eq!(proven(&["2026-01-02 11:00:00"], Some(2)), Proof::Stale);
    }

    #[test]
    fn a_date_alone_tells_no_more_than_the_day() {
        assert_eq!(proven(&["2026-01-02"], None), Proof::SameDay);
        assert_eq!(proven(&["2026-01-02"], Some(0)), Proof::SameDay);
        assert_eq!(proven(&["2025-12-31"], None), Proof::Stale);
        assert_eq!(proven(&["2026-01-01"], None), Proof::Unclear);
        assert_eq!(proven(&["2026-01-01"], Some(0)), Proof::Stale);
    }

    #[test]
    fn a_time_that_has_yet_to_come_proves_nothing() {
        assert_eq!(
            proven(&["2026-01-05T00:00:30Z"], None),
            Proof::Fresh,
            "clocks differ"
        );
        assert_eq!(proven(&["2026-01-05T00:02:00Z"], None), Proof::Unclear);
        assert_eq!(
            proven(&["2026-01-05 13:00:00"], None),
            Proof::Fresh,
            "far in the east"
        );
    }

    #[test]
    fn rows_without_a_time_are_not_rows_of_before() {
        let times = WriteTimes {
            unknown: 1,
            ..WriteTimes::default()
        };
        let now = micros("2026-01-05T00:00:00Z");
        assert_eq!(proof(&times, micros(SINCE), now, None), Proof::Undated);
    }
}
