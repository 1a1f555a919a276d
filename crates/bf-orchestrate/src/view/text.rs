//! A run as a person reads it.

use std::fmt::Write as _;
use std::time::Duration;

use bf_cli::text::{Mark, Style, duration, percent, printable, thousands};
use bf_config::Loaded;
use bf_contract::{
    Check, CheckStatus, DateRange, LogSummary, Phase, PhaseStatus, RunReport, ValidationReport,
    Verdict,
};

use crate::engine::report::spans_text;
use crate::plan::{Job, Plan};
use crate::store::run_dir::RunDir;
use crate::store::state::{RunState, UnitState};
use crate::view::table;
use crate::view::words::{phase_words, status_words, verdict_words};

/// How many characters of a text from outside a line shows.
const TEXT_LIMIT: usize = 300;

/// What is said before anything is watched.
pub(crate) fn heading(
    plan: &Plan,
    loaded: &Loaded,
    run_dir: Option<&RunDir>,
    style: Style,
) -> String {
    let mut text = style.section("BACKFILL ORCHESTRATOR STARTED");
    let _ = write!(text, "\nConfiguration:");
    if plan.phases.len() > 2 {
        text.push_str(&table::plan(plan));
    }
    for (at, phase) in plan.phases.iter().enumerate() {
        if plan.phases.len() > 2 {
            break;
        }
        let _ = write!(text, "\n  Phase {}: {}", at + 1, phase.name);
        if !phase.needs.is_empty() {
            let _ = write!(
                text,
                " (starts only after the gate of {})",
                phase.needs.join(", ")
            );
        }
        match &phase.job {
            Some(Job::Attach { pid, .. }) => {
                let _ = write!(text, "\n    PID:     {pid}");
            }
            Some(Job::Command(job)) => {
                let _ = write!(text, "\n    Command: {}", job.shell_line());
            }
            Some(Job::AlreadyDone { .. }) => text.push_str("\n    Job:     already done"),
            None => text.push_str("\n    Job:     none, a gate only"),
        }
        if let Some(job) = &phase.job {
            let _ = write!(text, "\n    Log:     {}", job.log().display());
        }
        let _ = write!(
            text,
            "\n    Table:   {}\n    Dates:   {}",
            phase.table, phase.range
        );
        if let Some(windows) = &phase.windows {
            let all = windows.size.cut(phase.range);
            let _ = write!(
                text,
                "\n    Windows: {} ({})",
                all.len(),
                windows_text(&all)
            );
        }
        if phase.job.is_some() {
            let _ = write!(text, "\n    Timeout: {}", duration(phase.timeout.0));
        }
    }
    let source = loaded.describe();
    let _ = write!(
        text,
        "\n  Config:        {}\n  Warehouse:     {}\n  Poll interval: {}",
        source.strip_prefix("config: ").unwrap_or(&source),
        plan.warehouse,
        duration(Duration::from_secs_f64(
            loaded.config.polling.interval_seconds
        )),
    );
    if let Some(run_dir) = run_dir {
        let _ = write!(text, "\n  Run directory: {}", run_dir.path.display());
    }
    text.push('\n');
    text
}

/// What is known of each phase of a run that is resumed.
pub(crate) fn resumed(run_dir: &RunDir, plan: &Plan, state: &RunState) -> String {
    let mut text = format!("Resuming run {}:", run_dir.run_id);
    for phase in &plan.phases {
        let decided = |state: &UnitState| state.gate.is_some();
        let windows: Vec<_> = state.windows_of(&phase.name).collect();
        let known = match state.phases.get(&phase.name) {
            Some(UnitState {
                gate: Some(judgement),
                ..
            }) => status_words(judgement.status).1.to_lowercase(),
            _ if !windows.is_empty() => format!(
                "{} windows are decided",
                windows.iter().filter(|(_, state)| decided(state)).count()
            ),
            None => "not begun".to_owned(),
            Some(done) => match (done.job_ended, done.job_starting) {
                (Some(_), _) => "its job has ended, its gate is not decided yet".to_owned(),
                (None, true) => "its job was started, its end is not known yet".to_owned(),
                (None, false) => "its job is to be run again".to_owned(),
            },
        };
        let _ = write!(text, "\n  {}: {known}", phase.name);
    }
    text.push('\n');
    text
}

/// The first windows and the last one.
pub(crate) fn windows_text(windows: &[DateRange]) -> String {
    let words = |window: &DateRange| match window.start == window.end {
        true => window.start.to_string(),
        false => window.to_string(),
    };
    match windows {
        [first, second, .., last] if windows.len() > 3 => {
            format!("{}, {}, …, {}", words(first), words(second), words(last))
        }
        _ => windows.iter().map(words).collect::<Vec<_>>().join(", "),
    }
}

