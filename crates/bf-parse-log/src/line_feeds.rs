//! Where the line feeds are, 64 bytes at a time.

use wide::u8x16;

const BLOCK: usize = 64;

/// The offsets of all line feeds of `bytes`, in order. Quicker than one search for each: lines are short.
pub(crate) fn line_feeds(bytes: &[u8]) -> LineFeeds<'_> {
    let (blocks, rest) = bytes.as_chunks();
    LineFeeds {
        blocks,
        rest,
        next: 0,
        block: 0,
        found: 0,
    }
}

/// See [`line_feeds`].
pub(crate) struct LineFeeds<'a> {
    blocks: &'a [[u8; BLOCK]],
    rest: &'a [u8],
    /// The block to look at next.
    next: usize,
    /// The offset of the block that `found` is of.
    block: usize,
    /// One bit for each line feed of the block that was not handed out yet.
    found: u64,
}

impl Iterator for LineFeeds<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.block = self.next * BLOCK;
            self.found = match self.blocks.get(self.next) {
                Some(block) => bits(block),
                None if self.next == self.blocks.len() => {
                    let mut block = [0; BLOCK];
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
    let feed = u8x16::splat(b'\n');
    parts.iter().rev().fold(0, |bits, part| {
        bits << 16 | u64::from(u8x16::new(*part).simd_eq(feed).to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use super::line_feeds;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(bytes in proptest::collection::vec(8_u8..12, 0..400)) {
            prop_assert!(line_feeds(&bytes).eq(memchr::memchr_iter(b'\n', &bytes)));
        }
    }
}
