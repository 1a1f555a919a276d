//! The rules of a dialect, compiled: a line in, what it reports out.

use aho_corasick::{AhoCorasick, MatchKind};
use bf_cli::Failure;
use bf_config::{Dialect, Ends, Logger, Reads, Unmentioned};
use chrono::NaiveDate;
use regex::bytes::{CaptureLocations, Regex};

use super::event::{Event, Mode, Opened, Opening, Span};
use super::json::{self, Path, Value};
use super::prefilter;
use crate::line::fields::{Figure, count_at, figure, is_too_large, loose_date};
use crate::line::prefix::{Origin, prefix};
use crate::run::history::Promises;
use crate::scan::Details;

/// What a rule reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Refused,
    Fatal,
    RunStart,
    Resume,
    End,
    Failure,
    Success,
    Skip,
    DryRun,
    DateStart,
    Claims,
    Progress,
    About,
    Block,
    Error,
}

const KINDS: [(&str, Kind); 15] = [
    ("refused", Kind::Refused),
    ("fatal", Kind::Fatal),
    ("run_start", Kind::RunStart),
    ("resume", Kind::Resume),
    ("end", Kind::End),
    ("failure", Kind::Failure),
    ("success", Kind::Success),
    ("skip", Kind::Skip),
    ("dry_run", Kind::DryRun),
    ("date_start", Kind::DateStart),
    ("claims", Kind::Claims),
    ("progress", Kind::Progress),
    ("about", Kind::About),
    ("block", Kind::Block),
    ("error", Kind::Error),
];

/// The captures, each with its place in [`Captured`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
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
}

const NAMES: [(&str, Name); 16] = [
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
];

/// What a rule captured, as pieces of its line.
#[derive(Debug, Clone, Copy, Default)]
struct Captured([Option<(u32, u32)>; NAMES.len()]);

impl Captured {
    fn set(&mut self, name: Name, start: usize, end: usize) {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.0[name as usize] = Some((short(start), short(end)));
    }

    fn bytes<'a>(&self, name: Name, line: &'a [u8]) -> Option<&'a [u8]> {
        let (start, end) = self.0[name as usize]?;
        line.get(start as usize..end as usize)
    }

    fn span(&self, name: Name) -> Span {
        self.0[name as usize].map_or_else(Span::default, |(start, end)| Span { start, end })
    }
}

/// Values that fields of a JSON object must have, and the fields that are captures.
#[derive(Debug)]
struct JsonRule {
    /// Places in the dialect's list of paths.
    conditions: Vec<(usize, String)>,
    captures: Vec<(Name, usize)>,
    field: Option<usize>,
}

/// One kind of line.
#[derive(Debug)]
struct Rule {
    kind: Kind,
    name: String,
    regex: Option<(Regex, Vec<(Name, usize)>)>,
    json: Option<JsonRule>,
    of_job: bool,
    /// 1 for the part after the end marker, then the dialect's own blocks.
    within: Option<u8>,
    from_start: bool,
}

/// A dialect, compiled.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) name: String,
    pub(crate) promises: Promises,
    pub(crate) description: Option<String>,
    pub(crate) job: Option<String>,
    reads: Reads,
    date_format: Option<String>,
    rules: Vec<Rule>,
    blocks: Vec<String>,
    paths: Vec<Path>,
    /// Texts of which one is in every line that a rule matches; `None` if every line must be tried.
    needles: Option<Vec<Vec<u8>>>,
}

/// The block after an end marker.
const AFTER_END: u8 = 1;

/// What a line reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) event: Event,
    pub(crate) kind: Kind,
    /// The rule that found it.
    pub(crate) rule: u16,
    /// Whether a figure was left out, as it is too large.
    pub(crate) too_large: bool,
    pub(crate) details: Details,
    /// The block that begins.
    pub(crate) block: Option<u8>,
    /// Whether the line had a logging prefix; `None` if the dialect reads whole lines.
    pub(crate) prefixed: Option<bool>,
}

