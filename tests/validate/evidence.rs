//! What is shown of what is wrong: the rows of the dates that are wrong, queries that find something, the dates to
//! repeat.

use super::rig::{MONTH, Rig};

fn rows<'a>(report: &'a super::rig::Report, check: &str) -> &'a [serde_json::Value] {
    let rows = report.check(check)["evidence"]["rows"].as_array();
    rows.map_or(&[], Vec::as_slice)
}

#[test]
fn sample_rows_are_of_the_dates_that_are_wrong_and_the_query_finds_something() {
    let rig = Rig::spoilt(
        "UPDATE team_offense_game_summary SET points_scored = NULL WHERE game_date IN ('2024-12-05', '2024-12-20')",
    );
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["points_scored"]);
    assert_eq!(report.rerun(), ["2024-12-05", "2024-12-20"]);
    for row in rows(&report, "points_scored") {
        let date = row["game_date"].as_str().expect("a date");
        assert!(["2024-12-05", "2024-12-20"].contains(&date), "{row}");
    }
    let query = report.check("points_scored")["evidence"]["query"].clone();
    let query = query.as_str().expect("a query");
    assert!(
        query.contains("\"points_scored\" IS NULL")
            && query.contains("IN ('2024-12-05', '2024-12-20')"),
        "{query}"
    );
    let select = &query[query.find("SELECT").expect("a SELECT")..];
    let select = select.replace("\"nba_analytics\".", "").replace(';', "");
    let mut statement = rig.connection();
    let found: Vec<String> = statement
        .transaction()
        .expect("a transaction")
        .prepare(&select)
        .expect("valid SQL")
        .query_map([], |row| row.get(0))
        .expect("rows")
        .map(|day| day.expect("a text"))
        .collect();
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|day| day == "2024-12-05" || day == "2024-12-20")
    );
}

#[test]
fn games_that_are_missing_are_named_with_what_was_found_beside_what_was_expected() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05' AND game_id =
           (SELECT MIN(game_id) FROM team_offense_game_summary WHERE game_date = '2024-12-05')",
    );
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["missing_games"]);
    assert!(
        report
            .message("missing_games")
            .contains("missing: 20241205_")
    );
    let row = &rows(&report, "missing_games")[0];
    assert_eq!(row["date"], "2024-12-05");
    assert!(
        row["game_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("20241205_")),
        "{row}"
    );
    assert_ne!(row["expected"], row["found"]);
}

#[test]
fn no_value_of_a_row_leaves_the_house_if_none_may() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET usage_rate = NULL WHERE game_date = '2024-12-05';
         DELETE FROM player_game_summary WHERE game_date = '2024-12-06'",
    );
    rig.sandbox
        .write("none.yaml", "evidence: {sample_rows: 0}\n");
    let report = rig.player(MONTH, &["--config", "none.yaml"]);
    report.ends("fail", 1);
    for check in report.document["checks"].as_array().expect("checks") {
        let rows = check["evidence"]["rows"].as_array();
        assert!(rows.is_none_or(Vec::is_empty), "{check}");
    }
    assert!(!report.message("missing_games").contains("20241206_"));
    rig.sandbox
        .write("some.yaml", "evidence: {columns: [team_abbr]}\n");
    let report = rig.player(MONTH, &["--config", "some.yaml"]);
    let row = &rows(&report, "usage_rate")[0];
    let names: Vec<&String> = row.as_object().expect("a row").keys().collect();
    assert_eq!(names, ["game_date", "team_abbr"]);
}

#[test]
fn the_command_is_that_of_the_table_that_is_wrong_or_both_with_the_other_first() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05'");
    let report = rig.player(MONTH, &[]);
    report.ends("fail", 1);
    let upstream = &report.document["rerun"]["upstream"];
    let command = upstream["command"].to_string();
    assert!(
        command.contains("team_offense_game_summary"),
        "{}",
        report.document["rerun"]
    );
    let at = |word: &str| report.text.find(word).expect("it is there");
    assert!(
        at("team_offense_game_summary_analytics_backfill")
            < at("player_game_summary_analytics_backfill")
    );
}

#[test]
fn each_day_and_month_is_told_and_where_the_report_is_from() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05'");
    let report = rig.team(MONTH, &["--log-summary", "team.ndjson"]);
    let days = report.document["days"].as_array().expect("days");
    let day = |date: &str| days.iter().find(|day| day["date"] == date).expect("a day");
    assert_eq!(day("2024-12-05")["status"], "missing");
    assert_eq!(day("2024-12-05")["rows"], 0);
    assert_eq!(day("2024-12-06")["status"], "ok");
    assert_eq!(
        report.check("points_scored")["months"][0]["month"],
        "2024-12"
    );
    let provenance = &report.document["provenance"];
    assert_eq!(provenance["suite_hash"].as_str().map(str::len), Some(64));
    assert_eq!(provenance["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_draft_passes_on_the_table_that_it_was_made_from() {
    let rig = Rig::new();
    rig.sql_on(
        "shop",
        "CREATE TABLE readings AS
           WITH RECURSIVE days(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n < 59),
           sensors(s) AS (SELECT 1 UNION ALL SELECT s + 1 FROM sensors WHERE s < 4)
           SELECT 's' || s AS sensor, date('2024-01-01', n || ' days') || 'T06:00:00Z' AS ts,
             CASE WHEN (n + s) % 9 THEN 20.5 + s END AS value, 'C' AS unit FROM days, sensors;
         CREATE TABLE invoices AS
           WITH RECURSIVE months(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM months WHERE n < 11)
           SELECT 'R' || n AS number, date('2024-01-01', n || ' months') AS month, 100 + n AS total FROM months",
    );
    for (table, range, has) in [
        ("readings", ["2024-01-01", "2024-02-29"], "calendar: daily"),
        (
            "invoices",
            ["2024-01-01", "2024-12-01"],
            "calendar: monthly",
        ),
    ] {
        let table = format!("shop.{table}");
        let output = rig
            .sandbox
            .command("bf-validate")
            .args(["--draft", &table])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(has), "{text}");
        rig.sandbox.write("draft.yaml", &text);
        let args = ["--suite", "draft.yaml", range[0], range[1]];
        rig.report("bf-validate", &args).ends("pass", 0);
    }
    assert_eq!(rig.refusal("bf-validate", &["--draft", "orders"]).0, 2);
    assert_eq!(rig.refusal("bf-validate", &["--draft", "shop.absent"]).0, 3);
}

