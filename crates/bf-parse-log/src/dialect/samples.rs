//! A dialect is tried on its own samples when it is loaded.

use std::collections::BTreeMap;

use bf_cli::Failure;
use bf_config::{Dialect, Sample};

use super::captures::Scratch;
use super::event::{Event, Span};
use super::rules::{Line, Rules, Told};
use crate::line::unwrap::unwrap;

/// Checks that every sample is read as it says, alone and in what collectors make of it.
///
/// # Errors
/// A sample is read otherwise: usage (exit 2), with the sample, what was expected and what came out.
pub(crate) fn check_samples(dialect: &Dialect, rules: &Rules) -> Result<(), Failure> {
    let mut scratch = Scratch::default();
    let mut block = 0;
    for sample in &dialect.samples {
        let line = sample.line.trim_end_matches(['\n', '\r']);
        let quoted = serde_json::to_string(line).unwrap_or_default();
        let mut after = block;
        for text in [
            line.to_owned(),
            format!("Jan  3 13:45:12 host job[17]: {line}"),
            format!("{{\"log\": {quoted}, \"stream\": \"stdout\"}}"),
        ] {
            let bytes = text.as_bytes();
            let inner = unwrap(bytes);
            let mut on: &[u8] = bytes;
            let mut told = rules.read(&Line::of(bytes, true), block, &mut scratch);
            if told.is_none()
                && let Some(inner) = &inner
            {
                told = rules.read(&Line::of(inner, true), block, &mut scratch);
                on = inner;
            }
            let (event, captures) = describe(told.as_ref(), on);
            if !agrees(sample, event, &captures) {
                return Err(Failure::usage(format!(
                    "dialect {:?}: the sample {text:?} is read as {}, expected {}",
                    dialect.name,
                    shown(event, &captures),
                    shown(&sample.reads, &sample.captures),
                ))
                .hint("bf-parse-log --explain shows which rule reads a line"));
            }
            if let Some(next) = told.and_then(|told| told.block) {
                after = next;
            }
        }
        block = after;
    }
    Ok(())
}

fn agrees(sample: &Sample, event: &str, captures: &BTreeMap<&'static str, String>) -> bool {
    sample.reads == event
        && sample
            .captures
            .iter()
            .all(|(name, value)| captures.get(name.as_str()) == Some(value))
}

fn shown<K: std::fmt::Display>(event: &str, captures: &BTreeMap<K, String>) -> String {
    let parts: Vec<String> = captures
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if parts.is_empty() {
        event.to_owned()
    } else {
        format!("{event} ({})", parts.join(", "))
    }
}

/// The event of a line, by the key that its rule is under, and what was captured.
fn describe(told: Option<&Told>, line: &[u8]) -> (&'static str, BTreeMap<&'static str, String>) {
    let mut captures = BTreeMap::new();
    let Some(told) = told else {
        return ("nothing", captures);
    };
    let mut text = |name, span: Span| {
        let text = String::from_utf8_lossy(span.in_line(line)).into_owned();
        if !text.is_empty() {
            captures.insert(name, text);
        }
    };
    text("unit", told.details.unit);
    text("worker", told.details.worker);
    text("job", told.details.job);
    let Some(event) = told.event else {
        return (told.kind.event(), captures);
    };
    match event {
        Event::Failure { reason, .. } | Event::Skip { reason, .. } => text("error", reason),
        Event::Fatal(reason) | Event::Refused(reason) | Event::Critical(reason) => {
            text("error", reason)
        }
        Event::Error { text: reason, .. } => text("error", reason),
        _ => {}
    }
    let mut put = |name, value: Option<String>| {
        if let Some(value) = value {
            captures.insert(name, value);
        }
    };
    let figure = |value: Option<u64>| value.map(|value| value.to_string());
    let day = |value: Option<chrono::NaiveDate>| value.map(|value| value.to_string());
    put("index", figure(told.details.index));
    put("total", figure(told.details.total));
    put("end_date", day(told.details.until));
    match event {
        Event::Success { date, records } => {
            put("date", day(date));
            put("records", figure(records));
        }
        Event::Failure { date, .. }
        | Event::Skip { date, .. }
        | Event::Looked { date }
        | Event::Error { date, .. } => put("date", day(date)),
        Event::Begin { date, .. } => put("date", Some(date.to_string())),
        Event::Checkpoint { range, .. } | Event::About { range, .. } => {
            put("start", range.map(|range| range.start.to_string()));
            put("end_date", range.map(|range| range.end.to_string()));
        }
        Event::Opening(_, what) => {
            put("date", day(what.resume));
            put("of", figure(what.range_total));
            put("start", what.range.map(|range| range.start.to_string()));
            put("end_date", what.range.map(|range| range.end.to_string()));
        }
        Event::Ended { counts, .. } | Event::Claimed(counts) => {
            for (name, count) in ["succeeded", "failed", "skipped"].into_iter().zip(counts) {
                put(name, figure(count));
            }
        }
        _ => {}
    }
    (told.kind.event(), captures)
}
