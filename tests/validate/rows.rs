//! What is wrong with the rows of dates that are there.

use super::rig::{MONTH, PLAYER, Rig, TEAM};

#[test]
fn half_written_games_are_found_with_their_dates() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE rowid IN (
           SELECT MIN(rowid) FROM team_offense_game_summary
           WHERE game_date IN ('2022-11-02', '2024-12-05', '2025-12-03') GROUP BY game_date)",
    );
    let report = rig.team(TEAM, &[]);
    report.fails_only(&["records_per_game"]);
    let dates = ["2022-11-02", "2024-12-05", "2025-12-03"];
    assert_eq!(report.dates("records_per_game"), dates);
    assert_eq!(report.rerun(), dates);
    assert_eq!(report.status("game_count"), "pass");
    let evidence = &report.check("records_per_game")["evidence"];
    assert_eq!(evidence["rows"].as_array().map(Vec::len), Some(3));
    assert!(
        evidence["query"]
            .as_str()
            .is_some_and(|sql| sql.contains("game_id"))
    );
}

#[test]
fn duplicate_keys_are_found_in_both_tables() {
    let rig = Rig::spoilt(
        "INSERT INTO team_offense_game_summary
           SELECT * FROM team_offense_game_summary WHERE game_date = '2024-12-05' LIMIT 1;
         INSERT INTO player_game_summary
           SELECT * FROM player_game_summary WHERE game_date IN ('2024-12-05', '2024-12-06');",
    );
    let team = rig.team(TEAM, &[]);
    team.fails_only(&["home_and_away", "records_per_game", "unique_key"]);
    assert_eq!(team.dates("unique_key"), ["2024-12-05"]);
    assert_eq!(team.check("unique_key")["observed"], 1.0);
    let player = rig.player(PLAYER, &[]);
    player.ends("fail", 1);
    assert_eq!(player.status("unique_key"), "fail");
    assert_eq!(player.dates("unique_key"), ["2024-12-05", "2024-12-06"]);
}

#[test]
fn three_empty_months_do_not_hide_in_a_good_average() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET usage_rate = NULL
         WHERE substr(game_date, 1, 7) IN ('2024-06', '2025-06')
            OR game_date BETWEEN '2024-10-22' AND '2024-10-25'",
    );
    let config = "player_game_summary:\n  usage_rate_pct: 90\n";
    rig.sandbox.write("config.yaml", config);
    let report = rig.player(PLAYER, &["--config", "config.yaml"]);
    report.fails_only(&["usage_rate", "usage_level"]);
    let check = report.check("usage_rate");
    assert!(
        check["observed"]
            .as_f64()
            .is_some_and(|share| share >= 90.0)
    );
    assert_eq!(check["level"], "critical");
    assert!(report.message("usage_rate").contains("worst month"));
    let months: std::collections::BTreeSet<&str> = report
        .dates("usage_rate")
        .iter()
        .map(|date| &date[..7])
        .collect();
    assert_eq!(
        months.into_iter().collect::<Vec<_>>(),
        ["2024-06", "2024-10", "2025-06"]
    );
}

#[test]
fn an_empty_column_fails_with_every_date() {
    let rig = Rig::spoilt("UPDATE player_game_summary SET usage_rate = NULL");
    let report = rig.player(MONTH, &[]);
    report.ends("fail", 1);
    assert_eq!(report.check("usage_rate")["observed"], 0.0);
    assert_eq!(report.check("usage_rate")["evidence"]["numerator"], 0);
    assert!(report.dates("usage_rate").len() > 20);
    assert!(report.text.contains("CRITICAL"), "{}", report.text);
}

#[test]
fn a_column_that_was_better_before_is_seen() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET usage_rate = NULL
         WHERE game_date BETWEEN '2024-12-01' AND '2024-12-31' AND rowid % 13 < 1;",
    );
    let config = "player_game_summary:\n  usage_rate_pct: 80\n";
    rig.sandbox.write("config.yaml", config);
    let report = rig.player(MONTH, &["--config", "config.yaml"]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["usage_rate_change"]);
    rig.player(MONTH, &["--config", "config.yaml", "--strict"])
        .ends("warn", 1);
}

