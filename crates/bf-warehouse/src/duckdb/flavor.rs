//! DuckDB's SQL.

use chrono::NaiveDate;

use crate::ColumnKind;
use crate::sql::{Flavor, string_regex, word_regex};

/// DuckDB's SQL.
pub(crate) struct DuckDbFlavor;

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
            ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date => {
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
        format!("{text} <> '' AND NOT regexp_matches({text}, '^[[:space:]]|[[:space:]]$')")
    }

    fn has_none_of(&self, text: &str, letters: &str) -> String {
        format!("NOT regexp_matches({text}, '[{letters}]')")
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
            return format!(
                "coalesce(CASE WHEN json_valid({column}) THEN regexp_matches({column}, {string}) \
                 ELSE regexp_matches({column}, {word}) END, FALSE)"
            );
        }
        format!("coalesce(regexp_matches(CAST(to_json({column}) AS VARCHAR), {string}), FALSE)")
    }
}
