//! What differs between the engines' SQL, as text made of checked names and parameters.

use crate::{ColumnKind, Ident, TableName};

/// The SQL of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlDialect {
    /// SQLite.
    Sqlite,
    /// BigQuery's GoogleSQL.
    BigQuery,
}

impl SqlDialect {
    /// The engine's name in documents: `sqlite` or `bigquery`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::BigQuery => "bigquery",
        }
    }

    /// A quoted column name.
    #[must_use]
    pub fn column(self, name: &Ident) -> String {
        match self {
            Self::Sqlite => format!("\"{name}\""),
            Self::BigQuery => format!("`{name}`"),
        }
    }

    /// A quoted table name.
    #[must_use]
    pub fn table(self, name: &TableName) -> String {
        format!(
            "{}.{}",
            self.column(&name.dataset),
            self.column(&name.table)
        )
    }

    /// A text as a literal, for SQL that a person pastes into a console; queries use parameters.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        match self {
            Self::Sqlite => format!("'{}'", text.replace('\'', "''")),
            Self::BigQuery => {
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
        }
    }

    /// How many rows of a group meet `condition`; 0 where none does, never NULL.
    #[must_use]
    pub fn count_if(self, condition: &str) -> String {
        match self {
            Self::Sqlite => format!("COUNT(*) FILTER (WHERE {condition})"),
            Self::BigQuery => format!("COUNTIF({condition})"),
        }
    }

    /// Whether `column` lies in the days from `start` to `end`, both included; `start` and `end` are SQL of
    /// dates (a parameter). The column stands bare, so that a partition or an index is used.
    ///
    /// SQLite keeps dates as text, and a text with a time behind the day still belongs to that day.
    #[must_use]
    pub fn within_days(self, column: &str, kind: ColumnKind, start: &str, end: &str) -> String {
        match (self, kind) {
            (Self::Sqlite, _) => {
                // The last day that SQLite knows has none behind it; ':' sorts after every digit.
                format!("{column} >= {start} AND {column} < coalesce(date({end}, '+1 day'), ':')")
            }
            (Self::BigQuery, ColumnKind::Timestamp) => format!(
                "{column} >= TIMESTAMP({start}) AND {column} < TIMESTAMP(DATE_ADD({end}, INTERVAL 1 DAY))"
            ),
            (Self::BigQuery, ColumnKind::DateTime) => format!(
                "{column} >= DATETIME({start}) AND {column} < DATETIME(DATE_ADD({end}, INTERVAL 1 DAY))"
            ),
            (Self::BigQuery, _) => format!("{column} BETWEEN {start} AND {end}"),
        }
    }

    /// The day of `column`, as something that groups and comes back as text `YYYY-MM-DD`.
    #[must_use]
    pub fn day_of(self, column: &str, kind: ColumnKind) -> String {
        match (self, kind) {
            (Self::Sqlite, _) => format!("substr({column}, 1, 10)"),
            (Self::BigQuery, ColumnKind::Timestamp | ColumnKind::DateTime) => {
                format!("DATE({column})")
            }
            (Self::BigQuery, _) => column.to_owned(),
        }
    }

    /// Whether `value` is one of the texts (or days) of the array parameter `@param`.
    #[must_use]
    pub fn is_in(self, value: &str, param: &str) -> String {
        match self {
            Self::Sqlite => format!("{value} IN (SELECT value FROM json_each(@{param}))"),
            Self::BigQuery => format!("{value} IN UNNEST(@{param})"),
        }
    }
}
