//! bf-notify against real servers, real programs and real signals.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{Sandbox, documents, wait_until};

const FINISHED: &str = r#"{"type": "notification", "schema": 1, "event": "run_finished",
    "time": "2026-01-03T13:45:12Z", "run_id": "r1", "run_dir": null, "phase": null, "verdict": "fail",
    "title": "r1 failed", "text": "minutes_played: 97.0% < 99.0%\nrepeat 2024-01-07", "run_report": null}"#;

/// A config in a folder of its own, and bf-notify started with it.
struct Bench {
    sandbox: Sandbox,
    env: Vec<(&'static str, String)>,
}

impl Bench {
    fn new(channels: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("c.yaml", &format!("notify:\n{channels}\n"));
        let env = Vec::new();
        Self { sandbox, env }
    }

    fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = self.sandbox.command("bf-notify");
        command
            .args(["--config", "c.yaml", "--format", "json"])
            .args(flags)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, flags: &[&str], input: &str) -> Child {
        let mut child = self.command(flags).spawn().expect("bf-notify starts");
        // --test and --check do not read.
        let mut stdin = child.stdin.take().expect("a pipe");
        let _ = stdin.write_all(input.as_bytes());
        child
    }

    fn run(&self, flags: &[&str], input: &str) -> Told {
        Told::of(self.start(flags, input))
    }
}

/// What bf-notify said, and how it ended.
struct Told {
    code: Option<i32>,
    lines: String,
    documents: Vec<Value>,
}

impl Told {
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("bf-notify ends");
        Self {
            code: output.status.code(),
            lines: String::from_utf8(output.stderr).expect("text"),
            documents: documents(&output.stdout),
        }
    }

    fn has(&self, line: &str) -> &Self {
        let said = self.lines.lines().any(|said| said == line);
        assert!(said, "{}", self.lines);
        self
    }

    fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.lines);
        self
    }
}

async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(template)
        .mount(&server)
        .await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("requests are kept")
}

/// The line in the file that a program of a channel writes when it has come so far.
fn wait_for(path: &Path) -> String {
    let mut text = String::new();
    wait_until(&format!("{} is written", path.display()), || {
        text = std::fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    });
    text
}

fn term(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::TERM).expect("bf-notify is there");
}

#[tokio::test]
async fn each_form_of_webhook_gets_what_it_understands() {
    let server = MockServer::start().await;
    for (at, token) in [("/slack", None), ("/json", Some("Bearer t0ken"))] {
        let mut mock = Mock::given(method("POST"))
            .and(path(at))
            .and(header("content-type", "application/json"));
        if let Some(token) = token {
            mock = mock.and(header("authorization", token));
        }
        mock.respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
    }
    let bench = Bench::new(
        "- {name: slack, webhook: {url_env: SLACK, form: slack}}\n\
         - {name: json, webhook: {url_env: JSON, form: json, headers_env: {Authorization: TOKEN}}}",
    )
    .env("SLACK", format!("{}/slack", server.uri()))
    .env("JSON", format!("{}/json", server.uri()))
    .env("TOKEN", "Bearer t0ken");
    let told = bench.run(&[], FINISHED);
    told.ends(0)
        .has("bf-notify: channel slack: delivered")
        .has("bf-notify: channel json: delivered");
    for request in requests(&server).await {
        let body: Value = request.body_json().expect("JSON");
        if request.url.path() == "/json" {
            assert_eq!(body, serde_json::from_str::<Value>(FINISHED).expect("JSON"));
        } else {
            assert_eq!(body["text"], "r1 failed");
            assert_eq!(body["blocks"][0]["text"]["text"], "*r1 failed*");
            let text = body["blocks"][1]["text"]["text"].as_str().expect("a text");
            assert!(text.starts_with("```minutes_played: 97.0% &lt; 99.0%\nrepeat"));
        }
    }
}

