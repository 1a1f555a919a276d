//! Logs that refuse, break, repeat, lie, and look like what they are not.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod support;

use bf_contract::{LedgerStatus, LogState};
use support::Fate::{Bad, Good};
use support::{FORMS, Form, Log, day, days, parse};

#[test]
fn a_run_that_declines_to_start_is_refused() {
    let refusals = [
        "End date cannot be in the future",
        "Start date must be before end date",
        "End date must be >= start date",
        "Invalid start date format: soon. Use YYYY-MM-DD",
        "Invalid date format: time data 'x' does not match format '%Y-%m-%d'",
        "--start-date is required for range processing",
        "❌ PRE-FLIGHT CHECK FAILED: Phase 3 data is incomplete!",
        "❌ Pre-flight check failed. Aborting backfill.",
    ];
    for form in FORMS {
        for refusal in refusals {
            let mut alone = Log::new(form);
            alone.error(refusal).error("Expected format: YYYY-MM-DD");
            let parsed = alone.parse();
            assert_eq!(
                parsed.summary.state,
                LogState::Refused,
                "{form:?} {refusal}"
            );
            assert_eq!(parsed.summary.runs, 1);
            assert_eq!(parsed.summary.total_days, None);

            let mut begun = Log::new(form);
            begun
                .configuration(day(1), day(9), false)
                .info("Starting day-by-day analytics backfill from 2024-01-01 to 2024-01-09")
                .error(refusal);
            let parsed = begun.parse();
            assert_eq!(
                parsed.summary.state,
                LogState::Refused,
                "{form:?} {refusal}"
            );
            assert_eq!(parsed.summary.total_days, None);
            assert_eq!(parsed.summary.runs, 1);
        }
    }
}

#[test]
fn a_refusal_without_a_level_is_one_where_no_line_has_one() {
    for refusal in [
        "End date cannot be in the future",
        "Start date must be before end date",
        "Invalid start date format: soon",
    ] {
        let mut log = Log::new(Form::Bare);
        log.configuration(day(1), day(9), false)
            .info("Starting day-by-day analytics backfill from 2024-01-01 to 2024-01-09")
            .info(refusal);
        assert_eq!(log.parse().summary.state, LogState::Refused, "{refusal}");
        let mut prefixed = Log::new(Form::Named);
        prefixed
            .begin(day(1), day(9), None)
            .info(&format!("What may be said here:\n{refusal}"));
        assert_eq!(prefixed.parse().summary.state, LogState::Running);
    }
}

#[test]
fn a_job_without_dates_to_do_is_refused() {
    let mut log = Log::new(Form::Named);
    log.info("Starting backfill from 2024-07-01 to 2024-07-09")
        .line(
            "WARNING",
            "__main__",
            "No game dates found in the specified range!",
        );
    assert_eq!(log.parse().summary.state, LogState::Refused);
}

#[test]
fn an_argument_error_alone_is_refused_and_not_unknown() {
    let usage = "usage: team_offense_game_summary_analytics_backfill.py [-h] [--start-date START_DATE]\n                    [--dates DATES]\n";
    let error = "team_offense_game_summary_analytics_backfill.py: error: unrecognized arguments: --paralel\n";
    for text in [
        usage.to_owned(),
        error.to_owned(),
        format!("{usage}{error}"),
        "Traceback (most recent call last):\n  File \"x.py\", line 1, in main\nValueError: time data '2024-13-01' does not match format '%Y-%m-%d'\n".to_owned(),
    ] {
        let summary = parse(text.as_bytes()).summary;
        assert_eq!(summary.state, LogState::Refused, "{text}");
        assert_eq!(summary.runs, 1, "{text}");
        assert_eq!(summary.fatal_errors, 0, "{text}");
    }
    assert_eq!(
        parse(usage.as_bytes()).summary.job.as_deref(),
        Some("team_offense_game_summary")
    );
}

