//! DuckDB's SQL.

use chrono::NaiveDate;

use crate::ColumnKind;
use crate::sql::{Flavor, string_regex, word_regex};

/// DuckDB's SQL.
pub(crate) struct DuckDbFlavor;

/// The spaces of ASCII.
const SPACES: &str = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)";

/// A text that is written like a decimal number.
const NUMBER: &str = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?";

impl Flavor for DuckDbFlavor {
    fn quote(&self, name: &str) -> String {
        format!("\"{name}\"")
    }

    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    fn date(&self, date: NaiveDate) -> String {
        format!("DATE '{date}'")
    }

    fn within_days(&self, column: &str, kind: ColumnKind, start: &str, end: &str) -> String {
        match kind {
            ColumnKind::Date => format!("{column} BETWEEN {start} AND {end}"),
            ColumnKind::Text => format!(
                "{column} >= CAST({start} AS VARCHAR) AND {column} < CAST(CAST({end} + INTERVAL 1 DAY AS DATE) AS VARCHAR)"
            ),
            ColumnKind::Number => {
                let number = |date: &str| format!("CAST(strftime({date}, '%Y%m%d') AS BIGINT)");
                format!("{column} BETWEEN {} AND {}", number(start), number(end))
            }
            _ => format!("{column} >= {start} AND {column} < {end} + INTERVAL 1 DAY"),
        }
    }

    fn not_materialized(&self) -> &'static str {
        "NOT MATERIALIZED "
    }

    fn day_of(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Date => column.to_owned(),
            // A cast alone takes `2024-1-5` and `2024-01-05x` for days.
            ColumnKind::Text => format!(
                "CASE WHEN regexp_full_match({column}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([ T].+)?') \
                 THEN TRY_CAST(substr({column}, 1, 10) AS DATE) END"
            ),
            ColumnKind::Number => {
                format!("CAST(try_strptime(CAST({column} AS VARCHAR), '%Y%m%d') AS DATE)")
            }
            _ => format!("CAST({column} AS DATE)"),
        }
    }

    fn as_text(&self, column: &str) -> String {
        format!("CAST({column} AS VARCHAR)")
    }

    fn matches(&self, text: &str, regex: &str) -> String {
        format!("regexp_matches({text}, '{regex}')")
    }

    fn count_if(&self, condition: &str) -> String {
        format!("COUNT(*) FILTER (WHERE {condition})")
    }

    fn micros(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            // A cast of a time with a zone is slow, and needless.
            ColumnKind::Timestamp => format!("epoch_us({column})"),
            ColumnKind::DateTime | ColumnKind::Date => {
                format!("epoch_us(CAST({column} AS TIMESTAMP))")
            }
            ColumnKind::Number => format!(
                "CASE WHEN {column} <= 0 THEN NULL \
                 WHEN {column} < 95617584000 THEN CAST({column} * 1000000 AS BIGINT) \
                 WHEN {column} < 95617584000000 THEN CAST({column} * 1000 AS BIGINT) \
                 ELSE CAST({column} AS BIGINT) END"
            ),
            _ => format!("epoch_us(TRY_CAST(CAST({column} AS VARCHAR) AS TIMESTAMPTZ))"),
        }
    }

    fn is_null(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Array => format!("({column} IS NULL OR len({column}) = 0)"),
            ColumnKind::Text => format!("({column} IS NULL OR {column} = '[]')"),
            ColumnKind::Other => {
                format!("({column} IS NULL OR CAST({column} AS VARCHAR) IN ('[]', 'null'))")
            }
            _ => format!("({column} IS NULL)"),
        }
    }

    fn is_present(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Number => format!("({} IS NOT NULL)", self.number(column, kind)),
            ColumnKind::Text => {
                format!("({column} IS NOT NULL AND {column} <> '[]' AND trim({column}, ' ') <> '')")
            }
            _ => format!("(NOT {})", self.is_null(column, kind)),
        }
    }

    fn number(&self, column: &str, kind: ColumnKind) -> String {
        let double = match kind {
            ColumnKind::Number | ColumnKind::Bool => format!("CAST({column} AS DOUBLE)"),
            ColumnKind::Text => format!(
                "CASE WHEN regexp_full_match({column}, '{NUMBER}') THEN TRY_CAST({column} AS DOUBLE) END"
            ),
            _ => return "CAST(NULL AS DOUBLE)".to_owned(),
        };
        format!("(CASE WHEN isfinite({double}) THEN {double} END)")
    }

    fn truth(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Bool => column.to_owned(),
            ColumnKind::Number => format!("({column} <> 0)"),
            _ => format!(
                "(CASE WHEN lower(CAST({column} AS VARCHAR)) IN ('true', '1') THEN TRUE \
                 WHEN lower(CAST({column} AS VARCHAR)) IN ('false', '0') THEN FALSE END)"
            ),
        }
    }

    fn of_text(&self, column: &str, asked: &dyn Fn(&str) -> String) -> String {
        format!("({})", asked(&self.as_text(column)))
    }

    fn is_trimmed(&self, text: &str) -> String {
        format!("{text} <> '' AND trim({text}, {SPACES}) = {text}")
    }

    fn has_none_of(&self, text: &str, letters: &str) -> String {
        // Most texts have none, and need no regular expression.
        let case = if letters == "a-z" { "upper" } else { "lower" };
        format!(
            "CASE WHEN {case}({text}) = {text} THEN TRUE ELSE NOT regexp_matches({text}, '[{letters}]') END"
        )
    }

    fn compare_text(&self, column: &str, _: ColumnKind, sign: &str, text: &str) -> String {
        format!("(CAST({column} AS VARCHAR) {sign} {text})")
    }

    fn starts_with(&self, column: &str, texts: &[String]) -> String {
        let parts: Vec<String> = texts
            .iter()
            .map(|text| format!("starts_with(CAST({column} AS VARCHAR), {text})"))
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
        let string = literal(&string_regex(text));
        if kind == ColumnKind::Text {
            let word = literal(&word_regex(text));
            let found = format!(
                "coalesce(CASE WHEN json_valid({column}) THEN regexp_matches({column}, {string}) \
                 ELSE regexp_matches({column}, {word}) END, FALSE)"
            );
            // JSON writes it as it is: few rows have it at all, and only those are read.
            let is_plain = text
                .chars()
                .all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
            return if is_plain {
                let text = literal(text);
                format!("CASE WHEN contains({column}, {text}) THEN {found} ELSE FALSE END")
            } else {
                found
            };
        }
        format!("coalesce(regexp_matches(CAST(to_json({column}) AS VARCHAR), {string}), FALSE)")
    }
}
