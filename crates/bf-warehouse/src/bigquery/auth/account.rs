//! Credentials that are exchanged for a token by a request or two: user credentials, workload identity federation, and
//! the impersonation of a service account.
//!
//! Sources: "OAuth 2.0 Token Exchange" (RFC 8693), "Workload Identity Federation" and "projects.serviceAccounts
//! .generateAccessToken" of Google Cloud's documentation.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gcp_auth::{CustomServiceAccount, TokenProvider};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::super::fault::{Fault, one_line};
use super::super::tls::install_crypto_provider;
use super::token::{SCOPES, TOKEN_LIMIT, describe, wrong};

/// What the token of a service account's caller must allow.
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Allows an executable that is named in a file.
const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";

/// A token is replaced so long before it ends.
const MARGIN: Duration = Duration::from_secs(60);

/// Credentials and the token that they gave last.
pub(super) struct Account {
    path: PathBuf,
    kind: Kind,
    client: Client,
    token: Option<(String, Instant)>,
}

enum Kind {
    User(User),
    External {
        /// The parts of the exchange, as the file has them.
        exchange: Value,
        source: Subject,
        impersonation: Option<String>,
    },
    Impersonated {
        url: String,
        delegates: Value,
        source: Box<Caller>,
    },
}

/// Who impersonates a service account.
enum Caller {
    User(User),
    Service(Box<CustomServiceAccount>),
}

struct User {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    token_uri: String,
}

/// Where the token comes from that is exchanged.
enum Subject {
    File {
        path: String,
        field: Option<String>,
    },
    Url {
        url: String,
        headers: Vec<(String, String)>,
        field: Option<String>,
    },
    Executable {
        command: String,
        timeout: Duration,
    },
}