#[test]
fn an_empty_log_is_empty_and_a_foreign_one_unknown() {
    for text in ["", "\n\n", " \r\n\t", "\0\0\0"] {
        assert_eq!(
            parse(text.as_bytes()).summary.state,
            LogState::Empty,
            "{text:?}"
        );
    }
    for text in [
        "hello\n",
        "nohup: ignoring input\n",
        "INFO:uvicorn:started\n",
        "ERROR:x:2024-01-05 failed\n",
        "✓ all good\n2024-01-05: 16 records\n",
        "Traceback (most recent call last):\nModuleNotFoundError: No module named 'google'\n",
    ] {
        let summary = parse(text.as_bytes()).summary;
        assert_eq!(summary.state, LogState::Unknown, "{text:?}");
        assert!(summary.notes[0].contains("looked for"), "{text:?}");
    }
}

#[test]
fn a_job_that_dies_is_interrupted_by_its_own_word() {
    let mut running = Log::new(Form::Named);
    running
        .begin(day(1), day(9), None)
        .date("day", 1, 9, day(1), Good(1))
        .info("Processing day 2/9: 2024-01-02");

    let mut stopped = running.clone();
    stopped.raw(
        "Traceback (most recent call last):\n  File \"x.py\", line 1, in run\nKeyboardInterrupt\n",
    );
    let parsed = stopped.parse();
    assert_eq!(parsed.summary.state, LogState::Interrupted);
    assert_eq!(
        parsed.summary.fatal_errors, 0,
        "somebody stopped it; it did not break"
    );
    assert_eq!(parsed.summary.unaccounted_days, Some(8));
    assert_eq!(parsed.entry(day(2)).status, LedgerStatus::Interrupted);

    let mut broken = running.clone();
    broken
        .raw("Traceback (most recent call last):\n  File \"x.py\", line 1, in run\nMemoryError\n");
    let parsed = broken.parse();
    assert_eq!(parsed.summary.state, LogState::Interrupted);
    assert_eq!(parsed.summary.fatal_errors, 1);

    for last_words in [
        "Killed\n",
        "Terminated\n",
        "./run.sh: line 3: 4711 Killed                  python job.py --dates x\n",
        "^CTraceback (most recent call last):\n  File \"x.py\"\nKeyboardInterrupt\n",
    ] {
        let mut killed = running.clone();
        killed.raw(last_words);
        let summary = killed.parse().summary;
        assert_eq!(summary.state, LogState::Interrupted, "{last_words}");
        assert_eq!(summary.fatal_errors, 0, "{last_words}");
    }

    // The same traceback, but a message owns it, and the job goes on.
    let mut logged = running;
    logged.error("Exception during processing: disk full").raw(
        "Traceback (most recent call last):\n  File \"x.py\", line 1, in run\nOSError: disk full\n",
    );
    let parsed = logged.parse();
    assert_eq!(parsed.summary.state, LogState::Running);
    assert_eq!(
        (parsed.summary.failed_days, parsed.summary.fatal_errors),
        (1, 0)
    );
}

#[test]
fn a_thread_that_breaks_ends_nothing_while_the_job_goes_on() {
    let mut log = Log::new(Form::Named);
    log.begin_parallel(day(1), day(2), None)
        .parallel_date(day(1), Good(1))
        .raw("Exception in thread Thread-5 (heartbeat):\nTraceback (most recent call last):\nRuntimeError: x\n")
        .info("  something else")
        .raw("Traceback (most recent call last):\nRuntimeError: y\n")
        .parallel_date(day(2), Good(1));
    let summary = log.parse().summary;
    assert_eq!(
        (summary.state, summary.fatal_errors),
        (LogState::Running, 0)
    );
}

#[test]
fn a_job_that_gives_up_in_the_middle_was_not_refused() {
    let mut log = Log::new(Form::Named);
    log.begin_list(2)
        .date("date", 1, 2, day(1), Good(1))
        .error("Invalid date format: unconverted data remains");
    let summary = log.parse().summary;
    assert_eq!(
        (summary.state, summary.fatal_errors),
        (LogState::Interrupted, 1)
    );
    assert_eq!(summary.unaccounted_days, Some(1));
}

