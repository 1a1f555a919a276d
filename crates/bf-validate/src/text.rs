//! The report as people read it.

use std::fmt::Write as _;

use bf_cli::text::{Mark, Style, thousands};
use bf_contract::{CheckStatus, DateRange, Level, ValidationReport, Verdict};

use crate::figures::{plural, spans};
use crate::report::{Judged, LOG_SECTION};
use crate::request::Run;
use crate::suite::TableSpec;

/// What stands above everything.
#[must_use]
pub(crate) fn heading(
    suite: &TableSpec,
    range: DateRange,
    url: &str,
    config: &str,
    style: Style,
) -> String {
    format!(
        "{}\nDate range: {range}\nWarehouse: {url} ({})\n{}{}",
        style.section(&format!("VALIDATING {}", suite.heading())),
        suite.table,
        config[..1].to_ascii_uppercase(),
        &config[1..],
    )
}

/// The checks, section by section, and the summary.
#[must_use]
pub(crate) fn report(
    run: &Run<'_>,
    judged: &[Judged],
    document: &ValidationReport,
    style: Style,
) -> String {
    let mut text = String::new();
    if run.log.is_some() {
        let _ = write!(text, "\nLog: what the job claims...");
        section(&mut text, run, judged, LOG_SECTION, style);
    }
    let mut sections: Vec<&str> = Vec::new();
    for check in judged {
        if check.section != LOG_SECTION && !sections.contains(&check.section.as_str()) {
            sections.push(&check.section);
        }
    }
    for (at, name) in sections.iter().enumerate() {
        let _ = write!(text, "\nCheck {}/{}: {name}...", at + 1, sections.len());
        section(&mut text, run, judged, name, style);
    }
    text.push('\n');
    summary(&mut text, run, judged, document, style);
    text
}

fn section(text: &mut String, run: &Run<'_>, judged: &[Judged], name: &str, style: Style) {
    for check in judged.iter().filter(|check| check.section == name) {
        if check.level == Level::Off {
            continue;
        }
        let mark = mark(check);
        let critical = if check.level == Level::Critical
            && check.status() != CheckStatus::Pass
            && check.status() != CheckStatus::Skipped
        {
            " CRITICAL"
        } else {
            ""
        };
        let _ = write!(
            text,
            "\n{} {}{}{critical}",
            style.paint(mark, style.mark(mark)),
            unless_said(check, judged),
            style.paint(mark, style.tick(mark)),
        );
        evidence(text, run, check, style);
    }
}

/// The message; where an earlier check could not be checked for the same long reason, only that.
fn unless_said<'a>(check: &'a Judged, judged: &'a [Judged]) -> std::borrow::Cow<'a, str> {
    let message = check.finding.message.as_str();
    let reason = |check: &'a Judged| check.finding.message.split_once(": ");
    let why = reason(check).map(|(_, why)| why);
    let first = judged.iter().find(|other| {
        other.status() == CheckStatus::Error && reason(other).map(|(_, why)| why) == why
    });
    match (check.status(), first, reason(check)) {
        (CheckStatus::Error, Some(first), Some((title, why)))
            if first.name != check.name && why.len() > 60 =>
        {
            format!("{title}: not checked, as {} was not", first.name).into()
        }
        _ => message.into(),
    }
}

fn mark(check: &Judged) -> Mark {
    match (check.status(), check.level) {
        (CheckStatus::Skipped, _) => Mark::Skipped,
        (CheckStatus::Error | CheckStatus::Unknown, _) => Mark::Error,
        (_, Level::Info) => Mark::Info,
        (CheckStatus::Pass, _) => Mark::Pass,
        (CheckStatus::Warn, _) => Mark::Warn,
        (CheckStatus::Fail, _) => Mark::Fail,
    }
}

fn evidence(text: &mut String, run: &Run<'_>, check: &Judged, style: Style) {
    if matches!(check.status(), CheckStatus::Pass | CheckStatus::Skipped) {
        return;
    }
    let finding = &check.finding;
    if !finding.dates.is_empty() {
        let limit = run.config.evidence.date_ranges as usize;
        let _ = write!(text, "\n       dates: {}", spans(&finding.dates, limit));
    }
    for row in &check.shown.rows {
        let fields: Vec<String> = row
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("NULL")))
            .collect();
        let _ = write!(text, "\n       {}", style.dim(&fields.join(" ")));
    }
    if let Some(query) = &check.shown.query {
        for statement in query.split_inclusive("; ") {
            let _ = write!(text, "\n       {}", style.dim(statement.trim_end()));
        }
    }
    if let Some(trouble) = &check.shown.trouble {
        let _ = write!(text, "\n       its rows could not be shown: {trouble}");
    }
}

