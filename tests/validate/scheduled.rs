//! As many games as planned, and not the planned ones: the table is held against the schedule's own rows.

use super::rig::{MONTH, Rig, TEAM};

/// The first game of a date in the middle of everything.
const A_GAME: &str =
    "(SELECT game_id FROM team_offense_game_summary WHERE game_date = '2024-12-04' LIMIT 1)";

#[test]
fn home_and_away_the_wrong_way_round_are_found() {
    let rig = Rig::spoilt(&format!(
        "UPDATE team_offense_game_summary SET home_game = 1 - home_game WHERE game_id = {A_GAME}"
    ));
    let report = rig.team(TEAM, &[]);
    report.fails_only(&["home_teams", "away_teams"]);
    assert_eq!(report.dates("home_teams"), ["2024-12-04"]);
    assert_eq!(report.rerun(), ["2024-12-04"]);
    let rows = report.check("away_teams")["evidence"]["rows"].as_array();
    assert_eq!(rows.map(Vec::len), Some(1), "{}", report.text);
}

#[test]
fn a_game_in_the_place_of_another_is_found() {
    let rig = Rig::spoilt(&format!(
        "UPDATE team_offense_game_summary SET game_id = '20241204_AAA_BBB' WHERE game_id = {A_GAME}"
    ));
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["scheduled_games", "home_teams", "away_teams"]);
    assert_eq!(report.dates("scheduled_games"), ["2024-12-04"]);
    let said = report.message("scheduled_games");
    assert!(
        said.contains("2 records not as in nba_reference.nba_schedule on 1 date"),
        "{said}"
    );
}

#[test]
fn a_team_that_plays_against_itself_is_found() {
    let rig = Rig::spoilt(&format!(
        "UPDATE team_offense_game_summary SET opponent_team_abbr = team_abbr WHERE game_id = {A_GAME} AND home_game"
    ));
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["home_teams"]);
    assert_eq!(report.dates("home_teams"), ["2024-12-04"]);
}

#[test]
fn a_schedule_that_calls_its_games_otherwise_is_compared_by_teams() {
    let rig = Rig::new();
    rig.sql_on(
        "nba_reference",
        "UPDATE nba_schedule SET game_id = nba_game_id",
    );
    let report = rig.team(MONTH, &[]);
    report.is_clean();
    // Its ids are compared as the suite says that the table's are made.
    assert_eq!(report.status("scheduled_games"), "pass", "{}", report.text);
    for name in ["home_teams", "away_teams"] {
        assert_eq!(report.status(name), "pass", "{}", report.text);
    }
    rig.sql(&format!(
        "UPDATE team_offense_game_summary SET home_game = 1 - home_game WHERE game_id = {A_GAME}"
    ));
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["home_teams", "away_teams"]);
    assert_eq!(report.dates("home_teams"), ["2024-12-04"]);
    // Where a suite insists and says nothing of its ids, that is a question without an answer.
    let file = include_str!("../../config/suites/team_offense.yaml");
    let from = file.find("    optional: true\n    scheduled:\n      columns: [game_id]\n");
    let from = from.expect("the check of ids");
    let end = from + file[from..].find("  - name").expect("another check");
    let optional = &file[from..end];
    let asked = "    level: critical\n    scheduled: {columns: [game_id]}\n";
    rig.own_suite("team_offense", optional, asked);
    let report = rig.report("bf-validate", &["--suite", "own.yaml", MONTH[0], MONTH[1]]);
    assert_eq!(
        (report.code, report.status("scheduled_games")),
        (1, "error"),
        "{}",
        report.text
    );
}