impl Rules {
    /// Compiles a dialect.
    ///
    /// # Errors
    /// A dialect that could report nothing, or a rule within a block that there is not: usage (exit 2).
    pub(crate) fn of(dialect: &Dialect) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::usage(format!("dialect {:?}: {what}", dialect.name));
        let written = dialect.rules();
        let has = |event| written.iter().any(|(of, _)| *of == event);
        if !has("success") && !has("failure") && dialect.unmentioned == Unmentioned::Unaccounted {
            return Err(wrong(
                "it has no success: and no failure:, so it could report nothing".to_owned(),
            ));
        }
        let blocks: Vec<String> = written
            .iter()
            .filter(|(event, _)| *event == "block")
            .map(|(_, rule)| rule.name.clone().unwrap_or_default())
            .collect();
        let mut paths: Vec<Path> = Vec::new();
        let mut rules = Vec::with_capacity(written.len());
        for (event, rule) in &written {
            let kind = KINDS
                .iter()
                .find_map(|(name, kind)| (name == event).then_some(*kind))
                .unwrap_or(Kind::Error);
            let within = match rule.within.as_deref() {
                None => None,
                Some("end") => Some(AFTER_END),
                Some(name) => match blocks.iter().position(|block| block == name) {
                    Some(at) => u8::try_from(at + 2).ok(),
                    None => {
                        return Err(wrong(format!(
                            "{event}: within: {name:?} is not the name of a block"
                        )));
                    }
                },
            };
            let regex = match &rule.r#match {
                None => None,
                Some(pattern) => {
                    let regex = Regex::new(pattern.as_str()).map_err(|error| {
                        wrong(format!("{event}: {}", error.to_string().replace('\n', " ")))
                    })?;
                    let groups = regex
                        .capture_names()
                        .enumerate()
                        .filter_map(|(at, name)| Some((name_of(name?)?, at)))
                        .collect();
                    Some((regex, groups))
                }
            };
            let mut place = |text: &String| {
                let path = json::path(text);
                paths
                    .iter()
                    .position(|other| *other == path)
                    .unwrap_or_else(|| {
                        paths.push(path);
                        paths.len() - 1
                    })
            };
            let json = (!rule.json.is_empty() || !rule.captures.is_empty()).then(|| JsonRule {
                conditions: rule
                    .json
                    .iter()
                    .map(|(path, value)| (place(path), value.clone()))
                    .collect(),
                captures: rule
                    .captures
                    .iter()
                    .filter_map(|(name, path)| Some((name_of(name)?, place(path))))
                    .collect(),
                field: rule.field.as_ref().map(&mut place),
            });
            let is_dated = rule
                .r#match
                .as_ref()
                .is_some_and(|text| text.captures("date"))
                || rule.captures.contains_key("date");
            if kind == Kind::DateStart && !is_dated {
                return Err(wrong(
                    "date_start: begins a date and captures none (write {date} or (?P<date>…))"
                        .to_owned(),
                ));
            }
            rules.push(Rule {
                kind,
                name: rule.name.clone().unwrap_or_else(|| (*event).to_owned()),
                regex,
                json,
                of_job: rule.logger == Logger::Job,
                within,
                from_start: rule.date.is_some(),
            });
        }
        let ways: Vec<_> = written
            .iter()
            .map(|(_, rule)| {
                let mut ways: Vec<prefilter::Needles> = rule
                    .json
                    .values()
                    .map(|value| vec![prefilter::plain(value.as_bytes())])
                    .collect();
                // A text of a field may be written with escapes.
                if let (Some(pattern), None) = (&rule.r#match, &rule.field) {
                    ways.extend(prefilter::ways(pattern.as_str()));
                }
                ways
            })
            .collect();
        let needles = prefilter::choose(&ways);
        Ok(Self {
            name: dialect.name.clone(),
            promises: Promises {
                is_custom: true,
                retries: dialect.retries,
                unmentioned_succeed: dialect.unmentioned == Unmentioned::Success,
                no_end: dialect.ends == Ends::WhenAllDone || !has("end"),
                ends_when_all_done: dialect.ends == Ends::WhenAllDone,
                has_start: has("run_start"),
                by_job: written.iter().any(|(event, rule)| {
                    let names = |pattern: &bf_config::Pattern| pattern.captures("job");
                    matches!(*event, "success" | "failure")
                        && (rule.r#match.as_ref().is_some_and(names)
                            || rule.captures.contains_key("job"))
                }),
            },
            description: dialect.description.clone(),
            job: dialect.job.clone(),
            reads: dialect.reads,
            date_format: dialect.date_format.clone(),
            rules,
            blocks,
            paths,
            needles,
        })
    }

    /// Texts of which one is in every line that a rule matches.
    pub(crate) fn needles(&self) -> Option<&[Vec<u8>]> {
        self.needles.as_deref()
    }

    /// The name of a rule.
    pub(crate) fn rule(&self, at: u16) -> &str {
        self.rules
            .get(usize::from(at))
            .map_or("?", |rule| rule.name.as_str())
    }

    /// What a line reports, in the block that it is in.
    pub(crate) fn read(&self, line: &[u8], block: u8, scratch: &mut Scratch) -> Option<Told> {
        let (from, of_job, prefixed) = match self.reads {
            Reads::Line => (0, true, None),
            Reads::Message => {
                let prefix = prefix(line);
                let is_prefixed = prefix.origin != Origin::Plain;
                (
                    prefix.body,
                    prefix.origin != Origin::Other,
                    Some(is_prefixed),
                )
            }
        };
        let text = &line[from..];
        let mut values: Option<Vec<Option<Value<'_>>>> = None;
        for (at, rule) in self.rules.iter().enumerate() {
            if rule.within.is_some_and(|within| within != block) || (rule.of_job && !of_job) {
                continue;
            }
            let mut captured = Captured::default();
            if let Some(json) = &rule.json {
                let values = values.get_or_insert_with(|| {
                    let mut found = Vec::new();
                    if !json::find(text, &self.paths, &mut found) {
                        found.clear();
                    }
                    found
                });
                if values.is_empty() || !json.matches(values) {
                    continue;
                }
                for (name, path) in &json.captures {
                    if let Some(value) = values[*path].filter(|value| !value.is_null()) {
                        let span = Span::of(line, value.text);
                        captured.set(*name, span.start as usize, span.end as usize);
                    }
                }
            }
            if let Some((regex, groups)) = &rule.regex {
                let field = rule.json.as_ref().and_then(|json| json.field);
                let on = match (field, &values) {
                    (Some(path), Some(values)) => match values[path] {
                        Some(value) => value.text,
                        None => continue,
                    },
                    (Some(_), None) => continue,
                    (None, _) => text,
                };
                if !scratch.captures(regex, on, groups, line, &mut captured) {
                    continue;
                }
            }
            let mut told = self.event(rule, &captured, line)?;
            told.prefixed = prefixed;
            told.rule = u16::try_from(at).unwrap_or(u16::MAX);
            return Some(told);
        }
        None
    }

    fn date(&self, bytes: &[u8]) -> Option<NaiveDate> {
        let Some(format) = &self.date_format else {
            return loose_date(bytes);
        };
        let text = std::str::from_utf8(bytes).ok()?.trim();
        NaiveDate::parse_and_remainder(text, format)
            .ok()
            .map(|(date, _)| date)
            .or_else(|| {
                // A month alone is its first day.
                NaiveDate::parse_and_remainder(&format!("{text} 01"), &format!("{format} %d"))
                    .ok()
                    .map(|(date, _)| date)
            })
    }

    fn event(&self, rule: &Rule, captured: &Captured, line: &[u8]) -> Option<Told> {
        let mut details = Details::default();
        let mut too_large = false;
        let mut count = |name| {
            let bytes = captured.bytes(name, line)?;
            let found = count_at(bytes);
            too_large |= found.is_none() && is_too_large(bytes);
            found.map(|(count, _)| count)
        };
        let [index, total, of] = [Name::Index, Name::Total, Name::Of].map(&mut count);
        let [succeeded, failed, skipped] =
            [Name::Succeeded, Name::Failed, Name::Skipped].map(&mut count);
        let [expected, off_days] = [Name::Expected, Name::OffDays].map(&mut count);
        details.index = index;
        details.total = total;
        details.unit = captured.span(Name::Unit);
        details.worker = captured.span(Name::Worker);
        details.job = captured.span(Name::Job);
        details.from_start = rule.from_start;
        // A date that is named and cannot be read must not become an outcome of the current one.
        let date = captured.bytes(Name::Date, line).and_then(|bytes| {
            let date = self.date(bytes);
            if date.is_none() {
                details.has_bad_date = true;
                details.bad_date = captured.span(Name::Date);
            }
            date
        });
        let until = captured
            .bytes(Name::EndDate, line)
            .and_then(|bytes| self.date(bytes));
        let range = captured
            .bytes(Name::Start, line)
            .and_then(|bytes| self.date(bytes))
            .zip(until)
            .and_then(|(start, end)| bf_contract::DateRange::new(start, end).ok());
        let reason = captured.span(Name::Error);
        let whole = Span::of(line, line);
        let said = if reason == Span::default() {
            whole
        } else {
            reason
        };
        let event = match rule.kind {
            Kind::Refused => Event::Refused(said),
            Kind::Fatal => Event::Fatal(said),
            Kind::RunStart => Event::Opening(
                Opening::Custom,
                Opened {
                    mode: Some(if of.is_some() {
                        Mode::GameDates
                    } else {
                        Mode::Custom
                    }),
                    range,
                    range_total: of,
                    to_do: total,
                    job: Some(captured.span(Name::Job)).filter(|job| *job != Span::default()),
                    too_large,
                    ..Opened::default()
                },
            ),
            Kind::Resume => Event::Opening(
                Opening::Custom,
                Opened {
                    resume: date,
                    to_do: total,
                    continues: true,
                    ..Opened::default()
                },
            ),
            Kind::DateStart => match date {
                Some(date) => {
                    details.until = until;
                    Event::Begin {
                        date,
                        index: index.unwrap_or(0),
                        total,
                        mode: Mode::Custom,
                    }
                }
                None => Event::UnreadableBegin,
            },
            Kind::Success => {
                details.until = until;
                let records =
                    captured
                        .bytes(Name::Records, line)
                        .and_then(|bytes| match figure(bytes) {
                            Figure::Count(records) => Some(records),
                            Figure::TooLarge => {
                                too_large = true;
                                None
                            }
                            Figure::Unreadable => {
                                details.has_bad_figure = true;
                                details.bad_figure = captured.span(Name::Records);
                                None
                            }
                            Figure::None => None,
                        });
                Event::Success { date, records }
            }
            Kind::Failure => {
                details.until = until;
                Event::Failure { date, reason }
            }
            Kind::Skip => {
                details.until = until;
                Event::Skip { date, reason }
            }
            Kind::DryRun => Event::Looked { date },
            Kind::Progress => match total {
                Some(total) => Event::Progress {
                    done: index.unwrap_or(0),
                    total,
                },
                None if too_large => Event::TooLarge,
                None => return None,
            },
            Kind::Claims => Event::Claimed([succeeded, failed, skipped]),
            Kind::End => Event::Ended([succeeded, failed, skipped]),
            Kind::About => Event::About {
                range,
                job: captured.span(Name::Job),
                expected,
                off_days,
            },
            Kind::Block => Event::Block,
            Kind::Error => Event::Error { date, text: said },
        };
        let block = match rule.kind {
            Kind::Block => self
                .blocks
                .iter()
                .position(|block| *block == rule.name)
                .and_then(|at| u8::try_from(at + 2).ok()),
            Kind::End => Some(AFTER_END),
            Kind::RunStart | Kind::DateStart => Some(0),
            _ => None,
        };
        Some(Told {
            event,
            kind: rule.kind,
            rule: 0,
            too_large,
            details,
            block,
            prefixed: None,
        })
    }
}

