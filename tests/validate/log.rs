//! What the log claims, and the table held against it.

use serde_json::{Value, json};

use super::rig::{MONTH, Rig, TEAM};

const LEDGER: [&str; 2] = ["--log-summary", "team.ndjson"];

#[test]
fn dates_that_the_log_claims_and_the_table_lacks_are_listed() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05';
         DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-06' AND game_id =
           (SELECT MIN(game_id) FROM team_offense_game_summary WHERE game_date = '2024-12-06');
         INSERT INTO team_offense_game_summary
           SELECT * FROM team_offense_game_summary WHERE game_date = '2024-12-07' LIMIT 1;",
    );
    let report = rig.team(MONTH, &LEDGER);
    report.ends("fail", 1);
    assert_eq!(report.check("reconciliation")["level"], "critical");
    assert_eq!(report.status("reconciliation"), "fail");
    assert_eq!(
        report.dates("reconciliation"),
        ["2024-12-05", "2024-12-06", "2024-12-07"]
    );
    let message = report.message("reconciliation");
    for part in ["1 without a record", "1 with fewer", "1 with more"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_job_that_claims_what_it_did_not_write_is_caught() {
    let rig = Rig::new();
    rig.sql("DELETE FROM team_offense_game_summary WHERE game_date >= '2024-12-01'");
    let dates = ["--start-date", MONTH[0], "--end-date", MONTH[1]];
    let faults = [
        "--skip-write-dates",
        "2024-12-05",
        "--half-game-dates",
        "2024-12-06",
    ];
    let job = [&["team-offense", "--no-resume"], &dates[..], &faults[..]].concat();
    rig.sandbox.run_job("lies.log", &job);
    let documents = rig.parse("lies.log");
    let report = rig.team(MONTH, &["--log-summary", &documents]);
    report.fails_only(&[
        "missing_dates",
        "missing_games",
        "reconciliation",
        "records_per_game",
    ]);
    assert_eq!(report.status("log_completed"), "pass");
    assert_eq!(report.dates("reconciliation"), ["2024-12-05", "2024-12-06"]);
}

#[test]
fn a_log_about_less_than_was_asked_has_not_completed_it() {
    let rig = Rig::new();
    let narrower = rig.retell("team.ndjson", |summary| {
        summary["range"] = json!({"start": "2024-12-02", "end": "2024-12-31"});
    });
    let report = rig.team(MONTH, &["--log-summary", &narrower]);
    report.fails_only(&["log_completed"]);
    assert!(report.message("log_completed").contains("2024-12-02"));
}

#[test]
fn the_log_of_another_job_says_nothing_about_this_table() {
    let rig = Rig::new();
    let report = rig.team(
        ["2024-12-01", "2024-12-31"],
        &["--log-summary", "player.ndjson"],
    );
    report.ends("fail", 1);
    assert_eq!(report.status("log_completed"), "fail");
    assert!(
        report
            .message("log_completed")
            .contains("player_game_summary")
    );
    let report = rig.player(MONTH, &LEDGER);
    report.ends("fail", 1);
    assert_eq!(report.status("log_completed"), "fail");
}

#[test]
fn only_a_completed_log_has_completed() {
    let rig = Rig::new();
    for (state, status, code) in [
        ("running", "fail", 1),
        ("interrupted", "fail", 1),
        ("refused", "fail", 1),
        ("dry_run", "fail", 1),
        ("empty", "error", 3),
        ("unknown", "error", 3),
    ] {
        let told = rig.retell("team.ndjson", |summary| {
            summary["state"] = json!(state);
            summary["completed"] = json!(false);
        });
        let report = rig.team(MONTH, &["--log-summary", &told]);
        assert_eq!(report.status("log_completed"), status, "{state}");
        assert_eq!(report.code, code, "{state}: {}", report.text);
        assert_eq!(report.check("log_completed")["level"], "critical");
    }
}

#[test]
fn a_real_log_that_breaks_off_has_not_completed() {
    let rig = Rig::new();
    let log = rig.sandbox.read("team.log");
    let end = log.find("2025-06-01").expect("the log goes on to 2026");
    rig.sandbox.write("cut.log", &log[..end]);
    let documents = rig.parse("cut.log");
    let report = rig.team(TEAM, &["--log-summary", &documents]);
    report.ends("fail", 1);
    assert_eq!(report.status("log_completed"), "fail");
    assert!(report.message("log_completed").contains("no end marker"));
}

#[test]
fn dates_that_nothing_is_known_of_are_no_completion() {
    let rig = Rig::new();
    let told = rig.retell("team.ndjson", |summary| {
        summary["unaccounted_days"] = json!(1);
        summary["unaccounted_dates"] = json!(["2024-12-05"]);
    });
    let report = rig.team(MONTH, &["--log-summary", &told]);
    report.fails_only(&["log_completed"]);
    assert_eq!(report.dates("log_completed"), ["2024-12-05"]);
    let told = rig.retell("team.ndjson", |summary| {
        summary["unaccounted_days"] = Value::Null
    });
    rig.team(MONTH, &["--log-summary", &told]).ends("error", 3);
}

#[test]
fn a_summary_that_contradicts_itself_is_not_believed() {
    let rig = Rig::new();
    let told = rig.retell("team.ndjson", |summary| summary["completed"] = json!(false));
    rig.team(MONTH, &["--log-summary", &told])
        .fails_only(&["log_completed"]);
    let told = rig.retell("team.ndjson", |summary| summary["fatal_errors"] = json!(2));
    let report = rig.team(MONTH, &["--log-summary", &told]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["log_completed"]);
}

#[test]
fn a_rate_that_nobody_knows_is_no_rate() {
    let rig = Rig::new();
    let told = rig.retell("team.ndjson", |summary| {
        summary["success_rate"] = Value::Null
    });
    rig.team(MONTH, &["--log-summary", &told])
        .fails_only(&["success_rate"]);
    let told = rig.retell("team.ndjson", |summary| {
        summary["success_rate"] = json!(94.99)
    });
    rig.team(MONTH, &["--log-summary", &told])
        .fails_only(&["success_rate"]);
    let told = rig.retell("team.ndjson", |summary| {
        summary["success_rate"] = json!(95.0)
    });
    rig.team(MONTH, &["--log-summary", &told]).is_clean();
}

#[test]
fn a_log_that_does_not_tell_its_range_is_warned_of() {
    let rig = Rig::new();
    let text = rig.sandbox.read("team.ndjson");
    let summary = text.lines().last().expect("a summary");
    rig.sandbox.write("summary.ndjson", &format!("{summary}\n"));
    let told = rig.retell("summary.ndjson", |summary| summary["range"] = Value::Null);
    let report = rig.team(MONTH, &["--log-summary", &told]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["log_completed"]);
}

#[test]
fn a_run_over_single_dates_is_no_word_on_the_rest_of_the_range() {
    let rig = Rig::new();
    let dates = "2024-12-05,2024-12-07";
    rig.sandbox
        .run_job("again.log", &["team-offense", "--dates", dates]);
    let documents = rig.parse("again.log");
    let report = rig.team(MONTH, &["--log-summary", &documents]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["log_completed"]);
    assert!(report.message("log_completed").contains("these dates only"));
    assert_eq!(report.check("reconciliation")["evidence"]["denominator"], 2);
}

#[test]
fn records_on_dates_that_failed_are_from_another_run() {
    let rig = Rig::new();
    let text = rig.sandbox.read("team.ndjson");
    let mut records = 0;
    let lines = text.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).expect("JSON");
        if value["date"] == "2024-12-05" {
            records = value["records"].as_u64().expect("a count");
            value["status"] = json!("failed");
            value["records"] = Value::Null;
        }
        if value["type"] == "log_summary" {
            let less = |field: &str, by: u64| json!(value[field].as_u64().expect("a count") - by);
            let (days, records) = (less("successful_days", 1), less("total_records", records));
            value["successful_days"] = days;
            value["total_records"] = records;
            value["failed_days"] = json!(1);
        }
        format!("{value}\n")
    });
    rig.sandbox
        .write("failed.ndjson", &lines.collect::<String>());
    let report = rig.team(MONTH, &["--log-summary", "failed.ndjson"]);
    report.fails_only(&["failed_dates"]);
    assert_eq!(report.dates("failed_dates"), ["2024-12-05"]);
    assert!(report.message("failed_dates").contains("2024-12-05"));
    // Unless the suite allows it.
    rig.own_suite(
        "team_offense",
        "checks:",
        "allow_rows_on_failed_dates: true\nchecks:",
    );
    let args = ["--suite", "own.yaml", "--log-summary", "failed.ndjson"];
    let report = rig.report("bf-validate", &[&args, &MONTH[..]].concat());
    report.ends("warn", 0);
}

#[test]
fn what_is_no_log_summary_is_not_taken_for_one() {
    let rig = Rig::new();
    rig.sandbox
        .write("banner.txt", "all 613 days were successful\n");
    rig.sandbox.write("empty.txt", "");
    let broken = rig.retell("team.ndjson", |summary| {
        summary["successful_days"] = json!("all")
    });
    for file in ["banner.txt", "empty.txt", "missing.ndjson", &broken] {
        let args = [MONTH[0], MONTH[1], "--log-summary", file];
        let (code, text) = rig.refusal("bf-validate-team-offense", &args);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(file), "{text}");
    }
}
