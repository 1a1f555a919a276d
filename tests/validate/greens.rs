//! Data that is bad and once passed, each an example of its kind.

use super::rig::{MONTH, PLAYER, Rig};

/// A shop with as many rows a day as its statement makes, and a suite over it.
fn shop(sql: &str, checks: &str) -> Rig {
    let rig = Rig::new();
    rig.sql_on("shop", sql);
    let head = "suite: orders\ntable: shop.orders\ndate_column: order_date\n\
                primary_key: [order_date, order_id]\n";
    rig.sandbox.write("own.yaml", &format!("{head}{checks}"));
    rig
}

/// 100 days with 10 rows and 20 with 25; each row with a time of writing.
const ORDERS: &str = "CREATE TABLE orders AS
    WITH RECURSIVE days(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n < 119),
    rows(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM rows WHERE k < 24)
    SELECT date('2024-01-01', n || ' days') AS order_date, n || '-' || k AS order_id,
      '2024-06-01T00:00:00Z' AS written FROM days, rows WHERE k < 10 OR n >= 100";

fn own<'a>(range: [&'a str; 2], args: &[&'a str]) -> Vec<&'a str> {
    [&["--suite", "own.yaml"], &range[..], args].concat()
}

#[test]
fn a_change_is_compared_with_every_threshold_that_it_may_have() {
    let checks = "checks:
  - {name: not_doubled, change: {volume: true}, at_most: 110}
  - {name: exactly_same, change: {volume: true}, exactly: 100}
  - {name: grows_a_lot, change: {volume: true, warn_below: 1, fail_below: 1}, at_least: 99}
";
    let rig = shop(ORDERS, checks);
    let report = rig.report("bf-validate", &own(["2024-04-10", "2024-04-29"], &[]));
    report.fails_only(&["not_doubled", "exactly_same"]);
    assert_eq!(report.check("not_doubled")["observed"], 250.0);
}

#[test]
fn freshness_has_one_threshold_with_and_without_the_start_of_the_run() {
    let checks = "written_at: written\nchecks:\n  - {name: stale, freshness: {}, at_most: 5}\n";
    let rig = shop(
        &format!(
            "{ORDERS}; UPDATE orders SET written = '2024-01-02T00:00:00Z' WHERE order_date = '2024-01-31'"
        ),
        checks,
    );
    let range = ["2024-01-01", "2024-02-29"];
    for args in [&[][..], &["--since", "2024-05-31T00:00:00Z"]] {
        let report = rig.report("bf-validate", &own(range, args));
        report.ends("pass", 0);
        assert_eq!(report.check("stale")["observed"], 1.0);
    }
    // A time of writing that has yet to come proves nothing.
    rig.sql_on(
        "shop",
        "UPDATE orders SET written = '2999-01-01T00:00:00Z' WHERE order_date = '2024-02-01'",
    );
    let report = rig.report(
        "bf-validate",
        &own(range, &["--since", "2024-05-31T00:00:00Z"]),
    );
    report.ends("error", 3);
    assert_eq!(report.dates("stale"), ["2024-01-31"]);
}

#[test]
fn a_name_of_a_check_that_bf_adds_is_refused() {
    for name in ["success_rate", "readable_dates", "log_completed"] {
        let rig = shop(
            ORDERS,
            &format!("checks: [{{name: {name}, unique_key: {{}}}}]\n"),
        );
        let (code, text) = rig.refusal("bf-validate", &own(MONTH, &[]));
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(name) && text.contains("reserved"), "{text}");
    }
}

