//! Two tables, compared by one key within each date, so that a key that is on many dates is missed on the one on
//! which it is not.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::measure::Measure;
use crate::{Keys, Plan, Scan};

/// Two tables, compared by one key within each date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// By date.
    pub days: BTreeMap<NaiveDate, PairDay>,
}

/// One date of two tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairDay {
    /// Rows of the first table.
    pub rows: u64,
    /// Those whose key the other one lacks.
    pub unmatched_rows: u64,
    /// Keys in both tables.
    pub both: u64,
    /// Keys that only the first table has.
    pub only_here: u64,
    /// Keys that only the other one has.
    pub only_there: u64,
    /// Keys in both tables whose sums differ.
    pub sums_off: u64,
}

/// One of two tables: its plan, what was read of it, and the keys that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What was measured.
    pub plan: &'a Plan,
    /// What that came to.
    pub scan: &'a Scan,
    /// The keys, with a sum if sums are compared.
    pub keys: Measure<Keys>,
}

/// Sums that differ by no more are equal: they may have been added in another order.
pub(crate) const TOLERANCE: f64 = 1e-6;

impl Pairs {
    /// Two figures of each day, added up.
    pub fn sum(&self, of: impl Fn(&PairDay) -> (u64, u64)) -> (u64, u64) {
        self.days
            .values()
            .map(of)
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    /// The days that have something of a figure.
    pub fn days_with(&self, of: impl Fn(&PairDay) -> u64) -> Vec<NaiveDate> {
        self.days
            .iter()
            .filter(|(_, day)| of(day) > 0)
            .map(|(date, _)| *date)
            .collect()
    }

    /// Changes a day, given in days since the year 1.
    fn on(&mut self, day: i32, change: impl FnOnce(&mut PairDay)) {
        if let Some(date) = NaiveDate::from_num_days_from_ce_opt(day) {
            change(self.days.entry(date).or_default());
        }
    }

    /// Pairs two lists of keys, side by side; both are in order.
    pub(crate) fn of(ours: &Keys, theirs: &Keys) -> Self {
        let mut pairs = Self::default();
        let mut there = theirs.iter().peekable();
        let only_there = |pairs: &mut Self, day: i32| pairs.on(day, |day| day.only_there += 1);
        for (key, here) in ours {
            while let Some(((day, _), _)) = there.next_if(|(other, _)| other < key) {
                only_there(&mut pairs, *day);
            }
            let found = there.next_if(|(other, _)| other == key);
            let found = found.map(|(_, found)| found);
            if found.is_some_and(|found| found.lacks_a_part) {
                only_there(&mut pairs, key.0);
            }
            pairs.on(key.0, |day| {
                day.rows += here.rows;
                match found.filter(|_| !here.lacks_a_part) {
                    Some(found) => {
                        day.both += 1;
                        day.sums_off += u64::from((here.sum - found.sum).abs() > TOLERANCE);
                    }
                    None => {
                        day.only_here += 1;
                        day.unmatched_rows += here.rows;
                    }
                }
            });
        }
        there.for_each(|((day, _), _)| only_there(&mut pairs, *day));
        pairs
    }
}

impl<'a> Side<'a> {
    /// Keys that a plan measures.
    #[must_use]
    pub const fn new(plan: &'a Plan, scan: &'a Scan, keys: Measure<Keys>) -> Self {
        Self { plan, scan, keys }
    }

    /// All keys of several sides, each once, in order.
    pub(crate) fn union(sides: &[Self]) -> std::borrow::Cow<'a, Keys> {
        use std::borrow::Cow;

        if let [one] = sides {
            return Cow::Borrowed(one.kept());
        }
        let mut all = Keys::new();
        sides
            .iter()
            .for_each(|side| all.extend_from_slice(side.kept()));
        all.sort_by_key(|(key, _)| *key);
        all.dedup_by_key(|(key, _)| *key);
        Cow::Owned(all)
    }

    /// The keys that the scan kept.
    pub(crate) fn kept(&self) -> &'a Keys {
        static NONE: Keys = Keys::new();
        match self.scan.totals.get(self.keys.position()) {
            Some(crate::Total::Keys(keys)) => keys,
            _ => &NONE,
        }
    }
}
