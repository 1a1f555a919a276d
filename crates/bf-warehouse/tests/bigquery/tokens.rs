//! Tokens, with a real service account key that belongs to nobody and a local server that gives them out.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bf_warehouse::{BigQuery, Identity, Options, WarehouseError};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Server, answer, ok, query, refusal};

/// A key file whose tokens come from `server`.
fn key_file(folder: &Path, server: &Server) -> Identity {
    let path = folder.join("key.json");
    let token_uri = format!("{}/token", server.uri());
    let key = include_str!("service_account.json").replace("TOKEN_URI", &token_uri);
    std::fs::write(&path, key).expect("the key file");
    Identity::KeyFile(path)
}

fn token(text: &str) -> ResponseTemplate {
    ok(json!({"access_token": text, "expires_in": 3600, "token_type": "Bearer"}))
}

/// What each request said about who asks.
fn asked_as(server: &Server) -> Vec<(String, Option<String>)> {
    let headers = server.requests();
    let headers = headers
        .iter()
        .map(|request| request.headers.get("authorization").cloned())
        .map(|header| Some(header?.to_str().ok()?.to_owned()));
    server.asked().into_iter().zip(headers).collect()
}

fn step(request: &str, bearer: Option<&str>) -> (String, Option<String>) {
    (request.to_owned(), bearer.map(str::to_owned))
}

#[test]
fn one_token_serves_all_requests() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::answering([token("one"), ok(answer(&[1])), ok(answer(&[1]))]);
    let identity = key_file(folder.path(), &server);
    let mut client = server.client_with(identity, Options::default());
    client.query(&[], &query()).expect("an answer");
    client.query(&[], &query()).expect("an answer");
    assert_eq!(
        asked_as(&server),
        [
            step("POST /token", None),
            step("POST nba-props/queries", Some("Bearer one")),
            step("POST nba-props/queries", Some("Bearer one")),
        ]
    );
}

#[test]
fn a_token_that_is_refused_in_the_middle_is_replaced_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::answering([
        token("old"),
        ok(json!({"jobReference": {"jobId": "j"}, "jobComplete": false})),
        refusal(401, "authError", "Invalid Credentials"),
        token("new"),
        ok(answer(&[1])),
    ]);
    let identity = key_file(folder.path(), &server);
    let mut client = server.client_with(identity, Options::default());
    client.query(&[], &query()).expect("the rest of the job");
    let bearers: Vec<_> = asked_as(&server)
        .into_iter()
        .map(|(_, bearer)| bearer)
        .collect();
    let bearers: Vec<_> = bearers.iter().map(Option::as_deref).collect();
    assert_eq!(
        bearers,
        [
            None,
            Some("Bearer old"),
            Some("Bearer old"),
            None,
            Some("Bearer new")
        ]
    );
}

#[test]
fn a_fresh_token_that_is_refused_too_is_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = || refusal(401, "authError", "Invalid Credentials");
    let server = Server::answering([token("a"), refused(), token("b"), refused()]);
    let identity = key_file(folder.path(), &server);
    let error = server
        .client_with(identity, Options::default())
        .query(&[], &query())
        .expect_err("refused twice");
    assert_eq!(
        error,
        WarehouseError::Denied("BigQuery: Invalid Credentials (authError)".to_owned())
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("gcloud auth application-default login"))
    );
}

#[test]
fn a_key_that_is_none_is_named_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key.json");
    std::fs::write(&path, r#"{"private_key": "s3cret", "client_email": 1}"#).expect("a file");
    let server = Server::answering([]);
    let error = server
        .client_with(Identity::KeyFile(path.clone()), Options::default())
        .query(&[], &query())
        .expect_err("no key");
    let WarehouseError::Denied(message) = &error else {
        panic!("{error:?}");
    };
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_search_for_credentials_that_hangs_is_broken_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key.json");
    // Nobody ever writes into the pipe, so that opening it never returns.
    let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    let server = Server::answering([]);
    let mut settings = server.settings(Identity::KeyFile(path));
    settings.pace.credentials = Duration::from_millis(50);
    let error = BigQuery::with_settings(settings, Options::default())
        .query(&[], &query())
        .expect_err("no credentials");
    assert_eq!(
        error,
        WarehouseError::Denied("no Google credentials found within 0.05 s".to_owned())
    );
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn nothing_that_can_be_printed_holds_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::answering([token("s3cret"), refusal(400, "invalidQuery", "no")]);
    let identity = key_file(folder.path(), &server);
    let mut client = server.client_with(identity, Options::default());
    let error = client.query(&[], &query()).expect_err("a refusal");
    for text in [
        format!("{client:?}"),
        format!("{error:?}"),
        error.to_string(),
    ] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}
