//! How a process ended, for processes of every kind of parent, and what that comes to with its log.

use super::rig::{Ran, Rig, as_nobody, can_be_nobody, log_of};

/// Watches a job that a parent asks after, lets it go, and sees it end.
fn watched_to_its_end(ending: &str) -> Ran {
    let rig = Rig::new();
    let mut job = rig.job(&format!("wait_for go\n{ending}"));
    job.reap_in_background();
    let monitor = rig.start(&["--pid", &job.pid()]);
    monitor.wait_for("attached");
    rig.touch("go");
    monitor.end()
}

#[test]
fn the_exit_of_a_process_that_is_no_child_is_told() {
    for (ending, expected, code) in [
        ("exit 0", (Some(0), None), 0),
        ("exit 7", (Some(7), None), 1),
        ("kill -KILL $$", (None, Some(9)), 1),
        ("ulimit -c 0; kill -SEGV $$", (None, Some(11)), 1),
    ] {
        let ran = watched_to_its_end(ending);
        assert_eq!(ran.code, Some(code), "{ending}: {ran:#?}");
        let (exit, signal, source) = ran.end();
        assert_eq!((exit, signal), expected, "{ending}");
        // Which one depends on whether the kernel keeps a record.
        assert!(["pidfd", "zombie"].contains(&source), "{ending}: {source}");
        assert!(ran.exited()["elapsed_seconds"].as_f64() > Some(0.0));
    }
}

#[test]
fn a_signal_is_named() {
    let ran = watched_to_its_end("kill -KILL $$");
    assert_eq!(ran.exited()["exit"]["signal_name"], "SIGKILL");
    assert!(ran.text.contains("SIGKILL"), "{}", ran.text);
}

#[test]
fn a_zombie_whose_parent_never_asks_is_over() {
    let rig = Rig::new();
    let job = rig.job("wait_for go\nexit 7");
    let monitor = rig.start(&["--pid", &job.pid()]);
    monitor.wait_for("attached");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.end(), (Some(7), None, "zombie"));

    let late = rig.run(&["--pid", &job.pid()]);
    assert_eq!(late.end(), (Some(7), None, "zombie"), "it was one before");
}

#[test]
fn every_end_and_log_come_to_the_documented_exit() {
    let whole = log_of(3, true);
    let broken = log_of(3, false);
    let refused = "ERROR:__main__:Invalid start date format: x\n";
    let dry = "INFO:__main__:  Date range: 2024-01-01 to 2024-01-01\n\
               INFO:__main__:  Dry run: True\n\
               INFO:__main__:Processing day 1/1: 2024-01-01\n\
               INFO:__main__:  ✓ Dry run complete\n\
               INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:\n";
    let unknown = "hello\nworld\n";
    for (log, state, ending, code) in [
        (whole.as_str(), "completed", "exit 7", 1),
        (whole.as_str(), "completed", "kill -TERM $$", 1),
        (broken.as_str(), "interrupted", "exit 7", 1),
        (unknown, "unknown", "kill -KILL $$", 1),
        ("", "empty", "exit 1", 1),
        (whole.as_str(), "completed", "exit 0", 0),
        (broken.as_str(), "interrupted", "exit 0", 1),
        (refused, "refused", "exit 0", 1),
        (dry, "dry_run", "exit 0", 1),
        ("", "empty", "exit 0", 3),
        (unknown, "unknown", "exit 0", 3),
    ] {
        let rig = Rig::new();
        rig.sandbox.write("what-it-says", log);
        let script = rig.script(&format!("cat what-it-says\n{ending}"));
        let ran = rig.run(&["--log", "run.log", "--", "sh", "-c", &script]);
        assert_eq!(ran.code, Some(code), "{state}, {ending}: {ran:#?}");
        assert_eq!(ran.exited()["log_summary"]["state"], state, "{ending}");
        assert_eq!(ran.end().2, "child");
    }
}

#[test]
fn an_end_that_nobody_saw_is_good_only_where_the_log_completed() {
    let whole = log_of(3, true);
    let broken = log_of(3, false);
    for (log, code, source) in [
        (whole.as_str(), 0, "log"),
        (broken.as_str(), 3, "unknown"),
        ("hello\n", 3, "unknown"),
        ("", 3, "unknown"),
    ] {
        let rig = Rig::new();
        rig.sandbox.write("run.log", log);
        // Above the largest pid that any kernel gives.
        let ran = rig.run(&["--pid", "4194305", "--log", "run.log"]);
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        assert_eq!(ran.end(), (None, None, source));
        assert!(ran.text.contains("no process 4194305"), "{}", ran.text);
    }
}

