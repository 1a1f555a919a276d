//! Conditions over a row in memory. Must say of every row what the SQL of `crate::sql::condition` says of it.

use std::cell::Cell;

use crate::{Field, Ident, Record};

use super::{Condition, Literal, Operator, Test};

/// A condition whose columns are positions in a row.
#[derive(Debug, Clone)]
pub(crate) struct Compiled(Node);

#[derive(Debug, Clone)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test {
        at: usize,
        test: Test,
    },
    /// It equals one of many texts, which are sorted. Rows that follow each other mostly have the same one.
    OneOf {
        at: usize,
        texts: Vec<Vec<u8>>,
        last: Cell<usize>,
    },
}

impl Compiled {
    /// Looks each column up in `columns`, the columns of the row in order; `None` where one is not there.
    #[must_use]
    pub(crate) fn new(condition: &Condition, columns: &[Ident]) -> Option<Self> {
        compile(condition, columns).map(Self)
    }

    /// Whether the condition surely holds.
    #[must_use]
    #[inline]
    pub(crate) fn holds(&self, row: Record<'_>) -> bool {
        answer(&self.0, row) == Some(true)
    }
}

fn compile(condition: &Condition, columns: &[Ident]) -> Option<Node> {
    let all = |parts: &[Condition]| -> Option<Vec<Node>> {
        parts.iter().map(|part| compile(part, columns)).collect()
    };
    Some(match condition {
        Condition::All(parts) => Node::All(all(parts)?),
        Condition::Any(parts) => Node::Any(all(parts)?),
        Condition::Not(part) => Node::Not(Box::new(compile(part, columns)?)),
        Condition::Test { column, test } => {
            let at = columns.iter().position(|other| other == column)?;
            match one_of(test) {
                Some(texts) => Node::OneOf {
                    at,
                    texts,
                    last: Cell::new(0),
                },
                None => Node::Test {
                    at,
                    test: test.clone(),
                },
            }
        }
    })
}

/// The texts of a test for one of many, where all are texts.
fn one_of(test: &Test) -> Option<Vec<Vec<u8>>> {
    let Test::In(literals) = test else {
        return None;
    };
    let texts = literals.iter().map(|literal| match literal {
        Literal::Text(text) => Some(text.as_bytes().to_vec()),
        _ => None,
    });
    let mut texts: Vec<Vec<u8>> = texts.collect::<Option<_>>()?;
    texts.sort_unstable();
    Some(texts)
}

fn answer(node: &Node, row: Record<'_>) -> Option<bool> {
    match node {
        Node::All(parts) => {
            let mut sure = true;
            for part in parts {
                match answer(part, row) {
                    Some(false) => return Some(false),
                    Some(true) => {}
                    None => sure = false,
                }
            }
            sure.then_some(true)
        }
        Node::Any(parts) => {
            let mut sure = true;
            for part in parts {
                match answer(part, row) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => sure = false,
                }
            }
            sure.then_some(false)
        }
        Node::Not(part) => answer(part, row).map(|yes| !yes),
        Node::Test { at, test } => test_field(row.get(*at), test),
        Node::OneOf { at, texts, last } => match row.get(*at).as_text() {
            Field::Text(found) if texts.get(last.get()).is_some_and(|text| text == found) => {
                Some(true)
            }
            Field::Text(found) => {
                let place = texts.binary_search_by(|text| text.as_slice().cmp(found));
                place.iter().for_each(|place| last.set(*place));
                Some(place.is_ok())
            }
            _ => None,
        },
    }
}

fn test_field(field: Field<'_>, test: &Test) -> Option<bool> {
    let field = field.as_text();
    match test {
        Test::IsNull => Some(is_null(field)),
        Test::IsPresent => Some(match field {
            Field::Float(number) => number.is_finite(),
            Field::Text(text) if text.iter().all(|byte| *byte == b' ') => false,
            field => !is_null(field),
        }),
        Test::IsNumber => Some(number(field).is_some()),
        Test::IsTrue => truth(field),
        Test::IsTrimmed => of_text(field, |text| {
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
            text.first().is_some_and(|byte| !is_space(byte)) && !text.last().is_some_and(is_space)
        }),
        Test::IsUpper => of_text(field, |text| !has_any(text, u8::is_ascii_lowercase)),
        Test::IsLower => of_text(field, |text| !has_any(text, u8::is_ascii_uppercase)),
        Test::Compare(operator, literal) => compare(field, *operator, literal),
        Test::In(literals) => {
            let mut sure = true;
            for literal in literals {
                match compare(field, Operator::Equals, literal) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => sure = false,
                }
            }
            sure.then_some(false)
        }
        Test::StartsWith(texts) => match field {
            Field::Text(found) => Some(texts.iter().any(|text| found.starts_with(text.as_bytes()))),
            _ => None,
        },
        Test::ContainsAny(texts) => Some(match field {
            Field::Text(bytes) => contains_any(bytes, texts),
            _ => false,
        }),
    }
}

