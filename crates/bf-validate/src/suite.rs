//! A suite: the checks of one table, as data.

mod builtin;
mod calendar;
mod check;
mod levels;
mod misspelt;
pub(crate) mod reserved;
mod resolve;
mod rules;
mod spec;
mod written_at;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use bf_cli::Failure;
use bf_config::{Config, parse_yaml, read_yaml};
use bf_contract::Level;
use serde::Deserialize;

pub(crate) use levels::verify as verify_levels;

pub(crate) use builtin::Builtin;
pub(crate) use calendar::{Bootstrap, Calendar, Schedule};
pub(crate) use check::Check;
use reserved::RESERVED;
pub(crate) use spec::{CheckSpec, Partner, TableSpec};

/// A table and its checks.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    spec: TableSpec,
    /// The checks.
    pub checks: Vec<Check>,
    /// The file that it was read from, and what that says; none if it is built in.
    source: Option<(String, String)>,
}

/// The part of a suite's text that [`TableSpec`] leaves out.
#[derive(Deserialize)]
struct Checks {
    #[serde(default)]
    checks: Vec<Check>,
}

impl Deref for Suite {
    type Target = TableSpec;

    fn deref(&self) -> &TableSpec {
        &self.spec
    }
}

impl DerefMut for Suite {
    fn deref_mut(&mut self) -> &mut TableSpec {
        &mut self.spec
    }
}

/// The numbers of a config section by key; `None` where there is no such section.
fn numbers(config: &Config, section: &str) -> Option<Vec<(&'static str, f64)>> {
    Some(config.thresholds(section)?.numbers().collect())
}

/// The smallest success rate that a suite's log may have, in percent: its own, the config section's, else 100.
#[must_use]
pub(crate) fn min_success_rate(config: &Config, suite: &Suite) -> f64 {
    let section = suite.config_section.as_deref();
    let of_section = section
        .and_then(|section| numbers(config, section))
        .and_then(|numbers| {
            numbers
                .into_iter()
                .find(|(key, _)| *key == "min_success_rate")
        })
        .map(|(_, value)| value);
    suite.min_success_rate.or(of_section).unwrap_or(100.0)
}

/// Where a check is in the text of its suite, the `nth` of that name: ` at line 3 column 5`.
fn place(text: &str, check: &str, nth: usize) -> String {
    let is_it = |line: &str| {
        let at = line.find("name:")?;
        let value = line[at + 5..].split([',', '}', '#']).next()?;
        let value = value.trim().trim_matches(['"', '\'']);
        (value == check).then_some(at + 1)
    };
    let lines = text.lines().enumerate();
    let found: Vec<(usize, usize)> = lines
        .filter_map(|(number, line)| Some((number + 1, is_it(line)?)))
        .collect();
    let found = found.get(nth).or(found.last());
    found.map_or_else(String::new, |(line, column)| {
        format!(" at line {line} column {column}")
    })
}