#[test]
fn text_in_a_column_of_numbers_is_no_value() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET usage_rate = 'n/a', minutes_played = '31:42'
         WHERE game_date = '2024-12-05'",
    );
    let report = rig.player(MONTH, &[]);
    report.ends("fail", 1);
    for check in ["usage_rate", "minutes_played"] {
        assert_eq!(report.status(check), "fail", "{}", report.text);
        assert!(report.dates(check).contains(&"2024-12-05"));
    }
}

#[test]
fn infinity_is_neither_a_value_nor_a_good_average() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET usage_rate = 9e999 WHERE game_date = '2024-12-05';
         UPDATE team_offense_game_summary SET quality_score = 9e999 WHERE rowid % 2 = 0;
         UPDATE team_offense_game_summary SET quality_score = 50 WHERE rowid % 2 = 1;",
    );
    let player = rig.player(MONTH, &[]);
    assert_eq!(player.status("usage_rate"), "fail", "{}", player.text);
    assert!(player.dates("usage_rate").contains(&"2024-12-05"));
    let team = rig.team(MONTH, &[]);
    team.fails_only(&["quality_known", "quality_score"]);
    assert_eq!(team.check("quality_score")["observed"], 50.0);
}

#[test]
fn an_average_over_nothing_is_no_pass() {
    let rig = Rig::spoilt("UPDATE team_offense_game_summary SET quality_score = NULL");
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["quality_known", "quality_score"]);
    assert!(report.check("quality_score")["observed"].is_null());
}

#[test]
fn a_blocking_issue_is_found_with_its_row() {
    let rig = Rig::spoilt(
        r#"UPDATE player_game_summary SET quality_issues = '["late", "placeholder_created"]'
           WHERE rowid = (SELECT MIN(rowid) FROM player_game_summary
                          WHERE game_date = '2024-12-05' AND points IS NOT NULL)"#,
    );
    let report = rig.player(MONTH, &[]);
    report.fails_only(&["blocking_issues"]);
    assert_eq!(report.dates("blocking_issues"), ["2024-12-05"]);
    let row = report.check("blocking_issues")["evidence"]["rows"][0].to_string();
    assert!(row.contains("placeholder_created"), "{row}");
}

#[test]
fn rows_of_an_older_run_cannot_stand_in_for_this_one() {
    let rig = Rig::spoilt(
        "UPDATE team_offense_game_summary SET processed_at = '2024-12-20T03:00:00Z'
         WHERE game_date IN ('2024-12-05', '2024-12-06')",
    );
    let since = "2025-01-01T00:00:00Z";
    let report = rig.team(MONTH, &["--since", since]);
    report.fails_only(&["freshness"]);
    assert_eq!(report.dates("freshness"), ["2024-12-05", "2024-12-06"]);
    assert_eq!(report.rerun(), ["2024-12-05", "2024-12-06"]);
    // The log claims these dates: a ledger does not excuse them.
    let report = rig.team(MONTH, &["--since", since, "--log-summary", "team.ndjson"]);
    report.fails_only(&["freshness"]);
    // Nobody says when the run began, and still they stand out.
    rig.team(MONTH, &[]).fails_only(&["freshness"]);
    Rig::new().team(MONTH, &["--since", since]).is_clean();
}

#[test]
fn a_run_that_wrote_nothing_at_all_is_seen_by_the_time_of_its_start() {
    let rig = Rig::new();
    let report = rig.team(MONTH, &["--since", "2999-01-01T00:00:00Z"]);
    report.fails_only(&["freshness"]);
    assert!(report.dates("freshness").len() > 20);
}

#[test]
fn player_rows_without_their_team_are_found() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05' AND game_id =
           (SELECT MIN(game_id) FROM team_offense_game_summary WHERE game_date = '2024-12-05')",
    );
    let report = rig.player(MONTH, &[]);
    report.ends("fail", 1);
    for check in ["team_rows", "games_in_both"] {
        assert_eq!(report.status(check), "fail", "{}", report.text);
        assert_eq!(report.dates(check), ["2024-12-05"]);
    }
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["missing_games"]);
    assert_eq!(report.dates("missing_games"), ["2024-12-05"]);
}