#[tokio::test]
async fn a_server_that_fails_twice_is_asked_a_third_time() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503).insert_header("retry-after", "0"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(500))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let bench = Bench::new("- webhook: {url_env: HOOK, form: json}").env("HOOK", server.uri());
    let told = bench.run(&[], FINISHED);
    told.ends(0)
        .has("bf-notify: channel webhook: delivered after 3 attempts");
    assert_eq!(told.documents[0]["type"], "delivery");
    assert_eq!(told.documents[0]["status"], "delivered");
    assert_eq!(told.documents[0]["attempts"], 3);
}

#[tokio::test]
async fn a_refusal_is_not_repeated_and_its_word_is_shown() {
    let gone = answering(ResponseTemplate::new(404).set_body_string("no_service")).await;
    let moved =
        answering(ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:9/"))
            .await;
    let bench = Bench::new(
        "- {name: gone, webhook: {url_env: GONE, form: slack}}\n\
         - {name: moved, webhook: {url_env: MOVED, form: slack}}",
    )
    .env("GONE", gone.uri())
    .env("MOVED", moved.uri());
    bench
        .run(&[], FINISHED)
        .ends(3)
        .has("bf-notify: channel gone: gave up after 1 attempt: HTTP 404: no_service")
        .has(
            "bf-notify: channel moved: gave up after 1 attempt: HTTP 302: it redirects; \
             give the address that it redirects to",
        );
    assert_eq!(requests(&gone).await.len(), 1);
}

#[tokio::test]
async fn a_server_that_goes_on_failing_is_given_up() {
    let server = answering(ResponseTemplate::new(500).insert_header("retry-after", "0")).await;
    let later = answering(ResponseTemplate::new(429).insert_header("retry-after", "3600")).await;
    let bench = Bench::new(
        "- {webhook: {url_env: HOOK, form: json}}\n\
         - {name: later, webhook: {url_env: LATER, form: json}}",
    )
    .env("HOOK", server.uri())
    .env("LATER", later.uri());
    let told = bench.run(&[], FINISHED);
    told.ends(3)
        .has("bf-notify: channel webhook: gave up after 6 attempts: HTTP 500")
        .has(
            "bf-notify: channel later: gave up after 1 attempt: HTTP 429; \
             no time left of the deadline of 2m 0s",
        );
    assert_eq!(requests(&server).await.len(), 6);
}

#[tokio::test]
async fn a_webhook_that_hangs_holds_up_nobody_for_longer_than_its_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = answering(ResponseTemplate::new(200)).await;
    let bench = Bench::new(
        "- {name: silent, webhook: {url_env: SILENT, form: json}, timeout: 0.2, retries: 1}\n\
         - {name: quick, webhook: {url_env: QUICK, form: json}}",
    )
    .env(
        "SILENT",
        format!("http://{}", silent.local_addr().expect("a port")),
    )
    .env("QUICK", server.uri());
    let told = bench.run(&[], FINISHED);
    told.ends(3)
        .has("bf-notify: channel quick: delivered")
        .has("bf-notify: channel silent: gave up after 2 attempts: no answer within 0.2s");
    assert_eq!(told.documents[0]["channel"], "quick", "{}", told.lines);
}

