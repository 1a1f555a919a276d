//! Which dialects are tried on a line, and how most lines are known to report nothing in them.

use aho_corasick::AhoCorasick;

use crate::dialect::prefilter::Beginnings;
use crate::dialect::rules::ERRORS;
use crate::dialects::Dialects;
use crate::line::fields::trim_start;
use crate::line::quick::quick;

/// Where in a line its level stands.
const LEVEL_WITHIN: usize = 80;

/// Whether a line looks like an error by its level.
pub(super) fn looks_like_an_error(line: &[u8]) -> bool {
    let head = &line[..line.len().min(LEVEL_WITHIN)];
    let begins = |at: usize| ERRORS.iter().any(|word| head[at..].starts_with(word));
    memchr::memchr3_iter(b'E', b'C', b'F', head).any(begins)
        || memchr::memchr_iter(b'T', head).any(begins)
}

/// The dialects that are tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// The places of those that know a line by how its message begins.
    by_beginning: Vec<usize>,
    beginnings: Option<Box<Beginnings>>,
    /// The places of those that read no line without one of their texts.
    by_text: Vec<(usize, AhoCorasick)>,
    /// The places of those that every line is tried in.
    every: Vec<usize>,
}

impl Filter {
    /// For the dialects at these places.
    pub(super) fn of(dialects: &Dialects, tried: impl Iterator<Item = usize>) -> Self {
        let mut filter = Self::default();
        for place in tried {
            let Some(rules) = dialects.all().get(place) else {
                continue;
            };
            if let Some(beginnings) = rules.beginnings() {
                match &mut filter.beginnings {
                    Some(all) => all.join(beginnings),
                    None => filter.beginnings = Some(Box::new(beginnings.clone())),
                }
                filter.by_beginning.push(place);
                continue;
            }
            match rules.needles() {
                Some(finder) => filter.by_text.push((place, finder.clone())),
                None => filter.every.push(place),
            }
        }
        filter
    }

    /// Whether the dialects that know a line by its beginning report nothing of it.
    #[inline]
    pub(super) fn is_noise(&self, line: &[u8]) -> bool {
        let Some(beginnings) = &self.beginnings else {
            return true;
        };
        quick(line)
            .is_some_and(|(of_job, body)| !beginnings.may_have(of_job, trim_start(&line[body..])))
    }

    /// The texts of the only dialect that is tried, if it reads no line without one of them.
    pub(super) fn only_texts(&self) -> Option<&(usize, AhoCorasick)> {
        match self.by_text.as_slice() {
            [only] if self.by_beginning.is_empty() && self.every.is_empty() => Some(only),
            _ => None,
        }
    }

    /// Writes the places of the dialects that a line is tried in to `tried`; `has_text` tells for the dialects
    /// that are known by texts, in their order, whether the line has one.
    pub(super) fn tried(
        &self,
        is_noise: bool,
        mut has_text: impl FnMut(usize, &AhoCorasick) -> bool,
        tried: &mut Vec<usize>,
    ) {
        tried.clear();
        if !is_noise {
            tried.extend_from_slice(&self.by_beginning);
        }
        let with_text = self.by_text.iter().enumerate();
        tried.extend(
            with_text
                .filter(|(at, (_, finder))| has_text(*at, finder))
                .map(|(_, (place, _))| *place),
        );
        tried.extend_from_slice(&self.every);
    }

    /// Whether any dialect knows a line by how its message begins.
    pub(super) fn knows_beginnings(&self) -> bool {
        self.beginnings.is_some()
    }

    /// Whether every line is tried in some dialect.
    pub(super) fn tries_every_line(&self) -> bool {
        !self.every.is_empty()
    }

    /// Where in `bytes` each dialect has its next text.
    pub(super) fn places<'a>(&'a self, bytes: &'a [u8]) -> Places<'a> {
        let mut places = Places {
            finders: &self.by_text,
            bytes,
            next: vec![0; self.by_text.len()],
            soonest: 0,
        };
        places.pass(0);
        places
    }
}

/// The place of the next text of each dialect in a piece of a log.
pub(super) struct Places<'a> {
    finders: &'a [(usize, AhoCorasick)],
    bytes: &'a [u8],
    next: Vec<usize>,
    soonest: usize,
}

impl Places<'_> {
    /// Whether a line that ends at `end` has a text of any dialect.
    pub(super) fn are_before(&self, end: usize) -> bool {
        self.soonest < end
    }

    /// Whether it has a text of the dialect that is the `at`-th of those with texts.
    pub(super) fn is_before(&self, at: usize, end: usize) -> bool {
        self.next[at] < end
    }

    /// Passes over the lines before `from`.
    #[inline]
    pub(super) fn pass(&mut self, from: usize) {
        if self.soonest > from || self.soonest == usize::MAX {
            return;
        }
        for (next, (_, finder)) in self.next.iter_mut().zip(self.finders) {
            if *next <= from {
                let found = finder.find(&self.bytes[from..]);
                *next = found.map_or(usize::MAX, |found| from + found.start());
            }
        }
        self.soonest = self.next.iter().copied().min().unwrap_or(usize::MAX);
    }
}
