//! The documented front door: two phases, one gate between them.

use std::fs;

use super::rig::{Ran, Rig};

/// Slow enough that phase 1 still runs when it is attached to.
const SLOW: &[&str] = &["--delay-ms", "100"];

fn slow_and(faults: &[&'static str]) -> Vec<&'static str> {
    [SLOW, faults].concat()
}

#[test]
fn phase_2_starts_when_process_log_and_data_agree() {
    let rig = Rig::new(&[]);
    let ran = rig.run(SLOW);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["passed", "passed"]);
    assert_eq!(ran.report["verdict"], "pass");
    for index in 0..2 {
        let phase = ran.phase(index);
        assert_eq!(phase["job"]["exit"]["code"], 0, "{phase}");
        assert_eq!(phase["log_summary"]["state"], "completed", "{phase}");
        assert_eq!(phase["validation"]["verdict"], "pass", "{phase}");
        assert!(phase["duration_seconds"].as_f64() > Some(0.0), "{phase}");
    }
    assert!(
        ran.text.contains("ORCHESTRATOR FINAL REPORT"),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("Next steps:"), "{}", ran.text);
}

#[test]
fn a_phase_1_that_is_over_already_is_judged_by_its_log() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let ran = Ran::from(rig.orchestrate(pid).output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.phase(0)["job"]["exit"]["source"], "log");
    // Nobody saw how it ended: that is said, and is more than a silent pass.
    assert_eq!(ran.statuses(), ["warned", "passed"]);
    assert_eq!(ran.report["verdict"], "warn");
    let reason = ran.phase(0)["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("the log says that it completed"),
        "{reason}"
    );
    assert_eq!(ran.phase(0)["duration_seconds"], serde_json::Value::Null);
}

#[test]
fn a_phase_1_killed_in_the_middle_never_starts_phase_2() {
    let rig = Rig::new(&[]);
    let ran = rig.run(&slow_and(&["--die-at", "2024-01-08"]));
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.statuses(), ["failed", "not_started"]);
    // It is validated all the same, and shown.
    assert_eq!(ran.phase(0)["validation"]["verdict"], "fail");
    assert!(
        !rig.sandbox
            .join("logs/player_game_summary_backfill_phase2.log")
            .exists()
    );
}

#[test]
fn a_phase_1_that_ends_with_0_in_the_middle_never_starts_phase_2() {
    let rig = Rig::new(&[]);
    let ran = rig.run(&slow_and(&["--die-at", "2024-01-08", "--exit-code", "0"]));
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.statuses(), ["failed", "not_started"]);
}

#[test]
fn a_log_that_claims_more_than_the_table_holds_never_starts_phase_2() {
    let rig = Rig::new(&[]);
    let ran = rig.run(&slow_and(&["--half-game-dates", "2024-01-05"]));
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.phase(0)["log_summary"]["success_rate"], 100.0);
    assert_eq!(ran.statuses(), ["failed", "not_started"]);
}

#[test]
fn the_next_step_of_a_failed_gate_can_be_pasted_and_then_the_same_command_passes() {
    let rig = Rig::new(&[]);
    rig.configure(
        &[],
        "rerun:\n  team_offense: [bf-sample-job, team-offense, --dates, '{dates}']\n",
    );
    let mut job = rig.start_phase1(&["--skip-write-dates", "2024-01-05,2024-01-09"]);
    let pid = job.pid();
    job.wait();
    let bad = Ran::from(rig.orchestrate(pid).output().expect("it runs"));
    assert_eq!(bad.code, Some(1), "{}", bad.text);
    let steps = bad.report["next_steps"].as_array().expect("steps");
    let step = steps[0].as_str().expect("a step");
    let (_, pasted) = step.split_once(": ").expect("a command");
    let again = steps[1].as_str().expect("a step");
    assert!(again.contains("same command again"), "{again}");

    let mut shell = std::process::Command::new("sh");
    let environment = rig.sandbox.command("bf-sample-job");
    shell.args(["-c", pasted]).current_dir(rig.sandbox.path());
    shell.env_clear();
    for (name, value) in environment.get_envs() {
        shell.env(name, value.expect("set"));
    }
    let repeated = shell.output().expect("a shell");
    assert!(repeated.status.success(), "{pasted}");
    let good = Ran::from(rig.orchestrate(pid).output().expect("it runs"));
    assert_eq!(good.code, Some(0), "{}", good.text);
    assert_eq!(good.statuses(), ["warned", "passed"]);
}

