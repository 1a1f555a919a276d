//! What a job says after its last date.

use chrono::NaiveDate;

use super::range::Tally;
use super::{Precompute, Run};
use crate::checkpoint::Checkpoint;
use crate::job::Range;
use crate::text::{list, ratio};

/// The summary of a range.
pub fn summary(
    run: &Run<'_>,
    range: Range,
    tally: &Tally,
    off_days: usize,
    checkpoint: &Checkpoint,
) {
    let (log, job) = (run.log, run.job);
    let last = if job == Precompute::FeatureStore {
        " (FINAL)"
    } else {
        ""
    };
    log.rule();
    log.info(format!(
        "PHASE 4 BACKFILL SUMMARY - {}{last}:",
        job.processor()
    ));
    if job.is_zones() || job == Precompute::FeatureStore {
        log.info(format!("  Date range: {} to {}", range.start, range.end));
    }
    log.info(format!(
        "  Game dates processed: {} (skipped {off_days} off-days)",
        tally.processed
    ));
    if job == Precompute::TeamDefenseZones {
        one_by_one(run, tally);
    } else {
        log.info(format!(
            "  Successful: {}, Skipped: {}, Failed: {}",
            tally.successful,
            tally.skipped,
            tally.failed.len()
        ));
        totals(run, tally);
    }
    failed(run, &tally.failed);
    if job == Precompute::PlayerShotZones && !run.args.dry_run {
        log.info(format!("  Checkpoint: {}", checkpoint.path().display()));
    }
    log.rule();
    if job == Precompute::FeatureStore && !run.args.dry_run && tally.successful > 0 {
        post_check(run, range);
    }
}

fn one_by_one(run: &Run<'_>, tally: &Tally) {
    let log = run.log;
    log.info(format!("  Successful days: {}", tally.successful));
    log.info(format!("  Skipped (bootstrap): {}", tally.skipped));
    log.info(format!("  Failed days: {}", tally.failed.len()));
    if tally.processed > tally.skipped {
        log.info(format!("  Success rate: {:.1}%", tally.success_rate()));
    }
    if tally.successful > 0 {
        log.info(format!("  Total teams processed: {}", tally.rows));
        log.info(format!("  Average teams per day: {:.1}", average(tally)));
    }
}

fn totals(run: &Run<'_>, tally: &Tally) {
    if tally.successful == 0 {
        return;
    }
    let (log, rows) = (run.log, tally.rows);
    if matches!(
        run.job,
        Precompute::CompositeFactors | Precompute::DailyCache
    ) {
        log.info(format!("  Total players: {rows}"));
    } else {
        log.info(format!("  Total players processed: {rows}"));
    }
    if run.job == Precompute::FeatureStore {
        log.info(format!("  Average players/day: {:.1}", average(tally)));
    }
}

fn average(tally: &Tally) -> f64 {
    ratio(tally.rows as f64, tally.successful as f64)
}

fn failed(run: &Run<'_>, failed: &[NaiveDate]) {
    let (log, count, script) = (run.log, failed.len(), run.job.script());
    if count == 0 {
        return;
    }
    let (dates, retry) = (list(failed, 10, ", "), list(failed, 5, ","));
    let more = || {
        if count > 10 {
            log.info(format!("    ... and {} more", count - 10));
        }
    };
    match run.job {
        Precompute::TeamDefenseZones => {
            log.info(format!("\n  Failed dates ({count} total):"));
            log.info(format!("    {dates}"));
            more();
            log.info("\n  To retry failed days, use --dates parameter:");
            log.info(format!("    python {script} --dates {retry}"));
        }
        Precompute::PlayerShotZones => log.info(format!("  Failed dates: {dates}")),
        Precompute::CompositeFactors | Precompute::DailyCache => {
            let dates: Vec<String> = failed
                .iter()
                .take(10)
                .map(|date| format!("datetime.date({})", date.format("%Y, %-m, %-d")))
                .collect();
            log.info(format!("  Failed dates: [{}]", dates.join(", ")));
        }
        Precompute::FeatureStore => {
            log.info(format!("\n  Failed dates ({count}):"));
            log.info(format!("    {dates}"));
            more();
            log.info(format!("\n  To retry: python {script} --dates {retry}"));
        }
    }
}

/// The feature store's own look at its table.
fn post_check(run: &Run<'_>, range: Range) {
    let log = run.log;
    log.info("");
    log.rule();
    log.info("POST-BACKFILL VALIDATION");
    log.rule();
    match run.store.duplicates(range) {
        Ok(0) => log.info("✅ Post-backfill validation PASSED"),
        Ok(duplicates) => {
            log.warning("⚠️  Post-backfill validation FAILED: 1 issues");
            log.warning(format!("  - {duplicates} duplicate player-game pairs"));
        }
        Err(problem) => log.warning(format!(
            "Post-backfill validation error (non-fatal): {problem}"
        )),
    }
    log.rule();
}
