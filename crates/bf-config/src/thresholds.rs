//! The sections of thresholds: one table of their keys, with defaults and ranges.

use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::numbers::Hours;

/// A section of the config: its name and its keys.
#[derive(Debug, PartialEq)]
pub struct Section {
    /// Its name in the file.
    pub name: &'static str,
    /// Its keys, in the order of the shipped config.
    pub keys: &'static [Key],
}

/// A key of a section.
#[derive(Debug, PartialEq)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// Its value in a file that does not have it.
    pub default: f64,
    /// The values that it can have.
    pub kind: Kind,
    /// What it means.
    pub about: &'static str,
}

/// The values that a key can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, at least 0.
    Count,
    /// A share in percent, 0 to 100.
    Percent,
    /// Any finite number.
    Number,
    /// Hours, above 0 and at most a year; fractions are allowed.
    Hours,
}

const fn key(name: &'static str, default: f64, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        default,
        kind,
        about,
    }
}

const SUCCESS_RATE: &str = "Successful dates of the finished ones, in percent, at least";
const QUALITY: &str = "Average quality score, at least";
const READY: &str = "Rows that are ready for production, in percent, at least";
const TIMEOUT: &str = "Hours after which the job counts as timed out";

/// Thresholds of `team_offense_game_summary`.
pub static TEAM_OFFENSE: Section = Section {
    name: "team_offense",
    keys: &[
        key(
            "min_games",
            5_600.0,
            Kind::Count,
            "Games in the documented range, at least",
        ),
        key("min_success_rate", 95.0, Kind::Percent, SUCCESS_RATE),
        key("min_quality_score", 75.0, Kind::Number, QUALITY),
        key("min_production_ready_pct", 80.0, Kind::Percent, READY),
        key("timeout_hours", 12.0, Kind::Hours, TIMEOUT),
    ],
};

/// Thresholds of `player_game_summary`, over the rows that have points.
pub static PLAYER_GAME_SUMMARY: Section = Section {
    name: "player_game_summary",
    keys: &[
        key(
            "min_records",
            35_000.0,
            Kind::Count,
            "Rows in the documented range, at least",
        ),
        key("min_success_rate", 95.0, Kind::Percent, SUCCESS_RATE),
        key(
            "minutes_played_pct",
            99.0,
            Kind::Percent,
            "Rows with minutes_played, in percent, at least",
        ),
        key(
            "usage_rate_pct",
            95.0,
            Kind::Percent,
            "Rows with usage_rate, in percent, at least",
        ),
        key(
            "shot_zones_pct",
            40.0,
            Kind::Percent,
            "Rows with shot zones, in percent, at least",
        ),
        key("min_quality_score", 75.0, Kind::Number, QUALITY),
        key("min_production_ready_pct", 95.0, Kind::Percent, READY),
        key("timeout_hours", 8.0, Kind::Hours, TIMEOUT),
    ],
};

/// Thresholds of the precompute tables, which older config files have. No check uses them.
pub static PRECOMPUTE: Section = Section {
    name: "precompute",
    keys: &[
        key(
            "min_coverage_pct",
            88.0,
            Kind::Percent,
            "Coverage in percent, at least",
        ),
        key("min_success_rate", 95.0, Kind::Percent, SUCCESS_RATE),
        key("timeout_hours", 4.0, Kind::Hours, TIMEOUT),
    ],
};

/// The values of a section: those of the file, and the defaults for the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    section: &'static Section,
    values: Vec<f64>,
}

impl Thresholds {
    /// The defaults of a section.
    #[must_use]
    pub fn new(section: &'static Section) -> Self {
        Self {
            section,
            values: section.keys.iter().map(|key| key.default).collect(),
        }
    }

