//! The page: one file, nothing loaded, no script.

mod parts;
mod pictures;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::compare::Comparison;
use crate::model::{PhaseReport, Report, Run};
use crate::words::{self, Badge, clean};

const STYLE: &str = include_str!("html/style.css");

/// How much of a text from outside is shown, in characters.
const TEXT: usize = 600;

/// The whole page.
pub(crate) fn page(report: &Report, comparison: Option<&Comparison>) -> String {
    let badge = words::verdict(report.verdict, report.is_provisional);
    let title = clean(&report.title, 120);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (badge.words) ": " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (pictures::patterns())
                main {
                    (head(report, &title, badge))
                    @if let Some(run) = &report.run { (timeline(report, run)) }
                    @if let Some(comparison) = comparison { (parts::comparison(comparison)) }
                    @for (at, phase) in report.phases.iter().enumerate() { (parts::phase(at, phase)) }
                    (parts::failures(&report.failures))
                    (parts::notes(report))
                }
                footer { "Written by bf-report " (env!("CARGO_PKG_VERSION")) }
            }
        }
    };
    page.into_string()
}

fn head(report: &Report, title: &str, badge: Badge) -> Markup {
    html! {
        header {
            p.kicker {
                @if report.run.is_some() { "Backfill run" } @else { "Report" }
                @if report.is_dry_run { " · dry run" }
                @if report.is_provisional { " · provisional: a later report may say otherwise" }
            }
            h1 { (title) }
            div.verdict.(badge.class) {
                p.words { span.mark aria-hidden="true" { (badge.mark) } (badge.words) }
                @if !report.reason.is_empty() { p.reason { (clean(&report.reason, TEXT)) } }
            }
            @if let Some(run) = &report.run { (facts(run)) }
            (next(report))
        }
    }
}

fn facts(run: &Run) -> Markup {
    html! {
        dl.facts {
            @if !run.run_id.is_empty() { div { dt { "Run" } dd { (clean(&run.run_id, 120)) } } }
            @if let Some(started) = run.started_at {
                div { dt { "Started" } dd { time datetime=(started.to_rfc3339()) { (pictures::time(started)) } } }
            }
            @if let Some(seconds) = run.total_seconds { div { dt { "Took" } dd { (parts::seconds(seconds)) } } }
            @if let Some(dir) = &run.run_dir { div { dt { "Directory" } dd { code { (clean(dir, TEXT)) } } } }
        }
    }
}

/// What a person does next, with each command ready to copy.
fn next(report: &Report) -> Markup {
    let reruns: Vec<(&str, usize, String)> = report
        .phases
        .iter()
        .flat_map(|phase| phase.validations.iter().map(move |one| (phase, one)))
        .filter_map(|(phase, validation)| {
            let rerun = validation.rerun.as_ref()?;
            let command = words::shell_line(rerun.command.as_ref()?);
            Some((phase.name.as_str(), rerun.dates.len(), command))
        })
        .collect();
    if report.next_steps.is_empty() && reruns.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="next" {
            h2 id="next" { "What to do next" }
            @if !report.next_steps.is_empty() {
                ol.steps { @for step in &report.next_steps { li { (clean(step, 4 * TEXT)) } } }
            }
            @for (phase, dates, command) in &reruns {
                p.label {
                    "Run again for " (clean(phase, 120)) ": " (dates) @if *dates == 1 { " date" } @else { " dates" }
                }
                pre.copy tabindex="0" aria-label={ "Command to run " (clean(phase, 120)) " again" } { code { (clean(command, 20_000)) } }
            }
        }
    }
}

fn timeline(report: &Report, run: &Run) -> Markup {
    let axis = crate::draw::Axis::of(
        run.started_at,
        report.phases.iter().flat_map(|phase| &phase.attempts),
    );
    html! {
        section aria-labelledby="phases" {
            h2 id="phases" { "Phases" }
            div.scroll tabindex="0" role="region" aria-labelledby="phases" {
                table.phases {
                    thead { tr {
                        th scope="col" { "Phase" } th scope="col" { "Status" } th scope="col" { "Dates" }
                        th scope="col" { "Took" } th scope="col" { "Attempts" }
                        @if axis.is_some() { th.wide scope="col" { "Timeline" } }
                    } }
                    tbody { @for (at, phase) in report.phases.iter().enumerate() { (row(at, phase, axis)) } }
                }
            }
            @if let Some(axis) = axis {
                p.axis {
                    span { (pictures::time(axis.start)) } " to " span { (pictures::time(axis.end)) } ": "
                    @for word in ["waiting", "running", "validating"] { span { span.key.(word) {} " " (word) } " " }
                    " · each blue bar is an attempt"
                }
            }
        }
    }
}

fn row(at: usize, phase: &PhaseReport, axis: Option<crate::draw::Axis>) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "#phase-" (at) } { (clean(&phase.name, 80)) } }
            td { (parts::badge(words::phase(phase.status))) @if phase.is_downgraded { " counted as a warning" } }
            td.nowrap { @if let Some(range) = phase.range { (range.start) " to " (range.end) } @else { "–" } }
            td.nowrap { @if let Some(seconds) = phase.duration_seconds { (parts::seconds(seconds)) } @else { "–" } }
            td.number { @if phase.attempts.is_empty() { "–" } @else { (phase.attempts.len()) } }
            @if let Some(axis) = axis { td.wide { (pictures::timeline(&axis, phase)) } }
        }
    }
}
