//! Plans of any number of phases, and looking at runs.

use std::fs;

use predicates::prelude::*;
use serde_json::Value;

use super::rig::{Ran, Rig};
use crate::support::{bin_dir, document, documents, wait_until};

/// A phase of the team table over phase 1's dates.
fn team_phase(extra_args: &str, more: &str) -> String {
    format!(
        "  - name: team_offense\n    validate: [{{validator: team_offense}}]\n    job:\n      \
         command: [sh, ./job.sh, team-offense{extra_args}]\n{more}"
    )
}

/// A phase of the player table that needs the team table.
const PLAYER_PHASE: &str = "  - name: players\n    needs: [team_offense]\n    \
     range: {start: 2024-01-05, end: 2024-01-11}\n    \
     validate: [{validator: player_game_summary}]\n    job:\n      \
     command: [bf-sample-job, player-summary, --start-date, '{start}', --end-date, '{end}', --no-resume]\n";

/// The log of that phase.
const TEAM_LOG: &str = "logs/plan_team_offense_2024-01-02_2024-01-14.log";

const HEAD: &str = "range: {start: 2024-01-02, end: 2024-01-14}\nphases:\n";

/// A rig with a plan of this text, and a job script that fails a date on its first call where it is told
/// so.
fn rig_with(plan: &str) -> Rig {
    let rig = Rig::new(&[]);
    rig.sandbox.write("plan.yaml", plan);
    rig.sandbox.write(
        "job.sh",
        "table=$1; shift\n\
         case \" $* \" in *' --dates '*) range= ;; *) range='--start-date 2024-01-02 --end-date 2024-01-14' ;; esac\n\
         fault=\n\
         case \" $* \" in *' fail-once '*) [ -e called ] || fault='--fail-dates 2024-01-05,2024-01-08' ;; esac\n\
         touch called\n\
         [ \"${1-}\" = fail-once ] && shift\n\
         exec bf-sample-job \"$table\" $range --no-resume $fault \"$@\"\n",
    );
    rig
}

fn run(rig: &Rig) -> Ran {
    let mut command = rig.sandbox.command("bf-orchestrate");
    Ran::from(
        command
            .args(["run", "plan.yaml"])
            .output()
            .expect("it runs"),
    )
}

#[test]
fn a_plan_runs_its_phases_in_the_order_of_their_needs() {
    // The phase that is needed stands last in the file.
    let rig = rig_with(&format!("{HEAD}{PLAYER_PHASE}{}", team_phase("", "")));
    rig.sandbox
        .tool("bf-orchestrate")
        .args(["check", "plan.yaml"])
        .assert()
        .code(0)
        .stderr(predicate::str::contains("can ask the warehouse"));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["passed", "passed"]);
    assert_eq!(ran.phase(0)["name"], "team_offense");
}

#[test]
fn failed_dates_are_run_again_and_only_those() {
    let more = "    retries: {limit: 1, on: failed_dates}\n";
    let rig = rig_with(&format!("{HEAD}{}", team_phase(", fail-once", more)));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let summary = &ran.phase(0)["log_summary"];
    assert_eq!(summary["failed_days"], 0, "{summary}");
    assert_eq!(summary["successful_days"], 13, "{summary}");
    let log = rig.sandbox.read(TEAM_LOG);
    assert!(log.contains("Processing 2 specific dates"), "{log}");
}

#[test]
fn a_job_that_fails_again_is_not_run_for_ever() {
    let more = "    retries: {limit: 1}\n";
    let rig = rig_with(&format!(
        "{HEAD}{}{PLAYER_PHASE}",
        team_phase(", --fail-dates, '2024-01-05'", more)
    ));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.statuses(), ["failed", "not_started"]);
    let log = rig.sandbox.read(TEAM_LOG);
    assert_eq!(
        log.matches("DAY-BY-DAY BACKFILL SUMMARY").count(),
        2,
        "{log}"
    );
}

