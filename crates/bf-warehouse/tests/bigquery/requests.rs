//! What is sent.

use bf_warehouse::{Identity, Options, Param, Query};
use serde_json::json;

use crate::support::{Server, answer, ok, query, table};

#[test]
fn a_query_says_all_that_bigquery_has_to_know() {
    let server = Server::answering([ok(answer(&[1]))]);
    let options = Options {
        labels: vec![("suite".to_owned(), "team_offense".to_owned())],
        ..Options::default()
    };
    let day = chrono::NaiveDate::from_ymd_opt(2024, 5, 1).expect("a day");
    let query = Query::new("SELECT @start, @issues")
        .with("start", day)
        .with("issues", vec!["all_sources_failed".to_owned()])
        .with("days", Param::DateArray(vec![day]))
        .with("least", 3);
    server
        .client_with(Identity::Nobody, options)
        .query(&[&table()], &query)
        .expect("an answer");
    let body = server.bodies().remove(0);
    for (key, value) in [
        ("query", json!("SELECT @start, @issues")),
        ("useLegacySql", json!(false)),
        ("parameterMode", json!("NAMED")),
        ("location", json!("EU")),
        ("timeoutMs", json!(5000)),
        ("maximumBytesBilled", json!("10485760")),
        ("labels", json!({"tool": "bf", "suite": "team_offense"})),
        (
            "defaultDataset",
            json!({"projectId": "nba-props", "datasetId": "nba_analytics"}),
        ),
        (
            "queryParameters",
            json!([
                {"name": "start", "parameterType": {"type": "DATE"},
                 "parameterValue": {"value": "2024-05-01"}},
                {"name": "issues",
                 "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRING"}},
                 "parameterValue": {"arrayValues": [{"value": "all_sources_failed"}]}},
                {"name": "days",
                 "parameterType": {"type": "ARRAY", "arrayType": {"type": "DATE"}},
                 "parameterValue": {"arrayValues": [{"value": "2024-05-01"}]}},
                {"name": "least", "parameterType": {"type": "INT64"},
                 "parameterValue": {"value": "3"}},
            ]),
        ),
    ] {
        assert_eq!(body[key], value, "{key}");
    }
    assert!(body.get("dryRun").is_none());
    let request = server.requests().remove(0);
    assert!(
        request.headers.get("authorization").is_none(),
        "an emulator gets no token"
    );
}

#[test]
fn an_estimate_runs_nothing_and_has_no_limit() {
    let body = json!({"jobComplete": true, "totalBytesProcessed": "123456789",
        "schema": {"fields": []}, "jobReference": {"projectId": "nba-props"}});
    let server = Server::answering([ok(body)]);
    let mut client = server.client();
    assert_eq!(client.estimate(&[&table()], &query()), Ok(123_456_789));
    let body = server.bodies().remove(0);
    assert_eq!(body["dryRun"], json!(true));
    assert!(body.get("maximumBytesBilled").is_none());
    assert_eq!(client.usage().job_ids, Vec::<String>::new());
}

#[test]
fn no_estimate_is_not_zero_bytes() {
    let server = Server::answering([ok(json!({"jobComplete": true}))]);
    assert!(server.client().estimate(&[], &query()).is_err());
}

#[test]
fn a_project_cannot_leave_its_place_in_the_path() {
    let server = Server::answering([ok(answer(&[1]))]);
    let mut settings = server.settings(Identity::Nobody);
    settings.project = "../datasets?x=".to_owned();
    bf_warehouse::BigQuery::with_settings(settings, Options::default())
        .query(&[], &query())
        .expect("an answer");
    assert_eq!(server.asked(), ["POST ..%2Fdatasets%3Fx=/queries"]);
}
