//! How far the documents of a log and of a monitor can be trusted: what is cut, what is about less than was
//! asked, what claims nothing, and a process that failed behind a log that did not.

use std::process::Stdio;

use super::rig::{MONTH, Report, Rig};

fn given(file: &str) -> [&str; 2] {
    ["--log-summary", file]
}

#[test]
fn entries_that_do_not_come_to_their_summary_are_not_held_against_the_table() {
    let rig = Rig::new();
    let text = rig.sandbox.read("team.ndjson");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (entries, summary) = lines.split_at(lines.len() - 1);
    let december = entries.iter().position(|line| line.contains("2024-12-05"));
    let one = entries[december.expect("an entry")];
    let other_count = one.replacen("\"records\":", "\"records\":1", 1);
    for (what, told) in [
        ("the head is cut", lines[100..].concat()),
        ("one entry is left", [one, summary[0]].concat()),
        ("another count", text.replacen(one, &other_count, 1)),
        (
            "a summary, and entries after it",
            [summary[0], &entries.concat()].concat(),
        ),
    ] {
        rig.sandbox.write("cut.ndjson", &told);
        let report = rig.team(MONTH, &given("cut.ndjson"));
        assert_eq!(report.status("reconciliation"), "error", "{what}");
        assert_ne!(report.code, 0, "{what}: {}", report.text);
        if what != "another count" {
            report.ends("error", 3);
        }
    }
    // What only looks like the beginning of a document may stand between them.
    rig.sandbox
        .write("whole.ndjson", &format!("{{'config': 1}}\n{{\n{text}"));
    rig.team(MONTH, &given("whole.ndjson")).is_clean();
}

#[test]
fn a_document_that_is_cut_short_is_not_passed_over() {
    let rig = Rig::new();
    let text = rig.sandbox.read("team.ndjson");
    let summary = text.lines().last().expect("a summary");
    for told in [
        format!("{text}{}", &summary[..summary.len() / 2]),
        format!("{}\n{text}", &text[..40]),
        format!("{text}{{\"ty"),
    ] {
        rig.sandbox.write("cut.ndjson", &told);
        let args = [&MONTH[..], &given("cut.ndjson")].concat();
        let (code, said) = rig.refusal("bf-validate-team-offense", &args);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("cut short"), "{said}");
    }
}

