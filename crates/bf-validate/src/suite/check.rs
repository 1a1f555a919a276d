//! A check as a suite writes it: optional keys, of which exactly one names the kind.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bf_contract::{Comparison, Level};
use bf_warehouse::{Condition, nearest};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::spec::{Bound, CheckSpec};
use crate::checks::{self, Figure, Kind};

/// One check.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(super) spec: CheckSpec,
    /// What it checks.
    pub kind: Box<dyn Kind>,
}

impl Deref for Check {
    type Target = CheckSpec;

    fn deref(&self) -> &CheckSpec {
        &self.spec
    }
}

impl DerefMut for Check {
    fn deref_mut(&mut self) -> &mut CheckSpec {
        &mut self.spec
    }
}

/// The keys that every check may have.
const KEYS: &[&str] = &[
    "name",
    "title",
    "section",
    "level",
    "filter",
    "all_rows",
    "optional",
    "at_least",
    "at_most",
    "exactly",
    "config_key",
];

#[derive(Default)]
struct Written {
    name: Option<String>,
    title: Option<String>,
    section: Option<String>,
    level: Level,
    filter: Option<Condition>,
    all_rows: bool,
    optional: bool,
    thresholds: Vec<(Comparison, f64)>,
    config_key: Option<String>,
    kinds: Vec<Box<dyn Kind>>,
}

impl<'de> Deserialize<'de> for Check {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CheckVisitor;

        impl<'de> Visitor<'de> for CheckVisitor {
            type Value = Check;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a check: {name: …, a kind: …, at_least: …}")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Check, A::Error> {
                read(map)
            }
        }

        deserializer.deserialize_map(CheckVisitor)
    }
}

fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<Check, A::Error> {
    let mut written = Written::default();
    let mut seen: Vec<String> = Vec::new();
    while let Some(key) = map.next_key::<String>()? {
        if seen.contains(&key) {
            return Err(A::Error::custom(format!("duplicate key {key}")));
        }
        let mut threshold = |op, map: &mut A| {
            let value: Option<f64> = map.next_value()?;
            written.thresholds.extend(value.map(|value| (op, value)));
            Ok(())
        };
        match key.as_str() {
            "name" => written.name = map.next_value()?,
            "title" => written.title = map.next_value()?,
            "section" => written.section = map.next_value()?,
            "level" => written.level = map.next_value()?,
            "filter" => written.filter = map.next_value()?,
            "all_rows" => written.all_rows = map.next_value()?,
            "optional" => written.optional = map.next_value()?,
            "at_least" => threshold(Comparison::AtLeast, &mut map)?,
            "at_most" => threshold(Comparison::AtMost, &mut map)?,
            "exactly" => threshold(Comparison::Exactly, &mut map)?,
            "config_key" => written.config_key = map.next_value()?,
            other => match checks::read(other, &mut map)? {
                Some(kind) => written.kinds.push(kind),
                None => return Err(A::Error::custom(unknown(other))),
            },
        }
        seen.push(key);
    }
    written.check().map_err(A::Error::custom)
}