/// Statements that spoil 5 December 2024 or the month around it, the check that must say so, and who has it.
const PLANTED: [(&str, &str, bool); 20] = [
    (
        "UPDATE player_game_summary SET usage_rate = 0 WHERE game_date LIKE '2024-12-%'",
        "usage_varies",
        true,
    ),
    (
        "UPDATE player_game_summary SET usage_rate = 20 WHERE game_date LIKE '2024-12-%'",
        "usage_varies",
        true,
    ),
    (
        "UPDATE player_game_summary SET usage_rate = usage_rate / 100 WHERE game_date LIKE '2024-12-%'",
        "usage_level",
        true,
    ),
    (
        "UPDATE player_game_summary SET minutes_played = 0 WHERE game_date = '2024-12-05'",
        "minutes_vary",
        true,
    ),
    (
        "UPDATE player_game_summary SET minutes_played = -1 WHERE game_date = '2024-12-05'",
        "plausible_minutes",
        true,
    ),
    (
        "UPDATE player_game_summary SET usage_rate = NULL WHERE team_abbr = 'PHI'",
        "usage_rate",
        true,
    ),
    (
        "UPDATE player_game_summary SET usage_rate = '' WHERE game_date = '2024-12-05'",
        "usage_rate",
        true,
    ),
    (
        "UPDATE player_game_summary SET quality_tier = '' WHERE game_date = '2024-12-05'",
        "quality_tier",
        true,
    ),
    (
        "UPDATE player_game_summary SET player_lookup = player_lookup || ' ' WHERE game_date = '2024-12-05'",
        "sound_keys",
        true,
    ),
    (
        "UPDATE player_game_summary SET player_lookup = upper(player_lookup) WHERE game_date = '2024-12-05'",
        "sound_keys",
        true,
    ),
    (
        "UPDATE player_game_summary SET team_abbr = 'SEA' WHERE game_id = '20241205_PHI_UTA' AND team_abbr = 'UTA'",
        "known_teams",
        true,
    ),
    (
        "DELETE FROM player_game_summary WHERE game_id = '20241205_PHI_UTA' AND rowid % 2 = 0",
        "players_per_team",
        true,
    ),
    (
        "UPDATE team_offense_game_summary SET home_game = 1 WHERE game_date = '2024-12-05'",
        "home_and_away",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET team_abbr = lower(team_abbr) WHERE game_date = '2024-12-05'",
        "known_teams",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET game_id = game_id || char(9) WHERE game_date = '2024-12-05'",
        "sound_keys",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET points_scored = NULL WHERE game_date = '2024-12-05'",
        "points_scored",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET points_scored = 0 WHERE game_date = '2024-12-05'",
        "plausible_points",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET quality_score = 0 WHERE game_date LIKE '2024-12-%'",
        "quality_score",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET quality_score = NULL WHERE game_date LIKE '2024-12-%'",
        "quality_known",
        false,
    ),
    (
        "UPDATE team_offense_game_summary SET is_production_ready = 0 WHERE game_date LIKE '2024-12-%'",
        "production_ready",
        false,
    ),
];

#[test]
fn what_is_there_and_says_nothing_does_not_hide_in_a_long_range() {
    for (sql, check, is_player) in PLANTED {
        let rig = Rig::spoilt(sql);
        let report = if is_player {
            rig.player(PLAYER, &[])
        } else {
            rig.team(TEAM, &[])
        };
        report.ends("fail", 1);
        assert_eq!(report.status(check), "fail", "{sql}: {}", report.text);
        assert!(
            report.dates(check).contains(&"2024-12-05"),
            "{sql}: {}",
            report.text
        );
        assert!(report.with("error").is_empty(), "{}", report.text);
    }
}

#[test]
fn another_unit_over_the_whole_range_is_seen() {
    let rig = Rig::spoilt("UPDATE player_game_summary SET minutes_played = minutes_played / 60");
    let report = rig.player(PLAYER, &[]);
    report.fails_only(&["minutes_level"]);
    let rig = Rig::spoilt("UPDATE player_game_summary SET usage_rate = usage_rate / 100");
    let report = rig.player(PLAYER, &[]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["usage_unit"]);
}

#[test]
fn a_team_without_points_does_not_hide_among_thirty() {
    let rig = Rig::spoilt(
        "UPDATE team_offense_game_summary SET points_scored = NULL
         WHERE team_abbr = 'LAL' AND game_date LIKE '2024-12-%'",
    );
    let report = rig.team(TEAM, &[]);
    report.fails_only(&["points_scored"]);
    assert!(
        report
            .dates("points_scored")
            .iter()
            .all(|date| date.starts_with("2024-12"))
    );
}
