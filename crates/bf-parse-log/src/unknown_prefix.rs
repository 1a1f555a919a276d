//! Lines that a dialect knows, after a prefix that bf does not: such a log must not look like any unknown one.

use serde::{Deserialize, Serialize};

use crate::Dialects;
use crate::dialect::Scratch;
use crate::dialect::event::Event;
use crate::dialect::rules::{Line, Rules};
use crate::line::escapes::clean;
use crate::line::fields::text;
use crate::line::unwrap::unwrap;

/// Places in a line at which its message may begin.
const MOST_STARTS: usize = 4;
/// What may be a prefix, and what is read after it, in bytes.
const LONGEST: usize = 400;

/// The first line of a dialect after a prefix that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnknownPrefix {
    line: u64,
    dialect: String,
    prefix: String,
}

impl UnknownPrefix {
    /// Finds it in whole lines, of which the first is the `number`-th of the log.
    pub(crate) fn find(bytes: &[u8], number: u64, dialects: &Dialects) -> Option<Self> {
        let tried = dialects.tried().into_iter();
        let all = tried.filter_map(|place| dialects.all().get(place));
        let found = all.filter_map(|rules| {
            let mut places = rules.texts()?.find_iter(bytes).map(|found| found.start());
            places.find_map(|place| Some((place, rules, prefix(bytes, place, rules)?)))
        });
        let (place, rules, prefix) = found.min_by_key(|(place, ..)| *place)?;
        let line_feeds = memchr::memchr_iter(b'\n', &bytes[..place]).count() as u64;
        Some(Self {
            line: number + line_feeds,
            dialect: rules.name.clone(),
            prefix,
        })
    }

    pub(crate) fn note(&self) -> String {
        format!(
            "line {} is a line of the dialect {} after a prefix that is not known, {:?}; cut the prefix off \
             (sed, cut) and read the rest from a pipe",
            self.line, self.dialect, self.prefix
        )
    }
}

/// What precedes the text at `place` in its line, if the rest of the line is one of the dialect.
fn prefix(bytes: &[u8], place: usize, rules: &Rules) -> Option<String> {
    let start = memchr::memrchr2(b'\n', b'\r', &bytes[..place]).map_or(0, |end| end + 1);
    let rest = &bytes[place..];
    let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    let line = clean(&bytes[start..start.max(place + end.min(LONGEST))]);
    let place = line
        .len()
        .checked_sub(end.min(LONGEST))
        .filter(|at| *at < LONGEST)?;
    let reads = |line: &[u8]| {
        let told = rules.read(&Line::of(line, true), 0, &mut Scratch::default());
        told.and_then(|told| told.event)
            .is_some_and(|event| !matches!(event, Event::Error { .. } | Event::Critical(_)))
    };
    if reads(&line) || unwrap(&line).is_some_and(|inner| reads(&inner)) {
        return None;
    }
    // A sign or a counter may precede the text by which a rule is known.
    let words = memchr::memrchr_iter(b' ', &line[..place]).map(|blank| blank + 1);
    let mut starts = std::iter::once(place).chain(words).take(MOST_STARTS);
    starts.find_map(|start| {
        let (before, message) = line.split_at(start);
        let is_prefix = !before.trim_ascii().is_empty();
        let is_known = is_prefix && reads(&[b"INFO:__main__:", message].concat());
        is_known.then(|| text(before, 80))
    })
}

#[cfg(test)]
mod tests {
    use super::UnknownPrefix;
    use crate::Dialects;

    fn found(log: &str) -> Option<UnknownPrefix> {
        UnknownPrefix::find(log.as_bytes(), 1, &Dialects::built_in())
    }

    #[test]
    fn a_known_line_after_an_unknown_prefix_is_named_with_the_prefix() {
        for (line, dialect) in [
            ("Processing day 1/2: 2024-01-05", "family"),
            ("  ✓ Success: 16 records", "family"),
            ("Grading date 14/27: 2021-11-14", "grading"),
            ("[12/28] Exporting 2021-11-12", "publishing"),
        ] {
            let log = format!("starting\n#7 <job-x> :: {line}\n");
            let found = found(&log).expect(line);
            assert_eq!((found.line, found.dialect.as_str()), (2, dialect), "{line}");
            assert!(found.prefix.starts_with("#7 <job-x> ::"), "{found:?}");
        }
    }

    #[test]
    fn a_line_of_another_job_is_none() {
        for line in ["#7 :: loaded 16 rows", "Processing day 1/2: 2024-01-05", ""] {
            assert_eq!(found(line), None, "{line}");
        }
    }
}