#[test]
fn a_phase_2_that_leaves_a_feature_empty_is_not_a_success() {
    let rig = Rig::new(&["--empty-usage", "all"]);
    let ran = rig.run(SLOW);
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.statuses(), ["passed", "failed"]);
    assert!(
        ran.report["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("usage_rate"))
    );
}

#[test]
fn a_phase_2_that_fails_all_its_dates_and_exits_0_is_not_a_success() {
    let rig = Rig::new(&["--all-fail"]);
    let ran = rig.run(SLOW);
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.phase(1)["job"]["exit"]["code"], 0);
    assert_eq!(ran.statuses(), ["passed", "failed"]);
}

#[test]
fn a_phase_2_whose_program_does_not_exist_is_found_out_before_anything_is_watched() {
    let rig = Rig::new(&[]);
    rig.sandbox.write(
        "config/backfill_thresholds.yaml",
        "phase2:\n  command: [./no-such-program]\n",
    );
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let ran = Ran::from(rig.orchestrate(job.pid()).output().expect("it runs"));
    assert_eq!(ran.code, Some(2), "{}", ran.text);
    assert_eq!(ran.statuses(), ["not_started", "not_started"]);
    assert!(ran.text.contains("./no-such-program"), "{}", ran.text);
    assert!(
        !rig.sandbox.join(".bf").exists(),
        "a refused run leaves no trace"
    );
}

#[test]
fn a_script_that_does_not_exist_is_found_out_though_its_interpreter_does() {
    let rig = Rig::new(&[]);
    let interpreter = rig.sandbox.join("python3");
    std::os::unix::fs::symlink("/bin/sh", &interpreter).expect("a link");
    rig.sandbox.write(
        "config/backfill_thresholds.yaml",
        "phase2:\n  command: [./python3, backfill_jobs/none.py, '{start}']\n  env: {}\n",
    );
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    for more in [&[][..], &["--dry-run"]] {
        let output = rig.orchestrate(job.pid()).args(more).output();
        let output = output.expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("backfill_jobs/none.py"), "{text}");
    }
}

#[test]
fn without_dates_for_phase_2_the_run_ends_after_the_first_gate() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    job.wait();
    let output = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["--phase1-log", "logs/phase1.log", "--phase1-dates"])
        .arg("2024-01-02 2024-01-14")
        .args(["--phase1-pid", &job.pid().to_string()])
        .output()
        .expect("it runs");
    let ran = Ran::from(output);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["warned"]);
}

#[test]
fn a_dry_run_of_a_running_phase_1_waits_for_nothing_and_passes_nothing() {
    let rig = Rig::new(&[]);
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let output = rig.orchestrate(job.pid()).arg("--dry-run").output();
    let ran = Ran::from(output.expect("it runs"));
    assert!(
        matches!(ran.code, Some(1 | 3)),
        "{:?}\n{}",
        ran.code,
        ran.text
    );
    assert_eq!(ran.report["provisional"], true);
    assert_eq!(ran.report["dry_run"], true);
    assert_eq!(ran.statuses()[1], "not_started");
    assert!(
        ran.text.contains("bf-sample-job player-summary"),
        "{}",
        ran.text
    );
    assert!(
        !rig.sandbox.join(".bf").exists(),
        "a rehearsal leaves no trace"
    );
}

#[test]
fn a_dry_run_of_a_finished_phase_1_says_what_the_gate_would_say() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    job.wait();
    let output = rig.orchestrate(job.pid()).arg("--dry-run").output();
    let ran = Ran::from(output.expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(ran.statuses(), ["warned", "not_started"]);
    // What it did not start it did not judge either.
    assert_eq!(ran.report["provisional"], true);
    let reason = ran.report["reason"].as_str().expect("a reason");
    assert!(reason.contains("not judged"), "{reason}");
    let steps = ran.report["next_steps"].to_string();
    assert!(
        steps.contains("without --dry-run") && !steps.contains("Train"),
        "{steps}"
    );
    assert!(
        !rig.sandbox
            .join("logs/player_game_summary_backfill_phase2.log")
            .exists()
    );
}

