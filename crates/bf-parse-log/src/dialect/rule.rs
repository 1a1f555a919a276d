//! One rule of a dialect, compiled.

use bf_cli::Failure;
use bf_config::{AtLeast, Form, Logger, NeedsPrefix};

use super::captures::{Matcher, Name};
use super::event::Mode;
use super::prefilter;
use crate::line::json::{Paths, Value};
use crate::line::prefix::{Level, Origin, Prefix};

/// What a rule reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ignore,
    Stopped,
    Crash,
    BadArgument,
    Usage,
    Refused,
    Fatal,
    RunStart,
    Resume,
    End,
    Failure,
    Success,
    Skip,
    DryRun,
    DryRunMode,
    DateStart,
    Claims,
    Progress,
    Checkpoint,
    About,
    FailedDates,
    Block,
    OwnValidation,
    Critical,
    Error,
}

/// All kinds, in the order of [`bf_config::EVENTS`].
const KINDS: [Kind; bf_config::EVENTS.len()] = [
    Kind::Ignore,
    Kind::Stopped,
    Kind::Crash,
    Kind::BadArgument,
    Kind::Usage,
    Kind::Refused,
    Kind::Fatal,
    Kind::RunStart,
    Kind::Resume,
    Kind::End,
    Kind::Failure,
    Kind::Success,
    Kind::Skip,
    Kind::DryRun,
    Kind::DryRunMode,
    Kind::DateStart,
    Kind::Claims,
    Kind::Progress,
    Kind::Checkpoint,
    Kind::About,
    Kind::FailedDates,
    Kind::Block,
    Kind::OwnValidation,
    Kind::Critical,
    Kind::Error,
];

impl Kind {
    fn of(event: &str) -> Self {
        let at = bf_config::EVENTS.iter().position(|name| *name == event);
        at.map_or(Self::Error, |at| KINDS[at])
    }

    /// The key of a dialect that its rules are under.
    pub(crate) const fn event(self) -> &'static str {
        bf_config::EVENTS[self as usize]
    }

    /// Whether it is what came of a date, or of the run: a traceback below it is not its own.
    pub(super) const fn is_outcome(self) -> bool {
        matches!(
            self,
            Self::Failure | Self::Success | Self::Skip | Self::Refused | Self::OwnValidation
        )
    }
}

/// Values that fields of a JSON object must have, and the fields that are captures.
#[derive(Debug)]
pub(super) struct JsonRule {
    /// Places in the dialect's list of paths.
    conditions: Vec<(usize, String)>,
    pub(super) captures: Vec<(Name, usize)>,
    pub(super) field: Option<usize>,
}

impl JsonRule {
    pub(super) fn matches(&self, values: &[Option<Value<'_>>]) -> bool {
        self.conditions.iter().all(|(path, wanted)| {
            values[*path].is_some_and(|value| {
                let is_plain = value.text.len() <= wanted.len();
                value.text == wanted.as_bytes()
                    || (!is_plain && *value.decoded() == *wanted.as_bytes())
            })
        })
    }
}

/// One kind of line.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) matcher: Option<Matcher>,
    pub(super) json: Option<JsonRule>,
    pub(super) written: bf_config::Rule,
    pub(super) logger: Logger,
    /// 1 for the part after the end marker, then the dialect's own blocks.
    pub(super) within: Option<u8>,
    /// How every text begins that it matches; empty if that is not known.
    pub(super) leads: Vec<Vec<u8>>,
    /// Its place among the beginnings of a run, by its name.
    pub(super) opening: u8,
}

/// The block after an end marker.
pub(super) const AFTER_END: u8 = 1;

