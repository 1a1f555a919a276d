//! Two tables side by side: what one lacks on a date is found on that date, however long the range.

use super::rig::{MONTH, PLAYER, Rig, TEAM};

/// The whole league's first weeks after the bootstrap period.
const PHASE_4: [&str; 2] = ["2024-11-05", "2024-12-10"];

#[test]
fn half_of_one_date_is_missed_though_its_players_stand_on_other_dates() {
    let rig = Rig::new();
    rig.precompute(PHASE_4);
    rig.suite("player_daily_cache", PHASE_4, &[]).is_clean();
    rig.sql_on(
        "nba_precompute",
        "DELETE FROM player_daily_cache WHERE cache_date = '2024-11-20' AND rowid % 2 = 0",
    );
    let report = rig.suite("player_daily_cache", PHASE_4, &[]);
    report.fails_only(&["players_left_out"]);
    assert_eq!(report.dates("players_left_out"), ["2024-11-20"]);
    assert_eq!(report.rerun(), ["2024-11-20"]);
    let row = report.check("players_left_out")["evidence"]["rows"][0].to_string();
    assert!(
        row.contains("2024-11-20") && row.contains("player_lookup"),
        "{row}"
    );
}

#[test]
fn the_worst_of_several_dates_is_named() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_id IN (
           SELECT MIN(game_id) FROM team_offense_game_summary
           WHERE game_date IN ('2024-12-05', '2024-12-11') GROUP BY game_date);
         DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-20'",
    );
    let report = rig.player(PLAYER, &[]);
    report.ends("fail", 1);
    let dates = ["2024-12-05", "2024-12-11", "2024-12-20"];
    assert_eq!(report.dates("team_rows"), dates);
    assert_eq!(report.dates("games_in_both"), dates);
    assert!(
        report
            .message("team_rows")
            .contains("worst date 2024-12-20 0.0%")
    );
    assert!(
        report
            .message("games_in_both")
            .contains("most on 2024-12-20")
    );
}

#[test]
fn one_team_whose_players_are_missing_for_three_weeks_is_found() {
    let rig = Rig::spoilt(
        "DELETE FROM player_game_summary
         WHERE team_abbr = 'DEN' AND game_date BETWEEN '2025-01-06' AND '2025-01-26'",
    );
    let report = rig.player(PLAYER, &[]);
    report.ends("fail", 1);
    let dates = report.dates("games_in_both");
    assert!(dates.len() >= 7, "{dates:?}");
    assert!(
        dates
            .iter()
            .all(|date| ("2025-01-06"..="2025-01-26").contains(date))
    );
    // The other way round it is the team table that lacks it.
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary
         WHERE team_abbr = 'DEN' AND game_date BETWEEN '2025-01-06' AND '2025-01-26'",
    );
    assert_eq!(rig.player(PLAYER, &[]).dates("team_rows"), dates);
    assert_eq!(rig.team(TEAM, &[]).dates("records_per_game"), dates);
}

#[test]
fn points_that_do_not_add_up_on_one_date_do_not_hide_in_the_average() {
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET points = points + 1
         WHERE game_date = '2024-12-05' AND points IS NOT NULL",
    );
    let report = rig.player(PLAYER, &[]);
    report.fails_only(&["team_points"]);
    assert_eq!(report.dates("team_points"), ["2024-12-05"]);
    // So is a single point of a single game.
    let rig = Rig::spoilt(
        "UPDATE player_game_summary SET points = points + 1 WHERE rowid =
           (SELECT MIN(rowid) FROM player_game_summary WHERE game_date = '2024-12-05' AND points > 9)",
    );
    let report = rig.player(PLAYER, &[]);
    report.fails_only(&["team_points"]);
    assert_eq!(report.dates("team_points"), ["2024-12-05"]);
}

#[test]
fn a_key_that_is_null_on_both_sides_is_no_match() {
    let rig = Rig::new();
    rig.loosen();
    rig.sql(
        "CREATE TABLE loose AS SELECT * FROM player_game_summary; DROP TABLE player_game_summary;
         ALTER TABLE loose RENAME TO player_game_summary;
         UPDATE team_offense_game_summary SET game_id = NULL WHERE game_date = '2024-12-05';
         UPDATE player_game_summary SET game_id = NULL WHERE game_date = '2024-12-05'",
    );
    let report = rig.player(MONTH, &[]);
    assert_eq!(report.dates("team_rows"), ["2024-12-05"], "{}", report.text);
    assert_eq!(report.dates("games_in_both"), ["2024-12-05"]);
}

#[test]
fn without_its_partner_a_table_could_not_be_checked() {
    for sql in [
        "DROP TABLE team_offense_game_summary",
        "ALTER TABLE team_offense_game_summary RENAME COLUMN team_abbr TO team",
    ] {
        let rig = Rig::spoilt(sql);
        let report = rig.player(MONTH, &[]);
        report.ends("error", 3);
        let unchecked = ["team_rows", "games_in_both", "team_points"];
        assert_eq!(report.with("error"), unchecked, "{}", report.text);
        assert_eq!(report.status("minutes_played"), "pass");
    }
}

#[test]
fn a_partner_that_the_suite_calls_optional_may_be_absent() {
    let rig = Rig::spoilt("DROP TABLE team_offense_game_summary");
    let partner = "partner:\n  table: nba_analytics.team_offense_game_summary\n";
    rig.own_suite(
        "player_game_summary",
        partner,
        &format!("{partner}  optional: true\n"),
    );
    let report = rig.report("bf-validate", &["--suite", "own.yaml", MONTH[0], MONTH[1]]);
    report.is_clean();
    for check in ["team_rows", "games_in_both", "team_points"] {
        assert_eq!(report.status(check), "skipped");
        assert!(report.message(check).contains("is not in this warehouse"));
    }
}

#[test]
fn phase_1_is_judged_before_the_table_of_phase_2_exists() {
    let rig = Rig::spoilt("DROP TABLE player_game_summary");
    rig.team(TEAM, &["--log-summary", "team.ndjson"]).is_clean();
    // Nor does it need a schedule; then nobody knows which dates there should be, and that is said.
    std::fs::remove_file(rig.sandbox.join("warehouse/nba_reference.db")).expect("it was there");
    let report = rig.team(TEAM, &[]);
    report.is_clean();
    assert_eq!(report.status("missing_dates"), "skipped");
}
