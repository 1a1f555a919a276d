//! What standard input says, as a notification and an exit code: any document of any tool, or a stream of them.

use std::fmt::Write as _;

use bf_cli::text::printable;
use bf_contract::{
    Check, CheckStatus, Document, DocumentError, Exit, FailureReport, LogState, LogSummary,
    Notification, NotificationEvent, NotificationType, ProcessEvent, ProcessEventKind, RunReport,
    Schema, StreamExit, ValidationReport, Verdict, date_spans, read_document,
};
use chrono::{DateTime, Utc};

/// How much of a text from outside a message holds, in characters.
const TEXT: usize = 400;
/// How many checks, and how many spans of dates, a message names.
const MOST: usize = 10;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// What the channels are told.
    pub notification: Notification,
    /// How bad it is: the least that bf-notify ends with.
    pub exit: Exit,
}

/// Reads what a tool printed. Nothing, and what breaks off, is told as well: a tool that was killed must not look
/// like one that had nothing to say.
pub(crate) fn read(text: &str, time: DateTime<Utc>, host: Option<String>) -> Reading {
    // One document may be written over several lines.
    match read_document(text) {
        Ok(Document::Notification(notification)) => {
            return Reading {
                notification: *notification,
                exit: Exit::Success,
            };
        }
        Ok(document) => {
            let mut found = Found::default();
            found.take(document);
            return found.reading(time, host);
        }
        Err(_) => {}
    }
    let mut found = Found::default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    for (at, line) in lines.iter().enumerate() {
        match read_document(line) {
            Ok(document) => found.take(document),
            Err(error @ DocumentError::Malformed { .. }) => found.problem = Some(error.to_string()),
            // A banner before the documents is none of ours; what looks like half a document is.
            Err(DocumentError::NotADocument(_)) => {
                if line.trim_start().starts_with('{') {
                    found.problem = Some("the stream of documents is cut off".to_owned());
                } else if at + 1 == lines.len() && found.parts.is_empty() {
                    found.problem = Some("it is not a document of bf".to_owned());
                }
            }
        }
    }
    found.reading(time, host)
}

/// Something that was read and has a verdict.
struct Part {
    title: String,
    text: String,
    plan: String,
    verdict: Verdict,
    run: Option<Box<RunReport>>,
}

#[derive(Default)]
struct Found {
    parts: Vec<Part>,
    problem: Option<String>,
    exit: StreamExit,
    notifications: u32,
}

impl Found {
    fn take(&mut self, document: Document) {
        self.exit.add(&document);
        let part = match document {
            Document::ValidationReport(report) => of_validation(&report),
            Document::RunReport(report) => of_run(report),
            Document::Failure(failure) => of_failure(&failure),
            Document::LogSummary(log) => of_log(&log),
            Document::ProcessEvent(event) => {
                let is_last = matches!(
                    event.event,
                    ProcessEventKind::Exited | ProcessEventKind::TimedOut | ProcessEventKind::Lost
                );
                if !is_last {
                    return;
                }
                of_end(&event)
            }
            Document::RunStatus(status) => Part {
                title: format!("run {} is {:?}", status.run_id, status.state).to_lowercase(),
                text: String::new(),
                plan: status.plan.clone(),
                verdict: status.verdict.unwrap_or(Verdict::Unknown),
                run: None,
            },
            Document::Notification(_) => {
                self.notifications += 1;
                return;
            }
            Document::LedgerEntry(_)
            | Document::Delivery(_)
            | Document::ValidationPlan(_)
            | Document::Capability(_)
            | Document::Unknown(_) => return,
        };
        // A validator's report holds the summary of the log that stands before it.
        if part.run.is_some() || !matches!(part.plan.as_str(), "log") {
            self.parts.retain(|other| other.plan != "log");
        }
        self.parts.push(part);
    }

