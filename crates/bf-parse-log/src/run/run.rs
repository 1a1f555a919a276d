//! One run of the job, as its lines tell it.

use std::collections::BTreeMap;

use bf_contract::DateRange;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::dialect::event::{Counts, Mode, Opened, Opening};
use crate::run::ledger::RunCounts;

/// How a run broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Broken {
    /// An exception that was not caught, or an abort.
    Fatal,
    /// It was stopped.
    Stopped,
}

/// The figures that a run's closing summary claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) successful: Option<u64>,
    pub(crate) failed: Option<u64>,
    pub(crate) skipped: Option<u64>,
}

/// Errors that may be the reason of a failure to come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    last: Option<String>,
    by_date: BTreeMap<NaiveDate, String>,
}

impl Pending {
    /// Dates that wait for their outcome at one time: no job has more workers.
    const MOST: usize = 256;

    pub(crate) fn add(&mut self, date: Option<NaiveDate>, text: String) {
        if let Some(date) = date {
            if self.by_date.len() >= Self::MOST {
                self.by_date.pop_first();
            }
            self.by_date.insert(date, text.clone());
        }
        self.last = Some(text);
    }

    /// The reason for `date`: an error that named it, else the last one where dates come one by one.
    pub(crate) fn take(&mut self, date: NaiveDate, one_by_one: bool) -> Option<String> {
        let named = self.by_date.remove(&date);
        let last = if one_by_one { self.last.take() } else { None };
        named.or(last)
    }

    pub(crate) fn clear(&mut self) {
        self.last = None;
        self.by_date.clear();
    }
}

/// The words of a line that may name its worker, as numbers.
pub(crate) type WorkerWords = [u64; 5];

/// A run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Its number in the file, from 1.
    pub(crate) number: u64,
    openings: u32,
    /// Whether a list was announced, and whether anything else was.
    #[serde(default)]
    announced: [bool; 2],
    /// The opening line that was the last thing said; 0 where something else was.
    last_opening: u32,
    pub(crate) mode: Option<Mode>,
    pub(crate) job: Option<String>,
    pub(crate) range: Option<DateRange>,
    range_total: Option<u64>,
    game_dates: Option<u64>,
    off_days: Option<u64>,
    /// Dates that this run announced.
    pub(crate) to_do: Option<u64>,
    pub(crate) resume: Option<NaiveDate>,
    dry_run_flag: bool,
    pub(crate) saw_dry_run: bool,
    /// The date that undated lines speak of.
    pub(crate) current: Option<NaiveDate>,
    /// The highest `i` of `i/N`.
    pub(crate) index: u64,
    /// Dates that this run began or spoke of.
    pub(crate) touched: u64,
    /// Those of them that no run before spoke of.
    #[serde(default)]
    pub(crate) fresh: u64,
    /// Dates begun a second time in this run: a list may name a date twice.
    pub(crate) repeated: u64,
    /// Whether any date was begun or spoken of.
    pub(crate) active: bool,
    pub(crate) counts: RunCounts,
    pub(crate) ended: bool,
    pub(crate) refused: Option<String>,
    pub(crate) saw_usage_only: bool,
    pub(crate) broken: Option<Broken>,
    pub(crate) claims: Claims,
    /// How often its end marker came.
    #[serde(default)]
    pub(crate) ends: u32,
    /// Dates left out that the run's summary counts and no line names.
    pub(crate) unnamed_skipped: u64,
    /// Dates that its lines begin, and that only the counts of its summary speak of.
    #[serde(default)]
    pub(crate) uncounted: u64,
    /// How many dates the run itself said it had done.
    pub(crate) said_done: u64,
    pub(crate) pending: Pending,
    /// The checkpoint's name, which no other job has.
    #[serde(default)]
    pub(crate) checkpoint: Option<(String, Option<DateRange>)>,
    /// The `N` and the form of its last date line.
    #[serde(default)]
    pub(crate) last_begin: Option<(Option<u64>, Mode)>,
    /// Dates that have no outcome and count as successful, as the dialect promises.
    #[serde(default)]
    pub(crate) unmentioned: u64,
    /// Failures without a date, which may be the reasons of those with one.
    #[serde(default)]
    pub(crate) undated_failures: u64,
    /// The dates that its workers are at.
    #[serde(default)]
    pub(crate) workers: BTreeMap<String, NaiveDate>,
    /// Dates that began and have no outcome yet, with the words of their lines that may name a worker.
    #[serde(default)]
    pub(crate) begun: Vec<(NaiveDate, WorkerWords)>,
    /// Whether it goes by game dates, as far as its date lines tell.
    #[serde(default)]
    pub(crate) by_game: Option<bool>,
    /// Whether it began where bf started an attempt, and not with a line of its own.
    #[serde(default)]
    pub(crate) by_attempt: bool,
    /// Whether its range means each of its days.
    #[serde(default)]
    pub(crate) daily: bool,
}

