//! The queries that find the rows of a [`Probe`].

use std::collections::BTreeSet;

use bf_contract::{DateRange, parse_date};
use chrono::NaiveDate;

use super::{Flavor, Params, render, render_lacking};
use crate::pairs::TOLERANCE;
use crate::{
    ColumnKind, Condition, DatedTable, Ident, Probe, Query, Rows, Sample, SampleRequest,
    WarehouseError,
};

/// Rows that the query for a person returns.
const CONSOLE_ROWS: u32 = 100;

/// More dates are not listed one by one.
const MOST_DATES: usize = 60;

/// How an engine answers a probe.
pub(crate) struct Prober<'a> {
    /// Its SQL.
    pub flavor: &'a dyn Flavor,
    /// What a person types before the query.
    pub prelude: String,
    /// Whether a query costs nothing, so that the query for a person is tried before it is given.
    pub tries: bool,
    /// Whether its queries have parameters.
    pub has_params: bool,
}

/// Runs a query.
pub(crate) type Run<'a> = dyn FnMut(Query) -> Result<Rows, WarehouseError> + 'a;

impl<'a> Prober<'a> {
    /// The queries whose rows a request wants: the rows themselves, if any are wanted, and the dates of duplicates.
    pub(crate) fn queries(&self, request: &SampleRequest<'_>) -> [Option<Query>; 2] {
        let rows =
            (request.rows > 0).then(|| self.query(|params| write(request, params, request.rows)));
        let dates = match request.probe {
            Probe::Duplicates(filter, key) => {
                Some(self.query(|params| duplicate_dates(request, (filter.as_ref(), key), params)))
            }
            _ => None,
        };
        [rows, dates]
    }

    /// Reads the rows of a request.
    ///
    /// # Errors
    /// An interrupt, or the deadline. Any other trouble is part of the sample: rows that cannot be shown change no
    /// verdict.
    pub(crate) fn sample(
        &self,
        request: &SampleRequest<'_>,
        run: &mut Run<'_>,
    ) -> Result<Sample, WarehouseError> {
        let mut sample = Sample::default();
        let [rows, dates] = self.queries(request);
        if let Some(query) = rows {
            match run(query) {
                Ok(rows) => (sample.columns, sample.rows) = (rows.columns, rows.rows),
                Err(error) => sample.trouble = Some(passed_on(error)?),
            }
        }
        if let Some(query) = dates {
            match run(query) {
                Ok(rows) => {
                    let days = rows.rows.iter().filter_map(|row| row.first()?.as_text());
                    sample.dates = days.filter_map(|text| parse_date(text).ok()).collect();
                }
                Err(error) => sample.trouble = Some(passed_on(error)?),
            }
        }
        let console = self.console(request, !sample.rows.is_empty(), run)?;
        sample.query = Some(format!("{}{console};", self.prelude));
        Ok(sample)
    }

    fn query(&self, write: impl FnOnce(&mut Params<'a>) -> String) -> Query {
        let mut params = if self.has_params {
            Params::named(self.flavor)
        } else {
            Params::literals(self.flavor)
        };
        Query {
            sql: write(&mut params),
            params: params.into_list(),
        }
    }

    /// The query for a person: the plain one, unless it finds none of the rows that there are.
    fn console(
        &self,
        request: &SampleRequest<'_>,
        has_rows: bool,
        run: &mut Run<'_>,
    ) -> Result<String, WarehouseError> {
        let plain = |limit| write(request, &mut Params::plain(self.flavor), limit);
        if self.tries && has_rows {
            match run(Query::new(plain(1))) {
                Ok(rows) if !rows.rows.is_empty() => {}
                Err(error) if error.ends_the_run() => return Err(error),
                _ => {
                    let mut literals = Params::literals(self.flavor);
                    return Ok(write(request, &mut literals, CONSOLE_ROWS));
                }
            }
        }
        Ok(plain(CONSOLE_ROWS))
    }
}

fn passed_on(error: WarehouseError) -> Result<String, WarehouseError> {
    if error.ends_the_run() {
        return Err(error);
    }
    Ok(error.to_string())
}

/// The days that rows are looked for on.
struct Days {
    range: DateRange,
    /// The days themselves, if they are not all of the range.
    list: Vec<NaiveDate>,
}

impl Days {
    fn new(range: DateRange, dates: &[NaiveDate]) -> Self {
        let within = dates.iter().copied().filter(|date| range.contains(*date));
        let list: BTreeSet<NaiveDate> = within.collect();
        let (Some(start), Some(end)) = (list.first().copied(), list.last().copied()) else {
            return Self {
                range,
                list: Vec::new(),
            };
        };
        let days = usize::try_from((end - start).num_days() + 1).unwrap_or(usize::MAX);
        let is_listed = list.len() < days && list.len() <= MOST_DATES;
        Self {
            range: DateRange { start, end },
            list: list.into_iter().filter(|_| is_listed).collect(),
        }
    }

