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
/// without a time after it; `05.01.2024`, `5 Jan 2024`, `Jan 5, 2024`; seconds or milliseconds since 1970;
/// `2024-01`, a month, is its first day. A form that can be read in two ways (`05/01/2024`) is none.
pub(crate) fn loose_date(bytes: &[u8]) -> Option<NaiveDate> {
    let bytes = trim(bytes);
    if let Some(date) = date_at(bytes) {
        return Some(date);
    }
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == bytes.len() {
        let epoch = |per_second: i64| {
            let value: i64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
            let time = chrono::DateTime::from_timestamp(value / per_second, 0)?;
            in_years(time.date_naive())
        };
        match digits {
            10 => return epoch(1),
            13 => return epoch(1_000),
            _ => {}
        }
    }
    with_slashes(bytes)
        .or_else(|| month(bytes))
        .or_else(|| day_month_year(bytes))
        .or_else(|| with_name_of_month(bytes))
}

fn in_years(date: NaiveDate) -> Option<NaiveDate> {
    YEARS
        .contains(&chrono::Datelike::year(&date))
        .then_some(date)
}

/// `2024/01/05`, `20240105`.
fn with_slashes(bytes: &[u8]) -> Option<NaiveDate> {
    let digits: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| *byte != b'/')
        .take_while(u8::is_ascii_digit)
        .take(9)
        .collect();
    // Four digits of a year, and not of a day and a month.
    let is_year_first = bytes.iter().take_while(|byte| **byte != b'/').count() != 2;
    if digits.len() != 8 || !is_year_first {
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

/// `2024-01`, `2024/01`.
fn month(bytes: &[u8]) -> Option<NaiveDate> {
    if bytes.len() != 7 || !matches!(bytes[4], b'-' | b'/') {
        return None;
    }
    let mut text = *b"YYYY-MM-01";
    text[..4].copy_from_slice(&bytes[..4]);
    text[5..7].copy_from_slice(&bytes[5..]);
    date_at(&text)
}

/// `05.01.2024`: whoever writes dots puts the day first.
fn day_month_year(bytes: &[u8]) -> Option<NaiveDate> {
    let text = std::str::from_utf8(bytes.get(..10).unwrap_or(bytes)).ok()?;
    text.contains('.').then_some(())?;
    NaiveDate::parse_from_str(text.trim_end(), "%d.%m.%Y")
        .ok()
        .and_then(in_years)
}

/// `Jan 05 2024`, `January 5, 2024`, `5 Jan 2024`, `05-Jan-2024`.
fn with_name_of_month(bytes: &[u8]) -> Option<NaiveDate> {
    let text = std::str::from_utf8(bytes).ok()?;
    ["%B %d %Y", "%B %d, %Y", "%d %B %Y", "%d-%B-%Y", "%d/%B/%Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_and_remainder(text, format).ok())
        .filter(|(_, rest)| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
        .and_then(|(date, _)| in_years(date))
}

/// A figure as jobs write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Count(u64),
    /// Nothing stands there.
    None,
    TooLarge,
    /// There is a figure, and how much it is cannot be read.
    Unreadable,
}

const SEPARATORS: [char; 7] = [',', '.', ' ', '_', '\'', '\u{a0}', '\u{202f}'];

/// The figure that a text begins with, with its scale: `1.2M` of `1.2M rows`. `None` where a word hangs on
/// its digits.
fn before_words(text: &str) -> Option<&str> {
    let is_part = |next: char| next.is_ascii_digit() || SEPARATORS.contains(&next);
    let mut end = text.find(|next| !is_part(next)).unwrap_or(text.len());
    let next = text[end..].chars().next();
    if next.is_some_and(|next| "kKMBG".contains(next))
        && !text[end + 1..].starts_with(char::is_alphanumeric)
    {
        end += 1;
    } else if next.is_some_and(char::is_alphanumeric)
        && text[..end].ends_with(|last: char| last.is_ascii_digit())
    {
        return None;
    }
    Some(text[..end].trim_end_matches(SEPARATORS))
}

/// Reads a whole figure: `16`, `1,204`, `1 204`, `1.204.567`, `1_204`, `16.0`, `1.2M`, `3k`.
pub(crate) fn figure(bytes: &[u8]) -> Figure {
    let bytes = trim(bytes);
    if let Some((value, taken)) = number_at(bytes)
        && taken == bytes.len()
    {
        return Figure::Count(value);
    }
    let Some(first) = bytes.first() else {
        return Figure::None;
    };
    if !first.is_ascii_digit() {
        return Figure::Unreadable;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Figure::Unreadable;
    };
    let Some(text) = before_words(text) else {
        return Figure::Unreadable;
    };
    let (number, scale) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'B' | b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number = number.trim_end();
    let mut parts = number.split(SEPARATORS);
    let whole = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let all_digits =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(&whole) || !rest.iter().all(all_digits) {
        return Figure::Unreadable;
    }
    let separator = number[whole.len()..].chars().next();
    let thousands = whole.len() <= 3 && rest.iter().all(|part| part.len() == 3);
    let value = match (rest.as_slice(), separator) {
        ([], _) => whole.parse::<u128>().ok().map(|value| value * scale),
        // One point before three digits is a point, unless a scale makes a fraction of it, too.
        ([fraction], Some('.')) => {
            let is_whole = fraction.bytes().all(|byte| byte == b'0');
            let is_three = fraction.len() == 3;
            let digits = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
            let unit = 10_u128.checked_pow(digits);
            match (whole.parse::<u128>(), fraction.parse::<u128>(), unit) {
                (Ok(whole), Ok(part), Some(unit)) if scale > 1 && unit <= scale => {
                    Some(whole * scale + part * scale / unit)
                }
                (Ok(whole), ..) if is_whole && !is_three => Some(whole * scale),
                _ => return Figure::Unreadable,
            }
        }
        (parts, _) if thousands && scale == 1 => {
            let joined: String = std::iter::once(&whole).chain(parts).copied().collect();
            joined.parse::<u128>().ok()
        }
        _ => return Figure::Unreadable,
    };
    match value.map(u64::try_from) {
        Some(Ok(value)) => Figure::Count(value),
        _ => Figure::TooLarge,
    }
}

/// Where a figure ends that has a part until `end`: groups of three digits and a scale may follow it.
pub(crate) fn end_of_figure(line: &[u8], end: usize) -> usize {
    const SPACES: [&[u8]; 6] = [
        b" ",
        b".",
        b"_",
        b"'",
        "\u{a0}".as_bytes(),
        "\u{202f}".as_bytes(),
    ];
    let is_digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    // Nearly always a word follows, or nothing.
    match line.get(end) {
        None | Some(b',' | b'"' | b'}' | b')') => return end,
        Some(b' ') if !is_digit(end + 1) => return end,
        _ => {}
    }
    let mut end = end;
    while let Some(space) = SPACES.iter().find(|space| {
        let at = end + space.len();
        line[end..].starts_with(space)
            && (at..at + 3).all(is_digit)
            && !line.get(at + 3).is_some_and(u8::is_ascii_alphanumeric)
    }) {
        end += space.len() + 3;
    }
    if line.get(end) == Some(&b'.') && is_digit(end + 1) {
        let fraction = line[end + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        end += 1 + fraction.count();
    }
    let scale = line.get(end).is_some_and(|byte| b"kKMBG".contains(byte));
    let ends = !line.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    end + usize::from(scale && ends)
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
    use super::{Figure, date_at, figure, find_date, is_too_large, loose_date, number_at};

    #[test]
    fn what_belongs_to_a_figure_is_a_part_of_it() {
        for (line, whole) in [
            ("16 records", "16"),
            ("1 234 records", "1 234"),
            ("1.2M rows", "1.2M"),
            ("1.234.567", "1.234.567"),
            ("12k", "12k"),
            ("16 2024-01-05", "16"),
            ("16.", "16"),
            ("3 Main", "3"),
        ] {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            assert_eq!(
                &line[..super::end_of_figure(line.as_bytes(), digits)],
                whole
            );
        }
    }

    #[test]
    fn a_date_is_read_in_every_form_that_has_one_meaning() {
        let day = date_at(b"2024-01-05");
        for form in [
            "2024-01-05",
            "2024-01-05T10:00:00Z",
            "2024/01/05",
            "20240105",
            "05.01.2024",
            "Jan 05 2024",
            "January 5, 2024",
            "5 Jan 2024",
            "05-Jan-2024",
            "1704412800",
            "1704412800000",
        ] {
            assert_eq!(loose_date(form.as_bytes()), day, "{form}");
        }
        assert_eq!(loose_date(b"2024-01"), date_at(b"2024-01-01"));
        for form in [
            "05/01/2024",
            "someday",
            "",
            "2024",
            "17044128",
            "01-05-2024",
        ] {
            assert_eq!(loose_date(form.as_bytes()), None, "{form}");
        }
    }

    #[test]
    fn a_figure_is_read_whole_or_not_at_all() {
        for (text, value) in [
            ("16", 16),
            ("1,204", 1_204),
            ("1 234", 1_234),
            ("1.234.567", 1_234_567),
            ("1_204", 1_204),
            ("16.0", 16),
            ("1.2M", 1_200_000),
            ("1.25 M", 1_250_000),
            ("3k", 3_000),
            ("1.2M rows", 1_200_000),
            ("1 234 rows in 3 s", 1_234),
            ("16, of them new", 16),
        ] {
            assert_eq!(figure(text.as_bytes()), Figure::Count(value), "{text}");
        }
        for text in [
            "-1", "many", "1.234", "1,2345", "12,34", "1.5", "16rows", "0x10",
        ] {
            assert_eq!(figure(text.as_bytes()), Figure::Unreadable, "{text}");
        }
        assert_eq!(figure(b"18446744073709551616"), Figure::TooLarge);
        assert_eq!(figure(b" "), Figure::None);
    }

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
}
