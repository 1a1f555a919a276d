//! The thresholds of the two tables, and how often things are looked at.

use serde::{Deserialize, Serialize};

use crate::numbers::{Hours, Percent};

/// Thresholds of `team_offense_game_summary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeamOffense {
    /// Games in the documented range, at least.
    pub min_games: u64,
    /// Successful dates of the finished ones, in percent, at least.
    pub min_success_rate: Percent,
    /// Average quality score, at least.
    #[serde(deserialize_with = "finite")]
    pub min_quality_score: f64,
    /// Rows that are ready for production, in percent, at least.
    pub min_production_ready_pct: Percent,
    /// Hours after which the job counts as timed out.
    pub timeout_hours: Hours,
}

impl Default for TeamOffense {
    fn default() -> Self {
        Self {
            min_games: 5_600,
            min_success_rate: Percent(95.0),
            min_quality_score: 75.0,
            min_production_ready_pct: Percent(80.0),
            timeout_hours: Hours(12.0),
        }
    }
}

/// Thresholds of `player_game_summary`, over the rows that have points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlayerGameSummary {
    /// Rows in the documented range, at least.
    pub min_records: u64,
    /// Successful dates of the finished ones, in percent, at least.
    pub min_success_rate: Percent,
    /// Rows with `minutes_played`, in percent, at least.
    pub minutes_played_pct: Percent,
    /// Rows with `usage_rate`, in percent, at least.
    pub usage_rate_pct: Percent,
    /// Rows with shot zones (`paint_attempts`), in percent, at least.
    pub shot_zones_pct: Percent,
    /// Average quality score, at least.
    #[serde(deserialize_with = "finite")]
    pub min_quality_score: f64,
    /// Rows that are ready for production, in percent, at least.
    pub min_production_ready_pct: Percent,
    /// Hours after which the job counts as timed out.
    pub timeout_hours: Hours,
}

impl Default for PlayerGameSummary {
    fn default() -> Self {
        Self {
            min_records: 35_000,
            min_success_rate: Percent(95.0),
            minutes_played_pct: Percent(99.0),
            usage_rate_pct: Percent(95.0),
            shot_zones_pct: Percent(40.0),
            min_quality_score: 75.0,
            min_production_ready_pct: Percent(95.0),
            timeout_hours: Hours(8.0),
        }
    }
}

/// Thresholds of the precompute tables, which older config files have. No check uses them yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Precompute {
    /// Coverage in percent, at least.
    pub min_coverage_pct: Percent,
    /// Successful dates of the finished ones, in percent, at least.
    pub min_success_rate: Percent,
    /// Hours after which the job counts as timed out.
    pub timeout_hours: Hours,
}

impl Default for Precompute {
    fn default() -> Self {
        Self {
            min_coverage_pct: Percent(88.0),
            min_success_rate: Percent(95.0),
            timeout_hours: Hours(4.0),
        }
    }
}

/// How often a job is looked at, and how often that is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polling {
    /// Seconds between two looks, above 0.
    #[serde(deserialize_with = "above_zero")]
    pub interval_seconds: f64,
    /// Progress is said every so many looks, at least 1.
    pub progress_update_interval: std::num::NonZeroU32,
    /// Lines of the log that are shown when a job did not end well.
    pub log_tail_lines: usize,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            interval_seconds: 60.0,
            progress_update_interval: std::num::NonZeroU32::new(10)
                .unwrap_or(std::num::NonZeroU32::MIN),
            log_tail_lines: 30,
        }
    }
}

fn finite<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(serde::de::Error::custom(format!(
            "{number} is no threshold"
        )))
    }
}

fn above_zero<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if seconds > 0.0 && seconds <= 86_400.0 {
        Ok(seconds)
    } else {
        Err(serde::de::Error::custom(format!(
            "{seconds} is not an interval in seconds (above 0, at most a day)"
        )))
    }
}
