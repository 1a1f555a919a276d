//! What is sent.

use bf_contract::DateRange;
use bf_warehouse::{Engine, Identity, Options, Param, Query, Question, Request, TableName, Value};
use serde_json::json;

use crate::support::{Server, answer, ok, query, refusal, table};

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
        .client_with(Identity::None, options)
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
    assert_eq!(client.bytes_of(&[&table()], &query()), Ok(123_456_789));
    let body = server.bodies().remove(0);
    assert_eq!(body["dryRun"], json!(true));
    assert!(body.get("maximumBytesBilled").is_none());
    assert_eq!(client.usage().job_ids, Vec::<String>::new());
}

#[test]
fn no_estimate_is_not_zero_bytes() {
    let server = Server::answering([ok(json!({"jobComplete": true}))]);
    assert!(server.client().bytes_of(&[], &query()).is_err());
}

#[test]
fn a_project_cannot_leave_its_place_in_the_path() {
    let server = Server::answering([ok(answer(&[1]))]);
    let mut settings = server.settings(Identity::None);
    settings.project = "../datasets?x=".to_owned();
    bf_warehouse::BigQuery::with_settings(settings, Options::default())
        .query(&[], &query())
        .expect("an answer");
    assert_eq!(server.asked(), ["POST ..%2Fdatasets%3Fx=/queries"]);
}

#[test]
fn a_table_that_need_not_be_there_is_asked_for_once() {
    let schema = json!({"schema": {"fields": [{"name": "day", "type": "DATE"}]}});
    let absent = refusal(404, "notFound", "Not found: Table");
    let server = Server::answering([ok(&schema), absent]);
    let mut client = server.client();
    let [needed, candidate] = ["a.b", "a.c"].map(|name| name.parse::<TableName>().expect("a name"));
    client.prepare(&[Request::Columns(&needed), Request::Candidate(&candidate)]);
    assert!(client.columns(&needed).is_ok());
    let error = client.columns(&candidate).expect_err("it is not there");
    assert!(error.is_absent(), "{error}");
    server.assert_script_is_over();
}

#[test]
fn what_is_asked_ahead_is_asked_once() {
    let schema = json!({"schema": {"fields": [{"name": "day", "type": "DATE"}]}});
    let schemas = [ok(&schema), ok(&schema), ok(&schema)];
    let server = Server::answering(schemas.into_iter().chain([
        ok(answer(&[7])),
        ok(answer(&[7])),
        ok(answer(&[8])),
    ]));
    let mut client = server.client();
    let tables = ["a.b", "a.c", "a.d"].map(|name| name.parse::<TableName>().expect("a table"));
    client.prepare(&tables.each_ref().map(Request::Columns));
    assert_eq!(server.requests().len(), 3);
    for table in &tables {
        assert!(client.columns(table).is_ok());
    }
    let range = "2024-01-01".parse().expect("a date");
    let range = DateRange {
        start: range,
        end: range,
    };
    let question = |sql| Question {
        table: &tables[0],
        sql,
        range,
    };
    let both = ["SELECT 1", "SELECT 2"].map(question);
    client.prepare(&both.each_ref().map(|question| Request::Scalar(*question)));
    assert_eq!(server.requests().len(), 5);
    for question in &both {
        assert_eq!(client.scalar(question), Ok(Value::Int(7)));
    }
    assert_eq!(server.requests().len(), 5, "nothing is asked twice");
    assert_eq!(client.scalar(&question("SELECT 3")), Ok(Value::Int(8)));
    assert_eq!(client.usage().queries, 6);
    server.assert_script_is_over();
}