#[test]
fn a_warehouse_that_is_not_there_is_not_a_pass() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    job.wait();
    let mut command = rig.orchestrate(job.pid());
    command.args(["--warehouse", "sqlite:nowhere"]);
    let ran = Ran::from(command.output().expect("it runs"));
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert_eq!(ran.statuses(), ["could_not_check", "not_started"]);
    assert!(!rig.sandbox.join("nowhere").exists());
}

#[test]
fn everything_that_the_tools_said_is_kept_in_the_run_directory() {
    let rig = Rig::new(&[]);
    let ran = rig.run(SLOW);
    let run_dir = rig
        .sandbox
        .join(ran.report["run_dir"].as_str().expect("a run directory"));
    for file in [
        "journal.ndjson",
        "plan.json",
        "config.yaml",
        "run_report.json",
    ] {
        assert!(run_dir.join(file).is_file(), "{file}");
    }
    for phase in 0..2 {
        let documents = ran.phase(phase)["job"]["documents"]
            .as_array()
            .expect("a list");
        assert_eq!(documents.len(), 3);
        for document in documents {
            let path = run_dir.join(document.as_str().expect("a path"));
            assert!(fs::metadata(path).expect("kept").len() > 0, "{document}");
        }
    }
}

#[test]
fn bad_dates_are_refused_by_name() {
    let rig = Rig::new(&[]);
    for dates in [
        "2024-01-14 2024-01-02",
        "2024-01-02",
        "2024-01-02,2024-01-14",
        "2024-02-30 2024-03-01",
    ] {
        let output = rig
            .sandbox
            .command("bf-orchestrate")
            .args([
                "--phase1-pid",
                "1",
                "--phase1-log",
                "x",
                "--phase1-dates",
                dates,
            ])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{dates}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr.lines().count(), 2, "{stderr}");
    }
    for pid in ["0", "-1", "many"] {
        let output = rig
            .sandbox
            .command("bf-orchestrate")
            .args([
                "--phase1-log",
                "x",
                "--phase1-dates",
                "2024-01-02 2024-01-14",
            ])
            .arg(format!("--phase1-pid={pid}"))
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{pid}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_found_out_before_anything_is_watched() {
    let rig = Rig::new(&[]);
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let output = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["--phase1-pid", &job.pid().to_string()])
        .args([
            "--phase1-log",
            "logs",
            "--phase1-dates",
            "2024-01-02 2024-01-14",
        ])
        .output();
    let ran = Ran::from(output.expect("it runs"));
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(
        ran.text.contains("reading its log logs: Is a directory"),
        "{}",
        ran.text
    );
    assert!(
        !rig.sandbox.join(".bf").exists(),
        "a refused run leaves no trace"
    );
}

#[test]
fn a_name_that_no_validator_knows_is_found_out_before_anything_is_watched() {
    let rig = Rig::new(&[]);
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    for (more, name) in [
        (
            "levels:\n  player_game_summary:\n    usage_rte: off\n",
            "usage_rte",
        ),
        ("rerun:\n  team_offence: [again]\n", "team_offence"),
    ] {
        rig.configure(&[], more);
        let ran = Ran::from(rig.orchestrate(job.pid()).output().expect("it runs"));
        assert_eq!(ran.code, Some(2), "{}", ran.text);
        assert!(ran.text.contains(name), "{}", ran.text);
        assert!(
            !rig.sandbox.join(".bf").exists(),
            "a refused run leaves no trace"
        );
    }
}

#[test]
fn two_phases_never_share_a_log_under_whatever_name() {
    let rig = Rig::new(&[]);
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let config = rig.sandbox.read("config/backfill_thresholds.yaml");
    let shared = config.replace("  env: {}", "  env: {}\n  log: ./logs/../logs/phase1.log");
    rig.sandbox
        .write("config/backfill_thresholds.yaml", &shared);
    let output = rig.orchestrate(job.pid()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("share the log"), "{text}");
}

#[test]
fn a_pass_that_reached_nobody_is_no_pass() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    job.wait();
    // As `> orchestrate.log 2>&1` on a full disk.
    let full = fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a Linux machine");
    let status = rig
        .orchestrate(job.pid())
        .stdout(full.try_clone().expect("a descriptor"))
        .stderr(full)
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(3));
}
