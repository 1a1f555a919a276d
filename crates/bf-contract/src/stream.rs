//! How the tools ended that printed a stream of documents.

use std::collections::BTreeMap;

use crate::{Document, Exit, LogState, LogSummary, ProcessEvent, ProcessEventKind, Verdict};

/// The exit code that a stream of documents stands for: the worst of the tools that printed it.
///
/// A shell without `pipefail` drops the exit code of every command of a pipe but the last one. The last one
/// takes it from here, so that a bad table does not become a 0.
#[derive(Debug, Clone, Default)]
pub struct StreamExit {
    ends: Vec<Exit>,
    /// The latest report of each run: a run that was resumed reports again.
    runs: BTreeMap<String, Exit>,
    /// The latest summary of each log: a log that is followed is summarized many times.
    logs: BTreeMap<String, Exit>,
    is_watching: bool,
    is_truncated: bool,
}

impl StreamExit {
    /// Takes the next document.
    pub fn add(&mut self, document: &Document) {
        match document {
            Document::ValidationReport(report) => {
                self.ends.push(of(report.exit_code, report.verdict));
            }
            Document::RunReport(report) => {
                let exit = of(report.exit_code, report.verdict);
                if report.run_id.is_empty() {
                    self.ends.push(exit);
                } else {
                    self.runs.insert(report.run_id.clone(), exit);
                }
            }
            Document::RunStatus(status) => self
                .ends
                .push(status.exit_code.map_or(Exit::Success, known)),
            Document::Failure(failure) => self.ends.push(known(failure.exit_code)),
            Document::LogSummary(log) => {
                self.logs.insert(log.log.path.clone(), of_log(log));
            }
            Document::ProcessEvent(event) => self.add_event(event),
            Document::Notification(notification) => {
                self.ends.extend(match &notification.run_report {
                    Some(report) => Some(of(report.exit_code, report.verdict)),
                    None => notification.verdict.map(|verdict| of(None, verdict)),
                });
            }
            Document::LedgerEntry(_)
            | Document::Delivery(_)
            | Document::ValidationPlan(_)
            | Document::Capability(_)
            | Document::Unknown(_) => {}
        }
    }

    /// Notes that the stream holds half a document.
    pub fn truncated(&mut self) {
        self.is_truncated = true;
    }

    /// Whether the last watched process was still running when the stream ended.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.is_watching
    }

    /// The worst of all. A stream that does not say how it ended, or is truncated, could not be checked.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let ends = self.ends.iter().chain(self.runs.values());
        let worst = ends
            .chain(self.logs.values())
            .copied()
            .reduce(Exit::worse)
            .unwrap_or(Exit::CouldNotCheck);
        if self.is_truncated || self.is_watching {
            worst.worse(Exit::CouldNotCheck)
        } else {
            worst
        }
    }

    fn add_event(&mut self, event: &ProcessEvent) {
        match event.event {
            ProcessEventKind::Exited | ProcessEventKind::TimedOut | ProcessEventKind::Lost => {
                self.is_watching = false;
                self.ends.push(match event.exit_code {
                    Some(code) => known(code),
                    None => of_end(event),
                });
            }
            ProcessEventKind::Started | ProcessEventKind::Attached => {
                // The watch before this one never reported its end.
                self.is_truncated |= self.is_watching;
                self.is_watching = true;
            }
            ProcessEventKind::Unknown => {}
            _ => self.is_watching = true,
        }
    }
}

/// A tool's own exit code, or what the verdict means if the document does not hold it.
fn of(exit_code: Option<u8>, verdict: Verdict) -> Exit {
    exit_code.map_or(
        match verdict {
            Verdict::Pass | Verdict::Warn => Exit::Success,
            Verdict::Fail => Exit::Failed,
            Verdict::Error | Verdict::Unknown => Exit::CouldNotCheck,
        },
        known,
    )
}

fn known(code: u8) -> Exit {
    Exit::from_code(i32::from(code)).unwrap_or(Exit::CouldNotCheck)
}

fn of_log(log: &LogSummary) -> Exit {
    match log.exit_code {
        Some(code) => known(code),
        None if matches!(log.state, LogState::Unknown | LogState::Empty) => Exit::CouldNotCheck,
        None => Exit::Success,
    }
}

