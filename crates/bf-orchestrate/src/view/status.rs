//! How far runs have come: what `status` and `history` show.

use std::fmt::Write as _;
use std::time::Duration;

use bf_cli::text::{Mark, Style, duration, printable, thousands};
use bf_contract::{
    Document, PhaseProgress, PhaseStep, ProcessEvent, ProcessEventKind, RunState, RunStatus,
    RunStatusType, Schema, Verdict,
};
use chrono::{DateTime, Utc};

use crate::engine::report::resume_words;
use crate::plan::PhasePlan;
use crate::store::attempt::{self, AttemptDir};
use crate::store::proc;
use crate::store::runs::{self, Found, Unreadable};
use crate::store::state::UnitState;
use crate::view::words::{status_words, verdict_words};

/// What the journal, the processes and the latest documents say of a run now.
pub(crate) fn status_of(found: &Found) -> RunStatus {
    let finished = found.state.finished;
    let state = match finished {
        Some(_) => RunState::Finished,
        None if runs::is_live(&found.run_dir) => RunState::Live,
        None if found.state.interrupted_by.is_some() => RunState::Interrupted,
        None => RunState::Abandoned,
    };
    let passed = finished.is_some_and(|(_, code)| code == 0);
    let phases = found.plan.phases.iter();
    RunStatus {
        kind: RunStatusType,
        schema: Schema,
        run_id: found.run_dir.run_id.clone(),
        run_dir: found.run_dir.path.display().to_string(),
        plan: found.plan.name.clone(),
        state,
        started_at: found.began,
        updated_at: found.updated,
        verdict: finished.map(|(verdict, _)| verdict),
        exit_code: finished.map(|(_, code)| code),
        phases: phases.map(|phase| phase_progress(found, phase)).collect(),
        resume: (state != RunState::Live && !passed).then(|| resume_command(found)),
    }
}

fn resume_command(found: &Found) -> String {
    let run = resume_words(&found.plan, &found.run_dir);
    format!("bf-orchestrate resume {run}")
}

/// A run that cannot be read, as history lists it.
pub(crate) fn status_of_unreadable(run: &Unreadable) -> RunStatus {
    let changed = std::fs::metadata(&run.path).and_then(|metadata| metadata.modified());
    let changed = changed.map_or_else(|_| DateTime::<Utc>::UNIX_EPOCH, DateTime::<Utc>::from);
    RunStatus {
        kind: RunStatusType,
        schema: Schema,
        run_id: run
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        run_dir: run.path.display().to_string(),
        plan: String::new(),
        state: RunState::Unreadable,
        started_at: changed,
        updated_at: changed,
        verdict: None,
        exit_code: None,
        phases: Vec::new(),
        resume: None,
    }
}

fn phase_progress(found: &Found, phase: &PhasePlan) -> PhaseProgress {
    let mut progress = PhaseProgress {
        name: phase.name.clone(),
        step: PhaseStep::Waiting,
        status: None,
        reason: None,
        process: None,
        process_is_alive: None,
        attempts: 0,
        current_day: None,
        total_days: None,
        days_per_hour: None,
        eta_seconds: None,
        moved_at: None,
        silence: None,
        window: None,
        windows_done: None,
        windows: None,
    };
    let whole = found.state.phases.get(&phase.name);
    let mut shown = whole.map(|state| (None, state));
    if let Some(windows) = &phase.windows {
        let begun: Vec<_> = found.state.windows_of(&phase.name).collect();
        let done = begun.iter().filter(|(_, state)| state.gate.is_some());
        progress.windows_done = Some(done.count() as u64);
        progress.windows = Some(windows.size.cut(phase.range).len() as u64);
        let open = begun.iter().find(|(_, state)| state.gate.is_none());
        if whole.is_none_or(|state| state.gate.is_none()) {
            let latest = open.or(begun.last());
            shown = latest
                .map(|(window, state)| (Some(*window), *state))
                .or(shown);
        }
    }
    let Some((window, state)) = shown else {
        return progress;
    };
    let gate = whole.and_then(|whole| whole.gate.as_ref());
    progress.window = window;
    progress.step = match gate {
        Some(_) => PhaseStep::Done,
        None => step_of(state),
    };
    progress.status = gate.map(|gate| gate.status);
    progress.reason = gate.map(|gate| gate.reason.clone());
    progress.process.clone_from(&state.process);
    progress.process_is_alive = state.process.as_ref().map(proc::is_alive);
    progress.attempts = u64::from(state.earlier_attempts) + 1;
    let attempts = state.earlier_attempts;
    let folder = found.run_dir.attempt_folder(&phase.name, window, attempts);
    let attempt = AttemptDir::in_folder(&folder, phase);
    add_movement(&mut progress, &attempt, gate.is_some());
    progress
}

