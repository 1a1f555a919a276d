//! Both engines say the same of the same rows, figure by figure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use super::duck;
use super::load::{EMULATOR_HOST, Project, emulator};
use super::proof;
use super::recorder::{Recorder, Replay};
use crate::support::{Sandbox, document};

/// The same rows in both engines, and a folder to work in.
struct Twins {
    sandbox: Sandbox,
    project: Project,
    recorder: Recorder,
    duckdb: Option<PathBuf>,
}

/// What a validator ended with: its exit code, its report, and its text for people.
type Outcome = (Option<i32>, Value, String);

impl Twins {
    /// An empty warehouse with a schedule; nothing is copied yet.
    fn new() -> Option<Self> {
        let host = emulator()?;
        let twins = Self {
            sandbox: Sandbox::new(),
            project: Project::new(&host),
            recorder: Recorder::new(&host),
            duckdb: duck::program(),
        };
        twins.job("init.log", &["init"]);
        Some(twins)
    }

    fn job(&self, log: &str, args: &[&str]) {
        self.sandbox.run_job(log, args);
    }

    /// Phase 1 and phase 2 over a range, with faults of phase 1 and of phase 2.
    fn fill(&self, [start, end]: [&str; 2], team_faults: &[&str], player_faults: &[&str]) {
        for (job, log, faults) in [
            ("team-offense", "team.log", team_faults),
            ("player-summary", "player.log", player_faults),
        ] {
            let range = ["--start-date", start, "--end-date", end, "--no-resume"];
            self.job(log, &[&[job], &range[..], faults].concat());
        }
    }

    /// Changes the SQLite side, before it is copied.
    fn change(&self, dataset: &str, sql: &str) {
        let path = self.sandbox.join(&format!("warehouse/{dataset}.db"));
        let db = Connection::open(path).expect("a database");
        db.execute_batch(sql).expect(sql);
    }

    /// Copies everything into the emulator.
    fn copy(&self) {
        self.project.copy(&self.sandbox.join("warehouse"));
        if let Some(program) = &self.duckdb {
            duck::copy(program, &self.sandbox.join("warehouse"));
        }
    }

    /// Runs a validator on one of the engines.
    fn validate(&self, tool: &str, args: &[&str], warehouse: &str) -> Outcome {
        let output = self
            .sandbox
            .command(tool)
            .args(args)
            .args(["--warehouse", warehouse])
            .env(EMULATOR_HOST, self.recorder.host())
            .output()
            .expect("the validator runs");
        let people = String::from_utf8(output.stderr).expect("text");
        assert!(
            !output.stdout.is_empty(),
            "{warehouse}: no report: {people}"
        );
        (output.status.code(), document(&output.stdout), people)
    }

    /// Has everything that was asked of BigQuery so far checked by Google's analyser and its API's description.
    fn prove(&self) {
        proof::check(&self.sandbox, &self.recorder.requests());
    }

    /// Runs a validator on both engines, holds their reports against each other, and returns the report.
    fn agree(&self, tool: &str, args: &[&str]) -> Outcome {
        let sqlite = self.validate(tool, args, "sqlite:warehouse");
        let bigquery = self.validate(tool, args, &self.project.url());
        let mut others = vec![("bigquery", bigquery.clone())];
        if self.duckdb.is_some() {
            for warehouse in ["duckdb:warehouse.duckdb", "duckdb:parquet"] {
                others.push(("duckdb", self.validate(tool, args, warehouse)));
            }
        }
        for (engine, other) in others {
            assert_eq!(other.1["engine"]["kind"], engine);
            let difference = difference("", &figures(&sqlite.1), &figures(&other.1));
            assert_eq!(
                difference, None,
                "{tool} {args:?}\nsqlite: {}\n{engine}: {}",
                sqlite.2, other.2
            );
            assert_eq!(sqlite.0, other.0, "{tool} {args:?}");
        }
        bigquery
    }
}

