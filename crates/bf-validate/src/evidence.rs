//! The rows behind a finding: a second query, sent only where something is wrong, and the same query for a
//! person to look further with.

use std::collections::BTreeMap;

use bf_cli::text::printable;
use bf_contract::{DateRange, date_spans, parse_date};
use bf_warehouse::{ColumnKind, Ident, Query, SqlDialect, Value, Warehouse, WarehouseError};
use chrono::NaiveDate;

use crate::columns::Columns;
use crate::condition::{Condition, Params, Test, render};
use crate::outcome::{Finding, Probe};
use crate::suite::Suite;

/// Rows shown by a query for a person.
const CONSOLE_ROWS: u32 = 100;

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
pub struct Limits {
    /// Rows.
    pub rows: u32,
    /// Characters of a value.
    pub characters: usize,
}

/// Looks at the rows behind a finding.
///
/// # Errors
/// Somebody asked to stop, or the deadline passed. Any other trouble is part of what is shown: evidence that
/// is missing changes no verdict.
pub fn look(
    suite: &Suite,
    columns: &Columns,
    range: DateRange,
    finding: &Finding,
    limits: Limits,
    warehouse: &mut Warehouse,
) -> Result<Shown, WarehouseError> {
    let Some(probe) = &finding.probe else {
        return Ok(Shown::default());
    };
    let dialect = warehouse.dialect();
    let within = focus(range, &finding.dates);
    let write =
        |params: &mut Params, limit: u32| sql(suite, columns, &within, probe, params, limit);
    let for_people = |params: Params| {
        let mut params = params;
        write(&mut params, CONSOLE_ROWS)
    };
    let partner = suite.partner.as_ref().map(|partner| &partner.table);
    let tables: Vec<_> = match probe {
        Probe::Unmatched { .. } => [Some(&suite.table), partner]
            .into_iter()
            .flatten()
            .collect(),
        Probe::Unscheduled { table, .. } | Probe::OfSchedule { table, .. } => {
            vec![&suite.table, table]
        }
        _ => vec![&suite.table],
    };
    let mut shown = Shown::default();
    let plain = for_people(Params::plain(dialect));
    let exact = for_people(Params::literals(dialect));
    // The plain query is shown if it finds something; a value that only looks like one needs the exact one.
    let finds = plain == exact
        || match warehouse.query(&tables, &Query::new(plain.clone())) {
            Ok(found) => !found.rows.is_empty(),
            Err(error) if error.ends_the_run() => return Err(error),
            Err(_) => false,
        };
    let console = if finds { plain } else { exact };
    shown.query = Some(format!("{}{console};", warehouse.console_prelude(&tables)));
    let shown_rows = limits.rows as usize;
    shown.rows = finding.rows.iter().take(shown_rows).cloned().collect();
    let is_of_rows = !matches!(probe, Probe::RowsByDate | Probe::OfSchedule { .. });
    if limits.rows > 0 && is_of_rows && finding.rows.is_empty() {
        let mut params = Params::named(dialect);
        let sql = write(&mut params, limits.rows);
        let query = Query {
            sql,
            params: params.into_list(),
        };
        match warehouse.query(&tables, &query) {
            Ok(found) => {
                for row in found.rows {
                    let fields = found.columns.iter().zip(row);
                    shown.rows.push(
                        fields
                            .map(|(name, value)| (name.clone(), text(&value, limits.characters)))
                            .collect(),
                    );
                }
            }
            Err(error) => shown.trouble = Some(passed_on(error)?),
        }
    }
    if let Probe::Duplicates(filter, key) = probe {
        match duplicate_dates(suite, columns, range, (filter.as_ref(), key), warehouse) {
            Ok(dates) => shown.dates = dates,
            Err(error) => shown.trouble = Some(passed_on(error)?),
        }
    }
    Ok(shown)
}

fn passed_on(error: WarehouseError) -> Result<String, WarehouseError> {
    match error {
        error if error.ends_the_run() => Err(error),
        other => Ok(other.to_string()),
    }
}

/// More spans of dates than this are looked at as one, from the first date to the last.
const MOST_SPANS: usize = 200;

/// The parts of the range that the dates are, in order.
fn focus(range: DateRange, dates: &[NaiveDate]) -> Vec<DateRange> {
    let spans = date_spans(dates);
    match (spans.first(), spans.last()) {
        (Some(first), Some(last)) if spans.len() > MOST_SPANS => vec![DateRange {
            start: first.start,
            end: last.end,
        }],
        (Some(_), Some(_)) => spans,
        _ => vec![range],
    }
}

