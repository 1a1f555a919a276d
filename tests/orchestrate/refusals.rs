//! Calls and plans that are refused before anything is started, and what they say.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::rig::{Ran, Rig};
use crate::support::wait_until;

/// A plan whose one job leaves a mark when it starts, writes a log in a dialect of the config, and fills no
/// table.
fn marking_plan(more: &str, command: &str) -> String {
    format!(
        "range: {{start: 2024-01-02, end: 2024-01-03}}\n{more}phases:\n  - name: marks\n    \
         validate: [{{validator: team_offense}}]\n    job:\n      command: {command}\n"
    )
}

const MARK: &str = "[sh, -c, 'echo started >> marks']";

fn rig_with(plan: &str) -> Rig {
    let rig = Rig::new(&[]);
    rig.sandbox.write("plan.yaml", plan);
    rig
}

fn call(rig: &Rig, args: &[&str]) -> Command {
    let mut command = rig.sandbox.command("bf-orchestrate");
    command.args(args);
    command
}

fn ran(rig: &Rig, args: &[&str]) -> Ran {
    Ran::from(call(rig, args).output().expect("it runs"))
}

#[test]
fn a_preflight_check_that_says_no_stops_everything_and_is_named() {
    let cases = [
        (
            "[sh, -c, 'echo only 3 GB left >&2; exit 1']",
            2,
            "preflight disk: it ended with 1: only 3 GB left",
        ),
        ("[sh, -c, 'exit 3']", 3, "preflight disk: it could not tell"),
        (
            "[sleep, '60'], timeout: 0.2",
            3,
            "preflight disk: it did not end within 0.2s",
        ),
        ("[sh, -c, 'kill -9 $$']", 3, "preflight disk: it was killed"),
        (
            "[./no-such-check]",
            2,
            "preflight disk: its program ./no-such-check does not exist",
        ),
    ];
    for (command, code, said) in cases {
        let checks = format!(
            "preflight:\n  - {{name: first, command: [sh, -c, 'echo ran >> first']}}\n  \
             - {{name: disk, command: {command}}}\n"
        );
        let rig = rig_with(&marking_plan(&checks, MARK));
        let refused = ran(&rig, &["run", "plan.yaml"]);
        assert_eq!(refused.code, Some(code), "{command}: {}", refused.text);
        assert!(refused.text.contains(said), "{command}: {}", refused.text);
        assert!(!rig.sandbox.join("marks").exists(), "{command}");
        let runs = rig.sandbox.join(".bf/runs");
        let is_empty = fs::read_dir(runs).map_or(true, |mut runs| runs.next().is_none());
        assert!(is_empty, "a refused run leaves no trace: {command}");
        for looking in [
            &["check", "plan.yaml"][..],
            &["run", "plan.yaml", "--dry-run"],
        ] {
            call(&rig, looking);
            let output = call(&rig, looking).output().expect("it runs");
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{looking:?} {command}: {text}"
            );
            assert!(text.contains(said), "{looking:?} {command}: {text}");
        }
        assert!(!rig.sandbox.join("marks").exists(), "{command}");
    }
}

