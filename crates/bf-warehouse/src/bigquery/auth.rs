//! Whose name requests are made in. Which sign-in wins, in this order: the token of `BF_BIGQUERY_TOKEN`, that of
//! `GOOGLE_OAUTH_ACCESS_TOKEN`, the file of `GOOGLE_APPLICATION_CREDENTIALS`, the file of `gcloud auth
//! application-default login`, the metadata server of a machine at Google, and last the `gcloud` program.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gcp_auth::{CustomServiceAccount, GCloudAuthorizedUser, MetadataServiceAccount, TokenProvider};
use reqwest::header::HeaderValue;

use super::fault::Fault;
use super::settings::Identity;

mod account;
mod token;

use account::Account;
use token::{SCOPES, TOKEN_LIMIT, describe, wrong};

/// The variables that hold a token, the first of which wins.
const TOKENS: [&str; 2] = ["BF_BIGQUERY_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"];

/// The variable that names a file of credentials.
const KEY_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The source of tokens; found with the first request. Nothing of it is ever printed.
pub(super) struct Tokens {
    identity: Identity,
    source: Option<Source>,
    limit: Duration,
}

/// Where tokens come from.
enum Source {
    /// A token that is ready.
    Ready {
        token: String,
        variable: &'static str,
    },
    /// What gcp_auth knows.
    Known {
        provider: Arc<dyn TokenProvider>,
        kind: String,
    },
    /// What it does not know.
    Account(Box<Account>),
}

impl Tokens {
    /// A source for `identity` that may be searched for so long.
    pub(super) fn new(identity: Identity, search_limit: Duration) -> Self {
        Self {
            identity,
            source: None,
            limit: search_limit,
        }
    }

    /// The value of the `Authorization` header, marked as secret; `None` for an emulator.
    ///
    /// # Errors
    /// [`Fault::Credentials`]: none were found in time, or they give no token.
    pub(super) async fn bearer(&mut self) -> Result<Option<HeaderValue>, Fault> {
        if self.identity == Identity::None {
            return Ok(None);
        }
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(search(&self.identity, self.limit).await?),
        };
        let token = tokio::time::timeout(TOKEN_LIMIT, source.token());
        let token = token.await.map_err(|_| {
            let limit = TOKEN_LIMIT.as_secs();
            Fault::Credentials(format!("the credentials gave no token within {limit} s"))
        })??;
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Fault::Credentials("the credentials gave an unusable token".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Another token than the one that the server refused; it may have been replaced meanwhile.
    ///
    /// # Errors
    /// See [`Self::bearer`].
    pub(super) async fn instead_of(
        &mut self,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Fault> {
        if self.source.is_some() && self.bearer().await?.as_ref() == refused {
            self.source = None;
        }
        self.bearer().await
    }

    /// What the tokens are from, for people.
    pub(super) fn kind(&self) -> Option<String> {
        Some(match self.source.as_ref()? {
            Source::Ready { variable, .. } => format!("the token of {variable}"),
            Source::Known { kind, .. } => kind.clone(),
            Source::Account(account) => account.kind(),
        })
    }
}

impl Source {
    async fn token(&mut self) -> Result<String, Fault> {
        match self {
            Self::Ready { token, .. } => Ok(token.clone()),
            Self::Known { provider, kind } => {
                let token = provider.token(SCOPES).await;
                let token = token
                    .map_err(|error| Fault::Credentials(format!("{kind}: {}", describe(&error))))?;
                Ok(token.as_str().to_owned())
            }
            Self::Account(account) => account.token().await,
        }
    }
}

/// Looks for credentials; `limit` is for files and the metadata server. The `gcloud` program has a time of its own.
async fn search(identity: &Identity, limit: Duration) -> Result<Source, Fault> {
    if let Identity::KeyFile(path) = identity {
        return within(limit, of_file(path.clone())).await;
    }
    for variable in TOKENS {
        let token = std::env::var(variable).unwrap_or_default();
        if !token.trim().is_empty() {
            let token = token.trim().to_owned();
            return Ok(Source::Ready { token, variable });
        }
    }
    if let Some(path) = std::env::var_os(KEY_FILE).filter(|path| !path.is_empty()) {
        return within(limit, of_file(path.into())).await;
    }
    if let Some(path) = default_file().filter(|path| path.exists()) {
        return within(limit, of_file(path)).await;
    }
    if let Ok(Ok(found)) = tokio::time::timeout(limit, MetadataServiceAccount::new()).await {
        return Ok(Source::Known {
            provider: Arc::new(found),
            kind: "the metadata server".to_owned(),
        });
    }
    gcloud().await
}

/// The `gcloud` program. Its search blocks, so that it has a thread of its own.
async fn gcloud() -> Result<Source, Fault> {
    let runtime = tokio::runtime::Handle::current();
    let asked = tokio::task::spawn_blocking(move || runtime.block_on(GCloudAuthorizedUser::new()));
    match tokio::time::timeout(TOKEN_LIMIT, asked).await {
        Ok(Ok(Ok(found))) => Ok(Source::Known {
            provider: Arc::new(found),
            kind: "gcloud".to_owned(),
        }),
        Ok(_) => Err(Fault::Credentials(format!(
            "no Google credentials found ({}, {KEY_FILE}, gcloud's file, the metadata server, the gcloud program)",
            TOKENS.join(", ")
        ))),
        Err(_) => Err(Fault::Credentials(format!(
            "the gcloud program gave no token within {} s",
            TOKEN_LIMIT.as_secs()
        ))),
    }
}

async fn within(
    limit: Duration,
    found: impl Future<Output = Result<Source, Fault>>,
) -> Result<Source, Fault> {
    tokio::time::timeout(limit, found)
        .await
        .unwrap_or_else(|_| {
            Err(Fault::Credentials(format!(
                "no Google credentials found within {} s",
                limit.as_secs_f64()
            )))
        })
}

/// The file that `gcloud auth application-default login` writes.
fn default_file() -> Option<PathBuf> {
    let folder = std::env::var_os("CLOUDSDK_CONFIG").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".config/gcloud"));
    Some(
        folder
            .or_else(home)?
            .join("application_default_credentials.json"),
    )
}

/// Reads a file of credentials, on a thread of its own: it may be a pipe.
async fn of_file(path: PathBuf) -> Result<Source, Fault> {
    let read = path.clone();
    let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(read)).await;
    let text = match text {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            let text = error.to_string();
            let reason = text.split(" (os error").next().unwrap_or(&text);
            return Err(wrong(&path, reason));
        }
        Err(_) => return Err(wrong(&path, "reading it broke off")),
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        let at = format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        );
        wrong(&path, &at)
    })?;
    let Some(kind) = json["type"].as_str() else {
        return Err(wrong(&path, "it has no \"type\""));
    };
    if kind == "service_account" {
        let account = CustomServiceAccount::from_json(&text)
            .map_err(|error| wrong(&path, &format!("service_account: {}", describe(&error))))?;
        return Ok(Source::Known {
            provider: Arc::new(account),
            kind: format!("the service account of {}", path.display()),
        });
    }
    let account = Account::new(&json, &path);
    account.map(|account| Source::Account(Box::new(account)))
}
