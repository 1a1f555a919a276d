//! A sleeping process, a spinning one and a retry loop are three different things.

use rustix::process::Signal;

use super::rig::{Monitor, Ran, Rig, Shell, log_of, state};
use crate::support::wait_until;

const STANDING: [&str; 3] = ["quiet", "stalled", "hung"];

/// A job in the middle of its dates, and bf-monitor on it with these limits.
fn watched(limits: &str, then: &str) -> (Rig, Shell, Monitor) {
    let rig = Rig::new();
    rig.configure(&format!("hang: {limits}\n"));
    rig.sandbox.write("log", &log_of(5, false));
    let job = rig.job(&format!("cat log\ntouch ready\n{then}"));
    rig.wait_for("ready");
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    (rig, job, monitor)
}

fn stopped(monitor: Monitor) -> Ran {
    monitor.signal(Signal::TERM);
    monitor.end()
}

/// Which of the three were said, in their own order.
fn said(ran: &Ran) -> Vec<&'static str> {
    STANDING.into_iter().filter(|word| ran.said(word)).collect()
}

#[test]
fn a_sleeping_process_hangs() {
    let rig = Rig::new();
    rig.configure("hang: {quiet: 1s, stalled: 1s, hung: 2s}\n");
    rig.sandbox.write("log", &log_of(5, false));
    let job = rig.job("cat log\nexec sleep 1000");
    let number = job.pid().parse().expect("a pid");
    wait_until("it sleeps", || {
        let name = std::fs::read_to_string(format!("/proc/{number}/comm"));
        name.is_ok_and(|name| name == "sleep\n") && state(number).as_deref() == Some("S")
    });
    // What it did before it was watched is in no sum that moves.
    let ran = rig.run(&["--pid", &job.pid(), "--log", "run.log", "--on-hang", "exit"]);
    assert_eq!(ran.code, Some(124), "{ran:#?}");
    assert_eq!(said(&ran), ["hung"], "{ran:#?}");
    assert!(job.is_running());
}

#[test]
fn a_hang_is_reported_and_watched_on_where_nothing_else_is_asked_for() {
    let (rig, mut job, monitor) = watched(
        "{quiet: 60s, stalled: 60s, hung: 1s}",
        "until [ -e go ]; do sleep 3; [ -e bf.yaml ] || exit 99; done; exit 7",
    );
    job.reap_in_background();
    monitor.wait_for("hung");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.end().0, Some(7), "{ran:#?}");
}

#[test]
fn a_spinning_process_is_quiet_and_stalled_and_does_not_hang() {
    let (_rig, _job, monitor) = watched(
        "{quiet: 1s, stalled: 1s, hung: 20s}",
        "while [ -e bf.yaml ]; do :; done",
    );
    monitor.wait_for("quiet");
    monitor.wait_for("stalled");
    assert_eq!(said(&stopped(monitor)), ["quiet", "stalled"]);
}

#[test]
fn a_retry_loop_is_stalled_though_its_log_grows() {
    let (_rig, _job, monitor) = watched(
        "{quiet: 20s, stalled: 1s, hung: 20s}",
        "while [ -e bf.yaml ]; do echo 'WARNING:__main__:trying again'; sleep 0.1; done",
    );
    monitor.wait_for("stalled");
    assert_eq!(said(&stopped(monitor)), ["stalled"]);
}

#[test]
fn the_work_of_a_descendant_is_the_work_of_the_job() {
    let (_rig, _job, monitor) = watched(
        "{quiet: 1s, stalled: 1s, hung: 20s}",
        "sh -c 'while [ -e bf.yaml ]; do :; done' & wait",
    );
    monitor.wait_for("quiet");
    assert!(!stopped(monitor).said("hung"));
}
