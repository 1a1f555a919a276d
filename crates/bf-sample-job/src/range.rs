//! A range, one date after the other.

use chrono::NaiveDate;

use crate::check;
use crate::checkpoint::Checkpoint;
use crate::dates::Range;
use crate::job::{FACTORS, FEATURES, PLAYERS, Stage};
use crate::process::{Outcome, Tally};
use crate::run::Run;
use crate::text::{list, python_bool};

/// Runs the job over the range.
pub(crate) fn run(run: &Run<'_>, range: Range) {
    let (log, is_dry_run) = (&run.log, run.args.dry_run);
    let mut checkpoint = run.checkpoint(range);
    if run.job.stage == Stage::Precompute {
        start_fresh(run, &checkpoint, "fresh");
    }
    options(run, range, &checkpoint, "options_sequential");
    let Range { start, end } = range;
    run.print("starting", &figures![start = start, end = end]);
    if !is_accepted(run, range) {
        return;
    }
    let days = range.dates().len();
    let all = match run.job.stage {
        Stage::Analytics => range.dates(),
        Stage::Precompute => run.schedule.game_dates(start, end),
    };
    let (count, off) = (all.len(), days - all.len());
    let known = figures![count = count, days = days, off = off];
    run.print("schedule", &known);
    if all.is_empty() {
        run.print("no_game_dates", &[]);
        return;
    }
    if run.job.is(&FACTORS) && !is_dry_run {
        coverage(run, &all);
    }
    let before = match run.job.stage {
        Stage::Precompute if is_dry_run => 0,
        _ => done_before(run, &all, &mut checkpoint, ""),
    };
    let dates = &all[before..];
    let left = dates.len();
    let path = checkpoint.path().display().to_string();
    let mut more = Vec::from(figures![left = left, checkpoint = path]);
    more.extend(known);
    run.print("processing", &more);

    let mut tally = Tally::default();
    for (index, date) in dates.iter().enumerate() {
        let (at, number) = (index + 1, before + index + 1);
        let which = figures![
            at = at,
            number = number,
            date = date,
            left = left,
            count = count
        ];
        run.print("date", &which);
        if is_dry_run && !run.is_bootstrap(*date) {
            run.dry_run(*date, "dry_run");
            tally.done += 1;
        } else {
            let outcome = run.process(*date);
            run.print(outcome.section(), &outcome.figures(run, *date));
            tally.add(*date, &outcome);
            if !is_dry_run {
                record(&mut checkpoint, *date, &outcome, log);
            }
        }
        if tally.done % 10 == 0 && !is_dry_run {
            let mut figures = tally.figures(tally.done);
            figures.extend(figures![left = left]);
            run.print("progress", &figures);
        }
    }
    let is_real = !is_dry_run;
    if run.job.is(&PLAYERS) && is_real && tally.successful > 0 {
        check::run(run, dates, &tally.failed, false);
    }
    let mut figures = tally.figures(left);
    let sums = &tally.sums;
    figures.extend(figures![
        start = start,
        end = end,
        days = days,
        off = off,
        written ? is_real.then_some(sums.rows),
        teams ? is_real.then_some(2 * sums.games),
        games ? is_real.then_some(sums.games),
        found = sums.rows - sums.not_found,
        not_found = sums.not_found,
        checkpoint = path,
        written_checkpoint ? is_real.then_some(&path),
    ]);
    run.print("summary", &figures);
    if is_real {
        run.print("summary_registry", &figures);
    }
    if sums.not_found > 0 {
        run.print("summary_unresolved", &figures);
    }
    run.print("checkpoint", &figures);
    failed_dates(run, &tally.failed, "failed_dates");
    run.print("closing", &figures);
    if run.job.is(&FEATURES) && is_real && tally.successful > 0 {
        closing_check(run, range);
    }
}

/// Prints the options of a range.
pub(crate) fn options(run: &Run<'_>, range: Range, checkpoint: &Checkpoint, strategy: &str) {
    let options = figures![
        start = range.start,
        end = range.end,
        dry_run = python_bool(run.args.dry_run),
        no_resume = python_bool(run.args.no_resume),
        parallel = python_bool(run.workers.is_some()),
        workers ? run.workers,
        checkpoint = checkpoint.path().display(),
    ];
    run.print("options", &options);
    run.print(strategy, &options);
}