/// Whether a column lies in one of the spans, as SQL.
fn within_spans(date: &str, kind: ColumnKind, spans: &[DateRange], params: &mut Params) -> String {
    let dialect = params.dialect();
    let parts: Vec<String> = spans
        .iter()
        .enumerate()
        .map(|(at, span)| {
            let start = params.date(&format!("start{at}"), span.start);
            let end = params.date(&format!("end{at}"), span.end);
            match params.is_plain() {
                true if span.start == span.end => format!("{date} = {start}"),
                true => format!("{date} BETWEEN {start} AND {end}"),
                false => dialect.within_days(date, kind, &start, &end),
            }
        })
        .collect();
    match parts.as_slice() {
        [one] => one.clone(),
        parts => format!(
            "({})",
            parts
                .iter()
                .map(|part| format!("({part})"))
                .collect::<Vec<_>>()
                .join(" OR ")
        ),
    }
}

fn text(value: &Value, limit: usize) -> Option<String> {
    (!value.is_null()).then(|| printable(&value.to_string(), limit))
}

fn sql(
    suite: &Suite,
    columns: &Columns,
    spans: &[DateRange],
    probe: &Probe,
    params: &mut Params,
    limit: u32,
) -> String {
    let dialect = params.dialect();
    let table = dialect.table(&suite.table);
    let date = dialect.column(&suite.date_column);
    let kind = columns.kind(&suite.date_column);
    let day = dialect.day_of(&date, kind);
    let within = within_spans(&date, kind, spans, params);
    let filtered = |filter: Option<&Condition>, params: &mut Params| {
        filter.map_or_else(
            || within.clone(),
            |filter| format!("{within} AND {}", render(filter, columns, params)),
        )
    };
    let names = |list: &[Ident]| {
        list.iter()
            .map(|name| dialect.column(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match probe {
        Probe::Matching(filter, condition) => {
            let fields = sample_fields(suite, columns, Some(condition), dialect);
            let rows = filtered(filter.as_ref(), params);
            let condition = render(condition, columns, params);
            format!(
                "SELECT {fields} FROM {table} WHERE {rows} AND {condition} ORDER BY {date} LIMIT {limit}"
            )
        }
        Probe::Lacking(filter, condition) => {
            let fields = sample_fields(suite, columns, Some(condition), dialect);
            let rows = filtered(filter.as_ref(), params);
            let lacks = match condition {
                Condition::Test {
                    column,
                    test: Test::IsNumber | Test::IsPresent,
                } if params.is_plain() => {
                    format!("{} IS NULL", dialect.column(column))
                }
                condition => format!("{} IS NOT TRUE", render(condition, columns, params)),
            };
            format!(
                "SELECT {fields} FROM {table} WHERE {rows} AND {lacks} ORDER BY {date} LIMIT {limit}"
            )
        }
        Probe::Duplicates(filter, key) => {
            let key = names(key);
            let rows = filtered(filter.as_ref(), params);
            format!(
                "SELECT {key}, COUNT(*) AS copies, MIN({day}) AS first_date, MAX({day}) AS last_date \
                 FROM {table} WHERE {rows} GROUP BY {key} HAVING COUNT(*) > 1 \
                 ORDER BY first_date, {key} LIMIT {limit}"
            )
        }
        Probe::Groups {
            filter,
            columns: key,
            min,
            max,
        } => {
            let key = names(key);
            let rows = filtered(filter.as_ref(), params);
            let off = match max {
                &u64::MAX => format!("COUNT(*) < {min}"),
                max => format!("COUNT(*) NOT BETWEEN {min} AND {max}"),
            };
            format!(
                "SELECT {day} AS day, {key}, COUNT(*) AS records FROM {table} WHERE {rows} \
                 GROUP BY 1, {key} HAVING {off} ORDER BY 1, {key} LIMIT {limit}"
            )
        }
        Probe::OfSchedule {
            table,
            date_column,
            date_kind,
        } => {
            let date = dialect.column(date_column);
            let within = within_spans(&date, *date_kind, spans, params);
            format!(
                "SELECT * FROM {} WHERE {within} ORDER BY {date} LIMIT {limit}",
                dialect.table(table)
            )
        }
        Probe::RowsByDate => format!(
            "SELECT {day} AS day, COUNT(*) AS records FROM {table} WHERE {within} \
             GROUP BY 1 ORDER BY 1 LIMIT {limit}"
        ),
        Probe::Unscheduled {
            filter,
            columns: key,
            table: schedule,
            date_column,
            date_kind,
            schedule_columns,
            either_side,
        } => {
            let rows = filtered(filter.as_ref(), params);
            let their_date = dialect.column(date_column);
            let scheduled = within_spans(&their_date, *date_kind, spans, params);
            let list = |columns: &[Ident]| -> String {
                let columns = columns.iter().enumerate();
                columns
                    .map(|(at, column)| format!(", {} AS k{at}", dialect.column(column)))
                    .collect()
            };
            let shown = key.iter().enumerate();
            let shown: String = shown
                .map(|(at, column)| format!(", a.k{at} AS {}", dialect.column(column)))
                .collect();
            let last = key.len().saturating_sub(1);
            let same: String = (0..key.len())
                .filter(|at| !either_side || *at + 1 < last.max(1))
                .map(|at| format!(" AND b.k{at} = a.k{at}"))
                .collect();
            let same = if *either_side && last > 0 {
                let (one, two) = (last - 1, last);
                format!(
                    "{same} AND ((b.k{one} = a.k{one} AND b.k{two} = a.k{two}) OR (b.k{one} = a.k{two} AND b.k{two} = a.k{one}))"
                )
            } else {
                same
            };
            format!(
                "SELECT a.day{shown} FROM (SELECT {day} AS day{} FROM {table} WHERE {rows}) AS a \
                 LEFT JOIN (SELECT DISTINCT 1 AS planned, {} AS day{} FROM {} WHERE {scheduled}) AS b \
                 ON b.day = a.day{same} WHERE b.planned IS NULL ORDER BY a.day, a.k0 LIMIT {limit}",
                list(key),
                dialect.day_of(&their_date, *date_kind),
                list(schedule_columns),
                dialect.table(schedule),
            )
        }
        Probe::Unmatched {
            filter,
            columns: key,
            here,
        } => {
            let Some(partner) = &suite.partner else {
                return String::new();
            };
            let their_date = dialect.column(&partner.date_column);
            // The partner's date column is of the same kind in every deployment that has both.
            let theirs = within_spans(&their_date, kind, spans, params);
            let (table, other) = if *here {
                (table, dialect.table(&partner.table))
            } else {
                (dialect.table(&partner.table), table)
            };
            let ours = filtered(filter.as_ref(), params);
            let their_day = dialect.day_of(&their_date, kind);
            let (mine, yours, my_day, your_day) = if *here {
                (ours, theirs, day, their_day)
            } else {
                (theirs, ours, their_day, day)
            };
            let keys: Vec<String> = key.iter().map(|name| dialect.column(name)).collect();
            let same: Vec<String> = keys
                .iter()
                .map(|key| format!("b.{key} = a.{key}"))
                .collect();
            let shown: Vec<String> = keys.iter().map(|key| format!("a.{key}")).collect();
            let keys = keys.join(", ");
            let side = |day: &str, count: &str, table: &str, rows: &str| {
                format!(
                    "(SELECT {day} AS day, {keys}, {count} FROM {table} WHERE {rows} GROUP BY 1, {keys})"
                )
            };
            format!(
                "SELECT a.day, {shown}, a.records FROM {} AS a LEFT JOIN {} AS b ON b.day = a.day AND {} \
                 WHERE b.copies IS NULL ORDER BY a.day, {shown} LIMIT {limit}",
                side(&my_day, "COUNT(*) AS records", &table, &mine),
                side(&your_day, "COUNT(*) AS copies", &other, &yours),
                same.join(" AND "),
                shown = shown.join(", "),
            )
        }
    }
}

/// The columns of a sample row: date, key, what the condition is about, then what the suite would show.
fn sample_fields(
    suite: &Suite,
    columns: &Columns,
    condition: Option<&Condition>,
    dialect: SqlDialect,
) -> String {
    let mut wanted: Vec<&Ident> = vec![&suite.date_column];
    wanted.extend(&suite.primary_key);
    wanted.extend(condition.map(Condition::columns).unwrap_or_default());
    wanted.extend(&suite.sample_columns);
    let mut fields: Vec<String> = Vec::new();
    for name in wanted {
        let field = dialect.column(name);
        if columns.get(name).is_some() && !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields.join(", ")
}

/// The dates of all rows whose key stands there more than once; a key may be on more than one date.
fn duplicate_dates(
    suite: &Suite,
    columns: &Columns,
    range: DateRange,
    (filter, key): (Option<&Condition>, &[Ident]),
    warehouse: &mut Warehouse,
) -> Result<Vec<NaiveDate>, WarehouseError> {
    let dialect = warehouse.dialect();
    let mut params = Params::named(dialect);
    let date = dialect.column(&suite.date_column);
    let kind = columns.kind(&suite.date_column);
    let (start, end) = (
        params.date("start", range.start),
        params.date("end", range.end),
    );
    let within = dialect.within_days(&date, kind, &start, &end);
    let filter = filter.map_or_else(String::new, |filter| {
        format!(" AND {}", render(filter, columns, &mut params))
    });
    let key = key
        .iter()
        .map(|name| dialect.column(name))
        .collect::<Vec<_>>()
        .join(", ");
    let sql = format!(
        "SELECT DISTINCT bf_day FROM (SELECT {} AS bf_day, COUNT(*) OVER (PARTITION BY {key}) AS bf_copies \
         FROM {} WHERE {within}{filter}) AS counted WHERE bf_copies > 1 ORDER BY bf_day",
        dialect.day_of(&date, kind),
        dialect.table(&suite.table),
    );
    let rows = warehouse.query(
        &[&suite.table],
        &Query {
            sql,
            params: params.into_list(),
        },
    )?;
    let days = rows.rows.iter().filter_map(|row| row.first()?.as_text());
    Ok(days.filter_map(|text| parse_date(text).ok()).collect())
}
