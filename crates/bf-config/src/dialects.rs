//! Log dialects that a config adds to the built-in ones.

use regex::bytes::Regex;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// The named captures that a [`Pattern`] may have.
pub const CAPTURES: [&str; 5] = ["date", "index", "total", "records", "error"];

/// A dialect as regular expressions, one for each event that its lines can tell. Every expression but the
/// one for success is optional; the named captures [`CAPTURES`] are read where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Its name, as it appears in `log_summary.dialect`.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// A run begins; `total` is how many dates it has.
    #[serde(default)]
    pub run_start: Option<Pattern>,
    /// A date begins; needs `date`. Lines without a date speak of it until the next one begins.
    #[serde(default)]
    pub date_start: Option<DatePattern>,
    /// A date succeeded; `records` is what was written for it.
    pub success: Pattern,
    /// A date failed; `error` is why.
    #[serde(default)]
    pub failure: Option<Pattern>,
    /// A date was left out; `error` is why.
    #[serde(default)]
    pub skip: Option<Pattern>,
    /// How far the run has come: `index` of `total`.
    #[serde(default)]
    pub progress: Option<Pattern>,
    /// The run is over.
    #[serde(default)]
    pub end: Option<Pattern>,
}

/// A regular expression, in the syntax of the regex crate, without captures of unknown names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pattern(String);

impl Pattern {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A [`Pattern`] that captures a `date`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatePattern(Pattern);

impl DatePattern {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Checks a regular expression here, where the config's reader knows the line.
fn check(text: &str) -> Result<Regex, String> {
    let regex = Regex::new(text).map_err(|error| {
        let error = error.to_string();
        // The first line repeats the expression, the last one says what is wrong with it.
        let reason = error.lines().last().unwrap_or_default();
        format!(
            "{text:?} is not a regular expression: {}",
            reason.trim_start_matches("error: ")
        )
    })?;
    match regex
        .capture_names()
        .flatten()
        .find(|name| !CAPTURES.contains(name))
    {
        Some(name) => Err(format!(
            "{text:?} captures {name:?}, which nothing reads (one of {})",
            CAPTURES.join(", ")
        )),
        None => Ok(regex),
    }
}

/// Reads a text and checks it while the reader of the config still knows the line that it stands on.
struct Checked<T>(fn(&str) -> Result<T, String>);

impl<T> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a regular expression")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.0(text).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Checked(|text| {
            check(text)?;
            Ok(Self(text.to_owned()))
        }))
    }
}

impl<'de> Deserialize<'de> for DatePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Checked(|text| {
            let regex = check(text)?;
            if regex.capture_names().flatten().any(|name| name == "date") {
                Ok(Self(Pattern(text.to_owned())))
            } else {
                Err(format!(
                    "{text:?} begins a date and captures none (write (?P<date>…))"
                ))
            }
        }))
    }
}

/// Reads a name that a plan can mean: not blank, and not the word for the dialects of bf itself.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() || name == "built-in" {
        return Err(D::Error::custom(format!(
            "a dialect cannot be called {name:?}: \"built-in\" means those of bf itself, and a name is not empty"
        )));
    }
    Ok(name)
}
