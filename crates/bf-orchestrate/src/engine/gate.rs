//! The gate: whether process, log and data agree that the next phase may start.
//!
//! It compares no figures. The tools have judged; here only the worst of what they say is taken, and what
//! they did not say counts as not checked.

use bf_contract::{
    Exit, ExitSource, Level, PhaseStatus, ProcessEventKind, ValidationReport, Verdict,
};

use crate::store::state::Judgement;
use crate::tools::calls::{Asked, Validated, Watched};

impl Judgement {
    fn new(status: PhaseStatus, exit: Exit, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            exit,
            downgraded: false,
        }
    }

    fn failed(exit: Exit, reason: impl Into<String>) -> Self {
        Self::new(PhaseStatus::Failed, exit, reason)
    }

    fn could_not_check(reason: impl Into<String>) -> Self {
        Self::new(PhaseStatus::CouldNotCheck, Exit::CouldNotCheck, reason)
    }

    /// How bad it is: a later one of two equally bad ones never hides the first.
    fn badness(&self) -> u8 {
        match self.status {
            PhaseStatus::Passed => 0,
            PhaseStatus::Warned => 1,
            PhaseStatus::CouldNotCheck | PhaseStatus::Unknown => 2,
            PhaseStatus::Failed => 3,
            PhaseStatus::NotStarted | PhaseStatus::Interrupted => 4,
        }
    }
}

/// Nothing that could not be checked counts as good.
pub(crate) fn could_not_check(reason: impl Into<String>) -> Judgement {
    Judgement::could_not_check(reason)
}

/// Judges a phase by its process, where it has one, and its data; the worst counts, the process first. Where the
/// gate opens, the reason names what could not be checked.
pub(crate) fn judge(watched: Option<&Watched>, validated: &[Validated]) -> Judgement {
    let mut judgement = judge_all(watched, validated);
    let unanswered = unanswered(validated);
    if judgement.opens() && !unanswered.is_empty() {
        let reason = &mut judgement.reason;
        reason.push_str(&format!("; not checked: {}", unanswered.join(", ")));
    }
    judgement
}

/// The names of the checks that could not be answered; with their tables, where there are several.
fn unanswered(validated: &[Validated]) -> Vec<String> {
    let reports = validated.iter().filter_map(|one| one.report.as_ref());
    reports
        .flat_map(|report| report.unanswered().map(move |check| (report, check)))
        .map(|(report, check)| match validated {
            [_] => check.name.clone(),
            _ => format!("{} of {}", check.name, report.table),
        })
        .collect()
}

fn judge_all(watched: Option<&Watched>, validated: &[Validated]) -> Judgement {
    let process = watched.map(judge_process);
    let data = judge_tables(validated);
    match process {
        None => data,
        Some(process) if process.badness() == 0 => data,
        // A good word about the data is no better for a doubt about the process; a worse one goes first.
        Some(process)
            if data.badness() > process.badness()
                || data.status == PhaseStatus::Warned && process.opens() =>
        {
            Judgement {
                reason: format!("{}; also: {}", data.reason, process.reason),
                ..data
            }
        }
        Some(process) => process,
    }
}

/// Judges the data by all validators of a phase: the first of the worst counts. No validator, no pass.
pub(crate) fn judge_tables(validated: &[Validated]) -> Judgement {
    let mut worst: Option<Judgement> = None;
    for judgement in validated.iter().map(judge_data) {
        if worst
            .as_ref()
            .is_none_or(|worst| judgement.badness() > worst.badness())
        {
            worst = Some(judgement);
        }
    }
    worst.unwrap_or_else(|| Judgement::could_not_check("no table was validated"))
}

