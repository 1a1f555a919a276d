//! Phases in windows: each window is run and judged by itself, exactly once.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::crash::{kill, records, start};
use super::rig::{Ran, Rig};
use crate::support::{Dice, wait_until};

/// A job that marks its start, fails for a window with a file `bad-START`, and prints a log of two dates.
const TWO_DAYS: &str = r#"echo "$0" >> marks; sleep "${PAUSE:-0}"; test ! -e "bad-$0" || exit 1; printf '2 days\nok %s 1\nok %s 1\nover\n' "$0" "$1""#;

/// A plan over ten days of January 2024 in windows of two days, over a table that has a row for each of them.
fn rig(more: &str) -> Rig {
    let rig = Rig::new(&[]);
    let database = rusqlite::Connection::open(rig.sandbox.join("warehouse/own.db"));
    let database = database.expect("a database");
    database
        .execute_batch("CREATE TABLE days (day TEXT, n INTEGER);")
        .expect("a table");
    for day in 1..=10 {
        let row = format!("INSERT INTO days VALUES ('2024-01-{day:02}', 1);");
        database.execute_batch(&row).expect("a row");
    }
    rig.configure(
        &[],
        "dialects:\n  - {name: own, run_start: '^(?P<total>\\d+) days', success: '^ok (?P<date>\\S+) (?P<records>\\d+)', end: '^over$'}\n",
    );
    rig.sandbox.write(
        "suite.yaml",
        "suite: own\ntable: own.days\ndate_column: day\nprimary_key: [day]\nchecks:\n  \
         - {name: rows, level: critical, row_count: {}, at_least: 2}\n",
    );
    rig.sandbox.write("job.sh", TWO_DAYS);
    rig.sandbox.write(
        "plan.yaml",
        &format!(
            "name: own\nrange: {{start: 2024-01-01, end: 2024-01-10}}\nphases:\n  - name: own\n    \
             validate: [{{suite: suite.yaml}}]\n    windows: 2d\n    \
             job: {{command: [sh, -c, '. ./job.sh', \"{{start}}\", \"{{end}}\"]}}\n{more}"
        ),
    );
    rig
}

fn call(rig: &Rig, args: &[&str]) -> std::process::Command {
    let mut command = rig.sandbox.command("bf-orchestrate");
    command.args(args);
    command
}

fn ran(rig: &Rig, args: &[&str]) -> Ran {
    Ran::from(call(rig, args).output().expect("it runs"))
}

/// The windows that were started, in order.
fn marks(rig: &Rig) -> Vec<String> {
    let marks = fs::read_to_string(rig.sandbox.join("marks")).unwrap_or_default();
    marks.lines().map(str::to_owned).collect()
}

const STARTS: [&str; 5] = [
    "2024-01-01",
    "2024-01-03",
    "2024-01-05",
    "2024-01-07",
    "2024-01-09",
];

fn statuses(phase: &Value) -> Vec<(&str, u64)> {
    let windows = phase["windows"].as_array().expect("windows");
    windows
        .iter()
        .map(|window| {
            let status = window["status"].as_str().expect("a status");
            (status, window["attempts"].as_u64().expect("a number"))
        })
        .collect()
}

