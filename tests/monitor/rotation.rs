//! Logs that are rotated under a job that writes as fast as it can: every line is counted.

use std::time::Duration;

use serde_json::Value;

use super::rig::{Ran, Rig, log_of, watching};
use crate::support::{Dice, wait_until};

const LINES: u64 = 12_000;

fn watched(script: &str) -> Ran {
    watched_in_steps(script, &[])
}

/// The same for a job that waits for each of these files, which are made when so many lines were read.
fn watched_in_steps(script: &str, steps: &[(u64, &str)]) -> Ran {
    let rig = Rig::new();
    let mut job = rig.job(script);
    job.reap_in_background();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    rig.touch("go");
    for &(lines, file) in steps {
        wait_until(&format!("{lines} lines are read"), || {
            let events = monitor.events();
            let read = |event: &Value| event["log_summary"]["log"]["lines"] == lines;
            events.iter().any(read)
        });
        rig.touch(file);
    }
    monitor.end()
}

#[test]
fn rotation_by_rename_loses_no_line() {
    // The job opens its log for every line, as one that is told to open it anew would after each rotation.
    let ran = watched(&format!(
        "wait_for go\ni=0\nwhile [ $i -lt {LINES} ]; do\n\
           i=$((i + 1)); echo \"line $i\" >> run.log\n\
           if [ $((i % 2000)) = 0 ]; then mv run.log run.log.$((i / 2000)); fi\n\
         done\nexit 7"
    ));
    assert_eq!(
        ran.exited()["log_summary"]["log"]["lines"],
        LINES,
        "{}",
        ran.text
    );
    assert!(ran.said("log_rotated"), "{}", ran.text);
}

#[test]
fn a_job_that_goes_on_writing_to_the_renamed_file_loses_no_line() {
    let ran = watched(&format!(
        "wait_for go\nexec 3>> run.log\ni=0\nwhile [ $i -lt {LINES} ]; do\n\
           i=$((i + 1)); echo \"line $i\" >&3\n\
           if [ $((i % 2000)) = 1000 ]; then mv run.log run.log.$((i / 2000 + 1)); : > run.log; fi\n\
           if [ $((i % 2000)) = 0 ]; then exec 3>> run.log; fi\n\
         done\nexit 7"
    ));
    assert_eq!(
        ran.exited()["log_summary"]["log"]["lines"],
        LINES,
        "{}",
        ran.text
    );
    assert!(ran.said("log_rotated"), "{}", ran.text);
}

#[test]
fn rotation_by_copy_and_truncate_loses_no_line() {
    // The job itself copies and truncates: nothing can be written between the two, which would be lost to
    // everybody.
    let ran = watched(&format!(
        "wait_for go\ni=0\nwhile [ $i -lt {LINES} ]; do\n\
           i=$((i + 1)); echo \"line $i\"\n\
           if [ $((i % 3000)) = 0 ]; then cp run.log run.log.$((i / 3000)); : > run.log; fi\n\
         done\nexit 7"
    ));
    assert_eq!(
        ran.exited()["log_summary"]["log"]["lines"],
        LINES,
        "{}",
        ran.text
    );
    assert!(ran.said("log_truncated"), "{}", ran.text);
}

#[test]
fn a_log_that_is_rotated_while_nobody_watches_is_read_where_it_went() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(9, true));
    let mut job = rig.job(
        "head -n 6 log\nwait_for on\nsed -n 7,9p log\nmv run.log run.log.1\n\
         exec >> run.log\ntail -n +10 log\ntouch rotated\nwait_for go",
    );
    job.reap_in_background();
    let pid = job.pid();
    let call = watching(&pid);
    let first = rig.start(&call);
    crate::support::wait_until("two days are read", || {
        let events = first.events();
        events
            .iter()
            .any(|event| event["log_summary"]["successful_days"] == 2)
    });
    rig.wait_for("run.state");
    first.kill();
    rig.touch("on");
    rig.wait_for("rotated");
    let second = rig.start(&call);
    second.wait_for("attached");
    rig.touch("go");
    let ran = second.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["successful_days"], 9);
    assert_eq!(ran.exited()["log_summary"]["log"]["lines"], 21);
}

