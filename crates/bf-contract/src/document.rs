//! What every document has in common: its `type`, its `schema`, and one way to read any of them.

use serde::de::{self, Deserializer, IntoDeserializer};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    Capability, Delivery, FailureReport, LedgerEntry, LogSummary, Notification, ProcessEvent,
    RunReport, RunStatus, ValidationPlan, ValidationReport,
};

/// The version of the contract. There is one so far; a document of a later one is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schema;

impl Schema {
    /// The version that this build writes, and the newest that it reads.
    pub const CURRENT: u32 = 1;
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::CURRENT)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            Self::CURRENT => Ok(Self),
            other => Err(de::Error::custom(format!(
                "schema {other} is not known here (this bf reads schema {})",
                Self::CURRENT
            ))),
        }
    }
}

/// Defines the zero-sized type of a document's `type` field: it is written as one fixed text and
/// refuses every other, so that a document can never be taken for one of another kind.
macro_rules! document_type {
    ($(#[$doc:meta])* $name:ident = $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// The text of the `type` field.
            pub const TEXT: &'static str = $text;
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Self::TEXT)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let found = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                if found == Self::TEXT {
                    Ok(Self)
                } else {
                    Err(serde::de::Error::custom(format!(
                        "type is {found:?}, not {:?}",
                        Self::TEXT
                    )))
                }
            }
        }
    };
}
pub(crate) use document_type;

/// Reads a word of an enum that a config file may hold as well, which must refuse a word that it does not know:
/// in a document such a word is `unknown`.
pub(crate) fn or_unknown<'de, D, T>(deserializer: D, unknown: T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let word = String::deserialize(deserializer)?;
    let known: Result<T, de::value::Error> = T::deserialize(word.into_deserializer());
    Ok(known.unwrap_or(unknown))
}

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
    fn read<T: de::DeserializeOwned>(kind: &str, line: &str) -> Result<T, DocumentError> {
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
