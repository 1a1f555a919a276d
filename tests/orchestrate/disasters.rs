//! Disks that fill, folders that nobody may write, webhooks that hang, clocks that jump, and two at once.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::crash::{kill, phase2_starts, records, start};
use super::rig::{Ran, Rig};
use crate::support::{document, wait_until};

/// A rig whose phase 1 is over, and its pid.
fn rig_behind_phase1(phase2_args: &[&str]) -> (Rig, u32) {
    let rig = Rig::new(phase2_args);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    (rig, pid)
}

fn journal(rig: &Rig) -> Option<PathBuf> {
    let runs = fs::read_dir(rig.sandbox.join(".bf/runs")).ok()?;
    let path = runs.flatten().next()?.path().join("journal.ndjson");
    path.exists().then_some(path)
}

fn resume(rig: &Rig) -> Ran {
    let mut command = rig.sandbox.command("bf-orchestrate");
    Ran::from(command.arg("resume").output().expect("it runs"))
}

/// A run that was killed after its first phase's gate.
fn killed_between_the_phases() -> (Rig, PathBuf) {
    let (rig, pid) = rig_behind_phase1(&["--delay-ms", "300"]);
    let mut orchestrator = start(rig.orchestrate(pid));
    wait_until("the first gate is closed", || {
        journal(&rig)
            .and_then(|path| fs::read_to_string(path).ok())
            .is_some_and(|text| text.contains("gate_closed"))
    });
    kill(&mut orchestrator, true);
    let journal = journal(&rig).expect("a journal");
    (rig, journal)
}

/// Runs `script` in a mount namespace of its own, in the rig's folder. False where this system permits none.
fn in_a_mount_namespace(rig: &Rig, script: &str, command: &Command) -> bool {
    rig.sandbox.write("script.sh", script);
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--user", "--map-root-user", "--mount", "sh", "script.sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(rig.sandbox.path())
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        unshare.env(name, value.expect("set"));
    }
    let Ok(output) = unshare.output() else {
        return false;
    };
    let is_permitted = rig.sandbox.join("mounted").exists();
    if is_permitted {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    is_permitted
}

fn number(rig: &Rig, file: &str) -> i32 {
    rig.sandbox.read(file).trim().parse().expect("a code")
}

#[test]
fn a_disk_that_fills_stops_the_run_and_loses_nothing() {
    let (rig, pid) = rig_behind_phase1(&["--delay-ms", "60"]);
    let script = "mkdir -p .bf && mount -t tmpfs -o size=256k tmpfs .bf || exit 0\n\
         touch mounted\n\
         \"$@\" > out 2> err & run=$!\n\
         until grep -q job_starting .bf/runs/*/journal.ndjson 2> /dev/null; do sleep 0.01; done\n\
         cat /dev/zero > .bf/ballast 2> /dev/null\n\
         wait $run; echo $? > code\n\
         ls logs > logs_before\n\
         rm .bf/ballast\n\
         bf-orchestrate resume > out_again 2> err_again; echo $? > code_again\n";
    if !in_a_mount_namespace(&rig, script, &rig.orchestrate(pid)) {
        crate::support::skip("no mount namespace is permitted here");
        return;
    }
    let said = rig.sandbox.read("err");
    assert_eq!(number(&rig, "code"), 3, "{said}");
    assert!(said.contains("No space left"), "{said}");
    let before = rig.sandbox.read("logs_before");
    assert!(!before.contains("phase2"), "nothing was started: {before}");
    let again = rig.sandbox.read("err_again");
    assert_eq!(number(&rig, "code_again"), 0, "{again}");
    assert_eq!(phase2_starts(&rig), 1);
}

#[test]
fn a_journal_that_cannot_grow_any_more_stops_the_run_before_the_next_step() {
    let mut after = 1;
    loop {
        let (rig, pid) = rig_behind_phase1(&["--delay-ms", "60"]);
        let mut orchestrator = start(rig.orchestrate(pid));
        let mut has_ended = false;
        wait_until("the journal is long enough", || {
            has_ended = orchestrator.try_wait().expect("a child").is_some();
            has_ended || records(journal(&rig).as_deref()) >= after
        });
        let id = i32::try_from(orchestrator.id())
            .ok()
            .and_then(Pid::from_raw);
        // Every write of it and of its children that makes a file longer now fails, as on a full disk.
        let nothing = Rlimit {
            current: Some(0),
            maximum: None,
        };
        if has_ended || prlimit(id, Resource::Fsize, nothing).is_err() {
            let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
            assert_eq!(ran.code, Some(0), "{}", ran.text);
            break;
        }
        let stopped = orchestrator.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&stopped.stderr);
        let path = journal(&rig).expect("a journal");
        if stopped.status.code() == Some(0) {
            let journal = fs::read_to_string(path).expect("a journal");
            assert!(
                journal.contains("run_finished"),
                "no pass without its last word: {text}"
            );
            break;
        }
        assert_eq!(
            stopped.status.code(),
            Some(3),
            "after record {after}: {text}"
        );
        assert!(
            text.contains("File too large"),
            "after record {after}: {text}"
        );
        let starts = phase2_starts(&rig);
        let was_begun = fs::read_to_string(&path)
            .expect("a journal")
            .contains(r#""job_starting","phase":"player_game_summary""#);
        assert!(was_begun || starts == 0, "after record {after}: {text}");

        let ran = resume(&rig);
        assert!(
            phase2_starts(&rig) <= 1,
            "after record {after}: {}",
            ran.text
        );
        if !was_begun {
            assert_eq!(ran.code, Some(0), "after record {after}: {}", ran.text);
            assert_eq!(phase2_starts(&rig), 1, "after record {after}: {}", ran.text);
        } else if ran.code == Some(0) {
            assert_eq!(phase2_starts(&rig), 1, "after record {after}: {}", ran.text);
        }
        after += 1;
        assert!(after < 40, "a run of two phases has fewer records");
    }
    assert!(after > 8, "only {} records were seen", after - 1);
}

