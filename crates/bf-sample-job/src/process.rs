//! One date: compute its rows, write them, report what was done, or go wrong as told.

use std::thread;
use std::time::Duration;

use chrono::{Datelike, NaiveDate};

use crate::faults::{Ending, RATE_LIMIT, traceback};
use crate::hash::{Hash, part};
use crate::job::{FACTORS, PLAYERS, Stage};
use crate::rows;
use crate::run::Run;
use crate::table::{Row, sample_row, tables_of};
use crate::text::{percent, ratio};
use crate::words::Figure;

/// What the job claims to have done for a date.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DayStats {
    pub(crate) rows: u64,
    pub(crate) games: u64,
    /// Players who are not in the registry.
    pub(crate) not_found: u64,
}

/// How a date went, as the job sees it.
pub(crate) enum Outcome {
    Success(DayStats),
    /// Too early in the season for phase 4.
    Bootstrap,
    Failed,
    /// The message of an exception.
    Exception(String),
}

/// The outcomes of the dates so far.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) done: usize,
    pub(crate) successful: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: Vec<NaiveDate>,
    pub(crate) sums: DayStats,
}

impl Outcome {
    /// The section that reports it.
    pub(crate) fn section(&self) -> &'static str {
        match self {
            Self::Success(_) => "success",
            Self::Bootstrap => "bootstrap",
            Self::Failed => "failed",
            Self::Exception(_) => "exception",
        }
    }

    /// The figures of that section.
    pub(crate) fn figures(&self, run: &Run<'_>, date: NaiveDate) -> Vec<Figure> {
        let mut figures = Vec::from(figures![date = date]);
        match self {
            Self::Success(stats) => {
                // Only the composite factors are compared with the players who played.
                let players = match run.job.is(&FACTORS) {
                    true => run.players_on(date),
                    false => 0,
                };
                let coverage = percent(stats.rows as usize, players as usize);
                let unknown = (stats.not_found > 0).then_some(stats.not_found);
                figures.extend(figures![
                    rows = stats.rows,
                    games = stats.games,
                    not_found ? unknown,
                    players = players,
                    coverage = format!("{coverage:.1}"),
                ]);
            }
            Self::Exception(message) => figures.extend(figures![message = message]),
            Self::Bootstrap | Self::Failed => {}
        }
        figures
    }
}

impl Tally {
    /// Counts a date.
    pub(crate) fn add(&mut self, date: NaiveDate, outcome: &Outcome) {
        self.done += 1;
        match outcome {
            Outcome::Success(stats) => {
                self.successful += 1;
                self.sums.rows += stats.rows;
                self.sums.games += stats.games;
                self.sums.not_found += stats.not_found;
            }
            Outcome::Bootstrap => self.skipped += 1,
            Outcome::Failed | Outcome::Exception(_) => self.failed.push(date),
        }
    }

    /// Its figures; `rate` is the share of the successful dates in `of`.
    pub(crate) fn figures(&self, of: usize) -> Vec<Figure> {
        let rows = self.sums.rows;
        let average = ratio(rows as f64, self.successful as f64);
        let tried = percent(self.successful, (self.done - self.skipped).max(1));
        let tried = format!("{tried:.1}");
        let some = self.successful > 0;
        Vec::from(figures![
            done = self.done,
            successful = self.successful,
            skipped = self.skipped,
            failed = self.failed.len(),
            rows = rows,
            some_rows ? some.then_some(rows),
            average ? some.then(|| format!("{average:.1}")),
            some_average ? some.then(|| format!("{average:.0}")),
            whole_average = format!("{average:.0}"),
            rate = format!("{:.1}", percent(self.successful, of)),
            tried_rate = tried,
            summary_rate ? (self.done > self.skipped).then_some(&tried),
        ])
    }
}

