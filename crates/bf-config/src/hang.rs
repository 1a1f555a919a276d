//! When a silent process is quiet, stalled or hung.

use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use bf_cli::Seconds;

/// How long nothing may move before that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hang {
    /// No new byte in the log for so long, while CPU or I/O move.
    pub quiet: HangLimit,
    /// No date done for so long, while something moves.
    pub stalled: HangLimit,
    /// Nothing that can be read moves for so long.
    pub hung: HangLimit,
}

impl Default for Hang {
    fn default() -> Self {
        Self {
            quiet: HangLimit::After(Seconds::new(5 * 60)),
            stalled: HangLimit::After(Seconds::new(30 * 60)),
            hung: HangLimit::After(Seconds::new(60 * 60)),
        }
    }
}

/// A limit of [`Hang`]: a duration, or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangLimit {
    /// A multiple of the median time that a date takes in this run.
    Auto,
    /// A fixed time.
    After(Seconds),
}

impl HangLimit {
    /// The limit as a time. `auto` is `multiple` times the median gap, at least `least`; as long as no
    /// median is known it is `otherwise`.
    #[must_use]
    pub fn or_auto(
        self,
        median_gap: Option<Duration>,
        multiple: u32,
        least: Duration,
        otherwise: Self,
    ) -> Duration {
        match (self, median_gap, otherwise) {
            (Self::After(seconds), _, _) | (Self::Auto, None, Self::After(seconds)) => seconds.0,
            (Self::Auto, Some(gap), _) => gap.saturating_mul(multiple).max(least),
            (Self::Auto, None, Self::Auto) => Duration::MAX,
        }
    }
}

impl Serialize for HangLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::After(seconds) => seconds.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HangLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitVisitor;

        impl Visitor<'_> for LimitVisitor {
            type Value = HangLimit;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("auto, or a duration such as 90s, 10m, 8h or a number of seconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<HangLimit, E> {
                if text.trim() == "auto" {
                    return Ok(HangLimit::Auto);
                }
                text.parse().map_err(E::custom).and_then(above_zero)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<HangLimit, E> {
                above_zero(Seconds::new(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<HangLimit, E> {
                Err(E::custom(format!("{number} is not a duration")))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<HangLimit, E> {
                Seconds::from_number(number)
                    .map_err(E::custom)
                    .and_then(above_zero)
            }
        }

        fn above_zero<E: de::Error>(seconds: Seconds) -> Result<HangLimit, E> {
            if seconds.0.is_zero() {
                return Err(E::custom("0 is no time to stand still for (above 0)"));
            }
            Ok(HangLimit::After(seconds))
        }

        deserializer.deserialize_any(LimitVisitor)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::HangLimit;
    use bf_cli::Seconds;

    const MINUTE: Duration = Duration::from_secs(60);
    const FIXED: HangLimit = HangLimit::After(Seconds::new(600));

    fn read(json: &str) -> Result<HangLimit, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_limit_is_a_duration_or_auto() {
        assert_eq!(read("\"auto\""), Ok(HangLimit::Auto));
        assert_eq!(read("\"10m\""), Ok(FIXED));
        assert_eq!(read("600"), Ok(FIXED));
        for wrong in ["0", "-5", "\"soon\"", "[1]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn auto_follows_the_median_once_there_is_one() {
        let auto = HangLimit::Auto;
        assert_eq!(auto.or_auto(None, 5, MINUTE, FIXED), 10 * MINUTE);
        assert_eq!(
            auto.or_auto(Some(3 * MINUTE), 5, MINUTE, FIXED),
            15 * MINUTE
        );
        assert_eq!(
            auto.or_auto(Some(Duration::from_secs(1)), 5, MINUTE, FIXED),
            MINUTE
        );
        assert_eq!(
            FIXED.or_auto(Some(3 * MINUTE), 5, MINUTE, FIXED),
            10 * MINUTE
        );
    }
}
