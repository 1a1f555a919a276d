//! What the log claims, and the table held against it.

use std::collections::BTreeMap;

use bf_contract::{
    Comparison, DateRange, ExitSource, LedgerEntry, LedgerStatus, Level, LogState,
    ProcessEventKind, Threshold,
};
use chrono::NaiveDate;

use crate::figures::{Unit, bound, figure, float, plural};
use crate::finding::{Finding, Met, Probe, met};
use crate::log_input::{LogInput, ProcessEnd};
use crate::suite::Suite;

/// Whether the log says that the job completed, and accounts for every date.
const COMPLETED: &str = "log_completed";
/// The share of the finished dates that succeeded.
const SUCCESS_RATE: &str = "success_rate";
/// The records that the log claims, held against those of the table.
const RECONCILIATION: &str = "reconciliation";
/// Dates that failed in the log and have records.
const FAILED_DATES: &str = "failed_dates";
/// Dates that the job left out.
const SKIPPED_DATES: &str = "skipped_dates";
/// How the job's process ended.
const PROCESS_ENDED: &str = "process_ended";

/// The names of the checks that a log summary adds.
pub const NAMES: [&str; 6] = [
    COMPLETED,
    SUCCESS_RATE,
    RECONCILIATION,
    FAILED_DATES,
    SKIPPED_DATES,
    PROCESS_ENDED,
];

/// The dialect of a job that was given single dates (`--dates`), as bf-parse-log names it.
const SPECIFIC_DATES: &str = "specific_dates";

