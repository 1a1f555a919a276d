//! Logs that are rotated under a job that writes as fast as it can: every line is counted.

use super::rig::{Ran, Rig, log_of};

const LINES: u64 = 12_000;

fn watched(script: &str) -> Ran {
    let rig = Rig::new();
    let mut job = rig.job(script);
    job.reap_in_background();
    let monitor = rig.start(&["--pid", &job.pid(), "--log", "run.log"]);
    monitor.wait_for("attached");
    rig.touch("go");
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
    let call = [
        "--pid",
        &job.pid(),
        "--log",
        "run.log",
        "--state",
        "run.state",
    ];
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
