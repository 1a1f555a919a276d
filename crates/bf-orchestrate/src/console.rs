//! What a person sees of a run while it goes on. Shared by the threads of the phases.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bf_cli::text::{Mark, Style, clock};
use bf_cli::{Failure, Output};
use bf_contract::{Exit, ProcessEvent, RunReport};
use chrono::{DateTime, Local};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The text of a run, and its live bars where a terminal shows it.
pub struct Console {
    output: Mutex<Output>,
    bars: Option<MultiProgress>,
    style: Style,
    began: DateTime<Local>,
}

impl Console {
    /// Takes over the output of the tool.
    #[must_use]
    pub fn new(output: Output) -> Self {
        Self {
            bars: output.is_live().then(MultiProgress::new),
            style: output.style(),
            output: Mutex::new(output),
            began: Local::now(),
        }
    }

    /// How text looks.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// Writes lines as they are. A run goes on when nobody reads its text any more, so that a closed
    /// terminal does not end it: the report and the run directory keep everything.
    pub fn say(&self, text: impl std::fmt::Display) {
        let mut output = self.lock();
        let mut write = || {
            let _ = output.text(&text);
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// Writes a line of one phase's tool, with the phase's name before it.
    pub fn say_of(&self, phase: &str, line: &str) {
        let name = self.style.dim(&format!("{phase} |"));
        self.say(format!("{name} {line}").trim_end());
    }

    /// Writes a line with the clock before it.
    pub fn stamp(&self, text: impl std::fmt::Display) {
        let clock = self.style.dim(&clock(Local::now(), self.began));
        self.say(format!("{clock} {text}"));
    }

    /// Writes a line with the clock and a mark before it.
    pub fn mark(&self, mark: Mark, text: &str) {
        self.stamp(format!(
            "{} {}",
            self.style.paint(mark, self.style.mark(mark)),
            text
        ));
    }

    /// Writes the final report for people and for machines, and returns `exit`.
    ///
    /// # Errors
    /// What would have been a pass reached nobody (exit 3). A worse end stays what it is.
    pub fn finish(&self, report: &RunReport, exit: Exit) -> Result<Exit, Failure> {
        let text = crate::report::text(report, self.style);
        let shown = self.lock().text(text);
        let told = shown.and_then(|()| self.report(report));
        match told {
            Err(_) if !exit.is_success() => Ok(exit),
            told => told.map(|()| exit),
        }
    }

    /// Writes the document of a run that has no more to say.
    ///
    /// # Errors
    /// Nobody reads it any more: not a pass (exit 3).
    pub fn report(&self, report: &RunReport) -> Result<(), Failure> {
        self.lock().document(report)
    }

    /// A live bar for a job, where a terminal shows it.
    #[must_use]
    pub fn bar(&self, name: &str) -> Option<LiveBar> {
        let bars = self.bars.as_ref()?;
        let bar = bars.add(ProgressBar::new(0));
        // A template is refused only for its syntax, which is fixed here.
        let template = "  {prefix} {wide_bar} {pos}/{len} days {percent}% {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars(if self.style.emoji { "━╸─" } else { "##-" }));
        }
        bar.set_prefix(name.to_owned());
        Some(LiveBar(bar))
    }

    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bar that follows a job's events and goes away with it.
pub struct LiveBar(ProgressBar);

impl LiveBar {
    /// Shows how far the job has come.
    pub fn update(&self, event: &ProcessEvent) {
        let Some(summary) = &event.log_summary else {
            return;
        };
        self.0.set_length(summary.total_days.unwrap_or(0));
        self.0.set_position(summary.current_day);
        let eta = event
            .eta_seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(|left| format!("ETA {}", bf_cli::text::duration(left)));
        self.0.set_message(eta.unwrap_or_default());
    }
}

impl Drop for LiveBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
