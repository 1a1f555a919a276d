//! What a person reads.

use super::rig::{run, small_log, summary};
use crate::support::Sandbox;

#[test]
fn no_control_character_of_a_log_reaches_a_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    for args in [
        &["--format", "text", "x.log"][..],
        &["--format", "text", "--ledger", "x.log"],
        &["--explain", "x.log"],
        &["x.log"],
    ] {
        let output = run(&sandbox, args);
        for bytes in [&output.stdout, &output.stderr] {
            let odd = bytes
                .iter()
                .find(|byte| byte.is_ascii_control() && **byte != b'\n');
            assert_eq!(odd, None, "{args:?}: {}", String::from_utf8_lossy(bytes));
        }
    }
}

#[test]
fn a_person_reads_a_short_report() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let output = run(&sandbox, &["--format", "text", "x.log"]);
    let text = String::from_utf8(output.stdout).expect("text");
    for part in [
        "completed",
        "2024-01-01 to 2024-01-03",
        "3/3 days (100.0%)",
        "66.7% (2 of 3 days finished), 16 records",
        "1 day succeeded with no record",
        "1 day: 2024-01-02",
        "1 × rate limit",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.lines().count() < 20);
}

#[test]
fn a_person_reads_where_a_figure_was_too_large() {
    let sandbox = Sandbox::new();
    let log = small_log(true).replace("16 records", "99999999999999999999 records");
    sandbox.write("x.log", &log);
    let output = run(&sandbox, &["--format", "text", "x.log"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("has a figure that is too large"), "{text}");
}

#[test]
fn a_completed_log_with_anything_missing_has_no_good_mark_beside_its_name() {
    let sandbox = Sandbox::new();
    let clean = small_log(true).replace("✗ Exception: ", "✓ Success: 7 records ");
    sandbox.write("clean.log", &clean);
    sandbox.write("failed.log", &small_log(true));
    sandbox.write(
        "short.log",
        &clean.replace("to 2024-01-03", "to 2024-01-09"),
    );
    let tail =
        "INFO:__main__:  ✓ 2024-01-05: 3 records\nINFO:__main__:PARALLEL BACKFILL COMPLETE\n";
    sandbox.write("tail.log", tail);
    for (log, mark) in [
        ("clean.log", "PASS clean.log"),
        ("failed.log", "WARN failed.log"),
        ("short.log", "WARN short.log"),
        ("tail.log", "WARN tail.log"),
    ] {
        let output = run(&sandbox, &["--format", "text", log]);
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.starts_with(mark), "{text}");
        assert!(text.contains("completed"), "{text}");
        let is_named = text.contains("Unaccounted:") || text.contains("Failed:");
        assert_eq!(is_named, log != "clean.log", "{text}");
    }
}

#[test]
fn what_explain_shows_of_an_unknown_log_are_regular_expressions_that_read_it() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.log",
        "[2026-01-03 13:45:12] day=2024-01-01 (ok) \x1b[32m16 rows\x1b[0m\n\
         [2026-01-03 13:45:13] day=2024-01-02 (ok) \x1b[32m1,604 rows\x1b[0m",
    );
    let output = run(&sandbox, &["--explain", "x.log"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("[TIME] day=DATE (ok) N rows"), "{text}");
    let draft: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "dialects:")
        .take_while(|line| *line == "dialects:" || line.starts_with(' '))
        .collect();
    sandbox.write("c.yaml", &draft.join("\n"));
    let known = summary(&run(&sandbox, &["--config", "c.yaml", "x.log"]));
    assert_eq!((known.successful_days, known.failed_days), (2, 0));
}

#[test]
fn the_name_of_a_log_that_is_not_there_is_one_line_without_escapes() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, &["no\x1b[31m\nsuch.log"]);
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(
        text.starts_with("bf-parse-log: reading no\\x1b[31m\\x0asuch.log: No such file"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
}
