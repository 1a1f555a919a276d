//! Any document, and one way to read it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{
    Capability, Delivery, FailureReport, LedgerEntry, LogSummary, Notification, ProcessEvent,
    RunReport, RunStatus, ValidationPlan, ValidationReport,
};

/// Any document of the contract, as [`read_document`] finds it in a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// What the log claims.
    LogSummary(Box<LogSummary>),
    /// What is known of one date.
    LedgerEntry(LedgerEntry),
    /// Something that happened to a watched process.
    ProcessEvent(Box<ProcessEvent>),
    /// What the table holds.
    ValidationReport(Box<ValidationReport>),
    /// What an orchestrated run came to.
    RunReport(Box<RunReport>),
    /// How far a run has come.
    RunStatus(Box<RunStatus>),
    /// Something that a person is told about a run.
    Notification(Box<Notification>),
    /// Whether a channel took a notification.
    Delivery(Delivery),
    /// Why a tool ended without doing its work.
    Failure(FailureReport),
    /// What a validator would ask.
    ValidationPlan(Box<ValidationPlan>),
    /// What a tool can do on this machine.
    Capability(Capability),
    /// A document of a type that this version does not know; readers pass over it.
    Unknown(String),
}

/// Why a line is no document.
#[derive(Debug)]
pub enum DocumentError {
    /// The line is not a JSON object with a `type`.
    NotADocument(String),
    /// It names a known type, but a field of it is missing or wrong.
    Malformed {
        /// The document's `type`.
        kind: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl std::fmt::Display for DocumentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotADocument(reason) => write!(f, "not a bf document: {reason}"),
            Self::Malformed { kind, reason } => write!(f, "malformed {kind}: {reason}"),
        }
    }
}

impl std::error::Error for DocumentError {}

/// Reads one line of a stream of documents.
///
/// # Errors
/// A line that is no JSON object with a `type` is [`DocumentError::NotADocument`]; one that names a
/// known type without being of its form is [`DocumentError::Malformed`].
pub fn read_document(line: &str) -> Result<Document, DocumentError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: String,
    }
    fn read<T: DeserializeOwned>(kind: &str, line: &str) -> Result<T, DocumentError> {
        serde_json::from_str(line).map_err(|error| DocumentError::Malformed {
            kind: kind.to_owned(),
            reason: error.to_string(),
        })
    }

    let head: Head = serde_json::from_str(line)
        .map_err(|error| DocumentError::NotADocument(error.to_string()))?;
    let kind = head.kind.as_str();
    Ok(match kind {
        crate::LogSummaryType::TEXT => Document::LogSummary(read(kind, line)?),
        crate::LedgerEntryType::TEXT => Document::LedgerEntry(read(kind, line)?),
        crate::ProcessEventType::TEXT => Document::ProcessEvent(read(kind, line)?),
        crate::ValidationReportType::TEXT => Document::ValidationReport(read(kind, line)?),
        crate::RunReportType::TEXT => Document::RunReport(read(kind, line)?),
        crate::RunStatusType::TEXT => Document::RunStatus(read(kind, line)?),
        crate::NotificationType::TEXT => Document::Notification(read(kind, line)?),
        crate::DeliveryType::TEXT => Document::Delivery(read(kind, line)?),
        crate::FailureType::TEXT => Document::Failure(read(kind, line)?),
        crate::ValidationPlanType::TEXT => Document::ValidationPlan(read(kind, line)?),
        crate::CapabilityType::TEXT => Document::Capability(read(kind, line)?),
        _ => Document::Unknown(head.kind),
    })
}
