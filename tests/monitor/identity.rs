//! Who a process is: never another one that got its pid, never the one of another boot, job or log.

use super::rig::{Rig, log_of, starting, watching};
use crate::support::{bin_dir, wait_until};

/// Shell functions for a pid namespace of one's own: bf-monitor with its outcome noted, and a process that gets
/// a pid that another had before. The namespace's first process reaps nobody, except by `wait`.
fn functions() -> String {
    let monitor = bin_dir().join("bf-monitor");
    format!(
        "monitor() {{ name=$1; shift; {} --config bf.yaml \"$@\" > $name.ndjson 2> $name.txt; \
           echo $? > $name.code; }}\n\
         take_pid() {{\n\
           for again in 1 2 3 4 5 6 7 8 9; do\n\
             echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid || {{ echo no > taken; exit 0; }}\n\
             sleep 1000 & [ $! != $1 ] || {{ echo yes > taken; return; }}\n\
           done\n\
           echo no > taken; exit 0\n\
         }}\n",
        monitor.display()
    )
}

/// Whether the pid was given again.
fn was_taken(rig: &Rig) -> bool {
    rig.wait_for("taken");
    wait_until("it is said whether", || {
        !rig.sandbox.read("taken").is_empty()
    });
    let taken = rig.sandbox.read("taken").trim() == "yes";
    if !taken {
        crate::support::skip("the next pid cannot be chosen here (ns_last_pid)");
    }
    taken
}

#[test]
fn a_process_that_got_the_pid_of_the_watched_one_is_never_taken_for_it() {
    let rig = Rig::new();
    let script = rig.script(&format!(
        "{}\
         sh -c 'until [ -e go ]; do sleep 0.02; done; exit 7' & job=$!\n\
         monitor first --pid $job --state run.state & first=$!\n\
         until [ -s run.state ]; do sleep 0.02; done\n\
         kill -KILL $(pgrep -x bf-monitor); wait $first\n\
         touch go; wait $job\n\
         take_pid $job\n\
         kill -0 $job || exit 98\n\
         monitor again --pid $job --state run.state\n\
         monitor state --state run.state\n\
         touch done; sleep 1000",
        functions()
    ));
    let Some(_init) = rig.in_pid_namespace(&script) else {
        return;
    };
    if !was_taken(&rig) {
        return;
    }
    rig.wait_for("done");
    for name in ["again", "state"] {
        let ran = rig.ran(name);
        assert_eq!(ran.code, Some(3), "{name}: {ran:#?}");
        assert_eq!(ran.end(), (None, None, "unknown"), "{name}");
        assert!(
            ran.text.contains("while it was not watched"),
            "{}",
            ran.text
        );
    }
}

#[test]
fn a_pid_that_was_given_again_since_the_recorded_job_is_refused() {
    let rig = Rig::new();
    rig.sandbox.write("log", &log_of(3, true));
    let script = rig.script(&format!(
        "{}\
         monitor first --log run.log -- sh -c 'cat log; echo $$ > job; exit 7'\n\
         job=$(cat job)\n\
         until ! [ -e /proc/$job ]; do sleep 0.02; done\n\
         take_pid $job\n\
         monitor again --pid $job --log run.log\n\
         monitor meant --pid $job --log run.log --expect-cmd 'sleep 1000' --timeout 0\n\
         touch done; sleep 1000",
        functions()
    ));
    let Some(_init) = rig.in_pid_namespace(&script) else {
        return;
    };
    if !was_taken(&rig) {
        return;
    }
    rig.wait_for("done");
    assert_eq!(rig.ran("first").end(), (Some(7), None, "child"));
    let again = rig.ran("again");
    assert_eq!(again.code, Some(3), "{again:#?}");
    assert!(again.events.is_empty(), "{again:#?}");
    assert!(
        again.text.contains("given to another process"),
        "{}",
        again.text
    );
    assert!(again.text.contains("exited with code 7"), "{}", again.text);
    assert_eq!(rig.ran("meant").code, Some(124));
}

/// Gives a file of bf-monitor's another boot id, as if the machine had been restarted since.
fn reboot(rig: &Rig, file: &str) {
    let now = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let before = rig.sandbox.read(file);
    let after = before.replace(now.trim(), "00000000-0000-0000-0000-000000000000");
    assert_ne!(before, after, "{file} names no boot");
    rig.sandbox.write(file, &after);
}

#[test]
fn a_state_file_of_another_boot_is_named_as_that_and_ends_no_running_job() {
    let rig = Rig::new();
    let job = rig.job("wait_for go");
    let call = ["--pid", &job.pid(), "--state", "run.state"];
    let monitor = rig.start(&call);
    rig.wait_for("run.state");
    monitor.kill();
    reboot(&rig, "run.state");
    for call in [call.as_slice(), &["--state", "run.state"]] {
        let ran = rig.run(call);
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.events.is_empty(), "{ran:#?}");
        assert!(
            ran.text.contains("run.state is of an earlier boot"),
            "{}",
            ran.text
        );
    }
    assert!(job.is_running());
}

