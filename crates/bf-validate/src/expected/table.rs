//! Expected dates from a table: a schedule, or the table that stands beside the suite's own.

use std::collections::BTreeSet;

use bf_contract::DateRange;
use bf_warehouse::{ColumnKind, Ident, TableName, Warehouse, WarehouseError};

use super::Expected;
use crate::columns::Columns;
use crate::condition::{Condition, Literal, Operator, Test};
use crate::scan::{self, Planner};
use crate::scheduled::{Asked, ScheduleTable};
use crate::suite::Suite;

/// The dates of a table, read with the same scan as everything else.
///
/// # Errors
/// The table is not there, lacks the date column, or did not answer.
pub(super) fn read(
    suite: &Suite,
    (table, date_column): (&TableName, &Ident),
    is_schedule: bool,
    read: DateRange,
    warehouse: &mut Warehouse,
) -> Result<Expected, WarehouseError> {
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
    let real = if is_schedule {
        games_that_count(&columns)
    } else {
        None
    };
    let all = measure(real.as_ref());
    let played = is_schedule
        .then(|| Condition::and(real.as_ref(), games_that_were_played(&columns).as_ref()))
        .flatten()
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

/// Games that were played: a postponed one stands on its old date for ever.
fn games_that_were_played(columns: &Columns) -> Option<Condition> {
    let status = Ident::new("game_status").ok()?;
    let is_number = columns.get(&status)?.kind == ColumnKind::Number;
    let final_status = Test::Compare(Operator::Equals, Literal::Number(3.0));
    is_number.then(|| Condition::test(&status, final_status))
}

/// Games that count: no All-Star games and no pre-season, which the league's ids begin with 003 and 001.
fn games_that_count(columns: &Columns) -> Option<Condition> {
    let mut parts = Vec::new();
    if let Ok(all_star) = Ident::new("is_all_star")
        && columns.get(&all_star).is_some()
    {
        parts.push(Condition::Any(vec![
            Condition::test(&all_star, Test::IsNull),
            Condition::Not(Box::new(Condition::test(&all_star, Test::IsTrue))),
        ]));
    }
    if let Ok(id) = Ident::new("game_id")
        && columns
            .get(&id)
            .is_some_and(|column| column.kind == ColumnKind::Text)
    {
        for (from, below) in [("001", "002"), ("003", "004")] {
            let compare = |operator, text: &str| {
                Condition::test(&id, Test::Compare(operator, Literal::Text(text.to_owned())))
            };
            parts.push(Condition::Any(vec![
                compare(Operator::Below, from),
                compare(Operator::AtLeast, below),
            ]));
        }
    }
    (!parts.is_empty()).then_some(Condition::All(parts))
}
