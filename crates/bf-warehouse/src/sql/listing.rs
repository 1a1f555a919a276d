//! What a table has on some days.

use super::{Params, render};
use crate::{Listing, Query};

/// The query of a listing: days with their values, each once, in order.
pub(crate) fn query(listing: &Listing<'_>, mut params: Params<'_>) -> Query {
    let (flavor, table) = (params.flavor(), listing.table);
    let date = flavor.quote(table.date_column.as_str());
    let kind = table.date_kind();
    let spans: Vec<String> = listing
        .spans
        .iter()
        .enumerate()
        .map(|(at, span)| {
            let start = params.date(&format!("start{at}"), span.start);
            let end = params.date(&format!("end{at}"), span.end);
            flavor.within_days(&date, kind, &start, &end)
        })
        .collect();
    let within = match spans.as_slice() {
        [one] => one.clone(),
        spans => format!("(({}))", spans.join(") OR (")),
    };
    let filter = listing.filter.map_or_else(String::new, |filter| {
        format!(" AND {}", render(filter, &table.columns, &mut params))
    });
    let values: String = listing
        .values
        .iter()
        .map(|value| format!(", {}", flavor.quote(value.as_str())))
        .collect();
    let order: String = (2..listing.values.len() + 2)
        .map(|at| format!(", {at}"))
        .collect();
    let sql = format!(
        "SELECT DISTINCT {} AS bf_day{values} FROM {} WHERE {within}{filter} ORDER BY 1{order} LIMIT {}",
        flavor.day_of(&date, kind),
        flavor.table(&table.name),
        listing.limit
    );
    Query {
        sql,
        params: params.into_list(),
    }
}
