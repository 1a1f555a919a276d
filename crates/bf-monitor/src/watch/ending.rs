//! The end: what lives on of the job, the end of its log, the verdict, and what is reported of it.

use std::io::Write;
use std::time::Duration;

use bf_cli::text::{Mark, duration, percent};
use bf_cli::{Context, Failure};
use bf_contract::{AliveProcess, Exit, LogState, LogSummary, ProcessEventKind};
use bf_parse_log::{LogEnd, min_success_rate};

use super::{Watch, stalls};
use crate::exit::ExitInfo;
use crate::job;
use crate::proc::{self, Member, monotonic};
use crate::report::Details;
use crate::verdict::{LogOutcome, judge};

/// How long the shim may take to sync its record.
const SHIM_PATIENCE: Duration = Duration::from_secs(5);
/// How long what is about to end anyway may take, before it is reported as living on.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks at what lives on, at first and later.
const SHORT_PAUSE: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_secs(1);

impl Watch {
    /// What of the job lives on, once nothing more is waited for: nothing lives, its log completed, or nothing was
    /// written to it for long. `None`: it is too early to say.
    pub(super) fn what_lives_on(&mut self, now: Duration) -> Result<Option<Vec<Member>>, Failure> {
        let since = *self.said.ended_since.get_or_insert(now);
        let waited = now.saturating_sub(since);
        let living = match self.job.living() {
            Ok(living) => living,
            Err(error) => {
                // It decides nothing, and is reported with the end.
                self.said.unreadable = Some(error.to_string());
                return Ok(Some(Vec::new()));
            }
        };
        if self.settings.once {
            return Ok(Some(living));
        }
        if living.is_empty() && waited >= GRACE {
            return Ok(Some(living));
        }
        if living.is_empty() && self.job.family.is_waited_for() {
            return Ok(None);
        }
        self.read_log(now)?;
        let is_completed = self
            .summary(LogEnd::StillWritten)
            .is_some_and(|summary| summary.state == LogState::Completed);
        if living.is_empty() {
            // Others may be about to write what the job gave them: a pipe into tee.
            let may_come = !is_completed && !self.other_writers().is_empty();
            return Ok((!may_come).then_some(living));
        }
        let limits = self.settings.limits(self.pace.rate.median_gap());
        let silent = self.log.as_ref().map_or(waited, |log| log.silent_for(now));
        let is_over = if is_completed {
            waited >= GRACE
        } else {
            silent.min(waited) >= limits.quiet
        };
        if is_over {
            return Ok(Some(living));
        }
        if waited >= GRACE && !std::mem::replace(&mut self.said.rest, true) {
            self.reporter.warn(&format!(
                "{} has ended, and what it started still runs: {}; waiting for that",
                self.job.name(),
                job::in_words(&job::alive(&living))
            ))?;
        }
        Ok(None)
    }

    /// When to look for that again.
    pub(super) fn look_for_the_rest_at(&self, now: Duration) -> Option<Duration> {
        let since = self.said.ended_since?;
        let pause = if now < since + GRACE {
            SHORT_PAUSE
        } else {
            PAUSE
        };
        Some(now + pause)
    }

    /// Processes that have the log open for writing and are not of the job.
    fn other_writers(&self) -> Vec<u32> {
        let Some(file) = self.log.as_ref().and_then(|log| log.file()) else {
            return Vec::new();
        };
        let living = self.job.living().unwrap_or_default();
        let mut except: Vec<u32> = living.iter().map(|member| member.pid).collect();
        except.extend(self.job.identity.as_ref().map(|identity| identity.pid));
        except.push(std::process::id());
        proc::log_writers(file, &except)
    }

