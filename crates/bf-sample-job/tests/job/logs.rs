//! What the job prints, mode by mode. Whole logs are compared where the order is certain.

use crate::support::Place;

/// The log with the warehouse's folder and the figures that depend on time taken out.
fn shape(log: &str, place: &Place) -> String {
    let folder = place.path("").display().to_string();
    log.replace(&folder, "WH/")
}

#[test]
fn a_sequential_run_prints_its_dates_its_progress_and_its_summary() {
    let place = Place::new();
    let ran = place.run(
        "team-offense --start-date 2023-11-20 --end-date 2023-11-29 --no-resume \
         --fail-dates 2023-11-21 --exception-dates 2023-11-22",
    );
    let log = shape(&ran.log, &place);
    let lines: Vec<&str> = log.lines().collect();
    let head = [
        "INFO:__main__:Day-by-day analytics backfill configuration:",
        "INFO:__main__:  Date range: 2023-11-20 to 2023-11-29",
        "INFO:__main__:  Dry run: False",
        "INFO:__main__:  No resume: True",
        "INFO:__main__:  Parallel: False",
        "INFO:__main__:  Processing strategy: Day-by-day (sequential)",
        "INFO:__main__:Starting day-by-day analytics backfill from 2023-11-20 to 2023-11-29",
        "INFO:__main__:Will process 10 days from 2023-11-20 to 2023-11-29",
        "INFO:__main__:Processing 10 days individually (day-by-day approach)",
        "INFO:__main__:Checkpoint: WH/checkpoints/team_offense_game_summary_2023-11-20_2023-11-29.json",
        "INFO:__main__:Processing day 1/10: 2023-11-20",
        "INFO:analytics_base:ANALYTICS_STEP Starting analytics processor for 2023-11-20",
    ];
    assert_eq!(lines[..head.len()], head);
    assert!(
        lines[head.len()].starts_with("INFO:__main__:  ✓ Success: "),
        "{log}"
    );

    let failure = "\
INFO:__main__:Processing day 2/10: 2023-11-21
INFO:analytics_base:ANALYTICS_STEP Starting analytics processor for 2023-11-21
ERROR:analytics_base:AnalyticsProcessorBase Error: No data extracted for 2023-11-21
ERROR:__main__:  ✗ Failed: 2023-11-21
";
    assert!(log.contains(failure), "{log}");
    let exception = "\
ERROR:__main__:Exception during processing: 429 Exceeded rate limits: too many table update operations for this table
Traceback (most recent call last):
  File \"backfill_jobs/analytics/team_offense_game_summary/team_offense_game_summary_analytics_backfill.py\", line";
    assert!(log.contains(exception), "{log}");
    let raised = "ERROR:__main__:  ✗ Exception: 429 Exceeded rate limits: too many table update operations for this table\n";
    assert!(log.contains(raised), "{log}");
    // Thanksgiving.
    let off = "processor for 2023-11-23\nINFO:__main__:  ✓ Success: 0 records\n";
    assert!(log.contains(off), "{log}");

    let records = place.number("SELECT count(*) FROM team_offense_game_summary");
    let tail = format!(
        "\
INFO:__main__:Progress: 10/10 days (80.0% success), {records} total records (avg {:.0}/day)
INFO:__main__:{rule}
INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:
INFO:__main__:  Date range: 2023-11-20 to 2023-11-29
INFO:__main__:  Total days: 10
INFO:__main__:  Successful days: 8
INFO:__main__:  Failed days: 2
INFO:__main__:  Success rate: 80.0%
INFO:__main__:  Total records processed: {records}
INFO:__main__:  Average records per day: {:.1}
INFO:__main__:  Total teams: {records}
INFO:__main__:  Total games: {}
INFO:__main__:
📊 Checkpoint Summary:
INFO:__main__:   Total successful: 0
INFO:__main__:   Total failed: 0
INFO:__main__:   Checkpoint file: WH/checkpoints/team_offense_game_summary_2023-11-20_2023-11-29.json
INFO:__main__:
  Failed dates (2 total):
INFO:__main__:    2023-11-21, 2023-11-22
INFO:__main__:
  To retry failed days, use --dates parameter:
INFO:__main__:    python backfill_jobs/analytics/team_offense_game_summary/team_offense_game_summary_analytics_backfill.py --dates 2023-11-21,2023-11-22
INFO:__main__:{rule}
",
        records as f64 / 8.0,
        records as f64 / 8.0,
        records / 2,
        rule = "=".repeat(80),
    );
    assert!(log.ends_with(&tail), "{log}\n--- expected end\n{tail}");
}

