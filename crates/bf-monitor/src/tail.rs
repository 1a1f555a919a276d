//! The last lines of a log, for a person to see why a job ended.

use std::fs::File;
use std::os::unix::fs::FileExt;

use bf_cli::text::printable;

/// How far back the last lines are looked for, in bytes.
const REACH: u64 = 256 * 1024;
/// Characters of a line that are shown.
const WIDTH: usize = 300;

/// The last `count` lines of a file, safe to show on a terminal. What cannot be read is left out.
pub(crate) fn last_lines(file: &File, count: usize) -> Vec<String> {
    let Ok(size) = file.metadata().map(|metadata| metadata.len()) else {
        return Vec::new();
    };
    let from = size.saturating_sub(REACH);
    let mut bytes = vec![0; usize::try_from(size - from).unwrap_or(0)];
    let read = file.read_at(&mut bytes, from).unwrap_or(0);
    last_lines_of(&bytes[..read], count)
}

fn last_lines_of(bytes: &[u8], count: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .take(count)
        .map(|line| printable(line, WIDTH))
        .collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::last_lines_of;

    #[test]
    fn the_last_lines_come_in_order_and_cannot_move_the_cursor() {
        let lines = last_lines_of(b"one\ntwo\n\x1b[2Jthree\nfour", 3);
        assert_eq!(lines, ["two", "\\x1b[2Jthree", "four"]);
        assert_eq!(last_lines_of(b"", 3), Vec::<String>::new());
    }
}