impl Suite {
    /// Reads a suite from a file.
    ///
    /// # Errors
    /// The file cannot be read or is no suite: usage (exit 2), with the line.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let text = read_yaml(path)?;
        let origin = path.display().to_string();
        let mut suite = Self::parse(&text, &origin)?;
        suite.source = Some((origin, text));
        Ok(suite)
    }

    /// Reads a suite from text; `name` says in an error where the text is from.
    ///
    /// # Errors
    /// The text is no suite: usage (exit 2), with the line.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        let Checks { checks } = parse_yaml(text, name)?;
        let spec = parse_yaml(text, name)?;
        let suite = Self {
            spec,
            checks,
            source: None,
        };
        suite.verified(name, text)
    }

    /// What no type can say.
    fn verified(self, origin: &str, text: &str) -> Result<Self, Failure> {
        let refuse_at = |reason: String, place: String| {
            Err(Failure::usage(format!("{origin}: {reason}{place}"))
                .hint("nothing was started; fix that line"))
        };
        let refuse = |reason: String| Err(Failure::usage(format!("{origin}: {reason}")));
        if self.checks.is_empty() {
            return refuse("a suite without checks would pass everything".to_owned());
        }
        if self.primary_key.is_empty() {
            return refuse("primary_key is empty".to_owned());
        }
        if let Some(range) = self.reference_range
            && range.end < range.start
        {
            return refuse(format!("reference_range {range} ends before it starts"));
        }
        if let Some(reason) = self.bootstrap.as_ref().and_then(Bootstrap::flaw) {
            return refuse(reason);
        }
        if let Some(rate) = self.min_success_rate
            && !(0.0..=100.0).contains(&rate)
        {
            return refuse(format!(
                "min_success_rate: {rate} is not a percentage (0 to 100)"
            ));
        }
        if let Err(failure) = self.timezone() {
            return refuse(failure.message);
        }
        for (at, check) in self.checks.iter().enumerate() {
            if self.checks[..at]
                .iter()
                .any(|other| other.name == check.name)
            {
                let place = place(text, &check.name, 1);
                return refuse_at(format!("duplicate check name {}", check.name), place);
            }
            if RESERVED.contains(&check.name.as_str()) {
                let reason = format!(
                    "the check name {} is reserved for a check that bf adds by itself; give yours another name",
                    check.name
                );
                return refuse_at(reason, place(text, &check.name, 0));
            }
            let flaw = check.kind.verify(&self.spec);
            if let Err(reason) = flaw.and_then(|()| check.verify_threshold()) {
                let reason = format!("check {}: {reason}", check.name);
                return refuse_at(reason, place(text, &check.name, 0));
            }
        }
        Ok(self)
    }

    /// The suite with the config's thresholds and levels in place of its own.
    ///
    /// # Errors
    /// The config sets the level of a check that the suite does not have, or a `config_key` is not in its
    /// section: usage (exit 2).
    pub(crate) fn configured(mut self, config: &Config) -> Result<Self, Failure> {
        let numbers = match &self.config_section {
            Some(section) => numbers(config, section).ok_or_else(|| {
                Failure::usage(format!(
                    "suite {}: the config has no section {section}",
                    self.suite
                ))
            })?,
            None => Vec::new(),
        };
        for check in &mut self.checks {
            let CheckSpec { name, bound, .. } = &mut check.spec;
            if let Some(bound) = bound
                && let Some(key) = &bound.config_key
            {
                let found = numbers
                    .iter()
                    .find(|(name, _)| name == key)
                    .map(|(_, value)| *value);
                bound.value = found.ok_or_else(|| {
                    Failure::usage(format!(
                        "suite {}: check {}: no key {key} in the config's section",
                        self.spec.suite, name
                    ))
                })?;
            }
        }
        if let Some(levels) = config.levels.get(&self.suite) {
            self.knows(levels)?;
            for check in &mut self.checks {
                if let Some(level) = levels.get(&check.name) {
                    check.level = *level;
                }
            }
        }
        Ok(self)
    }

    /// Refuses levels of checks that the suite does not have.
    pub(crate) fn knows(&self, levels: &BTreeMap<String, Level>) -> Result<(), Failure> {
        let own = self.checks.iter().map(|check| check.name.as_str());
        let known: Vec<&str> = own.chain(RESERVED).collect();
        match levels.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Failure::usage(format!(
                "config: levels: suite {} has no check {name}",
                self.suite
            ))
            .hint(format!("its checks: {}", known.join(", ")))),
        }
    }

    /// The calendar that says when it has rows, if a check names one.
    #[must_use]
    pub(crate) fn calendar(&self) -> Option<Calendar> {
        let mut kinds = self.checks.iter().map(|check| &check.kind);
        kinds.find_map(|kind| kind.calendar())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;

    use super::{Checks, Suite, TableSpec};
    use crate::checks;

    #[test]
    fn the_schema_of_the_suite_is_current() {
        crate::yaml_schema::assert_parser("suite", &|tracer| match tracer.is_at("checks") {
            true => Checks::deserialize(tracer).map(drop),
            false => TableSpec::deserialize(tracer).map(drop),
        });
    }

    #[test]
    fn the_example_of_the_reference_is_a_suite_with_every_kind() {
        let docs = include_str!("../../../docs/reference/suite.md");
        let (_, example) = docs.split_once("```yaml\n").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let suite = Suite::parse(example, "the example").expect("a suite");
        for key in checks::keys() {
            let has_kind = suite.checks.iter().any(|check| check.kind.key() == key);
            assert!(has_kind, "the example has no {key}");
        }
    }
}
