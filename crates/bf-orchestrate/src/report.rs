//! The report of a run: as a document, and as a person reads it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bf_cli::text::{Mark, Style, duration, percent, printable, thousands};
use bf_config::Loaded;
use bf_contract::{
    Check, CheckStatus, Exit, LogSummary, Phase, PhaseStatus, RunReport, RunReportType, Schema,
    ValidationReport, Verdict, date_spans,
};

use crate::args::DEFAULT_RUNS;
use crate::document::not_run;
use crate::held::Refusal;
use crate::plan::{Job, PhasePlan, Plan, shell_words};
use crate::progress::Progress;
use crate::run_dir::RunDir;
use crate::scheduler::RunEnd;

/// How many characters of a text from outside a line shows.
const TEXT_LIMIT: usize = 300;

/// The report of a run that came to its end.
#[must_use]
pub fn document(plan: &Plan, run_dir: &RunDir, end: RunEnd, took: Duration) -> RunReport {
    let next_steps = next_steps(plan, run_dir, &end);
    let reason = if run_dir.is_stopped() && end.verdict > Verdict::Warn {
        format!("stopped by bf-orchestrate stop; {}", end.reason)
    } else {
        end.reason
    };
    RunReport {
        kind: RunReportType,
        schema: Schema,
        run_id: run_dir.run_id.clone(),
        run_uuid: None,
        plan: None,
        started_at: None,
        run_dir: Some(run_dir.path.display().to_string()),
        dry_run: false,
        provisional: false,
        verdict: end.verdict,
        reason,
        phases: end.phases,
        total_seconds: took.as_secs_f64(),
        next_steps,
        held_by: None,
    }
}

/// The report of a run that was refused before anything was watched, or that broke off.
#[must_use]
pub fn refused(plan: &Plan, refusal: &Refusal) -> RunReport {
    let failure = &refusal.failure;
    let (status, reason) = match (&refusal.held_by, failure.exit) {
        (Some(held_by), _) => (
            PhaseStatus::NotStarted,
            format!("not started by this call: run {} has it", held_by.run_id),
        ),
        (None, Exit::CouldNotCheck) => (PhaseStatus::CouldNotCheck, failure.message.clone()),
        (None, _) => (PhaseStatus::NotStarted, "nothing was started".to_owned()),
    };
    let phases = plan
        .phases
        .iter()
        .map(|phase| not_run(phase, status, reason.clone()))
        .collect();
    RunReport {
        kind: RunReportType,
        schema: Schema,
        run_id: String::new(),
        run_uuid: None,
        plan: None,
        started_at: None,
        run_dir: None,
        dry_run: false,
        provisional: false,
        verdict: Verdict::Error,
        reason: failure.message.clone(),
        phases,
        total_seconds: 0.0,
        next_steps: failure.hint.iter().cloned().collect(),
        held_by: refusal.held_by.clone(),
    }
}

