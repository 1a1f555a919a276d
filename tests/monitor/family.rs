//! What is of the job: workers in sessions of their own, and others that only hold its log.

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use super::rig::{Ran, Rig, is_running, job_pid, log_of, pid};
use crate::support::wait_until;

/// A worker in a session of its own, whose parent has ended: nothing but the shim and its mark tell whose it is.
const DAEMON: &str = "(setsid sh worker.sh &)";

fn starting(script: &str) -> [&str; 6] {
    ["--log", "run.log", "--", "sh", "-c", script]
}

/// The pids in `alive` of the last event.
fn alive(ran: &Ran) -> Vec<u64> {
    let alive = ran.exited()["alive"].as_array().cloned();
    let pids = alive.unwrap_or_default().into_iter();
    pids.map(|process| process["pid"].as_u64().expect("a pid"))
        .collect()
}

#[test]
fn a_worker_in_its_own_session_is_waited_for_until_the_log_completes() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(5, true));
    rig.worker("wait_for go\ntail -n +7 log");
    let script = rig.script(&format!("head -n 6 log\n{DAEMON}\nexit 0"));
    let monitor = rig.start(&starting(&script));
    wait_until("it is waited for", || monitor.text().contains("still runs"));
    assert!(
        monitor
            .text()
            .contains(&format!("pid {}", rig.worker_pid()))
    );
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["successful_days"], 5);
}

#[test]
fn a_worker_that_lives_on_after_the_log_completed_is_a_warning() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(3, true));
    rig.worker("wait_for go");
    let script = rig.script(&format!("cat log\n{DAEMON}\nexit 0"));
    let ran = rig.run(&starting(&script));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let worker = rig.worker_pid();
    assert!(alive(&ran).contains(&u64::from(worker)), "{ran:#?}");
    assert!(
        ran.text.contains("WARN") && ran.text.contains("still runs"),
        "{}",
        ran.text
    );
    assert!(is_running(worker), "it was signalled");
    rig.touch("go");
}

#[test]
fn a_worker_that_lives_on_without_an_end_of_the_log_cannot_be_checked() {
    for ending in ["exit 0", "exit 7"] {
        let rig = Rig::new();
        rig.configure("hang: {quiet: 1s}\n");
        rig.sandbox.write("log", &log_of(3, false));
        rig.worker("wait_for go");
        let script = rig.script(&format!("cat log\n{DAEMON}\n{ending}"));
        let ran = rig.run(&starting(&script));
        assert_eq!(ran.code, Some(3), "{ending}: {ran:#?}");
        assert!(
            alive(&ran).contains(&u64::from(rig.worker_pid())),
            "{ran:#?}"
        );
        // Nothing may start on the same log, as long as it runs.
        let second = rig.run(&starting(&script));
        assert_eq!(second.code, Some(2), "{second:#?}");
        rig.touch("go");
    }
}

#[test]
fn a_worker_is_known_by_its_mark_when_the_shim_was_killed() {
    let rig = Rig::new();
    rig.configure("hang: {quiet: 1s}\n");
    rig.worker("wait_for go");
    let script = rig.script(&format!("{DAEMON}\nwait_for end\nexit 0"));
    let monitor = rig.start(&starting(&script));
    monitor.wait_for("started");
    let worker = rig.worker_pid();
    let job = job_pid(&monitor.events());
    kill_process(pid(parent(job)), Signal::KILL).expect("the shim can be killed");
    rig.touch("end");
    let ran = monitor.end();
    assert!(alive(&ran).contains(&u64::from(worker)), "{ran:#?}");
    assert_eq!(ran.code, Some(3));
    rig.touch("go");
}

#[test]
fn a_worker_of_a_process_that_was_only_watched_is_remembered() {
    let rig = Rig::new();
    rig.configure("hang: {quiet: 1s}\n");
    rig.worker("wait_for go");
    let mut job = rig.job("setsid sh worker.sh &\nwait_for end\nexit 0");
    job.reap_in_background();
    let worker = rig.worker_pid();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("progress");
    rig.touch("end");
    let ran = monitor.end();
    assert!(alive(&ran).contains(&u64::from(worker)), "{ran:#?}");
    assert_eq!(ran.code, Some(3));
    rig.touch("go");
}

#[test]
fn a_timeout_that_ends_the_job_ends_its_workers_in_their_own_sessions() {
    let rig = Rig::new();
    rig.worker("trap '' TERM\nwait_for go");
    let script = rig.script(&format!("{DAEMON}\nwait_for go"));
    let flags = [
        "--timeout",
        "1s",
        "--kill-on-timeout",
        "--kill-grace",
        "300ms",
    ];
    let ran = rig.run(&[&flags[..], &starting(&script)].concat());
    assert_eq!(ran.code, Some(124), "{ran:#?}");
    let worker = rig.worker_pid();
    wait_until("the worker is gone", || !is_running(worker));
}

#[test]
fn a_worker_of_a_job_that_has_ended_is_ended_by_a_later_call() {
    let rig = Rig::new();
    rig.configure("hang: {quiet: 1s}\n");
    rig.worker("trap '' TERM\nwait_for go");
    let script = rig.script(&format!("{DAEMON}\nexit 0"));
    let first = rig.run(&[&["--state", "s"][..], &starting(&script)].concat());
    assert_eq!(first.code, Some(3), "{first:#?}");
    let worker = rig.worker_pid();
    assert!(is_running(worker));
    let flags = [
        "--timeout",
        "1ms",
        "--kill-on-timeout",
        "--kill-grace",
        "100ms",
    ];
    let second = rig.run(&[&flags[..], &["--state", "s"]].concat());
    assert_eq!(second.code, Some(124), "{second:#?}");
    wait_until("the worker is gone", || !is_running(worker));
}

