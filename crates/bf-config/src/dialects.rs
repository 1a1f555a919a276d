//! Log dialects: how a job's lines read. The ones that bf ships are written in the same language.

mod pattern;
mod rules;

use std::collections::BTreeMap;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

pub use pattern::{Pattern, group_names};

/// A dialect: rules for each event that a job's lines report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Its name, as it appears in `log_summary.dialect`.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// One sentence about the jobs that write so.
    #[serde(default)]
    pub description: Option<String>,
    /// The name of the job, if all its lines are of one.
    #[serde(default)]
    pub job: Option<String>,
    /// What the patterns are tried on: the whole line (the default), the message after its time, level and
    /// logger, or the text of that message without the blanks before it.
    #[serde(default)]
    pub reads: Reads,
    /// Whose lines the rules are tried on that do not say it themselves.
    #[serde(default)]
    pub logger: Logger,
    /// Whether all lines of the job are known: a counter that falls, a date outside the range of its run or a
    /// second beginning among its dates is then of another job, and a figure with something after it is none.
    #[serde(default)]
    pub strict: bool,
    /// How a date is written, as strptime takes it; without it every form that has one meaning is read.
    #[serde(default)]
    pub date_format: Option<String>,
    /// Whether the job tries a date again in one run, so that a success makes its failure good.
    #[serde(default)]
    pub retries: bool,
    /// Whether a range means each of its calendar days, so that a run which announces its range announces its
    /// dates.
    #[serde(default)]
    pub daily: bool,
    /// What becomes of a date that begins and has no outcome, once its run has ended.
    #[serde(default)]
    pub unmentioned: Unmentioned,
    /// How a run ends: with its end marker (the default), or when all its dates have an outcome.
    #[serde(default)]
    pub ends: Ends,
    /// A run begins: `total` dates to do, from `start` to `end_date`, of `of` dates in all.
    #[serde(default)]
    pub run_start: Rules,
    /// What else is known of a run before its first date: `job`, `start` and `end_date`.
    #[serde(default)]
    pub about: Rules,
    /// A run resumes from `date`; those before it are done.
    #[serde(default)]
    pub resume: Rules,
    /// A date begins; needs `date`. Lines without a date belong to it until the next one begins.
    #[serde(default, deserialize_with = "rules::dated")]
    pub date_start: Rules,
    /// A date succeeded; `records` is what was written for it.
    #[serde(default)]
    pub success: Rules,
    /// A date failed; `error` is why.
    #[serde(default)]
    pub failure: Rules,
    /// A date was left out; `error` is why.
    #[serde(default)]
    pub skip: Rules,
    /// A date was only checked: nothing was written.
    #[serde(default)]
    pub dry_run: Rules,
    /// How far the run has come: `index` of `total`.
    #[serde(default)]
    pub progress: Rules,
    /// What the run's own summary counts: `succeeded`, `failed`, `skipped`.
    #[serde(default)]
    pub claims: Rules,
    /// The job names its checkpoint: `job`, `start`, `end_date`. Another one in the same run is another job's.
    #[serde(default)]
    pub checkpoint: Rules,
    /// The run's own summary names the dates that failed: `dates`.
    #[serde(default)]
    pub failed_dates: Rules,
    /// The job only checks dates and writes nothing.
    #[serde(default)]
    pub dry_run_mode: Rules,
    /// An exception that nothing caught, unless a message above it owns it.
    #[serde(default)]
    pub crash: Rules,
    /// The job was stopped: Ctrl-C, or a signal that a shell reports.
    #[serde(default)]
    pub stopped: Rules,
    /// The job could not read one of its arguments.
    #[serde(default)]
    pub bad_argument: Rules,
    /// The job prints its usage; `job` is its name.
    #[serde(default)]
    pub usage: Rules,
    /// The job checked what it wrote, and reports that this is not as it should be.
    #[serde(default)]
    pub own_validation: Rules,
    /// An error of the job itself that belongs to no date; counted, and no end of the run.
    #[serde(default)]
    pub critical: Rules,
    /// A line that reports nothing, whichever other rule would match it.
    #[serde(default)]
    pub ignore: Rules,
    /// An error that may be the reason of a failure to come.
    #[serde(default)]
    pub error: Rules,
    /// The job itself broke; `error` is why.
    #[serde(default)]
    pub fatal: Rules,
    /// The job declined to start; `error` is why.
    #[serde(default)]
    pub refused: Rules,
    /// A part of the log begins that `within:` may name.
    #[serde(default)]
    pub block: Rules,
    /// The run has ended; it may count `succeeded`, `failed`, `skipped`.
    #[serde(default)]
    pub end: Rules,
    /// Lines and what they must be read as, checked when the dialect is loaded.
    #[serde(default)]
    pub samples: Vec<Sample>,
}

