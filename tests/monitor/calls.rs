//! Calls that cannot be meant: each names what is wrong and the way out, and starts nothing.

use super::rig::{Rig, as_nobody, can_be_nobody};

#[test]
fn a_call_that_cannot_be_meant_is_named_and_nothing_is_started() {
    let rig = Rig::new();
    rig.sandbox.write("torn.state", "{\"version\":1,\"saved");
    rig.sandbox.write("later.state", "{\"version\":99}");
    let job = rig.job("wait_for go");
    let pid = job.pid();
    for (call, says) in [
        (&["1234"][..], "--pid 1234"),
        (&["run.log"], "--log FILE"),
        (&[], "give --pid PID"),
        (&["--pid", "abc"], "positive whole number"),
        (&["--pid", "-1"], "positive whole number"),
        (&["--pid", "0"], "0 is not a pid"),
        (&["--pid", &pid, "--log", "."], "the log . is a folder"),
        (
            &["--pid", &pid, "--log", "/dev/null"],
            "the log /dev/null is not a file",
        ),
        (&["--pid", &pid, "--state", "."], "reading the state file ."),
        (
            &["--pid", &pid, "--state", "none/s"],
            "writing the state file none/s",
        ),
        (&["--pid", &pid, "--state", "torn.state"], "torn.state"),
        (
            &["--pid", &pid, "--state", "later.state"],
            "is of version 99",
        ),
        (&["--state", "new.state"], "contains no job"),
        (&["--pid", &pid, "--timeout", "soon"], "is not a duration"),
        (&["--pid", &pid, "--interval", "0"], "must be above 0"),
        (&["--", "touch", "made"], "needs a log"),
        (&["--log", "x/", "--", "touch", "made"], "x"),
        (
            &["--log", "run.log", "--cwd", "none", "--", "touch", "made"],
            "none is not there",
        ),
        (
            &["--log", "run.log", "--env", "=x", "--", "touch", "made"],
            "NAME=VALUE",
        ),
        (
            &["--pid", &pid, "--", "touch", "made"],
            "cannot be used with",
        ),
    ] {
        let ran = rig.run(call);
        assert_eq!(ran.code, Some(2), "{call:?}: {ran:#?}");
        assert!(ran.events.is_empty(), "{call:?}: {ran:#?}");
        assert!(ran.text.contains(says), "{call:?}: {}", ran.text);
        assert!(ran.text.lines().count() <= 3, "{call:?}: {}", ran.text);
    }
    assert!(!rig.sandbox.join("made").exists());
    assert!(job.is_running());
}

#[test]
fn a_log_that_this_user_may_not_read_is_no_pass() {
    use std::os::unix::fs::PermissionsExt;
    let rig = Rig::new();
    if !can_be_nobody(&rig) {
        return;
    }
    let log = rig.sandbox.write("secret.log", "x\n");
    std::fs::set_permissions(&log, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    std::fs::set_permissions(rig.sandbox.path(), std::fs::Permissions::from_mode(0o755))
        .expect("permissions");
    let job = rig.job("wait_for go");
    let mut call = rig.sandbox.command("bf-monitor");
    call.args(["--pid", &job.pid(), "--log"]).arg(&log);
    let ran = rig.start_command(as_nobody(call)).end();
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    assert!(ran.text.contains("secret.log"), "{}", ran.text);
    assert!(ran.events.is_empty(), "{ran:#?}");
}
