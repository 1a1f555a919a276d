//! The shipped pipeline: its plan, its suites, its jobs and the examples that start it unattended.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Sandbox, bin_dir, document};

/// The plan's phases, in its order.
const PHASES: [&str; 9] = [
    "team_offense",
    "team_defense",
    "player_summary",
    "analytics_ready",
    "team_zones",
    "player_zones",
    "composite_factors",
    "daily_cache",
    "feature_store",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder as `scripts/demo --pipeline` makes it, with the plan over three weeks and without delays.
/// `change` is what else is different about the plan.
fn folder(change: impl Fn(String) -> String) -> Sandbox {
    let sandbox = Sandbox::new();
    for entry in fs::read_dir(root().join("config/suites")).expect("suites") {
        let path = entry.expect("a suite").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let text = fs::read_to_string(&path).expect("a suite");
        sandbox.write(&format!("config/suites/{name}"), &text);
    }
    let shipped = |name: &str| {
        fs::read_to_string(root().join("config/plans").join(name)).expect("a shipped file")
    };
    sandbox.write(
        "config/backfill_thresholds.yaml",
        &shipped("nba_pipeline_config.yaml"),
    );
    let mut plan = shipped("nba_pipeline.yaml");
    assert!(plan.contains("end: 2025-01-31") && plan.contains("--delay-ms"));
    plan = plan.replace("end: 2025-01-31", "end: 2024-11-12");
    for delay in ["15", "25", "100"] {
        plan = plan.replace(&format!(r#", --delay-ms, "{delay}""#), "");
    }
    sandbox.write("plan.yaml", &change(plan));
    sandbox.tool("bf-sample-job").arg("init").assert().success();
    sandbox
}

fn orchestrate(sandbox: &Sandbox, action: &str) -> Output {
    let mut command = sandbox.command("bf-orchestrate");
    command
        .args([action, "plan.yaml"])
        .output()
        .expect("it runs")
}

fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let phases = report["phases"].as_array().expect("phases");
    phases
        .iter()
        .map(|phase| {
            (
                phase["name"].as_str().expect("a name"),
                phase["status"].as_str().expect("a status"),
            )
        })
        .collect()
}

fn count(sandbox: &Sandbox, dataset: &str, sql: &str) -> i64 {
    let db = Connection::open(sandbox.join(&format!("warehouse/{dataset}.db"))).expect("a dataset");
    db.query_row(sql, [], |row| row.get(0)).expect("a number")
}

#[test]
fn the_shipped_plan_passes_as_a_whole() {
    let sandbox = folder(|plan| plan);
    let check = orchestrate(&sandbox, "check");
    let said = String::from_utf8_lossy(&check.stderr);
    assert_eq!(check.status.code(), Some(0), "{said}");
    assert!(
        !sandbox.join("logs/team_offense.log").exists(),
        "a check starts nothing"
    );

    let run = orchestrate(&sandbox, "run");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{said}");
    let report = document(&run.stdout);
    assert_eq!(report["verdict"], "pass", "{report:#}");
    assert_eq!(statuses(&report), PHASES.map(|name| (name, "passed")));
    // What was validated last is what the first jobs wrote: a vector for every player of a game.
    let played = "SELECT count(points) FROM player_game_summary WHERE game_date >= '2024-11-05'";
    let vectors = "SELECT count(*) FROM ml_feature_store_v2";
    let played = count(&sandbox, "nba_analytics", played);
    assert!(played > 500, "{played}");
    assert_eq!(count(&sandbox, "nba_predictions", vectors), played);
}

#[test]
fn jobs_side_by_side_are_not_held_against_each_others_half_written_tables() {
    // One is long done when the other has hardly begun.
    let sandbox = folder(|plan| {
        let job = "command: [bf-sample-job, team-offense, ";
        let slow = plan.replace(job, &format!("{job}--delay-ms, \"80\", "));
        // Only what gates phase 3, and without a second attempt.
        let end = slow.find("  # --- Phase 4").expect("phase 4");
        slow[..end].replace("retries: {limit: 1,", "retries: {limit: 0,")
    });
    let run = orchestrate(&sandbox, "run");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{said}");
    let report = document(&run.stdout);
    assert_eq!(
        statuses(&report),
        PHASES[..4]
            .iter()
            .map(|name| (*name, "passed"))
            .collect::<Vec<_>>()
    );
    // The gate behind both compares them all the same.
    let compared = report["phases"][3]["further_validations"][0]["checks"]
        .as_array()
        .expect("checks");
    assert!(
        compared
            .iter()
            .any(|check| check["name"] == "games_in_both" && check["status"] == "pass")
    );
}

#[test]
fn the_suite_of_a_table_by_itself_has_every_check_of_the_whole_one_but_the_comparing_ones() {
    let read = |name: &str| {
        let text = fs::read_to_string(root().join("config/suites").join(name)).expect("a suite");
        let at = text.find("\nchecks:\n").expect("checks");
        text[at..].to_owned()
    };
    let (alone, whole) = (
        read("team_defense_by_itself.yaml"),
        read("team_defense.yaml"),
    );
    let rest = whole
        .strip_prefix(&alone)
        .expect("the same checks in the same order");
    assert_eq!(
        rest.matches("- name: ").count(),
        rest.matches("section: Offense table").count()
    );
}

#[test]
fn a_bad_phase_in_the_middle_holds_back_only_what_needs_it() {
    // Its log claims a date that its table does not have, the second time as well.
    let sandbox = folder(|plan| {
        let job = r#"command: [bf-sample-job, player-shot-zones, "#;
        assert!(plan.contains(job));
        plan.replace(job, &format!("{job}--skip-write-dates, 2024-11-08, "))
    });
    let run = orchestrate(&sandbox, "run");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    let report = document(&run.stdout);
    let expected = PHASES.map(|name| {
        let status = match name {
            "player_zones" => "failed",
            "composite_factors" | "daily_cache" | "feature_store" => "not_started",
            _ => "passed",
        };
        (name, status)
    });
    assert_eq!(statuses(&report), expected, "{report:#}");
    let reason = report["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("player_zones: "), "{reason}");
    let bad = &report["phases"][5];
    let claims = &bad["log_summary"];
    assert_eq!(claims["success_rate"], 100.0, "{bad:#}");
    let rerun = &bad["validation"]["rerun"]["dates"];
    assert_eq!(rerun, &serde_json::json!(["2024-11-08"]), "{bad:#}");
    for (phase, log) in [
        ("team_zones", true),
        ("player_zones", true),
        ("composite_factors", false),
        ("daily_cache", false),
        ("feature_store", false),
    ] {
        let path = sandbox.join(&format!("logs/{phase}.log"));
        assert_eq!(path.exists(), log, "{}", path.display());
    }
    let started = sandbox.read("logs/player_zones.log");
    let runs = started.matches("PHASE 3 PRE-FLIGHT CHECK").count();
    assert_eq!(runs, 2, "the plan allows one more attempt:\n{started}");
}

#[test]
fn every_job_of_the_pipeline_prints_a_log_that_is_read_with_its_own_figures() {
    let sandbox = Sandbox::new();
    let phase_3 = ["--start-date", "2024-10-22", "--end-date", "2024-11-14"];
    for job in ["team-offense", "team-defense", "player-summary"] {
        let args = [&[job][..], &phase_3].concat();
        sandbox.run_job(&format!("logs/before_{job}.log"), &args);
    }
    // Three dates of the bootstrap period, nine behind it, and one without games.
    let faults = [
        "--start-date",
        "2024-11-02",
        "--end-date",
        "2024-11-14",
        "--no-resume",
        "--fail-dates",
        "2024-11-12",
        "--exception-dates",
        "2024-11-14",
    ];
    let analysis = "analysis_date >= '2024-11-02'";
    let game = "game_date >= '2024-11-02'";
    let game_dates = [12, 7, 3];
    let jobs = [
        (
            "team-defense",
            "team_defense_game_summary",
            game,
            [13, 11, 0],
        ),
        (
            "team-defense-zones",
            "team_defense_zone_analysis",
            analysis,
            game_dates,
        ),
        (
            "player-shot-zones",
            "player_shot_zone_analysis",
            analysis,
            game_dates,
        ),
        (
            "composite-factors",
            "player_composite_factors",
            game,
            game_dates,
        ),
        (
            "daily-cache",
            "player_daily_cache",
            "cache_date >= '2024-11-02'",
            game_dates,
        ),
        ("feature-store", "ml_feature_store_v2", game, game_dates),
    ];
    for (job, table, dates, [total, successful, skipped]) in jobs {
        // A healthy run first, so that the failed dates are the job's own and not a hole further up.
        let healthy = [&[job][..], &faults[..5]].concat();
        sandbox.run_job(&format!("logs/healthy_{job}.log"), &healthy);
        let log = format!("logs/{job}.log");
        sandbox.run_job(&log, &[&[job][..], &faults].concat());
        let output = sandbox
            .tool("bf-parse-log")
            .arg(&log)
            .output()
            .expect("it reads");
        let summary = document(&output.stdout);
        let dataset = match table {
            "team_defense_game_summary" => "nba_analytics",
            "ml_feature_store_v2" => "nba_predictions",
            _ => "nba_precompute",
        };
        let day = dates.split(' ').next().expect("a column");
        let written = format!(
            "SELECT count(*) FROM {table} WHERE {dates} AND {day} NOT IN ('2024-11-12', '2024-11-14')"
        );
        let written = count(&sandbox, dataset, &written);
        let found = [
            &summary["state"],
            &summary["total_days"],
            &summary["successful_days"],
            &summary["skipped_days"],
            &summary["failed_dates"],
            &summary["unaccounted_days"],
            &summary["total_records"],
        ];
        let expected = serde_json::json!([
            "completed",
            total,
            successful,
            skipped,
            ["2024-11-12", "2024-11-14"],
            0,
            written
        ]);
        assert!(written > 0, "{job}");
        assert_eq!(serde_json::json!(found), expected, "{job}: {summary:#}");
    }
}

/// The command of each line of the crontab, as cron would hand it to the shell.
fn cron_commands() -> Vec<String> {
    let crontab = fs::read_to_string(root().join("scripts/crontab.example")).expect("a crontab");
    let lines = crontab.lines().filter(|line| {
        line.starts_with('@') || line.starts_with(|first: char| first.is_ascii_digit())
    });
    let commands: Vec<String> = lines
        .map(|line| {
            let fields = if line.starts_with('@') { 1 } else { 5 };
            let command = line.splitn(fields + 1, ' ').last().expect("a command");
            command.replace(r"\%", "%")
        })
        .collect();
    assert!(!commands.is_empty());
    commands
}

#[test]
fn the_validators_of_the_crontab_are_silent_on_a_pass_and_speak_on_a_failure() {
    let sandbox = folder(|plan| plan);
    let week = ["--start-date", "2024-11-06", "--end-date", "2024-11-12"];
    for job in [
        "team-offense",
        "player-summary",
        "team-defense",
        "team-defense-zones",
        "player-shot-zones",
        "composite-factors",
        "daily-cache",
    ] {
        // The job before the first week of phase 4 has a past to look at.
        let start = if job.starts_with("team-o") || job.starts_with("player-su") {
            &["--start-date", "2024-10-22", "--end-date", "2024-11-12"]
        } else {
            &week
        };
        sandbox.run_job(&format!("logs/{job}.log"), &[&[job][..], start].concat());
    }
    let asks: Vec<String> = cron_commands()
        .into_iter()
        .filter(|command| command.contains("bf-validate"))
        .collect();
    assert_eq!(asks.len(), 3);
    let ask = |command: &str| {
        let here = sandbox.path().display().to_string();
        let command = command
            .replace("/usr/local/bin", &bin_dir().display().to_string())
            .replace("/srv/backfill", &here)
            .replace("--last 7d", "2024-11-06 2024-11-12");
        // What cron gives a command, and the two settings of the example.
        Command::new("/bin/sh")
            .args(["-c", &command])
            .current_dir("/")
            .env_clear()
            .env("HOME", &here)
            .env("PATH", "/usr/bin:/bin")
            .env(
                "BF_CONFIG",
                format!("{here}/config/backfill_thresholds.yaml"),
            )
            .env("BF_WAREHOUSE", format!("sqlite:{here}/warehouse"))
            .output()
            .expect("a shell")
    };
    for command in &asks {
        let output = ask(command);
        let said = [output.stdout, output.stderr].concat();
        assert_eq!(String::from_utf8_lossy(&said), "", "{command}");
    }
    for (dataset, table, column) in [
        ("nba_analytics", "team_offense_game_summary", "game_date"),
        ("nba_analytics", "player_game_summary", "game_date"),
        ("nba_precompute", "player_daily_cache", "cache_date"),
    ] {
        let path = sandbox.join(&format!("warehouse/{dataset}.db"));
        let db = Connection::open(path).expect("a dataset");
        let gone = format!("DELETE FROM {table} WHERE {column} = '2024-11-09'");
        assert!(db.execute(&gone, []).expect("rows") > 0);
    }
    for command in &asks {
        let said = String::from_utf8_lossy(&ask(command).stdout).into_owned();
        let first = said.lines().next().unwrap_or_default();
        assert!(first.ends_with(" ended with 1"), "{command}: {said}");
        assert!(said.contains("2024-11-09"), "{said}");
    }
}

#[test]
fn the_examples_for_cron_and_systemd_start_programs_that_there_are() {
    let mut texts = cron_commands();
    for entry in fs::read_dir(root().join("scripts/systemd")).expect("units") {
        texts.push(fs::read_to_string(entry.expect("a unit").path()).expect("a unit"));
    }
    let mut seen = 0;
    for text in &texts {
        for part in text.split("/usr/local/bin/").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
            // `PATH=/usr/local/bin:…` names no program.
            if !name.is_empty() {
                assert!(bin_dir().join(&name).exists(), "{name}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "{seen}");
}
