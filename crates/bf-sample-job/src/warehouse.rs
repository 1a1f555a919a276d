//! The SQLite warehouse: a folder with one database file per dataset.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{NaiveDate, SecondsFormat, Utc};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::league::TEAMS;
use crate::precompute;
use crate::schedule::Schedule;
use crate::tables::{ANALYTICS_TABLES, REFERENCE_TABLES, Rows};

/// How long a write waits for another job's transaction.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The folder behind `sqlite:DIR`.
///
/// # Errors
/// When the URL names another kind of warehouse, or no folder.
pub fn folder(url: &str) -> Result<PathBuf, String> {
    match url.strip_prefix("sqlite:") {
        Some("") | None => Err(format!("{url:?} is not a warehouse of the form sqlite:DIR")),
        Some(dir) => Ok(PathBuf::from(dir)),
    }
}

/// The dataset `nba_analytics`, open for writing.
pub struct Warehouse {
    db: Connection,
}

/// How complete the rows of one date are: how many have minutes, and in how many of those a
/// field is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Completeness {
    /// Rows with minutes.
    pub active: u32,
    /// … and `fg_attempts`.
    pub field_goals: u32,
    /// … and `ft_attempts`.
    pub free_throws: u32,
    /// … and `three_pt_attempts`.
    pub threes: u32,
    /// … and `usage_rate`.
    pub usage: u32,
}

impl Warehouse {
    /// Opens the dataset in `dir`; folder, file and tables are created when they are missing.
    /// Without a folder it is an empty one in memory, gone with the process.
    ///
    /// # Errors
    /// When a file cannot be created, or is something else than a database.
    pub fn open(dir: Option<&Path>) -> Result<Self, String> {
        let db = match dir {
            Some(dir) => open_file(dir, "nba_analytics.db", ANALYTICS_TABLES)?,
            None => {
                in_memory().map_err(|problem| format!("opening a database in memory: {problem}"))?
            }
        };
        Ok(Self { db })
    }

    /// Replaces a date's rows in one transaction; `copies` times over.
    ///
    /// # Errors
    /// What SQLite says; the date's old rows are then still there.
    pub fn replace(&mut self, date: NaiveDate, rows: &Rows, copies: u32) -> rusqlite::Result<()> {
        let processed_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        // Taking the write lock at once lets the busy timeout do the waiting.
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction
            .prepare_cached(&format!("DELETE FROM {} WHERE game_date = ?", rows.table()))?
            .execute([date.to_string()])?;
        for _ in 0..copies {
            rows.insert(&transaction, date, &processed_at)?;
        }
        transaction.commit()
    }

    /// Games and teams that `team_offense_game_summary` has rows for.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn known_teams(&self) -> Result<HashSet<(String, String)>, String> {
        self.read_teams()
            .map_err(|problem| format!("reading team_offense_game_summary: {problem}"))
    }

    fn read_teams(&self) -> rusqlite::Result<HashSet<(String, String)>> {
        let mut query = self
            .db
            .prepare("SELECT game_id, team_abbr FROM team_offense_game_summary")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// How complete `player_game_summary` is, by date.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn completeness(
        &self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> rusqlite::Result<BTreeMap<NaiveDate, Completeness>> {
        let mut query = self.db.prepare(
            "SELECT game_date, sum(minutes_played > 0),
                    sum(minutes_played > 0 AND fg_attempts IS NOT NULL),
                    sum(minutes_played > 0 AND ft_attempts IS NOT NULL),
                    sum(minutes_played > 0 AND three_pt_attempts IS NOT NULL),
                    sum(minutes_played > 0 AND usage_rate IS NOT NULL)
             FROM player_game_summary WHERE game_date BETWEEN ? AND ? GROUP BY game_date",
        )?;
        let count = |row: &rusqlite::Row<'_>, index: usize| {
            row.get::<_, Option<u32>>(index)
                .map(Option::unwrap_or_default)
        };
        let rows = query.query_map([from.to_string(), to.to_string()], |row| {
            let date: NaiveDate = row.get::<_, String>(0)?.parse().unwrap_or_default();
            let found = Completeness {
                active: count(row, 1)?,
                field_goals: count(row, 2)?,
                free_throws: count(row, 3)?,
                threes: count(row, 4)?,
                usage: count(row, 5)?,
            };
            Ok((date, found))
        })?;
        rows.collect()
    }
}

/// Writes `nba_reference.nba_schedule` anew and creates the other datasets with empty tables.
///
/// # Errors
/// When a file cannot be created or written.
pub fn init(dir: &Path, schedule: &Schedule) -> Result<(), String> {
    open_file(dir, "nba_analytics.db", ANALYTICS_TABLES)?;
    precompute::create_tables(dir)?;
    let mut db = open_file(dir, "nba_reference.db", REFERENCE_TABLES)?;
    write_schedule(&mut db, schedule)
        .map_err(|problem| format!("writing the schedule to {}: {problem}", dir.display()))
}

fn in_memory() -> rusqlite::Result<Connection> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(ANALYTICS_TABLES)?;
    Ok(db)
}

fn write_schedule(db: &mut Connection, schedule: &Schedule) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM nba_schedule", [])?;
    {
        let mut insert =
            transaction.prepare("INSERT INTO nba_schedule VALUES (?,?,?,?,?,?,3,'Final',?)")?;
        for game in schedule.games() {
            insert.execute(params![
                game.game_id(),
                game.nba_game_id,
                game.date.to_string(),
                game.season,
                TEAMS[usize::from(game.home)],
                TEAMS[usize::from(game.away)],
                game.nba_game_id.starts_with("004"),
            ])?;
        }
    }
    transaction.commit()
}

fn open_file(dir: &Path, name: &str, tables: &str) -> Result<Connection, String> {
    let path = dir.join(name);
    std::fs::create_dir_all(dir)
        .map_err(|problem| format!("creating {}: {problem}", dir.display()))?;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open(&path)?;
        db.busy_timeout(PATIENCE)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.execute_batch(tables)?;
        Ok(db)
    };
    open().map_err(|problem| format!("opening {}: {problem}", path.display()))
}
