//! How rules may be written: a pattern, a map, or a list of these.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::pattern::{CAPTURES, check};
use super::{Rule, Rules};

/// A rule as it may be written: a pattern alone, or a map.
struct Written(Rule);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a regular expression, or a map with match: or json:")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                of_pattern(text).map(Written)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                of_map(map).map(Written)
            }
        }
        deserializer.deserialize_any(One)
    }
}

fn of_pattern<E: Error>(text: &str) -> Result<Rule, E> {
    Ok(Rule {
        r#match: Some(check(text).map_err(E::custom)?),
        ..Rule::default()
    })
}

fn of_map<'de, A: MapAccess<'de>>(map: A) -> Result<Rule, A::Error> {
    let rule = Rule::deserialize(MapAccessDeserializer::new(map))?;
    is_whole(&rule).map_err(A::Error::custom)?;
    Ok(rule)
}

/// A rule must be able to match something.
fn is_whole(rule: &Rule) -> Result<(), String> {
    if rule.r#match.is_none() && rule.json.is_empty() {
        return Err(
            "a rule needs match: (a regular expression) or json: (fields and their values)"
                .to_owned(),
        );
    }
    if rule.field.is_some() && rule.r#match.is_none() {
        return Err("field: needs match:, which is tried on it".to_owned());
    }
    if let Some(name) = rule
        .captures
        .keys()
        .find(|name| !CAPTURES.contains(&name.as_str()))
    {
        return Err(format!(
            "captures: names {name:?}, which nothing reads (one of {})",
            CAPTURES.join(", ")
        ));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any { dated: false })
    }
}

/// Rules that begin a date: each must capture one.
pub(super) fn dated<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rules, D::Error> {
    deserializer.deserialize_any(Any { dated: true })
}

/// Reads rules, and refuses a wrong one while the reader of the config still knows its line.
struct Any {
    dated: bool,
}

impl Any {
    fn rules(&self, rules: Vec<Rule>) -> Result<Rules, String> {
        let has_date = |rule: &Rule| {
            rule.captures.contains_key("date")
                || rule
                    .r#match
                    .as_ref()
                    .is_some_and(|pattern| pattern.captures("date"))
        };
        if self.dated && !rules.iter().all(has_date) {
            return Err(
                "date_start: begins a date and captures none (write {date} or (?P<date>…))"
                    .to_owned(),
            );
        }
        Ok(Rules(rules))
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = Rules;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a regular expression, a map with match: or json:, or a list of these")
    }

    fn visit_unit<E: Error>(self) -> Result<Rules, E> {
        Ok(Rules::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rules, E> {
        self.rules(vec![of_pattern(text)?]).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rules, A::Error> {
        self.rules(vec![of_map(map)?]).map_err(A::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Rules, A::Error> {
        let rules = Vec::<Written>::deserialize(SeqAccessDeserializer::new(seq))?;
        self.rules(rules.into_iter().map(|Written(rule)| rule).collect())
            .map_err(A::Error::custom)
    }
}
