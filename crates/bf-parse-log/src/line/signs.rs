//! The signs of the family's jobs (✓ ✗ ⏭ …), found again after an encoding lost them: written as an escape,
//! or as the characters that their bytes
//! are elsewhere. (A mark that stands for any sign is for the rules to read.)

use std::sync::OnceLock;

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

/// The first bytes of what may be a lost sign.
pub(crate) const FIRST_OF_LOST: [u8; 3] = [b'\\', 0xc2, 0xc3];

/// The message with its sign, if it begins with one that was lost.
pub(crate) fn restore(text: &[u8]) -> Option<Vec<u8>> {
    if !FIRST_OF_LOST.contains(text.first()?) {
        return None;
    }
    let mut forms = forms().iter();
    let (form, sign) = forms.find(|(form, _)| text.starts_with(form.as_bytes()))?;
    Some([sign.as_bytes(), &text[form.len()..]].concat())
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
        ] {
            let found = restore(text.as_bytes());
            assert_eq!(
                found.as_deref().map(String::from_utf8_lossy).as_deref(),
                Some(whole),
                "{text}"
            );
        }
        for text in ["✓ Success: 16", "Success", "? what", "", "???"] {
            assert_eq!(restore(text.as_bytes()), None, "{text}");
        }
    }
}
