//! Jobs in a form of their own, described by the dialects that ship and by others.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod support;

use std::io::Write;

use bf_cli::ConfigArgs;
use bf_contract::{DoubtKind, LedgerStatus, LogState};
use bf_parse_log::{Dialects, LogEnd, LogParser};
use support::{Fate, Form, Log, date, day, days};

/// The dialects of a config.
fn dialects(yaml: &str) -> Dialects {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(yaml.as_bytes()).expect("written");
    let config = bf_config::load(&ConfigArgs {
        config: Some(file.path().to_owned()),
    })
    .expect("a valid config");
    Dialects::with(&config.config.dialects).expect("valid dialects")
}

fn parse(dialects: &Dialects, text: &str) -> LogParser {
    let mut parser = LogParser::new(dialects.clone());
    parser.feed(text.as_bytes());
    let mut in_pieces = LogParser::new(dialects.clone());
    for piece in text.as_bytes().chunks(7) {
        in_pieces.feed(piece);
    }
    assert_eq!(in_pieces.snapshot(), parser.snapshot());
    parser
}

#[test]
fn the_shipped_tqdm_dialect_reads_a_bar_that_is_drawn_again_and_again() {
    let dialects = dialects(include_str!("../../../config/dialects/tqdm.yaml"));
    let bar = |date: &str, done: u32| {
        format!(
            "\r{date}: {:3}%|███       | {done}/4 [00:02<00:31,  1.12s/it]",
            done * 25
        )
    };
    let mut text = String::from("\r  0%|          | 0/4 [00:00<?, ?it/s]");
    for (n, line) in [
        (1, "2024-01-01 wrote 1,600 rows"),
        (2, "2024-01-02 failed: 429 Exceeded rate limits"),
        (3, "2024-01-03 wrote 0 rows"),
    ] {
        let date = format!("2024-01-0{n}");
        text += &bar(&date, n - 1).repeat(3);
        text += &format!("\r                    \r{line}\n");
        text += &bar(&date, n);
    }
    text += &bar("2024-01-04", 3);
    let parser = parse(&dialects, &text);
    let summary = parser.summary(LogEnd::StillWritten);
    assert_eq!(summary.state, LogState::Running);
    assert_eq!(summary.dialect.as_deref(), Some("tqdm"));
    assert_eq!((summary.successful_days, summary.failed_days), (2, 1));
    assert_eq!(
        (summary.total_days, summary.unaccounted_days),
        (Some(4), Some(1))
    );
    assert_eq!(
        (summary.total_records, summary.zero_record_days),
        (1_600, 1)
    );
    assert_eq!(summary.runs, 1);
    let ledger = parser.ledger(LogEnd::StillWritten);
    assert!(ledger.iter().all(|entry| entry.attempts == 1), "{ledger:?}");
    assert_eq!(ledger[3].status, LedgerStatus::InProgress);

    text += "\r2024-01-04 wrote 7 rows\n100%|██████████| 4/4 [00:02<00:00]\nall dates done\n";
    let summary = parse(&dialects, &text).summary(LogEnd::StillWritten);
    assert_eq!(summary.state, LogState::Completed);
    assert_eq!(summary.unaccounted_dates, Some(vec![]));
    assert_eq!(summary.error_classes[0].example, "429 Exceeded rate limits");
}

