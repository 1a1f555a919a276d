//! Most patterns need no search: at each byte there is one way to go on. Such a pattern is matched step by step,
//! some ten times as fast as by a general engine. The others are left to it.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// A set of bytes.
type Set = Box<[bool; 256]>;

/// One step of a pattern.
#[derive(Debug)]
enum Step {
    Text(Vec<u8>),
    /// Bytes of a set, from so many to so many.
    Many(Set, usize, usize),
    /// The rest of the text.
    Rest,
    /// Steps that may be missing.
    Maybe(Vec<Step>),
    /// One of several ways, told apart by their first bytes.
    OneOf(Vec<Vec<Step>>),
    Group(usize, Vec<Step>),
    End,
}

/// A pattern from the beginning of a text.
#[derive(Debug)]
pub(super) struct Steps(Vec<Step>);

/// What may come after a step: its first bytes, and whether the text may end there or anything may come.
#[derive(Clone)]
struct Next {
    first: Set,
    is_open: bool,
}

impl Steps {
    /// The steps of a pattern, if it has such.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        if !hir.properties().look_set_prefix().contains(Look::Start) {
            return None;
        }
        let end = Next {
            first: Box::new([false; 256]),
            is_open: true,
        };
        compile(hir, &end).map(|(steps, _)| Self(steps))
    }

    /// Where a match ends that begins with `text`; `group` receives what each group captures.
    pub(super) fn run(
        &self,
        text: &[u8],
        group: &mut dyn FnMut(usize, usize, usize),
    ) -> Option<usize> {
        run(&self.0, text, 0, group)
    }
}

fn run(
    steps: &[Step],
    text: &[u8],
    mut at: usize,
    group: &mut dyn FnMut(usize, usize, usize),
) -> Option<usize> {
    for step in steps {
        match step {
            Step::Text(part) => {
                text.get(at..)?.starts_with(part).then_some(())?;
                at += part.len();
            }
            Step::Many(set, least, most) => {
                let taken = text[at..]
                    .iter()
                    .take(*most)
                    .take_while(|byte| set[usize::from(**byte)])
                    .count();
                (taken >= *least).then_some(())?;
                at += taken;
            }
            Step::Rest => {
                at += memchr::memchr(b'\n', &text[at..]).unwrap_or(text.len() - at);
            }
            Step::Maybe(inner) => at = try_run(inner, text, at, group).unwrap_or(at),
            Step::OneOf(ways) => at = ways.iter().find_map(|way| try_run(way, text, at, group))?,
            Step::Group(number, inner) => {
                let end = run(inner, text, at, group)?;
                group(*number, at, end);
                at = end;
            }
            Step::End => (at == text.len()).then_some(())?,
        }
    }
    Some(at)
}

/// As [`run`]; what fails in the middle captures nothing.
fn try_run(
    steps: &[Step],
    text: &[u8],
    at: usize,
    group: &mut dyn FnMut(usize, usize, usize),
) -> Option<usize> {
    let mut found = Vec::new();
    let end = run(steps, text, at, &mut |number, start, end| {
        found.push((number, start, end))
    })?;
    for (number, start, end) in found {
        group(number, start, end);
    }
    Some(end)
}

/// The steps of a part before `next`, and what comes before them.
fn compile(hir: &Hir, next: &Next) -> Option<(Vec<Step>, Next)> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(Look::Start) => Some((Vec::new(), next.clone())),
        HirKind::Look(Look::End) => {
            let nothing = Next {
                first: Box::new([false; 256]),
                is_open: false,
            };
            Some((vec![Step::End], nothing))
        }
        HirKind::Look(_) => None,
        HirKind::Literal(literal) => {
            let mut first = Box::new([false; 256]);
            first[usize::from(*literal.0.first()?)] = true;
            let text = Step::Text(literal.0.to_vec());
            Some((
                vec![text],
                Next {
                    first,
                    is_open: false,
                },
            ))
        }
        HirKind::Class(class) => {
            let set = bytes_of(class)?;
            let first = set.clone();
            Some((
                vec![Step::Many(set, 1, 1)],
                Next {
                    first,
                    is_open: false,
                },
            ))
        }
        HirKind::Capture(capture) => {
            let (steps, first) = compile(&capture.sub, next)?;
            let number = usize::try_from(capture.index).ok()?;
            Some((vec![Step::Group(number, steps)], first))
        }
        HirKind::Repetition(repetition) => {
            let least = usize::try_from(repetition.min).ok()?;
            let most = repetition.max.map_or(usize::MAX, |most| most as usize);
            repetition.greedy.then_some(())?;
            if let HirKind::Class(class) = repetition.sub.kind() {
                if is_any(class) && least == 0 && most == usize::MAX && is_last(next) {
                    return Some((vec![Step::Rest], next.clone()));
                }
                let set = bytes_of(class)?;
                (least == most || apart(&set, &next.first)).then_some(())?;
                let mut first = set.clone();
                let is_open = least == 0 && next.is_open;
                if least == 0 {
                    join(&mut first, &next.first);
                }
                return Some((vec![Step::Many(set, least, most)], Next { first, is_open }));
            }
            ((least, most) == (0, 1)).then_some(())?;
            let (steps, inner) = compile(&repetition.sub, next)?;
            (!inner.is_open && apart(&inner.first, &next.first)).then_some(())?;
            let mut first = inner.first;
            join(&mut first, &next.first);
            let is_open = next.is_open;
            Some((vec![Step::Maybe(steps)], Next { first, is_open }))
        }
        HirKind::Alternation(ways) => {
            let mut all = Box::new([false; 256]);
            let mut compiled = Vec::with_capacity(ways.len());
            for way in ways {
                let (steps, first) = compile(way, next)?;
                (!first.is_open && apart(&all, &first.first)).then_some(())?;
                join(&mut all, &first.first);
                compiled.push(steps);
            }
            Some((
                vec![Step::OneOf(compiled)],
                Next {
                    first: all,
                    is_open: false,
                },
            ))
        }
        HirKind::Concat(parts) => {
            let mut next = next.clone();
            let mut steps = Vec::new();
            for part in parts.iter().rev() {
                let (mut before, first) = compile(part, &next)?;
                before.append(&mut steps);
                steps = before;
                next = first;
            }
            Some((steps, next))
        }
    }
}

