//! What collectors put around a whole line: the JSON of docker and of Google Cloud, the text of journald,
//! syslog and docker compose. What stands inside is the line of the job.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::bytes::Regex;
use serde::Deserialize;

use super::json;

/// The prefixes and wrappers that bf knows, as data.
const FILE: &str = include_str!("prefixes.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Fields of a JSON object that hold the line, the first one that is there.
    fields: Vec<String>,
    /// What a collector writes before a line.
    collectors: Vec<Written>,
    /// What a logging library writes before a message.
    loggers: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), allow(dead_code))]
struct Written {
    name: String,
    r#match: String,
    /// A line's beginning, for the test of the file.
    #[serde(default)]
    sample: String,
}

/// A prefix that a regular expression knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) regex: Regex,
    #[cfg(test)]
    written: Written,
}

/// Everything that may stand before a message.
#[derive(Debug)]
pub(crate) struct Prefixes {
    fields: json::Paths,
    pub(crate) collectors: Vec<Known>,
    pub(crate) loggers: Vec<Known>,
}

/// The prefixes that bf knows. A defect of the file shows in the first test.
pub(crate) fn prefixes() -> &'static Prefixes {
    static PREFIXES: OnceLock<Prefixes> = OnceLock::new();
    PREFIXES.get_or_init(|| {
        let known = |written: Vec<Written>| {
            written
                .into_iter()
                .filter_map(|written| {
                    Some(Known {
                        regex: Regex::new(&written.r#match).ok()?,
                        #[cfg(test)]
                        written,
                    })
                })
                .collect()
        };
        match bf_config::parse_yaml::<File>(FILE, "prefixes.yaml") {
            Ok(file) => Prefixes {
                fields: {
                    let mut fields = json::Paths::default();
                    for field in &file.fields {
                        fields.place(field);
                    }
                    fields
                },
                collectors: known(file.collectors),
                loggers: known(file.loggers),
            },
            Err(_) => Prefixes {
                fields: json::Paths::default(),
                collectors: Vec::new(),
                loggers: Vec::new(),
            },
        }
    })
}

/// The line inside a line, if a collector wrapped it.
pub(crate) fn unwrap(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let prefixes = prefixes();
    if line.first() == Some(&b'{') {
        let mut found = Vec::new();
        if !json::find(line, &prefixes.fields, &mut found) {
            return None;
        }
        let value = found.into_iter().flatten().find(|value| value.is_string)?;
        return Some(match value.decoded() {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii_end()),
            Cow::Owned(mut text) => {
                // A message of several lines: what stands before the first break.
                while text.last().is_some_and(u8::is_ascii_whitespace) {
                    text.pop();
                }
                Cow::Owned(text)
            }
        });
    }
    prefixes.collectors.iter().find_map(|collector| {
        let found = collector.regex.find(line)?;
        let rest = &line[found.end()..];
        (found.end() > 0 && !rest.is_empty()).then_some(Cow::Borrowed(rest))
    })
}

#[cfg(test)]
mod tests {
    use super::{prefixes, unwrap};

    #[test]
    fn every_prefix_finds_its_sample_whole() {
        let prefixes = prefixes();
        assert!(!prefixes.collectors.is_empty() && !prefixes.loggers.is_empty());
        for known in prefixes.collectors.iter().chain(&prefixes.loggers) {
            let written = &known.written;
            let line = format!("{}the message", written.sample);
            let found = known.regex.find(line.as_bytes());
            assert_eq!(
                found.map(|found| found.end()),
                Some(written.sample.len()),
                "{}: {line}",
                written.name
            );
        }
    }

    #[test]
    fn a_line_comes_out_of_what_a_collector_made_of_it() {
        let inner = "INFO:__main__:  ✓ Success: 16 records";
        for line in [
            format!(
                r#"{{"log": "{}\n", "stream": "stderr"}}"#,
                inner.replace('✓', "\\u2713")
            ),
            format!(r#"{{"insertId": "a", "textPayload": "{inner}"}}"#),
            format!(r#"{{"jsonPayload": {{"message": "{inner}"}}}}"#),
            format!("Jan  3 13:45:12 host python[17]: {inner}"),
            format!("2026-01-03T13:45:12.345678+00:00 host backfill[17]: {inner}"),
            format!("backfill-1  | {inner}"),
        ] {
            let found = unwrap(line.as_bytes()).expect(&line);
            assert_eq!(String::from_utf8_lossy(&found), inner, "{line}");
        }
        assert_eq!(unwrap(b"{\"a\": 1}"), None);
        assert_eq!(unwrap(inner.as_bytes()), None);
    }
}
