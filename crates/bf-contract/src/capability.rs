//! `capability`: something that a tool can or cannot do on this machine.

use serde::{Deserialize, Serialize};

use crate::header::{Schema, document_type};

document_type! {
    /// The `type` of a [`Capability`].
    CapabilityType = "capability"
}

/// Something that was tried on this machine, as `bf-monitor --doctor` prints it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// Always `capability`.
    #[serde(rename = "type")]
    pub kind: CapabilityType,
    /// Always 1.
    pub schema: Schema,
    /// What was tried: a source of exits (`child`, `pidfd`, `zombie`, `record`), or another sign.
    pub name: String,
    /// Whether it works.
    pub works: bool,
    /// What it is good for, or why it does not work.
    pub detail: String,
}
