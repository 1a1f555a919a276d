//! The metrics of a validation.

use std::path::Path;

use bf_cli::metrics::{gauge, label};
use bf_cli::{Failure, write_atomically};
use bf_contract::{CheckStatus, DayStatus, Exit, ValidationReport};
use chrono::{DateTime, Utc};

use crate::suite::TableSpec;

const CHECKS: [(&str, CheckStatus); 5] = [
    ("pass", CheckStatus::Pass),
    ("warn", CheckStatus::Warn),
    ("fail", CheckStatus::Fail),
    ("error", CheckStatus::Error),
    ("skipped", CheckStatus::Skipped),
];

const DAYS: [(&str, DayStatus); 8] = [
    ("ok", DayStatus::Ok),
    ("failed", DayStatus::Failed),
    ("missing", DayStatus::Missing),
    ("fewer", DayStatus::Fewer),
    ("more", DayStatus::More),
    ("skipped", DayStatus::Skipped),
    ("nothing_expected", DayStatus::NothingExpected),
    ("not_judged", DayStatus::NotJudged),
];

/// Writes the metrics of a validation that ended, also of one that could not be made: it has no report.
///
/// # Errors
/// The file cannot be written (exit 3).
pub(crate) fn write(
    path: &Path,
    suite: &TableSpec,
    began: DateTime<Utc>,
    exit: Exit,
    report: Option<&ValidationReport>,
) -> Result<(), Failure> {
    write_atomically(
        path,
        render(suite, began, Utc::now(), exit, report).as_bytes(),
    )
}

#[allow(clippy::cast_precision_loss)] // counts and seconds are far below 2^53
fn render(
    suite: &TableSpec,
    began: DateTime<Utc>,
    ended: DateTime<Utc>,
    exit: Exit,
    report: Option<&ValidationReport>,
) -> String {
    let of = format!(
        "{},{}",
        label("suite", &suite.suite),
        label("table", &suite.table.to_string())
    );
    let mut text = String::new();
    let mut add = |name: &str, help: &str, value: f64| {
        gauge(&mut text, name, help, [(of.clone(), value)]);
    };
    add(
        "bf_validation_end_timestamp_seconds",
        "When the latest validation ended.",
        ended.timestamp() as f64,
    );
    add(
        "bf_validation_exit_code",
        "The exit code of the latest validation.",
        f64::from(exit.code()),
    );
    add(
        "bf_validation_duration_seconds",
        "From the beginning of the latest validation to its end.",
        (ended - began).as_seconds_f64(),
    );
    let Some(report) = report else {
        return text;
    };
    if let Some(bytes) = report.engine.bytes_billed {
        add(
            "bf_validation_billed_bytes",
            "What the latest validation was charged for.",
            bytes as f64,
        );
    }
    let counted = report.checks.iter().filter(|check| check.level.counts());
    let states = counted.clone().flat_map(|check| {
        let of = format!("{of},{}", label("check", &check.name));
        CHECKS.map(|(word, status)| {
            let is_in = f64::from(u8::from(check.status == status));
            (format!("{of},{}", label("status", word)), is_in)
        })
    });
    gauge(
        &mut text,
        "bf_validation_check_state",
        "1 for the status of a counted check, 0 for every other.",
        states,
    );
    let days = DAYS.map(|(word, status)| {
        let days = report.days.iter().filter(|day| day.status == status);
        (
            format!("{of},{}", label("status", word)),
            days.count() as f64,
        )
    });
    let days = days.into_iter().filter(|_| !report.days.is_empty());
    gauge(
        &mut text,
        "bf_validation_dates",
        "Dates of the range by their status.",
        days,
    );
    text
}