#[test]
fn lines_that_only_look_like_events_say_nothing() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(4), None)
            .date("day", 1, 4, day(1), Bad)
            // After the verdict, and by others.
            .info("Loader says: ✓ Success: 99 records")
            .error("PARALLEL BACKFILL COMPLETE with errors")
            .info("BACKFILL COMPLETED BY REPLAY")
            .line("INFO", "analytics_base", "last date: ✓ Success: 99 records")
            .raw("Traceback (most recent call last):\n    logger.info(f\"  ✓ Success: {n} records\")\n  ✓ Success: 99 records\n✓ 2024-01-03: 99 records\nProcessing day 3/4: 2024-01-03\nDAY-BY-DAY BACKFILL SUMMARY:\n")
            .info("    2024-01-03, 2024-01-04")
            .info("    python job.py --dates 2024-01-03,2024-01-04")
            .info("❌ 2024-01-03: 0 active, FG=0%, FT=0%, usage_rate=0%")
            .info("✅ 2024-01-04: 12 active, FG=100%, FT=100%, usage_rate=98%")
            .error("Failed to validate 2024-01-03: 'NoneType' object has no attribute 'query'")
            .error("   - 2024-01-03: Validation failed with error: x")
            .info("  ✅ 2024-01-03: Data looks good (PGS: 10, UPCG: 10)")
            .line("WARNING", "__main__", "  ⚠️  2024-01-03: UPCG has partial data (1/10)")
            .error("  ❌ 2024-01-03: Pre-flight check error - timeout")
            .info("  ✅ Coverage validation passed: 10/10 players (100.0%)")
            .info("BOOTSTRAP: Skipping 2024-01-03 (early season period)");
        let parsed = log.parse();
        assert_eq!(parsed.figures(), [0, 1, 0, 0, 3, 4], "{form:?}");
        assert_eq!(parsed.summary.total_records, 0, "{form:?}");
        assert_eq!(parsed.summary.runs, 1, "{form:?}");
        assert_eq!(parsed.ledger.len(), 1, "{form:?}: {:?}", parsed.ledger);
    }
}

#[test]
fn a_named_logger_that_writes_the_jobs_own_words_is_not_the_job() {
    for form in [Form::Named, Form::TimedAndNamed] {
        let mut log = Log::new(form);
        log.begin(day(1), day(2), None)
            .info("Processing day 1/2: 2024-01-01")
            .line("INFO", "replay", "  ✓ Success: 99 records")
            .line("INFO", "replay", "Processing day 2/2: 2024-01-02")
            .line("INFO", "replay", "DAY-BY-DAY BACKFILL SUMMARY:");
        let parsed = log.parse();
        assert_eq!(parsed.figures(), [0, 0, 0, 0, 2, 2]);
        assert_eq!(parsed.summary.state, LogState::Running);
    }
}

#[test]
fn a_repeated_line_counts_once() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(4), None)
            .info("Processing day 1/4: 2024-01-01")
            .info("Processing day 1/4: 2024-01-01")
            .info("  ✓ Success: 16 records")
            .info("  ✓ Success: 16 records")
            .info("Processing day 1/4: 2024-01-01")
            .info("Processing day 2/4: 2024-01-02")
            .error("  ✗ Failed: 2024-01-02")
            .error("  ✗ Failed: 2024-01-02");
        let parsed = log.parse();
        assert_eq!(parsed.figures(), [1, 1, 0, 0, 2, 4], "{form:?}");
        assert_eq!(parsed.summary.total_records, 16);
        assert_eq!(parsed.entry(day(1)).attempts, 1, "{form:?}");
        assert_eq!(parsed.entry(day(2)).attempts, 1, "{form:?}");
        assert_eq!(parsed.summary.runs, 1);

        let mut parallel = Log::new(form);
        parallel.begin_parallel(day(1), day(2), None);
        for _ in 0..2 {
            parallel
                .parallel_result(day(2), Good(7))
                .parallel_result(day(1), Bad);
        }
        let parsed = parallel.parse();
        assert_eq!(parsed.figures(), [1, 1, 0, 0, 0, 2]);
        assert_eq!(parsed.summary.total_records, 7);
        assert_eq!(parsed.entry(day(1)).attempts, 1);
    }
}

#[test]
fn a_lost_outcome_leaves_its_date_unaccounted_for() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(3), None)
        .date("day", 1, 3, day(1), Good(1))
        .info("Processing day 2/3: 2024-01-02")
        .date("day", 3, 3, day(3), Good(1))
        .end(day(1), day(3), 3, 0);
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::Completed);
    assert_eq!(parsed.figures(), [2, 0, 0, 0, 1, 3]);
    assert_eq!(parsed.summary.unaccounted_dates, Some(days([2])));
    assert!(
        parsed.summary.notes[0].contains("claims 3 successful"),
        "{:?}",
        parsed.summary.notes
    );
}

