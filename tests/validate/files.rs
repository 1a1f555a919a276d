//! Warehouses that are not what they should be: what cannot be read is said, and is never a pass.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use super::rig::{MONTH, Report, Rig};

#[test]
fn a_missing_column_is_an_error_and_the_others_are_still_judged() {
    let rig = Rig::spoilt("ALTER TABLE player_game_summary RENAME COLUMN usage_rate TO usage_pct");
    let report = rig.player(MONTH, &[]);
    report.ends("error", 3);
    assert_eq!(report.with("error"), ["usage_rate", "usage_rate_change"]);
    assert!(
        report
            .message("usage_rate")
            .contains("has no column usage_rate")
    );
    assert_eq!(report.status("minutes_played"), "pass");
    assert_eq!(report.status("quality_score"), "pass");
    // A defect beside it is a defect all the same: bad data is worse than unknown data.
    rig.sql("DELETE FROM player_game_summary WHERE game_date = '2024-12-05'");
    let report = rig.player(MONTH, &[]);
    report.ends("fail", 1);
    assert_eq!(report.dates("missing_dates"), ["2024-12-05"]);
}

#[test]
fn without_its_date_column_or_its_table_nothing_can_be_checked() {
    for sql in [
        "DROP INDEX team_offense_game_summary_by_date;
         ALTER TABLE team_offense_game_summary RENAME COLUMN game_date TO played_on",
        "ALTER TABLE team_offense_game_summary RENAME TO team_offense_game_summary_old",
    ] {
        let rig = Rig::spoilt(sql);
        let report = rig.team(MONTH, &["--log-summary", "team.ndjson"]);
        report.ends("error", 3);
        assert_eq!(report.status("game_count"), "error");
        assert_eq!(report.status("reconciliation"), "error");
        assert_eq!(report.status("log_completed"), "pass");
    }
}

#[test]
fn what_is_no_database_is_named() {
    let rig = Rig::new();
    let file = "warehouse/nba_analytics.db";
    for contents in [
        "",
        "SQLite",
        "this is a text and no database at all, as one can see",
    ] {
        rig.sandbox.write(file, contents);
        let report = rig.team(MONTH, &[]);
        report.ends("error", 3);
        assert!(report.text.contains("nba_analytics.db"), "{}", report.text);
    }
    // The first page is right and the rest is not.
    let mut damaged = b"SQLite format 3\0".to_vec();
    damaged.resize(8192, 7);
    fs::write(rig.sandbox.join(file), damaged).expect("writable");
    rig.team(MONTH, &[]).ends("error", 3);
    fs::remove_file(rig.sandbox.join(file)).expect("it was there");
    let report = rig.team(MONTH, &[]);
    report.ends("error", 3);
    assert!(
        !rig.sandbox.join(file).exists(),
        "looking must not create it"
    );
}

#[test]
fn a_warehouse_that_cannot_be_is_refused() {
    let rig = Rig::new();
    for url in ["mysql://x", "sqlite", "bigquery://"] {
        let args = [MONTH[0], MONTH[1], "--warehouse", url];
        let (code, text) = rig.refusal("bf-validate-team-offense", &args);
        assert_eq!(code, 2, "{url}: {text}");
    }
}

#[test]
fn a_database_that_is_being_written_is_read_as_it_was_committed() {
    let rig = Rig::new();
    let writer = rig.connection();
    writer
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05';
             BEGIN IMMEDIATE;
             DELETE FROM team_offense_game_summary WHERE game_date >= '2024-12-10';",
        )
        .expect("valid SQL");
    assert!(rig.sandbox.join("warehouse/nba_analytics.db-wal").exists());
    let report = rig.team(MONTH, &[]);
    report.ends("fail", 1);
    // What is committed and stands in the WAL alone is seen; what is not committed is not.
    assert_eq!(report.dates("missing_dates"), ["2024-12-05"]);
    drop(writer);
}

/// The team validator's call by somebody who may write nothing in the warehouse: root may everywhere, so it
/// becomes somebody else. `None` where that user cannot reach the tools.
fn as_a_reader(rig: &Rig) -> Option<Report> {
    let mut command = rig.sandbox.command("bf-validate-team-offense");
    command.args(MONTH);
    if rustix::process::geteuid().is_root() {
        const NOBODY: u32 = 65_534;
        fs::set_permissions(rig.sandbox.path(), fs::Permissions::from_mode(0o755)).expect("root");
        command.uid(NOBODY).gid(NOBODY);
    }
    let folder = rig.sandbox.join("warehouse");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).expect("permissions");
    let output = command.output();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("permissions");
    match output {
        Ok(output) => Some(Report::of(&output)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            crate::support::skip("another user cannot reach the tools");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_read_all_the_same() {
    let rig = Rig::new();
    rig.sql("PRAGMA journal_mode = WAL");
    let Some(report) = as_a_reader(&rig) else {
        return;
    };
    report.is_clean();
    let notes = report.document["engine"]["notes"].to_string();
    assert!(notes.contains("immutable"), "{notes}");
    let left = fs::read_dir(rig.sandbox.join("warehouse")).expect("a folder");
    assert_eq!(left.count(), 2);
}

#[test]
fn rows_in_a_wal_that_cannot_be_read_are_not_passed_over() {
    let rig = Rig::new();
    let writer = rig.connection();
    writer
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-05'",
        )
        .expect("valid SQL");
    // A crash leaves the WAL behind; its index is gone with the machine.
    let wal = rig.sandbox.join("warehouse/nba_analytics.db-wal");
    let kept = fs::read(&wal).expect("a WAL");
    drop(writer);
    rig.sandbox.write("warehouse/nba_analytics.db-wal", "");
    fs::write(&wal, kept).expect("writable");
    let Some(report) = as_a_reader(&rig) else {
        return;
    };
    report.ends("error", 3);
    assert!(
        report.message("game_count").contains("WAL"),
        "{}",
        report.text
    );
}

#[test]
fn a_reason_that_keeps_every_check_from_being_judged_is_said_once_to_people() {
    let rig = Rig::new();
    fs::remove_file(rig.sandbox.join("warehouse/nba_analytics.db")).expect("it is there");
    let report = rig.team(MONTH, &[]);
    report.ends("error", 3);
    let reason = "no such warehouse file";
    assert_eq!(report.text.matches(reason).count(), 1, "{}", report.text);
    let errors = report.with("error");
    assert!(errors.len() > 10);
    for name in errors {
        assert!(report.message(name).contains(reason));
    }
}

#[test]
fn a_table_that_is_not_there_is_named_in_the_report_and_by_explain() {
    const TABLE: &str = "nba_analytics.team_offense_game_summary";
    let rig = Rig::new();
    let missing = |args: &[&str]| rig.team(MONTH, args).document["missing_table"].clone();
    assert_eq!(missing(&[]), serde_json::Value::Null);
    rig.sql("ALTER TABLE team_offense_game_summary RENAME TO team_offense_game_summaries");
    for args in [&[][..], &["--explain", "--format", "json"]] {
        assert_eq!(missing(args), TABLE, "{args:?}");
        rig.team(MONTH, args).ends("error", 3);
    }
    fs::remove_file(rig.sandbox.join("warehouse/nba_analytics.db")).expect("it is there");
    for args in [&[][..], &["--explain", "--format", "json"]] {
        assert_eq!(missing(args), TABLE, "{args:?}");
    }
    // What is there and cannot be read may well have the table.
    fs::write(
        rig.sandbox.join("warehouse/nba_analytics.db"),
        "no database",
    )
    .expect("written");
    assert_eq!(missing(&[]), serde_json::Value::Null);
}
