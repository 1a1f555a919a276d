//! One run in a log, in every dialect and form.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod support;

use bf_contract::{ErrorClass, LedgerStatus, LogState};
use support::Fate::{Bad, Bootstrap, Good, Thrown};
use support::{FORMS, Form, Log, date, day, days};

#[test]
fn a_sequential_run_is_read_in_every_form() {
    for form in FORMS.into_iter().chain([Form::Bare]) {
        let mut log = Log::new(form);
        log.begin(day(1), day(6), None)
            .dates(
                "day",
                &[
                    (day(1), Good(16)),
                    (day(2), Good(0)),
                    (day(3), Bad),
                    (day(4), Thrown),
                    (day(5), Good(14)),
                    (day(6), Good(12)),
                ],
            )
            .info("Progress: 6/6 days (66.7% success), 42 total records (avg 10/day)")
            .end(day(1), day(6), 4, 2);
        let parsed = log.parse();
        let summary = &parsed.summary;
        assert_eq!(summary.state, LogState::Completed, "{form:?}");
        assert_eq!(parsed.figures(), [4, 2, 0, 0, 0, 6], "{form:?}");
        assert_eq!(summary.failed_dates, days([3, 4]), "{form:?}");
        assert_eq!((summary.total_records, summary.zero_record_days), (42, 1));
        assert_eq!(summary.runs, 1);
        assert_eq!(
            summary.fatal_errors, 0,
            "a traceback of a failed day is not fatal"
        );
        assert_eq!(summary.job.as_deref(), Some("team_offense_game_summary"));
        assert_eq!(summary.dialect.as_deref(), Some("day_by_day"));
        assert_eq!(summary.notes, Vec::<String>::new(), "{form:?}");
        let classes: Vec<_> = summary
            .error_classes
            .iter()
            .map(|class| (class.class, class.count))
            .collect();
        if form != Form::Bare {
            assert_eq!(
                classes,
                [(ErrorClass::RateLimit, 1), (ErrorClass::NoData, 1)],
                "{form:?}"
            );
        }
    }
}

#[test]
fn a_parallel_run_is_read_in_every_form_and_order() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin_parallel(day(1), day(5), None)
            .parallel_date(day(2), Good(1_960))
            .info("PROGRESS: 1/5 days (20.0%)")
            .info("  Success: 1 (100.0%)")
            .info("  Failed: 0")
            .info("  Records: 1,960 (avg 1960/day)")
            .parallel_date(day(1), Thrown)
            .chatter(day(5))
            .parallel_date(day(4), Bad)
            .parallel_result(day(5), Good(40))
            .parallel_date(day(3), Good(0))
            .end_parallel(3, 2);
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Completed, "{form:?}");
        assert_eq!(parsed.figures(), [3, 2, 0, 0, 0, 5], "{form:?}");
        assert_eq!(parsed.summary.failed_dates, days([1, 4]));
        assert_eq!(parsed.summary.total_records, 2_000);
        assert_eq!(parsed.summary.dialect.as_deref(), Some("parallel"));
        assert_eq!(parsed.summary.notes, Vec::<String>::new(), "{form:?}");
        assert_eq!(
            parsed.entry(day(4)).reason.as_deref(),
            Some("Base Error: No data extracted for 2024-01-04")
        );
    }
}

#[test]
fn thousands_have_commas_in_some_jobs() {
    let mut log = Log::new(Form::Named);
    log.begin_parallel(day(1), day(1), None)
        .info("  ✓ 2024-01-01: 1,234 records");
    assert_eq!(log.parse().summary.total_records, 1_234);
}

#[test]
fn a_day_in_progress_is_not_a_failure() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(30), None)
            .date("day", 1, 30, day(1), Good(16))
            .info("Processing day 2/30: 2024-01-02")
            .chatter(day(2));
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Running);
        assert_eq!(parsed.figures(), [1, 0, 0, 0, 29, 30]);
        assert_eq!(parsed.summary.success_rate, Some(100.0));
        assert_eq!(parsed.summary.current_day, 1);
        assert_eq!(
            parsed.summary.unaccounted_dates, None,
            "not lost, only to come"
        );
        assert_eq!(parsed.entry(day(2)).status, LedgerStatus::InProgress);
        assert_eq!(parsed.gone.state, LogState::Interrupted);
        assert_eq!(
            parsed.gone.unaccounted_dates.as_ref().map(Vec::len),
            Some(29)
        );
    }
}

