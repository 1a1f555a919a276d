//! Several runs in one log: the last word on each date counts, and no failure is lost.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod support;

use bf_contract::{DateRange, LedgerStatus, LogState};
use support::Fate::{Bad, Good, Thrown};
use support::{FORMS, Form, Log, date, day, days, parse};

/// A sequential run of five days with two failures.
fn full_run(form: Form) -> Log {
    let mut log = Log::new(form);
    log.begin(day(1), day(5), None)
        .dates(
            "day",
            &[
                (day(1), Good(16)),
                (day(2), Bad),
                (day(3), Good(14)),
                (day(4), Thrown),
                (day(5), Good(12)),
            ],
        )
        .end(day(1), day(5), 3, 2);
    log
}

#[test]
fn a_retry_of_named_dates_changes_their_last_word_and_not_the_total() {
    for form in FORMS {
        let mut log = full_run(form);
        log.begin_list(1)
            .dates("date", &[(day(2), Good(10))])
            .end_list(1, 0);
        let parsed = log.parse();
        let summary = &parsed.summary;
        assert_eq!(summary.state, LogState::Completed, "{form:?}");
        assert_eq!(parsed.figures(), [4, 1, 0, 0, 0, 5], "{form:?}");
        assert_eq!(
            summary.failed_dates,
            days([4]),
            "never tried again, however happy the last run is"
        );
        assert_eq!(
            summary.range,
            Some(DateRange {
                start: day(1),
                end: day(5)
            })
        );
        assert_eq!(summary.runs, 2);
        assert_eq!(summary.total_records, 52);
        let entry = parsed.entry(day(2));
        assert_eq!((entry.attempts, entry.run), (2, 2));
        assert_eq!(
            (parsed.entry(day(4)).attempts, parsed.entry(day(4)).run),
            (1, 1)
        );
    }
}

#[test]
fn a_date_that_failed_before_a_resume_stays_failed() {
    for form in FORMS {
        let mut log = Log::new(form);
        log.begin(day(1), day(5), None)
            .date("day", 1, 5, day(1), Good(1))
            .date("day", 2, 5, day(2), Bad)
            .date("day", 3, 5, day(3), Good(1))
            .info("Processing day 4/5: 2024-01-04");
        let broken_off = log.parse();
        assert_eq!(broken_off.gone.unaccounted_dates, Some(days([4, 5])));

        log.begin(day(1), day(5), Some(day(4)))
            .dates("day", &[(day(4), Good(1)), (day(5), Good(1))])
            .end(day(1), day(5), 2, 0);
        let parsed = log.parse();
        assert_eq!(parsed.summary.state, LogState::Completed);
        assert_eq!(parsed.figures(), [4, 1, 0, 0, 0, 5], "{form:?}");
        assert_eq!(parsed.summary.failed_dates, days([2]));
        assert_eq!(parsed.summary.runs, 2);
        assert_eq!(parsed.entry(day(4)).attempts, 2);
    }
}

#[test]
fn what_a_parallel_resume_silently_leaves_out_is_missing() {
    let mut log = Log::new(Form::Named);
    log.begin_parallel(day(1), day(6), None)
        .chatter(day(2))
        .parallel_date(day(1), Good(1))
        .parallel_date(day(3), Good(1))
        .begin_parallel(day(1), day(6), Some(day(4)))
        .parallel_date(day(4), Good(1))
        .parallel_date(day(5), Good(1))
        .parallel_date(day(6), Good(1))
        .end_parallel(3, 0);
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [5, 0, 0, 0, 1, 6]);
    assert_eq!(parsed.summary.unaccounted_dates, Some(days([2])));
    assert_eq!(parsed.entry(day(2)).status, LedgerStatus::Interrupted);
}

#[test]
fn dates_that_were_tried_again_do_not_finish_the_run_that_was_broken_off() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(5), None)
        .date("day", 1, 5, day(1), Bad)
        .date("day", 2, 5, day(2), Good(1))
        .begin_list(1)
        .dates("date", &[(day(1), Good(1))])
        .end_list(1, 0);
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::Interrupted);
    assert_eq!(parsed.figures(), [2, 0, 0, 0, 3, 5]);
    assert_eq!(parsed.summary.unaccounted_dates, Some(days([3, 4, 5])));
}

#[test]
fn a_retry_that_is_broken_off_does_not_make_a_failure_good() {
    let mut log = full_run(Form::Named);
    log.begin_list(2).info("Processing date 1/2: 2024-01-02");
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::Running);
    assert_eq!(parsed.gone.state, LogState::Interrupted);
    for summary in [&parsed.summary, &parsed.gone] {
        assert_eq!(summary.failed_dates, days([2, 4]));
        assert_eq!(summary.unaccounted_days, Some(0));
    }
    assert_eq!(parsed.entry(day(2)).attempts, 2);
}

#[test]
fn a_success_that_is_being_written_anew_is_none_before_it_is_done() {
    let mut log = full_run(Form::Named);
    log.begin(day(1), day(5), None)
        .info("Processing day 1/5: 2024-01-01");
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [2, 2, 0, 0, 1, 5]);
    assert_eq!(parsed.entry(day(1)).status, LedgerStatus::InProgress);
}

