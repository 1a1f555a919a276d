//! A run: what the command line asks for, and everything that its parts share.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{Days, Local, NaiveDate};

use crate::checkpoint::Checkpoint;
use crate::cli::JobArgs;
use crate::dates::{Range, Target, parse};
use crate::faults::RowFaultArgs;
use crate::job::{Job, PHASE_3, PLAYERS, Stage};
use crate::log::Log;
use crate::schedule::Schedule;
use crate::store::Store;
use crate::text::percent;
use crate::words::{Figure, Words};
use crate::{parallel, range, single};

/// Days after opening night on which no team has played enough for phase 4.
const BOOTSTRAP_DAYS: i64 = 14;
/// Least share of the game dates that each table of phase 3 must have, in percent.
const READY: f64 = 95.0;

/// Everything a run needs to know.
pub(crate) struct Run<'a> {
    pub(crate) job: &'static Job,
    pub(crate) args: &'a JobArgs,
    /// The threads of `--parallel`.
    pub(crate) workers: Option<u16>,
    pub(crate) row_faults: &'a RowFaultArgs,
    pub(crate) log: Log,
    pub(crate) words: Words,
    pub(crate) schedule: Schedule,
    store: Mutex<Store>,
}

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

impl Run<'_> {
    /// Prints a section of the job's words.
    pub(crate) fn print(&self, section: &str, figures: &[Figure]) {
        self.words.print(&self.log, section, figures);
    }

    /// The connection to the warehouse, for this thread alone.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checkpoint of a range.
    pub(crate) fn checkpoint(&self, range: Range) -> Checkpoint {
        Checkpoint::new(&self.args.warehouse.dir, self.job.title(), range)
    }

    /// Whether the date is in the first days of a season, which phase 4 leaves out.
    pub(crate) fn is_bootstrap(&self, date: NaiveDate) -> bool {
        let start = self.schedule.season_start(date);
        let is_early = |start: NaiveDate| (date - start).num_days() < BOOTSTRAP_DAYS;
        self.job.stage == Stage::Precompute && start.is_some_and(is_early)
    }

    /// Players who played on the date.
    pub(crate) fn players_on(&self, date: NaiveDate) -> u64 {
        let sql = "SELECT count(DISTINCT player_lookup) FROM nba_analytics.player_game_summary
                   WHERE game_date = ? AND points IS NOT NULL";
        self.store().number(sql, &[date]).unwrap_or(0)
    }

    /// In phase 4: whether the tables of phase 3 are complete enough to begin.
    fn is_ready(&self, range: Range) -> bool {
        if self.args.dry_run || self.job.stage == Stage::Analytics {
            return true;
        }
        let Range { start, end } = range;
        self.print("preflight", &figures![start = start, end = end]);
        let dates = self.schedule.game_dates(start, end).into_iter();
        let needed: Vec<_> = dates.filter(|date| !self.is_bootstrap(*date)).collect();
        let is_ready = PHASE_3.iter().all(|table| {
            // A table that cannot be read has no dates, as in the real check.
            let there = self.store().dates(*table, range).unwrap_or_default();
            let found = needed.iter().filter(|date| there.contains(date)).count();
            needed.is_empty() || percent(found, needed.len()) >= READY
        });
        let section = match is_ready {
            true => "preflight_passed",
            false => "preflight_failed",
        };
        self.print(section, &[]);
        is_ready
    }
}
