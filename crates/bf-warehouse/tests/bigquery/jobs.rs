//! Jobs that take their time: waiting, paging, giving up, being stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bf_warehouse::{Identity, Options, Value, WarehouseError};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Server, answer, ok, query, rows, running};

#[test]
fn a_job_is_asked_after_until_it_is_complete() {
    let server = Server::answering([ok(running()), ok(running()), ok(answer(&[4]))]);
    let mut client = server.client();
    let rows = client.query(&[], &query()).expect("the job's rows");
    assert_eq!(rows.columns, ["n"]);
    assert_eq!(rows.rows, [[Value::Int(4)]]);
    let asked = server.asked();
    assert_eq!(asked[0], "POST nba-props/queries");
    for poll in &asked[1..] {
        assert!(
            poll.starts_with("GET nba-props/queries/job_1?timeoutMs=5000&location=EU"),
            "{poll}"
        );
    }
    assert_eq!(client.usage().job_ids, ["job_1"]);
}

#[test]
fn all_pages_are_read() {
    let page = |numbers: &[i64], token: Option<&str>| {
        let mut body = answer(numbers);
        body["totalRows"] = json!("5");
        body["pageToken"] = json!(token);
        ok(body)
    };
    let server = Server::answering([
        page(&[1, 2], Some("a/b+c")),
        page(&[3, 4], Some("next")),
        page(&[5], None),
    ]);
    let rows = server.client().query(&[], &query()).expect("three pages");
    let numbers: Vec<_> = rows.rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5].map(Value::Int));
    let asked = server.asked();
    assert!(
        asked[1].contains("pageToken=a%2Fb%2Bc&location=EU"),
        "{}",
        asked[1]
    );
    assert!(asked[2].contains("pageToken=next"), "{}", asked[2]);
}

#[test]
fn a_job_that_never_completes_is_cancelled_at_the_deadline() {
    let script = std::iter::repeat_with(|| ok(running())).take(10_000);
    let server = Server::answering(script);
    let options = Options {
        deadline: Some(Duration::from_millis(300)),
        ..Options::default()
    };
    let error = server
        .client_with(Identity::None, options)
        .query(&[], &query())
        .expect_err("the job never completes");
    assert_eq!(
        error,
        WarehouseError::TimedOut(
            "BigQuery did not answer within 0.3 s; job job_1 was cancelled".to_owned()
        )
    );
    assert_eq!(
        server.asked().last().map(String::as_str),
        Some("POST nba-props/jobs/job_1/cancel?location=EU")
    );
}

#[test]
fn the_deadline_is_one_for_all_queries() {
    let server = Server::answering([
        ok(answer(&[1])).set_delay(Duration::from_millis(50)),
        ok(answer(&[1])),
    ]);
    let options = Options {
        deadline: Some(Duration::from_millis(10_000)),
        ..Options::default()
    };
    let mut client = server.client_with(Identity::None, options);
    for _ in 0..2 {
        client.query(&[], &query()).expect("an answer");
    }
    let limits: Vec<u64> = server
        .bodies()
        .iter()
        .filter_map(|body| body["jobTimeoutMs"].as_str()?.parse().ok())
        .collect();
    assert!(
        limits[0] <= 10_000 && limits[1] <= limits[0] - 50,
        "{limits:?}"
    );
}

/// Options that say "stop" from the `after`th question on.
fn stop_after(after: usize) -> Options {
    let questions = AtomicUsize::new(0);
    Options {
        interrupted: Some(Arc::new(move || {
            questions.fetch_add(1, Ordering::SeqCst) >= after
        })),
        ..Options::default()
    }
}

