//! Any bytes, in any pieces: no panic, no endless loop, figures that add up, valid JSON, and the same
//! result wherever the log is cut or the parser is stopped.
//!
//! ```text
//! cargo install cargo-fuzz
//! cd tests && RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none parse_log fuzz/corpus/parse_log \
//!     fuzz/seeds/parse_log -- -dict=fuzz/parse_log.dict -max_len=8192 -max_total_time=300
//! ```
//! With a nightly toolchain `cargo +nightly fuzz run parse_log …` does without the first word and the
//! sanitizer flag.

#![no_main]

use bf_contract::{LogState, LogSummary};
use bf_parse_log::{Dialects, LogEnd, LogParser};
use libfuzzer_sys::fuzz_target;

fn adds_up(summary: &LogSummary) {
    let known =
        summary.successful_days + summary.failed_days + summary.skipped_days + summary.earlier_days;
    if let (Some(total), Some(left)) = (summary.total_days, summary.unaccounted_days) {
        assert_eq!(known + left, total);
    }
    if let (Some(days), Some(dates)) = (summary.unaccounted_days, &summary.unaccounted_dates) {
        assert_eq!(dates.len() as u64, days);
    }
    assert_eq!(summary.current_day, known);
    // A failure whose date cannot be read counts and has no name.
    assert!(summary.failed_dates.len() as u64 <= summary.failed_days);
    assert_eq!(summary.completed, summary.state == LogState::Completed);
    if let Some(rate) = summary.success_rate {
        assert!((0.0..=100.0).contains(&rate));
    }
}

fuzz_target!(|input: &[u8]| {
    // The first bytes say where to cut.
    let Some(([size, stop], log)) = input.split_first_chunk() else {
        return;
    };
    let mut whole = LogParser::new(Dialects::built_in());
    whole.feed(log);

    let mut pieces = LogParser::new(Dialects::built_in());
    for (at, piece) in log.chunks(usize::from(*size).max(1)).enumerate() {
        if at == usize::from(*stop) {
            let kept = serde_json::to_vec(&pieces.snapshot()).expect("a snapshot is JSON");
            let snapshot = serde_json::from_slice(&kept).expect("and reads back");
            pieces = LogParser::restore(Dialects::built_in(), snapshot);
        }
        pieces.feed(piece);
    }

    for end in [LogEnd::StillWritten, LogEnd::WriterGone] {
        let summary = whole.summary(end);
        adds_up(&summary);
        assert_eq!(summary, pieces.summary(end));
        assert_eq!(whole.ledger(end), pieces.ledger(end));
        let json = serde_json::to_string(&summary).expect("a document is JSON");
        let again: LogSummary = serde_json::from_str(&json).expect("and reads back");
        // The last bit of a fraction may differ: serde_json reads quickly and not exactly.
        assert_eq!(
            LogSummary {
                success_rate: None,
                progress_pct: None,
                ..again
            },
            LogSummary {
                success_rate: None,
                progress_pct: None,
                ..summary
            }
        );
    }
});
