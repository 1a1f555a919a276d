//! Every document against its golden file, both ways. The files of version 1 are kept for ever: a change
//! that cannot read one of them breaks whoever wrote a tool against the contract.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use bf_contract::{Document, Exit, LedgerEntry, read_document};
use serde_json::Value;

/// Reads the golden file, writes it again, and expects the same JSON.
fn reads_and_writes_the_same(golden: &str) -> Document {
    let document = read_document(golden).expect("the golden file is a document");
    let written = match &document {
        Document::LogSummary(document) => serde_json::to_value(document),
        Document::LedgerEntry(document) => serde_json::to_value(document),
        Document::ProcessEvent(document) => serde_json::to_value(document),
        Document::ValidationReport(document) => serde_json::to_value(document),
        Document::RunReport(document) => serde_json::to_value(document),
        Document::RunStatus(document) => serde_json::to_value(document),
        Document::Notification(document) => serde_json::to_value(document),
        Document::Delivery(document) => serde_json::to_value(document),
        Document::Failure(document) => serde_json::to_value(document),
        Document::ValidationPlan(document) => serde_json::to_value(document),
        Document::Capability(document) => serde_json::to_value(document),
        Document::Unknown(kind) => panic!("golden file of unknown type {kind}"),
    }
    .expect("documents can be written");
    let expected: Value = serde_json::from_str(golden).expect("golden files are JSON");
    assert_eq!(written, expected);
    let newer = golden.replacen('{', r#"{"of_tomorrow": {"a": [1]},"#, 1);
    assert_eq!(read_document(&newer).expect("a field is added"), document);
    document
}

#[test]
fn a_log_summary_keeps_its_form() {
    let document = reads_and_writes_the_same(include_str!("golden/log_summary.json"));
    assert!(matches!(document, Document::LogSummary(summary) if summary.failed_days == 2));
}

#[test]
fn a_ledger_entry_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/ledger_entry.json"));
}

#[test]
fn a_process_event_keeps_its_form() {
    let document = reads_and_writes_the_same(include_str!("golden/process_event.json"));
    assert!(
        matches!(document, Document::ProcessEvent(event) if event.exit.as_ref().is_some_and(|exit| exit.is_failure()))
    );
}

#[test]
fn a_validation_report_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/validation_report.json"));
}

#[test]
fn a_validation_report_of_the_first_form_can_be_read_for_ever() {
    let first = include_str!("golden/validation_report-first.json");
    let document = read_document(first).expect("it is a document");
    let now = read_document(include_str!("golden/validation_report.json"));
    assert_eq!(Ok(document), now.map_err(|error| error.to_string()));
}

#[test]
fn a_validation_report_says_which_table_is_missing() {
    let golden = include_str!("golden/validation_report.json");
    let missing = golden.replace(
        r#""missing_table": null"#,
        r#""missing_table": "nba_analytics.player_game_summary""#,
    );
    let document = reads_and_writes_the_same(&missing);
    assert!(
        matches!(document, Document::ValidationReport(report) if report.missing_table.as_ref() == Some(&report.table))
    );
}

#[test]
fn a_check_that_nobody_can_answer_is_told_from_one_that_was_not_asked_for() {
    let golden = include_str!("golden/validation_report.json");
    let skipped = golden.replace(r#""status": "fail""#, r#""status": "skipped""#);
    let unanswered = skipped.replace(r#""unanswered": false"#, r#""unanswered": true"#);
    for (text, count) in [(golden, 0), (&skipped, 0), (&unanswered, 1)] {
        let Document::ValidationReport(report) = reads_and_writes_the_same(text) else {
            panic!("another document");
        };
        assert_eq!(report.unanswered().count(), count, "{text}");
    }
    let info = unanswered.replace(r#""level": "critical""#, r#""level": "info""#);
    assert!(
        matches!(reads_and_writes_the_same(&info), Document::ValidationReport(report) if report.unanswered().count() == 0)
    );
}

#[test]
fn a_run_report_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/run_report.json"));
}

#[test]
fn a_notification_keeps_its_form() {
    let document = reads_and_writes_the_same(include_str!("golden/notification.json"));
    assert!(
        matches!(document, Document::Notification(document) if document.event.word() == "gate_failed")
    );
}

#[test]
fn a_delivery_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/delivery.json"));
}

#[test]
fn a_run_status_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/run_status.json"));
}

#[test]
fn a_failure_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/failure.json"));
}

#[test]
fn a_validation_plan_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/validation_plan.json"));
}

#[test]
fn a_capability_keeps_its_form() {
    reads_and_writes_the_same(include_str!("golden/capability.json"));
}

#[test]
fn fields_that_came_later_keep_their_form() {
    for golden in [
        include_str!("golden/log_summary-doubts.json"),
        include_str!("golden/ledger_entry-unit.json"),
        include_str!("golden/process_event-alive.json"),
        include_str!("golden/validation_report-days.json"),
        include_str!("golden/run_report-windows.json"),
        include_str!("golden/notification-host.json"),
    ] {
        reads_and_writes_the_same(golden);
    }
}

/// A reader takes a line for a document: a line break in a text must not end it.
#[test]
fn a_document_is_always_on_one_line() {
    let hostile = "one\ntwo\r\nthree\u{2028}four\u{85}\0";
    let entry = LedgerEntry {
        reason: Some(hostile.to_owned()),
        ..match read_document(include_str!("golden/ledger_entry.json")) {
            Ok(Document::LedgerEntry(entry)) => entry,
            other => panic!("{other:?}"),
        }
    };
    let line = serde_json::to_string(&entry).expect("JSON");
    assert!(!line.contains(['\n', '\r', '\0']), "{line}");
    assert_eq!(
        read_document(&line).expect("a document"),
        Document::LedgerEntry(entry)
    );
}

#[test]
fn a_later_schema_is_refused_and_not_guessed_at() {
    let line = include_str!("golden/ledger_entry.json").replace("\"schema\": 1", "\"schema\": 2");
    let error = read_document(&line)
        .expect_err("schema 2 is not known")
        .to_string();
    assert!(error.contains("schema 2 is not known"), "{error}");
}

#[test]
fn a_document_of_an_unknown_type_is_passed_over() {
    let document = read_document(r#"{"type": "weather", "schema": 1}"#).expect("it is a document");
    assert_eq!(document, Document::Unknown("weather".to_owned()));
}

#[test]
fn a_line_that_is_no_document_is_an_error() {
    assert!(read_document("12 of 16 done").is_err());
    assert!(read_document(r#"{"type": "log_summary", "schema": 1}"#).is_err());
}

#[test]
fn the_exit_codes_are_those_of_the_documentation() {
    let codes = Exit::ALL.map(Exit::code);
    assert_eq!(codes, [0, 1, 2, 3, 124, 130, 143]);
    for exit in Exit::ALL {
        assert_eq!(Exit::from_code(i32::from(exit.code())), Some(exit));
    }
    assert_eq!(Exit::from_code(101), None);
}
