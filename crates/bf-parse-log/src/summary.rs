//! The `log_summary` and the `ledger_entry` documents, from the history of a log.

use bf_contract::{Doubt, DoubtKind, LedgerEntry, LogFile, LogState, LogSummary, percentage};
use chrono::NaiveDate;

use crate::Dialects;
use crate::dialect::event::Mode;
use crate::log_end::LogEnd;
use crate::run::Doubts;
use crate::run::coverage::Stretches;
use crate::run::history::History;
use crate::run::past::Past;
use crate::run::run::Run;

/// Said of a job that announces nothing and marks no end.
pub(crate) const NO_END: &str = "this job says one word for each date and never that it has finished; whether these were all that it was given is told by bf-parse-log --dates";

/// The name of a mode in `log_summary.dialect`.
const fn dialect(mode: Mode) -> &'static str {
    match mode {
        Mode::DayByDay => "day_by_day",
        Mode::GameDates => "game_dates",
        Mode::Parallel => "parallel",
        Mode::SpecificDates => "specific_dates",
        Mode::Upcoming => "upcoming",
        Mode::WholeRange => "whole_range",
        Mode::Custom => "custom",
    }
}

const MODES: [Mode; 6] = [
    Mode::DayByDay,
    Mode::GameDates,
    Mode::Parallel,
    Mode::SpecificDates,
    Mode::Upcoming,
    Mode::WholeRange,
];

/// How far the job has come.
fn state(history: &History, blank: bool, end: LogEnd) -> LogState {
    let Some(run) = &history.run else {
        return if blank {
            LogState::Empty
        } else {
            LogState::Unknown
        };
    };
    if run.refused.is_some() {
        return LogState::Refused;
    }
    if run.is_dry() {
        return LogState::DryRun;
    }
    if run.ended {
        let is_proof = run.has_proof() || run.had_nothing_to_do() || history.has_outcomes();
        return if !is_proof {
            LogState::Unknown
        } else if history.past.leaves_unfinished(run) {
            LogState::Interrupted
        } else {
            LogState::Completed
        };
    }
    if history.all_are_done() {
        return LogState::Completed;
    }
    if run.broken.is_some() || end == LogEnd::WriterGone {
        LogState::Interrupted
    } else {
        LogState::Running
    }
}

/// The run that still goes on, if one does.
fn running(history: &History, end: LogEnd) -> Option<u64> {
    let run = history.run.as_ref()?;
    let over =
        run.ended || run.refused.is_some() || run.broken.is_some() || end == LogEnd::WriterGone;
    (!over).then_some(run.number)
}

pub(crate) fn ledger(history: &History, end: LogEnd) -> Vec<LedgerEntry> {
    history.ledger.entries(running(history, end))
}

/// What a log in no known dialect was held against.
pub(crate) fn what_was_looked_for(dialects: &Dialects) -> String {
    if let Some(name) = dialects.named() {
        return format!("looked for the dialect {name} alone, as was asked for");
    }
    let built_in = MODES.map(dialect).join(", ");
    let own: Vec<String> = dialects
        .own_names()
        .map(|name| format!("{name:?}"))
        .collect();
    let own = if own.is_empty() {
        "the config has none of its own".to_owned()
    } else {
        format!("of the config: {}", own.join(", "))
    };
    let shipped: Vec<&str> = dialects
        .names()
        .skip(dialects.own_names().count())
        .collect();
    format!(
        "looked for the dialects {built_in}, {}; {own}; a job in a form of its own is described under dialects: in the config",
        shipped.join(", ")
    )
}

