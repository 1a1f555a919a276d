//! Names that go into SQL: checked once, quoted per engine.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};

/// The longest name that both engines take, in bytes. BigQuery allows 300 for a column.
const MAX_BYTES: usize = 300;

/// A column or parameter name: a letter or `_`, then letters, digits and `_`, all ASCII.
///
/// Narrower than either engine allows, so that no quoting can be broken out of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

/// `dataset.table`, the name of a table in both engines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The dataset: in SQLite, the name that a database file is attached under.
    pub dataset: Ident,
    /// The table in it.
    pub table: Ident,
}

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    text: String,
    expected: &'static str,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not {}", self.text, self.expected)
    }
}

impl std::error::Error for NameError {}

impl Ident {
    /// Checks a name.
    ///
    /// # Errors
    /// Anything but ASCII letters, digits and `_`, a digit in front, nothing, or more than 300 bytes.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_on_well = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if starts_well && goes_on_well && text.len() <= MAX_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                expected: "a name (letters, digits and _)",
            })
        }
    }

    /// The name, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Ident {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Ident {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for TableName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for TableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts = text.split_once('.').and_then(|(dataset, table)| {
            Some(Self {
                dataset: Ident::new(dataset).ok()?,
                table: Ident::new(table).ok()?,
            })
        });
        parts.ok_or_else(|| NameError {
            text: text.to_owned(),
            expected: if text.ends_with('*') {
                "a table: of a wildcard make a view with _TABLE_SUFFIX as a column, and name the view"
            } else if text.split('.').count() == 3 {
                "a table (expected dataset.table): of a table in another project make a view in a dataset of this one, \
                 and name the view"
            } else if text.contains('-') {
                "a table (expected dataset.table, of letters, digits and _): make a view with such a name"
            } else {
                "a table (expected dataset.table, of letters, digits and _)"
            },
        })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// Of `present`, the name that is most like `wanted`, for "did you mean"; `None` where nothing is alike.
#[must_use]
pub fn nearest<'a>(wanted: &str, present: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    present
        .into_iter()
        .map(|name| (likeness(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// 0 (nothing in common) to 1 (the same): the share of letter pairs that both names have.
fn likeness(a: &str, b: &str) -> f64 {
    let pairs = |text: &str| -> Vec<[u8; 2]> {
        text.as_bytes()
            .windows(2)
            .map(|pair| [pair[0], pair[1]])
            .collect()
    };
    let (left, mut right) = (pairs(a), pairs(b));
    let all = left.len() + right.len();
    if all == 0 {
        return f64::from(u8::from(a == b));
    }
    let mut common = 0_u32;
    for pair in left {
        if let Some(at) = right.iter().position(|other| *other == pair) {
            right.swap_remove(at);
            common += 1;
        }
    }
    #[allow(clippy::cast_precision_loss)] // names are short
    let all = all as f64;
    2.0 * f64::from(common) / all
}

#[cfg(test)]
mod tests {
    use super::{Ident, TableName, nearest};

    #[test]
    fn a_name_with_quotes_or_backticks_is_no_name() {
        for text in [
            "a`b", "a\"b", "a'b", "a b", "a.b", "1a", "", "a;b", "naïve", "a\0",
        ] {
            assert!(Ident::new(text).is_err(), "{text:?}");
        }
        assert!(Ident::new("game_date").is_ok());
    }

    #[test]
    fn a_table_is_a_dataset_and_a_table() {
        let table: TableName = "nba_analytics.player_game_summary"
            .parse()
            .expect("a table");
        assert_eq!(table.to_string(), "nba_analytics.player_game_summary");
        for text in ["table", "a.b.c", ".b", "a.", "a.`b`", "../x.y"] {
            assert!(text.parse::<TableName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_is_refused_comes_with_the_way_out() {
        for (text, way) in [
            ("shop.orders_*", "_TABLE_SUFFIX"),
            ("other-project.shop.orders", "another project"),
            ("shop.my-orders", "make a view with such a name"),
            ("orders", "expected dataset.table"),
        ] {
            let error = text.parse::<TableName>().expect_err(text);
            assert!(error.to_string().contains(way), "{error}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_a_stranger_is_not() {
        let present = ["game_date", "production_ready", "usage_pct"];
        assert_eq!(
            nearest("is_production_ready", present),
            Some("production_ready")
        );
        assert_eq!(nearest("quality_tier", present), None);
    }
}
