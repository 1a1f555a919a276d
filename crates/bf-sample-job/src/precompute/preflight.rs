//! Whether the tables of phase 3 are whole enough to begin.

use crate::job::Range;
use crate::text::percent;

use super::job::PHASE_3;
use super::{Run, is_bootstrap};

/// Least share of the range's game dates that each table must have, in percent.
const LEAST: f64 = 95.0;

/// Says what the job says before it begins; false when it declines to.
pub fn passes(run: &Run<'_>, range: Range) -> bool {
    let log = run.log;
    if run.args.skip_preflight {
        log.warning("⚠️  Pre-flight check SKIPPED (--skip-preflight flag used)");
        return true;
    }
    if run.args.dry_run {
        return true;
    }
    let rule = "=".repeat(70);
    log.info(&rule);
    log.info("PHASE 3 PRE-FLIGHT CHECK");
    log.info(&rule);
    let Range { start, end } = range;
    log.info(format!(
        "Verifying Phase 3 data exists for {start} to {end}..."
    ));
    if is_ready(run, range) {
        log.info("✅ Pre-flight check passed: Phase 3 data is ready");
        return true;
    }
    log.error(&rule);
    log.error("❌ PRE-FLIGHT CHECK FAILED: Phase 3 data is incomplete!");
    log.error(&rule);
    log.error("Cannot proceed with Phase 4 backfill until Phase 3 is complete.");
    log.error("");
    log.error("Options:");
    log.error("  1. Run Phase 3 backfill first to fill gaps");
    log.error("  2. Use --skip-preflight to bypass (NOT RECOMMENDED)");
    false
}

/// A table that cannot be read has no dates, as in the real check.
fn is_ready(run: &Run<'_>, range: Range) -> bool {
    let needed: Vec<_> = run
        .schedule
        .game_dates(range.start, range.end)
        .into_iter()
        .filter(|date| !is_bootstrap(*date))
        .collect();
    PHASE_3.iter().all(|table| {
        let there = run.store.dates(table, range).unwrap_or_default();
        let found = needed.iter().filter(|date| there.contains(date)).count();
        needed.is_empty() || percent(found, needed.len()) >= LEAST
    })
}
