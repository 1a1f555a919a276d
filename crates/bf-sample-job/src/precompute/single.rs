//! Single dates, as for trying failed ones again. Each job has its own way to say it.

use chrono::NaiveDate;

use super::{Outcome, Precompute, Run, is_bootstrap, range};
use crate::text::list;

#[derive(Default)]
struct Tally {
    successful: usize,
    skipped: usize,
    failed: Vec<NaiveDate>,
    rows: u64,
}

/// Runs the job over these dates, in the order given.
pub fn run(run: &mut Run<'_>, dates: &[NaiveDate]) {
    let (log, count) = (run.log, dates.len());
    let announced = match run.job {
        // Said once by the main program and once by the loop.
        Precompute::TeamDefenseZones => 2,
        Precompute::PlayerShotZones | Precompute::FeatureStore => 1,
        Precompute::CompositeFactors | Precompute::DailyCache => 0,
    };
    for _ in 0..announced {
        log.info(format!("Processing {count} specific dates"));
    }
    let mut tally = Tally::default();
    for (index, date) in dates.iter().enumerate() {
        if run.job.is_zones() {
            log.info(format!("Processing date {}/{count}: {date}", index + 1));
        }
        // Looking is neither a success nor a skip, which the later jobs count as a failure.
        let outcome = if run.args.dry_run && !is_bootstrap(*date) {
            None
        } else {
            Some(run.process(*date))
        };
        tell(run, *date, outcome.as_ref());
        match outcome {
            Some(Outcome::Success(rows)) => {
                tally.successful += 1;
                tally.rows += rows;
            }
            Some(Outcome::Bootstrap) => tally.skipped += 1,
            None if run.job == Precompute::TeamDefenseZones => {}
            None | Some(Outcome::Failed | Outcome::Exception(_)) => tally.failed.push(*date),
        }
    }
    summary(run, count, &tally);
}

fn tell(run: &Run<'_>, date: NaiveDate, outcome: Option<&Outcome>) {
    let log = run.log;
    match (run.job, outcome) {
        (Precompute::TeamDefenseZones, Some(Outcome::Success(teams))) => {
            log.info(format!("  ✓ Success: {teams} teams"));
        }
        (Precompute::TeamDefenseZones, Some(Outcome::Bootstrap)) => {
            log.info("  ⏭ Skipped: bootstrap period");
        }
        (Precompute::TeamDefenseZones, Some(Outcome::Failed)) => {
            log.error("  ✗ Failed: Unknown error");
        }
        (Precompute::TeamDefenseZones, Some(Outcome::Exception(message))) => {
            log.error(format!("  ✗ Failed: {message}"));
        }
        (Precompute::TeamDefenseZones, None) => {
            log.info(format!("DRY RUN MODE - checking Phase 3 data for {date}"));
            let teams = run.store.needs(date)[0].1;
            log.info(format!("  ✓ Dry run: {teams} teams available"));
        }
        (Precompute::PlayerShotZones, _) => {}
        (Precompute::CompositeFactors | Precompute::DailyCache, outcome) => {
            let status = match outcome {
                Some(Outcome::Success(_)) => "success",
                Some(Outcome::Bootstrap) => "skipped_bootstrap",
                Some(Outcome::Failed) => "failed",
                Some(Outcome::Exception(_)) => "exception",
                None => "dry_run_complete",
            };
            log.info(format!("{date}: {status}"));
        }
        (Precompute::FeatureStore, Some(Outcome::Success(players))) => {
            log.info(format!("  ✓ {date}: {players} players"));
        }
        (Precompute::FeatureStore, Some(Outcome::Bootstrap)) => {}
        (Precompute::FeatureStore, Some(Outcome::Exception(message))) => {
            log.error(format!("  ✗ {date}: {message}"));
        }
        (Precompute::FeatureStore, outcome) => {
            if outcome.is_none() {
                log.info(range::dependencies(&run.store.needs(date)));
            }
            log.error(format!("  ✗ {date}: Failed"));
        }
    }
}

fn summary(run: &Run<'_>, count: usize, tally: &Tally) {
    let log = run.log;
    match run.job {
        Precompute::TeamDefenseZones => {
            log.rule();
            log.info("SPECIFIC DATES PROCESSING SUMMARY:");
            log.info(format!("  Total dates: {count}"));
            log.info(format!("  Successful: {}", tally.successful));
            log.info(format!("  Skipped: {}", tally.skipped));
            log.info(format!("  Failed: {}", tally.failed.len()));
            if tally.successful > 0 {
                log.info(format!("  Total teams: {}", tally.rows));
            }
            if !tally.failed.is_empty() {
                log.info(format!(
                    "  Failed dates: {}",
                    list(&tally.failed, tally.failed.len(), ", ")
                ));
            }
            log.rule();
        }
        Precompute::PlayerShotZones | Precompute::FeatureStore => log.info(format!(
            "Summary: {} success, {} skipped, {} failed",
            tally.successful,
            tally.skipped,
            tally.failed.len()
        )),
        Precompute::CompositeFactors | Precompute::DailyCache => {}
    }
}