#[test]
fn a_job_that_an_earlier_boot_ended_is_unknown_and_not_started_again() {
    let rig = Rig::new();
    let script = rig.script("echo x >> starts\nwait_for go");
    let call = starting(&script);
    let monitor = rig.start(&call);
    rig.wait_for("starts");
    rig.wait_for("run.state");
    monitor.kill();
    reboot(&rig, "run.state");
    reboot(&rig, "run.state.job");
    for call in [call.as_slice(), &["--state", "run.state"]] {
        let ran = rig.run(call);
        assert_eq!(ran.code, Some(3), "{ran:#?}");
        assert_eq!(ran.end(), (None, None, "unknown"));
        assert!(ran.text.contains("before the last reboot"), "{}", ran.text);
    }
    assert_eq!(rig.sandbox.read("starts"), "x\n");
    rig.touch("go");
}

#[test]
fn a_state_file_of_another_process_or_log_is_named_as_that() {
    let rig = Rig::new();
    let (job, other) = (rig.job("wait_for go"), rig.job("wait_for go"));
    let monitor = rig.start(&watching(&job.pid()));
    rig.wait_for("run.state");
    monitor.kill();
    let (pid, other) = (job.pid(), other.pid());
    for (call, what) in [
        (
            ["--pid", &other, "--log", "run.log"],
            format!("is of process {pid}, not of {other}"),
        ),
        (
            ["--pid", &pid, "--log", "b.log"],
            "is of the log".to_owned(),
        ),
    ] {
        let ran = rig.run(&[call.as_slice(), &["--state", "run.state"]].concat());
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.events.is_empty(), "{ran:#?}");
        assert!(ran.text.contains(&what), "{}", ran.text);
    }
}

/// The pid that the process with this file open has outside of its namespace.
fn holder_of(path: &std::path::Path) -> Option<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mut pids = processes.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(name)
    });
    pids.find(|pid| std::fs::read_link(format!("/proc/{pid}/fd/9")).is_ok_and(|open| open == path))
}

#[test]
fn a_process_of_a_pid_namespace_that_never_reaps_is_known_from_outside() {
    for (ending, code, end) in [
        ("exit 7", 1, (Some(7), None, "zombie")),
        ("exit 0", 0, (Some(0), None, "zombie")),
        // With the namespace's first process every other one is killed.
        ("touch stop; sleep 1000", 1, (None, Some(9), "pidfd")),
    ] {
        let rig = Rig::new();
        let script = rig.script(&format!(
            "(exec 9> marker; touch marked; wait_for go; {ending}) &\nexec sleep 1000",
        ));
        let Some(init) = rig.in_pid_namespace(&script) else {
            return;
        };
        rig.wait_for("marked");
        let pid = holder_of(&rig.sandbox.join("marker")).expect("it holds the file");
        let monitor = rig.start(&["--pid", &pid]);
        monitor.wait_for("attached");
        rig.touch("go");
        if ending.contains("stop") {
            rig.wait_for("stop");
            drop(init);
        }
        let ran = monitor.end();
        if ran.end().2 == "unknown" {
            // A kernel before 6.15 tells nobody how a process ended that its namespace took along.
            assert_eq!(ran.code, Some(3), "{ending}: {ran:#?}");
            continue;
        }
        assert_eq!(
            (ran.code, ran.end()),
            (Some(code), end),
            "{ending}: {ran:#?}"
        );
    }
}

#[test]
fn a_thread_a_thread_of_the_kernel_and_bf_monitor_itself_are_no_jobs() {
    let rig = Rig::new();
    // A thread of this very test program.
    let (tell, told) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let itself = std::fs::read_link("/proc/thread-self").expect("/proc");
        tell.send(itself).expect("it listens");
        let _ = ended.recv();
    });
    let thread_self = told.recv().expect("a thread");
    let number = thread_self.file_name().and_then(|name| name.to_str());
    let ran = rig.run(&["--pid", number.expect("a thread id")]);
    drop(end);
    thread.join().expect("it ends");
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    let process = std::process::id();
    assert!(
        ran.text
            .contains(&format!("is a thread of process {process}")),
        "{}",
        ran.text
    );

    let itself = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "exec {} --pid $$",
            bin_dir().join("bf-monitor").display()
        ))
        .output()
        .expect("it runs");
    assert_eq!(itself.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&itself.stderr).contains("own pid"),
        "{itself:?}"
    );

    if std::fs::read_to_string("/proc/2/comm").is_ok_and(|name| name == "kthreadd\n") {
        let ran = rig.run(&["--pid", "2"]);
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.text.contains("thread of the kernel"), "{}", ran.text);
    } else {
        crate::support::skip("no thread of the kernel can be seen here");
    }
}