/// What a person does next: the plan's steps after a pass, the way out after anything else.
fn next_steps(plan: &Plan, run_dir: &RunDir, end: &RunEnd) -> Vec<String> {
    if matches!(end.verdict, Verdict::Pass | Verdict::Warn) {
        return plan.next_steps.clone();
    }
    let run = if run_dir.path.parent() == Some(Path::new(DEFAULT_RUNS)) {
        run_dir.run_id.clone()
    } else {
        run_dir.path.display().to_string()
    };
    let mut steps = Vec::new();
    if run_dir.is_stopped() {
        let again = "its jobs were ended by bf-orchestrate stop; the same command starts a new run";
        steps.push(again.to_owned());
    }
    for phase in &end.phases {
        let process = phase.job.as_ref().and_then(|job| job.process.as_ref());
        if let Some(process) = process.filter(|process| crate::boot::is_alive(process))
            && phase.status != PhaseStatus::Interrupted
        {
            // Nothing is to be repeated while the job still writes.
            steps.push(format!(
                "the job of {} still runs as process {}: wait for it, or end it with bf-orchestrate stop",
                phase.name, process.pid
            ));
            continue;
        }
        match phase.status {
            PhaseStatus::Failed | PhaseStatus::CouldNotCheck | PhaseStatus::Unknown => {
                if let Some(rerun) = phase
                    .validation
                    .as_ref()
                    .and_then(|report| report.rerun.as_ref())
                {
                    steps.push(match &rerun.command {
                        Some(command) => format!(
                            "repeat {} dates of {}: {}",
                            rerun.dates.len(),
                            phase.name,
                            shell_words(command)
                        ),
                        None => format!(
                            "repeat {} of {}: {}",
                            if rerun.dates.len() == 1 {
                                "the date"
                            } else {
                                "the dates"
                            },
                            phase.name,
                            spans_text(&rerun.dates, usize::MAX)
                        ),
                    });
                    let planned = plan
                        .phases
                        .iter()
                        .find(|planned| planned.name == phase.name);
                    steps.extend(planned.map(|planned| after_repeating(plan, planned)));
                }
            }
            PhaseStatus::Interrupted => steps.push(match process {
                Some(process) if crate::boot::is_alive(process) => format!(
                    "the job of {} goes on as process {}: take it up with bf-orchestrate resume {run}",
                    phase.name, process.pid
                ),
                Some(process) if crate::boot::is_over_for(process) => format!(
                    "the machine was restarted while the job of {} ran: bf-orchestrate resume {run} --restart-interrupted runs {}",
                    phase.name,
                    restart_command(plan, &phase.name)
                ),
                _ => format!(
                    "{} was interrupted: take it up with bf-orchestrate resume {run}",
                    phase.name
                ),
            }),
            PhaseStatus::Passed | PhaseStatus::Warned | PhaseStatus::NotStarted => {}
        }
    }
    if end.is_broken || steps.is_empty() && end.interrupt.is_some() {
        steps.push(format!("take the run up with bf-orchestrate resume {run}"));
    }
    if steps.is_empty() {
        steps.push("look into the run directory for what each tool said".to_owned());
    }
    steps
}

/// What a job that a reboot cut off is run again by.
fn restart_command(plan: &Plan, phase: &str) -> String {
    let phase = plan.phases.iter().find(|planned| planned.name == phase);
    let command = phase.and_then(|phase| phase.job.as_ref()?.command());
    command.map_or_else(
        || "it again".to_owned(),
        |command| match command.restart_command.as_slice() {
            [] => command.shell_line(),
            words => shell_words(words),
        },
    )
}

/// What follows once the dates of a phase were repeated by hand. A job that the run starts would be started
/// again, for all its dates, by the same command.
fn after_repeating(plan: &Plan, phase: &PhasePlan) -> String {
    match (&phase.job, phase.validate.first()) {
        (Some(Job::Command(_)), Some(validator)) => {
            let mut words = vec![validator.program.clone()];
            if let Some(suite) = &validator.suite {
                words.extend(["--suite".to_owned(), suite.display().to_string()]);
            }
            words.extend([phase.range.start.to_string(), phase.range.end.to_string()]);
            words.extend(["--warehouse".to_owned(), plan.warehouse.clone()]);
            format!(
                "then look at {} again: {}",
                phase.table,
                shell_words(&words)
            )
        }
        _ => "then give the same command again: it starts a new run and judges anew".to_owned(),
    }
}

