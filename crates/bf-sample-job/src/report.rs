//! Blocks of the log that several kinds of run share.

use chrono::NaiveDate;

use crate::checkpoint::Checkpoint;
use crate::job::{Job, Range, Run};
use crate::log::Log;
use crate::text::list;

/// Takes up the checkpoint and returns the dates that are left.
pub fn dates_left(run: &Run<'_>, range: Range, checkpoint: &mut Checkpoint) -> Vec<NaiveDate> {
    let (log, parallel) = (run.log, run.args.parallel);
    let all = range.dates();
    if !checkpoint.exists() {
        return all;
    }
    if run.args.no_resume {
        log.info(if parallel {
            "🔄 --no-resume specified, starting fresh"
        } else {
            "🔄 --no-resume specified, starting fresh (clearing checkpoint)"
        });
        checkpoint.clear(log);
        return all;
    }
    let Some(resume) = checkpoint
        .resume(log)
        .filter(|resume| *resume > range.start)
    else {
        return all;
    };
    let left: Vec<NaiveDate> = all.iter().copied().filter(|date| *date >= resume).collect();
    // The real player job, in parallel, prints the dates it goes on with as those it skips.
    let skipped = match (run.job, parallel) {
        (Job::PlayerSummary, true) => left.len(),
        _ => all.len() - left.len(),
    };
    let found = if parallel {
        "Resuming"
    } else {
        "Found checkpoint - resuming"
    };
    log.info(format!("📂 {found} from {resume}"));
    log.info(format!("   Skipping {skipped} already-processed dates"));
    left
}

/// What the job says of its checkpoint at the end. The real jobs look the two counts up in
/// the wrong place and always print 0.
pub fn checkpoint_summary(log: &Log, checkpoint: &Checkpoint) {
    log.info("\n📊 Checkpoint Summary:");
    log.info("   Total successful: 0");
    log.info("   Total failed: 0");
    log.info(format!(
        "   Checkpoint file: {}",
        checkpoint.path().display()
    ));
}

/// The failed dates, and how to try them again; `heading` and `retry` differ by kind of run.
pub fn failed_dates(run: &Run<'_>, failed: &[NaiveDate]) {
    if failed.is_empty() {
        return;
    }
    let (log, args, parallel) = (run.log, run.args, run.args.parallel);
    let player = run.job == Job::PlayerSummary;
    let mut failed = failed.to_vec();
    if player && parallel {
        failed.sort_unstable();
    }
    let count = failed.len();
    if player && parallel {
        log.info(format!("\n  Failed dates ({count}):"));
    } else {
        log.info(format!("\n  Failed dates ({count} total):"));
    }
    log.info(format!("    {}", list(&failed, 10, ", ")));
    if count > 10 {
        log.info(format!("    ... and {} more", count - 10));
    }
    let (script, dates) = (run.job.script(), list(&failed, 5, ","));
    if player && parallel {
        log.info("\n  To retry failed days:");
        log.info(format!(
            "    python {script} --dates {dates} --parallel --workers {}",
            args.workers
        ));
    } else {
        log.info("\n  To retry failed days, use --dates parameter:");
        log.info(format!("    python {script} --dates {dates}"));
    }
    if player && !parallel {
        log.info("  Or with gcloud:");
        log.info("    gcloud run jobs execute player-game-summary-analytics-backfill \\");
        log.info(format!(
            "      --args=\"^|^--dates={dates}\" --region=us-west2"
        ));
    }
}
