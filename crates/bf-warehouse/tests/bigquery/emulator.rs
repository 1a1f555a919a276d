//! The client against a real emulator: what the SQL means, and what the types look like on the way.
//!
//! `scripts/bigquery-emulator run` starts one.

use bf_warehouse::{
    BigQuery, ColumnKind, Options, Param, Query, Rows, Settings, TableName, Value, WarehouseError,
};

use super::require;

/// A warehouse in the emulator that no other test writes to; `None` if there is no emulator.
fn warehouse(test: &str) -> Option<BigQuery> {
    require::emulator()?;
    let project = format!("bf-{test}-{}", std::process::id());
    let settings = Settings::new(project, Some("US".to_owned()), None).expect("settings");
    let mut warehouse = BigQuery::with_settings(settings, Options::default());
    run(&mut warehouse, "CREATE SCHEMA IF NOT EXISTS nba_analytics");
    Some(warehouse)
}

fn run(warehouse: &mut BigQuery, sql: &str) -> Rows {
    warehouse.query(&[], &Query::new(sql)).expect(sql)
}

fn table() -> TableName {
    "nba_analytics.games".parse().expect("a table")
}

/// Four rows on two days, with every kind of unusual value.
fn fill(warehouse: &mut BigQuery) {
    run(
        warehouse,
        "CREATE TABLE nba_analytics.games (
           game_id STRING, game_date DATE NOT NULL, points INT64, usage_rate FLOAT64,
           is_production_ready BOOL, quality_issues ARRAY<STRING>, processed_at TIMESTAMP)
         PARTITION BY game_date OPTIONS (require_partition_filter = TRUE)",
    );
    run(
        warehouse,
        "INSERT INTO nba_analytics.games VALUES
           ('a', DATE '2024-01-01', 100, 0.5, TRUE, ['placeholder_created', 'late'],
            TIMESTAMP '2024-01-02 03:04:05.678+00'),
           ('b', DATE '2024-01-01', 90, NULL, FALSE, [], NULL),
           ('c', DATE '2024-01-02', NULL, CAST('NaN' AS FLOAT64), NULL, NULL, NULL),
           ('d', DATE '2024-02-01', 80, CAST('-Infinity' AS FLOAT64), TRUE, ['late'], NULL)",
    );
}

#[test]
fn columns_have_the_types_of_the_real_tables() {
    let Some(mut warehouse) = warehouse("columns") else {
        return;
    };
    fill(&mut warehouse);
    let columns = warehouse.table_columns(&table()).expect("the columns");
    let types: Vec<_> = columns
        .iter()
        .map(|column| (column.name.as_str(), column.data_type.as_str(), column.kind))
        .collect();
    assert_eq!(
        types,
        [
            ("game_id", "STRING", ColumnKind::Text),
            ("game_date", "DATE", ColumnKind::Date),
            ("points", "INT64", ColumnKind::Number),
            ("usage_rate", "FLOAT64", ColumnKind::Number),
            ("is_production_ready", "BOOL", ColumnKind::Bool),
            ("quality_issues", "ARRAY<STRING>", ColumnKind::Array),
            ("processed_at", "TIMESTAMP", ColumnKind::Timestamp),
        ]
    );
}

