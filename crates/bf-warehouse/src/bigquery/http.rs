//! One request to BigQuery: sent, repeated where that helps, read to its end.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::auth::Tokens;
use super::fault::Fault;
use super::retry::{Backoff, Next};
use super::settings::{Endpoint, Pace, Settings};
use super::tls::install_crypto_provider;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long a connection may lie unused and still be used again. Nothing notices its end while no query runs,
/// and a request on a dead connection has to be repeated.
const IDLE_LIMIT: Duration = Duration::from_secs(3);

/// How long a request may take beyond the time that it asks the server to wait.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// BigQuery's REST interface for one project.
pub(super) struct Http {
    client: Client,
    endpoint: Endpoint,
    project: String,
    pace: Pace,
    /// Requests that run at once wait for one token.
    tokens: tokio::sync::Mutex<Tokens>,
}

/// A request, as often as it is sent.
pub(super) struct Call {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    limit: Duration,
}

impl Http {
    /// A client for the endpoint of `settings`. Sends nothing yet.
    ///
    /// # Errors
    /// The TLS library finds no root certificates.
    pub(super) fn new(settings: &Settings) -> Result<Self, Fault> {
        install_crypto_provider();
        let builder = Client::builder()
            .user_agent(concat!("bf/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
            .redirect(reqwest::redirect::Policy::none());
        let builder = if settings.endpoint.base.scheme() == "https" {
            builder
        } else {
            // A local server: neither root certificates nor a proxy stand between.
            builder.tls_certs_only([]).no_proxy()
        };
        let client = builder.build().map_err(|error| Fault::Connection {
            message: format!("setting up TLS: {}", innermost(&error)),
            passing: false,
        })?;
        Ok(Self {
            client,
            endpoint: settings.endpoint.clone(),
            project: settings.project.clone(),
            pace: settings.pace,
            tokens: tokio::sync::Mutex::new(Tokens::new(
                settings.endpoint.identity.clone(),
                settings.pace.credentials,
            )),
        })
    }

    /// How the tokens are got, for people; known once there is one.
    pub(super) async fn sign_in(&self) -> Option<String> {
        self.tokens.lock().await.kind()
    }

    /// A GET of `path` below the project; the server may take `server_waits` before it answers.
    ///
    /// # Errors
    /// The endpoint takes no path.
    pub(super) fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        server_waits: Duration,
    ) -> Result<Call, Fault> {
        Ok(Call {
            method: Method::GET,
            url: self.url(path, query)?,
            body: None,
            limit: server_waits + ANSWER_LIMIT,
        })
    }

    /// A POST of `body`, a document or nothing, to `path` below the project.
    ///
    /// # Errors
    /// The endpoint takes no path.
    pub(super) fn post<B: Serialize>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&B>,
        server_waits: Duration,
    ) -> Result<Call, Fault> {
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| Fault::Form(format!("writing a request: {error}")))?;
        Ok(Call {
            method: Method::POST,
            url: self.url(path, query)?,
            // Empty and not absent, so that the server is told that nothing follows.
            body: Some(body.unwrap_or_default()),
            limit: server_waits + ANSWER_LIMIT,
        })
    }

    /// The address of `path` below the project; each part is escaped.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Fault> {
        let mut url = self.endpoint.base.clone();
        url.path_segments_mut()
            .map_err(|()| Fault::Form(format!("{} takes no path", self.endpoint.base)))?
            .pop_if_empty()
            .extend(["bigquery", "v2", "projects", &self.project])
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// Sends the call until it is answered, refused for good, or all repetitions are used up.
    ///
    /// # Errors
    /// The last fault. One that needs a new job is the caller's to handle.
    pub(super) async fn repeat<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Fault> {
        let mut backoff = Backoff::new(&self.pace);
        loop {
            let fault = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            if fault.next() != Next::Again {
                return Err(fault);
            }
            let Some(delay) = backoff.delay() else {
                return Err(fault);
            };
            tokio::time::sleep(delay).await;
        }
    }

    /// Sends the call; a token that is refused is replaced once.
    ///
    /// # Errors
    /// Any fault.
    pub(super) async fn once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Fault> {
        let bearer = self.tokens.lock().await.bearer().await?;
        match self.send(call, bearer.clone()).await {
            Err(fault) if fault.is_unauthorized() && !self.endpoint.is_emulator() => {
                let bearer = self.tokens.lock().await.instead_of(bearer.as_ref()).await?;
                self.send(call, bearer).await
            }
            answer => answer,
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        call: &Call,
        bearer: Option<HeaderValue>,
    ) -> Result<T, Fault> {
        let mut request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .timeout(call.limit);
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(body) = &call.body {
            request = request
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreached(&error))?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| self.unreached(&error))?;
        if !status.is_success() {
            return Err(Fault::of_answer(status.as_u16(), &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            let message = format!("the answer of {}: {error}", self.endpoint.base);
            // An end before the end is a connection that broke; anything else is not BigQuery.
            if error.is_eof() {
                Fault::Connection {
                    message: format!("{message}: cut short"),
                    passing: true,
                }
            } else {
                Fault::Form(message)
            }
        })
    }

    /// A request without an answer. An emulator that is not there does not come by itself, so that a
    /// refused connection to one is final.
    fn unreached(&self, error: &reqwest::Error) -> Fault {
        let doing = if error.is_timeout() {
            "no answer in time from"
        } else if error.is_connect() {
            "connecting to"
        } else {
            "reading from"
        };
        Fault::Connection {
            message: format!("{doing} {}: {}", self.endpoint.base, innermost(error)),
            passing: !(self.endpoint.is_emulator() && error.is_connect()),
        }
    }
}

/// The cause at the bottom: the ones above only say that there was one.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    super::fault::one_line(&cause.to_string())
}
