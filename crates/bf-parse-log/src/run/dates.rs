//! A map from dates, as quick as an array: the dates of a log lie close together.

use chrono::NaiveDate;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// A value for each of some dates. Takes four bytes for each day between the first and the last one.
#[derive(Debug, Clone)]
pub(crate) struct Dates<T> {
    /// The day of the first place of `places`, counted as chrono counts them.
    first: i32,
    /// For each day from `first` on: the place in `values`, counted from 1, or 0.
    places: Vec<u32>,
    values: Vec<(NaiveDate, T)>,
}

impl<T> Default for Dates<T> {
    fn default() -> Self {
        Self {
            first: 0,
            places: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T: PartialEq> PartialEq for Dates<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

fn day(date: NaiveDate) -> i32 {
    chrono::Datelike::num_days_from_ce(&date)
}

impl<T> Dates<T> {
    fn place(&self, date: NaiveDate) -> Option<usize> {
        let offset = usize::try_from(day(date).checked_sub(self.first)?).ok()?;
        let place = *self.places.get(offset)?;
        (place as usize).checked_sub(1)
    }

    pub(crate) fn get(&self, date: NaiveDate) -> Option<&T> {
        self.place(date).map(|place| &self.values[place].1)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// All values, in no order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut().map(|(_, value)| value)
    }

    /// All dates and their values, sorted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NaiveDate, &T)> {
        self.places
            .iter()
            .filter_map(|place| (*place as usize).checked_sub(1))
            .map(|place| (self.values[place].0, &self.values[place].1))
    }

    /// How many dates lie between two, both included.
    pub(crate) fn count_within(&self, start: NaiveDate, end: NaiveDate) -> usize {
        self.values
            .iter()
            .filter(|(date, _)| start <= *date && *date <= end)
            .count()
    }
}

impl<T: Default> Dates<T> {
    /// The value of `date`; a default one is put there first if it has none.
    pub(crate) fn entry(&mut self, date: NaiveDate) -> &mut T {
        let place = self.place(date).unwrap_or_else(|| self.insert(date));
        &mut self.values[place].1
    }

    #[cold]
    fn insert(&mut self, date: NaiveDate) -> usize {
        let day = day(date);
        if self.places.is_empty() {
            self.first = day;
        }
        if let Ok(missing) = usize::try_from(self.first - day)
            && missing > 0
        {
            self.places.splice(..0, std::iter::repeat_n(0, missing));
            self.first = day;
        }
        let offset = usize::try_from(day - self.first).unwrap_or(0);
        if offset >= self.places.len() {
            self.places.resize(offset + 1, 0);
        }
        self.values.push((date, T::default()));
        self.places[offset] = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.len() - 1
    }
}

impl<T: Serialize> Serialize for Dates<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Dates<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut dates = Self::default();
        for (date, value) in Vec::<(NaiveDate, T)>::deserialize(deserializer)? {
            *dates.entry(date) = value;
        }
        Ok(dates)
    }
}

#[cfg(test)]
mod tests {
    use super::Dates;
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(crate::require::seed()),
            ..ProptestConfig::default()
        })]

        #[test]
        fn it_is_a_map(days in proptest::collection::vec(710_000_i32..712_000, 0..60)) {
            let mut dates: Dates<usize> = Dates::default();
            let mut map: BTreeMap<NaiveDate, usize> = BTreeMap::new();
            for day in days {
                let date = NaiveDate::from_num_days_from_ce_opt(day).expect("in range");
                *dates.entry(date) += 1;
                *map.entry(date).or_default() += 1;
            }
            prop_assert!(dates.iter().eq(map.iter().map(|(date, value)| (*date, value))));
            let text = serde_json::to_string(&dates).expect("serializable");
            let again: Dates<usize> = serde_json::from_str(&text).expect("the same form");
            prop_assert_eq!(again, dates);
        }
    }
}