/// Judges the process alone. Passed means no more than that nothing speaks against it.
pub(crate) fn judge_process(watched: &Watched) -> Judgement {
    let event = watched.last.as_ref();
    let told = event
        .and_then(|event| event.message.clone())
        .or_else(|| watched.said.clone());
    let because = |fallback: &str| told.clone().unwrap_or_else(|| fallback.to_owned());
    let known_failure = event
        .and_then(|event| event.exit.as_ref())
        .is_some_and(bf_contract::ProcessExit::is_failure);
    let ended = event.is_some_and(|event| event.event == ProcessEventKind::Exited);
    let source = event
        .and_then(|event| event.exit.as_ref())
        .map_or(ExitSource::Unknown, |exit| exit.source);

    match watched.code.and_then(Exit::from_code) {
        Some(Exit::TimedOut) => Judgement::failed(Exit::TimedOut, because("the job timed out")),
        _ if known_failure => Judgement::failed(Exit::Failed, because("the job failed")),
        Some(Exit::Success) if ended => match source {
            ExitSource::Unknown => {
                Judgement::could_not_check("bf-monitor exited 0 without knowing how the job ended")
            }
            // The log's own word is no more than that.
            ExitSource::Log => Judgement::new(
                PhaseStatus::Warned,
                Exit::Success,
                because("how the job ended was not seen; its log says that it completed"),
            ),
            _ if event.is_some_and(|event| !event.alive.is_empty()) => Judgement::new(
                PhaseStatus::Warned,
                Exit::Success,
                because("something of the job still runs; its log says that it completed"),
            ),
            _ => Judgement::new(PhaseStatus::Passed, Exit::Success, ""),
        },
        Some(Exit::Success) => {
            Judgement::could_not_check("bf-monitor exited 0 without saying how the job ended")
        }
        Some(Exit::Failed) => Judgement::failed(Exit::Failed, because("the job failed")),
        Some(exit @ (Exit::Interrupted | Exit::Terminated)) => Judgement::new(
            PhaseStatus::Interrupted,
            exit,
            // What bf-monitor advises is for those who call it themselves.
            match event.and_then(|event| event.process.as_ref()) {
                Some(process) => format!(
                    "interrupted while its job was watched; the job (process {}) was left as it is",
                    process.pid
                ),
                None => "interrupted while its job was watched".to_owned(),
            },
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
pub(crate) fn judge_data(validated: &Validated) -> Judgement {
    let exit = validated.code.and_then(Exit::from_code);
    if let Some(exit @ (Exit::Interrupted | Exit::Terminated)) = exit {
        // Whatever it had said until then: it is asked again when the run is taken up.
        let reason = "interrupted during the validation";
        return Judgement::new(PhaseStatus::Interrupted, exit, reason);
    }
    let Some(report) = &validated.report else {
        let said = validated.said.as_deref();
        return match exit {
            Some(Exit::Success) => {
                Judgement::could_not_check("the validator exited 0 without a report")
            }
            _ => Judgement::could_not_check(said.unwrap_or("the validator gave no report")),
        };
    };
    if let Some(asked) = &validated.asked
        && (report.range != asked.range
            || is_other(&asked.table, &report.table)
            || is_other(&asked.suite, &report.suite))
    {
        return Judgement::could_not_check(format!(
            "the validator judged {} over {}, not what it was asked for",
            report.table, report.range
        ));
    }
    if report.verdict <= Verdict::Warn
        && let Some(failure) = &validated.said
    {
        return Judgement::could_not_check(format!(
            "the validator passes the table and reports a failure: {failure}"
        ));
    }
    if report.verdict <= Verdict::Warn
        && let Some(table) = &report.missing_table
    {
        return Judgement::could_not_check(format!(
            "the validator's report contradicts itself: it passes, and {table} is missing"
        ));
    }
    if report.verdict <= Verdict::Warn
        && let Some(check) = report
            .unanswered()
            .find(|check| check.level == Level::Critical)
    {
        return Judgement::could_not_check(format!(
            "the validator's report contradicts itself: it passes, and nothing answers its critical check {}",
            check.name
        ));
    }
    if Verdict::of(&report.checks) > report.verdict {
        return Judgement::could_not_check(
            "the validator's report contradicts itself: its checks are worse than its verdict",
        );
    }
    if report.verdict <= Verdict::Warn
        && let Some(why) = validated
            .asked
            .as_ref()
            .and_then(|asked| against_no_log(report, asked))
    {
        return Judgement::could_not_check(why);
    }
    let reason = report_reason(report);
    match (report.verdict, validated.code.and_then(Exit::from_code)) {
        (Verdict::Pass, Some(Exit::Success)) => {
            Judgement::new(PhaseStatus::Passed, Exit::Success, reason)
        }
        (Verdict::Warn, Some(Exit::Success)) => {
            Judgement::new(PhaseStatus::Warned, Exit::Success, reason)
        }
        (Verdict::Fail, _) => Judgement::failed(Exit::Failed, reason),
        (Verdict::Error, Some(Exit::Failed)) => Judgement::failed(Exit::Failed, reason),
        (_, Some(Exit::Failed)) => Judgement::failed(
            Exit::Failed,
            format!("the validator ended with code 1, though its report says: {reason}"),
        ),
        (Verdict::Error, _) => Judgement::could_not_check(reason),
        (Verdict::Unknown, _) => Judgement::could_not_check(
            "the validator's report has a verdict that this bf does not know; install one version of all tools",
        ),
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

/// Whether something else was asked for; the engines fold the case of a table as they like.
fn is_other(asked: &Option<String>, reported: &str) -> bool {
    let asked = asked.as_deref();
    asked.is_some_and(|asked| !asked.eq_ignore_ascii_case(reported))
}

/// Why a report that is to be held against a log says nothing of that one.
fn against_no_log(report: &ValidationReport, asked: &Asked) -> Option<String> {
    if !asked.has_log {
        return None;
    }
    let Some(asked) = &asked.log else {
        return Some("the log could not be read, so the table was held against none".to_owned());
    };
    match &report.log_summary {
        None => Some(format!(
            "the validator's report does not say that the table was held against the log {}",
            asked.path
        )),
        Some(summary) if summary.log != *asked => Some(format!(
            "the validator held the table against the log {} of {} bytes, not against {} of {} bytes",
            summary.log.path, summary.log.bytes, asked.path, asked.bytes
        )),
        Some(_) => None,
    }
}

/// The messages of the checks that made the verdict, or that all passed.
fn report_reason(report: &ValidationReport) -> String {
    use bf_contract::CheckStatus;

    let worst = match report.verdict {
        Verdict::Pass => None,
        Verdict::Warn => Some(CheckStatus::Warn),
        Verdict::Error | Verdict::Unknown => Some(CheckStatus::Error),
        Verdict::Fail => Some(CheckStatus::Fail),
    };
    let counted = report.checks.iter().filter(|check| check.level.counts());
    let Some(worst) = worst else {
        let passed = counted
            .filter(|check| check.status == CheckStatus::Pass)
            .count();
        return match passed {
            1 => "its one check passed".to_owned(),
            passed => format!("all {passed} checks passed"),
        };
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

#[cfg(test)]
mod tests;
