//! A sleeping process, a spinning one and a retry loop are three different things.

use rustix::process::{Signal, kill_process_group};

use super::rig::{Monitor, Ran, Rig, Shell, log_of, pid, state};
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

#[test]
fn the_work_of_short_lived_children_is_the_work_of_the_job() {
    let (_rig, _job, monitor) = watched(
        "{quiet: 1s, stalled: 6s, hung: 3s}",
        "while [ -e bf.yaml ]; do\n\
           sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'\n\
         done",
    );
    monitor.wait_for("stalled");
    assert!(!stopped(monitor).said("hung"));
}

#[test]
fn a_child_that_waits_for_a_lock_is_no_hang_as_long_as_a_sibling_works() {
    let (rig, _job, monitor) = watched(
        "{quiet: 1s, stalled: 6s, hung: 3s}",
        "exec 8> lock; flock 8\n\
         (exec 9> lock; exec flock 9) &\n\
         (while [ -e bf.yaml ] && ! [ -e idle ]; do :; done; exec flock lock true) &\n\
         wait",
    );
    monitor.wait_for("stalled");
    assert!(
        !monitor
            .events()
            .iter()
            .any(|event| event["event"] == "hung")
    );
    // Once the sibling waits for it, too, nothing moves any more.
    rig.touch("idle");
    monitor.wait_for("hung");
    stopped(monitor);
}

#[test]
fn a_stopped_process_is_said_to_be_stopped_and_goes_on() {
    let (rig, mut job, monitor) = watched(
        "{quiet: 60s, stalled: 60s, hung: 2s}",
        "until [ -e go ]; do [ -e bf.yaml ] || exit 99; sleep 0.02; done; exit 7",
    );
    let group = pid(job.pid().parse().expect("a pid"));
    kill_process_group(group, Signal::STOP).expect("it can be stopped");
    job.reap_in_background();
    let says_stopped = |event: &serde_json::Value, kind: &str| {
        let message = event["message"].as_str().unwrap_or_default();
        event["event"] == kind && message.contains("stopped by a signal")
    };
    wait_until("it is said", || {
        let events = monitor.events();
        events.iter().any(|event| says_stopped(event, "progress"))
    });
    wait_until("it hangs", || {
        let events = monitor.events();
        events.iter().any(|event| says_stopped(event, "hung"))
    });
    rig.touch("go");
    kill_process_group(group, Signal::CONT).expect("it can go on");
    let ran = monitor.end();
    assert_eq!(ran.end().0, Some(7), "{ran:#?}");
    assert_eq!(ran.text.matches("kill -CONT").count(), 1, "{}", ran.text);
}

/// Prints the log of a job with so many dates, date by date, with a pause after each that `pause` tells by
/// `$day`.
fn paced(days: u32, pause: &str) -> String {
    format!(
        "echo 'INFO:__main__:  Date range: 2024-01-01 to 2024-03-31'\n\
         echo 'INFO:__main__:Starting day-by-day analytics backfill from 2024-01-01 to 2024-03-31'\n\
         day=0\nwhile [ $day -lt {days} ]; do\n\
           [ -e bf.yaml ] || exit 99\n\
           date=$(date -d \"2024-01-01 + $day days\" +%Y-%m-%d); day=$((day + 1))\n\
           echo \"INFO:__main__:Processing day $day/91: $date\"\n\
           echo 'INFO:__main__:  ✓ Success: 16 records'\n\
           {pause}\n\
         done"
    )
}

#[test]
fn a_rate_that_falls_below_a_third_is_said_once() {
    let rig = Rig::new();
    let pause = "if [ $day -lt 20 ]; then sleep 0.1; else sleep 1; fi";
    let script = rig.script(&format!("{}\nexit 7", paced(27, pause)));
    let ran = rig.run(&[
        "--log",
        "run.log",
        "--interval",
        "50ms",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.end().0, Some(7), "{ran:#?}");
    assert_eq!(
        ran.text.matches("more than three times").count(),
        1,
        "{}",
        ran.text
    );
    let rated = |event: &serde_json::Value| {
        event["days_per_hour"].as_f64() > Some(0.0) && event["eta_seconds"].as_f64() > Some(0.0)
    };
    assert!(ran.events.iter().any(rated), "{ran:#?}");
    assert!(ran.events[0]["eta_seconds"].is_null());
}

#[test]
fn an_end_that_comes_faster_than_its_dates_allow_is_said() {
    let rig = Rig::new();
    let pause = "[ $day -gt 15 ] || sleep 0.3";
    let script = rig.script(&format!("{}\nexit 7", paced(91, pause)));
    let ran = rig.run(&[
        "--log",
        "run.log",
        "--interval",
        "200ms",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.end().0, Some(7), "{ran:#?}");
    let message = ran.exited()["message"].as_str().expect("words");
    assert!(
        message.contains("much faster than the days before"),
        "{message}"
    );
}
