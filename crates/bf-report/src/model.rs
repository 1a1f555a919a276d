//! What the documents say, in the order in which a person asks.

use bf_contract::{
    Check, CheckStatus, DateRange, Document, FailureReport, LedgerEntry, LogState, LogSummary,
    Phase, PhaseAttempt, PhaseJob, PhaseStatus, RunReport, ValidationReport, Verdict, Window,
};
use chrono::{DateTime, Utc};

use crate::input::Input;

/// Everything that a report shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report {
    /// What it is about: the plan, or the suite.
    pub title: String,
    /// `None` if nothing of it was judged.
    pub verdict: Option<Verdict>,
    pub reason: String,
    /// Whether a later report may say otherwise.
    pub is_provisional: bool,
    pub is_dry_run: bool,
    pub run: Option<Run>,
    pub next_steps: Vec<String>,
    pub phases: Vec<PhaseReport>,
    pub failures: Vec<FailureReport>,
    /// What could not be read, for people.
    pub notes: Vec<String>,
}

/// The run that a report is of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Run {
    pub run_id: String,
    pub run_dir: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    pub total_seconds: Option<f64>,
}

/// One phase; without a run, one validation or one log.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PhaseReport {
    pub name: String,
    pub table: Option<String>,
    pub range: Option<DateRange>,
    /// `None` if it was not judged.
    pub status: Option<PhaseStatus>,
    pub reason: String,
    pub is_downgraded: bool,
    pub job: Option<PhaseJob>,
    pub duration_seconds: Option<f64>,
    pub attempts: Vec<PhaseAttempt>,
    pub windows: Vec<Window>,
    pub log: Option<LogSummary>,
    pub ledger: Vec<LedgerEntry>,
    pub validations: Vec<ValidationReport>,
}

impl Report {
    /// Puts documents together. The last report of a run says what its phases are; without one, each validation
    /// and each log is a phase of its own.
    pub(crate) fn of(input: Input) -> Self {
        let mut report = Self {
            notes: input.passed_over,
            ..Self::default()
        };
        let last_run = input
            .documents
            .iter()
            .rposition(|document| matches!(document, Document::RunReport(_)));
        let newer = last_run.map_or(0, |at| input.documents.len() - at - 1);
        let mut ledger = Vec::new();
        for (at, document) in input.documents.into_iter().enumerate() {
            match document {
                Document::RunReport(run) if Some(at) == last_run => report.add_run(*run),
                Document::Failure(failure) => report.failures.push(failure),
                Document::Notification(notification) => {
                    if let Some(run) = notification.run_report.filter(|_| last_run.is_none()) {
                        report.add_run(*run);
                    }
                }
                _ if last_run.is_some() => {}
                Document::ValidationReport(validation) => report.add_validation(*validation),
                Document::LedgerEntry(entry) => ledger.push(entry),
                Document::LogSummary(log) => report.add_log(*log, std::mem::take(&mut ledger)),
                Document::ProcessEvent(event) => {
                    if let Some(log) = event.log_summary {
                        report.add_log(log, Vec::new());
                    }
                }
                _ => {}
            }
        }
        if newer > 0 {
            report.is_provisional = true;
            report.notes.push(format!(
                "{newer} documents are newer than the run's last report, and are not shown"
            ));
        }
        if last_run.is_none() {
            report.conclude();
        }
        report
    }

    fn add_run(&mut self, run: RunReport) {
        self.title = run.plan.clone().unwrap_or_else(|| "run".to_owned());
        self.verdict = Some(run.verdict);
        self.reason = run.reason;
        self.is_provisional = run.provisional;
        self.is_dry_run = run.dry_run;
        self.next_steps = run.next_steps;
        self.run = Some(Run {
            run_id: run.run_id,
            run_dir: run.run_dir,
            started_at: run.started_at,
            total_seconds: Some(run.total_seconds),
        });
        self.phases = run.phases.into_iter().map(PhaseReport::of).collect();
    }

    fn add_validation(&mut self, validation: ValidationReport) {
        let of_log = validation.log_summary.as_ref().map(|log| &log.log.path);
        let ledger = of_log.and_then(|path| {
            let at = self
                .phases
                .iter()
                .position(|phase| phase.is_only_log_of(path))?;
            Some(self.phases.remove(at).ledger)
        });
        let phase = PhaseReport {
            name: validation.suite.clone(),
            table: Some(validation.table.clone()),
            range: Some(validation.range),
            status: Some(status_of(validation.verdict)),
            reason: reason_of(&validation),
            log: validation.log_summary.clone(),
            ledger: ledger.unwrap_or_default(),
            validations: vec![validation],
            ..PhaseReport::default()
        };
        let same = self.phases.iter_mut().find(|other| {
            (&other.name, &other.table, other.range) == (&phase.name, &phase.table, phase.range)
        });
        match same {
            Some(same) => *same = phase,
            None => self.phases.push(phase),
        }
    }

