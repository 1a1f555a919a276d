//! What the documented validators print, line by line, on their own standard output.

use std::fs;
use std::path::PathBuf;

use super::rig::{PLAYER, Rig, TEAM};

/// The report of a clean range for a person; a time is a time.
fn printed(tool: &str, range: [&str; 2]) -> String {
    let rig = Rig::new();
    let output = rig
        .sandbox
        .command(tool)
        .env("LANG", "C.UTF-8")
        .args(range)
        .args(["--format", "text", "--color", "always"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let text = without_colors(&String::from_utf8(output.stdout).expect("UTF-8"));
    let lines = text.lines().map(|line| match line.split_once(" in ") {
        Some((engine, _)) if line.starts_with("Engine: ") => format!("{engine} in TIME\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// A text as a terminal without colors shows it.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

/// A golden file is written anew with `BF_UPDATE_GOLDEN=1`, for a person to read the difference.
fn is_as_documented(name: &str, text: &str, documented: &[&str]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/validate");
    let golden = folder.join(format!("{name}.txt"));
    if std::env::var_os("BF_UPDATE_GOLDEN").is_some() {
        fs::write(&golden, text).expect("a golden file");
    }
    let wanted = fs::read_to_string(&golden).expect("a golden file");
    for (at, (is, wanted)) in text.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(is, wanted, "line {} of\n{text}", at + 1);
    }
    assert_eq!(text.lines().count(), wanted.lines().count(), "{text}");
    for line in documented {
        assert!(
            text.lines().any(|is| is == *line),
            "no line {line:?} in\n{text}"
        );
    }
}

#[test]
fn the_team_validator_prints_the_documented_lines() {
    let text = printed("bf-validate-team-offense", TEAM);
    let documented = [
        "  VALIDATING TEAM_OFFENSE_GAME_SUMMARY",
        "Date range: 2021-10-19 to 2026-01-02",
        "Check 1/4: Game count...",
        "✅ Game count: 5,798 (threshold: 5,600+) ✓",
        "Check 2/4: Record count...",
        "Check 3/4: Quality metrics...",
        "Check 4/4: Critical issues...",
        "  VALIDATION SUMMARY",
    ];
    is_as_documented("team_offense", &text, &documented);
}

#[test]
fn the_player_validator_prints_the_documented_lines() {
    let text = printed("bf-validate-player-summary", PLAYER);
    let documented = [
        "  VALIDATING PLAYER_GAME_SUMMARY",
        "Check 1/5: Record count...",
        "Check 2/5: Feature coverage (CRITICAL)...",
        "  VALIDATION SUMMARY",
    ];
    is_as_documented("player_game_summary", &text, &documented);
}
