//! Inline SVG. Each picture has a text beside it that says the same.

use std::fmt::Write as _;

use bf_contract::{Check, Day, DayStatus};
use chrono::{DateTime, Datelike, Utc};
use maud::{Markup, PreEscaped, html};

use crate::days;
use crate::draw::{self, Activity, Axis, CELL, CHART_HEIGHT, CHART_WIDTH, MONTHS, WEEKS};
use crate::model::PhaseReport;
use crate::months::misses;
use crate::words::{self, clean};

/// What tells one status from another without its colour: defined once for the whole page.
pub(super) fn patterns() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" {
            defs {
                pattern id="pf" width="10" height="10" patternUnits="objectBoundingBox" patternContentUnits="userSpaceOnUse" {
                    rect.bf width="10" height="10" {}
                    path.ink d="M2.5 2.5l5 5m0-5l-5 5" {}
                }
            }
        }
    }
}

/// A mark within a cell, drawn from its corner.
fn mark(class: &str) -> &'static str {
    match class {
        "f" => "m3 3 4 4m0-4-4 4",
        "m" => "m2 8 6-6",
        "l" => "m2 7h6",
        "g" => "m2 5h6m-3-3v6",
        "u" => "m4 3h3v2h-2v1m0 1v1",
        "s" => "m2 5h6",
        _ => "",
    }
}

/// A small cell, as a legend shows it.
pub(super) fn swatch(class: &str) -> Markup {
    html! {
        svg.swatch viewBox="0 0 10 10" width="12" height="12" aria-hidden="true" {
            rect.(class) x="0" y="0" {}
            @if !mark(class).is_empty() { path d={ "M0 0" (mark(class)) } {} }
        }
    }
}

const MONTH_NAMES: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The dates of each year, as rows of weekdays and columns of weeks.
pub(super) fn calendar(all: &[Day]) -> Markup {
    let years: Vec<&[Day]> = all
        .chunk_by(|one, other| one.date.year() == other.date.year())
        .collect();
    html! {
        div.calendar {
            @for days in years { @if let Some(first) = days.first() { (year(first.date.year(), days)) } }
        }
    }
}

fn year(year: i32, all: &[Day]) -> Markup {
    let counts: Vec<String> = days::counts(all)
        .iter()
        .map(|one| format!("{} {}", one.count, words::day(one.status).1))
        .collect();
    let mut cells = String::with_capacity(all.len() * 110);
    let mut marks = String::new();
    for day in all {
        let (x, y) = draw::cell(day.date);
        let class = words::day(day.status).0;
        // Of thousands of cells, nothing is written that goes without saying: a place of 0, and a date that is good.
        let mut attributes = String::new();
        for (name, place) in [("x", x), ("y", y)] {
            if place > 0 {
                let _ = write!(attributes, " {name}={place}");
            }
        }
        if day.status != DayStatus::Ok {
            let _ = write!(attributes, " class={class}");
        }
        // Digits and words only: nothing here is from outside.
        let title = days::title(day);
        let _ = write!(cells, "<rect{attributes}><title>{title}</title></rect>");
        if !mark(class).is_empty() {
            let _ = write!(marks, "M{x} {y}{}", mark(class));
        }
    }
    let (width, height) = (WEEKS * CELL, MONTHS + 7 * CELL);
    html! {
        figure.year {
            figcaption { strong { (year) } " " span { (counts.join(", ")) } }
            svg role="img" viewBox={ "0 0 " (width) " " (height) } aria-label={ (year) ": " (counts.join(", ")) } {
                g transform="translate(0,10)" {
                    @for (at, name) in (1..).zip(MONTH_NAMES) {
                        text x=(draw::month_label(year, at)) { (name) }
                    }
                }
                g transform={ "translate(0," (MONTHS) ")" } {
                    (PreEscaped(cells))
                    @if !marks.is_empty() { path d=(marks) {} }
                }
            }
        }
    }
}

/// One figure by month, with the months that miss the threshold marked.
pub(super) fn months(check: &Check) -> Markup {
    let chart = draw::chart(&check.months, check.threshold);
    // The table beside it has the figures.
    let bars = |low: bool| {
        let bars = check.months.iter().zip(&chart.bars);
        let bars = bars.filter(|(month, _)| misses(month.value, check.threshold) == low);
        let (mut path, mut pen) = (String::new(), None::<f64>);
        for bar in bars.filter_map(|(_, bar)| bar.as_ref()) {
            let (x, width, height) = (bar.x, bar.width, bar.height);
            // Along the ground to the next bar: a line has no area.
            let ground = match pen {
                Some(pen) => format!("h{}", ((x - pen) * 10.0).round() / 10.0),
                None => format!("M{x} {CHART_HEIGHT}"),
            };
            let _ = write!(path, "{ground}v-{height}h{width}V{CHART_HEIGHT}");
            pen = Some(x + width);
        }
        path
    };
    let label = crate::months::summary(check);
    let last = check.months.len().saturating_sub(1);
    let years: Vec<(usize, &str)> = check
        .months
        .iter()
        .enumerate()
        .filter(|(at, month)| *at == 0 || *at == last || month.month.ends_with("-01"))
        .map(|(at, month)| (at, month.month.as_str()))
        .collect();
    #[allow(clippy::cast_precision_loss)] // a few hundred months
    let place = |at: usize| at as f64 * 100.0 / check.months.len().max(1) as f64;
    html! {
        figure.months {
            figcaption { strong { (clean(&check.name, 80)) } " " span { (label) } }
            svg role="img" viewBox={ "0 0 " (CHART_WIDTH) " " (CHART_HEIGHT + 2.0) } preserveAspectRatio="none" aria-label=(label) {
                @for (class, bars) in [("met", bars(false)), ("low", bars(true))] {
                    @if !bars.is_empty() { path.(class) d=(bars) {} }
                }
                @if let Some(y) = chart.threshold { line x1="0" x2=(CHART_WIDTH) y1=(y) y2=(y) {} }
            }
            p.ticks aria-hidden="true" {
                @for (at, month) in &years {
                    @if *at < last || *at == 0 { span style={ "left:" (format!("{:.1}", place(*at))) "%" } { (clean(&month.chars().take(4).collect::<String>(), 4)) } }
                }
            }
        }
    }
}

/// What a phase did when.
pub(super) fn timeline(axis: &Axis, phase: &PhaseReport) -> Markup {
    let segments = axis.segments(&phase.attempts);
    let name = |activity| match activity {
        Activity::Waiting => "waiting",
        Activity::Running => "running",
        Activity::Validating => "validating",
    };
    let said: Vec<String> = phase
        .attempts
        .iter()
        .map(|attempt| {
            let end = attempt.ended_at.map_or("not ended".to_owned(), time);
            format!(
                "attempt {}: {} to {end}, {}",
                attempt.number,
                time(attempt.started_at),
                words::phase(Some(attempt.status)).words.to_lowercase()
            )
        })
        .collect();
    html! {
        svg.timeline role="img" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-label=(said.join("; ")) {
            @for one in &segments {
                rect x=(one.from) y=(if one.activity == Activity::Waiting { 9 } else { 2 }) width=((one.to - one.from).max(2))
                    height=(if one.activity == Activity::Waiting { 2 } else { 16 }) class=(name(one.activity)) {
                    title { (name(one.activity)) @if one.attempt > 0 { ", attempt " (one.attempt) } }
                }
            }
        }
    }
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