/// A report without what must differ: the engine's account, and the queries in the engine's dialect.
fn figures(report: &Value) -> Value {
    let mut report = report.clone();
    if let Value::Object(fields) = &mut report {
        fields.remove("engine");
        if let Some(Value::Object(provenance)) = fields.get_mut("provenance") {
            provenance.remove("warehouse");
            provenance.remove("snapshot");
        }
    }
    for check in report["checks"].as_array_mut().expect("checks") {
        if let Some(evidence) = check["evidence"].as_object_mut() {
            let query = evidence.remove("query");
            evidence.insert(
                "has_query".to_owned(),
                query.is_some_and(|query| !query.is_null()).into(),
            );
        }
    }
    report
}

/// The first place where two documents differ. Sums of fractions may differ in their last digits, as the
/// order of their parts is the engine's own.
fn difference(place: &str, left: &Value, right: &Value) -> Option<String> {
    let differ = || Some(format!("{place}: {left} | {right}"));
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            if !a.keys().eq(b.keys()) {
                return differ();
            }
            a.iter()
                .find_map(|(key, a)| difference(&format!("{place}/{key}"), a, &b[key]))
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return differ();
            }
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(at, (a, b))| difference(&format!("{place}/{at}"), a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64()?, b.as_f64()?);
            let is_close = (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
            (!is_close).then(differ).flatten()
        }
        // A time without a fraction is written with and without one.
        (Value::String(a), Value::String(b)) if place.ends_with("_at") => {
            let time = |text| chrono::DateTime::parse_from_rfc3339(text).ok();
            (time(a) != time(b) || time(a).is_none())
                .then(differ)
                .flatten()
        }
        // SQLite keeps no NaN, and BigQuery no array that is NULL.
        (Value::Null, Value::String(text)) if text == "NaN" || text == "[]" => None,
        _ => (left != right).then(differ).flatten(),
    }
}

/// A check of a report.
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name} in {report}"))
}

const TEAM: &str = "bf-validate-team-offense";
const PLAYER: &str = "bf-validate-player-summary";
/// Half a season, which keeps the tests quick.
const SEASON: [&str; 2] = ["2024-10-22", "2025-04-13"];

#[test]
fn healthy_tables_pass_the_documented_commands_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    let (first, last) = ("2021-10-19", "2026-01-02");
    twins.job(
        "team.log",
        &["team-offense", "--start-date", first, "--end-date", last],
    );
    let range = ["2024-05-01", last];
    twins.job(
        "player.log",
        &[
            "player-summary",
            "--start-date",
            range[0],
            "--end-date",
            last,
        ],
    );
    twins.copy();
    let (code, report, people) = twins.agree(TEAM, &[first, last]);
    assert_eq!(
        (code, &report["verdict"]),
        (Some(0), &Value::from("pass")),
        "{people}"
    );
    assert_eq!(check(&report, "game_count")["observed"], 5798.0);
    let (code, report, people) = twins.agree(PLAYER, &range);
    assert_eq!(
        (code, &report["verdict"]),
        (Some(0), &Value::from("pass")),
        "{people}"
    );
}

