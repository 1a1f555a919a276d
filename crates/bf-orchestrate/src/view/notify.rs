//! People hear of a run through bf-notify.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bf_cli::text::{Mark, Style};
use bf_contract::{
    Notification, NotificationEvent, NotificationType, Phase, PhaseStatus, ProcessEvent,
    ProcessEventKind, RunReport, Schema, Verdict,
};
use chrono::Utc;

use crate::engine::event::{Listener, RunEvent};
use crate::plan::Plan;
use crate::store::journal::UnitName;
use crate::store::run_dir::RunDir;
use crate::view::console::Console;
use crate::view::delivery::Notifier;
use crate::view::text;
use crate::view::words::phase_words;

/// Tells people of a run; no one if the config names none.
pub(crate) struct Notify<'a> {
    console: &'a Console,
    /// bf-notify, and the config that names who is told: the caller's own, as the run's copy has no secrets.
    program: Option<PathBuf>,
    config: Option<PathBuf>,
    plan: Option<String>,
    begun: Mutex<Option<(Notifier, RunDir)>>,
}

impl<'a> Notify<'a> {
    /// `program` is bf-notify, `config` the one that names the people.
    pub(crate) fn new(
        console: &'a Console,
        program: Option<PathBuf>,
        config: Option<PathBuf>,
        plan: &Plan,
    ) -> Self {
        Self {
            console,
            program,
            config,
            plan: Some(plan.name.clone()),
            begun: Mutex::new(None),
        }
    }

    fn begin(&self, run_dir: &RunDir) {
        let Some(program) = &self.program else {
            return;
        };
        let config = self.config.clone().unwrap_or_else(|| run_dir.config());
        match Notifier::start(program, &config, run_dir.path.join("notify.log")) {
            Ok(notifier) => {
                let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
                *begun = Some((notifier, run_dir.clone()));
            }
            Err(failure) => self
                .console
                .mark(Mark::Warn, &format!("no one is notified: {failure}")),
        }
    }

    fn send(&self, notice: Notice<'_>) {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((notifier, run_dir)) = begun.as_ref() else {
            return;
        };
        notifier.send(Notification {
            kind: NotificationType,
            schema: Schema,
            event: notice.event,
            time: Utc::now(),
            run_id: run_dir.run_id.clone(),
            run_uuid: Some(run_dir.uuid()),
            plan: self.plan.clone(),
            host: rustix::system::uname()
                .nodename()
                .to_str()
                .ok()
                .map(str::to_owned),
            report: Some(run_dir.path.join("report.html"))
                .filter(|page| page.is_file())
                .map(|page| page.display().to_string()),
            run_dir: Some(run_dir.path.display().to_string()),
            phase: notice.phase.map(str::to_owned),
            verdict: notice.verdict,
            title: notice.title,
            text: notice.text,
            run_report: notice.run_report,
        });
    }

    fn process(&self, unit: UnitName<'_>, event: &ProcessEvent) {
        let kind = match event.event {
            ProcessEventKind::Quiet => NotificationEvent::Quiet,
            ProcessEventKind::Stalled => NotificationEvent::Stalled,
            ProcessEventKind::Hung => NotificationEvent::Hung,
            _ => return,
        };
        let message = event.message.clone();
        let message = message.unwrap_or_else(|| kind.word().to_owned());
        self.send(Notice::new(kind, format!("{unit}: {message}")).of(unit.phase));
    }

    fn phase_ended(&self, phase: &Phase) {
        let (event, verdict) = match phase.status {
            PhaseStatus::Passed => (NotificationEvent::PhaseEnded, Verdict::Pass),
            PhaseStatus::Warned => (NotificationEvent::PhaseEnded, Verdict::Warn),
            PhaseStatus::Failed => (NotificationEvent::GateFailed, Verdict::Fail),
            PhaseStatus::CouldNotCheck | PhaseStatus::NotStarted | PhaseStatus::Unknown => {
                (NotificationEvent::CouldNotCheck, Verdict::Error)
            }
            PhaseStatus::Interrupted => (NotificationEvent::Interrupted, Verdict::Error),
        };
        let words = phase_words(phase).1.to_lowercase();
        let title = format!("{}: {words}: {}", phase.name, phase.reason);
        self.send(Notice {
            text: text::phase_plain_text(phase),
            verdict: Some(verdict),
            ..Notice::new(event, title).of(&phase.name)
        });
    }

    /// Waits a little for what is still to be delivered.
    fn run_ended(&self, report: &RunReport, is_finished: bool) {
        let event = if is_finished {
            NotificationEvent::RunFinished
        } else {
            NotificationEvent::Interrupted
        };
        self.send(Notice {
            text: text::report(report, Style::default()),
            verdict: Some(report.verdict),
            run_report: is_finished.then(|| Box::new(report.clone())),
            ..Notice::new(event, report.reason.clone())
        });
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((notifier, _)) = begun.take()
            && let Err(message) = notifier.finish()
        {
            self.console.mark(Mark::Warn, &message);
        }
    }
}

impl Listener for Notify<'_> {
    fn on(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::RunStarted {
                run_dir,
                plan,
                loaded,
                resumed,
            } => {
                self.begin(run_dir);
                let title = if resumed.is_some() {
                    "the run is resumed"
                } else {
                    "the run has begun"
                };
                self.send(Notice {
                    text: text::heading(plan, loaded, Some(run_dir), Style::default()),
                    ..Notice::new(NotificationEvent::RunStarted, title.to_owned())
                });
            }
            // Of a phase in windows the end is told, and what goes wrong.
            RunEvent::JobSeen { unit, event } if unit.window.is_none() => self.send(Notice {
                text: event.message.clone().unwrap_or_default(),
                ..Notice::new(
                    NotificationEvent::PhaseStarted,
                    format!("{unit}: its job is watched"),
                )
                .of(unit.phase)
            }),
            RunEvent::Process { unit, event } => self.process(*unit, event),
            RunEvent::CheckingAgain { unit, reason, .. } => self.send(Notice {
                verdict: Some(Verdict::Error),
                ..Notice::new(
                    NotificationEvent::CouldNotCheck,
                    format!("{unit}: could not be checked, checking again: {reason}"),
                )
                .of(unit.phase)
            }),
            RunEvent::PhaseEnded(phase) => self.phase_ended(phase),
            RunEvent::RunEnded {
                report,
                is_finished,
                ..
            } => self.run_ended(report, *is_finished),
            _ => {}
        }
    }
}

/// What one notification says.
struct Notice<'a> {
    event: NotificationEvent,
    phase: Option<&'a str>,
    title: String,
    text: String,
    verdict: Option<Verdict>,
    run_report: Option<Box<RunReport>>,
}

impl<'a> Notice<'a> {
    fn new(event: NotificationEvent, title: String) -> Self {
        Self {
            event,
            phase: None,
            title,
            text: String::new(),
            verdict: None,
            run_report: None,
        }
    }

    fn of(self, phase: &'a str) -> Self {
        Self {
            phase: Some(phase),
            ..self
        }
    }
}
