//! Dates that are not there, and dates that are none.

use super::rig::{MONTH, Rig, TEAM};

#[test]
fn seven_missing_days_do_not_hide_behind_enough_games() {
    let rig = Rig::spoilt(
        "DELETE FROM team_offense_game_summary WHERE game_date BETWEEN '2023-01-10' AND '2023-01-16'",
    );
    let report = rig.team(TEAM, &[]);
    report.fails_only(&["missing_dates", "missing_games"]);
    let days: Vec<String> = (10..=16).map(|day| format!("2023-01-{day}")).collect();
    assert_eq!(report.dates("missing_dates"), days);
    assert_eq!(report.dates("missing_games"), days);
    assert_eq!(report.status("game_count"), "pass");
    let games = report.check("game_count")["observed"]
        .as_f64()
        .expect("games");
    assert!((5_600.0..5_798.0).contains(&games), "{games}");
    assert_eq!(
        report.check("missing_dates")["evidence"]["spans"],
        serde_json::json!([{"start": "2023-01-10", "end": "2023-01-16"}])
    );
    assert_eq!(report.rerun(), days);
    let command = report.document["rerun"]["command"].to_string();
    assert!(
        command.contains(&format!("\"--dates\",\"{}\"", days.join(","))),
        "{command}"
    );
    assert!(
        report.text.contains("2023-01-10 to 2023-01-16"),
        "{}",
        report.text
    );
}

#[test]
fn without_a_schedule_the_other_table_tells_the_dates() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05'");
    std::fs::remove_file(rig.sandbox.join("warehouse/nba_reference.db")).expect("it was there");
    let report = rig.team(MONTH, &[]);
    report.ends("fail", 1);
    assert_eq!(report.dates("missing_dates"), ["2024-12-05"]);
    assert!(
        report
            .message("missing_dates")
            .contains("player_game_summary")
    );
}

#[test]
fn a_schedule_that_the_config_names_and_that_is_not_there_is_an_error() {
    let rig = Rig::new();
    rig.sandbox.write(
        "config.yaml",
        "expected_dates:\n  table: nba_raw.nbac_schedule\n",
    );
    let report = rig.team(TEAM, &["--config", "config.yaml"]);
    report.ends("error", 3);
    let unchecked = [
        "missing_dates",
        "missing_games",
        "unscheduled_games",
        "scheduled_games",
        "home_teams",
        "away_teams",
    ];
    assert_eq!(report.with("error"), unchecked);
    assert_eq!(report.status("records_per_game"), "pass");
}

#[test]
fn an_outdated_schedule_is_no_proof_that_nothing_is_missing() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-20'");
    rusqlite::Connection::open(rig.sandbox.join("warehouse/nba_reference.db"))
        .expect("a database")
        .execute(
            "DELETE FROM nba_schedule WHERE game_date > '2024-12-10'",
            [],
        )
        .expect("valid SQL");
    let report = rig.team(MONTH, &[]);
    report.ends("error", 3);
    assert_eq!(report.status("missing_dates"), "error", "{}", report.text);
    assert!(
        report
            .message("missing_dates")
            .contains("ends on 2024-12-10")
    );
}

#[test]
fn dates_with_a_time_count_on_their_day_and_are_warned_of() {
    let rig = Rig::spoilt(
        "UPDATE team_offense_game_summary SET game_date = game_date || ' 00:00:00'
         WHERE game_date IN ('2024-12-05', '2024-12-31')",
    );
    let report = rig.team(MONTH, &[]);
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["plain_dates"]);
    assert_eq!(report.dates("plain_dates"), ["2024-12-05", "2024-12-31"]);
    assert_eq!(report.status("missing_dates"), "pass");
    rig.team(MONTH, &["--strict"]).ends("warn", 1);
    let config = "levels:\n  team_offense:\n    plain_dates: critical\n";
    rig.sandbox.write("config.yaml", config);
    rig.team(MONTH, &["--config", "config.yaml"])
        .fails_only(&["plain_dates"]);
}

