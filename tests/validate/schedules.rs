//! Which dates a table should have: schedules with columns of their own, seasons that begin without rows, and
//! summers in which there is nothing to find.

use super::rig::{MONTH, Rig, TEAM};

/// A season from its first day on: its first 14 days have no rows in phase 4.
const FROM_OPENING: [&str; 2] = ["2024-10-22", "2024-12-10"];
const SUMMER: [&str; 2] = ["2025-07-05", "2025-09-20"];

#[test]
fn a_schedule_is_read_by_its_own_date_column() {
    let rig = Rig::new();
    rig.precompute(["2024-11-05", "2024-12-10"]);
    let report = rig.suite("player_daily_cache", ["2024-11-05", "2024-12-10"], &[]);
    report.is_clean();
    assert!(
        report
            .message("missing_dates")
            .contains("nba_reference.nba_schedule")
    );
    rig.sql_on(
        "nba_precompute",
        "DELETE FROM player_daily_cache WHERE cache_date = '2024-12-04';
         DELETE FROM player_composite_factors WHERE game_date = '2024-12-04'",
    );
    let report = rig.suite("player_daily_cache", ["2024-11-05", "2024-12-10"], &[]);
    report.fails_only(&["missing_dates"]);
    assert_eq!(report.dates("missing_dates"), ["2024-12-04"]);
}

#[test]
fn a_schedule_may_call_its_day_as_it_likes() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05'");
    rig.sql_on(
        "nba_reference",
        "ALTER TABLE nba_schedule RENAME COLUMN game_date TO played_on",
    );
    let named = "  - table: nba_reference.nba_schedule\n";
    let column = "  - table: nba_reference.nba_schedule\n    date_column: played_on\n";
    rig.own_suite("team_offense", named, column);
    let args = ["--suite", "own.yaml", MONTH[0], MONTH[1]];
    let report = rig.report("bf-validate", &args);
    report.fails_only(&["missing_dates", "missing_games"]);
    assert_eq!(report.dates("missing_dates"), ["2024-12-05"]);
    // One that is there and cannot be read is not the same as none.
    let report = rig.team(MONTH, &[]);
    assert_eq!(report.status("missing_dates"), "error", "{}", report.text);
    assert!(
        report
            .message("missing_dates")
            .contains("nba_schedule has no column game_date")
    );
}

#[test]
fn the_first_days_of_a_season_are_not_missed_where_the_suite_says_so() {
    let rig = Rig::new();
    rig.precompute(FROM_OPENING);
    let documents = rig.parse("phase4.log");
    for args in [&[][..], &["--log-summary", &documents]] {
        let report = rig.suite("player_daily_cache", FROM_OPENING, args);
        report.is_clean();
        let said = report.message("missing_dates");
        assert!(
            said.contains("14 dates of the first days of a season"),
            "{said}"
        );
    }
    let report = rig.suite(
        "player_daily_cache",
        FROM_OPENING,
        &["--log-summary", &documents],
    );
    let skipped = report.message("skipped_dates");
    assert!(
        skipped.contains("14 dates") && skipped.contains("bootstrap"),
        "{skipped}"
    );
    // The day after them is missed.
    rig.sql_on(
        "nba_precompute",
        "DELETE FROM player_daily_cache WHERE cache_date IN ('2024-11-05', '2024-11-06')",
    );
    let report = rig.suite("player_daily_cache", FROM_OPENING, &[]);
    assert_eq!(
        report.dates("missing_dates"),
        ["2024-11-06"],
        "{}",
        report.text
    );
}

#[test]
fn a_date_that_the_job_skipped_is_missing_unless_the_suite_allows_it() {
    let rig = Rig::new();
    rig.precompute(FROM_OPENING);
    let documents = rig.parse("phase4.log");
    rig.own_suite(
        "player_daily_cache",
        "bootstrap: {days: 14",
        "bootstrap: {days: 4",
    );
    let args = ["--suite", "own.yaml", FROM_OPENING[0], FROM_OPENING[1]];
    let report = rig.report(
        "bf-validate",
        &[&args[..], &["--log-summary", &documents]].concat(),
    );
    assert_eq!(report.status("missing_dates"), "fail", "{}", report.text);
    assert_eq!(report.dates("missing_dates")[0], "2024-10-26");
    let said = report.message("missing_dates");
    assert!(
        said.contains("skipped by the job (") && said.contains("bootstrap"),
        "{said}"
    );
    for bad in ["bootstrap: {days: 0", "bootstrap: {days: 300"] {
        rig.own_suite("player_daily_cache", "bootstrap: {days: 14", bad);
        assert_eq!(rig.refusal("bf-validate", &args).0, 2);
    }
}

