//! A folder of SQLite files, read while, after and in spite of what others do to them.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bf_warehouse::{
    Engine, Field, Ident, Options, Query, Record, Selection, Sink, Sqlite, TableName, Value,
    WarehouseError,
};
use rusqlite::Connection;

fn open_with(folder: &Path, options: Options) -> Sqlite {
    Sqlite::open(folder.to_owned(), options).expect("nothing is read yet")
}

fn open(folder: &Path) -> Sqlite {
    open_with(folder, Options::default())
}

fn table() -> TableName {
    "d.t".parse().expect("a table")
}

fn query(warehouse: &mut Sqlite, sql: &str) -> Result<Value, WarehouseError> {
    let rows = warehouse.query(&[&table()], &Query::new(sql))?;
    Ok(rows.rows[0][0].clone())
}

fn sum(warehouse: &mut Sqlite) -> Result<Value, WarehouseError> {
    query(warehouse, "SELECT SUM(x) FROM d.t")
}

/// A database with a thousand rows of 1, more than the smallest page cache holds.
fn database(path: &Path, journal_mode: &str) -> Connection {
    let database = Connection::open(path).expect("a database");
    database
        .execute_batch(&format!(
            "PRAGMA journal_mode = {journal_mode}; PRAGMA cache_size = 1;
             CREATE TABLE t (x INTEGER, filler TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO t SELECT 1, printf('%400d', 0) FROM n;"
        ))
        .expect("rows");
    database
}

#[test]
fn half_a_transaction_of_a_job_that_died_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source.db");
    let writer = database(&source, "delete");
    writer
        .execute_batch("BEGIN; UPDATE t SET x = 2")
        .expect("an open transaction that has spilled into the file");
    // What a killed process leaves behind: the file, and the journal that undoes what it did.
    fs::copy(&source, folder.path().join("d.db")).expect("a copy");
    fs::copy(
        folder.path().join("source.db-journal"),
        folder.path().join("d.db-journal"),
    )
    .expect("the journal is on disk");

    let error = sum(&mut open(folder.path())).expect_err("half a transaction");
    let WarehouseError::FileUnreadable { path, reason } = &error else {
        panic!("{error:?}");
    };
    assert!(
        path.ends_with("d.db") && reason.contains("rolled back"),
        "{error}"
    );

    // The way out that the error names.
    Connection::open(folder.path().join("d.db"))
        .and_then(|database| database.query_row("SELECT 1 FROM sqlite_master", [], |_| Ok(())))
        .expect("the owner can roll it back");
    assert_eq!(sum(&mut open(folder.path())), Ok(Value::Int(1000)));
}

#[test]
fn all_queries_of_a_run_see_the_same_rows_while_a_job_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = database(&folder.path().join("d.db"), "wal");
    let mut warehouse = open(folder.path());
    assert_eq!(sum(&mut warehouse), Ok(Value::Int(1000)));
    writer
        .execute_batch("UPDATE t SET x = 3")
        .expect("a commit");
    assert_eq!(sum(&mut warehouse), Ok(Value::Int(1000)));
    assert_eq!(sum(&mut open(folder.path())), Ok(Value::Int(3000)));
}

#[test]
fn nothing_is_written_and_no_file_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = sum(&mut open(folder.path())).expect_err("there is no file");
    assert!(
        matches!(missing, WarehouseError::FileMissing { .. }),
        "{missing}"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);

    drop(database(&folder.path().join("d.db"), "delete"));
    for sql in [
        "DELETE FROM d.t",
        "CREATE TABLE d.u (x)",
        "CREATE TABLE u (x)",
    ] {
        let outcome = open(folder.path()).query(&[&table()], &Query::new(sql));
        assert!(outcome.is_err(), "{sql}");
    }
    assert_eq!(sum(&mut open(folder.path())), Ok(Value::Int(1000)));
}

#[test]
fn a_folder_may_have_any_name() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("100% 'of' what? #1 né");
    fs::create_dir(&folder).expect("a folder");
    drop(database(&folder.join("d.db"), "delete"));
    assert_eq!(sum(&mut open(&folder)), Ok(Value::Int(1000)));
}

#[test]
fn a_missing_table_is_named_with_the_one_that_was_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = database(&folder.path().join("d.db"), "delete");
    writer
        .execute_batch("CREATE TABLE player_game_summary (x)")
        .expect("a table");
    let wanted: TableName = "d.player_game_sumary".parse().expect("a table");
    let error = open(folder.path()).columns(&wanted).expect_err("misspelt");
    assert_eq!(
        error.hint().as_deref(),
        Some("did you mean d.player_game_summary?")
    );
}

/// Takes minutes, and reads no table.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                       WHERE i < 10000000000) SELECT SUM(i) FROM n";

#[test]
fn a_query_ends_when_the_caller_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(database(&folder.path().join("d.db"), "delete"));
    let options = Options {
        interrupted: Some(Arc::new(|| true)),
        ..Options::default()
    };
    let mut warehouse = open_with(folder.path(), options);
    let outcome = query(&mut warehouse, ENDLESS);
    assert_eq!(outcome, Err(WarehouseError::Interrupted));
}

#[test]
fn a_query_ends_with_the_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(database(&folder.path().join("d.db"), "delete"));
    let options = Options {
        deadline: Some(Duration::from_millis(50)),
        ..Options::default()
    };
    let mut warehouse = open_with(folder.path(), options);
    let error = query(&mut warehouse, ENDLESS).expect_err("too long");
    assert!(matches!(error, WarehouseError::TimedOut(_)), "{error}");
}

