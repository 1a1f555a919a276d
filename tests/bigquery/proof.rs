//! What is sent to BigQuery, checked without an account: every statement by Google's own analyser (ZetaSQL), every
//! path, parameter and body by the published description of the API. `prove.py` does both.

use std::process::Command;

use serde_json::Value;

use crate::support::{Sandbox, skip};

/// Checks requests as `Recorder` kept them.
pub fn check(sandbox: &Sandbox, requests: &[Value]) {
    let has_packages = Command::new("python3")
        .args(["-c", "import zetasql, googleapiclient"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_packages {
        skip("python3 has no zetasql or googleapiclient (scripts/install-test-tools)");
        return;
    }
    let lines: Vec<String> = requests.iter().map(Value::to_string).collect();
    sandbox.write("requests.ndjson", &lines.join("\n"));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bigquery");
    let output = Command::new("python3")
        .arg(format!("{folder}/prove.py"))
        .arg(format!("{folder}/real_types.json"))
        .arg(sandbox.join("requests.ndjson"))
        .output()
        .expect("python3 runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