/// The events that a rule may report, as the keys of a dialect name them.
pub const EVENTS: [&str; 25] = [
    "ignore",
    "stopped",
    "crash",
    "bad_argument",
    "usage",
    "refused",
    "fatal",
    "run_start",
    "resume",
    "end",
    "failure",
    "success",
    "skip",
    "dry_run",
    "dry_run_mode",
    "date_start",
    "claims",
    "progress",
    "checkpoint",
    "about",
    "failed_dates",
    "block",
    "own_validation",
    "critical",
    "error",
];

impl Dialect {
    /// The rules of all events: of two that match a line the first one counts. A failure comes before a
    /// success: of two doubtful readings the worse one is safe. Those with `last: true` come after all others.
    #[must_use]
    pub fn rules(&self) -> Vec<(&'static str, &Rule)> {
        let all = [
            &self.ignore,
            &self.stopped,
            &self.crash,
            &self.bad_argument,
            &self.usage,
            &self.refused,
            &self.fatal,
            &self.run_start,
            &self.resume,
            &self.end,
            &self.failure,
            &self.success,
            &self.skip,
            &self.dry_run,
            &self.dry_run_mode,
            &self.date_start,
            &self.claims,
            &self.progress,
            &self.checkpoint,
            &self.about,
            &self.failed_dates,
            &self.block,
            &self.own_validation,
            &self.critical,
            &self.error,
        ];
        let mut rules: Vec<_> = EVENTS
            .into_iter()
            .zip(all)
            .flat_map(|(event, rules)| rules.0.iter().map(move |rule| (event, rule)))
            .collect();
        rules.sort_by_key(|(_, rule)| rule.last);
        rules
    }
}

/// What patterns are tried on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// The whole line.
    #[default]
    Line,
    /// The message after its time, level and logger.
    Message,
    /// The text of the message, without the blanks before it.
    Text,
}

/// What becomes of a date that begins and has no outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmentioned {
    /// It is unaccounted for.
    #[default]
    Unaccounted,
    /// It succeeded, if the run came to its end.
    Success,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// With its end marker.
    #[default]
    Marker,
    /// When all its dates have an outcome.
    WhenAllDone,
}

/// Whose lines a rule is tried on, by the logger's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logger {
    /// The job's own: `__main__`, or none.
    Job,
    /// The job's own, by its name.
    Named,
    /// Any.
    #[default]
    Any,
}

/// How serious a message must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtLeast {
    /// The line names no level.
    None,
    /// Any level, but one.
    Any,
    /// At least a warning.
    Warning,
    /// At least an error.
    Error,
    /// The highest level.
    Critical,
}

/// Whether a line must have what a logger writes before a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedsPrefix {
    /// If the job's other lines have it: else it is part of a message.
    #[default]
    Usual,
    /// It may be without.
    Any,
    /// It must be without: Python and the shell wrote it.
    Never,
}

/// How a run goes through its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Calendar days, one after the other.
    DayByDay,
    /// The dates of a schedule, one after the other.
    GameDates,
    /// Several dates at once.
    Parallel,
    /// A list of dates, asked for by name.
    List,
    /// Calendar days, announced with their total and what remains.
    Upcoming,
    /// The whole range at once; no date has a line of its own.
    WholeRange,
}

/// Where the date of a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFrom {
    /// The date that began last: the line has none of its own.
    FromStart,
}