#[test]
fn a_log_that_is_deleted_and_made_anew_is_read_on() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(9, true));
    let mut job = rig.job(
        "head -n 6 log\nwait_for on\nrm run.log\nexec >> run.log\ntail -n +7 log\nwait_for go",
    );
    job.reap_in_background();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    crate::support::wait_until("two days are read", || {
        let events = monitor.events();
        events
            .iter()
            .any(|event| event["log_summary"]["successful_days"] == 2)
    });
    rig.touch("on");
    monitor.wait_for("log_rotated");
    rig.touch("go");
    let ran = monitor.end();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.exited()["log_summary"]["log"]["lines"], 21);
}

/// What `logrotate` does before it moves or copies the log to `run.log.1`: every older file gets the next
/// number.
const SHIFT: &str = "shift_all() { n=25; while [ $n -gt 0 ]; do \
     [ ! -e run.log.$n ] || mv run.log.$n run.log.$((n + 1)); n=$((n - 1)); done; }\n";

fn lines(ran: &Ran) -> &serde_json::Value {
    &ran.exited()["log_summary"]["log"]["lines"]
}

#[test]
fn twenty_rotations_by_rename_lose_no_line_though_every_file_is_the_same() {
    let ran = watched(&format!(
        "{SHIFT}wait_for go\ni=0\nwhile [ $i -lt 20000 ]; do\n\
           i=$((i + 1)); echo 'WARNING:__main__:trying again' >> run.log\n\
           if [ $((i % 1000)) = 0 ]; then shift_all; mv run.log run.log.1; fi\n\
         done\nexit 7"
    ));
    assert_eq!(lines(&ran), 20_000, "{}", ran.text);
}

#[test]
fn twenty_rotations_by_copy_and_truncate_lose_no_line_though_every_copy_begins_the_same_way() {
    // The job itself copies and cuts: nothing can be written between the two, which would be lost to everybody.
    let ran = watched(&format!(
        "{SHIFT}wait_for go\ni=0\nwhile [ $i -lt 20000 ]; do\n\
           i=$((i + 1)); n=$((i % 1000))\n\
           if [ $n -lt 60 ]; then echo 'WARNING:__main__:trying again'; else echo \"line $i\"; fi\n\
           if [ $n = 0 ]; then shift_all; cp run.log run.log.1; : > run.log; fi\n\
         done\nexit 7"
    ));
    assert_eq!(lines(&ran), 20_000, "{}", ran.text);
    assert!(ran.said("log_truncated"), "{}", ran.text);
    assert!(!ran.text.contains("may be lost"), "{}", ran.text);
}

#[test]
fn a_copy_that_takes_long_is_found_again_when_the_log_is_cut() {
    // The copy is there, unfinished, while the log is read to its end.
    let ran = watched_in_steps(
        "wait_for go\ni=0\nwhile [ $i -lt 4000 ]; do i=$((i + 1)); echo \"line $i\"; done\n\
         head -c 5000 run.log > run.log.1\necho \"line 4001\"\nwait_for cut\n\
         tail -c +5001 run.log >> run.log.1\n: > run.log\necho \"line 4002\"\nexit 7",
        &[(4_001, "cut")],
    );
    assert_eq!(lines(&ran), 4_002, "{}", ran.text);
    assert!(!ran.text.contains("may be lost"), "{}", ran.text);
}

#[test]
fn what_was_read_between_a_copy_and_the_cut_is_counted_once() {
    let script = format!(
        "{SHIFT}print() {{ i=0; while [ $i -lt $1 ]; do i=$((i + 1)); echo \"$2 $i\"; done; }}\n\
         wait_for go\nprint 100 before\ncp run.log run.log.1\nprint 50 between\nwait_for cut\n: > run.log\n\
         print 10 after\nshift_all; cp run.log run.log.1; : > run.log\nprint 5 later\nexit 7"
    );
    let ran = watched_in_steps(&script, &[(150, "cut")]);
    assert_eq!(lines(&ran), 165, "{}", ran.text);
}

#[test]
fn a_copy_that_somebody_makes_of_the_log_is_not_read() {
    let ran = watched_in_steps(
        "wait_for go\necho one\ncp run.log run.log.1\necho two\nwait_for renamed\n\
         mv run.log run.log.2\necho three >> run.log\nwait_for cut\n\
         : > run.log\necho four >> run.log\nexit 7",
        &[(2, "renamed"), (3, "cut")],
    );
    // The one that was cut without a copy was read before.
    assert_eq!(lines(&ran), 4, "{}", ran.text);
}

