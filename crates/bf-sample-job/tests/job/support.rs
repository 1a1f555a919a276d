//! A warehouse of its own for every test.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// What a run left behind besides the tables.
pub struct Ran {
    pub code: u8,
    pub log: String,
}

impl Ran {
    /// Whether the log has exactly this line.
    pub fn says(&self, line: &str) -> bool {
        self.log.lines().any(|found| found == line)
    }

    /// The lines that begin so.
    pub fn lines<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.log.lines().filter(move |line| line.starts_with(start))
    }
}

/// A fresh folder for a warehouse.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command line `words`, in this warehouse.
    pub fn args(&self, words: &str) -> Vec<String> {
        let warehouse = format!("sqlite:{}", self.folder.path().display());
        let words = words.split_whitespace().map(str::to_owned);
        let program = ["bf-sample-job".to_owned()].into_iter();
        program
            .chain(words)
            .chain(["--warehouse".to_owned(), warehouse])
            .collect()
    }

    /// Runs the job within this process.
    pub fn run(&self, words: &str) -> Ran {
        let log = Shared::default();
        let code = bf_sample_job::run(self.args(words), Box::new(log.clone()));
        let bytes = log.0.lock().expect("no writer panicked").clone();
        Ran {
            code,
            log: String::from_utf8(bytes).expect("the log is UTF-8"),
        }
    }

    /// The one row of a query, in one of the dataset's files.
    pub fn row(&self, dataset: &str, sql: &str) -> Vec<Value> {
        self.rows(dataset, sql).pop().expect("the query has a row")
    }

    /// All rows of a query.
    pub fn rows(&self, dataset: &str, sql: &str) -> Vec<Vec<Value>> {
        let path = self.path(&format!("{dataset}.db"));
        let db =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a dataset");
        let mut query = db.prepare(sql).expect("valid SQL");
        let width = query.column_count();
        let rows = query
            .query_map([], |row| (0..width).map(|index| row.get(index)).collect())
            .expect("the query runs");
        rows.collect::<Result<_, _>>()
            .expect("the rows can be read")
    }

    /// The one number of a query on the analytics tables.
    pub fn number(&self, sql: &str) -> i64 {
        match self.row("nba_analytics", sql).as_slice() {
            [Value::Integer(number)] => *number,
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no writer panicked")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