/// `custom` is the name of the dialect that the history was read in, unless its runs tell their form.
pub(crate) fn summary(
    history: &History,
    custom: Option<&str>,
    blank: bool,
    end: LogEnd,
    log: LogFile,
) -> LogSummary {
    let state = state(history, blank, end);
    let running = running(history, end);
    let mut past = history.past.clone();
    if let Some(run) = &history.run {
        past.take(run, &history.ledger);
    }
    let mut counts = history.ledger.counts(running);
    let frame = Frame::of(history, &past);
    let mut doubts = history.doubts.clone();
    doubts.undated_failures.count += past.undated_failures;
    let two_jobs = two_jobs(history);
    // Of dates in a range that a list failed at, the range still has an earlier word.
    let unnamed_failed = if frame.stretches.is_empty() {
        0
    } else {
        past.unnamed_failed
    };
    let in_doubt = (past.doubtful + unnamed_failed)
        .max(two_jobs.len() as u64)
        .min(counts.successful);
    counts.successful -= in_doubt;
    // Failures whose dates cannot be read are failures of some dates.
    if history.run.is_some() {
        counts.failed += history.doubts.undated_failures.different();
    }
    let skipped = counts.skipped + frame.unnamed_skipped;
    let finished = counts.successful + counts.failed + skipped;
    let earlier = frame.stretches.earlier(&history.ledger);
    let known = finished + earlier;
    let total = frame.total.map(|total| total.max(known + in_doubt));
    let current_day = earlier + finished;
    let mut notes = past.notes.clone();
    if let (Some(said), Some(actual)) = (frame.total, total)
        && said < actual
    {
        notes.push(format!(
            "the log announces {said} dates and speaks of {actual}; the dates count"
        ));
    }
    if history.undated > 0 {
        notes.push(format!(
            "{} lines tell of an outcome without a date that it could belong to",
            history.undated
        ));
    }
    if let Some((lines, first)) = history.too_large {
        notes.push(match lines {
            1 => format!(
                "line {first} has a figure that is too large to be a count; it was left out"
            ),
            _ => format!(
                "{lines} lines have a figure that is too large to be a count, the first is line {first}; they were left out"
            ),
        });
    }
    let had_nothing = history.run.as_ref().is_some_and(Run::had_nothing_to_do) && known == 0;
    let total = total.or(had_nothing.then_some(0));
    let unaccounted_days = total.map(|total| total - known).or(
        // Dates in doubt are unaccounted for, however many there are in all.
        (in_doubt > 0).then_some(in_doubt),
    );
    let over = !matches!(
        state,
        LogState::Running | LogState::Unknown | LogState::Empty
    );
    let unaccounted_dates = unaccounted_days
        .filter(|_| over)
        .and_then(|days| unaccounted_dates(history, &frame.stretches, running, days));
    if let Some(run) = history.run.as_ref().filter(|run| run.ended)
        && let Some(job) = history.past.left_unfinished(run)
    {
        notes.push(format!(
            "the run of {job} was broken off and not taken up again"
        ));
    }
    if history.run.as_ref().is_some_and(Run::says_no_end) {
        notes.push(NO_END.to_owned());
    }
    let unknown = matches!(state, LogState::Unknown | LogState::Empty);
    LogSummary {
        completed: state == LogState::Completed,
        current_day,
        total_days: total,
        successful_days: counts.successful,
        failed_days: counts.failed,
        success_rate: percentage(counts.successful, counts.successful + counts.failed),
        total_records: counts.records,
        fatal_errors: past.fatal + u64::from(history.broke_before_any_run && history.run.is_none()),
        progress_pct: total.and_then(|total| percentage(current_day, total)),
        state,
        dialect: custom.map(str::to_owned).or_else(|| {
            past.mode
                .or(history.run.as_ref().and_then(|run| run.mode))
                .map(dialect)
                .or((!unknown).then_some("refusal"))
                .map(str::to_owned)
        }),
        job: past.job.clone(),
        range: frame
            .stretches
            .hull()
            .or(past.refused_range)
            .or_else(|| history.run.as_ref().and_then(|run| run.range)),
        skipped_days: skipped,
        earlier_days: earlier,
        unaccounted_days,
        zero_record_days: counts.zero_records,
        failed_dates: history.ledger.failed_dates(),
        unaccounted_dates,
        error_classes: history.ledger.errors.list(),
        runs: history.runs,
        log,
        doubts: doubt_list(history, &past, &doubts, &two_jobs),
        notes,
        ..LogSummary::default()
    }
}

