//! The signs of the family's jobs (✓ ✗ ⏭ …), found again after an encoding lost them: written as an escape,
//! as the characters that their bytes are elsewhere, or as a question mark.

use std::sync::OnceLock;

use crate::line::fields::date_at;

const SIGNS: [&str; 10] = ["✓", "✗", "⏭", "✅", "❌", "⚠", "🚀", "📂", "📊", "🔄"];

/// What Windows-1252 has at 0x80 to 0x9f; a byte without a character stays itself.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// How a sign may be written, and the sign.
fn forms() -> &'static [(String, &'static str)] {
    static FORMS: OnceLock<Vec<(String, &'static str)>> = OnceLock::new();
    FORMS.get_or_init(|| {
        let mut forms = Vec::new();
        for sign in SIGNS {
            let bytes = sign.as_bytes();
            let units: Vec<u16> = sign.encode_utf16().collect();
            let escaped =
                |form: &dyn Fn(u16) -> String| units.iter().map(|unit| form(*unit)).collect();
            forms.push((escaped(&|unit| format!("\\u{unit:04x}")), sign));
            forms.push((escaped(&|unit| format!("\\u{unit:04X}")), sign));
            let code = sign.chars().next().map_or(0, u32::from);
            forms.push((format!("\\U{code:08x}"), sign));
            forms.push((format!("\\N{{U+{code:04X}}}"), sign));
            let hex = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            forms.push((hex, sign));
            let latin = bytes.iter().map(|byte| char::from(*byte)).collect();
            forms.push((latin, sign));
            let windows = bytes
                .iter()
                .map(|byte| match byte {
                    0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
                    _ => char::from(*byte),
                })
                .collect();
            forms.push((windows, sign));
        }
        forms
    })
}

/// The message with its sign, if it begins with one that was lost; `is_error` tells a failure by its level.
pub(crate) fn restore(text: &[u8], is_error: bool) -> Option<Vec<u8>> {
    let first = *text.first()?;
    let with = |sign: &str, rest: &[u8]| Some([sign.as_bytes(), rest].concat());
    if matches!(first, b'\\' | 0xc2 | 0xc3) {
        let (form, sign) = forms()
            .iter()
            .find(|(form, _)| text.starts_with(form.as_bytes()))?;
        return with(sign, &text[form.len()..]);
    }
    // Marks for what could not be written, one for each byte or for the whole.
    let mark: &[u8] = if first == b'?' {
        b"?"
    } else {
        "\u{fffd}".as_bytes()
    };
    let mut rest = text;
    let mut marks = 0;
    while let Some(behind) = rest.strip_prefix(mark) {
        rest = behind;
        marks += 1;
    }
    let rest = rest
        .strip_prefix(b" ")
        .filter(|_| (1..=8).contains(&marks))?;
    let is_count = |text: &[u8]| {
        let digits = text
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b',')
            .count();
        digits > 0 && text[digits..].starts_with(b" ")
    };
    let sign = if rest.starts_with(b"Success: ") || rest.starts_with(b"Dry run") {
        "✓"
    } else if rest.starts_with(b"Failed: ") || rest.starts_with(b"Exception: ") {
        "✗"
    } else if rest.starts_with(b"Skipped: ") {
        "⏭"
    } else if date_at(rest).is_some() && rest.get(10..12) == Some(b": ") {
        let behind = &rest[12..];
        if behind.starts_with(b"Processed ") {
            "✅"
        } else if behind.starts_with(b"Exception - ") {
            "❌"
        } else if behind.starts_with(b"Processing failed") && !is_error {
            "⚠"
        } else if is_count(behind) {
            "✓"
        } else {
            // What was left out and what failed look alike: of two doubtful readings the worse one.
            "✗"
        }
    } else {
        return None;
    };
    with(sign, &[b" ", rest].concat())
}

#[cfg(test)]
mod tests {
    use super::restore;

    #[test]
    fn a_sign_is_found_again_in_whatever_an_encoding_made_of_it() {
        for (text, whole) in [
            ("\\u2713 Success: 16 records", "✓ Success: 16 records"),
            ("\\u2717 Failed: 2024-01-05", "✗ Failed: 2024-01-05"),
            ("\\xe2\\x9c\\x93 Success: 16", "✓ Success: 16"),
            ("\\ud83d\\ude80 PARALLEL", "🚀 PARALLEL"),
            ("âœ“ Success: 16", "✓ Success: 16"),
            ("â\u{9c}\u{97} Failed: x", "✗ Failed: x"),
            ("? Success: 16 records", "✓ Success: 16 records"),
            ("??? Failed: x", "✗ Failed: x"),
            (
                "\u{fffd} 2024-01-05: 245 records",
                "✓ 2024-01-05: 245 records",
            ),
            ("? 2024-01-05: quota", "✗ 2024-01-05: quota"),
        ] {
            let found = restore(text.as_bytes(), false);
            assert_eq!(
                found.as_deref().map(String::from_utf8_lossy).as_deref(),
                Some(whole),
                "{text}"
            );
        }
        for text in ["✓ Success: 16", "Success", "? what", "", "???"] {
            assert_eq!(restore(text.as_bytes(), false), None, "{text}");
        }
    }
}
