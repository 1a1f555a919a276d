//! The two prefixes that nearly every line of a log has, found with a few comparisons:
//! `INFO:name:` and `2026-01-03 13:45:12,345 - INFO - `.

use super::level::Level;
use crate::controls::first_of;

/// The first bytes of `bytes` as one number, to be compared at once.
const fn word(bytes: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = 0;
    while at < bytes.len() {
        word |= (bytes[at] as u64) << (8 * at);
        at += 1;
    }
    word
}

/// Keeps the first `bytes` bytes of a [`word`].
const fn first(word: u64, bytes: u32) -> u64 {
    word & (u64::MAX >> (64 - 8 * bytes))
}

#[inline]
fn word_at(head: &[u8; HEAD], at: usize) -> u64 {
    head[at..]
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Bytes that are compared at most, before the message.
const HEAD: usize = 40;

/// For a line of one of the two forms, below the level of an error: whether it may be the job's, and where its
/// message begins. Conditions that nearly always come to the same are joined without a branch between them:
/// which logger writes next is what a processor cannot foresee.
#[inline]
pub(crate) fn quick(line: &[u8]) -> Option<(bool, usize)> {
    let head: &[u8; HEAD] = line.first_chunk()?;
    let first_word = word_at(head, 0);
    let info = first(first_word, 5) == word(b"INFO:");
    let debug = first(first_word, 6) == word(b"DEBUG:");
    let warning = first_word == word(b"WARNING:");
    if info | debug | warning {
        let name = 5 + usize::from(debug) + 3 * usize::from(warning);
        if word_at(head, name) == word(b"__main__") && head[name + 8] == b':' {
            return Some((true, name + 9));
        }
        let end = name + first_of(&line[name..line.len().min(name + 120)], b':', b' ')?;
        let is_name = line[end] == b':' && end > name && &line[name..end] != b"root";
        return is_name.then_some((false, end + 1));
    }
    let level = word_at(head, 24);
    let behind = word_at(head, 32);
    let info = (level == word(b"- INFO -")) & (first(behind, 1) == word(b" "));
    let debug = (level == word(b"- DEBUG ")) & (first(behind, 2) == word(b"- "));
    let warning = (level == word(b"- WARNIN")) & (first(behind, 4) == word(b"G - "));
    (is_usual_time(head) & (info | debug | warning))
        .then(|| (true, 33 + usize::from(debug) + 3 * usize::from(warning)))
}

/// Whether a line begins with `2026-01-03 13:45:12,345 `, as far as the separators and the last digits go.
#[inline]
fn is_usual_time(head: &[u8; HEAD]) -> bool {
    // "2026-01-", "03 13:45", ":12,345 "
    const A: u64 = word(b"\0\0\0\0\xff\0\0\xff");
    const B: u64 = word(b"\0\0\xff\0\0\xff\0\0");
    const C: u64 = word(b"\xff\0\0\xff\0\0\0\xff");
    // A digit is 3x, and stays so with six added.
    const TENS: u64 = word(b"\0\0\0\0\xf0\xf0\xf0");
    const DIGITS: u64 = word(b"\0\0\0\0\x30\x30\x30");
    const SIX: u64 = word(b"\0\0\0\0\x06\x06\x06");
    let (a, b, c) = (word_at(head, 0), word_at(head, 8), word_at(head, 16));
    (a & A == word(b"\0\0\0\0-\0\0-"))
        & (b & B == word(b"\0\0 \0\0:\0\0"))
        & (c & C == word(b":\0\0,\0\0\0 "))
        & (c & TENS == DIGITS)
        & (c.wrapping_add(SIX) & TENS == DIGITS)
}

/// Level and beginning of the message in a line of the usual form with a time,
/// `2026-01-03 13:45:12,345 - INFO - message`.
pub(crate) fn usual_time(line: &[u8]) -> Option<(Level, usize)> {
    let head = line.first_chunk::<HEAD>()?;
    if !is_usual_time(head) {
        return None;
    }
    let level = &head[24..];
    if level.starts_with(b"- INFO - ") {
        Some((Level::Info, 33))
    } else if level.starts_with(b"- ERROR - ") {
        Some((Level::Error, 34))
    } else if level.starts_with(b"- WARNING - ") {
        Some((Level::Warning, 36))
    } else if level.starts_with(b"- DEBUG - ") {
        Some((Level::Debug, 34))
    } else {
        None
    }
}
