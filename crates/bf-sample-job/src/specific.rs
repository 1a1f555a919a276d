//! Single dates, as for trying failed ones again.

use chrono::NaiveDate;

use crate::job::{Job, Run};
use crate::post_check;
use crate::processor::Outcome;
use crate::sequential::{look, process};
use crate::text::list;

/// Runs the job over these dates, in the order given.
pub fn run(run: &Run<'_>, dates: &[NaiveDate]) {
    let (log, dry_run) = (run.log, run.args.dry_run);
    // Said once by the main program and once by the loop.
    log.info(format!("Processing {} specific dates", dates.len()));
    log.info(format!("Processing {} specific dates", dates.len()));

    let (mut successful, mut records, mut failed) = (0, 0, Vec::new());
    for (index, date) in dates.iter().enumerate() {
        log.info(format!(
            "Processing date {}/{}: {date}",
            index + 1,
            dates.len()
        ));
        match (!dry_run).then(|| process(run, *date)) {
            None => look(run, *date),
            Some(Outcome::Success(stats)) => {
                successful += 1;
                records += stats.records;
                log.info(format!("  ✓ Success: {} records", stats.records));
            }
            Some(Outcome::Failed) => {
                failed.push(*date);
                log.error("  ✗ Failed: Unknown error");
            }
            Some(Outcome::Exception { message, .. }) => {
                failed.push(*date);
                log.error(format!("  ✗ Failed: {message}"));
            }
        }
    }

    if run.job == Job::PlayerSummary {
        if successful > 0 {
            post_check::after_dates(run, dates, &failed);
        }
        log.rule_after_gap();
    } else {
        log.rule();
    }
    log.info("SPECIFIC DATES PROCESSING SUMMARY:");
    log.info(format!("  Total dates: {}", dates.len()));
    log.info(format!("  Successful: {successful}"));
    log.info(format!("  Failed: {}", failed.len()));
    if successful > 0 {
        log.info(format!("  Total records: {records}"));
        log.info(format!(
            "  Average per date: {:.1}",
            records as f64 / f64::from(successful)
        ));
    }
    if !failed.is_empty() {
        log.info(format!(
            "  Failed dates: {}",
            list(&failed, failed.len(), ", ")
        ));
    }
    log.rule();
}
