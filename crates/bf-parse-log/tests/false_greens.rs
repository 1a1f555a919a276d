//! Logs that look like a whole backfill and are none.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod support;

use bf_contract::{LedgerStatus, LogState};
use support::Fate::{Bad, Bootstrap, Good};
use support::{FORMS, Form, Log, day, days};

/// A parallel run over five days by the player job, every day well.
fn player_run(log: &mut Log) {
    log.configuration(day(1), day(5), false)
        .info("🚀 PARALLEL BACKFILL MODE - 4 CONCURRENT WORKERS")
        .info("   Date range: 2024-01-01 to 2024-01-05")
        .info("Processing 5 days with 4 parallel workers")
        .info(
            "Checkpoint: /tmp/backfill_checkpoints/player_game_summary_2024-01-01_2024-01-05.json",
        )
        .info("PARALLEL PROCESSING STARTED");
    for n in 1..=5 {
        log.parallel_date(day(n), Good(245));
    }
    log.end_parallel(5, 0);
}

#[test]
fn what_one_job_failed_at_stays_failed_where_another_one_runs_in_parallel() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(5), None)
            .date("day", 1, 5, day(1), Good(16))
            .date("day", 2, 5, day(2), Bad)
            .date("day", 3, 5, day(3), Good(16))
            .date("day", 4, 5, day(4), Good(16))
            .date("day", 5, 5, day(5), Good(16))
            .end(day(1), day(5), 4, 1);
        player_run(&mut log);
        let parsed = log.parse();
        assert_eq!(parsed.summary.failed_dates, days([2]), "{form:?}");
        assert_eq!(parsed.figures(), [4, 1, 0, 0, 0, 5], "{form:?}");
    }
}

#[test]
fn another_job_does_not_finish_a_run_that_was_broken_off() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(5), None)
        .date("day", 1, 5, day(1), Good(16))
        .date("day", 2, 5, day(2), Good(16));
    player_run(&mut log);
    let broken_off = log.parse().summary;
    assert_eq!(broken_off.state, LogState::Interrupted);
    assert!(
        broken_off
            .notes
            .iter()
            .any(|note| note.contains("the run of team_offense_game_summary was broken off")),
        "{:?}",
        broken_off.notes
    );

    log.begin(day(1), day(5), Some(day(3))).dates(
        "day",
        &[(day(3), Good(16)), (day(4), Good(16)), (day(5), Good(16))],
    );
    log.end(day(1), day(5), 3, 0);
    assert_eq!(log.parse().summary.state, LogState::Completed);
}

#[test]
fn a_success_that_the_jobs_own_summary_does_not_count_is_in_doubt() {
    for form in FORMS {
        let good = [(day(1), Good(16)), (day(2), Good(16)), (day(3), Good(16))];
        let mut sequential = Log::new(form);
        sequential
            .begin(day(1), day(3), None)
            .dates("day", &good)
            .end(day(1), day(3), 2, 1);
        let mut parallel = Log::new(form);
        parallel.begin_parallel(day(1), day(3), None);
        for (date, fate) in good {
            parallel.parallel_date(date, fate);
        }
        parallel.end_parallel(2, 1);
        for log in [&sequential, &parallel] {
            let parsed = log.parse();
            assert_eq!(parsed.figures(), [2, 0, 0, 0, 1, 3], "{form:?}");
            assert_eq!(
                parsed.summary.unaccounted_dates, None,
                "nobody knows which date"
            );
            assert!(
                parsed
                    .summary
                    .notes
                    .iter()
                    .any(|note| note.contains("in doubt"))
            );
        }

        // A run that says everything anew leaves no doubt.
        sequential
            .begin(day(1), day(3), None)
            .dates("day", &good)
            .end(day(1), day(3), 3, 0);
        assert_eq!(sequential.parse().figures(), [3, 0, 0, 0, 0, 3]);
    }
}

#[test]
fn a_failure_of_a_list_that_no_line_names_is_in_doubt_within_the_range() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(3), None)
        .dates(
            "day",
            &[(day(1), Good(16)), (day(2), Good(16)), (day(3), Good(16))],
        )
        .end(day(1), day(3), 3, 0)
        .begin_list(1)
        .info("Processing date 1'1: 2024-01-02")
        .error("  ✗ Failed: Unknown error")
        .end_list(0, 1);
    assert_eq!(log.parse().figures(), [2, 0, 0, 0, 1, 3]);

    let mut named_twice = Log::new(Form::Named);
    named_twice
        .begin(day(1), day(1), None)
        .dates("day", &[(day(1), Good(16))])
        .end(day(1), day(1), 1, 0)
        .begin_list(2)
        .dates("date", &[(day(1), Bad), (day(1), Good(16))])
        .end_list(1, 1);
    assert_eq!(named_twice.parse().figures(), [0, 1, 0, 0, 0, 1]);
}

#[test]
fn a_list_that_was_broken_off_is_done_by_the_same_list_and_by_no_other() {
    let broken_off = || {
        let mut log = Log::new(Form::Named);
        log.begin_list(4).date("date", 1, 4, day(1), Good(16));
        log
    };
    let mut another = broken_off();
    another
        .begin_list(3)
        .dates(
            "date",
            &[
                (day(11), Good(16)),
                (day(12), Good(16)),
                (day(13), Good(16)),
            ],
        )
        .end_list(3, 0);
    let parsed = another.parse();
    assert_eq!(parsed.figures(), [4, 0, 0, 0, 3, 7], "three have no name");
    assert_eq!(parsed.summary.unaccounted_dates, None);

    let mut same = broken_off();
    same.begin_list(4)
        .dates(
            "date",
            &[
                (day(1), Good(16)),
                (day(2), Good(16)),
                (day(3), Good(16)),
                (day(4), Good(16)),
            ],
        )
        .end_list(4, 0);
    assert_eq!(same.parse().figures(), [4, 0, 0, 0, 0, 4]);
}

