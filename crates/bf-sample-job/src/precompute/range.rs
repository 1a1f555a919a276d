//! The game dates of a range, one after the other.

use chrono::NaiveDate;

use super::{Outcome, Precompute, Run, announce, closing, is_bootstrap};
use crate::checkpoint::Checkpoint;
use crate::job::Range;
use crate::text::percent;

/// What became of the dates so far.
#[derive(Default)]
pub struct Tally {
    /// Dates that are over.
    pub processed: usize,
    /// Those that went well.
    pub successful: usize,
    /// Those left out.
    pub skipped: usize,
    /// Those that did not go well.
    pub failed: Vec<NaiveDate>,
    /// Rows, or what the log calls them: teams, players.
    pub rows: u64,
}

impl Tally {
    /// Share of the dates that were tried, in percent.
    pub fn success_rate(&self) -> f64 {
        percent(self.successful, (self.processed - self.skipped).max(1))
    }
}

/// Runs the job over the range.
pub fn run(run: &mut Run<'_>, range: Range) {
    let (log, dry_run) = (run.log, run.args.dry_run);
    let mut checkpoint = run.checkpoint(range);
    if run.args.no_resume && checkpoint.exists() {
        match run.job {
            Precompute::TeamDefenseZones => {
                log.info("--no-resume specified, clearing existing checkpoint");
            }
            Precompute::PlayerShotZones => log.info("--no-resume specified, clearing checkpoint"),
            _ => {}
        }
        checkpoint.clear(log);
    }
    announce::options(run, range, &checkpoint);
    announce::starting(run, range);
    if let Some(reason) = range.refusal() {
        log.error(reason);
        return;
    }
    let days = range.dates().len();
    if run.job == Precompute::TeamDefenseZones {
        let Range { start, end } = range;
        log.info(format!("Will process {days} days from {start} to {end}"));
    }
    let all = run.schedule.game_dates(range.start, range.end);
    announce::schedule(run, days, all.len());
    if all.is_empty() {
        log.warning("No game dates found in the specified range!");
        return;
    }
    if run.job == Precompute::CompositeFactors && !dry_run {
        announce::coverage_of(run, &all);
    }
    let done = done_before(run, range, &all, &mut checkpoint);
    let (dates, off_days) = (&all[done..], days - all.len());
    log.info(format!(
        "Processing {} game dates (of {} total game dates)",
        dates.len(),
        all.len()
    ));
    log.info(format!(
        "  (Skipping {off_days} off-days in the calendar range)"
    ));

    let mut tally = Tally::default();
    for (index, date) in dates.iter().enumerate() {
        log.info(format!(
            "Processing game date {}/{}: {date}",
            done + index + 1,
            all.len()
        ));
        if dry_run && !is_bootstrap(*date) {
            look(run, *date);
        } else {
            let outcome = run.process(*date);
            note(run, *date, &outcome, &mut tally, &mut checkpoint);
        }
        tally.processed += 1;
        if tally.processed % 10 == 0 && !dry_run {
            progress(run, &tally, dates.len());
        }
    }
    closing::summary(run, range, &tally, off_days, &checkpoint);
}

/// Takes up the checkpoint and returns how many of the dates lie before it.
fn done_before(
    run: &Run<'_>,
    range: Range,
    all: &[NaiveDate],
    checkpoint: &mut Checkpoint,
) -> usize {
    if run.args.dry_run || !checkpoint.exists() {
        return 0;
    }
    let Some(resume) = checkpoint
        .resume(run.log)
        .filter(|resume| *resume > range.start)
    else {
        return 0;
    };
    // Behind the last game date the real jobs begin anew, and name the first date.
    let done = all.iter().position(|date| *date >= resume).unwrap_or(0);
    run.log
        .info(format!("RESUMING from checkpoint: {}", all[done]));
    run.log.plain(&checkpoint.status());
    done
}

