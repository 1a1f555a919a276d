//! `sums`.

use bf_contract::percentage;
use bf_warehouse::{Ident, PairDay, Probe, WarehouseError};
use serde::Deserialize;

use super::planning::{PairsOf, not_empty};
use super::{CheckKind, Context, Figure, Planning, partner};
use crate::evidence::Sampling;
use crate::figures::Unit;
use crate::outcome::{Finding, Outcome, Wrong};
use crate::suite::TableSpec;

/// The share of keys over which the sums of the two tables agree. A single one that does not is reported, as a warning,
/// also if the share is good enough.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sums {
    /// What the sums are made over, named alike in both tables.
    columns: Vec<Ident>,
    /// What is added up here.
    column: Ident,
    /// What it must come to there.
    partner_column: Ident,
    worst_date_floor: Option<f64>,
}

impl CheckKind for Sums {
    const KEY: &'static str = "sums";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "keys over which the sums of the two tables agree, in percent";
    type Measures = PairsOf;

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        partner::needs_partner(suite)?;
        not_empty(&self.columns)
    }

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![("worst_date_floor", self.worst_date_floor)]
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        self.columns.iter_mut().chain([&mut self.column]).collect()
    }

    fn columns_of_partner(&self) -> Vec<&Ident> {
        self.columns.iter().chain([&self.partner_column]).collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> PairsOf {
        let sums = (&self.column, &self.partner_column);
        planning.pairs(&self.columns, Some(sums))
    }

    fn judge(&self, at: &Context<'_>, pairs: &PairsOf) -> Finding {
        let pairs = match at.pairs(*pairs) {
            Ok(pairs) => pairs,
            Err(finding) => return *finding,
        };
        let of = |day: &PairDay| (day.both, day.sums_off);
        let (asked, off) = pairs.sum(of);
        let Some(observed) = percentage(asked - off.min(asked), asked) else {
            return Finding::no(format!("{}: no data: no key is in both tables", at.title()))
                .without_figure(at.threshold());
        };
        let mut finding = at.plain(observed, Unit::Percent).of(asked - off, asked);
        if off == 0 {
            return finding;
        }
        finding
            .message
            .push_str(&format!("; {off} of {asked} do not"));
        partner::worst_date(&mut finding, pairs, of, self.worst_date_floor);
        // Few enough to pass, and wrong all the same.
        finding.worsen(Outcome::Warn);
        finding.wrong = Wrong::Either;
        finding
            .on(pairs.days_with(|day| day.sums_off))
            .probe(Probe::Sums {
                filter: at.filter(),
                columns: self.columns.clone(),
                here: self.column.clone(),
                there: self.partner_column.clone(),
            })
    }

    /// Names the first key whose sums differ, with both sums.
    fn sample(
        &self,
        _: &Context<'_>,
        mut finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        finding.rows = sampling.look(&finding)?.rows;
        if let Some(row) = finding.rows.first() {
            let fields = row
                .iter()
                .map(|(name, value)| format!("{name} {}", value.as_deref().unwrap_or("NULL")));
            let fields: Vec<String> = fields.collect();
            finding
                .message
                .push_str(&format!(", such as {}", fields.join(", ")));
        }
        Ok(finding)
    }
}