#[test]
fn a_rate_is_not_cut() {
    let mut log = Log::new(Form::Named);
    log.begin(date("2021-01-01"), date("2023-09-27"), None);
    for (at, date) in date("2021-01-01").iter_days().take(1000).enumerate() {
        let fate = if at % 1000 < 41 { Bad } else { Good(1) };
        log.date("day", at + 1, 1000, date, fate);
    }
    assert_eq!(log.parse().summary.success_rate, Some(95.9));
}

#[test]
fn a_resumed_run_counts_the_days_before_its_resume_point() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(10), Some(day(8)))
            .dates(
                "day",
                &[(day(8), Good(1)), (day(9), Bad), (day(10), Good(1))],
            )
            .end(day(1), day(10), 2, 1);
        let parsed = log.parse();
        assert_eq!(parsed.figures(), [2, 1, 0, 7, 0, 10], "{form:?}");
        assert_eq!(parsed.summary.current_day, 10);
        assert_eq!(parsed.summary.progress_pct, Some(100.0));
        assert_eq!(parsed.summary.unaccounted_dates, Some(vec![]));
    }
}

#[test]
fn a_resumed_parallel_run_has_the_whole_range_to_do() {
    for words in [
        "📂 Resuming from 2024-01-04",
        "📂 RESUMING from checkpoint: 2024-01-04",
    ] {
        let mut log = Log::new(Form::Named);
        log.configuration(day(1), day(5), false)
            .info("🚀 PARALLEL BACKFILL MODE - 4 CONCURRENT WORKERS")
            .info(words)
            .info("   Skipping 2 already-processed dates")
            .info("Processing 2 days with 4 parallel workers")
            .parallel_date(day(5), Good(1))
            .parallel_date(day(4), Good(1))
            .end_parallel(2, 0);
        let parsed = log.parse();
        assert_eq!(parsed.figures(), [2, 0, 0, 3, 0, 5], "{words}");
    }
}

#[test]
fn game_dates_are_what_a_phase_4_job_has_to_do() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.info("PHASE 3 PRE-FLIGHT CHECK")
            .info("Verifying Phase 3 data exists for 2024-01-01 to 2024-01-05...")
            .info("✅ Pre-flight check passed: Phase 3 data is ready")
            .info("Phase 4 precompute backfill configuration:")
            .info("  Processor: TeamDefenseZoneAnalysisProcessor")
            .info("  Date range: 2024-01-01 to 2024-01-05")
            .info("  Dry run: False")
            .info("Starting day-by-day precompute backfill from 2024-01-01 to 2024-01-05")
            .info("Fetching NBA schedule to find game dates...")
            .line(
                "INFO",
                "shared.backfill.schedule_utils",
                "Found 3 game dates out of 5 calendar days (skipping 2 off-days)",
            )
            .info("Processing 3 game dates (of 3 total game dates)")
            .info("  (Skipping 2 off-days in the calendar range)")
            .dates(
                "game date",
                &[(day(1), Bootstrap), (day(3), Good(30)), (day(5), Bad)],
            )
            .info("PHASE 4 BACKFILL SUMMARY - TeamDefenseZoneAnalysisProcessor:")
            .info("  Game dates processed: 3 (skipped 2 off-days)")
            .info("  Successful: 1, Skipped: 1, Failed: 1")
            .info("  Failed dates: [datetime.date(2024, 1, 5)]");
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Completed);
        assert_eq!(parsed.figures(), [1, 1, 1, 0, 0, 3], "{form:?}");
        assert_eq!(parsed.summary.dialect.as_deref(), Some("game_dates"));
        assert_eq!(
            parsed.summary.job.as_deref(),
            Some("team_defense_zone_analysis")
        );
        assert_eq!(parsed.summary.runs, 1);
        assert_eq!(
            parsed.entry(day(1)).reason.as_deref(),
            Some("bootstrap period")
        );
        assert_eq!(parsed.summary.notes, Vec::<String>::new());
    }
}

