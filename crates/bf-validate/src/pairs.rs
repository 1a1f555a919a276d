//! The suite's table and its partner, compared key by key within each date, so that a key that stands on many
//! dates is missed on the one on which it is not.

use std::collections::BTreeMap;

use bf_contract::DateRange;
use bf_warehouse::{Ident, Query, SqlDialect, TableName, Warehouse, WarehouseError};
use chrono::NaiveDate;

use crate::columns::Columns;
use crate::condition::{Condition, Params, number_sql, render};
use crate::needs::{Needs, Planned};
use crate::scan::{self, KeySums, Planner, Scan, Total};
use crate::suite::{Kind, Partner, Suite};

/// What is known of the partner table.
#[derive(Debug, Clone, PartialEq)]
pub enum Partnership {
    /// Nobody asks for it, or it is not there and need not be.
    Absent(String),
    /// It could not be compared with.
    Failed(String),
    /// The comparison of each check that asks for one.
    Read(Vec<(String, Pairs)>),
}

/// Two tables, compared by one key within each date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs {
    /// By date.
    pub days: BTreeMap<NaiveDate, PairDay>,
}

impl Pairs {
    /// Changes a day, given in days since the year 1.
    fn on(&mut self, day: i32, change: impl FnOnce(&mut PairDay)) {
        if let Some(date) = NaiveDate::from_num_days_from_ce_opt(day) {
            change(self.days.entry(date).or_default());
        }
    }
}

/// One date of two tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairDay {
    /// Rows of the suite's table.
    pub rows: u64,
    /// Those whose key the partner lacks.
    pub unmatched_rows: u64,
    /// Keys in both tables.
    pub both: u64,
    /// Keys that only the suite's table has.
    pub only_here: u64,
    /// Keys that only the partner has.
    pub only_there: u64,
    /// Keys in both tables whose sums differ.
    pub sums_off: u64,
}

/// What one check compares.
struct Comparison<'a> {
    check: &'a str,
    filter: Option<&'a Condition>,
    columns: &'a [Ident],
    sums: Option<(&'a Ident, &'a Ident)>,
    measure: usize,
}

/// Compares the suite's table with its partner for every check that asks.
///
/// # Errors
/// Somebody asked to stop, or the deadline passed.
pub fn compare(
    suite: &Suite,
    columns: &Columns,
    planned: &Planned,
    scan: &Scan,
    warehouse: &mut Warehouse,
) -> Result<Partnership, WarehouseError> {
    let wanted = wanted(suite, planned);
    let (Some(partner), false) = (&suite.partner, wanted.is_empty()) else {
        return Ok(Partnership::Absent("nothing to compare with".to_owned()));
    };
    match read(partner, columns, planned, scan, &wanted, warehouse) {
        Ok(pairs) => Ok(Partnership::Read(pairs)),
        Err(error) if error.ends_the_run() => Err(error),
        Err(error @ WarehouseError::ColumnMissing { .. }) => {
            Ok(Partnership::Failed(error.to_string()))
        }
        Err(error) if error.is_absent() => {
            let reason = format!("{} is not in this warehouse", partner.table);
            Ok(if partner.optional {
                Partnership::Absent(reason)
            } else {
                Partnership::Failed(format!("{reason}, and nothing can be compared with it"))
            })
        }
        Err(error) => Ok(Partnership::Failed(format!("{}: {error}", partner.table))),
    }
}

fn wanted<'a>(suite: &'a Suite, planned: &Planned) -> Vec<Comparison<'a>> {
    let checks = suite.checks.iter().zip(&planned.needs);
    checks
        .filter_map(|(check, needs)| {
            let Needs::Measures(measures) = needs else {
                return None;
            };
            let (columns, sums) = match &check.kind {
                Kind::Reference(keys) => (&keys.columns, None),
                Kind::UnmatchedKeys(keys) => (&keys.columns, None),
                Kind::Sums(sums) => (&sums.columns, Some((&sums.column, &sums.partner_column))),
                _ => return None,
            };
            Some(Comparison {
                check: &check.name,
                filter: suite.filter_of(check),
                columns,
                sums,
                measure: *measures.first()?,
            })
        })
        .collect()
}