    /// Whether a column is one of them.
    fn contain(&self, column: &str, kind: ColumnKind, params: &mut Params<'_>) -> String {
        let flavor = params.flavor();
        let dates: Vec<String> = self.list.iter().map(|date| flavor.date(*date)).collect();
        let dates = dates.join(", ");
        let has_time = matches!(kind, ColumnKind::Timestamp | ColumnKind::DateTime);
        if params.is_plain() && !has_time {
            return match (self.list.is_empty(), self.range.start == self.range.end) {
                (false, _) => format!("{column} IN ({dates})"),
                (true, true) => format!("{column} = {}", flavor.date(self.range.start)),
                (true, false) => format!(
                    "{column} BETWEEN {} AND {}",
                    flavor.date(self.range.start),
                    flavor.date(self.range.end)
                ),
            };
        }
        let (start, end) = (
            params.date("start", self.range.start),
            params.date("end", self.range.end),
        );
        let within = flavor.within_days(column, kind, &start, &end);
        if self.list.is_empty() {
            return within;
        }
        format!("{within} AND {} IN ({dates})", flavor.day_of(column, kind))
    }
}

fn write(request: &SampleRequest<'_>, params: &mut Params<'_>, limit: u32) -> String {
    let flavor = params.flavor();
    let quote = |name: &Ident| flavor.quote(name.as_str());
    let columns = &request.table.columns;
    let table = flavor.table(&request.table.name);
    let date = quote(&request.table.date_column);
    let kind = request.table.date_kind();
    let day = flavor.day_of(&date, kind);
    let days = Days::new(request.range, request.dates);
    let within = days.contain(&date, kind, params);
    let filtered = |filter: Option<&Condition>, params: &mut Params<'_>| {
        filter.map_or_else(
            || within.clone(),
            |filter| format!("{within} AND {}", render(filter, columns, params)),
        )
    };
    let names = |list: &[Ident]| list.iter().map(quote).collect::<Vec<_>>().join(", ");
    match request.probe {
        Probe::Matching(filter, condition) => {
            let fields = sample_fields(request, condition, flavor);
            let rows = filtered(filter.as_ref(), params);
            let condition = render(condition, columns, params);
            format!(
                "SELECT {fields} FROM {table} WHERE {rows} AND {condition} ORDER BY {date} LIMIT {limit}"
            )
        }
        Probe::Lacking(filter, condition) => {
            let fields = sample_fields(request, condition, flavor);
            let rows = filtered(filter.as_ref(), params);
            let lacking = render_lacking(condition, columns, params);
            format!(
                "SELECT {fields} FROM {table} WHERE {rows} AND {lacking} ORDER BY {date} LIMIT {limit}"
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
            let date = quote(date_column);
            let within = days.contain(&date, *date_kind, params);
            let table = flavor.table(table);
            format!("SELECT * FROM {table} WHERE {within} ORDER BY {date} LIMIT {limit}")
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
            let their_date = quote(date_column);
            let scheduled = days.contain(&their_date, *date_kind, params);
            let list = |columns: &[Ident]| -> String {
                let columns = columns.iter().enumerate();
                columns
                    .map(|(at, column)| format!(", {} AS k{at}", quote(column)))
                    .collect()
            };
            let shown = key.iter().enumerate();
            let shown: String = shown
                .map(|(at, column)| format!(", a.k{at} AS {}", quote(column)))
                .collect();
            let sides = if *either_side && key.len() > 1 { 2 } else { 0 };
            let mut same: String = (0..key.len() - sides)
                .map(|at| format!(" AND b.k{at} = a.k{at}"))
                .collect();
            if sides > 0 {
                let (one, two) = (key.len() - 2, key.len() - 1);
                same.push_str(&format!(
                    " AND ((b.k{one} = a.k{one} AND b.k{two} = a.k{two}) OR (b.k{one} = a.k{two} AND b.k{two} = a.k{one}))"
                ));
            }
            format!(
                "SELECT a.day{shown} FROM (SELECT {day} AS day{} FROM {table} WHERE {rows}) AS a \
                 LEFT JOIN (SELECT DISTINCT 1 AS planned, {} AS day{} FROM {} WHERE {scheduled}) AS b \
                 ON b.day = a.day{same} WHERE b.planned IS NULL ORDER BY a.day, a.k0 LIMIT {limit}",
                list(key),
                flavor.day_of(&their_date, *date_kind),
                list(schedule_columns),
                flavor.table(schedule),
            )
        }
        Probe::Unmatched { .. } | Probe::Sums { .. } => match request.partner {
            Some(partner) => beside_partner(request, partner, &days, params, limit),
            None => String::new(),
        },
    }
}

/// The keys of the table and of its partner, side by side.
fn beside_partner(
    request: &SampleRequest<'_>,
    partner: &DatedTable,
    days: &Days,
    params: &mut Params<'_>,
    limit: u32,
) -> String {
    let flavor = params.flavor();
    let (filter, key, sums, here) = match request.probe {
        Probe::Unmatched {
            filter,
            columns,
            here,
        } => (filter, columns, None, *here),
        Probe::Sums {
            filter,
            columns,
            here,
            there,
        } => (filter, columns, Some((here, there)), true),
        _ => return String::new(),
    };
    let keys: Vec<String> = key.iter().map(|name| flavor.quote(name.as_str())).collect();
    let list = keys.join(", ");
    let mut side = |table: &DatedTable,
                    filter: Option<&Condition>,
                    sum: Option<&Ident>,
                    name: &str| {
        let (date, kind) = (flavor.quote(table.date_column.as_str()), table.date_kind());
        let mut rows = days.contain(&date, kind, params);
        if let Some(filter) = filter {
            rows.push_str(&format!(" AND {}", render(filter, &table.columns, params)));
        }
        let figure = match sum {
            Some(sum) => {
                let column = flavor.quote(sum.as_str());
                let number = flavor.number(&column, table.columns.kind(sum));
                format!("COALESCE(SUM({number}), 0)")
            }
            None => "COUNT(*)".to_owned(),
        };
        format!(
            "(SELECT {} AS day, {list}, {figure} AS {name} FROM {} WHERE {rows} GROUP BY 1, {list})",
            flavor.day_of(&date, kind),
            flavor.table(&table.name),
        )
    };
    let (ours, theirs) = (sums.map(|sums| sums.0), sums.map(|sums| sums.1));
    let [one, two] = match sums {
        Some(_) => ["sum_here", "sum_there"],
        None if here => ["records", "copies"],
        None => ["copies", "records"],
    };
    let ours = side(request.table, filter.as_ref(), ours, one);
    let theirs = side(partner, None, theirs, two);
    let (from, join) = if here { (ours, theirs) } else { (theirs, ours) };
    let same = keys.iter().map(|key| format!("b.{key} = a.{key}"));
    let same = same.collect::<Vec<_>>().join(" AND ");
    let shown = keys.iter().map(|key| format!("a.{key}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match sums {
        Some(_) => format!(
            "SELECT a.day, {shown}, a.sum_here, b.sum_there FROM {from} AS a JOIN {join} AS b \
             ON b.day = a.day AND {same} WHERE ABS(a.sum_here - b.sum_there) > {TOLERANCE:e} \
             ORDER BY a.day, {shown} LIMIT {limit}"
        ),
        None => format!(
            "SELECT a.day, {shown}, a.records FROM {from} AS a LEFT JOIN {join} AS b \
             ON b.day = a.day AND {same} WHERE b.copies IS NULL ORDER BY a.day, {shown} LIMIT {limit}"
        ),
    }
}

/// The columns of a sample row: the date, the fields that are wanted, and what the condition is about.
fn sample_fields(
    request: &SampleRequest<'_>,
    condition: &Condition,
    flavor: &dyn Flavor,
) -> String {
    let mut wanted: Vec<&Ident> = vec![&request.table.date_column];
    wanted.extend(condition.columns());
    wanted.extend(request.fields);
    let mut fields: Vec<String> = Vec::new();
    for name in wanted {
        let field = flavor.quote(name.as_str());
        if request.table.columns.get(name).is_some() && !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields.join(", ")
}

/// The dates of all rows whose key is there more than once; a key may be on more than one date.
fn duplicate_dates(
    request: &SampleRequest<'_>,
    (filter, key): (Option<&Condition>, &[Ident]),
    params: &mut Params<'_>,
) -> String {
    let flavor = params.flavor();
    let date = flavor.quote(request.table.date_column.as_str());
    let kind = request.table.date_kind();
    let (start, end) = (
        params.date("start", request.range.start),
        params.date("end", request.range.end),
    );
    let within = flavor.within_days(&date, kind, &start, &end);
    let filter = filter.map_or_else(String::new, |filter| {
        format!(" AND {}", render(filter, &request.table.columns, params))
    });
    let key: Vec<String> = key.iter().map(|name| flavor.quote(name.as_str())).collect();
    format!(
        "SELECT DISTINCT bf_day FROM (SELECT {} AS bf_day, COUNT(*) OVER (PARTITION BY {}) AS bf_copies \
         FROM {} WHERE {within}{filter}) AS counted WHERE bf_copies > 1 ORDER BY bf_day",
        flavor.day_of(&date, kind),
        key.join(", "),
        flavor.table(&request.table.name),
    )
}
