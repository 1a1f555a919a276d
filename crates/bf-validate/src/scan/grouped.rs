//! The scan of an engine that counts by itself: one row a day comes back.

use std::collections::HashMap;

use bf_contract::parse_date;
use bf_warehouse::{ColumnKind, Query, Rows, SqlDialect, Value, WarehouseError};

use super::cells::{Cell, Numbers, Total, WriteTimes};
use super::plan::{Measure, Plan, What};
use super::{Scan, Unreadable};
use crate::columns::Columns;
use crate::condition::{Params, number_sql, render};
use crate::moment::Moment;

/// One query that reads the table once: its days, the groups of each day, and what needs the whole range.
pub(super) fn query(plan: &Plan, columns: &Columns) -> Query {
    let dialect = SqlDialect::BigQuery;
    let mut params = Params::named(dialect);
    let date = dialect.column(&plan.date_column);
    let mut fields = vec![format!(
        "{} AS bf_day",
        dialect.day_of(&date, plan.date_kind)
    )];
    fields.extend(plan.columns().iter().map(|column| dialect.column(column)));
    let (start, end) = (
        params.date("start", plan.read.start),
        params.date("end", plan.read.end),
    );
    let within = dialect.within_days(&date, plan.date_kind, &start, &end);
    let mut with = vec![format!(
        "rows_read AS (SELECT {} FROM {} WHERE {within})",
        fields.join(", "),
        dialect.table(&plan.table),
    )];
    let (mut days, mut picked, mut joined) = (vec!["bf_day".to_owned()], Vec::new(), String::new());
    let mut totals = Vec::new();
    for (at, measure) in plan.measures.iter().enumerate() {
        let filter = filter_sql(plan, measure, columns, &mut params);
        match &measure.what {
            What::Rows => days.push(format!("COUNTIF({filter}) AS m{at}")),
            What::Meets(condition) => {
                let condition = render(&plan.conditions[*condition], columns, &mut params);
                days.push(format!("COUNTIF({filter} AND {condition}) AS m{at}"));
            }
            What::Numbers(column) => {
                let value = number_sql(column, columns.kind(column), dialect);
                let value = format!("IF({filter}, {value}, NULL)");
                for (function, name) in [("COUNT", "n"), ("SUM", "s"), ("MIN", "lo"), ("MAX", "hi")]
                {
                    days.push(format!("{function}({value}) AS m{at}_{name}"));
                }
            }
            What::Oldest { column, kind } => {
                let name = dialect.column(column);
                let moment = match kind {
                    ColumnKind::Timestamp => format!("UNIX_MICROS({name})"),
                    ColumnKind::DateTime | ColumnKind::Date => {
                        format!("UNIX_MICROS(TIMESTAMP({name}))")
                    }
                    _ => format!("UNIX_MICROS(SAFE_CAST({name} AS TIMESTAMP))"),
                };
                for (class, is_of_it) in write_times(&name, *kind) {
                    for function in ["MIN", "MAX"] {
                        let value = format!("IF({filter} AND {is_of_it}, {moment}, NULL)");
                        let of = function.to_ascii_lowercase();
                        days.push(format!("{function}({value}) AS m{at}_{class}_{of}"));
                    }
                }
                days.push(format!(
                    "COUNTIF({filter} AND {moment} IS NULL) AS m{at}_unknown"
                ));
            }
            What::Groups {
                columns: keys,
                min,
                max,
            } => {
                let keys: Vec<String> = keys.iter().map(|key| dialect.column(key)).collect();
                let keys = keys.join(", ");
                let off = match (*min, *max) {
                    (0, u64::MAX) => "FALSE".to_owned(),
                    (min, u64::MAX) => format!("n < {min}"),
                    (min, max) => format!("n < {min} OR n > {max}"),
                };
                with.push(format!(
                    "g{at} AS (SELECT bf_day, COUNT(*) AS groups_seen, COUNTIF({off}) AS off FROM \
                     (SELECT bf_day, {keys}, COUNT(*) AS n FROM rows_read WHERE {filter} GROUP BY bf_day, {keys}) \
                     GROUP BY bf_day)"
                ));
                picked.push(format!(
                    "g{at}.groups_seen AS m{at}_groups, g{at}.off AS m{at}_off"
                ));
                joined.push_str(&format!(" LEFT JOIN g{at} ON g{at}.bf_day = days.bf_day"));
                totals.push(format!(
                    "{} AS t{at}",
                    distinct(plan, &keys, &filter, &mut params)
                ));
            }
            What::Lacking {
                by_day,
                columns: keys,
                condition,
                floor,
                min_rows,
            } => {
                let keys: Vec<String> = keys.iter().map(|key| dialect.column(key)).collect();
                let keys = keys.join(", ");
                let condition = render(&plan.conditions[*condition], columns, &mut params);
                let within = in_range(plan, &mut params);
                let part = if *by_day {
                    "bf_day"
                } else {
                    "EXTRACT(YEAR FROM bf_day), EXTRACT(MONTH FROM bf_day)"
                };
                let month = format!("OVER (PARTITION BY {part}, {keys})");
                let is_low = format!("month_good * 100 < {floor:?} * month_n");
                // A group that is low in one month is low in its short months, too.
                let others = if *by_day {
                    "FALSE".to_owned()
                } else {
                    format!(
                        "LOGICAL_OR(month_n >= {min_rows} AND {is_low}) OVER (PARTITION BY {keys})"
                    )
                };
                with.push(format!(
                    "g{at} AS (SELECT bf_day, COUNT(*) AS groups_seen, COUNTIF(good < n AND is_low \
                     AND (month_n >= {min_rows} OR low_elsewhere)) AS off FROM (SELECT bf_day, n, good, month_n, \
                     {is_low} AS is_low, {others} AS low_elsewhere FROM (SELECT bf_day, {keys}, n, good, \
                     SUM(n) {month} AS month_n, SUM(good) {month} AS month_good FROM (SELECT bf_day, {keys}, \
                     COUNT(*) AS n, COUNTIF({condition}) AS good FROM rows_read WHERE {filter}{within} \
                     GROUP BY bf_day, {keys}))) GROUP BY bf_day)"
                ));
                picked.push(format!(
                    "g{at}.groups_seen AS m{at}_groups, g{at}.off AS m{at}_off"
                ));
                joined.push_str(&format!(" LEFT JOIN g{at} ON g{at}.bf_day = days.bf_day"));
            }
            What::Surplus(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| dialect.column(key)).collect();
                let distinct = distinct(plan, &keys.join(", "), &filter, &mut params);
                let within = in_range(plan, &mut params);
                totals.push(format!(
                    "(SELECT COUNT(*) FROM rows_read WHERE {filter}{within}) - {distinct} AS t{at}"
                ));
            }
            What::Keys { .. } => {}
        }
    }
    with.push(format!(
        "days AS (SELECT {} FROM rows_read GROUP BY bf_day)",
        days.join(", ")
    ));
    picked.insert(0, "days.*".to_owned());
    if !totals.is_empty() {
        with.push(format!("totals AS (SELECT {})", totals.join(", ")));
        picked.push("totals.*".to_owned());
        joined.push_str(" CROSS JOIN totals");
    }
    let sql = format!(
        "WITH {}\nSELECT {} FROM days{joined} ORDER BY days.bf_day",
        with.join(",\n"),
        picked.join(", ")
    );
    Query {
        sql,
        params: params.into_list(),
    }
}