    fn add_log(&mut self, log: LogSummary, ledger: Vec<LedgerEntry>) {
        let phase = PhaseReport {
            name: log.job.clone().unwrap_or_else(|| log.log.path.clone()),
            range: log.range,
            reason: format!("its log says {}", crate::words::log_state(log.state)),
            ledger,
            log: Some(log.clone()),
            ..PhaseReport::default()
        };
        let same = self
            .phases
            .iter_mut()
            .find(|other| other.is_only_log_of(&log.log.path));
        match same {
            Some(same) => {
                // An event of a process has no ledger.
                let ledger = std::mem::take(&mut same.ledger);
                *same = phase;
                if same.ledger.is_empty() {
                    same.ledger = ledger;
                }
            }
            None => self.phases.push(phase),
        }
    }

    /// The verdict and the title of a report without a run.
    fn conclude(&mut self) {
        if self.run.is_some() {
            return;
        }
        let verdicts = self
            .phases
            .iter()
            .flat_map(|phase| &phase.validations)
            .map(|validation| validation.verdict);
        let failed = (!self.failures.is_empty()).then_some(Verdict::Error);
        self.verdict = verdicts.chain(failed).max();
        let worst = self
            .phases
            .iter()
            .max_by_key(|phase| phase.validations.iter().map(|one| one.verdict).max());
        self.reason = match (self.failures.last(), worst) {
            (Some(failure), _) if self.verdict == Some(Verdict::Error) => {
                format!("{}: {}", failure.tool, failure.message)
            }
            (_, Some(phase)) => format!("{}: {}", phase.name, phase.reason),
            _ => String::new(),
        };
        let names: Vec<&str> = self
            .phases
            .iter()
            .map(|phase| phase.name.as_str())
            .collect();
        self.title = names.join(", ");
    }
}

impl PhaseReport {
    fn of(phase: Phase) -> Self {
        Self {
            name: phase.name,
            table: Some(phase.table),
            range: phase.range,
            status: Some(phase.status),
            reason: phase.reason,
            is_downgraded: phase.downgraded,
            job: phase.job,
            duration_seconds: phase.duration_seconds,
            attempts: phase.attempts,
            windows: phase.windows,
            log: phase.log_summary,
            ledger: Vec::new(),
            validations: phase
                .validation
                .into_iter()
                .chain(phase.further_validations)
                .collect(),
        }
    }

    fn is_only_log_of(&self, path: &str) -> bool {
        self.validations.is_empty() && self.log.as_ref().is_some_and(|log| log.log.path == path)
    }

    /// Whether it needs a person.
    pub(crate) fn is_bad(&self) -> bool {
        match self.status {
            Some(PhaseStatus::Passed | PhaseStatus::NotStarted) => false,
            Some(_) => true,
            None => self.log.as_ref().is_some_and(|log| {
                log.state != LogState::Completed || log.failed_days > 0 || !log.doubts.is_empty()
            }),
        }
    }
}

fn status_of(verdict: Verdict) -> PhaseStatus {
    match verdict {
        Verdict::Pass => PhaseStatus::Passed,
        Verdict::Warn => PhaseStatus::Warned,
        Verdict::Error | Verdict::Unknown => PhaseStatus::CouldNotCheck,
        Verdict::Fail => PhaseStatus::Failed,
    }
}

/// The first check that has the verdict, and how many more there are.
fn reason_of(validation: &ValidationReport) -> String {
    let worst = match validation.verdict {
        Verdict::Pass => return count(validation),
        Verdict::Warn => CheckStatus::Warn,
        Verdict::Fail => CheckStatus::Fail,
        Verdict::Error | Verdict::Unknown => CheckStatus::Error,
    };
    let mut bad = validation
        .checks
        .iter()
        .filter(|check| check.status == worst && check.level.counts());
    match (bad.next(), bad.count()) {
        (None, _) => "no check could be made".to_owned(),
        (Some(first), 0) => first.message.clone(),
        (Some(first), more) => format!("{} (and {more} more)", first.message),
    }
}

fn count(validation: &ValidationReport) -> String {
    let passed = validation
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Pass && check.level.counts());
    format!("{} checks passed", passed.count())
}

/// Checks in the order in which a person reads them: what is bad first, and what counts first.
pub(crate) fn sorted(checks: &[Check]) -> Vec<&Check> {
    let mut sorted: Vec<&Check> = checks.iter().collect();
    sorted.sort_by_key(|check| {
        let badness = match check.status {
            CheckStatus::Fail => 0,
            CheckStatus::Error | CheckStatus::Unknown => 1,
            CheckStatus::Warn => 2,
            CheckStatus::Skipped if check.unanswered => 3,
            CheckStatus::Pass => 4,
            CheckStatus::Skipped => 5,
        };
        (!check.level.counts(), badness)
    });
    sorted
}
