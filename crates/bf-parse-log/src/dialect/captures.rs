//! What a rule captures, as pieces of its line.

use std::sync::OnceLock;

use regex::bytes::{CaptureLocations, Regex};

use super::event::Span;
use super::prefilter::parse;
use super::steps::Steps;
use crate::line::fields::end_of_figure;

/// The captures, each with its place in [`Captured`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Date,
    EndDate,
    Start,
    Index,
    Total,
    Of,
    Records,
    Error,
    Job,
    Unit,
    Worker,
    Succeeded,
    Failed,
    Skipped,
    Expected,
    OffDays,
    Dates,
}

const NAMES: [(&str, Name); 17] = [
    ("date", Name::Date),
    ("end_date", Name::EndDate),
    ("start", Name::Start),
    ("index", Name::Index),
    ("total", Name::Total),
    ("of", Name::Of),
    ("records", Name::Records),
    ("error", Name::Error),
    ("job", Name::Job),
    ("unit", Name::Unit),
    ("worker", Name::Worker),
    ("succeeded", Name::Succeeded),
    ("failed", Name::Failed),
    ("skipped", Name::Skipped),
    ("expected", Name::Expected),
    ("off_days", Name::OffDays),
    ("dates", Name::Dates),
];

impl Name {
    pub(super) fn of(text: &str) -> Option<Self> {
        NAMES
            .iter()
            .find_map(|(name, capture)| (*name == text).then_some(*capture))
    }

    /// Whether it is a whole number, which something after it makes none.
    pub(super) const fn is_figure(self) -> bool {
        matches!(
            self,
            Self::Index
                | Self::Total
                | Self::Of
                | Self::Records
                | Self::Succeeded
                | Self::Failed
                | Self::Skipped
                | Self::Expected
                | Self::OffDays
        )
    }
}

/// What a rule captured: a place for each name, of which only the marked ones count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Captured {
    spans: [Span; NAMES.len()],
    marks: u32,
}

impl Captured {
    pub(super) fn set(&mut self, name: Name, start: usize, end: usize) {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.spans[name as usize] = Span {
            start: short(start),
            end: short(end),
        };
        self.marks |= 1 << name as u32;
    }

    pub(super) fn clear(&mut self) {
        self.marks = 0;
    }

    fn get(&self, name: Name) -> Option<Span> {
        (self.marks & (1 << name as u32) != 0).then_some(self.spans[name as usize])
    }

    pub(super) fn bytes<'a>(&self, name: Name, line: &'a [u8]) -> Option<&'a [u8]> {
        let span = self.get(name)?;
        line.get(span.start as usize..span.end as usize)
    }

    pub(super) fn span(&self, name: Name) -> Span {
        self.get(name).unwrap_or_default()
    }

    /// Takes in what belongs to a number of records and was not captured: `.2M` of `1.2M`. Where it ends then.
    fn widen_records(&mut self, line: &[u8]) -> Option<(usize, usize)> {
        let span = self.get(Name::Records)?;
        let wide = end_of_figure(line, span.end as usize);
        self.set(Name::Records, span.start as usize, wide);
        Some((span.end as usize, wide))
    }

    /// Where the figures end.
    pub(super) fn ends_of_figures(&self) -> impl Iterator<Item = usize> + '_ {
        let figures = NAMES.iter().filter(|(_, name)| name.is_figure());
        figures.filter_map(|(_, name)| self.get(*name).map(|span| span.end as usize))
    }
}

/// How a rule's pattern is matched.
#[derive(Debug)]
pub(super) struct Matcher {
    pattern: String,
    steps: Option<Steps>,
    /// The general engine, where there are no steps; made when a first line asks for it.
    regex: OnceLock<Option<Regex>>,
    /// What each group captures.
    names: Vec<Option<Name>>,
}

impl Matcher {
    pub(super) fn of(pattern: &str) -> Self {
        let hir = parse(pattern);
        let groups = hir.as_ref().map(bf_config::group_names).unwrap_or_default();
        let names = groups.into_iter().map(|name| Name::of(name?));
        let names = std::iter::once(None).chain(names).collect();
        Self {
            pattern: pattern.to_owned(),
            steps: hir.as_ref().and_then(Steps::of),
            regex: OnceLock::new(),
            names,
        }
    }

    /// The failure of a pattern that is too large for the engine.
    pub(super) fn check(&self) -> Result<(), regex::Error> {
        Regex::new(&self.pattern).map(|_| ())
    }

    /// Where a match ends of `on`, a piece of `line`; what it captures.
    pub(super) fn capture(
        &self,
        on: &[u8],
        line: &[u8],
        memory: &mut Option<CaptureLocations>,
        captured: &mut Captured,
    ) -> Option<usize> {
        let offset = Span::of(line, on).start as usize;
        let mut set = |group: usize, start: usize, end: usize| {
            if let Some(Some(name)) = self.names.get(group) {
                captured.set(*name, offset + start, offset + end);
            }
        };
        let end = if let Some(steps) = &self.steps {
            steps.run(on, &mut set)?
        } else {
            let regex = self.regex.get_or_init(|| Regex::new(&self.pattern).ok());
            let regex = regex.as_ref()?;
            let locations = memory.get_or_insert_with(|| regex.capture_locations());
            let whole = regex.captures_read(locations, on)?;
            for group in 1..self.names.len() {
                if let Some((start, end)) = locations.get(group) {
                    set(group, start, end);
                }
            }
            whole.end()
        };
        let end = offset + end;
        let wide = captured.widen_records(line);
        Some(wide.map_or(end, |(before, wide)| if before == end { wide } else { end }))
    }
}

/// Memory for the captures of a line, for each rule of each dialect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch(Vec<(usize, Vec<Option<CaptureLocations>>)>);

impl Scratch {
    /// The memory of the rules of one dialect, which `key` tells from others.
    pub(super) fn of(&mut self, key: usize, rules: usize) -> &mut [Option<CaptureLocations>] {
        let known = self.0.iter().position(|(of, _)| *of == key);
        let at = known.unwrap_or_else(|| {
            self.0.push((key, vec![None; rules]));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}