#[test]
fn a_dry_run_that_leaves_dates_out_still_has_a_range_to_do() {
    let mut log = Log::new(Form::Timed);
    log.info("Starting day-by-day precompute backfill from 2024-01-01 to 2024-01-05")
        .info("Processing 3 game dates (of 3 total game dates)")
        .info("  (Skipping 2 off-days in the calendar range)")
        .date("game date", 1, 3, day(1), Bootstrap)
        .info("Processing game date 2/3: 2024-01-03")
        .info("  ✓ Dry run: 300 players available")
        .info("Processing game date 3/3: 2024-01-05")
        .info("  ✓ Dry run: 300 players available")
        .info("PHASE 4 BACKFILL SUMMARY - PlayerShotZoneAnalysisProcessor:");
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::DryRun);
    assert_eq!(parsed.figures(), [0, 0, 1, 0, 2, 3]);
}

#[test]
fn a_date_that_is_written_anew_is_no_success_in_a_log_without_prefixes_either() {
    let mut log = Log::new(Form::Bare);
    log.begin_parallel(day(1), day(2), None)
        .parallel_date(day(1), Good(16))
        .parallel_date(day(2), Good(16))
        .end_parallel(2, 0);
    log.begin_parallel(day(1), day(2), None).chatter(day(1));
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::Running);
    assert_eq!(parsed.entry(day(1)).status, LedgerStatus::InProgress);
}

#[test]
fn a_summary_that_counts_failures_no_line_shows_is_a_doubt_that_is_a_failure() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(3), None)
            .dates(
                "day",
                &[(day(1), Good(16)), (day(2), Good(16)), (day(3), Good(16))],
            )
            .end(day(1), day(3), 3, 2);
        let parsed = log.parse();
        assert_eq!(parsed.figures(), [1, 0, 0, 0, 2, 3], "{form:?}");
        assert!(parsed.summary.has_failure_in_doubt());

        // Every line twice, from two handlers of one logger, changes nothing.
        let twice: String = log
            .text
            .lines()
            .map(|line| format!("{line}\n{line}\n"))
            .collect();
        let parsed = support::parse(twice.as_bytes());
        assert_eq!(parsed.figures(), [1, 0, 0, 0, 2, 3], "{form:?}");
        assert!(parsed.summary.has_failure_in_doubt());
    }
}

#[test]
fn two_jobs_that_write_at_the_same_time_are_never_a_success() {
    let checkpoint = |job: &str| {
        format!("Checkpoint: /tmp/backfill_checkpoints/{job}_2024-01-01_2024-01-03.json")
    };
    let mut sequential = Log::new(Form::Named);
    sequential
        .begin(day(1), day(3), None)
        .date("day", 1, 3, day(1), Good(16))
        .date("day", 2, 3, day(2), Bad);
    player_run(&mut sequential);
    sequential
        .date("day", 3, 3, day(3), Good(16))
        .end(day(1), day(3), 2, 1);

    let mut woven = Log::new(Form::Named);
    woven
        .configuration(day(1), day(3), false)
        .configuration(day(1), day(3), false)
        .info(&checkpoint("one"))
        .info(&checkpoint("other"));
    for n in [1, 2, 3] {
        woven
            .parallel_date(day(n), if n == 2 { Bad } else { Good(16) })
            .parallel_date(day(n), Good(16));
    }
    woven.end_parallel(3, 0).end_parallel(2, 1);

    for log in [&sequential, &woven] {
        let summary = log.parse().summary;
        assert_eq!(summary.failed_dates, days([2]));
        assert_eq!(summary.successful_days, 0, "whose they are nobody knows");
        let two = |doubt: &bf_contract::Doubt| doubt.kind == bf_contract::DoubtKind::TwoJobs;
        assert!(summary.doubts.iter().any(two), "{:?}", summary.doubts);
    }
}

#[test]
fn an_end_marker_alone_proves_nothing() {
    let mut log = Log::new(Form::Named);
    log.info("PARALLEL BACKFILL COMPLETE");
    assert_eq!(log.parse().summary.state, bf_contract::LogState::Unknown);
}

#[test]
fn a_job_of_another_kind_does_not_make_a_failure_good() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(2), None)
        .dates("day", &[(day(1), Good(16)), (day(2), Bad)])
        .end(day(1), day(2), 1, 1)
        .info("2024-01-02: success");
    assert_eq!(log.parse().summary.failed_dates, days([2]));
}

#[test]
fn a_beginning_among_the_dates_of_another_run_is_of_another_job() {
    let mut log = Log::new(Form::Named);
    log.begin_list(2)
        .date("date", 1, 2, day(1), Bad)
        .configuration(day(1), day(2), false)
        .date("date", 2, 2, day(2), Good(16))
        .end_list(1, 1)
        .info("Will process 2 days from 2024-01-01 to 2024-01-02")
        .date("day", 1, 2, day(1), Good(16))
        .info("  Failed dates: 2024-01-01")
        .date("day", 2, 2, day(2), Good(16))
        .end(day(1), day(2), 2, 0);
    let doubts = log.parse().summary.doubts;
    let two = |doubt: &bf_contract::Doubt| doubt.kind == bf_contract::DoubtKind::TwoJobs;
    assert!(doubts.iter().any(two), "{doubts:?}");
}
