//! What a screen reader is told of a page: Chromium's accessibility tree, read over the DevTools protocol.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::Sandbox;

/// A browser that is spoken to over two pipes.
struct Browser {
    child: Child,
    requests: File,
    answers: BufReader<File>,
    number: u64,
    is_loaded: bool,
}

impl Browser {
    fn start(browser: &Path, sandbox: &Sandbox) -> Self {
        let made = Command::new("mkfifo")
            .current_dir(sandbox.path())
            .args(["requests", "answers"])
            .status();
        assert!(made.expect("mkfifo runs").success());
        let child = Command::new("sh")
            .current_dir(sandbox.path())
            // A browser that hangs must not hang the test.
            .args([
                "-c",
                "exec timeout -k 5 120 \"$0\" \"$@\" 3< requests 4> answers",
            ])
            .arg(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args([
                "--remote-debugging-pipe",
                "--user-data-dir=profile",
                "about:blank",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let requests = File::options().write(true).open(sandbox.join("requests"));
        let answers = File::open(sandbox.join("answers"));
        Self {
            child,
            requests: requests.expect("a pipe"),
            answers: BufReader::new(answers.expect("a pipe")),
            number: 0,
            is_loaded: false,
        }
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        let length = self.answers.read_until(0, &mut message).expect("a message");
        assert!(length > 0, "the browser has ended");
        let message: Value = serde_json::from_slice(&message[..length - 1]).expect("JSON");
        self.is_loaded |= message["method"] == "Page.loadEventFired";
        message
    }

    fn call(&mut self, session: &Value, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut request = json!({"id": self.number, "method": method, "params": params});
        if !session.is_null() {
            request["sessionId"] = session.clone();
        }
        write!(self.requests, "{request}\0").expect("a pipe");
        loop {
            let mut message = self.read();
            if message["id"] == self.number {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = write!(
            self.requests,
            "{}\0",
            json!({"id": 0, "method": "Browser.close"})
        );
        let _ = self.child.wait();
    }
}

/// The role and the name of every node of a page's accessibility tree, as a text each.
pub fn accessible_names(browser: &Path, sandbox: &Sandbox, page: &str) -> Vec<String> {
    let mut browser = Browser::start(browser, sandbox);
    let target = browser.call(
        &Value::Null,
        "Target.createTarget",
        json!({"url": "about:blank"}),
    );
    let session = browser.call(
        &Value::Null,
        "Target.attachToTarget",
        json!({"targetId": target["targetId"], "flatten": true}),
    );
    let session = &session["sessionId"];
    for domain in ["Page.enable", "Accessibility.enable"] {
        browser.call(session, domain, json!({}));
    }
    let no_scripts = json!({"value": true});
    browser.call(session, "Emulation.setScriptExecutionDisabled", no_scripts);
    let url = format!("file://{}", sandbox.join(page).display());
    browser.call(session, "Page.navigate", json!({"url": url}));
    while !browser.is_loaded {
        browser.read();
    }
    let tree = browser.call(session, "Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().expect("nodes");
    let of = |node: &Value, key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
    nodes
        .iter()
        .filter(|node| node["ignored"] == false)
        .map(|node| format!("{} {}", of(node, "role"), of(node, "name")))
        .collect()
}
