//! What a person reads.

use super::rig::{run, small_log};
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
