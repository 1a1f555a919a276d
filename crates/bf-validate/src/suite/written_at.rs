//! The column that says when a row was written.

use std::fmt;

use bf_warehouse::Ident;
use chrono::FixedOffset;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// When a row was written. A suite writes the column alone, or `{column: …, zone: …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenAt {
    /// The column.
    pub column: Ident,
    /// The zone of times that do not name their own.
    pub zone: Option<FixedOffset>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    column: Ident,
    zone: Option<String>,
}

impl<'de> Deserialize<'de> for WrittenAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WrittenAtVisitor;

        impl<'de> Visitor<'de> for WrittenAtVisitor {
            type Value = WrittenAt;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column, or {column: a_column, zone: UTC}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<WrittenAt, E> {
                let column = Ident::new(text).map_err(E::custom)?;
                Ok(WrittenAt { column, zone: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenAt, A::Error> {
                let written = Written::deserialize(MapAccessDeserializer::new(map))?;
                let zone = written.zone.as_deref().map(zone).transpose();
                Ok(WrittenAt {
                    column: written.column,
                    zone: zone.map_err(A::Error::custom)?,
                })
            }
        }

        deserializer.deserialize_any(WrittenAtVisitor)
    }
}

/// `UTC`, `Z` or an offset such as `+02:00`.
fn zone(text: &str) -> Result<FixedOffset, String> {
    let offset = match text.trim() {
        "UTC" | "utc" | "Z" | "z" => "+00:00",
        offset => offset,
    };
    offset
        .parse()
        .map_err(|_| format!("zone {text:?} is neither UTC nor an offset such as +02:00"))
}

#[cfg(test)]
mod tests {
    use bf_config::parse_yaml;

    use super::WrittenAt;

    fn read(text: &str) -> Option<WrittenAt> {
        parse_yaml(text, "a test").ok()
    }

    #[test]
    fn a_zone_is_utc_or_an_offset() {
        assert_eq!(read("written").expect("a column").zone, None);
        let seconds = |text: &str| {
            let zone = read(&format!("{{column: written, zone: '{text}'}}"))?.zone?;
            Some(zone.local_minus_utc())
        };
        assert_eq!(seconds("UTC"), Some(0));
        assert_eq!(seconds("+02:00"), Some(7_200));
        assert_eq!(seconds("-05:30"), Some(-19_800));
        assert_eq!(seconds("somewhere"), None);
        assert_eq!(read("{columns: written}"), None);
    }
}