/// The numbers of a column, in order.
#[derive(Default)]
struct Heard(Vec<i64>);

impl Sink for Heard {
    fn take(&mut self, row: Record<'_>) {
        if let Field::Int(number) = row.get(0) {
            self.0.push(number);
        }
    }
}

/// The numbers in `x` of the rows that meet a condition.
fn selection(table: &str, condition: &str) -> Selection {
    Selection {
        table: table.parse().expect("a table"),
        columns: vec![Ident::new("x").expect("a name")],
        conditions: vec![condition.to_owned()],
        params: Vec::new(),
    }
}

fn heard(
    warehouse: &mut Sqlite,
    table: &str,
    condition: &str,
) -> Result<Vec<Vec<i64>>, WarehouseError> {
    let parts = warehouse.scan(&selection(table, condition), &Heard::default)?;
    Ok(parts.into_iter().map(|part| part.0).collect())
}

/// A large table `d.t` with the numbers 1 to 20,000 in `x` and holes between its rows.
fn large(folder: &Path) -> Connection {
    let database = Connection::open(folder.join("d.db")).expect("a database");
    database
        .execute_batch(
            "CREATE TABLE t (x INTEGER, filler TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO t (rowid, x, filler) SELECT i * 3, i, printf('%90d', 0) FROM n;
             PRAGMA journal_mode = wal;",
        )
        .expect("rows");
    database
}

#[test]
fn a_large_table_is_read_in_two_halves_and_each_row_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let _writer = large(folder.path());
    let parts = heard(&mut open(folder.path()), "d.t", "x <> 7 OR x IS NULL").expect("rows");
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|part| part.len() > 9000), "halves");
    let wanted: Vec<i64> = (1..=20_000).filter(|x| *x != 7).collect();
    assert_eq!(parts.concat(), wanted);
}

#[test]
fn what_has_no_row_numbers_is_read_in_one_piece() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = large(folder.path());
    writer
        .execute_batch(
            "CREATE VIEW v AS SELECT x FROM t; CREATE TABLE w (x INTEGER PRIMARY KEY) WITHOUT ROWID;
             CREATE TABLE own (x INTEGER, rowid TEXT); CREATE TABLE none (x INTEGER);
             INSERT INTO w SELECT x FROM t; INSERT INTO own SELECT x, 'a' FROM t;",
        )
        .expect("more tables");
    let mut warehouse = open(folder.path());
    for (table, rows) in [
        ("d.v", 20_000),
        ("d.w", 20_000),
        ("d.own", 20_000),
        ("d.none", 0),
    ] {
        let parts = heard(&mut warehouse, table, "TRUE").expect("rows");
        assert_eq!((parts.len(), parts[0].len()), (1, rows), "{table}");
    }
}

#[test]
fn conditions_that_an_index_serves_are_asked_one_after_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = large(folder.path());
    writer
        .execute_batch("CREATE INDEX by_x ON t (x)")
        .expect("an index");
    let selection = Selection {
        conditions: ["x > 19998", "x = 5", "x IS NULL"]
            .map(str::to_owned)
            .into(),
        ..selection("d.t", "TRUE")
    };
    let parts = open(folder.path())
        .scan(&selection, &Heard::default)
        .expect("rows");
    let rows: Vec<&Vec<i64>> = parts.iter().map(|part| &part.0).collect();
    assert_eq!(rows, [&[19_999, 20_000, 5]]);
}

#[test]
fn both_halves_of_a_table_that_is_being_written_are_of_one_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = large(folder.path());
    writer.execute_batch("UPDATE t SET x = 0").expect("written");
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                writer
                    .execute_batch("UPDATE t SET x = x + 1")
                    .expect("written");
            }
        });
        for _ in 0..30 {
            let rows = heard(&mut open(folder.path()), "d.t", "TRUE")
                .expect("rows")
                .concat();
            assert_eq!(rows.len(), 20_000);
            assert!(rows.iter().all(|x| *x == rows[0]), "rows of two moments");
        }
        drop(stop);
    });
}

#[test]
fn an_interrupt_ends_both_halves() {
    let folder = tempfile::tempdir().expect("a folder");
    let _writer = large(folder.path());
    let interrupted = Options {
        interrupted: Some(Arc::new(|| true)),
        ..Options::default()
    };
    let mut warehouse = open_with(folder.path(), interrupted);
    let long = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
                SELECT COUNT(*) FROM n) > 0";
    match heard(&mut warehouse, "d.t", long) {
        Err(WarehouseError::Interrupted) => {}
        other => panic!("{:?}", other.map(|parts| parts.len())),
    }
}

#[test]
fn a_database_in_another_encoding_is_named_with_the_way_to_convert_it() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Connection::open(folder.path().join("d.db")).expect("a database");
        database
            .execute_batch(&format!(
                "PRAGMA encoding = '{encoding}'; CREATE TABLE t (x); INSERT INTO t VALUES (1)"
            ))
            .expect("rows");
        let error = sum(&mut open(folder.path())).expect_err("another encoding");
        let message = error.to_string();
        assert!(
            message.contains("UTF-16") && message.contains(".dump | sqlite3"),
            "{message}"
        );
        assert_eq!(error.hint(), None, "{message}");
    }
}
