//! A cell of a result as a [`Value`], and a column's type as a [`Column`].

use chrono::{DateTime, SecondsFormat};
use serde_json::Value as Json;

use super::wire::Field;
use crate::{Column, ColumnKind, Value};

/// Reads a cell. Every scalar arrives as text, NaN and the infinities, too; an array as a list of cells, a
/// struct as a row.
///
/// # Errors
/// The cell is not what its column's type says; the text names the column.
pub(super) fn value(field: &Field, cell: Json) -> Result<Value, String> {
    if is_repeated(field) {
        return Ok(Value::Text(json_of(field, &cell)?.to_string()));
    }
    let text = match cell {
        Json::Null => return Ok(Value::Null),
        Json::String(text) => text,
        Json::Object(_) => return Ok(Value::Text(json_of(field, &cell)?.to_string())),
        Json::Bool(_) | Json::Number(_) => cell.to_string(),
        Json::Array(_) => return Err(unlike(field, &cell.to_string())),
    };
    match field.kind.as_str() {
        "INTEGER" | "INT64" => text.parse().map(Value::Int).ok(),
        // `NaN`, `Infinity` and `-Infinity` are numbers to the standard library as well.
        "FLOAT" | "FLOAT64" | "NUMERIC" | "BIGNUMERIC" => text.parse().map(Value::Float).ok(),
        "BOOLEAN" | "BOOL" => match text.as_str() {
            "true" => Some(Value::Int(1)),
            "false" => Some(Value::Int(0)),
            _ => None,
        },
        "TIMESTAMP" => instant(&text).map(Value::Text),
        _ => return Ok(Value::Text(text)),
    }
    .ok_or_else(|| unlike(field, &text))
}

/// An array or a struct as JSON: numbers and booleans as such, everything else as text.
fn json_of(field: &Field, cell: &Json) -> Result<Json, String> {
    if is_repeated(field) {
        let element = Field {
            mode: None,
            ..field.clone()
        };
        return match cell {
            // A NULL array and an empty one are the same to BigQuery.
            Json::Null => Ok(Json::Array(Vec::new())),
            Json::Array(cells) => cells
                .iter()
                .map(|cell| json_of(&element, &cell["v"]))
                .collect(),
            other => Err(unlike(field, &other.to_string())),
        };
    }
    if let Some(cells) = cell.get("f").and_then(Json::as_array) {
        return field
            .fields
            .iter()
            .zip(cells)
            .map(|(field, cell)| Ok((field.name.clone(), json_of(field, &cell["v"])?)))
            .collect::<Result<serde_json::Map<_, _>, _>>()
            .map(Json::Object);
    }
    if cell.is_object() {
        return Err(unlike(field, &cell.to_string()));
    }
    Ok(match value(field, cell.clone())? {
        Value::Null => Json::Null,
        Value::Int(number) if is_bool(field) => Json::Bool(number == 1),
        Value::Int(number) => number.into(),
        // JSON has no NaN.
        Value::Float(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| Json::String(number.to_string()), Json::Number),
        Value::Text(text) => Json::String(text),
    })
}

