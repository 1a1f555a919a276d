//! What every document has in common: its `type` and its `schema`.

use serde::de::{self, Deserializer, IntoDeserializer};
use serde::{Deserialize, Serialize, Serializer};

/// The version of the contract. There is one so far; a document of a later one is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schema;

impl Schema {
    /// The version that this build writes, and the newest that it reads.
    pub const CURRENT: u32 = 1;
}

#[cfg(test)]
impl schemars::JsonSchema for Schema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Schema".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"const": Self::CURRENT})
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::CURRENT)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            Self::CURRENT => Ok(Self),
            other => Err(de::Error::custom(format!(
                "schema {other} is not known here (this bf reads schema {})",
                Self::CURRENT
            ))),
        }
    }
}

/// Defines the zero-sized type of a document's `type` field: it is written as one fixed text and
/// refuses every other, so that a document can never be taken for one of another kind.
macro_rules! document_type {
    ($(#[$doc:meta])* $name:ident = $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// The text of the `type` field.
            pub const TEXT: &'static str = $text;
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"const": Self::TEXT})
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Self::TEXT)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let found = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                if found == Self::TEXT {
                    Ok(Self)
                } else {
                    Err(serde::de::Error::custom(format!(
                        "type is {found:?}, not {:?}",
                        Self::TEXT
                    )))
                }
            }
        }
    };
}
pub(crate) use document_type;

/// Reads a word of an enum that a config file may hold as well, which must refuse a word that it does not know:
/// in a document such a word is `unknown`.
pub(crate) fn or_unknown<'de, D, T>(deserializer: D, unknown: T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let word = String::deserialize(deserializer)?;
    let known: Result<T, de::value::Error> = T::deserialize(word.into_deserializer());
    Ok(known.unwrap_or(unknown))
}
