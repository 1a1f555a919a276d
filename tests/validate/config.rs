//! Thresholds and levels from the config, and names in it that nobody knows.

use super::rig::{MONTH, Rig};

const CONFIG: [&str; 2] = ["--config", "config.yaml"];

#[test]
fn a_level_decides_how_much_a_check_counts() {
    let rig = Rig::spoilt("UPDATE team_offense_game_summary SET quality_score = 60");
    for (level, verdict, code, strict) in [
        ("critical", "fail", 1, 1),
        ("normal", "fail", 1, 1),
        ("warning", "warn", 0, 1),
        ("info", "pass", 0, 0),
        ("\"off\"", "pass", 0, 0),
    ] {
        let text = format!("levels:\n  team_offense:\n    quality_score: {level}\n");
        rig.sandbox.write("config.yaml", &text);
        rig.team(MONTH, &CONFIG).ends(verdict, code);
        rig.team(MONTH, &["--config", "config.yaml", "--strict"])
            .ends(verdict, strict);
    }
}

#[test]
fn thresholds_come_from_their_section() {
    let rig = Rig::new();
    rig.sandbox
        .write("config.yaml", "team_offense:\n  min_quality_score: 99.9\n");
    let report = rig.team(MONTH, &CONFIG);
    report.fails_only(&["quality_score"]);
    assert_eq!(report.check("quality_score")["threshold"]["value"], 99.9);
    rig.player(MONTH, &CONFIG).is_clean();
}

#[test]
fn levels_of_unknown_checks_and_suites_are_refused_by_every_validator() {
    let rig = Rig::new();
    for (levels, name) in [
        ("team_offense:\n    game_counts: warning", "game_counts"),
        ("player_game_summary:\n    shot_zone: warning", "shot_zone"),
        ("team_offence:\n    game_count: warning", "team_offence"),
        (
            "../team_offense:\n    game_count: warning",
            "../team_offense",
        ),
    ] {
        rig.sandbox
            .write("config.yaml", &format!("levels:\n  {levels}\n"));
        for tool in ["bf-validate-team-offense", "bf-validate-player-summary"] {
            let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
            let (code, text) = rig.refusal(tool, &args);
            assert_eq!(code, 2, "{text}");
            assert!(text.contains(name) && text.contains("hint: "), "{text}");
        }
    }
}

#[test]
fn levels_of_a_suite_beside_the_config_are_known() {
    let rig = Rig::new();
    let suite = "suite: own\ntable: a.b\ndate_column: d\nprimary_key: [k]\nchecks:\n  \
                 - {name: rows, row_count: {}, at_least: 1}\n";
    rig.sandbox.write("suites/own.yaml", suite);
    rig.sandbox
        .write("config.yaml", "levels:\n  own:\n    rows: warning\n");
    rig.team(MONTH, &CONFIG).is_clean();
    rig.sandbox
        .write("config.yaml", "levels:\n  own:\n    row: warning\n");
    let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
    let (code, text) = rig.refusal("bf-validate-team-offense", &args);
    assert_eq!(code, 2, "{text}");
}

#[test]
fn a_command_for_a_misspelt_suite_is_refused_by_every_validator() {
    let rig = Rig::new();
    let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
    for (name, meant) in [
        ("team_offence", "team_offense"),
        ("player-game-summary", "player_game_summary"),
    ] {
        let text = format!("polling: {{}}\nrerun:\n  {name}: [python, again.py]\n");
        rig.sandbox.write("config.yaml", &text);
        for tool in ["bf-validate-team-offense", "bf-validate-player-summary"] {
            let (code, text) = rig.refusal(tool, &args);
            assert_eq!(code, 2, "{text}");
            let said =
                format!("config config.yaml, line 3: rerun: no suite is called {name}\nhint: ");
            assert!(text.contains(&said) && text.contains(meant), "{text}");
        }
    }
    // Suites of one's own may have any name, also one that is much like another.
    let commands = "rerun:\n  team_defense: [a]\n  team_offense: [b]\n  team_offence: [c]\n";
    rig.sandbox.write("config.yaml", commands);
    rig.team(MONTH, &CONFIG).is_clean();
}

