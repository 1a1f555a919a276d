//! What stands before a message: time, level, logger. Three forms are common (`INFO:__main__:`,
//! `2026-01-03 13:45:12,345 - INFO - `, nothing after a line break inside a message); container runtimes,
//! syslog and progress bars put more in front.

use memchr::memmem;

pub(crate) use super::level::Level;
use super::quick::usual_time;
use crate::line::fields::trim_start;
use crate::line::unwrap::prefixes;

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The job itself, by its logger's name.
    Job,
    /// Another logger.
    Other,
    /// Some logger: the form has no place for a name.
    Unnamed,
    /// No logging prefix.
    Plain,
}

/// A line's prefix, and where its message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) origin: Origin,
    pub(crate) level: Option<Level>,
    /// Offset of the message in the line.
    pub(crate) body: usize,
}

const LEVELS: [(&[u8], Level); 7] = [
    (b"INFO", Level::Info),
    (b"ERROR", Level::Error),
    (b"WARNING", Level::Warning),
    (b"DEBUG", Level::Debug),
    (b"CRITICAL", Level::Critical),
    (b"WARN", Level::Warning),
    (b"FATAL", Level::Critical),
];

/// Where a prefix is looked for behind a progress bar or a container's own prefix.
const LATE_PREFIX: usize = 2048;
/// Where a time is looked for behind a log collector's own prefix.
const LONGEST_LEAD: usize = 200;
const LONGEST_NAME: usize = 120;

/// Takes a line apart.
pub(crate) fn prefix(line: &[u8]) -> Prefix {
    let start = if line.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    let rest = &line[start..];
    if rest.starts_with(b"INFO:__main__:") {
        return Prefix {
            origin: Origin::Job,
            level: Some(Level::Info),
            body: start + 14,
        };
    }
    if let Some((level, body)) = usual_time(rest) {
        return Prefix {
            origin: Origin::Unnamed,
            level: Some(level),
            body: start + body,
        };
    }
    let found = match rest.first() {
        Some(b'0'..=b'9' | b'[') => after_time(rest),
        Some(b'A'..=b'Z') => level_and_name(rest),
        _ => None,
    };
    // Whatever is in an object is not a prefix.
    let is_object = rest.starts_with(b"{\"");
    let late = || (!is_object).then(|| late(rest)).flatten();
    let found = found.or_else(late).map_or(
        Prefix {
            origin: Origin::Plain,
            level: None,
            body: start,
        },
        |prefix| Prefix {
            body: prefix.body + start,
            ..prefix
        },
    );
    // A form of Python's has no bracket and no slash after its level.
    let is_foreign = found.origin == Origin::Unnamed
        && matches!(
            line[found.body..].trim_ascii_start().first(),
            Some(b'[' | b'/')
        );
    if (found.origin == Origin::Plain || is_foreign)
        && matches!(
            rest.first(),
            Some(b'0'..=b'9' | b'[' | b'I' | b'W' | b'E' | b'F' | b'D' | b'C')
        )
    {
        return of_library(rest, start).unwrap_or(found);
    }
    found
}

/// The prefix of one of the logging libraries that are data.
fn of_library(rest: &[u8], start: usize) -> Option<Prefix> {
    prefixes().loggers.iter().find_map(|known| {
        let captures = known.regex.captures(rest)?;
        let word = captures.name("level")?.as_bytes().to_ascii_uppercase();
        let level = match word.first()? {
            b'I' | b'N' => Level::Info,
            b'E' => Level::Error,
            b'C' | b'F' => Level::Critical,
            b'W' => Level::Warning,
            _ => Level::Debug,
        };
        let module = captures.name("module");
        let is_other = module.is_some_and(|name| origin(name.as_bytes()) == Origin::Other);
        Some(Prefix {
            origin: if is_other { Origin::Other } else { Origin::Job },
            level: Some(level),
            body: start + captures.get(0)?.end(),
        })
    })
}

