//! Whose name requests are made in: the application default credentials.

use std::sync::Arc;
use std::time::Duration;

use gcp_auth::{CustomServiceAccount, TokenProvider};
use reqwest::header::HeaderValue;

use super::fault::{Fault, one_line};
use super::settings::Identity;

/// What a token must allow. Source: "OAuth 2.0 scopes for Google APIs", BigQuery API v2.
const SCOPES: &[&str] = &["https://www.googleapis.com/auth/bigquery"];

/// How long it may take to get a token from credentials that were found.
const TOKEN_LIMIT: Duration = Duration::from_secs(30);

/// The variable that names a service account's key.
const KEY_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The source of tokens; found with the first request. Nothing of it is ever printed.
pub struct Tokens {
    identity: Identity,
    provider: Option<Arc<dyn TokenProvider>>,
    search_limit: Duration,
}

impl Tokens {
    /// A source for `identity` that may be searched for so long.
    pub fn new(identity: Identity, search_limit: Duration) -> Self {
        Self {
            identity,
            provider: None,
            search_limit,
        }
    }

    /// The value of the `Authorization` header, marked as secret; `None` where nobody asks.
    ///
    /// # Errors
    /// [`Fault::Credentials`]: none were found in time, or they give no token.
    pub async fn bearer(&mut self) -> Result<Option<HeaderValue>, Fault> {
        if self.identity == Identity::Nobody {
            return Ok(None);
        }
        let provider = match &self.provider {
            Some(provider) => Arc::clone(provider),
            None => {
                let found = search(&self.identity, self.search_limit).await?;
                Arc::clone(self.provider.insert(found))
            }
        };
        let token = tokio::time::timeout(TOKEN_LIMIT, provider.token(SCOPES))
            .await
            .map_err(|_| {
                let limit = TOKEN_LIMIT.as_secs();
                Fault::Credentials(format!("the credentials gave no token within {limit} s"))
            })?
            .map_err(|error| Fault::Credentials(describe(&self.identity, &error)))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.as_str()))
            .map_err(|_| Fault::Credentials("the credentials gave an unusable token".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Drops the token that the server refused; the next request gets a fresh one.
    pub fn forget(&mut self) {
        self.provider = None;
    }
}

/// Looks for credentials on a thread of its own, as parts of the search block: reading a file, the `gcloud`
/// program.
async fn search(identity: &Identity, limit: Duration) -> Result<Arc<dyn TokenProvider>, Fault> {
    let runtime = tokio::runtime::Handle::current();
    let wanted = identity.clone();
    let search = tokio::task::spawn_blocking(move || {
        let _entered = runtime.enter();
        match wanted {
            Identity::KeyFile(path) => CustomServiceAccount::from_file(path)
                .map(|account| Arc::new(account) as Arc<dyn TokenProvider>),
            Identity::Default | Identity::Nobody => runtime.block_on(gcp_auth::provider()),
        }
    });
    match tokio::time::timeout(limit, search).await {
        Ok(Ok(Ok(provider))) => Ok(provider),
        Ok(Ok(Err(error))) => Err(Fault::Credentials(describe(identity, &error))),
        Ok(Err(_)) => Err(Fault::Credentials(
            "the search for credentials broke off".to_owned(),
        )),
        Err(_) => Err(Fault::Credentials(format!(
            "no Google credentials found within {} s",
            limit.as_secs_f64()
        ))),
    }
}

/// The error without anything that was read from a key or a token.
fn describe(identity: &Identity, error: &gcp_auth::Error) -> String {
    let reason = match error {
        gcp_auth::Error::NoAuthMethod(..) => {
            return "no Google credentials found (no key file, no gcloud login, no metadata server)"
                .to_owned();
        }
        gcp_auth::Error::Json(doing, at) => {
            format!("{doing} (line {}, column {})", at.line(), at.column())
        }
        other => one_line(&other.to_string()),
    };
    let key_file = match identity {
        Identity::KeyFile(path) => Some(path.clone().into_os_string()),
        Identity::Default | Identity::Nobody => std::env::var_os(KEY_FILE),
    };
    match key_file {
        Some(path) => format!("service account key {}: {reason}", path.display()),
        None => format!("credentials: {reason}"),
    }
}