#[test]
fn a_calendar_needs_no_schedule() {
    let checks = "checks: [{name: missing_dates, missing_dates: {calendar: daily}}, {name: rows, row_count: {}, at_least: 1}]\n";
    let rig = shop(
        &format!("{ORDERS}; DELETE FROM orders WHERE order_date = '2024-02-03'"),
        checks,
    );
    let report = rig.report("bf-validate", &own(["2024-02-01", "2024-02-29"], &[]));
    report.fails_only(&["missing_dates"]);
    assert_eq!(report.dates("missing_dates"), ["2024-02-03"]);
    let weekdays = rig.sandbox.read("own.yaml").replace("daily", "weekdays");
    rig.sandbox.write("own.yaml", &weekdays);
    rig.report("bf-validate", &own(["2024-02-01", "2024-02-29"], &[]))
        .is_clean();
    let monthly = weekdays.replace("weekdays", "monthly");
    rig.sandbox.write("own.yaml", &monthly);
    rig.sql_on(
        "shop",
        "DELETE FROM orders WHERE order_date LIKE '2024-03-%' OR order_date < '2024-01-31'",
    );
    let report = rig.report("bf-validate", &own(["2024-01-01", "2024-04-15"], &[]));
    report.fails_only(&["missing_dates"]);
    assert_eq!(report.dates("missing_dates"), ["2024-03-01"]);
}

#[test]
fn a_calendar_says_what_a_log_without_a_total_had_to_do() {
    let checks = "checks: [{name: days, missing_dates: {calendar: daily}}]\n";
    let rig = shop(ORDERS, checks);
    let dialect = "dialects: [{name: own, date_start: 'begin {date}', success: 'stored {records}', \
                   failure: 'gave up', end: 'bye$'}]\n";
    rig.sandbox.write("dialect.yaml", dialect);
    let range = ["2024-02-01", "2024-02-05"];
    let judged = |days: &[u32]| {
        let lines: Vec<String> = days
            .iter()
            .map(|day| format!("begin 2024-02-0{day}\nstored 1 orders\n"))
            .collect();
        rig.sandbox
            .write("own.log", &format!("{}bye\n", lines.concat()));
        let ledger = rig
            .sandbox
            .command("bf-parse-log")
            .args(["--ledger", "--config", "dialect.yaml", "own.log"])
            .output()
            .expect("the log is read");
        let ledger = String::from_utf8(ledger.stdout).expect("documents");
        rig.sandbox.write("own.ndjson", &ledger);
        rig.report("bf-validate", &own(range, &["--log-summary", "own.ndjson"]))
    };
    assert_eq!(judged(&[1, 2, 3, 4, 5]).status("log_completed"), "pass");
    let report = judged(&[1, 2, 4, 5]);
    assert_eq!(report.status("log_completed"), "fail");
    assert_eq!(report.dates("log_completed"), ["2024-02-03"]);
    let suite = rig.sandbox.read("own.yaml");
    let unknown = suite.replace(
        "missing_dates: {calendar: daily}",
        "row_count: {}, at_least: 1",
    );
    rig.sandbox.write("own.yaml", &unknown);
    assert_eq!(judged(&[1, 2, 3, 4, 5]).status("log_completed"), "error");
}

#[test]
fn no_rows_are_asked_for_and_none_are_there() {
    let rig = shop(
        ORDERS,
        "checks: [{name: rows, row_count: {}, exactly: 0}]\n",
    );
    rig.report("bf-validate", &own(["2023-01-01", "2023-01-31"], &[]))
        .ends("pass", 0);
    rig.report("bf-validate", &own(["2024-01-01", "2024-01-31"], &[]))
        .ends("fail", 1);
}

#[test]
fn a_filter_hides_no_row_from_a_check_of_all_rows() {
    let spoilt = [
        (
            r#"UPDATE player_game_summary SET quality_issues = '["all_sources_failed"]'
             WHERE points IS NULL AND game_date = '2024-12-05'"#,
            "blocking_issues",
        ),
        (
            "UPDATE player_game_summary SET points = NULL WHERE points < 6 AND game_date = '2024-12-05'",
            "points_of_players",
        ),
        (
            r#"UPDATE player_game_summary SET quality_issues = '[["missing_required"]]'
             WHERE game_date = '2024-12-05'"#,
            "blocking_issues",
        ),
    ];
    for (sql, check) in spoilt {
        let report = Rig::spoilt(sql).player(MONTH, &[]);
        report.ends("fail", 1);
        assert_eq!(report.status(check), "fail", "{sql}: {}", report.text);
        assert_eq!(report.dates(check), ["2024-12-05"], "{sql}");
    }
}

