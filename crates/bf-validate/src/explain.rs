//! `--explain`: the SQL, and what the engine thinks it would read, without running it.

use bf_cli::text::thousands;
use bf_cli::{Failure, Output};
use bf_contract::{Exit, Schema, ValidationPlan, ValidationPlanType};
use bf_warehouse::{Engine, Estimate, Param};

use crate::request::Run;
use crate::{checks, report};

/// Shows the scan of a suite. Only the table's columns are asked for; a table that is not there is reported as
/// it is where the suite is judged, so that a program need not understand the failure's words.
///
/// # Errors
/// The warehouse did not answer: could not check (exit 3).
pub(crate) fn explain(
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
            let unread = crate::run::unread(run, &error);
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
    suite.verify_columns(&columns)?;
    let resolved = suite.resolved(&columns);
    columns
        .require(&suite.table, [&suite.date_column])
        .map_err(could_not)?;
    let planned = checks::plan(&resolved, &columns, run.range);
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
    let plan = plan_of(run, &estimate);
    if let (Some(price), Some(rate)) = (plan.estimated_price, run.config.price_per_tib) {
        text.push_str(&format!("\n-- would cost about {price:.4} at {rate} a TiB"));
    }
    if let Some(sign_in) = &estimate.sign_in {
        text.push_str(&format!("\n-- signed in with {sign_in}"));
    }
    output.text(&text)?;
    output.document(&plan)?;
    Ok(Exit::Success)
}

/// Bytes for which BigQuery charges at least, for each table that a query reads.
/// Source: "On-demand compute pricing" of BigQuery's price list.
const LEAST_CHARGED: u64 = 10 << 20;

/// What reading so many bytes of one table costs.
#[allow(clippy::cast_precision_loss)] // of an estimate
fn price(bytes: u64, per_tib: f64) -> f64 {
    bytes.max(LEAST_CHARGED) as f64 / 2_f64.powi(40) * per_tib
}

fn plan_of(run: &Run<'_>, estimate: &Estimate) -> ValidationPlan {
    let (suite, rate) = (run.suite, run.config.price_per_tib);
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
        estimated_price: estimate
            .bytes
            .zip(rate)
            .map(|(bytes, rate)| price(bytes, rate)),
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

#[cfg(test)]
mod tests {
    use super::price;

    #[test]
    fn a_query_costs_its_bytes_at_the_rate_and_at_least_ten_mebibytes() {
        let is_close = |left: f64, right: f64| (left - right).abs() < 1e-12;
        assert!(is_close(price(1 << 40, 6.25), 6.25));
        assert!(is_close(price(0, 6.25), price(10 << 20, 6.25)));
        assert!(is_close(price(11 << 30, 8.0), 11.0 / 128.0));
    }
}
