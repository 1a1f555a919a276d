//! From the lines of an answer to rows, and from DuckDB's types to kinds.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::fault;
use crate::{Column, ColumnKind, Columns, Rows, Value, WarehouseError};

/// The rows of an answer: one JSON object a line.
///
/// # Errors
/// The program printed something else: the statement was refused.
pub(super) fn rows(lines: &[String]) -> Result<Rows, WarehouseError> {
    let mut rows = Rows::default();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let Ok(Object(fields)) = serde_json::from_str(&without_bare_words(line)) else {
            return Err(fault::refused(lines));
        };
        let (names, fields): (Vec<String>, Vec<Json>) = fields.into_iter().unzip();
        rows.columns = names;
        rows.rows.push(fields.into_iter().map(value).collect());
    }
    Ok(rows)
}

/// A JSON object whose fields keep their order.
struct Object(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// JSON knows neither NaN nor infinity; they come as bare words and become texts.
fn without_bare_words(line: &str) -> String {
    if !line.contains("NaN") && !line.contains("Infinity") {
        return line.to_owned();
    }
    let mut json = String::with_capacity(line.len() + 8);
    let mut rest = line;
    let mut is_text = false;
    while let Some(character) = rest.chars().next() {
        let word = ["-Infinity", "Infinity", "NaN"]
            .into_iter()
            .find(|word| !is_text && rest.starts_with(word));
        if let Some(word) = word {
            json.extend(["\"", word, "\""]);
            rest = &rest[word.len()..];
            continue;
        }
        let mut width = character.len_utf8();
        match character {
            '\\' if is_text => width += rest[1..].chars().next().map_or(0, char::len_utf8),
            '"' => is_text = !is_text,
            _ => {}
        }
        json.push_str(&rest[..width]);
        rest = &rest[width..];
    }
    json
}

fn value(field: Json) -> Value {
    match field {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Int(i64::from(truth)),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Text(number.to_string()),
        },
        Json::String(text) => Value::Text(text),
        nested => Value::Text(nested.to_string()),
    }
}

/// Makes numbers of those that came as text, because JSON has not enough digits for their types.
pub(super) fn typed(mut rows: Rows, types: &[(String, String)]) -> Rows {
    for (at, (_, data_type)) in types.iter().enumerate() {
        let kind = kind_of(data_type);
        if kind == ColumnKind::Timestamp {
            for row in &mut rows.rows {
                if let Some(field @ Value::Text(_)) = row.get_mut(at) {
                    *field = Value::Text(as_utc(field.as_text().unwrap_or_default()));
                }
            }
        }
        if kind != ColumnKind::Number {
            continue;
        }
        for row in &mut rows.rows {
            if let Some(field @ Value::Text(_)) = row.get_mut(at) {
                let text = field.as_text().unwrap_or_default();
                if let Ok(whole) = text.parse() {
                    *field = Value::Int(whole);
                } else if let Ok(number) = text.parse() {
                    *field = Value::Float(number);
                }
            }
        }
    }
    if rows.columns.is_empty() {
        rows.columns = types.iter().map(|(name, _)| name.clone()).collect();
    }
    rows
}

/// A time as the other engines write it: the session is in UTC.
fn as_utc(text: &str) -> String {
    match text.strip_suffix("+00") {
        Some(time) => format!("{}Z", time.replacen(' ', "T", 1)),
        None => text.to_owned(),
    }
}

/// The columns that DESCRIBE names.
pub(super) fn columns(described: Vec<(String, String)>) -> Columns {
    let columns = described.into_iter().map(|(name, data_type)| Column {
        name,
        kind: kind_of(&data_type),
        data_type,
    });
    Columns::new(columns.collect())
}

/// What a type holds. Source: "Data Types" of DuckDB's documentation.
fn kind_of(data_type: &str) -> ColumnKind {
    if data_type.ends_with(']') {
        return ColumnKind::Array;
    }
    let name = data_type.split('(').next().unwrap_or_default();
    match name {
        "BOOLEAN" => ColumnKind::Bool,
        "VARCHAR" | "ENUM" | "UUID" => ColumnKind::Text,
        "DATE" => ColumnKind::Date,
        "TIMESTAMP WITH TIME ZONE" => ColumnKind::Timestamp,
        "TIMESTAMP" | "TIMESTAMP_NS" | "TIMESTAMP_MS" | "TIMESTAMP_S" => ColumnKind::DateTime,
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "HUGEINT" | "UTINYINT" | "USMALLINT"
        | "UINTEGER" | "UBIGINT" | "UHUGEINT" | "FLOAT" | "DOUBLE" | "DECIMAL" => {
            ColumnKind::Number
        }
        _ => ColumnKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_columns_in_order_and_words_that_json_has_not() {
        let lines = [
            r#"{"z":1,"a":"NaN \" NaN","b":NaN,"c":-Infinity,"d":null}"#.to_owned(),
            r#"{"z":2.5,"a":"x","b":true,"c":["y"],"d":"12345678901234567890"}"#.to_owned(),
        ];
        let rows = rows(&lines).expect("an answer");
        assert_eq!(rows.columns, ["z", "a", "b", "c", "d"]);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(rows.rows[0][1], text("NaN \" NaN"));
        assert_eq!(rows.rows[0][2..4], [text("NaN"), text("-Infinity")]);
        assert_eq!(rows.rows[1][2..4], [Value::Int(1), text("[\"y\"]")]);
    }

    #[test]
    fn what_is_no_row_is_a_refusal_in_one_line() {
        let lines = ["Binder Error: no column x", "", "LINE 1: SELECT x", "   ^"];
        let error = rows(&lines.map(str::to_owned)).expect_err("refused");
        assert_eq!(error.to_string(), "DuckDB: Binder Error: no column x");
    }

    #[test]
    fn a_time_is_written_as_in_the_other_engines() {
        assert_eq!(as_utc("2024-01-02 03:04:05.5+00"), "2024-01-02T03:04:05.5Z");
        assert_eq!(as_utc("infinity"), "infinity");
    }

    #[test]
    fn a_number_is_one_again() {
        let rows = Rows {
            columns: vec!["d".to_owned(), "t".to_owned()],
            rows: vec![vec![Value::Text("1.50".into()), Value::Text("1.50".into())]],
        };
        let types = [("d", "DECIMAL(5,2)"), ("t", "VARCHAR")];
        let types = types.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        let rows = typed(rows, &types);
        assert_eq!(
            rows.rows[0],
            [Value::Float(1.5), Value::Text("1.50".into())]
        );
    }
}