/// A check that a log summary adds: its name, its own level, its finding.
pub type LogCheck = (&'static str, Level, Finding);

/// What the log says of itself. `rest_is_checked` where something other than the log says which dates are due,
/// so that a log about some of them leaves nothing unseen.
#[must_use]
pub fn claims(
    log: Option<&LogInput>,
    suite: &Suite,
    range: DateRange,
    min_success_rate: f64,
    rest_is_checked: bool,
) -> Vec<LogCheck> {
    let skipped = |title: &str| Finding::skipped(format!("{title}: no log summary given"));
    let (completed, rate) = match log {
        Some(log) => (
            completed(log, suite, range, rest_is_checked),
            success_rate(log, min_success_rate),
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

/// How the job's process ended; `None` where nobody watched it. A log cannot say that: it is written before.
fn process_ended(end: &ProcessEnd) -> Option<Finding> {
    let (kind, exit) = match end {
        ProcessEnd::Unwatched => return None,
        ProcessEnd::Open => {
            return Some(Finding::unknown(
                "Process ended: nothing in the monitor's events says that it is over",
            ));
        }
        ProcessEnd::Told(kind, exit) => (kind, exit.as_ref()),
    };
    Some(match (kind, exit) {
        (ProcessEventKind::TimedOut, _) => Finding::new(
            Met::No,
            "Process ended: its time limit passed before it was over",
        ),
        (_, Some(exit)) if exit.is_clean() => Finding::new(Met::Yes, "Process ended: exit code 0"),
        (_, Some(exit)) if exit.is_failure() => {
            let how = match (exit.code, exit.signal, &exit.signal_name) {
                (Some(code), None, _) => format!("exit code {code}"),
                (_, _, Some(name)) => format!("killed by {}", bf_cli::text::printable(name, 20)),
                (_, Some(signal), _) => format!("killed by signal {signal}"),
                _ => "it failed".to_owned(),
            };
            Finding::new(Met::No, format!("Process ended: {how}"))
        }
        (ProcessEventKind::Exited, Some(exit)) if exit.source == ExitSource::Log => Finding::new(
            Met::Barely,
            "Process ended: nobody saw its exit status; only the log says that it completed",
        ),
        _ => Finding::unknown("Process ended: nobody saw its exit status"),
    })
}

fn completed(log: &LogInput, suite: &Suite, range: DateRange, rest_is_checked: bool) -> Finding {
    let summary = &log.summary;
    let no = |text: String| Finding::new(Met::No, format!("Log completed: {text}"));
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
            let (mut met, mut remark) =
                without_a_range(log, range, rest_is_checked).unwrap_or((Met::Yes, String::new()));
            if summary.fatal_errors > 0 {
                if met == Met::Yes {
                    met = Met::Barely;
                }
                remark.push_str(&format!(
                    "; {} that belong to no date",
                    plural(summary.fatal_errors, "error")
                ));
            }
            let text = format!("Log completed: nothing unaccounted for{days}{remark}");
            Finding::new(met, text)
        }
        Some(count) => no(format!("{} unaccounted for", plural(count, "date")))
            .on(summary.unaccounted_dates.clone().unwrap_or_default()),
        None => Finding::unknown("Log completed: the log does not say what it had to do"),
    }
}

/// What a log that does not tell its range leaves open: whether it is about all that was asked. Where nothing
/// but the log says which dates are due, that is no completion.
fn without_a_range(
    log: &LogInput,
    range: DateRange,
    rest_is_checked: bool,
) -> Option<(Met, String)> {
    if log.summary.range.is_some() {
        return None;
    }
    let unproven = |met: Met, remark: String| {
        if rest_is_checked {
            return Some((Met::Barely, remark));
        }
        Some((
            met,
            format!("{remark}, and no schedule says which other dates are due"),
        ))
    };
    if log.summary.dialect.as_deref() == Some(SPECIFIC_DATES) {
        let remark =
            "; the job was asked for these dates only, the table is checked over the whole range";
        return unproven(Met::No, remark.to_owned());
    }
    let first_and_last = log
        .ledger
        .first_key_value()
        .zip(log.ledger.last_key_value())
        .map(|((first, _), (last, _))| (*first, *last));
    match first_and_last {
        Some((first, last)) if first <= range.start && last >= range.end => None,
        Some((first, last)) => unproven(
            Met::No,
            format!("; the log does not tell its range, and speaks of {first} to {last} only"),
        ),
        None => unproven(
            Met::Unknown,
            format!(
                "; the log does not tell its range, so nobody knows whether it is about {range}"
            ),
        ),
    }
}

fn success_rate(log: &LogInput, min: f64) -> Finding {
    let summary = &log.summary;
    let threshold = Threshold {
        op: Comparison::AtLeast,
        value: min,
    };
    let finished = summary.successful_days + summary.failed_days;
    let Some(rate) = summary.success_rate.filter(|rate| rate.is_finite()) else {
        let mut finding = Finding::new(Met::No, "Success rate: no date finished");
        finding.threshold = Some(threshold);
        return finding.of(0, 0);
    };
    let message = format!(
        "Success rate: {} (threshold: {})",
        figure(rate, Unit::Percent, Some(threshold)),
        bound(threshold, Unit::Percent)
    );
    let mut finding = Finding::new(met(rate, Some(threshold)), message)
        .figure(rate, Some(threshold))
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
pub struct Found {
    /// The rows of every date that has any, before any filter.
    pub rows: BTreeMap<NaiveDate, u64>,
    /// Whether a schedule surely has nothing in the range.
    pub nothing_expected: bool,
}

/// The log's claims, date by date, against the rows that are there; `None` where the table was not read.
#[must_use]
pub fn against_the_table(
    log: Option<&LogInput>,
    range: DateRange,
    table: Option<&Found>,
) -> Vec<LogCheck> {
    let (first, second) = match (log, table) {
        (None, _) => {
            let skipped = "no log summary given";
            (
                Finding::skipped(format!("Records claimed and found: {skipped}")),
                Finding::skipped(format!("Failed dates with records: {skipped}")),
            )
        }
        (Some(log), _) if log.ledger.is_empty() => {
            let skipped = "no ledger entries given (bf-parse-log --ledger)";
            (
                Finding::unanswered(format!("Records claimed and found: {skipped}")),
                Finding::skipped(format!("Failed dates with records: {skipped}")),
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
        (FAILED_DATES, Level::Warning, second),
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
    Some(
        Finding::new(Met::Yes, message)
            .figure(float(count), None)
            .on(dates),
    )
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
        return Finding::new(Met::Yes, text).figure(0.0, Some(threshold));
    }
    if dates == 0 {
        return Finding::new(
            Met::No,
            "Records claimed and found: the log claims no date of the range",
        );
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
    let finding = Finding::new(met(float(off), Some(threshold)), message)
        .figure(float(off), Some(threshold))
        .of(dates - off, dates);
    if off == 0 {
        finding
    } else {
        finding.on(all).probe(Probe::RowsByDate)
    }
}

fn failed_dates(log: &LogInput, range: DateRange, found: impl Fn(&NaiveDate) -> u64) -> Finding {
    let failed = log.ledger.values().filter(|entry| {
        matches!(
            entry.status,
            LedgerStatus::Failed | LedgerStatus::Interrupted
        ) && range.contains(entry.date)
    });
    let dates: Vec<NaiveDate> = failed
        .filter(|entry| found(&entry.date) > 0)
        .map(|entry| entry.date)
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
            "Failed dates with records: {} failed in the log, and the table has records of another run",
            plural(count, "date")
        )
    };
    Finding::new(met(float(count), Some(threshold)), message)
        .figure(float(count), Some(threshold))
        .on(dates)
}