fn level(bytes: &[u8]) -> Option<(Level, usize)> {
    let (word, level): (&[u8], Level) = match bytes.first()? {
        b'I' => (b"INFO", Level::Info),
        b'E' => (b"ERROR", Level::Error),
        b'D' => (b"DEBUG", Level::Debug),
        b'C' => (b"CRITICAL", Level::Critical),
        b'F' => (b"FATAL", Level::Critical),
        b'W' if bytes.starts_with(b"WARNING") => (b"WARNING", Level::Warning),
        b'W' => (b"WARN", Level::Warning),
        _ => return None,
    };
    (bytes.starts_with(word) && !bytes.get(word.len()).is_some_and(u8::is_ascii_alphabetic))
        .then_some((level, word.len()))
}

fn origin(name: &[u8]) -> Origin {
    match name {
        b"__main__" => Origin::Job,
        b"root" | b"" => Origin::Unnamed,
        _ => Origin::Other,
    }
}

/// `LEVEL:name:message`, `LEVEL: message`.
fn level_and_name(bytes: &[u8]) -> Option<Prefix> {
    let (level, taken) = level(bytes)?;
    let rest = bytes[taken..].strip_prefix(b":")?;
    let (origin, skip) = if rest.first() == Some(&b' ') {
        (Origin::Unnamed, 1)
    } else if rest.starts_with(b"__main__:") {
        (Origin::Job, 9)
    } else {
        match name_before(rest, b':') {
            Some(name) => (origin(&rest[..name]), name + 1),
            None => (Origin::Other, 0),
        }
    };
    Some(Prefix {
        origin,
        level: Some(level),
        body: taken + 1 + skip,
    })
}

/// The length of a logger's name that ends at `end`: no blanks, not too long.
fn name_before(bytes: &[u8], end: u8) -> Option<usize> {
    let within = &bytes[..bytes.len().min(LONGEST_NAME)];
    let length = memchr::memchr(end, within)?;
    (!within[..length].iter().any(u8::is_ascii_whitespace)).then_some(length)
}

/// `2026-01-03 13:45:12,345 - INFO - message` and its relatives.
fn after_time(bytes: &[u8]) -> Option<Prefix> {
    let bracket = usize::from(bytes.first() == Some(&b'['));
    let mut at = bracket + time_length(&bytes[bracket..])?;
    if bracket == 1 {
        at += usize::from(bytes.get(at) == Some(&b']'));
    }
    let separator = &bytes[at..];
    at += separator
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'-' | b':' | b'\t'))
        .count();
    // Kubernetes puts the stream, and whether the line is whole, behind the time.
    for stream in [&b"stdout F "[..], b"stderr F ", b"stdout P ", b"stderr P "] {
        at += if bytes[at..].starts_with(stream) {
            stream.len()
        } else {
            0
        };
    }
    let rest = &bytes[at..];
    let unnamed = |level, skip: usize| Prefix {
        origin: Origin::Unnamed,
        level: Some(level),
        body: at + skip,
    };

    // The job's own time, behind that of whoever collected its line.
    let second = time_length(rest).and_then(|_| after_time(rest));
    if let Some(prefix) = second.or_else(|| level_and_name(rest)) {
        return Some(Prefix {
            body: at + prefix.body,
            ..prefix
        });
    }
    let bracketed = rest.first() == Some(&b'[');
    if let Some((level, taken)) = level(&rest[usize::from(bracketed)..]) {
        let mut skip = taken + usize::from(bracketed);
        if bracketed {
            skip += usize::from(rest.get(skip) == Some(&b']'));
        }
        let behind = &rest[skip..];
        skip += if behind.starts_with(b" - ") {
            3
        } else if behind.starts_with(b": ") {
            2
        } else {
            usize::from(behind.first().is_some_and(u8::is_ascii_whitespace))
        };
        // `INFO __main__: message`
        if let Some(name) = rest[skip..].strip_prefix(b"__main__:") {
            let blank = usize::from(name.first() == Some(&b' '));
            return Some(Prefix {
                origin: Origin::Job,
                level: Some(level),
                body: at + skip + 9 + blank,
            });
        }
        return Some(unnamed(level, skip));
    }
    // `name - LEVEL - message`
    if let Some(name) = name_before(rest, b' ')
        && rest[name..].starts_with(b" - ")
        && let Some((level, taken)) = level(&rest[name + 3..])
    {
        let behind = name + 3 + taken;
        let dash = if rest[behind..].starts_with(b" - ") {
            3
        } else {
            1
        };
        return Some(Prefix {
            origin: origin(&rest[..name]),
            level: Some(level),
            body: (at + behind + dash).min(bytes.len()),
        });
    }
    // A time before a line without a level: the line stays plain, what follows counts.
    late(rest)
        .map(|prefix| Prefix {
            body: at + prefix.body,
            ..prefix
        })
        .or(Some(Prefix {
            origin: Origin::Plain,
            level: None,
            body: at,
        }))
}

