//! The warehouse as a job of phase 4 sees it: one dataset to write, the others to read.

use std::collections::HashSet;
use std::path::Path;

use chrono::{NaiveDate, SecondsFormat, Utc};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, named_params, params};

use super::job::{PHASE_3, Precompute, Table};
use super::tables::{PRECOMPUTE_TABLES, PREDICTIONS_TABLES};
use crate::cli::{FaultArgs, FigureFaultArgs};
use crate::job::Range;
use crate::warehouse::PATIENCE;

/// The datasets of a warehouse, each attached under its own name.
pub struct Store {
    db: Connection,
    job: Precompute,
}

impl Store {
    /// Opens what the job reads, and, if it `writes`, what it writes; that is created when it is
    /// missing.
    ///
    /// # Errors
    /// When a dataset that the job reads is not there, or a file cannot be used.
    pub fn open(dir: &Path, job: Precompute, writes: bool) -> Result<Self, String> {
        let db = in_memory()?;
        let store = Self { db, job };
        let own = job.table().dataset;
        if writes {
            create(&store.db, dir, own)?;
        }
        let read = PHASE_3.iter().chain(job.upstream());
        let mut datasets: Vec<&str> = read.map(|table| table.dataset).collect();
        datasets.sort_unstable();
        datasets.dedup();
        for dataset in datasets {
            if !(writes && dataset == own) {
                attach(&store.db, dir, dataset, "ro")?;
            }
        }
        Ok(store)
    }

    /// Rows that the table has for the date.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn rows_on(&self, table: &Table, date: NaiveDate) -> rusqlite::Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {} = ?",
            table.name(),
            table.date_column
        );
        let mut query = self.db.prepare_cached(&sql)?;
        query.query_row([date.to_string()], |row| {
            row.get::<_, u32>(0).map(u64::from)
        })
    }

    /// The tables that the job needs for a date, with their rows; a table that cannot be read
    /// has none.
    pub fn needs(&self, date: NaiveDate) -> Vec<(&'static str, u64)> {
        let tables = self.job.upstream().iter();
        tables
            .map(|table| (table.table, self.rows_on(table, date).unwrap_or(0)))
            .collect()
    }

    /// The dates of the range that the table has rows for.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn dates(&self, table: &Table, range: Range) -> rusqlite::Result<HashSet<NaiveDate>> {
        let (name, column) = (table.name(), table.date_column);
        let sql = format!("SELECT DISTINCT {column} FROM {name} WHERE {column} BETWEEN ? AND ?");
        let mut query = self.db.prepare(&sql)?;
        let dates = query.query_map(
            params![range.start.to_string(), range.end.to_string()],
            |row| row.get::<_, String>(0),
        )?;
        dates
            .filter_map(|date| date.map(|date| date.parse().ok()).transpose())
            .collect()
    }

    /// Players who played on the date.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn players_on(&self, date: NaiveDate) -> rusqlite::Result<u64> {
        let mut query = self.db.prepare_cached(
            "SELECT count(DISTINCT player_lookup) FROM nba_analytics.player_game_summary
             WHERE game_date = ? AND points IS NOT NULL",
        )?;
        query.query_row([date.to_string()], |row| {
            row.get::<_, u32>(0).map(u64::from)
        })
    }

    /// Rows of the feature store beyond the first of each player and game.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn duplicates(&self, range: Range) -> rusqlite::Result<u64> {
        let sql = "SELECT count(*) - count(DISTINCT player_lookup || game_id)
                   FROM nba_predictions.ml_feature_store_v2 WHERE game_date BETWEEN ? AND ?";
        let range = params![range.start.to_string(), range.end.to_string()];
        self.db
            .query_row(sql, range, |row| row.get::<_, u32>(0).map(u64::from))
    }

    /// Replaces the date's rows in one transaction and returns how many a healthy run has
    /// written.
    ///
    /// # Errors
    /// What SQLite says; the date's old rows are then still there.
    pub fn replace(
        &mut self,
        date: NaiveDate,
        faults: &FaultArgs,
        figure_faults: &FigureFaultArgs,
    ) -> rusqlite::Result<u64> {
        let Table { date_column, .. } = self.job.table();
        let (table, figure, insert) = (
            self.job.table().name(),
            self.job.figure(),
            self.job.insert(),
        );
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let day = date.to_string();
        // Taking the write lock at once lets the busy timeout do the waiting.
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let spoil = |change: String| transaction.execute(&change, [&day]);
        spoil(format!("DELETE FROM {table} WHERE {date_column} = ?"))?;
        let add = || {
            let mut statement = transaction.prepare_cached(insert)?;
            statement.execute(named_params! {":date": day, ":now": now})
        };
        let rows = add()?;
        let copies = faults.copies(date);
        if copies > 1 {
            add()?;
        }
        if faults.fewer_rows_dates.contains(date) {
            spoil(format!(
                "DELETE FROM {table} WHERE {date_column} = ? AND rowid % 2 = 0"
            ))?;
        }
        if faults.low_quality.contains(date) {
            spoil(format!(
                "UPDATE {table} SET data_quality_tier = 'low', is_production_ready = 0
                 WHERE {date_column} = ?"
            ))?;
        }
        if figure_faults.empty_figures.contains(date) {
            spoil(format!(
                "UPDATE {table} SET {figure} = NULL WHERE {date_column} = ?"
            ))?;
        }
        if copies == 0 {
            transaction.rollback()?;
        } else {
            transaction.commit()?;
        }
        Ok(rows as u64)
    }
}

/// Creates the datasets of phase 4 with empty tables.
///
/// # Errors
/// When a file cannot be created, or is something else than a database.
pub fn create_all(dir: &Path) -> Result<(), String> {
    let db = in_memory()?;
    create(&db, dir, "nba_precompute")?;
    create(&db, dir, "nba_predictions")
}

/// A connection that the datasets are attached to. What an attached file may do is at most what
/// the connection may.
fn in_memory() -> Result<Connection, String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_in_memory_with_flags(flags)
        .and_then(|db| db.busy_timeout(PATIENCE).map(|()| db))
        .map_err(|problem| format!("opening a database in memory: {problem}"))
}

fn create(db: &Connection, dir: &Path, dataset: &str) -> Result<(), String> {
    std::fs::create_dir_all(dir)
        .map_err(|problem| format!("creating {}: {problem}", dir.display()))?;
    attach(db, dir, dataset, "rwc")?;
    let tables = match dataset {
        "nba_predictions" => PREDICTIONS_TABLES,
        _ => PRECOMPUTE_TABLES,
    };
    let prepare = || -> rusqlite::Result<()> {
        db.pragma_update(Some(dataset), "journal_mode", "WAL")?;
        db.pragma_update(Some(dataset), "synchronous", "NORMAL")?;
        db.execute_batch(tables)
    };
    prepare().map_err(|problem| format!("opening {}/{dataset}.db: {problem}", dir.display()))
}

/// A plain ATTACH creates a file that is not there; the URI says what is meant.
fn attach(db: &Connection, dir: &Path, dataset: &str, mode: &str) -> Result<(), String> {
    let path = dir.join(format!("{dataset}.db"));
    let escaped = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let uri = format!("file:{escaped}?mode={mode}");
    db.execute(&format!("ATTACH ? AS {dataset}"), [uri])
        .map(|_| ())
        .map_err(|problem| format!("opening {}: {problem}", path.display()))
}