#[test]
fn a_failure_that_the_plan_only_warns_of_does_not_hold_back_what_follows() {
    let rig = rig_with(&format!(
        "{HEAD}{}{PLAYER_PHASE}",
        team_phase(
            ", --blocking-issue-dates, '2024-01-13'",
            "    on_fail: warn\n"
        )
    ));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["warned", "passed"]);
    assert_eq!(ran.report["verdict"], "warn");
    let reason = ran.report["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("team_offense failed") && !reason.contains("passed"),
        "{reason}"
    );
    assert!(ran.text.contains("NOT ALL PASSED"), "{}", ran.text);

    let rig = rig_with(&format!(
        "{HEAD}{}{PLAYER_PHASE}",
        team_phase(
            ", --blocking-issue-dates, '2024-01-13'",
            "    on_fail: continue\n"
        )
    ));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.statuses(), ["failed", "passed"]);
}

#[test]
fn what_is_no_plan_is_refused_and_leaves_no_trace() {
    let cycle = format!(
        "{HEAD}{}{PLAYER_PHASE}",
        team_phase("", "    needs: [players]\n")
    );
    let twice = format!("{HEAD}{}{}", team_phase("", ""), team_phase("", ""));
    let unknown = format!("{HEAD}{}", team_phase("", "    needs: [nobody]\n"));
    let misspelt = format!("{HEAD}{}", team_phase("", "    on_fial: warn\n"));
    let unjudged = format!("{HEAD}  - name: a\n    table: d.t\n    validate: []\n");
    let cases = [
        (cycle.as_str(), "cycle"),
        (twice.as_str(), "two phases team_offense"),
        (unknown.as_str(), "needs nobody"),
        (misspelt.as_str(), "on_fial"),
        (unjudged.as_str(), "validate is empty"),
        ("phases: []\n", "no phases"),
    ];
    for (plan, said) in cases {
        let rig = rig_with(plan);
        for action in ["run", "check"] {
            rig.sandbox
                .tool("bf-orchestrate")
                .args([action, "plan.yaml"])
                .assert()
                .code(2)
                .stderr(predicate::str::contains(said));
        }
        assert!(!rig.sandbox.join(".bf").exists(), "{said}");
    }
}

#[test]
fn the_documented_flags_are_a_plan_that_can_be_kept() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    job.wait();
    let output = rig
        .sandbox
        .command("bf-orchestrate")
        .arg("plan")
        .args(["--phase1-pid", &job.pid().to_string()])
        .args(["--phase1-log", "logs/phase1.log"])
        .args(["--phase1-dates", "2024-01-02 2024-01-14"])
        .args(["--phase2-dates", "2024-01-05 2024-01-11"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    fs::write(rig.sandbox.join("plan.yaml"), &output.stdout).expect("writable");
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["warned", "passed"]);
}

#[test]
fn a_changed_plan_does_not_take_up_another_run_unasked() {
    let slow = format!("{HEAD}{}", team_phase(", --delay-ms, '60000'", ""));
    let rig = rig_with(&slow);
    let mut orchestrator = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["run", "plan.yaml"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let status = || -> Option<Value> {
        let output = rig
            .sandbox
            .command("bf-orchestrate")
            .args(["status", "--format", "json"])
            .output();
        let output = output.expect("it runs");
        output.status.success().then(|| document(&output.stdout))
    };
    wait_until("the job is watched", || {
        status().is_some_and(|status| status["phases"][0]["process_is_alive"] == true)
    });
    assert_eq!(status().expect("a run")["state"], "live");
    orchestrator.kill().expect("it can be killed");
    orchestrator.wait().expect("it ends");
    assert_eq!(status().expect("a run")["state"], "abandoned");

    rig.sandbox
        .write("plan.yaml", &slow.replace("2024-01-14", "2024-01-13"));
    rig.sandbox
        .tool("bf-orchestrate")
        .args(["run", "plan.yaml"])
        .assert()
        .code(2)
        .stderr(
            predicate::str::contains("phases.team_offense.range was")
                .and(predicate::str::contains("--accept-changed-plan")),
        );
    rig.sandbox
        .tool("bf-orchestrate")
        .arg("stop")
        .assert()
        .code(0)
        .stderr(predicate::str::contains("was ended with SIGTERM"));
    let ended = status().expect("a run");
    assert_eq!(ended["phases"][0]["process_is_alive"], false);
}

#[test]
fn history_lists_runs_and_metrics_say_how_they_ended() {
    let rig = rig_with(&format!("{HEAD}{}", team_phase("", "")));
    let mut command = rig.sandbox.command("bf-orchestrate");
    command.args(["run", "plan.yaml", "--metrics-file", "bf.prom"]);
    let ran = Ran::from(command.output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let metrics = rig.sandbox.read("bf.prom");
    assert!(
        metrics.contains("bf_run_exit_code{plan=\"plan\"} 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("phase=\"team_offense\",state=\"passed\"} 1"),
        "{metrics}"
    );
    crate::report::check_metrics(&rig.sandbox, "bf.prom");
    let output = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["history", "--format", "json"])
        .output();
    let runs = documents(&output.expect("it runs").stdout);
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["verdict"], "pass");
    assert_eq!(runs[0]["exit_code"], 0);
}