/// The end of a process in a document of an older version. Without the threshold of its success rate, every date
/// must be done.
fn of_end(event: &ProcessEvent) -> Exit {
    let exit = event.exit.as_ref();
    match event.event {
        ProcessEventKind::TimedOut => return Exit::TimedOut,
        ProcessEventKind::Exited if exit.is_some_and(|exit| exit.is_failure()) => {
            return Exit::Failed;
        }
        ProcessEventKind::Exited if exit.is_some_and(|exit| exit.is_clean()) => {}
        _ => return Exit::CouldNotCheck,
    }
    match &event.log_summary {
        None => Exit::Success,
        Some(log) if matches!(log.state, LogState::Unknown | LogState::Empty) => {
            Exit::CouldNotCheck
        }
        Some(log) if log.has_failure_in_doubt() || !log.completed => Exit::Failed,
        Some(log) if !log.doubts.is_empty() => Exit::CouldNotCheck,
        Some(log) if log.failed_days > 0 || log.unaccounted_days.unwrap_or(0) > 0 => Exit::Failed,
        Some(_) => Exit::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::StreamExit;
    use crate::{Exit, read_document};

    const REPORT: &str = include_str!("../tests/golden/validation_report.json");
    const RUN: &str = include_str!("../tests/golden/run_report.json");
    const LOG: &str = include_str!("../tests/golden/log_summary.json");
    const EVENT: &str = include_str!("../tests/golden/process_event.json");
    const FAILURE: &str = include_str!("../tests/golden/failure.json");

    fn exit(documents: &[&str]) -> Exit {
        let mut exit = StreamExit::default();
        for document in documents {
            exit.add(&read_document(document).expect("a document"));
        }
        exit.exit()
    }

    fn good(report: &str) -> String {
        report.replacen(r#""verdict": "fail""#, r#""verdict": "pass""#, 1)
    }

    #[test]
    fn the_worst_of_all_tools_decides() {
        let good = good(REPORT);
        assert_eq!(exit(&[&good]), Exit::Success);
        assert_eq!(exit(&[&good, REPORT, &good]), Exit::Failed);
        assert_eq!(exit(&[&good, FAILURE]), Exit::CouldNotCheck);
        assert_eq!(Exit::CouldNotCheck.worse(Exit::Failed), Exit::Failed);
    }

    #[test]
    fn the_tools_own_exit_code_comes_before_the_verdict() {
        let strict = good(REPORT).replacen('{', r#"{"exit_code": 1,"#, 1);
        assert_eq!(exit(&[&strict]), Exit::Failed);
        let unknown = good(REPORT).replacen('{', r#"{"exit_code": 77,"#, 1);
        assert_eq!(exit(&[&unknown]), Exit::CouldNotCheck);
        let tolerated = EVENT.replacen('{', r#"{"exit_code": 0,"#, 1);
        assert_eq!(exit(&[&tolerated]), Exit::Success);
        let checked = LOG.replacen('{', r#"{"exit_code": 1,"#, 1);
        assert_eq!(exit(&[&checked]), Exit::Failed);
    }

    #[test]
    fn a_run_that_reports_again_and_a_log_that_is_followed_count_once() {
        assert_eq!(exit(&[RUN, &good(RUN)]), Exit::Success);
        assert_eq!(
            exit(&[RUN, &good(RUN).replace("run_id\": \"", "run_id\": \"other")]),
            Exit::Failed
        );
        let unknown = LOG.replace(r#""state": "completed""#, r#""state": "unknown""#);
        assert_ne!(unknown, LOG);
        assert_eq!(exit(&[&unknown, LOG]), Exit::Success);
    }

    #[test]
    fn what_does_not_say_how_it_ended_could_not_be_checked() {
        assert_eq!(exit(&[]), Exit::CouldNotCheck);
        assert_eq!(exit(&[r#"{"type": "weather"}"#]), Exit::CouldNotCheck);
        let progress = EVENT.replace("exited", "progress");
        assert_eq!(exit(&[&progress]), Exit::CouldNotCheck);
        assert_eq!(exit(&[&progress, EVENT]), Exit::Failed);
        let started = EVENT.replace("exited", "started");
        let ended = EVENT.replacen('{', r#"{"exit_code": 0,"#, 1);
        assert_eq!(exit(&[&started, &ended]), Exit::Success);
        assert_eq!(exit(&[&started, &started, &ended]), Exit::CouldNotCheck);
        let mut truncated = StreamExit::default();
        truncated.add(&read_document(&good(REPORT)).expect("a document"));
        truncated.truncated();
        assert_eq!(truncated.exit(), Exit::CouldNotCheck);
    }
}