fn read(
    partner: &Partner,
    columns: &Columns,
    planned: &Planned,
    scan: &Scan,
    wanted: &[Comparison<'_>],
    warehouse: &mut Warehouse,
) -> Result<Vec<(String, Pairs)>, WarehouseError> {
    let theirs = Columns::new(warehouse.columns(&partner.table)?);
    let needed = wanted.iter().flat_map(|comparison| {
        comparison
            .columns
            .iter()
            .chain(comparison.sums.map(|(_, theirs)| theirs))
    });
    for column in needed.chain([&partner.date_column]) {
        if theirs.get(column).is_none() {
            return Err(WarehouseError::ColumnMissing {
                table: partner.table.clone(),
                column: column.to_string(),
                nearest: theirs.nearest(column).map(str::to_owned),
            });
        }
    }
    match warehouse.dialect() {
        SqlDialect::Sqlite => streamed(
            partner,
            &theirs,
            planned.plan.range,
            scan,
            wanted,
            warehouse,
        ),
        SqlDialect::BigQuery => wanted
            .iter()
            .map(|comparison| {
                let (our_sum, their_sum) = comparison.sums.unzip();
                let here = Side {
                    table: &planned.plan.table,
                    date_column: &planned.plan.date_column,
                    columns,
                    filter: comparison.filter,
                    keys: comparison.columns,
                    sum: our_sum,
                };
                let there = Side {
                    table: &partner.table,
                    date_column: &partner.date_column,
                    columns: &theirs,
                    filter: None,
                    keys: comparison.columns,
                    sum: their_sum,
                };
                let query = joined(&here, &[there], planned.plan.range);
                let tables = [&planned.plan.table, &partner.table];
                let rows = warehouse.query(&tables, &query)?;
                Ok((comparison.check.to_owned(), decode(&rows)?))
            })
            .collect(),
    }
}

/// One scan of the partner serves every comparison.
fn streamed(
    partner: &Partner,
    theirs: &Columns,
    range: DateRange,
    scan: &Scan,
    wanted: &[Comparison<'_>],
    warehouse: &mut Warehouse,
) -> Result<Vec<(String, Pairs)>, WarehouseError> {
    let mut planner = Planner::new(
        partner.table.clone(),
        partner.date_column.clone(),
        theirs.kind(&partner.date_column),
        range,
    );
    let measures: Vec<usize> = wanted
        .iter()
        .map(|comparison| {
            planner.keys(
                None,
                comparison.columns,
                comparison.sums.map(|(_, theirs)| theirs),
            )
        })
        .collect();
    let plan = planner.finish();
    let their_scan = scan::run(&plan, theirs, warehouse)?;
    Ok(wanted
        .iter()
        .zip(measures)
        .map(|(comparison, measure)| {
            let pairs = pair(
                keys(scan, comparison.measure),
                keys(&their_scan, measure),
                comparison.sums.is_some(),
            );
            (comparison.check.to_owned(), pairs)
        })
        .collect())
}

/// The keys that a scan kept for a measure.
pub(crate) fn keys(scan: &Scan, measure: usize) -> &[((i32, u64), KeySums)] {
    match scan.totals.get(measure) {
        Some(Total::Keys(keys)) => keys,
        _ => &[],
    }
}

/// Two lists of keys, side by side; both are in order.
pub(crate) fn pair(
    ours: &[((i32, u64), KeySums)],
    theirs: &[((i32, u64), KeySums)],
    with_sums: bool,
) -> Pairs {
    let mut pairs = Pairs::default();
    let mut there = theirs.iter().peekable();
    let only_there = |pairs: &mut Pairs, day: i32| pairs.on(day, |day| day.only_there += 1);
    for (key, here) in ours {
        while let Some(((day, _), _)) = there.next_if(|(other, _)| other < key) {
            only_there(&mut pairs, *day);
        }
        let found = there.next_if(|(other, _)| other == key);
        let found = found.map(|(_, found)| found);
        if found.is_some_and(|found| found.lacks_a_part) {
            only_there(&mut pairs, key.0);
        }
        pairs.on(key.0, |day| {
            day.rows += here.rows;
            match found.filter(|_| !here.lacks_a_part) {
                Some(found) => {
                    day.both += 1;
                    day.sums_off += u64::from(with_sums && differ(here.sum, found.sum));
                }
                None => {
                    day.only_here += 1;
                    day.unmatched_rows += here.rows;
                }
            }
        });
    }
    there.for_each(|((day, _), _)| only_there(&mut pairs, *day));
    pairs
}

fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-6
}

/// One side of a comparison, for an engine that counts by itself.
pub(crate) struct Side<'a> {
    pub table: &'a TableName,
    pub date_column: &'a Ident,
    pub columns: &'a Columns,
    /// The rows that are compared.
    pub filter: Option<&'a Condition>,
    /// What makes a key; the other side has as many.
    pub keys: &'a [Ident],
    /// What is added up.
    pub sum: Option<&'a Ident>,
}

