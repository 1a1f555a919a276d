//! What is known of each date.

use bf_contract::{DateRange, ErrorClass, LedgerEntry, LedgerStatus};
use chrono::NaiveDate;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::run::dates::Dates;
use crate::run::errors::{ErrorCounts, classify};

/// The outcome of one attempt at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Success,
    Failed,
    Skipped,
    Looked,
}

/// The last word on a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Word {
    outcome: Outcome,
    run: u64,
    records: Option<u64>,
    reason: Option<String>,
    /// The class that a failure was counted in.
    class: Option<ErrorClass>,
    #[serde(default)]
    line: Option<u64>,
    /// Whether the attempt was begun before its outcome, so that a second outcome needs a second begin.
    begun: bool,
}

/// One unit of a date: most jobs have one a date, others several (models, tables, files).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(default)]
    unit: Option<String>,
    word: Option<Word>,
    /// The run that began the date again and has said nothing of it since.
    open: Option<u64>,
    attempts: u64,
    /// Whether another job failed at the date, which no success of this one makes good.
    #[serde(default)]
    pinned: bool,
}

impl Entry {
    /// The status to count: what the last attempt came to. A failure stays one until an attempt has come
    /// to something else; a success that is being written anew is no success before it is done.
    fn status(&self, running: Option<u64>) -> LedgerStatus {
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
struct Day(Vec<Entry>);

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
    fn unit(&mut self, unit: Option<&str>) -> &mut Entry {
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
    fn status(&self, running: Option<u64>) -> LedgerStatus {
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
    fn records(&self) -> Option<u64> {
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
    fn of(&mut self, outcome: Outcome) -> &mut u64 {
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

/// Totals over the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LedgerCounts {
    pub(crate) successful: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) zero_records: u64,
    pub(crate) records: u64,
}

/// All dates that the log speaks of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    dates: Dates<Day>,
    pub(crate) errors: ErrorCounts,
}

/// What a run says of a date, with its run's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) run: u64,
    pub(crate) unit: Option<&'a str>,
    /// Whether the job tries a date again in one run, so that a success makes a failure good.
    pub(crate) retries: bool,
    /// What tells the line from others, for a job that may have several lines of one date.
    pub(crate) line: Option<u64>,
    pub(crate) outcome: Outcome,
    pub(crate) records: Option<u64>,
    pub(crate) reason: Option<&'a str>,
}

impl Ledger {
    /// A date begins in `run`. Said twice before its outcome, it is still one attempt.
    pub(crate) fn begin(&mut self, date: NaiveDate, unit: Option<&str>, run: u64) {
        let entry = self.dates.entry(date).unit(unit);
        if entry.open != Some(run) {
            entry.open = Some(run);
            entry.attempts += 1;
        }
    }

    /// As [`Ledger::begin`], by a logger that is not the job's: it cannot take back what the job said of
    /// the date in this run.
    pub(crate) fn begin_quietly(&mut self, date: NaiveDate, run: u64) {
        if !self.was_said_in(date, None, run) {
            self.begin(date, None, run);
        }
    }

    fn entry(&self, date: NaiveDate, unit: Option<&str>) -> Option<&Entry> {
        let day = self.dates.get(date)?;
        day.0.iter().find(|entry| entry.unit.as_deref() == unit)
    }

    /// Whether `date` was begun in `run` and nothing was said of it since.
    pub(crate) fn is_open(&self, date: NaiveDate, unit: Option<&str>, run: u64) -> bool {
        self.entry(date, unit)
            .is_some_and(|entry| entry.open == Some(run))
    }

    /// Whether an outcome of `date` was said in `run`.
    pub(crate) fn was_said_in(&self, date: NaiveDate, unit: Option<&str>, run: u64) -> bool {
        self.entry(date, unit)
            .and_then(|entry| entry.word.as_ref())
            .is_some_and(|word| word.run == run)
    }

    /// Whether `run` says that `date` succeeded.
    pub(crate) fn is_success_of(&self, date: NaiveDate, run: u64) -> bool {
        self.dates.get(date).is_some_and(|day| {
            let is_of = |entry: &Entry| entry.word.as_ref().is_some_and(|word| word.run == run);
            day.status(None) == LedgerStatus::Success && day.0.iter().any(is_of)
        })
    }

    /// Whether `run` began `date` or said something of it, in any unit.
    pub(crate) fn is_known_in(&self, date: NaiveDate, run: u64) -> bool {
        self.dates.get(date).is_some_and(|day| {
            day.0.iter().any(|entry| {
                entry.open == Some(run) || entry.word.as_ref().is_some_and(|word| word.run == run)
            })
        })
    }

    /// Records an outcome and counts it for its run.
    pub(crate) fn say(&mut self, date: NaiveDate, said: Said<'_>, counts: &mut RunCounts) {
        let entry = self.dates.entry(date).unit(said.unit);
        let begun = entry.open == Some(said.run);
        let again = !begun && entry.word.as_ref().is_some_and(|word| word.run == said.run);
        if again {
            Self::amend(&mut self.errors, entry, said, counts);
            return;
        }
        if !begun {
            entry.attempts += 1;
        }
        entry.open = None;
        // Tried again in one run by a job that is not known to do so: another job wrote one of the lines.
        let stays_failed = !said.retries
            && said.outcome != Outcome::Failed
            && entry
                .word
                .as_ref()
                .is_some_and(|word| word.run == said.run && word.outcome == Outcome::Failed);
        if stays_failed {
            return;
        }
        if said.outcome == Outcome::Looked {
            *counts.of(said.outcome) += 1;
            // Looking changes nothing that an earlier run wrote.
            if entry.word.is_some() {
                return;
            }
        } else {
            if let Some(word) = &entry.word
                && word.run == said.run
            {
                *counts.of(word.outcome) -= 1;
            }
            *counts.of(said.outcome) += 1;
        }
        let class = (said.outcome == Outcome::Failed)
            .then(|| Self::count_error(&mut self.errors, date, said.reason));
        entry.word = Some(Word {
            outcome: said.outcome,
            run: said.run,
            records: said.records,
            reason: said.reason.map(str::to_owned),
            class,
            line: said.line,
            begun,
        });
    }

    /// A second word on the same attempt: a repeated line, the reason of a failure, or an exception after
    /// a success. The worse one stands; only what was never begun can have been tried twice.
    fn amend(errors: &mut ErrorCounts, entry: &mut Entry, said: Said<'_>, counts: &mut RunCounts) {
        let Some(word) = &mut entry.word else { return };
        match (word.outcome, said.outcome) {
            (Outcome::Failed, Outcome::Failed) => {
                if let (Some(reason), None) = (said.reason, &word.reason) {
                    if let Some(class) = word.class {
                        errors.take_back(class);
                    }
                    let class = classify(reason.as_bytes());
                    errors.add(class, reason);
                    word.class = Some(class);
                    word.reason = Some(reason.to_owned());
                }
            }
            (before, Outcome::Failed) => {
                *counts.of(before) -= 1;
                counts.failed += 1;
                let class = said
                    .reason
                    .map_or(ErrorClass::Other, |text| classify(text.as_bytes()));
                errors.add(class, said.reason.unwrap_or("no reason given"));
                word.outcome = Outcome::Failed;
                word.records = None;
                word.reason = said.reason.map(str::to_owned);
                word.class = Some(class);
            }
            (Outcome::Failed, after) if said.retries && !word.begun && after != Outcome::Looked => {
                counts.failed -= 1;
                *counts.of(after) += 1;
                entry.attempts += 1;
                word.outcome = after;
                word.records = said.records;
                word.reason = said.reason.map(str::to_owned);
                word.class = None;
            }
            (Outcome::Success, Outcome::Success)
                if said.line.is_some() && word.line != said.line =>
            {
                // Two lines of one date that are not the same one: two files, or two tables.
                word.line = said.line;
                word.records = match (word.records, said.records) {
                    (Some(before), Some(more)) => Some(before.saturating_add(more)),
                    (before, more) => before.or(more),
                };
            }
            (Outcome::Success, Outcome::Success) if !word.begun => word.records = said.records,
            // What was left out, and then done after all.
            (Outcome::Skipped, Outcome::Success) if !word.begun => {
                counts.skipped -= 1;
                counts.successful += 1;
                word.outcome = Outcome::Success;
                word.records = said.records;
                word.reason = None;
            }
            _ => {}
        }
    }

    fn count_error(errors: &mut ErrorCounts, date: NaiveDate, reason: Option<&str>) -> ErrorClass {
        let class = reason.map_or(ErrorClass::Other, |text| classify(text.as_bytes()));
        match reason {
            Some(reason) => errors.add(class, reason),
            None => errors.add(class, &format!("{date} failed, no reason given")),
        }
        class
    }

    /// Keeps every failure as one for good.
    pub(crate) fn pin_failures(&mut self) {
        for entry in self.dates.values_mut().flat_map(|day| &mut day.0) {
            entry.pinned |= entry.status(None) == LedgerStatus::Failed;
        }
    }

    /// Whether `run` was the last to speak of any date.
    pub(crate) fn has_last_word_of(&self, run: u64) -> bool {
        let mut entries = self.dates.values().flat_map(|day| &day.0);
        entries.any(|entry| match &entry.word {
            _ if entry.open.is_some() => entry.open == Some(run),
            Some(word) => word.run == run,
            None => false,
        })
    }

    /// Dates begun in `run` without a word on them since.
    pub(crate) fn open_in(&self, run: u64) -> Vec<NaiveDate> {
        self.dates
            .iter()
            .filter(|(_, day)| day.0.iter().any(|entry| entry.open == Some(run)))
            .map(|(date, _)| date)
            .collect()
    }

    /// Dates that succeeded, the last word on which is of run `first` or a later one.
    pub(crate) fn successes_since(&self, first: u64) -> Vec<NaiveDate> {
        let is_of = |entry: &Entry| entry.word.as_ref().is_some_and(|word| word.run >= first);
        self.dates
            .iter()
            .filter(|(_, day)| day.status(None) == LedgerStatus::Success && day.0.iter().any(is_of))
            .map(|(date, _)| date)
            .collect()
    }

    /// Whether a word was said of `date`, or it was begun.
    pub(crate) fn knows(&self, date: NaiveDate) -> bool {
        self.dates.get(date).is_some()
    }

    pub(crate) fn dates(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        self.dates.iter().map(|(date, _)| date)
    }

    /// Dates that a word was said of.
    pub(crate) fn finished(&self) -> usize {
        self.dates
            .values()
            .filter(|day| day.0.iter().any(|entry| entry.word.is_some()))
            .count()
    }

    pub(crate) fn len(&self) -> u64 {
        self.dates.len() as u64
    }

    /// Dates of the ledger within `range`, before `before` where that is given.
    pub(crate) fn known_within(&self, range: DateRange, before: Option<NaiveDate>) -> u64 {
        let end = before.map_or(range.end, |date| {
            date.pred_opt().unwrap_or(date).min(range.end)
        });
        if end < range.start {
            return 0;
        }
        self.dates.count_within(range.start, end) as u64
    }

    pub(crate) fn counts(&self, running: Option<u64>) -> LedgerCounts {
        let mut counts = LedgerCounts::default();
        for day in self.dates.values() {
            match day.status(running) {
                LedgerStatus::Success => {
                    counts.successful += 1;
                    let records = day.records();
                    counts.records = counts.records.saturating_add(records.unwrap_or(0));
                    counts.zero_records += u64::from(records == Some(0));
                }
                LedgerStatus::Failed => counts.failed += 1,
                LedgerStatus::Skipped => counts.skipped += 1,
                _ => {}
            }
        }
        counts
    }

    /// Whether `date` has come to an end, well or not.
    pub(crate) fn is_finished(&self, date: NaiveDate, running: Option<u64>) -> bool {
        self.dates.get(date).is_some_and(|entry| {
            matches!(
                entry.status(running),
                LedgerStatus::Success | LedgerStatus::Failed | LedgerStatus::Skipped
            )
        })
    }

    pub(crate) fn failed_dates(&self) -> Vec<NaiveDate> {
        self.dates
            .iter()
            .filter(|(_, entry)| entry.status(None) == LedgerStatus::Failed)
            .map(|(date, _)| date)
            .collect()
    }

    /// One document for each date and unit, sorted. `running` is the run that still goes on.
    pub(crate) fn entries(&self, running: Option<u64>) -> Vec<LedgerEntry> {
        self.dates
            .iter()
            .flat_map(|(date, day)| day.0.iter().map(move |entry| (date, entry)))
            .map(|(date, entry)| {
                let status = entry.status(running);
                let word = entry.word.as_ref().filter(|_| {
                    !matches!(status, LedgerStatus::InProgress | LedgerStatus::Interrupted)
                });
                LedgerEntry {
                    kind: bf_contract::LedgerEntryType,
                    schema: bf_contract::Schema,
                    date,
                    unit: entry.unit.clone(),
                    status,
                    records: word.and_then(|word| word.records),
                    attempts: entry.attempts,
                    run: word.map(|word| word.run).or(entry.open).unwrap_or_default(),
                    reason: word.and_then(|word| word.reason.clone()),
                }
            })
            .collect()
    }
}