#[test]
fn a_configured_source_that_is_not_there_is_an_error_for_a_part_of_the_range_too() {
    let rig = Rig::new();
    for source in [
        "table: nba_raw.nbac_schedule",
        "csv: absent.csv",
        "log: true",
    ] {
        rig.sandbox
            .write("config.yaml", &format!("expected_dates:\n  {source}\n"));
        for range in [
            MONTH,
            ["2026-01-01", "2026-01-10"],
            ["2021-01-01", "2021-10-25"],
        ] {
            let report = rig.team(range, &["--config", "config.yaml"]);
            report.ends("error", 3);
            assert!(report.with("error").contains(&"missing_dates"));
            assert_eq!(report.status("game_count"), "error", "{}", report.text);
        }
    }
}

#[test]
fn a_summer_without_games_is_no_hole() {
    let rig = Rig::new();
    let report = rig.team(SUMMER, &[]);
    report.is_clean();
    assert_eq!(report.with("pass"), ["missing_dates"]);
    assert_eq!(report.status("game_count"), "skipped");
    rig.player(SUMMER, &[]).is_clean();
    rig.team(["2025-02-14", "2025-02-18"], &[]).is_clean();
    // The log of a job that went over it has nothing to claim.
    rig.sandbox.run_job(
        "summer.log",
        &[
            "team-offense",
            "--start-date",
            SUMMER[0],
            "--end-date",
            SUMMER[1],
            "--no-resume",
        ],
    );
    let documents = rig.parse("summer.log");
    let report = rig.team(SUMMER, &["--log-summary", &documents]);
    assert_ne!(report.status("reconciliation"), "fail", "{}", report.text);
    // Rows on a day without a game are games that nobody planned.
    rig.sql(
        "UPDATE team_offense_game_summary SET game_date = '2025-08-01' WHERE game_id =
           (SELECT MIN(game_id) FROM team_offense_game_summary WHERE game_date = '2024-12-05')",
    );
    let report = rig.team(SUMMER, &[]);
    assert_eq!(report.code, 1, "{}", report.text);
    assert_eq!(report.dates("unscheduled_games"), ["2025-08-01"]);
}

#[test]
fn a_range_that_no_schedule_reaches_is_no_data() {
    let rig = Rig::new();
    rig.team(["2026-01-03", "2026-01-31"], &[]).ends("fail", 1);
    rig.team(["2019-01-01", "2019-03-01"], &[]).ends("fail", 1);
    // A schedule with a hole is no proof either while the other table knows better.
    rig.sql_on(
        "nba_reference",
        "DELETE FROM nba_schedule WHERE game_date BETWEEN '2024-12-01' AND '2024-12-31'",
    );
    rig.sql("DELETE FROM team_offense_game_summary WHERE game_date LIKE '2024-12-%'");
    let report = rig.team(MONTH, &[]);
    report.ends("fail", 1);
    assert!(report.dates("missing_dates").len() > 20, "{}", report.text);
}

#[test]
fn games_that_no_schedule_has_are_found_on_their_dates() {
    let rig = Rig::spoilt(
        "INSERT INTO team_offense_game_summary (game_id, game_date, season_year, team_abbr,
           opponent_team_abbr, home_game, win_flag, points_scored, quality_score, quality_issues,
           is_production_ready, quality_tier, processed_at)
         SELECT n.value || game_id, game_date, season_year, team_abbr, opponent_team_abbr, home_game, win_flag,
           points_scored, quality_score, quality_issues, is_production_ready, quality_tier, processed_at
         FROM team_offense_game_summary, (SELECT 1 AS value UNION SELECT 2 UNION SELECT 3) AS n
         WHERE game_date = '2024-12-05'",
    );
    let report = rig.team(TEAM, &[]);
    report.fails_only(&[
        "unscheduled_games",
        "scheduled_games",
        "home_teams",
        "away_teams",
    ]);
    assert_eq!(report.dates("unscheduled_games"), ["2024-12-05"]);
}

