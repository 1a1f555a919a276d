//! What a job says before its first date.

use chrono::NaiveDate;

use super::{Precompute, Run};
use crate::checkpoint::Checkpoint;
use crate::job::Range;
use crate::log::{Level, Logger};
use crate::text::python_bool;

/// What the main program says of its options.
pub fn options(run: &Run<'_>, range: Range, checkpoint: &Checkpoint) {
    let (log, order) = (run.log, run.job.order());
    let (Range { start, end }, path) = (range, checkpoint.path().display());
    let dry_run = python_bool(run.args.dry_run);
    match run.job {
        Precompute::TeamDefenseZones => {
            log.info("Phase 4 precompute backfill configuration:");
            log.info(format!("  Processor: {}", run.job.processor()));
            log.info(format!("  Date range: {start} to {end}"));
            log.info(format!("  Dry run: {dry_run}"));
            log.info(format!("  Checkpoint: {path}"));
            log.info(format!("  Execution order: {order}"));
        }
        Precompute::PlayerShotZones => {
            log.info(format!("Phase 4 precompute backfill: {start} to {end}"));
            log.info(format!("Checkpoint: {path}"));
            log.info(format!("Execution order: {order}"));
        }
        Precompute::CompositeFactors | Precompute::DailyCache => {
            log.info(format!("Execution order: {order}"));
            log.info(format!("Checkpoint: {path}"));
            if run.job == Precompute::CompositeFactors {
                log.info("Parallel mode: False");
            }
        }
        Precompute::FeatureStore => {
            log.info("Phase 4 ML Feature Store backfill configuration:");
            log.info(format!("  Date range: {start} to {end}"));
            log.info(format!("  Dry run: {dry_run}"));
            log.info("  Include bootstrap: False");
            log.info(format!("  Checkpoint: {path}"));
            log.info(format!("  Execution order: {order}"));
        }
    }
}

/// What the loop says before it looks at its range.
pub fn starting(run: &Run<'_>, range: Range) {
    let (log, Range { start, end }) = (run.log, range);
    let what = match run.job {
        job if job.is_zones() => "day-by-day precompute backfill",
        Precompute::FeatureStore => "ML Feature Store backfill",
        _ => "backfill",
    };
    log.info(format!("Starting {what} from {start} to {end}"));
    match run.job {
        Precompute::CompositeFactors => log.info(
            "NOTE: Requires team_defense_zone_analysis and player_shot_zone_analysis to complete first",
        ),
        Precompute::DailyCache => log.info("NOTE: Requires #1, #2, #3 to complete first"),
        Precompute::FeatureStore => log.info(
            "CRITICAL: This processor runs LAST - requires ALL Phase 4 processors to complete first",
        ),
        Precompute::TeamDefenseZones | Precompute::PlayerShotZones => {}
    }
}

/// The schedule's dates.
pub fn schedule(run: &Run<'_>, days: usize, game_dates: usize) {
    run.log.info("Fetching NBA schedule to find game dates...");
    let text = format!(
        "Found {game_dates} game dates out of {days} calendar days (skipping {} off-days)",
        days - game_dates
    );
    run.log.write(Level::Info, Logger::Schedule, &text);
}

/// The composite factors' own look at what there is. The warehouse has no
/// `upcoming_player_game_context`, which the real job takes as a date without a problem.
pub fn coverage_of(run: &Run<'_>, dates: &[NaiveDate]) {
    let (log, rule) = (run.log, "=".repeat(80));
    log.info(&rule);
    log.info("PRE-FLIGHT COVERAGE CHECK");
    log.info(&rule);
    log.info(format!(
        "Checking {} dates for potential data issues...",
        dates.len()
    ));
    log.info("");
    for date in dates {
        match run.store.players_on(*date) {
            Ok(0) => {}
            Ok(players) => log.info(format!(
                "  ✅ {date}: Data looks good (PGS: {players}, UPCG: 0)"
            )),
            Err(problem) => log.error(format!("  ❌ {date}: Pre-flight check error - {problem}")),
        }
    }
    log.info("");
    log.info("✅ Pre-flight coverage check complete - No issues found");
    log.info(&rule);
    log.info("");
}