/// The final report.
pub(crate) fn report(report: &RunReport, style: Style) -> String {
    let mut text = style.section("ORCHESTRATOR FINAL REPORT");
    let (mark, _) = verdict_words(report.verdict);
    let headline = match (report.verdict, report.dry_run) {
        (Verdict::Pass, false) => "ALL PHASES COMPLETE & VALIDATED".to_owned(),
        (Verdict::Warn, false) if report.phases.iter().any(|phase| phase.downgraded) => {
            format!(
                "ALL PHASES ENDED, NOT ALL PASSED: {}",
                printable(&report.reason, TEXT_LIMIT)
            )
        }
        (Verdict::Warn, false) => "ALL PHASES COMPLETE & VALIDATED, WITH WARNINGS".to_owned(),
        (Verdict::Pass, true)
            if report
                .phases
                .iter()
                .all(|phase| phase.status == PhaseStatus::NotStarted) =>
        {
            "DRY RUN: the plan is ready; nothing was started".to_owned()
        }
        (Verdict::Pass | Verdict::Warn, true) => {
            "DRY RUN: what is there so far would open the gate".to_owned()
        }
        _ => format!("STOPPED: {}", printable(&report.reason, TEXT_LIMIT)),
    };
    let _ = write!(text, "\n{}\n", line(style, mark, &headline));
    if needs_table(report) {
        text.push_str(&table::phases(report, style));
    } else {
        for (at, phase) in report.phases.iter().enumerate() {
            let title = format!("Phase {}: {}", at + 1, phase.name);
            let _ = write!(text, "\n{}", phase_text(&title, phase, style));
        }
    }
    let total = Duration::try_from_secs_f64(report.total_seconds).unwrap_or_default();
    let _ = write!(text, "\nTotal duration: {}", duration(total));
    if let Some(run_dir) = &report.run_dir {
        let _ = write!(text, "\nRun directory:  {run_dir}");
    }
    if !report.next_steps.is_empty() {
        let _ = write!(text, "\n\nNext steps:");
        for (at, step) in report.next_steps.iter().enumerate() {
            let _ = write!(text, "\n  {}. {}", at + 1, printable(step, 2_000));
        }
    }
    text
}

/// More than two phases, or windows, are read as a table.
fn needs_table(report: &RunReport) -> bool {
    report.phases.len() > 2 || report.phases.iter().any(|phase| !phase.windows.is_empty())
}

/// What a phase came to, as plain text.
pub(crate) fn phase_plain_text(phase: &Phase) -> String {
    phase_text(&phase.name, phase, Style::default())
}

fn phase_text(title: &str, phase: &Phase, style: Style) -> String {
    let (mark, status) = phase_words(phase);
    let mut text = format!(
        "{}\n  Status:       {}\n",
        style.bold(title),
        line(style, mark, status)
    );
    let mut row = |name: &str, value: String| {
        let name = match name {
            "" => String::new(),
            name => format!("{name}:"),
        };
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    if !matches!(phase.status, PhaseStatus::Passed) {
        row("Reason", printable(&phase.reason, TEXT_LIMIT));
    }
    if phase.status == PhaseStatus::NotStarted {
        return text;
    }
    if phase.job.is_some() {
        job_rows(phase, &mut row);
    }
    match &phase.validation {
        Some(report) => validation_rows(report, style, &mut row),
        None => row("Validation", "was not done".to_owned()),
    }
    for report in &phase.further_validations {
        validation_rows(report, style, &mut row);
    }
    text
}

fn job_rows(phase: &Phase, row: &mut impl FnMut(&str, String)) {
    row(
        "Duration",
        phase
            .duration_seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map_or_else(|| "unknown (its end was not seen)".to_owned(), duration),
    );
    match &phase.log_summary {
        Some(summary) => log_rows(summary, row),
        None => row("Log", "could not be read".to_owned()),
    }
}

fn log_rows(summary: &LogSummary, row: &mut impl FnMut(&str, String)) {
    let total = summary
        .total_days
        .map_or_else(|| "an unknown number of".to_owned(), thousands);
    row(
        "Success rate",
        match summary.success_rate {
            Some(rate) => format!(
                "{} ({} of {total} days, {} failed)",
                percent(rate),
                thousands(summary.successful_days),
                thousands(summary.failed_days)
            ),
            None => "unknown: no day was finished".to_owned(),
        },
    );
    if !summary.failed_dates.is_empty() {
        row("Failed dates", spans_text(&summary.failed_dates, 10));
    }
    row("Records", thousands(summary.total_records));
}

fn validation_rows(report: &ValidationReport, style: Style, row: &mut impl FnMut(&str, String)) {
    let (mark, word) = match report.verdict {
        Verdict::Pass => (Mark::Pass, "PASSED"),
        Verdict::Warn => (Mark::Warn, "PASSED WITH WARNINGS"),
        Verdict::Fail => (Mark::Fail, "FAILED"),
        Verdict::Error | Verdict::Unknown => (Mark::Error, "COULD NOT BE CHECKED"),
    };
    let unanswered: Vec<&str> = report
        .unanswered()
        .map(|check| check.name.as_str())
        .collect();
    // As the validator itself says it.
    let (mark, words) = match (report.verdict, unanswered.is_empty()) {
        (_, true) | (Verdict::Fail, _) => (mark, word.to_owned()),
        (verdict, _) => (
            if verdict == Verdict::Pass {
                Mark::Warn
            } else {
                mark
            },
            format!(
                "{word}; NOT CHECKED: {}",
                printable(&unanswered.join(", "), TEXT_LIMIT)
            ),
        ),
    };
    row("Validation", line(style, mark, &words));
    let bad = |check: &&Check| {
        check.level.counts() && !matches!(check.status, CheckStatus::Pass | CheckStatus::Skipped)
    };
    for check in report.checks.iter().filter(bad) {
        row("", format!("- {}", printable(&check.message, TEXT_LIMIT)));
    }
}

/// A line with its mark before and its sign behind it; in plain text the words say it all.
fn line(style: Style, mark: Mark, words: &str) -> String {
    if style.emoji {
        format!("{} {}", style.mark(mark), style.paint(mark, words))
    } else {
        style.paint(mark, words)
    }
}