/// One or more rules of one event: a pattern, a map, or a list of these.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rules(pub Vec<Rule>);

/// How one kind of line is known, and where in it the figures are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What --explain calls it.
    #[serde(default)]
    pub name: Option<String>,
    /// A regular expression.
    #[serde(default)]
    pub r#match: Option<Pattern>,
    /// For a line that is a JSON object: the values that some fields must have. A path has dots.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
    /// For a line that is a JSON object: which field is which capture.
    #[serde(default)]
    pub captures: BTreeMap<String, String>,
    /// The field of a JSON object that `match` is tried on.
    #[serde(default)]
    pub field: Option<String>,
    /// Whose lines count, if not as the dialect says.
    #[serde(default)]
    pub logger: Option<Logger>,
    /// How serious the message must be.
    #[serde(default)]
    pub level: Option<AtLeast>,
    /// Whether the line must have a logging prefix.
    #[serde(default)]
    pub prefix: NeedsPrefix,
    /// The blanks before the text, with `reads: text`. If the line names the job's logger, any number will do.
    #[serde(default)]
    pub indent: Option<usize>,
    /// How the run goes through its dates that the line is of.
    #[serde(default)]
    pub form: Option<Form>,
    /// Of a beginning: it comes once a run, so that one which comes again begins another run.
    #[serde(default)]
    pub once: bool,
    /// Of a beginning: no run begins with it. Among the dates of a run that lacks it, it is another job's.
    #[serde(default)]
    pub never_first: bool,
    /// Of a beginning: the run only checks dates.
    #[serde(default)]
    pub dry_run: bool,
    /// Of a date that begins: another logger than the job's reports it, which takes nothing back.
    #[serde(default)]
    pub quiet: bool,
    /// Of an end: its counts settle the dates that have no line of their own.
    #[serde(default)]
    pub settles: bool,
    /// Whether a traceback under the line belongs to it [default: under an error that is no outcome].
    #[serde(default)]
    pub owns_traceback: Option<bool>,
    /// Whether it is tried after all other rules.
    #[serde(default)]
    pub last: bool,
    /// The block that the line must be in: the name of a `block` rule, or `end`.
    #[serde(default)]
    pub within: Option<String>,
    /// `from_start`: the line belongs to the date that began last.
    #[serde(default)]
    pub date: Option<DateFrom>,
}

/// A line and what it must be read as.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The line.
    pub line: String,
    /// The event, or `nothing`.
    pub reads: String,
    /// The captures, as they are read: dates as `YYYY-MM-DD`, figures as whole numbers.
    #[serde(default)]
    pub captures: BTreeMap<String, String>,
}

/// Reads a name that a plan can mean: not blank, and not the word for the dialects of bf itself.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() || name == "built-in" {
        return Err(D::Error::custom(format!(
            "a dialect cannot be called {name:?}: \"built-in\" means those of bf itself, and a name is not empty"
        )));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn rules_are_a_pattern_a_map_or_a_list_of_these() {
        let text = "
name: x
success: '^ok {date}'
failure:
  - '^no {date}'
  - {match: '^lost {date}', within: load}
  - {json: {event: failed}, captures: {date: day}}
end: {match: '^end'}
";
        let dialect: Dialect = serde_yaml::from_str(text).expect("a dialect");
        assert_eq!(dialect.failure.0.len(), 3);
        assert_eq!(dialect.failure.0[1].within.as_deref(), Some("load"));
        let events: Vec<&str> = dialect
            .rules()
            .into_iter()
            .map(|(event, _)| event)
            .collect();
        assert_eq!(events, ["end", "failure", "failure", "failure", "success"]);
        for wrong in [
            "name: x\nsuccess: '('",
            "name: x\nsuccess: {within: load}",
            "name: x\nsuccess: '(?P<nonsense>x)'",
            "name: x\nsuccess: {json: {a: b}, captures: {nonsense: c}}",
            "name: built-in\nsuccess: x",
            "name: x\nsucess: x",
        ] {
            assert!(serde_yaml::from_str::<Dialect>(wrong).is_err(), "{wrong}");
        }
    }
}