/// Whether nothing but the end may come.
fn is_last(next: &Next) -> bool {
    next.is_open && !next.first.contains(&true)
}

fn apart(one: &Set, other: &Set) -> bool {
    !one.iter()
        .zip(other.iter())
        .any(|(one, other)| *one && *other)
}

fn join(set: &mut Set, other: &Set) {
    for (here, there) in set.iter_mut().zip(other.iter()) {
        *here |= there;
    }
}

/// Whether a class is `.`: every character but a line feed.
fn is_any(class: &Class) -> bool {
    match class {
        Class::Unicode(class) => matches!(
            class.ranges(),
            [low, high] if low.start() == '\0' && low.end() == '\t'
                && high.start() == '\u{b}' && high.end() == char::MAX
        ),
        Class::Bytes(_) => false,
    }
}

/// The bytes of a class of ASCII characters.
fn bytes_of(class: &Class) -> Option<Set> {
    let mut set = Box::new([false; 256]);
    match class {
        Class::Unicode(class) => {
            for range in class.ranges() {
                range.end().is_ascii().then_some(())?;
                for next in range.start()..=range.end() {
                    set[next as usize] = true;
                }
            }
        }
        Class::Bytes(class) => {
            for range in class.ranges() {
                for next in range.start()..=range.end() {
                    set[usize::from(next)] = true;
                }
            }
        }
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::Steps;

    const PATTERNS: [&str; 10] = [
        "^Processing day (?P<index>[0-9][0-9,]*)/(?P<total>[0-9][0-9,]*): (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})",
        "^✓ (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}): (?P<records>[0-9][0-9,]*)",
        "^(Failed|Successful)( days)?: (?P<failed>[0-9]+)",
        "^a(b|c)?(?P<error>.*)",
        "^(E|Unexpected e)xception( during processing)?: (?P<error>.*)",
        "^x[0-9]{2}y$",
        "^a((?P<start>[0-9]) to (?P<of>[0-9]))?(?P<error>.*)",
        "^(?P<a>[a-c]*)d",
        "^(ab)?ac",
        "^",
    ];

    fn agree(pattern: &str, text: &[u8]) -> Result<(), TestCaseError> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .build()
            .parse(pattern)
            .expect(pattern);
        let regex = Regex::new(pattern).expect(pattern);
        let Some(steps) = Steps::of(&hir) else {
            return Ok(());
        };
        let mut groups = vec![None; regex.captures_len()];
        let end = steps.run(text, &mut |group, start, end| {
            groups[group] = Some((start, end))
        });
        let Some(captures) = regex.captures(text) else {
            prop_assert_eq!(end, None, "{} {:?}", pattern, String::from_utf8_lossy(text));
            return Ok(());
        };
        prop_assert_eq!(end, captures.get(0).map(|found| found.end()));
        for (at, group) in groups.iter().enumerate().skip(1) {
            prop_assert_eq!(
                *group,
                captures.get(at).map(|found| (found.start(), found.end()))
            );
        }
        Ok(())
    }

    #[test]
    fn the_usual_patterns_have_steps_and_others_have_none() {
        let steps = |pattern: &str| {
            let hir = regex_syntax::ParserBuilder::new()
                .utf8(false)
                .build()
                .parse(pattern)
                .expect(pattern);
            Steps::of(&hir).is_some()
        };
        assert!(PATTERNS[..6].iter().all(|pattern| steps(pattern)));
        for pattern in [
            "a",
            r"^\bword",
            "^(ab|ac)",
            "^[0-9]+[0-9]",
            "^a*?b",
            r"^\S+ x",
        ] {
            assert!(!steps(pattern), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn steps_find_what_the_engine_finds(
            at in 0..PATTERNS.len(),
            parts in prop::collection::vec(prop::sample::select(vec![
                "Processing day ", "3", " to ", "/", "12", ": ", "2024-01-05", "✓ ", "Failed", "Successful", " days",
                ",", "a", "b", "c", "d", "Exception", "Unexpected exception", " during processing", "x", "y", "é", "\n",
            ]), 0..9),
        ) {
            agree(PATTERNS[at], parts.concat().as_bytes())?;
        }
    }
}
