//! What is repeated, what is not, and what it is called at the end.

use std::io::{Read, Write};
use std::net::TcpListener;

use bf_warehouse::{BigQuery, Endpoint, Identity, Options, Value, WarehouseError};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Server, answer, ok, query, refusal, rows, running};

/// The error of a server that answers like this.
fn error_of(script: impl IntoIterator<Item = ResponseTemplate>) -> (WarehouseError, usize) {
    let server = Server::answering(script);
    let error = server
        .client()
        .query(&[], &query())
        .expect_err("the server gives no rows");
    server.assert_script_is_over();
    (error, server.requests().len())
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let server = Server::answering([
        ResponseTemplate::new(429),
        ResponseTemplate::new(503).set_body_string("<html>no</html>"),
        refusal(403, "rateLimitExceeded", "too many requests"),
        ok(answer(&[7])),
    ]);
    let rows = server
        .client()
        .query(&[], &query())
        .expect("the fourth answer");
    assert_eq!(rows.rows, [[Value::Int(7)]]);
    let ids: Vec<_> = server
        .bodies()
        .into_iter()
        .map(|body| body["requestId"].as_str().map(str::to_owned))
        .collect();
    assert!(ids[0].as_ref().is_some_and(|id| id.len() <= 36), "{ids:?}");
    assert!(
        ids.iter().all(|id| *id == ids[0]),
        "the same request each time: {ids:?}"
    );
}

#[test]
fn a_server_that_stays_busy_is_given_up() {
    let busy = || refusal(503, "backendError", "try again");
    let (error, requests) = error_of([busy(), busy(), busy(), busy()]);
    assert_eq!(
        error,
        WarehouseError::Unreachable(
            "BigQuery: try again (backendError), after all retries".to_owned()
        )
    );
    assert_eq!(requests, 4, "one and three repetitions");
}

#[test]
fn a_table_that_is_not_found_in_a_named_location_is_asked_for_again() {
    let missing = || refusal(404, "notFound", "Not found: Table x");
    let server = Server::answering([missing(), missing(), ok(answer(&[7]))]);
    let rows = server
        .client()
        .query(&[], &query())
        .expect("an answer in the end");
    assert_eq!(rows.rows[0][0], Value::Int(7));
    let (error, requests) = error_of([missing(), missing(), missing()]);
    assert_eq!(requests, 3);
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
}

#[test]
fn a_refusal_is_never_repeated() {
    for (status, reason) in [
        (400, "invalidQuery"),
        (403, "accessDenied"),
        (403, "quotaExceeded"),
        (400, "resourcesExceeded"),
        (500, "bytesBilledLimitExceeded"),
        (503, "accessDenied"),
    ] {
        let (error, requests) = error_of([refusal(status, reason, "no")]);
        assert_eq!(requests, 1, "{reason}");
        let fits = match reason {
            "accessDenied" => matches!(error, WarehouseError::Denied(..)),
            "quotaExceeded" => matches!(error, WarehouseError::Quota(_)),
            "bytesBilledLimitExceeded" => {
                error
                    == WarehouseError::TooManyBytes {
                        limit: 10_485_760,
                        reason: "no".to_owned(),
                    }
            }
            _ => matches!(error, WarehouseError::Query(_)),
        };
        assert!(fits, "{reason}: {error:?}");
    }
}

#[test]
fn a_job_that_broke_is_followed_by_a_new_job() {
    let server = Server::answering([
        refusal(503, "jobBackendError", "the job broke"),
        ok(running()),
        refusal(500, "jobInternalError", "the job broke"),
        ok(json!({}).as_object()),
        ok(answer(&[1])),
    ]);
    server.client().query(&[], &query()).expect("the third job");
    let bodies = server.bodies();
    let ids: Vec<_> = [0, 1, 4]
        .map(|at: usize| bodies[at]["requestId"].clone())
        .into();
    assert_eq!(
        server.asked()[3],
        "POST nba-props/jobs/job_1/cancel?location=EU",
        "how far the lost job is cannot be known"
    );
    assert!(
        ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2],
        "{ids:?}"
    );
}

#[test]
fn errors_in_an_answer_with_status_200_are_an_error() {
    let mut body = answer(&[]);
    body["errors"] = json!([{"reason": "invalidQuery", "message": "Unrecognized\nname: usage"}]);
    let (error, _) = error_of([ok(body)]);
    assert_eq!(
        error,
        WarehouseError::Query("BigQuery: Unrecognized name: usage (invalidQuery)".to_owned())
    );
}

