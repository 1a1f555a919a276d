//! A fixed-seed generator: the same parts give the same numbers on every machine.
//!
//! Only integer mixing and plain arithmetic are used, no `exp` or `ln`, because their last
//! bits differ between platforms and the figures of this job are compared exactly.

/// A stream of numbers that depends on nothing but what it was made of.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The stream that belongs to these parts (a season, a team, a day …), in this order.
    pub fn of(parts: &[u64]) -> Self {
        let seed = parts
            .iter()
            .fold(0x6266_5f73_616d_706c, |state, part| mix(state ^ mix(*part)));
        Self(seed)
    }

    /// The next 64 bits (splitmix64).
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A number around `centre`, at most `spread` away, more often near than far.
    pub fn around(&mut self, centre: f64, spread: f64) -> f64 {
        centre + spread * (self.unit() - self.unit())
    }

    /// `mean` rounded up or down so that the average stays `mean`; never negative.
    pub fn rounded(&mut self, mean: f64) -> u32 {
        (mean.max(0.0) + self.unit()) as u32
    }

    /// How many of `tries` succeed when each does so with probability `p`.
    pub fn successes(&mut self, tries: u32, p: f64) -> u32 {
        (0..tries).filter(|_| self.chance(p)).count() as u32
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_numbers_and_others_give_others() {
        let first = Dice::of(&[1, 2]).bits();
        assert_eq!(first, Dice::of(&[1, 2]).bits());
        assert_ne!(first, Dice::of(&[2, 1]).bits());
        assert_ne!(first, Dice::of(&[1, 3]).bits());
    }

    #[test]
    fn successes_stay_near_their_expectation() {
        let total = Dice::of(&[7]).successes(100_000, 0.36);
        assert!((35_000..37_000).contains(&total), "{total}");
    }
}
