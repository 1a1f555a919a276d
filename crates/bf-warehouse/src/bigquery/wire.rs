//! The bodies of BigQuery's REST interface, as far as bf uses them. Source: "BigQuery API v2" reference.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::ErrorEntry;
use crate::Param;

/// The body of `jobs.query`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryRequest {
    pub query: String,
    pub use_legacy_sql: bool,
    pub parameter_mode: &'static str,
    pub query_parameters: Vec<QueryParameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_dataset: Option<DatasetReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// How long this request waits for the end of the job, in milliseconds.
    pub timeout_ms: u64,
    /// When BigQuery ends the job by itself, in milliseconds; a whole number as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_timeout_ms: Option<String>,
    /// A whole number as text. A query that would be charged for more fails without being charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_bytes_billed: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// Makes a repeated request find the job that the first one started; at most 36 characters.
    pub request_id: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    pub format_options: FormatOptions,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetReference {
    pub project_id: String,
    pub dataset_id: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FormatOptions {
    /// TIMESTAMP as whole microseconds; otherwise it is seconds as a floating point number.
    pub use_int64_timestamp: bool,
}

/// A named parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryParameter {
    pub name: String,
    pub parameter_type: ParameterType,
    pub parameter_value: ParameterValue,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParameterType {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array_type: Option<Box<ParameterType>>,
}

/// Every scalar value travels as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParameterValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array_values: Option<Vec<ParameterValue>>,
}

impl QueryParameter {
    /// The parameter `name` as BigQuery wants it.
    pub(super) fn new(name: &str, param: &Param) -> Self {
        let (kind, array_type, parameter_value) = match param {
            Param::Date(date) => ("DATE", None, scalar(date)),
            Param::Int(number) => ("INT64", None, scalar(number)),
            Param::Float(number) => ("FLOAT64", None, scalar(number)),
            Param::Text(text) => ("STRING", None, scalar(text)),
            Param::TextArray(texts) => ("ARRAY", Some("STRING"), array(texts)),
            Param::DateArray(dates) => ("ARRAY", Some("DATE"), array(dates)),
        };
        let array_type = array_type.map(|kind| {
            Box::new(ParameterType {
                kind,
                array_type: None,
            })
        });
        Self {
            name: name.to_owned(),
            parameter_type: ParameterType { kind, array_type },
            parameter_value,
        }
    }
}

fn scalar(value: &impl ToString) -> ParameterValue {
    ParameterValue {
        value: Some(value.to_string()),
        array_values: None,
    }
}

fn array<T: ToString>(values: &[T]) -> ParameterValue {
    ParameterValue {
        value: None,
        array_values: Some(values.iter().map(scalar).collect()),
    }
}

/// The answer of `jobs.query` and of `jobs.getQueryResults`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct QueryAnswer {
    pub job_reference: Option<JobReference>,
    pub job_complete: bool,
    pub schema: Option<Schema>,
    pub rows: Vec<Row>,
    pub page_token: Option<String>,
    /// Whole numbers as text, as everything of 64 bits.
    pub total_rows: Option<String>,
    pub total_bytes_processed: Option<String>,
    pub total_bytes_billed: Option<String>,
    pub cache_hit: Option<bool>,
    pub errors: Vec<ErrorEntry>,
}

/// The name of a job. Without its location a job outside the US and the EU is not found again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct JobReference {
    pub job_id: Option<String>,
    pub location: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schema {
    pub fields: Vec<Field>,
}

/// A column of a table or of a result.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// `NULLABLE`, `REQUIRED` or `REPEATED`.
    pub mode: Option<String>,
    /// The fields of a RECORD.
    pub fields: Vec<Field>,
}

/// A row of a result.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub f: Vec<Cell>,
}

/// A cell: null, a text, a list of cells (an array) or a row (a struct).
#[derive(Debug, Deserialize)]
pub(super) struct Cell {
    pub v: serde_json::Value,
}

/// The answer of `tables.get`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub schema: Option<Schema>,
    pub time_partitioning: Option<TimePartitioning>,
}

/// How the rows of a table are partitioned by time.
#[derive(Debug, Deserialize)]
pub(super) struct TimePartitioning {
    /// The column; none if it is the time of loading.
    pub field: Option<String>,
}

/// The answer of `tables.list`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TableList {
    pub tables: Vec<TableEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableEntry {
    pub table_reference: TableReference,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableReference {
    pub table_id: String,
}

/// The answer of `jobs.get`, for what the job was charged.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Job {
    pub statistics: JobStatistics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobStatistics {
    pub query: QueryStatistics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct QueryStatistics {
    pub total_bytes_billed: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::QueryParameter;
    use crate::Param;

    #[test]
    fn parameters_travel_as_texts_with_their_types() {
        let json = |param: Param| {
            serde_json::to_value(QueryParameter::new("p", &param)).expect("a parameter")
        };
        let day = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).expect("a day");
        assert_eq!(
            json(Param::Date(day)),
            serde_json::json!({"name": "p", "parameterType": {"type": "DATE"},
                "parameterValue": {"value": "2024-02-29"}})
        );
        assert_eq!(
            json(Param::TextArray(vec!["a'b".to_owned()])),
            serde_json::json!({"name": "p",
                "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRING"}},
                "parameterValue": {"arrayValues": [{"value": "a'b"}]}})
        );
        assert_eq!(
            json(Param::DateArray(Vec::new()))["parameterValue"],
            serde_json::json!({"arrayValues": []})
        );
        assert_eq!(json(Param::Float(0.5))["parameterValue"]["value"], "0.5");
    }
}
