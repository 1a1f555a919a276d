//! `{start}` and `{end}` in a command, and what only looks like them.
//!
//! Other braces stay as they are: JSON, `${NAME}` of a shell, `{print}` of awk, `{}` of find and xargs. But a
//! word that was meant as a placeholder is refused: passed on as it is, it would reach the
//! job as a date that is none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bf_contract::DateRange;

/// An argument list with the range's dates in it.
///
/// # Errors
/// As [`fill_range`].
pub(crate) fn fill_words(words: &[String], range: DateRange) -> Result<Vec<String>, String> {
    words.iter().map(|word| fill_range(word, range)).collect()
}

/// Environment variables with the range's dates in their values.
///
/// # Errors
/// As [`fill_range`].
pub(crate) fn fill_env(
    env: &BTreeMap<String, String>,
    range: DateRange,
) -> Result<BTreeMap<String, String>, String> {
    env.iter()
        .map(|(name, value)| Ok((name.clone(), fill_range(value, range)?)))
        .collect()
}

/// A path with the range's dates in it. One that is not UTF-8 stays as it is.
///
/// # Errors
/// As [`fill_range`].
pub(crate) fn fill_path(path: &Path, range: DateRange) -> Result<PathBuf, String> {
    match path.to_str() {
        Some(text) => fill_range(text, range).map(PathBuf::from),
        None => Ok(path.to_owned()),
    }
}

/// Puts the range's dates in the place of `{start}` and `{end}`. `{{start}}` is `{start}` as such, and so is any
/// word in doubled braces that would be refused in single ones.
///
/// # Errors
/// A word in braces that looks like a placeholder and is none: one line that names the nearest one.
pub(crate) fn fill_range(text: &str, range: DateRange) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len() + 10);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        let is_shells = filled.ends_with('$');
        rest = &rest[at..];
        if let Some((word, behind)) = in_braces(rest, "{{", "}}")
            && meaning(word) != Meaning::Nothing
        {
            filled.push_str(&format!("{{{word}}}"));
            rest = behind;
            continue;
        }
        let found = in_braces(rest, "{", "}").filter(|_| !is_shells);
        match found.map(|(word, behind)| (word, meaning(word), behind)) {
            Some((_, Meaning::Start, behind)) => {
                filled.push_str(&range.start.to_string());
                rest = behind;
            }
            Some((_, Meaning::End, behind)) => {
                filled.push_str(&range.end.to_string());
                rest = behind;
            }
            Some((word, Meaning::Mistaken(nearest), _)) => {
                return Err(format!(
                    "{{{word}}} in {text:?} is not a placeholder: {nearest}; {{{{{word}}}}} passes it on as it is"
                ));
            }
            Some((_, Meaning::Nothing, _)) | None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether a range's dates would be in some of the words.
pub(crate) fn has_dates(words: &[String]) -> bool {
    let filled = |range: &str| {
        let range = range.parse().ok()?;
        fill_words(words, range).ok()
    };
    filled("2001-01-01 2001-01-01") != filled("2002-02-02 2002-02-02")
}

/// The word at the beginning of `text` between `open` and `close`, and what comes after it.
fn in_braces<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.strip_prefix(open)?;
    let is_of_a_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let end = inner.find(|c| !is_of_a_word(c))?;
    let behind = inner[end..].strip_prefix(close)?;
    (end > 0).then_some((&inner[..end], behind))
}

/// What a word in braces means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Start,
    End,
    /// It was taken for a placeholder; and what is said to that.
    Mistaken(&'static str),
    /// It is not for us.
    Nothing,
}

