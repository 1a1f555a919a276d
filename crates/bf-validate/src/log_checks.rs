//! What the log claims, and the table held against it.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::{
    Comparison, DateRange, ExitSource, LedgerEntry, LedgerStatus, Level, LogState,
    ProcessEventKind, Threshold,
};
use bf_warehouse::Probe;
use chrono::NaiveDate;

use crate::figures::{Unit, bound, figure, float, plural, spans};
use crate::log_input::{LogInput, ProcessEnd};
use crate::outcome::{Finding, Outcome};
use crate::suite::TableSpec;
use crate::suite::reserved::{
    COMPLETED, FAILED_DATES, PROCESS_ENDED, RECONCILIATION, SKIPPED_DATES, SUCCESS_RATE,
};

/// The dialect of a job that was given single dates (`--dates`), as bf-parse-log names it.
const SPECIFIC_DATES: &str = "specific_dates";

/// A check that a log summary adds: its name, its own level, its finding.
pub(crate) type LogCheck = (&'static str, Level, Finding);

/// What the log says of itself. `table` is what is known of the table; `None` if it could not be read.
#[must_use]
pub(crate) fn claims(
    log: Option<&LogInput>,
    suite: &TableSpec,
    range: DateRange,
    min_success_rate: f64,
    table: Option<&Found>,
) -> Vec<LogCheck> {
    let skipped = |title: &str| Finding::skipped(format!("{title}: no log summary given"));
    let (completed, rate) = match log {
        Some(log) => (
            completed(log, suite, range, table),
            success_rate(log, min_success_rate, table),
        ),
        None => (skipped("Log completed"), skipped("Success rate")),
    };
    let mut checks = vec![
        (COMPLETED, Level::Critical, completed),
        (SUCCESS_RATE, Level::Critical, rate),
    ];
    if let Some(ended) = log.and_then(|log| process_ended(&log.process)) {
        checks.push((PROCESS_ENDED, Level::Critical, ended));
    }
    checks
}

/// How the job's process ended; `None` if it was not watched. A log cannot say that: it is written before.
fn process_ended(end: &ProcessEnd) -> Option<Finding> {
    let (kind, exit) = match end {
        ProcessEnd::Unwatched => return None,
        ProcessEnd::Open => {
            return Some(Finding::unknown(
                "Process ended: nothing in the monitor's events says that it has ended",
            ));
        }
        ProcessEnd::Told(kind, exit) => (kind, exit.as_ref()),
    };
    Some(match (kind, exit) {
        (ProcessEventKind::TimedOut, _) => {
            Finding::no("Process ended: its time limit passed before it finished")
        }
        (_, Some(exit)) if exit.is_clean() => Finding::yes("Process ended: exit code 0"),
        (_, Some(exit)) if exit.is_failure() => {
            let how = match (exit.code, exit.signal, &exit.signal_name) {
                (Some(code), None, _) => format!("exit code {code}"),
                (_, _, Some(name)) => format!("killed by {}", bf_cli::text::printable(name, 20)),
                (_, Some(signal), _) => format!("killed by signal {signal}"),
                _ => "it failed".to_owned(),
            };
            Finding::no(format!("Process ended: {how}"))
        }
        (ProcessEventKind::Exited, Some(exit)) if exit.source == ExitSource::Log => Finding::yes(
            "Process ended: its exit status is unknown; only the log says that it completed",
        )
        .at_best(Outcome::Warn),
        _ => Finding::unknown("Process ended: its exit status is unknown"),
    })
}

fn completed(
    log: &LogInput,
    suite: &TableSpec,
    range: DateRange,
    table: Option<&Found>,
) -> Finding {
    let summary = &log.summary;
    let no = |text: String| Finding::no(format!("Log completed: {text}"));
    if let Some(job) = summary
        .job
        .as_deref()
        .filter(|job| !suite.is_filled_by(job))
    {
        return no(format!(
            "the log is of the job {}, which does not fill {}",
            bf_cli::text::printable(job, 60),
            suite.table
        ));
    }
    match summary.state {
        LogState::Completed if summary.completed => {}
        LogState::Completed => {
            return no("its state is completed, and it says that it is not".to_owned());
        }
        LogState::Empty => return Finding::unknown("Log completed: the log is empty"),
        LogState::Unknown => {
            return Finding::unknown("Log completed: the log is in no known dialect");
        }
        LogState::Running => return no("no end marker in the log yet".to_owned()),
        LogState::Interrupted => return no("the job was interrupted".to_owned()),
        LogState::Refused => return no("the job declined to start".to_owned()),
        LogState::DryRun => return no("a dry run, which writes nothing".to_owned()),
    }
    let days = summary
        .total_days
        .map_or_else(String::new, |days| format!(" ({} days)", days));
    if let Some(covered) = summary.range
        && (covered.start > range.start || covered.end < range.end)
    {
        return no(format!("the log is about {covered} only"));
    }
    match summary.unaccounted_days {
        Some(0) => {
            let mut finding = Finding::yes(format!("Log completed: nothing unaccounted for{days}"));
            let rest_is_checked = table.is_some_and(|table| table.due.is_some());
            if let Some((outcome, remark)) = without_a_range(log, range, rest_is_checked) {
                finding.worsen(outcome);
                finding.message.push_str(&remark);
            }
            earlier_days(doubts(finding, log), log, table)
        }
        Some(count) => no(format!("{} unaccounted for", plural(count, "date")))
            .on(summary.unaccounted_dates.clone().unwrap_or_default()),
        None => match table.and_then(|table| table.due.as_ref()) {
            Some(due)
                if summary.total_days.is_none() && !due.is_empty() && !log.ledger.is_empty() =>
            {
                doubts(outcome_of_each(due, log, range), log)
            }
            _ => Finding::unknown(
                "Log completed: the log does not say what it had to do, and neither a schedule nor a calendar does \
                 (missing_dates: {calendar: daily})",
            ),
        },
    }
}

/// A log that names no total is compared with the dates that a schedule or a calendar expects: each needs an outcome.
fn outcome_of_each(due: &BTreeSet<NaiveDate>, log: &LogInput, range: DateRange) -> Finding {
    let has_outcome = |date: &NaiveDate| {
        log.ledger.get(date).is_some_and(|entry| {
            matches!(
                entry.status,
                LedgerStatus::Success | LedgerStatus::Failed | LedgerStatus::Skipped
            )
        })
    };
    let due = || due.iter().filter(|date| range.contains(**date));
    let open: Vec<NaiveDate> = due().filter(|date| !has_outcome(date)).copied().collect();
    if open.is_empty() {
        let count = plural(due().count() as u64, "expected date");
        return Finding::yes(format!("Log completed: an outcome of each of {count}"));
    }
    let count = plural(open.len() as u64, "expected date");
    Finding::no(format!(
        "Log completed: {count} without an outcome in the log"
    ))
    .on(open)
}

/// Errors of no date, and what the log contradicts, are never resolved in favour of success.
fn doubts(mut finding: Finding, log: &LogInput) -> Finding {
    if log.summary.fatal_errors > 0 {
        finding.worsen(Outcome::Warn);
        let errors = plural(log.summary.fatal_errors, "error");
        finding
            .message
            .push_str(&format!("; {errors} that belong to no date"));
    }
    for doubt in &log.summary.doubts {
        finding.worsen(if doubt.kind.is_failure() {
            Outcome::Fail
        } else if doubt.kind.stops_check() {
            Outcome::Error
        } else {
            Outcome::Warn
        });
        let message = bf_cli::text::printable(&doubt.message, 200);
        finding.message.push_str(&format!("; in doubt: {message}"));
        finding = finding.and_on(doubt.dates.clone());
    }
    finding
}

/// Dates before an announced resume point have no entry in the log: they are done only if the table has rows on
/// each of them that is expected.
fn earlier_days(mut finding: Finding, log: &LogInput, table: Option<&Found>) -> Finding {
    let earlier = log.summary.earlier_days;
    if earlier == 0 {
        return finding;
    }
    let days = plural(earlier, "date");
    let Some(table) = table else {
        finding.worsen(Outcome::Error);
        finding.message.push_str(&format!(
            "; {days} before its resume point could not be checked"
        ));
        return finding;
    };
    let Some(due) = &table.due else {
        finding.worsen(Outcome::Error);
        finding.message.push_str(&format!(
            "; {days} before its resume point, and no schedule tells which of them need records"
        ));
        return finding;
    };
    let resumed = log.ledger.keys().next();
    let missing: Vec<NaiveDate> = due
        .iter()
        .filter(|date| log.summary.range.is_none_or(|range| range.contains(**date)))
        .filter(|date| resumed.is_none_or(|resumed| *date < resumed))
        .filter(|date| table.rows.get(date).copied().unwrap_or(0) == 0)
        .copied()
        .collect();
    if !missing.is_empty() {
        finding.worsen(Outcome::Fail);
        finding.message.push_str(&format!(
            "; of {days} before its resume point {} without a record",
            missing.len()
        ));
        finding = finding.and_on(missing);
    }
    finding
}

/// What a log that does not tell its range leaves open: whether it is about all that was asked. Where nothing
/// but the log says which dates are due, that is no completion.
fn without_a_range(
    log: &LogInput,
    range: DateRange,
    rest_is_checked: bool,
) -> Option<(Outcome, String)> {
    if log.summary.range.is_some() {
        return None;
    }
    let unproven = |outcome: Outcome, remark: String| {
        if rest_is_checked {
            return Some((Outcome::Warn, remark));
        }
        Some((
            outcome,
            format!("{remark}, and no schedule says which other dates are due"),
        ))
    };
    if log.summary.dialect.as_deref() == Some(SPECIFIC_DATES) {
        let remark =
            "; the job was asked for these dates only, the table is checked over the whole range";
        return unproven(Outcome::Fail, remark.to_owned());
    }
    let first_and_last = log
        .ledger
        .first_key_value()
        .zip(log.ledger.last_key_value())
        .map(|((first, _), (last, _))| (*first, *last));
    match first_and_last {
        Some((first, last)) if first <= range.start && last >= range.end => None,
        Some((first, last)) => unproven(
            Outcome::Fail,
            format!("; the log does not tell its range, and mentions {first} to {last} only"),
        ),
        None => unproven(
            Outcome::Error,
            format!("; the log does not tell its range, so it may be about less than {range}"),
        ),
    }
}

fn success_rate(log: &LogInput, min: f64, table: Option<&Found>) -> Finding {
    let summary = &log.summary;
    let threshold = Threshold {
        op: Comparison::AtLeast,
        value: min,
    };
    let finished = summary.successful_days + summary.failed_days;
    let Some(rate) = summary.success_rate.filter(|rate| rate.is_finite()) else {
        let nothing_due = table.is_some_and(|table| table.nothing_expected);
        if finished == 0 && (summary.total_days == Some(0) || nothing_due) {
            return Finding::skipped("Success rate: no date had to be done");
        }
        return Finding::no("Success rate: no date finished")
            .without_figure(Some(threshold))
            .of(0, 0);
    };
    let message = format!(
        "Success rate: {} (threshold: {})",
        figure(rate, Unit::Percent, Some(threshold)),
        bound(threshold, Unit::Percent)
    );
    let mut finding = Finding::compared(rate, Some(threshold), message)
        .of(summary.successful_days, finished)
        .on(summary.failed_dates.clone());
    if summary.failed_days > 0 {
        finding
            .message
            .push_str(&format!("; {} failed", plural(summary.failed_days, "date")));
    }
    finding
}

/// What the table has to be held against the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// The rows of every date that has any, before any filter.
    pub rows: BTreeMap<NaiveDate, u64>,
    /// Whether a schedule surely has nothing in the range.
    pub nothing_expected: bool,
    /// The expected dates that are over, if something other than the log tells them.
    pub due: Option<BTreeSet<NaiveDate>>,
}

