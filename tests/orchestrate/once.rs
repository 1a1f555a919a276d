//! Exactly once, also where bf itself was killed, or lost its files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::rig::Ran;
use super::shop::{Shop, send, spawn, text};
use crate::support::{bin_dir, skip, wait_until};

#[test]
fn the_environment_of_a_job_is_in_no_command_line_and_its_run_directory_is_private() {
    let shop = Shop::new();
    shop.plan("    env: {DB_PASSWORD: s3cr3t-0815}\n");
    shop.job("", "echo \"$DB_PASSWORD\" > seen\n");
    let run = shop.begun();
    let mut checked = 0;
    for entry in fs::read_dir("/proc").expect("processes").flatten() {
        if let Ok(command) = fs::read(entry.path().join("cmdline")) {
            let command = String::from_utf8_lossy(&command).into_owned();
            assert!(!command.contains("s3cr3t-0815"), "{command}");
            checked += usize::from(command.contains("bf-monitor"));
        }
    }
    assert!(checked > 0);
    assert_eq!(shop.sandbox.read("seen"), "s3cr3t-0815\n");
    let mode = fs::metadata(shop.run_dir().expect("a run")).expect("a folder");
    assert_eq!(mode.permissions().mode() & 0o777, 0o700);
    shop.go();
    let ended = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
}

#[test]
fn a_job_whose_files_are_damaged_or_gone_is_watched_and_not_started_again() {
    type Damage = fn(&PathBuf, &PathBuf);
    let damages: [(&str, Damage); 4] = [
        ("both gone", |state, record| {
            fs::remove_file(state).expect("a state");
            fs::remove_file(record).expect("a record");
        }),
        ("record empty", |_, record| {
            fs::write(record, "").expect("writable")
        }),
        ("record truncated", |_, record| {
            let text = fs::read(record).expect("a record");
            fs::write(record, &text[..60]).expect("writable");
        }),
        ("state garbage", |state, _| {
            fs::write(state, "{\"x").expect("writable")
        }),
    ];
    for (name, damage) in damages {
        let shop = Shop::new();
        let run = shop.begun();
        let attempt = shop.run_dir().expect("a run").join("one");
        let state = attempt.join("monitor_state.json");
        wait_until("the state is kept", || state.exists());
        shop.kill(run);
        damage(&state, &attempt.join("monitor_state.json.job"));
        let resumed = shop.spawn(&["resume"]);
        let events = attempt.join("process_events.ndjson");
        wait_until("the job is watched again", || {
            let events = fs::read_to_string(&events).unwrap_or_default();
            events.contains(r#""attached""#)
        });
        shop.go();
        let ended = Ran::from(resumed.wait_with_output().expect("it ends"));
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.text);
        assert_eq!(shop.starts(), "one\ntwo\n", "{name}");
    }
}

