//! Failures by class.

use std::collections::BTreeMap;

use bf_contract::{ErrorClass, ErrorClassCount};
use serde::{Deserialize, Serialize};

use crate::line::fields::contains_ignoring_case;

/// What tells a class, in lower case. The first class that has a word in the message takes it: BigQuery's
/// rate-limit message also links to a page about quotas, and a quota message may come with a 429.
const WORDS: [(ErrorClass, &[&[u8]]); 7] = [
    (
        ErrorClass::RateLimit,
        &[
            b"rate limit",
            b"ratelimit",
            b"too many table update operations",
            b"too many requests",
            b"too many dml statements",
            b"too many concurrent",
        ],
    ),
    (
        ErrorClass::Quota,
        &[
            b"quota",
            b"resources exceeded",
            b"resource has been exhausted",
            b"resource exhausted",
        ],
    ),
    (
        ErrorClass::Serialization,
        &[
            b"could not serialize",
            b"serialize access",
            b"serialization",
            b"concurrent update",
            b"concurrent modification",
            b"database is locked",
            b"deadlock",
        ],
    ),
    (
        ErrorClass::Timeout,
        &[
            b"timeout",
            b"timed out",
            b"deadline exceeded",
            b"deadlineexceeded",
        ],
    ),
    (
        ErrorClass::Schema,
        &[
            b"schema",
            b"overflow",
            b"out of range",
            b"no such field",
            b"cannot add fields",
            b"missing in new",
            b"missing required field",
            b"required field",
            b"unrecognized name",
            b"invalid value",
            b"invalid numeric",
            b"not a valid",
            b"could not convert",
            b"could not parse",
            b"datatype mismatch",
            b"type mismatch",
            b"no such column",
            b"not null constraint",
        ],
    ),
    (
        ErrorClass::NoData,
        &[
            b"no data",
            b"no players",
            b"no games",
            b"no records",
            b"no rows",
            b"no upcoming",
            b"data extracted",
            b"not found",
            b"is empty",
            b"empty result",
            b"no schedule",
        ],
    ),
    (ErrorClass::RateLimit, &[b"429 ", b" 429", b"code=429"]),
];

/// The class of an error message.
pub(crate) fn classify(message: &[u8]) -> ErrorClass {
    WORDS
        .iter()
        .find(|(_, words)| {
            words
                .iter()
                .any(|word| contains_ignoring_case(message, word))
        })
        .map_or(ErrorClass::Other, |(class, _)| *class)
}

/// How many failures of each class there were, and the first message of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorCounts {
    counts: BTreeMap<ErrorClass, (u64, String)>,
}

impl ErrorCounts {
    pub(crate) fn add(&mut self, class: ErrorClass, example: &str) {
        let entry = self.counts.entry(class).or_default();
        entry.0 += 1;
        if entry.0 == 1 {
            example.clone_into(&mut entry.1);
        }
    }

    /// Takes back a failure whose real reason was said later.
    pub(crate) fn take_back(&mut self, class: ErrorClass) {
        if let Some(entry) = self.counts.get_mut(&class) {
            entry.0 -= 1;
            if entry.0 == 0 {
                self.counts.remove(&class);
            }
        }
    }

    /// Most frequent first.
    pub(crate) fn list(&self) -> Vec<ErrorClassCount> {
        let mut list: Vec<_> = self
            .counts
            .iter()
            .map(|(class, (count, example))| ErrorClassCount {
                class: *class,
                count: *count,
                example: example.clone(),
            })
            .collect();
        list.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::classify;
    use bf_contract::ErrorClass;

    #[test]
    fn messages_of_the_warehouse_find_their_class() {
        for (message, class) in [
            (
                "429 Exceeded rate limits: too many table update operations. See https://x/troubleshoot-quotas",
                ErrorClass::RateLimit,
            ),
            (
                "403 Quota exceeded: Your table exceeded quota for imports",
                ErrorClass::Quota,
            ),
            ("429 POST https://bigquery/v2", ErrorClass::RateLimit),
            (
                "400 Could not serialize access to table due to concurrent update",
                ErrorClass::Serialization,
            ),
            (
                "Error while reading data: numeric overflow in usage_rate",
                ErrorClass::Schema,
            ),
            ("Provided Schema does not match Table", ErrorClass::Schema),
            ("No data extracted for 2024-01-05", ErrorClass::NoData),
            ("No players found", ErrorClass::NoData),
            ("Read timed out. (read timeout=60)", ErrorClass::Timeout),
            (
                "'NoneType' object has no attribute 'query'",
                ErrorClass::Other,
            ),
        ] {
            assert_eq!(classify(message.as_bytes()), class, "{message}");
        }
    }
}
