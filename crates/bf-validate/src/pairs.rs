//! The suite's table and its partner, compared key by key within each date, so that a key that stands on many
//! dates is missed on the one on which it is not.

use bf_contract::DateRange;
use bf_warehouse::{
    DatedTable, Engine, Ident, Keys, Measure, Pairs, Plan, Planner, Scan, Side, WarehouseError,
};

use crate::suite::Partner;

/// Keys that are compared with those of the partner.
#[derive(Debug, Clone)]
pub(crate) struct PairRequest {
    pub columns: Vec<Ident>,
    /// What is added up here and there.
    pub sums: Option<(Ident, Ident)>,
    pub here: Measure<Keys>,
}

/// What is known of the partner table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Partnership {
    /// No check asks for it, or it is not there and need not be.
    Absent(String),
    /// It could not be compared with.
    Failed(String),
    /// The comparisons, in the order of the requests.
    Read(Vec<Pairs>),
}

/// Compares the suite's table with its partner for every check that asks.
///
/// # Errors
/// An interrupt, or the deadline.
pub(crate) fn compare(
    partner: Option<&Partner>,
    (own, scan): (&Plan, &Scan),
    requests: &[PairRequest],
    warehouse: &mut dyn Engine,
) -> Result<Partnership, WarehouseError> {
    let (Some(partner), false) = (partner, requests.is_empty()) else {
        return Ok(Partnership::Absent("nothing to compare with".to_owned()));
    };
    match read(partner, (own, scan), requests, warehouse) {
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

fn read(
    partner: &Partner,
    (own, scan): (&Plan, &Scan),
    requests: &[PairRequest],
    warehouse: &mut dyn Engine,
) -> Result<Vec<Pairs>, WarehouseError> {
    let (plan, measures) = plan(partner, requests, own.range, warehouse)?;
    let their_scan = warehouse.measure(&plan)?;
    let mut known: Vec<(KeysHereAndThere, Pairs)> = Vec::new();
    let both = requests.iter().zip(measures);
    both.map(|(request, there)| {
        let keys = (request.here, there);
        // Two checks may ask for the same: each query costs.
        if let Some((_, pairs)) = known.iter().find(|(asked, _)| *asked == keys) {
            return Ok(pairs.clone());
        }
        let here = Side::new(own, scan, request.here);
        let pairs = warehouse.compare(&here, &[Side::new(&plan, &their_scan, there)])?;
        known.push((keys, pairs.clone()));
        Ok(pairs)
    })
    .collect()
}

/// What is measured of the partner: the keys of each comparison.
fn plan(
    partner: &Partner,
    requests: &[PairRequest],
    range: DateRange,
    warehouse: &mut dyn Engine,
) -> Result<(Plan, Vec<Measure<Keys>>), WarehouseError> {
    let theirs = warehouse.columns(&partner.table)?;
    let needed = requests.iter().flat_map(|request| {
        let sum = request.sums.as_ref().map(|(_, theirs)| theirs);
        request.columns.iter().chain(sum)
    });
    theirs.require(&partner.table, needed)?;
    let table = DatedTable::new(&partner.table, &partner.date_column, theirs)?;
    let mut planner = Planner::new(table, range);
    let keys = requests.iter().map(|request| {
        let sum = request.sums.as_ref().map(|(_, theirs)| theirs);
        planner.keys(None, &request.columns, sum)
    });
    let keys = keys.collect();
    Ok((planner.finish(), keys))
}

/// The keys of a comparison.
type KeysHereAndThere = (Measure<Keys>, Measure<Keys>);

/// The plan of the partner and, for each comparison, the keys here and there; to ask for all at once.
pub(crate) fn comparisons(
    partner: Option<&Partner>,
    range: DateRange,
    requests: &[PairRequest],
    warehouse: &mut dyn Engine,
) -> Option<(Plan, Vec<KeysHereAndThere>)> {
    let partner = partner.filter(|_| !requests.is_empty())?;
    let (plan, measures) = plan(partner, requests, range, warehouse).ok()?;
    let here = requests.iter().map(|request| request.here);
    Some((plan, here.zip(measures).collect()))
}
