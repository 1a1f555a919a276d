//! What is known of each date.

use bf_contract::{DateRange, ErrorClass, LedgerEntry, LedgerStatus};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::run::dates::Dates;
use crate::run::day::{Day, Entry, Word};
pub(crate) use crate::run::day::{Outcome, RunCounts};
use crate::run::errors::{ErrorCounts, classify};

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
