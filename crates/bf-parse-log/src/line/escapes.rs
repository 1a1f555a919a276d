//! Terminal escapes in a log: coloured levels, cleared lines. They say nothing and are taken out before a
//! line is read, so that none can ever reach a terminal again.

use std::borrow::Cow;

const ESC: u8 = 0x1b;

/// `line` without escape sequences; the same line if it has none.
pub(crate) fn clean(line: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::new();
    if without_escapes(line, &mut text).len() == line.len() {
        return Cow::Borrowed(line);
    }
    Cow::Owned(text)
}

/// As [`clean`]; what has to be written is written to `text`.
pub(crate) fn without_escapes<'a>(line: &'a [u8], text: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(first) = memchr::memchr(ESC, line) else {
        return line;
    };
    text.clear();
    text.extend_from_slice(&line[..first]);
    let mut rest = &line[first..];
    while let [ESC, after @ ..] = rest {
        rest = &after[sequence(after)..];
        let next = memchr::memchr(ESC, rest).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
    }
    text
}

/// The length of a sequence after its ESC. Source of the forms: ECMA-48, 5.4 and 8.3.89.
fn sequence(bytes: &[u8]) -> usize {
    match bytes.first() {
        // Control sequence: parameters, then one final byte.
        Some(b'[') => bytes[1..]
            .iter()
            .position(|byte| (0x40..=0x7e).contains(byte))
            .map_or(bytes.len(), |end| end + 2),
        // Operating system command: up to BEL or ESC \.
        Some(b']') => bytes
            .iter()
            .position(|byte| matches!(*byte, 0x07 | ESC))
            .map_or(bytes.len(), |end| end + usize::from(bytes[end] == 0x07)),
        Some(_) => 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn sequences_go_and_text_stays() {
        for (line, kept) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"\x1b[32mINFO\x1b[0m:__main__:a", b"INFO:__main__:a"),
            (b"a\x1b[2K\x1b[1Gb", b"ab"),
            (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", b"ab"),
            (b"a\x1bMb\x1b", b"ab"),
            (b"a\x1b[31", b"a"),
        ] {
            assert_eq!(&*clean(line), kept);
        }
    }
}
