//! `report.html` of the run directory, which bf-report draws. A run never waits for it until its end, and never fails
//! with it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bf_cli::text::Mark;
use bf_contract::{Phase, PhaseStatus, RunReport, RunReportType, Schema, Verdict};
use chrono::{DateTime, Utc};

use crate::engine::document::not_run;
use crate::engine::event::{Listener, RunEvent};
use crate::plan::Plan;
use crate::store::run_dir::RunDir;
use crate::view::console::Console;

/// How long a page is good enough while the run goes on.
const FRESH: Duration = Duration::from_secs(30);
/// How long the end of a run waits for its page.
const PATIENCE: Duration = Duration::from_secs(10);

/// The page of a run.
pub(crate) struct Page<'a> {
    console: &'a Console,
    plan: &'a Plan,
    /// bf-report; `None` if it is not installed.
    program: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: Option<(RunDir, DateTime<Utc>)>,
    phases: Vec<Phase>,
    drawn: Option<Instant>,
    drawing: Option<Receiver<bool>>,
}

impl<'a> Page<'a> {
    /// Nothing is drawn before a gate has closed.
    pub(crate) fn new(console: &'a Console, plan: &'a Plan, program: Option<PathBuf>) -> Self {
        Self {
            console,
            plan,
            program,
            state: Mutex::default(),
        }
    }

    fn phase_ended(&self, phase: &Phase) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.phases.retain(|other| other.name != phase.name);
        state.phases.push(phase.clone());
        let is_fresh = state.drawn.is_some_and(|drawn| drawn.elapsed() < FRESH);
        let is_drawing = state
            .drawing
            .as_ref()
            .is_some_and(|drawing| drawing.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty));
        let (Some(program), Some((run_dir, began))) = (&self.program, &state.run) else {
            return;
        };
        if is_fresh || is_drawing {
            return;
        }
        let report = self.so_far(run_dir, *began, &state.phases);
        state.drawing = draw(program, &report, &run_dir.path);
        state.drawn = Some(Instant::now());
    }

    /// The report of a run that goes on.
    fn so_far(&self, run_dir: &RunDir, began: DateTime<Utc>, ended: &[Phase]) -> RunReport {
        let phases = self.plan.phases.iter().map(|phase| {
            let ended = ended.iter().find(|other| other.name == phase.name);
            ended.cloned().unwrap_or_else(|| {
                not_run(phase, PhaseStatus::NotStarted, "not ended yet".to_owned())
            })
        });
        let has_failed = |status| ended.iter().any(|phase| phase.status == status);
        RunReport {
            kind: RunReportType,
            schema: Schema,
            run_id: run_dir.run_id.clone(),
            run_uuid: Some(run_dir.uuid()),
            plan: Some(self.plan.name.clone()),
            started_at: Some(began),
            run_dir: Some(run_dir.path.display().to_string()),
            dry_run: false,
            provisional: true,
            // Nothing is a pass before the end.
            verdict: if has_failed(PhaseStatus::Failed) {
                Verdict::Fail
            } else if has_failed(PhaseStatus::CouldNotCheck) {
                Verdict::Error
            } else {
                Verdict::Unknown
            },
            exit_code: None,
            reason: "the run has not ended yet".to_owned(),
            phases: phases.collect(),
            total_seconds: (Utc::now() - began).as_seconds_f64(),
            next_steps: Vec::new(),
            held_by: None,
        }
    }

    fn run_ended(&self, report: &RunReport) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((run_dir, _)) = state.run.take() else {
            return;
        };
        let Some(program) = &self.program else {
            self.console
                .say("no page of this run: bf-report is not installed beside bf-orchestrate");
            return;
        };
        // An older page must not come after the last one.
        let earlier = state.drawing.take();
        let _ = earlier.map(|drawing| drawing.recv_timeout(PATIENCE));
        let page = run_dir.path.join(PAGE);
        let drawn = draw(program, report, &run_dir.path)
            .map_or(Ok(false), |drawing| drawing.recv_timeout(PATIENCE));
        match drawn {
            Ok(true) => self.console.say(format!("Page: {}", page.display())),
            Ok(false) | Err(RecvTimeoutError::Disconnected) => self.console.mark(
                Mark::Warn,
                &format!("no page of this run: {} failed", program.display()),
            ),
            Err(RecvTimeoutError::Timeout) => self.console.mark(
                Mark::Warn,
                &format!("the page {} is still being written", page.display()),
            ),
        }
    }
}

const PAGE: &str = "report.html";

/// Has bf-report draw a page beside the run. What is received is whether it did.
fn draw(program: &Path, report: &RunReport, run_dir: &Path) -> Option<Receiver<bool>> {
    let document = serde_json::to_vec(report).ok()?;
    let mut child = Command::new(program)
        // As a file: from `-` its exit code would be that of the report.
        .args(["/dev/stdin", "--html"])
        .arg(run_dir.join(PAGE))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (done, drawing) = channel();
    std::thread::spawn(move || {
        let written = child
            .stdin
            .take()
            .is_some_and(|mut stdin| stdin.write_all(&document).is_ok());
        let is_drawn = child.wait().is_ok_and(|status| status.success());
        // At the end of a run no one may be waiting any more.
        let _ = done.send(written && is_drawn);
    });
    Some(drawing)
}

impl Listener for Page<'_> {
    fn on(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::RunStarted { run_dir, .. } => {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.run = Some(((*run_dir).clone(), Utc::now()));
            }
            RunEvent::PhaseEnded(phase) => self.phase_ended(phase),
            RunEvent::RunEnded { report, .. } => self.run_ended(report),
            _ => {}
        }
    }
}