    /// Reads the log to its end, judges, and reports how the job came out.
    pub(super) fn settle(&mut self, living: &[Member]) -> Result<Exit, Failure> {
        let Some(end) = self.job.ended.clone() else {
            return Err(Failure::could_not_check(
                "the end was settled before it came",
            ));
        };
        self.reporter.end_bar();
        self.job.refuse_if_never_executed()?;
        let writer = if living.is_empty() {
            LogEnd::WriterGone
        } else {
            LogEnd::StillWritten
        };
        let (summary, is_readable) = self.last_summary(writer)?;
        let rate = summary.as_ref().map(|summary| self.min_rate(summary));
        let outcome = summary
            .as_ref()
            .zip(rate)
            .map(|(summary, rate)| LogOutcome::of(summary, rate));
        let (exit, verdict) = judge(
            end.exit.clone(),
            outcome,
            !living.is_empty(),
            self.settings.judge,
        );

        let mut known = end.exit.clone();
        known.source = exit.source;
        let alive = job::alive(living);
        let mut parts = vec![self.job.end_in_words(&end, &known)];
        if let (Some(summary), Some(outcome)) = (&summary, outcome) {
            parts.extend(log_in_words(&end, summary, outcome, rate));
            parts.extend(self.ended_too_fast(summary));
        }
        parts.extend(self.rest_in_words(&alive, outcome));
        let message = parts.join("; ");
        if is_readable && let Some(summary) = &summary {
            self.save_ledger(writer, summary)?;
        }
        let details = Details {
            message: Some(message.clone()),
            exit: Some(exit),
            exit_code: Some(verdict.code()),
            alive,
            ..self.details(summary)
        };
        self.reporter
            .event(ProcessEventKind::Exited, details.clone())?;

        self.save()?;
        let mark = end_mark(verdict, &details);
        self.report_end(&message, verdict, mark, &details)?;
        if let (Some(_), Some(summary)) = (&self.settings.save_ledger, &details.log_summary) {
            self.reporter.log(summary)?;
        }
        if let Some(shim) = self.job.detector.take_shim() {
            shim.wait_for_exit(SHIM_PATIENCE);
        }
        Ok(verdict)
    }

    fn min_rate(&self, summary: &LogSummary) -> f64 {
        let settings = &self.settings;
        settings
            .min_success_rate
            .unwrap_or_else(|| min_success_rate(&settings.config, summary.job.as_deref()))
    }

    /// Reads what is left of the log; and whether it could be read. A log that cannot is in no known dialect, whatever
    /// was in the part that could.
    fn last_summary(&mut self, end: LogEnd) -> Result<(Option<LogSummary>, bool), Failure> {
        let Some(log) = &mut self.log else {
            return Ok((None, false));
        };
        let changes = log.read_to_the_end();
        let problem = log.problem().map(str::to_owned);
        for change in changes {
            self.report_change(change)?;
        }
        let mut summary = self.summary(end);
        let is_readable = problem.is_none();
        if let (Some(problem), Some(summary)) = (problem, &mut summary) {
            let path = &summary.log.path;
            self.reporter
                .warn(&format!("reading the log {path} to its end: {problem}"))?;
            summary.state = LogState::Unknown;
            summary.completed = false;
        }
        Ok((summary, is_readable))
    }

    /// Writes the dates and the summary, as a whole, for whoever judges them.
    fn save_ledger(&self, end: LogEnd, summary: &LogSummary) -> Result<(), Failure> {
        let (Some(path), Some(log)) = (&self.settings.save_ledger, &self.log) else {
            return Ok(());
        };
        let doing = || format!("writing {}", path.display());
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(std::path::Path::new("."));
        let mut lines = Vec::new();
        for entry in log.ledger(end) {
            serde_json::to_writer(&mut lines, &entry).or_could_not_check(doing)?;
            lines.push(b'\n');
        }
        serde_json::to_writer(&mut lines, summary).or_could_not_check(doing)?;
        lines.push(b'\n');
        let mut file = tempfile::NamedTempFile::new_in(folder).or_could_not_check(doing)?;
        file.write_all(&lines).or_could_not_check(doing)?;
        file.as_file().sync_all().or_could_not_check(doing)?;
        file.persist(path)
            .map_err(|error| error.error)
            .or_could_not_check(doing)?;
        Ok(())
    }

    fn ended_too_fast(&self, summary: &LogSummary) -> Option<String> {
        let finished = stalls::finished(summary).unwrap_or_default();
        let (days, took) = self.pace.rate.ended_too_fast(monotonic(), finished)?;
        Some(format!(
            "the last {days} days took {}, much faster than the days before them",
            duration(took)
        ))
    }