fn step_of(state: &UnitState) -> PhaseStep {
    match (state.job_ended, state.job_starting) {
        (Some(_), _) => PhaseStep::Judging,
        (None, true) => PhaseStep::Watching,
        (None, false) if state.log_read.is_some() => PhaseStep::Judging,
        (None, false) => PhaseStep::Waiting,
    }
}

/// What bf-monitor reported last of the job's dates, and when it last moved.
fn add_movement(progress: &mut PhaseProgress, attempt: &AttemptDir, is_decided: bool) {
    let events = attempt::documents(&attempt.events).into_iter();
    let events: Vec<ProcessEvent> = events
        .filter_map(|document| match document {
            Document::ProcessEvent(event) => Some(*event),
            _ => None,
        })
        .collect();
    let mut before = None;
    for event in &events {
        let now = event
            .log_summary
            .as_ref()
            .map(|summary| (summary.current_day, summary.log.bytes));
        if now.is_some() && now != before {
            before = now;
            progress.moved_at = Some(event.time);
            progress.silence = None;
        }
        match event.event {
            ProcessEventKind::Quiet | ProcessEventKind::Stalled | ProcessEventKind::Hung => {
                progress.silence = Some(event.event);
            }
            _ => {}
        }
        progress.days_per_hour = event.days_per_hour.or(progress.days_per_hour);
        progress.eta_seconds = event.eta_seconds.or(progress.eta_seconds);
        if let Some(summary) = &event.log_summary {
            progress.current_day = Some(summary.current_day);
            progress.total_days = summary.total_days;
        }
    }
    if is_decided || progress.step != PhaseStep::Watching {
        progress.eta_seconds = None;
        progress.silence = None;
    }
}

/// A run, line by line.
pub(crate) fn status_text(status: &RunStatus, style: Style, now: DateTime<Utc>) -> String {
    let started = match status.state {
        RunState::Finished => format!("took {}", since(status.started_at, status.updated_at)),
        _ => format!("{} ago", since(status.started_at, now)),
    };
    let mut text = format!(
        "{}\n  Plan:      {}\n  State:     {}\n  Started:   {} ({started})\n  Directory: {}",
        style.bold(&format!("Run {}", status.run_id)),
        status.plan,
        state_words(status, style),
        local(status.started_at),
        status.run_dir,
    );
    match status.state {
        RunState::Live => text.push_str("\n  Watched:   yes, its orchestrator is at work"),
        RunState::Abandoned => text.push_str("\n  Watched:   NO, its orchestrator is gone"),
        RunState::Interrupted => text.push_str("\n  Watched:   no, it waits to be resumed"),
        _ => {}
    }
    let width = status.phases.iter().map(|phase| phase.name.len()).max();
    let width = width.unwrap_or(0);
    for phase in &status.phases {
        let _ = write!(
            text,
            "\n  {:<width$}  {}",
            phase.name,
            phase_words(phase, status.state, style)
        );
        for line in phase_lines(phase, now) {
            let _ = write!(text, "\n  {:<width$}  {line}", "");
        }
    }
    if let Some(resume) = &status.resume {
        let _ = write!(text, "\n  Continue:  {resume}");
    }
    text
}

/// What is known of a phase beside its state.
fn phase_lines(phase: &PhaseProgress, now: DateTime<Utc>) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(done), Some(all)) = (phase.windows_done, phase.windows) {
        let window = match phase.window {
            Some(window) if phase.status.is_none() => format!(", now {window}"),
            _ => String::new(),
        };
        lines.push(format!("{done} of {all} windows decided{window}"));
    }
    let mut facts = Vec::new();
    if let Some(done) = phase.current_day {
        facts.push(match phase.total_days {
            Some(all) => format!("{} of {} dates", thousands(done), thousands(all)),
            None => format!("{} dates", thousands(done)),
        });
    }
    if phase.step == PhaseStep::Watching {
        facts.extend(phase.days_per_hour.map(|rate| format!("{rate:.1} dates/h")));
        let eta = phase.eta_seconds.and_then(seconds);
        facts.extend(eta.map(|left| format!("ETA {}", duration(left))));
    }
    if phase.attempts > 1 {
        facts.push(format!("attempt {}", phase.attempts));
    }
    if !facts.is_empty() {
        lines.push(facts.join(", "));
    }
    if let (Some(process), Some(is_alive)) = (&phase.process, phase.process_is_alive)
        && (is_alive || phase.status.is_none())
    {
        let mut line = format!(
            "process {} {}",
            process.pid,
            if is_alive { "runs" } else { "has ended" }
        );
        if phase.step == PhaseStep::Watching {
            if let Some(moved) = phase.moved_at {
                let _ = write!(line, ", last movement {} ago", since(moved, now));
            }
            match phase.silence {
                Some(ProcessEventKind::Quiet) => line.push_str(", quiet"),
                Some(ProcessEventKind::Stalled) => line.push_str(", STALLED"),
                Some(ProcessEventKind::Hung) => line.push_str(", HUNG"),
                _ => {}
            }
        }
        lines.push(line);
    }
    if let Some(reason) = phase.reason.as_ref().filter(|reason| !reason.is_empty()) {
        lines.push(printable(reason, 300));
    }
    lines
}

