//! How often a job is checked, and how often that is reported.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// How often a job is checked, and how often that is reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polling {
    /// Seconds between two checks, above 0 and at most a day.
    #[serde(deserialize_with = "above_zero")]
    pub interval_seconds: f64,
    /// Progress is reported every so many checks, at least 1.
    pub progress_update_interval: NonZeroU32,
    /// Lines of the log that are shown when a job did not end well.
    pub log_tail_lines: usize,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            interval_seconds: 60.0,
            progress_update_interval: NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN),
            log_tail_lines: 30,
        }
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
