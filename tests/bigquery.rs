//! The validators over the same rows in SQLite and in a real BigQuery emulator: one report, figure by figure.
//!
//! `scripts/bigquery-emulator run` starts an emulator. Without one these tests say so and pass, unless
//! `BF_REQUIRE_EMULATOR=1` says that there must be one.

mod copy;

use predicates::prelude::*;
use serde_json::Value;

use crate::support::{Sandbox, document};

/// Six days over the end of a month, so that every loop over months and dates has more than one turn.
const START: &str = "2024-01-29";
const END: &str = "2024-02-03";

/// The emulator's address, or why there is none.
fn emulator() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host = set("BIGQUERY_EMULATOR_HOST");
    if host.is_none() {
        assert!(
            set("BF_REQUIRE_EMULATOR").is_none(),
            "BIGQUERY_EMULATOR_HOST is not set"
        );
        eprintln!("SKIPPED: bigquery emulator (BIGQUERY_EMULATOR_HOST is not set)");
    }
    host
}

/// A warehouse of these days, filled with these faults.
fn filled(team_faults: &[&str], player_faults: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.tool("bf-sample-job").arg("init").assert().success();
    let dates = ["--start-date", START, "--end-date", END, "--no-resume"];
    let team = [&["team-offense"], &dates[..], team_faults].concat();
    let player = [&["player-summary"], &dates[..], player_faults].concat();
    sandbox.run_job("team.log", &team);
    sandbox.run_job("player.log", &player);
    copy::trim(&sandbox.join("warehouse"), START, END);
    sandbox
}

/// What a validator says of the range, through either engine.
fn validate(sandbox: &Sandbox, tool: &str, log: &str, warehouse: &str, host: &str) -> (Value, i32) {
    let ledger = sandbox
        .command("bf-parse-log")
        .args(["--ledger", log])
        .output()
        .expect("it runs");
    std::fs::write(sandbox.join("ledger.ndjson"), ledger.stdout).expect("writable");
    let output = sandbox
        .command(tool)
        .env("BIGQUERY_EMULATOR_HOST", host)
        .args([START, END, "--log-summary", "ledger.ndjson"])
        .args(["--warehouse", warehouse])
        .output()
        .expect("it runs");
    let code = output.status.code().expect("an exit code");
    let mut report = document(&output.stdout);
    without_the_engine(&mut report);
    (report, code)
}

/// Leaves out what names the engine: its costs, and the queries for its console.
fn without_the_engine(report: &mut Value) {
    match report {
        Value::Object(fields) => {
            fields.remove("engine");
            fields.remove("query");
            fields.values_mut().for_each(without_the_engine);
        }
        Value::Array(values) => values.iter_mut().for_each(without_the_engine),
        _ => {}
    }
}

/// Validates both tables through both engines, expects the same reports, and returns them.
fn both_engines(sandbox: &Sandbox, test: &str, host: &str) -> [(Value, i32); 2] {
    let bigquery = format!("bigquery://bf-same-{test}-{}", std::process::id());
    copy::to_emulator(&sandbox.join("warehouse"), &bigquery);
    [
        ("bf-validate-team-offense", "team.log"),
        ("bf-validate-player-summary", "player.log"),
    ]
    .map(|(tool, log)| {
        let sqlite = validate(sandbox, tool, log, "sqlite:warehouse", host);
        let emulator = validate(sandbox, tool, log, &bigquery, host);
        for (one, other) in checks(&sqlite.0).iter().zip(checks(&emulator.0)) {
            assert_eq!(one, other, "{tool}");
        }
        assert_eq!(sqlite, emulator, "{tool}");
        sqlite
    })
}

fn checks(report: &Value) -> &Vec<Value> {
    report["checks"].as_array().expect("checks")
}

#[test]
fn healthy_rows_pass_in_both_engines_with_the_same_figures() {
    let Some(host) = emulator() else { return };
    let sandbox = filled(&[], &[]);
    for (report, code) in both_engines(&sandbox, "healthy", &host) {
        assert_eq!(
            (&report["verdict"], code),
            (&Value::from("pass"), 0),
            "{report:#}"
        );
    }
}

#[test]
fn every_planted_defect_is_found_in_both_engines_on_the_same_dates() {
    let Some(host) = emulator() else { return };
    let sandbox = filled(
        &[
            "--skip-write-dates",
            "2024-01-30",
            "--half-game-dates",
            "2024-01-31",
            "--duplicate-dates",
            "2024-02-01",
            "--blocking-issue-dates",
            "2024-02-02",
        ],
        &[
            "--empty-usage",
            "2024-02-01..2024-02-03",
            "--duplicate-dates",
            "2024-01-29",
            "--fewer-rows-dates",
            "2024-01-31",
        ],
    );
    let [(team, team_code), (player, player_code)] = both_engines(&sandbox, "planted", &host);
    assert_eq!((&team["verdict"], team_code), (&Value::from("fail"), 1));
    assert_eq!((&player["verdict"], player_code), (&Value::from("fail"), 1));
    let repeat = team["rerun"]["dates"].as_array().expect("dates to repeat");
    for date in ["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02"] {
        assert!(repeat.contains(&Value::from(date)), "{date}: {repeat:?}");
    }
    let failed: Vec<&str> = checks(&player)
        .iter()
        .filter(|check| check["status"] == "fail")
        .filter_map(|check| check["name"].as_str())
        .collect();
    for name in ["usage_rate", "unique_key", "reconciliation"] {
        assert!(failed.contains(&name), "{name}: {failed:?}");
    }
}

#[test]
fn an_estimate_is_shown_and_nothing_is_run() {
    let Some(host) = emulator() else { return };
    let sandbox = filled(&[], &[]);
    let bigquery = format!("bigquery://bf-explain-{}", std::process::id());
    copy::to_emulator(&sandbox.join("warehouse"), &bigquery);
    sandbox
        .tool("bf-validate-team-offense")
        .env("BIGQUERY_EMULATOR_HOST", &host)
        .args([START, END, "--explain", "--format", "text", "--warehouse"])
        .arg(&bigquery)
        .assert()
        .code(0)
        .stdout(predicate::str::contains("SELECT").and(predicate::str::contains("bytes")));
}

#[test]
fn a_warehouse_that_cannot_be_reached_is_not_checked_and_not_passed() {
    let sandbox = Sandbox::new();
    sandbox
        .tool("bf-validate-team-offense")
        // Nothing listens on the discard port of this machine.
        .env("BIGQUERY_EMULATOR_HOST", "127.0.0.1:9")
        .args([START, END, "--warehouse", "bigquery://nobody"])
        .assert()
        .code(3)
        .stderr(predicate::str::contains("127.0.0.1:9"));
}