/// What the team validator says of a week whose job ran under bf-monitor and ended like this.
fn watched(rig: &Rig, ending: &str) -> Report {
    let job =
        "bf-sample-job team-offense --no-resume --start-date 2024-12-02 --end-date 2024-12-08";
    let mut monitor = rig
        .sandbox
        .command("bf-monitor")
        .args(["--log", "watched.log", "--", "sh", "-c"])
        .arg(format!("{job}; {ending}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let events = monitor.stdout.take().expect("a pipe");
    let output = rig
        .sandbox
        .command("bf-validate-team-offense")
        .args(["2024-12-02", "2024-12-08", "--log-summary", "-"])
        .stdin(events)
        .output()
        .expect("it runs");
    monitor.wait().expect("it ends");
    Report::of(&output)
}

#[test]
fn a_process_that_failed_has_not_completed_whatever_its_log_says() {
    let rig = Rig::new();
    let report = watched(&rig, "exit 7");
    report.fails_only(&["process_ended"]);
    assert!(report.message("process_ended").contains("exit code 7"));
    assert_eq!(report.status("log_completed"), "pass");
    let report = watched(&rig, "kill -9 $$");
    report.fails_only(&["process_ended"]);
    assert!(report.message("process_ended").contains("SIGKILL"));
    let report = watched(&rig, "exit 0");
    report.is_clean();
    assert_eq!(report.status("process_ended"), "pass");
}

#[test]
fn an_exit_that_nobody_saw_and_an_end_that_is_not_told_are_no_success() {
    let rig = Rig::new();
    let summary = rig.sandbox.read("team.ndjson");
    let event = |event: &str, exit: &str| {
        format!(
            "{{\"type\":\"process_event\",\"schema\":1,\"event\":\"{event}\",\"time\":\
             \"2026-01-02T10:00:00Z\",\"process\":null,\"started_at\":null,\"elapsed_seconds\":null,\
             \"message\":null,\"exit\":{exit},\"log_summary\":null,\"days_per_hour\":null,\
             \"eta_seconds\":null}}\n"
        )
    };
    let unseen = "{\"code\":null,\"signal\":null,\"signal_name\":null,\"source\":\"unknown\"}";
    let by_the_log = unseen.replace("unknown", "log");
    for (events, status, code) in [
        (event("exited", &by_the_log), "warn", 0),
        (event("started", "null"), "error", 3),
        (event("lost", "null"), "error", 3),
        (event("exited", unseen), "error", 3),
        (event("timed_out", "null"), "fail", 1),
    ] {
        rig.sandbox
            .write("events.ndjson", &format!("{summary}{events}"));
        let report = rig.team(MONTH, &given("events.ndjson"));
        assert_eq!(report.status("process_ended"), status, "{events}");
        assert_eq!(report.code, code, "{events}");
    }
}

const CONFIG: &str = "dialects:\n  - {name: mine, run_start: '^begin (?P<total>\\d+)', success: '^ok (?P<date>\\S+) (?P<records>\\d+)', end: '^over$'}\n  \
                      - {name: terse, run_start: '^begin to do (?P<total>\\d+)', success: '^did (?P<date>\\S+)', end: '^all over$'}\n";

/// A table of its own with 4 rows on each of the first days of March, no schedule, and the log of its job.
fn own_table(rig: &Rig, days: u32, log: impl Fn(u32) -> String, [begin, end]: [&str; 2]) -> String {
    rig.sql("CREATE TABLE own (day TEXT, k INTEGER)");
    let mut text = format!("{begin} {days}\n");
    for day in 1..=days {
        rig.sql(&format!(
            "INSERT INTO own SELECT '2024-03-{day:02}', value FROM json_each('[1,2,3,4]')"
        ));
        text.push_str(&log(day));
    }
    text.push_str(end);
    rig.sandbox.write("own.log", &text);
    rig.sandbox.write("config.yaml", CONFIG);
    rig.sandbox.write(
        "own.yaml",
        "suite: own\ntable: nba_analytics.own\ndate_column: day\nprimary_key: [day, k]\nchecks:\n  \
         - {name: missing_dates, missing_dates: {}}\n  - {name: keys, unique_key: {}}\n",
    );
    let output = rig
        .sandbox
        .command("bf-parse-log")
        .args(["--ledger", "--config", "config.yaml", "own.log"])
        .stderr(Stdio::null())
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    rig.sandbox.write("own.ndjson", &text);
    "own.ndjson".to_owned()
}

fn own(rig: &Rig, end: &str, args: &[&str]) -> Report {
    let always = [
        "--suite",
        "own.yaml",
        "--config",
        "config.yaml",
        "2024-03-01",
        end,
    ];
    rig.report("bf-validate", &[&always[..], args].concat())
}

#[test]
fn a_log_about_less_than_the_range_is_no_completion_where_nothing_else_says_what_is_due() {
    let rig = Rig::new();
    let file = own_table(
        &rig,
        15,
        |day| format!("ok 2024-03-{day:02} 4\n"),
        ["begin", "over\n"],
    );
    let report = own(&rig, "2024-03-20", &given(&file));
    report.fails_only(&["log_completed"]);
    assert!(
        report
            .message("log_completed")
            .contains("2024-03-01 to 2024-03-15 only"),
        "{}",
        report.text
    );
    own(&rig, "2024-03-15", &given(&file)).is_clean();
    // Where a list says what is due, the table has been held against it.
    let dates: String = (1..=15).map(|day| format!("2024-03-{day:02}\n")).collect();
    rig.sandbox
        .write("due.csv", &format!("{dates}2024-04-01\n"));
    rig.sandbox.write(
        "config.yaml",
        &format!("{CONFIG}expected_dates: {{csv: due.csv}}\n"),
    );
    let report = own(&rig, "2024-03-20", &given(&file));
    report.ends("warn", 0);
    assert_eq!(report.with("warn"), ["log_completed"], "{}", report.text);
}

#[test]
fn a_log_that_claims_no_counts_is_not_called_the_same() {
    let rig = Rig::new();
    let file = own_table(
        &rig,
        10,
        |day| format!("did 2024-03-{day:02}\n"),
        ["begin to do", "all over\n"],
    );
    rig.sql("DELETE FROM own WHERE day = '2024-03-04' AND k > 1");
    let report = own(&rig, "2024-03-10", &given(&file));
    assert_eq!(
        report.status("reconciliation"),
        "skipped",
        "{}",
        report.text
    );
    assert!(
        report
            .message("reconciliation")
            .contains("claims no counts")
    );
    assert!(report.text.contains("NOT CHECKED: ") && report.text.contains("reconciliation"));
    assert_eq!(
        own(
            &rig,
            "2024-03-10",
            &[&given(&file)[..], &["--strict"]].concat()
        )
        .code,
        1
    );
    // A date without any is still found.
    rig.sql("DELETE FROM own WHERE day = '2024-03-04'");
    let report = own(&rig, "2024-03-10", &given(&file));
    assert_eq!(report.status("reconciliation"), "fail", "{}", report.text);
    assert_eq!(report.dates("reconciliation"), ["2024-03-04"]);
}
