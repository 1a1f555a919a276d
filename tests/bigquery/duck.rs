//! Copies a folder of SQLite files into a DuckDB file and into Parquet, with the user's own `duckdb` program.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};

use super::load::Kind;
pub use crate::support::require::duckdb as program;

/// Runs statements on a file, which is made if it does not exist.
pub fn run(program: &Path, file: &Path, sql: &str) {
    let mut child = Command::new(program)
        .args(["-init", "/dev/null", "-batch", "-bail"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("duckdb starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(sql.as_bytes()).expect("taken");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{sql}");
}

/// Copies every table of every `DATASET.db` in `folder` into `warehouse.duckdb` and `parquet/DATASET/TABLE.parquet`
/// beside it.
pub fn copy(program: &Path, folder: &Path) {
    let beside = folder.parent().expect("a folder around it");
    let file = beside.join("warehouse.duckdb");
    let _ = std::fs::remove_file(&file);
    let mut sql = String::new();
    for entry in std::fs::read_dir(folder).expect("the warehouse's folder") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "db") {
            copy_dataset(&mut sql, beside, &path);
        }
    }
    run(program, &file, &sql);
}

fn copy_dataset(sql: &mut String, beside: &Path, path: &Path) {
    let dataset = path.file_stem().expect("a name").to_string_lossy();
    let parquet = beside.join("parquet").join(&*dataset);
    std::fs::create_dir_all(&parquet).expect("a folder");
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let db = db.expect("a database");
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut names = db.prepare(names).expect("a list of tables");
    let names = names
        .query_map([], |row| row.get::<_, String>(0))
        .expect("tables");
    let _ = writeln!(sql, "CREATE SCHEMA {dataset};");
    for table in names {
        let table = table.expect("a name");
        let columns = Kind::columns(&db, &table);
        let lines = parquet.join(format!("{table}.lines"));
        std::fs::write(&lines, rows(&db, &table, &columns)).expect("written");
        let types: Vec<String> = columns
            .iter()
            .map(|(name, kind)| format!("{name}: '{}'", kind.in_duckdb()))
            .collect();
        let _ = writeln!(
            sql,
            "CREATE TABLE {dataset}.{table} AS SELECT * FROM read_json('{}', format = 'newline_delimited', columns = {{{}}});
             COPY {dataset}.{table} TO '{}' (FORMAT parquet);",
            lines.display(),
            types.join(", "),
            parquet.join(format!("{table}.parquet")).display(),
        );
    }
}

fn rows(db: &Connection, table: &str, columns: &[(String, Kind)]) -> String {
    let mut statement = db
        .prepare(&format!("SELECT * FROM {table}"))
        .expect("a table");
    let mut rows = statement.query([]).expect("rows");
    let mut lines = String::new();
    while let Some(row) = rows.next().expect("a row") {
        let mut json = Map::new();
        for (at, (name, kind)) in columns.iter().enumerate() {
            let value = kind.value(row.get_ref(at).expect("a value"));
            json.insert(name.clone(), value);
        }
        lines.push_str(&Value::Object(json).to_string());
        lines.push('\n');
    }
    lines
}
