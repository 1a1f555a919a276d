//! What a person sees, dialects of a config, and writers that outlive the job.

use super::rig::{Rig, log_of};

#[test]
fn progress_has_the_documented_form() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(4, true));
    let script = rig.script("head -n 5 log\nwait_for go\ntail -n +6 log");
    let monitor = rig.start(&["--log", "run.log", "--", "sh", "-c", &script]);
    crate::support::wait_until("the progress of a day is said", || {
        monitor.text().contains("Progress: 1/4 days")
    });
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let lines: Vec<&str> = ran.text.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("Progress: 1/4"))
        .expect("it was said");
    let (clock, rest) = lines[at].split_at("[13:45:12]".len());
    assert!(clock.starts_with('[') && clock.ends_with(']'), "{clock}");
    assert_eq!(rest, " Progress: 1/4 days (25.0%), 3 remaining");
    assert_eq!(lines[at + 1], "  Success rate: 100.0%, Records: 16");
    assert!(
        lines[at + 2].starts_with("  Elapsed: "),
        "{}",
        lines[at + 2]
    );
}

#[test]
fn nothing_is_said_of_progress_before_the_log_tells_the_days() {
    let rig = Rig::new();
    let script = rig.script("wait_for go\nexit 7");
    let monitor = rig.start(&["--log", "run.log", "--", "sh", "-c", &script]);
    monitor.wait_for("started");
    crate::support::wait_until("it looked more than once", || {
        let events = monitor.events();
        let looks = events.iter().filter(|event| event["event"] == "progress");
        looks.count() >= 2
    });
    rig.touch("go");
    let ran = monitor.end();
    assert!(!ran.text.contains("Progress:"), "{}", ran.text);
}

#[test]
fn a_log_that_stays_empty_is_said_once_and_not_at_once() {
    let rig = Rig::new();
    let job = rig.job("wait_for go");
    let call = [
        "--pid",
        &job.pid(),
        "--log",
        "run.log",
        "--interval",
        "100ms",
    ];
    let monitor = rig.start(&call);
    monitor.wait_for("progress");
    crate::support::wait_until("it is said", || monitor.text().contains("waiting for it"));
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(
        ran.text.matches("waiting for it").count(),
        1,
        "{}",
        ran.text
    );
    let looks = ran
        .names()
        .iter()
        .filter(|name| **name == "progress")
        .count();
    assert!(looks > 2, "{ran:#?}");
}

#[test]
fn a_dialect_of_the_config_is_read() {
    let rig = Rig::new();
    rig.configure(
        "dialects:\n  - name: mine\n    date_start: '^day (?P<date>[0-9-]+)$'\n    \
         success: '^done (?P<records>[0-9]+)$'\n    end: '^all done$'\n",
    );
    let script = rig.script("echo 'day 2024-01-01'; echo 'done 16'; echo 'all done'");
    let ran = rig.run(&["--log", "run.log", "--", "sh", "-c", &script]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["dialect"], "mine");
    assert_eq!(ran.exited()["log_summary"]["total_records"], 16);
}

#[test]
fn a_child_that_outlives_the_job_has_the_logs_last_word() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(5, true));
    let script = rig.script("head -n 6 log\n(wait_for go; tail -n +7 log) &\nexit 0");
    let monitor = rig.start(&["--log", "run.log", "--", "sh", "-c", &script]);
    crate::support::wait_until("it is waited for", || monitor.text().contains("still runs"));
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["successful_days"], 5);
}

/// How often the threads of a process went to sleep so far.
fn sleeps(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads");
    threads
        .map(|thread| {
            let status = thread.expect("a thread").path().join("status");
            let status = std::fs::read_to_string(status).expect("a status");
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.expect("a figure")
                .trim()
                .parse::<u64>()
                .expect("a number")
        })
        .sum()
}

#[test]
fn between_two_looks_nothing_wakes_it() {
    let rig = Rig::new();
    let job = rig.job("exec sleep 1000");
    let call = [
        "--pid",
        &job.pid(),
        "--log",
        "run.log",
        "--state",
        "run.state",
        "--interval",
        "1h",
    ];
    let monitor = rig.start(&call);
    rig.wait_for("run.state");
    let mut before = sleeps(monitor.pid());
    crate::support::wait_until("it rests for two seconds", || {
        std::thread::sleep(std::time::Duration::from_secs(2));
        let now = sleeps(monitor.pid());
        std::mem::replace(&mut before, now) == now
    });
}