#[test]
fn a_plan_that_forgets_a_running_job_is_refused() {
    let shop = Shop::new();
    let run = shop.begun();
    shop.kill(run);
    let plan = shop.sandbox.read("plan.yaml");
    let renamed = plan
        .replace("name: one", "name: uno")
        .replace("needs: [one]", "needs: [uno]");
    shop.sandbox.write("plan.yaml", &renamed);
    let refused = shop.output(&["run", "plan.yaml", "--accept-changed-plan"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    let pid = shop.job_pid().to_string();
    assert!(text(&refused).contains(&pid), "{}", text(&refused));
    assert_eq!(shop.starts(), "one\n");
    shop.go();
    shop.sandbox.write("plan.yaml", &plan);
    let resumed = Ran::from(shop.output(&["run", "plan.yaml"]));
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
}

#[test]
fn a_plan_without_a_phase_whose_job_runs_is_refused() {
    let shop = Shop::new();
    let run = shop.begun();
    shop.kill(run);
    let plan = shop.sandbox.read("plan.yaml");
    let (head, rest) = plan.split_at(plan.find("  - name: one").expect("a phase"));
    let (_, two) = rest.split_at(rest.find("  - name: two").expect("a phase"));
    let removed = format!("{head}{}", two.replace("    needs: [one]\n", ""));
    shop.sandbox.write("plan.yaml", &removed);
    let refused = shop.output(&["run", "plan.yaml", "--accept-changed-plan"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    let said = text(&refused);
    assert!(said.contains(&shop.job_pid().to_string()), "{said}");
    assert_eq!(shop.starts(), "one\n");
    shop.go();
}

#[test]
fn a_job_whose_watch_is_lost_is_not_judged_and_what_needs_it_is_not_started() {
    for on_fail in ["warn", "continue"] {
        let shop = Shop::new();
        shop.plan(&format!("    on_fail: {on_fail}\n"));
        // The first bf-monitor is killed once its job runs, and every later one at once.
        let tools = shop.tools(&[(
            "bf-monitor",
            "case \"$*\" in *--role*) exec REAL/bf-monitor \"$@\";; esac
             if mkdir first; then REAL/bf-monitor \"$@\" & watch=$!
               until [ -e pid ]; do sleep 0.02; done; kill -9 $watch; fi
             kill -9 $$\n",
        )]);
        let lost = shop.call_with(&tools, &["run", "plan.yaml"]).output();
        let lost = Ran::from(lost.expect("it runs"));
        assert_eq!(lost.code, Some(3), "{on_fail}: {}", lost.text);
        assert_eq!(lost.statuses(), ["interrupted", "not_started"]);
        assert!(lost.report["phases"][0]["validation"].is_null());
        shop.go();
        let resumed = Ran::from(shop.output(&["resume"]));
        assert_eq!(resumed.code, Some(0), "{on_fail}: {}", resumed.text);
        assert_eq!(shop.starts(), "one\ntwo\n");
    }
}

/// Runs on in a session of its own when the job has ended, until there is a file `go`.
const SURVIVOR: &str = "setsid sh -c 'until [ -e go ]; do sleep 0.02; done' &\n";

#[test]
fn nothing_is_run_again_while_something_of_the_attempt_before_lives() {
    let shop = Shop::new();
    shop.configure("hang: {quiet: 1s}\n");
    shop.job(&format!("{SURVIVOR}exit 1\n"), "");
    shop.plan("    retries: {limit: 2}\n");
    let ran = Ran::from(shop.output(&["run", "plan.yaml"]));
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert_eq!(shop.starts(), "one\n");
    // Its table stays locked, and a resumed run does not start it either.
    let other = shop.output(&["run", "plan.yaml", "--runs", "others"]);
    assert!(text(&other).contains("is locked"), "{}", text(&other));
    let resumed = Ran::from(shop.output(&["resume"]));
    assert_eq!(resumed.code, Some(3), "{}", resumed.text);
    assert_eq!(shop.starts(), "one\n");
    shop.go();
}

#[test]
fn the_program_of_a_shell_that_was_killed_is_waited_for_and_not_started_beside() {
    let shop = Shop::new();
    shop.configure("hang: {quiet: 1s}\n");
    shop.job(
        "",
        "sh -c 'until [ -e go ]; do sleep 0.02; done' & echo $$ > pid; wait\n",
    );
    shop.plan("    retries: {limit: 2}\n");
    let run = shop.begun();
    send(shop.job_pid(), Signal::KILL);
    let ran = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert_eq!(shop.starts(), "one\n");
    assert!(ran.text.contains("still runs"), "{}", ran.text);
    shop.go();
}

#[test]
fn a_resumed_run_judges_a_gate_again_before_it_starts_what_depends_on_it() {
    let shop = Shop::new();
    // bf-monitor of the second phase does not get to its job.
    let tools = shop.tools(&[(
        "bf-monitor",
        "case \"$*\" in *' two') touch held; exec sleep 600;; esac\nexec REAL/bf-monitor \"$@\"\n",
    )]);
    shop.go();
    let run = spawn(shop.call_with(&tools, &["run", "plan.yaml"]));
    wait_until("the second phase is about to start", || {
        shop.sandbox.join("held").exists()
    });
    shop.kill(run);
    assert!(
        shop.journal()
            .contains(r#""step":"gate_closed","phase":"one","status":"passed""#)
    );
    shop.table()
        .execute("DELETE FROM orders", [])
        .expect("valid SQL");
    let resumed = Ran::from(shop.output(&["resume"]));
    assert_eq!(resumed.code, Some(1), "{}", resumed.text);
    assert_eq!(resumed.statuses(), ["failed", "not_started"]);
    assert_eq!(shop.starts(), "one\n");
}

#[test]
fn two_runs_never_write_one_log_whatever_it_is_called() {
    let shop = Shop::new();
    fs::create_dir(shop.sandbox.join("logs")).expect("a folder");
    symlink("logs", shop.sandbox.join("link")).expect("a link");
    shop.plan("    log: logs/shared.log\n");
    let run = shop.begun();
    for log in [
        "logs/shared.log",
        "logs/../logs/shared.log",
        "link/shared.log",
    ] {
        let plan = format!(
            "name: other\nrange: {{start: 2024-01-01, end: 2024-01-03}}\nphases:\n  - name: three\n    \
             validate: [{{suite: orders3.yaml}}]\n    log: {log}\n    job: {{command: [./job.sh, three]}}\n"
        );
        shop.sandbox.write("other.yaml", &plan);
        let other = shop.output(&["run", "other.yaml"]);
        assert_eq!(other.status.code(), Some(2), "{log}: {}", text(&other));
        assert!(
            text(&other).contains("is written by another job"),
            "{}",
            text(&other)
        );
    }
    shop.go();
    let ended = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(shop.starts(), "one\ntwo\n");
}

#[test]
fn a_table_is_locked_for_another_environment_too_and_however_it_is_written() {
    let shop = Shop::new();
    let run = shop.begun();
    let plan = shop
        .sandbox
        .read("plan.yaml")
        .replace("shop.orders\n", "shop.ORDERS\n");
    shop.sandbox.write("plan.yaml", &plan);
    let suite = shop
        .sandbox
        .read("orders.yaml")
        .replace("shop.orders", "shop.ORDERS");
    shop.sandbox.write("orders.yaml", &suite);
    let mut call = shop.call(&["run", "plan.yaml", "--runs", "others"]);
    let home = shop.sandbox.join("home");
    call.env("XDG_STATE_HOME", &home).env("HOME", &home);
    let other = call.output().expect("it runs");
    assert_eq!(other.status.code(), Some(2), "{}", text(&other));
    assert!(text(&other).contains("is locked"), "{}", text(&other));
    assert_eq!(shop.starts(), "one\n");
    shop.go();
    run.wait_with_output().expect("it ends");
}

#[test]
fn of_two_reports_of_a_validator_the_worst_counts() {
    let shop = Shop::new();
    shop.go();
    // It judges the table twice: an empty one first, and then as it is.
    let tools = shop.tools(&[(
        "bf-validate",
        "case \"$*\" in *--explain*) exec REAL/bf-validate \"$@\";; esac
         mkdir -p empty; cp nothing.db empty/shop.db
         other() { for word; do shift; [ $word = sqlite:warehouse ] && word=sqlite:empty; set -- \"$@\" $word; done
           REAL/bf-validate \"$@\"; }
         other \"$@\"; REAL/bf-validate \"$@\"; exit 0\n",
    )]);
    fs::copy(
        shop.sandbox.join("warehouse/shop.db"),
        shop.sandbox.join("nothing.db"),
    )
    .expect("a copy");
    let nothing = rusqlite::Connection::open(shop.sandbox.join("nothing.db")).expect("a database");
    nothing
        .execute("DELETE FROM orders", [])
        .expect("valid SQL");
    let ran = shop
        .call_with(&tools, &["run", "plan.yaml"])
        .output()
        .expect("it runs");
    let ran = Ran::from(ran);
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert_eq!(ran.phase(0)["validation"]["verdict"], "fail");
    assert_eq!(shop.starts(), "one\n");
}

#[test]
fn a_suite_that_changed_under_an_unfinished_run_needs_a_yes() {
    let shop = Shop::new();
    let run = shop.begun();
    shop.kill(run);
    let suite = shop
        .sandbox
        .read("orders.yaml")
        .replace("at_least: 3", "at_least: 2");
    shop.sandbox.write("orders.yaml", &suite);
    shop.go();
    for args in [&["resume"][..], &["run", "plan.yaml"]] {
        let refused = shop.output(args);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
        let said = text(&refused);
        assert!(
            said.contains("orders.yaml") && said.contains("--accept-changed-config"),
            "{said}"
        );
    }
    let resumed = Ran::from(shop.output(&["resume", "--accept-changed-config"]));
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    assert_eq!(shop.starts(), "one\ntwo\n");
}

#[test]
fn a_second_ctrl_c_ends_a_run_at_once() {
    let shop = Shop::new();
    // This validator holds up the first one.
    let tools = shop.tools(&[(
        "bf-validate",
        "case \"$*\" in *--explain*) exec REAL/bf-validate \"$@\";; esac
         echo $$ > validator; trap '' TERM; exec sleep 600\n",
    )]);
    shop.go();
    let run = spawn(shop.call_with(&tools, &["run", "plan.yaml"]));
    wait_until("the table is validated", || {
        shop.sandbox.join("validator").exists()
    });
    send(run.id(), Signal::INT);
    wait_until("the first one was heard", || {
        let status = fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap_or_default();
        status
            .lines()
            .any(|line| line.starts_with("ShdPnd:") && line.ends_with("0000000000000000"))
    });
    send(run.id(), Signal::INT);
    let ended = run.wait_with_output().expect("it ends");
    assert_eq!(ended.status.signal(), Some(2), "{}", text(&ended));
    send(
        shop.sandbox
            .read("validator")
            .trim()
            .parse()
            .expect("a pid"),
        Signal::KILL,
    );
}

#[test]
fn a_run_whose_terminal_was_closed_goes_on_to_its_end() {
    let shop = Shop::new();
    let command = "trap '' HUP; bf-orchestrate run plan.yaml; echo $? > code.tmp; mv code.tmp code";
    let mut terminal = Command::new("script");
    terminal.args(["-qec", command, "/dev/null"]);
    let path = std::env::var("PATH").unwrap_or_default();
    terminal
        .env("PATH", format!("{}:{path}", bin_dir().display()))
        .env("SHELL", "/bin/sh")
        .current_dir(shop.sandbox.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let Ok(mut terminal) = terminal.spawn() else {
        return skip("there is no program script");
    };
    shop.wait_for_job();
    terminal.kill().expect("it lives");
    terminal.wait().expect("it is gone");
    shop.go();
    wait_until("the run has ended", || shop.sandbox.join("code").exists());
    assert_eq!(shop.sandbox.read("code"), "0\n");
    assert_eq!(shop.starts(), "one\ntwo\n");
    assert!(shop.journal().contains(r#""verdict":"pass""#));
}
