//! Who else hears of a run while it goes on: people through bf-notify, machines through a metrics file.
//!
//! Nothing here can stop or fail a run: what could not be told is said on the console and kept in the run
//! directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bf_cli::text::Mark;
use bf_contract::{
    Notification, NotificationEvent, NotificationType, Phase, PhaseStatus, ProcessEvent,
    ProcessEventKind, RunReport, Schema, Verdict,
};
use chrono::Utc;

use crate::console::Console;
use crate::metrics::{self, PhaseMetrics, RunMetrics};
use crate::notify::Notifier;
use crate::plan::Plan;
use crate::run_dir::RunDir;

/// Tells people and machines what a run does.
pub struct Observer<'a> {
    console: &'a Console,
    run_dir: &'a RunDir,
    notifier: Option<Notifier>,
    metrics: Option<(PathBuf, Mutex<RunMetrics>)>,
}

impl<'a> Observer<'a> {
    /// An observer of a run of `plan`; `metrics_file` is where machines read.
    #[must_use]
    pub fn new(
        console: &'a Console,
        run_dir: &'a RunDir,
        notifier: Option<Notifier>,
        metrics_file: Option<PathBuf>,
        (plan, last_success): (&Plan, Option<i64>),
    ) -> Self {
        let phases: BTreeMap<String, PhaseMetrics> = plan
            .phases
            .iter()
            .map(|phase| (phase.name.clone(), PhaseMetrics::default()))
            .collect();
        let metrics = RunMetrics {
            plan: plan.name.clone(),
            started: Utc::now().timestamp(),
            last_success,
            phases,
            ..RunMetrics::default()
        };
        Self {
            console,
            run_dir,
            notifier,
            metrics: metrics_file.map(|path| (path, Mutex::new(metrics))),
        }
    }

    /// The run begins, or is taken up.
    pub fn run_started(&self, is_taken_up: bool, text: String) {
        self.update_metrics(|_| {});
        self.tell(
            NotificationEvent::RunStarted,
            None,
            if is_taken_up {
                "the run is taken up"
            } else {
                "the run has begun"
            },
            text,
            None,
        );
    }

    /// A job's process is known.
    pub fn phase_started(&self, phase: &str, event: &ProcessEvent) {
        self.update_metrics(|metrics| {
            metrics.phase(phase).is_running = true;
        });
        let text = event.message.clone().unwrap_or_default();
        let title = format!("{phase}: its job is watched");
        self.tell(
            NotificationEvent::PhaseStarted,
            Some(phase),
            &title,
            text,
            None,
        );
    }

    /// Something happened to a job that somebody should know of while it runs.
    pub fn process_event(&self, phase: &str, event: &ProcessEvent) {
        let told = match event.event {
            ProcessEventKind::Quiet => NotificationEvent::Quiet,
            ProcessEventKind::Stalled => NotificationEvent::Stalled,
            ProcessEventKind::Hung => NotificationEvent::Hung,
            _ => return,
        };
        let message = event.message.clone();
        let title = format!(
            "{phase}: {}",
            message.unwrap_or_else(|| told.word().to_owned())
        );
        self.tell(told, Some(phase), &title, String::new(), None);
    }

    /// A phase's gate has judged.
    pub fn phase_ended(&self, phase: &Phase) {
        self.update_metrics(|metrics| *metrics.phase(&phase.name) = PhaseMetrics::of(phase));
        let (event, verdict) = match phase.status {
            PhaseStatus::Passed => (NotificationEvent::PhaseEnded, Verdict::Pass),
            PhaseStatus::Warned => (NotificationEvent::PhaseEnded, Verdict::Warn),
            PhaseStatus::Failed => (NotificationEvent::GateFailed, Verdict::Fail),
            PhaseStatus::CouldNotCheck | PhaseStatus::NotStarted | PhaseStatus::Unknown => {
                (NotificationEvent::CouldNotCheck, Verdict::Error)
            }
            PhaseStatus::Interrupted => (NotificationEvent::Interrupted, Verdict::Error),
        };
        let title = format!(
            "{}: {}: {}",
            phase.name,
            crate::report::phase_words(phase).1.to_lowercase(),
            phase.reason
        );
        let text = crate::report::phase_plain_text(phase);
        self.tell(event, Some(&phase.name), &title, text, Some(verdict));
    }

