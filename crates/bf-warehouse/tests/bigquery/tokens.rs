//! Tokens, with a real service account key that belongs to no account and a local server that gives them out.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bf_warehouse::{BigQuery, Denial, Endpoint, Identity, Options, Pace, Settings, WarehouseError};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Server, answer, ok, query, quick, refusal};

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
        WarehouseError::Denied(
            Denial::NoLogin,
            "BigQuery: Invalid Credentials (authError)".to_owned()
        )
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
    let WarehouseError::Denied(Denial::File, message) = &error else {
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
    // Nothing ever writes into the pipe, so that opening it never returns.
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
        WarehouseError::Denied(
            Denial::NoLogin,
            "no Google credentials found within 0.05 s".to_owned()
        )
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

/// A file of credentials in which `SERVER` is the address of `server`.
fn credentials(folder: &Path, server: &Server, json: &serde_json::Value) -> Identity {
    let path = folder.join("credentials.json");
    let text = json.to_string().replace("SERVER", &server.uri());
    std::fs::write(&path, text).expect("the file");
    Identity::KeyFile(path)
}

fn external(folder: &Path, source: &serde_json::Value) -> serde_json::Value {
    std::fs::write(folder.join("subject"), r#"{"token": "subject-token"}"#).expect("a file");
    json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "SERVER/v1/token",
        "credential_source": source,
    })
}

fn from_json() -> serde_json::Value {
    json!({"type": "json", "subject_token_field_name": "token"})
}

#[test]
fn a_token_of_another_cloud_is_exchanged_from_a_file_or_a_url() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("subject");
    let file = json!({"file": file, "format": from_json()});
    let url =
        json!({"url": "SERVER/subject", "headers": {"Metadata": "True"}, "format": from_json()});
    for (source, first) in [(file, None), (url, Some("GET /subject"))] {
        let subject = ok(json!({"token": "subject-token"}));
        let answers = first.map(|_| subject).into_iter();
        let server = Server::answering(answers.chain([token("t"), ok(answer(&[1]))]));
        let identity = credentials(folder.path(), &server, &external(folder.path(), &source));
        let mut client = server.client_with(identity, Options::default());
        client.query(&[], &query()).expect("an answer");
        let asked: Vec<String> = server.asked();
        let exchange = asked.len() - 2;
        assert_eq!(asked[exchange], "POST /v1/token");
        assert_eq!(
            asked.first().map(String::as_str),
            Some(first.unwrap_or("POST /v1/token"))
        );
        let body = String::from_utf8(server.requests()[exchange].body.clone()).expect("text");
        for part in [
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange",
            "subject_token=subject-token",
            "scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fbigquery",
        ] {
            assert!(body.contains(part), "{body}");
        }
    }
}

#[test]
fn a_service_account_is_impersonated_with_the_token_that_was_exchanged_or_refreshed() {
    let folder = tempfile::tempdir().expect("a folder");
    let generate =
        "SERVER/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken";
    let file = folder.path().join("subject");
    let mut federated = external(folder.path(), &json!({"file": file, "format": from_json()}));
    federated["service_account_impersonation_url"] = json!(generate);
    let user = json!({"type": "authorized_user", "client_id": "i", "client_secret": "s",
        "refresh_token": "r", "token_uri": "SERVER/token"});
    let impersonated = json!({"type": "impersonated_service_account", "delegates": ["d"],
        "service_account_impersonation_url": generate, "source_credentials": user});
    for json in [federated, impersonated] {
        let generated = ok(json!({"accessToken": "two", "expireTime": "2099-01-01T00:00:00Z"}));
        let server =
            Server::answering([token("one"), generated, ok(answer(&[1])), ok(answer(&[1]))]);
        let identity = credentials(folder.path(), &server, &json);
        let mut client = server.client_with(identity, Options::default());
        client.query(&[], &query()).expect("an answer");
        client.query(&[], &query()).expect("with the same token");
        let bearers: Vec<_> = asked_as(&server)
            .into_iter()
            .map(|(_, bearer)| bearer)
            .collect();
        let bearers: Vec<_> = bearers.iter().map(Option::as_deref).collect();
        assert_eq!(
            bearers,
            [
                None,
                Some("Bearer one"),
                Some("Bearer two"),
                Some("Bearer two")
            ]
        );
    }
}

