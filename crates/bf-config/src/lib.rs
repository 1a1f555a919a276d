//! The config file: thresholds and settings, each section with its own defaults.
//!
//! Strict, unlike the documents: an unknown key, a key twice in one map or a value of the wrong type is
//! refused with its line.

mod dialects;
mod evidence;
mod expected_dates;
mod hang;
mod load;
pub mod notify;
mod numbers;
mod phase2;
mod polling;
mod secret;
mod thresholds;
mod unique;
mod yaml;
#[cfg(test)]
#[path = "../../../tests/support/yaml_schema.rs"]
mod yaml_schema;

use std::collections::BTreeMap;

use bf_contract::Level;
use serde::{Deserialize, Serialize};

pub use dialects::{
    AtLeast, DateFrom, Dialect, EVENTS, Ends, Form, Logger, NeedsPrefix, Pattern, Reads, Rule,
    Rules, Sample, Unmentioned, group_names,
};
pub use evidence::Evidence;
pub use expected_dates::ExpectedDates;
pub use hang::{Hang, HangLimit};
pub use load::{DEFAULT_PATHS, Loaded, load};
pub use numbers::Hours;
pub use phase2::Phase2;
pub use polling::Polling;
pub use secret::Secret;
pub use thresholds::{
    Key, Kind, PLAYER_GAME_SUMMARY, PRECOMPUTE, Section, TEAM_OFFENSE, Thresholds,
};
pub use yaml::{load_yaml, parse_yaml, read_yaml, write_yaml};

/// The whole config. A section that a file does not have takes its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "sections such as team_offense:"
)]
pub struct Config {
    /// Thresholds of `team_offense_game_summary`.
    #[serde(deserialize_with = "Thresholds::team_offense")]
    pub team_offense: Thresholds,
    /// Thresholds of `player_game_summary`.
    #[serde(deserialize_with = "Thresholds::player_game_summary")]
    pub player_game_summary: Thresholds,
    /// Accepted so that existing files load; no tool uses it, and [`Loaded::describe`] reports that.
    #[serde(deserialize_with = "Thresholds::precompute")]
    pub precompute: Option<Thresholds>,
    /// How often a job is checked, and how often that is reported.
    pub polling: Polling,
    /// How much a check counts: suite → check → level.
    pub levels: BTreeMap<String, BTreeMap<String, Level>>,
    /// The warehouse's URL, if neither a flag nor `BF_WAREHOUSE` names one.
    pub warehouse: Option<String>,
    /// What the warehouse charges for reading 2^40 bytes, in any currency; without it no price is shown.
    #[serde(deserialize_with = "numbers::price")]
    pub price_per_tib: Option<f64>,
    /// The job that starts when phase 1 has passed its gate.
    pub phase2: Phase2,
    /// When a silent process is quiet, stalled or hung.
    pub hang: Hang,
    /// Where the dates that a table should have are listed.
    pub expected_dates: Option<ExpectedDates>,
    /// How much a validator shows of what it found.
    pub evidence: Evidence,
    /// The command that repeats dates: suite → program and arguments, with `{dates}`, `{start}` and `{end}`.
    pub rerun: BTreeMap<String, Vec<String>>,
    /// Log dialects beside the built-in ones.
    pub dialects: Vec<Dialect>,
    /// Who is told what a run does. Never written: it may hold a secret.
    #[serde(skip_serializing, deserialize_with = "notify::channels")]
    pub notify: Vec<notify::Channel>,
    /// What a person does after a run in which everything passed.
    pub next_steps: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            team_offense: Thresholds::new(&TEAM_OFFENSE),
            player_game_summary: Thresholds::new(&PLAYER_GAME_SUMMARY),
            precompute: None,
            polling: Polling::default(),
            levels: BTreeMap::new(),
            warehouse: None,
            price_per_tib: None,
            phase2: Phase2::default(),
            hang: Hang::default(),
            expected_dates: None,
            evidence: Evidence::default(),
            rerun: BTreeMap::new(),
            dialects: Vec::new(),
            notify: Vec::new(),
            next_steps: [
                "Run the phase 4 backfill (precompute)",
                "Train the model on the new data",
                "Compare it with the baseline",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

impl Config {
    /// The thresholds of a section by its name; `None` if no section of thresholds has that name.
    #[must_use]
    pub fn thresholds(&self, section: &str) -> Option<&Thresholds> {
        match section {
            "team_offense" => Some(&self.team_offense),
            "player_game_summary" => Some(&self.player_game_summary),
            _ => None,
        }
    }

    /// The share of successful dates that the log of `job` must reach, in percent: its section's, else all.
    #[must_use]
    pub fn min_success_rate(&self, job: Option<&str>) -> f64 {
        let section = match job {
            Some("team_offense_game_summary") => Some("team_offense"),
            job => job,
        };
        section
            .and_then(|section| self.thresholds(section))
            .map_or(100.0, Thresholds::min_success_rate)
    }

    /// The warehouse's URL: the flag or `BF_WAREHOUSE`, else the config's, else `sqlite:warehouse`.
    #[must_use]
    pub fn warehouse_url<'a>(&'a self, flag: Option<&'a str>) -> &'a str {
        flag.filter(|url| !url.is_empty())
            .or(self.warehouse.as_deref())
            .unwrap_or("sqlite:warehouse")
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Dialect, yaml_schema};

    #[test]
    fn the_schemas_of_config_and_dialect_are_current() {
        yaml_schema::assert_current::<Config>("config");
        yaml_schema::assert_current::<Dialect>("dialect");
    }
}