/// The runs as a table, aligned.
pub(crate) fn history_table(runs: &[RunStatus], style: Style, now: DateTime<Utc>) -> String {
    let mut rows =
        vec![["RUN", "PLAN", "STARTED", "DURATION", "VERDICT", "EXIT"].map(str::to_owned)];
    for run in runs {
        let end = match run.state {
            RunState::Live => now,
            _ => run.updated_at,
        };
        rows.push([
            run.run_id.clone(),
            run.plan.clone(),
            local(run.started_at),
            since(run.started_at, end),
            state_words(run, Style::default()),
            run.exit_code
                .map_or_else(|| "-".to_owned(), |code| code.to_string()),
        ]);
    }
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let line = line.trim_end();
        text.push_str(&match at {
            0 => style.bold(line),
            _ => style.paint(state_mark(&runs[at - 1]), line),
        });
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn phase_words(phase: &PhaseProgress, run: RunState, style: Style) -> String {
    let is_watched = run == RunState::Live;
    match (phase.status, phase.step) {
        (Some(status), _) => {
            let (mark, words) = status_words(status);
            style.paint(mark, &words.to_lowercase())
        }
        (None, PhaseStep::Waiting) if run == RunState::Finished => "not started".to_owned(),
        (None, PhaseStep::Waiting) => "waiting".to_owned(),
        (None, PhaseStep::Watching) if is_watched => "running".to_owned(),
        (None, PhaseStep::Watching) => match phase.process_is_alive {
            Some(true) => "running, not watched".to_owned(),
            _ => "interrupted".to_owned(),
        },
        (None, _) if is_watched => "judging".to_owned(),
        (None, _) => "interrupted".to_owned(),
    }
}

fn state_words(status: &RunStatus, style: Style) -> String {
    let words = match (status.state, status.verdict) {
        (RunState::Finished, verdict) => {
            let verdict = verdict.unwrap_or(Verdict::Unknown);
            verdict_words(verdict).1.to_lowercase()
        }
        (RunState::Live, _) => "running".to_owned(),
        (RunState::Interrupted, _) => "interrupted".to_owned(),
        (RunState::Abandoned, _) => "abandoned".to_owned(),
        (RunState::Unreadable | RunState::Unknown, _) => "unreadable".to_owned(),
    };
    style.paint(state_mark(status), &words)
}

fn state_mark(status: &RunStatus) -> Mark {
    match (status.state, status.verdict) {
        (RunState::Finished, verdict) => verdict_words(verdict.unwrap_or(Verdict::Unknown)).0,
        (RunState::Live, _) => Mark::Info,
        (RunState::Interrupted | RunState::Abandoned, _) => Mark::Warn,
        (RunState::Unreadable | RunState::Unknown, _) => Mark::Error,
    }
}

fn since(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    // A clock that was set back makes no time less than none.
    duration((now - then).to_std().unwrap_or(Duration::ZERO))
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

fn local(time: DateTime<Utc>) -> String {
    time.with_timezone(&chrono::Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, plan: &str, verdict: Option<Verdict>, code: Option<u8>) -> RunStatus {
        let at = |text: &str| text.parse().expect("a time");
        RunStatus {
            kind: RunStatusType,
            schema: Schema,
            run_id: id.to_owned(),
            run_dir: format!(".bf/runs/{id}"),
            plan: plan.to_owned(),
            state: match verdict {
                Some(_) => RunState::Finished,
                None => RunState::Live,
            },
            started_at: at("2026-11-28T00:00:00Z"),
            updated_at: at("2026-11-28T00:12:03Z"),
            verdict,
            exit_code: code,
            phases: Vec::new(),
            resume: None,
        }
    }

    #[test]
    fn the_columns_of_the_history_are_aligned() {
        let runs = [
            run("20261128T000000Z-7", "nightly", None, None),
            run(
                "20261127T000000Z-12345",
                "shop",
                Some(Verdict::Fail),
                Some(1),
            ),
        ];
        let now = "2026-11-28T00:00:41Z".parse().expect("a time");
        let table = history_table(&runs, Style::default(), now);
        let lines: Vec<&str> = table.lines().collect();
        let column = |line: &str, word: &str| line.find(word).expect(word);
        assert_eq!(column(lines[0], "PLAN"), column(lines[1], "nightly"));
        assert_eq!(column(lines[0], "PLAN"), column(lines[2], "shop"));
        assert_eq!(column(lines[0], "DURATION"), column(lines[1], "41s"));
        assert_eq!(column(lines[0], "DURATION"), column(lines[2], "12m 3s"));
        assert_eq!(column(lines[0], "VERDICT"), column(lines[1], "running"));
        assert_eq!(column(lines[0], "VERDICT"), column(lines[2], "failed"));
        assert!(lines.iter().all(|line| line.len() <= 80), "{table}");
    }
}