#[test]
fn a_resumed_run_over_game_dates_counts_those_before_its_resume_point() {
    let mut log = Log::new(Form::Named);
    log.info("Starting backfill from 2024-01-01 to 2024-01-09")
        .info("RESUMING from checkpoint: 2024-01-05")
        .raw("\n====\nCHECKPOINT STATUS: player_composite_factors\n  Total days: 9\n    - Failed:     0\n")
        .info("Processing 3 game dates (of 6 total game dates)")
        .info("  (Skipping 3 off-days in the calendar range)")
        .date("game date", 4, 6, day(5), Good(3));
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [1, 0, 0, 3, 2, 6]);
    assert_eq!(
        parsed.gone.unaccounted_dates, None,
        "only the schedule could name them"
    );
}

#[test]
fn a_parallel_run_over_game_dates_has_no_off_days_to_do() {
    let mut log = Log::new(Form::Named);
    log.info("Execution order: 3/5 (depends on #1, #2)")
        .info("Parallel mode: True")
        .info("🚀 PARALLEL BACKFILL MODE - 4 CONCURRENT WORKERS")
        .info("   Date range: 2024-01-01 to 2024-01-05")
        .info("Processing 3 game dates with 4 parallel workers")
        .info("  (Skipping 2 off-days in calendar range)")
        .info("PARALLEL PROCESSING STARTED")
        .parallel_result(day(1), Bootstrap)
        .parallel_result(day(5), Good(30))
        .parallel_result(day(2), Good(30))
        .info("PARALLEL BACKFILL COMPLETE")
        .info("  Total game dates: 3")
        .info("  Successful: 2")
        .info("  Skipped: 1")
        .info("  Failed: 0");
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [2, 0, 1, 0, 0, 3]);
    assert_eq!(parsed.summary.notes, Vec::<String>::new());
}

#[test]
fn the_upcoming_jobs_mark_their_dates_in_their_own_way() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.info("📂 Found checkpoint - resuming from 2024-01-03")
            .info("   Skipping 2 already-processed dates")
            .info(&"=".repeat(60))
            .info("Upcoming Player Game Context Backfill")
            .info("Date Range: 2024-01-01 to 2024-01-06")
            .info("Total Days: 6")
            .info("Remaining Days: 4")
            .info("Mode: PRODUCTION")
            .info("\n========================================\n")
            .info("Processing date 1/4: 2024-01-03")
            .info("✅ 2024-01-03: Processed 200 players (3 failed)")
            .info("Processing date 2/4: 2024-01-04")
            .line(
                "WARNING",
                "__main__",
                "⚠️  2024-01-04: Processing failed - No players found",
            )
            .info("Processing date 3/4: 2024-01-05")
            .error("❌ 2024-01-05: Exception - 429 Exceeded rate limits")
            .info("Processing date 4/4: 2024-01-06")
            .info("✅ 2024-01-06: Processed 30 teams, 15 games")
            .info("BACKFILL COMPLETE")
            .info("Date Range: 2024-01-01 to 2024-01-06")
            .info("Days Processed: 2/4")
            .info("Days Failed: 2")
            .info("Total Players Processed: 230");
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Completed, "{form:?}");
        assert_eq!(parsed.figures(), [2, 2, 0, 2, 0, 6], "{form:?}");
        assert_eq!(parsed.summary.total_records, 230);
        assert_eq!(parsed.summary.runs, 1);
        assert_eq!(parsed.summary.dialect.as_deref(), Some("upcoming"));
        assert_eq!(
            parsed.summary.job.as_deref(),
            Some("upcoming_player_game_context")
        );
        assert_eq!(
            parsed.entry(day(4)).reason.as_deref(),
            Some("No players found")
        );
    }
}

