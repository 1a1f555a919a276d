//! What goes wrong on request: how a date ends, and what is wrong with its rows.

use std::process;

use chrono::NaiveDate;
use clap::Args;
use rusqlite::types::Value;

use crate::dates::DateSet;
use crate::schedule::Game;
use crate::table::{Row, cell, text};

/// What goes wrong in any job.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Faults (DATES is a list of dates and ranges, 2024-01-05,2024-02-01..2024-02-29, or all)"
)]
pub(crate) struct FaultArgs {
    /// These dates fail; nothing is written
    #[arg(long, value_name = "DATES")]
    pub(crate) fail_dates: Option<DateSet>,
    /// These dates raise an exception (429, with a traceback); nothing is written
    #[arg(long, value_name = "DATES")]
    pub(crate) exception_dates: Option<DateSet>,
    /// Every date fails; the exit code is still 0
    #[arg(long)]
    pub(crate) all_fail: bool,
    /// Only half of the date's games (in phase 4: of its rows) are written; the log claims all
    #[arg(long, value_name = "DATES")]
    pub(crate) fewer_rows_dates: Option<DateSet>,
    /// Nothing is written (what was there stays); the log claims success
    #[arg(long, value_name = "DATES")]
    pub(crate) skip_write_dates: Option<DateSet>,
    /// The date's rows are written twice; the log claims them once
    #[arg(long, value_name = "DATES")]
    pub(crate) duplicate_dates: Option<DateSet>,
    /// Quality is poor, and no row is production ready
    #[arg(long, value_name = "DATES")]
    pub(crate) low_quality: Option<DateSet>,
    /// SIGKILL the process at this date, before it is written
    #[arg(long, value_name = "DATE")]
    pub(crate) die_at: Option<NaiveDate>,
    /// Exit code of --die-at, instead of the signal; 0 ends a half-finished run as if all were well
    #[arg(long, value_name = "N", requires = "die_at")]
    pub(crate) exit_code: Option<u8>,
}

/// What goes wrong in the rows of phase 3.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Faults in the rows")]
pub(crate) struct RowFaultArgs {
    /// The visitors of the date's first game are not written; the log claims both teams
    #[arg(long, value_name = "DATES")]
    pub(crate) half_game_dates: Option<DateSet>,
    /// usage_rate is NULL
    #[arg(long, value_name = "DATES")]
    pub(crate) empty_usage: Option<DateSet>,
    /// minutes_played is NULL
    #[arg(long, value_name = "DATES")]
    pub(crate) empty_minutes: Option<DateSet>,
    /// paint_attempts and mid_range_attempts are NULL
    #[arg(long, value_name = "DATES")]
    pub(crate) empty_shot_zones: Option<DateSet>,
    /// The date's first row has the issue missing_required
    #[arg(long, value_name = "DATES")]
    pub(crate) blocking_issue_dates: Option<DateSet>,
}

/// How the processing of a date ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Rows,
    Failure,
    Exception,
}

impl FaultArgs {
    /// How this date ends. `--die-at` ends the process here and now.
    pub(crate) fn ending(&self, date: NaiveDate) -> Ending {
        if self.die_at == Some(date) {
            if let Some(code) = self.exit_code {
                process::exit(i32::from(code));
            }
            let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
        }
        if has(&self.exception_dates, date) {
            Ending::Exception
        } else if self.all_fail || has(&self.fail_dates, date) {
            Ending::Failure
        } else {
            Ending::Rows
        }
    }

    /// How often the date's rows are written: not at all, once or twice.
    pub(crate) fn copies(&self, date: NaiveDate) -> usize {
        match () {
            () if has(&self.skip_write_dates, date) => 0,
            () if has(&self.duplicate_dates, date) => 2,
            () => 1,
        }
    }

    /// Removes and spoils what is asked for. Rows of one game belong together.
    pub(crate) fn spoil(&self, date: NaiveDate, rows: &mut Vec<Row>) {
        if has(&self.fewer_rows_dates, date) {
            let half = rows.len() / 2;
            let game = |row: &Row| cell(row, "game_id").cloned();
            let cut = rows.get(half).and_then(game);
            let begin = rows
                .iter()
                .position(|row| cut.is_some() && game(row) == cut);
            rows.truncate(begin.unwrap_or(half));
        }
        if has(&self.low_quality, date) {
            for row in rows {
                lower(row, "poor", "low_confidence");
                set(row, "quality_score", Value::Real(42.0));
            }
        }
    }
}

impl RowFaultArgs {
    /// Removes and empties what is asked for; `games` are those of the date.
    pub(crate) fn spoil(&self, date: NaiveDate, games: &[Game], rows: &mut Vec<Row>) {
        if let Some(first) = games.first().filter(|_| has(&self.half_game_dates, date)) {
            let (game, away) = (text(first.game_id()), text(first.away));
            let is_of = |row: &Row, column| cell(row, column) == Some(&away);
            rows.retain(|row| {
                cell(row, "game_id") != Some(&game)
                    || !(is_of(row, "team_abbr") || is_of(row, "defending_team_abbr"))
            });
        }
        for (dates, column) in [
            (&self.empty_usage, "usage_rate"),
            (&self.empty_minutes, "minutes_played"),
            (&self.empty_shot_zones, "paint_attempts"),
            (&self.empty_shot_zones, "mid_range_attempts"),
        ] {
            if has(dates, date) {
                rows.iter_mut()
                    .for_each(|row| set(row, column, Value::Null));
            }
        }
        if let Some(row) = rows
            .first_mut()
            .filter(|_| has(&self.blocking_issue_dates, date))
        {
            lower(row, "unusable", "missing_required");
        }
    }
}

fn has(dates: &Option<DateSet>, date: NaiveDate) -> bool {
    dates.as_ref().is_some_and(|dates| dates.contains(date))
}

fn lower(row: &mut Row, tier: &str, issue: &str) {
    set(row, "quality_tier", text(tier));
    set(row, "data_quality_tier", text(tier));
    set(row, "is_production_ready", Value::Integer(0));
    set(row, "quality_issues", text(format!(r#"["{issue}"]"#)));
}

/// Changes a column that the row has.
fn set(row: &mut Row, column: &str, value: Value) {
    if let Some((_, old)) = row.iter_mut().find(|(name, _)| *name == column) {
        *old = value;
    }
}

/// The exception of `--exception-dates`: its class and its message.
pub(crate) const RATE_LIMIT: (&str, &str) = (
    "google.api_core.exceptions.TooManyRequests",
    "429 Exceeded rate limits: too many table update operations for this table",
);

/// A traceback as Python prints it below an `ERROR` record: from a place of the job's script, through the base
/// class of its stage.
pub(crate) fn traceback(place: &str, call: &str, stage: &str, kind: &str, message: &str) -> String {
    let marks = "^".repeat(call.len());
    format!(
        "Traceback (most recent call last):
  File {place}
    success = {call}
              {marks}
  File \"data_processors/{stage}/{stage}_base.py\", line 512, in run
    self.save_{stage}()
  File \"data_processors/{stage}/operations/bigquery_save_ops.py\", line 268, in save_{stage}
    load_job.result(timeout=300)
{kind}: {message}"
    )
}