/// The log's claims, date by date, against the rows that are there; `None` where the table was not read.
#[must_use]
pub(crate) fn against_the_table(
    log: Option<&LogInput>,
    suite: &TableSpec,
    range: DateRange,
    table: Option<&Found>,
) -> Vec<LogCheck> {
    let failed_level = if suite.allow_rows_on_failed_dates {
        Level::Warning
    } else {
        Level::Normal
    };
    let (first, second) = match (log, table) {
        (None, _) => {
            let skipped = "no log summary given";
            (
                Finding::skipped(format!("Records claimed and found: {skipped}")),
                Finding::skipped(format!("Failed dates with records: {skipped}")),
            )
        }
        (Some(log), Some(table)) if log.ledger.is_empty() => {
            let skipped = "no ledger entries given (bf-parse-log --ledger)";
            let found = |date: &NaiveDate| table.rows.get(date).copied().unwrap_or(0);
            (
                Finding::unanswered(format!("Records claimed and found: {skipped}")),
                failed_dates(log, range, found),
            )
        }
        (Some(log), _) if log.incomplete.is_some() => {
            let reason = log.incomplete.as_deref().unwrap_or_default();
            (
                Finding::unknown(format!(
                    "Records claimed and found: the log's entries are not complete: {reason}"
                )),
                Finding::skipped(format!("Failed dates with records: {reason}")),
            )
        }
        (Some(_), None) => {
            let unknown = "the table could not be read";
            (
                Finding::unknown(format!("Records claimed and found: {unknown}")),
                Finding::unknown(format!("Failed dates with records: {unknown}")),
            )
        }
        (Some(log), Some(table)) => {
            let found = |date: &NaiveDate| table.rows.get(date).copied().unwrap_or(0);
            let nothing = table.nothing_expected && table.rows.is_empty();
            (
                reconciliation(log, range, found, nothing),
                failed_dates(log, range, found),
            )
        }
    };
    let mut checks = vec![
        (RECONCILIATION, Level::Critical, first),
        (FAILED_DATES, failed_level, second),
    ];
    if let Some(skipped) = log.and_then(|log| skipped_dates(log, range)) {
        checks.push((SKIPPED_DATES, Level::Info, skipped));
    }
    checks
}

