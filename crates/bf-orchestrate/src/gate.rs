//! The gate: whether process, log and data agree that the next phase may start.
//!
//! It compares no figures. The tools have judged; here only the worst of what they say is taken, and what
//! they did not say counts as not checked.

use bf_contract::{Exit, PhaseStatus, ProcessEvent, ProcessEventKind, ValidationReport, Verdict};

/// What bf-monitor said of the process.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Its exit code; `None` where a signal killed it.
    pub code: Option<i32>,
    /// Its last event.
    pub last: Option<ProcessEvent>,
    /// The last line that it wrote for people.
    pub said: Option<String>,
}

/// What the validator said of the table.
#[derive(Debug, Clone, Default)]
pub struct Validated {
    /// Its exit code; `None` where a signal killed it.
    pub code: Option<i32>,
    /// Its report.
    pub report: Option<ValidationReport>,
    /// The last line that it wrote for people.
    pub said: Option<String>,
}

/// What the gate came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The phase's status.
    pub status: PhaseStatus,
    /// One line that says why.
    pub reason: String,
    /// The code of a run that ends here.
    pub exit: Exit,
}

impl Judgement {
    fn new(status: PhaseStatus, exit: Exit, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            exit,
        }
    }

    fn failed(exit: Exit, reason: impl Into<String>) -> Self {
        Self::new(PhaseStatus::Failed, exit, reason)
    }

    fn could_not_check(reason: impl Into<String>) -> Self {
        Self::new(PhaseStatus::CouldNotCheck, Exit::CouldNotCheck, reason)
    }

    /// Whether the next phase may start.
    #[must_use]
    pub fn opens(&self) -> bool {
        matches!(self.status, PhaseStatus::Passed | PhaseStatus::Warned)
    }

    /// How bad it is: a later one of two equally bad ones never hides the first.
    fn badness(&self) -> u8 {
        match self.status {
            PhaseStatus::Passed => 0,
            PhaseStatus::Warned => 1,
            PhaseStatus::CouldNotCheck => 2,
            PhaseStatus::Failed => 3,
            PhaseStatus::NotStarted | PhaseStatus::Interrupted => 4,
        }
    }
}

/// Judges a phase by its process and its data; the worse of the two counts, the process first.
#[must_use]
pub fn judge(watched: &Watched, validated: &Validated) -> Judgement {
    let process = judge_process(watched);
    let data = judge_data(validated);
    if process.badness() == 0 {
        return data;
    }
    if data.badness() > process.badness() {
        return Judgement {
            reason: format!("{}; also: {}", data.reason, process.reason),
            ..data
        };
    }
    process
}

/// Judges the process alone. Passed means no more than that nothing speaks against it.
#[must_use]
pub fn judge_process(watched: &Watched) -> Judgement {
    let event = watched.last.as_ref();
    let told = event
        .and_then(|event| event.message.clone())
        .or_else(|| watched.said.clone());
    let because = |fallback: &str| told.clone().unwrap_or_else(|| fallback.to_owned());
    let known_failure = event
        .and_then(|event| event.exit.as_ref())
        .is_some_and(bf_contract::ProcessExit::is_failure);
    let ended = event.is_some_and(|event| event.event == ProcessEventKind::Exited);

    match watched.code.and_then(Exit::from_code) {
        _ if known_failure => Judgement::failed(Exit::Failed, because("the job failed")),
        Some(Exit::Success) if ended => Judgement::new(PhaseStatus::Passed, Exit::Success, ""),
        Some(Exit::Success) => {
            Judgement::could_not_check("bf-monitor exited 0 without saying how the job ended")
        }
        Some(Exit::Failed) => Judgement::failed(Exit::Failed, because("the job failed")),
        Some(Exit::TimedOut) => Judgement::failed(Exit::TimedOut, because("the job timed out")),
        Some(exit @ (Exit::Interrupted | Exit::Terminated)) => Judgement::new(
            PhaseStatus::Interrupted,
            exit,
            because("interrupted while the job was watched"),
        ),
        Some(Exit::Usage) => Judgement::new(
            PhaseStatus::NotStarted,
            Exit::Usage,
            because("bf-monitor refused to start the job"),
        ),
        Some(Exit::CouldNotCheck) => {
            Judgement::could_not_check(because("how the job ended is not known"))
        }
        None => Judgement::could_not_check(match watched.code {
            Some(code) => format!("bf-monitor ended with an unknown code {code}"),
            None => "bf-monitor was killed while it watched the job".to_owned(),
        }),
    }
}

/// Judges the data alone, by the validator's code and its report: both must say so for a pass.
#[must_use]
pub fn judge_data(validated: &Validated) -> Judgement {
    let Some(report) = &validated.report else {
        let said = validated.said.as_deref();
        return match validated.code.and_then(Exit::from_code) {
            Some(exit @ (Exit::Interrupted | Exit::Terminated)) => Judgement::new(
                PhaseStatus::Interrupted,
                exit,
                "interrupted during the validation",
            ),
            Some(Exit::Success) => {
                Judgement::could_not_check("the validator exited 0 without a report")
            }
            _ => Judgement::could_not_check(said.unwrap_or("the validator gave no report")),
        };
    };
    let reason = report_reason(report);
    match (report.verdict, validated.code.and_then(Exit::from_code)) {
        (Verdict::Pass, Some(Exit::Success)) => {
            Judgement::new(PhaseStatus::Passed, Exit::Success, reason)
        }
        (Verdict::Warn, Some(Exit::Success)) => {
            Judgement::new(PhaseStatus::Warned, Exit::Success, reason)
        }
        (Verdict::Fail, _) | (_, Some(Exit::Failed)) => Judgement::failed(Exit::Failed, reason),
        (Verdict::Error, _) => Judgement::could_not_check(reason),
        (Verdict::Pass | Verdict::Warn, _) => Judgement::could_not_check(format!(
            "the validator reported {} and ended with {}",
            if report.verdict == Verdict::Pass {
                "a pass"
            } else {
                "a warning"
            },
            validated
                .code
                .map_or_else(|| "a signal".to_owned(), |code| format!("code {code}")),
        )),
    }
}

/// The messages of the checks that made the verdict, or that all passed.
fn report_reason(report: &ValidationReport) -> String {
    use bf_contract::{CheckStatus, Level};

    let worst = match report.verdict {
        Verdict::Pass => None,
        Verdict::Warn => Some(CheckStatus::Warn),
        Verdict::Error => Some(CheckStatus::Error),
        Verdict::Fail => Some(CheckStatus::Fail),
    };
    let counted = report
        .checks
        .iter()
        .filter(|check| !matches!(check.level, Level::Info | Level::Off));
    let Some(worst) = worst else {
        let passed = counted
            .filter(|check| check.status == CheckStatus::Pass)
            .count();
        return format!("all {passed} checks passed");
    };
    let messages: Vec<&str> = counted
        .filter(|check| check.status == worst)
        .map(|check| check.message.as_str())
        .collect();
    match messages.as_slice() {
        [] => "nothing was checked".to_owned(),
        [first] => (*first).to_owned(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}
