//! The suite's table and its partner, compared key by key within each date, so that a key that stands on many
//! dates is missed on the one on which it is not.

use bf_warehouse::{DatedTable, Engine, Ident, Keys, Measure, Side, WarehouseError};
pub use bf_warehouse::{PairDay, Pairs};

use crate::needs::{Needs, Planned};
use crate::scan::{Plan, Planner, Scan};
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

/// What one check compares.
struct Comparison<'a> {
    check: &'a str,
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
    planned: &Planned,
    scan: &Scan,
    warehouse: &mut dyn Engine,
) -> Result<Partnership, WarehouseError> {
    let wanted = wanted(suite, planned);
    let (Some(partner), false) = (&suite.partner, wanted.is_empty()) else {
        return Ok(Partnership::Absent("nothing to compare with".to_owned()));
    };
    match read(partner, planned, scan, &wanted, warehouse) {
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
                columns,
                sums,
                measure: *measures.first()?,
            })
        })
        .collect()
}

fn read(
    partner: &Partner,
    planned: &Planned,
    scan: &Scan,
    wanted: &[Comparison<'_>],
    warehouse: &mut dyn Engine,
) -> Result<Vec<(String, Pairs)>, WarehouseError> {
    let (plan, measures) = plan(partner, planned, wanted, warehouse)?;
    let their_scan = warehouse.measure(&plan)?;
    let compared = wanted.iter().zip(measures).map(|(comparison, measure)| {
        let here = Side::new(&planned.plan, scan, comparison.measure);
        let there = Side::new(&plan, &their_scan, measure.position());
        let pairs = warehouse.compare(&here, &[there])?;
        Ok((comparison.check.to_owned(), pairs))
    });
    compared.collect()
}

/// What is measured of the partner: the keys of each comparison.
fn plan(
    partner: &Partner,
    planned: &Planned,
    wanted: &[Comparison<'_>],
    warehouse: &mut dyn Engine,
) -> Result<(Plan, Vec<Measure<Keys>>), WarehouseError> {
    let theirs = warehouse.columns(&partner.table)?;
    let needed = wanted.iter().flat_map(|comparison| {
        let sum = comparison.sums.map(|(_, theirs)| theirs);
        comparison.columns.iter().chain(sum)
    });
    theirs.require(&partner.table, needed)?;
    let table = DatedTable::new(&partner.table, &partner.date_column, theirs)?;
    let mut planner = Planner::new(table, planned.plan.range);
    let measures: Vec<Measure<Keys>> = wanted
        .iter()
        .map(|comparison| {
            let sum = comparison.sums.map(|(_, theirs)| theirs);
            planner.keys(None, comparison.columns, sum)
        })
        .collect();
    Ok((planner.finish(), measures))
}

/// The plan of the partner and, for each comparison, the measures here and there; to ask for all at once.
pub fn comparisons(
    suite: &Suite,
    planned: &Planned,
    warehouse: &mut dyn Engine,
) -> Option<(Plan, Vec<(usize, usize)>)> {
    let wanted = wanted(suite, planned);
    let partner = suite.partner.as_ref().filter(|_| !wanted.is_empty())?;
    let (plan, measures) = plan(partner, planned, &wanted, warehouse).ok()?;
    let here = wanted.iter().map(|comparison| comparison.measure);
    let there = measures.into_iter().map(Measure::position);
    Some((plan, here.zip(there).collect()))
}
