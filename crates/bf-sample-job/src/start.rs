//! What the command line asks for.

use std::io::Write;
use std::sync::Mutex;

use chrono::{Days, Local};

use crate::cli::JobArgs;
use crate::dates::{Range, Target, parse};
use crate::faults::RowFaultArgs;
use crate::job::{Job, PHASE_3, PLAYERS, Stage};
use crate::log::Log;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::store::Store;
use crate::words::{Figure, Words};
use crate::{parallel, range, single};

/// Runs a job and returns its exit code.
pub(crate) fn start(
    job: &'static Job,
    args: &JobArgs,
    workers: Option<u16>,
    row_faults: &RowFaultArgs,
    out: Box<dyn Write + Send>,
) -> u8 {
    let (log, words) = (Log::new(out, args.log_format), Words::of(job));
    let target = match target(job, args) {
        Ok(target) => target,
        Err((section, figures)) => {
            words.print(&log, section, &figures);
            return 1;
        }
    };
    // A run that writes nothing leaves nothing behind.
    let writes = match &target {
        Target::Dates(_) => !args.dry_run,
        Target::Range(range) => range.refusal().is_none() && (!args.dry_run || workers.is_some()),
    };
    let own = writes.then_some(job.table.dataset);
    let phase_3: &[_] = match job.stage {
        Stage::Analytics => &[],
        Stage::Precompute => &PHASE_3,
    };
    let mut reads: Vec<&str> = Vec::new();
    for table in phase_3.iter().chain(job.upstream) {
        if !reads.contains(&table.dataset) {
            reads.push(table.dataset);
        }
    }
    let store = match Store::open(&args.warehouse.dir, own, &reads) {
        Ok(store) => Mutex::new(store),
        Err(problem) => {
            let text = format!("Cannot use warehouse: {problem}");
            log.write("ERROR", "__main__", &text);
            return 1;
        }
    };
    let run = Run {
        job,
        args,
        workers,
        row_faults,
        log,
        words,
        schedule: Schedule::load(),
        store,
    };
    match target {
        Target::Dates(dates) => single::run(&run, &dates),
        Target::Range(range) if run.is_ready(range) => match workers {
            Some(workers) => parallel::run(&run, range, workers),
            None => range::run(&run, range),
        },
        Target::Range(_) => return 1,
    }
    0
}

/// The dates that a command line asks for, or the complaint about one that is not valid.
fn target(job: &Job, args: &JobArgs) -> Result<Target, (&'static str, Vec<Figure>)> {
    let script = job.script();
    if let Some(list) = &args.dates {
        let date = |text: &str| {
            let figures = || figures![text = text, script = script].into();
            parse(text).ok_or_else(|| ("invalid_list", figures()))
        };
        let dates = list.split(',').map(|text| date(text.trim()));
        return dates.collect::<Result<_, _>>().map(Target::Dates);
    }
    let read = |which: &str, text: &str| {
        let figures = || figures![which = which, text = text, script = script].into();
        parse(text).ok_or_else(|| ("invalid_date", figures()))
    };
    let today = Local::now().date_naive();
    let is_single_day = job.stage == Stage::Analytics && !job.is(&PLAYERS);
    let start = match &args.start_date {
        Some(text) => read("start", text)?,
        None if is_single_day => return Err(("no_start", Vec::new())),
        None => today - Days::new(7),
    };
    let end = match &args.end_date {
        Some(text) => read("end", text)?,
        None if is_single_day => start,
        None => today - Days::new(1),
    };
    Ok(Target::Range(Range { start, end }))
}
