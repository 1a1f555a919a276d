//! DuckDB files and folders of Parquet, CSV and NDJSON, through the user's own `duckdb` program.
//!
//! `scripts/install-test-tools` installs one.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bf_contract::DateRange;
use bf_warehouse::{
    Columns, Condition, DatedTable, DuckDb, Engine, Ident, Options, Planner, Probe, Question,
    SampleRequest, Scan, Side, TableName, Test, Value, WarehouseError,
};

#[path = "../../../tests/support/require.rs"]
mod require;

fn start(program: &Path, file: &Path) -> Child {
    Command::new(program)
        .args(["-init", "/dev/null", "-batch", "-bail"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("duckdb starts")
}

fn make(program: &Path, file: &Path, sql: &str) {
    let mut child = start(program, file);
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(sql.as_bytes()).expect("taken");
    drop(input);
    assert!(
        child.wait_with_output().expect("an end").status.success(),
        "{sql}"
    );
}

fn open(path: &Path) -> DuckDb {
    DuckDb::new(path.to_owned(), Options::default())
}

fn table(name: &str) -> TableName {
    name.parse().expect("a table")
}

fn ident(name: &str) -> Ident {
    Ident::new(name).expect("a name")
}

fn january() -> DateRange {
    DateRange {
        start: "2024-01-01".parse().expect("a date"),
        end: "2024-01-31".parse().expect("a date"),
    }
}

fn dated(engine: &mut DuckDb, name: &str) -> DatedTable {
    let columns = engine.columns(&table(name)).expect(name);
    DatedTable::new(&table(name), &ident("day"), columns).expect("a day")
}

/// The rows of January, all of them and those that meet a condition.
fn counts(engine: &mut DuckDb, name: &str, condition: &Condition) -> (Scan, u64, u64) {
    let table = dated(engine, name);
    let mut planner = Planner::new(table, january());
    let (rows, met) = (planner.rows(None), planner.meets(None, condition));
    let scan = engine.measure(&planner.finish()).expect("a scan");
    let figures = (scan.sum(rows, january()), scan.sum(met, january()));
    (scan, figures.0, figures.1)
}

const ROWS: &str = "SELECT * FROM (VALUES
    (DATE '2024-01-01', '007', 1.5::DECIMAL(9,2), ['late'], {'list': [{'element': 'blocked'}]}, 'nan'::DOUBLE, TRUE),
    (DATE '2024-01-01', '008', NULL, [], NULL, 2.0, FALSE),
    (DATE '2024-01-02', '009', 2.5, ['blocked', 'late'], {'list': []}, 'inf'::DOUBLE, NULL),
    (DATE '2024-02-01', '010', 3.5, NULL, NULL, 4.0, TRUE),
    (NULL, '011', 3.5, NULL, NULL, 4.0, TRUE)
    ) AS t(day, id, amount, issues, nested, rate, ok)";

#[test]
fn a_file_and_a_parquet_folder_give_the_same_figures() {
    let Some(program) = require::duckdb() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.duckdb");
    let parquet = folder.path().join("parquet");
    std::fs::create_dir_all(parquet.join("sales")).expect("a folder");
    make(
        &program,
        &file,
        &format!(
            "CREATE SCHEMA sales; CREATE TABLE sales.orders AS {ROWS};
             COPY sales.orders TO '{0}/sales/orders.parquet';
             COPY (FROM sales.orders WHERE id < '009') TO '{0}/sales/parts' (FORMAT parquet, PER_THREAD_OUTPUT);
             COPY (FROM sales.orders WHERE id < '009') TO '{0}/sales/shards-0000.parquet';
             COPY (FROM sales.orders WHERE id >= '009') TO '{0}/sales/shards-0001.parquet';",
            parquet.display()
        ),
    );
    let blocked = |column: &str| {
        Condition::test(
            &ident(column),
            Test::ContainsAny(vec!["blocked".to_owned()]),
        )
    };
    let is_number = Condition::test(&ident("rate"), Test::IsNumber);
    for (path, name) in [
        (&file, "sales.orders"),
        (&parquet, "sales.orders"),
        (&parquet, "sales.shards"),
    ] {
        let mut engine = open(path);
        let (scan, rows, met) = counts(&mut engine, name, &blocked("issues"));
        assert_eq!((rows, met), (3, 1), "{name}");
        assert_eq!(scan.unreadable.rows, 1, "{name}");
        assert_eq!(scan.unreadable.examples, ["NULL"]);
        assert_eq!(counts(&mut engine, name, &blocked("nested")).2, 1, "{name}");
        assert_eq!(counts(&mut engine, name, &is_number).2, 1, "{name}");
        let usage = engine.usage();
        assert!(
            usage.notes.iter().any(|note| note.contains("DuckDB v")),
            "{:?}",
            usage.notes
        );
    }
    let mut engine = open(&parquet);
    assert_eq!(counts(&mut engine, "sales.parts", &is_number).1, 2);
}

/// The same rows, written by the program that the second argument names.
const WRITERS: &str = r#"
import sys
from datetime import date
from decimal import Decimal
columns = {
    "day": [date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 2), date(2024, 2, 1), None],
    "id": ["007", "008", "009", "010", "011"],
    "amount": [Decimal("1.50"), None, Decimal("2.50"), Decimal("3.50"), Decimal("3.50")],
    "issues": [["late"], [], ["blocked", "late"], None, None],
    "nested": [{"list": [{"element": "blocked"}]}, None, {"list": []}, None, None],
    "rate": [float("nan"), 2.0, float("inf"), 4.0, 4.0],
    "ok": [True, False, None, True, True],
}
file, writer = sys.argv[1:]
if writer == "pyarrow":
    import pyarrow
    import pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
