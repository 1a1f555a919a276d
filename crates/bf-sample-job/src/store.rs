//! The SQLite warehouse: a folder with one database file per dataset, each attached under its own
//! name. A job writes one dataset and reads the others.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{NaiveDate, SecondsFormat, Utc};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params, params_from_iter};

use crate::dates::Range;
use crate::schedule::Schedule;
use crate::table::{self, Row, Table, text};

/// The datasets that `init` creates.
const DATASETS: [&str; 4] = [
    "nba_analytics",
    "nba_reference",
    "nba_precompute",
    "nba_predictions",
];
/// How long a write waits for another job's transaction.
const BUSY: Duration = Duration::from_secs(30);

/// The folder of `sqlite:DIR`, for the command line.
pub(crate) fn folder(url: &str) -> Result<PathBuf, String> {
    match url.strip_prefix("sqlite:") {
        Some("") | None => Err(format!("{url:?} is not a warehouse of the form sqlite:DIR")),
        Some(dir) => Ok(PathBuf::from(dir)),
    }
}

/// A connection to some datasets of a warehouse.
pub(crate) struct Store {
    db: Connection,
}

impl Store {
    /// Opens the datasets that a job reads, and the one that it writes; that one and its tables are
    /// created when they are missing.
    pub(crate) fn open(dir: &Path, writes: Option<&str>, reads: &[&str]) -> Result<Self, String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI;
        let db = Connection::open_in_memory_with_flags(flags)
            .and_then(|db| db.busy_timeout(BUSY).map(|()| db))
            .map_err(|problem| format!("opening a database in memory: {problem}"))?;
        let store = Self { db };
        if let Some(dataset) = writes {
            store.create(dir, dataset)?;
        }
        for dataset in reads.iter().filter(|dataset| writes != Some(**dataset)) {
            store.attach(dir, dataset, "ro")?;
        }
        Ok(store)
    }

    fn create(&self, dir: &Path, dataset: &str) -> Result<(), String> {
        std::fs::create_dir_all(dir)
            .map_err(|problem| format!("creating {}: {problem}", dir.display()))?;
        self.attach(dir, dataset, "rwc")?;
        let prepare = || -> rusqlite::Result<()> {
            self.db
                .pragma_update(Some(dataset), "journal_mode", "WAL")?;
            self.db
                .pragma_update(Some(dataset), "synchronous", "NORMAL")?;
            self.db.execute_batch(&table::create(dataset))
        };
        prepare().map_err(|problem| format!("opening {}/{dataset}.db: {problem}", dir.display()))
    }

    /// A plain ATTACH creates a file that is not there; the mode of the URI decides.
    fn attach(&self, dir: &Path, dataset: &str, mode: &str) -> Result<(), String> {
        let path = dir.join(format!("{dataset}.db"));
        let escaped = path.to_string_lossy().replace('%', "%25");
        let escaped = escaped.replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{escaped}?mode={mode}");
        let attached = self.db.execute(&format!("ATTACH ? AS {dataset}"), [uri]);
        let named = |problem| format!("opening {}: {problem}", path.display());
        attached.map(|_| ()).map_err(named)
    }

    /// Replaces a date's rows in one transaction, `copies` times over. After an error the old rows
    /// are still there.
    pub(crate) fn replace(
        &mut self,
        table: Table,
        date: NaiveDate,
        rows: &[Row],
        copies: usize,
    ) -> rusqlite::Result<()> {
        let (name, day) = (table.full_name(), text(date.to_string()));
        let written_at = if name.ends_with("_v2") {
            "created_at"
        } else {
            "processed_at"
        };
        let now = text(Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true));
        // With the write lock from the start the busy timeout does the waiting.
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.db.transaction_with_behavior(immediate)?;
        let delete = format!("DELETE FROM {name} WHERE {} = ?", table.date_column);
        transaction.prepare_cached(&delete)?.execute([&day])?;
        for row in std::iter::repeat_n(rows, copies).flatten() {
            let mut columns: Vec<&str> = row.iter().map(|(column, _)| *column).collect();
            columns.extend([table.date_column, written_at]);
            let marks = vec!["?"; columns.len()].join(",");
            let insert = format!(
                "INSERT INTO {name} ({}) VALUES ({marks})",
                columns.join(",")
            );
            let values = row.iter().map(|(_, value)| value).chain([&day, &now]);
            let mut statement = transaction.prepare_cached(&insert)?;
            statement.execute(params_from_iter(values))?;
        }
        transaction.commit()
    }

    /// The one number that a query with a date, or with a first and a last date, comes to.
    pub(crate) fn number(&self, sql: &str, dates: &[NaiveDate]) -> rusqlite::Result<u64> {
        let dates = params_from_iter(dates.iter().map(NaiveDate::to_string));
        let mut query = self.db.prepare_cached(sql)?;
        query.query_row(dates, |row| row.get::<_, u32>(0).map(u64::from))
    }

    /// Rows that the table has for the date.
    pub(crate) fn rows_on(&self, table: Table, date: NaiveDate) -> rusqlite::Result<u64> {
        let (name, column) = (table.full_name(), table.date_column);
        self.number(
            &format!("SELECT count(*) FROM {name} WHERE {column} = ?"),
            &[date],
        )
    }

    /// The dates of the range that the table has rows for.
    pub(crate) fn dates(&self, table: Table, range: Range) -> rusqlite::Result<HashSet<NaiveDate>> {
        let (name, column) = (table.full_name(), table.date_column);
        let sql = format!("SELECT DISTINCT {column} FROM {name} WHERE {column} BETWEEN ? AND ?");
        let mut query = self.db.prepare(&sql)?;
        let range = params![range.start.to_string(), range.end.to_string()];
        let dates = query.query_map(range, |row| row.get::<_, String>(0))?;
        dates
            .filter_map(|date| date.map(|date| date.parse().ok()).transpose())
            .collect()
    }

    /// The result of a query whose columns are named as in the table that they are meant for.
    pub(crate) fn select(
        &self,
        sql: &str,
        columns: &[&'static str],
        date: NaiveDate,
    ) -> rusqlite::Result<Vec<Row>> {
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map([date.to_string()], |row| {
            let cell = |(index, column): (usize, &&'static str)| Ok((*column, row.get(index)?));
            columns.iter().enumerate().map(cell).collect()
        })?;
        rows.collect()
    }
}

/// Writes `nba_reference.nba_schedule` anew and creates the other datasets with empty tables.
pub(crate) fn init(dir: &Path, schedule: &Schedule) -> Result<(), String> {
    let mut store = Store::open(dir, None, &[])?;
    for dataset in DATASETS {
        store.create(dir, dataset)?;
    }
    store
        .write_schedule(schedule)
        .map_err(|problem| format!("writing the schedule to {}: {problem}", dir.display()))
}

impl Store {
    fn write_schedule(&mut self, schedule: &Schedule) -> rusqlite::Result<()> {
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.db.transaction_with_behavior(immediate)?;
        transaction.execute("DELETE FROM nba_reference.nba_schedule", [])?;
        {
            let mut insert = transaction.prepare(
                "INSERT INTO nba_reference.nba_schedule VALUES (?,?,?,?,?,?,3,'Final',?)",
            )?;
            for game in schedule.games() {
                let number = text(&game.nba_game_id);
                let season = Value::Integer(i64::from(game.season));
                let (date, is_playoffs) = (game.date.to_string(), game.is_playoffs);
                let id = game.game_id();
                insert.execute(params![
                    id,
                    number,
                    date,
                    season,
                    game.home,
                    game.away,
                    is_playoffs
                ])?;
            }
        }
        transaction.commit()
    }
}
