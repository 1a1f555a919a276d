//! Many phases and windows, a line each.

use std::fmt::Write as _;
use std::time::Duration;

use bf_cli::text::{Style, duration, printable, thousands};
use bf_contract::{Check, CheckStatus, Phase, PhaseStatus, RunReport, Window};

use crate::plan::Plan;
use crate::view::words::{phase_words, status_words};

/// Of how many windows each has a line; of more of them only those that did not pass.
const FEW_WINDOWS: usize = 31;

/// Of how many windows that did not pass each has a line.
const MOST_BAD: usize = 20;

/// How many failed checks of a phase are listed.
const MOST_CHECKS: usize = 5;

/// Cells in columns, aligned; what is at the end of a line is cut off.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// What a plan is going to do, a line a phase.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut rows = vec![
        ["PHASE", "TABLE", "DATES", "AFTER"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for phase in &plan.phases {
        let windows = match &phase.windows {
            Some(windows) => format!(", {} windows", windows.size.cut(phase.range).len()),
            None => String::new(),
        };
        rows.push(vec![
            phase.name.clone(),
            phase.table.clone(),
            format!("{}{windows}", phase.range),
            phase.needs.join(", "),
        ]);
    }
    let lines = aligned(&rows);
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

/// What the phases and windows came to: a line each, then what is wrong with those that did not pass.
pub(crate) fn phases(report: &RunReport, style: Style) -> String {
    let head = ["PHASE", "STATUS", "DURATION", "DATES", "RECORDS", "TRIES"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut marks = vec![None];
    for phase in &report.phases {
        let (mark, words) = phase_words(phase);
        let took = phase.duration_seconds;
        let took = took.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let summary = phase.log_summary.as_ref();
        rows.push(vec![
            phase.name.clone(),
            words.to_owned(),
            took.map_or_else(|| "-".to_owned(), duration),
            dates(phase),
            summary.map_or_else(
                || "-".to_owned(),
                |summary| thousands(summary.total_records),
            ),
            phase.attempts.len().to_string(),
        ]);
        marks.push(Some(mark));
        for window in shown_windows(&phase.windows) {
            let (mark, words) = status_words(window.status);
            rows.push(vec![
                format!("  {}", window_name(window)),
                words.to_owned(),
                String::new(),
                String::new(),
                String::new(),
                window.attempts.to_string(),
            ]);
            marks.push(Some(mark));
        }
    }
    let mut text = String::new();
    for (line, mark) in aligned(&rows).iter().zip(marks) {
        let line = match mark {
            Some(mark) => style.paint(mark, line),
            None => style.bold(line),
        };
        let _ = write!(text, "\n  {line}");
    }
    text.push('\n');
    for phase in &report.phases {
        text.push_str(&details(phase, style));
    }
    text
}

fn dates(phase: &Phase) -> String {
    if !phase.windows.is_empty() {
        let passed = phase
            .windows
            .iter()
            .filter(|one| passed(one.status))
            .count();
        return format!("{passed} of {} windows", phase.windows.len());
    }
    match &phase.log_summary {
        Some(summary) => match summary.total_days {
            Some(all) => format!(
                "{} of {}",
                thousands(summary.successful_days),
                thousands(all)
            ),
            None => thousands(summary.successful_days),
        },
        None => "-".to_owned(),
    }
}

fn passed(status: PhaseStatus) -> bool {
    matches!(status, PhaseStatus::Passed | PhaseStatus::Warned)
}

fn shown_windows(windows: &[Window]) -> Vec<&Window> {
    if windows.len() <= FEW_WINDOWS {
        return windows.iter().collect();
    }
    let is_bad =
        |window: &&Window| !passed(window.status) && window.status != PhaseStatus::NotStarted;
    windows.iter().filter(is_bad).take(MOST_BAD).collect()
}

fn window_name(window: &Window) -> String {
    match window.range.start == window.range.end {
        true => window.range.start.to_string(),
        false => window.range.to_string(),
    }
}

/// What is wrong with a phase that did not pass: its reason, its windows' reasons, its failed checks and what its job
/// itself said last. Nothing is said twice.
fn details(phase: &Phase, style: Style) -> String {
    if phase.status == PhaseStatus::Passed {
        return String::new();
    }
    let mut lines: Vec<String> = Vec::new();
    let mut add = |line: &str| {
        let line = printable(line, 300);
        if !line.is_empty() && !lines.iter().any(|said| said.contains(&line)) {
            lines.push(line);
        }
    };
    add(&phase.reason);
    let is_bad =
        |window: &&Window| !passed(window.status) && window.status != PhaseStatus::NotStarted;
    for window in phase.windows.iter().filter(is_bad).take(MOST_BAD) {
        if !phase.reason.contains(&window.reason) {
            add(&format!("{}: {}", window_name(window), window.reason));
        }
    }
    let reports = phase.validation.iter().chain(&phase.further_validations);
    let is_bad = |check: &&Check| {
        let is_good = matches!(check.status, CheckStatus::Pass | CheckStatus::Skipped);
        check.level.counts() && !is_good
    };
    let checks: Vec<&Check> = reports
        .flat_map(|report| &report.checks)
        .filter(is_bad)
        .collect();
    for check in checks.iter().take(MOST_CHECKS) {
        add(&check.message);
    }
    if checks.len() > MOST_CHECKS {
        add(&format!("and {} more checks", checks.len() - MOST_CHECKS));
    }
    if let Some(class) = phase
        .log_summary
        .as_ref()
        .and_then(|summary| summary.error_classes.first())
    {
        add(&format!(
            "its job logged: {} ({} times)",
            class.example, class.count
        ));
    }
    let mut text = format!("\n{}", style.bold(&phase.name));
    for line in lines {
        let _ = write!(text, "\n  - {line}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use bf_contract::{Exit, RunReportType, Schema, Verdict};

    use super::*;
    use crate::engine::document::not_run;
    use crate::plan::tests;

    fn report(phases: Vec<Phase>) -> RunReport {
        let _ = Exit::Success;
        RunReport {
            kind: RunReportType,
            schema: Schema,
            run_id: "run".to_owned(),
            run_uuid: None,
            plan: None,
            started_at: None,
            run_dir: None,
            dry_run: false,
            provisional: false,
            verdict: Verdict::Pass,
            exit_code: None,
            reason: String::new(),
            phases,
            total_seconds: 0.0,
            next_steps: Vec::new(),
            held_by: None,
        }
    }

    fn phase(name: &str, status: PhaseStatus, reason: &str) -> Phase {
        let range = "2024-01-01 2024-01-31".parse().expect("a range");
        not_run(&tests::phase(name, range), status, reason.to_owned())
    }

    #[test]
    fn nine_phases_that_passed_take_few_lines_none_of_them_long() {
        let phases = (1..=9)
            .map(|at| {
                phase(
                    &format!("phase_{at}"),
                    PhaseStatus::Passed,
                    "all 9 checks passed",
                )
            })
            .collect();
        let text = crate::view::text::report(&report(phases), Style::default());
        assert!(text.lines().count() <= 40, "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn what_is_wrong_is_said_once() {
        let mut failed = phase("b", PhaseStatus::Failed, "window 2024-01-02: boom (1 of 2)");
        for (day, status) in [
            ("2024-01-01", PhaseStatus::Passed),
            ("2024-01-02", PhaseStatus::Failed),
        ] {
            failed.windows.push(Window {
                range: format!("{day} {day}").parse().expect("a range"),
                status,
                reason: "boom".to_owned(),
                attempts: 1,
            });
        }
        let text = phases(&report(vec![failed]), Style::default());
        assert_eq!(text.matches("boom").count(), 1, "{text}");
        assert!(text.contains("1 of 2 windows"), "{text}");
    }
}
