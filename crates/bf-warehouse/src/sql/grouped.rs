//! The scan of an engine that counts by itself: one row a day comes back.

use std::collections::HashMap;

use super::flavor::within_valid_days;
use super::{Flavor, Params, render};
use crate::moment::Moment;
use crate::plan::{Metric, What};
use crate::scan::{Cell, Total};
use crate::{
    ColumnKind, Ident, Numbers, Plan, Query, Rows, Scan, Value, WarehouseError, WriteTimes,
};
use bf_contract::parse_date;

/// Whether there is nothing to count: keys are compared in a query of their own.
pub(crate) fn counts_nothing(plan: &Plan) -> bool {
    let mut metrics = plan.metrics.iter();
    metrics.all(|metric| matches!(metric.what, What::Keys { .. }))
}

/// What is read of the columns of a plan, once each.
fn columns_read(plan: &Plan) -> Vec<Ident> {
    let mut plan = plan.clone();
    plan.metrics
        .retain(|metric| !matches!(metric.what, What::Keys { .. }));
    plan.columns()
}

/// One query that reads the table once: its days, the groups of each day, and what needs the whole range.
pub(crate) fn query(plan: &Plan, mut params: Params<'_>) -> Query {
    let (flavor, columns, kind) = (params.flavor(), &plan.table.columns, plan.table.date_kind());
    let quote = |column: &Ident| flavor.quote(column.as_str());
    let list = |columns: &[Ident]| columns.iter().map(quote).collect::<Vec<_>>().join(", ");
    let date = quote(&plan.table.date_column);
    let mut fields = vec![format!("{} AS bf_day", flavor.day_of(&date, kind))];
    fields.extend(columns_read(plan).iter().map(quote));
    let (start, end) = (
        params.date("start", plan.read.start),
        params.date("end", plan.read.end),
    );
    let within = within_valid_days(flavor, &date, kind, (&start, &end));
    let mut with = vec![format!(
        "rows_read AS {}(SELECT {} FROM {} WHERE {within})",
        flavor.not_materialized(),
        fields.join(", "),
        flavor.table(&plan.table.name),
    )];
    let (mut days, mut picked, mut joined) = (vec!["bf_day".to_owned()], Vec::new(), String::new());
    let (mut totals, mut groupings) = (Vec::new(), Groupings::default());
    for (at, metric) in plan.metrics.iter().enumerate() {
        let filter = filter_sql(plan, metric, &mut params);
        let count_if = |condition: &str| flavor.count_if(condition);
        match &metric.what {
            What::Rows => days.push(format!("{} AS m{at}", count_if(&filter))),
            What::Meets(condition) => {
                let condition = render(&plan.conditions[*condition], columns, &mut params);
                let both = format!("{filter} AND {condition}");
                days.push(format!("{} AS m{at}", count_if(&both)));
            }
            What::Numbers(column) => {
                let value = flavor.number(&quote(column), columns.kind(column));
                let value = flavor.if_met(&filter, &value);
                for (function, name) in [("COUNT", "n"), ("SUM", "s"), ("MIN", "lo"), ("MAX", "hi")]
                {
                    days.push(format!("{function}({value}) AS m{at}_{name}"));
                }
            }
            What::Oldest { column, kind } => {
                let moment = flavor.micros(&quote(column), *kind);
                for (class, is_of_it) in write_times(flavor, &quote(column), *kind) {
                    let value = flavor.if_met(&format!("{filter} AND {is_of_it}"), &moment);
                    for function in ["MIN", "MAX"] {
                        let of = function.to_ascii_lowercase();
                        days.push(format!("{function}({value}) AS m{at}_{class}_{of}"));
                    }
                }
                let unknown = count_if(&format!("{filter} AND {moment} IS NULL"));
                days.push(format!("{unknown} AS m{at}_unknown"));
            }
            What::Groups {
                columns: keys,
                min,
                max,
            } => {
                let keys = list(keys);
                let off = match (*min, *max) {
                    (0, u64::MAX) => "FALSE".to_owned(),
                    (min, u64::MAX) => format!("n < {min}"),
                    (min, max) => format!("n < {min} OR n > {max}"),
                };
                let of = groupings.of(&keys, vec![format!("{} AS n{at}", count_if(&filter))]);
                with.push(format!(
                    "g{at} AS (SELECT bf_day, COUNT(*) AS groups_seen, {off} AS off FROM \
                     (SELECT bf_day, n{at} AS n FROM {of} WHERE n{at} > 0) AS s GROUP BY bf_day)",
                    off = count_if(&off),
                ));
                picked.push(format!(
                    "g{at}.groups_seen AS m{at}_groups, g{at}.off AS m{at}_off"
                ));
                joined.push_str(&format!(" LEFT JOIN g{at} ON g{at}.bf_day = days.bf_day"));
                let (rows, within) = (format!("n{at} > 0"), in_range(plan, &mut params));
                totals.push(format!(
                    "{} AS t{at}",
                    distinct(&of, &keys, &format!("{rows}{within}"))
                ));
            }
            What::Lacking {
                by_day,
                columns: keys,
                condition,
                floor,
                min_rows,
            } => {
                let keys = list(keys);
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
                    let any = flavor.if_met(&format!("month_n >= {min_rows} AND {is_low}"), "1");
                    format!("(MAX({any}) OVER (PARTITION BY {keys}) IS NOT NULL)")
                };
                let off = count_if(&format!(
                    "good < n AND is_low AND (month_n >= {min_rows} OR low_elsewhere)"
                ));
                let good = count_if(&format!("{filter} AND {condition}"));
                let counts = vec![
                    format!("{} AS n{at}", count_if(&filter)),
                    format!("{good} AS good{at}"),
                ];
                let of = groupings.of(&keys, counts);
                with.push(format!(
                    "g{at} AS (SELECT bf_day, COUNT(*) AS groups_seen, {off} AS off FROM (SELECT bf_day, n, good, month_n, \
                     {is_low} AS is_low, {others} AS low_elsewhere FROM (SELECT bf_day, {keys}, n, good, \
                     SUM(n) {month} AS month_n, SUM(good) {month} AS month_good FROM (SELECT bf_day, {keys}, \
                     n{at} AS n, good{at} AS good FROM {of} WHERE n{at} > 0{within}) AS s) AS s) AS s GROUP BY bf_day)"
                ));
                picked.push(format!(
                    "g{at}.groups_seen AS m{at}_groups, g{at}.off AS m{at}_off"
                ));
                joined.push_str(&format!(" LEFT JOIN g{at} ON g{at}.bf_day = days.bf_day"));
            }
            What::Surplus(keys) => {
                let rows = format!("{filter}{}", in_range(plan, &mut params));
                let distinct = distinct("rows_read", &list(keys), &rows);
                totals.push(format!(
                    "(SELECT COUNT(*) FROM rows_read WHERE {rows}) - {distinct} AS t{at}"
                ));
            }
            What::Keys { .. } => {}
        }
    }
    with.splice(1..1, groupings.sql());
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
fn write_times(flavor: &dyn Flavor, column: &str, kind: ColumnKind) -> Vec<(&'static str, String)> {
    match kind {
        // Numbers count from 1970 in UTC.
        ColumnKind::Timestamp | ColumnKind::Number => vec![("zoned", "TRUE".to_owned())],
        ColumnKind::DateTime => vec![("local", "TRUE".to_owned())],
        ColumnKind::Date => vec![("days", "TRUE".to_owned())],
        _ => {
            let text = format!("TRIM({})", flavor.as_text(column));
            let has_zone = flavor.matches(
                &text,
                "[0-9]:[0-9][0-9].*(Z|UTC|[-+][0-9][0-9](:?[0-9][0-9])?)$",
            );
            let is_day = format!("NOT {}", flavor.matches(&text, ":"));
            vec![
                ("zoned", has_zone.clone()),
                ("local", format!("NOT {has_zone} AND NOT {is_day}")),
                ("days", is_day),
            ]
        }
    }
}