impl JsonRule {
    fn matches(&self, values: &[Option<Value<'_>>]) -> bool {
        self.conditions.iter().all(|(path, wanted)| {
            values[*path].is_some_and(|value| {
                value.text == wanted.as_bytes() || *value.decoded() == *wanted.as_bytes()
            })
        })
    }
}

fn name_of(text: &str) -> Option<Name> {
    NAMES
        .iter()
        .find_map(|(name, capture)| (*name == text).then_some(*capture))
}

/// Finds any of the texts.
pub(crate) fn finder(needles: &[Vec<u8>]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(needles)
        .ok()
}

/// Memory for the captures of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch(Vec<(usize, CaptureLocations)>);

impl Scratch {
    /// Whether `regex` matches `on`, a piece of `line`; what it captures.
    fn captures(
        &mut self,
        regex: &Regex,
        on: &[u8],
        groups: &[(Name, usize)],
        line: &[u8],
        captured: &mut Captured,
    ) -> bool {
        if groups.is_empty() {
            return regex.is_match(on);
        }
        let key = std::ptr::from_ref(regex) as usize;
        let at = self.0.iter().position(|(of, _)| *of == key);
        let at = at.unwrap_or_else(|| {
            self.0.push((key, regex.capture_locations()));
            self.0.len() - 1
        });
        let locations = &mut self.0[at].1;
        if regex.captures_read(locations, on).is_none() {
            return false;
        }
        let offset = Span::of(line, on).start as usize;
        for (name, group) in groups {
            if let Some((start, end)) = locations.get(*group) {
                captured.set(*name, offset + start, offset + end);
            }
        }
        true
    }
}