#[tokio::test]
async fn pings_say_how_the_run_stands_and_are_not_believed_when_nobody_took_them() {
    let server = MockServer::start().await;
    for (at, body) in [("/check/start", "OK"), ("/check/fail", "OK (not found)")] {
        Mock::given(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .expect(1)
            .mount(&server)
            .await;
    }
    let bench = Bench::new("- healthchecks: {url_env: PING}")
        .env("PING", format!("{}/check", server.uri()));
    let started = FINISHED
        .replace("run_finished", "run_started")
        .replace("\"fail\"", "null");
    bench.run(&[], &started).ends(0);
    bench.run(&[], FINISHED).ends(3).has(
        "bf-notify: channel healthchecks: gave up after 1 attempt: the server has no such check",
    );
    let body = String::from_utf8(requests(&server).await[1].body.clone()).expect("text");
    assert!(body.starts_with("r1 failed\n\nminutes_played"), "{body}");
}

#[test]
fn a_program_gets_the_document_on_its_input_and_its_complaint_is_shown() {
    let bench = Bench::new(
        "- {name: good, command: [sh, -c, \"cat > got.json\"]}\n\
         - {name: bad, command: [sh, -c, \"echo one >&2; echo no such user >&2; exit 67\"], retries: 0}\n\
         - {name: missing, command: [no-such-program]}\n\
         - {name: killed, command: [sh, -c, \"kill -9 $$\"], retries: 0}\n\
         - {name: deaf, command: [\"true\"]}",
    );
    let told = bench.run(&[], FINISHED);
    told.ends(3)
        .has("bf-notify: channel good: delivered")
        .has("bf-notify: channel deaf: delivered")
        .has("bf-notify: channel bad: gave up after 1 attempt: exit code 67: no such user")
        .has("bf-notify: channel killed: gave up after 1 attempt: killed by signal 9")
        .has(
            "bf-notify: channel missing: gave up after 1 attempt: \
             starting no-such-program: No such file or directory",
        );
    let got = std::fs::read_to_string(bench.sandbox.join("got.json")).expect("the document");
    assert_eq!(got.lines().count(), 1);
    assert_eq!(
        serde_json::from_str::<Value>(&got).expect("JSON"),
        serde_json::from_str::<Value>(FINISHED).expect("JSON")
    );
}

#[test]
fn a_program_that_takes_text_needs_no_script() {
    let bench = Bench::new(
        "- name: mail\n  stdin: text\n  command: [sh, -c, 'printf %s \"$1\" > title; cat > text', -, \"bf: {title}\"]",
    );
    bench.run(&[], FINISHED).ends(0);
    let read = |name: &str| std::fs::read_to_string(bench.sandbox.join(name)).expect("a file");
    assert_eq!(read("title"), "bf: r1 failed");
    assert_eq!(
        read("text"),
        "minutes_played: 97.0% < 99.0%\nrepeat 2024-01-07\n"
    );
}

/// Answers as the Pinging API of Healthchecks.io does: `/UUID` or `/KEY/SLUG`, then nothing, `/start`, `/fail`, `/log` or
/// an exit code; a `rid` must be a UUID.
fn pinging_api(request: &Request) -> ResponseTemplate {
    let is_uuid = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        lengths == [8, 4, 4, 4, 12]
            && parts
                .concat()
                .chars()
                .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    };
    let parts: Vec<&str> = request
        .url
        .path()
        .trim_start_matches('/')
        .split('/')
        .collect();
    let signal = match parts.as_slice() {
        [uuid, signal @ ..] if is_uuid(uuid) => signal,
        [_key, _slug, signal @ ..] => signal,
        _ => return ResponseTemplate::new(400).set_body_string("invalid url format"),
    };
    let is_signal = match signal {
        [] => true,
        [signal] => ["start", "fail", "log"].contains(signal) || signal.parse::<u8>().is_ok(),
        _ => false,
    };
    let queries: Vec<_> = request.url.query_pairs().collect();
    let has_bad_rid = queries
        .iter()
        .any(|(name, value)| name == "rid" && !is_uuid(value));
    if !is_signal || has_bad_rid {
        return ResponseTemplate::new(400).set_body_string("invalid url format");
    }
    ResponseTemplate::new(200).set_body_string("OK")
}

#[tokio::test]
async fn the_pings_of_a_run_are_of_the_documented_form_and_have_its_uuid() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(pinging_api)
        .mount(&server)
        .await;
    let run = "728b3763-ea80-4113-9fc0-f49b3adf226a";
    let of = |event: &str, verdict: &str| {
        FINISHED
            .replace("run_finished", event)
            .replace("\"fail\"", verdict)
            .replace(
                "\"r1\"",
                &format!("\"20260103T134512Z-4711\", \"run_uuid\": \"{run}\""),
            )
    };
    let uuid = "/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";
    for (check, more) in [(uuid, ""), ("/k3y/nightly", "?create=1")] {
        let bench = Bench::new("- {healthchecks: {url_env: PING}, retries: 0}")
            .env("PING", format!("{}{check}{more}", server.uri()));
        for (event, verdict, signal) in [
            ("run_started", "null", "/start"),
            ("phase_ended", "\"pass\"", "/log"),
            ("run_finished", "\"pass\"", ""),
            ("run_finished", "\"fail\"", "/fail"),
        ] {
            bench.run(&[], &of(event, verdict)).ends(0);
            let requests = requests(&server).await;
            let url = &requests.last().expect("a ping").url;
            assert_eq!(url.path(), format!("{check}{signal}"));
            let rid = url.query_pairs().find(|(name, _)| name == "rid");
            assert_eq!(rid.expect("a run").1, run);
        }
    }
}

