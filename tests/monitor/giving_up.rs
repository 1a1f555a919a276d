//! Time limits, signals to bf-monitor, and readers that go away: what becomes of the job.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::Signal;

use super::rig::{Rig, is_running, job_pid, log_of, starting};
use crate::support::wait_until;

#[test]
fn the_time_limit_ends_the_watch_and_not_the_job() {
    let rig = Rig::new();
    let job = rig.job("wait_for go");
    let ran = rig.run(&["--pid", &job.pid(), "--timeout", "1s"]);
    assert_eq!(ran.code, Some(124), "{ran:#?}");
    assert!(ran.said("timed_out"), "{ran:#?}");
    assert!(job.is_running());
}

#[test]
fn the_time_limit_ends_the_whole_group_where_that_is_asked_for() {
    let rig = Rig::new();
    let script =
        rig.script("trap '' TERM\n(trap '' TERM; wait_for go) & echo $! > child\nwait_for go");
    let ran = rig.run(&[
        "--log",
        "run.log",
        "--timeout",
        "2s",
        "--kill-on-timeout",
        "--kill-grace",
        "200ms",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.code, Some(124), "{ran:#?}");
    assert!(ran.text.contains("SIGKILL"), "{}", ran.text);
    let child = rig.sandbox.read("child").trim().parse().expect("a pid");
    wait_until("the job's child is gone", || !is_running(child));
}

#[test]
fn what_a_job_started_is_ended_too_though_the_job_itself_ends_at_once() {
    let rig = Rig::new();
    let script = rig.script(
        "(trap '' TERM; exec 0< /dev/null > /dev/null 2>&1; wait_for go) & echo $! > child\nexec sleep 1000",
    );
    let ran = rig.run(&[
        "--log",
        "run.log",
        "--timeout",
        "2s",
        "--kill-on-timeout",
        "--kill-grace",
        "300ms",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.code, Some(124), "{ran:#?}");
    assert!(ran.text.contains("SIGKILL"), "{}", ran.text);
    let child = rig.sandbox.read("child").trim().parse().expect("a pid");
    wait_until("the job's child is gone", || !is_running(child));
    let last = ran.events.last().expect("an event");
    assert_eq!(last["exit"]["signal"], 15, "{last:#}");
}

#[test]
fn a_signal_leaves_the_job_alive_and_says_so() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 143)] {
        let rig = Rig::new();
        let script = rig.script("echo working\nwait_for go\ntouch done");
        let monitor = rig.start(&["--log", "run.log", "--", "sh", "-c", &script]);
        monitor.wait_for("started");
        let job = job_pid(&monitor.events());
        monitor.signal(signal);
        let ran = monitor.end();
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        assert_eq!(ran.names().last(), Some(&"lost"), "{ran:#?}");
        assert!(is_running(job));
        assert!(ran.text.contains("left as it is"), "{}", ran.text);
        assert!(ran.text.contains(&format!("--pid {job}")), "{}", ran.text);
        rig.touch("go");
        rig.wait_for("done");
    }
}

#[test]
fn a_reader_that_goes_away_takes_neither_the_job_along_nor_how_it_ended() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(3, true));
    let mut job = rig.job("wait_for go\ncat log\nexit 7");
    job.reap_in_background();
    // One look, and then nothing is said before the end.
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
    let mut monitor = rig
        .command(&call)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bf-monitor starts");
    let mut reader = BufReader::new(monitor.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("progress") {
        line.clear();
        assert!(reader.read_line(&mut line).expect("a line") > 0);
    }
    drop(reader);
    assert!(job.is_running());
    rig.touch("go");
    // What reached nobody is no success, and no failure of the job's either.
    let status = monitor.wait().expect("it ends");
    assert_eq!(status.code(), Some(3));

    let late = rig.run(&["--state", "run.state"]);
    assert_eq!(late.code, Some(1), "{late:#?}");
    assert_eq!(late.end().0, Some(7), "{late:#?}");
    assert_eq!(late.exited()["log_summary"]["successful_days"], 3);
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_started_job() {
    let rig = Rig::new();
    let script = rig.script("echo $$ > job\nwait_for go\nexit 7");
    let call = starting(&script);
    let mut monitor = rig
        .command(&call)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bf-monitor starts");
    drop(monitor.stdout.take());
    assert_eq!(monitor.wait().expect("it ends").code(), Some(3));
    rig.wait_for("job");
    wait_until("its pid is there", || {
        rig.sandbox.read("job").ends_with('\n')
    });
    assert!(is_running(
        rig.sandbox.read("job").trim().parse().expect("a pid")
    ));
    let again = rig.start(&["--state", "run.state"]);
    again.wait_for("attached");
    rig.touch("go");
    assert_eq!(again.end().end().0, Some(7));
}