#[test]
fn a_summary_that_claims_more_than_the_lines_show_is_not_believed() {
    let mut log = Log::new(Form::Named);
    log.begin_parallel(day(1), day(31), None)
        .parallel_date(day(1), Good(1))
        .parallel_date(day(2), Good(1))
        .end_parallel(613, 0);
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [2, 0, 0, 0, 29, 31]);
    assert!(parsed.summary.notes.iter().any(|note| note.contains("613")));
}

#[test]
fn a_log_that_ends_in_the_middle_of_a_line_counts_what_is_whole() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(3), None)
        .info("Processing day 1/3: 2024-01-01")
        .info("  ✓ Success: 245 records");
    let whole = log.text.clone();
    let full = parse(whole.as_bytes()).summary;
    let mut successes = Vec::new();
    for cut in 1..whole.len() {
        let summary = parse(&whole.as_bytes()[..cut]).summary;
        if summary.successful_days > 0 {
            assert_eq!(summary.total_records, full.total_records, "cut at {cut}");
            successes.push(cut);
        }
    }
    assert!(!successes.is_empty());
}

#[test]
fn a_run_that_begins_behind_a_cut_line_is_another_run() {
    let mut first = Log::new(Form::Named);
    first
        .begin(day(1), day(5), None)
        .date("day", 1, 5, day(1), Good(16))
        .date("day", 2, 5, day(2), Bad)
        .info("Processing day 3/5: 2024-01-03");
    let mut second = Log::new(Form::Named);
    second
        .begin(day(1), day(5), Some(day(3)))
        .dates(
            "day",
            &[(day(3), Good(1)), (day(4), Good(1)), (day(5), Good(1))],
        )
        .end(day(1), day(5), 3, 0);
    let last_line = first.text.trim_end().rfind('\n').expect("several lines") + 1;
    for cut in last_line..first.text.len() {
        let text = format!("{}{}", &first.text[..cut], second.text);
        let parsed = parse(text.as_bytes());
        assert_eq!(parsed.summary.runs, 2, "cut at {cut}");
        assert_eq!(parsed.figures(), [4, 1, 0, 0, 0, 5], "cut at {cut}");
        assert_eq!(parsed.summary.state, LogState::Completed);
    }
}

#[test]
fn a_progress_bar_on_the_same_line_hides_nothing() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(2), None)
        .raw("\r  0%|          | 0/2 [00:00<?, ?it/s]")
        .info("Processing day 1/2: 2024-01-01")
        .raw("\r 50%|█████     | 1/2 [00:01<00:01,  1.00s/it]\r")
        .info("  ✓ Success: 16 records")
        .raw(&"\r 99%|█████████▉| 1/2 [00:01<00:01,  1.00s/it]".repeat(1000))
        .info("Processing day 2/2: 2024-01-02")
        .info("  ✓ Success: 16 records");
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [2, 0, 0, 0, 0, 2]);
    assert_eq!(
        parsed.summary.log.lines,
        log.text.matches('\n').count() as u64
    );
}

#[test]
fn holes_escapes_and_broken_characters_hide_nothing() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(2), None)
        .date("day", 1, 2, day(1), Good(16));
    let mut bytes = vec![0; 100_000];
    bytes.extend_from_slice("\u{feff}".as_bytes());
    bytes.extend_from_slice(log.text.as_bytes());
    bytes.extend_from_slice(b"\xff\xfe\xe2\x9c\n\x1b[2J\xe2\x9c");
    bytes.extend_from_slice(&[0; 7]);
    let mut rest = Log::new(Form::Coloured);
    rest.date("day", 2, 2, day(2), Bad);
    bytes.extend_from_slice(rest.text.as_bytes());
    let parsed = parse(&bytes);
    assert_eq!(parsed.figures(), [1, 1, 0, 0, 0, 2]);
}

#[test]
fn what_a_log_says_never_carries_an_escape_further() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(1), None)
        .info("Processing day 1/1: 2024-01-01")
        .error("  ✗ Exception: \x1b]0;owned\x07\x1b[31mred\x1b[0m \x08\x08");
    let parsed = log.parse();
    let reason = parsed.entry(day(1)).reason.clone().expect("a reason");
    assert!(!reason.contains('\x1b'), "{reason:?}");
}