fn summary(
    text: &mut String,
    run: &Run<'_>,
    judged: &[Judged],
    document: &ValidationReport,
    style: Style,
) {
    let _ = writeln!(text, "{}", style.section("VALIDATION SUMMARY"));
    let table = run.suite.table.table.as_str();
    let (mark, words) = match document.verdict {
        Verdict::Pass => (Mark::Pass, "ALL CHECKS PASSED"),
        Verdict::Warn => (Mark::Warn, "PASSED WITH WARNINGS"),
        Verdict::Error | Verdict::Unknown => (Mark::Error, "COULD NOT BE CHECKED"),
        Verdict::Fail => (Mark::Fail, "VALIDATION FAILED"),
    };
    let unanswered: Vec<&str> = judged
        .iter()
        .filter(|check| check.is_unanswered())
        .map(|check| check.name.as_str())
        .collect();
    let (mark, words) = match (document.verdict, unanswered.is_empty()) {
        (_, true) | (Verdict::Fail, _) => (mark, words.to_owned()),
        (Verdict::Pass, _) => (
            Mark::Warn,
            format!("PASSED; NOT CHECKED: {}", unanswered.join(", ")),
        ),
        _ => (
            mark,
            format!("{words}; NOT CHECKED: {}", unanswered.join(", ")),
        ),
    };
    let _ = write!(
        text,
        "{} {table}: {}{}",
        style.paint(mark, style.mark(mark)),
        style.bold(&words),
        style.paint(mark, style.tick(mark))
    );
    let count = |status: CheckStatus| {
        judged
            .iter()
            .filter(|check| check.status() == status)
            .filter(|check| check.is_counted() || status == CheckStatus::Skipped)
            .filter(|check| check.level != Level::Off)
            // What a log would add is not shown where there is none.
            .filter(|check| run.log.is_some() || check.section != LOG_SECTION)
            .count()
    };
    let counts: Vec<String> = [
        (CheckStatus::Pass, "passed"),
        (CheckStatus::Warn, "warned"),
        (CheckStatus::Fail, "failed"),
        (CheckStatus::Error, "could not be checked"),
        (CheckStatus::Skipped, "skipped"),
    ]
    .into_iter()
    .filter(|(status, _)| count(*status) > 0)
    .map(|(status, word)| format!("{} {word}", count(status)))
    .collect();
    let _ = write!(text, "\nChecks: {}", counts.join(", "));
    let skipped: Vec<&str> = judged
        .iter()
        .filter(|check| check.status() == CheckStatus::Skipped && !check.is_unanswered())
        .filter(|check| check.level.counts() && check.section != LOG_SECTION)
        .map(|check| check.name.as_str())
        .collect();
    if !skipped.is_empty() {
        let _ = write!(text, " ({})", skipped.join(", "));
    }
    let statuses = [
        (CheckStatus::Fail, "Failed"),
        (CheckStatus::Error, "Not checked"),
        (CheckStatus::Warn, "Warnings"),
    ];
    for (status, title) in statuses {
        let names: Vec<String> = judged
            .iter()
            .filter(|check| check.is_counted() && check.status() == status)
            .map(|check| {
                let critical = if check.level == Level::Critical {
                    " (CRITICAL)"
                } else {
                    ""
                };
                format!("{}{critical}", check.name)
            })
            .collect();
        if !names.is_empty() {
            let _ = write!(text, "\n{title}: {}", names.join(", "));
        }
    }
    let engine = &document.engine;
    let _ = write!(
        text,
        "\nEngine: {}, {} in {:.3} s",
        engine.kind,
        plural(engine.queries, "query"),
        engine.elapsed_seconds
    );
    if let Some(bytes) = engine.bytes_processed {
        let _ = write!(text, ", {} bytes processed", thousands(bytes));
    }
    if let Some(bytes) = engine.bytes_billed {
        let _ = write!(text, ", {} bytes billed", thousands(bytes));
    }
    for note in &engine.notes {
        let _ = write!(text, "\nNote: {note}");
    }
    if let Some(rerun) = &document.rerun {
        let limit = run.config.evidence.date_ranges as usize;
        let _ = write!(
            text,
            "\nRerun: {} ({})",
            plural(rerun.dates.len() as u64, "date"),
            spans(&rerun.dates, limit)
        );
        for command in [
            rerun
                .upstream
                .as_ref()
                .and_then(|first| first.command.as_ref()),
            rerun.command.as_ref(),
        ]
        .into_iter()
        .flatten()
        {
            let words: Vec<String> = command.iter().map(|word| shell_word(word)).collect();
            let _ = write!(text, "\n  {}", words.join(" "));
        }
    }
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'_' | b'.' | b'/' | b',' | b'=' | b':')
        });
    if is_plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
