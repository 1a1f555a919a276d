//! SQLite's SQL. A column may hold a value of any type, whatever was declared for it.

use chrono::NaiveDate;

use crate::ColumnKind;
use crate::sql::Flavor;

/// SQLite's SQL.
pub(crate) struct SqliteFlavor;

impl Flavor for SqliteFlavor {
    fn quote(&self, name: &str) -> String {
        format!("\"{name}\"")
    }

    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    fn date(&self, date: NaiveDate) -> String {
        format!("'{date}'")
    }

    fn boolean(&self, value: bool) -> &'static str {
        if value { "1" } else { "0" }
    }

    /// Dates are texts, and a text with a time after the day still belongs to that day.
    fn within_days(&self, column: &str, _: ColumnKind, start: &str, end: &str) -> String {
        // The last day that SQLite knows has none after it; ':' sorts after every digit.
        format!("{column} >= {start} AND {column} < coalesce(date({end}, '+1 day'), ':')")
    }

    fn day_of(&self, column: &str, _: ColumnKind) -> String {
        format!("substr({column}, 1, 10)")
    }

    fn as_text(&self, column: &str) -> String {
        format!("CAST({column} AS TEXT)")
    }

    /// No query asks for it either.
    fn matches(&self, text: &str, regex: &str) -> String {
        format!("{text} REGEXP '{regex}'")
    }

    fn count_if(&self, condition: &str) -> String {
        format!("COUNT(*) FILTER (WHERE {condition})")
    }

    /// Rows are counted while they are read, so that no query asks for it.
    fn micros(&self, column: &str, _: ColumnKind) -> String {
        format!("CAST((julianday({column}) - 2440587.5) * 86400000000 AS INTEGER)")
    }

    fn is_null(&self, column: &str, _: ColumnKind) -> String {
        format!("({column} IS NULL OR CAST({column} AS TEXT) = '[]')")
    }

    fn is_present(&self, column: &str, _: ColumnKind) -> String {
        format!(
            "({column} IS NOT NULL AND CAST({column} AS TEXT) <> '[]' AND trim(CAST({column} AS TEXT)) <> '' \
             AND (typeof({column}) <> 'real' OR abs({column}) < 9e999))"
        )
    }

    fn number(&self, column: &str, _: ColumnKind) -> String {
        format!(
            "(CASE WHEN typeof({column}) = 'integer' THEN {column} \
             WHEN typeof({column}) = 'real' THEN CASE WHEN abs({column}) < 9e999 THEN {column} END \
             WHEN {} AND abs(CAST(CAST({column} AS TEXT) AS REAL)) < 9e999 \
             THEN CAST(CAST({column} AS TEXT) AS REAL) END)",
            reads_like_a_number(column)
        )
    }

    fn stored_number(&self, column: &str, _: ColumnKind) -> String {
        format!("CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END")
    }

    fn is_day(&self, column: &str, _: ColumnKind) -> String {
        format!(
            "typeof({column}) = 'text' AND substr({column}, 1, 10) = date(substr({column}, 1, 10))"
        )
    }

    fn has_time(&self, column: &str, _: ColumnKind) -> String {
        format!("typeof({column}) = 'text' AND length({column}) > 10")
    }

    fn truth(&self, column: &str, _: ColumnKind) -> String {
        format!(
            "(CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} <> 0 \
             WHEN lower({column}) IN ('true', '1') THEN 1 \
             WHEN lower({column}) IN ('false', '0') THEN 0 END)"
        )
    }

    fn of_text(&self, column: &str, asked: &dyn Fn(&str) -> String) -> String {
        format!(
            "(CASE WHEN typeof({column}) IN ('text', 'blob') THEN {} WHEN {column} IS NOT NULL THEN 1 END)",
            asked(&format!("CAST({column} AS TEXT)"))
        )
    }

    fn is_trimmed(&self, text: &str) -> String {
        format!("{text} <> '' AND trim({text}, char(32, 9, 10, 11, 12, 13)) = {text}")
    }

    fn has_none_of(&self, text: &str, letters: &str) -> String {
        format!("{text} NOT GLOB '*[{letters}]*'")
    }

    fn compare_text(&self, column: &str, _: ColumnKind, sign: &str, text: &str) -> String {
        format!(
            "(CASE WHEN typeof({column}) IN ('text', 'blob') THEN CAST({column} AS TEXT) {sign} {text} END)"
        )
    }

    fn starts_with(&self, column: &str, texts: &[String]) -> String {
        let parts: Vec<String> = texts
            .iter()
            .map(|text| format!("substr(CAST({column} AS TEXT), 1, length({text})) = {text}"))
            .collect();
        format!(
            "(CASE WHEN typeof({column}) IN ('text', 'blob') THEN {} END)",
            parts.join(" OR ")
        )
    }

    fn contains(
        &self,
        column: &str,
        _: ColumnKind,
        text: &str,
        literal: &mut dyn FnMut(&str) -> String,
    ) -> String {
        let (wanted, word) = (literal(text), literal(&word_glob(text)));
        let value = format!("CAST({column} AS TEXT)");
        format!(
            "(instr(coalesce({value}, ''), {wanted}) > 0 AND CASE WHEN json_valid({value}) \
             THEN EXISTS (SELECT 1 FROM json_tree({value}) WHERE type = 'text' AND atom = {wanted}) \
             ELSE ' ' || {value} || ' ' GLOB {word} END)"
        )
    }
}

/// Whether a text is written like a decimal number. CAST alone takes `2024-01-02` for 2024.
fn reads_like_a_number(column: &str) -> String {
    let text = format!("CAST({column} AS TEXT)");
    let never = [
        "*[^-+.0-9eE]*",
        "*[0-9.][-+]*",
        "*[-+][-+]*",
        "*.*.*",
        "*[eE]*[eE.]*",
        "[eE]*",
        "[-+.][eE]*",
    ];
    let never = never.map(|pattern| format!(" AND {text} NOT GLOB '{pattern}'"));
    format!(
        "{text} GLOB '*[0-9]*' AND {text} GLOB '*[0-9.]'{}",
        never.concat()
    )
}

/// A pattern of a whole word, for a text with a space at either end.
fn word_glob(text: &str) -> String {
    let mut word = String::new();
    for character in text.chars() {
        match character {
            '[' | '*' | '?' => word.extend(['[', character, ']']),
            other => word.push(other),
        }
    }
    format!("*[^A-Za-z0-9_]{word}[^A-Za-z0-9_]*")
}