#[test]
fn an_executable_is_run_only_if_that_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = json!({"executable": {"command": "/bin/cat /dev/null"}});
    let server = Server::answering([]);
    let identity = credentials(folder.path(), &server, &external(folder.path(), &source));
    let error = server
        .client_with(identity, Options::default())
        .query(&[], &query())
        .expect_err("not allowed");
    assert!(
        error
            .to_string()
            .contains("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"),
        "{error}"
    );
    assert_eq!(error.hint(), None);
}

#[test]
fn what_is_wrong_with_a_file_is_named_and_another_login_is_no_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    for (json, wanted) in [
        (
            json!({"type": "gdch_service_account"}),
            "the type gdch_service_account",
        ),
        (
            json!({"type": "authorized_user", "client_id": "i"}),
            "no client_secret",
        ),
        (json!({"client_id": "i"}), "no \"type\""),
        (
            external(folder.path(), &json!({"environment_id": "aws1"})),
            "AWS",
        ),
        (
            external(folder.path(), &json!({"file": "/nowhere/at/all"})),
            "/nowhere/at/all: No such file",
        ),
    ] {
        let server = Server::answering([]);
        let identity = credentials(folder.path(), &server, &json);
        let error = server
            .client_with(identity, Options::default())
            .query(&[], &query())
            .expect_err(wanted);
        let message = error.to_string();
        assert!(
            message.contains(wanted) && message.contains("credentials.json"),
            "{message}"
        );
        assert_eq!(error.hint(), None, "{message}");
    }
    let server = Server::answering([ResponseTemplate::new(400)
        .set_body_json(json!({"error": "invalid_grant", "error_description": "expired"}))]);
    let user = json!({"type": "authorized_user", "client_id": "i", "client_secret": "s3cret",
        "refresh_token": "r3fresh", "token_uri": "SERVER/token"});
    let identity = credentials(folder.path(), &server, &user);
    let error = server
        .client_with(identity, Options::default())
        .query(&[], &query())
        .expect_err("refused");
    let message = error.to_string();
    assert!(
        message.contains("expired") && !message.contains("s3cret") && !message.contains("r3fresh"),
        "{message}"
    );
}

/// Names the server of [`one_query_as_the_environment_says`].
const SERVER: &str = "BF_TEST_SERVER";

/// A part of the test below, in a process with an environment of its own.
#[test]
#[ignore = "started by the test of the environment"]
fn one_query_as_the_environment_says() {
    let server = std::env::var(SERVER).expect("a server");
    let endpoint = Endpoint {
        identity: Identity::Default,
        ..Endpoint::emulator(&server).expect("an address")
    };
    let settings = Settings {
        project: "nba-props".to_owned(),
        location: None,
        maximum_bytes_billed: 10_485_760,
        endpoint,
        pace: Pace {
            // The metadata server has no time to answer, should this be a machine of Google's.
            credentials: Duration::ZERO,
            ..quick()
        },
    };
    let mut client = BigQuery::with_settings(settings, Options::default());
    if let Err(error) = client.query(&[], &query()) {
        println!("{error}");
    }
}

#[test]
fn a_variable_with_a_token_wins_and_gcloud_comes_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("gcloud");
    let script = "#!/bin/sh\ncase \"$*\" in *print-access-token*) echo of-gcloud;; *) echo nba-props;; esac\n";
    std::fs::write(&program, script).expect("a program");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("permissions");
    let (first, second) = ("BF_BIGQUERY_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN");
    let login = ("CLOUDSDK_CONFIG", folder.path().to_str().expect("UTF-8"));
    for (variables, bearer) in [
        (vec![(first, "one"), (second, "two")], "Bearer one"),
        (vec![(first, " "), (second, "two\n")], "Bearer two"),
        (vec![login], "Bearer of-gcloud"),
    ] {
        let server = Server::answering([ok(answer(&[1]))]);
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        let output = child
            .args([
                "--exact",
                "tokens::one_query_as_the_environment_says",
                "--ignored",
            ])
            .env_clear()
            .envs(variables)
            .env("HOME", folder.path())
            .env("PATH", folder.path())
            .env(SERVER, server.uri())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let wanted = [step("POST nba-props/queries", Some(bearer))];
        assert_eq!(asked_as(&server), wanted, "{said}");
    }
}
