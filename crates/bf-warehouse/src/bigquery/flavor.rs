//! GoogleSQL, as BigQuery has it.

use chrono::NaiveDate;

use crate::ColumnKind;
use crate::sql::{Flavor, string_regex, word_regex};

/// GoogleSQL.
pub(crate) struct BigQueryFlavor;

impl Flavor for BigQueryFlavor {
    fn quote(&self, name: &str) -> String {
        format!("`{name}`")
    }

    fn text(&self, text: &str) -> String {
        let mut literal = String::with_capacity(text.len() + 2);
        literal.push('\'');
        for character in text.chars() {
            match character {
                '\'' => literal.push_str("\\'"),
                '\\' => literal.push_str("\\\\"),
                '\n' => literal.push_str("\\n"),
                '\r' => literal.push_str("\\r"),
                other => literal.push(other),
            }
        }
        literal.push('\'');
        literal
    }

    fn date(&self, date: NaiveDate) -> String {
        format!("DATE '{date}'")
    }

    fn within_days(&self, column: &str, kind: ColumnKind, start: &str, end: &str) -> String {
        match kind {
            ColumnKind::Timestamp => format!(
                "{column} >= TIMESTAMP({start}) AND {column} < TIMESTAMP(DATE_ADD({end}, INTERVAL 1 DAY))"
            ),
            ColumnKind::DateTime => format!(
                "{column} >= DATETIME({start}) AND {column} < DATETIME(DATE_ADD({end}, INTERVAL 1 DAY))"
            ),
            // Texts `YYYY-MM-DD`, with or without a time, and numbers YYYYMMDD.
            ColumnKind::Text => format!(
                "{column} >= CAST({start} AS STRING) AND {column} < CAST(DATE_ADD({end}, INTERVAL 1 DAY) AS STRING)"
            ),
            ColumnKind::Number => {
                let number = |date: &str| format!("CAST(FORMAT_DATE('%Y%m%d', {date}) AS INT64)");
                format!("{column} BETWEEN {} AND {}", number(start), number(end))
            }
            _ => format!("{column} BETWEEN {start} AND {end}"),
        }
    }

    fn day_of(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Timestamp | ColumnKind::DateTime => format!("DATE({column})"),
            ColumnKind::Text => format!("SAFE_CAST(SUBSTR({column}, 1, 10) AS DATE)"),
            ColumnKind::Number => {
                format!("SAFE.PARSE_DATE('%Y%m%d', CAST({column} AS STRING))")
            }
            _ => column.to_owned(),
        }
    }

    fn as_text(&self, column: &str) -> String {
        format!("CAST({column} AS STRING)")
    }

    fn matches(&self, text: &str, regex: &str) -> String {
        format!("REGEXP_CONTAINS({text}, '{regex}')")
    }

    fn count_if(&self, condition: &str) -> String {
        format!("COUNTIF({condition})")
    }

    fn if_met(&self, condition: &str, value: &str) -> String {
        format!("IF({condition}, {value}, NULL)")
    }

    fn micros(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Timestamp => format!("UNIX_MICROS({column})"),
            ColumnKind::DateTime | ColumnKind::Date => format!("UNIX_MICROS(TIMESTAMP({column}))"),
            // Seconds, milliseconds or microseconds: whichever gives a year up to 5000.
            ColumnKind::Number => {
                let number = format!("CAST({column} AS FLOAT64)");
                format!(
                    "CASE WHEN {number} <= 0 THEN NULL \
                     WHEN {number} < 95617584000 THEN SAFE_CAST({number} * 1000000 AS INT64) \
                     WHEN {number} < 95617584000000 THEN SAFE_CAST({number} * 1000 AS INT64) \
                     ELSE SAFE_CAST({number} AS INT64) END"
                )
            }
            _ => format!("UNIX_MICROS(SAFE_CAST({column} AS TIMESTAMP))"),
        }
    }

    fn is_null(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            // A NULL array is stored as an empty one, which IS NULL does not find. Source: "Working with arrays" of
            // BigQuery's documentation.
            ColumnKind::Array => format!("(IFNULL(ARRAY_LENGTH({column}), 0) = 0)"),
            _ => format!("({column} IS NULL)"),
        }
    }

    fn is_present(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Array => format!("(IFNULL(ARRAY_LENGTH({column}), 0) > 0)"),
            ColumnKind::Number => format!("({} IS NOT NULL)", self.number(column, kind)),
            ColumnKind::Text => format!("({column} IS NOT NULL AND TRIM({column}, ' ') <> '')"),
            _ => format!("({column} IS NOT NULL)"),
        }
    }

    fn number(&self, column: &str, kind: ColumnKind) -> String {
        let cast = match kind {
            ColumnKind::Number => "CAST",
            _ => "SAFE_CAST",
        };
        let float = format!("{cast}({column} AS FLOAT64)");
        format!("IF(IS_NAN({float}) OR IS_INF({float}), NULL, {float})")
    }

    fn truth(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Bool => column.to_owned(),
            ColumnKind::Number => format!("({column} <> 0)"),
            _ => format!(
                "(CASE WHEN LOWER({column}) IN ('true', '1') THEN TRUE \
                 WHEN LOWER({column}) IN ('false', '0') THEN FALSE END)"
            ),
        }
    }

    fn of_text(&self, column: &str, asked: &dyn Fn(&str) -> String) -> String {
        format!("({})", asked(&format!("CAST({column} AS STRING)")))
    }

    fn is_trimmed(&self, text: &str) -> String {
        format!("{text} <> '' AND NOT REGEXP_CONTAINS({text}, '^[[:space:]]|[[:space:]]$')")
    }

    /// UPPER and LOWER know more letters than those of ASCII.
    fn has_none_of(&self, text: &str, letters: &str) -> String {
        format!("NOT REGEXP_CONTAINS({text}, '[{letters}]')")
    }

    fn compare_text(&self, column: &str, kind: ColumnKind, sign: &str, text: &str) -> String {
        match kind {
            ColumnKind::Text => format!("({column} {sign} {text})"),
            _ => format!("(CAST({column} AS STRING) {sign} {text})"),
        }
    }

    fn starts_with(&self, column: &str, texts: &[String]) -> String {
        let parts: Vec<String> = texts
            .iter()
            .map(|text| format!("STARTS_WITH(CAST({column} AS STRING), {text})"))
            .collect();
        format!("({})", parts.join(" OR "))
    }

    fn contains(
        &self,
        column: &str,
        kind: ColumnKind,
        text: &str,
        literal: &mut dyn FnMut(&str) -> String,
    ) -> String {
        match kind {
            ColumnKind::Text => {
                let (string, word) = (literal(&string_regex(text)), literal(&word_regex(text)));
                format!(
                    "IFNULL(REGEXP_CONTAINS({column}, IF(SAFE.PARSE_JSON({column}) IS NULL, {word}, {string})), FALSE)"
                )
            }
            // An array, a STRUCT, or JSON.
            _ => {
                let string = literal(&string_regex(text));
                format!("IFNULL(REGEXP_CONTAINS(TO_JSON_STRING({column}), {string}), FALSE)")
            }
        }
    }
}