#[test]
fn a_long_validation_that_prints_nothing_is_no_silence_of_the_orchestrator() {
    let rig = rig_with(&format!("{HEAD}{}", team_phase("", "")));
    fs::create_dir(rig.sandbox.join("bin")).expect("a folder");
    for entry in fs::read_dir(bin_dir()).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("a name");
        if name.starts_with("bf-") && !name.contains('.') && name != "bf-validate-team-offense" {
            let link = rig.sandbox.join(&format!("bin/{name}"));
            std::os::unix::fs::symlink(entry.path(), link).expect("a link");
        }
    }
    let validator = rig.sandbox.write(
        "bin/bf-validate-team-offense",
        &format!(
            "#!/bin/sh\ncase \" $* \" in *' --log-summary '*) touch validating\n\
             while [ ! -e go ]; do sleep 0.1; done ;; esac\nexec {}/bf-validate-team-offense \"$@\"\n",
            bin_dir().display()
        ),
    );
    fs::set_permissions(
        validator,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .expect("a program");
    let mut command = rig.sandbox.command("bf-orchestrate");
    command
        .env("BF_BIN_DIR", rig.sandbox.join("bin"))
        .args(["run", "plan.yaml", "--metrics-file", "bf.prom"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let orchestrator = command.spawn().expect("it starts");
    wait_until("the validation began", || {
        rig.sandbox.join("validating").exists()
    });
    let heartbeat = || {
        let metrics = rig.sandbox.read("bf.prom");
        let line = metrics
            .lines()
            .find(|line| line.starts_with("bf_run_heartbeat_timestamp_seconds{"));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{metrics}"))
    };
    let first = heartbeat();
    wait_until("a heartbeat came", || heartbeat() >= first + 4.0);
    rig.sandbox.write("go", "");
    let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
}

#[test]
fn somebody_is_told_of_the_start_each_gate_and_the_end() {
    let rig = rig_with(&format!("{HEAD}{}", team_phase("", "")));
    rig.configure(
        &[],
        "notify:\n  - name: file\n    command: [sh, -c, 'cat >> told.ndjson; echo >> told.ndjson']\n",
    );
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let told: Vec<Value> = rig
        .sandbox
        .read("told.ndjson")
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("a document"))
        .collect();
    let events: Vec<&str> = told
        .iter()
        .filter_map(|told| told["event"].as_str())
        .collect();
    assert_eq!(events, ["run_started", "phase_ended", "run_finished"]);
    assert_eq!(told[2]["run_report"]["verdict"], "pass");
    // A name that no other run has, the same from the start to the end.
    let uuid = told[0]["run_uuid"].as_str().expect("a UUID");
    assert_eq!(uuid.len(), 36, "{uuid}");
    assert!(told.iter().all(|told| told["run_uuid"] == uuid));
    assert_eq!(told[2]["run_report"]["run_uuid"], uuid);
}

#[test]
fn a_gate_that_waits_for_its_warehouse_goes_on_waiting_after_an_interruption() {
    let more = "    check_again: {limit: 3, backoff: 60s}\n";
    let rig = rig_with(&format!("{HEAD}{}", team_phase("", more)));
    // The job fills one warehouse; the gate looks for another that is not there yet.
    let mut command = rig.sandbox.command("bf-orchestrate");
    command.args(["run", "plan.yaml", "--warehouse", "sqlite:away"]);
    let orchestrator = super::crash::start(command);
    let said = rig.sandbox.join(".bf/runs");
    wait_until("the gate could not be checked", || {
        super::journal_says(&rig, "\"validated\"") && said.exists()
    });
    super::signal(orchestrator.id(), rustix::process::Signal::TERM);
    let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(143), "{}", ran.text);
    assert_eq!(ran.statuses(), ["interrupted"], "{}", ran.text);
    assert!(!super::journal_says(&rig, "gate_closed"), "{}", ran.text);

    fs::rename(rig.sandbox.join("warehouse"), rig.sandbox.join("away")).expect("renamed");
    let mut resume = rig.sandbox.command("bf-orchestrate");
    resume.args(["resume"]);
    let resumed = super::crash::start(resume);
    // It looks again at once only if the earlier look is not held against it.
    let ran = Ran::from(resumed.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let log = rig.sandbox.read(TEAM_LOG);
    assert_eq!(
        log.matches("DAY-BY-DAY BACKFILL SUMMARY").count(),
        1,
        "{log}"
    );
}

#[test]
fn stop_ends_the_jobs_and_nothing_more_is_started() {
    // Each of these would start another job: an attempt after the first, and a phase that may follow a failure.
    let more = "    retries: {limit: 3}\n    on_fail: continue\n";
    let rig = rig_with(&format!(
        "concurrency: 1\n{HEAD}{}{PLAYER_PHASE}",
        team_phase(", --delay-ms, '60000'", more)
    ));
    let mut command = rig.sandbox.command("bf-orchestrate");
    command.args(["run", "plan.yaml"]);
    let orchestrator = super::crash::start(command);
    // It may be asked for before the job is known.
    wait_until("the job is about to start", || {
        super::journal_says(&rig, "job_starting")
    });
    rig.sandbox
        .tool("bf-orchestrate")
        .arg("stop")
        .assert()
        .code(0)
        .stderr(predicate::str::contains("was ended with SIGTERM"));
    let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(143), "{}", ran.text);
    assert_eq!(
        ran.statuses(),
        ["interrupted", "not_started"],
        "{}",
        ran.text
    );
    assert!(!super::journal_says(&rig, "retry_planned"), "{}", ran.text);
    let players = "logs/plan_players_2024-01-05_2024-01-11.log";
    assert!(!rig.sandbox.join(players).exists());
}