/// The classes of times that a column of this kind holds, each with the condition that a value is of it.
fn write_times(name: &str, kind: ColumnKind) -> Vec<(&'static str, String)> {
    match kind {
        ColumnKind::Timestamp => vec![("zoned", "TRUE".to_owned())],
        ColumnKind::DateTime => vec![("local", "TRUE".to_owned())],
        ColumnKind::Date => vec![("days", "TRUE".to_owned())],
        _ => {
            let text = format!("TRIM(CAST({name} AS STRING))");
            let has_zone = format!(
                "REGEXP_CONTAINS({text}, '[0-9]:[0-9][0-9].*(Z|UTC|[-+][0-9][0-9](:?[0-9][0-9])?)$')"
            );
            let is_day = format!("NOT REGEXP_CONTAINS({text}, ':')");
            vec![
                ("zoned", has_zone.clone()),
                ("local", format!("NOT {has_zone} AND NOT {is_day}")),
                ("days", is_day),
            ]
        }
    }
}

fn filter_sql(plan: &Plan, measure: &Measure, columns: &Columns, params: &mut Params) -> String {
    measure.filter.map_or_else(
        || "TRUE".to_owned(),
        |at| render(&plan.conditions[at], columns, params),
    )
}

/// Totals are about the range alone, without the days that were read for comparison.
fn in_range(plan: &Plan, params: &mut Params) -> String {
    if plan.read == plan.range {
        return String::new();
    }
    format!(
        " AND bf_day >= {}",
        params.date("range_start", plan.range.start)
    )
}