#[test]
fn the_shipped_json_lines_dialect_reads_its_example() {
    let dialects = dialects(include_str!("../../../config/dialects/json_lines.yaml"));
    let event = |rest: &str| format!("{{\"ts\": \"2026-01-03T13:45:12Z\", {rest}}}\n");
    let mut text = event(r#""event": "run_start", "total": 3"#);
    text += &event(r#""event": "date_start", "date": "2024-01-03", "index": 1"#);
    text += &event(
        r#""event": "note", "text": "\"event\": \"date_done\", \"date\": \"2024-01-09\", \"rows\": 5""#,
    );
    text += &event(r#""event": "date_done", "date": "2024-01-03", "rows": 16"#);
    text += &event(r#""event": "date_start", "date": "2024-01-04", "index": 2"#);
    text += &event(r#""event": "date_failed", "date": "2024-01-04", "error": "schema mismatch""#);
    text += &event(r#""event": "date_skipped", "date": "2024-01-05", "error": "no games""#);
    let running = parse(&dialects, &text).summary(LogEnd::WriterGone);
    assert_eq!(running.state, LogState::Interrupted);
    text += &event(r#""event": "run_end", "ok": 1, "failed": 1"#);
    let summary = parse(&dialects, &text).summary(LogEnd::StillWritten);
    assert_eq!(summary.state, LogState::Completed);
    assert_eq!(summary.dialect.as_deref(), Some("json_lines"));
    assert_eq!(
        (
            summary.successful_days,
            summary.failed_days,
            summary.skipped_days,
            summary.total_days
        ),
        (1, 1, 1, Some(3))
    );
    assert_eq!(summary.failed_dates, days([4]));
}

const OWN: &str = r"
dialects:
  - name: own
    run_start: '^== run of (?P<total>\d+)'
    date_start: '^(?P<date>\d{8}) \.\.\.'
    success: '^  ok, (?P<records>\d+) rows'
    failure: '(?i)^  error: (?P<error>.*)'
    skip: '^  nothing to do'
    end: '^== end'
";

#[test]
fn a_line_without_a_date_speaks_of_the_current_one() {
    let dialects = dialects(OWN);
    let text = "== run of 3\n20240101 ...\n  ok, 16 rows\n20240102 ...\n  ERROR: deadline exceeded\n20240103 ...\n  nothing to do\n== end\n";
    let parser = parse(&dialects, text);
    let summary = parser.summary(LogEnd::StillWritten);
    assert_eq!(summary.state, LogState::Completed);
    assert_eq!(
        (
            summary.successful_days,
            summary.failed_days,
            summary.skipped_days
        ),
        (1, 1, 1)
    );
    assert_eq!(
        summary.error_classes[0].class,
        bf_contract::ErrorClass::Timeout
    );
    assert_eq!(summary.unaccounted_days, Some(0));
}

#[test]
fn a_date_that_fails_and_then_succeeds_in_one_run_stays_failed() {
    let dialects = dialects(
        "dialects:\n  - name: strict\n    success: '^ok (?P<date>\\S+)'\n    failure: '^no (?P<date>\\S+)'\n",
    );
    let text = "no 2024-01-05\nno 2024-01-05T10:00\nok 2024/01/05\n";
    let ledger = parse(&dialects, text).ledger(LogEnd::StillWritten);
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].status, LedgerStatus::Failed);
}

#[test]
fn a_line_whose_date_cannot_be_read_is_in_doubt_and_never_dropped() {
    let dialects = dialects(
        "dialects:\n  - name: forms\n    success: '^day (?P<date>.+) ok (?P<records>.*) rows'\n    failure: '^day (?P<date>.+) FAILED'\n    end: '^done'\n",
    );
    let text = "day 05/01/2024 ok 7 rows\nday 06/01/2024 FAILED\nday 06/01/2024 FAILED\nday 2024-01-07 ok 1.5 rows\ndone\n";
    let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
    assert_eq!((summary.successful_days, summary.failed_days), (1, 1));
    let doubt = |kind| {
        let found = summary.doubts.iter().find(|doubt| doubt.kind == kind);
        found.map(|doubt| (doubt.lines, doubt.first_line))
    };
    assert_eq!(doubt(DoubtKind::UndatedFailure), Some((2, Some(2))));
    assert_eq!(doubt(DoubtKind::UnreadableDate), Some((1, Some(1))));
    assert_eq!(doubt(DoubtKind::UnreadableFigure), Some((1, Some(4))));
    assert!(summary.has_failure_in_doubt());
    assert!(
        summary.doubts[0].message.contains("06/01/2024"),
        "{:?}",
        summary.doubts
    );
}

#[test]
fn two_lines_of_one_date_that_differ_are_two_things_and_a_repeated_line_is_one() {
    let dialects = dialects(
        "dialects:\n  - name: files\n    success: '_(?P<date>\\d{8})_\\d+ ok (?P<records>\\d+)'\n    failure: '_(?P<date>\\d{8})_\\d+ lost'\n    end: '^end'\n",
    );
    let text = "a_20240105_1 ok 10\na_20240105_1 ok 10\na_20240105_2 ok 7\na_20240106_1 lost\na_20240106_2 ok 9\nend\nend\n";
    let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
    assert_eq!(summary.total_records, 17);
    assert_eq!(summary.failed_dates, days([6]));
    assert_eq!(summary.successful_days, 1);
}

#[test]
fn a_run_that_is_started_again_does_not_add_up_the_totals_of_its_runs() {
    let dialects = dialects(
        "dialects:\n  - name: again\n    run_start: '^start (?P<total>\\d+)'\n    success: '^ok (?P<date>\\S+)'\n    end: '^end'\n",
    );
    let resumed =
        "start 4\nok 2024-01-01\nok 2024-01-02\nstart 2\nok 2024-01-03\nok 2024-01-04\nend\n";
    let whole = "start 4\nok 2024-01-01\nstart 4\nok 2024-01-01\nok 2024-01-02\nok 2024-01-03\nok 2024-01-04\nend\n";
    for text in [resumed, whole] {
        let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
        assert_eq!(summary.total_days, Some(4), "{text}");
        assert_eq!(summary.unaccounted_days, Some(0), "{text}");
        assert!(summary.completed);
    }
    let short = "start 4\nok 2024-01-01\nstart 2\nok 2024-01-03\nok 2024-01-04\nend\n";
    let summary = parse(&dialects, short).summary(LogEnd::StillWritten);
    assert_eq!(
        summary.unaccounted_days,
        Some(1),
        "one of the four is missing"
    );
}

#[test]
fn a_second_run_in_the_same_log_keeps_the_failures_of_the_first() {
    let dialects = dialects(OWN);
    let text = "== run of 2\n20240101 ...\n  error: x\n20240102 ...\n  ok, 1 rows\n== end\n\
                == run of 1\n20240103 ...\n  ok, 1 rows\n== end\n";
    let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
    assert_eq!((summary.runs, summary.successful_days), (2, 2));
    assert_eq!(summary.failed_dates, days([1]));
}

#[test]
fn a_dialect_that_understands_nothing_does_not_disturb_the_built_in_ones() {
    let dialects = dialects(OWN);
    let mut log = Log::new(Form::Timed);
    log.begin(day(1), day(2), None)
        .date("day", 1, 2, day(1), Fate::Good(16))
        .raw("  error: of a traceback\n");
    let summary = parse(&dialects, &log.text).summary(LogEnd::StillWritten);
    assert_eq!(summary.dialect.as_deref(), Some("day_by_day"));
    assert_eq!((summary.successful_days, summary.failed_days), (1, 0));
}

#[test]
fn a_log_in_no_dialect_names_those_that_were_looked_for() {
    let dialects = dialects(OWN);
    let summary = parse(&dialects, "hello\n").summary(LogEnd::StillWritten);
    assert_eq!(summary.state, LogState::Unknown);
    assert!(summary.notes[0].contains("\"own\"") && summary.notes[0].contains("parallel"));
}

#[test]
fn two_dialects_of_one_name_are_refused() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    write!(
        file,
        "dialects:\n  - {{name: a, success: x}}\n  - {{name: a, success: y}}\n"
    )
    .expect("written");
    let config = bf_config::load(&ConfigArgs {
        config: Some(file.path().to_owned()),
    })
    .expect("each is valid");
    let failure = Dialects::with(&config.config.dialects).expect_err("the name is taken");
    assert_eq!(failure.exit, bf_contract::Exit::Usage);
}

#[test]
fn a_dialect_that_is_named_is_the_only_one_that_counts() {
    let both =
        dialects("dialects:\n  - {name: mine, success: '^ok (?P<date>\\S+)', end: '^over$'}\n");
    // The built-in dialect understands more of it.
    let text = "INFO:__main__:Processing day 1/2: 2024-01-01\nINFO:__main__:  ✓ Success: 16 records\n\
                INFO:__main__:Processing day 2/2: 2024-01-02\nINFO:__main__:  ✓ Success: 16 records\n\
                ok 2024-01-01\nover\n";
    let summary = |dialects: &Dialects| parse(dialects, text).summary(LogEnd::WriterGone);
    assert_eq!(summary(&both).successful_days, 2);
    let mine = summary(&both.clone().only("mine").expect("it is there"));
    assert_eq!(mine.dialect.as_deref(), Some("mine"));
    assert_eq!((mine.state, mine.successful_days), (LogState::Completed, 1));
    let built_in = summary(&both.clone().only("built-in").expect("it is there"));
    assert_eq!(built_in.successful_days, 2);
    // A log in another dialect says nothing, and so is no pass.
    let other = dialects("dialects:\n  - {name: other, success: '^done (?P<date>\\S+)'}\n");
    let nothing = summary(&other.only("other").expect("it is there"));
    assert_eq!(nothing.state, LogState::Unknown);
    let failure = both.only("minne").expect_err("a misspelt name");
    assert_eq!(failure.exit, bf_contract::Exit::Usage);
    assert!(failure.message.contains("mine"), "{failure}");
}

#[test]
fn a_bar_tells_how_many_dates_there_are_before_the_first_of_them() {
    let dialects = dialects(
        "dialects:\n  - name: bar\n    progress: '\\| (?P<index>\\d+)/(?P<total>\\d+) '\n    \
         success: '^(?P<date>\\S+) ok'\n    end: '^done'\n",
    );
    let begun = parse(&dialects, "  0%| | 0/3 [\r").summary(LogEnd::StillWritten);
    assert_eq!(
        (begun.state, begun.total_days),
        (LogState::Running, Some(3))
    );

    let cut = "  0%| | 0/3 [\r 33%|# | 1/3 [\r2024-01-01 ok\n2024-01-02 ok\ndone\n";
    let cut = parse(&dialects, cut).summary(LogEnd::StillWritten);
    assert_eq!(cut.state, LogState::Completed);
    assert_eq!((cut.successful_days, cut.unaccounted_days), (2, Some(1)));
}

#[test]
fn a_count_that_is_too_large_is_unknown_and_said() {
    let dialects = dialects(
        "dialects:\n  - name: own\n    run_start: '^(?P<total>\\d+) days'\n    \
         success: '^ok (?P<date>\\S+) (?P<records>\\S+)'\n    \
         progress: '^(?P<index>\\d+) of (?P<total>\\d+)'\n",
    );
    let text = "3 days\nok 2024-01-01 16\nok 2024-01-02 99999999999999999999\n\
                ok 2024-01-03 many\n2 of 99999999999999999999\n";
    let parser = parse(&dialects, text);
    let records: Vec<_> = parser
        .ledger(LogEnd::WriterGone)
        .iter()
        .map(|entry| entry.records)
        .collect();
    assert_eq!(records, [Some(16), None, None]);
    let notes = parser.summary(LogEnd::WriterGone).notes;
    let note = "2 lines have a figure that is too large to be a count, the first is line 3; they were left out";
    assert!(notes.iter().any(|one| one == note), "{notes:?}");
}

#[test]
fn a_dialect_without_regular_expressions_reads_json_in_any_order_and_tells_jobs_apart() {
    let dialects = dialects(
        "dialects:\n  - name: jobs\n    success: {json: {ev: ok}, captures: {date: p.day, records: n, job: job}}\n    failure: {json: {ev: bad}, captures: {date: p.day, job: job}}\n    end: {json: {ev: end}, captures: {job: job}}\n",
    );
    let text = r#"{"job": "a", "ev": "bad", "p": {"day": "2024-01-01"}}
{"n": 3, "job": "b", "p": {"day": "2024-01-01"}, "ev": "ok"}
{"ev": "end", "job": "a"}
{"ev": "end", "job": "b"}
"#;
    let read = |job: Option<&str>| {
        let mut parser = LogParser::new(dialects.clone()).of_job(job.map(str::to_owned));
        parser.feed(text.as_bytes());
        parser.summary(LogEnd::StillWritten)
    };
    let last = read(None);
    assert_eq!(
        (last.job.as_deref(), last.successful_days, last.failed_days),
        (Some("b"), 1, 0)
    );
    assert!(last.notes.iter().any(|note| note.contains("--job")));
    let first = read(Some("a"));
    assert_eq!((first.failed_dates, first.completed), (days([1]), true));
}

#[test]
fn outcomes_are_per_date_and_unit_and_a_date_failed_if_one_unit_did() {
    let dialects = dialects(
        "dialects:\n  - name: models\n    success: '^{date} ok (?P<unit>\\w+)'\n    failure: '^{date} lost (?P<unit>\\w+)'\n    end: '^end'\n",
    );
    let parser = parse(
        &dialects,
        "2024-01-01 lost a\n2024-01-01 ok b\n2024-01-02 ok a\n2024-01-02 ok b\nend\n",
    );
    let summary = parser.summary(LogEnd::StillWritten);
    assert_eq!(summary.failed_dates, days([1]));
    assert_eq!((summary.successful_days, summary.failed_days), (1, 1));
    assert_eq!(parser.ledger(LogEnd::StillWritten).len(), 4);
}

#[test]
fn a_dialect_says_how_its_dates_are_written_and_what_becomes_of_the_unmentioned() {
    let dialects = dialects(
        "dialects:\n  - name: quiet\n    date_format: '%d/%m/%Y'\n    unmentioned: success\n    date_start: '^(?P<index>\\d+)/(?P<total>\\d+) (?P<date>\\S+)'\n    failure: {match: '^  lost: {error}', date: from_start}\n    end: '^end: {succeeded} ok, {failed} lost'\n",
    );
    let text = "1/3 05/01/2024\n2/3 06/01/2024\n  lost: quota\n3/3 07/01/2024\nend: 2 ok, 1 lost\n";
    let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
    assert_eq!(summary.failed_dates, days([6]));
    assert_eq!(
        (summary.successful_days, summary.unaccounted_days),
        (2, Some(0)),
        "{summary:?}"
    );
    assert!(summary.doubts.is_empty(), "{:?}", summary.doubts);
    let worse = text.replace("2 ok, 1 lost", "1 ok, 2 lost");
    let summary = parse(&dialects, &worse).summary(LogEnd::StillWritten);
    assert!(summary.has_failure_in_doubt());
}

#[test]
fn a_run_ends_where_another_attempt_of_the_job_was_started() {
    let dialects = dialects(
        "dialects:\n  - name: plain\n    success: '^ok {date}'\n    failure: '^no {date}'\n    end: '^end'\n",
    );
    let first = "no 2024-01-01\n";
    let text = format!("{first}ok 2024-01-01\nend\n");
    let alone = parse(&dialects, &text).summary(LogEnd::StillWritten);
    assert_eq!(alone.failed_days, 1, "one run, which does not try again");
    let mut parser = LogParser::new(dialects.clone()).with_attempts_at(&[first.len() as u64]);
    parser.feed(text.as_bytes());
    let retried = parser.summary(LogEnd::StillWritten);
    assert_eq!((retried.failed_days, retried.successful_days), (0, 1));
    assert_eq!(retried.runs, 2);
}

#[test]
fn a_sample_that_is_read_otherwise_refuses_its_dialect() {
    let yaml = "dialects:\n  - name: wrong\n    success: '^ok {date}'\n    samples:\n      - {line: 'ok 2024-01-05', reads: failure}\n";
    let config: bf_config::Config = bf_config::parse_yaml(yaml, "a config").expect("a config");
    let refused = Dialects::with(&config.dialects).expect_err("refused");
    let text = format!("{refused:?}");
    assert!(
        text.contains("expected failure") && text.contains("ok 2024-01-05"),
        "{text}"
    );
}

#[test]
fn a_log_that_goes_on_in_another_dialect_is_a_doubt() {
    let dialects = dialects(
        "dialects:\n  - name: plain\n    success: '^ok {date}'\n    failure: '^no {date}'\n    end: '^end'\n",
    );
    let text = "ok 2024-01-01\nok 2024-01-02\nend\n{\"event\": \"date_failed\", \"date\": \"2024-01-03\"}\n";
    let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
    let kinds: Vec<_> = summary.doubts.iter().map(|doubt| doubt.kind).collect();
    assert_eq!(kinds, [DoubtKind::OtherDialect]);
}

#[test]
fn an_error_that_no_rule_reads_is_counted_and_shown() {
    let dialects = dialects(
        "dialects:\n  - name: plain\n    success: 'INFO loaded {date}'\n    end: 'INFO finished'\n",
    );
    let text = "1 INFO loaded 2024-01-01\n2 ERROR could not commit: disk full\n3 INFO finished\n";
    let summary = parse(&dialects, text).summary(LogEnd::StillWritten);
    assert!(summary.completed && !summary.has_failure_in_doubt());
    let doubt = &summary.doubts[0];
    assert_eq!(
        (doubt.kind, doubt.lines, doubt.first_line),
        (DoubtKind::UnreadErrors, 1, Some(2))
    );
    assert!(doubt.message.contains("disk full"), "{doubt:?}");
}

#[test]
fn an_end_that_counts_failures_where_no_line_shows_any_is_a_doubt() {
    let dialects = dialects(
        "dialects:\n  - name: words\n    success: '^loaded {date}'\n    end: '^finished: (\\d+) loaded, (\\d+) failed'\n",
    );
    let read = |end: &str| {
        let text = format!("loaded 2024-01-01\nloaded 2024-01-02\n{end}\n");
        parse(&dialects, &text).summary(LogEnd::StillWritten)
    };
    assert!(read("finished: 1 loaded, 1 failed").has_failure_in_doubt());
    assert!(!read("finished: 2 loaded, 0 failed").has_failure_in_doubt());
}

#[test]
fn a_word_that_tells_workers_apart_gives_an_undated_line_its_date() {
    let yaml = "dialects:\n  - name: workers\n    date_start: '^(\\S+ )?\\w+ start {date}'\n    success: '^(\\S+ )?\\w+ ok {records} rows'\n    failure: '^(\\S+ )?\\w+ error {error}'\n    end: '^end'\n";
    let summary = |log: &str| {
        let config: bf_config::Config = bf_config::parse_yaml(yaml, "a config").expect("a config");
        let mut parser = LogParser::new(Dialects::with(&config.dialects).expect("a dialect"));
        parser.feed(log.as_bytes());
        parser.summary(LogEnd::StillWritten)
    };
    let told = summary(
        "w1 start 2024-01-05\nw2 start 2024-01-06\nw3 start 2024-01-07\nw1 error boom\nw3 ok 7 rows\nw2 ok 10 rows\nend\n",
    );
    assert_eq!(told.failed_dates, [date("2024-01-05")]);
    assert_eq!((told.successful_days, told.total_records), (2, 17));
    assert!(told.doubts.is_empty(), "{:?}", told.doubts);
    // Nothing tells them apart: whose failure it is stays open.
    let open = summary("job start 2024-01-05\njob start 2024-01-06\njob error boom\nend\n");
    assert_eq!(open.doubts[0].kind, DoubtKind::UndatedFailure);
}

#[test]
fn a_copy_of_a_dialect_that_ships_reads_every_log_as_the_dialect_does() {
    let family =
        include_str!("../src/dialects/family.yaml").replacen("name: family", "name: copy", 1);
    let mut yaml = "dialects:\n".to_owned();
    for (at, line) in family.lines().enumerate() {
        yaml.push_str(if at == 0 { "  - " } else { "    " });
        yaml.push_str(line);
        yaml.push('\n');
    }
    let both = dialects(&yaml);
    let summary = |name: &str, text: &str| {
        let summary = parse(&both.clone().only(name).expect("it is there"), text)
            .summary(LogEnd::StillWritten);
        bf_contract::LogSummary {
            dialect: None,
            notes: Vec::new(),
            ..summary
        }
    };
    for form in support::FORMS {
        let mut log = Log::new(form);
        let fates = [
            (day(1), Fate::Good(16)),
            (day(2), Fate::Bad),
            (day(3), Fate::Thrown),
            (day(4), Fate::Bootstrap),
        ];
        log.begin(day(1), day(4), None)
            .dates("day", &fates)
            .end(day(1), day(4), 1, 2);
        log.begin_parallel(day(1), day(6), Some(day(5)));
        log.parallel_date(day(5), Fate::Good(1))
            .parallel_date(day(6), Fate::Bad);
        log.end_parallel(1, 1)
            .begin_list(1)
            .info("Processing date 1/1: 2024-01-06");
        log.info("  ✓ Success: 3 records").end_list(1, 0);
        log.raw("Traceback (most recent call last):\nRuntimeError: x\n")
            .error("  ? 2024-01-06: quota");
        for cut in [log.text.len(), log.text.len() / 2, log.text.len() / 3] {
            let text = log.text.get(..cut).unwrap_or(&log.text);
            assert_eq!(summary("copy", text), summary("family", text), "{form:?}");
        }
    }
}

#[test]
fn a_range_announces_its_dates_if_the_days_of_the_dialect_are_daily() {
    let dialect = |daily: bool| {
        dialects(&format!(
            "dialects:\n  - name: loads\n    daily: {daily}\n    run_start: '^loading {{start}} to {{end_date}}'\n    \
             resume: '^resume at {{date}}'\n    success: '^{{date}} loaded'\n    failure: '^{{date}} failed'\n    end: '^done'\n"
        ))
    };
    let log = "loading 2024-01-01 to 2024-01-04\n2024-01-01 loaded\n2024-01-02 failed\n2024-01-04 loaded\ndone\n";
    let summary = parse(&dialect(false), log).summary(LogEnd::WriterGone);
    assert_eq!((summary.total_days, summary.unaccounted_days), (None, None));
    let summary = parse(&dialect(true), log).summary(LogEnd::WriterGone);
    assert_eq!(
        (summary.total_days, summary.current_day, summary.failed_days),
        (Some(4), 3, 1)
    );
    assert_eq!(summary.unaccounted_dates, Some(vec![date("2024-01-03")]));

    let log = "loading 2024-01-01 to 2024-01-04\nresume at 2024-01-03\n2024-01-03 loaded\n2024-01-04 loaded\ndone\n";
    let summary = parse(&dialect(true), log).summary(LogEnd::WriterGone);
    assert_eq!(
        (summary.total_days, summary.earlier_days, summary.state),
        (Some(4), 2, LogState::Completed)
    );
    // Started once more after it broke off, it does not add up its days.
    let log = "loading 2024-01-01 to 2024-01-02\n2024-01-01 loaded\nloading 2024-01-01 to 2024-01-02\n2024-01-01 loaded\n2024-01-02 loaded\ndone\n";
    let summary = parse(&dialect(true), log).summary(LogEnd::WriterGone);
    assert_eq!(
        (summary.total_days, summary.unaccounted_days, summary.state),
        (Some(2), Some(0), LogState::Completed)
    );
}

#[test]
fn a_pattern_that_is_too_large_is_refused_and_never_matches_in_silence() {
    let yaml = "dialects:\n  - {name: own, success: '^ok {date} (\\w{500}){500}', end: '^over$'}\n";
    let config: bf_config::Config = bf_config::parse_yaml(yaml, "a test").expect("a config");
    let failure = Dialects::with(&config.dialects).expect_err("a pattern of megabytes");
    assert_eq!(failure.exit, bf_contract::Exit::Usage);
    assert!(
        failure.message.contains("dialect \"own\": success: "),
        "{}",
        failure.message
    );
}
