//! `failure`: why a tool ended without doing its work.

use serde::{Deserialize, Serialize};

use crate::header::{Schema, document_type};

document_type! {
    /// The `type` of a [`FailureReport`].
    FailureType = "failure"
}

/// Why a tool ended without doing its work; the last document on its standard output.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// Always `failure`.
    #[serde(rename = "type")]
    pub kind: FailureType,
    /// Always 1.
    pub schema: Schema,
    /// The tool, such as `bf-monitor`.
    pub tool: String,
    /// One line, lower case, that names the thing.
    pub message: String,
    /// The way out; null where there is none.
    pub hint: Option<String>,
    /// The code that the tool exits with.
    pub exit_code: u8,
}