#[test]
fn a_line_that_a_cut_goes_through_is_one_line() {
    let ran = watched(
        "wait_for go\necho one\nprintf 'tw'\ncp run.log run.log.1\n: > run.log\necho 'o'\nexit 7",
    );
    assert_eq!(lines(&ran), 2, "{}", ran.text);
}

#[test]
fn a_file_that_was_deleted_is_read_to_its_end() {
    let rig = Rig::new();
    let mut job = rig.job(
        "n=0\nwhile [ $n -lt 3 ]; do\n\
           n=$((n + 1)); wait_for go-$n\n\
           i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo \"line $i\"; done\n\
           rm run.log; exec >> run.log 2>&1\n\
         done\necho end\nexit 7",
    );
    job.reap_in_background();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    for number in 1..=3 {
        wait_until("the file that is deleted next is open", || {
            let rotations = monitor.events();
            let rotations = rotations
                .iter()
                .filter(|seen| seen["event"] == "log_rotated");
            rotations.count() >= number - 1
        });
        rig.touch(&format!("go-{number}"));
    }
    let ran = monitor.end();
    assert_eq!(lines(&ran), 6_001, "{}", ran.text);
}

#[test]
fn a_log_that_is_rotated_again_and_again_while_nobody_watches_loses_no_line() {
    for rotate in [
        "mv run.log run.log.1; exec >> run.log",
        "cp run.log run.log.1; : > run.log",
    ] {
        let rig = Rig::new();
        let mut job = rig.job(&format!(
            "{SHIFT}echo one; echo two\nwait_for on\n\
             for n in 1 2 3 4 5; do echo \"before $n\"; shift_all; {rotate}; echo \"after $n\"; done\n\
             touch rotated\nwait_for go\nexit 7"
        ));
        job.reap_in_background();
        rig.sandbox.write("run.log.7", "of an earlier run\n");
        let pid = job.pid();
        let call = watching(&pid);
        let first = rig.start(&call);
        wait_until("two lines are read", || {
            let events = first.events();
            events
                .iter()
                .any(|event| event["log_summary"]["log"]["lines"] == 2)
        });
        rig.wait_for("run.state");
        first.kill();
        rig.touch("on");
        rig.wait_for("rotated");
        let second = rig.start(&call);
        second.wait_for("attached");
        rig.touch("go");
        let ran = second.end();
        assert_eq!(lines(&ran), 12, "{rotate}: {}", ran.text);
    }
}

#[test]
fn a_log_that_is_rotated_under_a_monitor_that_is_killed_again_and_again_loses_no_line() {
    const KILLS: usize = 25;
    for rotate in [
        "mv run.log run.log.1; exec >> run.log",
        "cp run.log run.log.1; : > run.log",
    ] {
        let rig = Rig::new();
        let mut job = rig.job(&format!(
            "{SHIFT}wait_for go\ni=0\nuntil [ -e end ]; do\n\
               [ -e bf.yaml ] || exit 99\n\
               i=$((i + 1)); echo \"line $i\"\n\
               if [ $((i % 200)) = 0 ]; then shift_all; {rotate}; sleep 0.1; fi\n\
             done\necho $i > written\nexit 7"
        ));
        job.reap_in_background();
        let call = [
            "--pid",
            &job.pid(),
            "--log",
            "run.log",
            "--state",
            "run.state",
            "--interval",
            "50ms",
        ];
        let first = rig.start(&call);
        first.wait_for("attached");
        rig.wait_for("run.state");
        rig.touch("go");
        let seed = crate::support::seed();
        let mut dice = Dice(seed);
        let mut monitor = first;
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(dice.below(150)));
            let ran = monitor.kill();
            assert!(!ran.said("exited"), "seed {seed}, kill {kill}: {ran:#?}");
            monitor = rig.start(&call);
        }
        monitor.wait_for("attached");
        rig.touch("end");
        let ran = monitor.end();
        let written: u64 = rig
            .sandbox
            .read("written")
            .trim()
            .parse()
            .expect("a number");
        assert_eq!(lines(&ran), written, "seed {seed}, {rotate}: {}", ran.text);
    }
}