#[test]
fn a_parallel_run_claims_every_date_once_and_every_tenth_brings_progress() {
    let place = Place::new();
    let ran = place.run(
        "player-summary --start-date 2024-01-01 --end-date 2024-01-25 --parallel --workers 4 --no-resume \
         --fail-dates 2024-01-20 --exception-dates 2024-01-02",
    );
    assert_eq!(
        ran.lines("INFO:__main__:  ✓ 2024-01-").count(),
        23,
        "{}",
        ran.log
    );
    assert_eq!(ran.lines("INFO:analytics_base:ANALYTICS_STEP ").count(), 25);
    assert!(ran.says("ERROR:__main__:  ✗ 2024-01-20: Processing failed"));
    let raised = "ERROR:__main__:Exception processing 2024-01-02: 429 Exceeded rate limits";
    assert_eq!(ran.lines(raised).count(), 1);
    let progress: Vec<&str> = ran.lines("INFO:__main__:PROGRESS: ").collect();
    let expected = [
        "INFO:__main__:PROGRESS: 10/25 days (40.0%)",
        "INFO:__main__:PROGRESS: 20/25 days (80.0%)",
    ];
    assert_eq!(progress, expected);

    let records = place.number("SELECT count(*) FROM player_game_summary");
    let with_comma = format!("{},{:03}", records / 1000, records % 1000);
    for line in [
        "INFO:__main__:  Parallel mode: True",
        "INFO:__main__:  Processing strategy: PARALLEL (10-20x faster)",
        "INFO:__main__:🚀 PARALLEL BACKFILL MODE - 4 CONCURRENT WORKERS",
        "INFO:__main__:   Expected speedup: ~4x faster than sequential",
        "INFO:__main__:Estimated completion time: 15.6 hours",
        "INFO:__main__:PARALLEL PROCESSING STARTED",
        "INFO:__main__:PARALLEL BACKFILL COMPLETE",
        "INFO:__main__:  Total days: 25",
        "INFO:__main__:  Successful: 23",
        "INFO:__main__:  Failed: 2",
        "INFO:__main__:  Success rate: 92.0%",
        &format!("INFO:__main__:  Total records: {with_comma}"),
        "INFO:__main__:  Speedup vs sequential: ~4x",
        "  Failed dates (2):",
        "INFO:__main__:    2024-01-02, 2024-01-20",
        "INFO:__main__:    python backfill_jobs/analytics/player_game_summary/player_game_summary_analytics_backfill.py --dates 2024-01-02,2024-01-20 --parallel --workers 4",
    ] {
        assert!(ran.says(line), "{line} is not in\n{}", ran.log);
    }
}

#[test]
fn the_two_jobs_say_the_end_of_a_parallel_run_differently() {
    let place = Place::new();
    let ran = place
        .run("team-offense --start-date 2024-01-01 --end-date 2024-01-10 --parallel --workers 3");
    for line in [
        "INFO:__main__:  Parallel: True",
        "INFO:__main__:  Processing strategy: Parallel (15x faster)",
        "INFO:__main__:PROGRESS: 10/10 (100.0%)",
        "INFO:__main__:  Success rate: 100.0%",
        "INFO:__main__:  Elapsed: 0.0h | Remaining: 0.0h",
        "INFO:__main__:  Processed: 10",
        "INFO:__main__:  Total time: 0.0 hours",
    ] {
        assert!(ran.says(line), "{line} is not in\n{}", ran.log);
    }
    assert!(!ran.log.contains("POST-BACKFILL VALIDATION"));
}

#[test]
fn single_dates_are_processed_in_the_order_given() {
    let place = Place::new();
    let ran =
        place.run("team-offense --dates 2024-01-06,2024-01-05,2024-01-04 --fail-dates 2024-01-05");
    let records = place.number("SELECT count(*) FROM team_offense_game_summary");
    let rule = "=".repeat(80);
    let tail = format!(
        "\
INFO:__main__:{rule}
INFO:__main__:SPECIFIC DATES PROCESSING SUMMARY:
INFO:__main__:  Total dates: 3
INFO:__main__:  Successful: 2
INFO:__main__:  Failed: 1
INFO:__main__:  Total records: {records}
INFO:__main__:  Average per date: {:.1}
INFO:__main__:  Failed dates: 2024-01-05
INFO:__main__:{rule}
",
        records as f64 / 2.0
    );
    assert!(ran.log.starts_with(
        "INFO:__main__:Processing 3 specific dates\nINFO:__main__:Processing 3 specific dates\n\
         INFO:__main__:Processing date 1/3: 2024-01-06\n"
    ));
    assert!(
        ran.log
            .contains("for 2024-01-05\nERROR:__main__:  ✗ Failed: Unknown error\n"),
        "{}",
        ran.log
    );
    assert!(ran.log.ends_with(&tail), "{}", ran.log);
}