/// The classes of [`write_times`].
const fn classes(kind: ColumnKind) -> &'static [&'static str] {
    match kind {
        ColumnKind::Timestamp | ColumnKind::Number => &["zoned"],
        ColumnKind::DateTime => &["local"],
        ColumnKind::Date => &["days"],
        _ => &["zoned", "local", "days"],
    }
}

fn filter_sql(plan: &Plan, metric: &Metric, params: &mut Params<'_>) -> String {
    metric.filter.map_or_else(
        || "TRUE".to_owned(),
        |at| render(&plan.conditions[at], &plan.table.columns, params),
    )
}

/// Totals are about the range alone, without the days that were read for comparison.
fn in_range(plan: &Plan, params: &mut Params<'_>) -> String {
    if plan.read == plan.range {
        return String::new();
    }
    let start = params.date("range_start", plan.range.start);
    format!(" AND bf_day >= {start}")
}

/// How many different keys the rows of a table have.
fn distinct(of: &str, keys: &str, rows: &str) -> String {
    format!("(SELECT COUNT(*) FROM (SELECT DISTINCT {keys} FROM {of} WHERE {rows}) AS s)")
}

/// The rows of each day by some columns, once for all that is counted of the same columns: their keys, and the counts.
#[derive(Default)]
struct Groupings(Vec<(String, Vec<String>)>);