fn distinct(plan: &Plan, keys: &str, filter: &str, params: &mut Params) -> String {
    let within = in_range(plan, params);
    format!("(SELECT COUNT(*) FROM (SELECT DISTINCT {keys} FROM rows_read WHERE {filter}{within}))")
}

/// Reads the rows of [`query`].
///
/// # Errors
/// The engine returned something that the query does not ask for.
pub(super) fn read(plan: &Plan, rows: &Rows) -> Result<Scan, WarehouseError> {
    let places: HashMap<&str, usize> = rows
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at))
        .collect();
    let mut scan = Scan {
        totals: plan
            .measures
            .iter()
            .map(|measure| no_total(&measure.what))
            .collect(),
        ..Scan::default()
    };
    for row in &rows.rows {
        let field = |name: String| -> Result<&Value, WarehouseError> {
            places
                .get(name.as_str())
                .and_then(|at| row.get(*at))
                .ok_or_else(|| WarehouseError::Query(format!("the answer has no column {name}")))
        };
        let count = |name: String| -> Result<u64, WarehouseError> {
            let value = field(name.clone())?;
            if value.is_null() {
                return Ok(0);
            }
            value
                .as_count()
                .ok_or_else(|| WarehouseError::Query(format!("{name} is {value}, not a count")))
        };
        let day = field("bf_day".to_owned())?;
        let Some(date) = day.as_text().and_then(|text| parse_date(text).ok()) else {
            return Err(WarehouseError::Query(format!("{day} is not a day")));
        };
        let mut cells = Vec::with_capacity(plan.measures.len());
        for (at, measure) in plan.measures.iter().enumerate() {
            cells.push(match &measure.what {
                What::Rows | What::Meets(_) => Cell::Count(count(format!("m{at}"))?),
                What::Numbers(_) => Cell::Numbers(Numbers {
                    count: count(format!("m{at}_n"))?,
                    sum: field(format!("m{at}_s"))?.as_number().unwrap_or(0.0),
                    min: field(format!("m{at}_lo"))?.as_number(),
                    max: field(format!("m{at}_hi"))?.as_number(),
                }),
                What::Groups { .. } => {
                    scan.totals[at] = Total::Distinct(count(format!("t{at}"))?);
                    Cell::Groups {
                        groups: count(format!("m{at}_groups"))?,
                        off: count(format!("m{at}_off"))?,
                    }
                }
                What::Lacking { .. } => Cell::Groups {
                    groups: count(format!("m{at}_groups"))?,
                    off: count(format!("m{at}_off"))?,
                },
                What::Oldest { column, kind } => {
                    let mut times = WriteTimes {
                        unknown: count(format!("m{at}_unknown"))?,
                        ..WriteTimes::default()
                    };
                    for (class, _) in write_times(column.as_str(), *kind) {
                        for of in ["min", "max"] {
                            if let Value::Int(micros) = field(format!("m{at}_{class}_{of}"))? {
                                times.add(match class {
                                    "zoned" => Moment::Zoned(*micros),
                                    "local" => Moment::Local(*micros),
                                    _ => Moment::Day(*micros),
                                });
                            }
                        }
                    }
                    Cell::Written(times)
                }
                What::Surplus(_) => {
                    scan.totals[at] = Total::Surplus(count(format!("t{at}"))?);
                    Cell::None
                }
                What::Keys { .. } => Cell::None,
            });
        }
        scan.days.push(date);
        scan.cells.push(cells);
    }
    scan.unreadable = Unreadable::default();
    Ok(scan)
}

fn no_total(what: &What) -> Total {
    match what {
        What::Groups { .. } => Total::Distinct(0),
        What::Surplus(_) => Total::Surplus(0),
        _ => Total::None,
    }
}
