//! What all tools have in common: help, versions, usage errors, and that no panic reaches a user.

use predicates::prelude::*;

use crate::support::{Sandbox, failure};

const TOOLS: [&str; 7] = [
    "bf-monitor",
    "bf-parse-log",
    "bf-validate-team-offense",
    "bf-validate-player-summary",
    "bf-validate",
    "bf-notify",
    "bf-orchestrate",
];

#[test]
fn every_tool_explains_itself_with_examples() {
    let sandbox = Sandbox::new();
    for tool in TOOLS {
        sandbox.tool(tool).arg("--help").assert().code(0).stdout(
            predicate::str::contains("Examples:").and(predicate::str::contains("--format")),
        );
        sandbox
            .tool(tool)
            .arg("--version")
            .assert()
            .code(0)
            .stdout(predicate::str::starts_with(tool));
    }
}

#[test]
fn a_wrong_flag_is_one_line_and_a_hint() {
    let sandbox = Sandbox::new();
    for tool in TOOLS {
        let output = sandbox
            .tool(tool)
            .arg("--no-such-flag")
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(2), "{tool}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{stderr}");
        assert!(lines[0].starts_with(&format!("{tool}: ")), "{stderr}");
        assert!(lines[0].contains("--no-such-flag"), "{stderr}");
        assert!(lines[1].starts_with("hint: "), "{stderr}");
        let document = failure(&output);
        assert_eq!(document["tool"], tool);
        assert!(lines[0].ends_with(document["message"].as_str().expect("a message")));
        assert!(lines[1].ends_with(document["hint"].as_str().expect("a hint")));
        let text = sandbox
            .tool(tool)
            .args(["--no-such-flag", "--format", "text"])
            .output()
            .expect("runs");
        assert!(text.stdout.is_empty(), "{tool}");
        assert_eq!(text.stderr, output.stderr, "{tool}");
    }
}

#[test]
fn a_config_that_is_missing_or_misspelt_stops_every_tool() {
    let sandbox = Sandbox::new();
    let misspelt = sandbox.write("misspelt.yaml", "team_offense:\n  min_gamez: 1\n");
    sandbox.write("x.log", "");
    let calls: [(&str, &[&str]); 4] = [
        ("bf-validate-team-offense", &["2024-01-01", "2024-01-02"]),
        ("bf-validate-player-summary", &["2024-01-01", "2024-01-02"]),
        (
            "bf-orchestrate",
            &[
                "--phase1-pid",
                "1",
                "--phase1-log",
                "x.log",
                "--phase1-dates",
                "2024-01-01 2024-01-02",
            ],
        ),
        ("bf-parse-log", &["x.log"]),
    ];
    for (tool, args) in calls {
        sandbox
            .tool(tool)
            .args(args)
            .arg("--config")
            .arg("missing.yaml")
            .assert()
            .code(2)
            .stderr(predicate::str::contains("missing.yaml"));
        sandbox
            .tool(tool)
            .args(args)
            .arg("--config")
            .arg(&misspelt)
            .assert()
            .code(2)
            .stderr(
                predicate::str::contains("min_gamez")
                    .and(predicate::str::contains("line 2"))
                    .and(predicate::str::contains("hint: ")),
            );
    }
}
