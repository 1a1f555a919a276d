//! The metrics of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bf_cli::metrics::{gauge, label};
use bf_cli::text::Mark;
use bf_cli::write_atomically;
use bf_contract::{CheckStatus, LogSummary, Phase, PhaseStatus};
use chrono::Utc;

use crate::engine::event::{Listener, RunEvent};
use crate::plan::Plan;
use crate::view::console::Console;

/// Seconds between two signs of life that change nothing else.
const BEAT: i64 = 5;

/// The file of a run's metrics; nothing where none was asked for.
pub(crate) struct MetricsFile<'a> {
    console: &'a Console,
    file: Option<(PathBuf, Mutex<RunMetrics>)>,
}

impl<'a> MetricsFile<'a> {
    /// The metrics of a run of `plan`, which passed last at `last_success`.
    pub(crate) fn new(
        console: &'a Console,
        path: Option<PathBuf>,
        plan: &Plan,
        last_success: Option<i64>,
    ) -> Self {
        let phases = plan.phases.iter();
        let metrics = RunMetrics {
            plan: plan.name.clone(),
            started: Utc::now().timestamp(),
            last_success,
            phases: phases
                .map(|phase| (phase.name.clone(), PhaseMetrics::default()))
                .collect(),
            ..RunMetrics::default()
        };
        Self {
            console,
            file: path.map(|path| (path, Mutex::new(metrics))),
        }
    }

    /// A sign of life, at most every few seconds.
    fn beat(&self) {
        let is_due = self.file.as_ref().is_some_and(|(_, metrics)| {
            let metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
            Utc::now().timestamp() - metrics.heartbeat >= BEAT
        });
        if is_due {
            self.update(|_| {});
        }
    }

    fn update(&self, change: impl FnOnce(&mut RunMetrics)) {
        let Some((path, metrics)) = &self.file else {
            return;
        };
        let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut metrics);
        metrics.heartbeat = Utc::now().timestamp();
        if let Err(failure) = write_atomically(path, render(&metrics).as_bytes()) {
            self.console.mark(
                Mark::Warn,
                &format!("metrics: {failure}; the run continues"),
            );
        }
    }
}

impl Listener for MetricsFile<'_> {
    fn on(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::RunStarted { .. } => self.update(|_| {}),
            RunEvent::JobSeen { unit, .. } => {
                self.update(|metrics| metrics.phase(unit.phase).is_running = true);
            }
            // Every poll of a job is a sign of life.
            RunEvent::Process { unit, event } => self.update(|metrics| {
                let phase = metrics.phase(unit.phase);
                if let Some(log) = &event.log_summary {
                    phase.claims(log);
                }
            }),
            RunEvent::Alive | RunEvent::Document(_) => self.beat(),
            RunEvent::PhaseEnded(phase) => {
                self.update(|metrics| *metrics.phase(&phase.name) = PhaseMetrics::of(phase));
            }
            RunEvent::RunEnded {
                report,
                exit,
                is_finished,
            } => self.update(|metrics| {
                if *is_finished {
                    let now = Utc::now().timestamp();
                    metrics.finished = Some((now, exit.code()));
                    if exit.is_success() {
                        metrics.last_success = Some(now);
                    }
                }
                metrics.duration_seconds = Some(report.total_seconds);
                for phase in &report.phases {
                    *metrics.phase(&phase.name) = PhaseMetrics::of(phase);
                }
            }),
            _ => {}
        }
    }
}

/// What machines are told of a run.
#[derive(Debug, Clone, Default)]
struct RunMetrics {
    pub plan: String,
    /// When this run was begun or resumed, in seconds since 1970.
    pub started: i64,
    /// When this file was last written, in seconds since 1970.
    pub heartbeat: i64,
    /// When a run of this plan last passed, in seconds since 1970; `None` where none has.
    pub last_success: Option<i64>,
    /// When this run came to its end, and its exit code.
    pub finished: Option<(i64, u8)>,
    /// From its beginning to its end, in seconds; `None` before its end.
    pub duration_seconds: Option<f64>,
    /// Each phase of the plan.
    pub phases: BTreeMap<String, PhaseMetrics>,
}