#[test]
fn zeros_of_a_whole_team_are_no_values() {
    for column in ["usage_rate", "minutes_played"] {
        let report = Rig::spoilt(&format!(
            "UPDATE player_game_summary SET {column} = 0 WHERE game_date = '2024-12-05' AND team_abbr = 'PHI'"
        ))
        .player(PLAYER, &[]);
        report.ends("fail", 1);
        assert_eq!(report.status(column), "fail", "{}", report.text);
        assert_eq!(report.dates(column), ["2024-12-05"]);
    }
}

#[test]
fn a_game_that_was_never_marked_as_played_is_named() {
    let game = "(SELECT MIN(game_id) FROM nba_schedule WHERE game_date = '2024-12-05')";
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05' AND game_id =
           (SELECT MIN(game_id) FROM team_offense_game_summary WHERE game_date = '2024-12-05')",
    );
    rig.sql_on(
        "nba_reference",
        &format!("UPDATE nba_schedule SET game_status = 1 WHERE game_id = {game}"),
    );
    let report = rig.team(MONTH, &[]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["missing_games"], "{}", report.text);
    let said = report.message("missing_games");
    assert!(
        said.contains("1 game never marked as played") && said.contains("20241205_"),
        "{said}"
    );
    // Unless it was played on another date.
    rig.sql_on("nba_reference", &format!(
        "INSERT INTO nba_schedule SELECT game_id, nba_game_id, '2025-01-05', season_year, home_team_abbr, away_team_abbr,
           3, 'Final', is_playoffs FROM nba_schedule WHERE game_id = {game}"
    ));
    rig.team(MONTH, &[]).is_clean();
}

#[test]
fn a_postponed_game_is_not_missed_where_the_schedule_has_a_text_alone() {
    let rig = Rig::new();
    rig.sql_on(
        "nba_reference",
        "UPDATE nba_schedule SET game_status_text = 'Final/OT' WHERE rowid % 7 = 0;
         ALTER TABLE nba_schedule DROP COLUMN game_status;
         INSERT INTO nba_schedule SELECT game_id, nba_game_id, '2024-12-04', season_year, home_team_abbr, away_team_abbr,
           'PPD', is_playoffs FROM nba_schedule WHERE game_date = '2024-12-06' LIMIT 1",
    );
    rig.team(MONTH, &[]).is_clean();
}

#[test]
fn a_hole_in_the_schedule_is_an_error_if_the_table_has_rows_in_it() {
    let rig = Rig::new();
    let hole = "game_date BETWEEN '2024-12-08' AND '2024-12-20'";
    rig.sql_on(
        "nba_reference",
        &format!("DELETE FROM nba_schedule WHERE {hole}"),
    );
    let report = rig.team(MONTH, &[]);
    report.ends("error", 3);
    assert_eq!(report.with("error"), ["missing_dates"], "{}", report.text);
    // The other table knows better.
    rig.sql(&format!(
        "DELETE FROM team_offense_game_summary WHERE {hole}"
    ));
    rig.team(MONTH, &[]).ends("error", 3);
    rig.sql(&format!("DELETE FROM player_game_summary WHERE {hole}"));
    let report = rig.team(MONTH, &[]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["missing_dates"], "{}", report.text);
}

#[test]
fn a_job_must_do_all_its_dates_unless_something_says_less() {
    let rig = Rig::new();
    let told = rig.retell("team.ndjson", |summary| {
        summary["success_rate"] = serde_json::json!(97.0);
    });
    rig.own_suite("team_offense", "config_section: team_offense\n", "");
    let text = rig.sandbox.read("own.yaml");
    let text: String = text
        .lines()
        .filter(|line| !line.contains("config_key"))
        .map(|line| format!("{line}\n"))
        .collect();
    rig.sandbox.write("own.yaml", &text);
    let args = ["--suite", "own.yaml", "--log-summary", &told];
    let report = rig.report("bf-validate", &[&args, &MONTH[..]].concat());
    report.fails_only(&["success_rate"]);
    rig.sandbox
        .write("own.yaml", &format!("min_success_rate: 96\n{text}"));
    rig.report("bf-validate", &[&args, &MONTH[..]].concat())
        .is_clean();
}

