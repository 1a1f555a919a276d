//! What a person sees of a run while it goes on. Shared by the threads of the phases.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bf_cli::text::{Mark, Style, clock, duration, printable};
use bf_cli::{Failure, Output};
use bf_contract::{Exit, Phase, ProcessEvent, RunReport};
use chrono::{DateTime, Local};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::engine::event::{Listener, RunEvent};
use crate::view::{terminal, text, words, wrap};

/// The text of a run, and its live bars where a terminal shows it.
pub(crate) struct Console {
    output: Mutex<Output>,
    bars: Option<MultiProgress>,
    style: Style,
    began: DateTime<Local>,
    /// The bar of each phase whose job is watched.
    live: Mutex<BTreeMap<String, LiveBar>>,
    /// Whether phases may run side by side, so that each line names its phase.
    names_phases: AtomicBool,
}

impl Console {
    /// Takes over the output of the tool.
    pub(crate) fn new(output: Output) -> Self {
        Self {
            bars: output.is_live().then(terminal::bars),
            style: output.style(),
            output: Mutex::new(output),
            began: Local::now(),
            live: Mutex::new(BTreeMap::new()),
            names_phases: AtomicBool::new(false),
        }
    }

    /// How text looks.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Writes lines as they are. A run continues when its text has no reader any more, so that a closed
    /// terminal does not end it: the report and the run directory keep everything.
    pub(crate) fn say(&self, text: impl std::fmt::Display) {
        let mut output = self.lock();
        let text = wrap::wrapped(&text.to_string(), output.columns());
        let mut write = || {
            let _ = output.text(&text);
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// Writes a line of a tool, with the phase's name before it where several may run.
    fn tool_text(&self, phase: Option<&str>, line: &str) {
        match phase.filter(|_| self.names_phases.load(Ordering::Relaxed)) {
            Some(phase) => {
                let name = self.style.dim(&format!("{phase} |"));
                self.say(format!("{name} {line}").trim_end());
            }
            None => self.say(line),
        }
    }

    /// Writes a line with the clock before it.
    pub(crate) fn stamp(&self, text: impl std::fmt::Display) {
        let clock = self.style.dim(&clock(Local::now(), self.began));
        self.say(format!("{clock} {text}"));
    }

    /// Writes a line with the clock and a mark before it.
    pub(crate) fn mark(&self, mark: Mark, text: &str) {
        self.stamp(format!(
            "{} {}",
            self.style.paint(mark, self.style.mark(mark)),
            text
        ));
    }

    /// Writes the final report for people and for machines, and returns `exit`.
    ///
    /// # Errors
    /// What would have been a pass reached no reader (exit 3). A worse end stays what it is.
    pub(crate) fn finish(&self, report: &RunReport, exit: Exit) -> Result<Exit, Failure> {
        let mut output = self.lock();
        let text = wrap::wrapped(&text::report(report, self.style), output.columns());
        let shown = output.text(text);
        drop(output);
        let told = shown.and_then(|()| self.report(report));
        match told {
            Err(_) if !exit.is_success() => Ok(exit),
            told => told.map(|()| exit),
        }
    }

    /// Writes the document of a run that has no more to say.
    ///
    /// # Errors
    /// It has no reader any more: not a pass (exit 3).
    pub(crate) fn report(&self, report: &RunReport) -> Result<(), Failure> {
        self.lock().document(report)
    }

    /// Moves the live bar of a job, where a terminal shows it.
    fn progress(&self, phase: &str, event: &ProcessEvent) {
        let Some(bars) = &self.bars else {
            return;
        };
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if !live.contains_key(phase) {
            live.insert(phase.to_owned(), LiveBar::new(bars, phase, self.style));
        }
        if let Some(bar) = live.get(phase) {
            bar.update(event);
        }
    }

    fn phase_ended(&self, phase: &Phase) {
        let (mark, words) = words::phase_words(phase);
        let said = format!("{}: {}: {}", phase.name, words.to_lowercase(), phase.reason);
        self.mark(mark, &printable(&said, 400));
    }

    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Console {
    fn on(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::RunStarted {
                run_dir,
                plan,
                loaded,
                resumed,
            } => {
                self.names_phases
                    .store(plan.runs_side_by_side(), Ordering::Relaxed);
                self.say(text::heading(plan, loaded, Some(run_dir), self.style));
                if let Some(state) = resumed {
                    self.say(text::resumed(run_dir, plan, state));
                }
            }
            RunEvent::PreflightPassed { name, took } => self.mark(
                Mark::Pass,
                &format!("preflight {name}: passed in {}", duration(*took)),
            ),
            RunEvent::Text { phase, line } => self.tool_text(*phase, line),
            RunEvent::Process { unit, event } => self.progress(&unit.to_string(), event),
            RunEvent::NotWatched { unit } => {
                let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
                live.remove(&unit.to_string());
            }
            RunEvent::WatchingAgain { unit } => self.mark(
                Mark::Warn,
                &format!("{unit}: bf-monitor was killed; watching again"),
            ),
            RunEvent::CheckingAgain {
                unit,
                reason,
                wait,
                number,
                limit,
            } => self.mark(
                Mark::Error,
                &format!(
                    "{unit}: {reason}; checking again in {} ({number} of {limit})",
                    duration(*wait)
                ),
            ),
            RunEvent::Retrying {
                unit,
                reason,
                dates,
                wait,
                number,
                limit,
            } => {
                let what = dates.map_or("all dates".to_owned(), |dates| format!("{dates} dates"));
                self.mark(
                    Mark::Warn,
                    &format!(
                        "{unit}: {reason}; running it again for {what} in {} ({number} of {limit})",
                        duration(*wait)
                    ),
                );
            }
            RunEvent::WindowEnded {
                phase,
                window,
                judgement,
                done,
                of,
            } => {
                let (mark, words) = words::status_words(judgement.status);
                let words = words.to_lowercase();
                let why = if judgement.opens() {
                    String::new()
                } else {
                    format!(": {}", judgement.reason)
                };
                let said = format!("{phase}: window {window} ({done} of {of}): {words}{why}");
                self.mark(mark, &printable(&said, 400));
            }
            RunEvent::PhaseEnded(phase) => self.phase_ended(phase),
            RunEvent::Warning(text) => self.mark(Mark::Warn, text),
            RunEvent::Alive
            | RunEvent::Document(_)
            | RunEvent::JobSeen { .. }
            | RunEvent::RunEnded { .. } => {}
        }
    }
}

/// A bar that follows a job's events and goes away with it.
struct LiveBar {
    bar: ProgressBar,
    signs: &'static str,
}

impl LiveBar {
    fn new(bars: &MultiProgress, name: &str, style: Style) -> Self {
        let bar = bars.add(ProgressBar::new(0));
        bar.set_prefix(name.to_owned());
        let signs = if style.emoji { "━╸─" } else { "##-" };
        let live = Self { bar, signs };
        live.set_template("  {prefix} no date yet {msg}");
        live
    }

    /// Shows how far the job has come.
    fn update(&self, event: &ProcessEvent) {
        let Some(summary) = &event.log_summary else {
            return;
        };
        // A bar over a total of nothing would be a full one.
        if let Some(total) = summary.total_days.filter(|&total| total > 0) {
            self.set_template("  {prefix} {wide_bar} {pos}/{len} days {percent}% {msg}");
            self.bar.set_length(total);
            self.bar.set_position(summary.current_day);
        }
        let eta = event
            .eta_seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(|left| format!("ETA {}", bf_cli::text::duration(left)));
        self.bar.set_message(eta.unwrap_or_default());
    }

    fn set_template(&self, template: &str) {
        // A template is refused only for its syntax, which is fixed here.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars(self.signs));
        }
    }
}

impl Drop for LiveBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
