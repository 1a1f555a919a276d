//! What goes into a query and what comes out.

use chrono::NaiveDate;

/// A query with named parameters: `@start` in the SQL is the parameter `start`, in both engines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// One SELECT statement in the engine's dialect.
    pub sql: String,
    /// Its parameters by name, without the `@`.
    pub params: Vec<(String, Param)>,
}

impl Query {
    /// A query without parameters.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            params: Vec::new(),
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, param: impl Into<Param>) -> Self {
        self.params.push((name.into(), param.into()));
        self
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// A day: DATE in BigQuery, text `YYYY-MM-DD` in SQLite.
    Date(NaiveDate),
    /// A whole number.
    Int(i64),
    /// A number; never NaN or infinite.
    Float(f64),
    /// A text.
    Text(String),
    /// Texts: `ARRAY<STRING>` in BigQuery, a JSON array as text in SQLite.
    TextArray(Vec<String>),
    /// Days: `ARRAY<DATE>` in BigQuery, a JSON array of texts in SQLite.
    DateArray(Vec<NaiveDate>),
}

impl From<NaiveDate> for Param {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Param {
    fn from(texts: Vec<String>) -> Self {
        Self::TextArray(texts)
    }
}

impl From<Vec<NaiveDate>> for Param {
    fn from(dates: Vec<NaiveDate>) -> Self {
        Self::DateArray(dates)
    }
}

/// One field of a result. BOOL is `Int` 0 or 1 in both engines, DATE and TIMESTAMP are `Text`, an array is
/// `Text` with a JSON array in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// NULL.
    #[default]
    Null,
    /// A whole number, or a BOOL.
    Int(i64),
    /// A number; can be NaN or infinite in BigQuery.
    Float(f64),
    /// Any other value, as text.
    Text(String),
}

impl Value {
    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A number that is not negative and has no fraction; `None` for anything else, NULL included.
    #[must_use]
    pub fn as_count(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // checked just before
            Self::Float(number)
                if *number >= 0.0 && number.fract() == 0.0 && *number < 9_007_199_254_740_992.0 =>
            {
                Some(*number as u64)
            }
            _ => None,
        }
    }

    /// A finite number; `None` for anything else, NULL and NaN included.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss)] // counters stay far below 2^53
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) if number.is_finite() => Some(*number),
            _ => None,
        }
    }

    /// Its text; `None` for anything else.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a query returned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The columns' names, in order.
    pub columns: Vec<String>,
    /// The rows; each has as many values as there are columns.
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// The value of a result of one row and one column.
    ///
    /// # Errors
    /// It is no such result.
    pub(crate) fn one_value(mut self) -> Result<Value, crate::WarehouseError> {
        match self.rows.pop() {
            Some(mut row) if self.rows.is_empty() && row.len() == 1 => Ok(row.remove(0)),
            _ => Err(crate::WarehouseError::Query(
                "its query must return one row with one number".to_owned(),
            )),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name as the table has it. Names compare without regard to case in both engines.
    pub name: String,
    /// What it holds, as far as a query has to know.
    pub kind: ColumnKind,
    /// Its type as the engine writes it, such as `ARRAY<STRING>`.
    pub data_type: String,
}

/// What a column holds, as far as a query has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Numbers (`INT64`, `FLOAT64`, `NUMERIC`, `BIGNUMERIC`; SQLite: a declared type with that affinity).
    Number,
    /// BOOL.
    Bool,
    /// Text.
    Text,
    /// DATE.
    Date,
    /// DATETIME.
    DateTime,
    /// TIMESTAMP.
    Timestamp,
    /// `ARRAY<…>`.
    Array,
    /// Anything else; also every SQLite column whose declared type does not say.
    Other,
}