impl Account {
    /// Reads the credentials of a file.
    ///
    /// # Errors
    /// [`Fault::CredentialsFile`]: their type is unknown, or they lack something.
    pub(super) fn new(json: &Value, path: &Path) -> Result<Self, Fault> {
        install_crypto_provider();
        let client = Client::builder()
            .user_agent(concat!("bf/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| Fault::Credentials(format!("setting up TLS: {error}")))?;
        let kind = Kind::of(json).map_err(|reason| wrong(path, &reason))?;
        Ok(Self {
            path: path.to_owned(),
            kind,
            client,
            token: None,
        })
    }

    /// What it is, for people.
    pub(super) fn kind(&self) -> String {
        let kind = match &self.kind {
            Kind::User(_) => "the user credentials",
            Kind::External { .. } => "workload identity federation by",
            Kind::Impersonated { .. } => "the impersonated service account",
        };
        format!("{kind} {}", self.path.display())
    }

    /// A token that lives a while yet.
    ///
    /// # Errors
    /// [`Fault::CredentialsFile`]: a step of the exchange was refused.
    pub(super) async fn token(&mut self) -> Result<String, Fault> {
        if let Some((token, ends)) = &self.token
            && Instant::now() + MARGIN < *ends
        {
            return Ok(token.clone());
        }
        let got = self.fetch().await;
        let (token, lifetime) = got.map_err(|reason| wrong(&self.path, &reason))?;
        self.token = Some((token.clone(), Instant::now() + lifetime));
        Ok(token)
    }

    async fn fetch(&self) -> Result<(String, Duration), String> {
        match &self.kind {
            Kind::User(user) => user.token(&self.client).await,
            Kind::External {
                exchange,
                source,
                impersonation,
            } => {
                let subject = source.token(&self.client, exchange).await?;
                let scope = match impersonation {
                    Some(_) => PLATFORM,
                    None => SCOPES[0],
                };
                let text = |name: &str| exchange[name].as_str().unwrap_or_default().to_owned();
                let form = [
                    (
                        "grant_type",
                        "urn:ietf:params:oauth:grant-type:token-exchange".to_owned(),
                    ),
                    ("audience", text("audience")),
                    ("scope", scope.to_owned()),
                    (
                        "requested_token_type",
                        "urn:ietf:params:oauth:token-type:access_token".to_owned(),
                    ),
                    ("subject_token_type", text("subject_token_type")),
                    ("subject_token", subject),
                ];
                let request = self.client.post(text("token_url"));
                let found = token_of(form_of(request, &form), "the token exchange").await?;
                match impersonation {
                    Some(url) => impersonate(&self.client, url, &Value::Null, &found.0).await,
                    None => Ok(found),
                }
            }
            Kind::Impersonated {
                url,
                delegates,
                source,
            } => {
                let caller = match source.as_ref() {
                    Caller::User(user) => user.token(&self.client).await?.0,
                    Caller::Service(account) => {
                        let token = account.token(&[PLATFORM]).await;
                        let token = token.map_err(|error| one_line(&error.to_string()))?;
                        token.as_str().to_owned()
                    }
                };
                impersonate(&self.client, url, delegates, &caller).await
            }
        }
    }
}

impl Kind {
    fn of(json: &Value) -> Result<Self, String> {
        let need = |name: &str| need(json, name);
        match json["type"].as_str().unwrap_or_default() {
            "authorized_user" => Ok(Self::User(User::of(json)?)),
            "external_account" => {
                for name in ["audience", "subject_token_type", "token_url"] {
                    need(name)?;
                }
                Ok(Self::External {
                    exchange: json.clone(),
                    source: Subject::of(&json["credential_source"])?,
                    impersonation: json["service_account_impersonation_url"]
                        .as_str()
                        .map(str::to_owned),
                })
            }
            "impersonated_service_account" => {
                let source = &json["source_credentials"];
                let caller = match source["type"].as_str() {
                    Some("authorized_user") => Caller::User(User::of(source)?),
                    Some("service_account") => {
                        let account = CustomServiceAccount::from_json(&source.to_string());
                        Caller::Service(Box::new(account.map_err(|error| describe(&error))?))
                    }
                    Some(other) => {
                        return Err(format!(
                            "source_credentials of the type {other} are not supported"
                        ));
                    }
                    None => {
                        return Err(
                            "impersonated_service_account without source_credentials".to_owned()
                        );
                    }
                };
                Ok(Self::Impersonated {
                    url: need("service_account_impersonation_url")?,
                    delegates: json["delegates"].clone(),
                    source: Box::new(caller),
                })
            }
            other => Err(format!(
                "credentials of the type {other} are not supported (known: service_account, authorized_user, \
                 external_account, impersonated_service_account)"
            )),
        }
    }
}

impl User {
    fn of(json: &Value) -> Result<Self, String> {
        let token_uri = json["token_uri"].as_str();
        Ok(Self {
            client_id: need(json, "client_id")?,
            client_secret: need(json, "client_secret")?,
            refresh_token: need(json, "refresh_token")?,
            token_uri: token_uri
                .unwrap_or("https://oauth2.googleapis.com/token")
                .to_owned(),
        })
    }

    async fn token(&self, client: &Client) -> Result<(String, Duration), String> {
        let form = [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", self.client_id.clone()),
            ("client_secret", self.client_secret.clone()),
            ("refresh_token", self.refresh_token.clone()),
        ];
        let request = client.post(&self.token_uri);
        token_of(form_of(request, &form), "refreshing the login").await
    }
}

impl Subject {
    fn of(source: &Value) -> Result<Self, String> {
        let format = &source["format"];
        let field = match format["type"].as_str() {
            Some("json") => Some(need(format, "subject_token_field_name")?),
            _ => None,
        };
        let text = |name: &str| source[name].as_str().map(str::to_owned);
        if source["environment_id"].is_string() {
            return Err(
                "external_account of AWS is not supported; use a file, a URL or an executable"
                    .to_owned(),
            );
        }
        if let Some(path) = text("file") {
            return Ok(Self::File { path, field });
        }
        if let Some(url) = text("url") {
            let headers = source["headers"].as_object().into_iter().flatten();
            let headers = headers
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            return Ok(Self::Url {
                url,
                headers: headers.collect(),
                field,
            });
        }
        let executable = &source["executable"];
        if executable.is_object() {
            let timeout = executable["timeout_millis"].as_u64().unwrap_or(30_000);
            return Ok(Self::Executable {
                command: need(executable, "command")?,
                timeout: Duration::from_millis(timeout.clamp(1_000, 120_000)),
            });
        }
        Err(
            "external_account whose credential_source is neither a file, a url nor an executable"
                .to_owned(),
        )
    }

    async fn token(&self, client: &Client, exchange: &Value) -> Result<String, String> {
        match self {
            Self::File { path, field } => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    let text = error.to_string();
                    let reason = text.split(" (os error").next().unwrap_or(&text);
                    format!("its token file {path}: {reason}")
                })?;
                pick(&text, field.as_deref(), path)
            }
            Self::Url {
                url,
                headers,
                field,
            } => {
                let mut request = client.get(url).timeout(TOKEN_LIMIT);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let text = text_of(request, "its token URL").await?;
                pick(&text, field.as_deref(), "its token URL")
            }
            Self::Executable { command, timeout } => {
                if std::env::var(ALLOW).as_deref() != Ok("1") {
                    return Err(format!(
                        "its token comes from an executable; allow that with {ALLOW}=1"
                    ));
                }
                let (command, timeout) = (command.clone(), *timeout);
                let text = |name: &str| exchange[name].as_str().unwrap_or_default().to_owned();
                let (audience, kind) = (text("audience"), text("subject_token_type"));
                let ran =
                    tokio::task::spawn_blocking(move || run(&command, timeout, &audience, &kind));
                ran.await
                    .map_err(|_| "its executable broke off".to_owned())?
            }
        }
    }
}

