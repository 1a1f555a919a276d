//! Durations as people write them: `90s`, `10m`, `8h`, or a bare number of seconds.

use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A duration that reads `90s`, `10m`, `8h`, `1h 30m` or a bare number of seconds, in flags and in the
/// config, and is written as a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

impl Seconds {
    /// A whole number of seconds.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Reads a number of seconds that may have a fraction.
    ///
    /// # Errors
    /// A number that is negative, not finite, or too large for a duration.
    pub fn from_number(seconds: f64) -> Result<Self, String> {
        Duration::try_from_secs_f64(seconds)
            .map(Self)
            .map_err(|_| format!("{seconds} is not a duration"))
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.trim().parse::<f64>() {
            return Self::from_number(number);
        }
        humantime::parse_duration(text.trim())
            .map(Self)
            .map_err(|_| {
                format!("{text:?} is not a duration (expected 90s, 10m, 8h or a number of seconds)")
            })
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondsVisitor;

        impl Visitor<'_> for SecondsVisitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a duration such as 90s, 10m, 8h or a number of seconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seconds, E> {
                Ok(Seconds::new(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Seconds, E> {
                Err(E::custom(format!("{number} is not a duration")))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Seconds, E> {
                Seconds::from_number(number).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(SecondsVisitor)
    }
}
