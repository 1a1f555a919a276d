//! What every way to a token has in common.

use std::path::Path;
use std::time::Duration;

use super::super::fault::{Fault, one_line};

/// What a token must allow. Source: "OAuth 2.0 scopes for Google APIs", BigQuery API v2.
pub(super) const SCOPES: &[&str] = &["https://www.googleapis.com/auth/bigquery"];

/// How long it may take to get a token from credentials that were found.
pub(super) const TOKEN_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn wrong(path: &Path, reason: &str) -> Fault {
    Fault::CredentialsFile(format!("credentials {}: {reason}", path.display()))
}

/// The error without anything that was read from a key or a token.
pub(super) fn describe(error: &gcp_auth::Error) -> String {
    match error {
        gcp_auth::Error::Json(doing, at) => {
            format!("{doing} (line {}, column {})", at.line(), at.column())
        }
        other => one_line(&other.to_string()),
    }
}
