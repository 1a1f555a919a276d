//! Runs over other dates, from another phase, again after a failure, and for the dates that failed.

use std::fs;

use super::rig::{Ran, Rig};

/// A job over `own.days` that marks its start with its name and dates, fails while there is a file `bad-NAME`, and
/// logs each date of January 2024 in its range; those in the file `failing` as failed.
const JOB: &str = r#"name=$0; first=${1#2024-01-}; last=${2#2024-01-}
echo "$name $1 $2" >> marks
test ! -e "bad-$name" || exit 1
echo "$((${last#0} - ${first#0} + 1)) days"
for day in $(seq "${first#0}" "${last#0}"); do
  date=$(printf '2024-01-%02d' "$day")
  if grep -q "$date" failing 2>/dev/null; then echo "no $date"; else echo "ok $date 1"; fi
done
echo over
"#;

pub fn rig(plan: &str) -> Rig {
    let rig = Rig::new(&[]);
    let database = rusqlite::Connection::open(rig.sandbox.join("warehouse/own.db"));
    let database = database.expect("a database");
    database
        .execute_batch(
            "CREATE TABLE days (day TEXT, n INTEGER); CREATE TABLE more (day TEXT, n INTEGER);",
        )
        .expect("tables");
    for day in 1..=10 {
        for table in ["days", "more"] {
            let row = format!("INSERT INTO {table} VALUES ('2024-01-{day:02}', 1);");
            database.execute_batch(&row).expect("a row");
        }
    }
    rig.configure(
        &[],
        "dialects:\n  - {name: own, run_start: '^(?P<total>\\d+) days', success: '^ok (?P<date>\\S+) (?P<records>\\d+)', failure: '^no (?P<date>\\S+)', end: '^over$'}\n",
    );
    for (file, table) in [("days.yaml", "days"), ("more.yaml", "more")] {
        rig.sandbox.write(
            file,
            &format!(
                "suite: {table}\ntable: own.{table}\ndate_column: day\nprimary_key: [day]\nchecks:\n  \
                 - {{name: rows, level: critical, row_count: {{}}, at_least: 1}}\n"
            ),
        );
    }
    rig.sandbox.write("job.sh", JOB);
    rig.sandbox.write("plan.yaml", plan);
    rig
}

/// Two phases of five days each.
pub const TWO: &str = "name: two
range: {start: 2024-01-01, end: 2024-01-05}
phases:
  - name: one
    validate: [{suite: days.yaml}]
    job: {command: [sh, -c, '. ./job.sh', one, '{start}', '{end}']}
    dialect: own
  - name: two
    needs: [one]
    validate: [{suite: more.yaml}]
    job: {command: [sh, -c, '. ./job.sh', two, '{start}', '{end}']}
    dialect: own
";

pub fn output(rig: &Rig, args: &[&str]) -> std::process::Output {
    let mut command = rig.sandbox.command("bf-orchestrate");
    command.args(args).output().expect("it runs")
}

pub fn ran(rig: &Rig, args: &[&str]) -> Ran {
    Ran::from(output(rig, args))
}

