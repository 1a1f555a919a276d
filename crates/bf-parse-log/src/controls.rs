//! Where the control characters are, line feeds among them, 64 bytes at a time.

use wide::u8x16;

const BLOCK: usize = 64;

/// The offsets of all control characters of ASCII in `bytes`, in order. Quicker than a search for each line
/// feed, since lines are short; and the other ones are found on the way.
pub(crate) fn controls(bytes: &[u8]) -> Controls<'_> {
    let (blocks, rest) = bytes.as_chunks();
    Controls {
        blocks,
        rest,
        next: 0,
        block: 0,
        found: 0,
    }
}

/// See [`controls`].
pub(crate) struct Controls<'a> {
    blocks: &'a [[u8; BLOCK]],
    rest: &'a [u8],
    /// The block to look at next.
    next: usize,
    /// The offset of the block that `found` is of.
    block: usize,
    /// One bit for each control character of the block that was not handed out yet.
    found: u64,
}

impl Iterator for Controls<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.block = self.next * BLOCK;
            self.found = match self.blocks.get(self.next) {
                Some(block) => bits(block),
                None if self.next == self.blocks.len() => {
                    let mut block = [b' '; BLOCK];
                    block[..self.rest.len()].copy_from_slice(self.rest);
                    bits(&block)
                }
                None => return None,
            };
            self.next += 1;
        }
        let at = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.block + at)
    }
}

#[inline]
fn bits(block: &[u8; BLOCK]) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let last = u8x16::splat(0x1f);
    parts.iter().rev().fold(0, |bits, part| {
        let part = u8x16::new(*part);
        bits << 16 | u64::from(part.min(last).simd_eq(part).to_bitmask())
    })
}

/// The place of the first of two bytes; for texts that are so short that a search is not worth its call. What
/// nearly all texts need is done without a branch.
#[inline]
pub(crate) fn first_of(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    const USUAL: usize = 48;
    let Some(usual) = bytes.first_chunk::<USUAL>() else {
        return bytes.iter().position(|byte| *byte == one || *byte == other);
    };
    let (parts, _) = usual.as_chunks::<16>();
    let (ones, others) = (u8x16::splat(one), u8x16::splat(other));
    let found = parts.iter().rev().fold(0, |bits, part| {
        let part = u8x16::new(*part);
        bits << 16 | u64::from((part.simd_eq(ones) | part.simd_eq(others)).to_bitmask())
    });
    if found != 0 {
        return Some(found.trailing_zeros() as usize);
    }
    memchr::memchr2(one, other, &bytes[USUAL..]).map(|place| USUAL + place)
}

#[cfg(test)]
mod tests {
    use super::{controls, first_of};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(crate::require::seed()),
            ..ProptestConfig::default()
        })]

        #[test]
        fn it_finds_what_a_plain_search_finds(
            bytes in proptest::collection::vec(prop_oneof![0_u8..0x22, 0x7e_u8..0x82, any::<u8>()], 0..400)
        ) {
            let plainly = bytes.iter().enumerate().filter(|(_, byte)| **byte < 0x20).map(|(at, _)| at);
            prop_assert!(controls(&bytes).eq(plainly));
            let plainly = bytes.iter().position(|byte| matches!(byte, 3 | 0x7f));
            prop_assert_eq!(first_of(&bytes, 3, 0x7f), plainly);
        }
    }
}
