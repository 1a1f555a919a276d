//! The validators against a BigQuery that refuses, hangs, or is not there.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use wiremock::matchers::{any, method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::load::EMULATOR_HOST;
use crate::support::{Sandbox, wait_until};

const TOOL: &str = "bf-validate-team-offense";
const RANGE: [&str; 2] = ["2024-11-01", "2024-11-30"];

/// A call of the validator on a project, answered at `host`.
fn validator(sandbox: &Sandbox, host: &str) -> assert_cmd::Command {
    let mut command = sandbox.tool(TOOL);
    command
        .args(RANGE)
        .args(["--warehouse", "bigquery://nba-props"])
        .env(EMULATOR_HOST, host);
    command
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn an_emulator_that_is_not_there_is_could_not_check() {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let output = validator(&sandbox, &host)
        .assert()
        .code(3)
        .get_output()
        .clone();
    let people = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(people.contains(&host), "{people}");
}

#[test]
fn a_permission_that_is_missing_is_could_not_check() {
    let sandbox = Sandbox::new();
    let runtime = runtime();
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        let refusal = json!({"error": {"code": 403, "message": "Access Denied: Table nba_props",
            "errors": [{"reason": "accessDenied", "message": "Access Denied: Table nba_props"}]}});
        let answer = ResponseTemplate::new(403).set_body_json(refusal);
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    });
    let output = validator(&sandbox, &server.address().to_string())
        .assert()
        .code(3)
        .get_output()
        .clone();
    let people = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(people.contains("Access Denied"), "{people}");
}

#[test]
fn credentials_that_are_not_there_are_could_not_check_and_named() {
    let sandbox = Sandbox::new();
    let key = sandbox.join("no-such-key.json");
    let output = sandbox
        .tool(TOOL)
        .args(RANGE)
        .args(["--warehouse", "bigquery://nba-props"])
        .env("GOOGLE_APPLICATION_CREDENTIALS", &key)
        .assert()
        .code(3)
        .get_output()
        .clone();
    let people = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(people.contains("no-such-key.json"), "{people}");
    // Another login does not cure a file that was named and is not there.
    assert!(!people.contains("gcloud auth"), "{people}");
}

#[test]
fn a_warehouse_that_is_misspelt_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for (url, named) in [
        ("bigquery://nba-props?limit=1", "limit"),
        ("bigquery://nba-props?maximum_bytes_billed=many", "many"),
        (
            "bigquery://nba-props?maximum_bytes_billed=1000",
            "maximum_bytes_billed",
        ),
        ("bigquery://nba-props?location=", "location"),
        ("bigquery://", "project"),
    ] {
        let mut command = sandbox.tool(TOOL);
        let output = command
            .args(RANGE)
            .args(["--warehouse", url])
            .env(EMULATOR_HOST, "127.0.0.1:1")
            .assert()
            .code(2)
            .get_output()
            .clone();
        let people = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(people.contains(named), "{url}: {people}");
        crate::support::failure(&output);
    }
    let output = validator(&sandbox, "http://host/path")
        .assert()
        .code(2)
        .get_output()
        .clone();
    let people = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(people.contains(EMULATOR_HOST), "{people}");
}

#[test]
fn a_signal_cancels_the_job_and_ends_the_validator() {
    let sandbox = Sandbox::new();
    let runtime = runtime();
    let job = json!({"jobReference": {"jobId": "job_1", "location": "EU"}, "jobComplete": false});
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        let fields: Vec<_> = [
            ("game_id", "STRING", "NULLABLE"),
            ("team_abbr", "STRING", "NULLABLE"),
            ("game_date", "DATE", "NULLABLE"),
            ("quality_score", "FLOAT", "NULLABLE"),
            ("quality_tier", "STRING", "NULLABLE"),
            ("quality_issues", "STRING", "REPEATED"),
            ("is_production_ready", "BOOLEAN", "NULLABLE"),
            ("points_scored", "INTEGER", "NULLABLE"),
            ("processed_at", "TIMESTAMP", "NULLABLE"),
        ]
        .map(|(name, kind, mode)| json!({"name": name, "type": kind, "mode": mode}))
        .into();
        let table = ResponseTemplate::new(200).set_body_json(json!({"schema": {"fields": fields}}));
        Mock::given(path_regex("/tables/team_offense_game_summary$"))
            .respond_with(table)
            .mount(&server)
            .await;
        let running = ResponseTemplate::new(200).set_body_json(&job);
        Mock::given(path_regex("/queries$"))
            .and(method("POST"))
            .respond_with(running.clone())
            .mount(&server)
            .await;
        // As the real server does: the question waits for the job's end.
        Mock::given(path_regex("/queries/job_1$"))
            .respond_with(running.set_delay(Duration::from_secs(600)))
            .mount(&server)
            .await;
        Mock::given(path_regex("/jobs/job_1/cancel$"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
            .mount(&server)
            .await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(404))
            .with_priority(100)
            .mount(&server)
            .await;
        server
    });
    let asked = |what: &str| {
        let requests = runtime
            .block_on(server.received_requests())
            .expect("recorded");
        requests
            .iter()
            .filter(|request| request.url.path().ends_with(what))
            .count()
    };
    let mut child = sandbox
        .command(TOOL)
        .args(RANGE)
        .args(["--warehouse", "bigquery://nba-props"])
        .env(EMULATOR_HOST, server.address().to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the validator starts");
    wait_until("the job is asked after", || asked("/queries/job_1") > 0);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    let status = child.wait().expect("the validator ends");
    assert_eq!(status.code(), Some(143));
    // Independent queries run side by side, and each of them is canceled.
    assert!(asked("/jobs/job_1/cancel") > 0);
}
