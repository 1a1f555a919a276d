//! What a log holds when the watching begins: of this process, or of an earlier run.

use std::time::{Duration, SystemTime};

use super::rig::{Ran, Rig, log_of};

/// Sets when a file was written to last.
fn set_time(rig: &Rig, file: &str, time: SystemTime) {
    let file = std::fs::File::options()
        .append(true)
        .open(rig.sandbox.join(file))
        .expect("a file");
    file.set_modified(time).expect("a time");
}

/// Watches a job that prints nothing before it is attached to, and then what `prints` says.
fn silent_at_first(rig: &Rig, prints: &str) -> Ran {
    let mut job = rig.job(&format!("wait_for go\n{prints}"));
    job.reap_in_background();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    rig.touch("go");
    monitor.end()
}

#[test]
fn the_end_of_a_run_right_before_the_process_is_never_its_own() {
    // As fast as one job follows another in a script, and ever later.
    for pause in [0, 10, 50, 90, 200] {
        let rig = Rig::new();
        rig.sandbox.write("run.log", &log_of(3, true));
        let earlier = SystemTime::now() - Duration::from_millis(pause);
        set_time(&rig, "run.log", earlier);
        let ran = silent_at_first(&rig, "exit 0");
        assert_eq!(ran.code, Some(3), "{pause} ms: {ran:#?}");
        assert_eq!(ran.exited()["exit"]["code"], 0);
        assert_eq!(ran.exited()["log_summary"]["state"], "empty");
        assert!(ran.text.contains("is not read"), "{}", ran.text);
    }
}

#[test]
fn a_time_that_is_still_to_come_makes_no_old_end_a_new_one() {
    let rig = Rig::new();
    rig.sandbox.write("run.log", &log_of(3, true));
    set_time(
        &rig,
        "run.log",
        SystemTime::now() + Duration::from_secs(3600),
    );
    let ran = silent_at_first(&rig, "exit 0");
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    assert!(ran.text.contains("is not read"), "{}", ran.text);
}

#[test]
fn what_the_process_adds_to_an_old_log_is_read_and_nothing_else() {
    for time_to_come in [false, true] {
        let rig = Rig::new();
        rig.sandbox.write("run.log", &log_of(3, true));
        let hour = Duration::from_secs(3600);
        let time = if time_to_come {
            SystemTime::now() + hour
        } else {
            SystemTime::now() - hour
        };
        set_time(&rig, "run.log", time);
        rig.sandbox.write("log", &log_of(2, true));
        let ran = silent_at_first(&rig, "cat log");
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        let summary = &ran.exited()["log_summary"];
        assert_eq!(summary["successful_days"], 2);
        assert_eq!(summary["log"]["from_byte"], log_of(3, true).len());
    }
}

#[test]
fn a_run_that_is_not_over_is_read_whatever_its_time_says() {
    // By a clock that goes ahead, as a server's may, the log of a job that runs is not thrown away.
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(5, true));
    let mut job = rig.job("head -n 6 log\ntouch ready\nwait_for go\ntail -n +7 log");
    job.reap_in_background();
    rig.wait_for("ready");
    set_time(
        &rig,
        "run.log",
        SystemTime::now() + Duration::from_secs(3600),
    );
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["successful_days"], 5);
}

#[test]
fn an_end_that_the_process_wrote_before_it_was_watched_is_its_own() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(5, true));
    let mut job = rig.job("sleep 0.5\ncat log\ntouch ready\nwait_for go");
    job.reap_in_background();
    rig.wait_for("ready");
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["successful_days"], 5);
}
