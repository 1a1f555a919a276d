//! The regular expressions of a dialect, with words in braces for what lines usually hold.

use std::fmt;

use regex_syntax::hir::{Hir, HirKind};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// What `{date}` and its relatives stand for in a pattern: one capture each.
const SHORTHANDS: [(&str, &str); 18] = [
    ("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    ("end_date", "[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    ("start", "[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    ("index", "[0-9][0-9,]*"),
    ("total", "[0-9][0-9,]*"),
    ("of", "[0-9][0-9,]*"),
    ("records", "[0-9][0-9,]*"),
    ("error", ".*"),
    ("job", "[^\\s/]+"),
    ("unit", "\\S+"),
    ("worker", "\\S+"),
    ("succeeded", "[0-9][0-9,]*"),
    ("failed", "[0-9][0-9,]*"),
    ("skipped", "[0-9][0-9,]*"),
    ("expected", "[0-9][0-9,]*"),
    ("off_days", "[0-9][0-9,]*"),
    ("name", "\\S+"),
    ("dates", "[0-9]{4}-[0-9, -]*"),
];

/// The named captures that a [`Pattern`] may have.
pub(super) const CAPTURES: [&str; SHORTHANDS.len()] = {
    let mut names = [""; SHORTHANDS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = SHORTHANDS[at].0;
        at += 1;
    }
    names
};

/// A regular expression, in the syntax of the regex crate, without captures of unknown names. `{date}`,
/// `{records}` and the other names of captures in braces stand for a capture of the usual form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pattern(String);

impl Pattern {
    /// Its text, with every shorthand written out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it captures `name`.
    #[must_use]
    pub fn captures(&self, name: &str) -> bool {
        self.0.contains(&format!("(?P<{name}>")) || self.0.contains(&format!("(?<{name}>"))
    }
}

/// Writes every shorthand out. A brace after a backslash is text.
fn expand(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(brace) = rest.find('{') {
        expanded.push_str(&rest[..brace]);
        let is_text = rest[..brace].ends_with('\\');
        rest = &rest[brace..];
        let found = SHORTHANDS.iter().find(|(name, _)| {
            !is_text && rest[1..].starts_with(name) && rest[1 + name.len()..].starts_with('}')
        });
        match found {
            Some((name, form)) => {
                expanded.push_str("(?P<");
                expanded.push_str(name);
                expanded.push('>');
                expanded.push_str(form);
                expanded.push(')');
                rest = &rest[name.len() + 2..];
            }
            None => {
                expanded.push('{');
                rest = &rest[1..];
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

/// The names of a pattern's groups, in their order.
#[must_use]
pub fn group_names(pattern: &Hir) -> Vec<Option<&str>> {
    match pattern.kind() {
        HirKind::Capture(capture) => {
            let mut names = vec![capture.name.as_deref()];
            names.extend(group_names(&capture.sub));
            names
        }
        HirKind::Repetition(repetition) => group_names(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().flat_map(group_names).collect()
        }
        _ => Vec::new(),
    }
}

/// Checks a regular expression here, while the reader of the config knows the line.
pub(super) fn check(text: &str) -> Result<Pattern, String> {
    let expanded = expand(text);
    let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
    let parsed = parser.parse(&expanded).map_err(|error| {
        let error = error.to_string();
        // The first line repeats the expression, the last one names what is wrong with it.
        let reason = error.lines().last().unwrap_or_default();
        format!(
            "{text:?} is not a regular expression: {}",
            reason.trim_start_matches("error: ")
        )
    })?;
    let mut names = group_names(&parsed).into_iter().flatten();
    match names.find(|name| !CAPTURES.contains(name)) {
        Some(name) => Err(format!(
            "{text:?} captures {name:?}, which nothing reads (one of {})",
            CAPTURES.join(", ")
        )),
        None => Ok(Pattern(expanded)),
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Checks a text while the reader of the config still knows its line.
        struct Checked;
        impl Visitor<'_> for Checked {
            type Value = Pattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a regular expression")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Pattern, E> {
                check(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Checked)
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn a_name_in_braces_is_a_capture_and_other_braces_stay() {
        assert_eq!(
            expand(r"^\d{4} {date} wrote {records} \{date}"),
            r"^\d{4} (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}) wrote (?P<records>[0-9][0-9,]*) \{date}"
        );
    }
}
