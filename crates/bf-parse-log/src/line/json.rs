//! The fields of a line that is a JSON object, in one pass and without building a tree.

use std::borrow::Cow;

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

/// A path to a field, one name a step.
pub(crate) type Path = Vec<String>;

/// `stats.rows` as a path.
pub(crate) fn path(text: &str) -> Path {
    text.split('.').map(str::to_owned).collect()
}

/// Finds the values of `paths` in the object that `line` is; whether it is one as far as it was read.
pub(crate) fn find<'a>(line: &'a [u8], paths: &[Path], found: &mut Vec<Option<Value<'a>>>) -> bool {
    found.clear();
    found.resize(paths.len(), None);
    let start = line.len() - line.trim_ascii_start().len();
    line.get(start) == Some(&b'{') && object(line, start, 0, paths, &|_| true, found).is_some()
}

/// Reads the object at `at`, whose keys are step `depth` of the paths that `fits`; the place after it.
fn object<'a>(
    line: &'a [u8],
    at: usize,
    depth: usize,
    paths: &[Path],
    fits: &dyn Fn(&Path) -> bool,
    found: &mut Vec<Option<Value<'a>>>,
) -> Option<usize> {
    let mut at = blanks(line, at + 1);
    if line.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let (key, next) = string(line, at)?;
        at = blanks(line, next);
        if line.get(at) != Some(&b':') {
            return None;
        }
        at = blanks(line, at + 1);
        let value = at;
        let is_nested = depth < 8 && line.get(at) == Some(&b'{');
        let is_key = |path: &Path| path.get(depth).is_some_and(|step| step.as_bytes() == key);
        let mut leads_on = false;
        let mut ends_here = false;
        for path in paths.iter().filter(|path| is_key(path) && fits(path)) {
            leads_on |= path.len() > depth + 1;
            ends_here |= path.len() == depth + 1;
        }
        let end = if leads_on && is_nested {
            let fits = |path: &Path| is_key(path) && fits(path);
            object(line, at, depth + 1, paths, &fits, found)?
        } else {
            skip(line, at)?
        };
        if ends_here {
            let is_string = line[value] == b'"';
            let text = if is_string {
                &line[value + 1..end - 1]
            } else {
                &line[value..end]
            };
            for (path, slot) in paths.iter().zip(found.iter_mut()) {
                if path.len() == depth + 1 && is_key(path) && fits(path) {
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
        let next = from + memchr::memchr2(b'"', b'\\', line.get(from..)?)?;
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
    use super::{find, path};

    fn values(line: &str, paths: &[&str]) -> Option<Vec<Option<String>>> {
        let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
        let mut found = Vec::new();
        find(line.as_bytes(), &paths, &mut found).then(|| {
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