#[test]
fn ids_the_wrong_way_round_are_found_though_the_schedule_writes_its_own_otherwise() {
    let rig = Rig::new();
    rig.sql_on(
        "nba_reference",
        "UPDATE nba_schedule SET game_id = nba_game_id",
    );
    let reversed =
        "substr(game_id, 1, 9) || substr(game_id, 14, 3) || '_' || substr(game_id, 10, 3)";
    for table in ["team_offense_game_summary", "player_game_summary"] {
        rig.sql(&format!(
            "UPDATE {table} SET game_id = {reversed} WHERE game_date = '2024-12-05'"
        ));
    }
    let report = rig.team(MONTH, &[]);
    report.fails_only(&["scheduled_games"]);
    assert_eq!(report.dates("scheduled_games"), ["2024-12-05"]);
    let report = rig.player(MONTH, &[]);
    report.fails_only(&["scheduled_games"]);
}

#[test]
fn ids_that_are_all_wrong_are_not_passed_over() {
    let reversed =
        "substr(game_id, 1, 9) || substr(game_id, 14, 3) || '_' || substr(game_id, 10, 3)";
    for sql in [
        // Home and away the wrong way round in every id of both tables.
        format!(
            "UPDATE team_offense_game_summary SET game_id = {reversed}; UPDATE player_game_summary SET game_id = {reversed}"
        ),
        // The day holds another day's games.
        ["team_offense_game_summary", "player_game_summary"]
            .map(|table| {
                format!(
                    "DELETE FROM {table} WHERE game_date = '2024-12-05'; \
                 UPDATE {table} SET game_date = '2024-12-05' WHERE game_date = '2024-12-06'"
                )
            })
            .join("; "),
    ] {
        let rig = Rig::spoilt(&sql);
        let day = ["2024-12-05", "2024-12-05"];
        let team = rig.team(day, &[]);
        assert_eq!(team.status("scheduled_games"), "fail", "{}", team.text);
        assert_eq!(team.dates("scheduled_games"), ["2024-12-05"]);
        let player = rig.player(day, &[]);
        assert_eq!(player.status("scheduled_games"), "fail", "{}", player.text);
        assert_eq!(player.status("teams_of_games"), "fail", "{}", player.text);
    }
}

#[test]
fn ids_that_nothing_can_be_compared_with_could_not_be_checked() {
    let rig = Rig::new();
    rig.sql_on(
        "nba_reference",
        "UPDATE nba_schedule SET game_id = nba_game_id;
         ALTER TABLE nba_schedule DROP COLUMN home_team_abbr; ALTER TABLE nba_schedule DROP COLUMN away_team_abbr",
    );
    let report = rig.team(MONTH, &[]);
    report.ends("error", 3);
    assert_eq!(report.with("error"), ["scheduled_games"], "{}", report.text);
    // Neither ids nor teams: skipped and named.
    rig.sql_on(
        "nba_reference",
        "ALTER TABLE nba_schedule DROP COLUMN game_id",
    );
    let report = rig.team(MONTH, &[]);
    report.ends("pass", 0);
    for name in ["scheduled_games", "home_teams", "away_teams"] {
        assert_eq!(report.status(name), "skipped", "{}", report.text);
        assert!(report.text.contains(name), "{}", report.text);
    }
}

#[test]
fn a_schedule_may_have_other_names_for_the_teams_or_none() {
    let rig = Rig::spoilt(&format!(
        "UPDATE team_offense_game_summary SET home_game = 1 - home_game WHERE game_id = {A_GAME}"
    ));
    rig.sql_on(
        "nba_reference",
        "ALTER TABLE nba_schedule RENAME COLUMN home_team_abbr TO home_team_tricode;
         ALTER TABLE nba_schedule RENAME COLUMN away_team_abbr TO away_team_tricode",
    );
    rig.team(MONTH, &[])
        .fails_only(&["home_teams", "away_teams"]);
    rig.sql_on(
        "nba_reference",
        "ALTER TABLE nba_schedule DROP COLUMN home_team_tricode",
    );
    let report = rig.team(MONTH, &[]);
    report.is_clean();
    let said = report.message("home_teams");
    assert!(
        said.contains("nba_schedule has no column home_team_abbr"),
        "{said}"
    );
}
