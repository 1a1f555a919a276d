//! Suites of one's own: `bf-validate --suite FILE`.

use std::path::Path;

use super::rig::Rig;

const DATES: [&str; 2] = ["2024-12-01", "2024-12-10"];

/// A suite over the team table with these checks.
fn suite(head: &str, checks: &str) -> String {
    format!(
        "suite: own\ntable: nba_analytics.team_offense_game_summary\ndate_column: game_date\n\
         primary_key: [game_id, team_abbr]\n{head}\nchecks:\n{checks}\n"
    )
}

#[test]
fn every_simple_kind_of_check_finds_what_it_is_for() {
    let rig = Rig::spoilt(
        "UPDATE team_offense_game_summary SET points_scored = 1000, quality_tier = 'wooden'
         WHERE rowid = (SELECT MIN(rowid) FROM team_offense_game_summary WHERE game_date = '2024-12-05')",
    );
    let checks = r"
  - {name: rows, row_count: {}, at_least: 50}
  - {name: tiers, accepted_values: {column: quality_tier, values: [gold, silver, bronze]}}
  - {name: points, value_range: {column: points_scored, min: 60, max: 200}}
  - {name: most, maximum: {column: points_scored}, at_most: 200}
  - {name: least, minimum: {column: points_scored}, at_least: 60}
  - {name: homes, share: {of: {column: home_game, is_true: true}}, exactly: 50}
  - {name: own_query, sql: {sqlite: 'SELECT 1'}, at_most: 0}";
    rig.sandbox.write("own.yaml", &suite("", checks));
    let report = rig.report("bf-validate", &["--suite", "own.yaml", DATES[0], DATES[1]]);
    report.fails_only(&["tiers", "points", "most", "own_query"]);
    assert_eq!(report.dates("tiers"), ["2024-12-05"]);
    assert_eq!(report.dates("points"), ["2024-12-05"]);
    assert_eq!(report.check("most")["observed"], 1_000.0);
}

