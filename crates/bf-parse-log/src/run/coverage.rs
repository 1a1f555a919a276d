//! How many dates there are to do: ranges of all runs, put together.

use bf_contract::DateRange;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::run::ledger::Ledger;
use crate::run::run::Run;

/// A range that runs of the file went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    pub(crate) range: DateRange,
    /// Dates of it; `None` where overlapping schedules hide how many.
    pub(crate) total: Option<u64>,
    /// Whether its dates are all its calendar days.
    by_calendar: bool,
    /// Whether a run of this file began it at its first date: then nothing of it lies before the file.
    from_start: bool,
    /// The latest announced point to resume from.
    resume: Option<NaiveDate>,
    /// Dates that the resumed run said lie before that point.
    before_resume: Option<u64>,
}

impl Stretch {
    /// The stretch of a run; `None` for one without a range.
    pub(crate) fn of(run: &Run) -> Option<Self> {
        let range = run.range?;
        let total = run.range_days();
        let before_resume = total
            .zip(run.to_do)
            .map(|(total, to_do)| total.saturating_sub(to_do));
        Some(Self {
            range,
            total,
            by_calendar: !run.by_game_dates(),
            from_start: run.resume.is_none() && run.active,
            resume: run.resume.filter(|date| range.contains(*date)),
            before_resume: run.resume.and(before_resume),
        })
    }

    /// Days before the resume point that have no entry in this file.
    pub(crate) fn earlier(&self, ledger: &Ledger) -> u64 {
        let Some(resume) = self.resume.filter(|_| !self.from_start) else {
            return 0;
        };
        let known = ledger.known_within(self.range, Some(resume));
        let before = if self.by_calendar {
            u64::try_from((resume - self.range.start).num_days()).unwrap_or(0)
        } else {
            self.before_resume.unwrap_or(0)
        };
        before.saturating_sub(known)
    }

    /// Whether `date` was done before this file began, as far as anybody can tell.
    pub(crate) fn is_earlier(&self, date: NaiveDate, ledger: &Ledger) -> bool {
        !self.from_start && self.resume.is_some_and(|resume| date < resume) && !ledger.knows(date)
    }

    /// The calendar days of it, where those are its dates.
    pub(crate) fn days(&self) -> Option<impl Iterator<Item = NaiveDate> + use<>> {
        (self.by_calendar && self.total.is_some()).then(|| self.range.iter())
    }

    fn contains(&self, other: &Self) -> bool {
        self.range.contains(other.range.start) && self.range.contains(other.range.end)
    }

    fn touches(&self, other: &Self) -> bool {
        let reach = |date: NaiveDate| date.succ_opt().unwrap_or(date);
        self.range.start <= reach(other.range.end) && other.range.start <= reach(self.range.end)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.range.start <= other.range.end && other.range.start <= self.range.end
    }

    /// This stretch and a later one as one, where they can be.
    fn joined(&self, later: &Self) -> Option<Self> {
        let same_start = self.range.start == later.range.start;
        let keep = |base: &Self, other: &Self| Self {
            from_start: base.from_start || (same_start && other.from_start),
            resume: if same_start {
                base.resume.max(other.resume)
            } else {
                base.resume
            },
            before_resume: match (same_start, base.resume >= other.resume) {
                (true, false) => other.before_resume,
                _ => base.before_resume,
            },
            ..*base
        };
        if self.range == later.range {
            return Some(Self {
                total: later.total.or(self.total),
                by_calendar: if later.total.is_some() {
                    later.by_calendar
                } else {
                    self.by_calendar
                },
                ..keep(self, later)
            });
        }
        if later.contains(self) {
            return Some(keep(later, self));
        }
        if self.contains(later) {
            return Some(keep(self, later));
        }
        let (first, last) = if self.range.start < later.range.start {
            (self, later)
        } else {
            (later, self)
        };
        let union = || DateRange {
            start: first.range.start,
            end: last.range.end,
        };
        if self.by_calendar && later.by_calendar {
            let mergeable = self.overlaps(later) || (self.touches(later) && last.resume.is_none());
            return mergeable.then(|| Self {
                range: union(),
                total: Some(union().days()),
                ..*first
            });
        }
        self.overlaps(later).then(|| Self {
            range: union(),
            total: None,
            by_calendar: false,
            ..*first
        })
    }
}

/// All stretches of the file, apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stretches(Vec<Stretch>);

impl Stretches {
    pub(crate) fn add(&mut self, mut stretch: Stretch) {
        // A joined stretch may touch another one that neither of its parts did.
        while let Some((at, joined)) = self
            .0
            .iter()
            .enumerate()
            .find_map(|(at, other)| Some((at, other.joined(&stretch)?)))
        {
            self.0.swap_remove(at);
            stretch = joined;
        }
        self.0.push(stretch);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stretch> {
        self.0.iter()
    }

    pub(crate) fn contains(&self, date: NaiveDate) -> bool {
        self.0.iter().any(|stretch| stretch.range.contains(date))
    }

    /// From the first day of any to the last day of any.
    pub(crate) fn hull(&self) -> Option<DateRange> {
        Some(DateRange {
            start: self.0.iter().map(|stretch| stretch.range.start).min()?,
            end: self.0.iter().map(|stretch| stretch.range.end).max()?,
        })
    }

    /// Dates of all of them.
    pub(crate) fn total(&self) -> Option<u64> {
        self.0.iter().map(|stretch| stretch.total).sum()
    }

    pub(crate) fn earlier(&self, ledger: &Ledger) -> u64 {
        self.0.iter().map(|stretch| stretch.earlier(ledger)).sum()
    }
}
