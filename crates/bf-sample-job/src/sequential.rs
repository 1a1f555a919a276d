//! A range, one date after the other.

use chrono::NaiveDate;

use crate::faults::{Frame, traceback};
use crate::job::{Job, Range, Run};
use crate::log::Log;
use crate::post_check;
use crate::processor::{DayStats, Outcome};
use crate::report;
use crate::text::{percent, ratio};

#[derive(Default)]
struct Tally {
    processed: usize,
    successful: usize,
    failed: Vec<NaiveDate>,
    sums: DayStats,
}

impl Tally {
    fn add(&mut self, stats: &DayStats) {
        self.successful += 1;
        self.sums.records += stats.records;
        self.sums.games += stats.games;
        self.sums.teams += stats.teams;
        self.sums.found += stats.found;
        self.sums.not_found += stats.not_found;
    }

    fn records_per_success(&self) -> f64 {
        ratio(self.sums.records as f64, self.successful as f64)
    }
}

/// Runs the job over the range.
pub fn run(run: &Run<'_>, range: Range) {
    let (log, dry_run) = (run.log, run.args.dry_run);
    log.info(format!(
        "Starting day-by-day analytics backfill from {} to {}",
        range.start, range.end
    ));
    if !range.is_accepted(log) {
        return;
    }
    let mut checkpoint = run.checkpoint(range);
    let dates = report::dates_left(run, range, &mut checkpoint);
    log.info(format!(
        "Processing {} days individually (day-by-day approach)",
        dates.len()
    ));
    log.info(format!("Checkpoint: {}", checkpoint.path().display()));

    let mut tally = Tally::default();
    for date in &dates {
        log.info(format!(
            "Processing day {}/{}: {date}",
            tally.processed + 1,
            dates.len()
        ));
        match (!dry_run).then(|| process(run, *date)) {
            None => look(run, *date),
            Some(Outcome::Success(stats)) => {
                tally.add(&stats);
                succeeded(run, &stats);
                checkpoint.complete(*date, log);
            }
            Some(Outcome::Failed) => {
                tally.failed.push(*date);
                log.error(format!("  ✗ Failed: {date}"));
                checkpoint.failed(*date, log);
            }
            Some(Outcome::Exception { message, .. }) => {
                tally.failed.push(*date);
                log.error(format!("  ✗ Exception: {message}"));
                checkpoint.failed(*date, log);
            }
        }
        tally.processed += 1;
        if tally.processed % 10 == 0 && !dry_run {
            progress(log, &tally, dates.len());
        }
    }

    if run.job == Job::PlayerSummary {
        if !dry_run && tally.successful > 0 {
            post_check::after_range(run, &dates, &tally.failed);
        }
        log.rule_after_gap();
    } else {
        log.rule();
    }
    summary(run, range, &tally, dates.len());
    report::checkpoint_summary(log, &checkpoint);
    report::failed_dates(run, &tally.failed);
    log.rule();
}

/// Processes a date on its own; an exception is logged with its traceback.
pub fn process(run: &Run<'_>, date: NaiveDate) -> Outcome {
    let outcome = run.processor.process(date);
    if let Outcome::Exception { kind, message } = &outcome {
        let trace = traceback(
            &Frame {
                script: &run.job.script(),
                stage: "analytics",
                function: "run_analytics_processing",
                line: 170,
                call: "self.processor.run(opts)",
            },
            kind,
            message,
        );
        run.log
            .error(format!("Exception during processing: {message}\n{trace}"));
    }
    outcome
}

/// Looks at a date without processing it.
pub fn look(run: &Run<'_>, date: NaiveDate) {
    let (log, games) = (run.log, run.processor.schedule.on(date).len());
    log.info(format!("DRY RUN MODE - checking data for {date}"));
    if run.job != Job::PlayerSummary {
        log.info("  ✓ Dry run complete");
        return;
    }
    let sources = [
        ("nbac_gamebook", 21),
        ("bdl_boxscores", 26),
        ("odds_api_props", 14),
    ];
    let span = if games > 0 {
        format!("{date} to {date}")
    } else {
        "None to None".to_owned()
    };
    log.info("Data availability:");
    for (source, per_game) in sources {
        log.info(format!(
            "  {source}: {} records, {games} games, {span}",
            games * per_game
        ));
    }
    // The real job adds the same games up over its three sources.
    log.info(format!(
        "  ✓ Dry run: {} games available",
        games * sources.len()
    ));
    if run.args.dates.is_none() {
        for (source, _) in sources {
            log.info(format!("    - {source}: {games} games"));
        }
    }
}

fn succeeded(run: &Run<'_>, stats: &DayStats) {
    match run.job {
        Job::TeamOffense | Job::TeamDefense => run
            .log
            .info(format!("  ✓ Success: {} records", stats.records)),
        Job::PlayerSummary => {
            run.log.info(format!(
                "  ✓ Success: {} records from {} games",
                stats.records, stats.games
            ));
            if stats.not_found > 0 {
                run.log.warning(format!(
                    "  ⚠ {} players not found in registry",
                    stats.not_found
                ));
            }
        }
    }
}

fn progress(log: &Log, tally: &Tally, days: usize) {
    log.info(format!(
        "Progress: {}/{days} days ({:.1}% success), {} total records (avg {:.0}/day)",
        tally.processed,
        percent(tally.successful, tally.processed),
        tally.sums.records,
        tally.records_per_success(),
    ));
}

fn summary(run: &Run<'_>, range: Range, tally: &Tally, days: usize) {
    let log = run.log;
    log.info("DAY-BY-DAY BACKFILL SUMMARY:");
    log.info(format!("  Date range: {} to {}", range.start, range.end));
    log.info(format!("  Total days: {}", range.dates().len()));
    log.info(format!("  Successful days: {}", tally.successful));
    log.info(format!("  Failed days: {}", tally.failed.len()));
    log.info(format!(
        "  Success rate: {:.1}%",
        percent(tally.successful, days)
    ));
    if run.args.dry_run {
        return;
    }
    log.info(format!("  Total records processed: {}", tally.sums.records));
    if tally.successful > 0 {
        log.info(format!(
            "  Average records per day: {:.1}",
            tally.records_per_success()
        ));
    }
    match run.job {
        Job::TeamOffense | Job::TeamDefense => {
            log.info(format!("  Total teams: {}", tally.sums.teams));
            log.info(format!("  Total games: {}", tally.sums.games));
        }
        Job::PlayerSummary => registry(log, &tally.sums),
    }
}

fn registry(log: &Log, sums: &DayStats) {
    log.info("  Registry integration:");
    log.info(format!("    - Players found: {}", sums.found));
    log.info(format!("    - Players not found: {}", sums.not_found));
    if sums.not_found > 0 {
        log.info("  ⚠ Check unresolved players:");
        log.info("    bq query --use_legacy_sql=false \\");
        log.info("      \"SELECT * FROM \\`nba-props-platform.nba_reference.unresolved_player_names\\` \\");
        log.info(
            "      WHERE source_name = 'player_game_summary' ORDER BY last_seen DESC LIMIT 20\"",
        );
    }
}