/// The exit code, and what was said.
pub fn said(rig: &Rig, args: &[&str]) -> (Option<i32>, String) {
    let output = output(rig, args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

fn marks(rig: &Rig) -> Vec<String> {
    let marks = fs::read_to_string(rig.sandbox.join("marks")).unwrap_or_default();
    marks.lines().map(str::to_owned).collect()
}

#[test]
fn the_dates_of_a_plan_are_given_on_the_command_line() {
    let rig = rig(TWO);
    let ran = ran(
        &rig,
        &["run", "plan.yaml", "--range", "2024-01-03 2024-01-04"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(
        marks(&rig),
        ["one 2024-01-03 2024-01-04", "two 2024-01-03 2024-01-04"]
    );
    assert_eq!(ran.phase(1)["range"]["start"], "2024-01-03");
    for (args, words) in [
        (
            ["--range", "2024-01-04 2024-01-03"],
            "ends before it starts",
        ),
        (["--range", "2024-01-04"], "--range"),
        (["--last", "0d"], "--last"),
    ] {
        let (code, text) = said(&rig, &["run", "plan.yaml", args[0], args[1]]);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(marks(&rig).len(), 2);
}

#[test]
fn a_run_from_a_phase_judges_the_ones_before_and_does_not_run_them() {
    let rig = rig(TWO);
    rig.sandbox.write("bad-two", "");
    let failed = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    let steps = failed.report["next_steps"].to_string();
    assert!(
        steps.contains("bf-orchestrate run plan.yaml --from two"),
        "{steps}"
    );
    fs::remove_file(rig.sandbox.join("bad-two")).expect("removed");
    let again = ran(&rig, &["run", "plan.yaml", "--from", "two"]);
    assert_eq!(again.code, Some(0), "{}", again.text);
    assert_eq!(again.statuses(), ["passed", "passed"]);
    let checks = again.phase(0)["validation"]["checks"].to_string();
    assert!(checks.contains("log_completed"), "{checks}");
    let names: Vec<String> = marks(&rig)
        .iter()
        .map(|mark| mark[..3].to_owned())
        .collect();
    assert_eq!(names, ["one", "two", "two"]);

    let (code, text) = said(&rig, &["run", "plan.yaml", "--from", "three"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("its phases are one, two"), "{text}");
}

#[test]
fn a_table_that_was_emptied_since_stops_a_run_that_starts_after_it() {
    let rig = rig(TWO);
    assert_eq!(ran(&rig, &["run", "plan.yaml"]).code, Some(0));
    rusqlite::Connection::open(rig.sandbox.join("warehouse/own.db"))
        .and_then(|database| database.execute_batch("DELETE FROM days"))
        .expect("emptied");
    let again = ran(&rig, &["run", "plan.yaml", "--from", "two"]);
    assert_eq!(again.code, Some(1), "{}", again.text);
    assert_eq!(again.statuses(), ["failed", "not_started"]);
}

#[test]
fn resume_runs_again_what_failed_and_nothing_else() {
    let rig = rig(TWO);
    rig.sandbox.write("bad-two", "");
    let runs = ["--runs", "elsewhere"];
    let failed = ran(&rig, &["run", "plan.yaml", runs[0], runs[1]]);
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    let steps = failed.report["next_steps"].to_string();
    assert!(
        steps.contains("resume 2") && steps.contains("--runs elsewhere"),
        "{steps}"
    );
    fs::remove_file(rig.sandbox.join("bad-two")).expect("removed");
    let resumed = ran(&rig, &["resume", runs[0], runs[1]]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    assert_eq!(resumed.report["run_id"], failed.report["run_id"]);
    let names: Vec<String> = marks(&rig)
        .iter()
        .map(|mark| mark[..3].to_owned())
        .collect();
    assert_eq!(names, ["one", "two", "two"]);
    let attempts = resumed.phase(1)["attempts"].as_array().expect("attempts");
    let statuses: Vec<_> = attempts.iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["failed", "passed"]);
    // Now it passed, and there is nothing left to do.
    let (code, text) = said(&rig, &["resume", runs[0], runs[1]]);
    assert_eq!(code, Some(2), "{text}");
}

/// One phase of five days that is tried again.
fn retried(retries: &str, command: &str) -> String {
    format!(
        "name: one\nrange: {{start: 2024-01-01, end: 2024-01-05}}\nphases:\n  - name: one\n    \
         validate: [{{suite: days.yaml}}]\n    dialect: own\n    job: {{command: {command}}}\n    retries: {{{retries}}}\n"
    )
}

const SCRIPT: &str = "[./job, '{start}', '{end}']";

/// Makes the job a program, which a shell string is not.
fn with_program(rig: &Rig) {
    let path = rig
        .sandbox
        .write("job", "#!/bin/sh\n. ./retry.sh\n. ./job.sh\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(path, mode).expect("executable");
    // Dates fail once.
    rig.sandbox.write(
        "retry.sh",
        "test ! -e marks || : > failing\nset -- \"$@\"\n",
    );
}

#[test]
fn dates_that_failed_are_run_again_by_a_command_of_the_plan() {
    let rig = rig(&retried(
        "limit: 1, command: [./job, '{start}', '{end}']",
        SCRIPT,
    ));
    with_program(&rig);
    rig.sandbox
        .write("failing", "2024-01-02\n2024-01-03\n2024-01-05\n");
    let ran = ran(&rig, &["run", "plan.yaml"]);
    let spans: Vec<String> = marks(&rig)
        .iter()
        .map(|mark| mark.split_once(' ').expect("dates").1.to_owned())
        .collect();
    assert_eq!(
        spans,
        [
            "2024-01-01 2024-01-05",
            "2024-01-02 2024-01-03",
            "2024-01-05 2024-01-05"
        ],
        "{}",
        ran.text
    );
}

#[test]
fn a_shell_string_gets_no_dates_and_is_refused() {
    let command = "[sh, -c, '. ./job.sh', one, '{start}', '{end}']";
    let rig = rig(&retried("limit: 1, on: failed_dates", command));
    let (code, text) = said(&rig, &["run", "plan.yaml"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("shell string") && text.contains("{dates}"),
        "{text}"
    );
    let plan = retried("limit: 1, command: [./job]", command);
    rig.sandbox.write("plan.yaml", &plan);
    let (code, text) = said(&rig, &["run", "plan.yaml"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("must name its dates"), "{text}");
    assert!(marks(&rig).is_empty());
}

#[test]
fn a_job_whose_time_is_over_is_ended_and_tried_again_where_the_plan_says_so() {
    let plan = retried(
        "limit: 1",
        "[sh, -c, '. ./hang.sh', one, '{start}', '{end}']",
    );
    let rig = rig(&format!(
        "{plan}    timeout_hours: 0.0005\n    on_timeout: kill\n"
    ));
    rig.sandbox.write(
        "hang.sh",
        "test -e once || { touch once; echo $$ > hanging; exec sleep 600; }\n. ./job.sh\n",
    );
    let ran = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.phase(0)["attempts"][0]["status"], "failed");
    let hanging = rig.sandbox.read("hanging");
    let stat = format!("/proc/{}/stat", hanging.trim());
    assert!(
        fs::read_to_string(stat).map_or(true, |stat| stat.contains(") Z ")),
        "the job that hung was ended"
    );
}

#[test]
fn a_job_that_hangs_is_ended_and_tried_again_where_the_plan_says_so() {
    let plan = retried(
        "limit: 1",
        "[sh, -c, '. ./hang.sh', one, '{start}', '{end}']",
    );
    let rig = rig(&format!("{plan}    on_hang: kill\n"));
    rig.sandbox.write(
        "hang.sh",
        "test -e once || { touch once; echo $$ > hanging; exec sleep 600; }\n. ./job.sh\n",
    );
    let config = rig.sandbox.read("config/backfill_thresholds.yaml");
    rig.sandbox.write(
        "config/backfill_thresholds.yaml",
        &format!("{config}hang: {{quiet: 1s, stalled: 1s, hung: 2s}}\n"),
    );
    let ran = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let attempts = ran.phase(0)["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 2);
    let hanging = rig.sandbox.read("hanging");
    let stat = format!("/proc/{}/stat", hanging.trim());
    assert!(
        fs::read_to_string(stat).map_or(true, |stat| stat.contains(") Z ")),
        "the job that hung was ended"
    );
}

#[test]
fn a_dry_run_of_a_plan_that_is_ready_ends_in_0_and_starts_nothing() {
    let rig = rig(TWO);
    let dry = ran(&rig, &["run", "plan.yaml", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.text);
    assert!(dry.text.contains("would start one"), "{}", dry.text);
    assert!(marks(&rig).is_empty());
}

#[test]
fn a_phase_without_a_table_takes_that_of_its_suite() {
    let rig = rig(TWO);
    let ran = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(ran.phase(0)["table"], "own.days", "{}", ran.text);
}

#[test]
fn what_people_write_by_mistake_gets_the_right_words() {
    let rig = rig(TWO);
    let cases = [
        (vec!["plan.yaml"], "bf-orchestrate run plan.yaml"),
        (
            vec![
                "--phase1-pid",
                "1",
                "--phase1-log",
                "x.log",
                "--phase1-dates",
                "2024-01-01",
                "2024-01-05",
            ],
            "--phase1-dates \"2024-01-01 2024-01-05\"",
        ),
        (vec!["status", "--config", "nowhere.yaml"], "--config"),
    ];
    for (args, words) in cases {
        let (code, text) = said(&rig, &args);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(words), "{args:?}: {text}");
    }
    for (command, words) in [
        ("sh job.sh {start}", "[sh, job.sh, \"{start}\"]"),
        ("[sh, job.sh, {start}]", "write \"{start}\""),
    ] {
        let plan = format!(
            "range: {{start: 2024-01-01, end: 2024-01-05}}\nphases:\n  - name: one\n    \
             validate: [{{suite: days.yaml}}]\n    job:\n      command: {command}\n"
        );
        rig.sandbox.write("wrong.yaml", &plan);
        let (code, text) = said(&rig, &["check", "wrong.yaml"]);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(words), "{command}: {text}");
    }
    rig.sandbox
        .write("tab.yaml", "name: x\nphases:\n\t- name: one\n");
    let seconds = "polling: {interval_seconds: 1s}\n";
    rig.sandbox.write("seconds.yaml", seconds);
    for (args, words) in [
        (vec!["check", "tab.yaml"], "a tab at line 3"),
        (
            vec!["check", "plan.yaml", "--config", "seconds.yaml"],
            "a number without a unit",
        ),
        (vec!["run", "plan.yaml", "--from", "nope"], "no such phase"),
        (
            vec!["run", "plan.yaml", "--range", "-2d -7d"],
            "ends before it starts",
        ),
        (vec!["run", "plan.yaml", "--last", "0d"], "at least one"),
    ] {
        let (code, text) = said(&rig, &args);
        assert_eq!(code, Some(2), "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
    }
    let call = rig
        .sandbox
        .tool("bf-validate")
        .args(["days.yaml", "2024-01-01", "2024-01-05"])
        .output();
    let text = String::from_utf8_lossy(&call.expect("it runs").stderr).into_owned();
    assert!(text.contains("--suite days.yaml"), "{text}");
}
