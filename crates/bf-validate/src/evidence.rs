//! The rows behind a finding: a second query, sent only where something is wrong, and the same query for a
//! person to look further with.

use std::collections::BTreeMap;

use bf_cli::text::printable;
use bf_contract::DateRange;
use bf_warehouse::{DatedTable, Engine, SampleRequest, Value, WarehouseError};
use chrono::NaiveDate;

use crate::outcome::{Finding, Probe};
use crate::suite::Suite;

/// What to show of a finding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shown {
    /// A few of the rows concerned.
    pub rows: Vec<BTreeMap<String, Option<String>>>,
    /// A query to look further, ready for the engine's console.
    pub query: Option<String>,
    /// Dates that only this query knows.
    pub dates: Vec<NaiveDate>,
    /// Why rows could not be shown.
    pub trouble: Option<String>,
}

/// The limits of what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits<'a> {
    /// The only columns that are shown, beside the date; all if none are given.
    pub columns: Option<&'a [String]>,
    /// Rows.
    pub rows: u32,
    /// Characters of a value.
    pub characters: usize,
}

impl Limits<'_> {
    /// Whether the values of a column may be shown.
    #[must_use]
    pub fn shows(&self, column: &str) -> bool {
        self.rows > 0
            && self.columns.is_none_or(|columns| {
                columns
                    .iter()
                    .any(|shown| shown.eq_ignore_ascii_case(column))
            })
    }
}

/// Looks at the rows behind a finding.
///
/// # Errors
/// Somebody asked to stop, or the deadline passed. Any other trouble is part of what is shown: evidence that
/// is missing changes no verdict.
pub fn look(
    suite: &Suite,
    table: &DatedTable,
    range: DateRange,
    finding: &Finding,
    limits: Limits<'_>,
    warehouse: &mut dyn Engine,
) -> Result<Shown, WarehouseError> {
    let Some(probe) = &finding.probe else {
        return Ok(Shown::default());
    };
    let partner = match (probe, &suite.partner) {
        (Probe::Unmatched { .. }, Some(partner)) => {
            let columns = warehouse.columns(&partner.table)?;
            Some(DatedTable::new(
                &partner.table,
                &partner.date_column,
                columns,
            )?)
        }
        _ => None,
    };
    let fields: Vec<_> = suite
        .primary_key
        .iter()
        .chain(&suite.sample_columns)
        .cloned()
        .collect();
    let is_of_rows =
        finding.rows.is_empty() && !matches!(probe, Probe::RowsByDate | Probe::OfSchedule { .. });
    let sample = warehouse.sample(&SampleRequest {
        table,
        partner: partner.as_ref(),
        probe,
        range,
        dates: &finding.dates,
        fields: &fields,
        rows: if is_of_rows { limits.rows } else { 0 },
    })?;
    if !finding.rows.is_empty() {
        let rows = finding.rows.iter().take(limits.rows as usize).cloned();
        return Ok(Shown {
            rows: rows.collect(),
            query: sample.query,
            dates: sample.dates,
            trouble: None,
        });
    }
    let is_shown = |name: &str| {
        let mut dates = ["day", suite.date_column.as_str()].into_iter();
        dates.any(|date| name.eq_ignore_ascii_case(date)) || limits.shows(name)
    };
    let rows = sample.rows.into_iter().map(|row| {
        let fields = sample.columns.iter().zip(row);
        fields
            .filter(|(name, _)| is_shown(name))
            .map(|(name, value)| (name.clone(), text(&value, limits.characters)))
            .collect()
    });
    Ok(Shown {
        rows: rows.collect(),
        query: sample.query,
        dates: sample.dates,
        trouble: sample.trouble,
    })
}

fn text(value: &Value, limit: usize) -> Option<String> {
    (!value.is_null()).then(|| printable(&value.to_string(), limit))
}
