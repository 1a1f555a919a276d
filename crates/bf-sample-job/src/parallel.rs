//! A range, many dates at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use chrono::NaiveDate;

use crate::checkpoint::Checkpoint;
use crate::faults::{Frame, traceback};
use crate::job::{Job, Range, Run};
use crate::post_check;
use crate::processor::Outcome;
use crate::report;
use crate::text::{percent, ratio, thousands};

/// What is known so far; every worker adds to it.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    processed: usize,
    successful: usize,
    records: u64,
}

impl Progress {
    fn failed(&self) -> usize {
        self.processed - self.successful
    }

    fn records_per_success(&self) -> f64 {
        ratio(self.records as f64, self.successful as f64)
    }
}

/// What changes together when a date is done.
struct Shared {
    progress: Progress,
    failed: Vec<NaiveDate>,
    checkpoint: Checkpoint,
}

/// Runs the job over the range.
pub fn run(run: &Run<'_>, range: Range) {
    let (log, workers) = (run.log, usize::from(run.args.workers));
    log.rule();
    log.info(format!(
        "🚀 PARALLEL BACKFILL MODE - {workers} CONCURRENT WORKERS"
    ));
    log.rule();
    log.info(format!("   Date range: {} to {}", range.start, range.end));
    log.info(format!(
        "   Expected speedup: ~{workers}x faster than sequential"
    ));
    if !range.is_accepted(log) {
        return;
    }
    let mut checkpoint = run.checkpoint(range);
    let dates = report::dates_left(run, range, &mut checkpoint);
    log.info(format!(
        "Processing {} days with {workers} parallel workers",
        dates.len()
    ));
    let hours_per_day = match run.job {
        Job::TeamOffense | Job::TeamDefense => 8.0 / 60.0,
        Job::PlayerSummary => 2.5,
    };
    let estimate = dates.len() as f64 / workers as f64 * hours_per_day;
    log.info(format!("Estimated completion time: {estimate:.1} hours"));
    log.info(format!("Checkpoint: {}", checkpoint.path().display()));
    log.rule();
    log.info("PARALLEL PROCESSING STARTED");
    log.rule();

    let begun = Instant::now();
    let shared = Mutex::new(Shared {
        progress: Progress::default(),
        failed: Vec::new(),
        checkpoint,
    });
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (tell, done) = mpsc::channel();
        for _ in 0..workers.min(dates.len()) {
            let (tell, shared, next, dates) = (tell.clone(), &shared, &next, &dates);
            scope.spawn(move || work(run, dates, next, shared, &tell));
        }
        drop(tell);
        report_progress(run, &done, dates.len(), begun);
    });
    let Shared {
        progress,
        failed,
        checkpoint,
    } = shared.into_inner().unwrap_or_else(PoisonError::into_inner);

    if run.job == Job::PlayerSummary && !run.args.dry_run && progress.successful > 0 {
        post_check::after_range(run, &dates, &failed);
    }
    summary(run, range, &progress, dates.len(), begun);
    report::checkpoint_summary(log, &checkpoint);
    report::failed_dates(run, &failed);
    log.rule();
}

fn work(
    run: &Run<'_>,
    dates: &[NaiveDate],
    next: &AtomicUsize,
    shared: &Mutex<Shared>,
    tell: &Sender<Progress>,
) {
    while let Some(date) = dates.get(next.fetch_add(1, Ordering::Relaxed)) {
        let outcome = run.processor.process(*date);
        if let Outcome::Exception { kind, message } = &outcome {
            let trace = traceback(
                &Frame {
                    script: &run.job.script(),
                    stage: "analytics",
                    function: "process_single_day",
                    line: 411,
                    call: "processor.run(opts)",
                },
                kind,
                message,
            );
            run.log
                .error(format!("Exception processing {date}: {message}\n{trace}"));
        }
        let after = note(run, *date, &outcome, shared);
        match &outcome {
            Outcome::Success(stats) => run
                .log
                .info(format!("  ✓ {date}: {} records", stats.records)),
            Outcome::Failed => run.log.error(format!("  ✗ {date}: Processing failed")),
            Outcome::Exception { .. } => {}
        }
        // The main thread listens until the last worker is gone.
        let _ = tell.send(after);
    }
}

