//! The sections of the page.

use std::time::Duration;

use bf_cli::text::thousands;
use bf_contract::{
    Check, Evidence, FailureReport, LogSummary, MonthValue, Rerun, ValidationReport,
};
use maud::{Markup, PreEscaped, html};

use super::{TEXT, pictures};
use crate::compare::Comparison;
use crate::days::{self, DayCount};
use crate::model::{PhaseReport, Report, sorted};
use crate::words::{self, Badge, clean, figure};

/// How many spans of dates, rows, columns and characters of a value are shown.
const SPANS: usize = 40;
const ROWS: usize = 20;
const COLUMNS: usize = 12;
const VALUE: usize = 120;

pub(super) fn badge(badge: Badge) -> Markup {
    html! { span.badge.(badge.class) { span.mark aria-hidden="true" { (badge.mark) } (badge.words) } }
}

pub(super) fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| "–".to_owned(), bf_cli::text::duration)
}

pub(super) fn phase(at: usize, phase: &PhaseReport) -> Markup {
    let all = days::days_of(phase);
    let counts = days::counts(&all);
    html! {
        section.phase aria-labelledby={ "phase-" (at) } {
            h2 id={ "phase-" (at) } { (clean(&phase.name, 120)) " " (badge(words::phase(phase.status))) }
            @if !phase.reason.is_empty() { p.reason { (clean(&phase.reason, TEXT)) } }
            p.about {
                @if let Some(table) = &phase.table { code { (clean(table, 200)) } " " }
                @if let Some(range) = phase.range { (range.start) " to " (range.end) }
            }
            @if !all.is_empty() {
                h3 { "Dates" }
                (legend(&counts))
                (pictures::calendar(&all))
            }
            (windows(phase))
            @for validation in &phase.validations { (checks(validation, phase.validations.len() > 1)) }
            @if let Some(log) = &phase.log { (log_section(log)) }
            @for validation in &phase.validations { (provenance(validation)) }
        }
    }
}

/// The statuses of dates in words, with the dates of those that need a person.
fn legend(counts: &[DayCount]) -> Markup {
    html! {
        ul.legend {
            @for one in counts {
                @let (class, words) = words::day(one.status);
                li {
                    (pictures::swatch(class)) strong { (thousands(one.count as u64)) } " " (words)
                    @if days::is_bad(one.status) { span.dates { (days::spans(&one.spans, SPANS)) } }
                }
            }
        }
    }
}

fn windows(phase: &PhaseReport) -> Markup {
    if phase.windows.is_empty() {
        return html! {};
    }
    html! {
        h3 { "Windows" }
        div.scroll tabindex="0" role="region" aria-label="Windows" {
            table {
                thead { tr {
                    th scope="col" { "Dates" } th scope="col" { "Status" } th scope="col" { "Attempts" } th scope="col" { "Reason" }
                } }
                tbody { @for window in &phase.windows { tr {
                    th.nowrap scope="row" { (window.range.start) " to " (window.range.end) }
                    td { (badge(words::phase(Some(window.status)))) }
                    td.number { (window.attempts) }
                    td { (clean(&window.reason, TEXT)) }
                } } }
            }
        }
    }
}

fn checks(validation: &ValidationReport, has_others: bool) -> Markup {
    let sorted = sorted(&validation.checks);
    let drawn: Vec<&&Check> = sorted
        .iter()
        .filter(|check| !check.months.is_empty())
        .collect();
    html! {
        h3 { "Checks" @if has_others { " of " (clean(&validation.suite, 80)) ": " (clean(&validation.table, 120)) } }
        div.scroll tabindex="0" role="region" aria-label="Checks" {
            table.checks {
                thead { tr {
                    th scope="col" { "Check" } th scope="col" { "Status" } th.number scope="col" { "Observed" }
                    th.number scope="col" { "Threshold" } th scope="col" { "What was found" }
                } }
                tbody { @for check in &sorted { tr {
                    th scope="row" {
                        (clean(&check.name, 80))
                        @if check.level != bf_contract::Level::Normal { " " span.level { (words::level(check.level)) } }
                    }
                    td { (badge(words::check(check.status, check.unanswered))) }
                    td.number { @if let Some(observed) = check.observed { (figure(observed)) } @else { "–" } }
                    td.number.nowrap { @if let Some(threshold) = check.threshold { (words::threshold(threshold)) } @else { "–" } }
                    td { (clean(&check.message, TEXT)) @if let Some(evidence) = &check.evidence { (self::evidence(evidence)) } }
                } } }
            }
        }
        @if !drawn.is_empty() {
            h3 { "By month" }
            @for check in drawn { (pictures::months(check)) (month_table(check)) }
        }
        @if let Some(rerun) = &validation.rerun { (rerun_dates(rerun)) }
    }
}