/// A phase whose job only prints, over a table of its own with rows on the first two of four dates.
fn small_table(log: &str, suite_table: &str) -> Rig {
    let rig = Rig::new(&[]);
    let database = rusqlite::Connection::open(rig.sandbox.join("warehouse/own.db"));
    let rows = "CREATE TABLE days (day TEXT, n INTEGER);
                INSERT INTO days VALUES ('2024-01-02', 1), ('2024-01-03', 1);";
    database
        .expect("a database")
        .execute_batch(rows)
        .expect("rows");
    let suite = format!(
        "suite: own\ntable: {suite_table}\ndate_column: day\nprimary_key: [day]\nchecks:\n  \
         - {{name: rows, level: critical, row_count: {{}}, at_least: 1}}\n"
    );
    rig.sandbox.write("suite.yaml", &suite);
    rig.configure(
        &[],
        "dialects:\n  - {name: own, run_start: '^(?P<total>\\d+) days', success: '^ok (?P<date>\\S+) (?P<records>\\d+)', end: '^over$'}\n",
    );
    rig.sandbox.write(
        "plan.yaml",
        &format!(
            "range: {{start: 2024-01-02, end: 2024-01-05}}\nphases:\n  - name: own\n    table: own.days\n    \
             validate: [{{suite: suite.yaml}}]\n    job:\n      command: [sh, -c, 'echo began >> marks; printf \"{log}\"']\n"
        ),
    );
    rig
}