#[test]
fn a_command_for_a_misspelt_suite_of_ones_own_is_refused() {
    let rig = Rig::new();
    let suite = "suite: orders\ntable: a.b\ndate_column: d\nprimary_key: [k]\nchecks:\n  \
                 - {name: rows, row_count: {}, at_least: 1}\n";
    rig.sandbox.write("orders.yaml", suite);
    rig.sandbox
        .write("config.yaml", "rerun:\n  order: [again]\n");
    let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
    let (code, text) = rig.refusal(
        "bf-validate",
        &[&["--suite", "orders.yaml"], &args[..]].concat(),
    );
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("did you mean orders?"), "{text}");
    // Nobody but that suite's own validator knows its name.
    rig.team(MONTH, &CONFIG).is_clean();
}

#[test]
fn where_nothing_counts_nothing_was_checked() {
    let rig = Rig::new();
    let clean = rig.team(MONTH, &[]);
    let checks = clean.document["checks"].as_array().expect("checks");
    for level in ["info", "\"off\""] {
        let mut text = "levels:\n  team_offense:\n".to_owned();
        for check in checks {
            let name = check["name"].as_str().expect("a name");
            text.push_str(&format!("    {name}: {level}\n"));
        }
        rig.sandbox.write("config.yaml", &text);
        rig.team(MONTH, &CONFIG).ends("error", 3);
    }
}

#[test]
fn values_that_no_threshold_can_have_are_refused() {
    let rig = Rig::new();
    for value in ["many", ".nan", ".inf", "[1]", "-1"] {
        let text = format!("team_offense:\n  min_production_ready_pct: {value}\n");
        rig.sandbox.write("config.yaml", &text);
        let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
        let (code, text) = rig.refusal("bf-validate-team-offense", &args);
        assert_eq!(code, 2, "{value}: {text}");
    }
}

#[test]
fn a_config_that_is_there_and_leads_nowhere_is_not_passed_over() {
    let rig = Rig::new();
    std::fs::create_dir_all(rig.sandbox.join("config")).expect("a folder");
    let path = rig.sandbox.join("config/backfill_thresholds.yaml");
    std::os::unix::fs::symlink("gone.yaml", &path).expect("a link");
    let (code, text) = rig.refusal("bf-validate-team-offense", &MONTH);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("config/backfill_thresholds.yaml"), "{text}");
    std::fs::remove_file(path).expect("it is there");
    rig.team(MONTH, &[]).is_clean();
    // The other ending is the same file to a person.
    rig.sandbox.write(
        "config/backfill_thresholds.yml",
        "team_offense: {min_quality_score: 100}\n",
    );
    rig.team(MONTH, &[]).fails_only(&["quality_score"]);
}

#[test]
fn a_config_of_nothing_is_refused_in_words_of_the_config() {
    let rig = Rig::new();
    rig.sandbox.write("config.yaml", "null\n");
    let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
    let (code, text) = rig.refusal("bf-validate-team-offense", &args);
    assert_eq!(code, 2, "{text}");
    assert!(!text.contains("struct"), "{text}");
}

#[test]
fn a_dialect_has_a_name_that_a_plan_can_mean() {
    let rig = Rig::new();
    for name in ["built-in", "\"\"", "\" \""] {
        let text = format!("dialects:\n  - {{name: {name}, success: '^ok (?P<date>\\S+)'}}\n");
        rig.sandbox.write("config.yaml", &text);
        let args = [MONTH[0], MONTH[1], "--config", "config.yaml"];
        let (code, text) = rig.refusal("bf-validate-team-offense", &args);
        assert_eq!(code, 2, "{name}: {text}");
        assert!(text.contains("line 2"), "{text}");
    }
}

#[test]
fn an_empty_warehouse_is_not_the_default_one() {
    let rig = Rig::new();
    let args = [MONTH[0], MONTH[1], "--warehouse", ""];
    let (code, text) = rig.refusal("bf-validate-team-offense", &args);
    assert_eq!(code, 2, "{text}");
    let output = rig
        .sandbox
        .command("bf-validate-team-offense")
        .args(MONTH)
        .env("BF_WAREHOUSE", "")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}