fn month_table(check: &Check) -> Markup {
    html! {
        details {
            summary { "Months of " (clean(&check.name, 80)) " as a table" }
            table.figures {
                thead { tr { th scope="col" { "Month" } th.number scope="col" { "Figure" } th.number scope="col" { "Rows" } } }
                tbody { @for month in &check.months { (month_row(month, check)) } }
            }
        }
    }
}

/// Without the end tags that HTML does not need: a page of five years has thousands of these rows.
fn month_row(month: &MonthValue, check: &Check) -> Markup {
    let missed = if crate::months::misses(month.value, check.threshold) {
        " misses the threshold"
    } else {
        ""
    };
    html! {
        (PreEscaped("<tr><th scope=row>")) (clean(&month.month, 20))
        (PreEscaped("<td>")) (month.value.map_or_else(|| "–".to_owned(), figure)) (missed)
        (PreEscaped("<td>")) (thousands(month.rows))
    }
}

fn evidence(evidence: &Evidence) -> Markup {
    let columns: std::collections::BTreeSet<&String> =
        evidence.rows.iter().flat_map(|row| row.keys()).collect();
    let columns: Vec<&String> = columns.into_iter().take(COLUMNS).collect();
    let has_more = !evidence.rows.is_empty() || evidence.query.is_some();
    html! {
        @if let (Some(numerator), Some(denominator)) = (evidence.numerator, evidence.denominator) {
            p.evidence { (thousands(numerator)) " of " (thousands(denominator)) }
        }
        @if !evidence.spans.is_empty() { p.evidence { "Dates: " (days::spans(&evidence.spans, SPANS)) } }
        @if has_more {
            details {
                summary { "Evidence" }
                @if !evidence.rows.is_empty() {
                    div.scroll tabindex="0" role="region" aria-label="Sample rows" {
                        table.rows {
                            thead { tr { @for column in &columns { th scope="col" { (clean(column, 80)) } } } }
                            tbody { @for row in evidence.rows.iter().take(ROWS) { tr { @for column in &columns {
                                td { @match row.get(*column) {
                                    Some(Some(value)) => { (clean(value, VALUE)) }
                                    _ => { span.null { "NULL" } }
                                } }
                            } } } }
                        }
                    }
                }
                @if let Some(query) = &evidence.query { pre.copy tabindex="0" aria-label="Query" { code { (clean(query, 4_000)) } } }
            }
        }
    }
}

fn rerun_dates(rerun: &Rerun) -> Markup {
    let spans = bf_contract::date_spans(&rerun.dates);
    html! { p.label { "Dates to run again: " (days::spans(&spans, SPANS)) } }
}

fn log_section(log: &LogSummary) -> Markup {
    let count = |name: &str, value: Option<u64>| {
        html! { div { dt { (name) } dd { @if let Some(value) = value { (thousands(value)) } @else { "–" } } } }
    };
    html! {
        h3 { "What the log claims" }
        p.about { code { (clean(&log.log.path, 300)) } " " (words::log_state(log.state)) }
        dl.facts {
            (count("Dates", log.total_days)) (count("Successful", Some(log.successful_days)))
            (count("Failed", Some(log.failed_days))) (count("Skipped", Some(log.skipped_days)))
            (count("Unaccounted for", log.unaccounted_days)) (count("Records", Some(log.total_records)))
            @if let Some(rate) = log.success_rate { div { dt { "Success rate" } dd { (figure(rate)) " %" } } }
        }
        @if !log.doubts.is_empty() {
            ul.doubts { @for doubt in &log.doubts { li { strong { "In doubt: " } (clean(&doubt.message, TEXT)) } } }
        }
        @if !log.error_classes.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Error classes" {
                table {
                    thead { tr { th scope="col" { "Errors" } th.number scope="col" { "Count" } th scope="col" { "The first one" } } }
                    tbody { @for class in &log.error_classes { tr {
                        th scope="row" { (words::error_class(class.class)) }
                        td.number { (thousands(class.count)) }
                        td { code { (clean(&class.example, TEXT)) } }
                    } } }
                }
            }
        }
        @if !log.notes.is_empty() { ul.notes { @for note in &log.notes { li { (clean(note, TEXT)) } } } }
    }
}

