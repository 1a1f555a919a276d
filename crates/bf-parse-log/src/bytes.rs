//! Dates and numbers, read from bytes without making text of them.

use chrono::NaiveDate;

/// Days outside these years are no dates of a backfill, but digits that look like one. The bound also
/// bounds the ledger, whatever a log holds.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// Reads `YYYY-MM-DD` at the beginning of `bytes`; no digit may follow it.
pub(crate) fn date_at(bytes: &[u8]) -> Option<NaiveDate> {
    let text = bytes.get(..10)?;
    if text[4] != b'-' || text[7] != b'-' || bytes.get(10).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| {
        let byte = text[at];
        byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
    };
    let year = digit(0)? * 1000 + digit(1)? * 100 + digit(2)? * 10 + digit(3)?;
    let month = digit(5)? * 10 + digit(6)?;
    let day = digit(8)? * 10 + digit(9)?;
    let year = i32::try_from(year).ok()?;
    if !YEARS.contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(year, month, day)
}

/// Reads a date in the forms that other jobs write: `2024-01-05`, `2024/01/05`, `20240105`, each with or
/// without a time behind it.
pub(crate) fn loose_date(bytes: &[u8]) -> Option<NaiveDate> {
    let bytes = trim(bytes);
    if let Some(date) = date_at(bytes) {
        return Some(date);
    }
    let digits: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| *byte != b'/')
        .take_while(u8::is_ascii_digit)
        .take(9)
        .collect();
    if digits.len() != 8 {
        return None;
    }
    let mut text = [0; 10];
    text[..4].copy_from_slice(&digits[..4]);
    text[4] = b'-';
    text[5..7].copy_from_slice(&digits[4..6]);
    text[7] = b'-';
    text[8..].copy_from_slice(&digits[6..]);
    date_at(&text)
}

/// The first date anywhere in `bytes`.
pub(crate) fn find_date(bytes: &[u8]) -> Option<NaiveDate> {
    let mut from = 0;
    // The shortest way to a date is its first dash.
    while let Some(dash) = memchr::memchr(b'-', bytes.get(from..)?) {
        let dash = from + dash;
        if let Some(start) = dash.checked_sub(4) {
            let stands_alone = start == 0 || !bytes[start - 1].is_ascii_digit();
            if stands_alone && let Some(date) = date_at(&bytes[start..]) {
                return Some(date);
            }
        }
        from = dash + 1;
    }
    None
}

/// Reads a whole number, with or without commas between the thousands, and how many bytes it takes.
pub(crate) fn number_at(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
                at += 1;
            }
            b',' if at > 0 && starts_with_three_digits(&bytes[at + 1..]) => at += 1,
            _ => break,
        }
    }
    (at > 0).then_some((value, at))
}

/// Whether a number begins `bytes`, or the second half of an `i/N` there, that is too large for [`number_at`].
#[cold]
pub(crate) fn is_too_large(bytes: &[u8]) -> bool {
    match number_at(bytes) {
        Some((_, taken)) => bytes[taken..].strip_prefix(b"/").is_some_and(is_too_large),
        None => bytes.first().is_some_and(u8::is_ascii_digit),
    }
}

fn starts_with_three_digits(bytes: &[u8]) -> bool {
    bytes.len() >= 3
        && bytes[..3].iter().all(u8::is_ascii_digit)
        && !bytes.get(3).is_some_and(u8::is_ascii_digit)
}

/// As [`number_at`], a number of dates. More than the ledger could hold is no count, whatever it looks
/// like.
pub(crate) fn count_at(bytes: &[u8]) -> Option<(u64, usize)> {
    number_at(bytes).filter(|(count, _)| *count <= 1_000_000)
}

/// Reads `i/N` and what follows it.
pub(crate) fn fraction_at(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (part, taken) = count_at(bytes)?;
    let rest = bytes[taken..].strip_prefix(b"/")?;
    let (whole, taken) = count_at(rest)?;
    Some((part, whole, &rest[taken..]))
}

/// Without the spaces and tabs before it.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    let blank = bytes
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &bytes[blank..]
}

/// Without the white space around it.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// Whether `needle` stands in `bytes`, in any case of its ASCII letters; `needle` is lower case.
pub(crate) fn contains_ignoring_case(bytes: &[u8], needle: &[u8]) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

/// Text for a person from bytes of a log: at most `limit` bytes, broken characters replaced.
pub(crate) fn text(bytes: &[u8], limit: usize) -> String {
    let bytes = trim(bytes);
    let mut end = bytes.len().min(limit);
    // Not in the middle of a character: continuation bytes are 10xxxxxx.
    while end > 0 && end < bytes.len() && bytes[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{date_at, find_date, fraction_at, is_too_large, number_at};

    #[test]
    fn a_date_is_ten_bytes_that_a_calendar_has() {
        assert!(date_at(b"2024-02-29").is_some());
        for wrong in [
            &b"2023-02-29"[..],
            b"2024-01-1",
            b"2024-01-011",
            b"2024_01_01",
            b"0000-01-01",
            b"9024-01-01",
            b"2024-1\xE2-01",
        ] {
            assert_eq!(date_at(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn a_date_is_found_behind_other_dashes_and_digits() {
        assert_eq!(
            find_date(b"us-east-1 job-2024-x no data for 2024-01-04: 7"),
            date_at(b"2024-01-04")
        );
        assert_eq!(find_date(b"12024-01-04 2024-01-0"), None);
        assert_eq!(find_date(b"----"), None);
    }

    #[test]
    fn numbers_take_commas_between_thousands_and_nowhere_else() {
        assert_eq!(number_at(b"1,960 records"), Some((1960, 5)));
        assert_eq!(number_at(b"12,34"), Some((12, 2)));
        assert_eq!(number_at(b"3, failed"), Some((3, 1)));
        assert_eq!(number_at(b"1,2345"), Some((1, 1)));
        assert_eq!(number_at(b",1"), None);
        assert_eq!(number_at(b"99999999999999999999999"), None);
    }

    #[test]
    fn a_number_that_is_too_large_is_told_from_what_is_no_number() {
        for large in [
            &b"18446744073709551616"[..],
            b"18,446,744,073,709,551,616 records",
            b"3/99999999999999999999: x",
        ] {
            assert!(is_too_large(large), "{}", String::from_utf8_lossy(large));
        }
        for other in [&b"18446744073709551615"[..], b"many", b"", b"3/4", b"3/x"] {
            assert!(!is_too_large(other), "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn a_fraction_is_two_numbers_and_a_slash() {
        assert_eq!(fraction_at(b"3/1,537: x"), Some((3, 1537, &b": x"[..])));
        assert_eq!(fraction_at(b"3 /4"), None);
    }
}