#[test]
fn a_log_about_less_than_the_range_opens_no_gate_where_no_schedule_says_what_is_due() {
    let half = small_table(
        "2 days\\nok 2024-01-02 1\\nok 2024-01-03 1\\nover\\n",
        "own.days",
    );
    let ran = run(&half);
    assert!(matches!(ran.code, Some(1 | 3)), "{}", ran.text);
    let plan = half.sandbox.read("plan.yaml");
    half.sandbox.write(
        "plan.yaml",
        &plan.replace("end: 2024-01-05", "end: 2024-01-03"),
    );
    let whole = run(&half);
    assert_eq!(whole.code, Some(0), "{}", whole.text);
    assert!(
        matches!(ran.statuses()[0], "failed" | "could_not_check"),
        "{}",
        ran.text
    );
}

#[test]
fn a_suite_of_another_table_is_found_out_before_the_job_runs() {
    let rig = small_table("over\\n", "own.others");
    for action in ["check", "run"] {
        let output = rig
            .sandbox
            .command("bf-orchestrate")
            .args([action, "plan.yaml"])
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(
            text.contains("judges own.others, not its table own.days"),
            "{text}"
        );
    }
    assert!(!rig.sandbox.join("marks").exists());
}

#[test]
fn a_gate_that_opens_names_the_checks_that_nobody_could_answer() {
    let rig = small_table("over\\n", "own.days");
    let plan = rig.sandbox.read("plan.yaml");
    let gate = plan.split("    job:").next().expect("a gate");
    rig.sandbox.write("plan.yaml", gate);
    let suite = rig.sandbox.read("suite.yaml");
    let more = "  - {name: missing_dates, missing_dates: {}}\n";
    rig.sandbox.write("suite.yaml", &format!("{suite}{more}"));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["passed"]);
    let reason = ran.phase(0)["reason"].as_str().expect("a reason");
    assert!(
        reason.ends_with("passed; not checked: missing_dates"),
        "{reason}"
    );
    assert!(
        ran.text.contains("PASSED; NOT CHECKED: missing_dates"),
        "{}",
        ran.text
    );
}

#[test]
fn a_table_that_the_job_is_to_write_is_no_reason_against_a_plan() {
    let rig = small_table("over\\n", "own.days");
    let check = || {
        rig.sandbox
            .tool("bf-orchestrate")
            .args(["check", "plan.yaml"])
            .assert()
    };
    let warehouse = rig.sandbox.join("warehouse/own.db");
    rusqlite::Connection::open(&warehouse)
        .and_then(|database| database.execute_batch("ALTER TABLE days RENAME TO others"))
        .expect("renamed");
    check()
        .code(0)
        .stderr(predicate::str::contains("its job is to write it"));
    fs::remove_file(&warehouse).expect("removed");
    check()
        .code(0)
        .stderr(predicate::str::contains("its job is to write it"));
    // A file that is no database is another matter.
    fs::write(&warehouse, "no database").expect("written");
    check().code(3);
    // Nor does a gate alone make a table.
    fs::remove_file(&warehouse).expect("removed");
    let plan = rig.sandbox.read("plan.yaml");
    let gate = plan.split("    job:").next().expect("a gate");
    rig.sandbox.write("plan.yaml", gate);
    check().code(3);
}

#[test]
fn a_plan_of_its_own_ends_with_its_own_next_steps_or_none() {
    let rig = rig_with(&format!("{HEAD}{}", team_phase("", "")));
    let ran = run(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.report["next_steps"], serde_json::json!([]));
    // With nothing left, stop says so, and does not deny that there are runs.
    rig.sandbox
        .tool("bf-orchestrate")
        .arg("stop")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("nothing to stop"));
    rig.sandbox
        .tool("bf-orchestrate")
        .args(["history", "--runs", "misspelt"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no folder misspelt"));
}
