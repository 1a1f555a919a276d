//! The columns of a table, and the ways in which there are none.

use bf_warehouse::{ColumnKind, Denial, WarehouseError};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Server, ok, refusal, table};

const TABLE: &str = "nba-props/datasets/nba_analytics/tables";

#[test]
fn columns_come_with_their_types() {
    let schema = json!({"schema": {"fields": [
        {"name": "game_date", "type": "DATE", "mode": "REQUIRED"},
        {"name": "quality_issues", "type": "STRING", "mode": "REPEATED"},
        {"name": "is_production_ready", "type": "BOOLEAN"},
    ]}});
    let server = Server::answering([ok(schema)]);
    let columns = server
        .client()
        .table_columns(&table())
        .expect("the columns");
    let kinds: Vec<_> = columns.iter().map(|column| column.kind).collect();
    assert_eq!(
        kinds,
        [ColumnKind::Date, ColumnKind::Array, ColumnKind::Bool]
    );
    assert_eq!(columns[1].data_type, "ARRAY<STRING>");
    assert_eq!(
        server.asked(),
        [format!(
            "GET {TABLE}/team_offense_game_summary?fields=schema%2CtimePartitioning"
        )]
    );
}

#[test]
fn a_missing_table_is_named_with_the_one_most_like_it() {
    let others = json!({"tables": [
        {"tableReference": {"tableId": "player_game_summary"}},
        {"tableReference": {"tableId": "team_offense_game_summaries"}},
    ]});
    let server = Server::answering([refusal(404, "notFound", "Not found: Table"), ok(others)]);
    assert_eq!(
        server.client().table_columns(&table()),
        Err(WarehouseError::TableMissing {
            table: table(),
            nearest: Some("team_offense_game_summaries".to_owned()),
        })
    );
}

#[test]
fn a_missing_dataset_is_a_missing_table_without_neighbours() {
    let missing = || refusal(404, "notFound", "Not found: Dataset");
    let server = Server::answering([missing(), missing()]);
    assert_eq!(
        server.client().table_columns(&table()),
        Err(WarehouseError::TableMissing {
            table: table(),
            nearest: None,
        })
    );
}

#[test]
fn a_table_that_may_not_be_read_is_not_a_missing_table() {
    let server = Server::answering([refusal(403, "accessDenied", "Access Denied: Table x")]);
    assert_eq!(
        server.client().table_columns(&table()),
        Err(WarehouseError::Denied(
            Denial::Data,
            "table nba_analytics.team_offense_game_summary: \
             BigQuery: Access Denied: Table x (accessDenied)"
                .to_owned()
        ))
    );
}

#[test]
fn a_server_that_is_down_says_nothing_about_the_table() {
    let server = Server::answering(std::iter::repeat_with(|| ResponseTemplate::new(503)).take(4));
    let error = server
        .client()
        .table_columns(&table())
        .expect_err("no answer");
    assert!(matches!(error, WarehouseError::Unreachable(_)), "{error:?}");
}
