//! A dialect for lines that no rule reads, as far as their words tell what they report.

use std::fmt::Write as _;

use crate::line::fields::contains_ignoring_case;
use crate::line::tokens::{Token, tokens};

/// Rules of one event, at most.
const MOST: usize = 8;
/// Bytes of the line that a pattern describes.
const LONGEST: usize = 300;

/// Words that tell what a line reports, the worse ones first.
const WORDS: [(&str, &[&str]); 4] = [
    (
        "failure",
        &[
            "error",
            "fail",
            "exception",
            "could not",
            "cannot",
            "timed out",
            "timeout",
            "abort",
            "lost",
            "refused",
            "denied",
            "✗",
            "❌",
        ],
    ),
    (
        "skip",
        &["skip", "ignored", "nothing to do", "up to date", "⏭"],
    ),
    (
        "success",
        &[
            "success",
            " ok",
            "loaded",
            "wrote",
            "written",
            "done",
            "complete",
            "finished",
            "inserted",
            "processed",
            "exported",
            "created",
            " rows",
            " records",
            "✓",
            "✅",
        ],
    ),
    (
        "date_start",
        &["start", "begin", "processing", "running", "loading", "..."],
    ),
];

/// Words of a last line.
const END: [&str; 7] = [
    "done", "finish", "complete", "end", "summary", "bye", "exit",
];

fn has_word(line: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| contains_ignoring_case(line, word.as_bytes()))
}

/// The event that a line seems to report.
fn event(line: &[u8]) -> Option<&'static str> {
    WORDS
        .iter()
        .find(|(_, words)| has_word(line, words))
        .map(|(event, _)| *event)
}

/// Whether a line has a date that is not the clock's.
fn is_dated(line: &[u8]) -> bool {
    place_of_date(line).is_some()
}

/// Which token is the date of the line: the first date alone, else the date of a time that is not the clock
/// at the beginning of the line.
fn place_of_date(line: &[u8]) -> Option<usize> {
    let all: Vec<(Token, usize)> = tokens(line)
        .scan(0, |at, (token, piece)| {
            let start = *at;
            *at += piece.len();
            Some((token, start))
        })
        .collect();
    let date = all
        .iter()
        .position(|(token, _)| matches!(token, Token::Date | Token::Compact));
    date.or_else(|| {
        let first = all.iter().position(|(token, _)| *token == Token::Time)?;
        let is_clock = all[first].1 <= 12;
        if is_clock {
            let later = |(at, (token, _)): (usize, &(Token, usize))| {
                (at > first && *token == Token::Time).then_some(at)
            };
            all.iter().enumerate().find_map(later)
        } else {
            Some(first)
        }
    })
}