#[test]
fn a_pid_that_never_was_is_named_with_the_way_out() {
    let rig = Rig::new();
    let ran = rig.run(&["--pid", "4194305"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.events.is_empty(), "{ran:#?}");
    let expected = "no process 4194305 (it may have ended: give --log to read what it said)";
    assert!(ran.text.contains(expected), "{}", ran.text);
}

#[test]
fn a_pid_that_is_none_is_a_wrong_call() {
    let rig = Rig::new();
    for pid in ["0", "-1", "x", ""] {
        assert_eq!(rig.run(&["--pid", pid]).code, Some(2), "{pid}");
    }
}

#[test]
fn a_process_that_is_another_program_is_refused() {
    let rig = Rig::new();
    let job = rig.job("wait_for go");
    let refused = rig.run(&["--pid", &job.pid(), "--expect-cmd", "no-such-words-here"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(job.is_running());
}

#[test]
fn how_the_process_of_another_user_ended_is_told() {
    let rig = Rig::new();
    if !can_be_nobody(&rig) {
        return;
    }
    let mut job = rig.job("wait_for go\nexit 7");
    job.reap_in_background();
    let mut call = rig.sandbox.command("bf-monitor");
    call.args(["--interval", "1s", "--pid", &job.pid()]);
    let monitor = rig.start_command(as_nobody(call));
    monitor.wait_for("attached");
    rig.touch("go");
    let ran = monitor.end();
    match ran.end() {
        (Some(7), None, "pidfd") => assert_eq!(ran.code, Some(1), "{ran:#?}"),
        // A kernel before 6.15 tells nobody.
        (None, None, "unknown") => assert_eq!(ran.code, Some(3), "{ran:#?}"),
        other => panic!("{other:?}: {ran:#?}"),
    }
}

#[test]
fn a_zombie_of_another_user_is_over_and_no_success() {
    let rig = Rig::new();
    if !can_be_nobody(&rig) {
        return;
    }
    let job = rig.job("wait_for go\nexit 7");
    let mut call = rig.sandbox.command("bf-monitor");
    call.args(["--interval", "1s", "--pid", &job.pid()]);
    let monitor = rig.start_command(as_nobody(call));
    monitor.wait_for("attached");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.end(), (None, None, "unknown"), "{ran:#?}");
    assert_eq!(ran.code, Some(3));
    assert!(ran.text.contains("zombie"), "{}", ran.text);
}

#[test]
fn a_job_under_an_init_that_never_reaps_is_over() {
    let rig = Rig::new();
    let monitor = crate::support::bin_dir().join("bf-monitor");
    let monitor = monitor.display();
    let script = rig.script(&format!(
        "(wait_for go; exit 7) &\n\
         ({monitor} --config bf.yaml --pid $! > inner.ndjson 2> inner.txt; echo $? > inner.code) &\n\
         exec sleep 1000"
    ));
    let Some(_init) = rig.in_pid_namespace(&script) else {
        return;
    };
    crate::support::wait_until("bf-monitor is attached", || {
        std::fs::read_to_string(rig.sandbox.join("inner.ndjson"))
            .is_ok_and(|text| text.contains("attached"))
    });
    rig.touch("go");
    crate::support::wait_until("bf-monitor ended", || {
        std::fs::read_to_string(rig.sandbox.join("inner.code"))
            .is_ok_and(|text| text.ends_with('\n'))
    });
    let ran = rig.ran("inner");
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.end(), (Some(7), None, "zombie"));
}

/// A log of two dates, of which the first failed, and the second as this line says.
fn log_with_failures(second: &str) -> String {
    format!(
        "INFO:__main__:  Date range: 2024-01-01 to 2024-01-02\n\
         INFO:__main__:Processing day 1/2: 2024-01-01\nERROR:__main__:  ✗ Exception: x\n\
         INFO:__main__:Processing day 2/2: 2024-01-02\n{second}\n\
         INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:\n"
    )
}

const FAILED: &str = "ERROR:__main__:  ✗ Exception: x";
const SUCCEEDED: &str = "INFO:__main__:  ✓ Success: 5 records";

#[test]
fn a_job_that_ends_well_with_failed_dates_has_not_passed() {
    let halves: &[&str] = &["--min-success-rate", "50"];
    let process: &[&str] = &["--judge", "process"];
    for (second, flags, code, mark, words) in [
        (FAILED, &[][..], 1, "FAIL", "every date failed"),
        (SUCCEEDED, &[][..], 1, "FAIL", "1 of 2 dates failed"),
        (SUCCEEDED, halves, 0, "WARN", "1 of 2 dates failed"),
        (FAILED, process, 0, "FAIL", "every date failed"),
    ] {
        let rig = Rig::new();
        rig.sandbox
            .write("what-it-says", &log_with_failures(second));
        let script = rig.script("cat what-it-says");
        let job = ["--log", "run.log", "--", "sh", "-c", &script];
        let ran = rig.run(&[flags, &job[..]].concat());
        assert_eq!(ran.code, Some(code), "{flags:?}: {ran:#?}");
        let message = ran.exited()["message"].as_str().expect("a message");
        assert!(message.contains(words), "{message}");
        assert!(
            ran.text.contains(mark) && !ran.text.contains("PASS"),
            "{ran:#?}"
        );
    }
}

#[test]
fn an_end_that_was_not_seen_is_a_failure_if_the_log_shows_too_many_failed_dates() {
    let rig = Rig::new();
    rig.sandbox.write("run.log", &log_with_failures(SUCCEEDED));
    let call = ["--pid", "4194305", "--log", "run.log"];
    let ran = rig.run(&call);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.end(), (None, None, "log"));
    let ran = rig.run(&[&call[..], &["--min-success-rate", "50"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
}

#[test]
fn the_process_alone_passes_with_a_log_that_broke_off() {
    let rig = Rig::new();
    rig.sandbox.write("what-it-says", &log_of(3, false));
    let script = rig.script("cat what-it-says");
    let job = ["--log", "run.log", "--", "sh", "-c", &script];
    let ran = rig.run(&[&["--judge", "process"][..], &job[..]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["state"], "interrupted");
}

#[test]
fn a_job_is_reported_once_without_waiting_for_it() {
    let rig = Rig::new();
    let mut job = rig.job("echo hello\nwait_for go\nexit 7");
    job.reap_in_background();
    let call = ["--once", "--pid", &job.pid(), "--log", "run.log"];
    let running = rig.run(&call);
    assert_eq!(running.code, Some(124), "{running:#?}");
    assert_eq!(running.names(), ["attached", "progress"]);
    assert!(running.text.contains("still running"), "{}", running.text);
    rig.touch("go");
    crate::support::wait_until("it has ended", || !job.is_running());
    let ended = rig.run(&call);
    assert!(matches!(ended.code, Some(1 | 3)), "{ended:#?}");
    assert!(ended.said("exited"), "{ended:#?}");
}