#[test]
fn each_window_is_run_and_judged_and_then_the_whole_range_once() {
    let rig = rig("");
    let ran = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(marks(&rig), STARTS);
    assert_eq!(statuses(ran.phase(0)), [("passed", 1); 5]);
    let whole = &ran.phase(0)["validation"];
    assert_eq!(whole["range"]["start"], "2024-01-01");
    assert_eq!(whole["range"]["end"], "2024-01-10");
    let run_dir = ran.report["run_dir"].as_str().expect("a directory");
    let documents = rig.sandbox.read(&format!("{run_dir}/documents.ndjson"));
    let is_report = |line: &&str| line.starts_with(r#"{"type":"validation_report""#);
    assert_eq!(documents.lines().filter(is_report).count(), 5 + 1);
    assert!(
        documents
            .lines()
            .last()
            .is_some_and(|line| line.contains(r#""type":"run_report""#))
    );
    for line in documents.lines() {
        serde_json::from_str::<Value>(line).expect("each line is a document");
    }
}

#[test]
fn the_first_window_that_fails_stops_the_phase_and_resume_runs_what_is_left() {
    let rig = rig("");
    rig.sandbox.write("bad-2024-01-05", "");
    let failed = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    assert_eq!(marks(&rig), STARTS[..3]);
    let reason = failed.phase(0)["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("2024-01-05") && reason.contains("2 were not started"),
        "{reason}"
    );
    let steps = failed.report["next_steps"].to_string();
    assert!(steps.contains("bf-orchestrate resume"), "{steps}");

    fs::remove_file(rig.sandbox.join("bad-2024-01-05")).expect("removed");
    let resumed = ran(&rig, &["resume"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    let left = ["2024-01-05", "2024-01-07", "2024-01-09"];
    assert_eq!(marks(&rig)[3..], left);
    let attempts: Vec<u64> = statuses(resumed.phase(0)).iter().map(|one| one.1).collect();
    assert_eq!(attempts, [1, 1, 2, 1, 1]);
}

#[test]
fn more_windows_may_fail_where_the_plan_says_so_and_the_phase_fails_all_the_same() {
    let rig = rig("    stop_after: 3\n");
    rig.sandbox.write("bad-2024-01-03", "");
    rig.sandbox.write("bad-2024-01-07", "");
    let failed = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    assert_eq!(marks(&rig), STARTS);
    let reason = failed.phase(0)["reason"].as_str().expect("a reason");
    assert!(reason.contains("2 of 5 windows did not pass"), "{reason}");
    for file in ["bad-2024-01-03", "bad-2024-01-07"] {
        fs::remove_file(rig.sandbox.join(file)).expect("removed");
    }
    let resumed = ran(&rig, &["resume"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    assert_eq!(marks(&rig)[5..], ["2024-01-03", "2024-01-07"]);
}

#[test]
fn a_window_with_a_retry_is_tried_again_by_itself() {
    let rig = rig("    retries: {limit: 1}\n");
    rig.sandbox.write(
        "job.sh",
        &format!("test \"$0\" != 2024-01-03 || test -e once || {{ touch once; echo \"$0\" >> marks; exit 1; }}; {TWO_DAYS}"),
    );
    let ran = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let attempts: Vec<u64> = statuses(ran.phase(0)).iter().map(|one| one.1).collect();
    assert_eq!(attempts, [1, 2, 1, 1, 1]);
    assert_eq!(marks(&rig).len(), 6);
}

#[test]
fn several_windows_at_a_time_are_each_run_once() {
    let rig = rig("    concurrency: 3\n");
    let plan = rig.sandbox.read("plan.yaml");
    rig.sandbox
        .write("plan.yaml", &format!("concurrency: 3\n{plan}"));
    let spans = r#"echo + >> spans; sleep 0.2; "#;
    rig.sandbox
        .write("job.sh", &format!("{spans}{TWO_DAYS}; echo - >> spans"));
    let ran = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let mut marks = marks(&rig);
    marks.sort();
    assert_eq!(marks, STARTS);
    let mut running = 0;
    for span in rig.sandbox.read("spans").lines() {
        running += if span == "+" { 1 } else { -1 };
        assert!(running <= 3, "no more than the plan allows");
    }
    let windows = ran.phase(0)["windows"].as_array().expect("windows");
    assert_eq!(windows[0]["range"]["start"], "2024-01-01");
}

#[test]
fn a_window_that_is_larger_than_the_range_is_refused() {
    let rig = rig("");
    let plan = rig.sandbox.read("plan.yaml").replace("2d", "month");
    rig.sandbox.write("plan.yaml", &plan);
    for action in ["run", "check"] {
        let refused = call(&rig, &[action, "plan.yaml"])
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(text.contains("windows: month is larger"), "{text}");
    }
    assert!(marks(&rig).is_empty());
}

/// Kills the orchestrator, and now and then its tools, after every few records, until the run has finished.
#[test]
fn killed_again_and_again_each_window_is_started_once() {
    let rig = rig("");
    fs::write(
        rig.sandbox.join("job.sh"),
        format!("PAUSE=0.05; {TWO_DAYS}"),
    )
    .expect("a job");
    let journal = || {
        let run = fs::read_dir(rig.sandbox.join(".bf/runs"))
            .ok()?
            .flatten()
            .next()?;
        Some(run.path().join("journal.ndjson"))
    };
    for round in 1.. {
        assert!(round < 200, "the run does not end");
        let action: &[&str] = match round {
            1 => &["run", "plan.yaml"],
            _ => &["resume"],
        };
        let before = records(journal().as_deref());
        let mut orchestrator = start(call(&rig, action));
        let wanted = before + 2 + round % 5;
        let mut has_ended = false;
        wait_until("there are more records", || {
            has_ended = orchestrator.try_wait().expect("a child").is_some();
            has_ended || records(journal().as_deref()) >= wanted
        });
        if !has_ended {
            kill(&mut orchestrator, round % 2 == 0);
        }
        if super::journal_says(&rig, "run_finished") {
            break;
        }
    }
    assert_eq!(marks(&rig), STARTS);
    assert!(super::journal_says(&rig, r#""verdict":"pass""#));
}

#[test]
fn a_run_that_is_asked_to_end_leaves_the_other_windows_to_resume() {
    let rig = rig("");
    fs::write(rig.sandbox.join("job.sh"), format!("PAUSE=0.5; {TWO_DAYS}")).expect("a job");
    let orchestrator = start(call(&rig, &["run", "plan.yaml"]));
    wait_until("the second window runs", || marks(&rig).len() == 2);
    super::signal(orchestrator.id(), Signal::TERM);
    let interrupted = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(interrupted.code, Some(143), "{}", interrupted.text);
    assert_eq!(interrupted.statuses(), ["interrupted"]);
    let resumed = ran(&rig, &["resume"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    assert_eq!(marks(&rig), STARTS);
}

#[test]
fn no_share_of_the_whole_range_is_too_small_for_its_threshold() {
    let rig = rig("");
    let validate = "echo \"$*\" >> calls; exec REAL/bf-validate \"$@\"\n";
    let tools = super::shop::tools(&rig.sandbox, &[("bf-validate", validate)]);
    let mut call = call(&rig, &["run", "plan.yaml"]);
    call.env("BF_BIN_DIR", tools);
    let ran = Ran::from(call.output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let calls = rig.sandbox.read("calls");
    let judged: Vec<&str> = calls
        .lines()
        .filter(|call| !call.contains("--explain"))
        .collect();
    let strict: Vec<bool> = judged
        .iter()
        .map(|call| call.contains("--no-small-numbers"))
        .collect();
    assert_eq!(strict, [false, false, false, false, false, true], "{calls}");
}

/// Kills, ends or stops a run after a random number of steps, again and again, until it has finished.
#[test]
fn whatever_happens_to_a_run_each_window_is_loaded_once() {
    let mut dice = Dice(crate::support::seed());
    let rig = rig("    concurrency: 2\n");
    let job = format!("PAUSE=0.1; trap 'echo ended >> ended; exit 1' TERM; {TWO_DAYS}");
    fs::write(rig.sandbox.join("job.sh"), job).expect("a job");
    let journal = || {
        let mut runs = fs::read_dir(rig.sandbox.join(".bf/runs")).ok()?.flatten();
        Some(runs.next()?.path().join("journal.ndjson"))
    };
    for round in 0.. {
        assert!(round < 200, "the run does not end");
        let action: &[&str] = match round {
            0 => &["run", "plan.yaml"],
            _ => &["resume"],
        };
        let wanted = records(journal().as_deref()) as u64 + 1 + dice.below(8);
        let mut run = start(call(&rig, action));
        let mut has_ended = false;
        wait_until("there are more records", || {
            has_ended = run.try_wait().expect("a child").is_some();
            has_ended || records(journal().as_deref()) as u64 >= wanted
        });
        if !has_ended {
            match dice.below(4) {
                0 => super::signal_if_there(run.id(), Signal::TERM),
                1 => {
                    let stopped = call(&rig, &["stop"]).output().expect("it runs");
                    assert!(stopped.status.success(), "{stopped:?}");
                }
                chosen => kill(&mut run, chosen == 2),
            }
            run.wait().expect("it ends");
        }
        if super::journal_says(&rig, "run_finished") {
            break;
        }
    }
    // A window whose job `stop` ended is begun once more, and no other.
    let ended = fs::read_to_string(rig.sandbox.join("ended")).unwrap_or_default();
    let mut started = marks(&rig);
    assert_eq!(
        started.len(),
        STARTS.len() + ended.lines().count(),
        "{started:?}"
    );
    started.sort();
    started.dedup();
    assert_eq!(started, STARTS);
    assert!(super::journal_says(&rig, r#""verdict":"pass""#));
}