#[test]
fn planted_defects_are_found_with_the_same_dates_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(
        SEASON,
        &[
            &["--skip-write-dates", "2024-11-10..2024-11-14"][..],
            &["--half-game-dates", "2024-12-02,2024-12-04"],
            &["--duplicate-dates", "2025-01-05"],
            &["--low-quality", "2025-02-01..2025-03-31"],
            &["--blocking-issue-dates", "2025-01-20"],
        ]
        .concat(),
        &[
            &["--empty-usage", "2025-01-01..2025-01-31"][..],
            &["--empty-minutes", "2025-02-03..2025-02-09"],
            &["--empty-shot-zones", "2025-03-01..2025-04-13"],
            &["--fewer-rows-dates", "2024-12-11"],
            &["--duplicate-dates", "2024-12-20"],
            &["--fail-dates", "2025-03-04"],
        ]
        .concat(),
    );
    twins.copy();
    for (tool, log, planted) in [
        (
            TEAM,
            "team.log",
            ["2024-11-12", "2024-12-02", "2025-01-05", "2025-01-20"],
        ),
        (
            PLAYER,
            "player.log",
            ["2024-12-11", "2024-12-20", "2025-02-05", "2025-03-04"],
        ),
    ] {
        let ledger = twins
            .sandbox
            .command("bf-parse-log")
            .args(["--ledger", log])
            .output()
            .expect("the log is read");
        let ledger = String::from_utf8(ledger.stdout).expect("documents");
        twins.sandbox.write("ledger.json", &ledger);
        let [start, end] = SEASON;
        let (code, report, people) =
            twins.agree(tool, &[start, end, "--log-summary", "ledger.json"]);
        assert_eq!(code, Some(1), "{people}");
        assert_eq!(report["verdict"], "fail");
        let repeat = report["rerun"]["dates"]
            .as_array()
            .expect("dates to repeat");
        for date in planted {
            assert!(repeat.contains(&Value::from(date)), "{date}: {people}");
        }
        let (code, ..) = twins.agree(tool, &[start, end]);
        assert_eq!(code, Some(1));
    }
    assert_partition_filters(&twins.project.queries());
    twins.prove();
}

/// BigQuery refuses a query of a table that requires a partition filter where one is missing, and reads
/// the whole table where it is no bare comparison. No emulator does either.
fn assert_partition_filters(queries: &[String]) {
    let mut seen = 0;
    for query in queries {
        for place in query.split(" FROM `").skip(1) {
            // Of one span of days, or of several.
            let filters = [
                " WHERE `game_date` BETWEEN @start",
                " WHERE ((`game_date` BETWEEN @start",
            ];
            let (table, rest) =
                place.split_at(place.find(' ').expect("something follows the table"));
            // A table may have another name in the query: `… AS a WHERE …`.
            let rest = rest
                .strip_prefix(" AS a")
                .or(rest.strip_prefix(" AS b"))
                .unwrap_or(rest);
            // The rows without a day have a partition of their own.
            assert!(
                filters.iter().any(|filter| rest.starts_with(filter))
                    || rest == " WHERE `game_date` IS NULL"
                    || rest.starts_with(" WHERE `game_date` IS NULL) UNION ALL ")
                    || rest == " WHERE `game_date` IS NULL)",
                "{table} has no partition filter: {query}"
            );
            seen += 1;
        }
    }
    assert!(seen > 10, "{queries:#?}");
}

#[test]
fn games_that_are_not_as_scheduled_are_found_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    twins.change(
        "nba_analytics",
        "UPDATE team_offense_game_summary SET home_game = 1 - home_game WHERE game_id = \
           (SELECT game_id FROM team_offense_game_summary WHERE game_date = '2024-11-08' LIMIT 1);
         UPDATE team_offense_game_summary SET game_id = '20241112_AAA_BBB' WHERE game_id = \
           (SELECT game_id FROM team_offense_game_summary WHERE game_date = '2024-11-12' LIMIT 1);",
    );
    twins.copy();
    let (code, report, people) = twins.agree(TEAM, &["2024-11-01", "2024-11-30"]);
    assert_eq!(code, Some(1), "{people}");
    let dates = |name| check(&report, name)["evidence"]["dates"].clone();
    assert_eq!(dates("scheduled_games"), serde_json::json!(["2024-11-12"]));
    assert_eq!(
        dates("home_teams"),
        serde_json::json!(["2024-11-08", "2024-11-12"])
    );
    assert_partition_filters(&twins.project.queries());
    twins.prove();
}

