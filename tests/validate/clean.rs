//! What is clean passes, without a warning and without anything to repeat.

use super::rig::{MONTH, PLAYER, Rig, TEAM};

#[test]
fn the_documented_ranges_pass_with_their_logs() {
    let rig = Rig::new();
    let team = rig.team(TEAM, &["--log-summary", "team.ndjson"]);
    team.is_clean();
    assert_eq!(team.check("game_count")["observed"], 5_798.0);
    assert_eq!(
        team.check("records_per_game")["evidence"]["denominator"],
        5_798
    );
    let player = rig.player(PLAYER, &["--log-summary", "player.ndjson"]);
    player.is_clean();
    assert_eq!(player.check("record_count")["observed"], 38_547.0);
    assert_eq!(player.status("reconciliation"), "pass");
}

#[test]
fn off_season_breaks_weeks_and_single_days_raise_no_false_alarm() {
    let rig = Rig::new();
    for range in [
        ["2024-05-01", "2024-11-10"], // the off-season in the middle
        ["2025-06-01", "2025-09-30"], // and at the end
        ["2025-02-10", "2025-02-24"], // the All-Star break
        ["2025-01-06", "2025-01-12"],
        ["2025-01-08", "2025-01-08"],
    ] {
        rig.team(range, &[]).is_clean();
        rig.player(range, &[]).is_clean();
    }
}

#[test]
fn players_who_did_not_play_need_no_minutes() {
    let rig = Rig::new();
    let absent: i64 = rig
        .connection()
        .query_row(
            "SELECT COUNT(*) FROM player_game_summary WHERE points IS NULL AND minutes_played IS NULL",
            [],
            |row| row.get(0),
        )
        .expect("a count");
    assert!(absent > 1_000, "{absent}");
    rig.player(MONTH, &[]).is_clean();
}

#[test]
fn shot_zones_may_be_there_for_less_than_half_of_the_rows() {
    let rig =
        Rig::spoilt("UPDATE player_game_summary SET paint_attempts = NULL WHERE rowid % 2 = 0");
    let report = rig.player(PLAYER, &[]);
    report.is_clean();
    let share = report.check("shot_zones")["observed"]
        .as_f64()
        .expect("a share");
    assert!((40.0..50.0).contains(&share), "{share}");
}

#[test]
fn a_table_without_history_has_nothing_to_compare_with() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date < '2024-12-01';
         DELETE FROM player_game_summary WHERE game_date < '2024-12-01'",
    );
    let report = rig.player(MONTH, &[]);
    report.is_clean();
    assert_eq!(report.status("usage_rate_change"), "skipped");
    rig.team(MONTH, &[]).is_clean();
}

#[test]
fn a_resumed_log_has_completed_with_the_days_before_it() {
    let rig = Rig::new();
    let job = [
        "team-offense",
        "--start-date",
        MONTH[0],
        "--end-date",
        MONTH[1],
    ];
    rig.sandbox.run_job(
        "first.log",
        &[&job[..], &["--die-at", "2024-12-20"]].concat(),
    );
    rig.sandbox.run_job("second.log", &job);
    let documents = rig.parse("second.log");
    let report = rig.team(MONTH, &["--log-summary", &documents]);
    report.is_clean();
    let earlier = &report.document["log_summary"]["earlier_days"];
    assert!(earlier.as_u64().is_some_and(|days| days >= 18), "{earlier}");
    // The first one alone is no completion.
    let documents = rig.parse("first.log");
    let report = rig.team(MONTH, &["--log-summary", &documents]);
    assert_eq!(report.status("log_completed"), "fail");
}

#[test]
fn a_schedule_with_games_that_do_not_count_asks_for_none_of_them() {
    let rig = Rig::new();
    rusqlite::Connection::open(rig.sandbox.join("warehouse/nba_reference.db"))
        .expect("a database")
        .execute_batch(
            "UPDATE nba_schedule SET game_status = 3;
             INSERT INTO nba_schedule (game_id, nba_game_id, game_date, season_year, home_team_abbr,
               away_team_abbr, game_status)
             VALUES ('postponed', '0022400999', '2024-12-25', 2024, 'CHI', 'DAL', 1)",
        )
        .expect("valid SQL");
    let report = rig.team(MONTH, &[]);
    // One that was never played is named, and not missed.
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["missing_games"], "{}", report.text);
    assert!(report.message("missing_games").contains("(postponed)"));
}