impl Side<'_> {
    /// Its keys, grouped by day, so that a row written twice does not multiply the other side.
    fn grouped(&self, start: &str, end: &str, params: &mut Params) -> String {
        let dialect = SqlDialect::BigQuery;
        let date = dialect.column(self.date_column);
        let kind = self.columns.kind(self.date_column);
        let sum = self.sum.map_or_else(
            || "0".to_owned(),
            |sum| {
                let number = number_sql(sum, self.columns.kind(sum), dialect);
                format!("IFNULL(SUM({number}), 0)")
            },
        );
        let keys = self.keys.iter().enumerate();
        let keys: String = keys
            .map(|(at, key)| format!("{} AS k{at}, ", dialect.column(key)))
            .collect();
        let filter = self.filter.map_or_else(String::new, |filter| {
            format!(" AND {}", render(filter, self.columns, params))
        });
        let places: String = (0..self.keys.len()).map(|at| format!(", k{at}")).collect();
        format!(
            "(SELECT {day} AS bf_day, {keys}COUNT(*) AS n, {sum} AS total FROM {table} \
             WHERE {within}{filter} GROUP BY bf_day{places})",
            day = dialect.day_of(&date, kind),
            table = dialect.table(self.table),
            within = dialect.within_days(&date, kind, start, end),
        )
    }
}

/// The comparison as one query.
pub(crate) fn joined(here: &Side<'_>, there: &[Side<'_>], range: DateRange) -> Query {
    let mut params = Params::named(SqlDialect::BigQuery);
    let (start, end) = (
        params.date("start", range.start),
        params.date("end", range.end),
    );
    let same: String = (0..here.keys.len())
        .map(|at| format!(" AND h.k{at} = t.k{at}"))
        .collect();
    let there: Vec<String> = there
        .iter()
        .map(|side| side.grouped(&start, &end, &mut params))
        .collect();
    let sql = format!(
        "SELECT IFNULL(h.bf_day, t.bf_day) AS day, IFNULL(SUM(h.n), 0) AS all_rows, \
         IFNULL(SUM(IF(t.n IS NULL, h.n, 0)), 0) AS unmatched_rows, \
         COUNTIF(h.n IS NOT NULL AND t.n IS NOT NULL) AS both_sides, \
         COUNTIF(t.n IS NULL) AS only_here, COUNTIF(h.n IS NULL) AS only_there, \
         COUNTIF(ABS(h.total - t.total) > 1e-6) AS sums_off \
         FROM {} AS h FULL JOIN {} AS t ON h.bf_day = t.bf_day{same} GROUP BY 1 ORDER BY 1",
        here.grouped(&start, &end, &mut params),
        together(&there),
    );
    Query {
        sql,
        params: params.into_list(),
    }
}

/// Several sides as one: their keys are not the same.
fn together(sides: &[String]) -> String {
    match sides {
        [one] => one.clone(),
        sides => {
            let parts: Vec<String> = sides
                .iter()
                .map(|side| format!("SELECT * FROM {side}"))
                .collect();
            format!("({})", parts.join(" UNION ALL "))
        }
    }
}

/// Reads the rows of [`joined`].
///
/// # Errors
/// The engine returned something that the query does not ask for.
pub(crate) fn decode(rows: &bf_warehouse::Rows) -> Result<Pairs, WarehouseError> {
    let mut pairs = Pairs::default();
    for row in &rows.rows {
        let [day, all, unmatched, both, here, there, off] = row.as_slice() else {
            return Err(WarehouseError::Query(
                "the answer has the wrong columns".to_owned(),
            ));
        };
        let date = day
            .as_text()
            .and_then(|text| bf_contract::parse_date(text).ok());
        let date = date.ok_or_else(|| WarehouseError::Query(format!("{day} is not a day")))?;
        let count = |value: &bf_warehouse::Value| {
            value
                .as_count()
                .ok_or_else(|| WarehouseError::Query(format!("{value} is not a count")))
        };
        let found = PairDay {
            rows: count(all)?,
            unmatched_rows: count(unmatched)?,
            both: count(both)?,
            only_here: count(here)?,
            only_there: count(there)?,
            sums_off: count(off)?,
        };
        pairs.days.insert(date, found);
    }
    Ok(pairs)
}
