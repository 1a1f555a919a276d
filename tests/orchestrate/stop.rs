//! `bf-orchestrate stop`: ends the jobs of a run, and the run as interrupted.

use super::rig::Ran;
use super::shop::{Shop, text};
use crate::support::wait_until;

/// Starts a worker in a session of its own that runs until it is signalled.
const WORKER: &str = "setsid sh -c 'echo $$ > worker; exec sleep 600' &\n";

impl Shop {
    fn worker_pid(&self) -> u32 {
        let mut pid = None;
        wait_until("the worker runs", || {
            let text = std::fs::read_to_string(self.sandbox.join("worker")).unwrap_or_default();
            pid = text.trim().parse().ok();
            pid.is_some()
        });
        pid.expect("a pid")
    }
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_stopped_run_is_interrupted_and_nothing_of_its_job_lives_and_resume_runs_it_again() {
    let shop = Shop::new();
    shop.job(WORKER, "");
    let run = shop.begun();
    let worker = shop.worker_pid();
    let stopped = shop.output(&["stop"]);
    // When it returns, nothing lives, and nothing is started any more.
    assert!(!is_alive(shop.job_pid()) && !is_alive(worker));
    let said = text(&stopped);
    assert_eq!(stopped.status.code(), Some(0), "{said}");
    for words in [&shop.job_pid().to_string(), "was ended with SIGTERM"] {
        assert!(said.contains(words), "{said}");
    }
    let ended = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(143), "{}", ended.text);
    assert_eq!(ended.statuses(), ["interrupted", "not_started"]);
    assert_eq!(ended.report["reason"], "stopped by bf-orchestrate stop");
    let step = ended.report["next_steps"][0].as_str().expect("a step");
    assert!(step.contains("bf-orchestrate resume"), "{step}");
    assert_eq!(shop.starts(), "one\n");

    shop.job("", "");
    shop.go();
    let resumed = Ran::from(shop.output(&["resume"]));
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    assert_eq!(shop.starts(), "one\none\ntwo\n");
}

#[test]
fn the_plan_of_a_stopped_run_starts_a_new_one() {
    let shop = Shop::new();
    let run = shop.begun();
    let stopped = shop.output(&["stop"]);
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped));
    run.wait_with_output().expect("it ends");
    let first = shop.run_dir();
    shop.go();
    let again = Ran::from(shop.output(&["run", "plan.yaml"]));
    assert_eq!(again.code, Some(0), "{}", again.text);
    assert_eq!(shop.starts(), "one\none\ntwo\n");
    assert_ne!(shop.run_dir(), first);
}

#[test]
fn stop_wakes_the_pause_before_a_retry_and_nothing_is_started_after_it() {
    let shop = Shop::new();
    shop.job("exit 1\n", "");
    shop.plan("    retries: {limit: 3, backoff: 1h}\n");
    let run = shop.spawn(&["run", "plan.yaml"]);
    wait_until("the first attempt was judged", || {
        shop.journal().contains(r#""step":"validated""#)
    });
    let stopped = shop.output(&["stop"]);
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped));
    let ended = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(143), "{}", ended.text);
    assert_eq!(shop.starts(), "one\n");
    assert!(shop.journal().contains(r#""cause":"stopped""#));
}

#[test]
fn a_run_whose_orchestrator_is_gone_is_stopped_and_closed_all_the_same() {
    let shop = Shop::new();
    shop.job(WORKER, "");
    let run = shop.begun();
    let worker = shop.worker_pid();
    shop.kill(run);
    let stopped = shop.output(&["stop"]);
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped));
    assert!(!is_alive(shop.job_pid()) && !is_alive(worker));
    assert!(shop.journal().contains(r#""cause":"stopped""#));
    let again = shop.output(&["stop"]);
    assert!(text(&again).contains("no running job"), "{}", text(&again));
    shop.go();
    shop.job("", "");
    let resumed = Ran::from(shop.output(&["resume"]));
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    assert_eq!(shop.starts(), "one\none\ntwo\n");
}

#[test]
fn a_job_that_ignores_sigterm_is_killed_and_its_table_stays_locked_until_then() {
    let shop = Shop::new();
    shop.job("trap 'echo TERM >> got' TERM\n", "");
    let run = shop.begun();
    let stop = shop.spawn(&["stop"]);
    wait_until("it was asked to end", || shop.sandbox.join("got").exists());
    let other = shop.output(&["run", "plan.yaml", "--runs", "others"]);
    assert_eq!(other.status.code(), Some(2), "{}", text(&other));
    assert!(text(&other).contains("is locked"), "{}", text(&other));
    assert!(is_alive(shop.job_pid()));
    let stopped = stop.wait_with_output().expect("it ends");
    assert!(text(&stopped).contains("SIGKILL"), "{}", text(&stopped));
    assert!(!is_alive(shop.job_pid()));
    let ended = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(143), "{}", ended.text);
    shop.go();
    let other = Ran::from(shop.output(&["run", "plan.yaml", "--runs", "others"]));
    assert_eq!(other.code, Some(0), "{}", other.text);
}
