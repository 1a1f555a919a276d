//! A list of what a table has on some days: asked only if something is wrong there, to name it.

use bf_contract::{DateRange, parse_date};
use bf_warehouse::{ColumnKind, Ident, Query, TableName, Value, Warehouse, WarehouseError};
use chrono::NaiveDate;

use crate::columns::Columns;
use crate::condition::{Condition, Params, render};

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The table.
    pub table: &'a TableName,
    /// The column with the day.
    pub date_column: &'a Ident,
    /// Its columns.
    pub columns: &'a Columns,
    /// The days that are looked at.
    pub spans: &'a [DateRange],
    /// The rows that are listed.
    pub filter: Option<&'a Condition>,
    /// What is listed of them, beside the day.
    pub values: &'a [Ident],
    /// The most that are listed.
    pub limit: u32,
}

/// Days with their values, each once, in order.
///
/// # Errors
/// The warehouse did not answer.
pub fn list(
    listing: Listing<'_>,
    warehouse: &mut Warehouse,
) -> Result<Vec<(NaiveDate, Vec<Value>)>, WarehouseError> {
    if listing.spans.is_empty() {
        return Ok(Vec::new());
    }
    let query = query(listing, warehouse);
    let rows = warehouse.query(&[listing.table], &query)?;
    let read = rows.rows.into_iter().filter_map(|mut row| {
        let values = row.split_off(1);
        let day = row
            .first()?
            .as_text()
            .and_then(|text| parse_date(text).ok())?;
        Some((day, values))
    });
    Ok(read.collect())
}

fn query(listing: Listing<'_>, warehouse: &Warehouse) -> Query {
    let dialect = warehouse.dialect();
    let mut params = Params::named(dialect);
    let date = dialect.column(listing.date_column);
    let kind: ColumnKind = listing.columns.kind(listing.date_column);
    let spans: Vec<String> = listing
        .spans
        .iter()
        .enumerate()
        .map(|(at, span)| {
            let start = params.date(&format!("start{at}"), span.start);
            let end = params.date(&format!("end{at}"), span.end);
            format!("({})", dialect.within_days(&date, kind, &start, &end))
        })
        .collect();
    let filter = listing.filter.map_or_else(String::new, |filter| {
        format!(" AND {}", render(filter, listing.columns, &mut params))
    });
    let values: String = listing
        .values
        .iter()
        .map(|value| format!(", {}", dialect.column(value)))
        .collect();
    let order: String = (2..listing.values.len() + 2)
        .map(|at| format!(", {at}"))
        .collect();
    let sql = format!(
        "SELECT DISTINCT {} AS bf_day{values} FROM {} WHERE ({}){filter} ORDER BY 1{order} LIMIT {}",
        dialect.day_of(&date, kind),
        dialect.table(listing.table),
        spans.join(" OR "),
        listing.limit
    );
    Query {
        sql,
        params: params.into_list(),
    }
}