/// Runs an executable and takes the token out of what it prints. Source: "Executable-sourced credentials".
fn run(command: &str, timeout: Duration, audience: &str, kind: &str) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let child = Command::new(program)
        .args(words)
        .env("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", audience)
        .env("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", kind)
        .env("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| format!("its executable {program}: {error}"))?;
    let ends = Instant::now() + timeout;
    while child
        .try_wait()
        .map_err(|error| error.to_string())?
        .is_none()
    {
        if Instant::now() >= ends {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "its executable {program} did not end within {} s",
                timeout.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("its executable {program} printed no JSON"))?;
    if answer["success"].as_bool() != Some(true) {
        let message = answer["message"].as_str().unwrap_or("without a message");
        return Err(format!(
            "its executable {program} refused: {}",
            one_line(message)
        ));
    }
    let token = ["id_token", "saml_response"]
        .iter()
        .find_map(|name| answer[*name].as_str());
    token
        .map(str::to_owned)
        .ok_or_else(|| format!("its executable {program} gave no token"))
}

fn pick(text: &str, field: Option<&str>, place: &str) -> Result<String, String> {
    let Some(field) = field else {
        return Ok(text.trim().to_owned());
    };
    let json: Value = serde_json::from_str(text).map_err(|_| format!("{place}: it is not JSON"))?;
    json[field]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("{place}: no field {field}"))
}

/// A token of a service account, for a caller who may create them.
async fn impersonate(
    client: &Client,
    url: &str,
    delegates: &Value,
    caller: &str,
) -> Result<(String, Duration), String> {
    let mut body = json!({"scope": SCOPES, "lifetime": "3600s"});
    if delegates.is_array() {
        body["delegates"] = delegates.clone();
    }
    let request = client.post(url).bearer_auth(caller).json(&body);
    let text = text_of(request, "impersonating the service account").await?;
    let answer: Value =
        serde_json::from_str(&text).map_err(|_| "the answer is not JSON".to_owned())?;
    let token = need(&answer, "accessToken")?;
    // It has the lifetime that was asked for.
    Ok((token, Duration::from_secs(3600)))
}

fn form_of(request: RequestBuilder, form: &[(&str, String)]) -> RequestBuilder {
    let mut body = reqwest::Url::parse("x:/").map(|mut url| {
        url.query_pairs_mut().extend_pairs(form);
        url.query().unwrap_or_default().to_owned()
    });
    request
        .header(
            reqwest::header::CONTENT_TYPE,
            "application/x-www-form-urlencoded",
        )
        .body(body.as_mut().map(std::mem::take).unwrap_or_default())
}

async fn token_of(request: RequestBuilder, doing: &str) -> Result<(String, Duration), String> {
    let text = text_of(request, doing).await?;
    let answer: Value =
        serde_json::from_str(&text).map_err(|_| format!("{doing}: the answer is not JSON"))?;
    let token = need(&answer, "access_token").map_err(|reason| format!("{doing}: {reason}"))?;
    let seconds = answer["expires_in"].as_u64().unwrap_or(3600);
    Ok((token, Duration::from_secs(seconds)))
}

/// The text of an answer; of a refusal only what Google says of it, never what was sent.
async fn text_of(request: RequestBuilder, doing: &str) -> Result<String, String> {
    let response = request.timeout(TOKEN_LIMIT).send().await;
    let response = response.map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        format!("{doing}: {}", one_line(&cause.to_string()))
    })?;
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    if status.is_success() {
        return Ok(text);
    }
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let words = [
        &answer["error_description"],
        &answer["error"]["message"],
        &answer["error"],
    ];
    let reason = words.iter().find_map(|word| word.as_str());
    Err(match reason {
        Some(reason) => format!(
            "{doing}: HTTP status {}: {}",
            status.as_u16(),
            one_line(reason)
        ),
        None => format!("{doing}: HTTP status {}", status.as_u16()),
    })
}

fn need(json: &Value, name: &str) -> Result<String, String> {
    let text = json[name].as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| format!("it has no {name}"))
}