/// Whether any byte is such a one. All are looked at, which is faster than to stop: many are done at once.
fn has_any(text: &[u8], is_one: impl Fn(&u8) -> bool) -> bool {
    text.iter().fold(false, |found, byte| found | is_one(byte))
}

/// What holds of a text holds of every number; of NULL nothing is known.
fn of_text(field: Field<'_>, holds: impl Fn(&[u8]) -> bool) -> Option<bool> {
    match field {
        Field::Null => None,
        Field::Int(_) | Field::Float(_) => Some(true),
        Field::Text(text) | Field::Blob(text) => Some(holds(text)),
    }
}

/// Whether a field holds nothing: NULL, or a list of nothing, which BigQuery does not tell from NULL.
fn is_null(field: Field<'_>) -> bool {
    matches!(field, Field::Null | Field::Text(b"[]"))
}

/// The number that a field holds: a finite number, or a text that is written like one.
#[must_use]
#[inline]
pub(crate) fn number(field: Field<'_>) -> Option<f64> {
    match field {
        #[allow(clippy::cast_precision_loss)] // what is measured stays far below 2^53
        Field::Int(number) => Some(number as f64),
        Field::Float(number) => number.is_finite().then_some(number),
        Field::Text(bytes) | Field::Blob(bytes) => {
            let shaped = bytes.iter().any(u8::is_ascii_digit)
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
            if !shaped {
                return None;
            }
            let number: f64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
            number.is_finite().then_some(number)
        }
        Field::Null => None,
    }
}

fn truth(field: Field<'_>) -> Option<bool> {
    match field {
        Field::Int(number) => Some(number != 0),
        Field::Float(number) => Some(number != 0.0),
        Field::Text(b"1") => Some(true),
        Field::Text(b"0") => Some(false),
        Field::Text(text) if text.eq_ignore_ascii_case(b"true") => Some(true),
        Field::Text(text) if text.eq_ignore_ascii_case(b"false") => Some(false),
        Field::Text(_) | Field::Blob(_) | Field::Null => None,
    }
}

fn compare(field: Field<'_>, operator: Operator, literal: &Literal) -> Option<bool> {
    let ordering = match literal {
        Literal::Number(wanted) => number(field)?.partial_cmp(wanted)?,
        Literal::Bool(wanted) => truth(field)?.cmp(wanted),
        Literal::Text(wanted) => match field {
            Field::Text(found) => found.cmp(wanted.as_bytes()),
            _ => return None,
        },
    };
    Some(match operator {
        Operator::Equals => ordering.is_eq(),
        Operator::Differs => ordering.is_ne(),
        Operator::Below => ordering.is_lt(),
        Operator::AtMost => ordering.is_le(),
        Operator::Above => ordering.is_gt(),
        Operator::AtLeast => ordering.is_ge(),
    })
}

/// Whether a JSON value has one of the texts: as a whole string, however deep it lies, and not as a key. A text that
/// is no JSON has it as a whole word: it may be a list in another form.
fn contains_any(json: &[u8], texts: &[String]) -> bool {
    let mentions = |text: &String| {
        let wanted = text.as_bytes();
        !wanted.is_empty() && json.windows(wanted.len()).any(|window| window == wanted)
    };
    if json == b"[]" || !texts.iter().any(mentions) {
        return false;
    }
    match serde_json::from_slice::<serde_json::Value>(json) {
        Ok(value) => has_string(&value, texts),
        Err(_) => texts.iter().any(|text| has_word(json, text.as_bytes())),
    }
}

fn has_string(value: &serde_json::Value, texts: &[String]) -> bool {
    use serde_json::Value;
    match value {
        Value::String(found) => texts.iter().any(|text| text == found),
        Value::Array(values) => values.iter().any(|value| has_string(value, texts)),
        Value::Object(fields) => fields.values().any(|value| has_string(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a text has a word with neither a letter, a digit nor `_` on either side of it.
fn has_word(text: &[u8], word: &[u8]) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut windows = text.windows(word.len()).enumerate();
    windows.any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        window == word && !is_part(before) && !is_part(text.get(at + word.len()))
    })
}
