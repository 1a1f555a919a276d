//! Why a request to BigQuery came to nothing.

use serde::Deserialize;

use super::retry::{self, Next};
use crate::WarehouseError;
use crate::error::Denial;

/// No message of a server is shown at greater length, in characters.
const LONGEST_MESSAGE: usize = 600;

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No answer, or only a part of one.
    Connection {
        /// What happened, with the server's address.
        message: String,
        /// Whether another try may help.
        passing: bool,
    },
    /// The server's own word that it failed.
    Answer {
        /// The HTTP status.
        status: u16,
        /// BigQuery's word for it, such as `invalidQuery`.
        reason: Option<String>,
        /// BigQuery's sentence.
        message: String,
        /// Whether the job failed, and not the request.
        of_job: bool,
    },
    /// No credentials were found, or they give no token.
    Credentials(String),
    /// A file of credentials is wrong: another login is no cure.
    CredentialsFile(String),
    /// The answer has not the form that is documented for it.
    Form(String),
}

/// An entry of `errors` in an answer. Source: `ErrorProto` of BigQuery's REST reference.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorEntry {
    /// BigQuery's word for it.
    pub reason: Option<String>,
    /// BigQuery's sentence.
    pub message: Option<String>,
}

/// The body of an answer with a status of 400 or more.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    message: Option<String>,
    errors: Vec<ErrorEntry>,
}

impl Fault {
    /// Reads an answer with a status of 400 or more. A proxy's page is no JSON: then only the status counts.
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        let detail = serde_json::from_slice::<ErrorBody>(body)
            .map(|body| body.error)
            .unwrap_or_default();
        let first = detail.errors.into_iter().next().unwrap_or_default();
        let message = detail.message.or(first.message);
        Self::Answer {
            status,
            reason: first.reason,
            message: message
                .map_or_else(|| format!("HTTP status {status}"), |text| one_line(&text)),
            of_job: false,
        }
    }

    /// Reads `errors` of an answer with status 200: the request worked, the job did not.
    pub(super) fn of_job(entry: ErrorEntry) -> Self {
        Self::Answer {
            status: 200,
            reason: entry.reason,
            message: entry
                .message
                .map_or_else(|| "the job failed".to_owned(), |text| one_line(&text)),
            of_job: true,
        }
    }

    /// What to do after it.
    pub(super) fn next(&self) -> Next {
        match self {
            Self::Connection { passing: true, .. } => Next::Again,
            Self::Answer {
                status,
                reason,
                of_job,
                ..
            } => match retry::after(reason.as_deref(), *status) {
                // Asking after a job that has failed gives the same answer for ever.
                Next::Again if *of_job => Next::NewJob,
                next => next,
            },
            Self::Connection { .. }
            | Self::Credentials(_)
            | Self::CredentialsFile(_)
            | Self::Form(_) => Next::GiveUp,
        }
    }

    /// Whether the token was refused.
    pub(super) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Answer { status: 401, .. })
    }

    /// Whether the thing that was asked for is not there.
    pub(super) fn is_not_found(&self) -> bool {
        match self {
            Self::Answer { status, reason, .. } => {
                reason.as_deref() == Some("notFound") || (*status == 404 && reason.is_none())
            }
            _ => false,
        }
    }

    /// The error as a caller of the warehouse gets it. `limit` is the `maximum_bytes_billed` that was sent.
    pub(super) fn into_error(self, limit: u64) -> WarehouseError {
        let next = self.next();
        match self {
            Self::Connection { message, .. } => WarehouseError::Unreachable(message),
            Self::Credentials(message) => WarehouseError::Denied(Denial::NoLogin, message),
            Self::CredentialsFile(message) => WarehouseError::Denied(Denial::File, message),
            Self::Form(message) => WarehouseError::Query(message),
            Self::Answer {
                status,
                reason,
                message,
                ..
            } => {
                let mut text = match &reason {
                    Some(reason) => format!("BigQuery: {message} ({reason})"),
                    None => format!("BigQuery: {message}"),
                };
                if message.contains("not found in location") {
                    text.push_str("; name the datasets' location: bigquery://PROJECT?location=…");
                }
                match reason.as_deref().unwrap_or_default() {
                    "bytesBilledLimitExceeded" => WarehouseError::TooManyBytes {
                        limit,
                        reason: message,
                    },
                    "quotaExceeded" => WarehouseError::Quota(text),
                    "authError" => WarehouseError::Denied(Denial::NoLogin, text),
                    "accessDenied" => WarehouseError::Denied(denial(&message), text),
                    _ if next != Next::GiveUp => {
                        WarehouseError::Unreachable(format!("{text}, after all retries"))
                    }
                    _ if status == 401 => WarehouseError::Denied(Denial::NoLogin, text),
                    _ if status == 403 => WarehouseError::Denied(denial(&message), text),
                    _ => WarehouseError::Query(text),
                }
            }
        }
    }
}

