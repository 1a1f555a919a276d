//! What was asked and nobody could say: an error where it is critical, and never passed over in silence.

use super::rig::{MONTH, Rig, TEAM};

const OWN: &str = "suite: own\ntable: nba_analytics.own\ndate_column: day\nprimary_key: [day, k]\nchecks:\n  \
                   - {name: missing_dates, LEVELmissing_dates: {}}\n  - {name: keys, unique_key: {}}\n";
const RANGE: [&str; 2] = ["2024-02-20", "2024-03-09"];

/// A table with every second day of [`RANGE`], in a warehouse with or without an empty schedule.
fn with_holes(level: &str, schedule: &str) -> Rig {
    let rig = Rig::new();
    rig.sql(
        "CREATE TABLE own AS WITH RECURSIVE days(n) AS (SELECT 0 UNION ALL SELECT n + 2 FROM days WHERE n < 18)
         SELECT date('2024-02-20', n || ' days') AS day, 1 AS k FROM days",
    );
    rig.sql_on("nba_reference", "DELETE FROM nba_schedule");
    let text = OWN.replace("LEVEL", level);
    rig.sandbox.write(
        "own.yaml",
        &text.replace("checks:", &format!("{schedule}checks:")),
    );
    rig
}

fn own<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["--suite", "own.yaml"], &RANGE[..], args].concat()
}

#[test]
fn a_critical_check_that_nobody_can_answer_is_an_error() {
    for schedule in ["", "schedules: [nba_reference.nba_schedule]\n"] {
        let rig = with_holes("level: critical, ", schedule);
        let report = rig.report("bf-validate", &own(&[]));
        report.ends("error", 3);
        assert_eq!(report.with("error"), ["missing_dates"]);
        assert!(report.message("missing_dates").contains("no schedule"));
    }
}

#[test]
fn a_check_that_nobody_can_answer_stands_in_the_verdict_and_is_no_pass_under_strict() {
    let rig = with_holes("", "");
    let report = rig.report("bf-validate", &own(&[]));
    report.ends("pass", 0);
    assert_eq!(report.status("missing_dates"), "skipped");
    assert_eq!(report.check("missing_dates")["unanswered"], true);
    // What was not asked for is no question without an answer.
    assert_eq!(report.check("log_completed")["unanswered"], false);
    assert!(
        report.text.contains("PASSED; NOT CHECKED: missing_dates"),
        "{}",
        report.text
    );
    assert!(!report.text.contains("ALL CHECKS PASSED"));
    assert_eq!(rig.report("bf-validate", &own(&["--strict"])).code, 1);
    // Whoever does not want the answer says so.
    let rig = with_holes("level: info, ", "");
    let report = rig.report("bf-validate", &own(&["--strict"]));
    report.ends("pass", 0);
    assert!(report.text.contains("ALL CHECKS PASSED"));
}

#[test]
fn claims_that_were_not_given_date_by_date_stand_in_the_verdict() {
    let rig = Rig::new();
    let text = rig.sandbox.read("team.ndjson");
    let summary = text.lines().last().expect("a summary");
    rig.sandbox.write("summary.ndjson", &format!("{summary}\n"));
    let report = rig.team(MONTH, &["--log-summary", "summary.ndjson"]);
    report.ends("pass", 0);
    assert!(
        report.text.contains("PASSED; NOT CHECKED: reconciliation"),
        "{}",
        report.text
    );
}

#[test]
fn only_what_was_shown_as_skipped_is_counted_as_skipped() {
    let rig = Rig::new();
    let text = rig.team(MONTH, &[]).text;
    let shown = text
        .lines()
        .filter(|line| line.starts_with("skip "))
        .count();
    assert_eq!(shown, 0, "{text}");
    assert!(!text.contains(" skipped"), "{text}");
}

#[test]
fn a_range_beyond_the_schedule_could_not_be_checked_though_the_table_ends_with_it() {
    let rig = Rig::new();
    let report = rig.team([TEAM[0], "2026-06-30"], &[]);
    report.ends("error", 3);
    assert_eq!(
        report.with("error"),
        ["missing_dates", "missing_games"],
        "{}",
        report.text
    );
    let said = report.message("missing_dates");
    assert!(said.contains("the schedule ends on 2026-01-0"), "{said}");
    // Before the data begins nothing is expected.
    rig.team(["2000-01-01", TEAM[1]], &[]).is_clean();
    rig.sql("DELETE FROM team_offense_game_summary WHERE game_date > '2025-06-30'");
    rig.sql_on(
        "nba_reference",
        "DELETE FROM nba_schedule WHERE game_date > '2025-06-30'",
    );
    let report = rig.team(["2024-10-22", TEAM[1]], &[]);
    assert_eq!(report.status("missing_dates"), "error", "{}", report.text);
    assert_eq!(report.code, 3);
}

#[test]
fn a_range_that_ends_in_a_summer_of_the_schedule_is_all_known() {
    let rig = Rig::new();
    rig.team(["2024-10-22", "2025-08-31"], &[]).is_clean();
    rig.team(["2024-08-01", "2024-12-31"], &[]).is_clean();
}

#[test]
fn a_source_that_counts_no_groups_leaves_the_missing_ones_unanswered() {
    for (level, verdict, code) in [("normal", "pass", 0), ("critical", "error", 3)] {
        let rig = with_holes("", "");
        let suite = rig.sandbox.read("own.yaml").replace(
            "checks:\n",
            &format!("group: {{name: game, column: k}}\nchecks:\n  - {{name: missing_games, level: {level}, missing_groups: {{}}}}\n"),
        );
        rig.sandbox.write("own.yaml", &suite);
        let even = "date\n2024-02-20\n2024-02-22\n2024-02-24\n2024-02-26\n2024-02-28\n\
                    2024-03-01\n2024-03-03\n2024-03-05\n2024-03-07\n2024-03-09\n";
        rig.sandbox.write("due.csv", even);
        rig.sandbox
            .write("due.yaml", "expected_dates: {csv: due.csv}\n");
        let report = rig.report("bf-validate", &own(&["--config", "due.yaml"]));
        report.ends(verdict, code);
        let says = report.message("missing_games");
        assert!(says.contains("does not say how many games"), "{says}");
        let named = report.text.contains("NOT CHECKED: missing_games");
        assert_eq!(named, level == "normal", "{}", report.text);
    }
}
