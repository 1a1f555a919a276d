use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::filter::Filter;
use super::{Reading, Scanner, State};
use crate::Dialects;
use crate::dialect::Scratch;
use crate::dialect::rules::{Line, Rules};

fn line() -> impl Strategy<Value = Vec<u8>> {
    let lead = prop::sample::select(vec![
        "INFO:__main__:",
        "INFO:__main_:",
        "INFO:root:",
        "INFO::",
        "INFO: ",
        "INFO:analytics_base:",
        "DEBUG:x.y:",
        "WARNING:a very long name of no logger ",
        "ERROR:x:",
        "WARNING:__main__:",
        "2026-01-03 13:45:12,345 - INFO - ",
        "2026-01-03 13:45:12,345 - WARNING - ",
        "2026-01-03 13:45:12,345 - DEBUG - ",
        "2026-01-03 13:45:12,34x - INFO - ",
        "2026-01-03 13:45:12,345 - ERROR - ",
        "2026-01-03 13:45:12,345 - x.y - INFO - ",
        "2026-01-03T13:45:12,345 - INFO - ",
        "",
    ]);
    let body = prop::sample::select(vec![
        "ANALYTICS_STEP Starting analytics processor for 2024-01-05",
        "Found 27 game dates out of 28 calendar days (skipping 1 off-days)",
        "  ✓ Success: 16 records",
        "  ✗ 2024-01-05: Processing failed",
        "✅ 2024-01-05: Processed 200 players (3 failed)",
        "Processing day 3/12: 2024-01-05",
        "Processing 12 days individually",
        "Starting backfill from 2024-01-01 to 2024-01-05",
        "Will process 12 days from 2024-01-01 to 2024-01-05",
        "Upcoming Player Game Context Backfill",
        "Unexpected exception processing 2024-01-05: x",
        "Exception processing 2024-01-05: x",
        "End date cannot be in the future",
        "Invalid start date format: x",
        "--start-date is required for range processing",
        "No game dates found in the specified range!",
        "Phase 4 precompute backfill: 2024-01-01 to 2024-01-05",
        "PHASE 4 BACKFILL SUMMARY - X",
        "SPECIFIC DATES PROCESSING SUMMARY:",
        "Summary: 1 success, 2 skipped, 3 failed",
        "DAY-BY-DAY BACKFILL SUMMARY:",
        "BACKFILL COMPLETE",
        "Backfill failed with exception: x",
        "2024-01-05: success",
        "Total Days: 12",
        "Remaining Days: 12",
        "Mode: PRODUCTION",
        "Verifying Phase 3 data exists for 2024-01-01 to 2024-01-05...",
        "Execution order: 2/5",
        "Checkpoint: /tmp/x_2024-01-01_2024-01-05.json",
        "(Skipping 3 off-days in calendar range)",
        "Dependencies: {'a': 1}",
        "Dry run: True",
        "RESUMING from checkpoint: 2024-01-05",
        "Resuming from 2024-01-05",
        "Failed days: 3",
        "Query job finished: 31337 bytes billed, cache hit False, slot ms 5",
        "Calculated ratings for 475 players; 4786 possessions in all of them",
        "x",
        "",
    ]);
    (lead, body, prop::option::of(any::<prop::sample::Index>())).prop_map(|(lead, body, cut)| {
        let mut line = format!("{lead}{body}").into_bytes();
        if let Some(cut) = cut {
            line.truncate(cut.index(line.len() + 1));
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(crate::require::seed()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_called_noise_says_nothing(line in line()) {
        let dialects = Dialects::built_in();
        let filter = Filter::of(&dialects, std::iter::once(0));
        if filter.is_noise(&line) {
            let line = Line::of(&line, true);
            let rules = &dialects.all()[0];
            for block in 0..3 {
                prop_assert_eq!(rules.read(&line, block, &mut Scratch::default()), None);
            }
            prop_assert_eq!(Rules::owns(&line), Some(false));
        }
    }

    #[test]
    fn every_way_through_a_piece_finds_the_same(
        lines in prop::collection::vec(line(), 0..20),
        only in prop::option::of(prop::sample::select(vec!["family", "dbt", "publishing", "json_lines"])),
    ) {
        let mut bytes = lines.join(&b'\n');
        bytes.push(b'\n');
        let mut dialects = Dialects::built_in();
        if let Some(name) = only {
            dialects = dialects.only(name).expect("a shipped dialect");
        }
        let mut scanner = Scanner::of(&dialects, dialects.tried());
        let found = |scanner: &mut Scanner, bytes: &[u8]| {
            let mut found: Vec<(Reading, u64)> = Vec::new();
            let line_feeds = scanner.scan(bytes, &dialects, &mut State::default(), &mut |reading, _, at| {
                found.push((*reading, at));
            });
            (found, line_feeds)
        };
        let quick = found(&mut scanner, &bytes);
        // A carriage return at the very end makes every line be tried.
        bytes.push(b'\r');
        prop_assert_eq!(found(&mut scanner, &bytes), quick);
    }
}

#[test]
fn chatter_is_noise() {
    let filter = Filter::of(&Dialects::built_in(), std::iter::once(0));
    for line in [
        "INFO:google.cloud.bigquery:Load job loaded 222 rows into a table of analytics",
        "DEBUG:urllib3.connectionpool:https://bigquery.googleapis.com:443 POST /bigquery",
        "WARNING:shared.registry.reader:Player lookup 'x' is not in the registry",
        "2026-01-03 13:45:12,345 - INFO - Load job loaded 222 rows into a table",
        "2026-01-03 13:45:12,345 - WARNING - Quality tier gold for game 0022300039",
    ] {
        assert!(filter.is_noise(line.as_bytes()), "{line}");
    }
}
