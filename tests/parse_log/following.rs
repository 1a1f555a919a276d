//! Logs that are still being written.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use bf_contract::{Document, LogState, LogSummary, read_document};
use rustix::process::{Pid, Signal, kill_process};

use super::rig::{TOOL, code, run, small_log, stderr};
use crate::support::{Sandbox, wait_until};

/// bf-parse-log --follow in the background, its documents read line by line.
struct Follower {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Follower {
    fn start(sandbox: &Sandbox, log: &str) -> Self {
        let mut child = sandbox
            .command(TOOL)
            .args(["--follow", log])
            .stdout(Stdio::piped())
            .stderr(File::create(sandbox.join("follow.err")).expect("a file"))
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.take().expect("piped");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Reads documents until one fits.
    fn until(&mut self, fits: impl Fn(&LogSummary) -> bool) -> LogSummary {
        loop {
            let line = self
                .lines
                .next()
                .expect("another document")
                .expect("readable");
            match read_document(&line).expect("a document") {
                Document::LogSummary(summary) if fits(&summary) => return *summary,
                _ => {}
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn append(sandbox: &Sandbox, log: &str, text: &str) {
    File::options()
        .create(true)
        .append(true)
        .open(sandbox.join(log))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("written");
}

#[test]
fn a_followed_log_is_read_over_rotation_until_its_run_is_over() {
    let sandbox = Sandbox::new();
    let mut follower = Follower::start(&sandbox, "x.log");
    wait_until("it waits for the log", || {
        sandbox.read("follow.err").contains("waiting for x.log")
    });

    let log = small_log(true);
    let (first, rest) = log.split_at(log.find("INFO:__main__:Processing day 2").expect("there"));
    append(&sandbox, "x.log", first);
    follower.until(|summary| summary.successful_days == 1 && summary.state == LogState::Running);

    fs::rename(sandbox.join("x.log"), sandbox.join("x.log.1")).expect("rotated");
    append(&sandbox, "x.log", rest);
    let last = follower.until(|summary| summary.state == LogState::Completed);
    assert_eq!(
        (last.successful_days, last.failed_days, last.runs),
        (2, 1, 1)
    );
    assert_eq!(last.unaccounted_dates, Some(vec![]));
    let status = follower.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_follower_that_is_stopped_says_what_it_knows() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(false));
    let mut follower = Follower::start(&sandbox, "x.log");
    follower.until(|summary| summary.current_day == 3);
    let pid = Pid::from_child(&follower.child);
    kill_process(pid, Signal::INT).expect("a signal can be sent");
    follower.until(|summary| summary.state == LogState::Running);
    let status = follower.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
}

#[test]
fn a_pipe_cannot_be_followed() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, &["--follow", "-"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--follow needs a file"));
}
