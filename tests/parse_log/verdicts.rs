//! What the exit code and the documents say.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use bf_contract::{Document, LedgerStatus, LogState};

use super::rig::{code, documents, run, small_log, stderr, summary};
use crate::support::{Sandbox, failure};

#[test]
fn any_log_in_a_known_dialect_is_read_with_success() {
    let sandbox = Sandbox::new();
    for (name, text, state) in [
        ("done.log", small_log(true), LogState::Completed),
        ("running.log", small_log(false), LogState::Running),
        (
            "refused.log",
            "x.py: error: no\n".to_owned(),
            LogState::Refused,
        ),
    ] {
        sandbox.write(name, &text);
        let output = run(&sandbox, &[name]);
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        assert_eq!(documents(&output).len(), 1);
        let summary = summary(&output);
        assert_eq!(summary.state, state);
        assert_eq!(summary.log.path, name);
        assert_eq!(summary.log.bytes, text.len() as u64);
    }
}

#[test]
fn a_log_that_says_nothing_is_a_document_and_could_not_check() {
    let sandbox = Sandbox::new();
    sandbox.write("empty.log", "");
    let empty = run(&sandbox, &["empty.log"]);
    assert_eq!((code(&empty), summary(&empty).state), (3, LogState::Empty));

    sandbox.write("foreign.log", "hello\n");
    let foreign = run(&sandbox, &["foreign.log"]);
    assert_eq!(
        (code(&foreign), summary(&foreign).state),
        (3, LogState::Unknown)
    );
    let said = stderr(&foreign);
    assert!(
        said.contains("looked for the dialects") && said.contains("--explain"),
        "{said}"
    );
    assert_eq!(code(&run(&sandbox, &["--check", "foreign.log"])), 3);
}

#[test]
fn a_log_that_cannot_be_read_is_one_line() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("folder")).expect("a folder");
    let locked = sandbox.write("locked.log", &small_log(true));
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).expect("locked");
    sandbox.write("short.log", "hello\n");
    for (args, said) in [
        (&["missing.log"][..], "missing.log: No such file"),
        (&["folder"], "folder: Is a directory"),
        (
            &["--from-byte", "7", "short.log"],
            "short.log: it has 6 bytes",
        ),
        (&["locked.log"], "locked.log: Permission denied"),
    ] {
        if args == ["locked.log"] && File::open(&locked).is_ok() {
            continue; // nothing is locked for this user
        }
        let output = run(&sandbox, args);
        assert_eq!(code(&output), 3, "{args:?}");
        let message = failure(&output)["message"].to_string();
        assert!(message.contains(said), "{message}");
        let text = stderr(&output);
        assert!(
            text.starts_with("bf-parse-log: reading ") && text.contains(said),
            "{text}"
        );
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("hint: "))
            .count();
        assert_eq!(lines, 1, "{text}");
    }
}

#[test]
fn check_fails_what_is_not_whole_and_takes_every_date_where_no_threshold_is_known() {
    let sandbox = Sandbox::new();
    sandbox.write("done.log", &small_log(true));
    sandbox.write("running.log", &small_log(false));
    sandbox.write(
        "claims.log",
        &small_log(true).replace("to 2024-01-03", "to 2024-01-05"),
    );
    sandbox.write("refused.log", "x.py: error: no\n");
    for (args, expected) in [
        (&["--check", "done.log"][..], 1),
        (&["--check", "--min-success-rate", "66", "done.log"], 0),
        (&["--check", "--min-success-rate", "67%", "done.log"], 1),
        (&["--check", "running.log"], 1),
        (&["--check", "claims.log"], 1),
        (&["--check", "refused.log"], 1),
        (&["--check", "missing.log"], 3),
        (&["--min-success-rate", "95", "done.log"], 2),
        (&["--check", "--min-success-rate", "950", "done.log"], 2),
        (&["--failed-dates", "--ledger", "done.log"], 2),
    ] {
        assert_eq!(code(&run(&sandbox, args)), expected, "{args:?}");
    }
}

