//! What must hold for any log: cut anywhere, appended to, broken, stopped and taken up again.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "../../../tests/support/require.rs"]
mod require;
mod support;

use bf_contract::{LogState, LogSummary};
use bf_parse_log::{Dialects, LogEnd, LogParser};
use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::{Fate, Form, Log, adds_up, day};

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0_u64..300).prop_map(Fate::Good),
        2 => Just(Fate::Bad),
        1 => Just(Fate::Thrown),
        1 => Just(Fate::Bootstrap),
    ]
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Named),
        Just(Form::Timed),
        Just(Form::TimedAndNamed),
        Just(Form::Collected),
        Just(Form::Windows),
        Just(Form::Coloured),
    ]
}

/// A run: its mode, its first and last day, where it resumes, what becomes of its dates, and after how
/// many of them it is broken off, if it is.
#[derive(Debug, Clone)]
struct Run {
    mode: u8,
    start: u64,
    fates: Vec<Fate>,
    resume: usize,
    broken_off: Option<usize>,
}

fn run() -> impl Strategy<Value = Run> {
    (
        0_u8..3,
        1_u64..8,
        proptest::collection::vec(fate(), 1..8),
        0_usize..8,
        proptest::option::of(0_usize..8),
    )
        .prop_map(|(mode, start, fates, resume, broken_off)| Run {
            mode,
            start,
            fates,
            resume,
            broken_off,
        })
}

/// Writes a run, and which dates it has a word on, in order.
fn write(log: &mut Log, run: &Run) -> Vec<(NaiveDate, Fate)> {
    let (first, count) = (day(run.start), run.fates.len());
    let last = day(run.start + count as u64 - 1);
    let skipped = if run.mode == 2 {
        0
    } else {
        run.resume.min(count - 1)
    };
    let resume = (skipped > 0).then(|| day(run.start + skipped as u64));
    let mut dates: Vec<_> = run
        .fates
        .iter()
        .enumerate()
        .skip(skipped)
        .map(|(at, fate)| (day(run.start + at as u64), *fate))
        .collect();
    // A list that is announced and not begun cannot be told from one that is announced again.
    let least = usize::from(run.mode == 2);
    let done = run
        .broken_off
        .map_or(dates.len(), |done| done.clamp(least, dates.len()));
    match run.mode {
        0 => {
            log.begin(first, last, resume);
            for (at, (date, fate)) in dates.iter().take(done).enumerate() {
                log.date("day", at + 1, dates.len(), *date, *fate);
            }
        }
        1 => {
            dates.reverse();
            log.begin_parallel(first, last, resume);
            for (date, fate) in dates.iter().take(done) {
                log.parallel_date(*date, *fate);
            }
        }
        _ => {
            log.begin_list(dates.len());
            for (at, (date, fate)) in dates.iter().take(done).enumerate() {
                log.date("date", at + 1, dates.len(), *date, *fate);
            }
        }
    }
    if run.broken_off.is_none() {
        let good = dates
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::Good(_)))
            .count() as u64;
        let bad = dates
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::Bad | Fate::Thrown))
            .count() as u64;
        match run.mode {
            0 => log.end(first, last, good, bad),
            1 => log.end_parallel(good, bad),
            _ => log.end_list(good, bad),
        };
    }
    dates.truncate(done);
    dates
}

fn parser() -> LogParser {
    LogParser::new(Dialects::built_in())
}

fn whole(bytes: &[u8]) -> LogParser {
    let mut parser = parser();
    parser.feed(bytes);
    parser
}

fn all_views(parser: &LogParser) -> (LogSummary, LogSummary, Vec<bf_contract::LedgerEntry>) {
    (
        parser.summary(LogEnd::StillWritten),
        parser.summary(LogEnd::WriterGone),
        parser.ledger(LogEnd::WriterGone),
    )
}

