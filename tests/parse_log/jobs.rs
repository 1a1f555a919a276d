//! The logs of real jobs.

use bf_contract::LogState;

use super::rig::{code, run, summary};
use crate::support::Sandbox;

const RANGE: [&str; 4] = ["--start-date", "2024-01-01", "--end-date", "2024-01-20"];

fn job(sandbox: &Sandbox, log: &str, which: &str, args: &[&str]) {
    let args = [&[which], &RANGE[..], args].concat();
    sandbox.run_job(log, &args);
}

/// Every way in which these jobs log the same twenty days with the same two failures.
#[test]
fn the_same_days_come_out_of_every_kind_of_run() {
    for (which, extra) in [
        ("team-offense", &[][..]),
        (
            "team-offense",
            &["--parallel", "--workers", "4", "--delay-ms", "2"],
        ),
        ("player-summary", &[]),
        (
            "player-summary",
            &["--parallel", "--workers", "4", "--delay-ms", "2"],
        ),
        ("team-defense", &[]),
        ("team-defense", &["--log-format", "asctime"]),
        ("player-summary", &["--parallel", "--log-format", "asctime"]),
    ] {
        let sandbox = Sandbox::new();
        let faults = [
            "--fail-dates",
            "2024-01-05",
            "--exception-dates",
            "2024-01-07",
        ];
        job(&sandbox, "x.log", which, &[&faults[..], extra].concat());
        let output = run(&sandbox, &["x.log"]);
        assert_eq!(code(&output), 0);
        let summary = summary(&output);
        assert_eq!(summary.state, LogState::Completed, "{which} {extra:?}");
        let failed: Vec<_> = summary
            .failed_dates
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(failed, ["2024-01-05", "2024-01-07"], "{which} {extra:?}");
        assert_eq!(
            (summary.total_days, summary.unaccounted_days),
            (Some(20), Some(0))
        );
        assert_eq!(summary.successful_days, 18);
        assert_eq!(summary.notes, Vec::<String>::new());
    }
}

#[test]
fn a_job_that_dies_and_resumes_keeps_the_failure_of_its_first_run() {
    let sandbox = Sandbox::new();
    job(
        &sandbox,
        "first.log",
        "team-offense",
        &["--fail-dates", "2024-01-05", "--die-at", "2024-01-12"],
    );
    let first = summary(&run(&sandbox, &["--writer-gone", "first.log"]));
    assert_eq!(
        (first.state, first.current_day),
        (LogState::Interrupted, 11)
    );

    job(&sandbox, "second.log", "team-offense", &[]);
    let second = summary(&run(&sandbox, &["second.log"]));
    assert_eq!(second.earlier_days, 11);
    assert_eq!(
        (second.successful_days, second.unaccounted_days),
        (9, Some(0))
    );

    let both = sandbox.read("first.log") + &sandbox.read("second.log");
    sandbox.write("both.log", &both);
    let both = summary(&run(&sandbox, &["both.log"]));
    assert_eq!((both.state, both.runs), (LogState::Completed, 2));
    assert_eq!(
        (both.successful_days, both.failed_days, both.earlier_days),
        (19, 1, 0)
    );
    assert_eq!(both.failed_dates[0].to_string(), "2024-01-05");
}

#[test]
fn a_job_that_has_nothing_but_arguments_to_complain_of_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run_job(
        "x.log",
        &[
            "team-offense",
            "--start-date",
            "2024-01-01",
            "--end-date",
            "2999-01-01",
        ],
    );
    assert_eq!(summary(&run(&sandbox, &["x.log"])).state, LogState::Refused);
}