#[test]
fn a_run_directory_on_a_read_only_file_system_is_refused_before_anything_is_started() {
    let (rig, pid) = rig_behind_phase1(&[]);
    let script = "mkdir -p .bf && mount -t tmpfs tmpfs .bf && mount -o remount,ro .bf || exit 0\n\
         touch mounted\n\
         \"$@\" > out 2> err; echo $? > code\n";
    if !in_a_mount_namespace(&rig, script, &rig.orchestrate(pid)) {
        crate::support::skip("no mount namespace is permitted here");
        return;
    }
    let said = rig.sandbox.read("err");
    assert_eq!(number(&rig, "code"), 2, "{said}");
    assert!(
        said.contains("Read-only file system") && said.contains("--runs DIR"),
        "{said}"
    );
    assert_eq!(phase2_starts(&rig), 0);
}

#[test]
fn a_webhook_that_hangs_holds_up_no_phase_and_no_report() {
    let (rig, pid) = rig_behind_phase1(&[]);
    rig.configure(
        &[],
        "notify:\n  - {name: hook, webhook: {url_env: HOOK, form: json}}\n",
    );
    // It takes every connection and never says a word.
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    let held = std::sync::Arc::new(Mutex::new(Vec::new()));
    let hold = held.clone();
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            hold.lock().expect("not poisoned").push(stream);
        }
    });
    let mut command = rig.orchestrate(pid);
    command.env("HOOK", format!("http://{address}/"));
    let mut orchestrator = start(command);
    let stdout = orchestrator.stdout.take().expect("a pipe");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a report");
    let report: Value = serde_json::from_str(&line).expect("a document");
    assert_eq!(report["verdict"], "warn", "{report:#}");
    let text = fs::read_to_string(journal(&rig).expect("a journal")).expect("a journal");
    assert!(
        text.contains("run_finished"),
        "the run is over before anybody was told"
    );
    assert!(!held.lock().expect("not poisoned").is_empty());
    // It says so, and goes away by itself; what is left of it waits for the server.
    super::signal(orchestrator.id(), rustix::process::Signal::KILL);
    orchestrator.wait().expect("it ends");
}

