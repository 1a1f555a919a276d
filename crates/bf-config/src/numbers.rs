//! Numbers of the config that have a range.

use std::time::Duration;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

/// A number of hours, above 0; fractions are allowed.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Hours(pub f64);

impl Hours {
    /// The same as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        // In range by construction: see the deserializer.
        Duration::try_from_secs_f64(self.0 * 3600.0).unwrap_or(Duration::MAX)
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number > 0.0 && number <= 24.0 * 365.0 {
            Ok(Self(number))
        } else {
            Err(D::Error::custom(format!(
                "{number} is not a number of hours (above 0, at most a year)"
            )))
        }
    }
}

/// Reads a price, which is above 0.
pub(crate) fn price<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let price = f64::deserialize(from)?;
    if price > 0.0 && price.is_finite() {
        Ok(Some(price))
    } else {
        Err(D::Error::custom(format!(
            "{price} is not a price (above 0)"
        )))
    }
}