#[test]
fn a_schedule_that_begins_late_is_no_proof_that_nothing_is_missing_before() {
    let rig = Rig::new();
    rig.sql_on(
        "nba_reference",
        "DELETE FROM nba_schedule WHERE game_date < '2024-12-10'",
    );
    let report = rig.team(MONTH, &[]);
    report.ends("error", 3);
    let said = report.message("missing_dates");
    assert!(
        said.contains("begins on 2024-12-10") && said.contains("2024-12-01 to 2024-12-09"),
        "{said}"
    );
}

#[test]
fn a_hole_in_the_schedule_is_no_summer() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date BETWEEN '2024-01-08' AND '2024-01-14'",
    );
    rig.sql_on(
        "nba_reference",
        "DELETE FROM nba_schedule WHERE game_date BETWEEN '2024-01-08' AND '2024-01-14'",
    );
    let report = rig.team(["2024-01-08", "2024-01-14"], &[]);
    assert_ne!(report.code, 0, "{}", report.text);
    assert_ne!(report.status("missing_dates"), "pass");
}

#[test]
fn another_tables_dates_are_no_schedule() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date LIKE '2022-05-%'");
    std::fs::remove_file(rig.sandbox.join("warehouse/nba_reference.db")).expect("a schedule");
    let report = rig.team(TEAM, &[]);
    assert_eq!(report.status("missing_dates"), "skipped", "{}", report.text);
    let said = report.message("missing_dates");
    assert!(said.contains("no schedule is known"), "{said}");
    assert!(report.text.contains("NOT CHECKED: missing_dates"));
}

#[test]
fn a_schedule_that_was_not_kept_up_is_said() {
    let unkept = "DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-04'";
    for (change, says) in [
        (
            "UPDATE nba_schedule SET game_status = 1 WHERE game_date = '2024-12-04'",
            "1 date with something that was never marked as played, and no record",
        ),
        (
            "UPDATE nba_schedule SET game_date = replace(game_date, '-', '/') WHERE game_date = '2024-12-04'",
            "rows of it without a readable date",
        ),
    ] {
        let rig = Rig::spoilt(unkept);
        rig.sql_on("nba_reference", change);
        let report = rig.team(TEAM, &[]);
        assert_eq!(report.status("missing_dates"), "warn", "{}", report.text);
        let said = report.message("missing_dates");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn what_a_status_means_in_a_schedule_is_the_suites_to_say() {
    let rig = Rig::new();
    rig.sql_on(
        "league",
        "CREATE TABLE scores (game_date DATE, game_id TEXT, team TEXT);
         CREATE TABLE schedule (game_date DATE, game_id TEXT, status INTEGER, kind TEXT);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 29)
         INSERT INTO schedule SELECT date('2024-01-01', i || ' days'), '00' || (300 + i), iif(i = 0, 3, 7), 'cup'
           FROM n;
         INSERT INTO schedule VALUES ('2024-01-03', 'x1', 7, 'friendly'), ('2024-01-04', '00400', 1, 'cup');
         INSERT INTO scores SELECT game_date, game_id, 'A' FROM schedule
           WHERE kind = 'cup' AND status = 7 AND game_date NOT IN ('2024-01-06', '2024-01-07');",
    );
    for (schedule, missing) in [
        ("league.schedule", 5),
        (
            "{table: league.schedule, where: {kind: cup}, played: {status: 7}}",
            2,
        ),
        (
            "{table: league.schedule, where: {game_id: {prefix: '00'}}, played: {status: [7, 8]}}",
            2,
        ),
    ] {
        rig.sandbox.write(
            "own.yaml",
            &format!(
                "suite: league\ntable: league.scores\ndate_column: game_date\nprimary_key: [game_id, team]\n\
                 group: {{name: game, column: game_id}}\nschedules: [{schedule}]\nchecks:\n  \
                 - {{name: missing_games, missing_groups: {{}}}}\n"
            ),
        );
        let args = ["--suite", "own.yaml", "2024-01-01", "2024-01-30"];
        let report = rig.report("bf-validate", &args);
        report.ends("fail", 1);
        let observed = report.check("missing_games")["observed"].as_f64();
        assert_eq!(
            observed,
            Some(f64::from(missing)),
            "{schedule}: {}",
            report.text
        );
    }
}
