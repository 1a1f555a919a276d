//! What is said: events for machines, lines and a live bar for people.

use std::time::Duration;

use bf_cli::text::{Mark, Style, clock, duration, percent, thousands};
use bf_cli::{Failure, Output};
use bf_contract::{
    AliveProcess, LogSummary, ProcessEvent, ProcessEventKind, ProcessExit, ProcessIdentity,
};
use chrono::{DateTime, Local, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Progress;

/// Writes events and text.
pub(crate) struct Reporter {
    output: Output,
    began: DateTime<Local>,
    bar: Option<ProgressBar>,
    shows_progress: bool,
    process: Option<ProcessIdentity>,
    started_at: Option<DateTime<Utc>>,
}

/// The parts of an event that differ from one kind to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    /// Seconds since the process's own start.
    pub(crate) elapsed: Option<Duration>,
    /// One line for a person.
    pub(crate) message: Option<String>,
    /// How the process ended.
    pub(crate) exit: Option<ProcessExit>,
    /// How bf-monitor ends, in its last event.
    pub(crate) exit_code: Option<u8>,
    /// What of the job lives on.
    pub(crate) alive: Vec<AliveProcess>,
    /// What the log claims.
    pub(crate) log_summary: Option<LogSummary>,
    /// Finished dates an hour.
    pub(crate) days_per_hour: Option<f64>,
    /// Seconds until the last date.
    pub(crate) eta_seconds: Option<f64>,
}

impl Details {
    /// What the log claims, once it reports days: before that there is no progress to show.
    pub(crate) fn days(&self) -> Option<&LogSummary> {
        self.log_summary
            .as_ref()
            .filter(|summary| summary.total_days.is_some() || summary.current_day > 0)
    }
}

impl Reporter {
    /// A reporter with a live bar where a person looks.
    pub(crate) fn new(output: Output, progress: Progress) -> Self {
        let live = progress == Progress::Auto && output.is_live();
        let bar = live.then(|| {
            // The bar goes where the text goes: to standard output where no documents are written.
            let target = if output.writes_documents() {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::stdout()
            };
            let bar = ProgressBar::with_draw_target(None, target);
            bar.set_style(bar_style(output.style(), false));
            bar
        });
        Self {
            output,
            began: Local::now(),
            bar,
            shows_progress: progress != Progress::None,
            process: None,
            started_at: None,
        }
    }

    /// Whom the events are about.
    pub(crate) fn set_process(
        &mut self,
        process: Option<ProcessIdentity>,
        started_at: Option<DateTime<Utc>>,
    ) {
        self.process = process;
        self.started_at = started_at;
    }

    /// Writes an event.
    ///
    /// # Errors
    /// The reader went away: exit 3.
    pub(crate) fn event(
        &mut self,
        event: ProcessEventKind,
        details: Details,
    ) -> Result<(), Failure> {
        let seconds = |duration: Duration| (duration.as_secs_f64() * 1000.0).round() / 1000.0;
        self.output.document(&ProcessEvent {
            kind: Default::default(),
            schema: Default::default(),
            event,
            time: Utc::now(),
            process: self.process.clone(),
            started_at: self.started_at,
            elapsed_seconds: details.elapsed.map(seconds),
            message: details.message,
            exit: details.exit,
            exit_code: details.exit_code,
            alive: details.alive,
            log_summary: details.log_summary,
            days_per_hour: details.days_per_hour,
            eta_seconds: details.eta_seconds,
        })
    }