fn note(
    run: &Run<'_>,
    date: NaiveDate,
    outcome: &Outcome,
    tally: &mut Tally,
    checkpoint: &mut Checkpoint,
) {
    let log = run.log;
    match outcome {
        Outcome::Success(rows) => {
            if run.job == Precompute::CompositeFactors {
                covered(run, date, *rows);
            }
            tally.successful += 1;
            tally.rows += rows;
            log.info(format!("  ✓ Success: {}", counted(run.job, *rows)));
            checkpoint.complete(date, log);
        }
        Outcome::Bootstrap => {
            tally.skipped += 1;
            log.info("  ⏭ Skipped: bootstrap period");
            if !run.args.dry_run {
                checkpoint.skipped(date, log);
            }
        }
        Outcome::Failed => {
            tally.failed.push(date);
            if run.job.is_zones() {
                log.error(format!("  ✗ Failed: {date}"));
            } else {
                log.error("  ✗ Failed: Unknown");
            }
            checkpoint.failed(date, log);
        }
        Outcome::Exception(message) => {
            tally.failed.push(date);
            if run.job.is_zones() {
                log.error(format!("  ✗ Exception: {message}"));
            } else {
                log.error(format!("  ✗ Failed: {message}"));
            }
            checkpoint.failed(date, log);
        }
    }
}

fn counted(job: Precompute, rows: u64) -> String {
    match job {
        Precompute::TeamDefenseZones => format!("{rows} teams processed"),
        Precompute::PlayerShotZones => format!("{rows} players processed"),
        Precompute::CompositeFactors | Precompute::DailyCache => format!("{rows} players"),
        Precompute::FeatureStore => format!("{rows} players, version={}", super::tables::VERSION),
    }
}

/// The composite factors hold each date against the players who played.
fn covered(run: &Run<'_>, date: NaiveDate, rows: u64) {
    match run.store.players_on(date) {
        Ok(players) => run.log.info(format!(
            "  ✅ Coverage validation passed: {rows}/{players} players ({:.1}%)",
            percent(rows as usize, players as usize)
        )),
        Err(problem) => run.log.error(format!(
            "  ❌ Coverage validation error for {date}: {problem}"
        )),
    }
}

fn progress(run: &Run<'_>, tally: &Tally, dates: usize) {
    let done = tally.processed;
    run.log.info(if run.job.is_zones() {
        let rate = tally.success_rate();
        format!("Progress: {done}/{dates} game dates ({rate:.1}% success)")
    } else {
        format!("Progress: {done}/{dates} game dates")
    });
}

/// Looks at what a date needs without processing it.
fn look(run: &Run<'_>, date: NaiveDate) {
    let (log, needs) = (run.log, run.store.needs(date));
    let missing = needs.iter().any(|(_, rows)| *rows == 0);
    match run.job {
        Precompute::TeamDefenseZones => {
            log.info(format!("DRY RUN MODE - checking Phase 3 data for {date}"));
            let (teams, not) = (needs[0].1, if missing { "NOT " } else { "" });
            log.info(format!(
                "  ✓ Dry run: Phase 3 {not}available ({teams} teams)"
            ));
        }
        Precompute::PlayerShotZones => {
            log.info(format!("  ✓ Dry run: {} players available", needs[0].1));
        }
        Precompute::CompositeFactors | Precompute::DailyCache => {
            let found = if missing { "MISSING" } else { "OK" };
            log.info(format!("  ✓ Dry run: deps {found}"));
        }
        Precompute::FeatureStore => {
            log.info(dependencies(&needs));
            let lacking: Vec<String> = needs
                .iter()
                .filter(|(_, rows)| *rows == 0)
                .map(|(table, _)| format!("'{table}'"))
                .collect();
            if lacking.is_empty() {
                log.info("  ✓ Dry run: ALL Phase 4 dependencies available");
            } else {
                let lacking = lacking.join(", ");
                log.warning(format!("  ⚠ Dry run: MISSING dependencies: [{lacking}]"));
            }
        }
    }
}

/// What the feature store prints of the tables that it needs.
pub fn dependencies(needs: &[(&str, u64)]) -> String {
    let counts: Vec<String> = needs
        .iter()
        .map(|(table, rows)| format!("'{table}': {rows}"))
        .collect();
    format!("  Dependencies: {{{}}}", counts.join(", "))
}