#[test]
fn a_line_of_many_megabytes_is_one_line() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(2), None)
        .date("day", 1, 2, day(1), Good(16))
        .raw(&"x✓ Success: 1 records".repeat(200_000))
        .raw("\n")
        .info("Processing day 2/2: 2024-01-02")
        .error(&format!(
            "Exception during processing: {}",
            "y".repeat(3 << 20)
        ));
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [1, 1, 0, 0, 0, 2]);
    assert_eq!(parsed.summary.log.lines, log.text.lines().count() as u64);
}

#[test]
fn a_figure_that_is_too_large_is_left_out_and_said_with_its_line() {
    let huge = "99,999,999,999,999,999,999";
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(3), None)
            .date("day", 1, 3, day(1), Good(16))
            .info("Processing day 2/3: 2024-01-02");
        let first = log.text.lines().count() + 1;
        log.info(&format!("  ✓ Success: {huge} records"));
        let one = log.parse();
        assert_eq!(one.figures(), [1, 0, 0, 0, 2, 3], "{form:?}");
        let note =
            format!("line {first} has a figure that is too large to be a count; it was left out");
        assert!(one.summary.notes.contains(&note), "{:?}", one.summary.notes);
        log.info(&format!("Processing day 3/{huge}: 2024-01-03"))
            .info(&format!("  ✓ 2024-01-03: {huge} records"))
            .info("DAY-BY-DAY BACKFILL SUMMARY:")
            .info(&format!("Failed days: {huge}"));
        let four = log.parse();
        assert_eq!(four.figures(), [1, 0, 0, 0, 2, 3], "{form:?}");
        let note = format!(
            "4 lines have a figure that is too large to be a count, the first is line {first}; they were left out"
        );
        assert!(
            four.summary.notes.contains(&note),
            "{:?}",
            four.summary.notes
        );
    }
}

#[test]
fn an_opening_goes_on_without_a_figure_that_is_too_large() {
    let mut log = Log::new(Form::Named);
    log.info("Upcoming Player Game Context Backfill")
        .info("Total Days: 99999999999999999999");
    let notes = log.parse().summary.notes;
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("line 2 has a figure")),
        "{notes:?}"
    );
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(2), None)
        .date("day", 1, 2, day(1), Good(18_446_744_073_709_551_615));
    let parsed = log.parse();
    assert_eq!(
        parsed.summary.notes,
        Vec::<String>::new(),
        "the largest one is taken"
    );
    assert_eq!(parsed.summary.total_records, u64::MAX);
}

#[test]
fn a_failure_is_read_behind_a_collector_and_a_library() {
    let mut log = Log::new(Form::Bare);
    log.begin(day(1), day(2), None)
        .date("day", 1, 2, day(1), Good(16))
        .date("day", 2, 2, day(2), Bad)
        .end(day(1), day(2), 1, 1);
    let wrapped: String = log
        .text
        .lines()
        .map(|line| {
            let level = if line.contains('✗') { "ERROR" } else { "INFO" };
            format!(
                "2026-01-03T13:45:12.345678901Z stderr F 2026-01-03 13:45:12,123 {level} [main] c.e.Backfill - {line}\n"
            )
        })
        .collect();
    let summary = parse(wrapped.as_bytes()).summary;
    assert_eq!(summary.failed_dates, days([2]));
    assert_eq!(summary.successful_days, 1);
}

#[test]
fn a_known_line_after_an_unknown_prefix_is_said_to_be_one() {
    let log =
        "#7 <job-x> :: Processing day 1/2: 2024-01-01\n#7 <job-x> ::   ✓ Success: 16 records\n";
    let found = parse(log.as_bytes()).summary;
    assert_eq!(found.state, LogState::Unknown);
    assert!(
        found.notes[0].contains("after a prefix that is not known, \"#7 <job-x> ::"),
        "{:?}",
        found.notes
    );
}

#[test]
fn one_line_that_any_job_could_write_is_not_a_job() {
    for line in [
        "Failed: quota",
        "Exception: boom",
        "  Progress: 3/10 game dates",
    ] {
        let log = format!("2026-01-03 13:45:12 starting\n{line}\nbye\n");
        let found = parse(log.as_bytes()).summary;
        assert_eq!(found.state, LogState::Unknown, "{line}");
    }
}
