//! One date: compute its rows, write them, say what was done, or go wrong as told.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::{Datelike, NaiveDate};

use crate::cli::JobArgs;
use crate::dice::Dice;
use crate::faults::{self, Ending};
use crate::job::Job;
use crate::log::{Level, Log, Logger};
use crate::rows;
use crate::schedule::{Game, Schedule};
use crate::tables::Rows;
use crate::warehouse::Warehouse;

/// What the job claims to have done for a date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayStats {
    /// Rows.
    pub records: u64,
    /// Games.
    pub games: u64,
    /// Teams.
    pub teams: u64,
    /// Players found in the registry.
    pub found: u64,
    /// Players not found there.
    pub not_found: u64,
}

/// How a date went, as the job sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It went well.
    Success(DayStats),
    /// The processor gave up.
    Failed,
    /// The processor raised an exception.
    Exception {
        /// The exception's class.
        kind: &'static str,
        /// Its message.
        message: String,
    },
}

/// Processes dates; shared by all workers.
pub struct Processor<'a> {
    /// Which job this is.
    pub job: Job,
    /// Its options.
    pub args: &'a JobArgs,
    /// Its log.
    pub log: &'a Log,
    /// All games.
    pub schedule: &'a Schedule,
    /// The one connection that writes.
    pub warehouse: Mutex<Warehouse>,
    /// Games and teams the first job has written, when usage rates depend on it.
    pub known_teams: Option<HashSet<(String, String)>>,
}

impl Processor<'_> {
    /// The connection, for this thread alone.
    pub fn warehouse(&self) -> MutexGuard<'_, Warehouse> {
        self.warehouse
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Processes one date.
    pub fn process(&self, date: NaiveDate) -> Outcome {
        let ending = self.args.faults.ending(date);
        match ending {
            Ending::Death => self.args.faults.die(self.log),
            Ending::Hang => faults::hang(),
            Ending::Rows | Ending::Failure | Ending::Exception => {}
        }
        let step = format!("ANALYTICS_STEP Starting analytics processor for {date}");
        self.log.write(Level::Info, Logger::AnalyticsBase, &step);
        thread::sleep(self.delay(date));
        match ending {
            Ending::Exception => Outcome::Exception {
                kind: "google.api_core.exceptions.TooManyRequests",
                message: faults::RATE_LIMIT.to_owned(),
            },
            Ending::Failure => {
                let problem = format!("AnalyticsProcessorBase Error: No data extracted for {date}");
                self.log
                    .write(Level::Error, Logger::AnalyticsBase, &problem);
                Outcome::Failed
            }
            _ => self.write(date),
        }
    }

    fn write(&self, date: NaiveDate) -> Outcome {
        let games = self.schedule.on(date);
        let mut rows = rows::of_games(self.job, games);
        let stats = self.claim(games, &rows);
        self.forget_unknown_teams(&mut rows);
        self.args.faults.spoil(date, games, &mut rows);
        self.args.game_faults.spoil(date, games, &mut rows);
        let copies = self.args.faults.copies(date);
        let written = if copies == 0 {
            Ok(())
        } else {
            self.warehouse().replace(date, &rows, copies)
        };
        match written {
            Ok(()) => Outcome::Success(stats),
            Err(problem) => Outcome::Exception {
                kind: "sqlite3.OperationalError",
                message: problem.to_string(),
            },
        }
    }

    fn claim(&self, games: &[Game], rows: &Rows) -> DayStats {
        let (records, games_count) = (rows.len() as u64, games.len() as u64);
        let strangers = games
            .iter()
            .filter(|game| game.dice(51).chance(0.12))
            .count() as u64;
        let not_found = if self.job == Job::PlayerSummary {
            strangers
        } else {
            0
        };
        DayStats {
            records,
            games: games_count,
            teams: 2 * games_count,
            found: records - not_found,
            not_found,
        }
    }

    fn forget_unknown_teams(&self, rows: &mut Rows) {
        let (Some(known), Rows::Players(players)) = (&self.known_teams, rows) else {
            return;
        };
        for row in players {
            let team = (row.game_id.clone(), row.team_abbr.to_owned());
            row.usage_rate = row.usage_rate.filter(|_| known.contains(&team));
        }
    }

    fn delay(&self, date: NaiveDate) -> Duration {
        let usual = Duration::from_millis(self.args.manner.delay_ms);
        if self.args.parallel && self.args.dates.is_none() {
            usual.mul_f64(Dice::of(&[52, date.num_days_from_ce() as u64]).around(1.0, 0.5))
        } else {
            usual
        }
    }
}