#[test]
fn a_stop_cancels_the_job() {
    let script = std::iter::repeat_with(|| ok(running())).take(10_000);
    let server = Server::answering(script);
    let error = server
        .client_with(Identity::None, stop_after(4))
        .query(&[], &query())
        .expect_err("the caller asked to stop");
    assert_eq!(error, WarehouseError::Interrupted);
    let asked = server.asked();
    let body = server.requests().pop().expect("a request").body;
    assert!(body.is_empty(), "a cancellation has no body");
    assert_eq!(
        asked.last().map(String::as_str),
        Some("POST nba-props/jobs/job_1/cancel?location=EU")
    );
    assert_eq!(
        asked
            .iter()
            .filter(|request| request.contains("cancel"))
            .count(),
        1
    );
}

#[test]
fn a_stop_before_the_jobs_name_is_known_still_cancels_it() {
    let slow = ok(running()).set_delay(Duration::from_millis(300));
    let server = Server::answering([slow, ok(json!({}))]);
    // The first question comes before the request, the second while it is on its way.
    let error = server
        .client_with(Identity::None, stop_after(1))
        .query(&[], &query())
        .expect_err("the caller asked to stop");
    assert_eq!(error, WarehouseError::Interrupted);
    assert_eq!(
        server.asked(),
        [
            "POST nba-props/queries",
            "POST nba-props/jobs/job_1/cancel?location=EU"
        ]
    );
}

#[test]
fn a_stop_that_was_asked_for_before_sends_nothing() {
    let server = Server::answering([]);
    let error = server
        .client_with(Identity::None, stop_after(0))
        .query(&[], &query())
        .expect_err("the caller asked to stop");
    assert_eq!(error, WarehouseError::Interrupted);
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn a_server_that_is_down_for_good_ends_at_the_deadline_and_not_later() {
    let script = std::iter::repeat_with(|| ResponseTemplate::new(503)).take(10_000);
    let server = Server::answering(script);
    let mut settings = server.settings(Identity::None);
    settings.pace.retries = u32::MAX;
    let options = Options {
        deadline: Some(Duration::from_millis(100)),
        ..Options::default()
    };
    let error = bf_warehouse::BigQuery::with_settings(settings, options)
        .query(&[], &query())
        .expect_err("the server is down");
    assert_eq!(
        error,
        WarehouseError::TimedOut("BigQuery did not answer within 0.1 s".to_owned())
    );
}

#[test]
fn what_a_job_cost_is_asked_for_where_the_answer_does_not_say() {
    let mut silent = answer(&[1]);
    silent["totalBytesBilled"] = json!(null);
    let mut cached = silent.clone();
    cached["cacheHit"] = json!(true);
    cached["jobReference"]["jobId"] = json!("job_2");
    let bill = json!({"statistics": {"query": {"totalBytesBilled": "20971520"}}});
    let server = Server::answering([ok(&silent), ok(bill), ok(cached)]);
    let mut client = server.client();
    client.query(&[], &query()).expect("an answer");
    client.query(&[], &query()).expect("an answer");
    assert!(server.asked()[1].starts_with("GET nba-props/jobs/job_1?location=EU"));
    let usage = client.usage();
    assert_eq!(
        usage.bytes_billed,
        Some(20_971_520),
        "a cached answer costs nothing"
    );
    assert_eq!(usage.bytes_processed, Some(4096));
    assert_eq!(usage.cache_hit, Some(false));
    assert_eq!(usage.job_ids, ["job_1", "job_2"]);
    assert_eq!(usage.queries, 2);
}

#[test]
fn a_bill_that_cannot_be_read_is_unknown_and_no_error() {
    let mut silent = answer(&[1]);
    silent["totalBytesBilled"] = json!(null);
    let server = Server::answering([ok(silent), ResponseTemplate::new(403)]);
    let mut client = server.client();
    client.query(&[], &query()).expect("the rows are there");
    assert_eq!(client.usage().bytes_billed, None);
}

#[test]
fn a_page_that_is_forgotten_is_an_error() {
    let mut first = answer(&[1]);
    first["totalRows"] = json!("2");
    first["pageToken"] = json!("next");
    let mut second = running();
    second["rows"] = rows(&[2]);
    let server = Server::answering([ok(first), ok(second)]);
    let error = server
        .client()
        .query(&[], &query())
        .expect_err("no second page");
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
}
