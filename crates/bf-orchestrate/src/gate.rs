//! The gate: whether process, log and data agree that the next phase may start.
//!
//! It compares no figures. The tools have judged; here only the worst of what they say is taken, and what
//! they did not say counts as not checked.

use bf_contract::{
    DateRange, Exit, ExitSource, LogFile, PhaseStatus, ProcessEvent, ProcessEventKind,
    ValidationReport, Verdict,
};

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
    /// What it was asked to judge.
    pub asked: Option<Asked>,
}

/// What a validator is asked to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The dates.
    pub range: DateRange,
    /// The table, where the phase names it.
    pub table: Option<String>,
    /// Whether the table is to be held against the phase's log.
    pub has_log: bool,
    /// That log as it was read; `None` where it could not be.
    pub log: Option<LogFile>,
}

/// How the reason of a failure begins that the plan only warns of.
pub const ONLY_WARNED: &str = "failed, which the plan only warns of";

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

    /// Nothing is decided: the run was asked to end, and goes on from here when it is taken up.
    #[must_use]
    pub fn interrupted(reason: impl Into<String>) -> Self {
        Self::new(PhaseStatus::Interrupted, Exit::Terminated, reason)
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

/// Judges a phase by its process, where it has one, and its data; the worst counts, the process first. Where the
/// gate opens, the reason names what nobody could check.
#[must_use]
pub fn judge(watched: Option<&Watched>, validated: &[Validated]) -> Judgement {
    let mut judgement = judge_all(watched, validated);
    let unanswered = unanswered(validated);
    if judgement.opens() && !unanswered.is_empty() {
        let reason = &mut judgement.reason;
        reason.push_str(&format!("; not checked: {}", unanswered.join(", ")));
    }
    judgement
}

/// The names of the checks that nobody could answer; with their tables, where there are several.
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
#[must_use]
pub fn judge_tables(validated: &[Validated]) -> Judgement {
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
    let source = event
        .and_then(|event| event.exit.as_ref())
        .map_or(ExitSource::Unknown, |exit| exit.source);

    match watched.code.and_then(Exit::from_code) {
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
            _ => Judgement::new(PhaseStatus::Passed, Exit::Success, ""),
        },
        Some(Exit::Success) => {
            Judgement::could_not_check("bf-monitor exited 0 without saying how the job ended")
        }
        Some(Exit::Failed) => Judgement::failed(Exit::Failed, because("the job failed")),
        Some(Exit::TimedOut) => Judgement::failed(Exit::TimedOut, because("the job timed out")),
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
#[must_use]
pub fn judge_data(validated: &Validated) -> Judgement {
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
            || asked
                .table
                .as_ref()
                .is_some_and(|table| *table != report.table))
    {
        return Judgement::could_not_check(format!(
            "the validator judged {} over {}, not what it was asked for",
            report.table, report.range
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

#[cfg(test)]
mod tests {
    use bf_contract::{
        Check, CheckStatus, Engine, Level, LogSummary, ProcessEventType, ProcessExit, Schema,
        ValidationReportType,
    };

    use super::*;

    fn exited(code: Option<i32>, exit_code: Option<i32>) -> Watched {
        Watched {
            code,
            last: Some(ProcessEvent {
                kind: ProcessEventType,
                schema: Schema,
                event: ProcessEventKind::Exited,
                time: chrono::Utc::now(),
                process: None,
                started_at: None,
                elapsed_seconds: None,
                message: None,
                exit: Some(ProcessExit {
                    code: exit_code,
                    ..ProcessExit::unknown(ExitSource::Pidfd)
                }),
                log_summary: None,
                days_per_hour: None,
                eta_seconds: None,
            }),
            said: None,
        }
    }

    fn reported(code: Option<i32>, verdict: Verdict) -> Validated {
        let range: DateRange = "2024-01-01 2024-01-02".parse().expect("a range");
        Validated {
            code,
            report: Some(ValidationReport {
                kind: ValidationReportType,
                schema: Schema,
                suite: "team_offense".to_owned(),
                table: "d.t".to_owned(),
                missing_table: None,
                range,
                verdict,
                checks: vec![check(verdict)],
                log_summary: None,
                engine: Engine::default(),
                rerun: None,
            }),
            said: None,
            asked: None,
        }
    }

    fn check(verdict: Verdict) -> Check {
        Check {
            name: "game_count".to_owned(),
            level: Level::Normal,
            status: match verdict {
                Verdict::Pass => CheckStatus::Pass,
                Verdict::Warn => CheckStatus::Warn,
                Verdict::Error => CheckStatus::Error,
                Verdict::Fail => CheckStatus::Fail,
            },
            unanswered: false,
            observed: None,
            threshold: None,
            message: "game count".to_owned(),
            evidence: None,
        }
    }

    #[test]
    fn a_report_that_contradicts_itself_or_judges_something_else_has_checked_nothing() {
        let good = exited(Some(0), Some(0));
        let mut empty = reported(Some(0), Verdict::Pass);
        let mut failing = empty.clone();
        let mut elsewhere = empty.clone();
        if let Some(report) = &mut empty.report {
            report.checks.clear();
        }
        if let Some(report) = &mut failing.report {
            report.checks.push(check(Verdict::Fail));
        }
        elsewhere.asked = Some(Asked {
            range: "2023-01-01 2024-01-02".parse().expect("a range"),
            table: None,
            has_log: false,
            log: None,
        });
        for contradictory in [empty, failing, elsewhere] {
            assert_eq!(
                status(&good, &contradictory),
                (PhaseStatus::CouldNotCheck, 3)
            );
        }
    }

    fn status(watched: &Watched, validated: &Validated) -> (PhaseStatus, u8) {
        let judgement = judge(Some(watched), std::slice::from_ref(validated));
        (judgement.status, judgement.exit.code())
    }

    #[test]
    fn process_and_data_must_both_be_good() {
        let good = exited(Some(0), Some(0));
        let passed = reported(Some(0), Verdict::Pass);
        assert_eq!(status(&good, &passed), (PhaseStatus::Passed, 0));
        let warned = reported(Some(0), Verdict::Warn);
        assert_eq!(status(&good, &warned), (PhaseStatus::Warned, 0));
    }

    #[test]
    fn no_verdict_lifts_a_failed_process() {
        let passed = reported(Some(0), Verdict::Pass);
        let failed = exited(Some(1), Some(7));
        assert_eq!(status(&failed, &passed), (PhaseStatus::Failed, 1));
        // Also where a replaced bf-monitor says 0 with its code and 7 with its event.
        let contradictory = exited(Some(0), Some(7));
        assert_eq!(status(&contradictory, &passed), (PhaseStatus::Failed, 1));
    }

    #[test]
    fn good_data_does_not_make_an_unknown_end_known() {
        let unknown = exited(Some(3), None);
        let passed = reported(Some(0), Verdict::Pass);
        assert_eq!(status(&unknown, &passed), (PhaseStatus::CouldNotCheck, 3));
    }

    #[test]
    fn bad_data_is_a_failure_also_where_the_end_is_unknown() {
        let unknown = exited(Some(3), None);
        let failed = reported(Some(1), Verdict::Fail);
        assert_eq!(status(&unknown, &failed), (PhaseStatus::Failed, 1));
    }

    #[test]
    fn a_time_limit_keeps_its_code() {
        let mut timed_out = exited(Some(124), None);
        timed_out.last = None;
        let passed = reported(Some(0), Verdict::Pass);
        assert_eq!(status(&timed_out, &passed), (PhaseStatus::Failed, 124));
    }

    #[test]
    fn a_tool_that_says_nothing_has_checked_nothing() {
        let silent = Watched {
            code: Some(0),
            ..Watched::default()
        };
        let passed = reported(Some(0), Verdict::Pass);
        assert_eq!(status(&silent, &passed), (PhaseStatus::CouldNotCheck, 3));

        let good = exited(Some(0), Some(0));
        let no_report = Validated {
            code: Some(0),
            ..Validated::default()
        };
        assert_eq!(status(&good, &no_report), (PhaseStatus::CouldNotCheck, 3));
    }

    #[test]
    fn a_tool_that_was_killed_or_broke_the_contract_has_checked_nothing() {
        let good = exited(Some(0), Some(0));
        for code in [None, Some(101), Some(3)] {
            let broken = reported(code, Verdict::Pass);
            assert_eq!(status(&good, &broken), (PhaseStatus::CouldNotCheck, 3));
        }
        let killed = exited(None, Some(0));
        let passed = reported(Some(0), Verdict::Pass);
        assert_eq!(status(&killed, &passed), (PhaseStatus::CouldNotCheck, 3));
    }

    #[test]
    fn a_failing_report_is_a_failure_whatever_the_code_says() {
        let good = exited(Some(0), Some(0));
        let failed = reported(Some(0), Verdict::Fail);
        assert_eq!(status(&good, &failed), (PhaseStatus::Failed, 1));
    }

    #[test]
    fn an_end_that_only_the_log_tells_opens_the_gate_with_a_warning() {
        let mut unseen = exited(Some(0), None);
        if let Some(exit) = unseen.last.as_mut().and_then(|event| event.exit.as_mut()) {
            exit.source = ExitSource::Log;
        }
        let passed = reported(Some(0), Verdict::Pass);
        assert_eq!(status(&unseen, &passed), (PhaseStatus::Warned, 0));
        let mut unknown = unseen.clone();
        if let Some(exit) = unknown.last.as_mut().and_then(|event| event.exit.as_mut()) {
            exit.source = ExitSource::Unknown;
        }
        assert_eq!(status(&unknown, &passed), (PhaseStatus::CouldNotCheck, 3));
        let warned = reported(Some(0), Verdict::Warn);
        let both = judge(Some(&unseen), std::slice::from_ref(&warned));
        assert_eq!(both.status, PhaseStatus::Warned);
        assert!(
            both.reason.contains("game count") && both.reason.contains("was not seen"),
            "{}",
            both.reason
        );
        let failed = reported(Some(1), Verdict::Fail);
        assert_eq!(status(&unseen, &failed), (PhaseStatus::Failed, 1));
    }

    #[test]
    fn a_report_that_was_held_against_no_log_or_another_one_has_not_checked_the_phase() {
        let good = exited(Some(0), Some(0));
        let read = LogFile {
            path: "x.log".to_owned(),
            bytes: 10,
            ..LogFile::default()
        };
        let mut validated = reported(Some(0), Verdict::Pass);
        let range = "2024-01-01 2024-01-02".parse().expect("a range");
        validated.asked = Some(Asked {
            range,
            table: None,
            has_log: true,
            log: Some(read.clone()),
        });
        assert_eq!(status(&good, &validated), (PhaseStatus::CouldNotCheck, 3));
        let with_log = |bytes: u64| {
            let mut validated = validated.clone();
            if let Some(report) = &mut validated.report {
                report.log_summary = Some(LogSummary {
                    log: LogFile {
                        bytes,
                        ..read.clone()
                    },
                    ..LogSummary::default()
                });
            }
            validated
        };
        assert_eq!(status(&good, &with_log(9)), (PhaseStatus::CouldNotCheck, 3));
        assert_eq!(status(&good, &with_log(10)), (PhaseStatus::Passed, 0));
    }

    #[test]
    fn a_good_report_with_a_bad_code_is_a_failure_that_names_both() {
        let validated = reported(Some(1), Verdict::Pass);
        let judgement = judge(None, std::slice::from_ref(&validated));
        assert_eq!(judgement.status, PhaseStatus::Failed);
        assert!(judgement.reason.contains("ended with code 1"));
    }

    /// With a check that nobody could answer.
    fn unanswered(mut validated: Validated, name: &str) -> Validated {
        if let Some(report) = &mut validated.report {
            report.checks.push(Check {
                name: name.to_owned(),
                status: CheckStatus::Skipped,
                unanswered: true,
                ..check(Verdict::Pass)
            });
        }
        validated
    }

    #[test]
    fn an_open_gate_names_what_nobody_could_check_and_stays_open() {
        let good = exited(Some(0), Some(0));
        for (verdict, status) in [
            (Verdict::Pass, PhaseStatus::Passed),
            (Verdict::Warn, PhaseStatus::Warned),
        ] {
            let clear = reported(Some(0), verdict);
            let one = unanswered(clear.clone(), "missing_dates");
            let judgement = judge(Some(&good), std::slice::from_ref(&one));
            assert_eq!(judgement.status, status);
            let said = judge(Some(&good), std::slice::from_ref(&clear)).reason;
            assert_eq!(
                judgement.reason,
                format!("{said}; not checked: missing_dates")
            );
            let both = judge(None, &[clear, unanswered(one, "sums")]);
            assert!(
                both.reason
                    .ends_with("; not checked: missing_dates of d.t, sums of d.t"),
                "{}",
                both.reason
            );
        }
        let mut unseen = good;
        if let Some(exit) = unseen.last.as_mut().and_then(|event| event.exit.as_mut()) {
            exit.source = ExitSource::Log;
        }
        let one = unanswered(reported(Some(0), Verdict::Pass), "sums");
        let reason = judge(Some(&unseen), std::slice::from_ref(&one)).reason;
        assert!(
            reason.contains("not seen") && reason.ends_with("; not checked: sums"),
            "{reason}"
        );
    }

    #[test]
    fn a_closed_gate_gives_the_reason_why_and_no_more() {
        let one = unanswered(reported(Some(1), Verdict::Fail), "sums");
        let reason = judge(None, std::slice::from_ref(&one)).reason;
        assert!(!reason.contains("not checked"), "{reason}");
    }

    #[test]
    fn nothing_validated_is_nothing_checked() {
        let judgement = judge(Some(&exited(Some(0), Some(0))), &[]);
        assert_eq!(judgement.status, PhaseStatus::CouldNotCheck);
    }

    #[test]
    fn one_bad_table_of_three_closes_the_gate() {
        let tables = [
            reported(Some(0), Verdict::Pass),
            reported(Some(1), Verdict::Fail),
            reported(Some(0), Verdict::Pass),
        ];
        assert_eq!(judge(None, &tables).status, PhaseStatus::Failed);
    }
}