/// The reasons of entries with how often each was given: `bootstrap period: 14, no games: 3`.
pub(crate) fn reasons<'a>(entries: impl Iterator<Item = &'a LedgerEntry>) -> String {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in entries {
        let reason = entry.reason.as_deref().unwrap_or("no reason given");
        *reasons.entry(reason).or_default() += 1;
    }
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{}: {count}", bf_cli::text::printable(reason, 60)))
        .collect();
    reasons.join(", ")
}

/// The dates that the job left out, by its reasons; said, and never counted.
fn skipped_dates(log: &LogInput, range: DateRange) -> Option<Finding> {
    let entries = log.ledger.values();
    let skipped: Vec<&LedgerEntry> = entries
        .filter(|entry| entry.status == LedgerStatus::Skipped && range.contains(entry.date))
        .collect();
    if skipped.is_empty() {
        return None;
    }
    let count = skipped.len() as u64;
    let message = format!(
        "Skipped by the job: {} ({})",
        plural(count, "date"),
        reasons(skipped.iter().copied())
    );
    let dates = skipped.iter().map(|entry| entry.date).collect();
    Some(Finding::compared(float(count), None, message).on(dates))
}

fn reconciliation(
    log: &LogInput,
    range: DateRange,
    found: impl Fn(&NaiveDate) -> u64,
    nothing: bool,
) -> Finding {
    let (mut none, mut fewer, mut more) = (Vec::new(), Vec::new(), Vec::new());
    let (mut dates, mut claimed_rows, mut found_rows) = (0_u64, 0_u64, 0_u64);
    let mut uncounted = 0_u64;
    for entry in log.ledger.values() {
        if entry.status != LedgerStatus::Success || !range.contains(entry.date) {
            continue;
        }
        dates += 1;
        let here = found(&entry.date);
        found_rows += here;
        uncounted += u64::from(entry.records.is_none());
        match entry.records {
            Some(claimed) => {
                claimed_rows += claimed;
                if here == 0 && claimed > 0 {
                    none.push(entry.date);
                } else if here < claimed {
                    fewer.push(entry.date);
                } else if here > claimed {
                    more.push(entry.date);
                }
            }
            // The log does not say how many; a success has at least one.
            None if here == 0 => none.push(entry.date),
            None => claimed_rows += here,
        }
    }
    let threshold = Threshold {
        op: Comparison::AtMost,
        value: 0.0,
    };
    if dates == 0 && nothing {
        let text = "Records claimed and found: none claimed, none found, and no record is expected";
        return Finding::compared(0.0, Some(threshold), text);
    }
    if dates == 0 {
        return Finding::no("Records claimed and found: the log claims no date of the range")
            .without_figure(Some(threshold));
    }
    let off = (none.len() + fewer.len() + more.len()) as u64;
    if off == 0 && uncounted == dates {
        return Finding::unanswered(format!(
            "Records claimed and found: the log claims no counts; there are records on all {}",
            plural(dates, "date")
        ))
        .of(0, dates);
    }
    let mut message = if off == 0 {
        format!(
            "Records claimed and found: the same on all {}",
            plural(dates, "date")
        )
    } else {
        format!(
            "Records claimed and found: {} of {dates} differ",
            plural(off, "date")
        )
    };
    for (dates, what) in [
        (&none, "without a record"),
        (&fewer, "with fewer"),
        (&more, "with more"),
    ] {
        if !dates.is_empty() {
            message.push_str(&format!(", {} {what}", dates.len()));
        }
    }
    if off > 0 {
        message.push_str(&format!(
            " ({} claimed, {} found)",
            figure(float(claimed_rows), Unit::Count, None),
            figure(float(found_rows), Unit::Count, None)
        ));
    }
    if uncounted > 0 {
        message.push_str(&format!(
            "; {} on which the log claims no count",
            plural(uncounted, "date")
        ));
    }
    let mut all = [none, fewer, more].concat();
    all.sort_unstable();
    let finding = Finding::compared(float(off), Some(threshold), message).of(dates - off, dates);
    if off == 0 {
        return finding;
    }
    let rows = all.iter().map(|date| {
        let claimed = log.ledger.get(date).and_then(|entry| entry.records);
        let claimed = claimed.map_or_else(|| "unknown".to_owned(), |claimed| claimed.to_string());
        (
            *date,
            [("claimed", claimed), ("found", found(date).to_string())],
        )
    });
    let finding = finding.beside(rows);
    finding.on(all).probe(Probe::RowsByDate)
}