    /// A gate could not be checked and is looked at again.
    pub fn could_not_check(&self, phase: &str, reason: &str) {
        let title = format!("{phase}: could not be checked, looking again: {reason}");
        let event = NotificationEvent::CouldNotCheck;
        self.tell(
            event,
            Some(phase),
            &title,
            String::new(),
            Some(Verdict::Error),
        );
    }

    /// The run is over, or stands still until somebody takes it up. Waits a little for what is still to be
    /// delivered.
    pub fn run_ended(&self, report: &RunReport, exit_code: u8, is_finished: bool) {
        self.update_metrics(|metrics| {
            if is_finished {
                metrics.finished = Some((Utc::now().timestamp(), exit_code));
                if exit_code == 0 {
                    metrics.last_success = Some(Utc::now().timestamp());
                }
            }
            metrics.duration_seconds = Some(report.total_seconds);
            for phase in &report.phases {
                *metrics.phase(&phase.name) = PhaseMetrics::of(phase);
            }
        });
        let text = crate::report::text(report, bf_cli::text::Style::default());
        let (event, digest) = if is_finished {
            (
                NotificationEvent::RunFinished,
                Some(Box::new(report.clone())),
            )
        } else {
            (NotificationEvent::Interrupted, None)
        };
        if let Some(notifier) = &self.notifier {
            notifier.send(Notification {
                run_report: digest,
                ..self.notification(event, None, &report.reason, text, Some(report.verdict))
            });
            if let Err(message) = notifier.finish() {
                self.console.mark(Mark::Warn, &message);
            }
        }
    }

    fn tell(
        &self,
        event: NotificationEvent,
        phase: Option<&str>,
        title: &str,
        text: String,
        verdict: Option<Verdict>,
    ) {
        if let Some(notifier) = &self.notifier {
            notifier.send(self.notification(event, phase, title, text, verdict));
        }
    }

    fn notification(
        &self,
        event: NotificationEvent,
        phase: Option<&str>,
        title: &str,
        text: String,
        verdict: Option<Verdict>,
    ) -> Notification {
        Notification {
            kind: NotificationType,
            schema: Schema,
            event,
            time: Utc::now(),
            run_id: self.run_dir.run_id.clone(),
            run_uuid: None,
            plan: None,
            host: None,
            report: None,
            run_dir: Some(self.run_dir.path.display().to_string()),
            phase: phase.map(str::to_owned),
            verdict,
            title: title.to_owned(),
            text,
            run_report: None,
        }
    }

    fn update_metrics(&self, change: impl FnOnce(&mut RunMetrics)) {
        let Some((path, metrics)) = &self.metrics else {
            return;
        };
        let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut metrics);
        if let Err(failure) =
            crate::run_dir::write_atomically(path, metrics::render(&metrics).as_bytes())
        {
            self.console
                .mark(Mark::Warn, &format!("metrics: {failure}; the run goes on"));
        }
    }
}

impl PhaseMetrics {
    /// What is known of a phase that was judged.
    #[must_use]
    pub fn of(phase: &Phase) -> Self {
        let reports = phase.validation.iter().chain(&phase.further_validations);
        let billed: Vec<u64> = reports
            .filter_map(|report| report.engine.bytes_billed)
            .collect();
        Self {
            is_running: false,
            status: Some(phase.status),
            success_rate: phase
                .log_summary
                .as_ref()
                .and_then(|summary| summary.success_rate),
            records: phase
                .log_summary
                .as_ref()
                .map(|summary| summary.total_records),
            duration_seconds: phase.duration_seconds,
            bytes_billed: (!billed.is_empty()).then(|| billed.iter().sum()),
        }
    }
}
