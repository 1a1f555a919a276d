//! A log held against what others know: the checkpoint of its job, the dates that the job was given.

use bf_contract::{LedgerStatus, LogState};
use chrono::NaiveDate;

use super::rig::{code, run, small_log, stderr, summary};
use crate::support::Sandbox;

#[test]
fn a_checkpoint_that_says_something_else_is_listed() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let checkpoint = |good: &str, bad: &str| {
        format!(
            r#"{{"job_name": "x", "start_date": "2024-01-01", "end_date": "2024-01-03",
                "successful_dates": [{good}], "failed_dates": [{bad}], "skipped_dates": []}}"#
        )
    };
    sandbox.write(
        "same.json",
        &checkpoint(r#""2024-01-01", "2024-01-03""#, r#""2024-01-02""#),
    );
    let rate = ["--check", "--min-success-rate", "66"];
    let same = run(
        &sandbox,
        &[&rate[..], &["--checkpoint", "same.json", "x.log"]].concat(),
    );
    assert_eq!(
        (code(&same), summary(&same).checkpoint_disagreements.len()),
        (0, 0)
    );

    sandbox.write(
        "other.json",
        &checkpoint(r#""2024-01-02", "2024-01-03""#, ""),
    );
    let other = run(
        &sandbox,
        &["--check", "--checkpoint", "other.json", "x.log"],
    );
    assert_eq!(code(&other), 1);
    let differ: Vec<_> = summary(&other)
        .checkpoint_disagreements
        .into_iter()
        .map(|differ| (differ.date.to_string(), differ.log, differ.checkpoint))
        .collect();
    assert_eq!(
        differ,
        [
            ("2024-01-01".to_owned(), Some(LedgerStatus::Success), None),
            (
                "2024-01-02".to_owned(),
                Some(LedgerStatus::Failed),
                Some(LedgerStatus::Success)
            ),
        ]
    );
    assert!(stderr(&other).contains("log failed, checkpoint successful: 2024-01-02"));

    sandbox.write("bad.json", "{");
    for path in ["bad.json", "missing.json"] {
        let output = run(&sandbox, &["--checkpoint", path, "x.log"]);
        assert_eq!(code(&output), 3, "{path}");
        assert!(stderr(&output).contains(path));
    }
}

#[test]
fn a_job_that_marks_no_end_is_over_when_each_date_that_it_was_given_has_its_word() {
    let sandbox = Sandbox::new();
    let words = "INFO:__main__:2024-01-05: success\nINFO:__main__:2024-01-07: exception\n";
    sandbox.write("x.log", words);
    let alone = summary(&run(&sandbox, &["x.log"]));
    assert_eq!((alone.state, alone.total_days), (LogState::Running, None));
    assert!(alone.notes[0].contains("--dates"), "{:?}", alone.notes);

    let given = summary(&run(
        &sandbox,
        &["--dates", "2024-01-05,2024-01-07", "x.log"],
    ));
    assert_eq!((given.state, given.completed), (LogState::Completed, true));
    assert_eq!(
        (given.total_days, given.unaccounted_days),
        (Some(2), Some(0))
    );
    assert_eq!((given.failed_days, given.notes.len()), (1, 0));

    let more = [
        "--check",
        "--writer-gone",
        "--dates",
        "2024-01-05,2024-01-07,2024-01-09",
        "x.log",
    ];
    let more = run(&sandbox, &more);
    assert_eq!(code(&more), 1);
    let more = summary(&more);
    let missing: NaiveDate = "2024-01-09".parse().expect("a date");
    assert_eq!(more.state, LogState::Interrupted);
    assert_eq!(more.unaccounted_dates, Some(vec![missing]));

    // What an earlier run said of a date is not what the last one was asked for.
    sandbox.write(
        "again.log",
        &format!("{words}usage: x.py [-h]\nx.py: error: no\nINFO:__main__:2024-01-05: success\n"),
    );
    let again = summary(&run(
        &sandbox,
        &["--dates", "2024-01-05,2024-01-07", "again.log"],
    ));
    assert_eq!(again.state, LogState::Running);
}

#[test]
fn dates_that_a_log_does_not_speak_of_are_missing_whatever_it_announced() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let same = [
        "--check",
        "--min-success-rate",
        "66",
        "--dates",
        "2024-01-01,2024-01-02,2024-01-03",
        "x.log",
    ];
    assert_eq!(code(&run(&sandbox, &same)), 0);
    let other = run(
        &sandbox,
        &["--check", "--dates", "2024-01-03,2024-01-04", "x.log"],
    );
    assert_eq!(code(&other), 1);
    let other = summary(&other);
    assert_eq!(
        (other.unaccounted_days, other.total_days),
        (Some(1), Some(4))
    );
    assert_eq!(code(&run(&sandbox, &["--dates", "yesterday", "x.log"])), 2);
}

#[test]
fn a_retry_without_an_end_is_over_with_its_dates_in_the_log_of_its_range_too() {
    let sandbox = Sandbox::new();
    let given = ["--dates", "2024-01-02", "x.log"];
    let retry = "INFO:__main__:2024-01-02: success\n";
    sandbox.write("x.log", &format!("{}{retry}", small_log(true)));
    assert_eq!(summary(&run(&sandbox, &["x.log"])).state, LogState::Running);
    let retried = summary(&run(&sandbox, &given));
    assert_eq!(retried.state, LogState::Completed);
    // It is another job's line: it finishes the list, and heals nothing that the range's job failed.
    assert_eq!((retried.successful_days, retried.total_days), (2, Some(3)));
    assert_eq!(retried.failed_days, 1);

    // The range that it belongs to was broken off.
    sandbox.write("x.log", &format!("{}{retry}", small_log(false)));
    assert_ne!(summary(&run(&sandbox, &given)).state, LogState::Completed);
}

#[test]
fn dates_that_a_job_left_out_and_only_counted_are_not_missing() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.log",
        "INFO:__main__:Processing 2 specific dates\nINFO:__main__:  ✓ 2024-01-05: 3 players\n\
         INFO:__main__:Summary: 1 success, 1 skipped, 0 failed\n",
    );
    let whole = ["--check", "--dates", "2024-01-05,2024-01-01", "x.log"];
    assert_eq!(code(&run(&sandbox, &whole)), 0);
    let more = [
        "--check",
        "--dates",
        "2024-01-05,2024-01-01,2024-01-02",
        "x.log",
    ];
    assert_eq!(code(&run(&sandbox, &more)), 1);
}
