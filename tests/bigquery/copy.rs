//! Copies a SQLite warehouse into the emulator: the same rows, in the types that the real tables have.

use std::path::Path;

use bf_warehouse::{Options, Query, Warehouse};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Rows a statement; the emulator parses each statement as a whole.
const BATCH: usize = 200;

/// Columns that no suite asks for. The emulator takes long for every value that it is given.
const UNASKED: [&str; 22] = [
    "nba_game_id",
    "player_full_name",
    "data_sources",
    "fg_makes",
    "fg_attempts",
    "three_pt_makes",
    "three_pt_attempts",
    "ft_makes",
    "ft_attempts",
    "rebounds",
    "assists",
    "turnovers",
    "offensive_rating",
    "pace",
    "possessions",
    "win_flag",
    "margin_of_victory",
    "overtime_periods",
    "mid_range_attempts",
    "is_active",
    "game_status_text",
    "is_playoffs",
];

/// The tables to copy: dataset, table.
const TABLES: [(&str, &str); 3] = [
    ("nba_analytics", "team_offense_game_summary"),
    ("nba_analytics", "player_game_summary"),
    ("nba_reference", "nba_schedule"),
];

/// Leaves in the tables below `folder` only what the suites ask for between `start` and `end`.
pub fn trim(folder: &Path, start: &str, end: &str) {
    for (dataset, table) in TABLES {
        let database = Connection::open(folder.join(format!("{dataset}.db"))).expect("a file");
        let columns = columns(&database, table);
        for (column, _) in columns {
            if UNASKED.contains(&column.as_str()) {
                let sql = format!("ALTER TABLE {table} DROP COLUMN {column}");
                database.execute(&sql, []).expect("a column");
            }
        }
        let sql = format!("DELETE FROM {table} WHERE game_date NOT BETWEEN ?1 AND ?2");
        database.execute(&sql, [start, end]).expect("rows");
    }
}

/// Copies the tables below `folder` to the project of `url`.
pub fn to_emulator(folder: &Path, url: &str) {
    let mut warehouse = Warehouse::open(url, Options::default()).expect("a project");
    for (dataset, table) in TABLES {
        run(
            &mut warehouse,
            &format!("CREATE SCHEMA IF NOT EXISTS {dataset}"),
        );
        let database = folder.join(format!("{dataset}.db"));
        let database = Connection::open(database).expect("a database file");
        copy_table(&database, &mut warehouse, dataset, table);
    }
}

fn copy_table(database: &Connection, warehouse: &mut Warehouse, dataset: &str, table: &str) {
    let columns = columns(database, table);
    let mut statement = database
        .prepare(&format!("SELECT * FROM {table}"))
        .expect("a table");
    let definitions: Vec<String> = columns
        .iter()
        .map(|(name, kind)| format!("{name} {kind}"))
        .collect();
    run(
        warehouse,
        &format!(
            "CREATE TABLE {dataset}.{table} ({}) PARTITION BY game_date",
            definitions.join(", ")
        ),
    );
    let mut tuples = Vec::new();
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let values: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, (_, kind))| literal(row.get_ref(at).expect("a value"), kind))
            .collect();
        tuples.push(format!("({})", values.join(", ")));
    }
    for batch in tuples.chunks(BATCH) {
        run(
            warehouse,
            &format!("INSERT INTO {dataset}.{table} VALUES {}", batch.join(", ")),
        );
    }
}

/// The columns of a table, with the types that BigQuery has for them.
fn columns(database: &Connection, table: &str) -> Vec<(String, &'static str)> {
    let mut info = database
        .prepare("SELECT name, type FROM pragma_table_info(?1)")
        .expect("the columns");
    info.query_map([table], |row| {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let kind = bigquery_type(&name, &kind);
        Ok((name, kind))
    })
    .expect("the columns")
    .collect::<Result<_, _>>()
    .expect("the columns")
}

fn run(warehouse: &mut Warehouse, sql: &str) {
    let start: String = sql.chars().take(80).collect();
    warehouse.query(&[], &Query::new(sql)).expect(&start);
}

fn bigquery_type(column: &str, sqlite_type: &str) -> &'static str {
    match (column, sqlite_type) {
        ("game_date", _) => "DATE",
        ("processed_at", _) => "TIMESTAMP",
        ("quality_issues" | "data_sources", _) => "ARRAY<STRING>",
        ("is_production_ready" | "is_home" | "win_flag" | "is_active" | "is_playoffs", _) => "BOOL",
        (_, "INTEGER") => "INT64",
        (_, "REAL") => "FLOAT64",
        _ => "STRING",
    }
}

fn literal(value: ValueRef<'_>, kind: &str) -> String {
    match (value, kind) {
        (ValueRef::Null, "ARRAY<STRING>") => "[]".to_owned(),
        (ValueRef::Null, _) => "NULL".to_owned(),
        (ValueRef::Integer(number), "BOOL") => (number != 0).to_string(),
        (ValueRef::Integer(number), _) => number.to_string(),
        (ValueRef::Real(number), _) => format!("{number:?}"),
        (ValueRef::Text(text), kind) => {
            let text = std::str::from_utf8(text).expect("UTF-8");
            match kind {
                // A JSON array of plain texts is an array literal as well.
                "ARRAY<STRING>" => text.to_owned(),
                "DATE" => format!("DATE '{text}'"),
                "TIMESTAMP" => format!("TIMESTAMP '{text}'"),
                _ => format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'")),
            }
        }
        (ValueRef::Blob(_), _) => panic!("the sample job writes no blobs"),
    }
}
