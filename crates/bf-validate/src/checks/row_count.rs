//! `row_count`.

use bf_contract::Comparison;
use bf_warehouse::Measure;
use serde::Deserialize;

use super::{CheckKind, Context, Figure, Planning, reference_range};
use crate::outcome::Finding;

/// The rows of the range.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowCount {}

impl CheckKind for RowCount {
    const KEY: &'static str = "row_count";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "rows of the range";
    type Measures = Measure<u64>;

    fn wants_nothing(threshold: Option<(Comparison, f64)>) -> bool {
        threshold.is_some_and(|(op, value)| value == 0.0 && op != Comparison::AtLeast)
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measure<u64> {
        planning.rows()
    }

    fn judge(&self, at: &Context<'_>, rows: &Measure<u64>) -> Finding {
        let rows = at.sum(*rows);
        let threshold = at.threshold().map(|found| (found.op, found.value));
        if rows == 0 && !Self::wants_nothing(threshold) {
            return at.no_data();
        }
        reference_range::counted(at, rows, false)
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, judged};
    use crate::outcome::Outcome::{Fail, Pass};

    #[test]
    fn rows_are_added_up_and_none_pass_only_if_none_are_wanted() {
        let days = [
            ("2024-01-01", vec![count(3)]),
            ("2024-01-02", vec![count(4)]),
        ];
        assert_eq!(judged("row_count: {}, at_least: 7", &days).outcome(), Pass);
        assert_eq!(judged("row_count: {}, at_least: 8", &days).outcome(), Fail);
        assert_eq!(judged("row_count: {}, at_least: 0", &[]).outcome(), Fail);
        assert_eq!(judged("row_count: {}, exactly: 0", &[]).outcome(), Pass);
        assert_eq!(judged("row_count: {}, exactly: 0", &days).outcome(), Fail);
    }
}