else:
    import polars
    polars.DataFrame(columns, strict=False).write_parquet(file)
"#;

#[test]
fn parquet_of_other_writers_gives_the_same_figures() {
    if require::duckdb().is_none() {
        return;
    }
    for writer in ["pyarrow", "polars"] {
        let Some(python) = require::python(writer) else {
            continue;
        };
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("sales")).expect("a folder");
        let file = folder.path().join("sales/orders.parquet");
        let mut command = Command::new(python);
        let written = command.args(["-c", WRITERS]).arg(file).arg(writer).status();
        assert!(written.expect("python runs").success(), "{writer}");
        let mut engine = open(folder.path());
        for (column, test, met) in [
            ("issues", Test::ContainsAny(vec!["blocked".to_owned()]), 1),
            ("nested", Test::ContainsAny(vec!["blocked".to_owned()]), 1),
            ("amount", Test::IsNumber, 2),
            ("rate", Test::IsNumber, 1),
            ("id", Test::IsPresent, 3),
        ] {
            let condition = Condition::test(&ident(column), test);
            let (scan, rows, found) = counts(&mut engine, "sales.orders", &condition);
            assert_eq!((rows, found), (3, met), "{writer}: {column}");
            assert_eq!(scan.unreadable.rows, 1, "{writer}");
        }
    }
}

#[test]
fn a_file_of_a_newer_duckdb_is_named_with_the_way_out() {
    if require::duckdb().is_none() {
        return;
    }
    // The emulator of BigQuery brings a newer one than the program of the tests.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("a folder");
    let python = target.join("bigquery-emulator/venv/bin/python");
    if !python.exists() {
        return require::skip("there is no newer duckdb (scripts/bigquery-emulator install)");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("d.duckdb");
    let script = "import duckdb, sys
newest = {'storage_compatibility_version': 'latest'}
duckdb.connect(sys.argv[1], config=newest).execute('CREATE TABLE t AS SELECT 1 AS x').close()";
    let mut command = Command::new(python);
    let made = command.args(["-c", script]).arg(&file).status();
    assert!(made.expect("python runs").success());
    let error = open(&file).columns(&table("main.t"));
    let error = error.expect_err("a newer version").to_string();
    assert!(error.contains("another version of DuckDB"), "{error}");
    assert!(error.contains("BF_DUCKDB"), "{error}");
}

#[test]
fn keys_are_compared_day_by_day() {
    let Some(program) = require::duckdb() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.duckdb");
    make(
        &program,
        &file,
        &format!(
            "CREATE SCHEMA sales; CREATE TABLE sales.orders AS {ROWS};
             CREATE TABLE sales.plans AS SELECT day, id, amount + 1 AS amount FROM sales.orders WHERE id <> '008'
               UNION ALL SELECT DATE '2024-01-02', '099', 1;"
        ),
    );
    let mut engine = open(&file);
    let mut sides = Vec::new();
    for name in ["sales.orders", "sales.plans"] {
        let table = dated(&mut engine, name);
        let mut planner = Planner::new(table, january());
        let keys = planner.keys(None, &[ident("id")], Some(&ident("amount")));
        let plan = planner.finish();
        let scan = engine.measure(&plan).expect("nothing is counted");
        sides.push((plan, scan, keys));
    }
    let sides: Vec<Side<'_>> = sides
        .iter()
        .map(|(plan, scan, keys)| Side::new(plan, scan, *keys))
        .collect();
    let pairs = engine.compare(&sides[0], &sides[1..]).expect("pairs");
    let (both, off) = pairs.sum(|day| (day.both, day.sums_off));
    assert_eq!((both, off), (2, 2));
    let (here, there) = pairs.sum(|day| (day.only_here, day.only_there));
    assert_eq!((here, there), (1, 1));
    assert_eq!(pairs.sum(|day| (day.rows, day.unmatched_rows)), (3, 1));
}

#[test]
fn csv_and_ndjson_are_read_as_they_are_written() {
    let Some(_) = require::duckdb() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("shop")).expect("a folder");
    std::fs::write(
        folder.path().join("shop/orders.csv"),
        "day,id,amount\n2024-01-01,007,1.5\n2024-01-02 10:00:00,008,\n05/01/2024,009,3\n2024-1-3,010,\n",
    )
    .expect("a file");
    std::fs::write(
        folder.path().join("shop/visits.ndjson"),
        "{\"day\": \"2024-01-01\", \"id\": \"007\", \"amount\": 1}\n{\"day\": \"2024-01-09\", \"id\": \"x\"}\n",
    )
    .expect("a file");
    let mut engine = open(folder.path());
    let amount = Condition::test(&ident("amount"), Test::IsNumber);
    let (scan, rows, met) = counts(&mut engine, "shop.orders", &amount);
    assert_eq!((rows, met), (2, 1));
    assert_eq!(scan.unreadable.rows, 2);
    assert_eq!(scan.unreadable.with_time, 1);
    assert_eq!(counts(&mut engine, "shop.visits", &amount).1, 2);
    let orders = dated(&mut engine, "shop.orders");
    let probe = Probe::Lacking(None, amount);
    let sample = engine
        .sample(&SampleRequest {
            table: &orders,
            partner: None,
            probe: &probe,
            range: january(),
            dates: &[],
            fields: &[ident("id")],
            rows: 5,
        })
        .expect("rows");
    assert_eq!(sample.trouble, None);
    assert_eq!(sample.rows.len(), 1, "{sample:?}");
    assert!(
        sample.rows[0].contains(&Value::Text("008".to_owned())),
        "zeros are kept"
    );
}

