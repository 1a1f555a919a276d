//! A command in YAML: a list of words, and the right words for what people write instead.

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// Reads a list of words.
///
/// # Errors
/// The whole command in one word, or a placeholder without quotes, which YAML takes for a map.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(Words)
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of words: [python, job.py, --start, \"{start}\"]")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        let words: Vec<String> = text
            .split_whitespace()
            .map(|word| match word.contains(['{', '[', ':', ',']) {
                true => format!("{word:?}"),
                false => word.to_owned(),
            })
            .collect();
        Err(E::custom(format!(
            "a command is a list of words, not one text: [{}]",
            words.join(", ")
        )))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
        let mut words = Vec::new();
        while let Some(Word(word)) = seq.next_element()? {
            words.push(word);
        }
        Ok(words)
    }
}

struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

struct WordVisitor;

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Word, E> {
        unquoted(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
        unquoted(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Word, E> {
        unquoted(number)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Word, E> {
        unquoted(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Word, A::Error> {
        let name: Option<String> = map.next_key()?;
        let _: IgnoredAny = map.next_value()?;
        let name = name.unwrap_or_default();
        Err(de::Error::custom(format!(
            "{{{name}}} without quotes is a map to YAML: write \"{{{name}}}\""
        )))
    }
}

/// What YAML takes for a number or a truth value, and the job would get in another form.
fn unquoted<E: Error>(value: impl std::fmt::Display) -> Result<Word, E> {
    Err(E::custom(format!(
        "{value} without quotes is not a text to YAML: write \"{value}\""
    )))
}