#[test]
fn another_process_that_holds_the_log_is_named_and_left_alone() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(3, false));
    let mut job = rig.job("cat log\nwait_for end\nexit 0");
    job.reap_in_background();
    rig.worker("exec 3>> run.log\nwait_for go");
    let mut other = std::process::Command::new("sh");
    other.arg("worker.sh").current_dir(rig.sandbox.path());
    let mut other = other.spawn().expect("a shell starts");
    let holder = rig.worker_pid();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("progress");
    rig.touch("end");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.exited().get("alive").unwrap_or(&json!([])), &json!([]));
    let message = ran.exited()["message"].as_str().expect("a message");
    assert!(message.contains(&format!("pid {holder}")), "{message}");
    assert!(is_running(holder));
    rig.touch("go");
    other.wait().expect("it ends");
}

#[test]
fn a_proc_that_cannot_be_read_is_reported_and_decides_nothing() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(3, true));
    let mut job = rig.job("wait_for end\ncat log\nexit 0");
    job.reap_in_background();
    let call = rig.command(&[
        "--pid",
        &job.pid(),
        "--log",
        "run.log",
        "--dialect",
        "built-in",
    ]);
    let mut hidden = std::process::Command::new("unshare");
    hidden
        .args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs none /proc && exec \"$@\"",
            "sh",
        ])
        .arg(call.get_program())
        .args(call.get_args())
        .current_dir(rig.sandbox.path());
    let can = std::process::Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "none", "/proc"])
        .status()
        .is_ok_and(|status| status.success());
    if !can {
        crate::support::skip("unshare may make no mount namespace here");
        return;
    }
    let monitor = rig.start_command(hidden);
    monitor.wait_for("progress");
    rig.touch("end");
    let ran = monitor.end();
    let message = ran.exited()["message"].as_str().expect("a message");
    assert!(message.contains("cannot be told"), "{message}");
    match ran.end().2 {
        "pidfd" => assert_eq!(ran.code, Some(0), "{ran:#?}"),
        // A kernel before 6.15: then the log decides.
        source => assert_eq!((ran.code, source), (Some(0), "log"), "{ran:#?}"),
    }
}

#[test]
fn two_jobs_do_not_get_one_log() {
    let rig = Rig::new();
    let script = rig.script("echo working\nwait_for go");
    let job = starting(&script);
    let first = rig.start(&[&["--state", "a"][..], &job[..]].concat());
    first.wait_for("started");
    let second = rig.run(&[&["--state", "b"][..], &job[..]].concat());
    assert_eq!(second.code, Some(2), "{second:#?}");
    assert!(
        second.text.contains("written by another job"),
        "{}",
        second.text
    );
    rig.touch("go");
    first.end();
    let third = rig.run(&[&["--state", "c"][..], &job[..]].concat());
    assert!(third.said("started"), "{third:#?}");
}

fn documents_of(rig: &Rig, name: &str) -> Vec<Value> {
    crate::support::documents(rig.sandbox.read(name).as_bytes())
}

#[test]
fn the_saved_ledger_holds_all_files_of_a_rotated_log() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(4, true));
    let script = rig.script("head -n 6 log\nwait_for go\nexec >> run.log\ntail -n +7 log");
    let call = [&["--save-ledger", "ledger"][..], &starting(&script)].concat();
    let monitor = rig.start(&call);
    monitor.wait_for("progress");
    std::fs::rename(rig.sandbox.join("run.log"), rig.sandbox.join("run.log.1")).expect("renamed");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let saved = documents_of(&rig, "ledger");
    let (summary, ledger) = saved.split_last().expect("a summary");
    assert_eq!(summary["successful_days"], 4);
    assert_eq!(summary["log"], ran.exited()["log_summary"]["log"]);
    assert_eq!(ledger.len(), 4);
}

#[test]
fn the_log_of_an_earlier_attempt_is_continued() {
    let rig = Rig::new();
    let attempt = |script: &str, flags: &[&str]| {
        let script = rig.script(script);
        rig.run(&[flags, &starting(&script)].concat())
    };
    let failed = log_of(3, true).replacen("✓ Success: 16 records", "✗ Failed: boom", 1);
    rig.sandbox.write("first", &failed);
    let first = attempt("cat first", &["--state", "1", "--save-ledger", "ledger-1"]);
    assert_eq!(
        first.exited()["log_summary"]["failed_days"],
        1,
        "{first:#?}"
    );
    std::fs::rename(rig.sandbox.join("run.log"), rig.sandbox.join("run.log.1")).expect("renamed");

    rig.sandbox.write("second", &log_of(1, true));
    let flags = ["--after", "1", "--state", "2", "--save-ledger", "ledger-2"];
    let second = attempt("cat second", &flags);
    assert_eq!(second.code, Some(0), "{second:#?}");
    let summary = &second.exited()["log_summary"];
    assert_eq!(
        (&summary["failed_days"], &summary["runs"]),
        (&json!(0), &json!(2))
    );
    let ledger = documents_of(&rig, "ledger-2");
    assert_eq!(ledger[0]["attempts"], 2);
    assert_eq!(ledger[1]["status"], "success");
}

fn parent(child: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).expect("a stat");
    let (_, rest) = stat.rsplit_once(") ").expect("a name");
    let parent = rest.split(' ').nth(1).expect("a parent");
    parent.parse().expect("a pid")
}
