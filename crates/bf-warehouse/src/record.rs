//! One row while it is read, without a copy.

use rusqlite::types::ValueRef;
use smallvec::SmallVec;

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
    /// Text as it is stored; UTF-8 unless the writer stored something else.
    Text(&'a [u8]),
    /// Bytes that are stored as such. They may read like a text, but no comparison with a text finds them.
    Blob(&'a [u8]),
}

impl Field<'_> {
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(number),
            Self::Float(number) => Value::Float(number),
            Self::Text(bytes) | Self::Blob(bytes) => {
                Value::Text(String::from_utf8_lossy(bytes).into_owned())
            }
        }
    }

    /// Bytes as the text that they read like; any other field as it is.
    #[must_use]
    #[inline]
    pub fn as_text(self) -> Self {
        match self {
            Self::Blob(bytes) => Self::Text(bytes),
            field => field,
        }
    }
}

impl<'a> From<ValueRef<'a>> for Field<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Int(number),
            ValueRef::Real(number) => Self::Float(number),
            ValueRef::Text(bytes) => Self::Text(bytes),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl<'a> From<&'a Value> for Field<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Text(text) => Self::Text(text.as_bytes()),
        }
    }
}

/// One row of a result while it is read. Its fields were looked up once, however often they are asked for.
#[derive(Clone, Copy)]
pub struct Record<'a>(&'a [Field<'a>]);

impl<'a> Record<'a> {
    /// Hands out a row of these fields.
    pub(crate) fn hand_out(
        fields: impl Iterator<Item = Field<'a>>,
        each: &mut dyn FnMut(Record<'_>),
    ) {
        // Rows of usual width need no memory of their own.
        let fields: SmallVec<[Field<'a>; 32]> = fields.collect();
        each(Record(&fields));
    }

    /// The field at `index`, counted from 0; NULL beyond the last.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Field<'a> {
        self.0.get(index).copied().unwrap_or(Field::Null)
    }

    /// A copy of all fields.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        self.0.iter().map(|field| field.to_value()).collect()
    }
}
