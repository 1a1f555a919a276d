//! What a rule captures, as pieces of its line.

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

/// What a rule captured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Captured([Option<(u32, u32)>; NAMES.len()]);

impl Captured {
    pub(super) fn set(&mut self, name: Name, start: usize, end: usize) {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.0[name as usize] = Some((short(start), short(end)));
    }

    pub(super) fn bytes<'a>(&self, name: Name, line: &'a [u8]) -> Option<&'a [u8]> {
        let (start, end) = self.0[name as usize]?;
        line.get(start as usize..end as usize)
    }

    pub(super) fn span(&self, name: Name) -> Span {
        self.0[name as usize].map_or_else(Span::default, |(start, end)| Span { start, end })
    }

    /// Takes in what belongs to a number of records and was not captured: `.2M` of `1.2M`.
    pub(super) fn widen_records(&mut self, line: &[u8]) {
        if let Some((_, end)) = &mut self.0[Name::Records as usize] {
            let wide = end_of_figure(line, *end as usize);
            *end = u32::try_from(wide).unwrap_or(*end);
        }
    }

    /// Where the figures end.
    pub(super) fn ends_of_figures(&self) -> impl Iterator<Item = usize> + '_ {
        let figures = NAMES.iter().filter(|(_, name)| name.is_figure());
        figures.filter_map(|(_, name)| self.0[*name as usize].map(|(_, end)| end as usize))
    }
}

/// How a rule's pattern is matched.
#[derive(Debug)]
pub(super) struct Matcher {
    steps: Option<Steps>,
    /// The general engine, where there are no steps.
    regex: Option<Regex>,
    /// What each group captures.
    names: Vec<Option<Name>>,
}

impl Matcher {
    pub(super) fn of(pattern: &str) -> Result<Self, regex::Error> {
        let regex = Regex::new(pattern)?;
        let names = regex.capture_names().map(|name| Name::of(name?)).collect();
        let steps = parse(pattern).as_ref().and_then(Steps::of);
        Ok(Self {
            regex: Some(regex).filter(|_| steps.is_none()),
            steps,
            names,
        })
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
        let end = match (&self.steps, &self.regex) {
            (Some(steps), _) => steps.run(on, &mut set)?,
            (None, Some(regex)) => {
                let locations = memory.get_or_insert_with(|| regex.capture_locations());
                let whole = regex.captures_read(locations, on)?;
                for group in 1..self.names.len() {
                    if let Some((start, end)) = locations.get(group) {
                        set(group, start, end);
                    }
                }
                whole.end()
            }
            (None, None) => return None,
        };
        let end = offset + end;
        let records = captured.0[Name::Records as usize];
        captured.widen_records(line);
        let is_last = records.is_some_and(|(_, at)| at as usize == end);
        let wide = captured.0[Name::Records as usize].filter(|_| is_last);
        Some(wide.map_or(end, |(_, wide)| wide as usize))
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