/// The length of `YYYY-MM-DD[ T]HH:MM:SS`, with a fraction and a zone if there are any. What stands
/// between the separators is not looked at: nothing depends on it.
fn time_length(bytes: &[u8]) -> Option<usize> {
    const LENGTH: usize = "YYYY-MM-DD HH:MM:SS".len();
    let head = bytes.get(..LENGTH)?;
    let separated = head[4] == b'-' && head[7] == b'-' && head[13] == b':' && head[16] == b':';
    if !separated || !matches!(head[10], b' ' | b'T') {
        return None;
    }
    let mut at = LENGTH;
    if matches!(bytes.get(at), Some(b',' | b'.')) {
        let digits = bytes[at + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        at += if digits > 0 { 1 + digits } else { 0 };
    }
    match bytes.get(at) {
        Some(b'Z') => at += 1,
        Some(b'+' | b'-') if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
            at += 1 + bytes[at + 1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit() || **byte == b':')
                .count();
        }
        _ => {}
    }
    Some(at)
}

/// `LEVEL:__main__:` or a time with a level behind something else on the same line: a progress bar without
/// a line break, the prefix of a log collector. Indented lines (but for bars) and quoted text are source
/// code and messages, not prefixes.
fn late(bytes: &[u8]) -> Option<Prefix> {
    const NAME: &[u8] = b":__main__:";
    if let Some(bar) = memmem::find(&bytes[..bytes.len().min(LATE_PREFIX)], b"%|")
        && let Some(end) = memchr::memchr(b']', &bytes[bar..])
    {
        let behind = bar + end + 1;
        let prefix = level_and_name(&bytes[behind..]).or_else(|| after_time(&bytes[behind..]));
        if let Some(prefix) = prefix.filter(|prefix| prefix.origin != Origin::Plain) {
            return Some(Prefix {
                body: behind + prefix.body,
                ..prefix
            });
        }
    }
    let within = &bytes[..bytes.len().min(LATE_PREFIX)];
    let Some(name) = memmem::find(within, NAME) else {
        return late_time(bytes);
    };
    let before = &within[..name];
    let (word, level) = LEVELS.iter().find(|(word, _)| before.ends_with(word))?;
    let lead = &before[..before.len() - word.len()];
    is_collectors(lead).then_some(Prefix {
        origin: Origin::Job,
        level: Some(*level),
        body: name + NAME.len(),
    })
}

/// `2026-01-03 13:45:12,345 - INFO - ` behind what a log collector puts first.
fn late_time(bytes: &[u8]) -> Option<Prefix> {
    const BEFORE_COMMA: usize = "YYYY-MM-DD HH:MM:SS".len();
    let within = &bytes[..bytes.len().min(LONGEST_LEAD)];
    memchr::memchr_iter(b',', within)
        .filter_map(|comma| comma.checked_sub(BEFORE_COMMA))
        .filter(|at| time_length(&bytes[*at..]).is_some() && is_collectors(&bytes[..*at]))
        .find_map(|at| {
            let prefix = after_time(&bytes[at..])?;
            (prefix.origin != Origin::Plain).then_some(Prefix {
                body: at + prefix.body,
                ..prefix
            })
        })
}

