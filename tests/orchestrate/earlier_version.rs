//! Run directories of an earlier bf, and of a newer one.

use crate::support::{Sandbox, documents};

const PLAN: &str = include_str!("../../crates/bf-orchestrate/src/store/golden/plan-1.json");
const JOURNAL: &str = include_str!("../../crates/bf-orchestrate/src/store/golden/journal-1.ndjson");
const RUN: &str = "20261124T113618Z-12731";

fn sandbox_with(journal: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(&format!(".bf/runs/{RUN}/plan.json"), PLAN);
    sandbox.write(&format!(".bf/runs/{RUN}/journal.ndjson"), journal);
    sandbox
}

fn call(sandbox: &Sandbox, args: &[&str]) -> (Option<i32>, String) {
    let output = sandbox.command("bf-orchestrate").args(args).output();
    let output = output.expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn a_run_of_the_first_version_is_shown_listed_and_known_to_be_finished() {
    let sandbox = sandbox_with(JOURNAL);
    let mut history = sandbox.command("bf-orchestrate");
    let history = history.args(["history", "--format", "json"]).output();
    let runs = documents(&history.expect("it runs").stdout);
    assert_eq!(
        (runs[0]["verdict"].as_str(), runs[0]["state"].as_str()),
        (Some("pass"), Some("finished"))
    );
    assert_eq!(call(&sandbox, &["status"]).0, Some(0));
    let (code, text) = call(&sandbox, &["resume"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains(RUN), "{text}");
}

#[test]
fn a_record_of_a_newer_version_is_passed_over_and_mentioned() {
    let newer =
        r#"{"seq":2,"time":"2026-11-24T11:36:18.579Z","what":{"step":"of_tomorrow","phase":7}}"#;
    let (first, rest) = JOURNAL.split_once('\n').expect("lines");
    let sandbox = sandbox_with(&format!("{first}\n{newer}\n{rest}"));
    let (code, text) = call(&sandbox, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("1 records of the journal are of a newer bf"),
        "{text}"
    );
    assert!(!text.contains("damaged"), "{text}");
    assert_eq!(call(&sandbox, &["history"]).0, Some(0));
}

#[test]
fn a_run_that_cannot_be_read_is_listed() {
    let sandbox = sandbox_with("{}\n{}\n");
    let (code, text) = call(&sandbox, &["history"]);
    assert!(text.contains(RUN) && !text.contains("no runs"), "{text}");
    assert_eq!(code, Some(3));
}
