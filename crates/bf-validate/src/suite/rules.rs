//! Which rows of a schedule are meant: a few columns and what they must hold. What a status or an id means is the
//! suite's business; nothing in the program knows a league.

use std::fmt;

use bf_warehouse::{ColumnKind, Columns, Condition, Ident, Literal, Test};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Columns, and what each must hold: `{game_status: [3], game_id: {prefix: ["002", "004"]}}`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rules(Vec<(Ident, Rule)>);

/// What a column must hold. A value that is missing meets only the negative ones.
#[derive(Debug, Clone, PartialEq)]
enum Rule {
    In(Vec<Literal>),
    Not(Vec<Literal>),
    Prefix(Vec<String>),
    NotPrefix(Vec<String>),
}

impl Rules {
    /// All of the rules that a table has columns for; `None` if there are none. A rule without its column is left out:
    /// then more rows count, which can hide nothing.
    #[must_use]
    pub(crate) fn all(&self, columns: &Columns) -> Option<Condition> {
        let known = self.known(columns);
        let parts: Vec<_> = known.map(|(column, rule)| rule.condition(column)).collect();
        (!parts.is_empty()).then_some(Condition::All(parts))
    }

    /// The first of the rules, in the order in which they are written, whose column holds a value decides; `None` if the
    /// table has none of the columns.
    #[must_use]
    pub(crate) fn first(&self, columns: &Columns) -> Option<Condition> {
        let known: Vec<_> = self.known(columns).collect();
        known.into_iter().rev().fold(None, |later, (column, rule)| {
            let rule = rule.condition(column);
            Some(match later {
                None => rule,
                Some(later) => {
                    let is_null = Condition::test(column, Test::IsNull);
                    Condition::Any(vec![rule, Condition::All(vec![is_null, later])])
                }
            })
        })
    }

    fn known(&self, columns: &Columns) -> impl Iterator<Item = &(Ident, Rule)> {
        self.0.iter().filter(|(column, rule)| {
            match columns.get(column).map(|column| column.kind) {
                // An id that became a number has lost its zeros, so that no prefix is its own.
                Some(ColumnKind::Number) => !matches!(rule, Rule::Prefix(_) | Rule::NotPrefix(_)),
                found => found.is_some(),
            }
        })
    }
}

impl Rule {
    fn condition(&self, column: &Ident) -> Condition {
        let test = |test| Condition::test(column, test);
        let is_not = |rule| {
            Condition::Any(vec![
                test(Test::IsNull),
                Condition::Not(Box::new(test(rule))),
            ])
        };
        match self {
            Self::In(values) => test(Test::In(values.clone())),
            Self::Not(values) => is_not(Test::In(values.clone())),
            Self::Prefix(texts) => test(Test::StartsWith(texts.clone())),
            Self::NotPrefix(texts) => is_not(Test::StartsWith(texts.clone())),
        }
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RulesVisitor)
    }
}

struct RulesVisitor;

impl<'de> Visitor<'de> for RulesVisitor {
    type Value = Rules;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("columns with what they must hold: {status: [3], id: {prefix: A}}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rules, A::Error> {
        let mut rules: Vec<(Ident, Rule)> = Vec::new();
        while let Some((column, rule)) = map.next_entry()? {
            if rules.iter().any(|(known, _)| *known == column) {
                return Err(A::Error::custom(format!("duplicate column {column}")));
            }
            rules.push((column, rule));
        }
        Ok(Rules(rules))
    }
}

