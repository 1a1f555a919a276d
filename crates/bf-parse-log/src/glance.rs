//! Tells noise from lines worth reading. Nine lines in ten of a log are other loggers' chatter; a few
//! comparisons settle them. Where [`is_noise`] is true, [`crate::grammar::read`] finds a logging prefix, no
//! event, and nothing that a traceback could belong to.

use crate::prefix::Level;

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

fn word_at(line: &[u8], at: usize) -> u64 {
    line.get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

/// Whether a line surely says nothing.
pub(crate) fn is_noise(line: &[u8]) -> bool {
    if line.len() < 40 {
        return false;
    }
    let head = word_at(line, 0);
    if first(head, 5) == word(b"INFO:") {
        is_chatter(line, 5)
    } else if first(head, 6) == word(b"DEBUG:") {
        is_chatter(line, 6)
    } else if head == word(b"WARNING:") {
        is_chatter(line, 8)
    } else {
        line[0] == b'2' && is_timed_chatter(line)
    }
}

/// `name:message` from `at` on, below the level of an error. Other loggers are listened to where they
/// begin a date (`… for 2024-01-05`) or count the game dates (`… off-days)`): both show at the end of the
/// line.
fn is_chatter(line: &[u8], at: usize) -> bool {
    let name = word_at(line, at);
    let of_job = first(name, 4) == word(b"__ma")
        || first(name, 5) == word(b"root:")
        || matches!(first(name, 1), 0x20 | 0x3a);
    let tail = word_at(line, line.len() - 8);
    let tells = tail & word(b"\0\0\xff\0\0\xff\0\0") == word(b"\0\0-\0\0-\0\0")
        || tail >> 24 == word(b"days)");
    !of_job && !tells
}

/// Level and beginning of the message in a line of the usual form with a time,
/// `2026-01-03 13:45:12,345 - INFO - message`.
pub(crate) fn usual_time(line: &[u8]) -> Option<(Level, usize)> {
    // "2026-01-", "03 13:45", ":12,345 ", "- "
    const A: u64 = word(b"\0\0\0\0\xff\0\0\xff");
    const B: u64 = word(b"\0\0\xff\0\0\xff\0\0");
    const C: u64 = word(b"\xff\0\0\xff\0\0\0\xff");
    let is_time = word_at(line, 0) & A == word(b"\0\0\0\0-\0\0-")
        && word_at(line, 8) & B == word(b"\0\0 \0\0:\0\0")
        && word_at(line, 16) & C == word(b":\0\0,\0\0\0 ")
        && line[20..23].iter().all(u8::is_ascii_digit);
    if !is_time {
        return None;
    }
    let (level, behind) = (word_at(line, 24), word_at(line, 32));
    if level == word(b"- INFO -") {
        (first(behind, 1) == word(b" ")).then_some((Level::Info, 33))
    } else if level == word(b"- ERROR ") {
        (first(behind, 2) == word(b"- ")).then_some((Level::Error, 34))
    } else if level == word(b"- WARNIN") {
        (first(behind, 4) == word(b"G - ")).then_some((Level::Warning, 36))
    } else if level == word(b"- DEBUG ") {
        (first(behind, 2) == word(b"- ")).then_some((Level::Debug, 34))
    } else {
        None
    }
}

/// A line of that form, below the level of an error, whose message begins as no rule's does.
fn is_timed_chatter(line: &[u8]) -> bool {
    let Some((level, body)) = usual_time(line) else {
        return false;
    };
    let (Some(&lead), Some(&second)) = (line.get(body), line.get(body + 1)) else {
        return false;
    };
    if level == Level::Error {
        return false;
    }
    if !BEGINNINGS.has(lead, second) {
        return true;
    }
    // Signs, dates and indented messages are read in any case; words are looked at once more.
    lead.is_ascii_alphabetic()
        && line
            .get(body..body + 4)
            .is_some_and(|word| !WORDS.contains(&[word[0], word[1], word[2], word[3]]))
}

/// How the messages begin that any rule looks for.
const WORDS: [[u8; 4]; 42] = [
    *b"ANAL", *b"BACK", *b"Back", *b"Chec", *b"DAY-", *b"DRY ", *b"Date", *b"Day-", *b"Days",
    *b"Depe", *b"Dry ", *b"End ", *b"Exce", *b"Exec", *b"Fail", *b"Foun", *b"Inva", *b"Mode",
    *b"No g", *b"No r", *b"PARA", *b"PHAS", *b"PROG", *b"Phas", *b"Proc", *b"Prog", *b"RESU",
    *b"Rema", *b"Resu", *b"SPEC", *b"Skip", *b"Star", *b"Succ", *b"Summ", *b"Tota", *b"Unex",
    *b"Upco", *b"Veri", *b"Will", *b"(Ski", *b"--no", *b"--st",
];

/// A set of two bytes, one bit each.
struct Pairs([u64; 1024]);

impl Pairs {
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
