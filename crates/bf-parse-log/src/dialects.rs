//! The dialects that a log may be in: the built-in ones, and those that a config describes by regular
//! expressions.

use std::cell::Cell;
use std::sync::Arc;

use bf_cli::Failure;
use bf_config::{DatePattern, Dialect, Pattern};
use regex::bytes::{Captures, Regex};

use crate::dialect::event::{Event, Mode, Opened, Opening, Span};
use crate::line::fields::{Figure, count_at, figure, is_too_large, loose_date};
use crate::run::history::Promises;
use crate::scan::Details;

/// The dialects that a log may be in. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Dialects {
    custom: Arc<[Custom]>,
    only: Option<Only>,
}

/// The one dialect that counts, whatever others understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    BuiltIn,
    /// The custom one at this place.
    Custom(usize),
}

/// The name of the built-in dialects taken together.
pub const BUILT_IN: &str = "built-in";

impl Dialects {
    /// The built-in dialects alone.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// The built-in dialects and those of a config.
    ///
    /// # Errors
    /// A dialect that could tell nothing, one whose name is taken, or a regular expression that is none:
    /// usage (exit 2).
    pub fn with(described: &[Dialect]) -> Result<Self, Failure> {
        let mut custom: Vec<Custom> = Vec::with_capacity(described.len());
        for dialect in described {
            if custom.iter().any(|other| other.name == dialect.name) {
                return Err(Failure::usage(format!(
                    "the config has two dialects named {:?}",
                    dialect.name
                )));
            }
            custom.push(Custom::of(dialect)?);
        }
        Ok(Self {
            custom: custom.into(),
            only: None,
        })
    }

    /// The same dialects, of which only the named one counts: [`BUILT_IN`], or one of the config. What a log
    /// says in another one then says nothing.
    ///
    /// # Errors
    /// No dialect has that name: usage (exit 2), naming those that there are.
    pub fn only(mut self, name: &str) -> Result<Self, Failure> {
        let custom = self.names().position(|custom| custom == name);
        self.only = Some(match custom {
            Some(at) => Only::Custom(at),
            None if name == BUILT_IN => Only::BuiltIn,
            None => {
                let names: Vec<&str> = std::iter::once(BUILT_IN).chain(self.names()).collect();
                return Err(Failure::usage(format!(
                    "there is no dialect {name:?} (there are {})",
                    names.join(", ")
                ))
                .hint("dialects: in the config describes a log of another form"));
            }
        });
        Ok(self)
    }

    /// The name of the one dialect that counts, where there is one.
    pub(crate) fn named(&self) -> Option<&str> {
        match self.only? {
            Only::BuiltIn => Some(BUILT_IN),
            Only::Custom(at) => self.names().nth(at),
        }
    }

    pub(crate) fn counts(&self) -> Option<Only> {
        self.only
    }

    pub(crate) fn custom(&self) -> &[Custom] {
        &self.custom
    }

    /// The names of the dialects of the config.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.custom.iter().map(|custom| custom.name.as_str())
    }
}

/// What a rule of a custom dialect tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RunStart,
    DateStart,
    Success,
    Failure,
    Skip,
    Progress,
    End,
}

/// A dialect of a config, compiled.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) name: String,
    /// The first rule that matches a line counts; a failure before a success, because of two doubtful
    /// readings the worse one is safe.
    rules: Vec<(Kind, &'static str, Regex)>,
}

impl Custom {
    pub(crate) fn promises(&self) -> Promises {
        let has = |kind| self.rules.iter().any(|(of, ..)| *of == kind);
        Promises {
            is_custom: true,
            retries: false,
            unmentioned_succeed: false,
            no_end: !has(Kind::End),
            has_start: has(Kind::RunStart),
        }
    }
}