    fn reading(mut self, time: DateTime<Utc>, host: Option<String>) -> Reading {
        if self.notifications > 1 {
            self.problem
                .get_or_insert("there is more than one notification".to_owned());
        }
        if self.exit.is_watching() {
            self.problem
                .get_or_insert("the stream of events has no end: bf-monitor was killed".to_owned());
        }
        if self.parts.is_empty() {
            self.problem
                .get_or_insert("there is no document that says how it went".to_owned());
        }
        if let Some(problem) = self.problem.take() {
            self.exit.truncated();
            self.parts.push(Part {
                title: format!("could not be checked: {}", printable(&problem, TEXT)),
                text: "bf-notify was given nothing that it could read to the end; \
                       look for the tool that should have printed it"
                    .to_owned(),
                plan: "bf-notify".to_owned(),
                verdict: Verdict::Error,
                run: None,
            });
        }
        let exit = self.exit.exit();
        // The worst comes first; the others follow in their order.
        self.parts
            .sort_by_key(|part| std::cmp::Reverse(part.verdict));
        let mut text = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                let _ = writeln!(text, "\n{}: {}", part.plan, part.title);
            }
            text.push_str(&part.text);
        }
        let first = &self.parts[0];
        let event = match exit {
            Exit::Success => NotificationEvent::RunFinished,
            Exit::CouldNotCheck | Exit::Usage => NotificationEvent::CouldNotCheck,
            Exit::Interrupted | Exit::Terminated => NotificationEvent::Interrupted,
            Exit::Failed | Exit::TimedOut => NotificationEvent::GateFailed,
        };
        let run = first.run.as_deref();
        Reading {
            notification: Notification {
                kind: NotificationType,
                schema: Schema,
                event: match run {
                    Some(_) => NotificationEvent::RunFinished,
                    None => event,
                },
                time,
                run_id: run.map(|run| run.run_id.clone()).unwrap_or_default(),
                run_uuid: run.and_then(|run| run.run_uuid.clone()),
                plan: Some(first.plan.clone()),
                host,
                report: None,
                run_dir: run.and_then(|run| run.run_dir.clone()),
                phase: None,
                verdict: Some(first.verdict),
                title: first.title.clone(),
                text: text.trim_end().to_owned(),
                run_report: first.run.clone(),
            },
            exit,
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Warn => "passed with warnings",
        Verdict::Fail => "FAILED",
        Verdict::Error | Verdict::Unknown => "could not be checked",
    }
}

fn of_validation(report: &ValidationReport) -> Part {
    let mut text = String::new();
    validation_lines(&mut text, report);
    Part {
        title: format!(
            "{} {}: {}",
            report.table,
            report.range,
            word(report.verdict)
        ),
        text,
        plan: report.suite.clone(),
        verdict: report.verdict,
        run: None,
    }
}

/// The checks that are bad, what the log says itself, and what to run again.
fn validation_lines(text: &mut String, report: &ValidationReport) {
    let bad: Vec<&Check> = report
        .checks
        .iter()
        .filter(|check| {
            check.level.counts()
                && !matches!(check.status, CheckStatus::Pass | CheckStatus::Skipped)
        })
        .collect();
    for check in bad.iter().take(MOST) {
        let level = match check.level {
            bf_contract::Level::Critical => "CRITICAL ",
            _ => "",
        };
        let _ = writeln!(text, "- {level}{}", printable(&check.message, TEXT));
    }
    if bad.len() > MOST {
        let _ = writeln!(text, "- and {} more checks", bad.len() - MOST);
    }
    if let Some(log) = &report.log_summary {
        log_lines(text, log);
    }
    if let Some(rerun) = &report.rerun {
        let spans: Vec<String> = date_spans(&rerun.dates)
            .iter()
            .take(MOST)
            .map(ToString::to_string)
            .collect();
        let _ = writeln!(text, "dates to run again: {}", spans.join(", "));
        if let Some(command) = &rerun.command {
            let _ = writeln!(
                text,
                "run again: {}",
                printable(&command.join(" "), 4 * TEXT)
            );
        }
    }
}

fn log_lines(text: &mut String, log: &LogSummary) {
    if let Some(class) = log.error_classes.first() {
        let _ = writeln!(
            text,
            "the job's own error ({} times): {}",
            class.count,
            printable(&class.example, TEXT)
        );
    }
    for doubt in log.doubts.iter().take(MOST) {
        let _ = writeln!(text, "in doubt: {}", printable(&doubt.message, TEXT));
    }
}

fn of_run(report: Box<RunReport>) -> Part {
    let mut text = String::new();
    for phase in &report.phases {
        let _ = writeln!(text, "{}: {}", phase.name, printable(&phase.reason, TEXT));
        for validation in phase.validation.iter().chain(&phase.further_validations) {
            validation_lines(&mut text, validation);
        }
    }
    for step in &report.next_steps {
        let _ = writeln!(text, "next: {}", printable(step, TEXT));
    }
    Part {
        title: format!(
            "{}: {}",
            word(report.verdict),
            printable(&report.reason, TEXT)
        ),
        text,
        plan: report.plan.clone().unwrap_or_else(|| "run".to_owned()),
        verdict: report.verdict,
        run: Some(report),
    }
}

