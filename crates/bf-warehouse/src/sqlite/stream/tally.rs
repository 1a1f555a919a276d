//! Figures by day and key, in a list that is kept nearly in order: rows of one day and key mostly follow each other,
//! which makes the list short, and it needs no place for what it does not hold, as a map does.

/// Figures that add up.
pub(super) trait Figures: Copy {
    /// Adds others.
    fn add(&mut self, other: Self);
}

/// A day, in days since the year 1, and the hash of a key.
pub(super) type DayKey = (i32, u64);

/// Figures by day and key.
#[derive(Debug)]
pub(super) struct Tally<V> {
    list: Vec<(DayKey, V)>,
    /// Where the rows of the last day begin.
    day_begins: usize,
    /// At this length keys that stand in it twice are brought together.
    limit: usize,
}

/// The limit of a list with few keys.
const LEAST_LIMIT: usize = 1 << 16;

impl<V> Default for Tally<V> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            day_begins: 0,
            limit: LEAST_LIMIT,
        }
    }
}

impl<V: Figures> Tally<V> {
    /// Adds the figures of one row.
    #[inline]
    pub(super) fn add(&mut self, key: DayKey, figures: V) {
        match self.list.last_mut() {
            Some((last, known)) if *last == key => known.add(figures),
            Some((last, _)) if last.0 == key.0 => self.list.push((key, figures)),
            _ => self.begin_day(key, figures),
        }
    }

    /// Begins another day. Putting each day in order is less work than all of them at the end.
    fn begin_day(&mut self, key: DayKey, figures: V) {
        self.list[self.day_begins..].sort_by_key(|(key, _)| *key);
        if self.list.len() >= self.limit {
            self.settle();
            self.limit = LEAST_LIMIT.max(2 * self.list.len());
        }
        self.day_begins = self.list.len();
        self.list.push((key, figures));
    }

    /// Brings the figures of each key together and the keys in order.
    pub(super) fn settle(&mut self) {
        // Stable, so that the figures of a key are added in the order of its rows, whatever else is there.
        self.list.sort_by_key(|(key, _)| *key);
        self.list.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                earlier.1.add(later.1);
            }
            is_same
        });
        self.day_begins = self.list.len();
    }

    /// Adds another tally; both are settled. Two parts of a table mostly share no more than a day, so that only
    /// where they overlap anything is put in order.
    pub(super) fn merge(&mut self, mut other: Self) {
        if let (Some((last, _)), Some((first, _))) = (self.list.last(), other.list.first()) {
            let (last, first) = (*last, *first);
            let shared = self.list.partition_point(|(key, _)| *key < first);
            let end = other.list.partition_point(|(key, _)| *key <= last);
            let mut overlap = Self {
                list: self.list.split_off(shared),
                ..Self::default()
            };
            overlap.list.extend(other.list.drain(..end));
            overlap.settle();
            self.list.extend(overlap.list);
        }
        self.list.extend(other.list);
    }

    /// The keys with their figures, once it is settled: each once, in order.
    pub(super) fn into_list(self) -> Vec<(DayKey, V)> {
        self.list
    }
}

impl Figures for u64 {
    fn add(&mut self, other: Self) {
        *self += other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up_whatever_order_their_keys_come_in() {
        let mut tally = Tally::default();
        for at in 0..400_000_u64 {
            let day = if at % 3 == 0 { 2 } else { 1 };
            tally.add((day, at * 7 % 10), 1);
        }
        assert!(tally.list.len() < 200_000, "brought together on the way");
        tally.settle();
        let mut other = Tally::default();
        other.add((1, 1), 5);
        other.settle();
        tally.merge(other);
        let all: u64 = tally.list.iter().map(|(_, rows)| rows).sum();
        assert_eq!(all, 400_005);
        let list = tally.into_list();
        let keys: Vec<DayKey> = list.iter().map(|(key, _)| *key).collect();
        let wanted: Vec<DayKey> = (1..=2)
            .flat_map(|day| (0..10).map(move |key| (day, key)))
            .collect();
        assert_eq!(keys, wanted);
        assert_eq!(list[1], ((1, 1), 26_666 + 5));
    }
}
