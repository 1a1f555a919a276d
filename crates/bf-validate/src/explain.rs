//! `--explain`: the SQL, and what the engine thinks it would read, without running it.

use bf_cli::text::thousands;
use bf_cli::{Failure, Output};
use bf_contract::{Exit, Schema, ValidationPlan, ValidationPlanType};
use bf_warehouse::{Engine, Estimate, Param};

use crate::run::Run;
use crate::suite::Suite;
use crate::{needs, report};

/// Shows the scan of a suite. Only the table's columns are asked for; a table that is not there is reported as
/// it is where the suite is judged, so that a program need not understand the failure's words.
///
/// # Errors
/// The warehouse did not answer: could not check (exit 3).
pub fn explain(
    run: &Run<'_>,
    warehouse: &mut dyn Engine,
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
        Ok(columns) => columns,
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
    columns
        .require(&suite.table, [&suite.date_column])
        .map_err(could_not)?;
    let planned = needs::plan(&resolved, &columns, run.range);
    let estimate = warehouse.estimate(&planned.plan).map_err(could_not)?;
    let mut text = format!(
        "-- {} on {}\n{};",
        suite.suite,
        warehouse.name(),
        estimate.sql
    );
    for (name, param) in &estimate.params {
        text.push_str(&format!("\n-- @{name} = {}", shown(param)));
    }
    match estimate.bytes {
        Some(bytes) => text.push_str(&format!("\n-- would read {} bytes", thousands(bytes))),
        None => text.push_str("\n-- the engine does not say how much it would read"),
    }
    if let Some(sign_in) = &estimate.sign_in {
        text.push_str(&format!("\n-- signed in with {sign_in}"));
    }
    output.text(&text)?;
    output.document(&plan_of(suite, &estimate))?;
    Ok(Exit::Success)
}

fn plan_of(suite: &Suite, estimate: &Estimate) -> ValidationPlan {
    ValidationPlan {
        kind: ValidationPlanType,
        schema: Schema,
        suite: suite.suite.clone(),
        table: suite.table.to_string(),
        sql: estimate.sql.clone(),
        params: estimate
            .params
            .iter()
            .map(|(name, param)| (name.clone(), shown(param)))
            .collect(),
        estimated_bytes: estimate.bytes,
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