#[test]
fn a_webhook_that_hangs_does_not_make_a_pass_a_failure() {
    let (rig, pid) = rig_behind_phase1(&[]);
    rig.configure(
        &[],
        "notify:\n  - {name: hook, webhook: {url_env: HOOK, form: json}, timeout: 0.2, retries: 0}\n",
    );
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    let mut command = rig.orchestrate(pid);
    command.env("HOOK", format!("http://{address}/secret"));
    let ran = Ran::from(command.output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert!(ran.text.contains("did not reach everybody"), "{}", ran.text);
    let run_dir = ran.report["run_dir"].as_str().expect("a folder");
    let log = rig.sandbox.read(&format!("{run_dir}/notify.log"));
    assert!(log.contains("no answer within 0.2s"), "{log}");
    assert!(
        !log.contains("secret") && !ran.text.contains("secret"),
        "{log}"
    );
}

#[test]
fn of_two_that_start_at_once_exactly_one_does() {
    let rig = Rig::new(&[]);
    rig.sandbox.write(
        "plan.yaml",
        "range: {start: 2024-01-02, end: 2024-01-03}\nphases:\n  - name: marks\n    \
         validate: [{validator: team_offense}]\n    job:\n      \
         command: [sh, -c, 'echo started >> marks; until [ -e go ]; do sleep 0.01; done']\n",
    );
    let begin = |more: &[&str]| -> Child {
        let mut command = rig.sandbox.command("bf-orchestrate");
        command.args(["run", "plan.yaml"]).args(more);
        start(command)
    };
    for round in 0..20 {
        let _ = fs::remove_file(rig.sandbox.join("go"));
        let _ = fs::remove_file(rig.sandbox.join("marks"));
        // In turn the same run, and two runs over the same table.
        let elsewhere: &[&str] = if round % 2 == 0 {
            &[]
        } else {
            &["--runs", "elsewhere"]
        };
        let mut both = [begin(&[]), begin(elsewhere)];
        let mut ended = None;
        wait_until("one of them is refused", || {
            ended = both
                .iter_mut()
                .position(|one| one.try_wait().expect("a child").is_some());
            ended.is_some()
        });
        rig.sandbox.write("go", "");
        let [one, other] = both;
        let (refused, winner) = match ended {
            Some(0) => (one, other),
            _ => (other, one),
        };
        let refused = Ran::from(refused.wait_with_output().expect("it ends"));
        assert_eq!(refused.code, Some(2), "round {round}: {}", refused.text);
        assert!(
            refused.report["held_by"]["run_id"].is_string(),
            "round {round}: {}",
            refused.report
        );
        let winner = Ran::from(winner.wait_with_output().expect("it ends"));
        // Its log says nothing and its table holds nothing; that it came to its gate is all that counts here.
        assert_eq!(winner.code, Some(1), "round {round}: {}", winner.text);
        assert_eq!(rig.sandbox.read("marks"), "started\n", "round {round}");
    }
}

#[test]
fn a_run_directory_of_another_version_is_no_reason_to_start_its_phases_again() {
    let (rig, journal) = killed_between_the_phases();
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(&journal, text.replace("\"version\":1", "\"version\":9")).expect("writable");
    let again = Ran::from(rig.orchestrate(1_000_000).output().expect("it runs"));
    assert_eq!(again.code, Some(3), "{}", again.text);
    let resumed = rig
        .sandbox
        .command("bf-orchestrate")
        .arg("resume")
        .output()
        .expect("it runs");
    assert_eq!(resumed.status.code(), Some(3));
    for text in [
        again.text.as_str(),
        &String::from_utf8_lossy(&resumed.stderr),
    ] {
        assert!(
            text.contains("another version of bf") && text.contains("move"),
            "{text}"
        );
    }
    let runs = fs::read_dir(rig.sandbox.join(".bf/runs")).expect("runs");
    assert_eq!(runs.count(), 1, "nothing was started");
    // One that is known to be over is in nobody's way.
    let finished =
        "{\"seq\":99,\"time\":\"2026-01-01T00:00:00Z\",\"what\":{\"step\":\"run_finished\"}}\n";
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(&journal, text + finished).expect("writable");
    let history = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["history", "--format", "json"])
        .output()
        .expect("it runs");
    assert_eq!(
        history.status.code(),
        Some(3),
        "what cannot be read is said"
    );
    let new = Ran::from(rig.orchestrate(1_000_000).output().expect("it runs"));
    assert!(new.text.contains("it is left alone"), "{}", new.text);
}

#[test]
fn a_clock_that_was_set_back_neither_stops_nor_repeats_anything() {
    let (rig, journal) = killed_between_the_phases();
    let text = fs::read_to_string(&journal).expect("a journal");
    let year = text.split("\"time\":\"").nth(1).expect("a time")[..4].to_owned();
    // What the run wrote before the clock was set right.
    let later = text.replace(&format!("\"time\":\"{year}"), "\"time\":\"2099");
    fs::write(&journal, later).expect("writable");
    let status = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["status", "--format", "json"])
        .output()
        .expect("it runs");
    assert_eq!(document(&status.stdout)["state"], "abandoned");
    let ran = resume(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert!(phase2_starts(&rig) == 1, "{}", ran.text);
    assert!(ran.report["total_seconds"].as_f64() >= Some(0.0));
    for index in 0..2 {
        let took = &ran.phase(index)["duration_seconds"];
        assert!(took.is_null() || took.as_f64() >= Some(0.0), "{took}");
    }
    let history = rig
        .sandbox
        .command("bf-orchestrate")
        .args(["history", "--format", "json"])
        .output()
        .expect("it runs");
    assert_eq!(document(&history.stdout)["verdict"], "warn");
}

#[test]
fn a_torn_last_line_is_a_step_that_was_not_taken() {
    let (rig, journal) = killed_between_the_phases();
    let whole = fs::read(&journal).expect("a journal");
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .expect("lines");
    // Cut in the middle of the last line: its step is taken again, from the documents and states that are there.
    for end in [
        last + 2,
        usize::midpoint(last, whole.len()),
        whole.len() - 1,
    ] {
        fs::write(&journal, &whole[..end]).expect("writable");
        let status = rig
            .sandbox
            .command("bf-orchestrate")
            .args(["status", "--format", "json"])
            .output()
            .expect("it runs");
        assert_eq!(
            document(&status.stdout)["state"],
            "abandoned",
            "cut at {end}"
        );
    }
    let ran = resume(&rig);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 1, "{}", ran.text);
    for line in fs::read_to_string(&journal).expect("a journal").lines() {
        serde_json::from_str::<Value>(line).expect("every line is whole");
    }
}
