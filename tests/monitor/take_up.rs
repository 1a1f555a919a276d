//! Jobs that bf-monitor starts: exactly once, and known for as long as its record is there.

use std::fs;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::rig::{Monitor, Rig, is_running, job_pid, log_of, pid, starting, state};
use crate::support::{Dice, wait_until};

#[test]
fn an_end_is_recorded_though_bf_monitor_was_killed() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(3, true));
    let script = rig.script("cat log\nwait_for go\nexit 7");
    let call = starting(&script);
    let monitor = rig.start(&call);
    monitor.wait_for("started");
    let job = job_pid(&monitor.events());
    monitor.kill();
    assert!(is_running(job));
    rig.touch("go");
    wait_until("the job is gone", || state(job).is_none());

    for again in [call.as_slice(), &["--state", "run.state"]] {
        let ran = rig.run(again);
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert_eq!(ran.end(), (Some(7), None, "record"));
        assert_eq!(ran.exited()["log_summary"]["successful_days"], 3);
    }
}

#[test]
fn a_second_call_attaches_and_starts_nothing() {
    let rig = Rig::new();
    let script = rig.script("echo x >> starts\nwait_for go");
    let call = starting(&script);
    let first = rig.start(&call);
    first.wait_for("started");
    let second = rig.start(&call);
    second.wait_for("attached");
    rig.wait_for("starts");
    rig.touch("go");
    // Its log is empty, so that nobody can call it good.
    let (first, second) = (first.end(), second.end());
    assert_eq!(first.end(), (Some(0), None, "child"));
    assert_eq!(second.exited()["exit"]["code"], 0, "{second:#?}");
    assert_eq!((first.code, second.code), (Some(3), Some(3)));
    assert_eq!(rig.sandbox.read("starts"), "x\n");
    let late = rig.run(&call);
    assert_eq!(late.exited()["exit"]["code"], 0, "{late:#?}");
    assert_eq!(rig.sandbox.read("starts"), "x\n");
}