#[test]
fn a_bad_suite_is_refused_with_its_line_and_column() {
    let rig = Rig::new();
    let head = "suite: a\ntable: nba_analytics.absent\ndate_column: d\nprimary_key: [k]\n";
    for (checks, says) in [
        (
            "checks:\n  - {name: a, unique_key: {}}\n  - {name: a, row_count: {}, at_least: 1}\n",
            "line 7 column 6",
        ),
        (
            "checks:\n  - {name: success_rate, unique_key: {}}\n",
            "line 6 column 6",
        ),
        ("checks:\n  - {name: a, unique_keys: {}}\n", "unique_keys"),
        (
            "checks:\n  - {name: a, unique_key: {worst_date_floor: 3}}\n",
            "worst_date_floor",
        ),
        (
            "checks:\n  - {name: a, unique_key: {}, unique_key: {}}\n",
            "unique_key",
        ),
        (
            "checks:\n  - {name: a, missing_dates: {}, at_most: -1}\n",
            "never -1",
        ),
        (
            "checks:\n  - {name: a, completeness: {column: x}, at_least: 101}\n",
            "0 to 100",
        ),
        ("checks:\n  - {name: a, freshness: {}}\n", "written_at"),
    ] {
        rig.sandbox.write("own.yaml", &format!("{head}{checks}"));
        let args = ["--suite", "own.yaml", MONTH[0], MONTH[1]];
        let (code, text) = rig.refusal("bf-validate", &args);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(says) && text.contains("line "), "{text}");
    }
}

#[test]
fn without_sample_rows_no_view_has_a_value_of_the_table() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET player_lookup = 'acustomer' || rowid, team_abbr = 'ACUSTOMER', usage_rate = NULL
         WHERE game_date = '2024-12-05';
         INSERT INTO player_game_summary SELECT * FROM player_game_summary WHERE game_date = '2024-12-05';
         UPDATE team_offense_game_summary SET team_abbr = 'ACUSTOMER' WHERE game_date = '2024-12-05'",
    );
    let config = |rows: u32| {
        let text = format!(
            "evidence: {{sample_rows: {rows}}}\nnotify:\n  - {{command: [sh, -c, 'cat > told'], stdin: text}}\n"
        );
        rig.sandbox.write("c.yaml", &text);
    };
    let views = || {
        let mut shell = rig.sandbox.command("/bin/sh");
        shell.arg("-c").arg(format!(
            "exec 2> text; for one in bf-validate-player-summary bf-validate-team-offense; do \
             $one {} {} --config c.yaml --format json --metrics-file $one.prom; done > v.ndjson; \
             bf-report v.ndjson --html r.html --junit j.xml --markdown m.md --annotations > annotations; \
             bf-notify --config c.yaml < v.ndjson",
            MONTH[0], MONTH[1]
        ));
        assert_eq!(shell.status().expect("it runs").code(), Some(1));
        let all = [
            "text",
            "v.ndjson",
            "r.html",
            "j.xml",
            "m.md",
            "annotations",
            "told",
        ];
        let shows = |file: &&str| rig.sandbox.read(file).to_lowercase().contains("acustomer");
        all.into_iter().filter(shows).collect::<Vec<&str>>()
    };
    config(5);
    assert!(
        views().contains(&"r.html"),
        "there is something to leave out"
    );
    config(0);
    assert_eq!(views(), [""; 0]);
}

#[test]
fn sums_that_differ_are_named_with_their_key_and_both_sums() {
    let rig = Rig::new();
    rig.sql(
        "UPDATE player_game_summary SET points = points + 7 WHERE rowid =
         (SELECT MIN(rowid) FROM player_game_summary WHERE game_date = '2024-12-05' AND points > 0)",
    );
    let report = rig.player(MONTH, &[]);
    report.fails_only(&["team_points"]);
    let said = report.message("team_points");
    for part in [
        "2024-12-05",
        "game_id ",
        "team_abbr ",
        "sum_here ",
        "sum_there ",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let rows = &report.check("team_points")["evidence"]["rows"];
    let number = |name: &str| -> f64 {
        let text = rows[0][name].as_str().expect("a figure");
        text.parse().expect("a number")
    };
    assert!((number("sum_here") - number("sum_there") - 7.0).abs() < 1e-9);
}

#[test]
fn the_group_that_lacks_its_values_is_named() {
    let rig = Rig::new();
    rig.sql("UPDATE player_game_summary SET usage_rate = NULL WHERE team_abbr = 'BOS'");
    let report = rig.player(MONTH, &[]);
    let said = report.message("usage_rate");
    assert!(said.contains("most often BOS, on "), "{said}");
}
