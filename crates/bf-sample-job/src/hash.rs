//! Figures out of hashes: the same parts give the same numbers on every machine. Only integers are
//! mixed, because the last bits of `exp` and `ln` differ between platforms.

/// A stream of numbers that depends on nothing but what it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Hash(u64);

impl Hash {
    /// The stream of these parts (a date, a team, a player …), in this order.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let seed = parts
            .iter()
            .fold(0x6266_5f73_616d_706c, |state, part| mix(state ^ mix(*part)));
        Self(seed)
    }

    /// The next 64 bits (splitmix64).
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.bits() % (high - low + 1).unsigned_abs()) as i64
    }

    /// True `per_mille` times out of a thousand.
    pub(crate) fn chance(&mut self, per_mille: i64) -> bool {
        self.between(0, 999) < per_mille
    }
}

/// The part that a text contributes to a hash (FNV-1a).
pub(crate) fn part(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
