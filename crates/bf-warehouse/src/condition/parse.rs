//! Conditions as a suite writes them: structs of optional keys, exactly one of which is there.

use std::fmt;

use crate::Ident;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::{Condition, Literal, Operator, Test};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    all: Option<Vec<Condition>>,
    any: Option<Vec<Condition>>,
    not: Option<Box<Condition>>,
    column: Option<Ident>,
    is_null: Option<bool>,
    is_present: Option<bool>,
    is_number: Option<bool>,
    is_true: Option<bool>,
    is_trimmed: Option<bool>,
    is_upper: Option<bool>,
    is_lower: Option<bool>,
    equals: Option<Literal>,
    differs_from: Option<Literal>,
    below: Option<Literal>,
    at_most: Option<Literal>,
    above: Option<Literal>,
    at_least: Option<Literal>,
    r#in: Option<Vec<Literal>>,
    starts_with: Option<Vec<String>>,
    contains_any: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        condition(written).map_err(de::Error::custom)
    }
}

fn condition(written: Written) -> Result<Condition, String> {
    let compare = |operator: Operator, literal: Option<Literal>| {
        literal.map(|literal| (Test::Compare(operator, literal), false))
    };
    // The second value says whether the test is turned round: `is_null: false`.
    let asked = |test: Test, holds: Option<bool>| holds.map(|holds| (test, !holds));
    let tests: Vec<(Test, bool)> = [
        asked(Test::IsNull, written.is_null),
        asked(Test::IsPresent, written.is_present),
        asked(Test::IsNumber, written.is_number),
        asked(Test::IsTrue, written.is_true),
        asked(Test::IsTrimmed, written.is_trimmed),
        asked(Test::IsUpper, written.is_upper),
        asked(Test::IsLower, written.is_lower),
        compare(Operator::Equals, written.equals),
        compare(Operator::Differs, written.differs_from),
        compare(Operator::Below, written.below),
        compare(Operator::AtMost, written.at_most),
        compare(Operator::Above, written.above),
        compare(Operator::AtLeast, written.at_least),
        written.r#in.map(|literals| (Test::In(literals), false)),
        written
            .starts_with
            .map(|texts| (Test::StartsWith(texts), false)),
        written
            .contains_any
            .map(|texts| (Test::ContainsAny(texts), false)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let groups = [
        written.all.map(Condition::All),
        written.any.map(Condition::Any),
        written.not.map(Condition::Not),
    ];
    let mut groups = groups.into_iter().flatten();
    match (
        groups.next(),
        groups.next(),
        written.column,
        tests.as_slice(),
    ) {
        (Some(Condition::All(parts) | Condition::Any(parts)), None, None, [])
            if parts.is_empty() =>
        {
            Err("a condition over nothing (all or any with an empty list)".to_owned())
        }
        (Some(group), None, None, []) => Ok(group),
        (None, None, Some(column), [(test, turned)]) => {
            if matches!(test, Test::In(list) if list.is_empty())
                || matches!(test, Test::ContainsAny(list) | Test::StartsWith(list) if list.is_empty())
            {
                return Err(format!("the list that {column} is compared with is empty"));
            }
            let test = Condition::test(&column, test.clone());
            Ok(if *turned {
                Condition::Not(Box::new(test))
            } else {
                test
            })
        }
        (None, None, Some(column), []) => Err(format!(
            "column {column} without a test (is_null, is_present, is_number, is_true, is_trimmed, is_upper, is_lower, \
             equals, differs_from, below, at_most, above, at_least, in, starts_with, contains_any)"
        )),
        (None, None, Some(column), _) => Err(format!("column {column} with more than one test")),
        (None, None, None, _) => Err("a condition without a column".to_owned()),
        _ => Err("a condition is one of all, any, not, or a column with one test".to_owned()),
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LiteralVisitor;

        impl Visitor<'_> for LiteralVisitor {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text, or true or false")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Literal, E> {
                Ok(Literal::Bool(value))
            }

            #[allow(clippy::cast_precision_loss)] // thresholds are small
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Literal, E> {
                Ok(Literal::Number(value as f64))
            }

            #[allow(clippy::cast_precision_loss)] // thresholds are small
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Literal, E> {
                Ok(Literal::Number(value as f64))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Literal, E> {
                if value.is_finite() {
                    Ok(Literal::Number(value))
                } else {
                    Err(E::custom("NaN and infinity compare with nothing"))
                }
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Literal, E> {
                Ok(Literal::Text(value.to_owned()))
            }
        }

        deserializer.deserialize_any(LiteralVisitor)
    }
}
