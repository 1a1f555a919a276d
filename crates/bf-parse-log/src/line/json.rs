//! The fields of a line that is a JSON object, in one pass and without building a tree.

use std::borrow::Cow;

use crate::controls::first_of;

/// A value as it is written: a string without its quotes, or anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) is_string: bool,
}

impl<'a> Value<'a> {
    /// The text of a string, its escapes resolved.
    pub(crate) fn decoded(self) -> Cow<'a, [u8]> {
        if self.is_string {
            decode(self.text)
        } else {
            Cow::Borrowed(self.text)
        }
    }

    /// Whether it is null, which is as good as not there.
    pub(crate) fn is_null(self) -> bool {
        !self.is_string && self.text == b"null"
    }
}

/// Fields that are looked for: each is a path, one name a step.
#[derive(Debug, Default)]
pub(crate) struct Paths(Vec<Path>);

#[derive(Debug)]
struct Path {
    steps: Vec<String>,
    /// The [`head`] of its first step, which most keys do not have.
    head: u64,
}

impl Paths {
    /// Paths that are looked for at one time, at most.
    pub(crate) const MOST: usize = 64;

    /// The place of `stats.rows` among the paths; it is added if it is not there.
    pub(crate) fn place(&mut self, text: &str) -> usize {
        let steps: Vec<String> = text.split('.').map(str::to_owned).collect();
        let known = self.0.iter().position(|path| path.steps == steps);
        known.unwrap_or_else(|| {
            let head = head(steps[0].as_bytes(), 0, steps[0].len());
            self.0.push(Path { steps, head });
            self.0.len() - 1
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The first bytes of the name at `start` in `line`, as a number.
fn head(line: &[u8], start: usize, length: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = &line[start..];
    match rest.first_chunk() {
        Some(first) => bytes = *first,
        None => bytes[..rest.len()].copy_from_slice(rest),
    }
    const MASKS: [u64; 9] = {
        let mut masks = [u64::MAX; 9];
        let mut length = 0;
        while length < 8 {
            masks[length] = (1 << (8 * length)) - 1;
            length += 1;
        }
        masks
    };
    u64::from_le_bytes(bytes) & MASKS[length.min(8)]
}

/// Finds the values of `paths` in the object that `line` is; whether it is one as far as it was read.
pub(crate) fn find<'a>(line: &'a [u8], paths: &Paths, found: &mut Vec<Option<Value<'a>>>) -> bool {
    found.clear();
    found.resize(paths.len(), None);
    let start = line.len() - line.trim_ascii_start().len();
    line.get(start) == Some(&b'{') && object(line, start, 0, paths, u64::MAX, found).is_some()
}

/// Reads the object at `at`, whose keys are step `depth` of the paths that `fits` marks; the place after it.
fn object<'a>(
    line: &'a [u8],
    at: usize,
    depth: usize,
    paths: &Paths,
    fits: u64,
    found: &mut [Option<Value<'a>>],
) -> Option<usize> {
    let mut at = blanks(line, at + 1);
    if line.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let (key, next) = string(line, at)?;
        let key_at = at + 1;
        at = blanks(line, next);
        if line.get(at) != Some(&b':') {
            return None;
        }
        at = blanks(line, at + 1);
        let value = at;
        let is_nested = depth < 8 && line.get(at) == Some(&b'{');
        let (mut ends_here, mut leads_on) = (0, 0);
        let head = head(line, key_at, key.len());
        for (path, place) in paths.0.iter().zip(0..Paths::MOST) {
            let bit = fits & (1 << place);
            let may_be = bit != 0 && (depth > 0 || path.head == head);
            if may_be
                && path
                    .steps
                    .get(depth)
                    .is_some_and(|step| step.as_bytes() == key)
            {
                let is_last = path.steps.len() == depth + 1;
                *(if is_last {
                    &mut ends_here
                } else {
                    &mut leads_on
                }) |= bit;
            }
        }
        let end = if leads_on != 0 && is_nested {
            object(line, at, depth + 1, paths, leads_on, found)?
        } else {
            skip(line, at)?
        };
        if ends_here != 0 {
            let is_string = line[value] == b'"';
            let text = if is_string {
                &line[value + 1..end - 1]
            } else {
                &line[value..end]
            };
            for (slot, place) in found.iter_mut().zip(0..Paths::MOST) {
                if ends_here & (1 << place) != 0 {
                    *slot = Some(Value { text, is_string });
                }
            }
        }
        at = blanks(line, end);
        match line.get(at)? {
            b',' => at = blanks(line, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn blanks(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

/// The string at `at`, without its quotes, and the place after it.
fn string(line: &[u8], at: usize) -> Option<(&[u8], usize)> {
    (line.get(at) == Some(&b'"')).then_some(())?;
    let start = at + 1;
    let mut from = start;
    loop {
        let next = from + first_of(line.get(from..)?, b'"', b'\\')?;
        if line[next] == b'"' {
            return Some((&line[start..next], next + 1));
        }
        from = next + 2;
    }
}

/// The place after the value at `at`.
fn skip(line: &[u8], at: usize) -> Option<usize> {
    match line.get(at)? {
        b'"' => string(line, at).map(|(_, end)| end),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            let mut at = at;
            loop {
                match line.get(at)? {
                    b'"' => {
                        at = string(line, at)?.1;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            let rest = &line[at..];
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t'))?;
            (end > 0).then_some(at + end)
        }
    }
}

/// A string with its escapes resolved.
fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let quoted = [b"\"", text, b"\""].concat();
    match serde_json::from_slice::<String>(&quoted) {
        Ok(decoded) => Cow::Owned(decoded.into_bytes()),
        Err(_) => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Paths, find};

    fn values(line: &str, paths: &[&str]) -> Option<Vec<Option<String>>> {
        let mut all = Paths::default();
        paths.iter().for_each(|text| {
            all.place(text);
        });
        let mut found = Vec::new();
        find(line.as_bytes(), &all, &mut found).then(|| {
            let text =
                |value: super::Value<'_>| String::from_utf8_lossy(&value.decoded()).into_owned();
            found.into_iter().map(|value| value.map(text)).collect()
        })
    }

    #[test]
    fn fields_are_found_in_any_order_and_depth() {
        let line = r#" {"b": {"x": [1, {"a": 2}], "c": "\u2713 \"ok\""}, "a":1 , "n": null}"#;
        assert_eq!(
            values(line, &["a", "b.c", "n", "b.z", "x"]),
            Some(vec![
                Some("1".to_owned()),
                Some("✓ \"ok\"".to_owned()),
                Some("null".to_owned()),
                None,
                None
            ])
        );
        assert_eq!(values("{}", &["a"]), Some(vec![None]));
        for wrong in [
            "",
            "x",
            "{",
            "{\"a\"",
            "{\"a\":}",
            "{\"a\": \"b",
            "[1]",
            "{\"a\": {",
        ] {
            assert_eq!(values(wrong, &["a"]), None, "{wrong}");
        }
    }
}
