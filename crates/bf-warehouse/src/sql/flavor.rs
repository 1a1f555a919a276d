//! What differs between the SQL of the engines.

use chrono::NaiveDate;

use crate::{ColumnKind, TableName};

/// The SQL of an engine. Every text that is passed in is SQL already, unless a method says otherwise.
pub(crate) trait Flavor {
    /// A quoted name; `name` is checked.
    fn quote(&self, name: &str) -> String;

    /// A quoted table.
    fn table(&self, name: &TableName) -> String {
        format!(
            "{}.{}",
            self.quote(name.dataset.as_str()),
            self.quote(name.table.as_str())
        )
    }

    /// Any text as a literal.
    fn text(&self, text: &str) -> String;

    /// A day as a literal.
    fn date(&self, date: NaiveDate) -> String;

    /// A truth value as a literal.
    fn boolean(&self, value: bool) -> &'static str {
        if value { "TRUE" } else { "FALSE" }
    }

    /// Whether a column lies in the days from `start` to `end`, both included. The column is bare, so that a partition
    /// or an index is used.
    fn within_days(&self, column: &str, kind: ColumnKind, start: &str, end: &str) -> String;

    /// What keeps an engine from copying all rows of a `WITH` before it reads them; empty if it does not.
    fn not_materialized(&self) -> &'static str {
        ""
    }

    /// The day of a column, as something that groups and comes back as text `YYYY-MM-DD`; NULL if it is not a valid one.
    fn day_of(&self, column: &str, kind: ColumnKind) -> String;

    /// A column as text.
    fn as_text(&self, column: &str) -> String;

    /// Whether a text has a part that a regular expression (RE2) matches.
    fn matches(&self, text: &str, regex: &str) -> String;

    /// How many rows of a group meet a condition; 0 if none does, never NULL.
    fn count_if(&self, condition: &str) -> String;

    /// A value if a condition holds, else NULL.
    fn if_met(&self, condition: &str, value: &str) -> String {
        format!("CASE WHEN {condition} THEN {value} END")
    }

    /// A time as microseconds since 1970; NULL if it is none.
    fn micros(&self, column: &str, kind: ColumnKind) -> String;

    /// Whether a column is NULL, or an array of nothing.
    fn is_null(&self, column: &str, kind: ColumnKind) -> String;

    /// Whether a column has a value: see [`crate::Test::IsPresent`].
    fn is_present(&self, column: &str, kind: ColumnKind) -> String;

    /// The finite number of a column, else NULL.
    fn number(&self, column: &str, kind: ColumnKind) -> String;

    /// The finite number of a column that holds numbers, else NULL.
    fn stored_number(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Number => self.number(column, kind),
            _ => self.number("NULL", ColumnKind::Number),
        }
    }

    /// Whether a column has a valid day.
    fn is_day(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::Date | ColumnKind::DateTime | ColumnKind::Timestamp => {
                format!("{column} IS NOT NULL")
            }
            ColumnKind::Text => format!("{} IS NOT NULL", self.day_of(column, kind)),
            _ => "FALSE".to_owned(),
        }
    }

    /// Whether a column has a day with a time after it.
    fn has_time(&self, column: &str, kind: ColumnKind) -> String {
        match kind {
            ColumnKind::DateTime | ColumnKind::Timestamp => format!("{column} IS NOT NULL"),
            ColumnKind::Text => format!("LENGTH({column}) > 10"),
            _ => "FALSE".to_owned(),
        }
    }

    /// The truth of a column, NULL if it has none.
    fn truth(&self, column: &str, kind: ColumnKind) -> String;

    /// What is asked of a text; it holds of every number, and is unknown for NULL.
    fn of_text(&self, column: &str, asked: &dyn Fn(&str) -> String) -> String;

    /// Whether a text has a character that is no space, and no space at either end.
    fn is_trimmed(&self, text: &str) -> String;

    /// Whether a text has none of some letters of ASCII, a range such as `a-z`.
    fn has_none_of(&self, text: &str, letters: &str) -> String;

    /// A comparison of a column with the literal of a text; unknown if it is no text.
    fn compare_text(&self, column: &str, kind: ColumnKind, sign: &str, text: &str) -> String;

    /// Whether a column is a text that begins with one of some texts (SQL); unknown if it is no text.
    fn starts_with(&self, column: &str, texts: &[String]) -> String;

    /// Whether a column has a text (no SQL) as a whole string of a JSON value at any depth, or as a whole word of
    /// another text. `literal` makes SQL of a text.
    fn contains(
        &self,
        column: &str,
        kind: ColumnKind,
        text: &str,
        literal: &mut dyn FnMut(&str) -> String,
    ) -> String;
}

/// Whether a column lies in some days and is a valid one.
pub(super) fn within_valid_days(
    flavor: &dyn Flavor,
    column: &str,
    kind: ColumnKind,
    (start, end): (&str, &str),
) -> String {
    let within = flavor.within_days(column, kind, start, end);
    match kind {
        ColumnKind::Text | ColumnKind::Number => {
            format!("{within} AND {} IS NOT NULL", flavor.day_of(column, kind))
        }
        _ => within,
    }
}

/// A pattern of a whole word.
pub(crate) fn word_regex(text: &str) -> String {
    format!("(^|[^A-Za-z0-9_]){}([^A-Za-z0-9_]|$)", escaped_regex(text))
}

/// A pattern of a string in JSON. A quote within a string has a backslash before it, so no string can hold what the
/// pattern begins with; a key is followed by a colon.
pub(crate) fn string_regex(text: &str) -> String {
    let string = escaped_regex(&serde_json::Value::from(text).to_string());
    format!("(^|[\\[:,])[ \\t\\r\\n]*{string}[ \\t\\r\\n]*([\\],}}]|$)")
}

/// A text as a regular expression that matches nothing else.
fn escaped_regex(text: &str) -> String {
    let mut regex = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() && character != '_' {
            regex.push('\\');
        }
        regex.push(character);
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::{string_regex, word_regex};

    #[test]
    fn a_pattern_matches_the_text_alone() {
        assert_eq!(
            word_regex("a_b.c"),
            "(^|[^A-Za-z0-9_])a_b\\.c([^A-Za-z0-9_]|$)"
        );
        assert_eq!(
            string_regex("it\"s"),
            "(^|[\\[:,])[ \\t\\r\\n]*\\\"it\\\\\\\"s\\\"[ \\t\\r\\n]*([\\],}]|$)"
        );
    }
}
