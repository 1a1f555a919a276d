//! Many phases and windows, a line each.

use std::fmt::Write as _;
use std::time::Duration;

use bf_cli::text::{Style, duration, printable, thousands};
use bf_contract::{
    Check, CheckStatus, LogSummary, Phase, PhaseStatus, RunReport, ValidationReport, Window,
};

use crate::engine::report::spans_text;
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
        rows.push(vec![
            phase.name.clone(),
            words.to_owned(),
            took(phase.duration_seconds),
            match phase.windows.len() {
                0 => dates(phase.log_summary.as_ref()),
                all => {
                    let passed = phase.windows.iter().filter(|one| one.passed());
                    format!("{} of {all} windows", passed.count())
                }
            },
            records(phase),
            phase.attempts.len().to_string(),
        ]);
        marks.push(Some(mark));
        for window in shown_windows(&phase.windows) {
            let (mark, words) = status_words(window.status);
            rows.push(vec![
                format!("  {}", window_name(window)),
                words.to_owned(),
                took(window.duration_seconds),
                dates(window.log_summary.as_deref()),
                window
                    .log_summary
                    .as_ref()
                    .map_or_else(none, |summary| thousands(summary.total_records)),
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

fn none() -> String {
    "-".to_owned()
}

fn took(seconds: Option<f64>) -> String {
    let took = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    took.map_or_else(none, duration)
}

/// What a log claims: the dates that succeeded, of all.
fn dates(summary: Option<&LogSummary>) -> String {
    let Some(summary) = summary else {
        return none();
    };
    let done = thousands(summary.successful_days);
    match summary.total_days {
        Some(all) => format!("{done} of {}", thousands(all)),
        None => done,
    }
}

/// The records that a phase's logs claim, of all its windows.
fn records(phase: &Phase) -> String {
    let windows = phase
        .windows
        .iter()
        .filter_map(|one| one.log_summary.as_deref());
    let claimed: Vec<u64> = phase
        .log_summary
        .iter()
        .chain(windows)
        .map(|summary| summary.total_records)
        .collect();
    match claimed.as_slice() {
        [] => none(),
        claimed => thousands(claimed.iter().sum()),
    }
}

fn shown_windows(windows: &[Window]) -> Vec<&Window> {
    if windows.len() <= FEW_WINDOWS {
        return windows.iter().collect();
    }
    let bad = windows.iter().filter(|window| window.is_bad());
    bad.take(MOST_BAD).collect()
}

fn window_name(window: &Window) -> String {
    match window.range.start == window.range.end {
        true => window.range.start.to_string(),
        false => window.range.to_string(),
    }
}

/// What is wrong with a phase that did not pass: its reason and, of it and of each of its windows, the failed checks, the
/// failed dates and what the job itself said.
fn details(phase: &Phase, style: Style) -> String {
    if phase.status == PhaseStatus::Passed {
        return String::new();
    }
    let mut said = Said::default();
    said.add(1, &phase.reason);
    for window in phase
        .windows
        .iter()
        .filter(|one| one.is_bad())
        .take(MOST_BAD)
    {
        let reason = match phase.reason.contains(&window.reason) {
            true => String::new(),
            false => format!(": {}", window.reason),
        };
        said.add(1, &format!("{}{reason}", window_name(window)));
        findings(
            &mut said,
            2,
            window.validation.as_deref(),
            window.log_summary.as_deref(),
        );
    }
    let reports = phase.validation.iter().chain(&phase.further_validations);
    for report in reports {
        findings(&mut said, 1, Some(report), None);
    }
    findings(&mut said, 1, None, phase.log_summary.as_ref());
    let mut text = format!("\n{}", style.bold(&phase.name));
    for (depth, line) in said.0 {
        let _ = write!(text, "\n{:width$}- {line}", "", width = 2 * depth);
    }
    text.push('\n');
    text
}

/// Lines with their depth. What the phase says, or the line that a line stands under, is not said again.
#[derive(Default)]
struct Said(Vec<(usize, String)>);

impl Said {
    fn add(&mut self, depth: usize, line: &str) {
        let line = printable(line, 300);
        let above = self.0.iter().rposition(|(other, _)| *other < depth);
        let near = self.0.iter().skip(above.unwrap_or(0));
        let mut near = self.0.first().into_iter().chain(near);
        if !line.is_empty() && !near.any(|(_, said)| said.contains(&line)) {
            self.0.push((depth, line));
        }
    }
}

/// The checks that did not pass, the dates that failed and the job's own words.
fn findings(
    said: &mut Said,
    depth: usize,
    report: Option<&ValidationReport>,
    summary: Option<&LogSummary>,
) {
    let is_bad = |check: &&Check| {
        let is_good = matches!(check.status, CheckStatus::Pass | CheckStatus::Skipped);
        check.level.counts() && !is_good
    };
    let checks = report.iter().flat_map(|report| &report.checks);
    let checks: Vec<&Check> = checks.filter(is_bad).collect();
    for check in checks.iter().take(MOST_CHECKS) {
        said.add(depth, &check.message);
    }
    if checks.len() > MOST_CHECKS {
        let more = checks.len() - MOST_CHECKS;
        said.add(depth, &format!("and {more} more checks"));
    }
    let Some(summary) = summary else {
        return;
    };
    if !summary.failed_dates.is_empty() {
        let dates = spans_text(&summary.failed_dates, MOST_CHECKS);
        said.add(depth, &format!("failed by its log: {dates}"));
    }
    if let Some(class) = summary.error_classes.first() {
        let times = match class.count {
            1 => "once".to_owned(),
            count => format!("{} times", thousands(count)),
        };
        said.add(
            depth,
            &format!("its job logged: {} ({times})", class.example),
        );
    }
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
                duration_seconds: None,
                log_summary: None,
                validation: None,
            });
        }
        let text = phases(&report(vec![failed]), Style::default());
        assert_eq!(text.matches("boom").count(), 1, "{text}");
        assert!(text.contains("1 of 2 windows"), "{text}");
    }

    #[test]
    fn a_window_that_failed_names_its_checks_its_dates_and_the_jobs_own_words() {
        let window = serde_json::json!({
            "range": {"start": "2024-02-01", "end": "2024-02-29"}, "status": "failed",
            "reason": "2 dates missing (and 1 more)", "attempts": 2, "duration_seconds": 61.0,
            "log_summary": {
                "type": "log_summary", "schema": 1, "completed": true, "current_day": 29, "total_days": 29,
                "successful_days": 27, "failed_days": 2, "success_rate": 93.1, "total_records": 1350,
                "fatal_errors": 0, "progress_pct": 100.0, "state": "completed", "dialect": null, "job": null,
                "range": null, "skipped_days": 0, "earlier_days": 0, "unaccounted_days": 0, "zero_record_days": 0,
                "failed_dates": ["2024-02-10", "2024-02-11"], "unaccounted_dates": null, "runs": 1,
                "error_classes": [{"class": "timeout", "count": 2, "example": "timeout talking to api"}],
                "log": {"path": "logs/orders.log", "bytes": 10, "lines": 29, "complete_lines": 29}
            }
        });
        let mut failed = phase("orders", PhaseStatus::Failed, "2 of 2 windows did not pass");
        let mut window: Window = serde_json::from_value(window).expect("a window");
        let report = include_str!("../../../bf-contract/tests/golden/validation_report.json");
        let mut report: ValidationReport = serde_json::from_str(report).expect("a report");
        let failed_check = |message: &str| Check {
            status: CheckStatus::Fail,
            level: bf_contract::Level::Critical,
            message: message.to_owned(),
            ..report.checks[0].clone()
        };
        report.checks = ["2 dates missing", "3 keys twice"].map(failed_check).into();
        window.validation = Some(Box::new(report));
        failed.windows.push(window.clone());
        window.range = "2024-03-01 2024-03-31".parse().expect("a range");
        failed.windows.push(window);
        let text = phases(&self::report(vec![failed]), Style::default());
        for line in [
            "    2024-02-01 to 2024-02-29  FAILED  1m 1s     27 of 29        1,350    2",
            "  - 2024-02-01 to 2024-02-29: 2 dates missing (and 1 more)",
            "    - 3 keys twice",
            "    - failed by its log: 2024-02-10 to 2024-02-11",
            "    - its job logged: timeout talking to api (2 times)",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        // Each window says it once, and the other one all the same.
        assert_eq!(text.matches("2 dates missing").count(), 2, "{text}");
        assert_eq!(text.matches("3 keys twice").count(), 2, "{text}");
    }
}