#[test]
fn a_missing_variable_is_named_and_the_other_channels_are_told() {
    let bench = Bench::new(
        "- {name: slack, webhook: {url_env: SLACK_WEBHOOK_URL, form: slack}}\n\
         - {name: other, command: [\"true\"]}",
    );
    bench
        .run(&[], FINISHED)
        .ends(3)
        .has("bf-notify: channel other: delivered")
        .has(
            "bf-notify: channel slack: not sent: \
             the environment variable SLACK_WEBHOOK_URL is not set, or empty",
        );
}

#[test]
fn an_event_that_no_channel_wants_is_no_failure() {
    let bench =
        Bench::new("- {command: [\"false\"], events: [hung]}\n- {name: b, command: [\"false\"]}");
    let quiet = FINISHED.replace("run_finished", "quiet");
    bench
        .run(&[], &quiet)
        .ends(0)
        .has("bf-notify: no channel wants quiet");
    Bench::new("").run(&[], FINISHED).ends(0);
}

#[test]
fn nothing_to_tell_is_told_and_could_not_be_checked() {
    let bench = Bench::new("- command: [\"true\"]");
    for input in [
        "",
        "12 of 16 done",
        r#"{"type": "weather", "schema": 1}"#,
        r#"{"type": "notification", "schema": 1}"#,
        &FINISHED[..40],
    ] {
        let told = bench.run(&[], input);
        told.ends(3).has("bf-notify: channel command: delivered");
        assert_eq!(told.documents[0]["event"], "could_not_check", "{input}");
    }
    Bench::new("- {name: nobody}").run(&[], FINISHED).ends(2);
}

#[tokio::test]
async fn a_test_reaches_every_channel_whatever_events_it_wants() {
    let server = answering(ResponseTemplate::new(200).set_body_string("OK")).await;
    let bench =
        Bench::new("- {healthchecks: {url_env: PING}, events: []}\n- {command: [\"false\"]}")
            .env("PING", format!("{}/check", server.uri()));
    bench
        .run(&["--test"], "")
        .ends(3)
        .has("bf-notify: channel healthchecks: delivered")
        .has("bf-notify: channel command: gave up after 1 attempt: exit code 1");
    // A test must not make a check wait for the end of a run.
    assert_eq!(requests(&server).await[0].url.path(), "/check/log");
    Bench::new("").run(&["--test"], "").ends(2);
}