impl Run {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// Whether an opening line must belong to another run.
    pub(crate) fn is_past(&self, opening: Opening, of_list: bool) -> bool {
        let bit = opening.bit();
        // A run over a list announces nothing but the list.
        let [list, others] = self.announced;
        let another_kind = if of_list { others } else { list };
        // Said again at once, it is the same line: from two handlers of one logger, or from two functions
        // of one job.
        let again = opening.once && self.openings & bit != 0 && self.last_opening != bit;
        self.active
            || self.ended
            || self.refused.is_some()
            || self.broken.is_some()
            || another_kind
            || again
    }

    /// Whether an opening line comes among its dates that none of its own openings was, and that no run begins
    /// with: the rest of another job's beginning.
    pub(crate) fn lacks(&self, opening: Opening) -> bool {
        opening.never_first
            && self.active
            && !self.ended
            && self.openings != 0
            && self.openings & opening.bit() == 0
    }

    /// Whether an opening line told of it.
    pub(crate) fn was_opened(&self) -> bool {
        self.openings != 0 || self.by_attempt
    }

    /// Whether nothing was said in it yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.openings == 0 && !self.active && !self.ended && self.refused.is_none()
    }

    pub(crate) fn open(&mut self, opening: Opening, what: &Opened, job: Option<String>) {
        self.openings |= opening.bit();
        self.announced[usize::from(what.mode != Some(Mode::SpecificDates))] = true;
        self.last_opening = opening.bit();
        // Nothing that follows the banner of a parallel run makes it another kind of run.
        if self.mode != Some(Mode::Parallel) {
            self.mode = what.mode.or(self.mode);
        }
        self.range = self.range.or(what.range);
        self.range_total = what.range_total.or(self.range_total);
        self.to_do = what.to_do.or(self.to_do);
        self.resume = what.resume.or(self.resume);
        self.dry_run_flag |= what.dry_run;
        if self.job.is_none() {
            self.job = job;
        }
    }

    /// Something else was said than an opening line.
    pub(crate) fn say_else(&mut self) {
        self.last_opening = 0;
    }

    /// The range, from a line that only counts before the first date.
    pub(crate) fn tell_range(&mut self, range: DateRange) {
        if !self.active && !self.ended {
            self.range = self.range.or(Some(range));
        }
    }

    pub(crate) fn tell_schedule(&mut self, game_dates: Option<u64>, off_days: Option<u64>) {
        if !self.active && !self.ended {
            self.game_dates = self.game_dates.or(game_dates);
            self.off_days = self.off_days.or(off_days);
        }
    }

    /// What its summary counts; the first figures count. Whether one is another than the same summary claimed
    /// before.
    pub(crate) fn claim(&mut self, counts: Counts) -> bool {
        let claims = &mut self.claims;
        let slots = [
            &mut claims.successful,
            &mut claims.failed,
            &mut claims.skipped,
        ];
        let mut differs = false;
        for (slot, figure) in slots.into_iter().zip(counts) {
            let before = slot.zip(figure);
            differs |= self.ends > 1 && before.is_some_and(|(before, now)| before != now);
            *slot = slot.or(figure);
        }
        differs
    }

    /// What its summary counts: successful, failed, skipped. The last figures count.
    pub(crate) fn claim_all(&mut self, [successful, failed, skipped]: Counts) {
        self.claims.successful = successful.or(self.claims.successful);
        self.claims.failed = failed.or(self.claims.failed);
        self.claims.skipped = skipped.or(self.claims.skipped);
    }

    /// Whether it announced that there is nothing to do, and claims nothing else.
    pub(crate) fn had_nothing_to_do(&self) -> bool {
        let nothing = |claim: Option<u64>| claim.is_none_or(|figure| figure == 0);
        self.ended
            && self.to_do == Some(0)
            && !self.active
            && nothing(self.claims.successful)
            && nothing(self.claims.failed)
    }

    /// Whether anything but its end marker tells what came of it.
    pub(crate) fn has_proof(&self) -> bool {
        let claimed = [
            self.claims.successful,
            self.claims.failed,
            self.claims.skipped,
        ];
        let claimed: u64 = claimed.into_iter().flatten().sum();
        let due = self.to_do.or_else(|| self.range_days());
        self.counts.worked() + self.counts.skipped > 0
            || self.mode == Some(Mode::WholeRange)
            || (claimed > 0 && due == Some(claimed))
    }

    /// Whether dates come one after the other, so that an error between two lines belongs to the current.
    pub(crate) fn one_by_one(&self) -> bool {
        self.mode != Some(Mode::Parallel)
    }

    /// Whether it goes over a list of dates, and not over a range.
    pub(crate) fn is_list(&self) -> bool {
        let is_range = self.daily && self.range.is_some();
        self.mode == Some(Mode::SpecificDates) || (self.mode == Some(Mode::Custom) && !is_range)
    }

    /// Whether it is a list of dates that nothing announced, and that nothing will end.
    pub(crate) fn says_no_end(&self) -> bool {
        self.mode == Some(Mode::SpecificDates) && self.to_do.is_none() && self.may_go_on()
    }

    /// Whether nothing told yet that it has ended.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.ended && self.refused.is_none() && self.broken.is_none() && !self.is_dry()
    }

    /// Whether it only looked: what happened decides, not the flag.
    pub(crate) fn is_dry(&self) -> bool {
        let looked =
            self.saw_dry_run || self.counts.looked > 0 || (self.dry_run_flag && self.ended);
        looked && self.counts.worked() == 0
    }

    /// The dates of the whole range: calendar days, or game dates where the run goes by them; `None` where
    /// the range is not known, or the schedule is not.
    pub(crate) fn range_days(&self) -> Option<u64> {
        let days = self.range?.days();
        let by_schedule = self
            .game_dates
            .or_else(|| self.off_days.map(|off_days| days.saturating_sub(off_days)));
        match self.mode {
            Some(Mode::GameDates) => self.range_total.or(by_schedule),
            Some(Mode::Parallel) => Some(by_schedule.unwrap_or(days)),
            _ => Some(days),
        }
    }

    /// Whether it goes by game dates, whose names only the schedule knows.
    pub(crate) fn by_game_dates(&self) -> bool {
        self.range_days() != self.range.map(|range| range.days())
    }

    /// Dates that its lines call successful and its closing summary does not: one of the two is wrong, and
    /// nothing tells for which dates.
    pub(crate) fn in_doubt(&self) -> u64 {
        let claimed = self.claims.successful.filter(|_| self.ended);
        let fewer = claimed.map_or(0, |claimed| self.counts.successful.saturating_sub(claimed));
        // A date that has no line of its own may be one that its summary counts as left out.
        let left_out = self.claims.skipped.unwrap_or(0);
        let unnamed = left_out.saturating_sub(self.counts.skipped);
        let fewer = fewer.saturating_sub(unnamed.min(self.unmentioned));
        if self.is_list() {
            return fewer;
        }
        fewer.max(self.unnamed_failed().min(self.counts.successful))
    }

    /// Failures that its closing summary counts and none of its lines names.
    pub(crate) fn unnamed_failed(&self) -> u64 {
        let claimed = self.claims.failed.filter(|_| self.ended);
        let seen = self.counts.failed + self.uncounted + self.repeated;
        claimed.map_or(0, |claimed| claimed.saturating_sub(seen))
    }

    /// Failures without a date that are more than the failures with one.
    pub(crate) fn undated_beyond(&self) -> u64 {
        self.undated_failures
            .saturating_sub(self.counts.failed + self.counts.looked)
    }

    /// Whether its summary counts more failures, or fewer successes, than its lines show.
    pub(crate) fn summary_is_worse(&self) -> bool {
        self.ended && !self.is_dry() && (self.in_doubt() > 0 || self.unnamed_failed() > 0)
    }

    /// Where the closing summary and the lines above it disagree.
    pub(crate) fn disagreements(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.ended || self.is_dry() {
            return notes;
        }
        if self.uncounted > 0 {
            let [good, skipped, bad] = [
                self.claims.successful,
                self.claims.skipped,
                self.claims.failed,
            ]
            .map(Option::unwrap_or_default);
            notes.push(format!(
                "run {} counts {good} successful, {skipped} skipped and {bad} failed dates in the end and does not say \
                 which: {} of its dates have no word; tried one at a time, each would have one",
                self.number, self.uncounted
            ));
            return notes;
        }
        let successful = self.counts.successful;
        let expected = self
            .claims
            .successful
            .filter(|claimed| self.unmentioned > 0 && self.in_doubt() == 0 && *claimed < successful)
            .map_or(successful, |claimed| claimed);
        for (what, claimed, seen) in [
            ("successful", self.claims.successful, expected),
            ("failed", self.claims.failed, self.counts.failed),
            (
                "skipped",
                self.claims.skipped,
                if self.unmentioned > 0 {
                    self.claims.skipped.unwrap_or(self.counts.skipped)
                } else {
                    self.counts.skipped + self.unnamed_skipped
                },
            ),
        ] {
            if let Some(claimed) = claimed
                && claimed != seen
            {
                let counts = if (what == "successful" && claimed < seen)
                    || (what == "failed" && claimed > seen)
                {
                    "the rest is in doubt"
                } else {
                    "the lines count"
                };
                notes.push(format!(
                    "the summary of run {} claims {claimed} {what} dates, its lines show {seen}; {counts}",
                    self.number
                ));
            }
        }
        notes
    }
}
