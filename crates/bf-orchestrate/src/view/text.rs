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

/// Text whose lines are no longer than a terminal is wide, without breaking a word. What goes into a file or a pipe
/// stays as it is.
pub(crate) fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns >= 20) else {
        return text.to_owned();
    };
    let lines: Vec<String> = text.split('\n').map(|line| wrap(line, columns)).collect();
    lines.join("\n")
}

fn wrap(line: &str, columns: usize) -> String {
    if shown_width(line) <= columns {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start().len();
    let next = " ".repeat((indent + 4).min(columns / 2));
    let mut wrapped = line[..indent].to_owned();
    let mut width = indent;
    let mut is_first = true;
    for word in line[indent..].split(' ') {
        let word_width = shown_width(word);
        if !is_first && width + 1 + word_width > columns {
            wrapped.push('\n');
            wrapped.push_str(&next);
            width = next.len();
        } else if !is_first {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += word_width;
        is_first = false;
    }
    wrapped
}

/// How many columns a text takes: colours take none.
fn shown_width(text: &str) -> usize {
    let mut width = 0;
    let mut is_escape = false;
    for character in text.chars() {
        match (is_escape, character) {
            (false, '\x1b') => is_escape = true,
            (true, letter) if letter.is_ascii_alphabetic() => is_escape = false,
            (true, _) => {}
            (false, _) => width += 1,
        }
    }
    width
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

/// What a phase came to in words, and the mark that goes with it.
pub(crate) fn phase_words(phase: &Phase) -> (Mark, &'static str) {
    if phase.downgraded {
        return (Mark::Warn, "FAILED, A WARNING BY THE PLAN");
    }
    status_words(phase.status)
}

/// A verdict in words, and the mark that goes with it.
pub(crate) fn verdict_words(verdict: Verdict) -> (Mark, &'static str) {
    match verdict {
        Verdict::Pass => status_words(PhaseStatus::Passed),
        Verdict::Warn => status_words(PhaseStatus::Warned),
        Verdict::Fail => status_words(PhaseStatus::Failed),
        Verdict::Error | Verdict::Unknown => status_words(PhaseStatus::CouldNotCheck),
    }
}

/// A status in words, the same everywhere, and the mark that goes with it.
pub(crate) fn status_words(status: PhaseStatus) -> (Mark, &'static str) {
    match status {
        PhaseStatus::Passed => (Mark::Pass, "PASSED"),
        PhaseStatus::Warned => (Mark::Warn, "WARNED"),
        PhaseStatus::Failed => (Mark::Fail, "FAILED"),
        PhaseStatus::CouldNotCheck | PhaseStatus::Unknown => (Mark::Error, "COULD NOT CHECK"),
        PhaseStatus::NotStarted => (Mark::Skipped, "NOT STARTED"),
        PhaseStatus::Interrupted => (Mark::Error, "INTERRUPTED"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_indented() {
        let line = "  - the table has no rows on 3 of 12 expected dates: \x1b[31m2024-01-02\x1b[0m";
        let text = wrapped(line, Some(40));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("      "), "{text}");
        assert!(lines.iter().all(|line| shown_width(line) <= 40), "{text}");
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(line));
        assert_eq!(wrapped(line, None), line);
    }
}
