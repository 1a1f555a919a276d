//! Dialects of the config, and how a person comes to one.

use super::rig::{code, run, small_log, stderr, summary};
use crate::support::{Sandbox, failure};

#[test]
fn a_bad_regular_expression_is_a_wrong_config_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    sandbox.write(
        "c.yaml",
        "dialects:\n  - name: mine\n    success: '^ok'\n    failure: '^no ('\n",
    );
    let output = run(&sandbox, &["--config", "c.yaml", "x.log"]);
    assert_eq!(code(&output), 2);
    let message = failure(&output)["message"].to_string();
    assert!(message.contains("line 4"), "{message}");
    let text = stderr(&output);
    assert!(text.contains("line 4") && text.contains("^no ("), "{text}");
    assert_eq!(
        code(&run(&sandbox, &["--config", "missing.yaml", "x.log"])),
        2
    );
}

#[test]
fn a_dialect_can_be_written_by_what_explain_shows() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.log",
        "begin 2024-01-01\nwrote 16 rows\nbegin 2024-01-02\nwrote 14 rows\nbye\n",
    );
    let unknown = run(&sandbox, &["--explain", "x.log"]);
    let text = String::from_utf8(unknown.stdout).expect("text");
    assert!(
        text.contains("begin DATE") && text.contains("wrote N rows"),
        "{text}"
    );

    sandbox.write(
        "c.yaml",
        "dialects:\n  - name: mine\n    date_start: '^begin (?P<date>\\S+)'\n    success: '^wrote (?P<records>\\d+)'\n    end: '^bye'\n",
    );
    let known = run(&sandbox, &["--config", "c.yaml", "--explain", "x.log"]);
    assert_eq!(code(&known), 0);
    let text = String::from_utf8(known.stdout).expect("text");
    for part in [
        "mine",
        "date_start",
        "the current date succeeded, 16 records",
        "2 to 4",
        "completed",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let output = run(&sandbox, &["--config", "c.yaml", "x.log"]);
    assert_eq!(summary(&output).dialect.as_deref(), Some("mine"));
}
