//! What all tools have in common: help, versions, usage errors, and that no panic reaches a user.

use predicates::prelude::*;

use crate::support::{Sandbox, failure};

const TOOLS: [&str; 8] = [
    "bf-monitor",
    "bf-parse-log",
    "bf-validate-team-offense",
    "bf-validate-player-summary",
    "bf-validate",
    "bf-notify",
    "bf-report",
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

/// A call of each tool that would do something, in a sandbox made by [`prepared`].
const CALLS: [(&str, &[&str]); 8] = [
    ("bf-monitor", &["--log", "x.log", "--", "true"]),
    ("bf-parse-log", &["x.log"]),
    ("bf-validate-team-offense", &["2024-01-01", "2024-01-02"]),
    ("bf-validate-player-summary", &["2024-01-01", "2024-01-02"]),
    (
        "bf-validate",
        &["--suite", "suite.yaml", "2024-01-01", "2024-01-02"],
    ),
    ("bf-notify", &["--test", "--config", "notify.yaml"]),
    ("bf-report", &["documents.ndjson"]),
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
];

fn prepared() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", "");
    sandbox.write("notify.yaml", "notify: [{command: [cat]}]\n");
    sandbox.write(
        "documents.ndjson",
        include_str!("../crates/bf-contract/tests/golden/run_status.json"),
    );
    sandbox.write(
        "suite.yaml",
        "suite: own\ntable: a.b\ndate_column: d\nprimary_key: [d]\nchecks: [{name: keys, unique_key: {}}]\n",
    );
    sandbox
}

#[test]
fn a_config_that_is_missing_or_wrong_stops_every_tool() {
    let sandbox = prepared();
    let wrong = [
        (None, "No such file", ""),
        (
            Some("team_offense:\n  min_gamez: 1\n"),
            "min_gamez",
            "line 2",
        ),
        (
            Some("levels:\n  team_offense:\n    rows: info\n    rows: \"off\"\n"),
            "duplicate key \"rows\"",
            "line 4",
        ),
        (
            Some("phase2:\n  env: {A: \"1\", B: \"2\",\n    A: \"3\"}\n"),
            "duplicate key \"A\"",
            "line 3",
        ),
    ];
    // bf-report reads documents, and no config.
    for (tool, args) in CALLS.into_iter().filter(|(tool, _)| *tool != "bf-report") {
        for (text, complaint, line) in wrong {
            match text {
                Some(text) => {
                    sandbox.write("c.yaml", text);
                }
                None => drop(std::fs::remove_file(sandbox.join("c.yaml"))),
            }
            let mut call = sandbox.tool(tool);
            // bf-monitor's own flags end where its command begins.
            call.args(["--config", "c.yaml"]);
            call.args(
                args.iter()
                    .filter(|arg| !["--config", "notify.yaml"].contains(arg)),
            );
            call.assert().code(2).stderr(
                predicate::str::contains("c.yaml")
                    .and(predicate::str::contains(complaint))
                    .and(predicate::str::contains(line))
                    .and(predicate::str::contains("hint: ")),
            );
        }
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "only a debug build panics when asked")]
fn a_panic_ends_in_3_and_never_reaches_a_person() {
    let sandbox = prepared();
    for (tool, args) in CALLS {
        let output = sandbox
            .tool(tool)
            .args(args)
            .env("BF_TEST_PANIC", "1")
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(3), "{tool}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.starts_with(&format!("{tool}: internal error: ")),
            "{stderr}"
        );
        assert!(!stderr.contains("panicked at"), "{stderr}");
        if tool != "bf-report" {
            assert_eq!(failure(&output)["exit_code"], 3, "{tool}");
        }
    }
}

/// Runs a tool whose standard output is a pipe that nothing reads.
pub fn unread(sandbox: &Sandbox, tool: &str, args: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = sandbox.command(tool);
    let output = command.args(args).stdout(writer).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}

#[test]
fn a_reader_that_went_away_is_no_pass() {
    let sandbox = prepared();
    // A run's own end is among the tests of bf-orchestrate.
    for (tool, args) in CALLS
        .into_iter()
        .filter(|(tool, _)| *tool != "bf-orchestrate")
    {
        let (code, stderr) = unread(&sandbox, tool, args);
        assert_eq!(code, Some(3), "{tool}: {stderr}");
        let said = stderr.matches("the reader went away").count();
        assert_eq!(said, 1, "{tool}: {stderr}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_of_a_view_is_no_failure() {
    let sandbox = prepared();
    for args in [&["history"][..], &["history", "--format", "json"]] {
        let (code, stderr) = unread(&sandbox, "bf-orchestrate", args);
        assert_eq!(code, Some(0), "{args:?}");
        assert!(!stderr.contains("went away"), "{args:?}: {stderr}");
    }
}

#[test]
fn a_view_is_text_unless_documents_are_asked_for() {
    let sandbox = prepared();
    sandbox
        .tool("bf-orchestrate")
        .arg("history")
        .assert()
        .code(0)
        .stdout(predicate::str::contains("no runs in"));
}

#[test]
fn output_and_errors_in_one_file_are_text_alone() {
    let sandbox = prepared();
    let file = std::fs::File::create(sandbox.join("all.txt")).expect("a file");
    let status = sandbox
        .command("bf-parse-log")
        .arg("x.log")
        .stdout(file.try_clone().expect("the same file"))
        .stderr(file)
        .status()
        .expect("runs");
    assert_eq!(status.code(), Some(3));
    let text = sandbox.read("all.txt");
    assert!(!text.is_empty() && !text.contains('{'), "{text}");
}

/// The help of each flag of a tool: its name → what is said of it.
fn help_of(sandbox: &Sandbox, tool: &str) -> std::collections::BTreeMap<String, String> {
    let output = sandbox.tool(tool).arg("--help").output().expect("runs");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut flags = std::collections::BTreeMap::new();
    let mut flag: Option<String> = None;
    for line in help.lines().map(str::trim) {
        let name = line
            .split([' ', ','])
            .find(|word| word.starts_with("--") && line.starts_with('-'));
        if let Some(name) = name {
            flag = Some(name.to_owned());
        }
        if line.ends_with(':') && !line.starts_with('-') {
            flag = None;
        } else if let Some(flag) = &flag {
            let about: &mut String = flags.entry(flag.clone()).or_default();
            about.push_str(line);
            about.push('\n');
        }
    }
    flags
}

#[test]
fn a_flag_that_tools_share_has_the_same_help() {
    let sandbox = Sandbox::new();
    let helps = TOOLS.map(|tool| (tool, help_of(&sandbox, tool)));
    for (flag, tools) in [
        ("--format", 8),
        ("--quiet", 8),
        ("--color", 8),
        ("--help", 8),
        ("--version", 8),
        // bf-report reads documents, and no config.
        ("--config", 7),
        ("--warehouse", 4),
    ] {
        let with: Vec<_> = helps
            .iter()
            .filter(|(_, help)| help.contains_key(flag))
            .collect();
        assert_eq!(with.len(), tools, "{flag}");
        for (tool, help) in &with {
            assert_eq!(help.get(flag), with[0].1.get(flag), "{tool} {flag}");
        }
    }
}