#[test]
fn a_range_without_rows_is_no_pass_in_either_engine() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-03"], &[], &[]);
    twins.copy();
    for tool in [TEAM, PLAYER] {
        let (code, report, _) = twins.agree(tool, &["2024-12-01", "2024-12-31"]);
        assert_eq!(code, Some(1), "{report}");
    }
}

#[test]
fn one_day_is_judged_alike_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    twins.copy();
    for tool in [TEAM, PLAYER] {
        twins.agree(tool, &["2024-11-15", "2024-11-15"]);
    }
}

#[test]
fn a_column_that_is_not_there_is_could_not_check_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    twins.change(
        "nba_analytics",
        "ALTER TABLE team_offense_game_summary DROP COLUMN is_production_ready;
         ALTER TABLE team_offense_game_summary DROP COLUMN quality_issues;
         ALTER TABLE player_game_summary RENAME COLUMN usage_rate TO usage_pct;",
    );
    twins.copy();
    for (tool, name) in [(TEAM, "production_ready"), (PLAYER, "usage_rate")] {
        let (code, report, people) = twins.agree(tool, &["2024-11-01", "2024-11-30"]);
        assert_eq!(check(&report, name)["status"], "error", "{people}");
        assert_ne!(code, Some(0), "{people}");
    }
}

#[test]
fn what_is_no_number_counts_as_absent_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    twins.change(
        "nba_analytics",
        "UPDATE player_game_summary SET usage_rate = NULL WHERE game_date = '2024-11-08';
         UPDATE player_game_summary SET minutes_played = NULL WHERE game_date = '2024-11-06';
         UPDATE player_game_summary SET quality_score = NULL WHERE game_date = '2024-11-07';",
    );
    twins.copy();
    // SQLite keeps no NaN, and JSON carries no infinity: the one is NULL there, the other is set here.
    let set = |column: &str, number: &str, date: &str| {
        let table = "nba_analytics.player_game_summary";
        let update = format!(
            "UPDATE {table} SET {column} = CAST('{number}' AS FLOAT64) \
             WHERE game_date = '{date}' AND points IS NOT NULL"
        );
        twins.project.run(&update);
        if let Some(program) = &twins.duckdb {
            let update = update.replace("FLOAT64", "DOUBLE");
            let parquet = twins
                .sandbox
                .join("parquet/nba_analytics/player_game_summary.parquet");
            let copy = format!("COPY {table} TO '{}' (FORMAT parquet)", parquet.display());
            let file = twins.sandbox.join("warehouse.duckdb");
            duck::run(program, &file, &format!("{update}; {copy};"));
        }
    };
    set("usage_rate", "NaN", "2024-11-08");
    set("minutes_played", "Infinity", "2024-11-06");
    set("quality_score", "NaN", "2024-11-07");
    twins.change(
        "nba_analytics",
        "UPDATE player_game_summary SET minutes_played = 9e999
         WHERE game_date = '2024-11-06' AND points IS NOT NULL;",
    );
    // A NaN is no plausible value, and the NULL in its place is none at all.
    let config = "levels:\n  player_game_summary:\n    plausible_usage: off\n";
    twins.sandbox.write("config.yaml", config);
    let args = ["2024-11-01", "2024-11-30", "--config", "config.yaml"];
    let (code, report, people) = twins.agree(PLAYER, &args);
    assert_eq!(code, Some(1), "{people}");
    for name in ["usage_rate", "minutes_played"] {
        assert_eq!(check(&report, name)["status"], "fail", "{people}");
    }
}

#[test]
fn an_estimate_is_shown_and_nothing_is_run() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-03"], &[], &[]);
    twins.copy();
    let before = twins.project.queries().len();
    let output = twins
        .sandbox
        .tool(TEAM)
        .args(["2024-11-01", "2024-11-03", "--explain", "--format", "text"])
        .args(["--warehouse", &twins.project.url()])
        .env(EMULATOR_HOST, twins.recorder.host())
        .assert()
        .code(0)
        .get_output()
        .clone();
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(
        shown.contains("SELECT") && shown.contains("bytes"),
        "{shown}"
    );
    assert_eq!(
        twins.project.queries().len(),
        before,
        "an estimate is no job"
    );
}