    /// Each key with its value.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let names = self.section.keys.iter().map(|key| key.name);
        names.zip(self.values.iter().copied())
    }

    /// The value of a key; `None` if the section does not have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.numbers()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The share of successful dates that a log must reach, in percent.
    #[must_use]
    pub fn min_success_rate(&self) -> f64 {
        self.get("min_success_rate").unwrap_or(100.0)
    }

    /// How long the job may take.
    #[must_use]
    pub fn timeout(&self) -> Hours {
        Hours(self.get("timeout_hours").unwrap_or(f64::MAX))
    }

    pub(crate) fn team_offense<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(SectionVisitor(&TEAM_OFFENSE))
    }

    pub(crate) fn player_game_summary<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Self, D::Error> {
        from.deserialize_map(SectionVisitor(&PLAYER_GAME_SUMMARY))
    }

    pub(crate) fn precompute<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Self>, D::Error> {
        from.deserialize_map(SectionVisitor(&PRECOMPUTE)).map(Some)
    }
}

impl Serialize for Thresholds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (name, value) in self.numbers() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

struct SectionVisitor(&'static Section);

impl<'de> Visitor<'de> for SectionVisitor {
    type Value = Thresholds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys of the section {}", self.0.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Thresholds, A::Error> {
        let mut thresholds = Thresholds::new(self.0);
        while let Some(at) = map.next_key_seed(KeySeed(self.0))? {
            thresholds.values[at] = map.next_value_seed(ValueSeed(self.0.keys[at].kind))?;
        }
        Ok(thresholds)
    }
}

/// Reads a key, so that a misspelt one is refused with its line; gives its place in the section.
struct KeySeed(&'static Section);

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<usize, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let keys = self.0.keys;
        keys.iter().position(|key| key.name == name).ok_or_else(|| {
            let known: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
            E::custom(format!(
                "unknown field `{name}`, expected one of {}",
                known.join(", ")
            ))
        })
    }
}

/// Reads a value, so that one out of its range is refused with its line.
struct ValueSeed(Kind);

impl Kind {
    fn range(self) -> RangeInclusive<f64> {
        match self {
            Self::Count => 0.0..=2f64.powi(53),
            Self::Percent => 0.0..=100.0,
            Self::Number => f64::MIN..=f64::MAX,
            Self::Hours => f64::MIN_POSITIVE..=24.0 * 365.0,
        }
    }

    /// What a value of this kind is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Count => "a whole number, 0 or more",
            Self::Percent => "a share in percent (0 to 100)",
            Self::Number => "a finite number",
            Self::Hours => "a number of hours (above 0, at most a year)",
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<f64, D::Error> {
        from.deserialize_any(self)
    }
}

impl ValueSeed {
    fn check<E: Error>(self, value: f64) -> Result<f64, E> {
        if self.0.range().contains(&value) {
            Ok(value)
        } else {
            Err(E::custom(format!("{value} is not {}", self.0.words())))
        }
    }
}

#[allow(clippy::cast_precision_loss)] // a count beyond 2^53 is refused
impl Visitor<'_> for ValueSeed {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.words())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        self.check(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        self.check(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        if self.0 == Kind::Count {
            return Err(E::invalid_type(Unexpected::Float(value), &self));
        }
        self.check(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{PLAYER_GAME_SUMMARY, PRECOMPUTE, TEAM_OFFENSE, Thresholds};

    #[test]
    fn every_default_is_in_the_range_of_its_key() {
        for section in [&TEAM_OFFENSE, &PLAYER_GAME_SUMMARY, &PRECOMPUTE] {
            for key in section.keys {
                assert!(key.kind.range().contains(&key.default), "{}", key.name);
            }
            assert!(Thresholds::new(section).get("min_success_rate").is_some());
            assert!(Thresholds::new(section).get("timeout_hours").is_some());
        }
    }

    #[test]
    fn a_value_out_of_its_range_is_refused() {
        for (value, complaint) in [
            ("min_games: 5600.5", "a whole number"),
            ("min_games: -1", "a whole number"),
            ("min_success_rate: 100.1", "0 to 100"),
            ("min_quality_score: .nan", "a finite number"),
            ("min_quality_score: .inf", "a finite number"),
            ("min_quality_score: \"75\"", "a finite number"),
            ("timeout_hours: 0", "number of hours"),
            ("timeout_hours: 9000", "number of hours"),
            (
                "timeout: 9",
                "unknown field `timeout`, expected one of `min_games`",
            ),
        ] {
            let from = serde_yaml::Deserializer::from_str(value);
            let error = Thresholds::team_offense(from).expect_err(value).to_string();
            assert!(error.contains(complaint), "{value}: {error}");
        }
    }
}