#[test]
fn a_list_of_dates_is_announced_twice_and_is_one_run() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin_list(3)
            .date("date", 1, 3, day(5), Good(16))
            .date("date", 2, 3, day(9), Thrown)
            .info("Processing date 3/3: 2024-01-12")
            .error("  ✗ Failed: Unknown error")
            .end_list(1, 2);
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Completed, "{form:?}");
        assert_eq!(parsed.figures(), [1, 2, 0, 0, 0, 3], "{form:?}");
        assert_eq!(parsed.summary.range, None);
        assert_eq!(parsed.summary.runs, 1);
        assert_eq!(parsed.summary.failed_dates, days([9, 12]));
    }
}

#[test]
fn a_date_that_a_list_names_twice_failed_if_one_of_its_attempts_did() {
    let mut log = Log::new(Form::Named);
    log.begin_list(2)
        .dates("date", &[(day(5), Bad), (day(5), Good(16))])
        .end_list(1, 1);
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [0, 1, 0, 0, 0, 1]);
    assert_eq!(parsed.entry(day(5)).attempts, 2);
}

#[test]
fn a_job_that_prints_only_counts_for_its_list_is_believed_where_they_leave_no_choice() {
    for (counts, figures) in [
        ("2 success, 0 skipped, 0 failed", [2, 0, 0, 0, 0, 2]),
        ("0 success, 2 skipped, 0 failed", [0, 0, 2, 0, 0, 2]),
        ("0 success, 0 skipped, 2 failed", [0, 2, 0, 0, 0, 2]),
        ("1 success, 0 skipped, 1 failed", [0, 0, 0, 0, 2, 2]),
    ] {
        let mut log = Log::new(Form::Named);
        log.info("Processing 2 specific dates")
            .info("Processing date 1/2: 2024-01-05")
            .info("Processing date 2/2: 2024-01-06")
            .info(&format!("Summary: {counts}"));
        let parsed = log.parse();
        assert_eq!(parsed.figures(), figures, "{counts}");
        assert_eq!(parsed.summary.state, LogState::Completed);
        let names_none = |note: &String| note.contains("does not say which");
        assert_eq!(parsed.summary.notes.iter().any(names_none), figures[4] > 0);
    }
}

#[test]
fn a_job_that_names_its_list_date_by_date_counts_its_skipped_ones_in_the_end() {
    let mut log = Log::new(Form::Named);
    log.info("Processing 4 specific dates")
        .info("  ✓ 2024-01-05: 30 players")
        .error("  ✗ 2024-01-06: 429 Exceeded rate limits")
        .info("  ✓ 2024-01-07: 30 players")
        .info("Summary: 2 success, 1 skipped, 1 failed");
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [2, 1, 1, 0, 0, 4]);
    assert_eq!(parsed.summary.runs, 1);
}

#[test]
fn a_job_that_says_one_word_for_each_date_never_says_that_it_is_over() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.info("2024-01-05: success")
            .info("2024-01-06: skipped_bootstrap")
            .error("Exception: 429 Exceeded rate limits")
            .raw("Traceback (most recent call last):\nRuntimeError: 429\n")
            .info("2024-01-07: exception");
        let parsed = log.parse();
        let summary = &parsed.summary;
        assert_eq!(summary.state, LogState::Running, "{form:?}");
        assert_eq!(
            (
                summary.successful_days,
                summary.skipped_days,
                summary.failed_days
            ),
            (1, 1, 1)
        );
        assert_eq!(summary.total_days, None);
        assert_eq!(
            parsed.entry(day(7)).reason.as_deref(),
            Some("429 Exceeded rate limits")
        );
        assert_eq!(parsed.gone.state, LogState::Interrupted);
    }
}

#[test]
fn the_reason_for_a_first_date_may_stand_before_anything_that_tells_of_a_run() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.error("Exception: 429 Exceeded rate limits")
            .raw("Traceback (most recent call last):\nRuntimeError: 429\n")
            .info("2024-01-05: exception");
        let parsed = log.parse();
        assert_eq!(
            parsed.summary.error_classes[0].class,
            ErrorClass::RateLimit,
            "{form:?}"
        );
        assert_eq!(parsed.summary.runs, 1);
    }
}