#[test]
fn a_second_run_over_the_same_range_has_the_last_word() {
    let mut log = full_run(Form::Named);
    log.begin_parallel(day(1), day(5), None);
    for n in [5, 4, 3, 2, 1] {
        log.parallel_date(day(n), if n == 1 { Bad } else { Good(20) });
    }
    log.end_parallel(4, 1);
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [4, 1, 0, 0, 0, 5]);
    assert_eq!(parsed.summary.failed_dates, days([1]));
    assert_eq!(parsed.summary.total_records, 80);
    assert_eq!(parsed.summary.dialect.as_deref(), Some("parallel"));
}

#[test]
fn ranges_of_several_runs_are_put_together() {
    for (second, total, range) in [
        // inside, around, overlapping, next to, far away
        ((day(2), day(3)), 5, (day(1), day(5))),
        (
            (date("2023-12-31"), day(9)),
            10,
            (date("2023-12-31"), day(9)),
        ),
        ((day(4), day(8)), 8, (day(1), day(8))),
        ((day(6), day(8)), 8, (day(1), day(8))),
        ((day(11), day(12)), 7, (day(1), day(12))),
    ] {
        let mut log = full_run(Form::Named);
        log.begin(second.0, second.1, None)
            .info(&format!("Processing day 1/9: {}", second.0));
        let parsed = log.parse();
        assert_eq!(parsed.summary.total_days, Some(total), "{second:?}");
        assert_eq!(
            parsed.summary.range,
            Some(DateRange {
                start: range.0,
                end: range.1
            }),
            "{second:?}"
        );
        assert!(parsed.summary.failed_dates.contains(&day(4)));
    }
}

#[test]
fn dates_outside_the_range_are_to_do_as_well() {
    let mut log = full_run(Form::Named);
    log.begin_list(2)
        .dates("date", &[(day(2), Good(1)), (day(20), Bad)])
        .end_list(1, 1);
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [4, 2, 0, 0, 0, 6]);
    assert_eq!(parsed.summary.failed_dates, days([4, 20]));
}

#[test]
fn a_dry_run_changes_nothing_that_was_written() {
    let mut log = full_run(Form::Named);
    log.configuration(day(1), date("2024-12-31"), true)
        .info("Starting day-by-day analytics backfill from 2024-01-01 to 2024-12-31")
        .info("Processing day 1/366: 2024-01-01")
        .info("  ✓ Dry run complete")
        .info("Processing day 2/366: 2024-01-02")
        .info("  ✓ Dry run complete");
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::DryRun);
    assert_eq!(parsed.figures(), [3, 2, 0, 0, 0, 5]);
}

#[test]
fn a_refused_run_behind_a_finished_one_is_the_last_thing_that_happened() {
    let mut log = full_run(Form::Named);
    log.configuration(day(1), date("2999-01-01"), false)
        .error("End date cannot be in the future");
    let parsed = log.parse();
    assert_eq!(parsed.summary.state, LogState::Refused);
    assert_eq!(parsed.summary.failed_dates, days([2, 4]));
    assert_eq!(parsed.summary.runs, 2);
}

#[test]
fn a_job_that_dies_before_its_first_date_and_is_started_again_ran_twice() {
    let mut log = Log::new(Form::Named);
    log.begin(day(1), day(5), None)
        .begin(day(1), day(5), None)
        .dates("day", &[(day(1), Good(1))]);
    let parsed = log.parse();
    assert_eq!(parsed.summary.runs, 2);
    assert_eq!(parsed.figures(), [1, 0, 0, 0, 4, 5]);
}

#[test]
fn a_log_whose_beginning_was_rotated_away_knows_no_range() {
    let mut log = Log::new(Form::Named);
    log.date("day", 1_000, 1_537, date("2024-07-14"), Good(16))
        .date("day", 1_001, 1_537, date("2024-07-15"), Bad);
    let parsed = log.parse();
    assert_eq!(parsed.figures(), [1, 1, 0, 0, 1_535, 1_537]);
    assert_eq!(parsed.summary.range, None);
    assert_eq!(parsed.summary.state, LogState::Running);
}

#[test]
fn what_one_job_failed_at_another_job_does_not_make_good() {
    let mut log = full_run(Form::Named);
    let checkpoint =
        "Checkpoint: /tmp/backfill_checkpoints/player_game_summary_2024-01-01_2024-01-05.json";
    log.configuration(day(1), day(5), false).info(checkpoint);
    for n in 1..=5 {
        log.parallel_date(day(n), Good(245));
    }
    log.end_parallel(5, 0);
    let parsed = log.parse();
    assert_eq!(parsed.summary.failed_dates, days([2, 4]));
    assert!(
        parsed
            .summary
            .notes
            .iter()
            .any(|note| note.contains("two jobs"))
    );
}

#[test]
fn appending_a_run_to_a_log_is_reading_one_after_the_other() {
    let first = full_run(Form::Timed);
    let mut second = Log::new(Form::Named);
    second
        .begin_list(1)
        .dates("date", &[(day(4), Good(10))])
        .end_list(1, 0);
    let parsed = parse(format!("{}{}", first.text, second.text).as_bytes());
    assert_eq!(parsed.figures(), [4, 1, 0, 0, 0, 5]);
}
