//! `validation_plan`: what a validator would ask, without asking it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{Schema, document_type};

document_type! {
    /// The `type` of a [`ValidationPlan`].
    ValidationPlanType = "validation_plan"
}

/// What a validator would ask, as `--explain` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationPlan {
    /// Always `validation_plan`.
    #[serde(rename = "type")]
    pub kind: ValidationPlanType,
    /// Always 1.
    pub schema: Schema,
    /// The suite's name.
    pub suite: String,
    /// The table, `dataset.table`.
    pub table: String,
    /// The query of the scan.
    pub sql: String,
    /// Its parameters by name, as text.
    pub params: BTreeMap<String, String>,
    /// Bytes that the engine expects to read; null where it does not say.
    pub estimated_bytes: Option<u64>,
}