#[test]
fn an_exception_that_names_its_date_is_a_failure_without_a_sign() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(3), None)
        .info("Processing day 1/3: 2024-01-01")
        .error("Unexpected exception processing 2024-01-01: disk full")
        .info("Processing day 2/3: 2024-01-02")
        .info("  ✓ Success: 3 records")
        .error("Unexpected exception processing 2024-01-02: checkpoint not written")
        .info("Processing day 3/3: 2024-01-03")
        .error("Unexpected exception: of no date");
    let parsed = log.parse();
    assert_eq!(parsed.summary.failed_dates, days([1, 2, 3]));
    assert_eq!(
        parsed.summary.successful_days, 0,
        "what failed after its success failed"
    );
    assert_eq!(parsed.summary.total_records, 0);
}

#[test]
fn a_dry_run_is_no_success() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.configuration(day(1), day(2), true)
            .info("Starting day-by-day analytics backfill from 2024-01-01 to 2024-01-02")
            .info("Processing day 1/2: 2024-01-01")
            .info("DRY RUN MODE - checking data for 2024-01-01")
            .info("  ✓ Dry run complete")
            .info("Processing day 2/2: 2024-01-02")
            .info("  ✓ Dry run: 12 games available")
            .end(day(1), day(2), 0, 0);
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::DryRun, "{form:?}");
        assert_eq!(parsed.figures(), [0, 0, 0, 0, 2, 2]);
        assert_eq!(parsed.entry(day(1)).status, LedgerStatus::DryRun);
    }
}

#[test]
fn a_dry_run_that_only_says_so_is_one() {
    let mut log = Log::new(Form::Named);
    log.info("Upcoming Team Game Context Backfill")
        .info("Date Range: 2024-01-01 to 2024-01-09")
        .info("Mode: DRY RUN")
        .info("DRY RUN MODE - No data will be processed")
        .info("Would process team game context for 9 dates:")
        .info("  - 2024-01-01");
    assert_eq!(log.parse().summary.state, LogState::DryRun);
}

#[test]
fn what_happened_decides_over_the_dry_run_flag() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.configuration(day(1), day(2), true)
            .info("🚀 PARALLEL BACKFILL MODE - 4 CONCURRENT WORKERS")
            .parallel_date(day(1), Good(16))
            .parallel_date(day(2), Good(16))
            .end_parallel(2, 0);
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Completed, "{form:?}");
        assert_eq!(parsed.figures(), [2, 0, 0, 0, 0, 2]);
    }
}

#[test]
fn a_list_that_fails_because_it_was_only_to_be_looked_at_is_a_dry_run() {
    let mut log = Log::new(Form::Named);
    log.info("Processing 1 specific dates")
        .info("  Dependencies: {'available': True, 'missing': []}")
        .error("  ✗ 2024-01-05: Failed")
        .info("Summary: 0 success, 0 skipped, 1 failed");
    assert_eq!(log.parse().summary.state, LogState::DryRun);
}

#[test]
fn a_job_over_the_whole_range_names_no_date() {
    let mut log = Log::new(Form::Named);
    log.info("Upcoming Team Game Context Backfill")
        .info("Date Range: 2024-01-01 to 2024-01-09")
        .info("Mode: PRODUCTION")
        .info("Processing team game context for 2024-01-01 to 2024-01-09")
        .info("BACKFILL SUCCESSFUL")
        .info("Records Processed: 77");
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::Completed);
    assert_eq!(
        parsed.figures(),
        [0, 0, 0, 0, 9, 9],
        "no date is vouched for"
    );
}

#[test]
fn a_state_file_of_the_first_version_is_resumed() {
    let text = include_str!("../../../tests/monitor/state-v1.json");
    let state: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let claims = state["log"]["claims"].clone();
    let snapshot: bf_parse_log::Snapshot = serde_json::from_value(claims).expect("a snapshot");
    let parser = bf_parse_log::LogParser::restore(bf_parse_log::Dialects::built_in(), snapshot);
    let summary = parser.summary(bf_parse_log::LogEnd::StillWritten);
    assert_eq!((summary.successful_days, summary.total_days), (2, Some(9)));
}