#[test]
fn rows_whose_date_is_no_date_belong_to_every_range() {
    for (nonsense, shown) in [
        ("NULL", "NULL"),
        ("''", ""),
        ("20241205", "20241205"),
        ("'12/05/2024'", "12/05/2024"),
        ("'25/12/2024'", "25/12/2024"),
        ("'2024-12-5'", "2024-12-5"),
        ("'2024-12-32'", "2024-12-32"),
        ("'today'", "today"),
    ] {
        let rig = Rig::new();
        rig.loosen();
        rig.sql(&format!(
            "UPDATE team_offense_game_summary SET game_date = {nonsense} WHERE game_date = '2024-12-05'"
        ));
        let report = rig.team(MONTH, &[]);
        report.ends("fail", 1);
        assert_eq!(report.status("readable_dates"), "fail", "{nonsense}");
        assert!(report.message("readable_dates").contains(shown));
        assert_eq!(report.dates("missing_dates"), ["2024-12-05"], "{nonsense}");
    }
}

#[test]
fn no_rows_at_all_are_no_data() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary; DELETE FROM player_game_summary");
    for report in [rig.team(MONTH, &[]), rig.player(MONTH, &[])] {
        report.ends("fail", 1);
        assert!(report.with("pass").is_empty(), "{}", report.text);
        assert_eq!(report.status("missing_dates"), "fail");
        assert!(report.text.contains("no data"), "{}", report.text);
    }
    // Nothing was asked of the schedule either: still no pass.
    Rig::new()
        .team(["2019-01-01", "2019-03-01"], &[])
        .ends("fail", 1);
}

#[test]
fn dates_that_are_no_dates_are_refused() {
    let rig = Rig::new();
    for args in [
        &["2024-01-01' OR 1=1", "2024-01-02"][..],
        &["2024-02-30", "2024-03-01"],
        &["2024-03-01", "2024-02-01"],
        &["2024-01-01"],
        &["2024-01-01,2024-02-01"],
        &[],
    ] {
        let (code, text) = rig.refusal("bf-validate-team-offense", args);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("hint: "), "{text}");
    }
}

/// Texts that are no dates, none of which lies in the range that is read: with and without an index, in a
/// table and in a view.
#[test]
fn a_date_written_in_another_way_is_seen_wherever_it_sorts() {
    let written = [
        "20/05/2024",
        "20-05-2024",
        "05.12.2024",
        "2024/12/05",
        "20241205",
        "2024-5-1",
        "2024",
        "2023.11.01",
        "19/11/2024",
        "2",
        "1999",
        "2024-13-01",
        "2023-02-30",
        "Dec 5, 2024",
    ];
    for (at, text) in written.into_iter().enumerate() {
        let rig = Rig::spoilt(&format!(
            "UPDATE team_offense_game_summary SET game_date = '{text}' WHERE game_date = '2024-12-05'"
        ));
        if at % 3 == 1 {
            rig.loosen();
        } else if at % 3 == 2 {
            rig.sql(
                "ALTER TABLE team_offense_game_summary RENAME TO kept;
                 CREATE VIEW team_offense_game_summary AS SELECT * FROM kept",
            );
        }
        let report = rig.team(["2024-12-04", "2024-12-06"], &[]);
        report.ends("fail", 1);
        assert_eq!(
            report.status("readable_dates"),
            "fail",
            "{text}: {}",
            report.text
        );
        let said = report.message("readable_dates");
        assert!(said.contains(text), "{said}");
        assert!(said.contains(" 8 records"), "{said}");
        assert_eq!(report.dates("missing_dates"), ["2024-12-05"]);
    }
}

#[test]
fn one_day_found_by_an_index_is_judged_as_one_read_with_everything() {
    let rig = Rig::new();
    rig.loosen();
    rig.sql(
        "CREATE INDEX by_date ON team_offense_game_summary (game_date);
         UPDATE team_offense_game_summary SET game_date = NULL WHERE rowid IN (11, 12);
         UPDATE team_offense_game_summary SET game_date = '25/12/2024' WHERE rowid = 13;
         UPDATE team_offense_game_summary SET game_date = '2024-12-05 10:00' WHERE rowid = \
           (SELECT rowid FROM team_offense_game_summary WHERE game_date = '2024-12-05' LIMIT 1)",
    );
    let day = ["2024-12-05", "2024-12-05"];
    let by_index = rig.team(day, &[]);
    assert_eq!(by_index.status("readable_dates"), "fail");
    let said = by_index.message("readable_dates");
    assert!(said.contains("3 records"), "{said}");
    rig.sql("DROP INDEX by_date");
    let whole = rig.team(day, &[]);
    assert_eq!(by_index.code, whole.code);
    assert_eq!(by_index.document["checks"], whole.document["checks"]);
}