    /// Says a line, with the clock before it.
    ///
    /// # Errors
    /// The text is the only output, and could not be written.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), Failure> {
        let clock = clock(Local::now(), self.began);
        self.lines(&format!("{clock} {line}"))
    }

    /// Says a warning.
    ///
    /// # Errors
    /// As [`Reporter::say`].
    pub(crate) fn warn(&mut self, line: &str) -> Result<(), Failure> {
        let style = self.output.style();
        let line = format!("{} {line}", style.mark(Mark::Warn));
        self.say(&style.paint(Mark::Warn, &line))
    }

    /// Says lines as they are.
    ///
    /// # Errors
    /// As [`Reporter::say`].
    pub(crate) fn lines(&mut self, lines: &str) -> Result<(), Failure> {
        let output = &mut self.output;
        match &self.bar {
            Some(bar) => bar.suspend(|| output.text(lines)),
            None => output.text(lines),
        }
    }

    /// Says how far the job has come, in the documented form.
    ///
    /// # Errors
    /// As [`Reporter::say`].
    pub(crate) fn progress(&mut self, details: &Details) -> Result<(), Failure> {
        if !self.shows_progress {
            return Ok(());
        }
        let Some(summary) = details.days() else {
            return match details.elapsed {
                Some(elapsed) => self.say(&format!("Elapsed: {}", duration(elapsed))),
                None => Ok(()),
            };
        };
        let mark = self.output.style().emoji("📊");
        self.say(&format!("{mark}Progress: {}", days_in_words(summary)))?;
        let mut lines = vec![format!(
            "  Success rate: {}, Records: {}",
            summary.success_rate.map_or("n/a".to_owned(), percent),
            thousands(summary.total_records)
        )];
        if let Some(elapsed) = details.elapsed {
            lines.push(format!("  Elapsed: {}", duration(elapsed)));
        }
        if let (Some(rate), Some(eta)) = (details.days_per_hour, details.eta_seconds) {
            let left = Duration::try_from_secs_f64(eta).unwrap_or_default();
            lines.push(format!(
                "  Rate: {} days/hour, about {} left",
                rate_in_words(rate),
                duration(left)
            ));
        }
        self.lines(&lines.join("\n"))
    }

    /// Says what the log claims, as bf-parse-log does.
    ///
    /// # Errors
    /// As [`Reporter::say`].
    pub(crate) fn log(&mut self, summary: &LogSummary) -> Result<(), Failure> {
        let (style, columns) = (self.output.style(), self.output.columns());
        self.lines(&bf_parse_log::report(summary, style, columns))
    }

    /// Moves the live bar, if there is one.
    pub(crate) fn move_bar(&self, details: &Details) {
        let Some(bar) = &self.bar else {
            return;
        };
        let days = details.days();
        // A bar of a length of nothing would be a full one.
        bar.set_style(bar_style(self.output.style(), days.is_some()));
        if let Some(summary) = days {
            bar.set_length(summary.total_days.unwrap_or(summary.current_day).max(1));
            bar.set_position(summary.current_day);
        }
        let eta = details.eta_seconds;
        let left = match eta.and_then(|eta| Duration::try_from_secs_f64(eta).ok()) {
            Some(left) => format!(", ETA {}", duration(left)),
            None if days.is_some_and(|days| days.total_days == Some(days.current_day)) => {
                String::new()
            }
            None => ", ETA not known yet".to_owned(),
        };
        let elapsed = details.elapsed.map_or_else(String::new, duration);
        bar.set_message(format!("{elapsed}{left}"));
        bar.tick();
    }

    /// Takes the live bar away.
    pub(crate) fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// How text is to look.
    pub(crate) fn style(&self) -> Style {
        self.output.style()
    }
}

/// `150/1537 days (9.8%), 1387 remaining`.
fn days_in_words(summary: &LogSummary) -> String {
    match (summary.total_days, summary.progress_pct) {
        (Some(total), Some(share)) => format!(
            "{}/{total} days ({}), {} remaining",
            summary.current_day,
            percent(share),
            total.saturating_sub(summary.current_day)
        ),
        _ => format!("{} days", summary.current_day),
    }
}

/// `1,234`; tenths only where they matter.
fn rate_in_words(days_per_hour: f64) -> String {
    if days_per_hour < 10.0 {
        return format!("{days_per_hour:.1}");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates, and is above 10
    thousands(days_per_hour.round() as u64)
}

/// The bar; empty before the first date.
fn bar_style(style: Style, has_days: bool) -> ProgressStyle {
    let (template, marks) = match (style.emoji, has_days) {
        (true, true) => ("  {bar:32.cyan} {pos}/{len} days, {msg}", "█▉▊▋▌▍▎▏ "),
        (true, false) => (
            "                                   no date yet, {msg}",
            "█ ",
        ),
        (false, true) => ("  [{bar:32}] {pos}/{len} days, {msg}", "#>-"),
        (false, false) => (
            "  [--------------------------------] no date yet, {msg}",
            "#>-",
        ),
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars(marks)
}

#[cfg(test)]
mod tests {
    use bf_contract::LogSummary;

    use super::{days_in_words, rate_in_words};

    #[test]
    fn progress_has_the_documented_form() {
        let mut summary = LogSummary {
            current_day: 150,
            total_days: Some(1537),
            progress_pct: Some(100.0 * 150.0 / 1537.0),
            ..LogSummary::default()
        };
        assert_eq!(
            days_in_words(&summary),
            "150/1537 days (9.8%), 1387 remaining"
        );
        summary.total_days = None;
        assert_eq!(days_in_words(&summary), "150 days");
    }

    #[test]
    fn a_rate_is_a_whole_number_that_can_be_read() {
        assert_eq!(rate_in_words(444_962.2), "444,962");
        assert_eq!(rate_in_words(59.6), "60");
        assert_eq!(rate_in_words(0.5), "0.5");
    }
}
