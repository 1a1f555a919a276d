//! What the bytes of a log are written in: plain text, UTF-16, compressed.

use std::io::{self, BufRead, Read};

/// Bytes that tell.
pub(crate) const HEAD: usize = 16;

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Utf16 {
        big_endian: bool,
    },
    /// Compressed in a way that is not read here: its name, and the command that unpacks it into a pipe.
    Foreign(&'static str, &'static str),
}

impl Encoding {
    /// Tells by the first bytes.
    pub(crate) fn of(head: &[u8]) -> Self {
        const FOREIGN: [(&[u8], &str, &str); 5] = [
            (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
            (b"\xfd7zXZ\0", "xz", "xz -dc"),
            (b"BZh", "bzip2", "bzip2 -dc"),
            (b"PK\x03\x04", "zip", "unzip -p"),
            (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
        ];
        if head.starts_with(b"\x1f\x8b") {
            return Self::Gzip;
        }
        if let Some((_, name, command)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic))
        {
            return Self::Foreign(name, command);
        }
        match head {
            [0xff, 0xfe, ..] => Self::Utf16 { big_endian: false },
            [0xfe, 0xff, ..] => Self::Utf16 { big_endian: true },
            _ if has_every_other(head, 1) => Self::Utf16 { big_endian: false },
            _ if has_every_other(head, 0) => Self::Utf16 { big_endian: true },
            _ => Self::Plain,
        }
    }
}

/// Whether exactly the bytes at `zero` and every other place after it are zero: ASCII in UTF-16 without a mark.
fn has_every_other(head: &[u8], zero: usize) -> bool {
    let mut places = head.iter().take(8).enumerate();
    head.len() >= 8 && places.all(|(at, byte)| (at % 2 == zero) == (*byte == 0))
}

/// UTF-16 as UTF-8. What is no character becomes U+FFFD.
pub(crate) struct Utf16<R> {
    from: R,
    big_endian: bool,
    /// The first half of a character that needs two.
    high: Option<u16>,
    /// The first byte of a unit.
    half: Option<u8>,
    text: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Utf16<R> {
    pub(crate) const fn new(from: R, big_endian: bool) -> Self {
        Self {
            from,
            big_endian,
            high: None,
            half: None,
            text: Vec::new(),
            given: 0,
        }
    }

    fn push(&mut self, unit: u16) {
        let units = match self.high.take() {
            Some(high) if (0xdc00..0xe000).contains(&unit) => vec![high, unit],
            Some(high) => vec![high, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.high = Some(unit);
                return;
            }
            // The mark at the beginning.
            None if unit == 0xfeff => return,
            None => vec![unit],
        };
        let mut bytes = [0; 4];
        for next in char::decode_utf16(units) {
            let next = next.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.text
                .extend_from_slice(next.encode_utf8(&mut bytes).as_bytes());
        }
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            self.text.clear();
            self.given = 0;
            let bytes = self.from.fill_buf()?.to_vec();
            self.from.consume(bytes.len());
            if bytes.is_empty() {
                return Ok(0);
            }
            for byte in bytes {
                match self.half.take() {
                    None => self.half = Some(byte),
                    Some(first) if self.big_endian => self.push(u16::from_be_bytes([first, byte])),
                    Some(first) => self.push(u16::from_le_bytes([first, byte])),
                }
            }
        }
        let length = into.len().min(self.text.len() - self.given);
        into[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read as _};

    use super::{Encoding, Utf16};

    #[test]
    fn utf_16_is_read_in_both_orders_and_in_any_pieces() {
        let text = "INFO:__main__:  \u{2713} Success: 16 records \u{1f680}\n";
        for big_endian in [false, true] {
            let bytes: Vec<u8> = std::iter::once(0xfeff)
                .chain(text.encode_utf16())
                .flat_map(|unit| {
                    if big_endian {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            assert_eq!(Encoding::of(&bytes), Encoding::Utf16 { big_endian });
            assert_eq!(Encoding::of(&bytes[2..]), Encoding::Utf16 { big_endian });
            for capacity in [1, 3, 4096] {
                let mut read = String::new();
                Utf16::new(BufReader::with_capacity(capacity, &bytes[..]), big_endian)
                    .read_to_string(&mut read)
                    .expect("text");
                assert_eq!(read, text);
            }
        }
    }

    #[test]
    fn what_is_compressed_is_known_by_its_first_bytes() {
        assert_eq!(Encoding::of(b"\x1f\x8b\x08"), Encoding::Gzip);
        assert!(matches!(
            Encoding::of(b"BZh91AY"),
            Encoding::Foreign("bzip2", _)
        ));
        assert!(matches!(
            Encoding::of(b"PK\x03\x04.."),
            Encoding::Foreign("zip", _)
        ));
        assert_eq!(Encoding::of(b"INFO:__main__:a"), Encoding::Plain);
        assert_eq!(
            Encoding::of(b"\0\0\0\0\0\0\0\0INFO"),
            Encoding::Plain,
            "a hole"
        );
        assert_eq!(Encoding::of(b""), Encoding::Plain);
    }
}