#[test]
fn the_suite_with_another_date_column_checks_its_table() {
    let rig = Rig::new();
    for job in [
        &[
            "team-defense",
            "--start-date",
            "2024-10-20",
            "--end-date",
            DATES[1],
        ][..],
        &[
            "team-defense-zones",
            "--start-date",
            DATES[0],
            "--end-date",
            DATES[1],
        ],
        &[
            "player-shot-zones",
            "--start-date",
            DATES[0],
            "--end-date",
            DATES[1],
        ],
        &[
            "composite-factors",
            "--start-date",
            DATES[0],
            "--end-date",
            DATES[1],
        ],
        &[
            "daily-cache",
            "--start-date",
            DATES[0],
            "--end-date",
            DATES[1],
        ],
    ] {
        rig.sandbox.run_job("job.log", job);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/suites/player_daily_cache.yaml");
    let file = file.to_str().expect("UTF-8");
    let documents = rig.parse("job.log");
    let args = [
        "--suite",
        file,
        DATES[0],
        DATES[1],
        "--log-summary",
        &documents,
    ];
    rig.report("bf-validate", &args).is_clean();
    rusqlite::Connection::open(rig.sandbox.join("warehouse/nba_precompute.db"))
        .expect("a database")
        .execute_batch(
            "DELETE FROM player_daily_cache WHERE cache_date = '2024-12-05';
             UPDATE player_daily_cache SET team_pace_last_10 = NULL WHERE cache_date = '2024-12-06';",
        )
        .expect("valid SQL");
    let report = rig.report("bf-validate", &args);
    report.ends("fail", 1);
    assert_eq!(report.dates("missing_dates"), ["2024-12-05"]);
    assert_eq!(report.dates("reconciliation"), ["2024-12-05"]);
    assert!(report.dates("team_pace").contains(&"2024-12-06"));
}

#[test]
fn names_that_are_no_names_are_refused_before_anything_is_read() {
    let rig = Rig::new();
    let rows = "  - {name: rows, row_count: {}, at_least: 1}";
    let good = suite("", rows);
    for (from, to) in [
        (
            "nba_analytics.team_offense_game_summary",
            "'nba_analytics.x; DROP TABLE y'",
        ),
        (
            "nba_analytics.team_offense_game_summary",
            "'nba_analytics.\"x\"'",
        ),
        (
            "nba_analytics.team_offense_game_summary",
            "'nba`analytics.x'",
        ),
        ("nba_analytics.team_offense_game_summary", "'../secret.x'"),
        (
            "date_column: game_date",
            "date_column: 'game_date\" OR 1=1 --'",
        ),
        ("date_column: game_date", "date_column: 'game_date`'"),
        ("[game_id, team_abbr]", "[\"game_id) FROM x --\"]"),
        (
            "row_count: {}",
            "distinct_count: {columns: [\"a' OR '1'='1\"]}",
        ),
        ("row_count: {}", "average: {column: '1); DELETE FROM x'}"),
        (
            "row_count: {}",
            "share: {of: {column: 'a b', is_null: true}}",
        ),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        rig.sandbox.write("own.yaml", &text);
        let args = ["--suite", "own.yaml", DATES[0], DATES[1]];
        let (code, said) = rig.refusal("bf-validate", &args);
        assert_eq!(code, 2, "{to}: {said}");
        assert!(said.contains("own.yaml"), "{said}");
    }
}

#[test]
fn a_text_in_a_condition_is_a_value_and_never_sql() {
    let rig = Rig::new();
    let checks =
        "  - {name: teams, matching_rows: {of: {column: team_abbr, equals: \"x' OR '1'='1\"}}}\n";
    rig.sandbox.write("own.yaml", &suite("", checks));
    let args = ["--suite", "own.yaml", DATES[0], DATES[1]];
    rig.report("bf-validate", &args).is_clean();
}

#[test]
fn a_suite_that_could_not_fail_or_means_nothing_is_refused() {
    let rig = Rig::new();
    for checks in [
        "  []",
        "  - {name: a}",
        "  - {name: a, row_count: {}, at_least: 1}\n  - {name: a, row_count: {}, at_least: 2}",
        "  - {name: a, row_count: {}, at_least: many}",
        "  - {name: a, row_count: {}, at_least: .nan}",
        "  - {name: a, average: {column: x}}",
        "  - {name: a, row_counts: {}, at_least: 1}",
        "  - {name: a, freshness: {}}",
        "  - {name: a, reference: {columns: [game_id]}, at_least: 1}",
    ] {
        let text = suite("", checks);
        rig.sandbox
            .write("own.yaml", &text.replace("checks:\n  []", "checks: []"));
        let args = ["--suite", "own.yaml", DATES[0], DATES[1]];
        let (code, said) = rig.refusal("bf-validate", &args);
        assert_eq!(code, 2, "{checks}: {said}");
        assert!(said.contains("own.yaml"), "{said}");
    }
}

#[test]
fn a_misspelt_column_is_refused_with_its_line_and_an_absent_one_is_an_error() {
    let rig = Rig::new();
    let checks = "  - {name: rows, row_count: {}, at_least: 1}\n  \
                  - {name: pace, completeness: {column: paces}, at_least: 99}";
    rig.sandbox.write("own.yaml", &suite("", checks));
    let args = ["--suite", "own.yaml", DATES[0], DATES[1]];
    let (code, said) = rig.refusal("bf-validate", &args);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no column paces at line"), "{said}");
    assert!(said.contains("did you mean pace?"), "{said}");
    let checks = checks.replace("paces", "tempo");
    rig.sandbox.write("own.yaml", &suite("", &checks));
    let report = rig.report("bf-validate", &args);
    report.ends("error", 3);
    assert_eq!(report.status("rows"), "pass");
    assert!(report.message("pace").contains("no column tempo"));
}

#[test]
fn a_query_of_its_own_may_read_every_dataset_of_the_warehouse() {
    let rig = Rig::new();
    let swapped = "SELECT COUNT(*) FROM nba_analytics.team_offense_game_summary AS t JOIN \
                   NBA_Reference.nba_schedule AS s ON s.game_id = t.game_id WHERE t.game_date BETWEEN @start \
                   AND @end AND t.home_game <> (t.team_abbr = s.home_team_abbr)";
    let checks = format!("  - {{name: home_teams, sql: {{sqlite: {swapped:?}}}, at_most: 0}}");
    rig.sandbox.write("own.yaml", &suite("", &checks));
    // What nobody names is not opened.
    rig.sandbox.write("warehouse/nba_broken.db", "no database");
    let args = ["--suite", "own.yaml", DATES[0], DATES[1]];
    rig.report("bf-validate", &args).is_clean();
    rig.sql(
        "UPDATE team_offense_game_summary SET home_game = 1 - home_game WHERE game_date = '2024-12-05'",
    );
    rig.report("bf-validate", &args).fails_only(&["home_teams"]);
    for table in ["nba_broken.x", "nba_absent.x"] {
        let checks = format!(
            "  - {{name: other, sql: {{sqlite: 'SELECT COUNT(*) FROM {table}'}}, at_most: 0}}"
        );
        rig.sandbox.write("own.yaml", &suite("", &checks));
        let report = rig.report("bf-validate", &args);
        report.ends("error", 3);
        let name = table.split('.').next().expect("a dataset");
        assert!(report.message("other").contains(name), "{}", report.text);
    }
}

#[test]
fn a_percentage_that_is_none_is_refused() {
    let rig = Rig::new();
    let points = "completeness: {column: points_scored";
    for (check, said) in [
        (format!("{points}}}, at_least: -5"), "at_least: -5"),
        (format!("{points}}}, at_least: 101"), "0 to 100"),
        (format!("{points}}}, at_least: 0.99"), "0.99 is 99"),
        (format!("{points}}}, at_most: 200"), "at_most: 200"),
        (
            format!("{points}, worst_month_floor: 900}}, at_least: 99"),
            "worst_month_floor: 900",
        ),
        (
            format!("{points}, worst_date_floor: -1}}, at_least: 99"),
            "worst_date_floor: -1",
        ),
        (
            "change: {volume: true, fail_below: 120}".to_owned(),
            "fail_below: 120",
        ),
    ] {
        let text = suite("", &format!("  - {{name: share, {check}}}"));
        rig.sandbox.write("own.yaml", &text);
        let args = ["--suite", "own.yaml", DATES[0], DATES[1]];
        let (code, text) = rig.refusal("bf-validate", &args);
        assert_eq!(code, 2, "{text}");
        assert!(
            text.contains(said) && text.contains("check share"),
            "{text}"
        );
    }
    // Figures that are no percentages are held to nothing.
    let check = "  - {name: rows, row_count: {}, at_most: 20000}\n  \
                 - {name: grown, change: {volume: true}, at_most: 200}";
    rig.sandbox.write("own.yaml", &suite("", check));
    rig.report("bf-validate", &["--suite", "own.yaml", DATES[0], DATES[1]])
        .ends("warn", 0);
}

#[test]
fn a_check_without_a_title_says_its_kind() {
    let rig = Rig::new();
    let check = "  - {name: uk, unique_key: {}}\n  - {name: row_count, row_count: {}, at_least: 1}";
    rig.sandbox.write("own.yaml", &suite("", check));
    let report = rig.report("bf-validate", &["--suite", "own.yaml", DATES[0], DATES[1]]);
    assert!(report.message("uk").starts_with("uk (unique_key): none"));
    assert!(report.message("row_count").starts_with("row_count: "));
}

#[test]
fn a_range_of_all_days_there_are_finds_what_the_table_has() {
    let rig = Rig::new();
    let check = "  - {name: rows, row_count: {}, at_least: 1}";
    rig.sandbox.write("own.yaml", &suite("", check));
    let rows = |range: [&str; 2]| {
        let report = rig.report(
            "bf-validate",
            &[&["--suite", "own.yaml"], &range[..]].concat(),
        );
        report.ends("pass", 0);
        report.check("rows")["observed"].clone()
    };
    assert_eq!(
        rows(["0001-01-01", "9999-12-31"]),
        rows(["2000-01-01", "2050-01-01"])
    );
}