#[test]
fn small_numbers_warn_once_and_not_over_a_whole_range_of_windows() {
    let rig = Rig::new();
    let day = ["2024-05-17", "2024-05-17"];
    rig.sql(
        "UPDATE player_game_summary SET minutes_played = 20 + rowid % 7
         WHERE game_date = '2024-05-17' AND points IS NOT NULL;
         UPDATE player_game_summary SET minutes_played = NULL WHERE rowid =
           (SELECT MIN(rowid) FROM player_game_summary WHERE game_date = '2024-05-17' AND points IS NOT NULL)",
    );
    let report = rig.player(day, &[]);
    assert_eq!(report.status("minutes_played"), "warn", "{}", report.text);
    assert!(report.message("minutes_played").contains("too few to fail"));
    let report = rig.player(day, &["--no-small-numbers"]);
    assert_eq!(report.status("minutes_played"), "fail", "{}", report.text);
}

#[test]
fn a_table_that_is_not_marked_as_ready_is_judged_by_the_rule() {
    let rig = Rig::spoilt("ALTER TABLE team_offense_game_summary DROP COLUMN is_production_ready");
    let report = rig.team(MONTH, &[]);
    report.ends("pass", 0);
    let said = report.message("production_ready");
    assert!(
        said.contains("by quality_tier, quality_score, quality_issues"),
        "{said}"
    );
    let rig = Rig::spoilt(
        "ALTER TABLE team_offense_game_summary DROP COLUMN is_production_ready;
         ALTER TABLE team_offense_game_summary DROP COLUMN quality_tier",
    );
    rig.team(MONTH, &[]).ends("pass", 0);
    rig.sql("UPDATE team_offense_game_summary SET quality_score = 40");
    let report = rig.team(MONTH, &[]);
    assert_eq!(report.status("production_ready"), "fail", "{}", report.text);
    rig.sql("ALTER TABLE team_offense_game_summary DROP COLUMN quality_issues");
    assert_eq!(rig.team(MONTH, &[]).status("production_ready"), "error");
}

#[test]
fn rows_that_no_time_dates_are_no_proof_with_or_without_the_start_of_the_run() {
    let rig = Rig::new();
    rig.sql("UPDATE player_game_summary SET processed_at = NULL WHERE game_date = '2024-12-05'");
    let report = rig.player(MONTH, &[]);
    report.fails_only(&["freshness"]);
    assert_eq!(report.dates("freshness"), ["2024-12-05"]);
    let report = rig.player(MONTH, &["--since", "2020-01-01T00:00:00Z"]);
    report.fails_only(&["freshness"]);
    rig.sql("UPDATE player_game_summary SET processed_at = NULL");
    let report = rig.player(MONTH, &[]);
    assert_eq!(report.status("freshness"), "skipped", "nothing to tell by");
    assert!(
        report.text.contains("NOT CHECKED: freshness"),
        "{}",
        report.text
    );
}

#[test]
fn on_a_single_date_a_team_without_values_fails_and_a_few_rows_are_a_warning() {
    let day = ["2024-12-06", "2024-12-06"];
    let rig = Rig::new();
    rig.sql(
        "UPDATE player_game_summary SET minutes_played = NULL WHERE rowid IN (SELECT rowid FROM player_game_summary
         WHERE game_date = '2024-12-06' AND points IS NOT NULL AND minutes_played IS NOT NULL LIMIT 2)",
    );
    assert_eq!(rig.player(day, &[]).code, 0);
    let rig = Rig::new();
    rig.sql(
        "UPDATE player_game_summary SET usage_rate = NULL WHERE game_date = '2024-12-06' AND team_abbr =
         (SELECT MIN(team_abbr) FROM player_game_summary WHERE game_date = '2024-12-06')",
    );
    let report = rig.player(day, &[]);
    report.fails_only(&["usage_rate"]);
    assert_eq!(report.dates("usage_rate"), ["2024-12-06"]);
}