#[test]
fn every_table_of_the_pipeline_is_judged_alike_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    let [start, end] = ["2024-11-15", "2024-12-15"];
    for job in [
        "team-offense",
        "player-summary",
        "team-defense",
        "team-defense-zones",
        "player-shot-zones",
        "composite-factors",
        "daily-cache",
        "feature-store",
    ] {
        let range = ["--start-date", "2024-10-22", "--end-date", end];
        twins.job("job.log", &[&[job], &range[..]].concat());
    }
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/suites");
    let mut suites: Vec<_> = std::fs::read_dir(suites)
        .expect("the suites")
        .map(|suite| suite.expect("a suite").path().display().to_string())
        .collect();
    suites.sort();
    assert!(suites.len() >= 8, "{suites:?}");
    twins.copy();
    let judge = |twins: &Twins| -> Vec<Option<i32>> {
        let codes = suites.iter().map(|suite| {
            twins
                .agree("bf-validate", &["--suite", suite, start, end])
                .0
        });
        codes.collect()
    };
    judge(&twins);

    let Some(damaged) = Twins::new() else { return };
    std::fs::remove_dir_all(damaged.sandbox.join("warehouse")).expect("an empty warehouse");
    std::fs::rename(
        twins.sandbox.join("warehouse"),
        damaged.sandbox.join("warehouse"),
    )
    .expect("a warehouse");
    for (dataset, table, day, column) in [
        (
            "nba_analytics",
            "team_defense_game_summary",
            "game_date",
            "opp_paint_attempts",
        ),
        (
            "nba_precompute",
            "team_defense_zone_analysis",
            "analysis_date",
            "opponent_pace",
        ),
        (
            "nba_precompute",
            "player_shot_zone_analysis",
            "analysis_date",
            "paint_rate_last_10",
        ),
        (
            "nba_precompute",
            "player_composite_factors",
            "game_date",
            "fatigue_score",
        ),
        (
            "nba_precompute",
            "player_daily_cache",
            "cache_date",
            "points_avg_last_5",
        ),
        (
            "nba_predictions",
            "ml_feature_store_v2",
            "game_date",
            "features",
        ),
    ] {
        damaged.change(
            dataset,
            &format!(
                "DELETE FROM {table} WHERE {day} BETWEEN '2024-11-20' AND '2024-11-22';
                 UPDATE {table} SET {column} = NULL WHERE {day} BETWEEN '2024-11-25' AND '2024-12-08';
                 UPDATE {table} SET is_production_ready = 0 WHERE {day} >= '2024-12-01';
                 INSERT INTO {table} SELECT * FROM {table} WHERE {day} = '2024-12-10';"
            ),
        );
    }
    damaged.copy();
    let codes = judge(&damaged);
    let failed = codes.iter().filter(|code| **code == Some(1)).count();
    assert!(failed >= 6, "{suites:?}: {codes:?}");
    twins.prove();
    damaged.prove();
}

#[test]
fn rows_without_a_date_are_seen_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    twins.change(
        "nba_analytics",
        "CREATE TABLE loose AS SELECT * FROM team_offense_game_summary; DROP TABLE team_offense_game_summary;
         ALTER TABLE loose RENAME TO team_offense_game_summary;
         UPDATE team_offense_game_summary SET game_date = NULL WHERE game_date = '2024-11-08'",
    );
    twins.copy();
    let (code, report, people) = twins.agree(TEAM, &["2024-11-10", "2024-11-30"]);
    assert_eq!(code, Some(1), "{people}");
    assert_eq!(
        check(&report, "readable_dates")["status"],
        "fail",
        "{people}"
    );
}

