//! Tells noise from lines worth reading. Nine lines in ten of a log are other loggers' chatter; a few
//! comparisons settle them. Where [`is_noise`] is true, [`crate::grammar::read`] finds a logging prefix, no
//! event, and nothing that a traceback could belong to.

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

/// `2026-01-03 13:45:12,345 - INFO - message`, where the message's first two bytes are those of no rule.
fn is_timed_chatter(line: &[u8]) -> bool {
    // "2026-01-", "03 13:45", ":12,345 ", "- "
    const A: u64 = word(b"\0\0\0\0\xff\0\0\xff");
    const B: u64 = word(b"\0\0\xff\0\0\xff\0\0");
    const C: u64 = word(b"\xff\0\0\xff\0\0\0\xff");
    let is_time = word_at(line, 0) & A == word(b"\0\0\0\0-\0\0-")
        && word_at(line, 8) & B == word(b"\0\0 \0\0:\0\0")
        && word_at(line, 16) & C == word(b":\0\0,\0\0\0 ")
        && line[20..23].iter().all(u8::is_ascii_digit);
    let level = word_at(line, 24);
    let body = if level == word(b"- INFO -") {
        33
    } else if level == word(b"- DEBUG ") {
        34
    } else if level == word(b"- WARNIN") && line[32] == b'G' {
        36
    } else {
        return false;
    };
    is_time
        && line[body - 3..body] == *b" - "
        && line
            .get(body..body + 2)
            .is_some_and(|pair| !BEGINNINGS.has(pair[0], pair[1]))
}

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

/// How the messages begin that any rule looks for. Indented ones, dates and signs are read in any case.
static BEGINNINGS: Pairs = {
    const WORDS: &[u8] = b"PrPRPAPHPhExEnUnUpDaDrDRDADeStSuSkSPChFaFoBABaReRENoToMoVeWiANIn(S--";
    let mut pairs = Pairs([0; 1024]);
    let mut at = 0;
    while at < WORDS.len() {
        pairs.add(WORDS[at], WORDS[at + 1]);
        at += 2;
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