fn of_failure(failure: &FailureReport) -> Part {
    let exit = Exit::from_code(i32::from(failure.exit_code)).unwrap_or(Exit::CouldNotCheck);
    Part {
        title: format!(
            "could not do its work: {}",
            printable(&failure.message, TEXT)
        ),
        text: failure
            .hint
            .as_ref()
            .map(|hint| format!("hint: {}\n", printable(hint, TEXT)))
            .unwrap_or_default(),
        plan: failure.tool.clone(),
        verdict: match exit {
            Exit::Failed => Verdict::Fail,
            _ => Verdict::Error,
        },
        run: None,
    }
}

/// A log claims; it is not judged here. One that cannot be read is not good news.
fn of_log(log: &LogSummary) -> Part {
    let is_known = !matches!(log.state, LogState::Unknown | LogState::Empty);
    let verdict = if is_known {
        Verdict::Warn
    } else {
        Verdict::Error
    };
    let mut text = String::new();
    log_lines(&mut text, log);
    Part {
        title: format!(
            "its log says: {} dates successful, {} failed",
            log.successful_days, log.failed_days
        ),
        text,
        plan: "log".to_owned(),
        verdict,
        run: None,
    }
}

fn of_end(event: &ProcessEvent) -> Part {
    let mut exit = StreamExit::default();
    exit.add(&Document::ProcessEvent(Box::new(event.clone())));
    let verdict = match exit.exit() {
        Exit::Success => Verdict::Pass,
        Exit::Failed | Exit::TimedOut => Verdict::Fail,
        _ => Verdict::Error,
    };
    let mut text = String::new();
    if let Some(log) = &event.log_summary {
        log_lines(&mut text, log);
    }
    let message = event.message.as_deref().unwrap_or("the job has ended");
    Part {
        title: printable(message, TEXT),
        text,
        plan: event
            .log_summary
            .as_ref()
            .and_then(|log| log.job.clone())
            .unwrap_or_else(|| "job".to_owned()),
        verdict,
        run: None,
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::{Exit, NotificationEvent, Verdict};
    use chrono::DateTime;

    use super::read;

    const REPORT: &str = include_str!("../../bf-contract/tests/golden/validation_report.json");
    const FAILURE: &str = include_str!("../../bf-contract/tests/golden/failure.json");
    const EVENT: &str = include_str!("../../bf-contract/tests/golden/process_event.json");

    fn of(text: &str) -> super::Reading {
        read(text, DateTime::UNIX_EPOCH, None)
    }

    #[test]
    fn a_bad_table_is_told_with_its_checks_and_its_command() {
        let reading = of(REPORT);
        assert_eq!(reading.exit, Exit::Failed);
        let told = reading.notification;
        assert_eq!(told.event, NotificationEvent::GateFailed);
        assert_eq!(told.plan.as_deref(), Some("player_game_summary"));
        assert!(
            told.text.contains("CRITICAL usage_rate: 0.0%"),
            "{}",
            told.text
        );
        assert!(
            told.text.contains("run again: python backfill.py"),
            "{}",
            told.text
        );
    }

    #[test]
    fn a_good_table_is_a_success_of_the_check() {
        let reading = of(&REPORT.replace(r#""verdict": "fail""#, r#""verdict": "pass""#));
        assert_eq!(reading.exit, Exit::Success);
        assert_eq!(reading.notification.event, NotificationEvent::RunFinished);
        assert_eq!(reading.notification.verdict, Some(Verdict::Pass));
    }

    #[test]
    fn nothing_and_what_breaks_off_could_not_be_checked() {
        for text in [
            "",
            "\n",
            "a banner\n",
            &REPORT[..200],
            &format!("{FAILURE}{}", &REPORT[..99]),
        ] {
            let reading = of(text);
            assert_eq!(reading.exit, Exit::CouldNotCheck, "{text}");
            assert_eq!(reading.notification.event, NotificationEvent::CouldNotCheck);
        }
        let progress = EVENT.replace("exited", "progress");
        assert_eq!(of(&progress).exit, Exit::CouldNotCheck);
        assert_eq!(of(&format!("{progress}{EVENT}")).exit, Exit::Failed);
    }

    #[test]
    fn the_worst_of_several_documents_decides() {
        let good = REPORT.replace(r#""verdict": "fail""#, r#""verdict": "pass""#);
        assert_eq!(of(&format!("{good}{REPORT}{good}")).exit, Exit::Failed);
        assert_eq!(of(&format!("{good}{FAILURE}")).exit, Exit::CouldNotCheck);
    }
}
