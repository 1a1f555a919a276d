//! One date of the ledger: its units, and what the last attempt at each came to.

use bf_contract::{ErrorClass, LedgerStatus};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The outcome of one attempt at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Success,
    Failed,
    Skipped,
    Looked,
}

/// What became of a date in the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Word {
    pub(super) outcome: Outcome,
    pub(super) run: u64,
    pub(super) records: Option<u64>,
    pub(super) reason: Option<String>,
    /// The class that a failure was counted in.
    pub(super) class: Option<ErrorClass>,
    #[serde(default)]
    pub(super) line: Option<u64>,
    /// Whether the attempt was begun before its outcome, so that a second outcome needs a second begin.
    pub(super) begun: bool,
}

/// One unit of a date: most jobs have one a date, others several (models, tables, files).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) unit: Option<String>,
    pub(super) word: Option<Word>,
    /// The run that began the date again and has said nothing of it since.
    pub(super) open: Option<u64>,
    pub(super) attempts: u64,
    /// Whether another job failed at the date, which no success of this one makes good.
    #[serde(default)]
    pub(super) pinned: bool,
}

impl Entry {
    /// The status to count: what the last attempt came to. A failure stays one until an attempt has come
    /// to something else; a success that is being written anew is no success before it is done.
    pub(super) fn status(&self, running: Option<u64>) -> LedgerStatus {
        let pending = |run| {
            if running == Some(run) {
                LedgerStatus::InProgress
            } else {
                LedgerStatus::Interrupted
            }
        };
        match (&self.word, self.open) {
            _ if self.pinned => LedgerStatus::Failed,
            (Some(word), _) if word.outcome == Outcome::Failed => LedgerStatus::Failed,
            (_, Some(run)) => pending(run),
            (Some(word), None) => match word.outcome {
                Outcome::Success => LedgerStatus::Success,
                Outcome::Failed => LedgerStatus::Failed,
                Outcome::Skipped => LedgerStatus::Skipped,
                Outcome::Looked => LedgerStatus::DryRun,
            },
            (None, None) => LedgerStatus::Interrupted,
        }
    }
}

/// A date: its units, which are never none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Day(pub(super) Vec<Entry>);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A list of units; a date of an older state file is one unit without a list.
        struct Units;
        impl<'de> Visitor<'de> for Units {
            type Value = Day;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the units of a date")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Day, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Day)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Day, A::Error> {
                Entry::deserialize(MapAccessDeserializer::new(map)).map(|entry| Day(vec![entry]))
            }
        }
        deserializer.deserialize_any(Units)
    }
}

impl Day {
    pub(super) fn unit(&mut self, unit: Option<&str>) -> &mut Entry {
        let at = self
            .0
            .iter()
            .position(|entry| entry.unit.as_deref() == unit);
        let at = at.unwrap_or_else(|| {
            self.0.push(Entry {
                unit: unit.map(str::to_owned),
                ..Entry::default()
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// A date failed if one of its units did, and is done when all of them are.
    pub(super) fn status(&self, running: Option<u64>) -> LedgerStatus {
        const WORST_FIRST: [LedgerStatus; 6] = [
            LedgerStatus::Failed,
            LedgerStatus::InProgress,
            LedgerStatus::Interrupted,
            LedgerStatus::Success,
            LedgerStatus::Skipped,
            LedgerStatus::DryRun,
        ];
        if let [entry] = self.0.as_slice() {
            return entry.status(running);
        }
        let has =
            |status: &&LedgerStatus| self.0.iter().any(|entry| entry.status(running) == **status);
        *WORST_FIRST
            .iter()
            .find(has)
            .unwrap_or(&LedgerStatus::Interrupted)
    }

    /// Records of its successful units; `None` where none of them tells.
    pub(super) fn records(&self) -> Option<u64> {
        self.0
            .iter()
            .filter_map(|entry| entry.word.as_ref())
            .filter(|word| word.outcome == Outcome::Success)
            .filter_map(|word| word.records)
            .reduce(u64::saturating_add)
    }
}

/// What a run has done to the ledger so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunCounts {
    pub(crate) successful: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) looked: u64,
}

impl RunCounts {
    pub(super) fn of(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Success => &mut self.successful,
            Outcome::Failed => &mut self.failed,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Looked => &mut self.looked,
        }
    }

    /// Dates that something was written for, or should have been.
    pub(crate) fn worked(&self) -> u64 {
        self.successful + self.failed
    }
}
