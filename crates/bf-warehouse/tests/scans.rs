//! What a scan counts, whatever a column of dates holds.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use bf_contract::DateRange;
use bf_warehouse::{DatedTable, Ident, Options, Planner, Scan, TableName, open};

fn range() -> DateRange {
    DateRange {
        start: "2024-01-01".parse().expect("a date"),
        end: "2024-01-31".parse().expect("a date"),
    }
}

/// The rows of `d.t`, made by these statements, and what a scan found.
fn scan(sql: &str) -> (u64, Scan) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = rusqlite::Connection::open(folder.path().join("d.db")).expect("a database");
    database.execute_batch(sql).expect("valid SQL");
    let url = format!("sqlite:{}", folder.path().display());
    let mut warehouse = open(&url, Options::default()).expect("a warehouse");
    let table: TableName = "d.t".parse().expect("a table");
    let day = Ident::new("day").expect("a name");
    let columns = warehouse.columns(&table).expect("columns");
    let table = DatedTable::new(&table, &day, columns).expect("the column is there");
    let mut planner = Planner::new(table, range());
    let rows = planner.rows(None);
    let scan = warehouse.measure(&planner.finish()).expect("an answer");
    (scan.sum(rows, range()), scan)
}

#[test]
fn a_date_stored_as_bytes_is_no_date_since_no_query_by_date_finds_it() {
    for index in ["", "CREATE INDEX i ON t (day);"] {
        let (rows, found) = scan(&format!(
            "CREATE TABLE t (day DATE); {index}
             INSERT INTO t VALUES ('2024-01-05'), (CAST('2024-01-06' AS BLOB)), (x'00')"
        ));
        assert_eq!(rows, 1, "{index}");
        assert_eq!(found.unreadable.rows, 2, "{index}");
        let example = "2024-01-06 as BLOB".to_owned();
        assert!(found.unreadable.examples.contains(&example), "{index}");
    }
}

#[test]
fn a_column_of_numbers_with_an_index_counts_each_row_once() {
    for kind in ["INTEGER", "NUMERIC", "REAL", "DATE", ""] {
        for more in ["", "INSERT INTO t VALUES ('2024-01-05'), ('2030-01-05');"] {
            let (rows, found) = scan(&format!(
                "CREATE TABLE t (day {kind}); CREATE INDEX i ON t (day);
                 INSERT INTO t VALUES (20240105), (20240106), (2460315.5), (NULL); {more}"
            ));
            assert_eq!(found.unreadable.rows, 4, "{kind} {more}");
            let dates = u64::from(!more.is_empty());
            assert_eq!(rows, dates, "{kind} {more}");
        }
    }
}

#[test]
fn a_generated_column_can_be_the_date() {
    for storage in ["VIRTUAL", "STORED"] {
        let (rows, found) = scan(&format!(
            "CREATE TABLE t (at TEXT, day DATE GENERATED ALWAYS AS (substr(at, 1, 10)) {storage});
             INSERT INTO t (at) VALUES ('2024-01-05 10:00:00'), ('2024-01-06T10:00:00')"
        ));
        assert_eq!(rows, 2, "{storage}");
        assert_eq!(found.unreadable.rows, 0, "{storage}");
    }
}
