//! The rules of a dialect, compiled: a line in, what it reports out.

use std::cell::OnceCell;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use bf_cli::Failure;
use bf_config::{Dialect, Ends, Logger, NeedsPrefix, Reads, Unmentioned};

use super::captures::{Captured, Matcher, Scratch};
use super::event::{Details, Event, Promises};
use super::prefilter::{self, Beginnings};
use super::rule::{Kind, Rule, wrong};
use super::starts::Starts;
use crate::line::json::{self, Paths, Value};
use crate::line::prefix::{Level, Origin, Prefix, indent, prefix};

/// Words of a level that no line of a healthy job has.
pub(crate) const ERRORS: [&[u8]; 4] = [b"ERROR", b"CRITICAL", b"FATAL", b"Traceback (most"];

/// A line, and what precedes its message, once that is asked for.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether it is finished; a figure at the end of an unfinished one may be a part.
    pub(crate) complete: bool,
    prefix: OnceCell<Prefix>,
}

impl<'a> Line<'a> {
    pub(crate) fn of(bytes: &'a [u8], complete: bool) -> Self {
        Self {
            bytes,
            complete,
            prefix: OnceCell::new(),
        }
    }

    pub(crate) fn prefix(&self) -> &Prefix {
        self.prefix.get_or_init(|| prefix(self.bytes))
    }
}

/// A dialect, compiled.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) name: String,
    pub(crate) promises: Promises,
    pub(crate) description: Option<String>,
    pub(crate) job: Option<String>,
    pub(super) reads: Reads,
    pub(super) date_format: Option<String>,
    rules: Vec<Rule>,
    pub(super) blocks: Vec<String>,
    paths: Paths,
    /// Texts of which one is in every line that a rule matches; `None` if every line must be tried.
    needles: Option<Vec<Vec<u8>>>,
    finder: OnceLock<Option<AhoCorasick>>,
    texts: OnceLock<Option<AhoCorasick>>,
    /// How the texts begin that a rule matches, for a dialect that is known by them.
    beginnings: Option<Beginnings>,
    starts: Starts,
    /// Whether a rule of its own reads every error.
    pub(crate) reads_errors: bool,
    /// Whether it tells a traceback that a message owns from one that ended the program.
    pub(crate) reads_crashes: bool,
}

/// What a line reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// What it says; a rule may say that a line reports nothing.
    pub(crate) event: Option<Event>,
    pub(crate) kind: Kind,
    /// The rule that found it.
    pub(crate) rule: u16,
    /// Whether a figure was left out, as it is too large.
    pub(crate) too_large: bool,
    pub(crate) details: Details,
    /// The block that begins.
    pub(crate) block: Option<u8>,
    /// Whether the line had a logging prefix; false if the dialect reads whole lines.
    pub(crate) prefixed: bool,
    /// Whether it counts only where no line has a prefix.
    pub(crate) needs_prefix: bool,
    /// Whether a traceback below the line belongs to it; `None` leaves it to the line above.
    pub(crate) owns: Option<bool>,
}