fn failed_dates(log: &LogInput, range: DateRange, found: impl Fn(&NaiveDate) -> u64) -> Finding {
    let entries = log.ledger.values().filter(|entry| {
        matches!(
            entry.status,
            LedgerStatus::Failed | LedgerStatus::Interrupted
        )
    });
    let summed = log.summary.failed_dates.iter().copied();
    let failed: BTreeSet<NaiveDate> = entries.map(|entry| entry.date).chain(summed).collect();
    let dates: Vec<NaiveDate> = failed
        .into_iter()
        .filter(|date| range.contains(*date) && found(date) > 0)
        .collect();
    let count = dates.len() as u64;
    let threshold = Threshold {
        op: Comparison::AtMost,
        value: 0.0,
    };
    let message = if count == 0 {
        "Failed dates with records: none".to_owned()
    } else {
        format!(
            "Failed dates with records: {} failed in the log, and the table has records of another run ({})",
            plural(count, "date"),
            spans(&dates, 8)
        )
    };
    let rows = dates
        .iter()
        .map(|date| (*date, [("found", found(date).to_string())]));
    let finding = Finding::compared(float(count), Some(threshold), message).beside(rows);
    if count == 0 {
        finding
    } else {
        finding.on(dates).probe(Probe::RowsByDate)
    }
}
