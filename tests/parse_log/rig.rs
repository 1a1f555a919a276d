//! A log, the tool, and what it says of the log.

use std::process::Output;

use bf_contract::{Document, LogSummary, read_document};

use crate::support::Sandbox;

pub const TOOL: &str = "bf-parse-log";

/// A sequential log of three days: one good, one failed, one good.
pub fn small_log(end: bool) -> String {
    let mut log = String::from(
        "INFO:__main__:  Date range: 2024-01-01 to 2024-01-03\n\
         INFO:__main__:Starting day-by-day analytics backfill from 2024-01-01 to 2024-01-03\n",
    );
    for (at, outcome) in [
        (1, "INFO:__main__:  ✓ Success: 16 records"),
        (
            2,
            "ERROR:__main__:  ✗ Exception: \x1b]0;owned\x07 429 Exceeded rate limits\x1b[31m",
        ),
        (3, "INFO:__main__:  ✓ Success: 0 records"),
    ] {
        log += &format!("INFO:__main__:Processing day {at}/3: 2024-01-0{at}\n{outcome}\n");
    }
    if end {
        log += "INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:\n";
    }
    log
}

pub fn run(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.command(TOOL).args(args).output().expect("it runs")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The documents of an output, through the contract's own types.
pub fn documents(output: &Output) -> Vec<Document> {
    String::from_utf8(output.stdout.clone())
        .expect("documents are UTF-8")
        .lines()
        .map(|line| read_document(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

pub fn summary(output: &Output) -> LogSummary {
    match documents(output).pop() {
        Some(Document::LogSummary(summary)) => *summary,
        other => panic!("{other:?}"),
    }
}
