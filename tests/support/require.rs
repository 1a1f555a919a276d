//! What a test needs of the machine beside the tools. Also a module of the tests of single crates.

#![allow(dead_code, clippy::print_stdout, unreachable_pub)] // each of them uses a part of it

use std::io::Write as _;
use std::path::PathBuf;

/// Reports that a test, or a part of it, cannot run on this machine. With `BF_REQUIRE_ALL=1` that is a failure.
/// Elsewhere it is shown, also if the output of tests is captured, and `scripts/test` counts it by the file that
/// `BF_SKIPPED` names.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(
        value("BF_REQUIRE_ALL").is_none(),
        "{test} cannot run here: {why}"
    );
    let line = format!("SKIPPED: {test}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = value("BF_SKIPPED") {
        let list = std::fs::File::options()
            .append(true)
            .create(true)
            .open(list);
        list.and_then(|mut list| list.write_all(line.as_bytes()))
            .expect("the list of skipped tests can be written");
    }
}

/// The path of the first of these programs that is installed; skips the test if none is.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(&format!("{} is not installed", names[0]));
    }
    found
}

/// The `duckdb` program.
pub fn duckdb() -> Option<PathBuf> {
    match value("BF_DUCKDB") {
        Some(named) => Some(PathBuf::from(named)),
        None => program(&["duckdb"]),
    }
}

/// A Python that has a module, beside the programs of `scripts/install-test-tools`.
pub fn python(module: &str) -> Option<PathBuf> {
    let python = program(&["python3"])?;
    let import = format!("import {module}");
    let mut command = std::process::Command::new(&python);
    let can = command
        .args(["-c", &import])
        .stderr(std::process::Stdio::null());
    if can.status().is_ok_and(|status| status.success()) {
        return Some(python);
    }
    skip(&format!("python3 has no module {module}"));
    None
}

/// The address of the BigQuery emulator.
pub fn emulator() -> Option<String> {
    let host = value("BIGQUERY_EMULATOR_HOST");
    if host.is_none() {
        skip("there is no BigQuery emulator (BIGQUERY_EMULATOR_HOST is not set)");
    }
    host
}

/// The seed of a test that draws at random: `BF_SEED`, which repeats a failure, or a new one. It is shown if the
/// test fails.
pub fn seed() -> u64 {
    let seed = value("BF_SEED").map_or_else(
        || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(0, |now| now.as_nanos() as u64)
        },
        |text| text.parse().expect("BF_SEED is a number"),
    );
    println!("BF_SEED={seed}");
    seed
}

fn value(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