impl Run<'_> {
    /// Processes one date.
    pub(crate) fn process(&self, date: NaiveDate) -> Outcome {
        if self.is_bootstrap(date) {
            self.print("early", &figures![date = date]);
            return Outcome::Bootstrap;
        }
        let ending = self.args.faults.ending(date);
        self.print("step", &figures![date = date]);
        thread::sleep(self.delay(date));
        match ending {
            Ending::Exception => self.raised(date, RATE_LIMIT.0, RATE_LIMIT.1.to_owned()),
            Ending::Failure => self.gave_up(format!("No data extracted for {date}")),
            Ending::Rows => match self.write(date) {
                Ok(outcome) => outcome,
                Err(problem) => self.raised(date, "sqlite3.OperationalError", problem.to_string()),
            },
        }
    }

    fn write(&self, date: NaiveDate) -> rusqlite::Result<Outcome> {
        for upstream in self.job.upstream {
            if self.store().rows_on(*upstream, date)? == 0 {
                let table = upstream.full_name();
                return Ok(self.gave_up(format!("No data extracted from {table} for {date}")));
            }
        }
        let games = self.schedule.on(date);
        let mut rows = self.rows(date)?;
        let unknown = games
            .iter()
            .filter(|game| game.hash("registry").chance(120));
        let stats = DayStats {
            rows: rows.len() as u64,
            games: games.len() as u64,
            not_found: match self.job.is(&PLAYERS) {
                true => unknown.count() as u64,
                false => 0,
            },
        };
        self.args.faults.spoil(date, &mut rows);
        self.row_faults.spoil(date, games, &mut rows);
        let copies = self.args.faults.copies(date);
        if copies > 0 {
            let table = self.job.table;
            self.store().replace(table, date, &rows, copies)?;
        }
        Ok(Outcome::Success(stats))
    }

    fn rows(&self, date: NaiveDate) -> rusqlite::Result<Vec<Row>> {
        let (job, table) = (self.job, self.job.table);
        if job.stage == Stage::Analytics {
            let games = self.schedule.on(date).iter();
            return Ok(games.flat_map(|game| rows::of(job, game)).collect());
        }
        let mut tables = tables_of(table.dataset).into_iter();
        let columns = tables.find(|(name, _)| *name == table.name);
        let columns = columns.unwrap_or_default().1;
        let keys = self.store().select(job.keys, job.key_columns, date)?;
        let rows = keys.iter().map(|keys| sample_row(&columns, date, keys));
        Ok(rows.collect())
    }

    fn gave_up(&self, why: String) -> Outcome {
        self.print("gave_up", &figures![why = why]);
        Outcome::Failed
    }

    fn raised(&self, date: NaiveDate, kind: &str, message: String) -> Outcome {
        let (section, function, line, call) = match (self.workers, self.job.stage) {
            (Some(_), _) => (
                "parallel_raised",
                "process_single_day",
                411,
                "processor.run(opts)",
            ),
            (None, Stage::Analytics) => (
                "raised",
                "run_analytics_processing",
                170,
                "self.processor.run(opts)",
            ),
            (None, Stage::Precompute) => (
                "raised",
                "run_precompute_processing",
                166,
                "self.processor.run(opts)",
            ),
        };
        let place = format!("\"{}\", line {line}, in {function}", self.job.script());
        let trace = traceback(&place, call, self.job.stage.name(), kind, &message);
        let figures = figures![date = date, message = message, traceback = trace];
        self.print(section, &figures);
        Outcome::Exception(message)
    }

    fn delay(&self, date: NaiveDate) -> Duration {
        let usual = Duration::from_millis(self.args.delay_ms);
        if self.workers.is_none() || self.args.dates.is_some() {
            return usual;
        }
        let day = u64::from(date.num_days_from_ce().unsigned_abs());
        let percent = Hash::of(&[part("delay"), day]).between(50, 150);
        usual.mul_f64(percent as f64 / 100.0)
    }

    /// Checks a date without processing it.
    pub(crate) fn dry_run(&self, date: NaiveDate, section: &str) {
        let games = self.schedule.on(date).len();
        let span = match games {
            0 => "None to None".to_owned(),
            _ => format!("{date} to {date}"),
        };
        // A table that cannot be read has no rows.
        let rows = |table: &_| self.store().rows_on(*table, date).unwrap_or(0);
        let tables = self.job.upstream.iter();
        let needs: Vec<_> = tables.map(|table| (table.name, rows(table))).collect();
        let counts = needs
            .iter()
            .map(|(table, rows)| format!("'{table}': {rows}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let missing = needs.iter().filter(|(_, rows)| *rows == 0);
        let missing: Vec<_> = missing.map(|(table, _)| format!("'{table}'")).collect();
        let is_ready = missing.is_empty();
        let figures = figures![
            date = date,
            games = games,
            span = span,
            gamebook = games * 21,
            boxscores = games * 26,
            props = games * 14,
            // The real job adds the same games up over its three sources.
            all_games = games * 3,
            needed ? needs.first().map(|(_, rows)| rows),
            not_ = if is_ready { "" } else { "NOT " },
            deps = if is_ready { "OK" } else { "MISSING" },
            dependencies = format!("{{{counts}}}"),
            ready ? is_ready.then_some("ALL Phase 4"),
            missing ? (!is_ready).then(|| missing.join(", ")),
        ];
        self.print(section, &figures);
    }
}
