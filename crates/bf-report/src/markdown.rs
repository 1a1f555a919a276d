//! The report in short, as Markdown: for the summary of a CI job, an issue, a chat.

use std::fmt::Write as _;
use std::time::Duration;

use bf_contract::CheckStatus;

use crate::compare::Comparison;
use crate::days;
use crate::model::{PhaseReport, Report, sorted};
use crate::words::{self, clean, figure};

const TEXT: usize = 300;
const SPANS: usize = 10;

/// The whole report.
pub(crate) fn report(report: &Report, comparison: Option<&Comparison>) -> String {
    let badge = words::verdict(report.verdict, report.is_provisional);
    let mut text = format!(
        "## {} {}: {}\n",
        emoji(badge.class),
        badge.words,
        safe(&report.title)
    );
    if report.is_dry_run {
        text.push_str("\nA dry run: nothing was started.\n");
    }
    if report.is_provisional {
        text.push_str("\nProvisional: a later report may say otherwise.\n");
    }
    if !report.reason.is_empty() {
        let _ = writeln!(text, "\n{}", safe(&report.reason));
    }
    if report.run.is_some() {
        table(&mut text, report);
    }
    if !report.next_steps.is_empty() {
        text.push_str("\n**What to do next**\n\n");
        for step in &report.next_steps {
            let _ = writeln!(text, "1. {}", safe(step));
        }
    }
    for phase in &report.phases {
        section(
            &mut text,
            phase,
            report.phases.len() > 1 || report.run.is_some(),
        );
    }
    for failure in &report.failures {
        let _ = writeln!(
            text,
            "\n**{}** ended with {}: {}",
            safe(&failure.tool),
            failure.exit_code,
            safe(&failure.message)
        );
    }
    if let Some(comparison) = comparison {
        compared(&mut text, comparison);
    }
    for note in &report.notes {
        let _ = writeln!(text, "\n_Not shown: {}_", safe(note));
    }
    text
}

fn table(text: &mut String, report: &Report) {
    text.push_str("\n| Phase | Status | Dates | Took | Reason |\n|---|---|---|---|---|\n");
    for phase in &report.phases {
        let badge = words::phase(phase.status);
        let range = phase
            .range
            .map_or_else(|| "–".to_owned(), |range| range.to_string());
        let took = phase
            .duration_seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map_or_else(|| "–".to_owned(), bf_cli::text::duration);
        let _ = writeln!(
            text,
            "| {} | {} {} | {range} | {took} | {} |",
            safe(&phase.name),
            emoji(badge.class),
            badge.words,
            safe(&phase.reason)
        );
    }
}

fn section(text: &mut String, phase: &PhaseReport, has_heading: bool) {
    let all = days::days_of(phase);
    let bad = days::counts(&all);
    let bad: Vec<_> = bad.iter().filter(|one| days::is_bad(one.status)).collect();
    let checks: Vec<_> = phase
        .validations
        .iter()
        .flat_map(|validation| sorted(&validation.checks))
        .filter(|check| check.level.counts() && check.status != CheckStatus::Pass)
        .collect();
    let doubts = phase.log.iter().flat_map(|log| &log.doubts);
    let doubts: Vec<_> = doubts.collect();
    if bad.is_empty() && checks.is_empty() && doubts.is_empty() {
        return;
    }
    if has_heading {
        let _ = writeln!(text, "\n### {}", safe(&phase.name));
    }
    if !checks.is_empty() {
        text.push_str(
            "\n| Check | Status | Observed | Threshold | What was found |\n|---|---|--:|--:|---|\n",
        );
    }
    for check in checks {
        let badge = words::check(check.status, check.unanswered);
        let dash = || "–".to_owned();
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {} | {} |",
            safe(&check.name),
            emoji(badge.class),
            badge.words,
            check.observed.map_or_else(dash, figure),
            check.threshold.map_or_else(dash, words::threshold),
            safe(&check.message)
        );
    }
    if !bad.is_empty() {
        text.push('\n');
    }
    for one in bad {
        let _ = writeln!(
            text,
            "- **{} {}**: {}",
            one.count,
            words::day(one.status).1,
            days::spans(&one.spans, SPANS)
        );
    }
    for doubt in doubts {
        let _ = writeln!(text, "- **In doubt**: {}", safe(&doubt.message));
    }
    for rerun in phase
        .validations
        .iter()
        .filter_map(|one| one.rerun.as_ref())
    {
        if let Some(command) = &rerun.command {
            let line = clean(&words::shell_line(command), 4_000);
            let fence = fence(&line);
            let _ = writeln!(text, "\n{fence}sh\n{line}\n{fence}");
        }
    }
}

fn compared(text: &mut String, comparison: &Comparison) {
    let _ = writeln!(text, "\n### Compared with {}\n", safe(&comparison.other));
    if comparison.checks.is_empty() {
        text.push_str("No check fails that did not fail before, and none was resolved.\n");
    }
    for change in &comparison.checks {
        let _ = writeln!(
            text,
            "- **{}**: {}, {}: {}",
            change.kind.words(),
            safe(&change.phase),
            safe(&change.check),
            safe(&change.message)
        );
    }
    for change in &comparison.figures {
        let _ = writeln!(
            text,
            "- {}, {}: {} → {}",
            safe(&change.phase),
            safe(&change.check),
            figure(change.before),
            figure(change.now)
        );
    }
    let day = |status: Option<bf_contract::DayStatus>| {
        status.map_or("not in the range", |status| words::day(status).1)
    };
    for change in &comparison.days {
        let _ = writeln!(
            text,
            "- {}: {} from {} to {}: {}",
            safe(&change.phase),
            change.count,
            day(change.before),
            day(change.now),
            days::spans(&change.spans, SPANS)
        );
    }
}

fn emoji(class: &str) -> &'static str {
    match class {
        "pass" => "✅",
        "warn" => "⚠️",
        "fail" => "❌",
        "error" => "❓",
        _ => "➖",
    }
}

/// A fence that no run of backticks in the text ends.
fn fence(text: &str) -> String {
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// A text from outside, without anything that Markdown or HTML reads.
fn safe(text: &str) -> String {
    let mut safe = String::new();
    for character in clean(text, TEXT).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // A name is told; no one is called.
            '@' => safe.push_str("&#64;"),
            '|' => safe.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            character => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{fence, safe};

    #[test]
    fn a_text_from_outside_is_no_markup() {
        assert_eq!(
            safe("a_b | <script>\n@team [x](y)"),
            r"a\_b &#124; &lt;script&gt; &#64;team \[x\](y)"
        );
        assert_eq!(fence("x ```` y"), "`````");
        assert_eq!(fence("x"), "```");
    }
}
