//! `--explain`: the SQL, and what the engine thinks it would read, without running it.

use bf_cli::text::thousands;
use bf_cli::{Failure, Output};
use bf_contract::{Exit, Schema, ValidationPlan, ValidationPlanType};
use bf_warehouse::{Param, Query, Warehouse};

use crate::columns::Columns;
use crate::run::Run;
use crate::suite::Suite;
use crate::{needs, report, scan};

/// Shows the scan of a suite. Only the table's columns are asked for; a table that is not there is reported as
/// it is where the suite is judged, so that a program need not understand the failure's words.
///
/// # Errors
/// The warehouse did not answer: could not check (exit 3).
pub fn explain(
    run: &Run<'_>,
    warehouse: &mut Warehouse,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let suite = run.suite;
    let could_not = |error: bf_warehouse::WarehouseError| {
        let failure = Failure::could_not_check(error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let columns = match warehouse.columns(&suite.table) {
        Ok(columns) => Columns::new(columns),
        Err(error) => {
            let unread = run.unread(&error);
            let is_reported = unread.missing_table.is_some();
            if is_reported {
                output.document(&report::document(run, &unread, warehouse))?;
            }
            return Err(Failure {
                is_reported,
                ..could_not(error)
            });
        }
    };
    let resolved = suite.resolved(&columns);
    let mut planned = needs::plan(&resolved, &columns, run.range);
    scan::strays::prepare(&mut planned.plan, warehouse).map_err(could_not)?;
    let query = scan::query(&planned.plan, &columns, warehouse.dialect());
    let bytes = warehouse
        .estimate(&[&suite.table], &query)
        .map_err(could_not)?;
    let mut text = format!(
        "-- {} on {}\n{};",
        suite.suite,
        warehouse.dialect().name(),
        query.sql
    );
    for (name, param) in &query.params {
        text.push_str(&format!("\n-- @{name} = {}", shown(param)));
    }
    match bytes {
        Some(bytes) => text.push_str(&format!("\n-- would read {} bytes", thousands(bytes))),
        None => text.push_str("\n-- the engine does not say how much it would read"),
    }
    output.text(&text)?;
    output.document(&plan_of(suite, &query, bytes))?;
    Ok(Exit::Success)
}

fn plan_of(suite: &Suite, query: &Query, estimated_bytes: Option<u64>) -> ValidationPlan {
    ValidationPlan {
        kind: ValidationPlanType,
        schema: Schema,
        suite: suite.suite.clone(),
        table: suite.table.to_string(),
        sql: query.sql.clone(),
        params: query
            .params
            .iter()
            .map(|(name, param)| (name.clone(), shown(param)))
            .collect(),
        estimated_bytes,
    }
}

fn shown(param: &Param) -> String {
    match param {
        Param::Date(date) => date.to_string(),
        Param::Int(number) => number.to_string(),
        Param::Float(number) => number.to_string(),
        Param::Text(text) => text.clone(),
        Param::TextArray(texts) => texts.join(", "),
        Param::DateArray(dates) => dates
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    }
}
