//! Tells noise from lines worth reading. Nine lines in ten of a log are other loggers' chatter; a few
//! comparisons settle them. Where [`is_noise`] is true, [`crate::grammar::read`] finds a logging prefix, no
//! event, and nothing that a traceback could belong to.

use crate::line::prefix::Level;

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

/// Bytes that every line needs for a glance: all that is compared lies in them and in the last eight.
const HEAD: usize = 40;

/// Whether a line surely says nothing. Conditions that nearly always come to the same are joined without a
/// branch between them: which logger speaks next is what a processor cannot foresee.
#[inline]
pub(crate) fn is_noise(line: &[u8]) -> bool {
    let (Some(head), Some(tail)) = (line.first_chunk(), line.last_chunk()) else {
        return false;
    };
    let (first_word, tail) = (word_at(head, 0), u64::from_le_bytes(*tail));
    let info = first(first_word, 5) == word(b"INFO:");
    let debug = first(first_word, 6) == word(b"DEBUG:");
    let warning = first_word == word(b"WARNING:");
    if info | debug | warning {
        let name = 5 + usize::from(debug) + 3 * usize::from(warning);
        return is_chatter(word_at(head, name), tail);
    }
    is_timed_chatter(head)
}

/// `name:message`, below the level of an error. Other loggers are listened to where they begin a date
/// (`… for 2024-01-05`) or count the game dates (`… off-days)`): both show at the end of the line.
#[inline]
fn is_chatter(name: u64, tail: u64) -> bool {
    let of_job = (first(name, 4) == word(b"__ma"))
        | (first(name, 5) == word(b"root:"))
        | (first(name, 1) == word(b" "))
        | (first(name, 1) == word(b":"));
    let tells = (tail & word(b"\0\0\xff\0\0\xff\0\0") == word(b"\0\0-\0\0-\0\0"))
        | (tail >> 24 == word(b"days)"));
    !(of_job | tells)
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

/// A line of that form, below the level of an error, whose message begins as no rule's does.
#[inline]
fn is_timed_chatter(head: &[u8; HEAD]) -> bool {
    let (level, behind) = (word_at(head, 24), word_at(head, 32));
    let info = (level == word(b"- INFO -")) & (first(behind, 1) == word(b" "));
    let debug = (level == word(b"- DEBUG ")) & (first(behind, 2) == word(b"- "));
    let warning = (level == word(b"- WARNIN")) & (first(behind, 4) == word(b"G - "));
    if !(is_usual_time(head) & (info | debug | warning)) {
        return false;
    }
    let body = 33 + usize::from(debug) + 3 * usize::from(warning);
    let Some(&[one, two, three, four]) = head[body..].first_chunk() else {
        return false;
    };
    // Signs, dates and indented messages are read in any case; words are looked at once more.
    !BEGINNINGS.has(one, two)
        || one.is_ascii_alphabetic() && !WORDS.contains(&[one, two, three, four])
}

/// How the messages begin that any rule looks for.
const WORDS: [[u8; 4]; 43] = [
    *b"ANAL", *b"BACK", *b"Back", *b"Chec", *b"DAY-", *b"DRY ", *b"Date", *b"Day-", *b"Days",
    *b"Depe", *b"Dry ", *b"End ", *b"Exce", *b"Exec", *b"Fail", *b"Foun", *b"Inva", *b"Mode",
    *b"No g", *b"No r", *b"PARA", *b"PHAS", *b"PROG", *b"Phas", *b"pyth", *b"Proc", *b"Prog",
    *b"RESU", *b"Rema", *b"Resu", *b"SPEC", *b"Skip", *b"Star", *b"Succ", *b"Summ", *b"Tota",
    *b"Unex", *b"Upco", *b"Veri", *b"Will", *b"(Ski", *b"--no", *b"--st",
];

/// A set of two bytes, one bit each.
struct Pairs([u64; 1024]);

impl Pairs {
    #[inline]
    const fn has(&self, first: u8, second: u8) -> bool {
        let at = (first as usize) << 8 | second as usize;
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    const fn add(&mut self, first: u8, second: u8) {
        let at = (first as usize) << 8 | second as usize;
        self.0[at / 64] |= 1 << (at % 64);
    }

    const fn add_all_after(&mut self, first: u8) {
        let mut second = 0;
        while second < 256 {
            self.add(first, second as u8);
            second += 1;
        }
    }
}

/// The first two bytes of [`WORDS`], and of what is read in any case.
static BEGINNINGS: Pairs = {
    let mut pairs = Pairs([0; 1024]);
    let mut at = 0;
    while at < WORDS.len() {
        pairs.add(WORDS[at][0], WORDS[at][1]);
        at += 1;
    }
    let mut first: usize = 0x80;
    while first < 256 {
        pairs.add_all_after(first as u8);
        first += 1;
    }
    let others = *b" \t12\x1b";
    let mut at = 0;
    while at < others.len() {
        pairs.add_all_after(others[at]);
        at += 1;
    }
    pairs
};