/// What is said before anything is watched.
#[must_use]
pub fn heading(plan: &Plan, loaded: &Loaded, run_dir: Option<&RunDir>, style: Style) -> String {
    let mut text = style.section("BACKFILL ORCHESTRATOR STARTED");
    let _ = write!(text, "\nConfiguration:");
    for (at, phase) in plan.phases.iter().enumerate() {
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

/// What is said where a run is taken up: what is known of each phase already.
#[must_use]
pub fn taken_up(run_dir: &RunDir, plan: &Plan, state: &Progress) -> String {
    let mut text = format!("Taking up run {}:", run_dir.run_id);
    for phase in &plan.phases {
        let known = match state.phases.get(&phase.name) {
            None => "not begun".to_owned(),
            Some(done) => match (&done.gate, done.job_ended, done.job_starting) {
                (Some(judgement), ..) => status_words(judgement.status).1.to_lowercase(),
                (None, Some(_), _) => "its job is over, its gate is still to judge".to_owned(),
                (None, None, true) => "its job was started, its end is not known yet".to_owned(),
                (None, None, false) => "its job is to be run again".to_owned(),
            },
        };
        let _ = write!(text, "\n  {}: {known}", phase.name);
    }
    text.push('\n');
    text
}

/// The final report.
#[must_use]
pub fn text(report: &RunReport, style: Style) -> String {
    let mut text = style.section("ORCHESTRATOR FINAL REPORT");
    let mark = match report.verdict {
        Verdict::Pass => Mark::Pass,
        Verdict::Warn => Mark::Warn,
        Verdict::Fail => Mark::Fail,
        Verdict::Error | Verdict::Unknown => Mark::Error,
    };
    let headline = match (report.verdict, report.dry_run) {
        (Verdict::Pass, false) => "ALL PHASES COMPLETE & VALIDATED".to_owned(),
        (Verdict::Warn, false) if report.phases.iter().any(only_warned) => {
            format!(
                "ALL PHASES ENDED, NOT ALL PASSED: {}",
                printable(&report.reason, TEXT_LIMIT)
            )
        }
        (Verdict::Warn, false) => "ALL PHASES COMPLETE & VALIDATED, WITH WARNINGS".to_owned(),
        (Verdict::Pass | Verdict::Warn, true) => {
            "DRY RUN: what is there so far would open the gate".to_owned()
        }
        _ => format!("STOPPED: {}", printable(&report.reason, TEXT_LIMIT)),
    };
    let _ = write!(text, "\n{}\n", line(style, mark, &headline));
    for (at, phase) in report.phases.iter().enumerate() {
        let _ = write!(
            text,
            "\n{}",
            phase_text(&format!("Phase {}: {}", at + 1, phase.name), phase, style)
        );
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

/// What a phase came to, as plain text.
#[must_use]
pub fn phase_plain_text(phase: &Phase) -> String {
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

/// Whether a phase failed, and goes for a warning only because the plan says so.
#[must_use]
pub fn only_warned(phase: &Phase) -> bool {
    phase.status == PhaseStatus::Warned && phase.reason.starts_with(crate::gate::ONLY_WARNED)
}

/// What a phase came to in words, and the mark that goes with it.
#[must_use]
pub fn phase_words(phase: &Phase) -> (Mark, &'static str) {
    if only_warned(phase) {
        return (Mark::Warn, "FAILED, A WARNING BY THE PLAN");
    }
    status_words(phase.status)
}

/// A status in words, and the mark that goes with it.
#[must_use]
pub fn status_words(status: PhaseStatus) -> (Mark, &'static str) {
    match status {
        PhaseStatus::Passed => (Mark::Pass, "PASSED"),
        PhaseStatus::Warned => (Mark::Warn, "PASSED WITH WARNINGS"),
        PhaseStatus::Failed => (Mark::Fail, "FAILED"),
        PhaseStatus::CouldNotCheck | PhaseStatus::Unknown => (Mark::Error, "COULD NOT BE CHECKED"),
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

/// Dates as ranges, at most `limit` of them.
fn spans_text(dates: &[chrono::NaiveDate], limit: usize) -> String {
    let spans = date_spans(dates);
    let mut words: Vec<String> = spans
        .iter()
        .take(limit)
        .map(|span| {
            if span.start == span.end {
                span.start.to_string()
            } else {
                span.to_string()
            }
        })
        .collect();
    if spans.len() > limit {
        words.push(format!("and {} more ranges", spans.len() - limit));
    }
    words.join(", ")
}
