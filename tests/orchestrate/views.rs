//! What status, history and prune show.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use super::reach::{TWO, output, ran, rig, said};
use crate::support::wait_until;

/// What a call printed on standard output, and its exit code.
fn shown(rig: &super::rig::Rig, args: &[&str]) -> (Option<i32>, String) {
    let output = output(rig, args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

#[test]
fn the_status_of_a_live_run_says_how_far_it_has_come_and_that_it_is_watched() {
    let rig = rig(TWO);
    let slow = format!(
        "test \"$0\" != two || sleep 600\n{}",
        rig.sandbox.read("job.sh")
    );
    rig.sandbox.write("job.sh", &slow);
    let mut orchestrator = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["run", "plan.yaml"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_until("the second job is seen", || {
        super::journal_says(&rig, r#""job_seen","phase":"two""#)
    });
    let (code, text) = shown(&rig, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    for words in [
        "State:     running",
        "Watched:   yes",
        "5 of 5 dates",
        "two  running",
        "runs",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 80) || text.contains("/tmp"),
        "{text}"
    );
    let (_, history) = shown(&rig, &["history"]);
    assert!(
        history
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("running")),
        "{history}"
    );

    orchestrator.kill().expect("it can be killed");
    orchestrator.wait().expect("it ends");
    let (_, text) = shown(&rig, &["status"]);
    assert!(text.contains("State:     abandoned"), "{text}");
    assert!(text.contains("NO, its orchestrator is gone"), "{text}");
    assert!(text.contains("bf-orchestrate resume 2"), "{text}");
    let stopped = output(&rig, &["stop"]);
    assert_eq!(stopped.status.code(), Some(0));
}

#[test]
fn history_lists_what_it_cannot_read_as_well() {
    let rig = rig(TWO);
    assert_eq!(ran(&rig, &["run", "plan.yaml"]).code, Some(0));
    let runs = rig.sandbox.join(".bf/runs");
    let broken = runs.join("20200101T000000Z-1");
    fs::create_dir(&broken).expect("a folder");
    fs::write(broken.join("journal.ndjson"), "{}\n{}\n").expect("a journal");
    let (code, text) = shown(&rig, &["history"]);
    assert_eq!(code, Some(3), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("RUN"), "{text}");
    assert!(
        lines[1].contains("two") && lines[1].contains("passed"),
        "{text}"
    );
    assert!(
        lines[2].contains("20200101T000000Z-1") && lines[2].contains("unreadable"),
        "{text}"
    );
}

#[test]
fn prune_names_what_it_would_remove_and_then_removes_just_that() {
    let rig = rig(TWO);
    let run = ran(&rig, &["run", "plan.yaml"]);
    let run_dir = run.report["run_dir"]
        .as_str()
        .expect("a directory")
        .to_owned();
    let (_, text) = shown(&rig, &["prune", "--keep", "30d", "--dry-run"]);
    assert!(text.contains("1 runs, 1 kept"), "{text}");
    let (_, text) = shown(&rig, &["prune", "--keep", "0s", "--dry-run"]);
    assert!(text.contains(&format!("would remove {run_dir}")), "{text}");
    assert!(rig.sandbox.join(&run_dir).exists());
    let (code, _) = shown(&rig, &["prune", "--keep", "0s"]);
    assert_eq!(code, Some(0));
    assert!(!rig.sandbox.join(&run_dir).exists());
    let (code, text) = said(&rig, &["prune", "--keep", "soon"]);
    assert_eq!(code, Some(2), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_complain() {
    let rig = rig(TWO);
    assert_eq!(ran(&rig, &["run", "plan.yaml"]).code, Some(0));
    for action in ["status", "history"] {
        let mut child = rig
            .sandbox
            .command("bf-orchestrate")
            .arg(action)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        let stderr = child.stderr.as_mut().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{action}");
    }
}

#[test]
fn a_pass_that_nothing_reads_is_no_pass() {
    let rig = rig(TWO);
    let run = ["run", "plan.yaml"];
    let (code, text) = crate::conventions::unread(&rig.sandbox, "bf-orchestrate", &run);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("the reader went away"), "{text}");
}