#[test]
fn a_body_of_half_a_document_is_asked_for_again() {
    let whole = answer(&[1, 2, 3]).to_string();
    let half = ResponseTemplate::new(200).set_body_string(&whole[..whole.len() / 2]);
    let server = Server::answering([half.clone(), ok(answer(&[1, 2, 3]))]);
    let rows = server
        .client()
        .query(&[], &query())
        .expect("the second answer");
    assert_eq!(rows.rows.len(), 3);
    let (error, _) = error_of([half.clone(), half.clone(), half.clone(), half]);
    assert!(
        matches!(&error, WarehouseError::Unreachable(message) if message.contains("cut short")),
        "{error:?}"
    );
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_body_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let body = answer(&[5]).to_string();
    let server = std::thread::spawn(move || {
        for sent in [body.len() / 2, body.len()] {
            let (mut client, _) = listener.accept().expect("a client");
            let mut request = [0; 65536];
            let read = client.read(&mut request).expect("a request");
            assert!(request[..read].starts_with(b"POST /bigquery/v2/projects/p/queries "));
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            );
            client.write_all(head.as_bytes()).expect("sent");
            client.write_all(&body.as_bytes()[..sent]).expect("sent");
        }
    });
    let mut settings = Server::answering([]).settings(Identity::None);
    settings.project = "p".to_owned();
    settings.endpoint = Endpoint::emulator(&address).expect("an address");
    let rows = BigQuery::with_settings(settings, Options::default())
        .query(&[], &query())
        .expect("the second connection");
    assert_eq!(rows.rows, [[Value::Int(5)]]);
    server.join().expect("both connections were made");
}

#[test]
fn an_emulator_that_is_not_there_is_said_at_once_and_by_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let mut settings = Server::answering([]).settings(Identity::None);
    settings.endpoint = Endpoint::emulator(&address).expect("an address");
    // With this many repetitions the test would never end.
    settings.pace.retries = u32::MAX;
    let error = BigQuery::with_settings(settings, Options::default())
        .query(&[], &query())
        .expect_err("nothing listens");
    assert!(
        matches!(&error, WarehouseError::Unreachable(message)
            if message.starts_with(&format!("connecting to http://{address}/: "))),
        "{error:?}"
    );
}

#[test]
fn rows_that_are_missing_are_no_result() {
    let mut body = answer(&[1, 2]);
    body["totalRows"] = json!("3");
    let (error, _) = error_of([ok(body)]);
    assert_eq!(
        error,
        WarehouseError::Query("BigQuery gave 2 of 3 rows".to_owned())
    );
}

#[test]
fn a_complete_answer_without_a_schema_is_no_result() {
    let (error, _) = error_of([ok(json!({"jobComplete": true}))]);
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
}

#[test]
fn a_page_that_is_no_json_is_not_bigquery() {
    let page = ResponseTemplate::new(200).set_body_string("<html>Sign in to the network</html>");
    let (error, requests) = error_of([page]);
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
    assert_eq!(requests, 1);
}

#[test]
fn a_row_of_the_wrong_width_is_no_result() {
    let mut body = answer(&[1]);
    body["rows"] = json!([{"f": [{"v": "1"}, {"v": "2"}]}]);
    let (error, _) = error_of([ok(body)]);
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
    let mut body = answer(&[1]);
    body["rows"] = rows(&[]);
    let (error, _) = error_of([ok(body)]);
    assert!(matches!(error, WarehouseError::Query(_)), "{error:?}");
}

#[test]
fn a_server_that_cannot_speak_tls_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        client
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .expect("sent");
        let mut hello = [0; 3];
        client.read_exact(&mut hello).expect("a greeting");
        hello
    });
    let mut settings = Server::answering([]).settings(Identity::None);
    settings.endpoint = Endpoint::emulator(&format!("https://{address}")).expect("an address");
    let error = BigQuery::with_settings(settings, Options::default())
        .query(&[], &query())
        .expect_err("no TLS");
    assert!(matches!(error, WarehouseError::Unreachable(_)), "{error:?}");
    // A handshake record of TLS 1.x. Source: RFC 8446, section 5.1.
    assert_eq!(server.join().expect("a greeting"), [22, 3, 1]);
}