/// A pattern for the lines that look like `line`.
pub(crate) fn pattern(line: &[u8], event: &str) -> String {
    let date = place_of_date(line);
    let pieces: Vec<(Token, &[u8])> = tokens(line).collect();
    let mut pattern = "^".to_owned();
    let mut literal: Vec<u8> = Vec::new();
    let mut length = 0;
    let mut has_records = false;
    let mut has_fraction = false;
    let flush = |literal: &mut Vec<u8>, pattern: &mut String| {
        let text = String::from_utf8_lossy(literal).into_owned();
        // Truncated in the middle of a character, or none at all.
        let text = regex::escape(text.trim_end_matches('\u{fffd}')).replace('\u{fffd}', ".");
        pattern.push_str(&text.replace("\\-", "-").replace("\\#", "#"));
        literal.clear();
    };
    let mut at = 0;
    while at < pieces.len() && length < LONGEST {
        let (token, piece) = pieces[at];
        length += piece.len();
        let rest: Vec<u8> = pieces[at + 1..]
            .iter()
            .flat_map(|(_, piece)| piece.iter().copied())
            .take(40)
            .collect();
        if token == Token::Other {
            literal.extend_from_slice(piece);
            // What follows a colon says why.
            let seen_date = date.is_none_or(|date| date < at);
            if event == "failure" && piece == b":" && rest.starts_with(b" ") && seen_date {
                flush(&mut literal, &mut pattern);
                pattern.push_str(" {error}");
                return pattern;
            }
            at += 1;
            continue;
        }
        flush(&mut literal, &mut pattern);
        let is_fraction = token == Token::Number
            && !has_fraction
            && pieces.get(at + 1).map(|(_, piece)| *piece) == Some(b"/")
            && pieces.get(at + 2).map(|(token, _)| *token) == Some(Token::Number);
        if is_fraction {
            pattern.push_str("{index}/{total}");
            has_fraction = true;
            at += 3;
            continue;
        }
        let names_records = !has_records
            && event == "success"
            && ["row", "record", "document", "event", "line", "item"]
                .iter()
                .any(|word| rest.trim_ascii_start().starts_with(word.as_bytes()));
        let after_records = !has_records
            && event == "success"
            && (pattern.ends_with("rows=")
                || pattern.ends_with("records=")
                || pattern.ends_with("rows: "));
        pattern.push_str(match token {
            Token::Date if date == Some(at) => "{date}",
            Token::Date => r"\d{4}-\d\d-\d\d",
            Token::Compact if date == Some(at) => r"(?P<date>\d{8})",
            Token::Compact => r"\d{8}",
            Token::Time if date == Some(at) => r"{date},?[ T][\d:,.+Z]+",
            Token::Time => r"\d{4}-\d\d-\d\d,?[ T][\d:,.+Z]+",
            Token::Number if names_records || after_records => {
                has_records = true;
                "{records}"
            }
            Token::Number | Token::Other => r"[\d,]+",
        });
        at += 1;
    }
    flush(&mut literal, &mut pattern);
    pattern
}

