//! What is known of each date.

use bf_contract::{DateRange, ErrorClass, LedgerEntry, LedgerStatus};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::dates::Dates;
use crate::errors::{ErrorCounts, classify};

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
    /// Whether the attempt was begun before its outcome, so that a second outcome needs a second begin.
    begun: bool,
}

/// A date.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Entry {
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
    dates: Dates<Entry>,
    pub(crate) errors: ErrorCounts,
}

/// What a run says of a date, with its run's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) run: u64,
    pub(crate) outcome: Outcome,
    pub(crate) records: Option<u64>,
    pub(crate) reason: Option<&'a str>,
}

impl Ledger {
    /// A date begins in `run`. Said twice before its outcome, it is still one attempt.
    pub(crate) fn begin(&mut self, date: NaiveDate, run: u64) {
        let entry = self.dates.entry(date);
        if entry.open != Some(run) {
            entry.open = Some(run);
            entry.attempts += 1;
        }
    }

    /// As [`Ledger::begin`], by a logger that is not the job's: it cannot take back what the job said of
    /// the date in this run.
    pub(crate) fn begin_quietly(&mut self, date: NaiveDate, run: u64) {
        if !self.was_said_in(date, run) {
            self.begin(date, run);
        }
    }

    /// Whether `date` was begun in `run` and nothing was said of it since.
    pub(crate) fn is_open(&self, date: NaiveDate, run: u64) -> bool {
        self.dates
            .get(date)
            .is_some_and(|entry| entry.open == Some(run))
    }

    /// Whether an outcome of `date` was said in `run`.
    pub(crate) fn was_said_in(&self, date: NaiveDate, run: u64) -> bool {
        self.dates
            .get(date)
            .and_then(|entry| entry.word.as_ref())
            .is_some_and(|word| word.run == run)
    }

    /// Records an outcome and counts it for its run.
    pub(crate) fn say(&mut self, date: NaiveDate, said: Said<'_>, counts: &mut RunCounts) {
        let entry = self.dates.entry(date);
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
            (Outcome::Failed, after) if !word.begun && after != Outcome::Looked => {
                counts.failed -= 1;
                *counts.of(after) += 1;
                entry.attempts += 1;
                word.outcome = after;
                word.records = said.records;
                word.reason = said.reason.map(str::to_owned);
                word.class = None;
            }
            (Outcome::Success, Outcome::Success) if !word.begun => word.records = said.records,
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
        for entry in self.dates.values_mut() {
            entry.pinned |= entry.status(None) == LedgerStatus::Failed;
        }
    }

    /// Whether `run` was the last to speak of any date.
    pub(crate) fn has_last_word_of(&self, run: u64) -> bool {
        self.dates.values().any(|entry| match &entry.word {
            _ if entry.open.is_some() => entry.open == Some(run),
            Some(word) => word.run == run,
            None => false,
        })
    }

    /// Dates begun in `run` without a word on them since.
    pub(crate) fn open_in(&self, run: u64) -> Vec<NaiveDate> {
        self.dates
            .iter()
            .filter(|(_, entry)| entry.open == Some(run))
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
            .filter(|entry| entry.word.is_some())
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
        for entry in self.dates.values() {
            match entry.status(running) {
                LedgerStatus::Success => {
                    counts.successful += 1;
                    let records = entry.word.as_ref().and_then(|word| word.records);
                    counts.records = counts.records.saturating_add(records.unwrap_or(0));
                    counts.zero_records += u64::from(records == Some(0));
                }
                LedgerStatus::Failed => counts.failed += 1,
                LedgerStatus::Skipped => counts.skipped += 1,
                LedgerStatus::InProgress
                | LedgerStatus::Interrupted
                | LedgerStatus::DryRun
                | LedgerStatus::Unknown => {}
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

    /// One document for each date, sorted. `running` is the run that still goes on.
    pub(crate) fn entries(&self, running: Option<u64>) -> Vec<LedgerEntry> {
        self.dates
            .iter()
            .map(|(date, entry)| {
                let status = entry.status(running);
                let word = entry.word.as_ref().filter(|_| {
                    !matches!(status, LedgerStatus::InProgress | LedgerStatus::Interrupted)
                });
                LedgerEntry {
                    kind: bf_contract::LedgerEntryType,
                    schema: bf_contract::Schema,
                    date,
                    unit: None,
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