fn unknown(key: &str) -> String {
    let known = || KEYS.iter().copied().chain(checks::keys());
    match nearest(key, known()) {
        Some(meant) => format!("unknown key {key} of a check: did you mean {meant}?"),
        None => format!(
            "unknown key {key} of a check, expected one of {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    }
}

impl Written {
    fn check(self) -> Result<Check, String> {
        let name = self.name.ok_or("a check without a name")?;
        let mut kinds = self.kinds.into_iter();
        let (Some(mut kind), None) = (kinds.next(), kinds.next()) else {
            return Err(format!(
                "check {name} must have exactly one kind ({})",
                checks::keys().collect::<Vec<_>>().join(", ")
            ));
        };
        kind.complete(self.thresholds.first().map(|(op, _)| *op));
        let given = match (self.thresholds.as_slice(), &self.config_key) {
            ([(op, value)], _) if value.is_finite() => Some((*op, *value)),
            ([], None) => kind.default_threshold(),
            ([], Some(_)) => {
                return Err(format!("check {name} has a config_key without a threshold"));
            }
            _ => {
                return Err(format!(
                    "check {name} must have one threshold, a finite number"
                ));
            }
        };
        if given.is_none() && self.level != Level::Info {
            return Err(format!(
                "check {name} needs a threshold (at_least, at_most or exactly), or level: info"
            ));
        }
        let title = self.title.unwrap_or_else(|| {
            if name.contains(kind.key()) {
                name.clone()
            } else {
                format!("{name} ({})", kind.key())
            }
        });
        let spec = CheckSpec {
            section: self.section.unwrap_or_else(|| title.clone()),
            name,
            title,
            level: self.level,
            filter: self.filter,
            all_rows: self.all_rows,
            optional: self.optional,
            bound: given.map(|(op, value)| Bound {
                op,
                value,
                config_key: self.config_key,
            }),
        };
        Ok(Check { spec, kind })
    }
}

impl Check {
    /// Refuses a threshold or a floor that the figure can never be compared with.
    pub(super) fn verify_threshold(&self) -> Result<(), String> {
        for (key, value) in self.kind.floors() {
            if let Some(value) = value {
                percentage(key, value, true)?;
            }
        }
        let Some(bound) = &self.bound else {
            return Ok(());
        };
        let key = match bound.op {
            Comparison::AtLeast => "at_least",
            Comparison::AtMost => "at_most",
            Comparison::Exactly | Comparison::Unknown => "exactly",
        };
        let is_at_least = bound.op == Comparison::AtLeast;
        match self.kind.figure() {
            Figure::Count if !is_at_least && bound.value < 0.0 => {
                Err(format!("a count is never {}", bound.value))
            }
            // More than before is more than 100 % of it.
            Figure::Ratio if bound.op == Comparison::AtMost && bound.value >= 0.0 => Ok(()),
            Figure::Percent | Figure::Ratio => percentage(key, bound.value, is_at_least),
            Figure::Count | Figure::Number => Ok(()),
        }
    }
}

/// Refuses what is not a percentage; as a floor also what was surely meant as a fraction of 1.
fn percentage(key: &str, value: f64, is_floor: bool) -> Result<(), String> {
    if !(0.0..=100.0).contains(&value) {
        return Err(format!("{key}: {value} is not a percentage (0 to 100)"));
    }
    if is_floor && value > 0.0 && value < 1.0 {
        return Err(format!(
            "{key}: {value} would be under one percent; shares are given in percent (0.99 is 99)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::suite::Suite;

    fn refused(check: &str) -> String {
        let text = format!(
            "suite: a\ntable: b.c\ndate_column: d\nprimary_key: [d]\nchecks:\n  - {{name: x, {check}}}\n"
        );
        let failure = Suite::parse(&text, "a test").expect_err(check);
        assert!(failure.message.contains("line 6"), "{}", failure.message);
        failure.message
    }

    #[test]
    fn what_no_check_can_be_is_refused_with_its_line() {
        for (check, why) in [
            ("row_cuont: {}, at_least: 1", "did you mean row_count?"),
            ("zzz: 1", "expected one of"),
            ("row_count: {}, row_count: {}, at_least: 1", "duplicate key"),
            ("row_count: {}, unique_key: {}", "exactly one kind"),
            ("row_count: {columns: [a]}, at_least: 1", "unknown field"),
            ("row_count: {}", "needs a threshold"),
            ("row_count: {}, at_least: 1, at_most: 2", "one threshold"),
            ("unique_key: {}, at_most: -1", "a count is never -1"),
            (
                "share: {of: {column: a, is_null: true}}, at_least: 101",
                "not a percentage",
            ),
            (
                "share: {of: {column: a, is_null: true}}, at_least: 0.99",
                "0.99 is 99",
            ),
            ("missing_groups: {}", "needs the suite's group"),
            (
                "value_range: {column: a, min: 2, max: 1}",
                "min is above max",
            ),
        ] {
            let message = refused(check);
            assert!(message.contains(why), "{check}: {message}");
        }
    }
}