#[test]
fn a_state_file_of_another_job_starts_nothing() {
    let rig = Rig::new();
    rig.run(&["--log", "run.log", "--state", "s", "--", "true"]);
    let ran = rig.run(&["--log", "run.log", "--state", "s", "--", "touch", "made"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.text.contains("another job"), "{}", ran.text);
    assert!(!rig.sandbox.join("made").exists());
}

#[test]
fn a_state_file_that_cannot_be_written_starts_nothing() {
    let rig = Rig::new();
    let call = [
        "--log", "run.log", "--state", "none/s", "--", "touch", "made",
    ];
    let ran = rig.run(&call);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(!rig.sandbox.join("made").exists());
}

#[test]
fn a_missing_program_is_a_wrong_call_and_leaves_nothing_behind() {
    for program in ["no-such-program", "./no-such-program", "./bf.yaml"] {
        let rig = Rig::new();
        let call = [
            "--log",
            "logs/run.log",
            "--state",
            "run.state",
            "--",
            program,
        ];
        let ran = rig.run(&call);
        assert_eq!(ran.code, Some(2), "{program}: {ran:#?}");
        assert!(ran.text.contains(program), "{}", ran.text);
        assert!(ran.events.is_empty(), "{ran:#?}");
        let mut left: Vec<_> = fs::read_dir(rig.sandbox.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        left.sort();
        assert_eq!(
            left,
            ["bf.yaml", "events-0.ndjson", "text-0.txt"],
            "{program}"
        );
    }
}

#[test]
fn a_program_that_cannot_be_executed_is_a_wrong_call() {
    use std::os::unix::fs::PermissionsExt;
    let rig = Rig::new();
    let program = rig.sandbox.write("job", "#!/no/such/interpreter\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("permissions");
    let ran = rig.run(&["--log", "run.log", "--state", "s", "--", "./job"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    // Mended, the same call starts it.
    fs::write(&program, "#!/bin/sh\nexit 7\n").expect("a file");
    let ran = rig.run(&["--log", "run.log", "--state", "s", "--", "./job"]);
    assert_eq!(ran.exited()["exit"]["code"], 7, "{ran:#?}");
}

#[test]
fn a_job_survives_every_kill_of_its_monitor_and_no_line_is_lost() {
    const KILLS: usize = 100;
    let rig = Rig::new();
    // Whole lines and halves of lines, until it is told to end.
    let script = rig.script(
        "echo x >> starts\n\
         head -n 4 log\n\
         until [ -e go ]; do\n\
           [ -e bf.yaml ] || exit 99\n\
           printf 'INFO:__main__:half '; sleep 0.01; echo 'a line'\n\
         done\n\
         tail -n +5 log\n\
         exit 7",
    );
    rig.sandbox.write("log", &log_of(9, true));
    let call = [
        "--log",
        "run.log",
        "--state",
        "run.state",
        "--interval",
        "50ms",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let seed = crate::support::seed();
    let mut dice = Dice(seed);
    for kill in 0..KILLS {
        let monitor = rig.start(&call);
        std::thread::sleep(Duration::from_millis(dice.below(120)));
        let ran = monitor.kill();
        assert_eq!(ran.code, None, "seed {seed}, kill {kill}: {ran:#?}");
        for end in ["exited", "lost", "timed_out"] {
            assert!(!ran.said(end), "seed {seed}, kill {kill}: {ran:#?}");
        }
    }
    let last = rig.start(&call);
    wait_until("the last one reads the log", || {
        last.events()
            .iter()
            .any(|event| event["event"] == "progress")
    });
    rig.touch("go");
    let ran = last.end();
    assert_eq!(ran.code, Some(1), "seed {seed}: {ran:#?}");
    assert_eq!(rig.sandbox.read("starts"), "x\n", "seed {seed}");
    let exited = ran.exited();
    assert_eq!(exited["exit"]["code"], 7, "seed {seed}");
    let summary = &exited["log_summary"];
    let log = rig.sandbox.read("run.log");
    assert_eq!(summary["log"]["lines"], log.lines().count(), "seed {seed}");
    assert_eq!(summary["log"]["bytes"], log.len(), "seed {seed}");
    assert_eq!(summary["successful_days"], 9, "seed {seed}");
    assert_eq!(summary["state"], "completed", "seed {seed}");
}

/// A state file as the first bf-monitor wrote it: two of nine days read, 306 bytes of the log.
const FIRST_STATE: &str = include_str!("state-v1.json");

#[test]
fn a_state_file_of_the_first_version_is_taken_up() {
    use std::os::unix::fs::MetadataExt;
    let rig = Rig::new();
    let path = rig.sandbox.write("run.log", &log_of(9, true));
    let log = fs::metadata(&path).expect("a log");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let state = FIRST_STATE
        .replace("BOOT", boot.trim())
        .replace("LOG", path.to_str().expect("text"))
        .replace("\"DEV\"", &log.dev().to_string())
        .replace("\"INO\"", &log.ino().to_string());
    rig.sandbox.write("run.state", &state);
    let ran = rig.run(&["--state", "run.state"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.end(), (None, None, "log"));
    let summary = &ran.exited()["log_summary"];
    assert_eq!(summary["successful_days"], 9);
    assert_eq!(summary["log"]["lines"], log_of(9, true).lines().count());
    assert!(!ran.said("log_truncated"), "{}", ran.text);
}

/// The shim of a bf-monitor, once there is one; `None` if bf-monitor ended first.
fn shim_of(monitor: &mut Monitor) -> Option<u32> {
    let monitor_pid = monitor.pid();
    let children = format!("/proc/{monitor_pid}/task/{monitor_pid}/children");
    loop {
        let child = fs::read_to_string(&children).ok()?;
        if let Some(child) = child.split_whitespace().next() {
            return child.parse().ok();
        }
        if state(monitor_pid).is_none_or(|state| state == "Z") {
            return None;
        }
    }
}

#[test]
fn a_job_whose_shim_is_killed_at_its_start_runs_once_or_was_not_started() {
    let seed = crate::support::seed();
    let mut dice = Dice(seed);
    let mut not_started = 0;
    for round in 0..40 {
        let rig = Rig::new();
        let script = rig.script("echo x >> starts");
        let call = starting(&script);
        let mut monitor = rig.start(&call);
        let shim = shim_of(&mut monitor);
        std::thread::sleep(Duration::from_micros(dice.below(15_000)));
        if let Some(shim) = shim {
            // It may have ended already.
            let _ = kill_process(pid(shim), Signal::KILL);
        }
        let ran = monitor.end();
        let starts = || fs::read_to_string(rig.sandbox.join("starts")).unwrap_or_default();
        let context = format!("seed {seed}, round {round}: {ran:#?}");
        assert!(!ran.text.contains("code 3"), "{context}");
        if ran.text.contains("was not started") {
            not_started += 1;
            assert_eq!((ran.code, starts().as_str()), (Some(2), ""), "{context}");
            rig.run(&call);
        }
        assert_eq!(starts(), "x\n", "{context}");
    }
    println!("{not_started} of 40 were not started");
}