/// What machines are told of a phase.
#[derive(Debug, Clone, Default, PartialEq)]
struct PhaseMetrics {
    /// Whether its job is watched now.
    pub is_running: bool,
    /// What it came to; `None` before its gate has judged.
    pub status: Option<PhaseStatus>,
    /// Its log's success rate in percent.
    pub success_rate: Option<f64>,
    /// The records that its log claims.
    pub records: Option<u64>,
    /// From the job's own start to its end, in seconds.
    pub duration_seconds: Option<f64>,
    /// What its validation was charged for.
    pub bytes_billed: Option<u64>,
    /// The part of its dates that its log claims to have done, from 0 to 1.
    pub progress: Option<f64>,
    /// The dates that its log claims, by status.
    pub dates: Vec<(&'static str, u64)>,
    /// How many of its checks came to what.
    pub checks: Vec<(&'static str, u64)>,
}

impl RunMetrics {
    /// A phase by its name.
    fn phase(&mut self, name: &str) -> &mut PhaseMetrics {
        self.phases.entry(name.to_owned()).or_default()
    }
}

impl PhaseMetrics {
    const STATES: [&'static str; 8] = [
        "waiting",
        "running",
        "passed",
        "warned",
        "failed",
        "could_not_check",
        "not_started",
        "interrupted",
    ];

    /// Takes what the phase's log claims.
    fn claims(&mut self, log: &LogSummary) {
        self.success_rate = log.success_rate;
        self.records = Some(log.total_records);
        self.progress = log.progress_pct.map(|percent| percent / 100.0);
        self.dates = vec![
            ("successful", log.successful_days),
            ("failed", log.failed_days),
            ("skipped", log.skipped_days),
        ];
        self.dates
            .extend(log.unaccounted_days.map(|days| ("unaccounted", days)));
    }

    fn state(&self) -> &'static str {
        match self.status {
            None if self.is_running => "running",
            None => "waiting",
            Some(PhaseStatus::Passed) => "passed",
            Some(PhaseStatus::Warned) => "warned",
            Some(PhaseStatus::Failed) => "failed",
            Some(PhaseStatus::CouldNotCheck | PhaseStatus::Unknown) => "could_not_check",
            Some(PhaseStatus::NotStarted) => "not_started",
            Some(PhaseStatus::Interrupted) => "interrupted",
        }
    }
}

type Counts = Vec<(&'static str, u64)>;

/// The whole file.
#[allow(clippy::cast_precision_loss)] // counts and seconds stay far below 2^53
fn render(metrics: &RunMetrics) -> String {
    let mut text = String::new();
    let run = label("plan", &metrics.plan);
    let one = |text: &mut String, name: &str, help: &str, value: Option<f64>| {
        gauge(text, name, help, value.map(|value| (run.clone(), value)));
    };
    one(
        &mut text,
        "bf_run_start_timestamp_seconds",
        "When the latest run was begun or resumed.",
        Some(metrics.started as f64),
    );
    one(
        &mut text,
        "bf_run_heartbeat_timestamp_seconds",
        "When the orchestrator of the latest run was last at work.",
        Some(metrics.heartbeat as f64),
    );
    one(
        &mut text,
        "bf_run_last_success_timestamp_seconds",
        "When a run last passed every gate.",
        metrics.last_success.map(|at| at as f64),
    );
    one(
        &mut text,
        "bf_run_end_timestamp_seconds",
        "When the latest run came to its end; absent while it goes on.",
        metrics.finished.map(|(at, _)| at as f64),
    );
    one(
        &mut text,
        "bf_run_exit_code",
        "The exit code of the latest run; absent while it goes on.",
        metrics.finished.map(|(_, code)| f64::from(code)),
    );
    one(
        &mut text,
        "bf_run_duration_seconds",
        "From the beginning of the latest run to its end.",
        metrics.duration_seconds,
    );

    let label = |phase: &str| format!("{run},{}", label("phase", phase));
    gauge(
        &mut text,
        "bf_phase_state",
        "1 for the state that a phase is in, 0 for every other.",
        metrics.phases.iter().flat_map(|(name, phase)| {
            PhaseMetrics::STATES.map(|state| {
                let is_in = phase.state() == state;
                (
                    format!("{},state=\"{state}\"", label(name)),
                    f64::from(u8::from(is_in)),
                )
            })
        }),
    );
    let mut each = |name: &str, help: &str, value: &dyn Fn(&PhaseMetrics) -> Option<f64>| {
        let samples: Vec<(String, f64)> = metrics
            .phases
            .iter()
            .filter_map(|(name, phase)| Some((label(name), value(phase)?)))
            .collect();
        gauge(&mut text, name, help, samples);
    };
    each(
        "bf_phase_claimed_success_ratio",
        "Dates that the phase's log claims to be successful, of those that it finished.",
        &|phase| phase.success_rate.map(|percent| percent / 100.0),
    );
    each(
        "bf_phase_claimed_records",
        "Records that the phase's log claims.",
        &|phase| phase.records.map(|records| records as f64),
    );
    each(
        "bf_phase_duration_seconds",
        "From the job's own start to its end.",
        &|phase| phase.duration_seconds,
    );
    each(
        "bf_phase_billed_bytes",
        "What the phase's validation was charged for.",
        &|phase| phase.bytes_billed.map(|bytes| bytes as f64),
    );
    each(
        "bf_phase_claimed_progress_ratio",
        "Dates that the phase's log claims to be done, of all of its range.",
        &|phase| phase.progress,
    );
    let mut by_status = |name: &str, help: &str, counts: &dyn Fn(&PhaseMetrics) -> Counts| {
        let samples: Vec<(String, f64)> = metrics
            .phases
            .iter()
            .flat_map(|(phase_name, phase)| {
                counts(phase).into_iter().map(move |(status, count)| {
                    let labels = format!("{},status=\"{status}\"", label(phase_name));
                    (labels, count as f64)
                })
            })
            .collect();
        gauge(&mut text, name, help, samples);
    };
    by_status(
        "bf_phase_claimed_dates",
        "Dates of the phase by what its log claims of them.",
        &|phase| phase.dates.clone(),
    );
    by_status(
        "bf_phase_checks",
        "Counted checks of the phase's tables by what they came to.",
        &|phase| phase.checks.clone(),
    );
    text
}

impl PhaseMetrics {
    /// What is known of a phase that was judged.
    fn of(phase: &Phase) -> Self {
        let reports = phase.validation.iter().chain(&phase.further_validations);
        let billed: Vec<u64> = reports
            .filter_map(|report| report.engine.bytes_billed)
            .collect();
        let reports = phase.validation.iter().chain(&phase.further_validations);
        let statuses: Vec<CheckStatus> = reports
            .flat_map(|report| &report.checks)
            .filter(|check| check.level.counts())
            .map(|check| check.status)
            .collect();
        let count = |word, status| {
            let count = statuses.iter().filter(|one| **one == status).count();
            (word, count as u64)
        };
        let checks = [
            ("pass", CheckStatus::Pass),
            ("warn", CheckStatus::Warn),
            ("fail", CheckStatus::Fail),
            ("error", CheckStatus::Error),
            ("skipped", CheckStatus::Skipped),
        ];
        let mut metrics = Self {
            status: Some(phase.status),
            duration_seconds: phase.duration_seconds,
            bytes_billed: (!billed.is_empty()).then(|| billed.iter().sum()),
            ..Self::default()
        };
        if !statuses.is_empty() {
            metrics.checks = checks.map(|(word, status)| count(word, status)).to_vec();
        }
        if let Some(log) = &phase.log_summary {
            metrics.claims(log);
        }
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_in_exactly_one_state() {
        let mut metrics = RunMetrics {
            plan: "nightly \"a\"".to_owned(),
            started: 1_700_000_000,
            ..RunMetrics::default()
        };
        metrics.phase("team_offense").status = Some(PhaseStatus::Failed);
        let text = render(&metrics);
        let ones = text
            .lines()
            .filter(|line| line.starts_with("bf_phase_state{") && line.ends_with(" 1"));
        assert_eq!(
            ones.collect::<Vec<_>>(),
            [r#"bf_phase_state{plan="nightly \"a\"",phase="team_offense",state="failed"} 1"#]
        );
    }

    #[test]
    fn what_is_not_known_is_absent_and_not_zero() {
        let mut metrics = RunMetrics::default();
        metrics.phase("a").records = Some(0);
        let text = render(&metrics);
        assert!(!text.contains("bf_run_exit_code") && !text.contains("success_ratio"));
        assert!(text.contains(r#"bf_phase_claimed_records{plan="",phase="a"} 0"#));
    }
}