    /// What runs on: of the job, and others that hold its log.
    fn rest_in_words(&self, alive: &[AliveProcess], outcome: Option<LogOutcome>) -> Vec<String> {
        let mut parts = Vec::new();
        if !alive.is_empty() {
            let what = job::in_words(alive);
            parts.push(format!("what it started still runs: {what}"));
        }
        if let Some(problem) = &self.said.unreadable {
            parts.push(format!(
                "whether anything that it started still runs cannot be told: {problem}"
            ));
        }
        let is_incomplete = outcome.is_some_and(|outcome| !outcome.is_completed());
        let others = if is_incomplete && !self.settings.once {
            self.other_writers()
        } else {
            Vec::new()
        };
        if !others.is_empty() {
            let members: Vec<Member> = others
                .into_iter()
                .map(|pid| Member {
                    pid,
                    start_ticks: 0,
                })
                .collect();
            let what = job::in_words(&job::alive(&members));
            parts.push(format!(
                "others have its log open and are not known to be of the job: {what}"
            ));
        }
        parts
    }

    fn report_end(
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
        let lines = log.last_lines(self.settings.tail_lines);
        if lines.is_empty() {
            return Ok(());
        }
        let heading = format!("last lines of {}:", log.shown_path());
        self.reporter
            .lines(&format!("{heading}\n  | {}", lines.join("\n  | ")))
    }
}

/// How an end looks to a person: a job that wrote nothing of what it tried has not passed, whatever its exit code.
fn end_mark(verdict: Exit, details: &Details) -> Mark {
    match verdict {
        Exit::Success => match &details.log_summary {
            Some(log) if log.failed_days > 0 && log.successful_days == 0 => Mark::Fail,
            Some(log) if log.failed_days > 0 => Mark::Warn,
            _ if !details.alive.is_empty() => Mark::Warn,
            _ => Mark::Pass,
        },
        Exit::CouldNotCheck => Mark::Error,
        _ => Mark::Fail,
    }
}

/// What the log adds, if it says something else than the process.
fn log_in_words(
    end: &ExitInfo,
    summary: &LogSummary,
    outcome: LogOutcome,
    min_rate: Option<f64>,
) -> Vec<String> {
    let mut parts = Vec::new();
    let failed = summary.failed_days;
    if summary.state == LogState::Completed && failed > 0 && !end.exit.is_failure() {
        let finished = failed + summary.successful_days;
        let mut text = if failed == finished {
            format!("its log says that every date failed ({failed} of {finished})")
        } else {
            format!("its log says that {failed} of {finished} dates failed")
        };
        if let (LogOutcome::BelowRate, Some(rate), Some(least)) =
            (outcome, summary.success_rate, min_rate)
        {
            text.push_str(&format!(
                " (success rate {}, at least {} needed)",
                percent(rate),
                percent(least)
            ));
        }
        parts.push(text);
    }
    if summary.state == LogState::Completed
        && let Some(missing) = summary.unaccounted_days.filter(|&missing| missing > 0)
    {
        parts.push(format!("{missing} of its dates are unaccounted for"));
    }
    let doubts = summary
        .doubts
        .iter()
        .filter(|doubt| doubt.kind.is_failure() || doubt.kind.stops_check());
    parts.extend(doubts.map(|doubt| doubt.message.clone()));
    let state = match summary.state {
        LogState::Completed if end.exit.is_failure() => {
            "its log says that it completed (the failed exit still counts)"
        }
        LogState::Completed => return parts,
        LogState::Running | LogState::Interrupted if end.exit.is_clean() => {
            "its log has no end: it broke off"
        }
        LogState::Running | LogState::Interrupted => "its log breaks off",
        LogState::Refused => "its log says that it declined to start",
        LogState::DryRun => "its log says that it was a dry run",
        LogState::Empty => "nothing of it is in the log",
        LogState::Unknown => "its log is in no known dialect",
    };
    parts.push(state.to_owned());
    parts
}