#[test]
fn a_query_of_a_person_may_name_any_table_and_is_one_select() {
    let Some(program) = require::duckdb() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for (dataset, sql) in [("a", "SELECT 1 AS x"), ("b", "SELECT 2 AS x")] {
        std::fs::create_dir(folder.path().join(dataset)).expect("a folder");
        let file = folder.path().join(dataset).join("t.parquet");
        make(
            &program,
            Path::new(":memory:"),
            &format!("COPY ({sql}) TO '{}';", file.display()),
        );
    }
    let mut engine = open(folder.path());
    let table = table("a.t");
    let mut ask = |sql: &str| {
        engine.scalar(&Question {
            table: &table,
            sql,
            range: january(),
        })
    };
    let sum = "SELECT SUM(x) + (SELECT SUM(x) FROM b.t) + date_diff('day', @start, @end) FROM a.t";
    assert_eq!(ask(sum), Ok(Value::Int(33)));
    assert!(ask("SELECT 1; SELECT 2").is_err());
    assert!(ask(".shell true").is_err());
    let error = ask("SELECT nothing FROM a.t").expect_err("no such column");
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
    assert!(!error.to_string().contains('\n'), "{error}");
    assert_eq!(
        ask("SELECT 1.5"),
        Ok(Value::Float(1.5)),
        "it goes on after an error"
    );
}

#[test]
fn what_cannot_be_opened_is_named_with_the_way_out() {
    let Some(program) = require::duckdb() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let columns =
        |path: &Path| -> Result<Columns, WarehouseError> { open(path).columns(&table("main.t")) };
    let file = folder.path().join("d.duckdb");
    assert!(columns(&file).is_err_and(|error| error.is_absent()));
    assert!(!file.exists(), "nothing was made");
    make(&program, &file, "CREATE TABLE t AS SELECT 1 AS x;");
    assert!(columns(&file).is_ok());
    let missing = open(&file)
        .columns(&table("main.u"))
        .expect_err("no such table");
    assert!(
        matches!(missing, WarehouseError::TableMissing { .. }),
        "{missing:?}"
    );

    let mut writer = start(&program, &file);
    let input = writer.stdin.as_mut().expect("a pipe");
    input.write_all(b"SELECT 42;\n").expect("taken");
    let mut said = [0_u8; 1];
    std::io::Read::read_exact(writer.stdout.as_mut().expect("a pipe"), &mut said).expect("it runs");
    let held = columns(&file).expect_err("a writer holds it");
    assert!(
        held.to_string()
            .contains("open for writing in another process"),
        "{held}"
    );
    drop(writer.stdin.take());
    writer.wait().expect("an end");

    std::fs::write(&file, "this is no database at all").expect("written");
    let broken = columns(&file).expect_err("no database");
    assert!(
        matches!(broken, WarehouseError::Unreachable(_)),
        "{broken:?}"
    );
    assert!(broken.to_string().contains("d.duckdb"), "{broken}");
}
