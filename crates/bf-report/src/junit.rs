//! Checks as test results, in the form that CI systems read.

use std::time::Duration;

use bf_cli::{Context, Failure};
use bf_contract::{Check, CheckStatus, PhaseStatus};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::compare::Comparison;
use crate::model::{PhaseReport, Report};
use crate::words::clean;

const TEXT: usize = 2_000;

/// The whole report.
///
/// # Errors
/// It cannot be written as XML (exit 3).
pub(crate) fn report(report: &Report, comparison: Option<&Comparison>) -> Result<String, Failure> {
    let mut document = quick_junit::Report::new(clean(&report.title, TEXT));
    if report.run.is_some() {
        let mut phases = TestSuite::new("phases");
        for phase in &report.phases {
            phases.add_test_case(phase_case(phase));
        }
        document.add_test_suite(phases);
    }
    for phase in &report.phases {
        for validation in &phase.validations {
            let mut suite = TestSuite::new(format!("{}.{}", phase.name, validation.suite));
            suite.add_property(("table", clean(&validation.table, TEXT).as_str()));
            suite.add_property(("range", validation.range.to_string().as_str()));
            for check in &validation.checks {
                suite.add_test_case(check_case(&phase.name, check));
            }
            document.add_test_suite(suite);
        }
        if report.run.is_none() && phase.validations.is_empty() {
            let mut suite = TestSuite::new(clean(&phase.name, TEXT));
            suite.add_test_case(log_case(phase));
            document.add_test_suite(suite);
        }
    }
    if !report.failures.is_empty() {
        let mut suite = TestSuite::new("tools");
        for failure in &report.failures {
            let status = bad(NonSuccessKind::Error, &failure.message);
            suite.add_test_case(TestCase::new(failure.tool.as_str(), status));
        }
        document.add_test_suite(suite);
    }
    if let Some(comparison) = comparison {
        document.add_test_suite(compared(comparison));
    }
    document
        .to_string()
        .or_could_not_check(|| "writing the report as XML".to_owned())
}

fn bad(kind: NonSuccessKind, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(clean(message, TEXT));
    status
}

fn phase_case(phase: &PhaseReport) -> TestCase {
    let reason = clean(&phase.reason, TEXT);
    let (status, says) = match phase.status {
        Some(PhaseStatus::Passed) => (TestCaseStatus::success(), None),
        Some(PhaseStatus::Warned) => (TestCaseStatus::success(), Some(reason)),
        Some(PhaseStatus::Failed) => (bad(NonSuccessKind::Failure, &reason), None),
        Some(PhaseStatus::NotStarted) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            (status, None)
        }
        Some(PhaseStatus::CouldNotCheck | PhaseStatus::Interrupted | PhaseStatus::Unknown)
        | None => (bad(NonSuccessKind::Error, &reason), None),
    };
    let mut case = TestCase::new(clean(&phase.name, TEXT), status);
    case.set_classname("phases");
    if let Some(says) = says {
        case.set_system_out(says);
    }
    if let Some(took) = phase
        .duration_seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    {
        case.set_time(took);
    }
    case
}

fn check_case(phase: &str, check: &Check) -> TestCase {
    let message = clean(&check.message, TEXT);
    let (status, says) = match check.status {
        // Shown, never counted.
        _ if !check.level.counts() && check.status != CheckStatus::Skipped => {
            (TestCaseStatus::success(), Some(message))
        }
        CheckStatus::Pass => (TestCaseStatus::success(), None),
        CheckStatus::Warn => (TestCaseStatus::success(), Some(message)),
        CheckStatus::Fail => (bad(NonSuccessKind::Failure, &message), None),
        CheckStatus::Error | CheckStatus::Unknown => (bad(NonSuccessKind::Error, &message), None),
        CheckStatus::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(message);
            (status, None)
        }
    };
    let mut case = TestCase::new(clean(&check.name, TEXT), status);
    case.set_classname(clean(phase, TEXT));
    if let Some(says) = says {
        case.set_system_out(says);
    }
    case
}

/// A log claims, and is not judged: only its document is.
fn log_case(phase: &PhaseReport) -> TestCase {
    let mut case = TestCase::new(clean(&phase.name, TEXT), TestCaseStatus::skipped());
    case.set_system_out(clean(&phase.reason, TEXT));
    case
}

fn compared(comparison: &Comparison) -> TestSuite {
    let mut suite = TestSuite::new("compared");
    suite.add_property(("other", comparison.other.as_str()));
    for change in &comparison.checks {
        let name = format!("{}.{}", change.phase, change.check);
        let mut case = TestCase::new(clean(&name, TEXT), TestCaseStatus::success());
        case.set_classname("compared");
        let says = format!("{}: {}", change.kind.words(), change.message);
        case.set_system_out(clean(&says, TEXT));
        suite.add_test_case(case);
    }
    for change in &comparison.figures {
        suite.add_property((
            format!("{}.{}", change.phase, change.check),
            format!("{} -> {}", change.before, change.now),
        ));
    }
    suite
}
