//! When a gate opens, and what it says.

use bf_contract::{
    Check, CheckStatus, DateRange, Engine, Level, LogFile, LogSummary, ProcessEvent,
    ProcessEventType, ProcessExit, Schema, ValidationReportType,
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
            exit_code: None,
            alive: Vec::new(),
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
            exit_code: None,
            checks: vec![check(verdict)],
            log_summary: None,
            engine: Engine::default(),
            rerun: None,
            days: Vec::new(),
            provenance: None,
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
            Verdict::Error | Verdict::Unknown => CheckStatus::Error,
            Verdict::Fail => CheckStatus::Fail,
        },
        unanswered: false,
        observed: None,
        threshold: None,
        message: "game count".to_owned(),
        evidence: None,
        months: Vec::new(),
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
        suite: None,
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
        suite: None,
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

/// With a check that could not be answered.
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
fn a_job_of_which_something_still_runs_passes_with_a_warning() {
    let mut alive = exited(Some(0), Some(0));
    if let Some(event) = alive.last.as_mut() {
        event.alive.push(bf_contract::AliveProcess {
            pid: 7,
            command: None,
        });
    }
    let passed = reported(Some(0), Verdict::Pass);
    assert_eq!(status(&alive, &passed), (PhaseStatus::Warned, 0));
    alive.code = Some(3);
    assert_eq!(status(&alive, &passed), (PhaseStatus::CouldNotCheck, 3));
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