/// Prints whether the job accepts its range.
pub(crate) fn is_accepted(run: &Run<'_>, range: Range) -> bool {
    if let Some(reason) = range.refusal() {
        run.print("refused", &figures![reason = reason]);
        return false;
    }
    let (days, Range { start, end }) = (range.dates().len(), range);
    let figures = figures![days = days, start = start, end = end];
    run.print("accepted", &figures);
    true
}

/// Removes the checkpoint of an earlier run with `--no-resume`.
fn start_fresh(run: &Run<'_>, checkpoint: &Checkpoint, section: &str) {
    if run.args.no_resume && checkpoint.exists() {
        run.print(section, &[]);
        checkpoint.clear(&run.log);
    }
}

/// Reads the checkpoint and returns how many of the dates come before it.
pub(crate) fn done_before(
    run: &Run<'_>,
    all: &[NaiveDate],
    checkpoint: &mut Checkpoint,
    prefix: &str,
) -> usize {
    start_fresh(run, checkpoint, &format!("{prefix}fresh"));
    if !checkpoint.exists() {
        return 0;
    }
    let Some(resume) = checkpoint.resume(&run.log) else {
        return 0;
    };
    // After the last game date the real jobs of phase 4 begin anew, and name the first date.
    let done = all.iter().position(|date| *date >= resume).unwrap_or(0);
    // The real player job, in parallel, prints the number of dates that are left.
    let skipped = match run.job.is(&PLAYERS) && run.workers.is_some() {
        true => all.len() - done,
        false => done,
    };
    let figures = figures![
        resume = resume,
        skipped = skipped,
        first = all[done],
        status = checkpoint.status(),
    ];
    run.print(&format!("{prefix}resuming"), &figures);
    done
}

/// Records a date's outcome in the checkpoint.
pub(crate) fn record(
    checkpoint: &mut Checkpoint,
    date: NaiveDate,
    outcome: &Outcome,
    log: &crate::log::Log,
) {
    match outcome {
        Outcome::Success(_) => checkpoint.complete(date, log),
        Outcome::Bootstrap => checkpoint.skipped(date, log),
        Outcome::Failed | Outcome::Exception(_) => checkpoint.failed(date, log),
    }
}

/// Prints the failed dates, and how to try them again.
pub(crate) fn failed_dates(run: &Run<'_>, failed: &[NaiveDate], section: &str) {
    if failed.is_empty() {
        return;
    }
    let count = failed.len();
    let python = |date: &NaiveDate| format!("datetime.date({})", date.format("%Y, %-m, %-d"));
    let python: Vec<String> = failed.iter().take(10).map(python).collect();
    let figures = figures![
        failed = count,
        ten = list(failed, 10, ", "),
        five = list(failed, 5, ","),
        more ? (count > 10).then(|| count - 10),
        python_dates = python.join(", "),
        script = run.job.script(),
        workers ? run.workers,
    ];
    run.print(section, &figures);
}

/// The composite factors' own check of their sources. The warehouse has no
/// `upcoming_player_game_context`, which the real job takes as a date without a problem.
fn coverage(run: &Run<'_>, dates: &[NaiveDate]) {
    run.print("coverage", &figures![count = dates.len()]);
    for date in dates {
        let players = run.players_on(*date);
        if players > 0 {
            let figures = figures![date = date, players = players];
            run.print("coverage_date", &figures);
        }
    }
    run.print("coverage_end", &[]);
}

/// The feature store's own check of its table.
fn closing_check(run: &Run<'_>, range: Range) {
    let sql = "SELECT count(*) - count(DISTINCT player_lookup || game_id)
               FROM nba_predictions.ml_feature_store_v2 WHERE game_date BETWEEN ? AND ?";
    let found = run.store().number(sql, &[range.start, range.end]);
    let duplicates = found.unwrap_or(0);
    let figures = figures![
        passed_mark?(duplicates == 0).then_some("✅"),
        duplicate_issues?(duplicates > 0).then_some(1),
        duplicates?(duplicates > 0).then_some(duplicates),
    ];
    run.print("closing_check", &figures);
}
