//! What goes wrong on a date: decided before it is processed.

use std::process;
use std::thread;

use chrono::NaiveDate;

use crate::cli::{FaultArgs, GameFaultArgs, Signal};
use crate::log::Log;
use crate::schedule::Game;
use crate::tables::Rows;

/// How the processing of a date ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Rows are written.
    Rows,
    /// The processor says that it failed.
    Failure,
    /// The processor raises an exception.
    Exception,
    /// The job stops for ever.
    Hang,
    /// The process ends.
    Death,
}

impl FaultArgs {
    /// How this date ends; the worst fault that is asked for wins.
    pub fn ending(&self, date: NaiveDate) -> Ending {
        if self.die_at == Some(date) {
            Ending::Death
        } else if self.hang_at == Some(date) {
            Ending::Hang
        } else if self.exception_dates.contains(date) {
            Ending::Exception
        } else if self.all_fail || self.fail_dates.contains(date) {
            Ending::Failure
        } else {
            Ending::Rows
        }
    }

    /// How often the date's rows are written: not at all, once or twice.
    pub fn copies(&self, date: NaiveDate) -> u32 {
        match () {
            () if self.skip_write_dates.contains(date) => 0,
            () if self.duplicate_dates.contains(date) => 2,
            () => 1,
        }
    }

    /// Takes away and spoils what is asked for; `games` are those of the date.
    pub fn spoil(&self, date: NaiveDate, games: &[Game], rows: &mut Rows) {
        if self.fewer_rows_dates.contains(date) {
            let kept: Vec<String> = games[..games.len() / 2].iter().map(Game::game_id).collect();
            retain(rows, |game, _| kept.iter().any(|known| known == game));
        }
        if self.low_quality.contains(date) {
            for quality in qualities(rows) {
                (quality.tier, quality.score, quality.production_ready) = ("poor", 42.0, false);
                quality.issues.push("low_confidence");
            }
        }
    }

    /// Ends the process the way it was asked to end.
    ///
    /// A signal leaves a buffered log unwritten, an exit writes it, as Python would.
    pub fn die(&self, log: &Log) -> ! {
        if let Some(code) = self.exit_code {
            log.flush();
            process::exit(i32::from(code));
        }
        let signal = self.signal.unwrap_or(Signal::Kill).number();
        // Rust has a handler for SIGSEGV; the default action is what kills.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
        process::abort()
    }
}

impl GameFaultArgs {
    /// Takes away and empties what is asked for; `games` are those of the date.
    pub fn spoil(&self, date: NaiveDate, games: &[Game], rows: &mut Rows) {
        if self.half_game_dates.contains(date)
            && let Some(first) = games.first()
        {
            let game_id = first.game_id();
            let away = crate::league::TEAMS[usize::from(first.away)];
            retain(rows, |game, team| game != game_id || team != away);
        }
        if let Rows::Players(players) = rows {
            let (usage, minutes, zones) = (
                self.empty_usage.contains(date),
                self.empty_minutes.contains(date),
                self.empty_shot_zones.contains(date),
            );
            for row in players {
                row.usage_rate = row.usage_rate.filter(|_| !usage);
                row.minutes_played = row.minutes_played.filter(|_| !minutes);
                row.paint_attempts = row.paint_attempts.filter(|_| !zones);
                row.mid_range_attempts = row.mid_range_attempts.filter(|_| !zones);
            }
        }
        if self.blocking_issue_dates.contains(date)
            && let Some(quality) = qualities(rows).next()
        {
            (quality.tier, quality.production_ready) = ("unusable", false);
            quality.issues.push("missing_required");
        }
    }
}

/// Stops this thread for ever, without a word.
pub fn hang() -> ! {
    loop {
        thread::park();
    }
}

fn retain(rows: &mut Rows, keep: impl Fn(&str, &str) -> bool) {
    match rows {
        Rows::Teams(rows) => rows.retain(|row| keep(&row.game_id, row.team_abbr)),
        Rows::Defenses(rows) => rows.retain(|row| keep(&row.game_id, row.defending_team_abbr)),
        Rows::Players(rows) => rows.retain(|row| keep(&row.game_id, row.team_abbr)),
    }
}

fn qualities(rows: &mut Rows) -> Box<dyn Iterator<Item = &mut crate::tables::Quality> + '_> {
    match rows {
        Rows::Teams(rows) => Box::new(rows.iter_mut().map(|row| &mut row.quality)),
        Rows::Defenses(rows) => Box::new(rows.iter_mut().map(|row| &mut row.quality)),
        Rows::Players(rows) => Box::new(rows.iter_mut().map(|row| &mut row.quality)),
    }
}

/// The exception of `--exception-dates`.
pub const RATE_LIMIT: &str =
    "429 Exceeded rate limits: too many table update operations for this table";

/// Where the exception came out.
pub struct Frame<'a> {
    /// The job's script.
    pub script: &'a str,
    /// `analytics` or `precompute`.
    pub stage: &'static str,
    /// The function of the script.
    pub function: &'static str,
    /// Its line.
    pub line: u32,
    /// What the line calls.
    pub call: &'static str,
}

/// A traceback as Python prints it below an `ERROR` record.
pub fn traceback(frame: &Frame<'_>, kind: &str, message: &str) -> String {
    let Frame {
        script,
        stage,
        function,
        line,
        call,
    } = frame;
    format!(
        "Traceback (most recent call last):
  File \"{script}\", line {line}, in {function}
    success = {call}
              {marks}
  File \"data_processors/{stage}/{stage}_base.py\", line 512, in run
    self.save_{stage}()
  File \"data_processors/{stage}/operations/bigquery_save_ops.py\", line 268, in save_{stage}
    load_job.result(timeout=300)
{kind}: {message}",
        marks = "^".repeat(call.len()),
    )
}