#[test]
fn preflight_checks_are_run_once_before_the_first_job_and_not_again_after_a_crash() {
    let checks = "preflight:\n  - {name: a, command: [sh, -c, 'test ! -e marks && echo {start} >> checked']}\n";
    let rig = rig_with(&marking_plan(
        checks,
        "[sh, -c, 'echo started >> marks; mkdir first && exec sleep 60']",
    ));
    let mut orchestrator = call(&rig, &["run", "plan.yaml"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    wait_until("the job is known", || super::journal_says(&rig, "job_seen"));
    orchestrator.kill().expect("it can be killed");
    orchestrator.wait().expect("it ends");
    call(&rig, &["stop"]).output().expect("it runs");
    let resumed = ran(&rig, &["resume"]);
    assert_eq!(resumed.code, Some(1), "{}", resumed.text);
    assert_eq!(rig.sandbox.read("checked"), "2024-01-02\n");
    assert_eq!(rig.sandbox.read("marks"), "started\nstarted\n");
}

#[test]
fn sigterm_during_a_preflight_check_ends_it_and_starts_nothing() {
    let checks =
        "preflight:\n  - {name: slow, command: [sh, -c, 'echo $$ > checking; sleep 60; true']}\n";
    let rig = rig_with(&marking_plan(checks, MARK));
    let orchestrator = call(&rig, &["run", "plan.yaml"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let checking = rig.sandbox.join("checking");
    wait_until("the check runs", || {
        fs::read_to_string(&checking).is_ok_and(|pid| pid.ends_with('\n'))
    });
    let check = rig.sandbox.read("checking");
    super::signal(orchestrator.id(), rustix::process::Signal::TERM);
    let ended = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(143), "{}", ended.text);
    assert!(!rig.sandbox.join("marks").exists());
    let check = format!("/proc/{}/stat", check.trim());
    wait_until("the check is gone", || {
        fs::read_to_string(&check).map_or(true, |stat| stat.contains(") Z "))
    });
}

#[test]
fn a_dialect_of_the_plan_is_the_one_that_the_log_is_read_in() {
    let log = "ok 2024-01-02 5\\nok 2024-01-03 5\\nover\\n";
    let command = format!("[printf, \"{log}\"]");
    let config = "dialects:\n  - {name: mine, success: '^ok (?P<date>\\S+) (?P<records>\\d+)', end: '^over$'}\n  \
                  - {name: other, success: '^done (?P<date>\\S+)', end: '^all done$'}\n";
    for (dialect, state, phase) in [
        ("mine", "completed", "mine"),
        ("other", "unknown", ""),
        ("built-in", "unknown", ""),
    ] {
        let plan = marking_plan("", &command)
            .replace("    job:", &format!("    dialect: {dialect}\n    job:"));
        let rig = rig_with(&plan);
        rig.configure(&[], config);
        let ended = ran(&rig, &["run", "plan.yaml"]);
        assert_ne!(ended.code, Some(0), "the table is empty");
        let summary = &ended.phase(0)["log_summary"];
        assert_eq!(summary["state"], state, "{dialect}: {summary:#}");
        if !phase.is_empty() {
            assert_eq!(summary["dialect"], phase);
            assert_eq!(summary["total_records"], 10);
        }
    }
    let rig = rig_with(&marking_plan("", MARK).replace("    job:", "    dialect: minne\n    job:"));
    rig.configure(&[], config);
    for action in ["run", "check"] {
        let refused = call(&rig, &[action, "plan.yaml"])
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(
            text.contains("no dialect \"minne\"") && text.contains("mine"),
            "{text}"
        );
    }
    assert!(!rig.sandbox.join("marks").exists());
}

#[test]
fn a_word_that_was_meant_as_a_placeholder_is_refused_and_other_braces_are_passed_on() {
    for (word, nearest) in [
        ("{END}", "{end}"),
        ("--to={enddate}", "{end}"),
        ("{Start}", "{start}"),
    ] {
        let rig = rig_with(&marking_plan(
            "",
            &format!("[sh, -c, 'echo started >> marks', '{word}']"),
        ));
        for action in ["run", "check"] {
            let refused = call(&rig, &[action, "plan.yaml"])
                .output()
                .expect("it runs");
            let text = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{word}: {text}");
            assert!(
                text.contains("phase marks") && text.contains(nearest),
                "{word}: {text}"
            );
        }
        let config = format!("phase2:\n  command: [sh, -c, 'true', '{word}']\n");
        rig.sandbox
            .write("config/backfill_thresholds.yaml", &config);
        let job = rig.start_phase1(&["--delay-ms", "60000"]);
        let refused = rig.orchestrate(job.pid()).output().expect("it runs");
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{word}: {text}");
        assert!(
            text.contains("phase2.command") && text.contains(nearest),
            "{word}: {text}"
        );
        assert!(!rig.sandbox.join("marks").exists());
    }
    let script =
        r#"X=1; printf "%s\n" "${X}" {a,b} "$1" "$2" >> marks; echo w | awk "{print}" >> marks"#;
    let json = r#"{"start": {"end": 1}}"#;
    let rig = rig_with(&marking_plan(
        "",
        &format!("[sh, -c, '{script}', sh, '{json}', '{{{{start}}}}']"),
    ));
    ran(&rig, &["run", "plan.yaml"]);
    let marks = rig.sandbox.read("marks");
    assert_eq!(marks, format!("1\n{{a,b}}\n{json}\n{{start}}\nw\n"));
}

#[test]
fn a_start_that_a_lock_refuses_names_the_run_that_has_it() {
    let rig = Rig::new(&[]);
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let mut first = rig
        .orchestrate(job.pid())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let runs = rig.sandbox.join(".bf/runs");
    let journal = || {
        let run = fs::read_dir(&runs).ok()?.flatten().next()?;
        Some((
            run.file_name().into_string().ok()?,
            run.path().join("journal.ndjson"),
        ))
    };
    wait_until("its job is watched", || {
        journal().is_some_and(|(_, journal)| {
            fs::read_to_string(journal).is_ok_and(|text| text.contains("job_seen"))
        })
    });
    let (run_id, _) = journal().expect("a run");
    let other_runs = |more: &[&str]| {
        let mut command = rig.orchestrate(job.pid());
        command.args(["--runs", "elsewhere"]).args(more);
        Ran::from(command.output().expect("it runs"))
    };
    let same = Ran::from(rig.orchestrate(job.pid()).output().expect("it runs"));
    let other = other_runs(&[]);
    for refused in [&same, &other] {
        assert_eq!(refused.code, Some(2), "{}", refused.text);
        assert_eq!(refused.report["held_by"]["run_id"], run_id.as_str());
        let run_dir = refused.report["held_by"]["run_dir"]
            .as_str()
            .expect("a directory");
        assert!(
            rig.sandbox.join(run_dir).join("plan.json").exists(),
            "{run_dir}"
        );
        assert_eq!(refused.report["verdict"], "error");
        assert_eq!(refused.statuses(), ["not_started", "not_started"]);
        let reason = refused.phase(0)["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("not started by this call") && reason.contains(&run_id),
            "{reason}"
        );
        assert!(
            refused.text.contains("bf-orchestrate status"),
            "{}",
            refused.text
        );
    }
    assert!(
        other.text.contains("whose orchestrator is at work"),
        "{}",
        other.text
    );
    // The way out that it names works from where it was said.
    let hint = other.report["next_steps"][0].as_str().expect("a step");
    let named = hint
        .split("bf-orchestrate status ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let status = call(
        &rig,
        &[
            "status",
            named.expect("a run"),
            "--runs",
            "elsewhere",
            "--format",
            "json",
        ],
    );
    let mut status = status;
    let output = status.output().expect("it runs");
    let status: Value = crate::support::document(&output.stdout);
    assert_eq!(status["run_id"], run_id.as_str());
    first.kill().expect("it can be killed");
    first.wait().expect("it ends");
}

#[test]
fn a_lock_that_a_job_holds_alone_says_so() {
    let rig = rig_with(&marking_plan(
        "",
        "[sh, -c, 'echo started >> marks; exec sleep 60']",
    ));
    let mut orchestrator = call(&rig, &["run", "plan.yaml"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = || -> Option<u64> {
        let output = call(&rig, &["status", "--format", "json"])
            .output()
            .expect("it runs");
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        status["phases"][0]["process"]["pid"].as_u64()
    };
    wait_until("the job is seen", || pid().is_some());
    orchestrator.kill().expect("it can be killed");
    orchestrator.wait().expect("it ends");
    let refused = ran(&rig, &["run", "plan.yaml", "--runs", "elsewhere"]);
    assert_eq!(refused.code, Some(2), "{}", refused.text);
    let job = format!(
        "whose orchestrator is gone and whose job of marks still runs as process {}",
        pid().expect("a job")
    );
    assert!(refused.text.contains(&job), "{}", refused.text);
    assert_eq!(rig.sandbox.read("marks"), "started\n");
    call(&rig, &["stop"]).output().expect("it runs");
}

#[test]
fn resume_says_how_the_latest_run_ended_where_nothing_is_left_to_take_up() {
    let rig = Rig::new(&[]);
    let nothing = call(&rig, &["resume"]).output().expect("it runs");
    assert_eq!(nothing.status.code(), Some(2));
    let mut job = rig.start_phase1(&[]);
    job.wait();
    let run = Ran::from(rig.orchestrate(job.pid()).output().expect("it runs"));
    assert_eq!(run.code, Some(0), "{}", run.text);
    let run_id = run.report["run_id"].as_str().expect("a name");
    for args in [&["resume"][..], &["resume", run_id]] {
        let output = call(&rig, args).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr);
        for word in [
            run_id,
            "it passed with warnings (exit code 0)",
            "starts a new one",
            "--phase1-pid",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn a_pid_that_is_no_job_is_refused() {
    let rig = Rig::new(&[]);
    rig.sandbox.write("logs/phase1.log", "");
    let refused = |pid: &str, more: &[&str]| {
        let mut command = rig.orchestrate(1);
        // The last one given counts for nothing: each flag is given once.
        command = {
            let mut other = rig.sandbox.command("bf-orchestrate");
            let args: Vec<_> = command.get_args().skip(2).map(ToOwned::to_owned).collect();
            other.args(["--phase1-pid", pid]).args(args).args(more);
            other
        };
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{pid}: {text}");
        text
    };
    for pid in ["abc", "-1", "", "1.5", "0"] {
        let text = refused(pid, &[]);
        assert!(
            text.contains("a pid is a positive whole number"),
            "{pid:?}: {text}"
        );
    }
    let init = refused("1", &[]);
    assert!(
        init.contains("process 1 is") && init.contains("--expect-cmd"),
        "{init}"
    );
    // This test runs in a thread of its own.
    let thread = fs::read_link("/proc/thread-self").expect("a Linux machine");
    let thread = thread
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a thread")
        .to_owned();
    let text = refused(&thread, &[]);
    assert!(
        text.contains(&format!("is a thread of process {}", std::process::id())),
        "{text}"
    );
    // Process 2 is the kernel's, where it can be seen.
    if fs::read_to_string("/proc/2/stat").is_ok_and(|stat| stat.starts_with("2 (kthreadd)")) {
        let text = refused("2", &[]);
        assert!(text.contains("is a thread of the kernel"), "{text}");
    } else {
        crate::support::skip("no kernel thread can be seen from here");
    }
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let text = refused(&job.pid().to_string(), &["--expect-cmd", "player-summary"]);
    assert!(
        text.contains("does not contain \"player-summary\""),
        "{text}"
    );
    assert!(
        !rig.sandbox.join(".bf").exists(),
        "a refused run leaves no trace"
    );
}

#[test]
fn a_metrics_file_that_is_no_regular_file_is_refused_and_left_as_it_is() {
    let rig = rig_with(&marking_plan("", MARK));
    let at = |name: &str| rig.sandbox.join(name);
    let fifo = Command::new("mkfifo").arg(at("fifo")).status();
    assert!(fifo.expect("it runs").success());
    fs::create_dir(at("folder")).expect("a folder");
    for (target, link) in [
        ("nothing", "dangling"),
        ("fifo", "to-a-fifo"),
        ("real.prom", "link"),
    ] {
        std::os::unix::fs::symlink(target, at(link)).expect("a link");
    }
    for name in ["fifo", "folder", "dangling", "to-a-fifo", "/dev/null"] {
        let refused = ran(&rig, &["run", "plan.yaml", "--metrics-file", name]);
        assert_eq!(refused.code, Some(2), "{name}: {}", refused.text);
        assert!(
            refused.text.contains("--metrics-file"),
            "{name}: {}",
            refused.text
        );
    }
    assert!(!at("marks").exists());
    rig.sandbox.write("real.prom", "");
    ran(&rig, &["run", "plan.yaml", "--metrics-file", "link"]);
    assert!(at("link").is_symlink());
    assert!(rig.sandbox.read("real.prom").contains("bf_run_exit_code"));
}

#[test]
fn two_jobs_of_a_plan_never_write_the_same_dates_side_by_side() {
    let phase = |name: &str, more: &str| {
        format!(
            "  - name: {name}\n{more}    range: {{start: 2024-01-02, end: 2024-01-03}}\n    \
             validate: [{{validator: team_offense}}]\n    job: {{command: {MARK}}}\n    on_fail: continue\n"
        )
    };
    let rig = rig_with(&format!("phases:\n{}{}", phase("a", ""), phase("b", "")));
    let refused = call(&rig, &["run", "plan.yaml"]).output().expect("it runs");
    let text = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(text.contains("a and b write the same dates"), "{text}");
    // One after the other they may, and the plan's own lock is in nobody's way.
    rig.sandbox.write(
        "plan.yaml",
        &format!(
            "phases:\n{}{}",
            phase("a", ""),
            phase("b", "    needs: [a]\n")
        ),
    );
    let both = ran(&rig, &["run", "plan.yaml"]);
    assert_eq!(both.statuses(), ["failed", "failed"], "{}", both.text);
    assert_eq!(rig.sandbox.read("marks"), "started\nstarted\n");
}

#[test]
fn a_run_is_taken_up_in_the_folder_that_it_was_begun_in() {
    let rig = rig_with(&marking_plan(
        "",
        "[sh, -c, 'echo started >> marks; exec sleep 60']",
    ));
    let later = "  - name: later\n    needs: [marks]\n    range: {start: 2024-01-04, end: 2024-01-05}\n    \
                 validate: [{validator: team_offense}]\n    job: {command: [sh, -c, 'pwd > where']}\n";
    let plan = rig.sandbox.read("plan.yaml");
    rig.sandbox.write(
        "plan.yaml",
        &format!("{plan}    on_fail: continue\n{later}"),
    );
    let mut orchestrator = call(&rig, &["run", "plan.yaml"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    wait_until("the job is known", || super::journal_says(&rig, "job_seen"));
    orchestrator.kill().expect("it can be killed");
    orchestrator.wait().expect("it ends");
    fs::create_dir(rig.sandbox.join("other")).expect("a folder");
    let elsewhere = |action: &str| {
        let mut command = call(&rig, &[action, "--runs", "../.bf/runs", "--format", "json"]);
        command.current_dir(rig.sandbox.join("other"));
        command.output().expect("it runs")
    };
    wait_until("the job is ended", || {
        elsewhere("stop");
        let status: Value = crate::support::document(&elsewhere("status").stdout);
        status["phases"][0]["process_is_alive"] == false || status["phases"][0]["process"].is_null()
    });
    let resumed = Ran::from(elsewhere("resume"));
    assert_eq!(resumed.statuses(), ["failed", "failed"], "{}", resumed.text);
    let run_dir = resumed.report["run_dir"].as_str().expect("a folder");
    assert!(!run_dir.contains(".."), "{run_dir}");
    let here = fs::canonicalize(rig.sandbox.path()).expect("a folder");
    assert_eq!(rig.sandbox.read("where").trim(), here.display().to_string());
    assert!(!rig.sandbox.join("other/logs").exists());
}