impl Rule {
    /// Compiles a rule; `paths` are those of its dialect, `blocks` the names of its blocks.
    pub(super) fn of(
        (event, written): (&str, &bf_config::Rule),
        logger: Logger,
        paths: &mut Paths,
        blocks: &[String],
    ) -> Result<Self, String> {
        let kind = Kind::of(event);
        let within = match written.within.as_deref() {
            None => None,
            Some("end") => Some(AFTER_END),
            Some(name) => {
                let at = blocks.iter().position(|block| block == name);
                let at = at.and_then(|at| u8::try_from(at + 2).ok());
                Some(at.ok_or_else(|| {
                    format!("{event}: within: {name:?} is not the name of a block")
                })?)
            }
        };
        let pattern = written.r#match.as_ref();
        let matcher = pattern.map(|pattern| Matcher::of(pattern.as_str()));
        let mut place = |text: &String| paths.place(text);
        let json = (!written.json.is_empty() || !written.captures.is_empty()).then(|| JsonRule {
            conditions: written
                .json
                .iter()
                .map(|(path, value)| (place(path), value.clone()))
                .collect(),
            captures: written
                .captures
                .iter()
                .filter_map(|(name, path)| Some((Name::of(name)?, place(path))))
                .collect(),
            field: written.field.as_ref().map(&mut place),
        });
        if paths.len() > Paths::MOST {
            return Err(format!("{event}: more than {} fields", Paths::MOST));
        }
        if kind == Kind::DateStart && !has_date(written) {
            return Err(
                "date_start: begins a date and captures none (write {date} or (?P<date>…))"
                    .to_owned(),
            );
        }
        let leads = match (&written.r#match, &json) {
            (Some(pattern), None) => prefilter::leads(pattern.as_str()),
            _ => Vec::new(),
        };
        Ok(Self {
            kind,
            name: written.name.clone().unwrap_or_else(|| event.to_owned()),
            matcher,
            json,
            written: written.clone(),
            logger: written.logger.unwrap_or(logger),
            within,
            leads,
            opening: 0,
        })
    }

    /// Whether a line with this prefix, whose text is indented by `indent` blanks, may be of the rule.
    pub(super) fn fits(&self, prefix: &Prefix, indent: usize) -> bool {
        let is_named = matches!(prefix.origin, Origin::Job | Origin::Other);
        let logger = match self.logger {
            Logger::Any => true,
            Logger::Job => prefix.origin != Origin::Other,
            Logger::Named => prefix.origin == Origin::Job,
        };
        let level = match self.written.level {
            None => true,
            Some(AtLeast::None) => prefix.level.is_none(),
            Some(AtLeast::Any) => prefix.level.is_some(),
            Some(AtLeast::Warning) => prefix.level >= Some(Level::Warning),
            Some(AtLeast::Error) => prefix.level >= Some(Level::Error),
            Some(AtLeast::Critical) => prefix.level >= Some(Level::Critical),
        };
        let is_plain = prefix.origin == Origin::Plain;
        logger
            && level
            && (is_plain || self.written.prefix != NeedsPrefix::Never)
            && self
                .written
                .indent
                .is_none_or(|blanks| is_named || blanks == indent)
    }

    /// Whether the rule reads lines of logging prefixes below an error by how their text begins.
    pub(super) fn needs_beginning(&self) -> bool {
        self.written.prefix != NeedsPrefix::Never
            && !matches!(
                self.written.level,
                Some(AtLeast::Error | AtLeast::Critical | AtLeast::None)
            )
    }

    /// How the run goes, as far as the rule tells.
    pub(super) fn mode(&self) -> Option<Mode> {
        Some(match self.written.form? {
            Form::DayByDay => Mode::DayByDay,
            Form::GameDates => Mode::GameDates,
            Form::Parallel => Mode::Parallel,
            Form::List => Mode::SpecificDates,
            Form::Upcoming => Mode::Upcoming,
            Form::WholeRange => Mode::WholeRange,
        })
    }
}

fn has_date(rule: &bf_config::Rule) -> bool {
    let in_pattern = rule
        .r#match
        .as_ref()
        .is_some_and(|text| text.captures("date"));
    in_pattern || rule.captures.contains_key("date")
}

/// A failure of a dialect's own file.
pub(super) fn wrong(dialect: &str, what: &str) -> Failure {
    Failure::usage(format!("dialect {dialect:?}: {what}"))
}
