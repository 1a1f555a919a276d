//! Which lines can match at all: every rule needs one of a few texts, which are derived from it.

use regex_syntax::hir::{Hir, HirKind};

/// Texts of which one must be in every line that a rule matches.
pub(crate) type Needles = Vec<Vec<u8>>;

/// Alternatives that are worth looking for.
const MOST: usize = 24;
/// A text that is shorter is in nearly every line.
const SHORTEST: usize = 3;

/// The ways in which a regular expression can be known by its texts: any one of them is enough.
pub(crate) fn ways(pattern: &str) -> Vec<Needles> {
    let mut ways = Vec::new();
    if let Ok(hir) = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .build()
        .parse(pattern)
    {
        collect(&hir, &mut ways);
    }
    for needles in &mut ways {
        for needle in needles {
            *needle = plain(needle);
        }
    }
    ways.retain(|needles: &Needles| {
        !needles.is_empty()
            && needles.len() <= MOST
            && needles.iter().all(|needle| needle.len() >= SHORTEST)
    });
    ways
}

/// The longest part of a text that stands so in a JSON string, too: a collector may have wrapped the line.
pub(crate) fn plain(text: &[u8]) -> Vec<u8> {
    text.split(|byte| !matches!(byte, b'\t' | b' '..0x7f) || matches!(byte, b'"' | b'\\'))
        .max_by_key(|part| part.len())
        .unwrap_or_default()
        .to_vec()
}

fn collect(hir: &Hir, ways: &mut Vec<Needles>) {
    match hir.kind() {
        HirKind::Literal(literal) => ways.push(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => collect(&capture.sub, ways),
        HirKind::Repetition(repetition) if repetition.min > 0 => collect(&repetition.sub, ways),
        HirKind::Concat(parts) => parts.iter().for_each(|part| collect(part, ways)),
        HirKind::Alternation(parts) => {
            // One of them must be there: a text of each is needed.
            let mut all = Vec::new();
            for part in parts {
                let mut of_part = Vec::new();
                collect(part, &mut of_part);
                match of_part.into_iter().max_by_key(shortest) {
                    Some(needles) => all.extend(needles),
                    None => return,
                }
            }
            ways.push(all);
        }
        _ => {}
    }
}

fn shortest(needles: &Needles) -> usize {
    needles.iter().map(Vec::len).min().unwrap_or(0)
}

/// For each rule the best of its ways: one that other rules do not share, and then the longest. `None` if a
/// rule has none: then every line must be tried.
pub(crate) fn choose(rules: &[Vec<Needles>]) -> Option<Vec<Vec<u8>>> {
    let is_shared = |needles: &Needles| {
        let of = |ways: &&Vec<Needles>| ways.contains(needles);
        rules.len() > 2 && rules.iter().filter(of).count() * 2 > rules.len()
    };
    let mut chosen: Vec<Vec<u8>> = Vec::new();
    for ways in rules {
        let best = ways
            .iter()
            .max_by_key(|needles| (!is_shared(needles), shortest(needles)))?;
        chosen.extend(best.iter().cloned());
    }
    chosen.sort();
    chosen.dedup();
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::{choose, ways};

    fn chosen(patterns: &[&str]) -> Option<Vec<String>> {
        let rules: Vec<_> = patterns.iter().map(|pattern| ways(pattern)).collect();
        choose(&rules).map(|needles| {
            needles
                .into_iter()
                .map(|needle| String::from_utf8_lossy(&needle).into_owned())
                .collect()
        })
    }

    #[test]
    fn every_rule_is_known_by_a_text_of_its_own() {
        assert_eq!(
            chosen(&[
                r#"^\{"event": ?"date_done", "date": "(?P<date>[^"]+)""#,
                r#"^\{"event": ?"date_failed", "date": "(?P<date>[^"]+)""#,
                r#"^\{"event": ?"run_end""#,
            ]),
            Some(vec![
                "date_done".to_owned(),
                "date_failed".to_owned(),
                "run_end".to_owned()
            ])
        );
        assert_eq!(
            chosen(&["^(loaded|skipped) x", r"\d+ rows"]),
            Some(vec![
                " rows".to_owned(),
                "loaded".to_owned(),
                "skipped".to_owned()
            ])
        );
        assert_eq!(chosen(&[r"^\d+$", "text"]), None, "a rule without a text");
        assert_eq!(chosen(&["(?i)text"]), None, "in any case of its letters");
        assert_eq!(chosen(&["(text)?"]), None, "it may be missing");
    }
}