fn meaning(word: &str) -> Meaning {
    match word {
        "start" => return Meaning::Start,
        "end" => return Meaning::End,
        _ => {}
    }
    let plain: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    // `startdate`, `dateend`, `phase1start`: what is left of it without the words around.
    let mut core = plain.as_str();
    for around in ["range", "phase1", "phase2", "phase", "date", "day", "dt"] {
        core = core.strip_prefix(around).unwrap_or(core);
        core = core.strip_suffix(around).unwrap_or(core);
    }
    const STARTS: [&str; 6] = ["start", "begin", "first", "from", "since", "min"];
    const ENDS: [&str; 9] = [
        "end", "stop", "last", "to", "until", "till", "max", "ends", "endd",
    ];
    const KNOWN_THINGS: [&str; 13] = [
        "today",
        "yesterday",
        "tomorrow",
        "now",
        "ds",
        "year",
        "month",
        "table",
        "log",
        "run",
        "runid",
        "rundir",
        "warehouse",
    ];
    if STARTS.contains(&core) || is_misspelt(core, "start") {
        Meaning::Mistaken("the nearest one is {start}")
    } else if ENDS.contains(&core) || ["edn", "ned"].contains(&core) {
        Meaning::Mistaken("the nearest one is {end}")
    } else if core.is_empty() && !plain.is_empty()
        || core == "s"
        || KNOWN_THINGS.contains(&plain.as_str())
    {
        Meaning::Mistaken("there are {start} and {end}")
    } else {
        Meaning::Nothing
    }
}

/// Whether `word` is `right` with one letter too many, too few, wrong, or two in the wrong order.
fn is_misspelt(word: &str, right: &str) -> bool {
    let (word, right) = (word.as_bytes(), right.as_bytes());
    let same_before = word.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (word, right) = (&word[same_before..], &right[same_before..]);
    let same_behind = |a: &[u8], b: &[u8]| {
        let from_a = a.iter().rev();
        from_a
            .zip(b.iter().rev())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let same = same_behind(word, right);
    let (word, right) = (&word[..word.len() - same], &right[..right.len() - same]);
    match (word, right) {
        ([], []) => false,
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, String> {
        fill_range(text, "2024-01-01 2024-01-31".parse().expect("a range"))
    }

    #[test]
    fn dates_replace_their_placeholders() {
        assert_eq!(fill("{start}").as_deref(), Ok("2024-01-01"));
        assert_eq!(
            fill("--range={start}..{end}").as_deref(),
            Ok("--range=2024-01-01..2024-01-31")
        );
    }

    #[test]
    fn other_braces_stay_as_they_are() {
        for text in [
            r#"{"start": 1, "end": {"date": 2}}"#,
            "echo ${END} ${start} $HOME/{a,b}.csv",
            "{print}",
            "{print $1}",
            "END{print n}",
            "{}",
            "{ start }",
            "{{ ds }}",
            "{{name}}",
            "{name}",
            "{endpoint}",
            "{0}",
            "{",
            "a}b{c",
            "größe {ü}",
        ] {
            assert_eq!(fill(text).as_deref(), Ok(text), "{text}");
        }
    }

    #[test]
    fn what_was_meant_as_a_placeholder_is_refused_and_the_nearest_one_is_named() {
        for (text, nearest) in [
            ("{END}", "{end}"),
            ("--end={enddate}", "{end}"),
            ("{end_date}", "{end}"),
            ("{endDate}", "{end}"),
            ("{to}", "{end}"),
            ("{Start}", "{start}"),
            ("{start-date}", "{start}"),
            ("{strat}", "{start}"),
            ("{stat}", "{start}"),
            ("{starts}", "{start}"),
            ("{phase2_start}", "{start}"),
            ("{date}", "{start} and {end}"),
            ("{dates}", "{start} and {end}"),
            ("{yesterday}", "{start} and {end}"),
            ("{run_id}", "{start} and {end}"),
        ] {
            let refused = fill(text).expect_err(text);
            assert!(refused.contains(nearest), "{text}: {refused}");
        }
    }

    #[test]
    fn doubled_braces_pass_a_word_on() {
        assert_eq!(fill("{{start}} {{END}}").as_deref(), Ok("{start} {END}"));
    }
}
