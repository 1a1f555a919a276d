//! The names of groups that a schedule has and the table lacks.

use std::collections::BTreeSet;

use bf_contract::date_spans;
use bf_warehouse::{DatedTable, Engine, Listing, Value, WarehouseError};
use chrono::NaiveDate;

use crate::scheduled::ScheduleTable;
use crate::suite::Suite;

/// On so many dates the groups are named.
const DATES: usize = 10;
/// The most groups that are compared.
const GROUPS: u32 = 1_000;

/// The groups of these dates that the schedule has and the table lacks, if both call them alike.
///
/// # Errors
/// The warehouse did not answer.
pub(crate) fn names(
    suite: &Suite,
    table: &DatedTable,
    schedule: &ScheduleTable,
    dates: &[NaiveDate],
    warehouse: &mut dyn Engine,
) -> Result<Vec<(NaiveDate, String)>, WarehouseError> {
    let Some(group) = suite.group.as_ref().map(|group| &group.column) else {
        return Ok(Vec::new());
    };
    if schedule.columns.get(group).is_none() || table.columns.get(group).is_none() {
        return Ok(Vec::new());
    }
    let spans = date_spans(&dates[..dates.len().min(DATES)]);
    let named = |listed: Vec<(NaiveDate, Vec<Value>)>| -> BTreeSet<(NaiveDate, String)> {
        let named = listed
            .into_iter()
            .filter_map(|(date, values)| match values.first()? {
                Value::Null => None,
                value => Some((date, value.to_string())),
            });
        named.collect()
    };
    let here = Listing {
        table,
        spans: &spans,
        filter: None,
        values: std::slice::from_ref(group),
        limit: GROUPS,
    };
    let there = Listing {
        table: &schedule.plan.table,
        filter: schedule.filter.as_ref(),
        ..here
    };
    let here = named(warehouse.list(&here)?);
    let there = named(warehouse.list(&there)?);
    if !here.is_empty() && here.is_disjoint(&there) {
        return Ok(Vec::new());
    }
    Ok(there.difference(&here).cloned().collect())
}
