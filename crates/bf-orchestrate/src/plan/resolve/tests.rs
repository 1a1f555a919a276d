//! Plans as people write them, and what they resolve to.

use super::*;
use crate::plan::{Job, OnHang, OnTimeout, RetryOn, shell_words};

fn plan(text: &str) -> Result<Plan, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.yaml");
    std::fs::write(&path, text).expect("a plan");
    let file: PlanFile = load_yaml(&path).map_err(|failure| failure.message)?;
    resolve(&file, &Config::default(), Some("sqlite:w")).map_err(|wrong| wrong.to_string())
}

/// A plan of one phase over the first quarter of 2024.
fn phase(more: &str) -> Result<PhasePlan, String> {
    let text = format!(
        "range: {{start: 2024-01-01, end: 2024-03-31}}\nphases:\n  - name: a\n    table: d.t\n    \
         validate: [{{suite: s.yaml}}]\n{more}"
    );
    plan(&text).map(|mut plan| plan.phases.remove(0))
}

const JOB: &str = "    job: {command: [load, '{start}', '{end}']}\n";

fn refused(more: &str) -> String {
    phase(more).expect_err(more)
}

#[test]
fn each_window_gets_the_job_with_its_own_dates() {
    let phase = phase(&format!("{JOB}    windows: month\n    stop_after: 2\n")).expect("a plan");
    let windows = phase.windows.as_ref().expect("windows");
    assert_eq!((windows.stop_after, windows.concurrency), (2, 1));
    let all = windows.size.cut(phase.range);
    assert_eq!(all.len(), 3);
    let february = windows.phase(&phase, all[1]).expect("a phase");
    assert_eq!(february.range, all[1]);
    assert!(february.windows.is_none());
    let job = february.job.as_ref().and_then(Job::command).expect("a job");
    assert_eq!(shell_words(&job.command), "load 2024-02-01 2024-02-29");
    assert_eq!(
        job.log,
        PathBuf::from("logs/plan_a_2024-02-01_2024-02-29.log")
    );
}

#[test]
fn windows_that_make_no_sense_are_refused() {
    for (more, said) in [
        (
            "    job: {command: [load]}\n    windows: month\n",
            "the same command",
        ),
        ("    windows: month\n", "for a job with a command"),
        (
            &format!("{JOB}    windows: year\n"),
            "larger than its range",
        ),
        (&format!("{JOB}    windows: fortnight\n"), "is not a window"),
        (&format!("{JOB}    stop_after: 2\n"), "are for windows"),
        (
            &format!("{JOB}    windows: month\n    concurrency: 2\n    log: one.log\n"),
            "would write one log",
        ),
    ] {
        let refused = refused(more);
        assert!(refused.contains(said), "{more}: {refused}");
    }
    let in_env = "    job: {command: [load]}\n    env: {FROM: '{start}'}\n    windows: month\n";
    assert!(phase(in_env).is_ok());
}

#[test]
fn windows_run_side_by_side_where_the_plan_says_so_and_each_has_its_log() {
    let of_plan = |log: &str| {
        let text = format!(
            "concurrency: 3\nrange: {{start: 2024-01-01, end: 2024-03-31}}\nphases:\n  - name: a\n    \
             table: d.t\n    validate: [{{suite: s.yaml}}]\n    windows: month\n{JOB}{log}"
        );
        let plan = plan(&text).expect("a plan");
        plan.phases[0]
            .windows
            .as_ref()
            .map(|windows| windows.concurrency)
    };
    assert_eq!(of_plan(""), Some(3));
    assert_eq!(of_plan("    log: 'logs/{start}.log'\n"), Some(3));
    assert_eq!(of_plan("    log: logs/a.log\n"), Some(1));
}

#[test]
fn a_retry_of_dates_needs_a_command_that_takes_them() {
    let with = |retries: &str, job: &str| {
        phase(&format!(
            "    job: {{command: {job}}}\n    retries: {{{retries}}}\n"
        ))
    };
    let shell = "[sh, -c, 'load']";
    let failed_dates = with("limit: 1, on: failed_dates", shell);
    assert!(
        failed_dates
            .expect_err("a shell string")
            .contains("shell string")
    );
    assert!(with("limit: 1, on: failed_dates", "[bash, -lc, load]").is_err());
    assert!(with("limit: 1, on: failed_dates", "[load]").is_ok());
    assert!(with("limit: 1", shell).is_ok());
    let own = with("limit: 1, command: [load, '{date}']", shell).expect("a plan");
    assert_eq!(own.retries.on, RetryOn::FailedDates);
    for command in ["[load]", "[load, '{start}']", "[load, '{date}', '{dates}']"] {
        let refused = with(&format!("limit: 1, command: {command}"), shell);
        assert!(
            refused.expect_err(command).contains("in one way"),
            "{command}"
        );
    }
}

#[test]
fn what_a_plan_says_of_time_limits_is_taken_and_the_rest_has_defaults() {
    let given = phase(&format!(
        "{JOB}    on_timeout: kill\n    on_hang: kill\n    validate_timeout: 5m\n    timeout_hours: 2\n"
    ))
    .expect("a plan");
    assert_eq!(given.on_timeout, OnTimeout::Kill);
    assert_eq!(given.on_hang, OnHang::Kill);
    assert_eq!(given.validate_timeout, Seconds::new(300));
    assert_eq!(given.timeout, Seconds::new(7200));
    let silent = phase(JOB).expect("a plan");
    assert_eq!(silent.on_timeout, OnTimeout::Leave);
    assert_eq!(silent.on_hang, OnHang::Report);
    assert_eq!(silent.timeout, Seconds::new(12 * 3600));
    assert_eq!(silent.retries, Retries::default());
}

#[test]
fn a_command_as_people_write_it_by_mistake_gets_the_right_words() {
    let text = refused("    job:\n      command: load --from {start}\n");
    assert!(text.contains("[load, --from, \"{start}\"]"), "{text}");
    let text = refused("    job: {command: [load, {start}]}\n");
    assert!(text.contains("write \"{start}\""), "{text}");
    let text = refused("    job: {command: [load, 7]}\n");
    assert!(text.contains("write \"7\""), "{text}");
}