/// Whether what stands before a prefix may be a log collector's, and not the beginning of a message.
fn is_collectors(lead: &[u8]) -> bool {
    lead.first() != Some(&b' ')
        && lead.last().is_some_and(|last| {
            !matches!(last, b'"' | b'\'' | b'`' | b'(' | b'=') && !last.is_ascii_alphanumeric()
        })
}

/// How many blanks a message is indented by, and the message without them.
pub(crate) fn indent(body: &[u8]) -> (usize, &[u8]) {
    let rest = trim_start(body);
    (body.len() - rest.len(), rest)
}

#[cfg(test)]
mod tests {
    use super::{Level, Origin, prefix};

    fn parts(line: &str) -> (Origin, Option<Level>, &str) {
        let found = prefix(line.as_bytes());
        (found.origin, found.level, &line[found.body..])
    }

    #[test]
    fn the_forms_that_python_logging_writes() {
        let info = Some(Level::Info);
        assert_eq!(parts("INFO:__main__:  a"), (Origin::Job, info, "  a"));
        assert_eq!(parts("INFO:analytics_base:a"), (Origin::Other, info, "a"));
        assert_eq!(
            parts("2026-01-03 13:45:12,345 - INFO -   a"),
            (Origin::Unnamed, info, "  a")
        );
        assert_eq!(
            parts("2026-01-03 13:45:12,345 - shared.x - ERROR - a"),
            (Origin::Other, Some(Level::Error), "a")
        );
        assert_eq!(
            parts("2026-01-03 13:45:12,345 - __main__ - ERROR - a"),
            (Origin::Job, Some(Level::Error), "a")
        );
    }

    #[test]
    fn what_collectors_and_progress_bars_put_before_a_line() {
        let info = Some(Level::Info);
        for lead in [
            "2026-01-03T13:45:12.345678Z ",
            "2026-01-03T13:45:12+00:00 stdout F ",
            "[2026-01-03 13:45:12] ",
            "Jan  3 13:45:12 host python[17]: ",
            "{worker-1} ",
            " 10%|█         | 3/30 [00:00<00:01, 29.9it/s]",
            "\u{feff}",
        ] {
            let line = format!("{}INFO:__main__:a", lead.trim_start());
            assert_eq!(parts(&line), (Origin::Job, info, "a"), "{line}");
        }
    }

    #[test]
    fn what_collectors_put_before_a_line_with_a_time_of_its_own() {
        let info = Some(Level::Info);
        for lead in [
            "2026-01-03T13:45:12.345678901Z stderr F ",
            "2026-01-03T13:45:12.345678Z ",
            "[2026-01-03 13:45:12] ",
            "Jan  3 13:45:12 host python[17]: ",
            "backfill-1  | ",
            " 10%|█         | 3/30 [00:00<00:01, 29.9it/s]",
        ] {
            let lead = lead.trim_start();
            let line = format!("{lead}2026-01-03 13:45:12,345 - INFO -   a");
            assert_eq!(parts(&line), (Origin::Unnamed, info, "  a"), "{line}");
            let line = format!("{lead}2026-01-03 13:45:12,345 - shared.x - INFO - a");
            assert_eq!(parts(&line), (Origin::Other, info, "a"), "{line}");
        }
    }

    #[test]
    fn a_prefix_inside_a_message_is_part_of_the_message() {
        assert_eq!(parts("INFO:tail:INFO:__main__:a").0, Origin::Other);
        assert_eq!(parts("    print('INFO:__main__:a')").0, Origin::Plain);
        assert_eq!(parts("assert 'INFO:__main__:a' in log").0, Origin::Plain);
        for quoted in [
            "    # 2026-01-03 13:45:12,345 - INFO - a",
            "print('2026-01-03 13:45:12,345 - INFO - a')",
            "since 2026-01-03 13:45:12,345 - not - a",
        ] {
            assert_eq!(parts(quoted).0, Origin::Plain, "{quoted}");
        }
    }

    #[test]
    fn a_line_without_a_prefix_is_plain() {
        for line in ["", "  Failed dates (2 total):", "2024-01-05", "INFOX:a:b"] {
            assert_eq!(parts(line), (Origin::Plain, None, line));
        }
    }
}