/// What is denied. Source: the messages of BigQuery's "Access Denied" errors.
fn denial(message: &str) -> Denial {
    let has = |word: &str| message.to_ascii_lowercase().contains(word);
    if has("row access polic") || has("row-level") {
        Denial::Rows
    } else if has("bigquery.jobs.create") {
        Denial::Jobs
    } else if has("bigquery.tables.")
        || has("access denied: table")
        || has("access denied: dataset")
    {
        Denial::Data
    } else {
        Denial::Other
    }
}

/// A server's message as one line without control characters, cut if it is long.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((at, _)) = line.char_indices().nth(LONGEST_MESSAGE) {
        line.truncate(at);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::retry::Next;
    use super::{ErrorEntry, Fault, one_line};
    use crate::WarehouseError;

    fn answer(status: u16, reason: &str) -> Fault {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"no\nluck","errors":[{{"reason":"{reason}"}}]}}}}"#
        );
        Fault::of_answer(status, body.as_bytes())
    }

    #[test]
    fn too_many_bytes_is_no_server_fault_though_it_arrives_as_one() {
        let fault = answer(500, "bytesBilledLimitExceeded");
        assert_eq!(fault.next(), Next::GiveUp);
        assert_eq!(
            fault.into_error(7),
            WarehouseError::TooManyBytes {
                limit: 7,
                reason: "no luck".to_owned()
            }
        );
    }

    #[test]
    fn a_proxys_page_counts_by_its_status() {
        let fault = Fault::of_answer(502, b"<html>bad gateway</html>");
        assert_eq!(fault.next(), Next::Again);
        assert_eq!(
            fault.into_error(0),
            WarehouseError::Unreachable("BigQuery: HTTP status 502, after all retries".to_owned())
        );
    }

    #[test]
    fn a_job_that_broke_needs_a_new_job() {
        let entry = ErrorEntry {
            reason: Some("backendError".to_owned()),
            message: None,
        };
        assert_eq!(Fault::of_job(entry).next(), Next::NewJob);
    }

    #[test]
    fn each_refusal_has_its_own_error() {
        let kind = |status, reason| answer(status, reason).into_error(0);
        assert!(matches!(
            kind(403, "accessDenied"),
            WarehouseError::Denied(..)
        ));
        assert!(matches!(
            kind(403, "quotaExceeded"),
            WarehouseError::Quota(_)
        ));
        assert!(matches!(
            kind(400, "invalidQuery"),
            WarehouseError::Query(_)
        ));
        assert!(matches!(kind(404, "notFound"), WarehouseError::Query(_)));
        assert!(matches!(
            kind(503, "backendError"),
            WarehouseError::Unreachable(_)
        ));
        assert!(answer(404, "notFound").is_not_found());
    }

    #[test]
    fn a_dataset_elsewhere_is_told_from_one_that_is_missing() {
        let body = r#"{"error":{"message":"Not found: Dataset p:d was not found in location US",
            "errors":[{"reason":"notFound"}]}}"#;
        let error = Fault::of_answer(404, body.as_bytes()).into_error(0);
        assert!(error.to_string().contains("?location="), "{error}");
        assert!(
            !answer(404, "notFound")
                .into_error(0)
                .to_string()
                .contains("?location=")
        );
    }

    #[test]
    fn a_message_is_one_line_without_escapes_and_not_endless() {
        assert_eq!(one_line("a\n\tb\u{1b}[4mc\r\n"), "a b [4mc");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), 601);
    }
}
