//! The end: the log's last word, the verdict, and what is said of it.

use bf_cli::Failure;
use bf_cli::text::{Mark, duration};
use bf_contract::{Exit, LogState, LogSummary, ProcessEventKind};
use chrono::Utc;

use super::{End, Watch};
use crate::record::{self, Story};
use crate::report::Details;
use crate::state::Ended;
use crate::sys::{Cgroup, monotonic};
use crate::verdict::judge;
use crate::words::{exit_in_words, source_in_words};
use bf_parse_log::LogEnd;

/// How long the keeper may take to sync its record.
const SEE_OFF: std::time::Duration = std::time::Duration::from_secs(5);

impl Watch {
    /// Reads the log to its end, judges, and says how it came out.
    pub(super) fn settle(&mut self) -> Result<Exit, Failure> {
        let Some(end) = self.over.clone() else {
            return Err(Failure::could_not_check(
                "the end was settled before it came",
            ));
        };
        self.reporter.end_bar();
        self.refuse_what_never_began()?;
        let summary = self.last_summary()?;
        let too_fast = self.said_too_fast(summary.as_ref());
        let (exit, verdict) = judge(end.exit.clone(), summary.as_ref().map(|log| log.state));

        let mut known = end.exit.clone();
        known.source = exit.source;
        let mut message = self.process_in_words(&end, &known);
        if let Some(log_words) = summary
            .as_ref()
            .and_then(|summary| log_in_words(&end, summary))
        {
            message.push_str(&format!("; {log_words}"));
        }
        if let Some(too_fast) = too_fast {
            message.push_str(&format!("; {too_fast}"));
        }
        let details = Details {
            message: Some(message.clone()),
            exit: Some(exit.clone()),
            ..self.details(summary)
        };
        self.reporter
            .event(ProcessEventKind::Exited, details.clone())?;

        self.keep()?;
        let mark = end_mark(verdict, details.log_summary.as_ref());
        self.say_end(&message, verdict, mark, &details)?;
        if let Some(keeper) = self.ending.take_keeper() {
            keeper.see_off(SEE_OFF);
        }
        Ok(verdict)
    }

    /// Where the gate opened and the program then could not be executed, no job ran: whatever ended was
    /// not the job. The record says so; it is asked only about ends that the gate's own may be.
    pub(super) fn refuse_what_never_began(&self) -> Result<(), Failure> {
        let Some(record) = &self.record else {
            return Ok(());
        };
        match std::fs::read(record).map(|bytes| record::read(&bytes)) {
            Ok(Story::NotStarted) => Err(Failure::usage(format!(
                "the job could not be executed, as its record says ({})",
                record.display()
            ))
            .hint("nothing was started; mend the command and give it again")),
            _ => Ok(()),
        }
    }

    /// Reads what is left of the log. A log that cannot be read is in no known dialect, whatever stood in
    /// the part that could.
    fn last_summary(&mut self) -> Result<Option<LogSummary>, Failure> {
        let Some(log) = &mut self.log else {
            return Ok(None);
        };
        let changes = log.read_to_the_end();
        let problem = log.problem().map(str::to_owned);
        for change in changes {
            self.say_change(change)?;
        }
        let mut summary = self.summary(LogEnd::WriterGone);
        if let (Some(problem), Some(summary)) = (problem, &mut summary) {
            let path = &summary.log.path;
            self.reporter
                .warn(&format!("reading the log {path} to its end: {problem}"))?;
            summary.state = LogState::Unknown;
            summary.completed = false;
        }
        Ok(summary)
    }

    fn said_too_fast(&self, summary: Option<&LogSummary>) -> Option<String> {
        let summary = summary?;
        let finished = summary.successful_days + summary.failed_days + summary.skipped_days;
        let (days, took) = self.rate.ended_too_fast(monotonic(), finished)?;
        Some(format!(
            "the last {days} days took {}, much faster than the days before them",
            duration(took)
        ))
    }

    /// The end as it is kept.
    pub(super) fn ended(&self, end: &End) -> Ended {
        Ended {
            at: end
                .said_before
                .as_ref()
                .map_or_else(Utc::now, |said| said.at),
            exit: end.exit.clone(),
            message: self.process_in_words(end, &end.exit),
            elapsed_seconds: end.elapsed.map(|elapsed| elapsed.as_secs_f64()),
        }
    }

    fn process_in_words(&self, end: &End, exit: &bf_contract::ProcessExit) -> String {
        if let Some(said) = &end.said_before {
            return said.message.clone();
        }
        let oom_kills = end
            .oom_kills
            .or_else(|| self.cgroup.as_ref().and_then(Cgroup::oom_kills));
        let job = self.job_in_words();
        let words = exit_in_words(exit, end.core_dumped, oom_kills);
        let source = source_in_words(exit.source);
        match &end.doubt {
            Some(doubt) => format!("{job}: {words} ({doubt})"),
            None => format!("{job}: {words}, {source}"),
        }
    }

    fn say_end(
        &mut self,
        message: &str,
        verdict: Exit,
        mark: Mark,
        details: &Details,
    ) -> Result<(), Failure> {
        let style = self.reporter.style();
        self.reporter.progress(details)?;
        let line = format!("{} {message}", style.mark(mark));
        self.reporter.say(&style.paint(mark, &line))?;
        if matches!(mark, Mark::Pass | Mark::Warn) && verdict == Exit::Success {
            return Ok(());
        }
        let Some(log) = &self.log else {
            return Ok(());
        };
        let lines = log.log.last_lines(self.settings.tail_lines);
        if lines.is_empty() {
            return Ok(());
        }
        let heading = format!("last lines of {}:", log.log.shown_path());
        self.reporter
            .lines(&format!("{heading}\n  | {}", lines.join("\n  | ")))
    }
}

/// How an end looks to a person: a job that wrote nothing of what it tried has not passed, whatever its exit code.
fn end_mark(verdict: Exit, summary: Option<&LogSummary>) -> Mark {
    match verdict {
        Exit::Success => match summary {
            Some(log) if log.failed_days > 0 && log.successful_days == 0 => Mark::Fail,
            Some(log) if log.failed_days > 0 => Mark::Warn,
            _ => Mark::Pass,
        },
        Exit::CouldNotCheck => Mark::Error,
        _ => Mark::Fail,
    }
}

/// What the log adds, where it says something else than the process.
fn log_in_words(end: &End, summary: &LogSummary) -> Option<String> {
    let ended_well = end.exit.is_clean();
    let failed = summary.failed_days;
    if summary.state == LogState::Completed && failed > 0 && !end.exit.is_failure() {
        let finished = failed + summary.successful_days;
        return Some(if failed == finished {
            format!("its log says that every date failed ({failed} of {finished})")
        } else {
            format!("its log says that {failed} of {finished} dates failed")
        });
    }
    Some(
        match summary.state {
            LogState::Completed if end.exit.is_failure() => {
                "its log says that it completed, which does not lift that"
            }
            LogState::Completed => return None,
            LogState::Running | LogState::Interrupted if ended_well => {
                "its log has no end: it broke off"
            }
            LogState::Running | LogState::Interrupted => "its log breaks off",
            LogState::Refused => "its log says that it declined to start",
            LogState::DryRun => "its log says that it was a dry run",
            LogState::Empty => "nothing of it is in the log",
            LogState::Unknown => "its log is in no known dialect",
        }
        .to_owned(),
    )
}
