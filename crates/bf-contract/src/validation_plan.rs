//! `validation_plan`: what a validator would ask, without asking it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::header::{Schema, document_type};

document_type! {
    /// The `type` of a [`ValidationPlan`].
    ValidationPlanType = "validation_plan"
}

/// What a validator would ask, as `--explain` prints it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What they cost at the rate that the config names, in its currency; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_price: Option<f64>,
}
