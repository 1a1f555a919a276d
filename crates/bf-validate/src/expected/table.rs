//! Expected dates from a table: a schedule, or the table beside the suite's own.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::DateRange;
use bf_warehouse::{
    Columns, Condition, DatedTable, Engine, Groups, Ident, Listing, Literal, Measure, Plan,
    Planner, Scan, TableName, Test, Value, WarehouseError,
};
use chrono::NaiveDate;

use super::{Expected, Question};
use crate::scheduled::{ScheduleKeys, ScheduleTable};
use crate::suite::Schedule;

/// The most groups that are listed by name.
const MOST_NAMES: u32 = 2_000;

/// The dates of a table, read with the same scan as everything else. `schedule` says which of its rows count, if it
/// is one.
///
/// # Errors
/// The table is missing, lacks the date column, or did not answer.
pub(super) fn read(
    asked: Question<'_>,
    (table, date_column): (&TableName, &Ident),
    schedule: Option<&Schedule>,
    read: DateRange,
    warehouse: &mut dyn Engine,
) -> Result<Expected, WarehouseError> {
    let columns = warehouse.columns(table)?;
    let dated = DatedTable::new(table, date_column, columns)?;
    let columns = dated.columns.clone();
    let Planned {
        plan,
        any,
        all,
        marked,
        counts,
        played,
        keys,
    } = plan(asked, dated, schedule, read);
    let group = group_of(asked, &columns);
    let is_schedule = schedule.is_some();
    let scan = warehouse.measure(&plan)?;
    // A schedule that never marks a row as played cannot be asked for it.
    let marked = marked
        .map(|marked| marked.by_day(&scan, read))
        .filter(|marked| !marked.is_empty());
    let all = all.by_day(&scan, read);
    let dates = marked.as_ref().unwrap_or(&all).iter();
    let dates = dates.map(|(date, count)| (*date, if group.is_some() { *count } else { 1 }));
    let (source, dates) = (table.to_string(), dates.collect());
    if !is_schedule {
        return Ok(Expected {
            counts_groups: group.is_some(),
            ..Expected::new(source, dates)
        });
    }
    let unmarked: Vec<NaiveDate> = marked.as_ref().map_or_else(Vec::new, |marked| {
        let due = all
            .iter()
            .filter(|(date, _)| asked.range.contains(**date) && **date < asked.today);
        let less = due.filter(|(date, all)| {
            let played = marked.get(*date).copied().unwrap_or(0);
            **all > played && (group.is_some() || played == 0)
        });
        less.map(|(date, _)| *date).collect()
    });
    let unplayed = match group {
        Some(group) if !unmarked.is_empty() => {
            match unplayed(
                (&plan.table, read),
                group,
                (counts.as_ref(), played.as_ref()),
                &unmarked,
                warehouse,
            ) {
                Ok(found) => found,
                Err(error) if error.ends_the_run() => return Err(error),
                // Without their names they are dates all the same.
                Err(_) => unmarked
                    .into_iter()
                    .map(|date| (date, Vec::new()))
                    .collect(),
            }
        }
        _ => unmarked
            .into_iter()
            .map(|date| (date, Vec::new()))
            .collect(),
    };
    let known = scan.daily(any, read).filter(|(_, rows)| *rows > 0);
    let known = known.map(|(date, _)| date).collect();
    let schedule = ScheduleTable {
        table: table.clone(),
        date_column: date_column.clone(),
        columns,
        filter: counts,
        marks_played: played.is_none() || marked.is_some(),
        asked: keys,
        plan,
        scan,
    };
    Ok(Expected {
        unplayed,
        unreadable: schedule.scan.unreadable.rows,
        schedule: Some(Box::new(schedule)),
        known,
        ..Expected::schedule(source, dates, group.is_some())
    })
}

/// How many of something a table has on a day.
#[derive(Clone, Copy)]
enum Amount {
    Rows(Measure<u64>),
    Groups(Measure<Groups>),
}