impl Groupings {
    /// Counts something of the groups by these columns, in a table of this name.
    fn of(&mut self, keys: &str, counts: Vec<String>) -> String {
        let known = self.0.iter().position(|(known, _)| known == keys);
        let at = known.unwrap_or_else(|| {
            self.0.push((keys.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        self.0[at].1.extend(counts);
        format!("groups{at}")
    }

    /// The tables.
    fn sql(&self) -> Vec<String> {
        let tables = self.0.iter().enumerate();
        let table = |(at, (keys, counts)): (usize, &(String, Vec<String>))| {
            let counts = counts.join(", ");
            format!(
                "groups{at} AS (SELECT bf_day, {keys}, {counts} FROM rows_read GROUP BY bf_day, {keys})"
            )
        };
        tables.map(table).collect()
    }
}

/// Reads the rows of [`query`].
///
/// # Errors
/// The engine returned something that the query does not ask for.
pub(crate) fn read(plan: &Plan, rows: &Rows) -> Result<Scan, WarehouseError> {
    let places: HashMap<&str, usize> = rows
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at))
        .collect();
    let mut scan = Scan {
        totals: plan
            .metrics
            .iter()
            .map(|metric| no_total(&metric.what))
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
        let mut cells = Vec::with_capacity(plan.metrics.len());
        for (at, metric) in plan.metrics.iter().enumerate() {
            cells.push(match &metric.what {
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
                What::Oldest { kind, .. } => {
                    let mut times = WriteTimes {
                        unknown: count(format!("m{at}_unknown"))?,
                        ..WriteTimes::default()
                    };
                    for class in classes(*kind) {
                        for of in ["min", "max"] {
                            let micros = match field(format!("m{at}_{class}_{of}"))? {
                                Value::Int(micros) => *micros,
                                _ => continue,
                            };
                            times.add(match *class {
                                "zoned" => Moment::Zoned(micros),
                                "local" => Moment::Local(micros),
                                _ => Moment::Day(micros),
                            });
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
    Ok(scan)
}

fn no_total(what: &What) -> Total {
    match what {
        What::Groups { .. } => Total::Distinct(0),
        What::Surplus(_) => Total::Surplus(0),
        _ => Total::None,
    }
}

/// Counts the rows that lie in no range, because their date is missing or not a valid one, with two of those dates.
pub(crate) fn without_a_date(plan: &Plan, params: &Params<'_>) -> Query {
    let (flavor, table) = (params.flavor(), &plan.table);
    let date = flavor.quote(table.date_column.as_str());
    let text = flavor.as_text(&date);
    Query::new(format!(
        "SELECT COUNT(*) AS records, MIN({text}) AS least, MAX({text}) AS most FROM {} WHERE {} IS NULL",
        flavor.table(&table.name),
        match table.date_kind() {
            // Of a partitioned table this reads the one partition of such rows.
            kind @ (ColumnKind::Text | ColumnKind::Number) => flavor.day_of(&date, kind),
            _ => date,
        },
    ))
}

/// Adds the row of [`without_a_date`].
pub(crate) fn read_without_a_date(rows: &Rows, scan: &mut Scan) {
    if let Some([records, examples @ ..]) = rows.rows.first().map(Vec::as_slice)
        && let Some(records @ 1..) = records.as_count()
    {
        scan.unreadable.rows += records;
        for example in examples {
            scan.unreadable.add(&example.to_string(), 0);
        }
    }
}
