//! A range, many dates at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use chrono::NaiveDate;

use crate::check;
use crate::checkpoint::Checkpoint;
use crate::dates::Range;
use crate::job::PLAYERS;
use crate::process::{Outcome, Tally};
use crate::range::{done_before, failed_dates, is_accepted, options, record};
use crate::run::Run;
use crate::text::{percent, ratio, thousands};
use crate::words::Figure;

/// What changes together when a date is done.
struct Shared {
    tally: Tally,
    checkpoint: Checkpoint,
}

/// Runs the job over the range.
pub(crate) fn run(run: &Run<'_>, range: Range, workers: u16) {
    let is_player = run.job.is(&PLAYERS);
    let mut checkpoint = run.checkpoint(range);
    options(run, range, &checkpoint, "options_parallel");
    let (start, end) = (range.start, range.end);
    let head = figures![workers = workers, start = start, end = end];
    run.print("parallel_head", &head);
    if !is_accepted(run, range) {
        return;
    }
    let all = range.dates();
    let before = done_before(run, &all, &mut checkpoint, "parallel_");
    let dates = &all[before..];
    let left = dates.len();
    let hours_per_day = if is_player { 2.5 } else { 8.0 / 60.0 };
    let estimate = left as f64 / f64::from(workers) * hours_per_day;
    let path = checkpoint.path().display().to_string();
    let figures = figures![
        left = left,
        workers = workers,
        estimate = format!("{estimate:.1}"),
        checkpoint = path,
    ];
    run.print("parallel_processing", &figures);

    let began = Instant::now();
    let tally = Tally::default();
    let shared = Mutex::new(Shared { tally, checkpoint });
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (tell, done) = mpsc::channel();
        for _ in 0..left.min(usize::from(workers)) {
            let (tell, shared, next) = (tell.clone(), &shared, &next);
            scope.spawn(move || work(run, dates, next, shared, &tell));
        }
        drop(tell);
        progress(run, &done, left, began);
    });
    let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut tally = shared.tally;

    if is_player && !run.args.dry_run && tally.successful > 0 {
        check::run(run, dates, &tally.failed, false);
    }
    let hours = hours(began);
    let mut figures = tally.figures(left);
    figures.extend(figures![
        days = all.len(),
        left = left,
        workers = workers,
        rows_with_commas = thousands(tally.sums.rows),
        hours = format!("{hours:.1}"),
        exact_hours = format!("{hours:.2}"),
        speed = format!("{:.1}", ratio(left as f64, hours)),
        checkpoint = path,
    ]);
    run.print("parallel_summary", &figures);
    run.print("checkpoint", &figures);
    if is_player {
        tally.failed.sort_unstable();
    }
    failed_dates(run, &tally.failed, "parallel_failed_dates");
    run.print("closing", &[]);
}

fn work(
    run: &Run<'_>,
    dates: &[NaiveDate],
    next: &AtomicUsize,
    shared: &Mutex<Shared>,
    tell: &Sender<(usize, Vec<Figure>)>,
) {
    while let Some(date) = dates.get(next.fetch_add(1, Ordering::Relaxed)) {
        let outcome = run.process(*date);
        let after = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.tally.add(*date, &outcome);
            record(&mut shared.checkpoint, *date, &outcome, &run.log);
            let (done, rows) = (shared.tally.done, shared.tally.sums.rows);
            let mut figures = shared.tally.figures(done);
            figures.extend(figures![rows_with_commas = thousands(rows)]);
            (done % 10 == 0).then_some((done, figures))
        };
        let section = match outcome {
            Outcome::Success(_) => "parallel_success",
            Outcome::Failed => "parallel_failed",
            // It was reported when it was raised.
            Outcome::Exception(_) | Outcome::Bootstrap => "",
        };
        run.print(section, &outcome.figures(run, *date));
        if let Some(after) = after {
            // The main thread listens until the last worker is gone.
            let _ = tell.send(after);
        }
    }
}

fn progress(run: &Run<'_>, done: &Receiver<(usize, Vec<Figure>)>, left: usize, began: Instant) {
    for (done, mut figures) in done {
        let hours = hours(began);
        let speed = ratio(done as f64, hours);
        let remaining = ratio((left - done) as f64, speed);
        figures.extend(figures![
            left = left,
            share = format!("{:.1}", percent(done, left)),
            hours = format!("{hours:.1}"),
            remaining = format!("{remaining:.1}"),
            speed = format!("{speed:.1}"),
        ]);
        run.print("parallel_progress", &figures);
    }
}

fn hours(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() / 3600.0
}