#[tokio::test]
async fn a_check_connects_and_sends_nothing() {
    let server = answering(ResponseTemplate::new(200)).await;
    let closed = {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port");
        port.local_addr().expect("a port")
    };
    let bench = Bench::new(
        "- {name: open, webhook: {url_env: OPEN, form: json}}\n\
         - {name: closed, webhook: {url_env: CLOSED, form: json}}\n\
         - {name: proxied, healthchecks: {url: \"http://s3cret.invalid/\"}}\n\
         - {name: unset, healthchecks: {url_env: UNSET}}\n\
         - {name: here, command: [sh, -c, exit 1]}\n\
         - {name: gone, command: [./gone]}",
    )
    .env("OPEN", server.uri())
    .env("CLOSED", format!("http://{closed}"))
    .env("NO_PROXY", "127.0.0.1")
    .env("http_proxy", server.uri());
    let told = bench.run(&["--check"], "");
    told.ends(3)
        .has("bf-notify: channel open: reachable")
        .has("bf-notify: channel closed: not reachable: its host refuses connections")
        .has("bf-notify: channel proxied: reachable")
        .has("bf-notify: channel here: reachable")
        .has("bf-notify: channel gone: not reachable: the program ./gone is not found");
    assert!(told.lines.contains("UNSET is not set"), "{}", told.lines);
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used() {
    let proxy = answering(ResponseTemplate::new(200)).await;
    let bench =
        Bench::new("- {webhook: {url: \"http://hooks.invalid/x\", form: json}, retries: 0}")
            .env("HTTP_PROXY", proxy.uri());
    bench.run(&[], FINISHED).ends(0);
    assert_eq!(requests(&proxy).await.len(), 1);
}

/// The command lines of bf-notify and of every process that it has started.
fn command_lines(parent: u32) -> String {
    let of = |pid: u32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(children).unwrap_or_default();
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .chain([parent])
        .map(|pid| String::from_utf8_lossy(&of(pid)).replace('\0', " "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_secret_is_found_nowhere() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent.local_addr().expect("a port");
    let literal = "http://s3cret-host.invalid/s3cret-path?s3cret=query";
    let bench = Bench::new(&format!(
        "- {{name: unknown, webhook: {{url: \"{literal}\", form: json}}, retries: 0}}\n\
         - {{name: refused, webhook: {{url_env: HOOK, form: slack, headers_env: {{X-Token: TOKEN}}}}, \
             retries: 0, timeout: 0.2}}\n\
         - {{name: nonsense, healthchecks: {{url_env: NONSENSE}}}}\n\
         - {{name: chatty, command: [sh, -c, 'echo $HOOK $TOKEN $NONSENSE >&2; exit 1'], retries: 0}}\n\
         - {{name: slow, command: [sh, -c, 'echo > ready; exec cat fifo'], timeout: 1h}}",
    ))
    .env("HOOK", format!("http://{silent}/s3cret-path"))
    .env("TOKEN", "s3cret-token")
    .env("NONSENSE", "s3cret-nonsense");
    let fifo = bench.sandbox.join("fifo");
    let made = Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let child = bench.start(&[], FINISHED);
    wait_for(&bench.sandbox.join("ready"));
    let lines = command_lines(child.id());
    assert!(lines.contains("bf-notify"), "{lines}");
    assert!(lines.contains("fifo"), "{lines}");
    assert!(!lines.contains("s3cret"), "{lines}");
    drop(
        std::fs::OpenOptions::new()
            .write(true)
            .open(&fifo)
            .expect("a reader"),
    );
    let told = Told::of(child);
    told.ends(3).has("bf-notify: channel slow: delivered");
    assert_eq!(told.documents.len(), 5, "{}", told.lines);
    let documents = format!("{:?}", told.documents);
    for said in [&told.lines, &documents] {
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn sigterm_ends_it_and_the_program_that_it_runs() {
    let bench = Bench::new(
        "- {name: done, command: [\"true\"]}\n\
         - {name: slow, command: [sh, -c, 'sleep 1000 & echo $! > pid; wait'], timeout: 1h, deadline: 1h}",
    );
    let child = bench.start(&[], FINISHED);
    let sleeper = wait_for(&bench.sandbox.join("pid"));
    term(&child);
    let told = Told::of(child);
    told.ends(143)
        .has("bf-notify: channel slow: gave up: SIGTERM arrived first");
    // Killed with bf-notify: it is gone, or a zombie that its new parent has not buried yet.
    let stat = format!("/proc/{}/stat", sleeper.trim());
    wait_until("the program has ended", || {
        !std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "))
    });
}

#[test]
fn sigterm_ends_it_while_it_waits_for_its_input() {
    let bench = Bench::new("- command: [\"true\"]");
    let mut command = bench.command(&[]);
    command.process_group(0);
    let mut child = command.spawn().expect("bf-notify starts");
    let input = child.stdin.take();
    // Its handlers stand when a thread of it waits for signals beside the one that reads.
    let tasks = format!("/proc/{}/task", child.id());
    wait_until("its threads are there", || {
        std::fs::read_dir(&tasks).is_ok_and(|tasks| tasks.count() >= 3)
    });
    term(&child);
    Told::of(child).ends(143);
    drop(input);
}