impl Rules {
    /// Compiles a dialect.
    ///
    /// # Errors
    /// A dialect that could report nothing, or a rule within a block that there is not: usage (exit 2).
    pub(crate) fn of(dialect: &Dialect) -> Result<Self, Failure> {
        let written = dialect.rules();
        let has = |event| written.iter().any(|(of, _)| *of == event);
        if !has("success") && !has("failure") && dialect.unmentioned == Unmentioned::Unaccounted {
            return Err(wrong(
                &dialect.name,
                "it has no success: and no failure:, so it could report nothing",
            ));
        }
        let blocks: Vec<String> = written
            .iter()
            .filter(|(event, _)| *event == "block")
            .map(|(_, rule)| rule.name.clone().unwrap_or_default())
            .collect();
        let mut paths = Paths::default();
        let mut rules = written
            .iter()
            .map(|one| Rule::of(*one, dialect.logger, &mut paths, &blocks))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|what| wrong(&dialect.name, &what))?;
        name_openings(&mut rules);
        let is_text = dialect.reads == Reads::Text;
        let by_beginning = rules.iter().filter(|rule| rule.needs_beginning());
        let beginnings = is_text.then(|| {
            let is_of_any = |rule: &Rule| rule.logger == Logger::Any;
            Beginnings::of(
                by_beginning.map(|rule| (rule.leads.iter().map(Vec::as_slice), is_of_any(rule))),
            )
        });
        let beginnings = beginnings.flatten();
        let ways: Vec<_> = written
            .iter()
            .map(|(_, rule)| prefilter::ways_of(rule))
            .collect();
        let names_job = |(event, rule): &(&str, &bf_config::Rule)| {
            let in_pattern = rule
                .r#match
                .as_ref()
                .is_some_and(|text| text.captures("job"));
            matches!(*event, "success" | "failure")
                && (in_pattern || rule.captures.contains_key("job"))
        };
        Ok(Self {
            name: dialect.name.clone(),
            promises: Promises {
                strict: dialect.strict,
                retries: dialect.retries,
                unmentioned_succeed: dialect.unmentioned == Unmentioned::Success,
                no_end: dialect.ends == Ends::WhenAllDone || !has("end"),
                ends_when_all_done: dialect.ends == Ends::WhenAllDone,
                has_start: has("run_start"),
                daily: dialect.daily,
                by_job: written.iter().any(names_job),
            },
            description: dialect.description.clone(),
            job: dialect.job.clone(),
            reads: dialect.reads,
            date_format: dialect.date_format.clone(),
            starts: Starts::of(rules.iter().map(|rule| rule.leads.as_slice())),
            reads_errors: rules
                .iter()
                .any(|rule| rule.kind == Kind::Error && rule.written.level.is_some()),
            reads_crashes: has("crash"),
            rules,
            blocks,
            paths,
            needles: prefilter::choose(&ways),
            finder: OnceLock::new(),
            texts: OnceLock::new(),
            beginnings,
        })
    }

    /// Checks what the reader of the config cannot.
    ///
    /// # Errors
    /// A pattern is too large: usage (exit 2).
    pub(crate) fn check_patterns(&self) -> Result<(), Failure> {
        for rule in &self.rules {
            if let Some(Err(error)) = rule.matcher.as_ref().map(Matcher::check) {
                let what = error.to_string().replace('\n', " ");
                return Err(wrong(&self.name, &format!("{}: {what}", rule.kind.event())));
            }
        }
        Ok(())
    }

    /// Finds the texts of which every line has one that a rule matches, or that looks like an error which no
    /// rule reads. None if every line must be tried.
    pub(crate) fn needles(&self) -> Option<&AhoCorasick> {
        let finder = self.finder.get_or_init(|| {
            let mut texts = self.needles.clone()?;
            if !self.reads_errors {
                texts.extend(ERRORS.map(<[u8]>::to_vec));
            }
            finder(&texts)
        });
        finder.as_ref()
    }

    /// Finds texts that its lines have, or begin with, and no others.
    pub(crate) fn texts(&self) -> Option<&AhoCorasick> {
        let texts = self.texts.get_or_init(|| {
            let leads = self.rules.iter().flat_map(|rule| rule.leads.iter());
            let all = leads.chain(self.needles.iter().flatten());
            let telling: Vec<_> = all.filter(|text| text.len() >= 8).cloned().collect();
            finder(&telling).filter(|_| !telling.is_empty())
        });
        texts.as_ref()
    }

    /// How the texts begin that its rules match.
    pub(crate) fn beginnings(&self) -> Option<&Beginnings> {
        self.beginnings.as_ref()
    }

    /// The name of a rule.
    pub(crate) fn rule(&self, at: u16) -> &str {
        self.rules
            .get(usize::from(at))
            .map_or("?", |rule| rule.name.as_str())
    }

    /// What a line reports, in the block that it is in.
    pub(crate) fn read(&self, line: &Line<'_>, block: u8, scratch: &mut Scratch) -> Option<Told> {
        const WHOLE: Prefix = Prefix {
            origin: Origin::Plain,
            level: None,
            body: 0,
        };
        let reads_lines = self.reads == Reads::Line;
        let prefix = if reads_lines { &WHOLE } else { line.prefix() };
        let body = &line.bytes[prefix.body..];
        let (blanks, text) = match self.reads {
            Reads::Text => indent(body),
            Reads::Line | Reads::Message => (0, body),
        };
        let memory = scratch.of(std::ptr::from_ref(self) as usize, self.rules.len());
        let mut values: Option<Vec<Option<Value<'_>>>> = None;
        let mut captured = Captured::default();
        for at in self.starts.rules(text) {
            let at = usize::from(*at);
            let rule = &self.rules[at];
            let may_match = rule.within.is_none_or(|within| within == block)
                && (reads_lines || rule.fits(prefix, blanks));
            if !may_match {
                continue;
            }
            captured.clear();
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
                        let start = super::event::Span::of(line.bytes, value.text).start as usize;
                        captured.set(*name, start, start + value.text.len());
                    }
                }
            }
            if let Some(matcher) = &rule.matcher {
                let field = rule.json.as_ref().and_then(|json| json.field);
                let on = match (field, &values) {
                    (Some(path), Some(values)) => match values[path] {
                        Some(value) => value.text,
                        None => continue,
                    },
                    (Some(_), None) => continue,
                    (None, _) => text,
                };
                let end = matcher.capture(on, line.bytes, &mut memory[at], &mut captured);
                let Some(end) = end else { continue };
                if self.promises.strict && !is_whole(&captured, end, line) {
                    continue;
                }
            }
            let mut told = self.tell(rule, &captured, line.bytes, text)?;
            told.rule = u16::try_from(at).unwrap_or(u16::MAX);
            if !reads_lines {
                told.prefixed = prefix.origin != Origin::Plain;
                told.needs_prefix = !told.prefixed && rule.written.prefix == NeedsPrefix::Usual;
                told.details.names_job = prefix.origin == Origin::Job;
                told.owns =
                    rule.written
                        .owns_traceback
                        .or_else(|| match (told.prefixed, rule.kind) {
                            (true, kind) => Some(owns(prefix) && !kind.is_outcome()),
                            (false, Kind::DateStart) => Some(false),
                            (false, _) => None,
                        });
            }
            return Some(told);
        }
        None
    }

    /// Whether a collector may have put something around a line that no rule reads.
    pub(crate) fn may_be_wrapped(&self, line: &Line<'_>) -> bool {
        const LEVELS: [&[u8]; 6] = [b"INFO", b"DEBUG", b"WARN", b"ERROR", b"CRIT", b"FATAL"];
        let starts_with_name = line
            .bytes
            .first()
            .is_some_and(|first| !first.is_ascii_digit())
            && !LEVELS.iter().any(|level| line.bytes.starts_with(level));
        !self.reads_messages()
            || starts_with_name
            || line.bytes.get(10) == Some(&b'T')
            || line.prefix().origin == Origin::Plain
    }

    /// Whether it looks for the message of a line.
    pub(crate) fn reads_messages(&self) -> bool {
        self.reads != Reads::Line
    }

    /// Whether a traceback below a line that no rule reads belongs to it.
    pub(crate) fn owns(line: &Line<'_>) -> Option<bool> {
        let prefix = line.prefix();
        (prefix.origin != Origin::Plain).then(|| owns(prefix))
    }
}

/// A message that reports an error may have a traceback below it.
fn owns(prefix: &Prefix) -> bool {
    prefix.level >= Some(Level::Error)
}

/// Whether no figure at the end of a match is a part of something longer.
fn is_whole(captured: &Captured, end: usize, line: &Line<'_>) -> bool {
    let behind = &line.bytes[end.min(line.bytes.len())..];
    let is_end = match behind.first() {
        Some(b' ' | b'\t' | b')' | b'|') => true,
        Some(b',') => behind.len() > 1,
        Some(_) => false,
        None => line.complete,
    };
    is_end || !captured.ends_of_figures().any(|figure| figure == end)
}

/// Gives each name of a beginning a place of its own.
fn name_openings(rules: &mut [Rule]) {
    let mut names: Vec<String> = Vec::new();
    for rule in rules {
        if matches!(rule.kind, Kind::RunStart | Kind::Resume) {
            let known = names.iter().position(|name| *name == rule.name);
            let at = known.unwrap_or_else(|| {
                names.push(rule.name.clone());
                names.len() - 1
            });
            rule.opening = u8::try_from(at).unwrap_or(u8::MAX);
        }
    }
}

/// Finds any of the texts.
fn finder(needles: &[Vec<u8>]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(needles)
        .ok()
}
