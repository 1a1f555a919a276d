//! Single dates, as for trying failed ones again.

use chrono::NaiveDate;

use crate::check;
use crate::job::{PLAYERS, Stage, TEAM_ZONES};
use crate::process::Tally;
use crate::run::Run;
use crate::text::list;

/// Runs the job over these dates, in the order given.
pub(crate) fn run(run: &Run<'_>, dates: &[NaiveDate]) {
    let count = dates.len();
    run.print("dates", &figures![count = count]);
    let mut tally = Tally::default();
    for (index, date) in dates.iter().enumerate() {
        let figures = figures![number = index + 1, count = count, date = date];
        run.print("single", &figures);
        if run.args.dry_run && !run.is_bootstrap(*date) {
            run.dry_run(*date, "dry_run_single");
            // Most jobs of phase 4 count what is neither a success nor a skip as a failure.
            if run.job.stage == Stage::Precompute && !run.job.is(&TEAM_ZONES) {
                tally.failed.push(*date);
            }
            continue;
        }
        let outcome = run.process(*date);
        let section = format!("single_{}", outcome.section());
        run.print(&section, &outcome.figures(run, *date));
        tally.add(*date, &outcome);
    }
    if run.job.is(&PLAYERS) && tally.successful > 0 {
        check::run(run, dates, &tally.failed, true);
    }
    let failed = &tally.failed;
    let all_failed = (!failed.is_empty()).then(|| list(failed, failed.len(), ", "));
    let mut figures = tally.figures(count);
    figures.extend(figures![count = count, all_failed ? all_failed]);
    run.print("dates_summary", &figures);
}
