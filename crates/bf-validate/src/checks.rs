//! The kinds of checks, one file each: how a suite writes it, what it measures, how it judges that, and which rows it
//! shows. [`kinds`] is the list of them; everything that goes by kind is derived from it.

mod accepted_values;
mod average;
mod change;
mod completeness;
mod context;
mod distinct_count;
mod expected;
mod freshness;
mod kind;
mod matching_rows;
mod maximum;
mod minimum;
mod missing_dates;
mod missing_groups;
mod number;
mod partner;
mod plan;
mod planning;
mod reference;
mod reference_range;
mod row_count;
mod rows_per_group;
mod scheduled;
mod share;
mod shares;
mod sql;
mod sums;
mod unique_key;
mod unmatched_keys;
mod unscheduled_groups;
mod value_range;
mod varies;

#[cfg(test)]
mod testing;

use serde::de::MapAccess;

pub(crate) use context::{Context, Facts};
pub(crate) use kind::{CheckKind, Figure, Kind};
pub(crate) use plan::{Planned, plan};
pub(crate) use planning::{Planning, Query};

use accepted_values::AcceptedValues;
use average::Average;
use change::Change;
use completeness::Completeness;
use distinct_count::DistinctCount;
use freshness::Freshness;
use matching_rows::MatchingRows;
use maximum::Maximum;
use minimum::Minimum;
use missing_dates::MissingDates;
use missing_groups::MissingGroups;
use reference::Reference;
use row_count::RowCount;
use rows_per_group::RowsPerGroup;
use scheduled::Scheduled;
use share::Share;
use sql::Sql;
use sums::Sums;
use unique_key::UniqueKey;
use unmatched_keys::UnmatchedKeys;
use unscheduled_groups::UnscheduledGroups;
use value_range::ValueRange;
use varies::Varies;

kinds! {
    RowCount,
    DistinctCount,
    MatchingRows,
    Completeness,
    Share,
    Average,
    Minimum,
    Maximum,
    Varies,
    AcceptedValues,
    ValueRange,
    UniqueKey,
    RowsPerGroup,
    MissingDates,
    MissingGroups,
    UnscheduledGroups,
    Scheduled,
    Freshness,
    Change,
    Reference,
    UnmatchedKeys,
    Sums,
    Sql,
}

/// The keys of all kinds.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> + Clone {
    REFERENCE.iter().map(|(key, _)| *key)
}

/// Makes the list of kinds: their keys, and how the value of a key is read.
macro_rules! kinds {
    ($($kind:ident,)*) => {
        /// The keys of all kinds, with what each measures.
        const REFERENCE: &[(&str, &str)] = &[
            $((<$kind as CheckKind>::KEY, <$kind as CheckKind>::DOC)),*
        ];

        /// Reads the value of a key, if it is that of a kind.
        pub(crate) fn read<'de, A: MapAccess<'de>>(
            key: &str,
            map: &mut A,
        ) -> Result<Option<Box<dyn Kind>>, A::Error> {
            $(if key == <$kind as CheckKind>::KEY {
                return Ok(Some(Box::new(map.next_value::<$kind>()?)));
            })*
            Ok(None)
        }
    };
}
use kinds;

#[cfg(test)]
mod tests {
    use super::{REFERENCE, keys};

    #[test]
    fn every_kind_has_a_key_of_its_own_and_is_in_the_reference_as_it_says() {
        let docs = include_str!("../../../docs/reference/suite.md");
        for (at, (key, doc)) in REFERENCE.iter().enumerate() {
            assert!(!keys().take(at).any(|other| other == *key), "{key}");
            let row = format!("| `{key}` | {doc} |");
            assert!(docs.contains(&row), "docs/reference/suite.md lacks {row}");
        }
    }
}