#[test]
fn what_is_there_and_says_nothing_is_judged_alike_in_both_engines() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-12-15"], &[], &[]);
    twins.change(
        "nba_analytics",
        "UPDATE player_game_summary SET usage_rate = NULL WHERE team_abbr = 'PHI' AND game_date < '2024-12-01';
         UPDATE player_game_summary SET usage_rate = 20 WHERE game_date = '2024-12-05';
         UPDATE player_game_summary SET minutes_played = 0 WHERE game_date = '2024-12-06';
         UPDATE player_game_summary SET quality_tier = '  ' WHERE game_date = '2024-11-08';
         UPDATE player_game_summary SET player_lookup = player_lookup || ' ' WHERE game_date = '2024-11-10';
         UPDATE player_game_summary SET player_lookup = upper(player_lookup) WHERE game_date = '2024-11-11';
         UPDATE player_game_summary SET quality_score = 1 WHERE game_date >= '2024-12-01';
         UPDATE team_offense_game_summary SET game_id = char(9) || game_id WHERE game_date = '2024-11-12';
         UPDATE team_offense_game_summary SET home_game = 1 WHERE game_date = '2024-11-13';
         DELETE FROM player_game_summary WHERE game_date = '2024-11-15' AND rowid % 2 = 0;",
    );
    twins.copy();
    let range = ["2024-11-01", "2024-12-15"];
    let (_, player, people) = twins.agree(PLAYER, &range);
    for name in [
        "usage_rate",
        "usage_varies",
        "minutes_vary",
        "quality_tier",
        "sound_keys",
        "quality_score",
        "team_rows",
        "games_in_both",
        "team_points",
        "players_per_team",
    ] {
        assert_eq!(check(&player, name)["status"], "fail", "{name}: {people}");
    }
    let (_, team, people) = twins.agree(TEAM, &range);
    for name in ["sound_keys", "home_and_away"] {
        assert_eq!(check(&team, name)["status"], "fail", "{name}: {people}");
    }
    twins.prove();
}

#[test]
fn a_clean_run_asks_for_each_thing_once_and_waits_for_few() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    twins.copy();
    waits_for_few(&twins);
}

#[test]
fn a_second_schedule_costs_no_step() {
    let Some(twins) = Twins::new() else { return };
    twins.fill(["2024-11-01", "2024-11-30"], &[], &[]);
    // Both schedules that the suites know, as in the real warehouse.
    let reference = twins.sandbox.join("warehouse/nba_reference.db");
    twins.change(
        "nba_raw",
        &format!(
            "ATTACH '{}' AS reference; CREATE TABLE nbac_schedule AS SELECT * FROM reference.nba_schedule",
            reference.display()
        ),
    );
    twins.copy();
    waits_for_few(&twins);
}

/// Both validators wait for schemas and measures, each in one step, or two where there are more than four.
fn waits_for_few(twins: &Twins) {
    for tool in [TEAM, PLAYER] {
        let url = twins.project.url();
        let range = ["2024-11-01", "2024-11-30"];
        let (code, report, people) = twins.validate(tool, &range, &url);
        assert_eq!(code, Some(0), "{people}");
        let far = Replay::new(twins.recorder.requests(), Duration::from_secs(1));
        let output = twins
            .sandbox
            .command(tool)
            .args(range)
            .args(["--warehouse", &url])
            .env(EMULATOR_HOST, far.host())
            .output()
            .expect("the validator runs");
        let again = document(&output.stdout);
        assert_eq!(difference("", &figures(&report), &figures(&again)), None);
        let (requests, steps) = far.requests_and_steps();
        println!("{tool}: {requests} requests in {steps} steps");
        assert!(
            !far.targets().iter().any(|target| target.contains("/jobs/")),
            "what a query cost is in its answer: {:#?}",
            far.targets()
        );
        assert!(
            steps <= 3,
            "{tool}: {requests} requests in {steps} steps: {:#?}",
            far.targets()
        );
    }
}