#[test]
fn values_arrive_as_they_were_written() {
    let Some(mut warehouse) = warehouse("values") else {
        return;
    };
    fill(&mut warehouse);
    let rows = run(
        &mut warehouse,
        "SELECT * EXCEPT (game_id) FROM nba_analytics.games
         WHERE game_date BETWEEN '2024-01-01' AND '2024-01-02' ORDER BY game_id",
    );
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(
        rows.rows[0],
        [
            text("2024-01-01"),
            Value::Int(100),
            Value::Float(0.5),
            Value::Int(1),
            text(r#"["placeholder_created","late"]"#),
            text("2024-01-02T03:04:05.678Z"),
        ]
    );
    assert_eq!(
        rows.rows[1][2..],
        [Value::Null, Value::Int(0), text("[]"), Value::Null]
    );
    assert_eq!(rows.rows[2][1], Value::Null);
    assert!(matches!(rows.rows[2][2], Value::Float(number) if number.is_nan()));
    assert_eq!(rows.rows[2][4], text("[]"), "no array is an empty array");
}

#[test]
fn counters_by_date_come_out_of_one_query_with_parameters() {
    let Some(mut warehouse) = warehouse("counters") else {
        return;
    };
    fill(&mut warehouse);
    let sql = "SELECT `game_date` AS day, COUNT(*) AS n, COUNTIF(`usage_rate` IS NOT NULL) AS usage, \
               COUNTIF(`is_production_ready`) AS ready, \
               COUNTIF(EXISTS (SELECT 1 FROM UNNEST(`quality_issues`) AS issue WHERE issue IN UNNEST(@issues))) AS blocked, \
               SUM(`points`) AS points FROM `nba_analytics`.`games` \
               WHERE `game_date` BETWEEN @start AND @end GROUP BY day ORDER BY day";
    let day = |month, day| chrono::NaiveDate::from_ymd_opt(2024, month, day).expect("a day");
    let query = Query::new(sql)
        .with("start", day(1, 1))
        .with("end", day(1, 31))
        .with(
            "issues",
            vec!["placeholder_created".to_owned(), "it's".to_owned()],
        );
    let rows = warehouse.query(&[&table()], &query).expect("counters");
    assert_eq!(
        rows.columns,
        ["day", "n", "usage", "ready", "blocked", "points"]
    );
    let first = ["2024-01-01", "2", "1", "1", "1", "190"];
    let second = ["2024-01-02", "1", "1", "0", "0", "NULL"];
    let shown: Vec<Vec<String>> = rows
        .rows
        .iter()
        .map(|row| row.iter().map(Value::to_string).collect())
        .collect();
    assert_eq!(shown, [first, second]);
}

#[test]
fn every_kind_of_parameter_reaches_the_query() {
    let Some(mut warehouse) = warehouse("parameters") else {
        return;
    };
    let day = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).expect("a day");
    let query = Query::new(
        "SELECT @day AS day, @int + 1 AS number, @float AS fraction, @text AS words, \
         ARRAY_LENGTH(@texts) AS texts, ARRAY_LENGTH(@none) AS nothing, \
         DATE '2024-02-29' IN UNNEST(@days) AS found",
    )
    .with("day", day)
    .with("int", 41)
    .with("float", Param::Float(0.25))
    .with("text", "'; DROP TABLE x; --")
    .with("texts", vec!["a".to_owned(), "b'c".to_owned()])
    .with("none", Vec::<String>::new())
    .with("days", vec![day]);
    let rows = warehouse.query(&[], &query).expect("one row");
    let shown: Vec<_> = rows.rows[0].iter().map(Value::to_string).collect();
    assert_eq!(
        shown,
        [
            "2024-02-29",
            "42",
            "0.25",
            "'; DROP TABLE x; --",
            "2",
            "0",
            "1"
        ]
    );
}

#[test]
fn what_is_not_there_is_told_apart() {
    let Some(mut warehouse) = warehouse("missing") else {
        return;
    };
    fill(&mut warehouse);
    let name = |text: &str| text.parse::<TableName>().expect("a name");
    let misspelt = name("nba_analytics.game");
    assert_eq!(
        warehouse.table_columns(&misspelt),
        Err(WarehouseError::TableMissing {
            table: misspelt,
            nearest: Some("games".to_owned()),
        })
    );
    let nowhere = name("nba_nowhere.games");
    assert_eq!(
        warehouse.table_columns(&nowhere),
        Err(WarehouseError::TableMissing {
            table: nowhere,
            nearest: None,
        })
    );
    for sql in [
        "SELECT no_such_column FROM nba_analytics.games",
        "SELECT FROM WHERE",
        "SELECT 1 FROM nba_analytics.nothing",
    ] {
        let error = warehouse.query(&[], &Query::new(sql)).expect_err(sql);
        assert!(
            matches!(error, WarehouseError::Query(_)),
            "{sql}: {error:?}"
        );
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn more_rows_than_a_page_holds_are_all_read() {
    let Some(mut warehouse) = warehouse("pages") else {
        return;
    };
    let rows = run(
        &mut warehouse,
        "SELECT n FROM UNNEST(GENERATE_ARRAY(1, 25000)) AS n ORDER BY n",
    );
    assert_eq!(rows.rows.len(), 25_000);
    let in_order = (1..)
        .zip(&rows.rows)
        .all(|(n, row)| row[0] == Value::Int(n));
    assert!(in_order);
}

#[test]
fn an_estimate_checks_the_query_and_the_account_is_kept() {
    let Some(mut warehouse) = warehouse("usage") else {
        return;
    };
    fill(&mut warehouse);
    let good = Query::new("SELECT COUNT(*) AS n FROM nba_analytics.games");
    assert!(warehouse.bytes_of(&[&table()], &good).is_ok());
    let bad = Query::new("SELECT no_such_column FROM nba_analytics.games");
    assert!(warehouse.bytes_of(&[&table()], &bad).is_err());
    let before = warehouse.usage();
    warehouse.query(&[&table()], &good).expect("a count");
    let after = warehouse.usage();
    assert_eq!(after.queries, before.queries + 1);
    assert_eq!(after.job_ids.len(), before.job_ids.len() + 1);
    assert_eq!(after.cache_hit, Some(false));
    assert!(after.elapsed > before.elapsed);
    assert_eq!(
        after.notes.len(),
        1,
        "that it was an emulator: {:?}",
        after.notes
    );
}
