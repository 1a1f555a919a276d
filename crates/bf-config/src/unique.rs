//! Refuses a YAML map that gives one key twice, in whatever file and at whatever depth.
//!
//! A map type keeps the last value without a word, so that a second `missing_dates: "off"` would switch off
//! a check that the first one made critical.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Any YAML value in which no map has a key twice. Only the check is of use: it keeps nothing.
pub(crate) struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_none<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while entries.next_key_seed(NewKey { seen: &mut seen })?.is_some() {
            entries.next_value::<Self>()?;
        }
        Ok(self)
    }

    // A tagged value: `!Tag value`.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Self, A::Error> {
        let (_, value) = data.variant::<String>()?;
        value.newtype_variant::<Self>()
    }
}

/// A key that its map does not have yet. The error is made while the key is read: then the reader adds the
/// key's own line.
struct NewKey<'a> {
    seen: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // As text, as the types read it: `1:` and `"1":` are one key.
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        if self.seen.insert(key.to_owned()) {
            Ok(())
        } else {
            Err(E::custom(format!("duplicate key {key:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UniqueKeys;

    fn check(yaml: &str) -> Result<(), String> {
        serde_yaml::from_str::<UniqueKeys>(yaml)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_given_twice_is_refused_with_its_line_at_any_depth() {
        for (yaml, line) in [
            ("a: 1\nb: 2\na: 3\n", 3),
            ("levels:\n  one:\n    x: info\n    y: off\n    x: info\n", 5),
            ("- {a: 1}\n- a: 1\n  b: [{c: 1,\n    c: 2}]\n", 4),
            ("a: {\"b\": 1,\n  'b': 2}\n", 2),
            ("1: x\n\"1\": y\n", 2),
            ("a: !tag\n  b: 1\n  b: 2\n", 3),
            ("a: &x {b: 1}\nc: *x\nd:\n  e: *x\n  e: 1\n", 5),
            ("? a\n: 1\n? a\n: 2\n", 3),
            ("on: 1\non: 2\n", 2),
            ("~: 1\n~: 2\n", 2),
        ] {
            let error = check(yaml).expect_err(yaml);
            assert!(error.contains("duplicate key"), "{yaml}: {error}");
            assert!(error.contains(&format!("line {line} ")), "{yaml}: {error}");
        }
    }

    #[test]
    fn the_same_key_in_two_maps_is_none_twice() {
        for yaml in [
            "a: {x: 1}\nb: {x: 1}\n",
            "- x: 1\n- x: 1\n",
            "x: {x: {x: 1}}\n",
            "a: &k {x: 1}\nb: *k\nc: *k\n",
            "a: !t 1\nb: 1.5\nc: null\nd: -3\ne: 99999999999999999999\nf: \"é\"\n",
            "just a text",
        ] {
            assert_eq!(check(yaml), Ok(()), "{yaml}");
        }
    }
}