/// A TIMESTAMP in RFC 3339. It arrives as whole microseconds since 1970, or, from a server that does not
/// know `useInt64Timestamp`, as seconds with a fraction or an exponent.
fn instant(text: &str) -> Option<String> {
    let micros = match text.parse::<i64>() {
        Ok(micros) => micros,
        Err(_) => {
            let seconds = text
                .parse::<f64>()
                .ok()
                .filter(|seconds| seconds.is_finite())?;
            #[allow(clippy::cast_possible_truncation)] // saturates; out of range is caught below
            let micros = (seconds * 1e6).round() as i64;
            micros
        }
    };
    let time = DateTime::from_timestamp_micros(micros)?;
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn unlike(field: &Field, text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    format!("column {}: {shown:?} is not a {}", field.name, field.kind)
}

fn is_repeated(field: &Field) -> bool {
    field.mode.as_deref() == Some("REPEATED")
}

fn is_bool(field: &Field) -> bool {
    matches!(field.kind.as_str(), "BOOLEAN" | "BOOL")
}

/// A column of a table. The REST interface still uses the type names of the old SQL dialect.
pub(super) fn column(field: &Field) -> Column {
    let (scalar, kind) = match field.kind.as_str() {
        "INTEGER" | "INT64" => ("INT64", ColumnKind::Number),
        "FLOAT" | "FLOAT64" => ("FLOAT64", ColumnKind::Number),
        "NUMERIC" => ("NUMERIC", ColumnKind::Number),
        "BIGNUMERIC" => ("BIGNUMERIC", ColumnKind::Number),
        "BOOLEAN" | "BOOL" => ("BOOL", ColumnKind::Bool),
        "STRING" => ("STRING", ColumnKind::Text),
        "DATE" => ("DATE", ColumnKind::Date),
        "DATETIME" => ("DATETIME", ColumnKind::DateTime),
        "TIMESTAMP" => ("TIMESTAMP", ColumnKind::Timestamp),
        "RECORD" | "STRUCT" => ("STRUCT", ColumnKind::Other),
        other => (other, ColumnKind::Other),
    };
    let (data_type, kind) = if is_repeated(field) {
        (format!("ARRAY<{scalar}>"), ColumnKind::Array)
    } else {
        (scalar.to_owned(), kind)
    };
    Column {
        name: field.name.clone(),
        kind,
        data_type,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::wire::Field;
    use super::{column, value};
    use crate::{ColumnKind, Value};

    fn field(kind: &str, mode: &str) -> Field {
        Field {
            name: "c".to_owned(),
            kind: kind.to_owned(),
            mode: Some(mode.to_owned()),
            fields: Vec::new(),
        }
    }

    fn read(kind: &str, cell: serde_json::Value) -> Value {
        value(&field(kind, "NULLABLE"), cell).expect("a value")
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn scalars_arrive_as_text() {
        assert_eq!(read("INTEGER", json!("-5")), Value::Int(-5));
        assert_eq!(read("FLOAT", json!("0.25")), Value::Float(0.25));
        assert_eq!(read("NUMERIC", json!("3.250000000")), Value::Float(3.25));
        assert_eq!(read("BOOLEAN", json!("true")), Value::Int(1));
        assert_eq!(read("BOOLEAN", json!("false")), Value::Int(0));
        assert_eq!(read("DATE", json!("2024-02-29")), text("2024-02-29"));
        assert_eq!(read("JSON", json!("{\"a\":1}")), text("{\"a\":1}"));
        for kind in [
            "INTEGER",
            "FLOAT",
            "BOOLEAN",
            "STRING",
            "TIMESTAMP",
            "RECORD",
        ] {
            assert_eq!(read(kind, json!(null)), Value::Null);
        }
    }

    #[test]
    fn nan_and_the_infinities_are_numbers_of_which_nothing_is_made() {
        for spelling in ["NaN", "nan"] {
            let Value::Float(number) = read("FLOAT", json!(spelling)) else {
                panic!("{spelling}");
            };
            assert!(number.is_nan());
        }
        for (spelling, number) in [
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("inf", f64::INFINITY),
        ] {
            assert_eq!(read("FLOAT", json!(spelling)), Value::Float(number));
        }
        assert_eq!(read("FLOAT", json!("NaN")).as_number(), None);
    }

    #[test]
    fn a_timestamp_is_microseconds_or_seconds_and_becomes_rfc_3339() {
        assert_eq!(
            read("TIMESTAMP", json!("1704067200123456")),
            text("2024-01-01T00:00:00.123456Z")
        );
        assert_eq!(
            read("TIMESTAMP", json!("1.7040672E9")),
            text("2024-01-01T00:00:00Z")
        );
    }

    #[test]
    fn an_array_becomes_json() {
        let array = |kind, cell| value(&field(kind, "REPEATED"), cell).expect("an array");
        assert_eq!(
            array("STRING", json!([{"v": "a"}, {"v": "b\"c"}, {"v": null}])),
            text(r#"["a","b\"c",null]"#)
        );
        assert_eq!(array("STRING", json!([])), text("[]"));
        assert_eq!(array("STRING", json!(null)), text("[]"));
        assert_eq!(array("INTEGER", json!([{"v": "1"}])), text("[1]"));
        assert_eq!(array("BOOLEAN", json!([{"v": "true"}])), text("[true]"));
        assert_eq!(array("FLOAT", json!([{"v": "NaN"}])), text(r#"["NaN"]"#));
    }

    #[test]
    fn a_struct_becomes_json() {
        let record = Field {
            fields: vec![
                Field {
                    name: "x".to_owned(),
                    ..field("INTEGER", "NULLABLE")
                },
                Field {
                    name: "y".to_owned(),
                    ..field("STRING", "REPEATED")
                },
            ],
            ..field("RECORD", "NULLABLE")
        };
        let cell = json!({"f": [{"v": "1"}, {"v": [{"v": "b"}]}]});
        assert_eq!(value(&record, cell), Ok(text(r#"{"x":1,"y":["b"]}"#)));
    }

    #[test]
    fn a_cell_that_belies_its_type_is_no_value() {
        for (kind, cell) in [
            ("INTEGER", json!("1.5")),
            ("INTEGER", json!("99999999999999999999")),
            ("FLOAT", json!("many")),
            ("BOOLEAN", json!("maybe")),
            ("TIMESTAMP", json!("yesterday")),
            ("STRING", json!([])),
            ("RECORD", json!({"x": 1})),
        ] {
            let error = value(&field(kind, "NULLABLE"), cell).expect_err(kind);
            assert!(error.starts_with("column c: "), "{error}");
        }
    }

    #[test]
    fn column_types_are_named_as_the_sql_names_them() {
        let described = |kind, mode| {
            let column = column(&field(kind, mode));
            (column.data_type, column.kind)
        };
        assert_eq!(
            described("INTEGER", "REQUIRED"),
            ("INT64".to_owned(), ColumnKind::Number)
        );
        assert_eq!(
            described("BOOLEAN", "NULLABLE"),
            ("BOOL".to_owned(), ColumnKind::Bool)
        );
        assert_eq!(
            described("STRING", "REPEATED"),
            ("ARRAY<STRING>".to_owned(), ColumnKind::Array)
        );
        assert_eq!(
            described("GEOGRAPHY", "NULLABLE"),
            ("GEOGRAPHY".to_owned(), ColumnKind::Other)
        );
    }
}
