//! Run directories of an earlier bf, and of a newer one.

use serde_json::{Value, json};

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

/// A document of the contract's golden files.
fn golden(name: &str) -> Value {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/bf-contract/tests/golden"
    );
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).expect("a golden file");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_document_of_a_newer_version_is_read_as_far_as_it_is_known() {
    let golden = |name: &str| {
        let document = golden(name).to_string() + "\n";
        document.replacen('{', r#"{"of_tomorrow":[1],"#, 1)
    };
    let sandbox = sandbox_with(JOURNAL);
    let folder = format!(".bf/runs/{RUN}/team_offense");
    let event = golden("process_event").replace("exited", "of_tomorrow");
    let events = format!(
        "{event}{}{{\"type\":\"of_tomorrow\",\"schema\":1}}\n",
        golden("process_event")
    );
    sandbox.write(&format!("{folder}/process_events.ndjson"), &events);
    sandbox.write(&format!("{folder}/log.ndjson"), &golden("log_summary"));
    sandbox.write(
        &format!("{folder}/validation.ndjson"),
        &golden("validation_report"),
    );
    let (code, text) = call(&sandbox, &["status", "--format", "json"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        !text.contains("damaged") && !text.contains("malformed"),
        "{text}"
    );
    for action in ["status", "history"] {
        assert_eq!(call(&sandbox, &[action]).0, Some(0), "{action}");
    }
}

#[test]
fn an_unfinished_run_of_the_first_version_is_resumed_where_it_stopped() {
    let records: Vec<&str> = JOURNAL.lines().take(6).collect();
    let sandbox = sandbox_with(&(records.join("\n") + "\n"));
    let config = "team_offense: {min_games: 1}\nplayer_game_summary: {min_records: 1}\n";
    sandbox.write(&format!(".bf/runs/{RUN}/config.yaml"), config);
    let range = ["--start-date", "2024-11-05", "--end-date", "2024-11-12"];
    sandbox.run_job("init.log", &["init"]);
    let log = "logs/team_offense_backfill_phase1.log";
    sandbox.run_job(log, &[&["team-offense"], &range[..]].concat());
    let mut plan: Value = serde_json::from_str(PLAN).expect("JSON");
    plan["warehouse"] = "sqlite:warehouse".into();
    for phase in [0, 1] {
        plan["phases"][phase]["range"] = json!({"start": range[1], "end": range[3]});
    }
    for command in ["command", "restart_command"] {
        plan["phases"][1]["job"]["command"][command] =
            [&["bf-sample-job", "player-summary"], &range[..]]
                .concat()
                .into();
    }
    sandbox.write(&format!(".bf/runs/{RUN}/plan.json"), &plan.to_string());
    let mut event = golden("process_event");
    event["exit"] = json!({"code": 0, "signal": null, "signal_name": null, "source": "pidfd"});
    let events = format!(".bf/runs/{RUN}/team_offense/process_events.ndjson");
    sandbox.write(&events, &format!("{event}\n"));
    let mut resume = sandbox.command("bf-orchestrate");
    let output = resume.args(["resume", RUN]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = documents(&output.stdout).pop().expect("a report");
    // Its log has a warning of the job's own.
    assert!(
        ["pass", "warn"]
            .iter()
            .any(|verdict| report["verdict"] == *verdict),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("team_offense: passed"), "{text}");
}

#[test]
fn a_run_that_cannot_be_read_is_listed() {
    let sandbox = sandbox_with("{}\n{}\n");
    let (code, text) = call(&sandbox, &["history"]);
    assert!(text.contains(RUN) && !text.contains("no runs"), "{text}");
    assert_eq!(code, Some(3));
}