impl Amount {
    /// The days that have any.
    fn by_day(self, scan: &Scan, range: DateRange) -> BTreeMap<NaiveDate, u64> {
        let days: Vec<(NaiveDate, u64)> = match self {
            Self::Rows(rows) => scan.daily(rows, range).collect(),
            Self::Groups(groups) => scan
                .daily(groups, range)
                .map(|(date, day)| (date, day.groups))
                .collect(),
        };
        days.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// What is measured of a table of dates.
pub(crate) struct Planned {
    pub plan: Plan,
    any: Measure<u64>,
    all: Amount,
    marked: Option<Amount>,
    counts: Option<Condition>,
    played: Option<Condition>,
    pub keys: Vec<ScheduleKeys>,
}

/// Plans the scan of a table of dates.
pub(crate) fn plan(
    asked: Question<'_>,
    table: DatedTable,
    schedule: Option<&Schedule>,
    read: DateRange,
) -> Planned {
    let columns = table.columns.clone();
    let mut planner = Planner::new(table, read);
    let group = group_of(asked, &columns);
    let any = planner.rows(None);
    let mut measure = |filter: Option<&Condition>| match group {
        Some(group) => {
            let group = std::slice::from_ref(group);
            Amount::Groups(planner.groups(filter, group, (0, u64::MAX)))
        }
        None => Amount::Rows(planner.rows(filter)),
    };
    let counts = schedule.and_then(|schedule| schedule.rows.all(&columns));
    let all = measure(counts.as_ref());
    let played = schedule.and_then(|schedule| schedule.played.first(&columns));
    let played = played.and_then(|played| Condition::and(counts.as_ref(), Some(&played)));
    let marked = played.as_ref().map(|played| measure(Some(played)));
    // Only a schedule is asked what it has.
    let requests = schedule.map_or(&[][..], |_| asked.scheduled);
    let keys = ScheduleKeys::plan(requests, &columns, counts.as_ref(), &mut planner);
    Planned {
        plan: planner.finish(),
        any,
        all,
        marked,
        counts,
        played,
        keys,
    }
}

/// What a suite counts of a day, if the table has a column for it.
fn group_of<'a>(asked: Question<'a>, columns: &Columns) -> Option<&'a Ident> {
    let group = asked.suite.group.as_ref().map(|group| &group.column);
    group.filter(|group| columns.get(group).is_some())
}

/// The groups of these dates that were never marked as played, by name, without those that were played on another
/// date: a postponed one keeps its old date for ever.
fn unplayed(
    (table, read): (&DatedTable, DateRange),
    group: &Ident,
    (counts, played): (Option<&Condition>, Option<&Condition>),
    dates: &[NaiveDate],
    warehouse: &mut dyn Engine,
) -> Result<BTreeMap<NaiveDate, Vec<String>>, WarehouseError> {
    let spans = bf_contract::date_spans(dates);
    let mut list = |spans: &[DateRange], filter: Option<&Condition>| {
        let listing = Listing {
            table,
            spans,
            filter,
            values: std::slice::from_ref(group),
            limit: MOST_NAMES,
        };
        warehouse.list(&listing)
    };
    let all = list(&spans, counts)?;
    let marked: BTreeSet<(NaiveDate, String)> = list(&spans, played)?
        .into_iter()
        .map(|(date, values)| (date, name(&values)))
        .collect();
    let left: Vec<(NaiveDate, Vec<Value>)> = all
        .into_iter()
        .filter(|(date, values)| !marked.contains(&(*date, name(values))))
        .collect();
    let names = left
        .iter()
        .filter_map(|(_, values)| literal(values.first()?))
        .collect();
    let is_one = Condition::test(group, Test::In(names));
    let elsewhere = Condition::and(played, Some(&is_one));
    let elsewhere: BTreeSet<String> = if left.is_empty() {
        BTreeSet::new()
    } else {
        let found = list(&[read], elsewhere.as_ref())?;
        found.into_iter().map(|(_, values)| name(&values)).collect()
    };
    let mut unplayed: BTreeMap<NaiveDate, Vec<String>> = BTreeMap::new();
    for (date, values) in left {
        let name = name(&values);
        if !elsewhere.contains(&name) {
            unplayed.entry(date).or_default().push(name);
        }
    }
    Ok(unplayed)
}

fn name(values: &[Value]) -> String {
    values.first().map_or_else(String::new, ToString::to_string)
}

#[allow(clippy::cast_precision_loss)] // ids stay below 2^53
fn literal(value: &Value) -> Option<Literal> {
    match value {
        Value::Null => None,
        Value::Int(number) => Some(Literal::Number(*number as f64)),
        Value::Float(number) => Some(Literal::Number(*number)),
        Value::Text(text) => Some(Literal::Text(text.clone())),
    }
}
