//! A server that gives prepared answers in order, and a client that talks to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bf_warehouse::{BigQuery, Endpoint, Identity, Options, Pace, Query, Settings, TableName};
use serde_json::{Value as Json, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A local HTTP server that answers each request with the next answer of its script.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    mock: MockServer,
    script: Arc<Mutex<VecDeque<ResponseTemplate>>>,
}

impl Server {
    /// A server with this script.
    pub fn answering(script: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let answers = Arc::clone(&script);
        let mock = runtime.block_on(async {
            let mock = MockServer::start().await;
            let next = move |_: &Request| {
                let next = answers.lock().expect("the script").pop_front();
                next.unwrap_or_else(|| refusal(400, "scriptEnded", "the script has ended"))
            };
            Mock::given(any()).respond_with(next).mount(&mock).await;
            mock
        });
        Self {
            runtime,
            mock,
            script,
        }
    }

    /// Its address.
    pub fn uri(&self) -> String {
        self.mock.uri()
    }

    /// A client of it that is quick to repeat.
    pub fn client(&self) -> BigQuery {
        self.client_with(Identity::None, Options::default())
    }

    /// The same with a token or a way to be stopped.
    pub fn client_with(&self, identity: Identity, options: Options) -> BigQuery {
        BigQuery::with_settings(self.settings(identity), options)
    }

    /// What a client of it is made from.
    pub fn settings(&self, identity: Identity) -> Settings {
        let endpoint = Endpoint::emulator(&self.mock.uri()).expect("the server's address");
        Settings {
            project: "nba-props".to_owned(),
            location: Some("EU".to_owned()),
            maximum_bytes_billed: 10_485_760,
            endpoint: Endpoint {
                identity,
                ..endpoint
            },
            pace: quick(),
        }
    }

    /// The requests so far, as `METHOD path?query`.
    pub fn asked(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests
            .map(|request| {
                let query = request.url.query().map(|query| format!("?{query}"));
                let path = request.url.path();
                let path = path.strip_prefix("/bigquery/v2/projects/").unwrap_or(path);
                format!("{} {path}{}", request.method, query.unwrap_or_default())
            })
            .collect()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        let requests = self.runtime.block_on(self.mock.received_requests());
        requests.expect("requests are recorded")
    }

    /// The bodies of the requests so far; null if there was none.
    pub fn bodies(&self) -> Vec<Json> {
        let requests = self.requests().into_iter();
        requests
            .map(|request| serde_json::from_slice(&request.body).unwrap_or_default())
            .collect()
    }

    /// Fails the test unless every answer of the script was asked for.
    pub fn assert_script_is_over(&self) {
        assert_eq!(
            self.script.lock().expect("the script").len(),
            0,
            "{:?}",
            self.asked()
        );
    }
}

/// As patient as a test needs it to be.
pub fn quick() -> Pace {
    Pace {
        base_delay: Duration::from_millis(1),
        longest_delay: Duration::from_millis(4),
        retries: 3,
        first_wait: Duration::from_secs(5),
        wait: Duration::from_secs(5),
        credentials: Duration::from_secs(10),
    }
}

/// The table of the tests.
pub fn table() -> TableName {
    "nba_analytics.team_offense_game_summary"
        .parse()
        .expect("a table")
}

/// A query that the server does not read.
pub fn query() -> Query {
    Query::new("SELECT 1 AS n")
}

/// A complete answer with these whole numbers in one column.
pub fn answer(numbers: &[i64]) -> Json {
    json!({
        "jobReference": {"projectId": "nba-props", "jobId": "job_1", "location": "EU"},
        "jobComplete": true,
        "schema": {"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]},
        "rows": rows(numbers),
        "totalRows": numbers.len().to_string(),
        "totalBytesProcessed": "2048",
        "totalBytesBilled": "10485760",
        "cacheHit": false,
    })
}

/// Rows as they travel.
pub fn rows(numbers: &[i64]) -> Json {
    let row = |number: &i64| json!({"f": [{"v": number.to_string()}]});
    numbers.iter().map(row).collect()
}

/// The answer of a job that still runs.
pub fn running() -> Json {
    json!({"jobReference": {"jobId": "job_1", "location": "EU"}, "jobComplete": false})
}

/// Status 200 with a body.
pub fn ok(body: impl serde::Serialize) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// A refusal in BigQuery's form.
pub fn refusal(status: u16, reason: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {
        "code": status,
        "message": message,
        "errors": [{"reason": reason, "message": message, "domain": "global"}],
    }}))
}