/// Dates that the lines of two jobs call successful.
fn two_jobs(history: &History) -> Vec<NaiveDate> {
    match history.doubts.two_jobs_since {
        0 => Vec::new(),
        since => history.ledger.successes_since(since),
    }
}

fn doubt_list(
    history: &History,
    past: &Past,
    doubts: &Doubts,
    two_jobs: &[NaiveDate],
) -> Vec<Doubt> {
    let mut list = doubts.list(two_jobs);
    let falling = if history.times.is_falling() {
        Some("times")
    } else if history.order.is_falling() && !history.times.is_rising() {
        Some("counters")
    } else {
        None
    };
    if let Some(what) = falling {
        // What looks like two jobs is one, read backwards.
        list.retain(|doubt| doubt.kind != DoubtKind::TwoJobs);
        list.push(Doubt {
            kind: DoubtKind::FallingOrder,
            lines: history.order.falls().max(history.times.falls()),
            first_line: None,
            dates: Vec::new(),
            message: format!(
                "the {what} of the lines fall: the newest line comes first; turn the log around (tac) and read it again"
            ),
        });
    }
    for (run, message) in &past.worse_summaries {
        let open = history.ledger.open_in(*run);
        list.push(Doubt {
            kind: DoubtKind::SummaryDisagrees,
            lines: 1,
            first_line: None,
            dates: open,
            message: message.clone(),
        });
    }
    list
}

/// What the dates are held against.
struct Frame {
    stretches: Stretches,
    total: Option<u64>,
    unnamed_skipped: u64,
}

impl Frame {
    fn of(history: &History, past: &Past) -> Self {
        let ledger = &history.ledger;
        let counts = ledger.counts(None);
        // A dry run leaves out what the job would leave out.
        let only_looked = counts.successful + counts.failed == 0;
        let stretches = if past.stretches.is_empty() && past.longest_list == 0 && only_looked {
            past.looked_at.clone()
        } else {
            past.stretches.clone()
        };
        if !stretches.is_empty() {
            // Dates that were asked for by name may lie outside every range.
            let outside = ledger
                .dates()
                .filter(|date| !stretches.contains(*date))
                .count() as u64;
            return Self {
                total: stretches.total().map(|total| total + outside),
                stretches,
                unnamed_skipped: 0,
            };
        }
        let listed = past.longest_list;
        let to_come = history.run.as_ref().map_or(0, |run| {
            let listed = run.to_do.unwrap_or(0);
            if run.ended || run.refused.is_some() {
                0
            } else {
                listed.saturating_sub(run.index.max(run.touched))
            }
        });
        let refused = history
            .run
            .as_ref()
            .is_some_and(|run| run.refused.is_some());
        let running = history.run.as_ref().map(|run| run.number);
        let left = past.left_of_lists(running);
        let is_custom = history.run.as_ref().and_then(|run| run.mode) == Some(Mode::Custom);
        let due = if is_custom {
            left.max(to_come)
        } else {
            left + to_come
        };
        let known = ledger.len() + past.unnamed_skipped;
        let total = (listed > 0 || (refused && known + left > 0)).then(|| listed.max(known + due));
        Self {
            stretches,
            total,
            unnamed_skipped: past.unnamed_skipped,
        }
    }
}

/// The dates behind `days`; `None` where not all of them can be named.
fn unaccounted_dates(
    history: &History,
    stretches: &Stretches,
    running: Option<u64>,
    days: u64,
) -> Option<Vec<NaiveDate>> {
    if days == 0 {
        return Some(Vec::new());
    }
    let ledger = &history.ledger;
    let unfinished = |date: &NaiveDate| !ledger.is_finished(*date, running);
    let mut dates: Vec<NaiveDate> = ledger.dates().filter(unfinished).collect();
    for stretch in stretches.iter() {
        if let Some(all) = stretch.days() {
            dates.extend(
                all.filter(unfinished)
                    .filter(|date| !stretch.is_earlier(*date, ledger)),
            );
        }
    }
    dates.sort_unstable();
    dates.dedup();
    (dates.len() as u64 == days).then_some(dates)
}