/// Lines that may stand in any log, some of them traps.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"Traceback (most recent call last):\n".to_vec()),
        Just("  ✓ Success: 7 records\n".as_bytes().to_vec()),
        Just("INFO:__main__:  ✓ Success: 7 records\n".as_bytes().to_vec()),
        Just(
            "INFO:__main__:  ✓ 2024-01-03: 7 records\n"
                .as_bytes()
                .to_vec()
        ),
        Just("INFO:__main__:  ✗ 2024-01-03: no\n".as_bytes().to_vec()),
        Just(b"INFO:__main__:Processing day 2/9: 2024-01-03\n".to_vec()),
        Just(b"INFO:__main__:2024-01-03: failed\n".to_vec()),
        Just(b"INFO:__main__:BACKFILL COMPLETE\n".to_vec()),
        Just(b"INFO:__main__:Summary: 1 success, 2 skipped, 3 failed\n".to_vec()),
        Just(b"INFO:__main__:  Date range: 2024-01-09 to 2024-01-01\n".to_vec()),
        Just(b"INFO:__main__:Processing 99999999999999999999999 specific dates\n".to_vec()),
        Just(b"INFO:__main__:Processing 18446744073709551615 days (of 3 total)\n".to_vec()),
        Just(b"INFO:__main__:RESUMING from checkpoint: 1900-01-01\n".to_vec()),
        Just(b"INFO:__main__:(Skipping 999999 off-days in calendar range)\n".to_vec()),
        Just(b"usage: x.py [-h]\nx.py: error: no\n".to_vec()),
        Just(b"\0\0\r\x1b[31m".to_vec()),
        Just(b"\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(require::seed()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_last_word_on_each_date_is_what_the_ledger_says(
        form in form(),
        runs in proptest::collection::vec(run(), 1..4),
    ) {
        let mut log = Log::new(form);
        let mut words = std::collections::BTreeMap::new();
        for run in &runs {
            words.extend(write(&mut log, run));
        }
        let (summary, _, ledger) = all_views(&whole(log.text.as_bytes()));
        adds_up(&summary);
        prop_assert_eq!(summary.runs, runs.len() as u64);
        let unexplained = |note: &&String| !note.ends_with("was broken off and not taken up again");
        prop_assert_eq!(summary.notes.iter().find(unexplained), None);
        let good = words.values().filter(|fate| matches!(fate, Fate::Good(_))).count() as u64;
        let records: u64 = words.values().map(|fate| if let Fate::Good(records) = fate { *records } else { 0 }).sum();
        let bad: Vec<_> = words
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::Bad | Fate::Thrown))
            .map(|(date, _)| *date)
            .collect();
        prop_assert_eq!(summary.successful_days, good);
        prop_assert_eq!(summary.total_records, records);
        prop_assert_eq!(summary.failed_dates, bad);
        prop_assert_eq!(ledger.len(), words.len());
    }

    #[test]
    fn where_the_log_is_cut_makes_no_difference(
        form in form(),
        runs in proptest::collection::vec(run(), 1..3),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut log = Log::new(form);
        for run in &runs {
            write(&mut log, run);
        }
        let bytes = log.text.as_bytes();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut parser = parser();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            parser.feed(&bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!(all_views(&parser), all_views(&whole(bytes)));
    }

    #[test]
    fn a_parser_that_was_stopped_goes_on_where_it_was(
        junk in proptest::collection::vec(junk(), 0..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = junk.concat();
        let cut = cut.index(bytes.len() + 1);
        let mut before = parser();
        before.feed(&bytes[..cut]);
        let kept = serde_json::to_string(&before.snapshot()).expect("serializable");
        let snapshot = serde_json::from_str(&kept).expect("the same form");
        let mut after = LogParser::restore(Dialects::built_in(), snapshot);
        after.feed(&bytes[cut..]);
        prop_assert_eq!(all_views(&after), all_views(&whole(&bytes)));
    }

    #[test]
    fn any_bytes_add_up_in_any_pieces(
        junk in proptest::collection::vec(junk(), 0..40),
        size in 1_usize..50,
    ) {
        let bytes = junk.concat();
        let mut parser = parser();
        for piece in bytes.chunks(size) {
            parser.feed(piece);
        }
        let views = all_views(&parser);
        for summary in [&views.0, &views.1] {
            adds_up(summary);
            let json = serde_json::to_string(summary).expect("serializable");
            let again: LogSummary = serde_json::from_str(&json).expect("valid JSON of the same form");
            prop_assert_eq!(&again.failed_dates, &summary.failed_dates);
            prop_assert_eq!(again.state, summary.state);
        }
        prop_assert_eq!(&views, &all_views(&whole(&bytes)));
        prop_assert_eq!(views.0.log.bytes, bytes.len() as u64);
        let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
        let unfinished = usize::from(bytes.last().is_some_and(|byte| *byte != b'\n'));
        prop_assert_eq!(views.0.log.lines, (feeds + unfinished) as u64);
    }

    #[test]
    fn appending_a_run_never_loses_an_earlier_failure(
        form in form(),
        runs in proptest::collection::vec(run(), 1..3),
        last in run(),
    ) {
        let mut log = Log::new(form);
        for run in &runs {
            write(&mut log, run);
        }
        let before = log.parse().summary.failed_dates;
        let tried_again = write(&mut log, &last);
        let after = log.parse().summary.failed_dates;
        for date in before {
            let lost = !after.contains(&date) && !tried_again.iter().any(|(again, _)| *again == date);
            prop_assert!(!lost, "{} was lost", date);
        }
    }

    #[test]
    fn no_beginning_of_a_log_claims_more_than_the_whole_of_it(
        form in form(),
        run in run(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut log = Log::new(form);
        write(&mut log, &run);
        let bytes = log.text.as_bytes();
        let part = whole(&bytes[..cut.index(bytes.len() + 1)]).summary(LogEnd::StillWritten);
        let all = log.parse().summary;
        prop_assert!(part.successful_days <= all.successful_days);
        prop_assert!(part.total_records <= all.total_records);
        prop_assert!(!part.completed || all.completed);
        prop_assert!(part.state != LogState::Refused);
    }
}
