//! Which lines can match at all: every rule needs one of a few texts, or begins with one. Both are derived from
//! the rules.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind, Look};

/// Texts of which one must be in every line that a rule matches.
pub(crate) type Needles = Vec<Vec<u8>>;

/// Alternatives that are worth looking for.
const MOST: usize = 24;
/// A text that is shorter is in nearly every line.
const SHORTEST: usize = 3;

/// Beginnings that end in a digit, at most.
const MOST_ENDS: usize = 12;
/// Beginnings of one pattern, at most; of more only their first bytes count.
const MOST_LEADS: usize = 40;

pub(super) fn parse(pattern: &str) -> Option<Hir> {
    regex_syntax::ParserBuilder::new()
        .utf8(false)
        .build()
        .parse(pattern)
        .ok()
}

/// How every text begins that a regular expression matches; empty if it may begin anyhow, or anywhere.
pub(super) fn leads(pattern: &str) -> Vec<Vec<u8>> {
    let Some(hir) = parse(pattern) else {
        return Vec::new();
    };
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return Vec::new();
    }
    // The first digit of a figure tells it from a word; more of it tells nothing.
    let with_digit = literals(&hir, 10);
    let mut leads = if (1..=MOST_ENDS).contains(&with_digit.len()) {
        with_digit
    } else {
        Some(literals(&hir, 2))
            .filter(|leads| !leads.is_empty())
            .unwrap_or(with_digit)
    };
    if leads.len() > MOST_LEADS {
        leads.iter_mut().for_each(|lead| lead.truncate(1));
    }
    leads.sort();
    leads.dedup();
    leads
}

fn literals(hir: &Hir, class: usize) -> Vec<Vec<u8>> {
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_class(class);
    let found = extractor.extract(hir);
    let literals = found.literals().unwrap_or_default().iter();
    let leads: Vec<Vec<u8>> = literals
        .map(|literal| literal.as_bytes().to_vec())
        .collect();
    if leads.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    leads
}

/// The texts by which a rule as it is written can be known.
pub(super) fn ways_of(rule: &bf_config::Rule) -> Vec<Needles> {
    let mut all: Vec<Needles> = rule
        .json
        .values()
        .map(|value| vec![plain(value.as_bytes())])
        .collect();
    // A text of a field may be written with escapes.
    if let (Some(pattern), None) = (&rule.r#match, &rule.field) {
        all.extend(ways(pattern.as_str()));
    }
    all
}

/// How the texts begin that the rules of a dialect read, as tables that answer at once.
#[derive(Debug, Clone)]
pub(crate) struct Beginnings {
    of_job: Table,
    of_others: Table,
}

/// A set of beginnings: whole first bytes, and four bytes by a number that is made of them.
#[derive(Debug, Clone)]
struct Table {
    first: [bool; 256],
    four: [u64; Self::WORDS],
}

impl Table {
    const WORDS: usize = 64;

    const fn empty() -> Self {
        Self {
            first: [false; 256],
            four: [0; Self::WORDS],
        }
    }

    #[inline]
    const fn place(four: [u8; 4]) -> (usize, u64) {
        let number = u32::from_le_bytes(four).wrapping_mul(0x9e37_79b1) >> 20;
        (number as usize / 64, 1 << (number % 64))
    }

    fn add(&mut self, lead: &[u8]) {
        match (lead.first_chunk(), lead.first()) {
            (Some(four), _) => {
                let (word, bit) = Self::place(*four);
                self.four[word] |= bit;
            }
            (None, Some(first)) => self.first[usize::from(*first)] = true,
            (None, None) => self.first = [true; 256],
        }
    }

    fn join(&mut self, other: &Self) {
        for (here, there) in self.first.iter_mut().zip(other.first) {
            *here |= there;
        }
        for (here, there) in self.four.iter_mut().zip(other.four) {
            *here |= there;
        }
    }

    #[inline]
    fn may_have(&self, text: &[u8]) -> bool {
        let Some(four) = text.first_chunk() else {
            return true;
        };
        let (word, bit) = Self::place(*four);
        self.first[usize::from(four[0])] | (self.four[word] & bit != 0)
    }
}

impl Beginnings {
    /// Of rules, each with its leads and whether it reads the lines of any logger; `None` if one of them may
    /// begin anyhow.
    pub(super) fn of<'a>(
        rules: impl Iterator<Item = (impl ExactSizeIterator<Item = &'a [u8]>, bool)>,
    ) -> Option<Self> {
        let mut all = Self {
            of_job: Table::empty(),
            of_others: Table::empty(),
        };
        for (leads, is_of_any) in rules {
            if leads.len() == 0 {
                return None;
            }
            for lead in leads {
                all.of_job.add(lead);
                if is_of_any {
                    all.of_others.add(lead);
                }
            }
        }
        // A sign that an encoding lost is found before a rule is tried.
        for first in crate::line::signs::FIRST_OF_LOST {
            all.of_job.add(&[first]);
            all.of_others.add(&[first]);
        }
        Some(all)
    }

    /// Adds those of another dialect.
    pub(crate) fn join(&mut self, other: &Self) {
        self.of_job.join(&other.of_job);
        self.of_others.join(&other.of_others);
    }

    /// Whether a rule may match a text, of a logger that may be the job's or of another one.
    #[inline]
    pub(crate) fn may_have(&self, of_job: bool, text: &[u8]) -> bool {
        if of_job {
            self.of_job.may_have(text)
        } else {
            self.of_others.may_have(text)
        }
    }
}

/// The ways in which a regular expression can be known by its texts: any one of them is enough.
pub(crate) fn ways(pattern: &str) -> Vec<Needles> {
    let mut ways = Vec::new();
    if let Some(hir) = parse(pattern) {
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
    use super::{choose, leads, ways};

    #[test]
    fn an_anchored_rule_is_known_by_how_its_texts_begin() {
        let leads = |pattern: &str| -> Vec<String> {
            let found = leads(pattern).into_iter();
            found
                .map(|lead| String::from_utf8_lossy(&lead).into_owned())
                .collect()
        };
        assert_eq!(leads("^✓ Success: (?P<records>[0-9]+)")[0], "✓ Success: 0");
        assert_eq!(
            leads("^(Progress|PROGRESS): x"),
            ["PROGRESS: x", "Progress: x"]
        );
        assert_eq!(leads("^[0-9]{4}-x").len(), 10, "first bytes alone");
        for pattern in ["Success", "^.*Success", "^(x)?", "("] {
            assert!(leads(pattern).is_empty(), "{pattern}");
        }
    }

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