fn provenance(validation: &ValidationReport) -> Markup {
    let engine = &validation.engine;
    html! {
        details.provenance {
            summary { "How " (clean(&validation.table, 120)) " was checked" }
            dl.facts {
                div { dt { "Suite" } dd { (clean(&validation.suite, 120)) } }
                div { dt { "Engine" } dd { (clean(&engine.kind, 40)) ", " (engine.queries) " queries in " (seconds(engine.elapsed_seconds)) } }
                @if let Some(bytes) = engine.bytes_billed { div { dt { "Billed" } dd { (thousands(bytes)) " bytes" } } }
                @if let Some(from) = &validation.provenance {
                    div { dt { "bf" } dd { (clean(&from.version, 40)) @if let Some(commit) = &from.commit { " (" (clean(commit, 40)) ")" } } }
                    @for (name, value) in [("Suite hash", &from.suite_hash), ("Config hash", &from.config_hash), ("Warehouse", &from.warehouse), ("Snapshot", &from.snapshot)] {
                        @if let Some(value) = value { div { dt { (name) } dd { code { (clean(value, 200)) } } } }
                    }
                }
            }
            @if !engine.notes.is_empty() { ul.notes { @for note in &engine.notes { li { (clean(note, TEXT)) } } } }
        }
    }
}

pub(super) fn failures(failures: &[FailureReport]) -> Markup {
    html! {
        @if !failures.is_empty() {
            section aria-labelledby="failures" {
                h2 id="failures" { "Tools that could not do their work" }
                ul { @for failure in failures { li {
                    strong { (clean(&failure.tool, 80)) } " ended with " (failure.exit_code) ": " (clean(&failure.message, TEXT))
                    @if let Some(hint) = &failure.hint { " (" (clean(hint, TEXT)) ")" }
                } } }
            }
        }
    }
}

pub(super) fn notes(report: &Report) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            section aria-labelledby="notes" {
                h2 id="notes" { "Not shown" }
                ul.notes { @for note in &report.notes { li { (clean(note, TEXT)) } } }
            }
        }
    }
}

pub(super) fn comparison(comparison: &Comparison) -> Markup {
    let day = |status: Option<bf_contract::DayStatus>| {
        status.map_or("not in the range", |status| words::day(status).1)
    };
    html! {
        section aria-labelledby="compared" {
            h2 id="compared" { "Compared with " (clean(&comparison.other, 200)) }
            @if comparison.checks.is_empty() { p { "No check fails that did not fail before, and none was resolved." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Checks that changed" {
                    table {
                        thead { tr { th scope="col" { "Phase" } th scope="col" { "Check" } th scope="col" { "Change" } th scope="col" { "Now" } } }
                        tbody { @for change in &comparison.checks { tr {
                            td { (clean(&change.phase, 80)) } th scope="row" { (clean(&change.check, 120)) }
                            td { (change.kind.words()) } td { (clean(&change.message, TEXT)) }
                        } } }
                    }
                }
            }
            @if !comparison.figures.is_empty() {
                div.scroll tabindex="0" role="region" aria-label="Figures that changed" {
                    table {
                        thead { tr { th scope="col" { "Phase" } th scope="col" { "Check" } th.number scope="col" { "Before" } th.number scope="col" { "Now" } th.number scope="col" { "Change" } } }
                        tbody { @for change in &comparison.figures { tr {
                            td { (clean(&change.phase, 80)) } th scope="row" { (clean(&change.check, 120)) }
                            td.number { (figure(change.before)) } td.number { (figure(change.now)) } td.number { (signed(change.now - change.before)) }
                        } } }
                    }
                }
            }
            @if !comparison.days.is_empty() {
                ul { @for change in &comparison.days { li {
                    strong { (clean(&change.phase, 80)) } ": " (change.count) @if change.count == 1 { " date" } @else { " dates" }
                    " from " (day(change.before)) " to " (day(change.now)) ": " (days::spans(&change.spans, SPANS))
                } } }
            }
        }
    }
}

fn signed(value: f64) -> String {
    if value > 0.0 {
        format!("+{}", figure(value))
    } else {
        figure(value)
    }
}