impl Custom {
    fn of(dialect: &Dialect) -> Result<Self, Failure> {
        fn text(pattern: Option<&Pattern>) -> Option<&str> {
            pattern.map(Pattern::as_str)
        }
        let date_start = dialect.date_start.as_ref().map(DatePattern::as_str);
        let mut rules = Vec::new();
        for (kind, key, pattern) in [
            (
                Kind::RunStart,
                "run_start",
                text(dialect.run_start.as_ref()),
            ),
            (Kind::End, "end", text(dialect.end.as_ref())),
            (Kind::Failure, "failure", text(dialect.failure.as_ref())),
            (Kind::Success, "success", text(Some(&dialect.success))),
            (Kind::Skip, "skip", text(dialect.skip.as_ref())),
            (Kind::DateStart, "date_start", date_start),
            (Kind::Progress, "progress", text(dialect.progress.as_ref())),
        ] {
            if let Some(pattern) = pattern {
                let regex = Regex::new(pattern).map_err(|error| {
                    Failure::usage(format!(
                        "dialect {:?}, {key}: {}",
                        dialect.name,
                        error.to_string().replace('\n', " ")
                    ))
                })?;
                rules.push((kind, key, regex));
            }
        }
        Ok(Self {
            name: dialect.name.clone(),
            rules,
        })
    }

    /// What a line says in this dialect.
    pub(crate) fn read(&self, line: &[u8]) -> Option<Told> {
        self.rules.iter().find_map(|(kind, key, regex)| {
            let captures = regex.captures(line)?;
            let too_large = Cell::new(false);
            let mut details = Details::default();
            let event = event(*kind, &captures, line, &too_large, &mut details);
            Some(Told {
                event: event.or(too_large.get().then_some(Event::TooLarge))?,
                rule: key,
                too_large: too_large.get(),
                details,
            })
        })
    }
}

/// What a line says in a custom dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) event: Event,
    /// The rule that found it.
    pub(crate) rule: &'static str,
    /// Whether a figure was left out, as it is too large.
    pub(crate) too_large: bool,
    pub(crate) details: Details,
}

fn event(
    kind: Kind,
    captures: &Captures<'_>,
    line: &[u8],
    too_large: &Cell<bool>,
    details: &mut Details,
) -> Option<Event> {
    let text = |name| captures.name(name).map(|found| found.as_bytes());
    let count = |name| {
        let bytes = text(name)?;
        let figure = count_at(bytes);
        if figure.is_none() && is_too_large(bytes) {
            too_large.set(true);
        }
        Some(figure?.0)
    };
    let span = |name| text(name).map_or_else(Span::default, |bytes| Span::of(line, bytes));
    details.index = count("index");
    details.total = count("total");
    // A date that is named and cannot be read must not become an outcome of the current one.
    let date = text("date").and_then(|bytes| {
        let date = loose_date(bytes);
        if date.is_none() {
            details.has_bad_date = true;
            details.bad_date = Span::of(line, bytes);
        }
        date
    });
    Some(match kind {
        Kind::RunStart => Event::Opening(
            Opening::Custom,
            Opened {
                mode: Some(Mode::Custom),
                to_do: count("total"),
                ..Opened::default()
            },
        ),
        Kind::DateStart => match date {
            Some(date) => Event::Begin {
                date,
                index: count("index").unwrap_or(0),
                total: count("total"),
                mode: Mode::Custom,
            },
            None => Event::UnreadableBegin,
        },
        Kind::Success => {
            let records = text("records").and_then(|bytes| match figure(bytes) {
                Figure::Count(records) => Some(records),
                Figure::TooLarge => {
                    too_large.set(true);
                    None
                }
                Figure::Unreadable => {
                    details.has_bad_figure = true;
                    details.bad_figure = Span::of(line, bytes);
                    None
                }
                Figure::None => None,
            });
            Event::Success { date, records }
        }
        Kind::Failure => Event::Failure {
            date,
            reason: span("error"),
        },
        Kind::Skip => Event::Skip {
            date,
            reason: span("error"),
        },
        Kind::Progress => Event::Progress {
            done: count("index").unwrap_or(0),
            total: count("total")?,
        },
        Kind::End => Event::End(Some(Mode::Custom)),
    })
}
