//! Expected dates from a table: a schedule, or the table that stands beside the suite's own.

use std::collections::BTreeSet;

use bf_contract::DateRange;
use bf_warehouse::{Ident, TableName, Warehouse, WarehouseError};

use super::Expected;
use crate::columns::Columns;
use crate::condition::Condition;
use crate::scan::{self, Planner};
use crate::scheduled::{Asked, ScheduleTable};
use crate::suite::{Schedule, Suite};

/// A table that has dates.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub table: &'a TableName,
    pub date_column: &'a Ident,
    /// How its rows are read, if it is a schedule.
    pub rules: Option<&'a Schedule>,
}

/// The dates of a table, read with the same scan as everything else.
///
/// # Errors
/// The table is not there, lacks the date column, or did not answer.
pub(super) fn read(
    suite: &Suite,
    source: Source<'_>,
    read: DateRange,
    warehouse: &mut Warehouse,
) -> Result<Expected, WarehouseError> {
    let Source {
        table,
        date_column,
        rules,
    } = source;
    let is_schedule = rules.is_some();
    let columns = Columns::new(warehouse.columns(table)?);
    if columns.get(date_column).is_none() {
        return Err(WarehouseError::ColumnMissing {
            table: table.clone(),
            column: date_column.to_string(),
            nearest: columns.nearest(date_column).map(str::to_owned),
        });
    }
    let mut planner = Planner::new(
        table.clone(),
        date_column.clone(),
        columns.kind(date_column),
        read,
    );
    let group = suite.group.as_ref().map(|group| &group.column);
    let group = group.filter(|group| columns.get(group).is_some());
    let mut measure = |filter: Option<&Condition>| match group {
        Some(group) => planner.groups(filter, std::slice::from_ref(group), (0, u64::MAX)),
        None => planner.rows(filter),
    };
    let real = rules.and_then(|rules| rules.rows.all(&columns));
    let all = measure(real.as_ref());
    let played = rules
        .and_then(|rules| rules.played.first(&columns))
        .and_then(|played| Condition::and(real.as_ref(), Some(&played)))
        .map(|played| measure(Some(&played)));
    let asked = Asked::plan(suite, &columns, is_schedule, real.as_ref(), &mut planner);
    let plan = planner.finish();
    let scan = scan::run(&plan, &columns, warehouse)?;
    // A schedule that never says that a game was played cannot be asked for it.
    let unplayed = match played {
        Some(played) if scan.count(played, read) > 0 => {
            let all = scan.counts(all, read);
            let both = all.zip(scan.counts(played, read));
            let unplayed = both.filter(|((_, all), (_, played))| *all > 0 && *played == 0);
            unplayed.map(|((date, _), _)| date).collect()
        }
        _ => BTreeSet::new(),
    };
    let measure = played
        .filter(|played| scan.count(*played, read) > 0)
        .unwrap_or(all);
    let dates = scan.counts(measure, read).filter(|(_, count)| *count > 0);
    let dates = dates.map(|(date, count)| (date, if group.is_some() { count } else { 1 }));
    let (source, dates) = (table.to_string(), dates.collect());
    if is_schedule {
        let schedule = ScheduleTable {
            table: table.clone(),
            date_column: date_column.clone(),
            columns,
            filter: real,
            asked,
            scan,
        };
        return Ok(Expected {
            unplayed,
            unreadable: schedule.scan.unreadable.rows,
            schedule: Some(Box::new(schedule)),
            ..Expected::schedule(source, dates, group.is_some())
        });
    }
    Ok(Expected {
        counts_groups: group.is_some(),
        ..Expected::new(source, dates)
    })
}
