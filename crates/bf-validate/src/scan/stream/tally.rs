//! Figures by key, in a list that is sorted now and then. Rows of one key mostly follow each other, which makes the
//! list short and nearly sorted, and it needs no place for what it does not hold, as a map does.

/// Figures that add up.
pub trait Figures: Copy {
    /// Adds others.
    fn add(&mut self, other: Self);
}

/// Figures by key.
#[derive(Debug)]
pub struct Tally<K, V> {
    list: Vec<(K, V)>,
    /// At this length keys that stand in it twice are brought together.
    limit: usize,
}

/// The limit of a list with few keys.
const LEAST_LIMIT: usize = 1 << 16;

impl<K, V> Default for Tally<K, V> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            limit: LEAST_LIMIT,
        }
    }
}

impl<K: Ord + Copy, V: Figures> Tally<K, V> {
    /// Adds the figures of one row.
    #[inline]
    pub fn add(&mut self, key: K, figures: V) {
        match self.list.last_mut() {
            Some((last, known)) if *last == key => known.add(figures),
            _ => {
                if self.list.len() >= self.limit {
                    self.settle();
                    self.limit = LEAST_LIMIT.max(2 * self.list.len());
                }
                self.list.push((key, figures));
            }
        }
    }

    /// Brings the figures of each key together and the keys in order.
    pub fn settle(&mut self) {
        // Stable, so that the figures of a key are added in the order of its rows, whatever else is there.
        self.list.sort_by_key(|(key, _)| *key);
        self.list.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                earlier.1.add(later.1);
            }
            is_same
        });
    }

    /// Adds another tally, whose keys and figures are `renamed` first.
    pub fn merge(&mut self, other: Self, renamed: impl Fn((K, V)) -> (K, V)) {
        self.list.extend(other.list.into_iter().map(renamed));
        self.settle();
    }

    /// The keys with their figures, once it is settled: each once, in order.
    pub fn into_list(self) -> Vec<(K, V)> {
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
        for at in 0..200_000_u64 {
            tally.add(at * 7 % 10, 1);
        }
        assert!(
            tally.list.len() <= LEAST_LIMIT,
            "brought together on the way"
        );
        let mut other = Tally::default();
        other.add(1, 5);
        other.settle();
        tally.merge(other, |(key, figures)| (key + 1, figures));
        let mut wanted: Vec<(u64, u64)> = (0..10).map(|key| (key, 20_000)).collect();
        wanted[2].1 += 5;
        assert_eq!(tally.into_list(), wanted);
    }
}