#[test]
fn a_process_that_is_gone_turns_running_into_interrupted() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.log",
        &small_log(false).replace("to 2024-01-03", "to 2024-01-05"),
    );
    let running = summary(&run(&sandbox, &["x.log"]));
    assert_eq!(
        (running.state, running.unaccounted_dates),
        (LogState::Running, None)
    );
    let gone = summary(&run(&sandbox, &["--writer-gone", "x.log"]));
    assert_eq!(gone.state, LogState::Interrupted);
    assert_eq!(gone.unaccounted_dates.map(|dates| dates.len()), Some(2));
}

#[test]
fn the_list_of_failed_dates_is_complete_and_nothing_but_the_list() {
    let sandbox = Sandbox::new();
    let mut log = String::new();
    let mut expected = Vec::new();
    for n in (1..=28).rev() {
        log += &format!("INFO:__main__:  ✗ 2024-02-{n:02}: Processing failed\n");
        expected.push(format!("2024-02-{n:02}"));
    }
    expected.reverse();
    sandbox.write("x.log", &log);
    let output = run(&sandbox, &["--failed-dates", "x.log"]);
    assert_eq!(code(&output), 0);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{}\n", expected.join(","))
    );
    assert!(output.stderr.is_empty(), "{}", stderr(&output));

    sandbox.write("foreign.log", "hello\n");
    let foreign = run(&sandbox, &["--failed-dates", "foreign.log"]);
    assert_eq!((code(&foreign), foreign.stdout.len()), (3, 0));

    sandbox.write("clean.log", &small_log(true).replace('✗', "✓"));
    assert!(
        run(&sandbox, &["--failed-dates", "clean.log"])
            .stdout
            .is_empty()
    );

    // A run without its end: what has not failed so far may fail yet, or was never tried.
    sandbox.write("open.log", &small_log(false).replace('✗', "✓"));
    let open = run(&sandbox, &["--failed-dates", "open.log"]);
    assert_eq!((code(&open), open.stdout.len()), (0, 0));
    assert!(stderr(&open).contains("not finished"), "{}", stderr(&open));
    let cut = small_log(false).replace('✗', "✓");
    let cut = cut.split_inclusive('\n').take(4).collect::<String>();
    sandbox.write("cut.log", &cut);
    let gone = run(&sandbox, &["--failed-dates", "--writer-gone", "cut.log"]);
    assert_eq!(
        (code(&gone), gone.stdout.len()),
        (3, 0),
        "{}",
        stderr(&gone)
    );
}

#[test]
fn the_ledger_comes_before_the_summary() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let documents = documents(&run(&sandbox, &["--ledger", "x.log"]));
    assert_eq!(documents.len(), 4);
    let statuses: Vec<_> = documents
        .iter()
        .filter_map(|document| match document {
            Document::LedgerEntry(entry) => Some((entry.status, entry.records)),
            _ => None,
        })
        .collect();
    assert_eq!(
        statuses,
        [
            (LedgerStatus::Success, Some(16)),
            (LedgerStatus::Failed, None),
            (LedgerStatus::Success, Some(0)),
        ]
    );
    assert!(matches!(documents[3], Document::LogSummary(_)));
}

#[test]
fn a_log_in_which_every_date_failed_does_not_pass_the_check() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "retry.log",
        "ERROR:__main__:2024-01-05: exception\nINFO:__main__:2024-01-07: exception\n",
    );
    let dates = ["--dates", "2024-01-05,2024-01-07", "retry.log"];
    let read = run(&sandbox, &dates);
    assert_eq!((code(&read), summary(&read).failed_days), (0, 2));
    let checked = run(&sandbox, &[&["--check"], &dates[..]].concat());
    assert_eq!(code(&checked), 1);
}

#[test]
fn a_rate_below_zero_is_refused_as_a_share_and_not_as_a_flag() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let refused = run(&sandbox, &["--check", "--min-success-rate", "-1", "x.log"]);
    assert_eq!(code(&refused), 2);
    assert!(
        stderr(&refused).contains("expected 0 to 100"),
        "{}",
        stderr(&refused)
    );
}