#[test]
fn the_check_after_a_player_run_looks_at_the_table() {
    let place = Place::new();
    let good = place.run("player-summary --start-date 2024-01-05 --end-date 2024-01-06");
    assert!(good.says(
        "INFO:shared.validation.backfill_validator:✅ Backfill validation PASSED: 2/2 dates OK"
    ));
    // The real job complains about days without games, and about these only rightly.
    let off = place.run("player-summary --start-date 2023-11-22 --end-date 2023-11-23");
    let complaint = "ERROR:shared.validation.backfill_validator:   - 2023-11-23: No data found";
    assert!(off.says(complaint), "{}", off.log);
    let empty = place.run("player-summary --dates 2024-01-05 --empty-usage all");
    let issue = "INFO:shared.validation.backfill_validator:     - usage_rate coverage 0.0% < 80.0%";
    assert!(empty.says(issue), "{}", empty.log);
}

#[test]
fn a_wrong_date_is_exit_1_and_a_refused_range_exit_0() {
    let place = Place::new();
    let cases = [
        (
            "team-offense",
            1,
            "ERROR:__main__:--start-date is required for range processing",
        ),
        (
            "team-offense --start-date 2024-02-30",
            1,
            "ERROR:__main__:Invalid start date format: 2024-02-30",
        ),
        (
            "player-summary --start-date 2024-02-01 --end-date x",
            1,
            "ERROR:__main__:Invalid end date format: x",
        ),
        (
            "team-offense --dates 2024-01-01,",
            1,
            "ERROR:__main__:Expected format: YYYY-MM-DD,YYYY-MM-DD,...",
        ),
        (
            "team-offense --start-date 2024-02-01 --end-date 2024-01-01",
            0,
            "ERROR:__main__:Start date must be before end date",
        ),
        (
            "player-summary --parallel --end-date 2999-01-01",
            0,
            "ERROR:__main__:End date cannot be in the future",
        ),
    ];
    for (words, code, line) in cases {
        let ran = place.run(words);
        assert_eq!(ran.code, code, "{words}");
        assert!(ran.says(line), "{words}: {}", ran.log);
    }
    assert_eq!(
        place
            .run("team-offense --start-date 2024-01-01 --nonsense")
            .code,
        2
    );
    assert_eq!(
        place
            .run("team-offense --start-date 2024-01-01 --fail-dates yesterday")
            .code,
        2
    );
}

#[test]
fn a_warehouse_that_cannot_be_opened_is_named() {
    let place = Place::new();
    std::fs::write(
        place.path("nba_analytics.db"),
        "this is not a database, whatever its name says",
    )
    .expect("a file");
    let ran = place.run("team-offense --start-date 2024-01-01");
    assert_eq!(ran.code, 1);
    assert!(ran.log.contains("nba_analytics.db"), "{}", ran.log);
}

#[test]
fn a_clean_log_has_no_error_no_warning_and_no_other_logger() {
    let place = Place::new();
    let ran = place.run("player-summary --start-date 2023-11-15 --end-date 2023-11-30 --clean-log");
    assert!(ran.says("INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:"));
    let strange = ["ERROR", "WARNING", "analytics_base", "validat"];
    assert!(
        strange.iter().all(|word| !ran.log.contains(word)),
        "{}",
        ran.log
    );
}

#[test]
fn the_other_format_begins_with_the_time() {
    let place = Place::new();
    let ran = place.run("team-offense --start-date 2024-01-01 --log-format asctime");
    let line = ran.log.lines().next().expect("a line");
    let (time, rest) = line.split_at(23);
    assert_eq!(
        rest,
        " - INFO - Day-by-day analytics backfill configuration:"
    );
    let digits: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(digits, "0000-00-00 00:00:00,000");
}