fn note(run: &Run<'_>, date: NaiveDate, outcome: &Outcome, shared: &Mutex<Shared>) -> Progress {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    shared.progress.processed += 1;
    if let Outcome::Success(stats) = outcome {
        shared.progress.successful += 1;
        shared.progress.records += stats.records;
        shared.checkpoint.complete(date, run.log);
    } else {
        shared.failed.push(date);
        shared.checkpoint.failed(date, run.log);
    }
    shared.progress
}

fn report_progress(run: &Run<'_>, done: &Receiver<Progress>, days: usize, begun: Instant) {
    let log = run.log;
    for progress in done.iter().filter(|progress| progress.processed % 10 == 0) {
        let Progress {
            processed,
            successful,
            records,
            ..
        } = progress;
        let share = percent(processed, days);
        let success = percent(successful, processed);
        let average = progress.records_per_success();
        let elapsed = hours(begun);
        let rate = ratio(processed as f64, elapsed);
        let remaining = ratio((days - processed) as f64, rate);
        log.rule();
        match run.job {
            Job::TeamOffense | Job::TeamDefense => {
                log.info(format!("PROGRESS: {processed}/{days} ({share:.1}%)"));
                log.info(format!("  Success rate: {success:.1}%"));
                log.info(format!("  Total records: {records} (avg {average:.0}/day)"));
                log.info(format!(
                    "  Elapsed: {elapsed:.1}h | Remaining: {remaining:.1}h"
                ));
            }
            Job::PlayerSummary => {
                log.info(format!("PROGRESS: {processed}/{days} days ({share:.1}%)"));
                log.info(format!("  Success: {successful} ({success:.1}%)"));
                log.info(format!("  Failed: {}", progress.failed()));
                log.info(format!(
                    "  Records: {} (avg {average:.0}/day)",
                    thousands(records)
                ));
                log.info(format!("  Rate: {rate:.1} days/hour"));
                log.info(format!("  ETA: {remaining:.1} hours remaining"));
            }
        }
        log.rule();
    }
}

fn summary(run: &Run<'_>, range: Range, progress: &Progress, days: usize, begun: Instant) {
    let (log, elapsed) = (run.log, hours(begun));
    let (successful, failed, records) = (progress.successful, progress.failed(), progress.records);
    let rate = ratio(days as f64, elapsed);
    if run.job == Job::PlayerSummary {
        log.rule_after_gap();
    } else {
        log.rule();
    }
    log.info("PARALLEL BACKFILL COMPLETE");
    log.rule();
    match run.job {
        Job::TeamOffense | Job::TeamDefense => {
            log.info(format!("  Total days: {}", range.dates().len()));
            log.info(format!("  Processed: {days}"));
            log.info(format!("  Successful: {successful}"));
            log.info(format!("  Failed: {failed}"));
            log.info(format!("  Total records: {records}"));
            log.info(format!("  Total time: {elapsed:.1} hours"));
            log.info(format!("  Processing rate: {rate:.1} days/hour"));
        }
        Job::PlayerSummary => {
            // After a resume the real job counts the dates that were left, not the range's.
            log.info(format!("  Total days: {days}"));
            log.info(format!("  Successful: {successful}"));
            log.info(format!("  Failed: {failed}"));
            log.info(format!("  Success rate: {:.1}%", percent(successful, days)));
            log.info(format!("  Total records: {}", thousands(records)));
            if successful > 0 {
                log.info(format!(
                    "  Avg records/day: {:.0}",
                    progress.records_per_success()
                ));
            }
            log.info(format!("  Total time: {elapsed:.2} hours"));
            log.info(format!("  Processing rate: {rate:.1} days/hour"));
            log.info(format!("  Speedup vs sequential: ~{}x", run.args.workers));
        }
    }
}

fn hours(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() / 3600.0
}
