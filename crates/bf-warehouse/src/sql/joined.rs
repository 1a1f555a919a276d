//! Two tables compared by their keys, in one query.

use bf_contract::parse_date;

use super::flavor::within_valid_days;
use super::{Params, render};
use crate::pairs::{PairDay, Pairs, TOLERANCE};
use crate::plan::What;
use crate::{Query, Rows, Side, Value, WarehouseError};

/// The comparison: one row a day comes back. `None` if a side has no such keys.
pub(crate) fn query(here: &Side<'_>, there: &[Side<'_>], mut params: Params<'_>) -> Option<Query> {
    let flavor = params.flavor();
    let range = here.plan.range;
    let (start, end) = (
        params.date("start", range.start),
        params.date("end", range.end),
    );
    let here = grouped(here, &start, &end, &mut params)?;
    let there: Vec<String> = there
        .iter()
        .map(|side| Some(grouped(side, &start, &end, &mut params)?.sql))
        .collect::<Option<_>>()?;
    let same: String = (0..here.keys)
        .map(|at| format!(" AND h.k{at} = t.k{at}"))
        .collect();
    let unmatched = flavor.if_met("t.n IS NULL", "h.n");
    let count = |condition: &str| flavor.count_if(condition);
    let sql = format!(
        "SELECT COALESCE(h.bf_day, t.bf_day) AS bf_day, COALESCE(SUM(h.n), 0) AS all_rows, \
         COALESCE(SUM({unmatched}), 0) AS unmatched_rows, \
         {both} AS both_sides, {only_here} AS only_here, {only_there} AS only_there, {off} AS sums_off \
         FROM {} AS h FULL JOIN {} AS t ON h.bf_day = t.bf_day{same} GROUP BY 1 ORDER BY 1",
        here.sql,
        together(&there),
        both = count("h.n IS NOT NULL AND t.n IS NOT NULL"),
        only_here = count("t.n IS NULL"),
        only_there = count("h.n IS NULL"),
        off = count(&format!("ABS(h.total - t.total) > {TOLERANCE:e}")),
    );
    Some(Query {
        sql,
        params: params.into_list(),
    })
}

/// Several sides as one: their keys are not the same.
fn together(sides: &[String]) -> String {
    match sides {
        [one] => one.clone(),
        sides => {
            let parts: Vec<String> = sides
                .iter()
                .map(|side| format!("SELECT * FROM {side} AS s"))
                .collect();
            format!("({})", parts.join(" UNION ALL "))
        }
    }
}

struct Grouped {
    sql: String,
    keys: usize,
}

/// The keys of one side, grouped by day, so that a row written twice does not multiply the other side.
fn grouped(side: &Side<'_>, start: &str, end: &str, params: &mut Params<'_>) -> Option<Grouped> {
    let (plan, flavor) = (side.plan, params.flavor());
    let columns = &plan.table.columns;
    let metric = plan.metrics.get(side.keys.position())?;
    let What::Keys { columns: keys, sum } = &metric.what else {
        return None;
    };
    let date = flavor.quote(plan.table.date_column.as_str());
    let kind = plan.table.date_kind();
    let sum = sum.as_ref().map_or_else(
        || "0".to_owned(),
        |sum| {
            let number = flavor.number(&flavor.quote(sum.as_str()), columns.kind(sum));
            format!("COALESCE(SUM({number}), 0)")
        },
    );
    let named = keys.iter().enumerate();
    let named: String = named
        .map(|(at, key)| format!("{} AS k{at}, ", flavor.quote(key.as_str())))
        .collect();
    let filter = metric.filter.map_or_else(String::new, |filter| {
        format!(" AND {}", render(&plan.conditions[filter], columns, params))
    });
    let places: String = (0..keys.len()).map(|at| format!(", k{at}")).collect();
    let sql = format!(
        "(SELECT {day} AS bf_day, {named}COUNT(*) AS n, {sum} AS total FROM {table} \
         WHERE {within}{filter} GROUP BY bf_day{places})",
        day = flavor.day_of(&date, kind),
        table = flavor.table(&plan.table.name),
        within = within_valid_days(flavor, &date, kind, (start, end)),
    );
    Some(Grouped {
        sql,
        keys: keys.len(),
    })
}

/// Reads the rows of [`query`].
///
/// # Errors
/// The engine returned something that the query does not ask for.
pub(crate) fn read(rows: &Rows) -> Result<Pairs, WarehouseError> {
    let mut pairs = Pairs::default();
    for row in &rows.rows {
        let [day, all, unmatched, both, here, there, off] = row.as_slice() else {
            return Err(WarehouseError::Query(
                "the answer has the wrong columns".to_owned(),
            ));
        };
        let date = day.as_text().and_then(|text| parse_date(text).ok());
        let date = date.ok_or_else(|| WarehouseError::Query(format!("{day} is not a day")))?;
        let count = |value: &Value| {
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