/// The dialect, as the entry of a config; `None` if no line tells anything.
pub(crate) fn draft(lines: Vec<(&[u8], u64)>, last: &[u8], of_unknown: bool) -> Option<String> {
    let any_dated = lines.iter().any(|(line, _)| is_dated(line));
    let mut rules: Vec<(&str, Vec<String>)> = Vec::new();
    let mut unsure = Vec::new();
    for (line, _) in &lines {
        let is_last = *line == last && !is_dated(line);
        let is_end = is_last && (has_word(line, &END) || !any_dated);
        let event = if is_end { Some("end") } else { event(line) };
        let has_figure = tokens(line).any(|(token, _)| token == Token::Number);
        let counts = match event {
            Some("end") => of_unknown,
            Some("failure") => is_dated(line) || has_word(line, &["error", "fail"]),
            Some(_) => of_unknown && (is_dated(line) || has_figure),
            None => false,
        };
        if !counts {
            if of_unknown && is_dated(line) && unsure.len() < MOST {
                unsure.push(pattern(line, "success"));
            }
            continue;
        }
        let event = event.unwrap_or("end");
        let pattern = pattern(line, event);
        let of_event = match rules.iter_mut().find(|(name, _)| *name == event) {
            Some((_, patterns)) => patterns,
            None => {
                rules.push((event, Vec::new()));
                let at = rules.len() - 1;
                &mut rules[at].1
            }
        };
        if of_event.len() < MOST && !of_event.contains(&pattern) {
            of_event.push(pattern);
        }
    }
    if rules.is_empty() && unsure.is_empty() {
        return None;
    }
    let quoted = |pattern: &String| format!("'{}'", pattern.replace('\'', "''"));
    let mut text = String::from(
        "a draft of a dialect: check what each key reads, then put it into the config\n\
         ({date}, {records}, {index}, {total}, {error} and the like are captures)\n\n\
         dialects:\n  - name: my_job",
    );
    for event in ["date_start", "success", "failure", "skip", "end"] {
        let Some((_, patterns)) = rules.iter().find(|(name, _)| *name == event) else {
            continue;
        };
        let _ = write!(text, "\n    {event}:");
        for pattern in patterns {
            let _ = write!(text, "\n      - {}", quoted(pattern));
        }
    }
    for pattern in &unsure {
        let _ = write!(
            text,
            "\n    # success, failure, skip or date_start?\n    #  - {}",
            quoted(pattern)
        );
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use bf_config::Config;

    use super::{draft, pattern};
    use crate::{Dialects, LogEnd, LogParser};

    /// What a log comes to in the dialect that is drafted for it.
    fn read(log: &str) -> bf_contract::LogSummary {
        let lines: Vec<(&[u8], u64)> = log.lines().map(|line| (line.as_bytes(), 1)).collect();
        let last = log.lines().last().unwrap_or_default();
        let text = draft(lines, last.as_bytes(), true).expect("a draft");
        let yaml = &text[text.find("dialects:").expect("an entry")..];
        let config: Config = bf_config::parse_yaml(yaml, "the draft")
            .unwrap_or_else(|error| panic!("{error:?}: {yaml}"));
        let dialects = Dialects::with(&config.dialects).expect(yaml);
        let mut parser = LogParser::new(dialects.only("my_job").expect("it is there"));
        parser.feed(log.as_bytes());
        parser.summary(LogEnd::StillWritten)
    }

    #[test]
    fn a_draft_reads_the_log_that_it_is_made_of_and_never_the_clock() {
        let long = "x".repeat(130);
        for (log, good, failed) in [
            (
                "2026-01-03 13:45:12 INFO loaded 2024-01-01 rows=10\n2026-01-03 13:45:13 ERROR could not load 2024-01-02: quota\nall done\n".to_owned(),
                1,
                "2024-01-02",
            ),
            (
                "[2022-08-23, 10:50:00 UTC] {dagrun.py:562} INFO - Marking run <DagRun load_x @ 2022-08-15 08:00:00+00:00: backfill__2022-08-15T08:00:00+00:00, externally triggered: False> successful\n[2022-08-23, 10:50:20 UTC] {dagrun.py:547} ERROR - Marking run <DagRun load_x @ 2022-08-17 08:00:00+00:00: backfill__2022-08-17T08:00:00+00:00, externally triggered: False> failed\n[2022-08-23, 10:50:59 UTC] {backfill_job.py:367} INFO - Backfill done. Exiting.\n".to_owned(),
                1,
                "2022-08-17",
            ),
            (
                format!("{long} 2024-01-01 ok\n{long} 2024-01-02 failed\nend\n"),
                1,
                "2024-01-02",
            ),
            (
                "processed /in/sales_20240101_1.csv ok (3 rows)\nprocessed /in/sales_20240102_1.csv FAILED: truncated\nfinished\n".to_owned(),
                1,
                "2024-01-02",
            ),
        ] {
            let summary = read(&log);
            assert_eq!(summary.successful_days, good, "{log}");
            let dates: Vec<String> = summary.failed_dates.iter().map(ToString::to_string).collect();
            assert_eq!(dates, [failed], "{log}");
            assert!(summary.completed, "{log}");
        }
    }

    #[test]
    fn undated_lines_belong_to_the_date_that_begins() {
        let summary =
            read("begin 2024-01-01\nwrote 16 rows\nbegin 2024-01-02\nwrote 14 rows\nbye\n");
        assert_eq!((summary.successful_days, summary.total_records), (2, 30));
        assert!(summary.completed);
    }

    #[test]
    fn any_bytes_make_a_valid_pattern() {
        for odd in [
            &b"\xff\xfe 2024-01-05 \xe2\x9c"[..],
            &[b'('; 500],
            b"",
            b"a{date} {3}",
        ] {
            let text = format!(
                "name: x\nsuccess: '{}'",
                pattern(odd, "success").replace('\'', "''")
            );
            assert!(
                bf_config::parse_yaml::<bf_config::Dialect>(&text, "x").is_ok(),
                "{text}"
            );
        }
    }
}
