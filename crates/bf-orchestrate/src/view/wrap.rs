//! Lines that fit a terminal.

/// Text whose lines are no longer than a terminal is wide, without breaking a word. What goes into a file or a pipe
/// stays as it is.
pub(crate) fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns >= 20) else {
        return text.to_owned();
    };
    let lines: Vec<String> = text.split('\n').map(|line| wrap(line, columns)).collect();
    lines.join("\n")
}

fn wrap(line: &str, columns: usize) -> String {
    if shown_width(line) <= columns {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start().len();
    let next = " ".repeat((indent + 4).min(columns / 2));
    let mut wrapped = line[..indent].to_owned();
    let mut width = indent;
    let mut is_first = true;
    for word in line[indent..].split(' ') {
        let word_width = shown_width(word);
        if !is_first && width + 1 + word_width > columns {
            wrapped.push('\n');
            wrapped.push_str(&next);
            width = next.len();
        } else if !is_first {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += word_width;
        is_first = false;
    }
    wrapped
}

/// How many columns a text takes: colours take none.
fn shown_width(text: &str) -> usize {
    let mut width = 0;
    let mut is_escape = false;
    for character in text.chars() {
        match (is_escape, character) {
            (false, '\x1b') => is_escape = true,
            (true, letter) if letter.is_ascii_alphabetic() => is_escape = false,
            (true, _) => {}
            (false, _) => width += 1,
        }
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_indented() {
        let line = "  - the table has no rows on 3 of 12 expected dates: \x1b[31m2024-01-02\x1b[0m";
        let text = wrapped(line, Some(40));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("      "), "{text}");
        assert!(lines.iter().all(|line| shown_width(line) <= 40), "{text}");
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(line));
        assert_eq!(wrapped(line, None), line);
    }
}