/// One value, or a list of them.
struct OneOrMore<T>(Vec<T>);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    r#in: Option<OneOrMore<Literal>>,
    not: Option<OneOrMore<Literal>>,
    prefix: Option<OneOrMore<Text>>,
    not_prefix: Option<OneOrMore<Text>>,
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text(String);

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list of values, or one of {in: …}, {not: …}, {prefix: …} and {not_prefix: …}")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Rule, E> {
        Ok(Rule::In(vec![Literal::Bool(value)]))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Rule, E> {
        literal(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Rule, E> {
        literal(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Rule, E> {
        literal(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rule, E> {
        Ok(Rule::In(vec![Literal::Text(text.to_owned())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Rule, A::Error> {
        let values = Vec::deserialize(SeqAccessDeserializer::new(list))?;
        not_empty(values).map(Rule::In)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rule, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map))?;
        let texts = |list: Vec<Text>| list.into_iter().map(|text| text.0).collect::<Vec<_>>();
        match (
            written.r#in,
            written.not,
            written.prefix,
            written.not_prefix,
        ) {
            (Some(values), None, None, None) => not_empty(values.0).map(Rule::In),
            (None, Some(values), None, None) => not_empty(values.0).map(Rule::Not),
            (None, None, Some(list), None) => prefixes(texts(list.0)).map(Rule::Prefix),
            (None, None, None, Some(list)) => prefixes(texts(list.0)).map(Rule::NotPrefix),
            _ => Err(A::Error::custom(
                "expected exactly one of in, not, prefix and not_prefix",
            )),
        }
    }
}

fn literal<E: Error, T>(value: T) -> Result<Rule, E>
where
    T: serde::de::IntoDeserializer<'static, E>,
{
    Literal::deserialize(value.into_deserializer()).map(|value| Rule::In(vec![value]))
}

fn not_empty<T, E: Error>(list: Vec<T>) -> Result<Vec<T>, E> {
    if list.is_empty() {
        return Err(E::custom("an empty list of values"));
    }
    Ok(list)
}

/// Every text begins with the empty one.
fn prefixes<E: Error>(list: Vec<String>) -> Result<Vec<String>, E> {
    if list.iter().any(String::is_empty) {
        return Err(E::custom("an empty prefix"));
    }
    not_empty(list)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMoreVisitor(std::marker::PhantomData))
    }
}

struct OneOrMoreVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMoreVisitor<T> {
    type Value = OneOrMore<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a list of values")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<OneOrMore<T>, E> {
        one(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<OneOrMore<T>, E> {
        one(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<OneOrMore<T>, E> {
        one(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<OneOrMore<T>, E> {
        one(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore<T>, E> {
        one(text.to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMore)
    }
}

fn one<'de, T: Deserialize<'de>, E: Error, V>(value: V) -> Result<OneOrMore<T>, E>
where
    V: serde::de::IntoDeserializer<'de, E>,
{
    T::deserialize(value.into_deserializer()).map(|value| OneOrMore(vec![value]))
}

#[cfg(test)]
mod tests {
    use bf_config::parse_yaml;
    use bf_warehouse::Column;

    use super::*;

    fn rules(text: &str) -> Result<Rules, bf_cli::Failure> {
        parse_yaml(text, "a test")
    }

    fn columns(list: &[(&str, ColumnKind)]) -> Columns {
        let columns = list.iter().map(|(name, kind)| Column {
            name: (*name).to_owned(),
            kind: *kind,
            data_type: String::new(),
        });
        Columns::new(columns.collect())
    }

    #[test]
    fn a_value_a_list_and_a_prefix_are_read() {
        for text in [
            "{status: 7}",
            "{status: [7, 8]}",
            "{status: Final, id: {prefix: '02'}}",
            "{id: {prefix: ['02', '03']}, star: {not: true}}",
            "{id: {not_prefix: ['001']}, star: false, x: {in: 1.5}}",
        ] {
            assert!(rules(text).is_ok(), "{text}: {:?}", rules(text));
        }
        for text in [
            "{status: []}",
            "{id: {prefix: []}}",
            "{id: {prefix: ''}}",
            "{id: {prefixes: ['1']}}",
            "{id: {prefix: a, not: b}}",
            "{'a b': 1}",
            "[status]",
        ] {
            assert!(rules(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_without_its_column_is_left_out() {
        let both = rules("{status: 7, id: {prefix: '02'}}").expect("valid");
        let all = columns(&[("status", ColumnKind::Number), ("id", ColumnKind::Text)]);
        assert_eq!(both.all(&all).map(|all| all.columns().len()), Some(2));
        // The prefix of a number means nothing.
        let numbers = columns(&[("status", ColumnKind::Number), ("id", ColumnKind::Number)]);
        assert_eq!(both.first(&numbers).map(|all| all.columns().len()), Some(1));
        assert_eq!(both.first(&all).map(|all| all.columns().len()), Some(3));
        assert_eq!(both.all(&columns(&[("other", ColumnKind::Text)])), None);
    }
}
