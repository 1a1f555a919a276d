//! One row while it is read, without a copy.

use rusqlite::types::ValueRef;

use crate::Value;

/// One field of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field<'a> {
    /// NULL.
    Null,
    /// A whole number, or a BOOL.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text as it is stored; UTF-8 unless somebody wrote something else.
    Text(&'a [u8]),
}

impl Field<'_> {
    fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(number),
            Self::Float(number) => Value::Float(number),
            Self::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }
}

/// One row of a result while it is read.
#[derive(Clone, Copy)]
pub struct Record<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Values(&'a [Value]),
    Fields(&'a [Field<'a>]),
}

impl<'a> Record<'a> {
    pub(crate) fn of_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self(Source::Sqlite(row))
    }

    /// A row that is already in memory.
    #[must_use]
    pub fn of_values(values: &'a [Value]) -> Self {
        Self(Source::Values(values))
    }

    /// A row whose fields were looked up before: for a reader that asks for the same ones again and again.
    #[must_use]
    pub fn of_fields(fields: &'a [Field<'a>]) -> Self {
        Self(Source::Fields(fields))
    }

    /// The field at `index`, counted from 0; NULL beyond the last.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Field<'a> {
        if let Source::Fields(fields) = self.0 {
            return fields.get(index).copied().unwrap_or(Field::Null);
        }
        self.look_up(index)
    }

    fn look_up(&self, index: usize) -> Field<'a> {
        match self.0 {
            Source::Sqlite(row) => match row.get_ref(index) {
                Ok(ValueRef::Integer(number)) => Field::Int(number),
                Ok(ValueRef::Real(number)) => Field::Float(number),
                Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Field::Text(bytes),
                Ok(ValueRef::Null) | Err(_) => Field::Null,
            },
            Source::Values(values) => match values.get(index) {
                Some(Value::Int(number)) => Field::Int(*number),
                Some(Value::Float(number)) => Field::Float(*number),
                Some(Value::Text(text)) => Field::Text(text.as_bytes()),
                Some(Value::Null) | None => Field::Null,
            },
            Source::Fields(fields) => fields.get(index).copied().unwrap_or(Field::Null),
        }
    }

    /// A copy of all fields.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        match self.0 {
            Source::Sqlite(row) => (0..row.as_ref().column_count())
                .map(|index| self.get(index).to_value())
                .collect(),
            Source::Values(values) => values.to_vec(),
            Source::Fields(fields) => fields.iter().map(|field| field.to_value()).collect(),
        }
    }
}
